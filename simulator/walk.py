"""Replays a recorded walk (``.snmprec``) as an SNMP v1 and v2c agent.

A line is ``OID|tag|value``: the tag is the ASN.1 number, a suffix ``x`` means hexadecimal, ``e`` a quoted text with
escapes, and ``:module`` a moving value (snmpsim's variation modules; ``numeric`` is understood, others hold still).
The first of repeated identifiers counts.
"""

import asyncio
import bisect
import codecs
import contextlib
import re
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from collectors.errors import DecodeError
from collectors.snmp import ber
from collectors.snmp.message import (
    VERSION_1,
    ErrorStatus,
    Message,
    Pdu,
    Value,
    Varbind,
    decode_message,
    encode_message,
    encode_varbinds,
)
from simulator.errors import SimulationError

_LARGEST_REPLY: Final = 1_400  # of a GETBULK; agents stay below the MTU
_LARGEST_DATAGRAM: Final = 60_000
_REPETITIONS_AT_MOST: Final = 1_000
_COUNTS: Final = frozenset({ber.COUNTER32, ber.COUNTER64, ber.TIME_TICKS})

Arcs = tuple[int, ...]
Moving = Callable[[float], int]


class RecordedAgent:
    """Answers from one recording.

    Args:
        rows: identifier, tag and value (a function of the seconds since start where it moves), in any order.
        community: the only one answered; None answers all.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        rows: dict[Arcs, tuple[int, Value | Moving]],
        *,
        community: bytes | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._community = community
        self._clock = clock
        self._started = clock()
        self._arcs = sorted(rows)
        self._oids = [encode_arcs(arcs) for arcs in self._arcs]
        self._values = [rows[arcs] for arcs in self._arcs]
        self._at = {name: at for at, name in enumerate(self._oids)}

    @classmethod
    def read(cls, path: Path, *, community: bytes | None = None) -> "RecordedAgent":
        """The recording in a file.

        Raises:
            SimulationError: with file and line, where a line is none.
        """
        rows: dict[Arcs, tuple[int, Value | Moving]] = {}
        for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
            line = line.rstrip(b"\r")
            if not line or line.startswith(b"#"):
                continue
            try:
                arcs, tag, value = _parse(line)
            except (ValueError, DecodeError) as error:
                raise SimulationError(f"{path}:{number}: {error}. A line is OID|tag|value.") from None
            rows.setdefault(arcs, (tag, value))
        return cls(rows, community=community)

    def answer(self, datagram: bytes) -> bytes | None:
        """The reply to a request; None to garbage, foreign communities and what is no request."""
        try:
            message = decode_message(datagram)
        except DecodeError:
            return None
        if self._community is not None and message.community != self._community:
            return None
        match message.pdu:
            case Pdu.GET:
                varbinds = [self._get(oid) for oid, _, _ in message.varbinds]
            case Pdu.GET_NEXT:
                varbinds = [self._next(oid) for oid, _, _ in message.varbinds]
            case Pdu.GET_BULK if message.version != VERSION_1:
                varbinds = self._bulk(message)
            case Pdu.SET:
                return _refusal(message, ErrorStatus.NOT_WRITABLE, 1)
            case _:
                return None
        if message.version == VERSION_1:
            # v1 knows neither exceptions nor 64 bits: RFC 3584 section 4.2.2.
            for at, (_, tag, _) in enumerate(varbinds, 1):
                if tag in ber.EXCEPTIONS or tag == ber.COUNTER64:
                    return _refusal(message, ErrorStatus.NO_SUCH_NAME, at)
        reply = _reply(message, varbinds)
        return reply if len(reply) <= _LARGEST_DATAGRAM else _refusal(message, ErrorStatus.TOO_BIG, 0)

    def _get(self, oid: bytes) -> Varbind:
        at = self._at.get(oid)
        if at is not None:
            return self._varbind(at)
        # Something else lives under the same object: the instance is what is missing.
        parent = oid[:-1]
        near = bisect.bisect_left(self._oids, parent) if parent else 0
        known = any(name.startswith(parent) for name in self._oids[near : near + 2])
        return oid, ber.NO_SUCH_INSTANCE if known else ber.NO_SUCH_OBJECT, None

    def _next(self, oid: bytes) -> Varbind:
        at = self._after(oid)
        return self._varbind(at) if at < len(self._oids) else (oid, ber.END_OF_MIB_VIEW, None)

    def _after(self, oid: bytes) -> int:
        at = self._at.get(oid)
        if at is not None:
            return at + 1
        try:
            arcs = ber.decode_arcs(oid)
        except DecodeError:
            return len(self._oids)
        return bisect.bisect_right(self._arcs, arcs)

    def _varbind(self, at: int) -> Varbind:
        tag, value = self._values[at]
        if callable(value):
            value = value(self._clock() - self._started)
        return self._oids[at], tag, value

    def _bulk(self, message: Message) -> list[Varbind]:
        once = max(0, message.status)
        repetitions = max(0, min(message.index, _REPETITIONS_AT_MOST))
        names = [oid for oid, _, _ in message.varbinds]
        varbinds = [self._next(oid) for oid in names[:once]]
        size = 60 + sum(len(encode_varbinds([varbind])) for varbind in varbinds)
        cursors = names[once:]
        for _ in range(repetitions if cursors else 0):
            ended = True
            for column, oid in enumerate(cursors):
                varbind = self._next(oid)
                size += len(encode_varbinds([varbind])) - 2
                if size > _LARGEST_REPLY and varbinds:
                    return varbinds
                varbinds.append(varbind)
                cursors[column] = varbind[0]
                ended = ended and varbind[1] == ber.END_OF_MIB_VIEW
            if ended:
                break
        return varbinds


def encode_arcs(arcs: Arcs) -> bytes:
    """Octets of sub-identifiers whose first two are already joined (as BER has them)."""
    return b"".join(map(ber.encode_arc, arcs))


def _reply(message: Message, varbinds: list[Varbind]) -> bytes:
    return encode_message(
        message.version, message.community, Pdu.RESPONSE, message.request_id, encode_varbinds(varbinds)
    )


def _refusal(message: Message, status: ErrorStatus, index: int) -> bytes:
    if message.version == VERSION_1 and status > ErrorStatus.GEN_ERR:
        status = ErrorStatus.NO_SUCH_NAME
    varbinds = [] if status == ErrorStatus.TOO_BIG else [(oid, ber.NULL, None) for oid, _, _ in message.varbinds]
    return encode_message(
        message.version,
        message.community,
        Pdu.RESPONSE,
        message.request_id,
        encode_varbinds(varbinds),
        status=status,
        index=index,
    )


def _parse(line: bytes) -> tuple[Arcs, int, Value | Moving]:
    parts = line.split(b"|", 2)
    if len(parts) != 3:
        raise ValueError("two bars are missing")
    name, kind, raw = parts[0].decode("ascii"), parts[1].decode("ascii"), parts[2]
    arcs = ber.decode_arcs(ber.encode_oid(name))
    kind, _, module = kind.partition(":")
    form = kind[len(kind.rstrip("xe")) :]
    tag = _tag(int(kind[: len(kind) - len(form)]))
    if module:
        return arcs, tag, _moving(tag, raw.decode("utf-8", "replace"))
    if form == "x":
        digits = raw.decode("ascii").strip()
        raw = bytes.fromhex(digits[: len(digits) // 2 * 2])  # some recorders cut the last digit off
    elif form == "e":
        raw = _unescape(raw)
    return arcs, tag, _value(tag, raw, form)


def _tag(number: int) -> int:
    if number not in {2, 4, 5, 6, *range(64, 72)}:
        raise ValueError(f"{number} is no type of SNMP")
    return number


def _value(tag: int, raw: bytes, form: str) -> Value:
    if tag == ber.NULL:
        return None
    if tag == ber.INTEGER or tag in ber.UNSIGNED:
        if form != "x" and (digits := re.search(rb"[-+]?\d+", raw)):
            raw = digits[0]  # mended by hand or masked by whoever published it
        number = int.from_bytes(raw, "big", signed=tag == ber.INTEGER) if form == "x" else int(raw)
        # Agents are recorded with counters beyond their type; on the wire they would have wrapped.
        if tag in ber.UNSIGNED:
            number %= 1 << (64 if tag == ber.COUNTER64 else 32)
        return number
    if tag == ber.OBJECT_IDENTIFIER and form != "x":
        text = raw.decode("ascii").strip(" .:")
        return ber.encode_oid(text) if text else b"\x00"
    if tag == ber.IP_ADDRESS and form != "x":
        with contextlib.suppress(OSError, UnicodeDecodeError):
            return socket.inet_aton(raw.decode("ascii"))
    return raw


def _unescape(raw: bytes) -> bytes:
    """Snmpsim's ``4e``: a quoted text with backslash escapes, of characters or octets."""
    text = raw.decode("utf-8", "surrogateescape")
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1]
    octets, _ = codecs.escape_decode(text.encode("utf-8", "surrogateescape"))
    return bytes(octets)


