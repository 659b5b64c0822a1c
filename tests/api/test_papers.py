"""Papers beside the bulletin: two days, readiness, counters, the annual assessment; fresh, frozen, corrected."""

import shutil
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.reports import docx, kept, papers, pdf, xlsx
from api.reports.sheet import Table
from api.standing import CHINA
from health.assessment import Score, points_of, total
from inventory.assessment import FILE, Assessment, Item, read_assessment
from inventory.errors import InventoryError
from inventory.loader import load
from inventory.model import Inventory
from ledger import facts
from ledger.accounts import Role
from ledger.facts import Fact

if TYPE_CHECKING:
    from tests.api.conftest import World

TOP = "511825000000"
SHEET = Assessment(
    title="营商环境考核", version="2026",
    items=(
        Item(id="coverage", title="覆盖率", points=40, measure="coverage", full=1, none=0.5),
        Item(id="late", title="逾期", points=10, measure="overdue_tasks", full=0, none=5),
        Item(id="cases", title="办件", points=20, measure="fact:cases", full=1000, none=0),
        Item(id="opinion", title="评价", points=10),
    ),
)  # fmt: skip


def tell(world: "World", *told: tuple[str, str, Any, date]) -> None:
    with world.engine.begin() as connection:
        facts.record(
            connection, [Fact(who, name, value, day, "镇政府", "月报") for who, name, value, day in told], world.now
        )
    world.standing.refresh()


def tables(sheet: Any) -> list[Table]:
    return [part for part in sheet.parts if isinstance(part, Table)]


@given(st.floats(-10, 10), st.floats(0.1, 100), st.floats(-5, 5), st.floats(-5, 5))
def test_points_stay_between_nothing_and_all(value: float, points: float, full: float, none: float) -> None:
    if full != none:
        score = points_of(value, points, full, none)
        assert score.points is not None
        assert 0 <= score.points <= round(points, 2)


def test_what_nobody_measured_is_left_out_of_the_total() -> None:
    assert total([(points_of(0.9, 40, 1.0, 0.5), 40.0), (points_of(None, 60, 1.0, 0.0), 60.0)]) == (32.0, 40.0)
    assert points_of(None, 60, 1.0, 0.0) == Score(None, None)
    assert points_of(2, 10, 0, 5).points == 6.0


def test_two_days_stand_beside_each_other_with_each_change_by_name(lit: "World") -> None:
    first = datetime.fromtimestamp(lit.now, CHINA).date()
    fell = lit.now + 20 * 3600
    lit.loses(fell, "tq-chengxiang-meizi")
    lit.watched(fell, fell + 30 * 3600)
    last = datetime.fromtimestamp(lit.now, CHINA).date()
    sheet = papers.evaluation(lit.standing, first, last)
    whole, units, changes = tables(sheet)
    assert whole.rows[0] == ("外网接入", 96, 96, 1.0, 95 / 96, "降1.0个百分点")
    assert len(units.rows) == 10
    assert [row[1:] for row in changes.rows] == [("梅子村委会", "511825100208", "覆盖", "中断")] or [
        row[2] for row in changes.rows
    ] == ["511825100208"]
    with pytest.raises(ValueError, match="is not before"):
        papers.evaluation(lit.standing, last, first)


def test_of_five_preconditions_the_network_is_measured_and_the_others_are_told(lit: "World") -> None:
    day = date(2026, 11, 1)
    village = "511825100208"
    tell(lit, *((village, name, True, day) for name in ("ready_place", "ready_items", "ready_guidance")),
         (village, "ready_finance", False, day))  # fmt: skip
    sheet = papers.readiness(lit.standing, lit.inventory.nodes.find("511825100"))
    (table,) = tables(sheet)
    row = next(row for row in table.rows if row[2] == village)
    assert row[3:8] == ("√", "√", "√", "√", "×")
    assert len(table.rows) == 15
    assert {row[5] for row in table.rows} == {"√"}
    assert sum(row[3] is None for row in table.rows) == 14


def test_a_counter_keeps_every_dated_value(lit: "World") -> None:
    tell(lit, (TOP, "proxies", 133, date(2021, 3, 1)), (TOP, "proxies", 153, date(2021, 6, 10)),
         (TOP, "proxies", 150, date(2021, 6, 10)), (TOP, "online", True, date(2021, 6, 10)))  # fmt: skip
    (table,) = tables(papers.counters(lit.standing))
    assert [(row[3], row[4], row[5]) for row in table.rows] == [
        ("proxies", "2021-03-01", "133"), ("proxies", "2021-06-10", "153"), ("proxies", "2021-06-10", "150"),
    ]  # fmt: skip
    assert tables(papers.counters(lit.standing, name="other"))[0].rows == ()


