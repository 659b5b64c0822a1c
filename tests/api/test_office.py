"""What the reform office asks and does: gaps, tasks, incidents, draws, reports, and who may see what."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.actions import incidents, office
from api.actions import tasks as actions
from api.actions.errors import ActionError, ForbiddenError
from api.bulletins import BULLETIN, bulletin_of, ranked_from
from api.daily import daily_report
from api.divisions import compare, counts_by_level, division_on
from api.exclusions import excluded
from api.gaps import central_counts, gaps_of, kiosk_fit, ranges_of
from api.indicators import indicators_of
from api.inventory_counts import TypeCounts, site_counts
from api.milestones import burn_up, missing_sites, progress_of
from api.periods import Period, months_before
from api.problems import ProblemError
from api.sign_offs import LEDGER, sign_offs
from api.standing import CHINA
from api.view import View, refusal
from health.coverage import State
from health.gaps import Gap
from health.indicators import NoValue
from health.ranges import Fit
from health.sampling import sample
from inventory.vocabulary import Claim, Verdict
from ledger import facts, outage_notes
from ledger.acceptance import Acceptance, Decision
from ledger.accounts import Account, Grant, Role
from ledger.appeals import Ruling
from ledger.facts import Fact, FactValue
from ledger.outage_notes import Step
from ledger.reports import Signature
from ledger.spot_checks import Visit
from ledger.standards import Edition
from ledger.tasks import Origin, TaskState, TaskStep

if TYPE_CHECKING:
    from tests.api.conftest import World

TOP = "511825000000"
SHIYANG = "511825101000"
VILLAGE = "tq-chengxiang-wenbi"
TODAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 12, tzinfo=CHINA).timestamp()
HOUR = 3600.0


def account(role: Role, division: str = TOP, name: str = "someone") -> Account:
    return Account(name, name, (Grant(role, division),), disabled=False)


OFFICE, NOC, CLERK = account(Role.REFORM_VIEWER), account(Role.NOC_OPERATOR), account(Role.TOWNSHIP_CLERK)


def tell(world: "World", subject: str, name: str, value: FactValue, on: date = TODAY) -> None:
    with world.engine.begin() as connection:
        facts.record(connection, [Fact(subject, name, value, on, "office", "platform")], world.now)
    world.standing.refresh()


def status(ask: Callable[[], object]) -> int:
    try:
        ask()
    except ProblemError as problem:
        return int(problem.status)
    except ActionError as error:
        return int(refusal(error).status)
    return 200


# -- facts, gaps, ranges ----------------------------------------------------------------------------------------------


def test_a_fact_wins_over_the_inventory_and_its_absence_is_a_gap(lit: "World") -> None:
    def kinds() -> set[Gap]:
        return {one.kind for one in gaps_of(lit.standing, lit.standing.snapshot) if one.site == VILLAGE}

    assert kinds() == {Gap.NO_RATING}
    tell(lit, VILLAGE, "rating", True)
    assert kinds() == set()
    tell(lit, VILLAGE, "online", False)
    assert kinds() == {Gap.ONLINE_HALF}
    tell(lit, VILLAGE, "open", False)
    tell(lit, VILLAGE, "online", True)
    assert kinds() == {Gap.PHYSICAL_HALF}


def test_a_later_day_wins_and_the_past_knows_only_its_own_facts(lit: "World") -> None:
    site = lit.inventory.sites.index[VILLAGE]
    tell(lit, VILLAGE, "cases", 153.0, TODAY - timedelta(days=1))
    tell(lit, VILLAGE, "cases", 133.0, TODAY - timedelta(days=9))
    assert lit.standing.told(site, "cases", lit.standing.snapshot) == 153.0
    then = lit.standing.at(NOON - 5 * 24 * HOUR)
    assert lit.standing.told(site, "cases", then) == 133.0


def test_a_fact_that_was_recorded_later_was_not_known_then(lit: "World") -> None:
    tell(lit, VILLAGE, "cases", 5.0, TODAY - timedelta(days=9))
    site = lit.inventory.sites.index[VILLAGE]
    known = lit.standing.at(NOON, known_at=NOON - HOUR)
    assert lit.standing.told(site, "cases", known) is None


def test_central_villages_moved_by_facts_are_counted_and_ranged(lit: "World") -> None:
    standing = lit.standing
    assert [one for one in ranges_of(standing, standing.snapshot) if one.rule == "central_villages"] == []
    nodes, sites = lit.inventory.nodes, lit.inventory.sites
    township = next(place for place, count in central_counts(standing, standing.snapshot) if count == 2)
    flagged = [int(site) for site in standing.snapshot.subjects["central"][1]]
    ours = next(site for site in flagged if nodes.parents[int(sites.nodes[site])] == township)
    tell(lit, sites.ids[ours], "central", False)
    found = [one for one in ranges_of(standing, standing.snapshot) if one.rule == "central_villages"]
    assert [(one.code, one.count, one.fit) for one in found] == [(nodes.codes[township], 1, Fit.SHORT)]


def test_kiosks_of_every_site_are_below_within_or_above_the_range(lit: "World") -> None:
    fit = kiosk_fit(lit.standing)
    found = [one for one in ranges_of(lit.standing, lit.standing.snapshot) if one.rule == "kiosks"]
    assert fit.short + fit.over == len(found)
    assert fit.short + fit.within + fit.over == 10 + 96


def test_nothing_is_excluded_where_nothing_is_exempt(lit: "World") -> None:
    assert excluded(lit.standing, lit.standing.snapshot, 0) == []


def test_built_and_open_are_two_figures(lit: "World") -> None:
    before = site_counts(lit.standing, lit.standing.snapshot)
    assert before.by_type["village_site"] == TypeCounts(listed=96, built=96, open=96, online=0)
    tell(lit, VILLAGE, "open", False)
    tell(lit, VILLAGE, "online", True)
    after = site_counts(lit.standing, lit.standing.snapshot)
    assert after.by_type["village_site"] == TypeCounts(listed=96, built=96, open=95, online=1)
    assert after.attachments == {"extranet": 142}
    assert sum(after.lines.values()) >= 142 - 1


# -- tasks and incidents ----------------------------------------------------------------------------------------------


def cut(world: "World") -> str:
    low, high = world.inventory.sites.span(world.inventory.nodes.index[SHIYANG])
    outage = world.loses(NOON + 60, *world.inventory.sites.ids[low:high])
    world.watched(NOON + 60, NOON + 120)
    return outage


def test_an_incident_goes_from_its_notification_to_its_closing(lit: "World") -> None:
    outage = cut(lit)
    for _ in range(2):
        with lit.engine.begin() as connection:
            incidents.notify(connection, outage, "alertmanager", lit.now, lit.now, "phone")
    incidents.acknowledge(lit.engine, lit.inventory, NOC, outage, "seen", NOON + 200)
    with pytest.raises(ActionError, match="already"):
        incidents.acknowledge(lit.engine, lit.inventory, NOC, outage, "seen", NOON + 201)
    incidents.say(lit.engine, lit.inventory, NOC, outage, Step.REPORTED, "carrier", NOON + 210)
    task = actions.open_task(
        lit.engine, lit.inventory, NOC, "cut", SHIYANG, "始阳镇", TODAY, TODAY, NOON + 300,
        origin=Origin.OUTAGE, reference=outage,
    )  # fmt: skip
    with pytest.raises(ActionError, match="not rectified"):
        actions.rule(lit.engine, lit.inventory, NOC, task.id, TaskStep.CLOSED, "", NOON + 400)
    actions.report(lit.engine, lit.inventory, NOC, task.id, TaskStep.RECTIFIED, "spliced", NOON + 500)
    closed = actions.rule(lit.engine, lit.inventory, NOC, task.id, TaskStep.CLOSED, "checked", NOON + 600)
    assert closed.state is TaskState.CLOSED
    with lit.engine.connect() as connection:
        steps = [(str(one.step), one.happened_at - NOON) for one in outage_notes.of_outage(connection, outage)]
    assert steps == [("notified", 120), ("acknowledged", 200), ("reported", 210), ("assigned", 300), ("closed", 600)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"title": " "}, "needs a title"),
        ({"owner": ""}, "needs a title"),
        ({"due_on": TODAY - timedelta(days=1)}, "is over"),
        ({"target": "nowhere"}, "no site and no division"),
        ({"origin": Origin.GAP}, "its id is the reference"),
    ],
)
def test_a_task_without_what_it_needs_is_refused(lit: "World", change: dict[str, object], message: str) -> None:
    given: dict[str, object] = {
        "title": "x",
        "target": VILLAGE,
        "owner": "y",
        "due_on": TODAY,
        "origin": Origin.BY_HAND,
    }
    given |= change
    with pytest.raises(ActionError, match=message):
        actions.open_task(
            lit.engine, lit.inventory, NOC, str(given["title"]), str(given["target"]), str(given["owner"]),
            given["due_on"], TODAY, NOON, origin=given["origin"],  # type: ignore[arg-type]
        )  # fmt: skip


def test_the_owner_reports_and_the_assigner_rules(lit: "World") -> None:
    task = actions.open_task(lit.engine, lit.inventory, NOC, "x", VILLAGE, "y", TODAY, TODAY, NOON)
    with pytest.raises(ActionError, match="the assigner's word"):
        actions.report(lit.engine, lit.inventory, NOC, task.id, TaskStep.CLOSED, "", NOON)
    with pytest.raises(ActionError, match="the owner's word"):
        actions.rule(lit.engine, lit.inventory, NOC, task.id, TaskStep.VISITED, "", NOON)
    with pytest.raises(ForbiddenError):
        actions.rule(lit.engine, lit.inventory, CLERK, task.id, TaskStep.REOPENED, "", NOON)
    with pytest.raises(ActionError, match="no task"):
        actions.report(lit.engine, lit.inventory, NOC, "t-none", TaskStep.VISITED, "", NOON)
    with pytest.raises(ActionError, match="later day"):
        actions.rule(lit.engine, lit.inventory, NOC, task.id, TaskStep.EXTENDED, "", NOON, TODAY)
    longer = actions.rule(
        lit.engine, lit.inventory, NOC, task.id, TaskStep.EXTENDED, "", NOON, TODAY + timedelta(days=3)
    )
    assert longer.due_on == TODAY + timedelta(days=3)
    with pytest.raises(ActionError, match="is open"):
        actions.rule(lit.engine, lit.inventory, NOC, task.id, TaskStep.REOPENED, "", NOON)


# -- the office's own doors --------------------------------------------------------------------------------------------


def test_the_week_is_drawn_once_and_again_by_everybody_afterwards(lit: "World") -> None:
    assert list(office.drawn(lit.standing, TOP, "2026-W47")) == []
    made = office.draw(lit.standing, lit.engine, OFFICE, TOP, "2026-W47", 5, NOON)
    assert list(office.drawn(lit.standing, TOP, "2026-W47")) == list(sample(made.seed, made.population, 5))
    assert len(made.population) == 142
    with pytest.raises(ActionError, match="already"):
        office.draw(lit.standing, lit.engine, OFFICE, TOP, "2026-W47", 5, NOON)
    other = office.draw(lit.standing, lit.engine, OFFICE, TOP, "2026-W48", 5, NOON)
    assert other.seed != made.seed
    visit = Visit(made.id, VILLAGE, "passed", {"开门": True}, NOON, "office")
    office.record_visit(lit.engine, lit.inventory, OFFICE, visit, NOON)
    with pytest.raises(ActionError, match="cannot be drawn"):
        office.draw(lit.standing, lit.engine, OFFICE, TOP, "2026-W49", 0, NOON)


def test_what_the_office_keeps_needs_its_proof_and_the_right_to_say_it(lit: "World") -> None:
    engine, inventory = lit.engine, lit.inventory
    fact = Fact(VILLAGE, "items_listed", True, TODAY, "office", "platform")
    passed = Acceptance(VILLAGE, "county", "passed", False, TODAY, "office", "minutes")
    signature = Signature(LEDGER, "2026-10", SHIYANG, TODAY, "head", {})
    decision = Decision("x", TOP, "reached", TODAY, "o", "p")
    refused: list[tuple[Callable[[], object], str]] = [
        (lambda: office.tell(engine, inventory, CLERK, [fact], TODAY, NOON), "may not"),
        (lambda: office.tell(engine, inventory, OFFICE, [fact], TODAY - timedelta(days=1), NOON), "still to come"),
        (lambda: office.accept(engine, inventory, CLERK, passed, NOON), "may not"),
        (lambda: office.sign(engine, inventory, NOC, signature, NOON), "may not"),
        (lambda: office.decide(engine, inventory, OFFICE, decision, NOON), "no milestone"),
        (lambda: office.appeal(engine, inventory, CLERK, VILLAGE, "coverage", "", "x", TODAY, NOON), "what is right"),
    ]  # fmt: skip
    for act, message in refused:
        with pytest.raises(ActionError, match=message):
            act()
    office.tell(engine, inventory, OFFICE, [fact], TODAY, NOON)
    office.accept(engine, inventory, OFFICE, passed, NOON)
    office.sign(engine, inventory, CLERK, signature, NOON)
    with pytest.raises(ActionError, match="already"):
        office.sign(engine, inventory, CLERK, signature, NOON)
    appeal = office.appeal(engine, inventory, CLERK, VILLAGE, "coverage", "connected", "photo", TODAY, NOON)
    ruling = Ruling("upheld", "measured", "2026-12", "office", NOON)
    ruler = replace(OFFICE, name="ruler")
    with pytest.raises(ForbiddenError):
        office.rule_on_appeal(engine, inventory, CLERK, appeal, ruling, NOON)
    office.rule_on_appeal(engine, inventory, ruler, appeal, ruling, NOON)


def test_the_months_ledger_names_who_is_late(lit: "World") -> None:
    found = sign_offs(lit.standing, "2026-10")
    assert (found.signed, len(found.late), found.due) == (0, 10, date(2026, 10, 25))
    late = Signature(LEDGER, "2026-10", SHIYANG, date(2026, 10, 26), "head", {})
    office.sign(lit.engine, lit.inventory, CLERK, late, NOON)
    found = sign_offs(lit.standing, "2026-10")
    assert found.signed == 1
    assert SHIYANG in found.late
    assert sign_offs(lit.standing, "2026-11").late == []


def test_a_bulletin_is_frozen_as_it_was_read_and_ranked_again_from_its_document(lit: "World") -> None:
    made = bulletin_of(lit.standing, "2026-11")
    assert len(made.ranking) == 10
    published = office.publish(
        lit.engine, lit.inventory, OFFICE, BULLETIN, made.month, TOP, made.document(), made.as_of, NOON
    )
    assert ranked_from(published.document) == list(made.ranking)
    with pytest.raises(ActionError, match="needs its reason"):
        office.publish(lit.engine, lit.inventory, OFFICE, BULLETIN, made.month, TOP, {}, made.as_of, NOON)
    with pytest.raises(ValueError, match="not begun"):
        bulletin_of(lit.standing, "2027-01")


def test_the_daily_check_has_a_row_for_every_site_dark_or_not(lit: "World") -> None:
    cut(lit)
    rows = {row.site: row for row in daily_report(lit.standing, TODAY)}
    assert len(rows) == 142
    assert (rows["tq-shiyang"].reachable, rows["tq-shiyang"].dark_minutes) == (Verdict.NO, 1.0)
    assert rows["tq-shiyang"].outages == 1
    assert rows[VILLAGE].dark_minutes == 0.0


def test_announced_months_and_periods_join_without_a_gap(lit: "World") -> None:
    assert months_before(date(2021, 1, 15), 3) == ["2020-10", "2020-11", "2020-12"]
    period = Period(lit.standing, NOON - HOUR, NOON)
    reached = period.reached(0)
    assert (reached.raw.up_s, reached.raw.down_s, reached.raw.unknown_s) == (HOUR, 0.0, 0.0)


def test_indicators_have_values_where_something_was_measured_and_reasons_elsewhere(lit: "World") -> None:
    tell(lit, VILLAGE, "compliance_passed", 18.0)
    tell(lit, VILLAGE, "compliance_applicable", 20.0)
    found = {one.indicator: one for one in indicators_of(lit.standing, "2026-11")}
    assert list(found) == [f"I{number}" for number in range(1, 10)]
    assert (found["I1"].value, found["I2"].value, found["I9"].value) == (1.0, 1.0, 0.9)
    assert (found["I3"].reason, found["I8"].reason) == (NoValue.NOT_MEASURED, NoValue.NOTHING_TO_COUNT)


def test_milestones_burn_up_to_today_and_name_who_is_missing(lit: "World") -> None:
    milestone = next(one for one in lit.inventory.milestones if one.id == "g52-villages")
    lit.claims(VILLAGE, Claim.PLANNED, TODAY)
    made = progress_of(lit.standing, lit.standing.snapshot, milestone)
    assert (made.met, made.asked, made.behind) == (95, 96, 1)
    assert [(one.site, one.failing) for one in missing_sites(lit.standing, made)] == [(VILLAGE, ("connected",))]
    risen = burn_up(lit.standing, milestone, [TODAY - timedelta(days=7), TODAY])
    assert [met for _, met, _ in risen.points] == [0, 95]
    assert risen.pace.actual_per_week == 95


def test_two_moments_are_compared_subject_by_subject(lit: "World") -> None:
    before = lit.standing.at(NOON - 30 * 24 * HOUR)
    changed = compare(lit.standing, before, lit.standing.snapshot, TOP, "extranet")
    assert (changed.before.numerator, changed.after.numerator, len(changed.changes)) == (0, 96, 96)
    assert {(one.before, one.after) for one in changed.changes} == {(State.UNKNOWN, State.COVERED)}


def test_a_division_tells_its_path_and_one_that_never_was_tells_nothing(lit: "World") -> None:
    found = division_on(lit.standing, "511825101", TODAY)
    assert found is not None
    assert (found.name, found.path, len(found.children)) == ("始阳镇", (TOP, SHIYANG), 18)
    assert division_on(lit.standing, "511825999", TODAY) is None
    assert counts_by_level(lit.inventory.nodes) == {3: 1, 4: 10, 5: 96}


# -- who sees what ----------------------------------------------------------------------------------------------------


def test_a_foreign_division_answers_like_one_that_does_not_exist(lit: "World") -> None:
    view = View(lit.standing, account(Role.TOWNSHIP_CLERK, SHIYANG))
    assert status(lambda: view.node("511825101")) == 200
    assert status(lambda: view.site("tq-shiyang")) == 200
    assert status(lambda: view.node("511825100")) == HTTPStatus.NOT_FOUND
    assert status(lambda: view.node("511826")) == HTTPStatus.NOT_FOUND
    assert status(lambda: view.site(VILLAGE)) == HTTPStatus.NOT_FOUND
    assert (list(view.codes(4)), view.counted("default")) == ([SHIYANG], 18)


def test_only_the_top_node_publishes_standards(lit: "World") -> None:
    edition = Edition("network", "1", "规范", "ab" * 32, TODAY, "x")
    below = account(Role.REFORM_VIEWER, SHIYANG)
    act = office.publish_standard
    assert status(lambda: act(lit.engine, lit.inventory, below, edition, NOON)) == HTTPStatus.FORBIDDEN
    assert status(lambda: act(lit.engine, lit.inventory, OFFICE, edition, NOON)) == 200
    assert status(lambda: act(lit.engine, lit.inventory, OFFICE, edition, NOON)) == HTTPStatus.CONFLICT


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(data=st.data())
def test_no_view_ever_holds_a_code_outside_its_grants(busy: "World", data: st.DataObject) -> None:
    nodes = busy.inventory.nodes
    granted = data.draw(st.sets(st.sampled_from(nodes.codes), max_size=4))
    roles = data.draw(st.sampled_from(list(Role)))
    view = View(busy.standing, Account("x", "x", tuple(Grant(roles, code) for code in granted), disabled=False))
    reads = roles not in (Role.SEC_ADMIN, Role.AUDIT_ADMIN)
    inside = {
        code
        for code in nodes.codes
        if reads
        and any(nodes.codes[one] in granted for one in (nodes.index[code], *nodes.ancestors(nodes.index[code])))
    }
    assert {code for level in (3, 4, 5) for code in view.codes(level)} == inside
    for code in nodes.codes:
        assert (status(lambda code=code: view.node(code)) == 200) == (code in inside)  # type: ignore[misc]
