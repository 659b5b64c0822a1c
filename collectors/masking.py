"""Masks a recording, so that it can be given away: what names persons, places and networks is replaced. Pure.

Everything is replaced consistently: the same address, name or number becomes the same stand-in wherever it is met,
as a value, inside a text and inside an index. What profiles read as numbers or bits is never touched, nor is what
tells vendor and version, so that the recording is read as the device itself is.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from collectors.snmp import ber
from collectors.snmp.message import Varbind
from inventory.profiles import Profile, Source

_IPV4_POOL: Final = int(IPv4Address("198.18.0.0"))  # RFC 2544: belongs to nobody, 131,072 of them
_IPV4_POOL_SIZE: Final = 1 << 17
_IPV6_POOL: Final = int(IPv6Address("2001:db8::"))
_MASKED: Final = "masked"


def _named(*dotted: str) -> tuple[bytes, ...]:
    return tuple(map(ber.encode_oid, dotted))


_FREE: Final = _named(  # what people wrote
    "1.3.6.1.2.1.1.4",  # sysContact
    "1.3.6.1.2.1.1.6",  # sysLocation
    "1.3.6.1.2.1.31.1.1.1.18",  # ifAlias
    "1.3.6.1.2.1.47.1.1.1.1.14",  # entPhysicalAlias
    "1.3.6.1.2.1.47.1.1.1.1.15",  # entPhysicalAssetID
    "1.3.6.1.2.1.43.5.1.1.4",  # prtGeneralCurrentOperator
    "1.3.6.1.2.1.43.5.1.1.5",  # prtGeneralServicePerson
    "1.3.6.1.2.1.33.1.1.6",  # upsIdentAttachedDevices
    "1.3.6.1.4.1.8072.1.3.2.2.1.2",  # nsExtendCommand
    "1.3.6.1.4.1.2021.8.1.3",  # extCommand
)
_HOST: Final = _named("1.3.6.1.2.1.1.5", "1.0.8802.1.1.2.1.3.3", "1.3.6.1.2.1.33.1.1.5")  # sysName, lldpLocSysName, UPS
_DESCR: Final = ber.encode_oid("1.3.6.1.2.1.1.1.0")
_ENGINE: Final = ber.encode_oid("1.3.6.1.6.3.10.2.1.1.0")
_SERIAL: Final = _named("1.3.6.1.2.1.47.1.1.1.1.11", "1.3.6.1.2.1.43.5.1.1.17")  # entPhysical, prtGeneral
_MAC: Final = _named("1.3.6.1.2.1.2.2.1.6", "1.3.6.1.2.1.17.1.1", "1.0.8802.1.1.2.1.3.2")
_BRIDGE: Final = _named("1.3.6.1.2.1.17.2")  # bridge identifiers: a priority of two octets and a MAC address
_INET: Final = _named("1.3.6.1.2.1.4", "1.3.6.1.2.1.6", "1.3.6.1.2.1.7")  # indexes of InetAddressType, length, octets

_MAIL: Final = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}")
_PHONE: Final = re.compile(r"(?<![\d.])(?:\+?86[- ]?)?(?:1[3-9]\d[- ]?\d{4}[- ]?\d{4}|0\d{2,3}[- ]?\d{7,8})(?![\d.])")
_LONG_NUMBER: Final = re.compile(r"(?<!\d)\d{14,20}(?!\d)")  # IMEI, IMSI, ICCID, numbers of persons
_COLONS: Final = re.compile(
    r"(?<![0-9A-Fa-f:-])(?:[0-9A-Fa-f]{2}([:-]))(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![0-9A-Fa-f:-])"
)
_GROUPS: Final = re.compile(r"(?<![0-9A-Fa-f.-])[0-9A-Fa-f]{4}([.-])[0-9A-Fa-f]{4}\1[0-9A-Fa-f]{4}(?![0-9A-Fa-f.-])")
_DOTTED: Final = re.compile(r"(?<![\d.])(?<![vV])(?<!ersion )\d{1,3}(?:\.\d{1,3}){3}(?![\d.]|\w)")
_SIX: Final = re.compile(r"(?<![0-9A-Za-z:])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![0-9A-Za-z:])")
_DOMAIN: Final = re.compile(
    r"(?<![\w.-])(?:[A-Za-z0-9-]+\.)+(?:com|cn|net|org|gov|edu|local|lan|top|vip)(?![\w-])", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What the profiles read, as far as masking minds it.

    Args:
        numbers: columns and instances whose values are numbers, states or bits: never touched.
        versions: texts in which four numbers between dots are a version.
        serials: where serial numbers stand; with the expression that finds them inside a longer text.
    """

    numbers: tuple[bytes, ...]
    versions: tuple[bytes, ...]
    serials: Mapping[bytes, str | None]

    @classmethod
    def of(cls, profiles: Iterable[Profile]) -> "Knowledge":
        numbers: set[bytes] = set()
        versions: set[bytes] = {_DESCR}
        serials: dict[bytes, str | None] = dict.fromkeys(_SERIAL)
        for profile in profiles:
            for module in profile.modules.values():
                for name, column in module.columns.items():
                    for source in (column,) if isinstance(column, Source) else column.first_of:
                        if source.oid is None:
                            continue
                        oid = ber.encode_oid(source.oid)
                        if module.gives == "identity" and name == "serial":
                            serials[oid] = source.capture
                        elif module.gives == "identity":
                            versions.add(oid)
                        elif source.as_ not in ("text", "oid") or source.map is not None:
                            numbers.add(oid)
        return cls(tuple(numbers), tuple(versions), serials)


