"""What the templates are told of a router: everything in its final form, so that a template holds no arithmetic.

Numbers follow two conventions. On a line between two routers the upper one has the first address of the /30, the
lower one the second. On the upper one's downlink port each line arrives as VLANs of its own: `tag` untagged traffic
(management), `tag + n` the n-th zone.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network, collapse_addresses
from typing import Final

from inventory.devices import Device
from inventory.model import Inventory, Link
from inventory.network import Network, Ports
from inventory.vocabulary import DeviceClass
from rollout.errors import TemplateError

_FIRST_TAG: Final = 100
_TAGS_A_LINE: Final = 4
_LINES: Final = 990
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./:|-]{0,60}")
_LAN_VLAN: Final = 10
_NO_PORTS: Final = Ports(uplinks=("none",))
PROVISIONED: Final = frozenset({"fiber_p2p", "mstp", "ptn", "mpls_vpn", "pon", "ipsec_inet", "vpdn"})


@dataclass(frozen=True, slots=True)
class Prefix:
    """One IPv4 prefix in every spelling that a command line wants."""

    network: IPv4Network

    @property
    def address(self) -> str:
        return str(self.network.network_address)

    @property
    def mask(self) -> str:
        return str(self.network.netmask)

    @property
    def wildcard(self) -> str:
        return str(self.network.hostmask)

    @property
    def length(self) -> int:
        return self.network.prefixlen

    def host(self, number: int) -> str:
        return str(self.network.network_address + number)


@dataclass(frozen=True, slots=True)
class Uplink:
    """A line upward.

    Attributes:
        preference: of the default route: the main line's is the lowest.
        number: its place among the router's lines, from 0, which it keeps.
    """

    port: str
    prefix: Prefix
    link_type: str
    description: str
    preference: int
    number: int

    @property
    def address(self) -> str:
        return self.prefix.host(2)

    @property
    def peer(self) -> str:
        return self.prefix.host(1)


@dataclass(frozen=True, slots=True)
class Downlink:
    """A line to a router below: its VLAN, and what is behind it.

    Attributes:
        order: 0 for the main one of the lines to this router; a further one only carries where that is down.
        preference: of the routes over it.
    """

    port: str
    tag: int
    prefix: Prefix
    description: str
    loopbacks: tuple[str, ...]
    prefixes: Mapping[str, tuple[Prefix, ...]]
    order: int

    @property
    def preference(self) -> int:
        return _preference(self.order)

    @property
    def address(self) -> str:
        return self.prefix.host(1)

    @property
    def peer(self) -> str:
        return self.prefix.host(2)


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone that is kept apart: its VRF, and this site's network in it."""

    name: str
    rd: str
    vlan: int
    number: int
    lan: Prefix
    lan_vlan: int
    address: str
    virtual: str | None

    @property
    def gateway(self) -> str:
        return self.lan.host(1)


@dataclass(frozen=True, slots=True)
class Probe:
    """What a router asks by itself, from where. ``vpn`` is empty where it starts in the router's own table."""

    address: str
    source: str
    vpn: str


@dataclass(frozen=True, slots=True)
class Facts:
    """One router.

    Attributes:
        edge: from where anything may come in over a line upward, zones left out: those who manage, the other routers,
            and the servers that routers ask. Everything else is dropped at the edge.
        idle: ports of the model that nothing here is plugged into; they are shut.
    """

    hostname: str
    location: str
    loopback: str
    ports: Ports
    network: Network
    uplinks: tuple[Uplink, ...]
    downlinks: tuple[Downlink, ...]
    zones: tuple[Zone, ...]
    managers: tuple[Prefix, ...]
    edge: tuple[Prefix, ...]
    probe: Probe | None
    idle: tuple[str, ...]


