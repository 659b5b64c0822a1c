"""The value language of personalities: a closed set of generators, compiled to functions of (device, time).

No value is stored. A counter is its rate times the uptime plus a daily wave whose slope never turns it back; a
gauge is a mean with a wave; both take their phase and level from a hash of the device's ordinal and the
generator's ``phase``, so two objects with one phase tell one story (free and used memory, 32- and 64-bit octets).
"""

import struct
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from math import pi, sin
from typing import Annotated, Final, Literal, Protocol
from zlib import crc32

from pydantic import BaseModel, ConfigDict, Field, model_validator

from collectors.snmp import ber

_DAY_S: Final = 86_400.0
_TURN: Final = 2 * pi / 2**32
_HALF: Final = 1 / 2**31


class Moment(Protocol):
    """One device at one time: all that a generator may look at."""

    ordinal: int
    at: float
    uptime_s: float
    life_s: float
    conditions: frozenset[str]

    @property
    def fields(self) -> Mapping[str, object]:
        """What text may mention: name, serial, model, site, id, vendor, place, ordinal and the model's own."""


Generator = Callable[[Moment], bytes]
"""Gives the encoded value, tag and length included."""


class Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Counter(Declared):
    """Counts ``rate`` per second, on average.

    Args:
        per: divides the rate: packets are octets per 500, say.
        variation: how far devices differ from the rate, as a share of it.
        swing: how deep the daily wave is, 0 to 1; at 1 the counter stands still at night.
        lifetime: counts since installation; a reboot does not reset it.
    """

    rate: float = Field(ge=0)
    per: float = Field(default=1, gt=0)
    bits: Literal[32, 64] = 32
    variation: float = Field(default=0.5, ge=0, le=1)
    swing: float = Field(default=0.6, ge=0, le=1)
    start: int = Field(default=0, ge=0)
    phase: str = ""
    lifetime: bool = False


class Gauge(Declared):
    """Stays within ``mean`` ± ``swing``: six tenths of it a wave of ``period`` seconds, four tenths the device."""

    mean: float
    swing: float = 0
    period: float = Field(default=3600, gt=0)
    phase: str = ""
    type: Literal["integer", "unsigned"] = "integer"
    least: int = 0


class Bits(Declared):
    """A bit string, the first bit being 0x80 of the first octet; a bit is set while its condition holds."""

    octets: int = Field(default=1, ge=1, le=8)
    while_: Annotated[Mapping[str, int], Field(alias="while", default_factory=dict)]


class ValueSpec(Declared):
    """One object's value: exactly one generator, and what replaces it while a condition holds (the first wins)."""

    text: str | None = None
    integer: int | None = None
    unsigned: int | None = None
    counter: Counter | None = None
    gauge: Gauge | None = None
    ticks: Literal["uptime"] | int | None = None
    seconds: Literal["uptime"] | None = None
    date: Literal["now"] | None = None
    oid: str | None = None
    mac: int | None = None
    hex: str | None = None
    bits: Bits | None = None
    when: Mapping[str, "ValueSpec"] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _exactly_one(self) -> "ValueSpec":
        given = [name for name in type(self).model_fields if name != "when" and getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"a value needs exactly one generator, not {', '.join(given) or 'none'}")
        return self


def compile_value(spec: ValueSpec, default_phase: str) -> bytes | Generator:
    """The encoded value where it is the same for every device at every time, else its generator.

    Args:
        default_phase: stands in where a counter or gauge names no phase.
    """
    usual = _plain(spec, default_phase)
    if not spec.when:
        return usual
    rules = tuple((condition, compile_value(other, default_phase)) for condition, other in spec.when.items())

    def conditional(moment: Moment) -> bytes:
        chosen = usual
        if moment.conditions:
            for condition, other in rules:
                if condition in moment.conditions:
                    chosen = other
                    break
        return chosen if isinstance(chosen, bytes) else chosen(moment)

    return conditional


def _plain(spec: ValueSpec, default_phase: str) -> bytes | Generator:
    if spec.text is not None:
        return _text(spec.text)
    if spec.integer is not None:
        return ber.encode_integer(spec.integer)
    if spec.unsigned is not None:
        return ber.encode_integer(spec.unsigned, ber.GAUGE32)
    if spec.counter is not None:
        return _counter(spec.counter, default_phase)
    if spec.gauge is not None:
        return _gauge(spec.gauge, default_phase)
    if spec.oid is not None:
        return _oid(spec.oid)
    if spec.mac is not None:
        return _mac(spec.mac)
    if spec.bits is not None:
        return _bits(spec.bits)
    if spec.hex is not None:
        return ber.encode_tlv(ber.OCTET_STRING, bytes.fromhex(spec.hex))
    if isinstance(spec.ticks, int):
        return ber.encode_integer(spec.ticks, ber.TIME_TICKS)
    if spec.ticks is not None:
        # RFC 2578 section 7.1.8: hundredths of a second modulo 2^32.
        return lambda moment: _number(int(moment.uptime_s * 100) & 0xFFFFFFFF, ber.TIME_TICKS)
    if spec.date is not None:
        return lambda moment: _date_and_time(datetime.fromtimestamp(moment.at, _CHINA))
    return lambda moment: ber.encode_integer(int(moment.uptime_s))


