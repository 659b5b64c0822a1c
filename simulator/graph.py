"""The devices of a make-believe county and how they hang together: plain data, and finding things by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from exporter.links import uplink_ports
from simulator.errors import SimulationError, unknown

if TYPE_CHECKING:
    from inventory.model import Inventory


@dataclass(frozen=True, slots=True)
class Terminal:
    """One device that answers.

    Args:
        ordinal: its position in the county; its address follows from it (`simulator.dial`).
        profile: the device profile that it should match, such as ``huawei-vrp``; picks the personality.
        model: its key in the inventory's catalogue.
        serial: empty where the inventory knows none; the personality then makes one up.
        name: its sysName.
        uplinks: ordinals of the devices above it; empty for the top.
        place: its site's display name, for sysLocation.
        uplink_ports: of a router with several lines upward: their ports, by ifName, as ``uplinks`` are.
    """

    ordinal: int
    device_id: str
    site_id: str
    device_class: str
    profile: str
    vendor: str
    model: str
    serial: str
    name: str
    uplinks: tuple[int, ...] = ()
    place: str = ""
    uplink_ports: tuple[str, ...] = ()


@dataclass(frozen=True)
class Graph:
    """Every terminal, in ordinal order, the devices of a site side by side.

    Args:
        codes: 12-digit division code to the id of its first site (a county's centre, a village's site).

    Raises:
        ValueError: an ordinal is not its position, a site's devices are scattered, or an uplink leads nowhere.
    """

    terminals: Sequence[Terminal]
    codes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for position, terminal in enumerate(self.terminals):
            if terminal.ordinal != position:
                raise ValueError(f"{terminal.device_id}: ordinal {terminal.ordinal} at position {position}")
            for uplink in terminal.uplinks:
                if not 0 <= uplink < len(self.terminals):
                    raise ValueError(f"{terminal.device_id}: uplink {uplink} is no device")

    def __len__(self) -> int:
        return len(self.terminals)

    @cached_property
    def devices(self) -> Mapping[str, int]:
        """Ordinal by device id."""
        return {terminal.device_id: terminal.ordinal for terminal in self.terminals}

    @cached_property
    def sites(self) -> Mapping[str, range]:
        """Ordinals by site id."""
        sites: dict[str, range] = {}
        for terminal in self.terminals:
            here = terminal.ordinal
            known = sites.get(terminal.site_id, range(here, here))
            if known.stop != here:
                raise ValueError(f"the devices of {terminal.site_id} are not side by side")
            sites[terminal.site_id] = range(known.start, here + 1)
        return sites

    def site_of(self, target: str) -> str | None:
        """The site that a site id or a division code (6, 9 or 12 digits) means; None for anything else."""
        if target in self.sites:
            return target
        if target.isdecimal() and len(target) in (6, 9, 12):
            return self.codes.get(target.ljust(12, "0"))
        return None

    def ordinals(self, target: str) -> range:
        """What a target means: all devices of a site, or one device (see `simulator.faults.Fault`).

        Raises:
            SimulationError: nothing in the county answers to it, or its site has no devices.
        """
        if (ordinal := self.devices.get(target)) is not None:
            return range(ordinal, ordinal + 1)
        place, slash, role = target.partition("/")
        site = self.site_of(place)
        if site is None:
            codes = target.isdecimal()
            names = self.codes if codes else (*self.sites, *self.devices)
            raise unknown("division" if codes else "site or device", target, names)
        if not slash:
            if site not in self.sites:
                raise SimulationError(f"site {site!r} has no devices")
            return self.sites[site]
        here = self.sites.get(site, range(0))
        ids = [self.terminals[ordinal].device_id for ordinal in here]
        if f"{site}-{role}" not in ids:
            raise unknown(f"at site {site}: device", role, (device.removeprefix(f"{site}-") for device in ids))
        return range(self.devices[f"{site}-{role}"], self.devices[f"{site}-{role}"] + 1)


def from_inventory(inventory: "Inventory") -> Graph:
    """The graph of a loaded inventory: all its devices, with the ids and uplinks that it gave them."""
    sites, nodes = inventory.sites, inventory.nodes
    terminals = [
        Terminal(
            ordinal=device.ordinal,
            device_id=device.id,
            site_id=sites.ids[device.site],
            device_class=device.device_class.value,
            profile=device.profile,
            vendor=device.vendor,
            model=device.model,
            serial=device.serial or "",
            name=device.id,
            uplinks=device.uplinks,
            place=sites.names[device.site],
            uplink_ports=uplink_ports(inventory, device),
        )
        for device in inventory.devices
    ]
    codes: dict[str, str] = {}
    for index, site in enumerate(sites.ids):
        host = int(sites.hosts[index])  # a site that shares another's room and line has no devices of its own
        codes.setdefault(nodes.codes[int(sites.nodes[index])], sites.ids[host] if host >= 0 else site)
    return Graph(terminals, codes)