def test_the_assessment_scores_by_the_operators_own_sheet(lit: "World") -> None:
    tell(lit, (TOP, "cases", 812, date(2026, 10, 1)), (TOP, "assessment_opinion", 9, date(2026, 10, 1)))
    sheet = papers.assessment(lit.standing, SHEET, 2026)
    items, units = tables(sheet)
    assert [row[4] for row in items.rows] == ["40", "10", "16.24", "9"]
    assert units.rows[0] == ("天全县（合计）", "40", "10", "16.24", "9", "75.24", "80")
    assert units.rows[1][-2:] == ("50", "50"), "a township has no cases and no opinion of its own"
    with pytest.raises(ValueError, match="has not begun"):
        papers.assessment(lit.standing, SHEET, 2027)


@pytest.fixture
def assessed(example: Inventory, tmp_path: Path, make_world: Callable[[Inventory], "World"]) -> "World":
    folder = shutil.copytree(example.folder, tmp_path / "inventory")
    (folder / FILE).write_text(
        "title: 考核\nversion: '1'\n"
        "items: [{id: a, title: 覆盖率, points: 40, measure: coverage, full: 1, none: 0.5}]\n"
    )
    world = make_world(load(folder))
    world.lights_up(world.now - 7200)
    world.watched(world.now - 7200, world.now)
    return world


def test_a_published_paper_stays_and_a_correction_says_that_it_is_one(assessed: "World") -> None:
    headers = assessed.token("zhao", (Role.REFORM_VIEWER, TOP))
    body = {"paper": "assessment", "period": "2026", "division": "511825"}
    first = assessed.write("/v1/papers", body, headers)
    assert first.status_code == 201, first.text
    assert first.json()["published"]["edition"] == 1
    assert assessed.write("/v1/papers", body, headers).status_code == 409
    second = assessed.write("/v1/papers", {**body, "reason": "复核"}, headers).json()
    assert second["title"][-1] == "（第2版，更正）"
    assert second["parts"][-1]["paragraph"] == "复核"
    assessed.loses(assessed.now + 60, "tq-chengxiang-meizi")
    assessed.watched(assessed.now + 60, assessed.now + 3 * 86_400)
    headers = assessed.token("li", (Role.REFORM_VIEWER, TOP))  # the first one's is over
    kept_first = assessed.client.get("/v1/papers/assessment", {"period": "2026", "edition": 1}, headers)
    assert kept_first.json()["parts"] == first.json()["parts"]
    fresh = assessed.client.get("/v1/papers/assessment", {"period": "2026"}, headers).json()
    assert fresh["parts"] != first.json()["parts"]
    assert fresh["published"] is None
    file = assessed.client.get("/v1/papers/assessment.xlsx", {"period": "2026", "edition": 2}, headers)
    assert file.content[:2] == b"PK"


@pytest.mark.parametrize(
    ("name", "period"),
    [("evaluation", "2026"), ("evaluation", "2026-11-01..x"), ("assessment", "x"), ("assessment", "2026")],
)
def test_a_paper_that_cannot_be_made_says_why(lit: "World", name: str, period: str) -> None:
    assert lit.refused(f"/v1/papers/{name}", 422, period=period)


def test_a_paper_is_the_same_after_it_was_kept_and_is_drawn_in_each_form(lit: "World") -> None:
    sheet = papers.readiness(lit.standing, lit.inventory.nodes.find("511825100"))
    again = kept.from_document(kept.as_document(sheet))
    assert (again.title, again.parts, list(again.facts), again.forms) == (
        sheet.title, sheet.parts, list(sheet.facts), sheet.forms,
    )  # fmt: skip
    assert docx.render(sheet)[:2] == b"PK"
    assert xlsx.render(sheet)[:2] == b"PK"
    assert pdf.render(sheet, int(lit.now))[:5] == b"%PDF-"


def test_a_scoring_sheet_is_strict(tmp_path: Path) -> None:
    assert read_assessment(tmp_path) is None
    (tmp_path / FILE).write_text("title: a\nversion: '1'\nitems: [{id: a, title: b, points: 5, measure: wishes}]\n")
    with pytest.raises(InventoryError, match=r"assessment.yml:3: items\[0\].measure"):
        read_assessment(tmp_path)
