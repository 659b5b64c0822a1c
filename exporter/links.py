"""Which lines a site has upward: on which port of which router each ends, and how it is named.

A router's first line has the router's id, so that most lines need no name of their own; its others are called
``<router>-line2`` and so on. Where the inventory declares fewer lines than a router has ports towards the sites above,
the further ones have a port and no contract, and count as backup.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from exporter import registry as r
from exporter.registry import Metric
from inventory.devices import Device
from inventory.model import Inventory, Link
from inventory.vocabulary import DeviceClass

Name = tuple[Metric, tuple[str, ...]]
"""A metric and the values of its labels after site and device; of a line's, what it adds to the router's id first."""

_COUNTERS: Final[Mapping[str, tuple[Metric, tuple[str, ...]]]] = {
    # By what the port calls them.
    "in_octets": (r.LINK_RECEIVE, ()),
    "out_octets": (r.LINK_TRANSMIT, ()),
    "in_errors": (r.LINK_ERRORS, ("receive",)),
    "out_errors": (r.LINK_ERRORS, ("transmit",)),
    "in_discards": (r.LINK_DISCARDS, ("receive",)),
    "out_discards": (r.LINK_DISCARDS, ("transmit",)),
}


@dataclass(slots=True)
class Line:
    """One line.

    Attributes:
        suffix: what its name adds to that of the router; empty for the first.
        port: where it ends, by ifName; None where the model does not say.
        link: what the inventory declares of it.
        up, changes, counters: names of its series; of counters by what the port calls them.
    """

    router: int
    suffix: str
    port: str | None
    role: str
    link: Link | None
    up: Name = field(init=False)
    changes: Name = field(init=False)
    counters: tuple[tuple[str, Name], ...] = field(init=False)

    def __post_init__(self) -> None:
        self.up = (r.LINK_UP, (self.suffix, self.role))
        self.changes = (r.LINK_STATE_CHANGES, (self.suffix,))
        self.counters = tuple(
            (field, (metric, (self.suffix, *labels))) for field, (metric, labels) in _COUNTERS.items()
        )


class Echoed(NamedTuple):
    """A line over which echoes go.

    Attributes:
        router: ordinal of the router at its lower end.
        suffix: of its name, as in `Line`.
        address: that answers.
    """

    router: int
    suffix: str
    address: str


def lines_of(inventory: Inventory, site: int) -> list[Line]:
    """The lines of a site, router by router."""
    routers, links = list(inventory.devices.routers(site)), inventory.links(site)
    lines = []
    for place, router in enumerate(routers):
        # Several routers have a line each; a single one has them all.
        declared = links if len(routers) == 1 else links[place : place + 1]
        device = inventory.devices[router]
        model = inventory.models[device.model]
        named = model.ports.uplinks if model.ports is not None else ()
        places = inventory.line_places(router) or (0,)
        ports: list[str | None] = [named[place] for place in places if place < len(named)]
        if not places[0]:
            ports[:1] = [model.uplink_port or (named[0] if named else None)]
        for number in range(max(len(ports), len(declared))):
            link = declared[number] if number < len(declared) else None
            role = link.role if link else "backup" if number else "primary"
            port = ports[number] if number < len(ports) else None
            lines.append(Line(router, f"-line{number + 1}" if number else "", port, role, link))
    return lines


def uplink_ports(inventory: Inventory, device: Device) -> tuple[str, ...]:
    """Of a router with several lines upward their ports; nothing for one, whose loss is an outage of the site."""
    ports = inventory.models[device.model].ports
    if device.device_class is not DeviceClass.ROUTER or ports is None or len(device.uplinks) < 2:
        return ()
    places = inventory.line_places(device.ordinal)
    return tuple(ports.uplinks[place] for place in places if place < len(ports.uplinks))


def echoed_over(inventory: Inventory, router: int) -> list[Echoed]:
    """Where echoes to a router go.

    With one line upward to the address by which it is managed, which that line alone reaches. With several to the
    lower end of each line's own /30: the management address answers as long as any of them lives. Where the inventory
    does not say what routers are told (``network``), nobody knows that they have these.
    """
    device = inventory.devices[router]
    ends = inventory.p2p(router) if inventory.county.network is not None else ()
    if len(ends) < 2:
        return [Echoed(router, "", device.address)]
    return [
        Echoed(router, f"-line{number + 1}" if number else "", str(network.network_address + 2))
        for number, (_, network) in enumerate(ends)
    ]