class Masker:
    """Masks one recording.

    Args:
        salt: makes the stand-ins of serial numbers; another one for every recording.
        secrets: the community and the like, to be hidden wherever they stand.
    """

    def __init__(self, knowledge: Knowledge, salt: bytes, secrets: Sequence[str] = ()) -> None:
        self._knowledge = knowledge
        self._salt = salt
        self._numbers = _Prefixes(knowledge.numbers)
        self._versions = _Prefixes(knowledge.versions)
        self._serials = _Prefixes(knowledge.serials)
        self._free, self._hosts, self._macs = _Prefixes(_FREE), _Prefixes(_HOST), _Prefixes(_MAC)
        self._literals: dict[str, str] = {secret: "public" for secret in secrets if secret}
        self._known: dict[str, dict[bytes, bytes]] = {"ipv4": {}, "ipv6": {}, "mac": {}}
        self._names: dict[str, str] = {}

    def mask(self, varbinds: Sequence[Varbind]) -> list[Varbind]:
        """The recording with stand-ins; names may change where they carry addresses."""
        for varbind in varbinds:
            self._learn(varbind)
        values = [(oid, tag, self._value(oid, tag, value)) for oid, tag, value in varbinds]  # all addresses are known
        return [(self._name(oid), tag, value) for oid, tag, value in values]

    # ---- what is to be hidden wherever it stands

    def _learn(self, varbind: Varbind) -> None:
        oid, tag, value = varbind
        if tag != ber.OCTET_STRING or not isinstance(value, bytes) or not value:
            return
        text = _decode(value)[0]
        if text is None or len(text) < 5:
            return
        if self._hosts.hold(oid) and re.search(r"[\d_-]|[^\x00-\x7f]", text):
            self._literals.setdefault(text, self._host(text))
        elif (column := self._serials.hold(oid)) is not None:
            for serial in _captured(self._knowledge.serials[column], text):
                if len(serial) > 5 and _looks_like_a_serial(serial):
                    self._literals.setdefault(serial, self.serial(serial))

    # ---- values

    def _value(self, oid: bytes, tag: int, value: int | bytes | None) -> int | bytes | None:
        if not isinstance(value, bytes) or not value:
            return value
        if tag == ber.IP_ADDRESS:
            return self.ipv4(value) if len(value) == 4 else value
        if tag != ber.OCTET_STRING:
            return value
        if self._macs.hold(oid) and len(value) == 6:
            return self.mac(value)
        if oid == _ENGINE:
            return value[:5] + self._stream(value)[: len(value) - 5]
        numeric = self._numbers.hold(oid) is not None
        text, codec = _decode(value)
        if text is None:
            return value if numeric else self._octets(oid, value)
        if self._free.hold(oid):
            return _MASKED.encode()
        if self._hosts.hold(oid):
            return self._host(text).encode()
        if numeric and not re.search(r"[^\d\s.,%+-]", text):
            return value
        masked = self._text(oid, text)
        return value if masked == text else masked.encode(codec)

    def _octets(self, oid: bytes, value: bytes) -> bytes:
        if len(value) == 6:
            return self.mac(value)
        if len(value) == 8 and any(oid.startswith(bridge) for bridge in _BRIDGE):
            return value[:2] + self.mac(value[2:])
        if len(value) == 4:
            return self.ipv4(value)
        return self.ipv6(value) if len(value) == 16 else value

    def _text(self, oid: bytes, text: str) -> str:
        if (column := self._serials.hold(oid)) is not None:
            for serial in _captured(self._knowledge.serials[column], text):
                text = text.replace(serial, self.serial(serial)) if serial else text
        for secret, instead in self._literals.items():
            # A product's own words may be somebody's host name: there only what uname says is one.
            if oid != _DESCR:
                text = text.replace(secret, instead)
            elif text.startswith(f"Linux {secret} "):
                text = f"Linux {instead} {text[len(secret) + 7 :]}"
        text = _MAIL.sub(lambda found: self._numbered("user{}@host.example", found[0]), text)
        for pattern in (_COLONS, _GROUPS):
            text = pattern.sub(self._mac_text, text)
        text = _SIX.sub(self._ipv6_text, text)
        if self._versions.hold(oid) is None:
            text = _DOTTED.sub(self._ipv4_text, text)
        text = _DOMAIN.sub(lambda found: self._numbered("host{}.example", found[0].casefold()), text)
        text = _PHONE.sub(lambda found: re.sub(r"\d", "0", found[0]), text)
        return _LONG_NUMBER.sub(lambda found: self.serial(found[0]), text)

    def _mac_text(self, found: re.Match[str]) -> str:
        octets = bytes.fromhex(re.sub(r"[^0-9A-Fa-f]", "", found[0]))
        digits = iter(self.mac(octets).hex().upper() if found[0].upper() == found[0] else self.mac(octets).hex())
        return re.sub(r"[0-9A-Fa-f]", lambda _: next(digits), found[0])

    def _ipv4_text(self, found: re.Match[str]) -> str:
        try:
            return str(IPv4Address(self.ipv4(IPv4Address(found[0]).packed)))
        except AddressValueError:
            return found[0]

    def _ipv6_text(self, found: re.Match[str]) -> str:
        try:
            return str(IPv6Address(self.ipv6(IPv6Address(found[0]).packed)))
        except AddressValueError:
            return found[0]

    # ---- stand-ins

    def ipv4(self, octets: bytes) -> bytes:
        """Another address; what is a mask, loopback, multicast or nothing stays itself."""
        address = IPv4Address(octets)
        number = int(address)
        inverse = number ^ 0xFFFFFFFF
        is_mask = inverse & inverse + 1 == 0
        if octets[0] in (0, 127) or octets[0] >= 224 or is_mask:
            return octets
        return self._stand_in("ipv4", octets, lambda at: (_IPV4_POOL + at % _IPV4_POOL_SIZE).to_bytes(4, "big"))

    def ipv6(self, octets: bytes) -> bytes:
        address = IPv6Address(octets)
        if address.is_unspecified or address.is_loopback or address.is_multicast:
            return octets
        return self._stand_in("ipv6", octets, lambda at: (_IPV6_POOL + at).to_bytes(16, "big"))

    def mac(self, octets: bytes) -> bytes:
        """A locally administered address; broadcast, multicast and nothing stay themselves."""
        if octets[0] & 1 or not any(octets):
            return octets
        return self._stand_in("mac", octets, lambda at: b"\x02\x00" + at.to_bytes(4, "big"))

    def _stand_in(self, kind: str, octets: bytes, make: Callable[[int], bytes]) -> bytes:
        known = self._known[kind]
        if octets not in known:
            known[octets] = make(len(known) + 1)
        return known[octets]

    def serial(self, serial: str) -> str:
        """Digits for digits and letters for letters; the beginning of a long one, which names the product, stays."""
        if not _looks_like_a_serial(serial):
            return serial
        kept = 4 if len(serial) >= 10 and not serial.isdigit() else 0
        noise = self._stream(serial.encode())
        while len(noise) < len(serial):
            noise += self._stream(noise)
        return serial[:kept] + "".join(map(_like, serial[kept:], noise))

    def _host(self, name: str) -> str:
        return self._numbered("host-{}", name)

    def _numbered(self, form: str, name: str) -> str:
        return self._names.setdefault(name, form.format(len(self._names) + 1))

    def _stream(self, about: bytes) -> bytes:
        return hashlib.sha512(self._salt + about).digest()

    # ---- names

    def _name(self, oid: bytes) -> bytes:
        if self._numbers.hold(oid) is not None:
            return oid
        arcs = list(ber.decode_arcs(oid))
        changed = False
        inet = any(oid.startswith(root) for root in _INET)
        for at in range(7, len(arcs)):
            for kind, length in (("ipv6", 16), ("mac", 6), ("ipv4", 4)):
                run = arcs[at : at + length]
                if len(run) < length or max(run) > 255:
                    continue
                octets = bytes(run)
                instead = self._known[kind].get(octets)
                if instead is None and inet and arcs[at - 2 : at] == [{"ipv4": 1, "ipv6": 2}.get(kind), length]:
                    instead = self.ipv4(octets) if kind == "ipv4" else self.ipv6(octets)
                if instead is not None and instead != octets:
                    arcs[at : at + length] = instead
                    changed = True
        return b"".join(map(ber.encode_arc, arcs)) if changed else oid


