"""ICMP echo to many devices: one socket per address family, small batches, no task or thread for any of them.

An answer is known by its payload (a secret of this process, the target, the round), since kernels put their own
identifier into unprivileged requests. Each target has its moment in the interval; neighbours in the inventory are far
apart in time, so that a thin line never carries many. A target's last rounds are the bits of one number.

An echo shows that a router answers echoes. It never makes a site reachable or dark: polls do.
"""

import asyncio
import contextlib
import logging
import secrets
import socket
import struct
import time
from array import array
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

log = logging.getLogger(__name__)

ROUNDS: Final = 20
"""Loss is counted over the last so many."""

_TICK_S: Final = 0.02
_AT_ONCE: Final = 64  # of a tick: what a stalled loop has to catch up on does not go out in one burst
_PER_WAKE: Final = 256
_GOLDEN: Final = 0.6180339887498949
_ECHO: Final[dict[int, int]] = {socket.AF_INET: 8, socket.AF_INET6: 128}  # RFC 792, RFC 4443
_REPLY: Final[dict[int, int]] = {socket.AF_INET: 0, socket.AF_INET6: 129}
_HEAD: Final = struct.Struct("!BBHHH")  # type, code, checksum, identifier, sequence
_MARK: Final = struct.Struct("!8sII")  # our secret, target, round
_SOL_RAW: Final = 255
_ALL: Final = 0xFFFFFFFF  # kinds of messages that a filter holds back, one bit each
_ICMP_FILTER: Final = 1  # Linux, linux/icmp.h and linux/icmpv6.h; not in Python's socket module


def checksum(data: bytes) -> int:
    """RFC 1071: the one's complement of the one's complement sum of 16-bit words."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def request(family: int, secret: bytes, target: int, number: int) -> bytes:
    """An echo request of a target's round."""
    mark = _MARK.pack(secret, target, number & 0xFFFFFFFF)
    kind, sequence = _ECHO[family], number & 0xFFFF
    head = _HEAD.pack(kind, 0, 0, 0, sequence)
    # The kernel sums those of IPv6 itself, for their sum needs addresses that we do not know yet.
    return _HEAD.pack(kind, 0, checksum(head + mark) if family == socket.AF_INET else 0, 0, sequence) + mark


def reply(family: int, secret: bytes, data: bytes) -> tuple[int, int] | None:
    """Target and round of an answer to one of ours; None for anything else.

    Args:
        data: as the socket gives it: a raw one of IPv4 with the IP header in front.
    """
    if family == socket.AF_INET and data and data[0] >> 4 == 4:
        data = data[(data[0] & 0xF) * 4 :]
    if len(data) < _HEAD.size + _MARK.size or data[0] != _REPLY[family] or data[1] != 0:
        return None
    mark, target, number = _MARK.unpack_from(data, _HEAD.size)
    return (target, number) if mark == secret else None


