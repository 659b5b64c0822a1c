"""One raw value to one reading: the steps of `inventory.profiles.Source`, compiled into a closure."""

import math
import re
import struct
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Final

from collectors.errors import DecodeError
from collectors.snmp import ber
from collectors.snmp.message import Value
from inventory.profiles import Scalar, Source

Reading = str | bool | int | float | tuple[str, ...] | None
Convert = Callable[[Value], Reading]

_OPAQUE_FLOAT: Final = b"\x9f\x78\x04"  # net-snmp's Opaque-wrapped IEEE 754 single
_OPAQUE_DOUBLE: Final = b"\x9f\x79\x08"
_LEADING_NUMBER: Final = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


def text(raw: Value) -> str | None:
    """UTF-8, else GB18030 (Chinese devices), else the same octets as Latin-1; trailing NULs are dropped.

    Some agents cut UTF-8 inside a character: up to three octets at the end are given up for it.
    """
    if raw is None:
        return None
    if isinstance(raw, int):
        return str(raw)
    raw = raw.rstrip(b"\x00")
    try:
        return raw.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data" and error.start >= len(raw) - 3 and error.start > 0:
            return raw[: error.start].decode("utf-8").strip()
    try:
        return raw.decode("gb18030").strip()
    except UnicodeDecodeError:
        return raw.decode("latin-1").strip()


def number(raw: Value) -> int | float | None:
    """A number as such, an Opaque float of net-snmp, or digits sent as text."""
    if isinstance(raw, int) or raw is None:
        return raw
    if raw.startswith(_OPAQUE_FLOAT) and len(raw) == 7:
        return _finite(struct.unpack(">f", raw[3:])[0])
    if raw.startswith(_OPAQUE_DOUBLE) and len(raw) == 11:
        return _finite(struct.unpack(">d", raw[3:])[0])
    try:
        return _finite(float(raw))
    except ValueError:
        return None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def text_number(raw: Value) -> int | float | None:
    """The first number in a text: ``-87 dBm``, ``15 PERCENT``, ``"262.355 MB``."""
    if isinstance(raw, int) or raw is None:
        return raw
    found = _LEADING_NUMBER.search(text(raw) or "")
    if found is None:
        return None
    value = float(found[0])
    return int(value) if value.is_integer() and "." not in found[0] else _finite(value)


_SIZE: Final = re.compile(r"([-+]?\d+(?:\.\d+)?)\s*([KMGTP]?)(?:i?B)?(?![A-Za-z])", re.IGNORECASE)
_POWERS: Final = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5}


def size(raw: Value) -> int | None:
    """The first size in a text, in bytes, by powers of 1024: ``262.355 MB``, ``8089344kB``. Plain numbers as such."""
    if isinstance(raw, int) or raw is None:
        return raw
    found = _SIZE.search(text(raw) or "")
    return None if found is None else round(float(found[1]) * 1024 ** _POWERS[found[2].upper()])


def unsigned(raw: Value) -> int | float | None:
    """A count that an agent sent as a signed 32-bit number: below zero it overflowed just once."""
    value = number(raw)
    return value + (1 << 32) if isinstance(value, int) and -(1 << 31) <= value < 0 else value


def oid(raw: Value) -> str | None:
    if not isinstance(raw, bytes):
        return None
    try:
        return ber.decode_oid(raw)
    except DecodeError:
        return None


def date_and_time(raw: Value) -> float | None:
    """Unix time of a DateAndTime (RFC 2579) that names its offset from UTC; without one nobody knows what it means."""
    if not isinstance(raw, bytes) or len(raw) != 11 or raw[8:9] not in (b"+", b"-"):
        return None
    year, month, day, hour, minute, second, tenth, sign, hours, minutes = struct.unpack(">H6Bc2B", raw)
    try:
        local = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)  # 60 is a leap second
    except ValueError:
        return None
    ahead = 3600 * hours + 60 * minutes
    return local.timestamp() + float(tenth) / 10 - float(ahead if sign == b"+" else -ahead)


