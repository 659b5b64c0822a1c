"""The collector: asks when the schedule says so, lets the watch judge, keeps what became certain in the journal.

One task of one event loop; a poll costs a callback, not a task. Only the database is written in a thread, so that a
slow disk never delays a question.
"""

import asyncio
import contextlib
import logging
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy.exc import DBAPIError

from collectors.fleet import Fleet
from collectors.latest import Latest
from collectors.line_changes import LineChanges
from collectors.schedule import Schedule
from collectors.watch import Watch
from health.reading import Readings
from ledger.journal import Fact, Journal

log = logging.getLogger(__name__)

Done = Callable[[int, Readings | None], None]
"""Called once per question with the device's ordinal and what it answered; None for silence."""

_CONFIRM_AFTER_S = 0.25  # between a poll that failed and asking again: a burst of loss should be over
_FLUSH_S = 0.5
_DOUBTFUL = 4  # times the window of the living: a question without an answer costs little but time
_EXTEND_WATCH_S = 10.0
_BEAT_S = 1.0
_STALLED_S = 5.0  # more than a busy machine takes; a longer interval allows for as much


class Asker(Protocol):
    """Polls one device and calls back exactly once; never raises for what a device does."""

    def ask(self, ordinal: int, done: Done) -> None: ...


@dataclass(slots=True)
class Sweep:
    """How the polling itself goes. Times are seconds of the loop's clock unless they say Unix.

    Args:
        first_s: how long the first sweep took until the last device that answers had answered; None until it ended.
        completed_at: Unix time at which the newest cycle ended, each device having been asked in it.
        duration_s: how long that cycle took.
    """

    first_s: float | None = None
    completed_at: float | None = None
    duration_s: float | None = None
    cycles: int = 0
    polls: dict[str, int] = field(default_factory=lambda: {"answered": 0, "silent": 0})


