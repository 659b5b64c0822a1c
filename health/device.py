"""Is a device up? Hysteresis over polls: one lost poll is a suspicion, two in a row are silence.

A suspect is asked again at once, so silence is confirmed within seconds and not after another interval. One answer
is positive proof and ends either.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class DeviceState(StrEnum):
    UNKNOWN = "unknown"  # never asked since the collector started
    UP = "up"
    SUSPECT = "suspect"  # one poll unanswered; asked again at once
    SILENT = "silent"  # asked again and unanswered
    OFF_HOURS = "off_hours"  # silent outside its service hours, as it may be; how a silent device is shown


CONFIRM: Final = 2
"""Polls in a row without an answer that make silence."""


@dataclass(frozen=True, slots=True)
class DeviceHealth:
    """What the polls of one device add up to.

    Args:
        since: Unix time at which this run of answers, or of silence, was first seen.
        last_answer: Unix time of the newest answer; None if there never was one.
        asked: Unix time of the newest finished poll, answered or not.
    """

    state: DeviceState = DeviceState.UNKNOWN
    failures: int = 0
    since: float = 0.0
    last_answer: float | None = None
    asked: float = 0.0

    @property
    def settled(self) -> bool:
        """True once another poll would add nothing: it answers, or its silence is confirmed."""
        return self.state in (DeviceState.UP, DeviceState.SILENT)


def after_poll(health: DeviceHealth, answered: bool, at: float, confirm: int = CONFIRM) -> DeviceHealth:
    """The state after one more finished poll at Unix time ``at``."""
    if answered:
        since = health.since if health.state is DeviceState.UP else at
        return DeviceHealth(DeviceState.UP, 0, since, at, at)
    failures = health.failures + 1
    state = DeviceState.SILENT if failures >= confirm else DeviceState.SUSPECT
    since = health.since if health.failures else at
    return DeviceHealth(state, failures, since, health.last_answer, at)
