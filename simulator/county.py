"""The make-believe county: which devices exist, what is wrong with them, how long they have been running.

Faults are data; what follows from them (who is silent, who has no paper) is derived from the list of faults
whenever that list changes, and only when somebody asks. Nothing here knows sockets, and the time is an argument.

A device is heard when it has power, its agent runs, and some line leads up from it: a device hears its uplink
when the uplink has power and is itself connected. A router whose agent alone is silent still forwards.

Where routers have configurations of their own (`simulator.routers`), these say more: see `Configured`.
"""

from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from simulator.errors import SimulationError, unknown
from simulator.faults import (
    Fault,
    LanCut,
    Lossy,
    PeripheralFault,
    PowerCut,
    Reboot,
    Silent,
    Slow,
    UplinkCut,
)
from simulator.graph import Graph, Terminal, from_inventory

__all__ = ["County", "Graph", "Terminal", "from_inventory"]

_DAY_S: Final = 86_400
_NOTHING: Final[frozenset[str]] = frozenset()
_HEARD, _MUTE, _TROUBLED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Configured:
    """What a router's own configuration makes of it; all three hold where nobody says otherwise.

    Args:
        leads: it is up and keeps the way to itself open. If not, nothing behind it is heard either.
        answers: it has an SNMP agent.
        serves: its LAN has an address; without one, what is plugged in there is not heard.
    """

    leads: bool = True
    answers: bool = True
    serves: bool = True