class Survey:
    """Facts of every router of an inventory; what is below whom is found once."""

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory
        self._below: dict[int, list[int]] = {}
        for device in inventory.devices:
            if device.device_class is DeviceClass.ROUTER:
                for above in dict.fromkeys(device.uplinks):  # of several lines to one router each would count
                    self._below.setdefault(above, []).append(device.ordinal)

    def facts(self, device: Device, *, lines: bool = True) -> Facts:
        """What the templates are told of a router.

        Args:
            lines: with its lines, zones and ports; an adopted router may have them otherwise than we would say.

        Raises:
            TemplateError: the inventory does not say something that its configuration needs.
        """
        inventory = self.inventory
        network = inventory.county.network
        model = inventory.models[device.model]
        if network is None:
            raise TemplateError("county.yml has no `network`: nothing says what routers are told.")
        if model.ports is None and lines:
            raise TemplateError(
                f"county.yml: models.{device.model} has no `ports`: nothing says what is plugged where."
            )
        ports = model.ports if lines and model.ports is not None else _NO_PORTS
        zones = tuple(self._zones(device, network)) if lines else ()
        uplinks = tuple(self._uplinks(device, ports)) if lines else ()
        downlinks = tuple(self._downlinks(device, ports)) if lines else ()
        return Facts(
            hostname=device.id,
            location=f"{inventory.nodes.codes[int(inventory.sites.nodes[device.site])]}-{inventory.sites.ids[device.site]}",
            loopback=device.address,
            ports=ports,
            network=network,
            uplinks=uplinks,
            downlinks=downlinks,
            zones=zones,
            managers=tuple(Prefix(prefix) for prefix in network.managers),
            edge=self._edge,
            probe=_probe(device, network, zones),
            idle=_idle(ports, uplinks, downlinks, zones) if lines else (),
        )

    @cached_property
    def _edge(self) -> tuple[Prefix, ...]:
        network, pools = self.inventory.county.network, self.inventory.county.addresses.mgmt
        if network is None:
            return ()
        known = list(collapse_addresses([*network.managers, *pools.loopbacks, *pools.p2p]))
        servers = [*network.ntp, *network.syslog, *network.traps, *network.dns, *network.reaches]
        servers += [network.probe.address] if network.probe is not None else []
        return tuple(Prefix(one) for one in collapse_addresses([*known, *map(IPv4Network, servers)]))

    def _uplinks(self, device: Device, ports: Ports) -> Iterator[Uplink]:
        links = self.inventory.links(device.site)
        places = self.inventory.line_places(device.ordinal)
        for number, (above, network) in enumerate(self.inventory.p2p(device.ordinal)):
            link, place = links[min(number, len(links) - 1)], places[number]
            if link.link_type not in PROVISIONED:
                raise TemplateError(f"{device.id}: no template knows lines of type {link.link_type}.")
            if place >= len(ports.uplinks):
                raise TemplateError(f"{device.id} has {place + 1} lines, its model {device.model} fewer uplink ports.")
            port = ports.uplinks[place]
            if link.link_type == "vpdn":
                if ports.cellular is None:
                    raise TemplateError(f"{device.id}: a vpdn line needs `cellular` among the ports of {device.model}.")
                port = ports.cellular
            parent = self.inventory.devices[above]
            yield Uplink(
                port, Prefix(network), link.link_type, self._description(parent, number, link),
                _preference(number), place,
            )  # fmt: skip

    def _downlinks(self, device: Device, ports: Ports) -> Iterator[Downlink]:
        tags: dict[int, str] = {}
        for ordinal in self._below.get(device.ordinal, ()):
            child = self.inventory.devices[ordinal]
            mine = [(n, net) for n, (above, net) in enumerate(self.inventory.p2p(ordinal)) if above == device.ordinal]
            for order, (number, network) in enumerate(mine):
                if ports.downlink is None:
                    raise TemplateError(f"{device.id}: its model {device.model} has no `downlink` among its ports.")
                tag = self._tag(network)
                if tag in tags:
                    raise TemplateError(f"{device.id}: the lines to {tags[tag]} and {child.id} have one VLAN, {tag}.")
                tags[tag] = child.id
                links = self.inventory.links(child.site)
                link = links[min(number, len(links) - 1) if order else 0]
                yield Downlink(
                    ports.downlink, tag, Prefix(network), self._description(child, order, link),
                    *self._behind(child), order,
                )  # fmt: skip

    def _tag(self, network: IPv4Network) -> int:
        pools = self.inventory.county.addresses.mgmt.p2p
        pool = next((pool for pool in pools if network.subnet_of(pool)), None)
        first = int(pool.network_address) if pool is not None else 0  # a line as it was found lies in no pool of ours
        index = (int(network.network_address) - first) // 4
        return _FIRST_TAG + _TAGS_A_LINE * (index % _LINES)

    def _behind(self, child: Device) -> tuple[tuple[str, ...], Mapping[str, tuple[Prefix, ...]]]:
        """Loopbacks and site prefixes of a router and everything below it, in order, without doubles."""
        loopbacks: list[str] = []
        sites: list[int] = []
        trail, seen = [child.ordinal], {child.ordinal}
        while trail:
            device = self.inventory.devices[trail.pop(0)]
            loopbacks.append(device.address)
            if device.site not in sites:
                sites.append(device.site)
            for below in self._below.get(device.ordinal, ()):
                if below not in seen:
                    seen.add(below)
                    trail.append(below)
        prefixes: dict[str, list[Prefix]] = {}
        for site in sites:
            for zone, prefix in self.inventory.prefixes(site).items():
                prefixes.setdefault(zone, []).append(Prefix(prefix))
        return tuple(loopbacks), {zone: tuple(many) for zone, many in prefixes.items()}

    def _zones(self, device: Device, network: Network) -> Iterator[Zone]:
        routers = self.inventory.devices.routers(device.site)
        place = list(routers).index(device.ordinal)
        own = self.inventory.prefixes(device.site)
        for number, (name, vpn) in enumerate(network.vpns.items(), 1):
            if name not in own:
                continue
            lan = Prefix(own[name])
            alone = len(routers) == 1
            address = lan.host(1 if alone else 2 + place)
            virtual = None if alone else lan.host(1)
            yield Zone(name, vpn.rd, vpn.vlan, number, lan, _LAN_VLAN * number, address, virtual)

    def _description(self, peer: Device, number: int, link: Link) -> str:
        """``TO:peer|fiber_p2p|100M|telecom|circuit``; refused where a word could end a line or a command."""
        words = [
            f"TO:{peer.id}",
            link.link_type,
            f"{link.bandwidth_mbps}M",
            link.carrier,
            link.circuit or f"line{number}",
        ]
        told = "|".join(words)
        if not _WORD.fullmatch(told):
            told = "|".join(words[:-1])  # a circuit's number in other letters stays in the inventory
        return told


def _preference(order: int) -> int:
    """Of a static route over the ``order``-th of several lines."""
    return 60 + 20 * order


def _probe(device: Device, network: Network, zones: tuple[Zone, ...]) -> Probe | None:
    if network.probe is None:
        return None
    zone = next((one for one in zones if one.name == network.probe.zone), None)
    address = str(network.probe.address)
    return Probe(address, device.address, "") if zone is None else Probe(address, zone.address, zone.name)


def _idle(
    ports: Ports, uplinks: tuple[Uplink, ...], downlinks: tuple[Downlink, ...], zones: tuple[Zone, ...]
) -> tuple[str, ...]:
    used = {uplink.port for uplink in uplinks} | {downlink.port for downlink in downlinks}
    if zones:
        used |= set(ports.lan)
    named = [*ports.uplinks, ports.downlink, *ports.lan, ports.cellular, *ports.other]
    return tuple(dict.fromkeys(port for port in named if port is not None and port not in used))
