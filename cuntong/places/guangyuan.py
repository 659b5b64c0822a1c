"""广元 (2019 → 2020): 102 townships and a thousand villages fewer; no address moves, stations and points remain."""

import shutil
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from api.gaps import dissolved, ranges_of
from api.milestones import quotas_of
from cuntong.places.staging import NAMES, RULES, Checks, Place, play_to, usual_months
from cuntong.places.world import World, began_before, end_of
from cuntong.places.writing import Draft
from health.gaps import Gap
from health.milestones import Quotas
from inventory import lockfile
from inventory.addresses import LockedSite
from inventory.division_history import CUT_OFF, Became, Match, as_known_on, match
from inventory.divisions import Division, Nodes
from inventory.loader import load
from inventory.model import Inventory
from inventory.names import place_of

_TOP: Final = "510800000000"
_ZONE: Final = "5108J0000000"
_WANGCANG: Final = "510821000000"
_BEFORE: Final = date(2019, 12, 31)
_OLD_LOCK: Final = "2019.lock"
_BARE: Final = "without-stations"
_OWN: Final = [
    {"code": _ZONE, "name": "广元经济技术开发区", "parent": _TOP, "level": 3, "adopts": ["510802102000"]},
]
_RULES: Final[dict[str, Any]] = {
    **RULES,
    "windows_per_site": {"township_center": [4, 6], "township_station": [2, 4]},
}


def stage(folder: Path, rows: Sequence[Division], as_of: date) -> World:
    """The city before its merger, then after it: first without a station, then with what the notice asks."""
    home = folder / "inventory"
    old = _draft(as_known_on(rows, _BEFORE), as_of).write(home)
    shutil.copy(home / lockfile.NAME, folder / _OLD_LOCK)
    draft = _draft(rows, as_of)
    nodes = draft.nodes()
    matches = match(old.nodes, nodes)
    _carry_over(draft, old, matches)
    _pilots(draft, nodes)
    draft.write(home)
    shutil.copytree(home, folder / _BARE)
    _keep(draft, old, matches)
    _windows(draft, nodes)
    world = World(draft.write(home), folder, began_before(as_of), f"guangyuan {as_of}")
    usual_months(world, as_of)
    return play_to(world, as_of)


def _draft(rows: Sequence[Division], as_of: date) -> Draft:
    draft = Draft(
        title="广元市电子政务外网",
        top=_TOP,
        slug="gy",
        rows=rows,
        coverage=_RULES,
        names=NAMES,
        own=_OWN,
        responsible="广元市行政审批和数字化局",
    )
    draft.milestones.append(
        {
            "id": "pilots",
            "title": "便民服务中心规范化试点",
            "since": as_of - timedelta(days=120),
            "due": as_of + timedelta(days=180),
            "quotas": [
                {"division": code, "count": 1 if code == _ZONE else 2} for code in [*_counties(draft.nodes()), _ZONE]
            ],
            "source": "完善镇村便民服务体系工作方案",
        }
    )
    return draft


def _counties(nodes: Nodes) -> list[str]:
    return [code for code, kind in zip(nodes.codes, nodes.kinds, strict=True) if kind == "county"]


def _ids(inventory: Inventory) -> dict[str, str]:
    """Code to the id of the division's own site."""
    sites = inventory.sites
    return {
        inventory.nodes.codes[int(sites.nodes[site])]: sites.ids[site]
        for site in range(len(sites))
        if sites.keys[site] == "-"
    }


def _carry_over(draft: Draft, old: Inventory, matches: Sequence[Match]) -> None:
    """A site whose division got another code keeps its id; one whose code was handed out again gets a new one."""
    ids = _ids(old)
    for one in matches:
        if one.new is None:
            continue
        if one.became is Became.RECODED and one.old is not None:
            draft.sites.setdefault(one.new, {})["id"] = ids[one.old]
        elif one.became is Became.NEW and one.new in ids:
            draft.sites.setdefault(one.new, {})["id"] = f"gy-new-{one.new[4:]}"


def _keep(draft: Draft, old: Inventory, matches: Sequence[Match]) -> None:
    """A station for each dissolved township, a point for each merged village, where their divisions went."""
    ids, nodes = _ids(old), old.nodes
    heir = {one.old: one.new for one in matches if one.old is not None and one.new is not None}
    for one in matches:
        if one.old is None or one.became not in (Became.MERGED, Became.NO_MATCH):
            continue
        place = nodes.index[one.old]
        county = next(nodes.codes[above] for above in nodes.ancestors(place) if nodes.levels[above] <= 3)
        if one.level == 4:
            where, kind, name = one.new or county, "township_station", f"{one.old_name}便民服务站 township"
        else:
            where = heir.get(nodes.codes[nodes.parents[place]]) or county
            kind, name = "village_point", f"{place_of(one.old_name)}便民服务点 village"
        entry = {"type": kind, "is": name, "id": ids[one.old], "formerly": one.old}
        draft.more.setdefault(where, {})[f"f{one.old}"] = entry


