"""伊川 (2020-09-30): 70 % of townships and of central villages, each on its own; October's full coverage, less one."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from api.gaps import gaps_of, ranges_of
from api.milestones import missing_sites, progress_of
from api.periods import month_span
from api.standing import Snapshot
from cuntong.places.staging import NAMES, RULES, Checks, Place, play_to, share, sites_of, usual_months
from cuntong.places.world import World, at_clock, began_before, end_of
from cuntong.places.writing import Draft
from health.gaps import Gap
from health.milestones import Progress
from inventory.divisions import Division
from inventory.vocabulary import Claim

_TOP: Final = "410329000000"
_NOTICE: Final = "伊放管服组办〔2020〕4号"
_RULES: Final[dict[str, Any]] = {
    **RULES,
    "version": "2020-1",
    "requirements": {**RULES["requirements"], "approval_net": "reachable"},
    "needs": {"approval_net": ["items_listed"]},
    "central_per_township": [2, 3],
}
_TOWNSHIPS_BEFORE, _TOWNSHIPS_NOW = 10, 11
_LINKED, _REUSED, _FAILING = 21, (2, 7, 12), 7
"""Of the 30 central villages: how many have a line, which lines are reused ones, and which of these fails an item."""
_BEFORE: Final = 5
"""Days before the shown one at which the plan was still behind."""
_OFFLINE: Final = 4
"""The central village whose online point is missing in October."""


def stage(folder: Path, rows: Sequence[Division], as_of: date) -> World:
    """The county of the notice on the last day of September."""
    draft = Draft(
        title="伊川县电子政务外网",
        top=_TOP,
        slug="yc",
        rows=rows,
        coverage=_RULES,
        names={**NAMES, "village_site": "{place}便民服务中心"},
        responsible="伊川县政务服务和大数据管理局",
    )
    nodes = draft.nodes()
    townships = [place for place, level in enumerate(nodes.levels) if level == 4]
    central = [nodes.codes[village] for place in townships for village in nodes.children(place)[:2]]
    for position, code in enumerate(central):
        draft.sites[code] = {"central": True, "central_since": (as_of - timedelta(days=120)).replace(day=1)}
        if position in _REUSED:
            failing = position == _FAILING
            draft.sites[code]["link"] = {
                "origin": "reused:distance_education" if failing else "reused:employment",
                "original_owner": "远程教育系统" if failing else "就业信息系统",
                "conformance": "failing" if failing else "conforming",
            }
    october = _full_by(as_of)
    usual = {"since": as_of.replace(day=1) - timedelta(days=31), "due": as_of, "target_ratio": 0.7, "source": _NOTICE}
    central_scope = {"site_types": ["village_site"], "central": True}
    net = ["connected", "reachable"]
    draft.milestones += [
        {"id": "townships-net", "title": "9月底前“一张审批网”覆盖70%以上乡镇", **usual,
         "scope": {"site_types": ["township_center"]}, "conditions": [*net, "items_listed"]},
        {"id": "central-net", "title": "9月底前外网覆盖70%以上中心村", **usual,
         "scope": central_scope, "conditions": [*net, "conforming"]},
        {"id": "central-all", "title": "10月底前中心村线上线下全覆盖", **usual, "due": october, "target_ratio": 1.0,
         "scope": central_scope, "conditions": ["open", "online"]},
    ]  # fmt: skip
    world = World(draft.write(folder / "inventory"), folder, began_before(as_of), f"yichuan {as_of}")
    _script(world, as_of, central)
    return play_to(world, as_of)


def _full_by(as_of: date) -> date:
    """The last day of October, for the last day of September: the end of the month that half a month on lies in."""
    return month_span(f"{as_of + timedelta(days=15):%Y-%m}")[1] - timedelta(days=1)


def _script(world: World, as_of: date, central: Sequence[str]) -> None:
    inventory = world.inventory
    sites, nodes = inventory.sites, inventory.nodes
    villages = [sites.own(nodes.index[code])[0] for code in central]
    ids = [sites.ids[site] for site in villages]
    # The townships came first; of the villages, September's work connects the central ones.
    usual_months(world, as_of, late=sites_of(inventory, "village_site"))
    month = as_of - timedelta(days=29)
    for position, site in enumerate(villages[:_LINKED]):
        day = month + timedelta(days=position * 20 // _LINKED)
        world.at(at_clock(day, 11), partial(world.connect, [site]))
        world.at(at_clock(day, 11), partial(world.claim, site, Claim.CONNECTED, day, "接通确认单"))
    failing = [ids[_FAILING]]
    world.at(at_clock(month, 9), partial(world.tell, failing, "failing_items", "地址规划", "网络技术规范核查表"))
    mended = as_of - timedelta(days=1)
    world.at(at_clock(mended, 9), partial(world.tell, failing, "failing_items", "", "网络技术规范核查表"))
    world.at(at_clock(mended, 9), partial(world.tell, failing, "conforming", True, "网络技术规范核查表"))
    centers = [sites.ids[site] for site in sites_of(inventory, "township_center")]
    early, last = centers[:_TOWNSHIPS_BEFORE], centers[_TOWNSHIPS_BEFORE:_TOWNSHIPS_NOW]
    source = "省一体化平台事项清单"
    world.at(at_clock(month, 9), partial(world.tell, early, "items_listed", True, source))
    world.at(at_clock(mended, 10), partial(world.tell, last, "items_listed", True, source))
    world.at(at_clock(mended, 11), partial(world.tell, ids[:20], "open", True, "台账"))
    world.at(at_clock(mended, 11), partial(world.tell, ids[:18], "online", True, "政务服务网站点目录"))
    later = as_of + timedelta(days=10)
    for site in villages[_LINKED:]:
        world.at(at_clock(later, 11), partial(world.connect, [site]))
        world.at(at_clock(later, 11), partial(world.claim, site, Claim.CONNECTED, later, "接通确认单"))
    world.at(at_clock(later, 12), partial(world.tell, ids, "open", True, "台账"))
    online = [id for position, id in enumerate(ids) if position != _OFFLINE]
    world.at(at_clock(later, 12), partial(world.tell, online, "online", True, "政务服务网站点目录"))
    world.at(at_clock(later, 12), partial(world.tell, [ids[_OFFLINE]], "online", False, "政务服务网站点目录"))


def prove(world: World, as_of: date, checks: Checks) -> None:
    """The points of the notice's paragraph, the last of them on the last day of October."""
    inventory, standing = world.inventory, world.standing
    checks.expect("divisions", [15, 370], [inventory.nodes.levels.count(level) for level in (4, 5)])
    before, now = standing.at(end_of(as_of - timedelta(days=_BEFORE))), standing.snapshot
    checks.expect("townships, before", _told("10/15", 66.7, False), _progress(world, "townships-net", before))
    checks.expect("townships, now", _told("11/15", 73.3, True), _progress(world, "townships-net", now))
    net = [share(standing.figures("approval_net", "townships", 0, one)) for one in (before, now)]
    checks.expect("一张审批网 in the rollup", ["10/15", "11/15"], net)
    physical = standing.figures("extranet", "townships", 0, now)
    checks.expect("extranet alone is another rate", "15/15", share(physical))
    linked = standing.figures("extranet", "central", 0, before)
    checks.expect("central villages linked", "21/30", share(linked))
    behind = _told("20/30", 66.7, False) | {"behind": 1}
    made = _made(world, "central-net", before)
    checks.expect("central villages, before", behind, _read(made) | {"behind": made.behind})
    failed = [one.what for one in gaps_of(standing, before) if one.kind is Gap.LINE]
    checks.expect("the item that a reused line fails", ["地址规划"], failed)
    met = _told("21/30", 70.0, True) | {"behind": 0}
    made = _made(world, "central-net", now)
    checks.expect("central villages, mended", met, _read(made) | {"behind": made.behind})
    _prove_central(world, checks)
    october = _full_by(as_of)
    world.play(end_of(october))
    made = _made(world, "central-all", standing.snapshot)
    checks.expect("October, online and offline", _told("29/30", 96.7, False), _read(made))
    site = now.subjects["central"][1].tolist()[_OFFLINE]
    missing = {one.site: list(one.failing) for one in missing_sites(standing, made)}
    checks.expect("October, who is missing", {inventory.sites.ids[site]: ["online"]}, missing)