def _moving(tag: int, text: str) -> Moving | int:
    """Snmpsim's numeric module: ``rate`` per second from ``initial`` (or ``offset``), bounded by min and max."""
    settings: dict[str, float] = {}
    for item in text.split(","):
        key, _, value = item.partition("=")
        with contextlib.suppress(ValueError):
            settings[key.strip()] = float(value)
    start = settings.get("initial", settings.get("offset", settings.get("min", 0.0)))
    rate = settings.get("rate", 0.0) * (settings.get("scale", 1.0) or 1.0)
    lowest = settings.get("min", 0.0)
    widest = float((1 << 64) - 1 if tag == ber.COUNTER64 else (1 << 31) - 1 if tag == ber.INTEGER else (1 << 32) - 1)
    highest = settings.get("max", widest)
    wraps = bool(settings.get("wrap", 0.0)) or tag in _COUNTS

    def now(elapsed_s: float) -> int:
        value = start + rate * elapsed_s
        if value > highest:
            value = lowest + (value - lowest) % (highest - lowest + 1) if wraps else highest
        return int(max(lowest, value))

    return now


async def serve(path: Path, host: str, port: int, *, community: bytes | None = None) -> asyncio.DatagramTransport:
    """Serves a recording until the returned transport is closed; its socket's name tells a port chosen by 0.

    Raises:
        SimulationError: the file is no recording.
        OSError: the address is taken or not ours.
    """
    agent = RecordedAgent.read(path, community=community)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Server(agent), local_addr=(host, port)
    )
    return transport


class _Server(asyncio.DatagramProtocol):
    def __init__(self, agent: RecordedAgent) -> None:
        self._agent = agent
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        reply = self._agent.answer(data)
        if reply is not None and self._transport is not None:
            self._transport.sendto(reply, addr)