class Collector:
    """Runs one county's fleet.

    Args:
        polled: ordinals to ask; a partner's devices are counted but not asked.
        clock: Unix time, for facts; the loop's own clock drives the schedule.
        max_in_flight: questions to living devices under way at any time; four times as many to doubtful ones beside.
        lines: counts the changes of lines; None where nobody asks for them.
    """

    def __init__(
        self,
        fleet: Fleet,
        polled: Sequence[int],
        schedule: Schedule,
        asker: Asker,
        journal: Journal,
        clock: Callable[[], float],
        max_in_flight: int = 512,
        lines: LineChanges | None = None,
    ) -> None:
        self.latest = [Latest() for _ in fleet.devices]
        self.watch = Watch(
            fleet, self._say, self._ask_soon, journal.new_outage_id, lambda device: self.latest[device].readings
        )
        self.sweep = Sweep()
        self.lines = lines
        self.schedule = schedule
        self.journal = journal
        self._in_flight = [0, 0]  # questions to the living, to the doubtful
        self._polled = polled
        self._asker = asker
        self._clock = clock
        self._windows = (max_in_flight, _DOUBTFUL * max_in_flight)
        self._begun = 0.0
        self._cycle_begun = 0.0
        self._last_first_answer = 0.0
        self._began = array("d", bytes(8 * len(fleet.devices)))  # Unix time at which each was asked last
        self._cycle_of = bytearray(len(fleet.devices))  # 1: asked in the running cycle
        self._left = len(polled)
        self._pumping = False
        # Device: who wants a poll of it that began no earlier than a Unix time.
        self._waited_for: dict[int, list[tuple[float, asyncio.Future[None]]]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._beat_timer: asyncio.TimerHandle | None = None
        self._beat_at = 0.0
        self._gap_after = 0  # cycles that had ended before the newest gap; nothing is proved until another did
        self._flush_wanted = asyncio.Event()
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """Poll until cancelled; then write what is pending.

        Raises:
            FencedError: another collector took the county over.
        """
        self._loop = asyncio.get_running_loop()
        self._begun = self._cycle_begun = self._loop.time()
        self.schedule.begin(self._begun, self._polled)
        self._beat_at = self._clock()
        self._beat()
        self._pump()
        try:
            await self._keep_writing()
        finally:
            self._stopped.set()
            for timer in (self._timer, self._beat_timer):
                if timer is not None:
                    timer.cancel()
            await self._flush()

    def poll_now(self, devices: Iterable[int]) -> None:
        """Ask these as soon as pacing allows, whatever their turn."""
        for device in devices:
            self.schedule.soon(device, self._loop.time())
        self._pump()

    async def poll_and_wait(self, device: int) -> None:
        """Ask a device now and wait until that poll has ended, whatever it brought."""
        ended = self._loop.create_future()
        self._waited_for.setdefault(device, []).append((self._clock(), ended))
        self.poll_now([device])
        await ended

    def _pump(self) -> None:
        """Ask whoever is due, and wake up when the next one is."""
        self._pumping = False
        if self._stopped.is_set():
            return
        self.watch.settle(self._clock())
        now = self._loop.time()
        at = self._clock()
        for ordinal in self.schedule.take(now, *self._rooms()):
            self._began[ordinal] = at
            self._in_flight[self.schedule.is_doubtful(ordinal)] += 1
            self._asker.ask(ordinal, self._finished)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        rooms = self._rooms()
        due = self.schedule.next_due(*rooms)
        if due is not None and max(rooms) > 0:
            # A little late rather than once per device: those of the same few milliseconds go together.
            self._timer = self._loop.call_at(max(due, now) + 0.005, self._pump)

    def _rooms(self) -> tuple[int, int]:
        living, doubtful = self._in_flight
        return self._windows[0] - living, self._windows[1] - doubtful

    @property
    def in_flight(self) -> int:
        """Questions under way."""
        return sum(self._in_flight)

    def _finished(self, ordinal: int, readings: Readings | None) -> None:
        at, now = self._clock(), self._loop.time()
        first = self.sweep.first_s is None and not self._cycle_of[ordinal]
        self.sweep.polls["silent" if readings is None else "answered"] += 1
        self.latest[ordinal].take(readings, at)
        if readings is not None and self.lines is not None:
            self.lines.polled(ordinal, readings, self._began[ordinal])
        self.watch.finished(ordinal, readings, at, self._began[ordinal])
        self._in_flight[self.schedule.finished(ordinal, now, self.watch.health[ordinal].failures)] -= 1
        if first and readings is not None:
            self._last_first_answer = now
        if ordinal in self._waited_for:
            self._tell_those_who_wait(ordinal)
        if not self._cycle_of[ordinal]:
            self._cycle_of[ordinal] = 1
            self._left -= 1
            if not self._left:
                self._end_cycle(now, at)
        if not self._pumping:
            self._pumping = True
            self._loop.call_soon(self._pump)

    def _tell_those_who_wait(self, ordinal: int) -> None:
        later = []
        for since, ended in self._waited_for.pop(ordinal):
            if self._began[ordinal] < since:
                later.append((since, ended))
            elif not ended.done():
                ended.set_result(None)
        if later:
            self._waited_for[ordinal] = later

    def _end_cycle(self, now: float, at: float) -> None:
        sweep = self.sweep
        if sweep.first_s is None:
            sweep.first_s = max(self._last_first_answer - self._begun, 0.0)
            log.info("first sweep: %d devices in %.2f s", len(self._polled), sweep.first_s)
        sweep.completed_at, sweep.duration_s = at, now - self._cycle_begun
        sweep.cycles += 1
        self._cycle_begun = now
        self._cycle_of = bytearray(len(self._cycle_of))
        self._left = len(self._polled)
        self._flush_wanted.set()

    def _say(self, fact: Fact) -> None:
        self.journal.add(fact)
        self._flush_wanted.set()

    def _ask_soon(self, devices: Iterable[int]) -> None:
        now = self._loop.time()
        for device in devices:
            health = self.watch.health[device]
            self.schedule.soon(device, now + _CONFIRM_AFTER_S if health.failures else now)

    @property
    def watching(self) -> bool:
        """Whether devices are asked when they are due: time in which we lagged behind proves nothing."""
        due = self.schedule.next_due()
        lag_s = 0.0 if due is None else self._loop.time() - due
        return self.sweep.cycles > self._gap_after and lag_s < self.schedule.interval_s

    def _beat(self) -> None:
        self._notice_gap()
        self._beat_timer = self._loop.call_later(_BEAT_S, self._beat)

    def _notice_gap(self) -> None:
        """Time passed without us (a stopped process, a sleeping machine, a clock that was set): nobody watched.

        Watching begins again when every device has been asked once more.
        """
        at = self._clock()
        if not -_BEAT_S <= at - self._beat_at <= max(_STALLED_S, self.schedule.interval_s):
            log.warning("%.0f s are missing between two looks at the clock: not watched", at - self._beat_at)
            self.journal.stop_watching()
            self._gap_after = self.sweep.cycles
            self._cycle_of = bytearray(len(self._cycle_of))
            self._left = len(self._polled)
            self._cycle_begun = self._loop.time()
        self._beat_at = at

    async def _keep_writing(self) -> None:
        extended = 0.0
        while True:
            with contextlib.suppress(TimeoutError):
                # Not wait_for: until Python 3.12 it forgets a cancellation that comes together with the event.
                async with asyncio.timeout(min(_EXTEND_WATCH_S, self.schedule.interval_s)):
                    await self._flush_wanted.wait()
            self._flush_wanted.clear()
            if self.journal.pending or self._loop.time() - extended >= _FLUSH_S:
                extended = self._loop.time()
                await self._flush()
            await asyncio.sleep(_FLUSH_S)  # what becomes certain together is written together

    async def _flush(self) -> None:
        self._notice_gap()
        watched_at = self._clock() if self.watching else None
        if watched_at is None:
            self.journal.stop_watching()
        try:
            await asyncio.to_thread(self.journal.flush, watched_at, self.journal.newest)
        except DBAPIError as error:
            # Everything stays pending and goes with the next flush.
            log.warning("the ledger did not take %d facts yet: %s", self.journal.pending, error.orig)
