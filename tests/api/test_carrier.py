"""A carrier's month: a paper that two parties can lay on the table."""

import shutil
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.auth import Access
from api.reports import docx, pdf, xlsx
from api.reports.carrier import Rates, carrier
from api.reports.sheet import Table
from api.standing import CHINA
from health.contract import Cut, Promise, kept
from health.maintenance import Reach
from health.outage import Scope, total
from health.rootcause import Cause
from health.verdict import Blame, Clue, Sign, as_text
from inventory.circuits import circuits, ending
from inventory.loader import load
from inventory.model import Inventory
from ledger import maintenance, outage_notes
from ledger.accounts import Role
from ledger.journal import OutageEvent, VerdictEvent
from ledger.outage_notes import Note, Step

if TYPE_CHECKING:
    from tests.api.conftest import World

DAY, HOUR, MINUTE = 86400.0, 3600.0, 60.0
FIRST = datetime(2026, 10, 1, tzinfo=CHINA).timestamp()
LAST = datetime(2026, 11, 1, tzinfo=CHINA).timestamp()
TOP = "511825000000"
GOLD = "{availability: 0.999, respond_hours: 2, repair_hours: 4}"
VILLAGE = "tq-chengxiang-xuyu"
LINE = """
        link:
          circuit: TQ-2002
          bandwidth_mbps: 100
          service_level: gold
          contract_since: 2026-10-11
          contract_until: 2026-12-31
          formerly:
            - {circuit: MOB-7, carrier: mobile, type: pon, contract_until: 2026-10-11, service_level: gold}
"""


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory, example: Inventory) -> Inventory:
    """The county where one village changed its carrier on the 11th of October."""
    folder = tmp_path_factory.mktemp("carrier") / "county"
    shutil.copytree(example.folder, folder)
    file = folder / "sites" / "chengxiang.yml"
    text = file.read_text("utf-8")
    after = "        devices: {kiosk2: {model: kiosk-uos, owner: bank, themes: [finance, social-security]}}\n"
    assert after in text
    file.write_text(text.replace(after, after + LINE.lstrip("\n"), 1), "utf-8")
    county = folder / "county.yml"
    county.write_text(
        county.read_text("utf-8").replace(
            "service_levels:\n",
            "service_levels:\n  gold: {availability: 0.999, respond_hours: 2, repair_hours: 4}\n",
            1,
        ),
        "utf-8",
    )
    return load(folder)


def cut(world: "World", at: float, hours: float, blame: Blame, clue: Clue, window: str | None = None) -> str:
    outage = world.loses(at, VILLAGE)
    world.journal.add(VerdictEvent(at + MINUTE, outage, blame, as_text([clue]), window))
    world.regains(at + hours * HOUR, outage, VILLAGE)
    return outage


@pytest.fixture
def october(inventory: Inventory, make_world: Callable[[Inventory], "World"]) -> "World":
    """Before the 11th one failure of the old line; then a slow repair, a power cut, and announced work."""
    world = make_world(inventory)
    world.now = FIRST
    world.lights_up(FIRST - HOUR)
    kept_running = Clue(Sign.KEPT_RUNNING, {"device": f"{VILLAGE}-cpe1", "at": FIRST - DAY})
    cut(world, FIRST + 5 * DAY, 1, Blame.LINE, kept_running)
    port = Clue(Sign.PORT_DOWN, {"device": "tq-chengxiang-agg1", "port": "Vlan101", "at": FIRST + 14 * DAY + MINUTE})
    slow = cut(world, FIRST + 14 * DAY, 6, Blame.LINE, port)
    battery = Clue(Sign.ON_BATTERY, {"device": f"{VILLAGE}-ups1", "at": FIRST + 20 * DAY})
    cut(world, FIRST + 20 * DAY, 10, Blame.POWER, battery)
    cut(world, FIRST + 25 * DAY, 2, Blame.LINE, kept_running, "m-9")
    with world.engine.begin() as connection:
        began = FIRST + 25 * DAY
        maintenance.announce(connection, Reach.SITE, VILLAGE, began, began + 3 * HOUR, "割接", "wang", began - DAY)
        for step, hours, note in (
            (Step.REPORTED, 0.5, ""), (Step.TICKET, 0.5, "TEL-88"), (Step.ON_SITE, 2.0, ""), (Step.REPAIRED, 6.0, ""),
        ):  # fmt: skip
            told = Note(slow, step, FIRST + 14 * DAY + hours * HOUR, "wang", note)
            outage_notes.record(connection, told, FIRST + 15 * DAY)
    world.watched(FIRST - HOUR, LAST + DAY)
    return world


