"""Imported facts in force: the newest of each subject and name, and what follows from them for sites."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from inventory.model import Inventory
from ledger.facts import Fact, FactValue

Told = Mapping[tuple[str, str], Fact]
"""By subject (a site's id or a division's code) and name."""


def keep_newer(told: dict[tuple[str, str], Fact], fact: Fact) -> None:
    """The later day wins, then the later word: facts come in the order in which they were recorded."""
    known = told.get((fact.subject, fact.name))
    if known is None or known.happened_on <= fact.happened_on:
        told[fact.subject, fact.name] = fact


def value_of(inventory: Inventory, told: Told, site: int, name: str) -> FactValue | None:
    """What is told of a site, or else of its own division; None where nobody told."""
    sites = inventory.sites
    found = told.get((sites.ids[site], name))
    if found is None:
        found = told.get((inventory.nodes.codes[int(sites.nodes[site])], name))
    return None if found is None else found.value


def moved_centres(inventory: Inventory, flagged: NDArray[np.int64], told: Told) -> NDArray[np.int64] | None:
    """The central villages, where facts name others than the inventory flags; None where none did."""
    index = inventory.sites.index
    said = {
        index[subject]: bool(fact.value)
        for (subject, name), fact in told.items()
        if name == "central" and subject in index
    }
    if not said:
        return None
    kept = set(flagged.tolist()) - said.keys()
    return np.array(sorted(kept | {site for site, held in said.items() if held}), dtype=np.int64)


def every_site(inventory: Inventory, told: Told, name: str) -> dict[int, Fact]:
    """The fact in force of each site of which one is told, of itself or else of its own division."""
    sites, index = inventory.sites, inventory.nodes.index
    own: dict[int, Fact] = {}
    found: dict[int, Fact] = {}
    for (subject, told_of), fact in told.items():
        if told_of != name:
            continue
        site, node = sites.index.get(subject), index.get(subject)
        if site is not None:
            own[site] = fact
        elif node is not None:
            low, high = sites.span(node)
            found.update((below, fact) for below in range(low, high) if sites.nodes[below] == node)
    return found | own


def held_by(inventory: Inventory, told: Told, name: str) -> NDArray[np.bool_]:
    """For every site whether a fact is told of it, or else of its own division, and is true."""
    held = np.zeros(len(inventory.sites), dtype=np.bool_)
    held[[site for site, fact in every_site(inventory, told, name).items() if fact.value]] = True
    return held
