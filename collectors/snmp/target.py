"""One device as the poller knows it: where it answers, what it bears, what is asked of it. Small: there are many."""

from dataclasses import dataclass, field, replace
from typing import Final

from collectors.decode.compile import Catalogue
from collectors.decode.plan import Plan
from collectors.decode.survey import Survey
from collectors.snmp.layouts import Known
from collectors.snmp.message import VERSION_2C
from collectors.snmp.poll import Conversation, Fetched, Findings, Manners, Poll, fetch, survey
from collectors.snmp.usm import Security
from health.reading import Readings

Address = tuple[str, int]

_NOBODY: Final = Readings()
SHORTEST_S: Final = 0.2
"""Patience never falls below: devices stall when they write their flash, and our own loop may be late."""
_STEADY_AT_LEAST: Final = 5
"""Polls between two surveys of a device whose interfaces come and go."""


@dataclass(slots=True)
class Target:
    """A device to poll.

    Args:
        address: numeric host and port.
        community: as octets; unused where there is ``security``.
        catalogue: of all profiles, shared.
        any_source: it was seen to answer from another of its addresses, and may.
        security: of SNMPv3; None for v1 and v2c.
    """

    address: Address
    community: bytes
    catalogue: Catalogue
    manners: Manners = field(default_factory=lambda: Manners(VERSION_2C))
    plan: Plan | None = None
    base: Readings = _NOBODY
    uptime_seconds: float | None = None
    stale: bool = True
    """The plan does not fit any more (never surveyed, agent restarted, an instance vanished): survey next."""
    steady_polls: int = 0
    """Since the last survey."""
    any_source: bool = False
    security: Security | None = None
    rtt_s: float = 0.0
    """Smoothed round trip; 0 while none was measured, or since it fell silent."""
    rtt_deviation_s: float = 0.0
    layouts: Known = field(default_factory=dict)
    """What its replies to the plan's questions look like."""

    def met(self, rtt_s: float) -> None:
        """A first try was answered after so long (RFC 6298 section 2; by Karn's rule retries do not count)."""
        if not self.rtt_s:
            self.rtt_s, self.rtt_deviation_s = rtt_s, rtt_s / 2
            return
        error_s = rtt_s - self.rtt_s
        self.rtt_s += error_s / 8
        self.rtt_deviation_s += (abs(error_s) - self.rtt_deviation_s) / 4

    def missed(self) -> None:
        """It did not answer: whatever was known of its round trip holds no more, and it gets all our patience."""
        self.rtt_s = 0.0

    def patience_s(self, configured_s: float) -> float:
        """How long to wait for the first try of a short question: never longer than configured."""
        if not self.rtt_s:
            return configured_s
        return min(configured_s, max(SHORTEST_S, self.rtt_s + 4 * self.rtt_deviation_s))

    def begin(self, slow: bool) -> "Session":
        """The machine of the next poll: a survey when due or needed, else the steady plan."""
        plan = self.plan
        if slow or self.stale or plan is None or not plan.requests:
            return Session(self, None)
        return Session(self, plan)


class Session:
    """One poll of one target: the machine, and what to make of its report."""

    __slots__ = ("_found", "_plan", "_survey", "machine", "target")

    def __init__(self, target: Target, plan: Plan | None) -> None:
        self.target = target
        self._plan = plan
        self._found: Findings | None = None
        self._survey: Survey | None = None
        if plan is None:
            self._survey = Survey(target.catalogue)
            self._found = Findings()
            conversation: Conversation[Findings | Fetched] = survey(self._survey.choose, target.manners, self._found)
            self.machine: Poll[Findings | Fetched] = Poll(conversation)
        else:
            self.machine = Poll(fetch(plan.requests, target.manners))

    def finish(self, outcome: Findings | Fetched | None) -> Readings | None:
        """The readings of a finished poll; None where the device was silent. Updates the target."""
        target = self.target
        if outcome is None:
            return None
        if isinstance(outcome, Findings):
            assert self._survey is not None  # noqa: S101 - begun as a survey
            surveyed = self._survey.result(outcome, target.manners.names_per_get)
            if target.plan is not surveyed.plan:
                target.plan = surveyed.plan
                target.layouts.clear()
            target.base = surveyed.base
            # Even one that ran out of time: half a plan is polled until the next slow round tries again.
            target.stale = False
            target.steady_polls = 0
            readings = surveyed.readings
        else:
            assert self._plan is not None  # noqa: S101 - begun as a steady poll
            readings = self._plan.decode(outcome.values, target.base)
            target.steady_polls += 1
            restarted = (
                readings.uptime_seconds is not None
                and target.uptime_seconds is not None
                and readings.uptime_seconds < target.uptime_seconds
            )
            vanished = not outcome.failed and None in outcome.values
            target.stale = restarted or (vanished and target.steady_polls >= _STEADY_AT_LEAST)
            if restarted:
                # Its ports may be numbered anew: what was just read of them may be another's.
                readings = replace(
                    readings, interfaces=(), problems=("the agent restarted; ports follow in the next poll",)
                )
            if outcome.failed:
                lost = f"{outcome.failed} requests went unanswered"
                readings = readings.with_problems((*readings.problems, lost))
        target.uptime_seconds = readings.uptime_seconds
        return readings