def tables(sheet: Any) -> dict[str, Table]:
    return {part.title: part for part in sheet.parts if isinstance(part, Table)}


def row(table: Table, name: str) -> dict[str, Any]:
    titles = [column.title for column in table.columns]
    return next(dict(zip(titles, one, strict=True)) for one in table.rows if name in one)


def test_each_circuit_is_judged_by_its_own_days_and_its_own_faults(october: "World") -> None:
    sheet = carrier(october.standing, "2026-10", "telecom")
    mine = row(tables(sheet)["电路逐条对照表"], "TQ-2002")
    owed = 21 * DAY - 10 * HOUR - 3 * HOUR  # from the 11th, without the power cut and the announced work
    assert mine["电路编号"] == "TQ-2002"
    assert mine["可用率（责任）"] == f"{int((1 - 6 * HOUR / owed) * 100_000) / 1000:.3f}%"
    assert mine["可用率（用户）"] == f"{int((1 - 18 * HOUR / (21 * DAY)) * 100_000) / 1000:.3f}%"
    assert (mine["线路中断分钟"], mine["扣除分钟"], mine["承诺"], mine["结论"]) == (360, 780, "99.9%", "未达标")
    assert mine["实测流量"] is None
    old = carrier(october.standing, "2026-10", "mobile")
    former = row(tables(old)["电路逐条对照表"], "MOB-7（至2026-10-11）")
    assert (former["中断次数"], former["线路中断分钟"]) == (1, 60), "the old line's failure stays the old carrier's"


def test_a_line_that_was_down_beside_another_counts_for_its_circuit_and_not_for_the_village(october: "World") -> None:
    at, node = FIRST + 17 * DAY, f"{VILLAGE}-cpe1-line1"
    october.journal.add(OutageEvent(at, "o-line", "opened", Scope.LINE, node, Cause.ACCESS))
    own = Clue(Sign.OWN_PORT_DOWN, {"device": f"{VILLAGE}-cpe1", "port": "GigabitEthernet0/0/0", "at": at})
    october.journal.add(VerdictEvent(at, "o-line", Blame.LINE, as_text([own])))
    october.journal.add(OutageEvent(at + 3 * HOUR, "o-line", "closed", Scope.LINE, node, Cause.ACCESS))
    october.watched(LAST, LAST + DAY)
    before_s, owed = 6 * HOUR, 21 * DAY - 10 * HOUR - 3 * HOUR
    told = tables(carrier(october.standing, "2026-10", "telecom"))
    mine = row(told["电路逐条对照表"], "TQ-2002")
    assert (mine["中断次数"], mine["线路中断分钟"]) == (4, 540)
    assert mine["可用率（责任）"] == f"{int((1 - (before_s + 3 * HOUR) / owed) * 100_000) / 1000:.3f}%"
    assert mine["可用率（用户）"] == f"{int((1 - 18 * HOUR / (21 * DAY)) * 100_000) / 1000:.3f}%", "nobody was cut off"
    (line,) = (one for one in told["中断逐次判定表"].rows if "单条线路" in str(one[6]))
    assert line[5:7] == (180, "运营商线路中断（单条线路，站点正常）")
    (proof,) = (one for one in told["判定依据表"].rows if one[0] == line[0])
    assert "本端路由器 tq-chengxiang-xuyu-cpe1 的端口 GigabitEthernet0/0/0 已断开" in str(proof[2])
    (listed,) = october.get("/v1/outages", site=VILLAGE, scope="line")["data"]
    assert (listed["node"], listed["site"], listed["carrier"], listed["verdict"]) == (node, VILLAGE, "telecom", "line")


def test_each_outage_has_its_verdict_its_proof_and_its_times(october: "World") -> None:
    told = tables(carrier(october.standing, "2026-10", "telecom"))
    outages = [one for one in told["中断逐次判定表"].rows if one[2] == "TQ-2002"]
    assert [(one[6], one[7]) for one in outages] == [
        ("运营商线路中断", ""),
        ("站点停电", "站点停电"),
        ("运营商线路中断", "计划检修"),
    ]
    first = outages[0][0]
    (proof,) = (one for one in told["判定依据表"].rows if one[0] == first)
    assert "端口 Vlan101 已断开" in str(proof[2])
    (handled,) = (one for one in told["处置时间表"].rows if one[0] == first)
    assert handled[1:] == ("TEL-88", "10-15 00:30", "10-15 02:00", "10-15 06:00", "1.5", "5.5", "修复超时")
    late = [one[7] for one in told["处置时间表"].rows]
    assert late.count("未登记报修") == 1
    assert late.count("不适用") == 1, "nobody reports a power cut to the carrier"


