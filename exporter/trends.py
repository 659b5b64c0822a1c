"""What needs more than one poll: rates of counters, means of round trips, events of the last hours.

All of it is lost when the collector restarts, and then takes a window to be known again.
"""

import math
from array import array
from collections import deque
from collections.abc import Hashable, Iterator, Sequence
from typing import Final, Generic, TypeVar

WINDOW_S: Final = 900.0
"""Rates and means are over about so long: newer values weigh more, and their mean age is that of a plain mean."""


def weight(elapsed_s: float) -> float:
    """Of a value that held so long, 0 to 1, beside all before it."""
    return -math.expm1(-elapsed_s / (WINDOW_S / 2))


class Rates:
    """Of the counters of one thing, per second.

    Args:
        count: counters.
    """

    __slots__ = ("_at", "_counts", "per_s")

    def __init__(self, count: int) -> None:
        self._at = 0.0
        self._counts: Sequence[int | None] = (None,) * count
        self.per_s: tuple[float | None, ...] = (None,) * count

    def take(self, counts: Sequence[int | None], at: float) -> None:
        """The counters as they were read.

        Args:
            at: Unix time; a second reading of the same time changes nothing.
        """
        elapsed = at - self._at
        if elapsed <= 0:
            return
        share, means = weight(elapsed), []
        for mean, before, now in zip(self.per_s, self._counts, counts, strict=True):
            if now is None:
                mean = None
            elif before is not None and now >= before:  # else it began anew: what passed in between is not known
                rate = (now - before) / elapsed
                mean = rate if mean is None else mean + (rate - mean) * share
            means.append(mean)
        self.per_s = tuple(means)
        self._at, self._counts = at, counts


class Means:
    """Of a gauge of many things, looked at all together.

    Args:
        count: things; they are numbers below this.
    """

    def __init__(self, count: int) -> None:
        self._mean = array("d", [math.nan]) * count
        self._at = array("d", bytes(8 * count))

    def take(self, thing: int, value: float | None, at: float) -> float | None:
        """The mean with this value, which has held since the last look; None after a window without any."""
        elapsed = at - self._at[thing]
        if value is None:
            return self._mean[thing] if elapsed < WINDOW_S and not math.isnan(self._mean[thing]) else None
        if elapsed >= WINDOW_S:
            self._mean[thing] = value
        else:
            self._mean[thing] += (value - self._mean[thing]) * weight(elapsed)
        self._at[thing] = at
        return self._mean[thing]


Key = TypeVar("Key", bound=Hashable)


class Recent(Generic[Key]):
    """How often something happened to each of many, of late. Those to whom nothing happened cost nothing.

    Args:
        within_s: how long an event counts.
        more_than: fewer are nobody's concern.
    """

    def __init__(self, within_s: float, more_than: int) -> None:
        self._within_s, self._more_than = within_s, more_than
        self._events: dict[Key, deque[float]] = {}

    def happened(self, key: Key, at: float, times: int = 1) -> None:
        """So often at this Unix time, or a little before."""
        events = self._events.setdefault(key, deque(maxlen=1000))
        events.extend([at] * min(times, 1000))

    def often(self, now: float) -> Iterator[tuple[Key, int]]:
        """To whom it happened too often."""
        for key, events in list(self._events.items()):
            while events and events[0] <= now - self._within_s:
                events.popleft()
            if not events:
                del self._events[key]
            elif len(events) > self._more_than:
                yield key, len(events)
