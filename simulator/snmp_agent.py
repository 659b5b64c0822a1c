"""One SNMP agent for a whole county: bytes and a device's ordinal in, bytes out. No sockets here.

`simulator.loopback` listens for every address at once and hands over which device was asked. What an answer
holds is a function of the device's personality, its ordinal and the time; nothing is kept per device but one
octet that says which personality it has.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from collectors.errors import DecodeError
from collectors.snmp import ber
from collectors.snmp.message import (
    VERSION_1,
    ErrorStatus,
    Message,
    Pdu,
    decode_message,
    encode_message,
    encode_varbinds,
)
from simulator.county import County
from simulator.downlinks import with_downlinks, with_uplinks
from simulator.graph import Terminal
from simulator.mib import Mib
from simulator.personality import Personality, personalities

_FALLBACK: Final = "generic"
_MOST_REPETITIONS: Final = 1000


@dataclass(slots=True)
class Counts:
    """What the agent saw since it started."""

    requests: int = 0
    answered: int = 0
    malformed: int = 0
    foreign: int = 0
    """Wrong community, or no request at all."""
    unheard: int = 0
    """Asked of a device that is silent, or lost on the way."""


class _Moment:
    """One device at one time (`simulator.values.Moment`)."""

    __slots__ = ("_personality", "_terminal", "at", "conditions", "life_s", "ordinal", "uptime_s")

    def __init__(self, county: County, personality: Personality, ordinal: int, now: float) -> None:
        self.ordinal, self.at = ordinal, now
        self.uptime_s = county.uptime_s(ordinal, now)
        self.life_s = county.life_s(ordinal, now)
        self.conditions = county.conditions(ordinal)
        self._terminal: Terminal = county.graph.terminals[ordinal]
        self._personality = personality

    @property
    def fields(self) -> Mapping[str, object]:
        terminal = self._terminal
        return {
            "name": terminal.name,
            "serial": terminal.serial or self._personality.serial.format(ordinal=terminal.ordinal),
            "model": terminal.model,
            "site": terminal.site_id,
            "id": terminal.device_id,
            "vendor": terminal.vendor,
            "place": terminal.place or terminal.site_id,
            "ordinal": terminal.ordinal,
            **self._personality.model_fields(terminal.model),
        }


class Agent:
    """Answers v1 and v2c GET, GETNEXT and GETBULK for every device of a county.

    Args:
        community: requests with another one get no answer, as on real devices.
        chance: 0 to 1, for lossy devices.
    """

    def __init__(
        self,
        county: County,
        *,
        community: bytes = b"public",
        kinds: Sequence[Personality] | None = None,
        chance: Callable[[], float] | None = None,
    ) -> None:
        self.county = county
        self.counts = Counts()
        self._community = community
        self._chance = chance or Random(0).random
        self._kinds = tuple(personalities() if kinds is None else kinds)
        self._kind_of = _kinds_of(self._kinds, county.graph.terminals)
        self._below = _routers_below(county.graph.terminals)
        self._with_lines: dict[int, Personality] = {}  # routers at which lines end, once they were asked

    def personality(self, ordinal: int) -> Personality:
        below = self._below.get(ordinal)
        several = len(self.county.graph.terminals[ordinal].uplink_ports) > 1
        if below is None and not several:
            return self._kinds[self._kind_of[ordinal]]
        known = self._with_lines.get(ordinal)
        if known is None:
            known = self._kinds[self._kind_of[ordinal]]
            if several:
                known = with_uplinks(known, self.county, ordinal)
            if below is not None:
                known = with_downlinks(known, self.county, ordinal, below)
            self._with_lines[ordinal] = known
        return known

    def answer(self, datagram: bytes, ordinal: int) -> bytes | None:
        """The device's answer; None where it would give none. Never raises, whatever the datagram holds."""
        counts, county = self.counts, self.county
        counts.requests += 1
        if county.silent(ordinal) or (county.troubled(ordinal) and self._chance() < county.loss(ordinal)):
            counts.unheard += 1
            return None
        try:
            message = decode_message(datagram)
        except DecodeError:
            counts.malformed += 1
            return None
        if message.community != self._community or message.pdu not in _ANSWERED:
            counts.foreign += 1
            return None
        personality = self.personality(ordinal)
        moment = _Moment(county, personality, ordinal, county.clock())
        match message.pdu:
            case Pdu.GET_BULK:
                if message.version == VERSION_1:
                    counts.malformed += 1
                    return None
                answer = self._bulk(message, personality, moment)
            case Pdu.SET:
                refusal = ErrorStatus.NO_SUCH_NAME if message.version == VERSION_1 else ErrorStatus.NOT_WRITABLE
                answer = _refusal(message, refusal, 1)
            case _:
                answer = _get(message, personality, moment)
        counts.answered += 1
        return answer

    @staticmethod
    def _bulk(message: Message, personality: Personality, moment: _Moment) -> bytes:
        """RFC 3416 section 4.2.3: as many rows as fit into the largest message, and no more."""
        mib = personality.mib
        room = personality.max_message - 64 - len(message.community)
        single = min(max(message.status, 0), len(message.varbinds))
        varbinds: list[bytes] = []
        for oid, _, _ in message.varbinds[:single]:
            found = _next(mib, oid, moment)
            room -= len(found)
            if room < 0:
                return _response(message, varbinds)
            varbinds.append(found)
        names = [oid for oid, _, _ in message.varbinds[single:]]
        positions = [mib.after(oid) for oid in names]
        end = len(mib)
        for _ in range(min(message.index, _MOST_REPETITIONS) if names else 0):
            ended = max(positions) >= end
            row = _last_row(mib, names, positions, moment) if ended else mib.row(positions, moment)
            room -= sum(map(len, row))
            if room < 0:
                while room < 0:
                    room += len(row.pop())
                varbinds += row
                break
            varbinds += row
            if ended and min(positions) >= end:
                break
            positions = [position + 1 for position in positions]
        return _response(message, varbinds)


