"""What the kiosk's files are told: everything in its final form, so that a template holds no arithmetic."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, collapse_addresses
from typing import Final

from inventory.devices import Device
from inventory.kiosks import Destination, Kiosks, Mirror, Part, Peripheral
from inventory.model import Inventory
from inventory.network import Network, SnmpUser
from inventory.vocabulary import DeviceClass
from rollout.errors import TemplateError

USER: Final = "kiosk"
"""The account in whose session citizens are. It has no password and no shell."""

_NET_SNMP: Final = 8072
_OCTETS: Final = 5
"""RFC 3411, SnmpEngineID: how what follows the enterprise number is meant; 5 is octets."""


@dataclass(frozen=True, slots=True)
class Queue:
    """A printer of the site as a queue of CUPS."""

    name: str
    uri: str


@dataclass(frozen=True, slots=True)
class Door:
    """TCP that is let out: addresses and ports, for an element of a set."""

    title: str
    addresses: tuple[str, ...]
    ports: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class KioskFacts:
    """One kiosk on Linux.

    Attributes:
        parts: what the kiosk reports on itself, by the names that `health` knows; each is an ``extend`` of snmpd.
        managers: prefixes from which it may be managed.
        engine_id: of its SNMP agent, in hexadecimal, from its id: the same after each new start and each new disk.
    """

    hostname: str
    location: str
    contact: str
    user: str
    home: str
    rating: str
    urls: tuple[str, ...]
    idle_s: int
    doors: tuple[Door, ...]
    managers: tuple[str, ...]
    ntp: tuple[str, ...]
    dns: tuple[str, ...]
    syslog: tuple[str, ...]
    traps: tuple[str, ...]
    ssh_port: int
    queues: tuple[Queue, ...]
    printers: tuple[str, ...]
    peripherals: tuple[Peripheral, ...]
    parts: tuple[str, ...]
    mirror: Mirror
    snmp: SnmpUser
    engine_id: str


def why_not(inventory: Inventory, device: Device) -> str:
    """Why a kiosk is watched but not set up by us; empty where it is set up."""
    profile = inventory.profiles.get(device.profile)
    if device.monitored != "us":
        return "a partner looks after it"
    if profile is None or profile.platform != "linux":
        system = profile.os if profile is not None and profile.os else "its system"
        return f"not provisioned: {system} is watched only"
    if not device.address:
        return "it has no address: cuntong check DIR --allocate"
    return ""


def kiosk_facts(inventory: Inventory, device: Device) -> KioskFacts:
    """The facts of one kiosk.

    Raises:
        TemplateError: the inventory does not say enough of kiosks.
    """
    kiosks, network = _declared(inventory)
    if (reason := why_not(inventory, device)) or device.device_class is not DeviceClass.KIOSK:
        raise TemplateError(f"{device.id} is no kiosk that we set up: {reason or device.device_class}.")
    site = inventory.site(device.site)
    printers = [
        one
        for one in inventory.devices.of(device.site)
        if one.device_class is DeviceClass.PRINTER and one.address and one.monitored == "us"
    ]
    fitted = tuple(kiosks.peripherals[name] for name in kiosks.fitted.get(device.model, ()))
    return KioskFacts(
        hostname=device.id,
        location=f"{inventory.nodes.codes[int(inventory.sites.nodes[device.site])]} {inventory.sites.ids[device.site]}",
        contact=site.responsible or inventory.title,
        user=USER,
        home=kiosks.home,
        rating=kiosks.rating or "",
        urls=tuple(url for platform in kiosks.platforms.values() for url in platform.urls),
        idle_s=kiosks.idle_s,
        doors=_doors(kiosks),
        managers=_prefixes([*network.managers, IPv4Network(network.manager)]),
        ntp=tuple(map(str, network.ntp)),
        dns=tuple(map(str, network.dns)),
        syslog=tuple(map(str, network.syslog)),
        traps=tuple(map(str, network.traps)),
        ssh_port=kiosks.login.port,
        queues=tuple(Queue(one.role, f"ipp://{one.address}/ipp/print") for one in printers),
        printers=tuple(one.address for one in printers),
        peripherals=fitted,
        parts=_parts(fitted, bool(printers), bool(kiosks.rating)),
        mirror=kiosks.mirror,
        snmp=kiosks.snmp,
        engine_id=engine_id(device.id),
    )


def engine_id(device_id: str) -> str:
    """A kiosk's SNMP engine in hexadecimal: enterprise with the first bit set, the kind, 16 octets of the id's hash.

    Keys are made for one engine (RFC 3414, section 2.6): from a stolen kiosk nobody learns those of another.
    """
    enterprise = (0x80000000 | _NET_SNMP).to_bytes(4, "big")
    return (enterprise + bytes([_OCTETS]) + hashlib.sha256(device_id.encode()).digest()[:16]).hex()


def _declared(inventory: Inventory) -> tuple[Kiosks, Network]:
    kiosks, network = inventory.county.kiosks, inventory.county.network
    for name, section in (("kiosks", kiosks), ("network", network)):
        if section is None:
            raise TemplateError(
                f"{inventory.folder / 'county.yml'} has no `{name}`: nothing says how kiosks are set up."
            )
    assert kiosks is not None  # noqa: S101  the loop has looked; mypy cannot see it
    assert network is not None  # noqa: S101
    return kiosks, network


def _doors(kiosks: Kiosks) -> tuple[Door, ...]:
    named: list[tuple[str, Destination]] = [*kiosks.platforms.items(), ("mirror", kiosks.mirror)]
    return tuple(Door(name, _prefixes(to.addresses), tuple(sorted(set(to.ports)))) for name, to in named)


def _prefixes(networks: Sequence[IPv4Network]) -> tuple[str, ...]:
    """Without overlaps: nftables refuses a set whose intervals overlap."""
    merged = collapse_addresses(networks)
    return tuple(str(one.network_address) if one.prefixlen == 32 else str(one) for one in merged)


_REPORTED: Final[tuple[Part, ...]] = ("document-camera", "id-card-reader")


def _parts(fitted: Sequence[Peripheral], printers: bool, rating: bool) -> tuple[str, ...]:
    has = {one.part for one in fitted}
    parts = ["kiosk-app", "platform", "screen", *(part for part in _REPORTED if part in has)]
    if printers or "printer" in has:
        parts += ["printer", "print-queue"]
    if rating:
        parts.append("rating")
    if "ups" in has:
        parts.append("ups")
    return (*parts, "session-reset")
