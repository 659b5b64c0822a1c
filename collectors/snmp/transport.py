"""The socket: sends what poll machines command, hands them what arrives, and keeps their time.

One unconnected UDP socket per address family for all devices; no task, timer handle or socket per request. A wake-up
drains many datagrams. Deadlines lie in a wheel of slots, of which only the next one has a timer; the socket is
drained before a slot expires, so that our own backlog never passes for a silent device.

Whatever arrives is counted and, unless it answers a pending request, dropped: garbled, late or duplicated, foreign
(another community, another address). A device that answers from another of its addresses is believed after it
stayed silent from the right one, and remembered.
"""

import asyncio
import contextlib
import secrets
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from collectors.errors import DecodeError, RefusedError
from collectors.snmp.conversation import FIRST_ID, Conversation, Exchange, OnPolled, Polled, is_v3
from collectors.snmp.deadlines import Deadlines
from collectors.snmp.layouts import read_values
from collectors.snmp.message import (
    Envelope,
    Pdu,
    Value,
    Varbind,
    decode_values,
    decode_varbinds,
    open_envelope,
)
from collectors.snmp.poll import Answered, Due, Event, Fetched, Findings, OutOfTime, Report, Send, TimedOut
from collectors.snmp.sealed import open_sealed
from collectors.snmp.target import Address, Target
from health.reading import Readings

_DATAGRAMS_PER_WAKE: Final = 256
_ALL: Final = 1 << 20
_LARGEST: Final = 65_535
_RECEIVE_BUFFER: Final = 8 << 20
_SO_RCVBUFFORCE: Final = 33  # Linux, asm-generic/socket.h; not in Python's socket module
_KERNEL_COST_OF_A_REPLY: Final = 2_304  # what a datagram of up to 1,500 octets takes from the receive buffer
_SMALLEST_WINDOW: Final = 32
_REPORTS_AT_MOST: Final = 3  # for one question: the engine, its time, and one to spare
_NO_AGREEMENT: Final = "the device keeps asking for another engine ID or time: two devices may share one engine ID"


@dataclass(slots=True)
class Counters:
    """Since start. ``late`` counts duplicates too: nothing waited for them any more."""

    sent: int = 0
    retried: int = 0
    answered: int = 0
    late: int = 0
    foreign: int = 0
    garbled: int = 0
    timeouts: int = 0
    refused: int = 0
    unsendable: int = 0