def open_socket(family: int) -> socket.socket:
    """A socket that may send echoes: unprivileged where net.ipv4.ping_group_range allows it, else raw.

    Raises:
        OSError: neither is permitted, or the machine does not know this family.
    """
    protocol = socket.IPPROTO_ICMP if family == socket.AF_INET else socket.IPPROTO_ICMPV6
    try:
        sock = socket.socket(family, socket.SOCK_DGRAM, protocol)
    except PermissionError:
        sock = socket.socket(family, socket.SOCK_RAW, protocol)
        with contextlib.suppress(OSError):  # without it we merely look at more
            if family == socket.AF_INET:
                sock.setsockopt(_SOL_RAW, _ICMP_FILTER, struct.pack("=I", _ALL & ~(1 << _REPLY[family])))
            else:
                words = [_ALL & ~(1 << _REPLY[family] % 32) if at == _REPLY[family] // 32 else _ALL for at in range(8)]
                sock.setsockopt(socket.IPPROTO_ICMPV6, _ICMP_FILTER, struct.pack("=8I", *words))
    sock.setblocking(False)
    return sock


class Echoes:
    """What came of the echoes to each target. Pure.

    Args:
        count: targets; they are numbers below this.
    """

    def __init__(self, count: int) -> None:
        self._rounds = array("L", bytes(array("L").itemsize * count))  # rounds so far
        self._lost = array("L", bytes(array("L").itemsize * count))  # of the last ROUNDS, the newest is bit 0
        self._rtt = array("d", bytes(8 * count))
        self._sent_at = array("d", bytes(8 * count))  # 0.0: nothing is waited for

    def sent(self, target: int, now: float) -> int:
        """The number of the round that begins; what the last one still waits for is lost."""
        if self._sent_at[target]:
            self.lost(target, self._rounds[target])
        self._rounds[target] += 1
        self._sent_at[target] = now
        return self._rounds[target]

    def answered(self, target: int, number: int, now: float) -> bool:
        """Whether an answer was waited for; a late or doubled one changes nothing."""
        if not 0 <= target < len(self._rounds) or number != self._rounds[target] or not self._sent_at[target]:
            return False
        self._rtt[target] = now - self._sent_at[target]
        self._end(target, 0)
        return True

    def lost(self, target: int, number: int) -> None:
        """The patience with a round is over."""
        if number == self._rounds[target] and self._sent_at[target]:
            self._rtt[target] = 0.0
            self._end(target, 1)

    def _end(self, target: int, lost: int) -> None:
        self._lost[target] = (self._lost[target] << 1 | lost) & (1 << ROUNDS) - 1
        self._sent_at[target] = 0.0

    def rtt_s(self, target: int) -> float | None:
        """Of the newest round that ended; None if it was lost."""
        return self._rtt[target] or None

    def loss_ratio(self, target: int) -> float | None:
        """Over the last `ROUNDS` that ended; None before the first."""
        ended = self._rounds[target] - bool(self._sent_at[target])
        return self._lost[target].bit_count() / min(ended, ROUNDS) if ended else None


class Pinger:
    """Sends, and hears the answers.

    Args:
        addresses: by target; None for one that is not asked.
        interval_s: between two echoes to one target.
        timeout_s: after which a round is lost.
        opener: `open_socket`, or what stands in for it.
    """

    def __init__(
        self,
        addresses: Sequence[str | None],
        interval_s: float = 60.0,
        timeout_s: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
        opener: Callable[[int], socket.socket] = open_socket,
    ) -> None:
        self.echoes = Echoes(len(addresses))
        self._addresses = addresses
        self._interval_s, self._timeout_s, self._clock, self._opener = interval_s, timeout_s, clock, opener
        asked = [target for target, address in enumerate(addresses) if address is not None]
        # (moment in the interval, target); the golden ratio's multiples put neighbours far apart.
        self._turns = sorted((target * _GOLDEN % 1.0 * interval_s, target) for target in asked)
        self._secret = secrets.token_bytes(8)
        self._waiting: deque[tuple[float, int, int]] = deque()
        self._sockets: dict[int, socket.socket] = {}

    async def run(self) -> None:
        """Ask until cancelled; where no socket is permitted, say so once and do nothing."""
        loop = asyncio.get_running_loop()
        families = {_family(address) for address in self._addresses if address is not None}
        for family in sorted(families):
            try:
                self._sockets[family] = self._opener(family)
            except OSError as error:
                log.warning(
                    "no ICMP echo over %s: %s. Give the collector CAP_NET_RAW, or its group a place in "
                    "net.ipv4.ping_group_range.",
                    "IPv4" if family == socket.AF_INET else "IPv6",
                    error.strerror,
                )
        try:
            for family, sock in self._sockets.items():
                loop.add_reader(sock, self._drain, family, sock)
            while self._sockets:
                await self._round(loop)
            await loop.create_future()
        finally:
            for sock in self._sockets.values():
                loop.remove_reader(sock)
                sock.close()

    async def _round(self, loop: asyncio.AbstractEventLoop) -> None:
        """One interval: everybody once, each at its moment."""
        began = loop.time()
        at = 0
        while at < len(self._turns):
            elapsed = loop.time() - began
            batch = 0
            while at < len(self._turns) and self._turns[at][0] <= elapsed and batch < _AT_ONCE:
                self._send(self._turns[at][1])
                at, batch = at + 1, batch + 1
            self._expire()
            await asyncio.sleep(_TICK_S)
        while (left := began + self._interval_s - loop.time()) > 0:
            self._expire()
            await asyncio.sleep(min(left, 10 * _TICK_S))

    def _send(self, target: int) -> None:
        address = self._addresses[target]
        assert address is not None  # noqa: S101 - only those have turns
        family = _family(address)
        sock = self._sockets.get(family)
        if sock is None:
            return
        now = self._clock()
        number = self.echoes.sent(target, now)
        self._waiting.append((now + self._timeout_s, target, number))
        with contextlib.suppress(OSError):  # no route, or a full buffer: it will be lost
            sock.sendto(request(family, self._secret, target, number), (address, 0))

    def _expire(self) -> None:
        for family, sock in self._sockets.items():
            self._drain(family, sock)  # what came in time must not be late because we are
        now = self._clock()
        while self._waiting and self._waiting[0][0] <= now:
            _, target, number = self._waiting.popleft()
            self.echoes.lost(target, number)

    def _drain(self, family: int, sock: socket.socket) -> None:
        for _ in range(_PER_WAKE):
            try:
                data, source = sock.recvfrom(2048)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                continue
            found = reply(family, self._secret, data)
            if found is not None and found[0] < len(self._addresses) and source[0] == self._addresses[found[0]]:
                self.echoes.answered(*found, self._clock())


def _family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET
