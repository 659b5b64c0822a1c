"""Receives traps and informs, and says which devices they make worth a question.

A trap gets lost just when the network is bad, and anybody can forge one. So it never changes a state: it makes us ask
the device now instead of at its turn, and what the device answers counts.

Cheap things come first, so that a flood costs little: an address that belongs to no device of ours is dropped after
one look into a dictionary; then a device may send only so many a second, then all devices together; only then is a
datagram decoded and its community compared with the one by which we ask that device. A turn of the event loop takes
a limited number of datagrams, and a full one is followed by a pause: polling goes on beside any flood.

A device must send from the address under which it is asked: give it that trap source (on most routers the loopback).
An inform is answered from the address on which we listen; on a machine with several addresses, name it.

Notifications of v3 and informs go to pysnmp (`collectors.inbox`), by the keys with which we poll; a device that asks
for our engine and its time, as it does before an inform, is answered and counted as ``introduced``. They cost many
times what a plain trap does, so they have a bucket of their own beneath that of all.
"""

import asyncio
import contextlib
import logging
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final

from collectors.errors import DecodeError
from collectors.inbox import Inbox, Opened
from collectors.snmp.traps import (
    COLD_START,
    LINK_DOWN,
    LINK_UP,
    VERSION_3,
    WARM_START,
    Trap,
    decode_trap,
    version_of,
)

log = logging.getLogger(__name__)

RESULTS: Final = (
    "accepted",
    "foreign",  # from no device of ours
    "limited_source",  # the device sends too many
    "limited_global",  # all devices together send too many
    "garbled",
    "refused",  # another community than the device's, an unknown user or engine, a wrong digest
    "introduced",  # of v3: answered with our engine or its time
    "overflowed",  # dropped by the kernel, since we did not read fast enough
)

_PER_TURN: Final = 128
_OPENED_PER_TURN: Final = 16  # these cost twenty times as much as those that are dropped by their source
_PAUSE_S: Final = 0.005  # after a full turn: at most 25,600 datagrams a second are looked at
_LARGEST: Final = 65_535
_RECEIVE_BUFFER: Final = 1 << 20
_SO_MEMINFO: Final = 55  # Linux, asm-generic/socket.h; not in Python's socket module
_MEMINFO: Final = struct.Struct("=9I")  # linux/sock_diag.h: the last counts dropped datagrams
_MOST_KINDS: Final = 256  # enterprises that are counted one by one: a forger may invent four thousand million
_FOREIGN_SAID_EVERY_S: Final = 60.0
_TOUCHES_BENEATH: Final = frozenset({LINK_DOWN, LINK_UP, COLD_START, WARM_START})


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``burst`` at once and ``rate`` a second in the long run: in any t seconds, burst + rate * t."""

    rate: float
    burst: int

    def __post_init__(self) -> None:
        if self.rate <= 0 or self.burst < 1:
            raise ValueError(f"{self} lets nothing through")


PER_SOURCE: Final = Limit(5, 20)
IN_TOTAL: Final = Limit(500, 2_000)
BY_PYSNMP: Final = Limit(100, 400)
"""Of v3 and informs: a county's routers that all tell of one cut within a minute, at a tenth of a core."""


class Buckets:
    """A token bucket for each key, as one number: the time at which it will be full again. The clock is an argument."""

    def __init__(self, limit: Limit) -> None:
        self._spacing_s = 1 / limit.rate
        self._slack_s = (limit.burst - 1 + 1e-6) / limit.rate  # a little more, since sums of fractions are rounded
        self._full_at: dict[int, float] = {}

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key: int, now: float) -> bool:
        """Whether there was a token. ``now`` is in seconds and never runs backwards."""
        full_at = max(self._full_at.get(key, now), now)
        if full_at - now > self._slack_s:
            return False
        self._full_at[key] = full_at + self._spacing_s
        return True


