"""What the reform office keeps: appended, dated, and never changed afterwards."""

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import Engine, update

from ledger import acceptance, appeals, facts, outage_notes, reports, spot_checks, standards, tasks
from ledger.acceptance import Acceptance, Decision
from ledger.appeals import Ruling
from ledger.database import open_ledger
from ledger.errors import LedgerError
from ledger.facts import Fact
from ledger.office_tables import reports as reports_table
from ledger.office_tables import spot_draws
from ledger.outage_notes import Note, Step
from ledger.reports import Signature
from ledger.spot_checks import Draw, Visit
from ledger.standards import Edition
from ledger.tasks import Assignment, Origin, TaskState, TaskStep

COUNTY = "511825000000"
DAY = date(2021, 6, 10)


@pytest.fixture
def engine(ledger_url: str) -> Iterator[Engine]:
    engine = open_ledger(ledger_url)
    yield engine
    engine.dispose()


def fact(value: float | bool | str, on: date) -> Fact:
    return Fact("tq-a", "cases", value, on, "office", "platform")


def test_two_dated_values_of_one_counter_are_both_kept(engine: Engine) -> None:
    with engine.begin() as connection:
        facts.record(connection, [fact(133.0, date(2021, 1, 1)), fact(153.0, date(2021, 6, 1))], 1.0)
        facts.record(connection, [], 1.0)
        facts.record(connection, [fact(True, DAY)], 2.0)
        assert [one.value for one in facts.dated(connection, "tq-a", "cases")] == [133.0, 153.0, True]
        assert [row for row, _ in facts.told_since(connection, 1)] == [2, 3]
        assert len(facts.told_since(connection, 0, known_at=1.5)) == 2


def test_a_notification_is_kept_once_however_often_it_is_delivered(engine: Engine) -> None:
    first = Note("o-1", Step.NOTIFIED, 1.0, "alertmanager", "", key="fp-1")
    with engine.begin() as connection:
        assert outage_notes.record(connection, first, 1.0)
        assert not outage_notes.record(connection, first, 2.0)
        assert outage_notes.record(connection, Note("o-1", Step.NOTED, 3.0, "noc", "x"), 3.0)
        assert outage_notes.record(connection, Note("o-1", Step.NOTED, 3.0, "noc", "x"), 3.0)
        assert [one.step for one in outage_notes.of_outage(connection, "o-1")] == ["notified", "noted", "noted"]


def assigned() -> Assignment:
    return Assignment("修", Origin.BY_HAND, "", COUNTY, "", "noc", "始阳镇", ("电信",), DAY)


def test_a_task_is_what_its_last_step_says(engine: Engine) -> None:
    with engine.begin() as connection:
        id = tasks.open_task(connection, assigned(), 10.0, 10.0)
        steps = (TaskStep.VISITED, TaskStep.RECTIFIED, TaskStep.REOPENED, TaskStep.RECTIFIED, TaskStep.CLOSED)
        states = []
        for at, step in enumerate(steps, 11):
            tasks.take_step(connection, id, step, float(at), "noc", "", float(at))
            states.append(tasks.find(connection, id).state)
        found = tasks.find(connection, id)
        assert states == ["open", "rectified", "open", "rectified", "closed"]
        assert (found.assignment, found.closed_at) == (assigned(), 15.0)
        assert tasks.every(connection, until=12.0)[0].state is TaskState.RECTIFIED
        assert tasks.every(connection, until=9.0) == []
        with pytest.raises(LedgerError, match="no task"):
            tasks.find(connection, "t-none")


def test_an_extension_moves_the_day_on_which_a_task_is_overdue(engine: Engine) -> None:
    with engine.begin() as connection:
        id = tasks.open_task(connection, assigned(), 10.0, 10.0)
        later = date(2021, 6, 20)
        assert tasks.find(connection, id).overdue(date(2021, 6, 11))
        assert not tasks.find(connection, id).overdue(DAY)
        tasks.take_step(connection, id, TaskStep.EXTENDED, 11.0, "noc", "", 11.0, later)
        assert not tasks.find(connection, id).overdue(later)
        assert tasks.find(connection, id).due_on == later


def draw(id: str = "s-1") -> Draw:
    return Draw(id, COUNTY, "2021-W24", bytes(32), ("a", "b", "c"), 2, "office", 5.0)


