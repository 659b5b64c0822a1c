"""Whose failure was it? The fine verdict on one outage, from what was measured around it (decision D9).

`health.rootcause` finds *where* a silence begins; this says *what* failed there. It judges twice: when the outage
opens, from the last readings before the silence and from the port of the router above; and when the devices answer
again, from their uptimes. A clock that began within the silence was restarted, so the power or the box had failed; one
that ran through it was cut off, so the line had. Every verdict comes with its clues, and without any it is *unknown*.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from health.outage import Scope


class Blame(StrEnum):
    """What failed, and so whose job it is."""

    POWER = "power"  # the site's electricity
    LAN = "lan"  # cables or switch inside the site
    CPE = "cpe"  # the site's router
    LINE = "line"  # the carrier's line towards the node above
    AGGREGATION = "aggregation"  # a node with sites beneath it
    DEVICE = "device"  # one terminal
    UNKNOWN = "unknown"


class Sign(StrEnum):
    """What a clue says; its values fill in the sentence."""

    ON_BATTERY = "on_battery"  # device, at
    TOGETHER = "together"  # carrier, count
    PORT_DOWN = "port_down"  # device, port, at
    PORT_UP = "port_up"  # device, port, at
    OWN_PORT_DOWN = "own_port_down"  # device, port, at
    ABOVE_SILENT = "above_silent"  # site
    WEAK_LIGHT = "weak_light"  # device, dbm
    WEAK_SIGNAL = "weak_signal"  # device, dbm
    BENEATH = "beneath"  # count
    TERMINALS_SILENT = "terminals_silent"  # count
    NEIGHBOURS_ANSWER = "neighbours_answer"  # count
    RESTARTED = "restarted"  # device, at
    KEPT_RUNNING = "kept_running"  # device, at
    NOTHING_MEASURED = "nothing_measured"


Value = str | float | int


@dataclass(frozen=True, slots=True)
class Clue:
    """One thing that was measured. ``values`` are ids, counts, dBm, and under ``at`` Unix seconds."""

    sign: Sign
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict and the clues that it rests on, the weightiest first."""

    blame: Blame
    clues: tuple[Clue, ...]


def as_text(clues: Iterable[Clue]) -> str:
    """Clues as one JSON text, for the ledger; `clues_of` reads it back."""
    return json.dumps([[clue.sign, dict(clue.values)] for clue in clues], ensure_ascii=False)


def clues_of(text: str) -> tuple[Clue, ...]:
    return tuple(Clue(Sign(sign), values) for sign, values in json.loads(text))


@dataclass(frozen=True, slots=True)
class Port:
    """A router's port, as last read at Unix time ``at``: of the one above towards the site, or of a line at its own."""

    device: str
    name: str
    up: bool
    at: float


