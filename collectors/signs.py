"""What polls leave behind for a later verdict: a few numbers a device, in arrays, for devices are many.

The readings of a silent device are gone soon; when it started, whether it ran on battery, and how much light and
signal it had are kept from its last answer.
"""

from array import array
from collections.abc import Callable, Sequence
from math import isnan, nan

from collectors.fleet import Fleet
from health.device import DeviceHealth, DeviceState
from health.ports import facing
from health.reading import Readings
from health.verdict import Port, Return

_FRESH_S = 900.0
"""How long before the silence a last reading may be: three polls of five minutes."""


class Signs:
    """Remembers, and answers what a verdict asks.

    Args:
        look: a device's newest readings, while there are any.
    """

    def __init__(self, fleet: Fleet, look: Callable[[int], Readings | None]) -> None:
        count = len(fleet.devices)
        self._fleet, self._look = fleet, look
        self._boot_at = array("d", [nan]) * count
        self._on_battery = bytearray(count)
        self._light_dbm = array("f", [nan]) * count
        self._signal_dbm = array("f", [nan]) * count

    def note(self, ordinal: int, readings: Readings, at: float) -> None:
        """Keep what a poll that ended at Unix time ``at`` said."""
        if readings.uptime_seconds is not None:
            self._boot_at[ordinal] = at - readings.uptime_seconds
        self._on_battery[ordinal] = _says_battery(readings)
        if readings.sensors:
            self._light_dbm[ordinal] = min(
                (
                    float(sensor.value)
                    for sensor in readings.sensors
                    if sensor.kind == "optical_rx" and isinstance(sensor.value, float | int)
                ),
                default=nan,
            )
        if readings.cellular:
            known = [modem.rsrp_dbm for modem in readings.cellular if modem.rsrp_dbm is not None]
            self._signal_dbm[ordinal] = max(known, default=nan)

    def returned(self, ordinal: int, silent_since: float) -> Return | None:
        """What a device that answers again proves: whether it started after ``silent_since``; None without a clock."""
        boot_at = self._boot_at[ordinal]
        if isnan(boot_at):
            return None
        device = self._fleet.devices[ordinal]
        # Agents count in hundredths from when they start, and an answer takes a moment to come.
        restarted = boot_at > silent_since - 1.0
        return Return(device.id, device.device_class == "router", restarted, boot_at)

    def battery(self, site: int, health: list[DeviceHealth], since: float) -> tuple[str, float] | None:
        """A device of the site whose last answer before ``since`` said: on battery; and when it said so."""
        for ordinal in self._fleet.at_site[site]:
            last = health[ordinal].last_answer
            if self._on_battery[ordinal] and last is not None and last > since - _FRESH_S:
                return self._fleet.devices[ordinal].id, last
        return None

    def light(self, site: int) -> tuple[str, float] | None:
        """The router of the site with the least light in its last answer, in dBm."""
        return self._least(site, self._light_dbm)

    def signal(self, site: int) -> tuple[str, float] | None:
        """The router of the site with the weakest cellular signal in its last answer, in dBm."""
        return self._least(site, self._signal_dbm)

    def _least(self, site: int, values: "array[float]") -> tuple[str, float] | None:
        known = [(values[router], router) for router in self._fleet.routers(site) if not isnan(values[router])]
        if not known:
            return None
        value, router = min(known)
        return self._fleet.devices[router].id, value

    def port(
        self, site: int, health: list[DeviceHealth], since: float, above: Sequence[int] | None = None
    ) -> Port | None:
        """The port towards the site on a router above, as read after ``since``; one that is down tells most.

        Args:
            above: the sites at whose routers to look; None: all above it.
        """
        names = {self._fleet.sites[site], *(self._fleet.devices[router].id for router in self._fleet.routers(site))}
        best: Port | None = None
        for uplink in self._fleet.tree.uplinks[site] if above is None else above:
            for router in self._fleet.routers(uplink):
                state = health[router]
                if state.state is not DeviceState.UP or state.last_answer is None or state.last_answer < since:
                    continue
                readings = self._look(router)
                found = facing(readings.interfaces, names) if readings is not None else None
                if found is not None and (best is None or (best.up and not found.oper_up)):
                    best = Port(self._fleet.devices[router].id, found.name, bool(found.oper_up), state.last_answer)
        return best


def _says_battery(readings: Readings) -> bool:
    ups = readings.ups
    if ups is not None and ((ups.source or "").endswith("battery") or (ups.on_battery_seconds or 0) > 0):
        return True
    return any(extend.name == "ups" and "on battery" in (extend.output or "") for extend in readings.extends)