_CHINA: Final = timezone(timedelta(hours=8))


def _date_and_time(at: datetime) -> bytes:
    """DateAndTime of RFC 2579, with its zone."""
    octets = struct.pack(
        ">H6Bc2B", at.year, at.month, at.day, at.hour, at.minute, at.second, at.microsecond // 100_000, b"+", 8, 0
    )
    return ber.encode_tlv(ber.OCTET_STRING, octets)


_HEADS: Final = {(tag, length): bytes((tag, length)) for tag in ber.UNSIGNED for length in range(1, 10)}


def _number(number: int, tag: int) -> bytes:
    length = number.bit_length() // 8 + 1
    return _HEADS[tag, length] + number.to_bytes(length, "big")


def _text(template: str) -> bytes | Generator:
    if "{" not in template:
        return ber.encode_tlv(ber.OCTET_STRING, template.encode())
    fill = template.format_map
    return lambda moment: ber.encode_tlv(ber.OCTET_STRING, fill(moment.fields).encode())


def _oid(dotted: str) -> bytes | Generator:
    if "{" not in dotted:
        return ber.encode_tlv(ber.OBJECT_IDENTIFIER, ber.encode_oid(dotted))
    fill = dotted.format_map
    return lambda moment: ber.encode_tlv(ber.OBJECT_IDENTIFIER, ber.encode_oid(fill(moment.fields)))


def _counter(spec: Counter, default_phase: str) -> bytes | Generator:
    tag, mask = (ber.COUNTER64, 2**64 - 1) if spec.bits == 64 else (ber.COUNTER32, 2**32 - 1)
    rate, start, lifetime = spec.rate / spec.per, spec.start, spec.lifetime
    if not rate:
        return ber.encode_integer(start & mask, tag)
    key = crc32((spec.phase or default_phase).encode())
    vary = rate * spec.variation * _HALF
    low = rate * (1 - spec.variation)
    # The slope of t + swing·P/2π·sin(2πt/P) is 1 + swing·cos: never below 0.
    turn, depth = 2 * pi / _DAY_S, spec.swing * _DAY_S / (2 * pi)

    def count(moment: Moment) -> bytes:
        luck = (moment.ordinal * 2654435761 ^ key) * 2246822519 & 0xFFFFFFFF
        seconds = moment.life_s if lifetime else moment.uptime_s
        phase = luck * _TURN
        seconds += depth * (sin(turn * seconds + phase) - sin(phase))
        return _number(start + int((low + vary * luck) * seconds) & mask, tag)

    return count


def _gauge(spec: Gauge, default_phase: str) -> bytes | Generator:
    tag = ber.INTEGER if spec.type == "integer" else ber.GAUGE32
    if not spec.swing:
        return ber.encode_integer(int(spec.mean), tag)
    key = crc32((spec.phase or default_phase).encode())
    mean, wave, level, least = spec.mean, 0.6 * spec.swing, 0.4 * spec.swing * _HALF, spec.least
    base, turn = mean - 0.4 * spec.swing, 2 * pi / spec.period

    def read(moment: Moment) -> bytes:
        luck = (moment.ordinal * 2654435761 ^ key) * 2246822519 & 0xFFFFFFFF
        number = int(base + level * luck + wave * sin(turn * moment.life_s + luck * _TURN))
        return ber.encode_integer(number if number > least else least, tag)

    return read


def _mac(interface: int) -> Generator:
    # Locally administered (02-): no vendor's prefix is claimed for a device that does not exist.
    def address(moment: Moment) -> bytes:
        return ber.encode_tlv(
            ber.OCTET_STRING, b"\x02" + moment.ordinal.to_bytes(4, "big") + bytes((interface & 0xFF,))
        )

    return address


def _bits(spec: Bits) -> bytes | Generator:
    width = spec.octets * 8
    masks = tuple((condition, 1 << (width - 1 - bit)) for condition, bit in spec.while_.items())
    none = ber.encode_tlv(ber.OCTET_STRING, bytes(spec.octets))

    def bits(moment: Moment) -> bytes:
        if not moment.conditions:
            return none
        number = sum(mask for condition, mask in masks if condition in moment.conditions)
        return ber.encode_tlv(ber.OCTET_STRING, number.to_bytes(spec.octets, "big"))

    return bits
