"""原平 (2021-12-10): 40 mandatory sites, 346 optional villages; a broken link, a bare site, two late ledgers."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from api.actions import office
from api.exclusions import excluded
from api.gaps import kiosk_fit
from api.milestones import missing_sites, progress_of
from api.periods import months_before
from api.sign_offs import LEDGER, sign_offs
from cuntong.places.staging import NAMES, RULES, Checks, Place, play_to, sites_of, usual_months
from cuntong.places.world import World, at_clock, began_before
from cuntong.places.writing import Draft
from health.duedates import due_in
from health.verdict import Blame
from inventory.divisions import Division
from inventory.vocabulary import Requirement
from ledger.accounts import Role
from ledger.reports import Signature

_TOP: Final = "140981000000"
_MILESTONE: Final = "g50"
_EXCUSED: Final = {
    "village": {"requirement": "optional", "reason": "有条件的村逐步覆盖"},
    "quasi_township": {"requirement": "exempt", "reason": "工矿区、农场、开发区，不设综合便民服务中心"},
    "virtual": {"requirement": "exempt", "reason": "虚拟统计单元，无人办事"},
}
_RULES: Final[dict[str, Any]] = {
    **RULES,
    "denominators": {
        "default": ["town", "township", "subdistrict", "quasi_township", "community", "village", "virtual"],
        "villages": ["village"],
        "communities": ["community"],
    },
    "by_kind": _EXCUSED,
    "kiosks_per_site": {"township_center": [1, 2], "village_site": [1, 2]},
}
_BROKEN, _BARE, _RICH = 3, 5, 9
"""Which of the 22 communities has its link broken, has no kiosk, has three."""
_LATE: Final = (6, 11)
"""Which of the 18 townships do not sign."""


def stage(folder: Path, rows: Sequence[Division], as_of: date) -> World:
    """The city of the notice, as it is on the last day of 12月上旬."""
    draft = Draft(
        title="原平市电子政务外网",
        top=_TOP,
        slug="yp",
        rows=rows,
        coverage=_RULES,
        names={**NAMES, "township_center": "{name}综合便民服务中心", "village_site": "{place}便民服务点"},
        responsible="原平市行政审批服务管理局",
    )
    nodes = draft.nodes()
    communities = [code for code, kind in zip(nodes.codes, nodes.kinds, strict=True) if kind == "community"]
    draft.sites[communities[_BARE]] = {"devices": {"kiosk1": None}}
    draft.sites[communities[_RICH]] = {"devices": {"kiosk2": "kiosk-linux", "kiosk3": "kiosk-linux"}}
    draft.milestones.append(
        {
            "id": _MILESTONE,
            "title": "12月上旬前乡镇综合便民服务中心、社区便民服务点建成、接入、投入使用并配备一体机",
            "since": (as_of - timedelta(days=40)).replace(day=1),
            "due": as_of,
            "responsible": "各乡镇人民政府、街道办事处",
            "scope": {"denominator": "default", "site_types": ["township_center", "village_site"]},
            "conditions": ["built", "connected", "in_service", "reachable", "kiosk"],
            "target_ratio": 1.0,
            "source": "原政办发〔2021〕53号",
        }
    )
    world = World(draft.write(folder / "inventory"), folder, began_before(as_of), f"yuanping {as_of}")
    inventory = world.inventory
    poor = [site for site in sites_of(inventory, "village_site") if inventory.requirement(site) is Requirement.OPTIONAL]
    usual_months(world, as_of, late=poor[::2])  # half of the villages have no line yet, and lower no rate
    broken = inventory.sites.span(inventory.nodes.index[communities[_BROKEN]])[0]
    world.at(at_clock(as_of - timedelta(days=3), 15), partial(world.cut, broken, Blame.LINE))
    month = months_before(as_of, 1)[0]
    clerk = world.account("clerk", Role.TOWNSHIP_CLERK, _TOP)
    townships = _townships(world)
    for position, code in enumerate(townships):
        if position not in _LATE:
            day = due_in(month, 25) - timedelta(days=1 + position % 5)
            signature = Signature(LEDGER, month, code, day, "主要负责人", {"存在问题": "无", "下一步": "按计划推进"})
            sign = partial(office.sign, world.engine, inventory, clerk, signature)
            world.at(at_clock(day, 16), lambda sign=sign: sign(world.now))  # type: ignore[misc]
    return play_to(world, as_of)


def _townships(world: World) -> list[str]:
    inventory = world.inventory
    return [
        inventory.nodes.codes[int(inventory.sites.nodes[site])]
        for site in sites_of(inventory, "township_center")
        if inventory.requirement(site) is Requirement.REQUIRED
    ]


def prove(world: World, as_of: date, checks: Checks) -> None:
    """The points of the notice's paragraph."""
    inventory, standing = world.inventory, world.standing
    snapshot = standing.snapshot
    levels = [inventory.nodes.levels.count(level) for level in (4, 5)]
    checks.expect("divisions", [22, 372], levels)
    figures = standing.figures("extranet", "default", 0, snapshot)
    communities = standing.figures("extranet", "communities", 0, snapshot).denominator
    mandatory = {"denominator": 40, "townships": 18, "communities": 22}
    seen = {"denominator": figures.denominator, "townships": len(_townships(world)), "communities": communities}
    checks.expect("mandatory", mandatory, seen)
    left_out = {f"{one.kind} {one.requirement}": one.count for one in excluded(standing, snapshot, 0)}
    apart = {"village optional": 346, "quasi_township exempt": 4, "virtual exempt": 4}
    checks.expect("excluded, visibly", apart, left_out)
    reasons = sorted(one.reason for one in excluded(standing, snapshot, 0))
    checks.expect("each exclusion has its reason", sorted(rule["reason"] for rule in _EXCUSED.values()), reasons)
    milestone = next(one for one in inventory.milestones if one.id == _MILESTONE)
    made = progress_of(standing, snapshot, milestone)
    checks.expect("conditions met", "38/40 = 95.0 %", f"{made.met}/{made.asked} = {(made.ratio or 0) * 100:.1f} %")
    names = [place for place, kind in enumerate(inventory.nodes.kinds) if kind == "community"]
    named = {inventory.sites.names[inventory.sites.own(names[which])[0]]: fails
             for which, fails in ((_BROKEN, ["reachable"]), (_BARE, ["kiosk"]))}  # fmt: skip
    missing = {one.name: list(one.failing) for one in missing_sites(standing, made)}
    checks.expect("two names and the failing condition", named, missing)
    fit = kiosk_fit(standing)
    kiosks = {"short": 1, "exact": 38, "over": 1}
    checks.expect("kiosks", kiosks, {"short": fit.short, "exact": fit.within, "over": fit.over})
    month = months_before(as_of, 1)[0]
    signed = sign_offs(standing, month)
    late = [code for position, code in enumerate(_townships(world)) if position in _LATE]
    due = {"due": f"{month}-25", "signed": "16/18", "late": late}
    told = {"due": signed.due.isoformat(), "signed": f"{signed.signed}/{len(signed.rows)}", "late": signed.late}
    checks.expect("ledger due on the 25th", due, told)


PLACE: Final = Place("yuanping", "原平", _TOP, date(2021, 12, 10), date(2021, 11, 26), stage, prove)
