"""Asks devices over SNMP for the engine: the steady plan each interval, a survey now and then."""

import logging
from collections.abc import Sequence
from functools import partial

from collectors.engine import Done
from collectors.errors import RefusedError
from collectors.snmp.conversation import Polled
from collectors.snmp.target import Target
from collectors.snmp.transport import SnmpTransport
from health.reading import Readings

log = logging.getLogger(__name__)

SURVEY_EVERY = 60
"""Polls between two surveys, in which identity, slow sensors and new ports are read: once an hour at 60 s."""


class SnmpAsker:
    """One question at a time for each device.

    Args:
        targets: by ordinal; None for a device that is not ours to ask.
        timeout_s: patience of one try; a question is tried ``1 + retries`` times.
        budget_s: all that one poll of one device may take.

    Attributes:
        refusals: polls that a device answered by refusing to talk to us.
    """

    def __init__(
        self,
        transport: SnmpTransport,
        targets: Sequence[Target | None],
        timeout_s: float,
        retries: int,
        budget_s: float,
    ) -> None:
        self._transport = transport
        self._targets = targets
        self._timeout_s, self._retries, self._budget_s = timeout_s, retries, budget_s
        self.refusals = 0
        # Spread: otherwise every device would be surveyed in the same interval.
        self._until_survey = [ordinal % SURVEY_EVERY for ordinal in range(len(targets))]

    def patience_s(self) -> list[float]:
        """How long each device is waited for at the first try, of those whose round trip is known; ascending."""
        known = (target for target in self._targets if target is not None and target.rtt_s)
        return sorted(target.patience_s(self._timeout_s) for target in known)

    def survey_next(self, ordinal: int) -> None:
        """Let the next poll of a device find out anew what it has."""
        self._until_survey[ordinal] = 0

    def ask(self, ordinal: int, done: Done) -> None:
        target = self._targets[ordinal]
        if target is None:
            raise ValueError(f"device {ordinal} is not ours to ask")
        slow = self._until_survey[ordinal] <= 0
        self._until_survey[ordinal] = SURVEY_EVERY if slow else self._until_survey[ordinal] - 1
        self._transport.poll(
            target,
            partial(self._answer, ordinal, done),
            slow=slow,
            timeout_s=self._timeout_s,
            retries=self._retries,
            budget_s=self._budget_s,
        )

    def _answer(self, ordinal: int, done: Done, target: Target, polled: Polled) -> None:
        readings = polled.readings
        if isinstance(polled.error, RefusedError):
            self.refusals += 1
            readings = Readings(problems=(str(polled.error),))  # it lives, and will not talk to us
        elif polled.error is not None:
            # The device did answer; that we could not make sense of it is no silence of its own.
            log.error("reading the answers of %s failed", target.address[0], exc_info=polled.error)
            readings = Readings(problems=(f"not read: {type(polled.error).__name__}",))
        done(ordinal, readings)