_ANSWERED: Final = frozenset({Pdu.GET, Pdu.GET_NEXT, Pdu.GET_BULK, Pdu.SET})


def _kinds_of(kinds: Sequence[Personality], terminals: Iterable[Terminal]) -> bytes:
    """Which personality each terminal has: of its profile (shared out by ordinal), else the generic one."""
    fitting: dict[str, list[int]] = {}
    for index, kind in enumerate(kinds):
        fitting.setdefault(kind.profile, []).extend([index] * kind.share)
    others = fitting.get(_FALLBACK, [0])
    chosen = bytearray()
    for terminal in terminals:
        mine = fitting.get(terminal.profile, others)
        chosen.append(mine[terminal.ordinal % len(mine)])
    return bytes(chosen)


def _routers_below(terminals: Iterable[Terminal]) -> dict[int, list[int]]:
    """For each router that has lines to others, those below."""
    below: dict[int, list[int]] = {}
    for terminal in terminals:
        if terminal.device_class == "router":
            for uplink in terminal.uplinks:
                below.setdefault(uplink, []).append(terminal.ordinal)
    return below


def _get(message: Message, personality: Personality, moment: _Moment) -> bytes:
    mib, old = personality.mib, message.version == VERSION_1
    varbinds: list[bytes] = []
    for number, (oid, _, _) in enumerate(message.varbinds, 1):
        if message.pdu == Pdu.GET_NEXT:
            position: int | None = mib.after(oid)
            while old and position is not None and position < len(mib) and _is_counter64(mib.varbind(position, moment)):
                position += 1  # RFC 2576 section 4.2.2.1: v1 cannot carry it, so it is not there
        else:
            position = mib.find(oid)
        if position is not None and position < len(mib):
            found = mib.varbind(position, moment)
            if not (old and _is_counter64(found)):
                varbinds.append(found)
                continue
        if old:
            return _refusal(message, ErrorStatus.NO_SUCH_NAME, number)
        if message.pdu == Pdu.GET_NEXT:
            varbinds.append(_exception(oid, ber.END_OF_MIB_VIEW))
        else:
            varbinds.append(_exception(oid, ber.NO_SUCH_INSTANCE if mib.knows(oid) else ber.NO_SUCH_OBJECT))
    answer = _response(message, varbinds)
    if len(answer) <= personality.max_message:
        return answer
    return _refusal(message, ErrorStatus.TOO_BIG, 0, empty=not old)


def _last_row(mib: Mib, names: list[bytes], positions: list[int], moment: _Moment) -> list[bytes]:
    """A row in which at least one column is behind the last object: it says so, with the last name it had."""
    last = mib.oids[-1]
    return [
        mib.varbind(position, moment)
        if position < len(mib)
        else _exception(oid if mib.after(oid) >= len(mib) else last, ber.END_OF_MIB_VIEW)
        for oid, position in zip(names, positions, strict=True)
    ]


def _next(mib: Mib, oid: bytes, moment: _Moment) -> bytes:
    position = mib.after(oid)
    return mib.varbind(position, moment) if position < len(mib) else _exception(oid, ber.END_OF_MIB_VIEW)


def _exception(oid: bytes, tag: int) -> bytes:
    return ber.encode_tlv(ber.SEQUENCE, ber.encode_tlv(ber.OBJECT_IDENTIFIER, oid) + bytes((tag, 0)))


def _is_counter64(varbind: bytes) -> bool:
    _, start, _ = ber.read_header(varbind, 0)
    _, _, value = ber.read_header(varbind, start)
    return varbind[value] == ber.COUNTER64


def _refusal(message: Message, status: ErrorStatus, index: int, *, empty: bool = False) -> bytes:
    """An error: the request's own names back, or none (RFC 3416: tooBig of v2c carries none)."""
    names = encode_varbinds([] if empty else message.varbinds)
    return encode_message(message.version, message.community, Pdu.RESPONSE, message.request_id, names, status, index)


def _response(message: Message, varbinds: list[bytes]) -> bytes:
    field = ber.encode_tlv(ber.SEQUENCE, b"".join(varbinds))
    return encode_message(message.version, message.community, Pdu.RESPONSE, message.request_id, field)
