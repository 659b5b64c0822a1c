"""天全 (2021-06-10): 1 + 35 + 10 + 96 sites; what was said, what is measured, and how the difference shows."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from api.actions import office
from api.bulletins import BULLETIN, ranked_from
from api.daily import daily_report
from api.periods import months_before
from cuntong.places.staging import NAMES, RULES, Checks, Place, play_to, share, sites_of, usual_months
from cuntong.places.world import World, at_clock, began_before, end_of
from cuntong.places.writing import Draft
from health.sampling import sample
from health.verdict import Blame
from inventory.divisions import Division
from inventory.strict import parse
from ledger import history, reports
from ledger.accounts import Role

_TOP: Final = "511825000000"
_SHIYANG: Final = "511825101000"
_SAMPLE: Final = 6
_EXAMPLE: Final = Path(__file__).resolve().parents[2] / "inventory" / "examples" / "tianquan" / "sites" / "county.yml"


def _units() -> dict[str, str]:
    """The 35 county units, by the names that the example gives them."""
    document: Any = parse("county.yml", _EXAMPLE.read_bytes())
    return {key: str(told["is"] if isinstance(told, dict) else told).split()[0] for key, told in
            document["units"].items()}  # fmt: skip


def stage(folder: Path, rows: Sequence[Division], as_of: date) -> World:
    """The county of the notice; everything is connected and claimed long before the day."""
    draft = Draft(
        title="天全县电子政务外网",
        top=_TOP,
        slug="tq",
        rows=rows,
        coverage=dict(RULES),
        names={**NAMES, "county_unit": "天全县{name}"},
        units=_units(),
        responsible="天全县政务服务和大数据管理局",
    )
    world = World(draft.write(folder / "inventory"), folder, began_before(as_of), f"tianquan {as_of}")
    usual_months(world, as_of)
    return play_to(world, as_of)


def prove(world: World, as_of: date, checks: Checks) -> None:
    """The points of the notice's paragraph."""
    inventory, standing = world.inventory, world.standing
    kinds = Counter(inventory.sites.types)
    checks.expect("sites", 142, len(inventory.sites))
    counted = {"county_center": 1, "county_unit": 35, "township_center": 10, "village_site": 96}
    checks.expect("sites by type", counted, dict(kinds))
    figures = {name: share(standing.figures("extranet", name, 0, standing.snapshot)) for name in
               ("units", "townships", "default", "villages", "communities")}  # fmt: skip
    rows = {"units": "35/35", "townships": "10/10", "default": "96/96", "villages": "79/79", "communities": "17/17"}
    checks.expect("rows", rows, figures)
    village = sites_of(inventory, "village_site")[0]
    checks.expect("power cut at one village", _cut(96, 95, [inventory.sites.ids[village]]), _power_cut(world, village))
    checks.expect("始阳镇 cut: one incident, 19 sites", {"incidents": 1, "sites": [19]}, _township_cut(world))
    then = standing.at(end_of(date(2019, 12, 31)))
    past = {"townships": 15, "villages": 138}
    seen = {
        "townships": standing.figures("extranet", "townships", 0, then).denominator,
        "villages": standing.figures("extranet", "default", 0, then).denominator,
    }
    checks.expect("as of 2019", past, seen)
    daily = daily_report(standing, as_of)
    checks.expect("daily report", 142, len({row.site for row in daily}))
    _prove_sample(world, as_of, checks)
    with standing.query() as connection:
        frozen = reports.fetch(connection, BULLETIN, months_before(as_of, 1)[0], _TOP)
    ranked = ranked_from(frozen.document) if frozen is not None else []
    placed = [one.place for one in ranked if one.place is not None]
    checks.expect("bulletin ranks townships", 10, len(placed))
    checks.expect("ranking begins at 1 and never runs ahead", True, placed == sorted(placed) and placed[:1] == [1])


def _cut(claimed: int, works: int, contradicting: list[str]) -> dict[str, Any]:
    return {"claimed": f"{claimed}/96", "measured": f"{works}/96", "contradictions": contradicting}


def _power_cut(world: World, village: int) -> dict[str, Any]:
    world.cut(village, Blame.POWER)
    world.settle()
    standing = world.standing
    figures = standing.figures("extranet", "default", 0, standing.snapshot)
    nodes = standing.snapshot.nodes
    denied = standing.contradictions("extranet", standing.snapshot, (0, nodes.ends[0]))
    seen = _cut(figures.claimed, figures.works, [world.inventory.sites.ids[one.site] for one in denied])
    world.mend(village)
    world.settle()
    return seen


def _township_cut(world: World) -> dict[str, Any]:
    inventory = world.inventory
    center = inventory.sites.span(inventory.nodes.index[_SHIYANG])[0]
    world.cut(center, Blame.LINE)
    world.settle()
    with world.standing.query() as connection:
        running = history.outages(connection, open_only=True)
    world.mend(center)
    world.settle()
    return {"incidents": len(running), "sites": [len(one.sites) for one in running]}


def _prove_sample(world: World, as_of: date, checks: Checks) -> None:
    """Nobody can know the week's sample before it is drawn, everybody can draw it again afterwards."""
    standing = world.standing
    week = as_of + timedelta(days=7 - as_of.weekday())
    period = f"{week.isocalendar().year}-W{week.isocalendar().week:02}"
    visitor = world.account("visitor", Role.REFORM_VIEWER, _TOP)
    world.play(at_clock(week, 7))
    before = list(office.drawn(standing, _TOP, period))
    seed = bytes(world.random.randrange(256) for _ in range(32))
    made = office.draw(standing, world.engine, visitor, _TOP, period, _SAMPLE, world.now, seed)
    earlier = world.now - 1
    world.settle()
    again = list(office.drawn(standing, _TOP, period))
    checks.expect("sample before its draw", [], before)
    checks.expect("sample as known a second before its draw", [], list(office.drawn(standing, _TOP, period, earlier)))
    checks.expect("sample after its draw, drawn again", [_SAMPLE, list(made.sites)], [len(set(again)), again])
    other = sample(seed[::-1], made.population, _SAMPLE)
    checks.expect("sample of another seed is another", True, list(other) != again)


PLACE: Final = Place("tianquan", "天全", _TOP, date(2021, 6, 10), date(2020, 7, 1), stage, prove)
