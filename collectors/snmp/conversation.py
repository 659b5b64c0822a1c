"""One poll under way as the transport keeps it, and its questions as octets."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Protocol

from collectors.snmp import ber
from collectors.snmp.message import Names, Pdu
from collectors.snmp.poll import Poll, Send
from collectors.snmp.target import Target
from health.reading import Readings

FIRST_ID: Final = 1 << 24
"""Request ids have four octets whose leading one is not zero: a constant length, so that requests are templates."""


@dataclass(frozen=True, slots=True)
class Polled:
    """The end of one poll.

    Args:
        readings: None where the device stayed silent.
        requests: sent, retries included.
        rtt_s: of the last request that was answered at its first try; None without one.
        error: a `RefusedError` of the device's own words, or a fault of ours that its answers laid bare. The device
            did answer; the others go on; the caller decides.
    """

    readings: Readings | None
    requests: int
    retries: int
    rtt_s: float | None
    duration_s: float
    error: Exception | None = None


OnPolled = Callable[[Target, Polled], None]


class Exchange(Protocol):
    """What the transport runs with a device: a poll's session, or an errand."""

    target: Target
    machine: Poll[Any]

    def finish(self, outcome: Any) -> Readings | None: ...


class Conversation:
    """An exchange under way."""

    __slots__ = (
        "budget_ends",
        "command",
        "datagram",
        "deadline",
        "foreign_seen",
        "on_polled",
        "reports",
        "request_id",
        "requests",
        "retries",
        "rtt_s",
        "sent_at",
        "session",
        "started",
        "target",
        "timeout_s",
        "tries",
        "tries_left",
    )

    def __init__(
        self, session: Exchange, on_polled: OnPolled, timeout_s: float, retries: int, now: float, budget_s: float
    ) -> None:
        self.session = session
        self.target = session.target
        self.on_polled = on_polled
        self.timeout_s = timeout_s
        self.tries = retries + 1
        self.started = now
        self.budget_ends = now + budget_s
        self.tries_left = 0
        self.requests = 0
        self.retries = 0
        self.rtt_s: float | None = None
        self.request_id = 0
        self.deadline = 0.0
        self.sent_at = 0.0
        self.datagram = b""
        self.command: Send
        self.reports = 0
        self.foreign_seen = False

    def seal(self, command: Send, request_id: int, now: float) -> None:
        """Put a command into octets: the datagram of every try until it is answered."""
        target = self.target
        self.command, self.request_id, self.tries_left, self.foreign_seen = command, request_id, self.tries, False
        if target.security is not None:
            self.datagram = target.security.seal(
                command.pdu, request_id, command.names.encoded, command.repetitions, now
            )
            return
        template = _template if command.steady else _template.__wrapped__
        head, tail = template(target.manners.version, target.community, command.pdu, command.names, command.repetitions)
        self.datagram = head + request_id.to_bytes(4, "big") + tail


def is_v3(data: bytes) -> bool:
    """Whether a message says version 3, without reading it twice."""
    at = 2 + (data[1] & 0x7F if len(data) > 1 and data[1] >= 0x80 else 0)
    return data[at : at + 3] == b"\x02\x01\x03"


@lru_cache(maxsize=4096)
def _template(version: int, community: bytes, pdu: Pdu, names: Names, repetitions: int) -> tuple[bytes, bytes]:
    """A message before and after its four octets of request id."""
    tail = ber.encode_integer(0) + ber.encode_integer(repetitions) + names.encoded
    head = b"\x02\x04"
    body = bytes((pdu,)) + ber.encode_length(len(head) + 4 + len(tail)) + head
    front = ber.encode_integer(version) + ber.encode_tlv(ber.OCTET_STRING, community) + body
    return bytes((ber.SEQUENCE,)) + ber.encode_length(len(front) + 4 + len(tail)) + front, tail