def test_there_is_one_draw_for_a_period_and_it_can_be_drawn_again(engine: Engine) -> None:
    with engine.begin() as connection:
        assert spot_checks.find_draw(connection, COUNTY, "2021-W24") is None
        spot_checks.record_draw(connection, draw())
        with pytest.raises(LedgerError, match="There is one in each period"):
            spot_checks.record_draw(connection, draw("s-2"))
        kept = spot_checks.find_draw(connection, COUNTY, "2021-W24")
        assert kept == draw()
        assert kept is not None
        assert list(kept.sites) == list(draw().sites)
        assert spot_checks.find_draw(connection, COUNTY, "2021-W24", until=4.0) is None
        visit = Visit("s-1", "a", "failed", {"开门": False}, 6.0, "office")
        spot_checks.record_visit(connection, visit, 6.0)
        assert spot_checks.visits_of(connection, "s-1") == [visit]


def test_a_drum_that_was_tampered_with_is_noticed(engine: Engine) -> None:
    with engine.begin() as connection:
        spot_checks.record_draw(connection, draw())
        connection.execute(update(spot_draws).values(population='["a"]'))
        with pytest.raises(LedgerError, match="hash differs"):
            spot_checks.find_draw(connection, COUNTY, "2021-W24")


def test_a_published_report_is_corrected_by_another_edition_with_a_reason(engine: Engine) -> None:
    how = {"as_of": 1.0, "inventory": "abc", "by": "office", "now": 2.0}
    with engine.begin() as connection:
        first = reports.freeze(connection, "bulletin", "2021-05", COUNTY, {"a": 1}, **how)  # type: ignore[arg-type]
        with pytest.raises(LedgerError, match="needs its reason"):
            reports.freeze(connection, "bulletin", "2021-05", COUNTY, {"a": 2}, **how)  # type: ignore[arg-type]
        second = reports.freeze(
            connection,
            "bulletin",
            "2021-05",
            COUNTY,
            {"a": 2},
            reason="appeal a-1",
            **how,  # type: ignore[arg-type]
        )
        assert (first.edition, second.edition) == (1, 2)
        assert reports.fetch(connection, "bulletin", "2021-05", COUNTY, 1) == first
        assert reports.fetch(connection, "bulletin", "2021-05", COUNTY) == second
        assert reports.every(connection, "bulletin") == [second]


def test_a_published_report_that_was_changed_is_noticed(engine: Engine) -> None:
    how = {"as_of": 1.0, "inventory": "abc", "by": "office", "now": 2.0}
    with engine.begin() as connection:
        reports.freeze(connection, "bulletin", "2021-05", COUNTY, {"a": 1}, **how)  # type: ignore[arg-type]
        connection.execute(update(reports_table).values(document='{"a":2}'))
        with pytest.raises(LedgerError, match="hash differs"):
            reports.fetch(connection, "bulletin", "2021-05", COUNTY)


def test_a_division_signs_a_report_once(engine: Engine) -> None:
    signature = Signature("ledger", "2021-11", COUNTY, DAY, "head", {"问题": "无"})
    with engine.begin() as connection:
        reports.sign(connection, signature, 1.0)
        with pytest.raises(LedgerError, match="already"):
            reports.sign(connection, signature, 2.0)
        assert reports.signed(connection, "ledger", "2021-11") == [signature]


def test_acceptances_decisions_and_standards_are_read_back_as_said(engine: Engine) -> None:
    accepted = Acceptance("tq-a", "county", "passed", True, DAY, "office", "minutes 3")
    decided = Decision("basic-completion", COUNTY, "reached", DAY, "office", "report")
    edition = Edition("network", "2021", "规范", "ab" * 32, DAY, "office")
    with engine.begin() as connection:
        acceptance.accept(connection, accepted, 1.0)
        acceptance.decide(connection, decided, 1.0)
        standards.publish(connection, edition, 1.0)
        with pytest.raises(LedgerError, match="next version"):
            standards.publish(connection, edition, 2.0)
        assert acceptance.acceptances_of(connection, "tq-a") == [accepted]
        assert acceptance.acceptances_of(connection, "tq-b") == []
        assert acceptance.decisions_of(connection, DAY) == {("basic-completion", COUNTY): decided}
        assert acceptance.decisions_of(connection, date(2021, 6, 9)) == {}
        assert standards.every(connection) == [edition]


def test_an_appeal_is_ruled_on_once(engine: Engine) -> None:
    ruling = Ruling("upheld", "线路实测可达", "2021-07", "office", 3.0)
    with engine.begin() as connection:
        id = appeals.lodge(connection, "tq-a", "coverage", "已接通", "照片", "clerk", DAY, 1.0)
        assert appeals.every(connection)[0].ruling is None
        appeals.rule(connection, id, ruling)
        assert appeals.every(connection)[0].ruling == ruling
        with pytest.raises(LedgerError, match="decided already"):
            appeals.rule(connection, id, ruling)
        with pytest.raises(LedgerError, match="no appeal"):
            appeals.rule(connection, "a-none", ruling)