class SnmpTransport:
    """Runs polls on the loop it was made in; works with asyncio's and uvloop's.

    Args:
        max_in_flight: polls under way at once; more wait their turn in order.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        max_in_flight: int = 1024,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._loop = loop
        self._clock = clock
        self._max_in_flight = max_in_flight
        self._pending: dict[int, Conversation] = {}
        self._waiting: deque[tuple[Target, OnPolled, bool, float, int, float]] = deque()
        self._sockets: dict[int, socket.socket] = {}
        self._unsent: dict[int, deque[Conversation]] = {}
        self._deadlines = Deadlines()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        # A full-period generator with secret parameters: no id comes twice in 2^31, and none tells the next.
        self._multiplier = secrets.randbits(29) << 2 | 1
        self._increment = secrets.randbits(30) << 1 | 1
        self._last_id = secrets.randbits(31)
        self._in_flight = 0
        self.counters = Counters()

    @property
    def in_flight(self) -> int:
        return self._in_flight

    @property
    def waiting(self) -> int:
        """Polls that were asked for and have not begun."""
        return len(self._waiting)

    def poll(
        self,
        target: Target,
        on_polled: OnPolled,
        *,
        slow: bool = False,
        timeout_s: float = 1.0,
        retries: int = 2,
        budget_s: float = 20.0,
    ) -> None:
        """Polls a device and calls back once, from the loop.

        Args:
            slow: survey it anew (tables are walked, identity is checked) instead of asking known instances.
            timeout_s: of the first try of each request, less where the device is known to answer sooner; every further
                try waits half as long again, counted from all of it.
            retries: tries after the first.
            budget_s: for the whole poll; then it reports what came.
        """
        if self._in_flight >= self._max_in_flight:
            self._waiting.append((target, on_polled, slow, timeout_s, retries, budget_s))
        else:
            self._start(target, on_polled, slow, timeout_s, retries, budget_s)

    def run(self, exchange: Exchange, on_polled: OnPolled, *, timeout_s: float, retries: int, budget_s: float) -> None:
        """Runs something else than a poll at once, however many polls wait; arguments as of `poll`."""
        self._in_flight += 1
        self._step(Conversation(exchange, on_polled, timeout_s, retries, self._clock(), budget_s), Due())

    def close(self) -> None:
        """Frees the sockets; polls under way are forgotten without a callback."""
        for sock in self._sockets.values():
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)
            sock.close()
        self._sockets.clear()
        self._pending.clear()
        self._waiting.clear()
        self._in_flight = 0
        if self._timer is not None:
            self._timer.cancel()

    # ---- sending

    def _start(
        self, target: Target, on_polled: OnPolled, slow: bool, timeout_s: float, retries: int, budget_s: float
    ) -> None:
        self._in_flight += 1
        session = target.begin(slow)
        self._step(Conversation(session, on_polled, timeout_s, retries, self._clock(), budget_s), Due())

    def _step(self, conversation: Conversation, event: Event) -> None:
        try:
            command = conversation.session.machine.handle(event)
        except Exception as error:
            self._finish(conversation, Report(None), error)
            return
        if isinstance(command, Report):
            self._finish(conversation, command)
        else:
            self._send_new(conversation, command)

    def _send_new(self, conversation: Conversation, command: Send) -> None:
        request_id = self._next_id()
        conversation.seal(command, request_id, self._clock())
        self._pending[request_id] = conversation
        self._send(conversation)

    def _send(self, conversation: Conversation) -> None:
        now = self._clock()
        tried = conversation.tries - conversation.tries_left
        conversation.tries_left -= 1
        conversation.requests += 1
        conversation.sent_at = now
        if tried or conversation.command.pdu is not Pdu.GET:
            patience_s = conversation.timeout_s * 1.5**tried  # walks take longer than what the round trip tells
        else:
            patience_s = conversation.target.patience_s(conversation.timeout_s)
        deadline = now + patience_s
        deadline = conversation.deadline = min(deadline, conversation.budget_ends)
        self._deadlines.add(conversation.request_id, deadline)
        if self._timer is None or deadline < self._timer_at:
            self._arm()
        counters = self.counters
        if tried:
            conversation.retries += 1
            counters.retried += 1
        address = conversation.target.address
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        if self._unsent.get(family):
            self._unsent[family].append(conversation)
            return
        try:
            self._socket(family).sendto(conversation.datagram, address)
            counters.sent += 1
        except (BlockingIOError, InterruptedError):
            self._unsent.setdefault(family, deque()).append(conversation)
            self._loop.add_writer(self._sockets[family], self._on_writable, family)
        except OSError:
            counters.unsendable += 1  # no route, say: the deadline decides, routes come back

    def _on_writable(self, family: int) -> None:
        queue = self._unsent[family]
        sock = self._sockets[family]
        while queue:
            conversation = queue[0]
            if self._pending.get(conversation.request_id) is conversation:
                try:
                    sock.sendto(conversation.datagram, conversation.target.address)
                    self.counters.sent += 1
                except (BlockingIOError, InterruptedError):
                    return
                except OSError:
                    self.counters.unsendable += 1
            queue.popleft()
        self._loop.remove_writer(sock)

    def _socket(self, family: int) -> socket.socket:
        sock = self._sockets.get(family)
        if sock is None:
            sock = socket.socket(family, socket.SOCK_DGRAM)
            sock.setblocking(False)
            for option in (_SO_RCVBUFFORCE, socket.SO_RCVBUF):  # the first needs CAP_NET_ADMIN
                with contextlib.suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, option, _RECEIVE_BUFFER)
                    break
            # More replies than the buffer holds would be dropped unread, and asked for again.
            room = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // _KERNEL_COST_OF_A_REPLY
            self._max_in_flight = min(self._max_in_flight, max(_SMALLEST_WINDOW, room))
            sock.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", 0))  # noqa: S104 - replies come to any
            self._sockets[family] = sock
            self._loop.add_reader(sock, self._on_readable, sock)
        return sock

    def _next_id(self) -> int:
        while True:
            self._last_id = (self._last_id * self._multiplier + self._increment) & 0x7FFFFFFF
            request_id = self._last_id
            if request_id >= FIRST_ID and request_id not in self._pending:
                return request_id

    # ---- receiving

    def _on_readable(self, sock: socket.socket) -> None:
        self._drain(sock, _DATAGRAMS_PER_WAKE)

    def _drain(self, sock: socket.socket, at_most: int) -> None:
        receive = sock.recvfrom
        for _ in range(at_most):
            try:
                data, source = receive(_LARGEST)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                continue  # an ICMP error of an earlier datagram; the deadline tells whose
            self._receive(data, source)

    def _receive(self, data: bytes, source: Address) -> None:
        if is_v3(data):
            self._receive_v3(data, source)
            return
        counters = self.counters
        try:
            envelope = open_envelope(data)
        except DecodeError:
            counters.garbled += 1
            return
        if envelope.pdu != Pdu.RESPONSE:
            counters.foreign += 1
            return
        conversation = self._asked(envelope.request_id, source)
        if conversation is None:
            return
        target = conversation.target
        if target.security is None and (envelope.community, envelope.version) == (
            target.community,
            target.manners.version,
        ):
            self._take(conversation, envelope, data)
        else:
            counters.foreign += 1

    def _receive_v3(self, data: bytes, source: Address) -> None:
        counters = self.counters
        try:
            sealed = open_sealed(data)
        except DecodeError:
            counters.garbled += 1
            return
        conversation = self._asked(sealed.message_id, source)
        if conversation is None:
            return
        security, now = conversation.target.security, self._clock()
        if security is None:
            counters.foreign += 1
            return
        try:
            envelope, body = security.open(sealed, data, now)
            if envelope.pdu == Pdu.REPORT:
                security.report(envelope, sealed, body, now)
                self._try_again(conversation)
            elif envelope.pdu == Pdu.RESPONSE and envelope.request_id == conversation.request_id:
                self._take(conversation, envelope, body)
            else:
                counters.foreign += 1
        except DecodeError:
            counters.garbled += 1
        except RefusedError as refusal:
            del self._pending[conversation.request_id]
            counters.refused += 1
            self._finish(conversation, Report(None), refusal)

    def _asked(self, number: int, source: Address) -> Conversation | None:
        """The conversation that waits for this reply; None after counting why there is none."""
        conversation = self._pending.get(number)
        if conversation is None:
            self.counters.late += 1
            return None
        if source[:2] != conversation.target.address and not conversation.target.any_source:
            conversation.foreign_seen = True
            self.counters.foreign += 1
            return None
        return conversation

    def _try_again(self, conversation: Conversation) -> None:
        """The engine introduced itself, or told us its time: the same question once more, sealed anew."""
        del self._pending[conversation.request_id]
        conversation.reports += 1
        if conversation.reports > _REPORTS_AT_MOST:
            self._finish(conversation, Report(None), RefusedError("usmStatsNotInTimeWindows", _NO_AGREEMENT))
        else:
            self._send_new(conversation, conversation.command)

    def _take(self, conversation: Conversation, envelope: Envelope, data: bytes) -> None:
        """The answer to what was asked, whose variables lie in ``data``."""
        values: list[Value] = []
        varbinds: list[Varbind] = []
        try:
            if envelope.status == 0:
                command = conversation.command
                if command.steady:
                    known = conversation.target.layouts
                    values = read_values(data, envelope.start, envelope.end, command.names, known)
                elif command.pdu is Pdu.GET:
                    values = decode_values(data, envelope.start, envelope.end, command.names)
                else:
                    varbinds = decode_varbinds(data, envelope.start, envelope.end)
        except DecodeError:
            self.counters.garbled += 1
            return
        del self._pending[conversation.request_id]
        self.counters.answered += 1
        conversation.reports = 0
        now = self._clock()
        if conversation.tries_left == conversation.tries - 1:
            conversation.rtt_s = now - conversation.sent_at
            conversation.target.met(conversation.rtt_s)
        self._step(conversation, Answered(values, varbinds, envelope.status, envelope.index))
        # Out of time, an answer is still taken, but nothing more is asked.
        if now >= conversation.budget_ends and self._pending.pop(conversation.request_id, None) is conversation:
            self._step(conversation, OutOfTime())

    # ---- time

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        at = self._deadlines.next_at()
        if at is not None:
            self._timer_at = at
            self._timer = self._loop.call_later(max(0.0, at - self._clock()), self._on_time)

    def _on_time(self) -> None:
        for sock in self._sockets.values():
            # What came in time must not be late because we are.
            self._drain(sock, _ALL)
        now = self._clock()
        for request_id, deadline in self._deadlines.due(now):
            conversation = self._pending.get(request_id)
            if conversation is not None and conversation.deadline <= deadline:
                self._expire(conversation, now)
        self._arm()

    def _expire(self, conversation: Conversation, now: float) -> None:
        if conversation.foreign_seen:
            conversation.target.any_source = True
        if now >= conversation.budget_ends:
            self.counters.timeouts += 1
            del self._pending[conversation.request_id]
            self._step(conversation, OutOfTime())
        elif conversation.tries_left > 0:
            self._send(conversation)
        else:
            self.counters.timeouts += 1
            conversation.target.missed()
            del self._pending[conversation.request_id]
            self._step(conversation, TimedOut())

    # ---- the end

    def _finish(
        self, conversation: Conversation, report: Report[Findings | Fetched], error: Exception | None = None
    ) -> None:
        self._in_flight -= 1
        readings: Readings | None = None
        if error is None:
            try:
                readings = conversation.session.finish(report.outcome)
            except Exception as fault:
                error = fault
        polled = Polled(
            readings,
            conversation.requests,
            conversation.retries,
            conversation.rtt_s,
            self._clock() - conversation.started,
            error,
        )
        try:
            conversation.on_polled(conversation.target, polled)
        finally:
            if self._waiting and self._in_flight < self._max_in_flight:
                self._loop.call_soon(self._start_waiting)

    def _start_waiting(self) -> None:
        while self._waiting and self._in_flight < self._max_in_flight:
            self._start(*self._waiting.popleft())
