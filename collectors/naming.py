"""Names of objects for people: well-known ones, those of our profiles, those of an operator's MIB files."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from collectors.errors import DecodeError
from collectors.snmp import ber
from inventory.profiles import Profile, Source

if TYPE_CHECKING:  # pysnmp is loaded for who has MIB files only
    from collectors.mib_names import MibNames

_ROOTS: Final = {
    "org": "1.3", "dod": "1.3.6", "internet": "1.3.6.1", "directory": "1.3.6.1.1",
    "mgmt": "1.3.6.1.2", "mib-2": "1.3.6.1.2.1", "experimental": "1.3.6.1.3", "private": "1.3.6.1.4",
    "enterprises": "1.3.6.1.4.1", "snmpV2": "1.3.6.1.6", "snmpModules": "1.3.6.1.6.3", "zeroDotZero": "0.0",
    "transmission": "1.3.6.1.2.1.10",
}  # fmt: skip


def _column(root: str, names: str) -> dict[str, str]:
    """Columns by their numbers, as ``2 ifDescr 3 ifType``."""
    words = names.split()
    return {name: f"{root}.{number}" for number, name in zip(words[::2], words[1::2], strict=True)}


WELL_KNOWN: Final[Mapping[str, str]] = {
    **_ROOTS,
    # SNMPv2-MIB (RFC 3418)
    "system": "1.3.6.1.2.1.1",
    **_column(
        "1.3.6.1.2.1.1",
        "1 sysDescr 2 sysObjectID 3 sysUpTime 4 sysContact 5 sysName 6 sysLocation 7 sysServices 9 sysORTable",
    ),
    # IF-MIB (RFC 2863)
    "interfaces": "1.3.6.1.2.1.2",
    "ifNumber": "1.3.6.1.2.1.2.1",
    "ifTable": "1.3.6.1.2.1.2.2",
    **_column(
        "1.3.6.1.2.1.2.2.1",
        "1 ifIndex 2 ifDescr 3 ifType 4 ifMtu 5 ifSpeed 6 ifPhysAddress 7 ifAdminStatus 8 ifOperStatus 9 ifLastChange "
        "10 ifInOctets 11 ifInUcastPkts 13 ifInDiscards 14 ifInErrors 16 ifOutOctets 17 ifOutUcastPkts "
        "19 ifOutDiscards 20 ifOutErrors",
    ),
    "ifXTable": "1.3.6.1.2.1.31.1.1",
    **_column(
        "1.3.6.1.2.1.31.1.1.1",
        "1 ifName 6 ifHCInOctets 7 ifHCInUcastPkts 10 ifHCOutOctets 11 ifHCOutUcastPkts 15 ifHighSpeed 18 ifAlias",
    ),
    # IP-MIB (RFC 4293)
    "ip": "1.3.6.1.2.1.4",
    "ipAddrTable": "1.3.6.1.2.1.4.20",
    "ipAddressTable": "1.3.6.1.2.1.4.34",
    # HOST-RESOURCES-MIB (RFC 2790)
    "host": "1.3.6.1.2.1.25",
    "hrSystemUptime": "1.3.6.1.2.1.25.1.1",
    "hrStorageTable": "1.3.6.1.2.1.25.2.3",
    **_column(
        "1.3.6.1.2.1.25.2.3.1",
        "2 hrStorageType 3 hrStorageDescr 4 hrStorageAllocationUnits 5 hrStorageSize 6 hrStorageUsed",
    ),
    "hrDeviceTable": "1.3.6.1.2.1.25.3.2",
    **_column("1.3.6.1.2.1.25.3.2.1", "2 hrDeviceType 3 hrDeviceDescr 5 hrDeviceStatus"),
    "hrProcessorLoad": "1.3.6.1.2.1.25.3.3.1.2",
    **_column("1.3.6.1.2.1.25.3.5.1", "1 hrPrinterStatus 2 hrPrinterDetectedErrorState"),
    "hrSWRunTable": "1.3.6.1.2.1.25.4.2",
    # Printer-MIB (RFC 3805)
    "printmib": "1.3.6.1.2.1.43",
    "prtGeneralSerialNumber": "1.3.6.1.2.1.43.5.1.1.17",
    "prtInputTable": "1.3.6.1.2.1.43.8.2",
    "prtMarkerLifeCount": "1.3.6.1.2.1.43.10.2.1.4",
    "prtMarkerSuppliesTable": "1.3.6.1.2.1.43.11.1",
    "prtAlertTable": "1.3.6.1.2.1.43.18.1",
    # UPS-MIB (RFC 1628), ENTITY-MIB (RFC 6933), ENTITY-SENSOR-MIB (RFC 3433), BRIDGE-MIB, LLDP-MIB
    "upsMIB": "1.3.6.1.2.1.33",
    "entityMIB": "1.3.6.1.2.1.47",
    "entPhysicalTable": "1.3.6.1.2.1.47.1.1.1",
    **_column(
        "1.3.6.1.2.1.47.1.1.1.1",
        "2 entPhysicalDescr 5 entPhysicalClass 7 entPhysicalName 10 entPhysicalSoftwareRev 11 entPhysicalSerialNum "
        "13 entPhysicalModelName",
    ),
    "entPhySensorTable": "1.3.6.1.2.1.99.1.1",
    "dot1dBridge": "1.3.6.1.2.1.17",
    "lldpMIB": "1.0.8802.1.1.2",
    "snmpFrameworkMIB": "1.3.6.1.6.3.10",
    # net-snmp
    "ucdavis": "1.3.6.1.4.1.2021",
    "memory": "1.3.6.1.4.1.2021.4",
    "dskTable": "1.3.6.1.4.1.2021.9",
    "laTable": "1.3.6.1.4.1.2021.10",
    "systemStats": "1.3.6.1.4.1.2021.11",
    "nsExtendOutput1Table": "1.3.6.1.4.1.8072.1.3.2.3",
    # enterprises that the profiles know
    **_column(
        "1.3.6.1.4.1",
        "9 cisco 11 hp 318 apc 534 eaton 2011 huawei 3320 bdcom 3902 zte 4881 ruijie 5651 maipu 6339 dcn 8072 netSnmp "
        "8886 raisecom 12356 fortinet 14988 mikrotik 25506 h3c 28557 hillstone 39165 hikvision 41112 ubiquiti",
    ),
}


_WORDS: Final[Mapping[str, Mapping[int, str]]] = {
    "ifAdminStatus": {1: "up", 2: "down", 3: "testing"},
    "ifOperStatus": {
        1: "up", 2: "down", 3: "testing", 4: "unknown", 5: "dormant", 6: "notPresent", 7: "lowerLayerDown",
    },
    "hrDeviceStatus": {1: "unknown", 2: "running", 3: "warning", 4: "testing", 5: "down"},
    "hrPrinterStatus": {1: "other", 2: "unknown", 3: "idle", 4: "printing", 5: "warmup"},
}  # fmt: skip
"""What numbers mean (RFC 2863, RFC 2790)."""


class Namebook:
    """Names to object identifiers and back.

    Args:
        profiles: their columns are ``module.column``, of one profile ``profile:module.column``.
        mibs: what MIB files say; it wins.
    """

    def __init__(self, profiles: Mapping[str, Profile], mibs: "MibNames | None" = None) -> None:
        self._mibs = mibs
        self._oids: dict[str, str] = {}
        for name, profile in profiles.items():
            for module_name, module in profile.modules.items():
                for column_name, column in module.columns.items():
                    source = column if isinstance(column, Source) else column.first_of[0]
                    if source.oid is not None:
                        self._oids.setdefault(f"{module_name}.{column_name}", source.oid)
                        self._oids[f"{name}:{module_name}.{column_name}"] = source.oid
        self._words = {WELL_KNOWN[name]: words for name, words in _WORDS.items()}
        named = {oid: name for name, oid in WELL_KNOWN.items()}
        # A profile names instances; what has a name of its own keeps it.
        self._shown = {
            oid: name
            for name, oid in self._oids.items()
            if ":" not in name and oid.removesuffix(".0") not in named and oid.rpartition(".")[0] not in named
        } | named
        self._oids |= WELL_KNOWN

    def oid(self, given: str) -> bytes:
        """The object identifier that a person means: numbers, a name, or a name and numbers behind a dot.

        A module before the name (``IF-MIB::ifDescr``) chooses among MIB files that define the same name.

        Raises:
            ValueError: no such name, or no object identifier.
        """
        module, _, text = given.strip().lstrip(".").rpartition("::")
        found = re.fullmatch(r"(.*?)((?:\.\d+)*)", text)
        name, index = (found[1], found[2]) if found else (text, "")
        if self._mibs is not None and (place := self._mibs.oid(name, module) or self._mibs.oid(name)):
            return ber.encode_oid(".".join(map(str, place)) + index)
        if text in self._oids:
            return ber.encode_oid(self._oids[text])
        if name in self._oids:
            return ber.encode_oid(self._oids[name] + index)
        try:
            return ber.encode_oid(text)
        except ValueError:
            close = [known for known in self._oids if known.casefold() == name.casefold()]
            mend = f" Did you mean {close[0]}?" if close else " Give its numbers, or its MIB's folder with --mibs."
            raise ValueError(f"{given!r} is no object that we know.{mend}") from None

    def text(self, oid: bytes, tag: int, content: int | bytes) -> str | None:
        """A value as its MIB writes it, such as ``up(1)`` or ``23.5 celsius``; None where nothing is known of it."""
        dotted = ber.decode_oid(oid)
        if self._mibs is not None and (shown := self._mibs.text(_arcs(dotted), content)) is not None:
            return shown
        while dotted and tag == ber.INTEGER and isinstance(content, int):
            if dotted in self._words:
                word = self._words[dotted].get(content)
                return f"{word}({content})" if word else None
            dotted = dotted.rpartition(".")[0]
        return None

    def index(self, oid: bytes) -> tuple[str, ...]:
        """What the numbers behind a table's column say, by its MIB; empty where that is not known."""
        found = self._mibs.find(_arcs(ber.decode_oid(oid))) if self._mibs is not None else None
        return found.indexes if found else ()

    def name(self, oid: bytes) -> str:
        """What people call it: the longest name that is known, and the numbers behind it."""
        try:
            dotted = ber.decode_oid(oid)
        except DecodeError:
            return oid.hex()
        found = self._mibs.find(_arcs(dotted)) if self._mibs is not None else None
        longest = dotted.count(".") + 1 - len(found.rest) if found else 0
        prefix = dotted
        while prefix and prefix.count(".") >= longest:
            if prefix in self._shown:
                return self._shown[prefix] + dotted[len(prefix) :]
            prefix = prefix.rpartition(".")[0]
        return ".".join([found.name, *map(str, found.rest)]) if found else dotted


def _arcs(dotted: str) -> tuple[int, ...]:
    return tuple(map(int, dotted.split("."))) if dotted else ()