@dataclass(frozen=True, slots=True)
class Return:
    """A device that answered again: whether its clock began while it was silent, and at which Unix time it began."""

    device: str
    router: bool
    restarted: bool
    boot_at: float


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of one outage.

    Args:
        router: of a device's outage: it is a router.
        own_port: of a line's outage: the router's own port that is down.
        above: of a line's outage: the site at its other end, where that is dark; empty where it answers.
        link_type: of the main line (`inventory.vocabulary.LinkType`); empty where there is none.
        battery: device and Unix time of a last reading that said: on battery.
        light, signal: device and dBm of the last optical receive power, of the last cellular signal.
        companions: how many sites of the same carrier fell with this one; 0 if those of others fell, too.
        beneath: sites beneath that are dark with it.
        neighbours: of a device's outage: the other terminals of its site.
        silent_neighbours: the silent ones of these; of a LAN's outage all silent terminals.
        returned: what answered again; empty while it runs.
        silent_s: how long it was silent; of use only with ``returned``.
        opening: what was found while it ran; of use only with ``returned``.
    """

    scope: Scope
    router: bool = False
    own_port: Port | None = None
    above: str = ""
    link_type: str = ""
    port: Port | None = None
    battery: tuple[str, float] | None = None
    light: tuple[str, float] | None = None
    signal: tuple[str, float] | None = None
    carrier: str = ""
    companions: int = 0
    beneath: int = 0
    neighbours: int = 0
    silent_neighbours: int = 0
    returned: Sequence[Return] = ()
    silent_s: float = 0.0
    opening: Finding | None = None


COMPANIONS: Final = 3
"""Sites of one carrier that must fall together before the carrier is blamed."""

TOGETHER_S: Final = 120.0
"""Within how many seconds they then fall: two polls of a minute, or their traps."""

_DARK_DBM: Final = -27.0  # receivers of 1000BASE-LX give up near -20, of GPON near -28: below this nothing is left
_FAINT_DBM: Final = -115.0  # RSRP: the edge of a cell (3GPP TS 36.133 counts from -140)
_CRASH_S: Final = 600.0  # a router that crashed is back within minutes; power stays away longer
_FAR_END: Final = frozenset({"fiber_p2p"})  # here the two routers see each other's light; elsewhere the carrier's box


def blame(case: Case) -> Finding:
    """The verdict on an outage, while it runs or after it."""
    judge = {Scope.LINE: _of_line, Scope.DEVICE: _of_device, Scope.LAN: _of_lan}.get(case.scope, _of_site)
    found = judge(case)
    return found if found.clues else Finding(found.blame, (Clue(Sign.NOTHING_MEASURED),))


def _of_line(case: Case) -> Finding:
    """One of several lines is down while the site answers over another: segment by segment, from the far end on."""
    clues: list[Clue] = []
    if case.own_port is not None:
        clues.append(Clue(Sign.OWN_PORT_DOWN, _told(case.own_port)))
    if case.above:
        return Finding(Blame.AGGREGATION, (Clue(Sign.ABOVE_SILENT, {"site": case.above}), *clues))
    if case.port is not None:
        clues.append(Clue(Sign.PORT_UP if case.port.up else Sign.PORT_DOWN, _told(case.port)))
    if case.light is not None and case.light[1] <= _DARK_DBM:
        clues.append(Clue(Sign.WEAK_LIGHT, {"device": case.light[0], "dbm": round(case.light[1], 1)}))
    # Light that arrives above and none below: the fibre, or an optic of ours. Not for us to say whose.
    one_way = case.port is not None and case.port.up and case.link_type in _FAR_END
    return Finding(Blame.UNKNOWN if one_way or not clues else Blame.LINE, tuple(clues))


def _told(port: Port) -> dict[str, Value]:
    return {"device": port.device, "port": port.name, "at": port.at}


def _of_device(case: Case) -> Finding:
    if case.router:
        return Finding(Blame.CPE, tuple(_returns(case.returned)))
    if case.returned:
        kept = [one for one in case.returned if not one.restarted]
        return Finding(Blame.LAN if kept else Blame.DEVICE, tuple(_returns(kept or case.returned)))
    answering = case.neighbours - case.silent_neighbours
    return Finding(Blame.DEVICE, (Clue(Sign.NEIGHBOURS_ANSWER, {"count": answering}),) if answering else ())


def _of_lan(case: Case) -> Finding:
    """All terminals fell together while the router answered: their cable or switch, or the socket they hang on."""
    if not case.returned:
        return Finding(Blame.LAN, (Clue(Sign.TERMINALS_SILENT, {"count": case.silent_neighbours}),))
    kept = [one for one in case.returned if not one.restarted]
    return Finding(Blame.LAN if kept else Blame.POWER, tuple(_returns(kept or case.returned)))


def _of_site(case: Case) -> Finding:
    opened = case.opening or _while_dark(case)
    node = Blame.AGGREGATION if case.scope is Scope.UPLINK else Blame.CPE
    routers = [one for one in case.returned if one.router]
    told = tuple(_returns(case.returned))
    if not routers:
        return Finding(opened.blame, (*told, *opened.clues))
    if not any(one.restarted for one in routers):
        return Finding(Blame.LINE, (*told, *_only(opened, Sign.PORT_DOWN, Sign.TOGETHER, Sign.WEAK_LIGHT)))
    if battery := _only(opened, Sign.ON_BATTERY):
        return Finding(Blame.POWER, (*battery, *told))
    others = [one.restarted for one in case.returned if not one.router]
    if others:
        return Finding(Blame.POWER if any(others) else node, told)
    return Finding(Blame.POWER if case.silent_s > _CRASH_S else node, told)


def _while_dark(case: Case) -> Finding:
    """From the last readings before the silence and from the router above: the first clue that decides."""
    clues: list[tuple[Blame | None, Clue]] = []
    if case.battery is not None:
        clues.append((Blame.POWER, Clue(Sign.ON_BATTERY, {"device": case.battery[0], "at": case.battery[1]})))
    if case.companions >= COMPANIONS:
        values: dict[str, Value] = {"carrier": case.carrier, "count": case.companions}
        clues.append((Blame.LINE, Clue(Sign.TOGETHER, values)))
    if case.port is not None:
        told = _told(case.port)
        if not case.port.up:
            clues.append((Blame.LINE, Clue(Sign.PORT_DOWN, told)))
        elif case.link_type in _FAR_END:
            clues.append((Blame.CPE if case.scope is Scope.SITE else Blame.AGGREGATION, Clue(Sign.PORT_UP, told)))
        else:  # up towards the carrier's box says nothing of what lies behind it
            clues.append((None, Clue(Sign.PORT_UP, told)))
    if case.light is not None and case.light[1] <= _DARK_DBM:
        clues.append((Blame.LINE, Clue(Sign.WEAK_LIGHT, {"device": case.light[0], "dbm": round(case.light[1], 1)})))
    if case.signal is not None and case.signal[1] <= _FAINT_DBM:
        clues.append((Blame.LINE, Clue(Sign.WEAK_SIGNAL, {"device": case.signal[0], "dbm": round(case.signal[1], 1)})))
    if case.scope is Scope.UPLINK and case.beneath:
        clues.append((Blame.AGGREGATION, Clue(Sign.BENEATH, {"count": case.beneath})))
    decided = next((what for what, _ in clues if what is not None), None)
    if decided is None:
        decided = Blame.AGGREGATION if case.scope is Scope.UPLINK else Blame.UNKNOWN
    supporting = [clue for what, clue in clues if what is decided]
    return Finding(decided, (*supporting, *(clue for what, clue in clues if what is not decided)))


def _returns(returned: Sequence[Return]) -> list[Clue]:
    return [
        Clue(Sign.RESTARTED if one.restarted else Sign.KEPT_RUNNING, {"device": one.device, "at": one.boot_at})
        for one in returned
    ]


def _only(finding: Finding, *signs: Sign) -> list[Clue]:
    return [clue for clue in finding.clues if clue.sign in signs]
