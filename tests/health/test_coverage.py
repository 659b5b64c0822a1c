"""Claims beside evidence: the table of what a village counts as."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from health.coverage import (
    Disagreement,
    Evidence,
    EvidenceColumns,
    Judgement,
    State,
    contradiction,
    holds_until,
    judge,
    judge_many,
    lacking,
)
from inventory.vocabulary import Claim, Requirement, Verdict

NOW = 1_000_000.0
DAY = 86_400.0
REQUIRED, EXEMPT = Requirement.REQUIRED, Requirement.EXEMPT
NEVER = Evidence()
WORKS = Evidence(Verdict.YES, NOW - DAY, NOW - 5, NOW - 5, "")
JUST_CUT = Evidence(Verdict.NO, NOW - 60, NOW - 90, NOW - 5, "down")
LONG_CUT = Evidence(Verdict.NO, NOW - 3 * DAY, NOW - 3 * DAY, NOW - 5, "unreachable")
NEVER_ANSWERED = Evidence(Verdict.NO, NOW - 60, None, NOW - 5, "down")
UNWATCHED = Evidence(Verdict.YES, NOW - 9 * DAY, NOW - 2 * DAY, NOW - 2 * DAY, "")
UNWATCHED_SINCE_AN_HOUR = Evidence(Verdict.YES, NOW - 9 * DAY, NOW - 3600, NOW - 3600, "")
PARTNER = Evidence(reason="partner_monitored")

CASES = [
    pytest.param(WORKS, Claim.IN_SERVICE, REQUIRED, State.COVERED, Verdict.YES, "", id="answers"),
    pytest.param(JUST_CUT, Claim.IN_SERVICE, REQUIRED, State.DEGRADED, Verdict.NO, "down", id="cut a minute ago"),
    pytest.param(LONG_CUT, Claim.IN_SERVICE, REQUIRED, State.LOST, Verdict.NO, "unreachable", id="cut three days ago"),
    pytest.param(NEVER_ANSWERED, Claim.ACCEPTED, REQUIRED, State.LOST, Verdict.NO, "down", id="asked, never answered"),
    pytest.param(NEVER_ANSWERED, Claim.PLANNED, REQUIRED, State.NOT_BUILT, Verdict.NO, "planned", id="planned"),
    pytest.param(NEVER, Claim.BUILT, REQUIRED, State.NOT_BUILT, Verdict.UNKNOWN, "built", id="built, not connected"),
    pytest.param(NEVER, None, REQUIRED, State.NOT_BUILT, Verdict.UNKNOWN, "no_claim", id="no claim"),
    pytest.param(NEVER, Claim.CONNECTED, REQUIRED, State.UNKNOWN, Verdict.UNKNOWN, "never_reported", id="never asked"),
    pytest.param(PARTNER, Claim.IN_SERVICE, REQUIRED, State.UNKNOWN, Verdict.UNKNOWN, PARTNER.reason, id="bank"),
    pytest.param(UNWATCHED, Claim.IN_SERVICE, REQUIRED, State.UNKNOWN, Verdict.UNKNOWN, "stale", id="nobody watched"),
    pytest.param(
        UNWATCHED_SINCE_AN_HOUR, Claim.IN_SERVICE, REQUIRED, State.COVERED, Verdict.UNKNOWN, "",
        id="proved within the window, but nobody can say whether it works now",
    ),
    pytest.param(WORKS, Claim.PLANNED, REQUIRED, State.COVERED, Verdict.YES, "", id="measured though only planned"),
    pytest.param(WORKS, Claim.IN_SERVICE, EXEMPT, State.EXEMPT, Verdict.YES, "exempt", id="exempt"),
    pytest.param(LONG_CUT, None, Requirement.OPTIONAL, State.EXEMPT, Verdict.NO, "optional", id="optional"),
]  # fmt: skip


@pytest.mark.parametrize(("evidence", "claim", "requirement", "state", "works_now", "reason"), CASES)
def test_a_requirement_is_judged_from_proof_within_its_window(
    evidence: Evidence, claim: Claim | None, requirement: Requirement, state: State, works_now: Verdict, reason: str
) -> None:
    judged = judge(evidence, claim, requirement, NOW, DAY, 600.0)
    assert (judged.state, judged.works_now, judged.reason) == (state, works_now, reason)


@pytest.mark.parametrize(
    ("claim", "state", "works_now", "disagreement"),
    [
        pytest.param(Claim.IN_SERVICE, State.DEGRADED, Verdict.NO, Disagreement.CLAIMED_NOT_MEASURED, id="just cut"),
        pytest.param(Claim.CONNECTED, State.LOST, Verdict.UNKNOWN, Disagreement.CLAIMED_NOT_MEASURED, id="lost"),
        pytest.param(Claim.PLANNED, State.COVERED, Verdict.YES, Disagreement.MEASURED_NOT_CLAIMED, id="ahead of paper"),
        pytest.param(Claim.IN_SERVICE, State.UNKNOWN, Verdict.UNKNOWN, None, id="unknown contradicts nothing"),
        pytest.param(Claim.IN_SERVICE, State.COVERED, Verdict.YES, None, id="they agree"),
        pytest.param(None, State.COVERED, Verdict.YES, None, id="nobody said anything"),
        pytest.param(Claim.IN_SERVICE, State.EXEMPT, Verdict.NO, None, id="exempt sites owe nothing"),
    ],
)
def test_a_contradiction_is_a_disagreement_about_now(
    claim: Claim | None, state: State, works_now: Verdict, disagreement: Disagreement | None
) -> None:
    assert contradiction(claim, Judgement(state, works_now, "", None)) is disagreement


times = st.none() | st.floats(NOW - 40 * DAY, NOW)
evidences = st.builds(
    Evidence,
    verdict=st.sampled_from(Verdict),
    since=times,
    proved_at=times,
    watched_until=times,
    reason=st.sampled_from(["", "down", "never_reported"]),
)


@given(evidences, st.none() | st.sampled_from(Claim), st.sampled_from(Requirement), st.floats(60.0, 30 * DAY))
def test_covered_is_proved_within_the_window_and_nothing_else(
    evidence: Evidence, claim: Claim | None, requirement: Requirement, window_s: float
) -> None:
    judged = judge(evidence, claim, requirement, NOW, window_s, 600.0)
    proved = evidence.proved_at is not None and NOW - evidence.proved_at <= window_s
    covered = judged.state in (State.COVERED, State.DEGRADED)
    assert covered == (proved and requirement is Requirement.REQUIRED)


cases = st.lists(st.tuples(evidences, st.none() | st.sampled_from(Claim), st.sampled_from(Requirement)), min_size=1)


@given(cases, st.floats(60.0, 30 * DAY), st.floats(1.0, DAY))
def test_judging_many_at_once_is_judging_each(
    rows: list[tuple[Evidence, Claim | None, Requirement]], window_s: float, stale_after_s: float
) -> None:
    numbers = {Verdict.YES: 1, Verdict.NO: 0, Verdict.UNKNOWN: -1}
    states, works = judge_many(
        EvidenceColumns(
            np.array([numbers[evidence.verdict] for evidence, _, _ in rows], dtype=np.int8),
            np.array([np.nan if e.proved_at is None else e.proved_at for e, _, _ in rows]),
            np.array([np.nan if e.watched_until is None else e.watched_until for e, _, _ in rows]),
        ),
        np.array([claim is not None and claim.says_connected for _, claim, _ in rows], dtype=np.bool_),
        np.array([requirement is Requirement.REQUIRED for _, _, requirement in rows], dtype=np.bool_),
        NOW,
        window_s,
        stale_after_s,
    )
    one_by_one = [judge(evidence, claim, need, NOW, window_s, stale_after_s) for evidence, claim, need in rows]
    assert [list(State)[code] for code in states] == [judged.state for judged in one_by_one]
    assert [int(code) for code in works] == [numbers[judged.works_now] for judged in one_by_one]


@given(
    st.sampled_from([1, 0, -1]), times, times, st.booleans(), st.sampled_from([600.0, DAY, 30 * DAY]),
    st.sampled_from([60.0, 600.0, 2 * DAY]), st.floats(0.0, 40 * DAY),
)  # fmt: skip
def test_a_judgement_stays_the_same_until_the_time_that_was_said(
    verdict: int, proved: float | None, watched: float | None, connected: bool, window_s: float, stale_s: float,
    later_s: float,
) -> None:  # fmt: skip
    evidence = EvidenceColumns(
        np.array([verdict], dtype=np.int8),
        np.array([np.nan if proved is None else proved]),
        np.array([np.nan if watched is None else watched]),
    )
    (until,) = holds_until(evidence, NOW, window_s, stale_s)

    def judged(at: float) -> list[int]:
        said, asked = np.array([connected]), np.array([True])
        return [int(one[0]) for one in judge_many(evidence, said, asked, at, window_s, stale_s)]

    last = min(NOW + later_s, until - 0.001)
    if last > NOW:
        assert judged(last) == judged(NOW)


@pytest.mark.parametrize(
    ("state", "after"),
    [(State.COVERED, State.NOT_BUILT), (State.DEGRADED, State.NOT_BUILT), (State.LOST, State.LOST),
     (State.UNKNOWN, State.UNKNOWN), (State.EXEMPT, State.EXEMPT)],
)  # fmt: skip
def test_a_proved_requirement_that_lacks_its_fact_is_not_built_and_others_stay(state: State, after: State) -> None:
    judged = lacking(Judgement(state, Verdict.YES, "", NOW), "items_listed")
    assert judged.state is after
    assert (judged.reason == "no_items_listed") == (state is not after)