class County:
    """Devices, faults and a clock.

    Args:
        graph: see `Graph`; `from_inventory` makes one.
        clock: seconds, never running backwards.
    """

    def __init__(self, graph: Graph, clock: Callable[[], float]) -> None:
        self.graph = graph
        self.clock = clock
        self._started = clock()
        self._booted: dict[int, float] = {}  # only of those that booted while we watched
        self._faults: list[Fault] = []
        self._children: tuple[array[int], array[int]] | None = None
        self._states = bytearray(len(graph))
        self._led = bytearray(len(graph))
        self._configured: dict[int, Configured] = {}  # only of those that fall short
        self._watchers: list[Callable[[], None]] = []
        self._stale = False
        self._conditions: dict[int, frozenset[str]] = {}
        self._dead: set[int] = set()  # devices without power, or whose site has no whole line upward
        self._dark: set[int] = set()  # devices without power
        self._dead_lines: set[tuple[int, int]] = set()  # lower and upper end of a single line that is cut
        self._loss: dict[int, float] = {}
        self._delay_s: dict[int, float] = {}

    def __len__(self) -> int:
        return len(self.graph)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Those in force, oldest first."""
        return tuple(self._faults)

    def inject(self, fault: Fault) -> tuple[int, ...]:
        """Put a fault in force; the same fault twice is one.

        Returns:
            Ordinals of the devices that it touches directly (not those behind them).

        Raises:
            SimulationError: the county has no such target, or the target cannot have this fault.
        """
        touched = self.touched(fault)
        if isinstance(fault, UplinkCut) and fault.towards is not None:
            self._towards(fault, touched)
        if isinstance(fault, Reboot):
            self._boot(touched)
        elif fault not in self._faults:
            self._faults.append(fault)
            self._changed()
        return touched

    def clear(self, what: Fault | str) -> tuple[Fault, ...]:
        """End a fault, or every fault whose target means the same devices as this target; returns what ended.

        Raises:
            SimulationError: no such fault is in force, or the county has no such target.
        """
        if isinstance(what, Fault):
            ended = [fault for fault in self._faults if fault == what]
        else:
            meant = set(self.graph.ordinals(what))
            ended = [fault for fault in self._faults if meant.issuperset(self.touched(fault))]
        if not ended:
            name = f"{what.name} at {what.target}" if isinstance(what, Fault) else f"no fault at {what}"
            raise SimulationError(f"{name}: nothing to clear. In force: {self._in_force()}.")
        for fault in ended:
            self._faults.remove(fault)
            if isinstance(fault, PowerCut):
                self._boot(self.touched(fault))
        self._changed()
        return tuple(ended)

    def configure(self, ordinal: int, configured: Configured, *, booted: bool = False) -> None:
        """Take over what a router's configuration makes of it.

        Args:
            booted: it has just started again, so its uptime begins now.
        """
        if booted:
            self._boot((ordinal,))
        if configured == self._configured.get(ordinal, Configured()):
            return
        self._configured[ordinal] = configured
        if configured == Configured():
            del self._configured[ordinal]
        self._changed()

    def watch(self, changed: Callable[[], None]) -> None:
        """Call ``changed`` whenever somebody else may have become silent or heard."""
        self._watchers.append(changed)

    def leads_to(self, ordinal: int) -> bool:
        """Whether living devices and whole lines lead to a device, and it has power; its agent does not matter."""
        if self._stale:
            self._derive()
        return self._led[ordinal] == _HEARD

    def touched(self, fault: Fault) -> tuple[int, ...]:
        """The devices that a fault is about.

        Raises:
            SimulationError: the county has no such target, or the target cannot have this fault.
        """
        graph = self.graph
        meant = graph.ordinals(fault.target)
        if fault.scope == "site" and graph.site_of(fault.target) is None:
            site = graph.terminals[meant.start].site_id
            raise SimulationError(f"{fault.name} is about a site; {fault.target!r} is a device of {site}")
        if fault.device_class is None:
            return tuple(meant)
        fitting = tuple(o for o in meant if graph.terminals[o].device_class == fault.device_class)
        if not fitting:
            raise SimulationError(f"{fault.name} needs a {fault.device_class}; {fault.target!r} has none")
        return fitting

    def silent(self, ordinal: int) -> bool:
        """Whether its SNMP agent gives no answer, for whatever reason."""
        return self.state(ordinal) == _MUTE

    def troubled(self, ordinal: int) -> bool:
        """Whether its answers get lost or come late; see `loss` and `delay_s`."""
        return self.state(ordinal) == _TROUBLED

    def state(self, ordinal: int) -> int:
        """0 heard at once, 1 silent, 2 heard with losses or delay: one look for the agent's hot path."""
        if self._stale:
            self._derive()
        return self._states[ordinal]

    def loss(self, ordinal: int) -> float:
        """Share of the requests that get lost, 0 to 1."""
        return self._loss.get(ordinal, 0.0)

    def line_up(self, lower: int, upper: int) -> bool:
        """Whether the upper end of a line sees the lower one: it has power, and the line is whole."""
        if self._stale:
            self._derive()
        return lower not in self._dead and (lower, upper) not in self._dead_lines

    def line_up_from_below(self, lower: int, upper: int) -> bool:
        """Whether the lower end of a line sees the upper one: that has power, and the line is whole."""
        if self._stale:
            self._derive()
        return upper not in self._dark and (lower, upper) not in self._dead_lines

    def delay_s(self, ordinal: int) -> float:
        return self._delay_s.get(ordinal, 0.0)

    def conditions(self, ordinal: int) -> frozenset[str]:
        """What is wrong inside a device that answers: ``paper_out``, ``toner_low``, ``no_camera`` ..."""
        if self._stale:
            self._derive()
        return self._conditions.get(ordinal, _NOTHING)

    def uptime_s(self, ordinal: int, now: float) -> float:
        """Seconds since the device booted; devices began 2 to 200 days before the county did."""
        booted = self._booted.get(ordinal)
        return self.life_s(ordinal, now) if booted is None else max(0.0, now - booted)

    def life_s(self, ordinal: int, now: float) -> float:
        """Seconds since the device was installed: what a reboot does not reset, such as a page counter."""
        return now - self._started + 2 * _DAY_S + (ordinal * 2654435761 & 0xFFFFFFFF) / 2**32 * 198 * _DAY_S

    def _changed(self) -> None:
        self._stale = True
        for changed in self._watchers:
            changed()

    def _boot(self, ordinals: Iterable[int]) -> None:
        now = self.clock()
        self._booted.update((ordinal, now) for ordinal in ordinals)

    def _in_force(self) -> str:
        return ", ".join(f"{fault.name} at {fault.target}" for fault in self._faults) or "nothing"

    def _towards(self, fault: UplinkCut, site: Iterable[int]) -> set[int]:
        """The far ends of the one line that is meant."""
        uplinks = {up for ordinal in site for up in self.graph.terminals[ordinal].uplinks}
        meant = uplinks.intersection(self.graph.ordinals(fault.towards or ""))
        if not meant:
            sites = {self.graph.terminals[up].site_id for up in uplinks}
            raise unknown(f"{fault.target} has no line there; parent", fault.towards or "", sites)
        return meant

    def _derive(self) -> None:
        """Everything that follows from the list of faults."""
        self._stale = False
        dark: set[int] = set()
        cut: set[int] = set()  # devices without any line upward
        cut_lines: set[tuple[int, int]] = set()
        mute: set[int] = set()
        conditions: dict[int, frozenset[str]] = {}
        self._loss, self._delay_s = {}, {}
        for fault in self._faults:
            touched = self.touched(fault)
            match fault:
                case PowerCut():
                    dark.update(touched)
                case UplinkCut(towards=None):
                    inside = set(touched)
                    cut.update(o for o in touched if not inside.intersection(self.graph.terminals[o].uplinks))
                case LanCut():
                    inside = set(touched)
                    cut.update(o for o in touched if inside.intersection(self.graph.terminals[o].uplinks))
                case UplinkCut():
                    far = self._towards(fault, touched)
                    cut_lines.update((o, up) for o in touched for up in self.graph.terminals[o].uplinks if up in far)
                case Silent():
                    mute.update(touched)
                case Lossy(ratio=ratio):
                    for o in touched:
                        self._loss[o] = 1 - (1 - self._loss.get(o, 0.0)) * (1 - ratio)
                case Slow(delay_ms=delay_ms):
                    for o in touched:
                        self._delay_s[o] = self._delay_s.get(o, 0.0) + delay_ms / 1000
                case _:
                    name = f"no_{fault.peripheral}" if isinstance(fault, PeripheralFault) else fault.name
                    for o in touched:
                        conditions[o] = conditions.get(o, _NOTHING) | {name}
        self._conditions = conditions
        lanless: set[int] = set()
        for ordinal, configured in self._configured.items():
            if not configured.leads:
                dark.add(ordinal)
            if not configured.serves:
                lanless.add(ordinal)
            if not configured.answers:
                mute.add(ordinal)
        self._dead, self._dark, self._dead_lines = dark | cut, dark, cut_lines
        states = self._connected(dark, cut, cut_lines, lanless)
        self._led = bytearray(states)
        for ordinal in (*self._loss, *self._delay_s):
            if states[ordinal] == _HEARD:
                states[ordinal] = _TROUBLED
        for ordinal in mute:
            states[ordinal] = _MUTE
        self._states = states

    def _connected(
        self, dark: set[int], cut: set[int], cut_lines: set[tuple[int, int]], lanless: set[int]
    ) -> bytearray:
        """`_HEARD` for every device that a path of living devices and whole lines leads to, else `_MUTE`."""
        count = len(self.graph)
        if not (dark or cut or cut_lines or lanless):
            return bytearray(count)
        terminals = self.graph.terminals
        offsets, children = self._children or self._index_children()
        states = bytearray([_MUTE]) * count
        ready = [t.ordinal for t in terminals if not t.uplinks and t.ordinal not in dark and t.ordinal not in cut]
        for ordinal in ready:
            states[ordinal] = _HEARD
        while ready:
            parent = ready.pop()
            for child in children[offsets[parent] : offsets[parent + 1]]:
                if states[child] == _HEARD or child in dark or child in cut or (child, parent) in cut_lines:
                    continue
                if parent in lanless and terminals[child].device_class != "router":
                    continue
                states[child] = _HEARD
                ready.append(child)
        return states

    def _index_children(self) -> tuple["array[int]", "array[int]"]:
        """The uplink tree turned round: children of ``p`` are ``children[offsets[p]:offsets[p + 1]]``."""
        terminals = self.graph.terminals
        offsets = array("l", bytes(8 * (len(terminals) + 1)))
        for terminal in terminals:
            for uplink in terminal.uplinks:
                offsets[uplink + 1] += 1
        for position in range(1, len(offsets)):
            offsets[position] += offsets[position - 1]
        children = array("l", bytes(8 * offsets[-1]))
        free = offsets[:]
        for terminal in terminals:
            for uplink in terminal.uplinks:
                children[free[uplink]] = terminal.ordinal
                free[uplink] += 1
        self._children = offsets, children
        return self._children