class Gate:
    """Decides by the source address alone who is heard. Pure.

    Args:
        sources: device by canonical address. Only they get a bucket, so memory is bounded by their number.
    """

    def __init__(self, sources: Mapping[str, int], per_source: Limit = PER_SOURCE, in_total: Limit = IN_TOTAL) -> None:
        self._sources = sources
        self._each = Buckets(per_source)
        self._all = Buckets(in_total)

    def admit(self, source: str, now: float) -> tuple[int | None, str]:
        """The device, or None and the result that counts the datagram."""
        device = self._sources.get(source)
        if device is None:
            return None, "foreign"
        # A device's own bucket first: what one floods never empties the bucket of all.
        if not self._each.take(device, now):
            return None, "limited_source"
        if not self._all.take(0, now):
            return None, "limited_global"
        return device, ""


def canonical(address: str) -> str:
    """An address as the kernel writes it, without an interface.

    Raises:
        ValueError: it is none.
    """
    return str(ip_address(address.partition("%")[0]))


@dataclass(slots=True)
class TrapCounters:
    """Since start. Each datagram that arrived is in exactly one of ``results``; accepted ones are in ``kinds``, too."""

    results: dict[str, int] = field(default_factory=lambda: dict.fromkeys(RESULTS, 0))
    kinds: Counter[str] = field(default_factory=Counter)

    @property
    def received(self) -> int:
        return sum(self.results.values())

    def accept(self, kind: str) -> None:
        self.results["accepted"] += 1
        self.kinds[kind if kind in self.kinds or len(self.kinds) < _MOST_KINDS else "other"] += 1


