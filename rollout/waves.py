"""The order of a rollout: from one village that can be spared to the core, by the uplink tree (decision D17).

Of each county first one township goes through alone: a canary village, its other villages, its routers. Then the
other townships' villages (first one of each model that has not been tried yet), their routers, and so on upward; at
the top one router at a time. A parent and what hangs below it are never in one wave.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Node:
    """A device that is to be changed, or a router above one.

    Attributes:
        uplinks: ids of the routers above; all of them must be among the nodes.
        county: code of its county.
        branch: what goes through alone first: its township, or its county where it is in none.
        weight: how much it matters; the canary is the lightest.
        model: of the catalogue; one of each is tried before the rest.
        changes: False for a router that only holds the tree together.
    """

    id: str
    uplinks: tuple[str, ...]
    county: str
    branch: str
    weight: int
    model: str
    changes: bool = True


@dataclass(frozen=True, slots=True)
class Wave:
    """Devices that may be changed at the same time, and in words why these."""

    title: str
    devices: tuple[str, ...]


def plan_waves(nodes: Sequence[Node]) -> list[Wave]:
    """Every node that changes in just one wave, children before their parents.

    Raises:
        ValueError: an uplink that is not among the nodes, or a circle of uplinks.
    """
    by_id = {node.id: node for node in nodes}
    heights = _heights(by_id)
    top = max(heights.values(), default=0)
    changing = [node for node in nodes if node.changes]
    early_ids = _early(by_id, heights, _first_branches(changing, heights))
    early = [node for node in changing if node.id in early_ids]
    waves: list[Wave] = []
    tried: set[str] = set()

    def add(title: str, chosen: Iterable[Node]) -> None:
        devices = tuple(node.id for node in chosen)
        if devices:
            waves.append(Wave(title, devices))
            tried.update(by_id[id].model for id in devices)

    leaves = [node for node in early if heights[node.id] == 0]
    canaries = _one_each(leaves, lambda node: node.county)
    add("canary", canaries)
    add("the canary's township", [node for node in leaves if node not in canaries])
    for height in range(1, top + 1):
        add("the canary's township: its router", [node for node in early if heights[node.id] == height])

    rest = [node for node in changing if node.id not in early_ids and not _is_top(node)]
    for height in range(top + 1):
        level = [node for node in rest if heights[node.id] == height]
        fresh = _one_each([node for node in level if node.model not in tried], lambda node: node.model)
        words = "villages and units" if height == 0 else "routers above them"
        add(f"{words}: one of each further model", fresh)
        add(words, [node for node in level if node not in fresh])
    for node in sorted((node for node in changing if _is_top(node)), key=lambda node: (heights[node.id], node.id)):
        add(f"core {node.id}", [node])
    return waves


def _is_top(node: Node) -> bool:
    return not node.uplinks


def _heights(by_id: Mapping[str, Node]) -> dict[str, int]:
    """0 for a node with nothing below it, else one more than the highest below: a parent is above all its children."""
    children: dict[str, list[str]] = {id: [] for id in by_id}
    waiting = dict.fromkeys(by_id, 0)
    for node in by_id.values():
        for above in node.uplinks:
            if above not in by_id:
                raise ValueError(f"{node.id} hangs on {above}, which is not among the nodes.")
            children[above].append(node.id)
            waiting[above] += 1
    heights: dict[str, int] = {}
    ready = [id for id, count in waiting.items() if not count]
    while ready:
        id = ready.pop()
        heights[id] = 1 + max((heights[child] for child in children[id]), default=-1)
        for above in by_id[id].uplinks:
            waiting[above] -= 1
            if not waiting[above]:
                ready.append(above)
    if len(heights) != len(by_id):
        raise ValueError(f"There is a circle of uplinks at {min(set(by_id) - set(heights))}.")
    return heights


def _early(by_id: Mapping[str, Node], heights: Mapping[str, int], branches: set[str]) -> set[str]:
    """What goes through alone first: of the first branches, but no router with something below it that comes later."""
    late_below: set[str] = set()
    early: set[str] = set()
    for node in sorted(by_id.values(), key=lambda node: heights[node.id]):
        if node.changes and node.branch in branches and not _is_top(node) and node.id not in late_below:
            early.add(node.id)
        if node.id in late_below or (node.changes and node.id not in early):
            late_below.update(node.uplinks)
    return early


def _first_branches(changing: Sequence[Node], heights: Mapping[str, int]) -> set[str]:
    """Of each county the branch whose canary is the lightest; townships before what is in none."""
    best: dict[str, tuple[tuple[bool, int, str], str]] = {}
    for node in changing:
        if heights[node.id] or _is_top(node):
            continue
        key = (node.branch == node.county, node.weight, node.id)
        if node.county not in best or key < best[node.county][0]:
            best[node.county] = key, node.branch
    return {branch for _, branch in best.values()}


def _one_each(nodes: Iterable[Node], key: Callable[[Node], str]) -> list[Node]:
    lightest: dict[str, Node] = {}
    for node in sorted(nodes, key=lambda node: (node.weight, node.id)):
        lightest.setdefault(key(node), node)
    return list(lightest.values())
