"""Is a village covered? Claims and evidence side by side, never mixed (decision D7).

A requirement is *covered* at a time when it was proved within its window before it. Proved within the window but
failing now is *degraded*: it still counts as covered, and *works now* shows the difference. Asked without proof is
*lost*; not asked is *unknown*, with its reason. What people said (the claim) decides only between *not built* and
the rest, and where it disagrees with the measurement that is a contradiction, listed by name.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inventory.vocabulary import Claim, Requirement, Verdict


class State(StrEnum):
    """``exempt`` holds optional sites, too: neither may lower a rate, and neither may raise it."""

    COVERED = "covered"
    DEGRADED = "degraded"
    LOST = "lost"
    UNKNOWN = "unknown"
    NOT_BUILT = "not_built"
    EXEMPT = "exempt"


class Unknown(StrEnum):
    """Why nothing is known."""

    NEVER_REPORTED = "never_reported"
    STALE = "stale"
    NOT_MONITORED = "not_monitored"
    PARTNER_MONITORED = "partner_monitored"
    DIVISION_DISSOLVED = "division_dissolved"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was measured of one aspect of one site. Times are Unix seconds.

    Args:
        verdict: what the newest finished measurement said.
        since: when the verdict became so.
        proved_at: newest positive proof; None if there never was one.
        watched_until: until when somebody asked; None if nobody ever did.
        reason: of a no or an unknown, in the vocabulary of health.
    """

    verdict: Verdict = Verdict.UNKNOWN
    since: float | None = None
    proved_at: float | None = None
    watched_until: float | None = None
    reason: str = Unknown.NEVER_REPORTED


@dataclass(frozen=True, slots=True)
class Judgement:
    """``works_now`` is the separate figure: yes or no from fresh evidence, else unknown."""

    state: State
    works_now: Verdict
    reason: str
    proved_at: float | None


def judge(
    evidence: Evidence,
    claim: Claim | None,
    requirement: Requirement,
    at: float,
    window_s: float,
    stale_after_s: float,
) -> Judgement:
    """The state of one requirement at one site at Unix time ``at``.

    Args:
        window_s: how old a proof may be.
        stale_after_s: how long after the last watching a verdict still speaks of now.
    """
    fresh = evidence.watched_until is not None and at - evidence.watched_until <= stale_after_s
    works_now = evidence.verdict if fresh else Verdict.UNKNOWN
    proved = evidence.proved_at is not None and at - evidence.proved_at <= window_s
    if requirement is not Requirement.REQUIRED:
        state, reason = State.EXEMPT, str(requirement)
    elif proved:
        state = State.DEGRADED if works_now is Verdict.NO else State.COVERED
        reason = evidence.reason if works_now is Verdict.NO else ""
    elif claim is None or not claim.says_connected:
        state, reason = State.NOT_BUILT, claim or "no_claim"
    elif evidence.verdict is Verdict.NO and _asked_within(evidence, at, window_s):
        state, reason = State.LOST, evidence.reason
    else:
        known_once = evidence.watched_until is not None and evidence.verdict is not Verdict.UNKNOWN
        state, reason = State.UNKNOWN, Unknown.STALE if known_once else evidence.reason
    return Judgement(state, works_now, reason, evidence.proved_at)


def _asked_within(evidence: Evidence, at: float, window_s: float) -> bool:
    return evidence.watched_until is not None and at - evidence.watched_until <= window_s


def lacking(judgement: Judgement, fact: str) -> Judgement:
    """The judgement on a requirement that is proved, but lacks a fact that it takes as well (一张审批网 its items)."""
    if judgement.state not in (State.COVERED, State.DEGRADED):
        return judgement
    return Judgement(State.NOT_BUILT, judgement.works_now, f"no_{fact}", judgement.proved_at)


class Disagreement(StrEnum):
    CLAIMED_NOT_MEASURED = "claimed_not_measured"
    MEASURED_NOT_CLAIMED = "measured_not_claimed"


def contradiction(claim: Claim | None, judgement: Judgement) -> Disagreement | None:
    """Whether what was said and what was measured disagree now; unknown and silence disagree with nothing."""
    if claim is None or judgement.state is State.EXEMPT:
        return None
    if claim.says_connected and (judgement.works_now is Verdict.NO or judgement.state is State.LOST):
        return Disagreement.CLAIMED_NOT_MEASURED
    if not claim.says_connected and judgement.works_now is Verdict.YES:
        return Disagreement.MEASURED_NOT_CLAIMED
    return None


_ROUNDING_S: Final = 0.001
"""Sums of times are rounded otherwise than their differences: whoever judges a little early judges the same."""


@dataclass(frozen=True)
class EvidenceColumns:
    """`Evidence` of one aspect of many sites, a row a site, for judging a nation at once.

    Args:
        verdicts: 1 yes, 0 no, -1 unknown.
        proved_at: Unix seconds, NaN where there never was a proof.
        watched_until: Unix seconds, NaN where nobody ever asked.
    """

    verdicts: NDArray[np.int8]
    proved_at: NDArray[np.float64]
    watched_until: NDArray[np.float64]


def judge_many(
    evidence: EvidenceColumns,
    connected: NDArray[np.bool_],
    required: NDArray[np.bool_],
    at: float,
    window_s: float,
    stale_after_s: float,
) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """`judge` for every row at once; the two agree, and a property test holds them to it.

    Args:
        connected: whether the claim says connected.
        required: False for optional and exempt sites.

    Returns:
        State codes (the position in `State`), and what works now: 1, 0, or -1 for unknown.
    """
    codes = {state: np.int8(code) for code, state in enumerate(State)}
    watched_age = at - evidence.watched_until  # NaN compares false: never watched is never fresh
    works = np.where(watched_age <= stale_after_s, evidence.verdicts, np.int8(-1))
    proved = at - evidence.proved_at <= window_s
    states = np.select(
        [~required, proved & (works == 0), proved, ~connected, (evidence.verdicts == 0) & (watched_age <= window_s)],
        [codes[state] for state in (State.EXEMPT, State.DEGRADED, State.COVERED, State.NOT_BUILT, State.LOST)],
        codes[State.UNKNOWN],
    )
    return states.astype(np.int8), works


def holds_until(evidence: EvidenceColumns, at: float, window_s: float, stale_after_s: float) -> NDArray[np.float64]:
    """Until when what `judge_many` said at Unix time ``at`` stays the same if nothing is learnt; infinite for ever.

    Time alone changes a judgement in three ways: a proof leaves its window, the last watching leaves it, or the last
    watching is too long ago to speak of now. More watching only puts that off.
    """
    ends = (evidence.proved_at + window_s, evidence.watched_until + window_s, evidence.watched_until + stale_after_s)
    until = np.full(len(evidence.verdicts), np.inf)
    for end in ends:
        np.fmin(until, np.where(end >= at - _ROUNDING_S, end, np.inf), out=until)
    return until - _ROUNDING_S