def named_bits(names: tuple[str, ...]) -> Convert:
    """Names of the bits that are set; the first is 0x80 of the first octet. An empty string has none set."""

    def convert(raw: Value) -> Reading:
        if isinstance(raw, int):
            # A few agents send the octet as a number.
            raw = raw.to_bytes(max(1, (raw.bit_length() + 7) // 8), "big") if raw >= 0 else None
        if raw is None:
            return None
        return tuple(name for at, name in enumerate(names) if at // 8 < len(raw) and raw[at // 8] & (0x80 >> at % 8))

    return convert


def scaled(value: float, factor: float) -> float:
    """``value * factor``; for factors such as 0.01 by division, so that 57 percent are 0.57 and no neighbour of it."""
    if factor < 1 and (inverse := 1 / factor) and abs(inverse - round(inverse)) < 1e-9 * inverse:
        return value / round(inverse)
    result = value * factor
    return int(result) if float(factor).is_integer() and isinstance(value, int) else result


def dbm(value: float, unit: str) -> float | None:
    """Optical power in dBm, of milliwatts, microwatts or (negative) hundredths of dBm."""
    if value < 0:
        return value / 100 if unit == "microwatt_or_centidbm" else None
    milliwatts = value if unit == "milliwatt" else value / 1000
    return 10 * math.log10(milliwatts) if value else None


@cache
def _plain() -> Convert:
    def convert(raw: Value) -> Reading:
        return raw if type(raw) is int else number(raw)

    return convert


def converter(source: Source) -> Convert:
    """All the steps of a source as one function of the raw value. Sources that do nothing special share one."""
    first: Convert
    match source.as_:
        case "text":
            first = text
        case "text_number" | "size" if source.capture:
            first = text  # the number is read from what was captured
        case "text_number":
            first = text_number
        case "size":
            first = size
        case "unsigned":
            first = unsigned
        case "oid":
            first = oid
        case "date_and_time":
            first = date_and_time
        case "bits":
            first = named_bits(source.bits)
        case _:
            first = _plain()
    steps = [step for step in _steps(source) if step is not None]
    if not steps:
        return first

    def convert(raw: Value) -> Reading:
        value = first(raw)
        for step in steps:
            if value is None:
                return None
            value = step(value)
        return value

    if len(steps) == 1:
        (only,) = steps

        def convert_once(raw: Value) -> Reading:
            value = first(raw)
            return None if value is None else only(value)

        return convert_once
    return convert


_Step = Callable[[Reading], Reading]


def _steps(source: Source) -> tuple[_Step | None, ...]:
    return (
        _without(frozenset(source.sentinel)) if source.sentinel else None,
        _captured(re.compile(source.capture), source.join) if source.capture else None,
        _read_number(size if source.as_ == "size" else text_number)
        if source.capture and source.as_ in ("text_number", "size")
        else None,
        _mapped(source.map) if source.map is not None else None,
        (lambda value: dbm(float(value), unit) if _is_number(value) else None)
        if (unit := source.dbm_from or "")
        else None,
        _times(source.scale) if source.scale is not None else None,
        _between(*source.plausible) if source.plausible else None,
        _after(source.prefix) if source.prefix else None,
    )


def _is_number(value: Reading) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _without(marks: frozenset[Scalar]) -> _Step:
    return lambda value: None if value in marks else value


def _captured(pattern: re.Pattern[str], join: str | None) -> _Step:
    def step(value: Reading) -> Reading:
        found = pattern.search(str(value))
        if found is None:
            return None
        groups = [group.strip() for group in found.groups() if group]
        if join is not None:
            return join.join(groups) or None
        return groups[0] if groups else None

    return step


def _read_number(read: Callable[[Value], int | float | None]) -> _Step:
    return lambda value: read(value.encode()) if isinstance(value, str) else None


def _mapped(names: dict[int | str, Scalar]) -> _Step:
    other = names.get("other")

    def step(value: Reading) -> Reading:
        return names.get(value, other) if isinstance(value, int | str) else None

    return step


def _times(factor: float) -> _Step:
    return lambda value: scaled(value, factor) if isinstance(value, int | float) else None


def _between(lowest: float, highest: float) -> _Step:
    return lambda value: value if isinstance(value, int | float) and lowest <= value <= highest else None


def _after(prefix: str) -> _Step:
    return lambda value: f"{prefix}{value}"