class _Prefixes:
    """Which of many columns a name belongs to."""

    def __init__(self, prefixes: Iterable[bytes]) -> None:
        self._prefixes = frozenset(prefixes)
        self._lengths = sorted({len(prefix) for prefix in self._prefixes})

    def hold(self, oid: bytes) -> bytes | None:
        for length in self._lengths:
            if length > len(oid):
                return None
            if oid[:length] in self._prefixes:
                return oid[:length]
        return None


def _decode(value: bytes) -> tuple[str | None, str]:
    """The text that people would see, and its encoding; None for octets."""
    for codec in ("utf-8", "gb18030"):
        try:
            text = value.decode(codec)
        except UnicodeDecodeError:
            continue
        plain = text.rstrip("\x00")
        shown = bool(plain) and all(char.isprintable() or char in "\t\r\n" for char in plain)
        # Nearly any octets are GB18030 somehow: believed where there are enough, and Chinese.
        if shown and (codec == "utf-8" or (len(value) > 6 and re.search(r"[\u4e00-\u9fff]", plain))):
            return text, codec
    return None, ""


def _captured(expression: str | None, text: str) -> list[str]:
    if expression is None:
        return [text.strip("\x00 \t\r\n")]
    found = re.search(expression, text)
    return [group for group in found.groups() if group] if found else []


def _looks_like_a_serial(text: str) -> bool:
    return len(text) > 3 and len(set(text)) > 2 and any(char.isdigit() for char in text)


def _like(char: str, noise: int) -> str:
    if char.isdigit():
        return str(noise % 10)
    if char.isascii() and char.isalpha():
        return chr((65 if char.isupper() else 97) + noise % 26)
    return char