def test_traffic_is_shown_where_it_was_measured(october: "World") -> None:
    site = october.inventory.sites.index[VILLAGE]
    sheet = carrier(october.standing, "2026-10", "telecom", 0, {(site, 0): Rates(41.26, 3.04)})
    assert row(tables(sheet)["电路逐条对照表"], "TQ-2002")["实测流量"] == "41.3/3.0"


def test_what_was_hardly_watched_is_not_judged(
    inventory: Inventory, make_world: Callable[[Inventory], "World"]
) -> None:
    world = make_world(inventory)
    world.now = FIRST
    world.lights_up(FIRST)
    world.watched(FIRST, FIRST + 20 * DAY)
    world.now = LAST + DAY
    sheet = carrier(world.standing, "2026-10", "telecom")
    verdicts = {one[-1] for one in tables(sheet)["电路逐条对照表"].rows}
    assert verdicts == {"数据不足"}


def test_it_is_published_under_its_hash_and_stays_as_it_was(october: "World") -> None:
    reform = october.token("li", (Role.REFORM_VIEWER, TOP))
    body = {"paper": "carrier", "period": "2026-10.telecom", "division": TOP}
    answer = october.write("/v1/papers", body, reform)
    assert answer.status_code == 201, answer.text
    published = answer.json()["published"]
    assert len(published["sha256"]) == 64
    with october.engine.begin() as connection:
        late = Note(f"{TOP}-1-1", Step.NOTED, LAST, "wang", "what somebody says later changes nothing")
        outage_notes.record(connection, late, LAST + DAY)
    again = october.get("/v1/papers/carrier", period="2026-10.telecom", division="511825", edition=1)
    assert again["published"]["sha256"] == published["sha256"]


@pytest.mark.parametrize(
    ("month", "who", "said"),
    [("2026-10", "nobody", "is no carrier"), ("2027-01", "telecom", "has not begun"), ("2026-13", "telecom", "month")],
)
def test_what_cannot_be_meant_is_refused(october: "World", month: str, who: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        carrier(october.standing, month, who)


def test_the_public_does_not_see_it(october: "World", example: Inventory, tmp_path: Path) -> None:
    world = type(october)(example, tmp_path, Access(public=True))
    answer = world.client.get("/v1/papers/carrier", params={"period": "2026-10.telecom"})
    world.close()
    assert answer.status_code in (401, 404)


def test_it_is_set_on_pages(october: "World") -> None:
    sheet = carrier(october.standing, "2026-10", "telecom")
    assert pdf.render(sheet, int(LAST)).startswith(b"%PDF")
    assert docx.render(sheet).startswith(b"PK")
    assert xlsx.render(sheet).startswith(b"PK")


def test_contracts_that_end_soon_are_named_and_former_ones_are_not(inventory: Inventory) -> None:
    numbers = [(one.number, one.contract_until) for one in ending(inventory, date(2026, 11, 15))]
    assert numbers == [("TQ-2002", date(2026, 12, 31))]
    assert ending(inventory, date(2026, 10, 15)) == []
    site = inventory.sites.index[VILLAGE]
    assert [(one.number, one.since, one.until) for one in circuits(inventory) if one.site == site] == [
        ("MOB-7", None, date(2026, 10, 11)),
        ("TQ-2002", date(2026, 10, 11), None),
    ]


spans = st.tuples(st.floats(0, 1000), st.floats(0, 1000)).map(lambda pair: (min(pair), max(pair)))


@given(
    spans,
    st.lists(spans, max_size=5),
    st.lists(spans, max_size=4),
    st.lists(st.builds(lambda span, blame: Cut(span[0], span[1], blame), spans, st.sampled_from(Blame)), max_size=5),
)
def test_no_second_is_counted_twice_and_nobody_answers_for_what_is_excluded(
    span: tuple[float, float],
    watched: list[tuple[float, float]],
    excluded: list[tuple[float, float]],
    cuts: list[Cut],
) -> None:
    made = kept(span, watched, excluded, cuts)
    length = total([span])
    assert made.owed_s + made.excluded_s == pytest.approx(length)
    assert 0 <= made.line_s <= made.down_s + 1e-9
    assert made.down_s <= made.watched_s + 1e-9
    assert made.watched_s <= made.owed_s + 1e-9
    assert made.down_s <= made.raw_down_s + 1e-9
    everything = kept(span, watched, [span], cuts)
    assert (everything.line_s, everything.availability) == (0, None)
    assert everything.against(0.9) is Promise.INSUFFICIENT_DATA
    assert made.against(None) is Promise.NONE