def _told(share: str, percent: float, reached: bool) -> dict[str, Any]:
    return {"share": share, "percent": percent, "reached": reached}


def _made(world: World, id: str, snapshot: Snapshot) -> Progress:
    milestone = next(one for one in world.inventory.milestones if one.id == id)
    return progress_of(world.standing, snapshot, milestone)


def _read(made: Progress) -> dict[str, Any]:
    return _told(f"{made.met}/{made.asked}", round((made.ratio or 0.0) * 100, 1), bool(made.reached))


def _progress(world: World, id: str, snapshot: Snapshot) -> dict[str, Any]:
    return _read(_made(world, id, snapshot))


def _prove_central(world: World, checks: Checks) -> None:
    """One central village too few in a township, and two too many in another: both are findings."""
    inventory, standing = world.inventory, world.standing
    sites, nodes = inventory.sites, inventory.nodes
    found = [one for one in ranges_of(standing, standing.snapshot) if one.rule == "central_villages"]
    checks.expect("two central villages each", [], found)
    poor, rich = _two_townships(world)
    less = [sites.ids[sites.own(nodes.children(poor)[0])[0]]]
    more = [sites.ids[sites.own(village)[0]] for village in nodes.children(rich)[2:4]]
    world.tell(less, "central", False, "中心村名单")
    world.tell(more, "central", True, "中心村名单")
    world.settle()
    found = [one for one in ranges_of(standing, standing.snapshot) if one.rule == "central_villages"]
    seen = {one.name: [one.count, str(one.fit)] for one in found}
    checks.expect("a township with 1 or 4", {nodes.names[poor]: [1, "short"], nodes.names[rich]: [4, "over"]}, seen)
    world.tell(less, "central", True, "中心村名单")
    world.tell(more, "central", False, "中心村名单")
    world.settle()


def _two_townships(world: World) -> tuple[int, int]:
    nodes = world.inventory.nodes
    wide = [place for place, level in enumerate(nodes.levels) if level == 4 and len(nodes.children(place)) > 4]
    return wide[0], wide[1]


PLACE: Final = Place("yichuan", "伊川", _TOP, date(2020, 9, 30), date(2020, 9, 1), stage, prove)
