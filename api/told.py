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
