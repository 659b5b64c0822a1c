"""The clock of routers: an event loop's, or one that tests turn by hand."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class Handle(Protocol):
    def cancel(self) -> None: ...


class Timers(Protocol):
    """What a router needs of a clock."""

    def now(self) -> float:
        """Seconds, never running backwards."""

    def later(self, delay_s: float, call: Callable[[], None]) -> Handle: ...


@dataclass(slots=True)
class Timer:
    """Something that will happen: at ``due`` on the router's clock."""

    due: float
    handle: Handle


class LoopTimers:
    """The clock of a running event loop; timers may be set from any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def now(self) -> float:
        return self._loop.time()

    def later(self, delay_s: float, call: Callable[[], None]) -> Handle:
        return _LoopHandle(self._loop, delay_s, call)


class _LoopHandle:
    def __init__(self, loop: asyncio.AbstractEventLoop, delay_s: float, call: Callable[[], None]) -> None:
        self._timer: asyncio.TimerHandle | None = None
        self._cancelled = False
        self._loop = loop
        in_loop(loop, lambda: self._arm(delay_s, call))

    def cancel(self) -> None:
        self._cancelled = True
        in_loop(self._loop, self._disarm)

    def _arm(self, delay_s: float, call: Callable[[], None]) -> None:
        if not self._cancelled:
            self._timer = self._loop.call_later(delay_s, self._fire, call)

    def _fire(self, call: Callable[[], None]) -> None:
        if not self._cancelled:  # cancelled by another thread while the loop was about to fire
            call()

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


class ManualTimers:
    """A clock that stands still until it is turned."""

    def __init__(self) -> None:
        self._now = 0.0
        self._due: list[_ManualHandle] = []

    def now(self) -> float:
        return self._now

    def later(self, delay_s: float, call: Callable[[], None]) -> Handle:
        handle = _ManualHandle(self._now + delay_s, call)
        self._due.append(handle)
        return handle

    def turn(self, seconds: float) -> None:
        """Let time pass; what is due happens in order, and may set further timers."""
        until = self._now + seconds
        while ready := [handle for handle in self._due if handle.due <= until]:
            first = min(ready, key=lambda handle: handle.due)
            self._due.remove(first)
            self._now = max(self._now, first.due)
            if not first.cancelled:
                first.call()
        self._now = until


@dataclass(slots=True, eq=False)
class _ManualHandle:
    due: float
    call: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


def in_loop(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    """Call now where we are in the loop's thread, else let the loop call it; nothing once the loop is closed."""
    try:
        here = asyncio.get_running_loop()
    except RuntimeError:
        here = None
    if here is loop:
        call()
    elif not loop.is_closed():
        loop.call_soon_threadsafe(call)


def minutes_of(text: str) -> float | None:
    """Minutes of ``10``, ``1:30`` (hours and minutes) or ``1:02:30`` (days first); None for anything else."""
    parts = text.split(":")
    if len(parts) > 3 or not all(part.isdecimal() for part in parts):
        return None
    return float(sum(int(part) * factor for part, factor in zip(reversed(parts), (1, 60, 1440), strict=False)))


def hours_and_minutes(minutes: float) -> tuple[int, int]:
    """Whole hours and minutes, rounded up as the boxes count down."""
    return divmod(math.ceil(minutes), 60)