def _pilots(draft: Draft, nodes: Nodes) -> None:
    for code in [*_counties(nodes), _ZONE]:
        towns = [place for place in nodes.children(nodes.index[code]) if nodes.kinds[place] == "town"]
        for place in towns[: 1 if code == _ZONE else 2]:
            pilot = {"level": "city", "programme": "便民服务中心规范化试点"}
            draft.sites.setdefault(nodes.codes[place], {})["pilot"] = pilot


def _windows(draft: Draft, nodes: Nodes) -> None:
    """A centre with too few windows, a station with too many, and one of each as it should be."""
    towns = [code for code, kind in zip(nodes.codes, nodes.kinds, strict=True) if kind == "town"]
    draft.sites.setdefault(towns[-1], {})["windows"] = {"general": 3}
    draft.sites.setdefault(towns[-2], {})["windows"] = {"general": 4, "agent": 1}
    stations = [told for more in draft.more.values() for told in more.values() if told["type"] == "township_station"]
    stations[-1]["windows"] = {"general": 5}
    stations[-2]["windows"] = {"general": 2}


def prove(world: World, as_of: date, checks: Checks) -> None:
    """The points of the paragraph on 广元."""
    inventory, standing = world.inventory, world.standing
    folder = inventory.folder.parent
    then = standing.at(end_of(_BEFORE)).nodes
    counts = [[nodes.levels.count(level) for level in (4, 5)] for nodes in (then, standing.snapshot.nodes)]
    checks.expect("divisions before and after", [[248, 2743], [146, 1746]], counts)
    before, after = (_locked(path) for path in (folder / _OLD_LOCK, inventory.folder / lockfile.NAME))
    moved = [id for id, site in before.items() if id not in after or not _stays(site, after[id])]
    checks.expect("addresses that moved", [], moved)
    held = {"sites": len(before), "retired": sum(after[id].retired for id in before if id in after)}
    checks.expect("sites of 2019 that still stand", {"sites": 9 + 248 + 2743, "retired": 0}, held)
    gone = dissolved(load(folder / _BARE), _BEFORE)
    townships = [gap.division for gap in gone if gap.kind is Gap.NO_STATION]
    ended = {row.code for row in inventory.history.ended(_BEFORE, CUT_OFF[2020]) if row.level == 4}
    # 248 - 146, and six whose names match none of the six new townships: they wait for somebody who knows.
    checks.expect("dissolved townships, no station declared", 248 - 146 + 6, len(townships))
    checks.expect("each of them ended in the list", [], sorted(set(townships) - ended))
    checks.expect("gap list once stations and points are declared", [], dissolved(inventory, _BEFORE))
    found = [[one.rule, one.count, str(one.fit)] for one in ranges_of(standing, standing.snapshot)]
    checks.expect("windows: two findings", [["windows", 3, "short"], ["windows", 5, "over"]], found)
    _prove_pilots(world, checks)


def _locked(path: Path) -> Mapping[str, LockedSite]:
    lock, problems = lockfile.parse(path.read_bytes())
    return {} if problems else {site.id: site for site in lock.sites}


def _stays(old: LockedSite, new: LockedSite) -> bool:
    """Same prefix and number, every router where it was; lines may be added, and who had nothing may get something."""
    if old.prefix in ("", "-"):
        return True
    routers = all(
        role in new.routers and new.routers[role][0] == loopback and new.routers[role][1][: len(links)] == links
        for role, (loopback, links) in old.routers.items()
    )
    return (old.prefix, old.number) == (new.prefix, new.number) and routers


def _prove_pilots(world: World, checks: Checks) -> None:
    """15 pilots by quota; one is taken back, and its county shows it."""
    inventory = world.inventory

    def standings() -> Quotas:
        return quotas_of(world.standing, world.standing.snapshot, inventory.milestones[0])

    by_node = {one.division: one.named for one in standings().standings}
    expected = {code: 2 for code in _counties(inventory.nodes)} | {_ZONE: 1}
    checks.expect("pilots by node", expected, by_node)
    checks.expect("pilots", "15/15", f"{standings().named}/{standings().wanted}")
    nodes, sites = inventory.nodes, inventory.sites
    low, high = nodes.index[_WANGCANG], nodes.ends[nodes.index[_WANGCANG]]
    pilot = next(site for site in inventory.pilots() if low <= sites.nodes[site] < high)
    world.tell([sites.ids[pilot]], "pilot", False, "试点调整通知")
    world.settle()
    fewer = standings()
    amiss = {one.division: f"{one.named}/{one.wanted}" for one in fewer.amiss}
    checks.expect("one pilot dropped", ["14/15", {_WANGCANG: "1/2"}], [f"{fewer.named}/{fewer.wanted}", amiss])
    world.tell([sites.ids[pilot]], "pilot", True, "试点调整通知")
    world.settle()


PLACE: Final = Place("guangyuan", "广元", _TOP, date(2020, 12, 31), date(2020, 7, 1), stage, prove)
