"""A router with several lines of which one is down: an outage of that line, while its site answers over another.

The router itself says so: its port is switched on and down. Nobody at the site notices, so it wakes nobody; it is kept
because the carrier answers for each line by itself.
"""

from collections.abc import Callable, Iterable

from collectors.fleet import Fleet
from collectors.incidents import Incidents
from collectors.inquiry import Inquiry
from health.outage import Outage, Scope, line_node, line_of
from health.reading import Readings
from health.rootcause import Cause
from health.site import lines_down


class LineOutages:
    """Opens and ends the outages of lines.

    Args:
        ask: wants these devices polled now: the port at the other end proves more than ours alone.
    """

    def __init__(
        self, fleet: Fleet, incidents: Incidents, inquiry: Inquiry, ask: Callable[[Iterable[int]], None]
    ) -> None:
        self._fleet, self._incidents, self._inquiry, self._ask = fleet, incidents, inquiry, ask
        self._open: dict[tuple[int, int], str] = {}  # router and number of its line
        self._doubtful: set[tuple[int, int]] = set()  # those judged before the other end was asked

    def restore(self, outage: Outage) -> bool:
        """Take an open outage over; False where its line is gone from the inventory."""
        router, number = line_of(outage.node) or ("", 0)
        for ordinal, device in enumerate(self._fleet.devices):
            if device.id == router and number < len(device.uplink_ports):
                self._incidents.restore(outage, device.site, ordinal)
                self._open[ordinal, number] = outage.id
                return True
        return False

    def polled(self, ordinal: int, readings: Readings, at: float) -> None:
        """What a router with several lines says of their ports at Unix time ``at``."""
        device = self._fleet.devices[ordinal]
        for number, down in enumerate(lines_down(readings, device.uplink_ports)):
            place, id = (ordinal, number), self._open.get((ordinal, number))
            if down and id is None:
                node = line_node(device.id, number)
                self._open[place] = self._incidents.start(Scope.LINE, node, device.site, Cause.ACCESS, at, ordinal)
                self._doubtful.add(place)
                above = self._fleet.tree.uplinks[device.site]
                self._ask(other for site in above for other in self._fleet.routers(site))
            elif down and id is not None and place in self._doubtful:
                self._doubtful.discard(place)
                self._inquiry.judge(self._incidents.open[id], at)
            elif down is False and id is not None:
                del self._open[place]
                self._doubtful.discard(place)
                self._incidents.end(id, at)