def bind(host: str, port: int) -> socket.socket:
    """A UDP socket that hears one address of one family.

    Raises:
        OSError: the address is taken, not ours, or the port needs a privilege.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock


class TrapReceiver:
    """Reads sockets and calls back for each notification that a device of ours sent.

    Args:
        sockets: as `bind` gives them; closed at the end.
        communities: by device, the one that it must use; None for a device of v3.
        on_trap: called with the device and its trap, from the loop.
        inbox: opens those of v3 and answers informs; without it they are refused.
        clock: seconds, monotonic; the transport's, since both keep the time of the same engines.
    """

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        gate: Gate,
        communities: Callable[[int], bytes | None],
        on_trap: Callable[[int, Trap], None],
        inbox: Inbox | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.counters = TrapCounters()
        self._sockets = sockets
        self._gate = gate
        self._communities = communities
        self._on_trap = on_trap
        self._inbox = inbox
        self._clock = clock
        self._by_pysnmp = Buckets(BY_PYSNMP)
        self._buffer = bytearray(_LARGEST)
        self._foreign_said_at = -_FOREIGN_SAID_EVERY_S
        self._pauses: dict[socket.socket, asyncio.TimerHandle] = {}

    async def run(self) -> None:
        """Receive until cancelled, then close the sockets."""
        self._loop = asyncio.get_running_loop()
        for sock in self._sockets:
            self._loop.add_reader(sock, self._drain, sock)
        try:
            await self._loop.create_future()
        finally:
            for pause in self._pauses.values():
                pause.cancel()
            for sock in self._sockets:
                self._loop.remove_reader(sock)
                sock.close()

    def look(self) -> TrapCounters:
        """The counters, with what the kernel dropped by now."""
        dropped = 0
        for sock in self._sockets:
            with contextlib.suppress(OSError, struct.error):  # closed, or a kernel that does not tell
                dropped += _MEMINFO.unpack(sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size))[-1]
        self.counters.results["overflowed"] = max(dropped, self.counters.results["overflowed"])
        return self.counters

    def _drain(self, sock: socket.socket) -> None:
        now = self._clock()
        receive, admit, results, buffer = sock.recvfrom_into, self._gate.admit, self.counters.results, self._buffer
        opened = 0
        for _ in range(_PER_TURN):
            try:
                size, source = receive(buffer)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                continue  # an ICMP error of an earlier answer to an inform
            device, result = admit(source[0], now)
            if device is not None:
                self._open(sock, bytes(memoryview(buffer)[:size]), source, device, now)
                opened += 1
                if opened == _OPENED_PER_TURN:
                    return  # the loop comes back after it served the others
            else:
                results[result] += 1
                if result == "foreign" and now - self._foreign_said_at >= _FOREIGN_SAID_EVERY_S:
                    self._foreign_said_at = now
                    log.warning("a trap came from %s, where no device is asked: is its trap source set?", source[0])
        self._loop.remove_reader(sock)
        self._pauses[sock] = self._loop.call_later(_PAUSE_S, self._resume, sock)

    def _resume(self, sock: socket.socket) -> None:
        del self._pauses[sock]
        self._loop.add_reader(sock, self._drain, sock)

    def _open(self, sock: socket.socket, data: bytes, source: tuple[str, int], device: int, now: float) -> None:
        try:
            opened = self._opened(data, device, now)
        except DecodeError as error:
            opened = Opened(problem="garbled")
            log.debug("from %s: %s", source[0], error)
        if opened.answer is not None:
            # A full send buffer loses the answer, and the device sends its inform again.
            with contextlib.suppress(OSError):
                sock.sendto(opened.answer, source)
        if opened.trap is not None:
            self.counters.accept(opened.trap.kind)
            self._on_trap(device, opened.trap)
            return
        introduced = opened.answer is not None and opened.problem in ("unknown_engine", "not_in_window")
        known = opened.problem in ("garbled", "limited_global")
        self.counters.results[opened.problem if known else "introduced" if introduced else "refused"] += 1
        log.debug("from %s: %s", source[0], opened.problem)

    def _opened(self, data: bytes, device: int, now: float) -> Opened:
        """What came, with its answer.

        Raises:
            DecodeError: it cannot be opened.
        """
        sealed = version_of(data) == VERSION_3
        trap = None if sealed else decode_trap(data)
        if trap is not None and trap.community != self._communities(device):
            return Opened(problem="by another community")
        if trap is not None and not trap.acknowledged:
            return Opened(trap)
        if self._inbox is None:
            return Opened(problem="nobody opens it")
        if not self._by_pysnmp.take(0, now):
            return Opened(problem="limited_global")
        return self._inbox.open(device, data, now) if trap is None else self._inbox.inform(trap, data, now)


class Trigger:
    """Whom a trap makes us ask, and when. Pure.

    The device and the routers above it; where a port went down or up or a router started, those directly beneath,
    too, for it is they whom that cuts off. Each at most once in ``every_s``.

    Args:
        above, beneath: ordinals by ordinal.
        asked: devices that we poll; others are never named.
    """

    def __init__(
        self,
        above: Callable[[int], Iterable[int]],
        beneath: Callable[[int], Iterable[int]],
        asked: Container[int],
        every_s: float = 1.0,
    ) -> None:
        self._above, self._beneath, self._asked, self._every_s = above, beneath, asked, every_s
        self._next: dict[int, float] = {}  # device: from when on it may be asked again

    def worth_asking(self, device: int, kind: str, now: float) -> dict[float, list[int]]:
        """Devices by the time at which to ask them: now, or when their second is over.

        What comes sooner is put off, not dropped: the news of a line that is back would else be lost behind the news
        that it broke.
        """
        wanted = dict.fromkeys((device, *self._above(device)))
        if kind in _TOUCHES_BENEATH:
            wanted |= dict.fromkeys(self._beneath(device))
        ask: dict[float, list[int]] = {}
        for each in wanted:
            if each not in self._asked:
                continue
            at = max(self._next.get(each, now), now)
            if at - now < self._every_s:  # else it will be asked later than now in any case
                ask.setdefault(at, []).append(each)
                self._next[each] = at + self._every_s
        return ask


class Asks:
    """Lets ``poll_now`` ask whom the trigger names, at its time, on the running loop."""

    def __init__(self, trigger: Trigger, poll_now: Callable[[Collection[int]], None]) -> None:
        self._trigger, self._poll_now = trigger, poll_now
        self._wanted: list[int] = []

    def on_trap(self, device: int, trap: Trap) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for at, devices in self._trigger.worth_asking(device, trap.kind, now).items():
            if at > now:
                loop.call_at(at, self._poll_now, devices)
                continue
            if not self._wanted:
                loop.call_soon(self._ask)  # what one turn brought together
            self._wanted += devices

    def _ask(self) -> None:
        devices, self._wanted = self._wanted, []
        self._poll_now(devices)
