"""What one collector watches: sites, the uplink tree over them, and their devices. Made once, never changed."""

from collections.abc import Sequence
from dataclasses import dataclass

from health.rootcause import UplinkTree
from inventory.calendars import Calendar


@dataclass(frozen=True, slots=True)
class WatchedDevice:
    """What the watch needs to know of a device.

    Args:
        site: a position in the fleet's sites.
        asked: False for a device that somebody else watches; it then says nothing about its site.
        calendar: position in the fleet's calendars of its service hours; -1 for one that serves at any time.
        uplink_ports: of a router: the ports of its lines upward, by ifName, the main line's first.
        places: of these ports among the router's, from 0, which a line keeps when it becomes the main
            one; empty where they are in order.
    """

    id: str
    site: int
    role: str
    device_class: str
    asked: bool = True
    calendar: int = -1
    uplink_ports: tuple[str, ...] = ()
    places: tuple[int, ...] = ()


class Fleet:
    """Everything that one collector watches.

    Args:
        sites: their ids.
        uplinks: for each site, the sites above it.
        devices: by ordinal.
        lines: for each site carrier and type of its main line; empty where nobody needs them.
        calendars: service hours that devices point at.
    """

    def __init__(
        self,
        sites: Sequence[str],
        uplinks: Sequence[Sequence[int]],
        devices: Sequence[WatchedDevice],
        lines: Sequence[tuple[str, str]] = (),
        calendars: Sequence[Calendar] = (),
    ) -> None:
        self.sites = sites
        self.devices = devices
        self.calendars = calendars
        self._lines = lines
        asked: list[list[int]] = [[] for _ in sites]
        for ordinal, device in enumerate(devices):
            if device.asked:
                asked[device.site].append(ordinal)
        self.at_site: Sequence[Sequence[int]] = [tuple(ordinals) for ordinals in asked]
        self.tree = UplinkTree([self._watched_above(site, uplinks) for site in range(len(sites))])

    def line(self, site: int) -> tuple[str, str]:
        """Carrier and type of a site's main line; both empty where it has none."""
        return self._lines[site] if self._lines else ("", "")

    def routers(self, site: int) -> list[int]:
        """The routers of a site that are asked."""
        return [ordinal for ordinal in self.at_site[site] if self.devices[ordinal].device_class == "router"]

    def terminals(self, site: int) -> list[int]:
        """What else of a site is asked: all that hangs behind its routers."""
        return [ordinal for ordinal in self.at_site[site] if self.devices[ordinal].device_class != "router"]

    def _watched_above(self, site: int, uplinks: Sequence[Sequence[int]]) -> tuple[int, ...]:
        """The nearest sites above that can be asked: one without devices of ours can neither answer nor fail."""
        above: dict[int, None] = {}
        waiting, seen = list(uplinks[site]), {site}
        while waiting:
            uplink = waiting.pop(0)
            if uplink in seen:
                continue
            seen.add(uplink)
            if self.at_site[uplink]:
                above[uplink] = None
            else:
                waiting += uplinks[uplink]
        return tuple(above)
