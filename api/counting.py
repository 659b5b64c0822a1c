"""What the denominators count, over the tree of any day, and where the sites of today stand in it."""

from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inventory.division_history import day_of, stands
from inventory.divisions import Division, Nodes
from inventory.model import Inventory
from inventory.vocabulary import Requirement

Subjects = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Places of the subjects in depth-first order, and the site that speaks for each: -1 for none."""

_MAIN: Final = {4: "township_center", 5: "village_site"}


def subjects_of(
    inventory: Inventory, nodes: Nodes, site_nodes: NDArray[np.int32], central: NDArray[np.int64]
) -> dict[str, Subjects]:
    """For each denominator its subjects.

    Divisions are counted, not sites: one without a site stays in the list, and points beside a village's main site or
    stations beside a township's centre do not count twice. Beside the denominators of the rules there are
    ``townships`` (every one that is no placeholder, unless the rules say otherwise), ``central`` (中心村) and
    ``units`` (县直单位).
    """
    sites = inventory.sites
    first_of: dict[tuple[str, int], int] = {}
    for site in range(len(sites) - 1, -1, -1):
        first_of[sites.types[site], int(site_nodes[site])] = site
    for code, site in inventory.formerly().items():
        node = nodes.index.get(code)
        if node is not None and node == site_nodes[site]:  # a station is the centre of the township that it was
            first_of[_MAIN.get(nodes.levels[node], ""), node] = site
    kinds_of = dict(inventory.coverage_rules.denominators)
    towns = {kind for node, kind in enumerate(nodes.kinds) if nodes.levels[node] == 4 and kind != "placeholder"}
    kinds_of.setdefault("townships", tuple(sorted(towns)))
    counted: dict[str, list[tuple[int, int]]] = {name: [] for name in kinds_of}
    wanted = {name: frozenset(kinds) for name, kinds in kinds_of.items()}
    for node, level in enumerate(nodes.levels):
        if level >= 4:
            kind = nodes.kinds[node]
            for name, kinds in wanted.items():
                if kind in kinds:
                    counted[name].append((node, first_of.get((_MAIN[level], node), -1)))
    counted["central"] = sorted(
        (int(site_nodes[site]), int(site)) for site in central.tolist() if site_nodes[site] >= 0
    )
    counted["units"] = [
        (int(site_nodes[site]), site)
        for site, kind in enumerate(sites.types)
        if kind == "county_unit" and site_nodes[site] >= 0
    ]
    return {
        name: (
            np.array([node for node, _ in subjects], dtype=np.int64),
            np.array([site for _, site in subjects], dtype=np.int64),
        )
        for name, subjects in counted.items()
    }


def excused(inventory: Inventory, nodes: Nodes) -> NDArray[np.bool_]:
    """For each division of a tree, whether the rules say of its kind that it need not be covered."""
    rules = inventory.coverage_rules.by_kind
    kinds = {kind for kind, rule in rules.items() if rule.requirement is not Requirement.REQUIRED}
    if not kinds:
        return np.zeros(len(nodes), dtype=np.bool_)
    return np.array([kind in kinds for kind in nodes.kinds], dtype=np.bool_)


def sites_on(inventory: Inventory, nodes: Nodes, day: date) -> NDArray[np.int32]:
    """Where each site of today stands in the tree of an earlier day; -1 where its division was not there.

    A site follows its division: to the same code, if that named the same division then, else to the predecessor, the
    first by code where several were merged into one.
    """
    today = inventory.nodes
    heirs: dict[str, list[str]] = {}
    named_then: dict[str, Division] = {}
    for row in inventory.former:
        if stands(row, day):
            named_then[row.code] = row
            if row.successor and row.successor != row.code:
                heirs.setdefault(row.successor, []).append(row.code)
    place: dict[int, int] = {}
    for node, code in enumerate(today.codes):
        then = named_then.get(code)
        same = then is None or then.successor in ("", code)
        if code in nodes.index and same and (then is not None or day_of(today.since[node]) <= day):
            place[node] = nodes.index[code]
        else:
            place[node] = next((nodes.index[old] for old in sorted(heirs.get(code, ())) if old in nodes.index), -1)
    found = np.array([place[int(node)] for node in inventory.sites.nodes], dtype=np.int32)
    for code, site in inventory.formerly().items():
        if code in nodes.index and (code not in today.index or stands_apart(inventory, code, day)):
            found[site] = nodes.index[code]
    return found


def stands_apart(inventory: Inventory, code: str, day: date) -> bool:
    """Whether a code that is in use today named another division on ``day``."""
    then = [row for row in inventory.former if row.code == code and stands(row, day)]
    return any(row.successor not in ("", code) for row in then)
