"""Before a line takes over from another: what we measured of the one that stays, from the ledger.

Four moments are held to it: the step of the inventory, the plan, the beginning of its run, and each wave, also of a run
that is led on by another controller. A router keeps the line that it has until the other was there for a while.

A run is taken back in a hurry: nobody waits for minutes then. Only the line over which a site is reached does not go
while none that would carry instead is there.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import IPv4Network
from typing import Final

from sqlalchemy import Connection

from api.times import CHINA
from cuntong.changing.gates import CYCLES
from cuntong.errors import StartError
from health.outage import place_node
from inventory.devices import Device
from inventory.model import Inventory
from inventory.vocabulary import Aspect, Verdict
from ledger import history
from rollout.plan import DevicePlan, Plan, Readiness
from rollout.planning import Planned

FRESH_S: Final = 86_400.0
"""How long what was measured of a line counts after the collector was told of another inventory."""


@dataclass(frozen=True)
class Measure:
    """What is asked of a line before another may go.

    Attributes:
        proof_s: how long it must have been there.
        interval_s: of polling; nobody measures where the newest is a few of them old.
    """

    proof_s: float
    interval_s: float


_WhyNot = Callable[[Connection, Inventory, Device, DevicePlan, Measure, float], str | None]


def unproved(
    connection: Connection, inventory: Inventory, site: int, number: int, measure: Measure, now: float
) -> str | None:
    """Why the ``number``-th line of a site (from 0) may not take over; None where it may."""
    return _unproved(connection, inventory, _nodes(inventory, site, number), measure, now)


def _unproved(
    connection: Connection, inventory: Inventory, nodes: Sequence[str], measure: Measure, now: float
) -> str | None:
    watched = history.watched(connection, inventory.top)
    if not watched or watched[-1][1] < now - CYCLES * measure.interval_s:
        return "no collector measures it. Start `cuntong collect` (or `cuntong up`)."
    newest = {
        one.site: one
        for one in history.newest_verdicts(connection)
        if one.aspect is Aspect.REACHABLE and one.site in nodes
    }
    for node in nodes:
        said = newest.get(node)
        span = None if said is None else next((one for one in reversed(watched) if one[0] <= said.since), None)
        if said is None or span is None or span[1] < now - FRESH_S:
            return f"nobody has measured {node} yet. Apply the plan, `cuntong reload`, and let the collector poll."
        if said.verdict is not Verdict.YES:
            at = datetime.fromtimestamp(said.since, CHINA).strftime("%H:%M")
            return f"{node} is not there ({said.reason} since {at}). The carrier has to mend it first."
        held_s = span[1] - said.since
        if held_s < measure.proof_s:
            return f"{node} has been there for {held_s / 60:.0f} of {measure.proof_s / 60:.0f} minutes. Wait."
    return None


def require_proved(
    connection: Connection, inventory: Inventory, site: int, number: int, measure: Measure, now: float
) -> None:
    """Before the inventory says that a line takes over, or that the old one goes.

    Raises:
        StartError: it was not measured for long enough.
    """
    if why := unproved(connection, inventory, site, number, measure, now):
        raise StartError(f"The new line of {inventory.sites.ids[site]} cannot take over: {why} Nothing was changed.")


def held_back(
    connection: Connection, inventory: Inventory, planned: Sequence[Planned], measure: Measure, now: float
) -> list[Planned]:
    """The plans, with those refused by which a line would take over that was not measured, or goes too early."""
    reasons = _reasons(connection, inventory, [one.plan for one in planned], measure, now, _why_not)
    return [
        replace(one, plan=_refused(one.plan, reasons[one.plan.device])) if one.plan.device in reasons else one
        for one in planned
    ]


def require_lines(connection: Connection, inventory: Inventory, plan: Plan, measure: Measure, now: float) -> None:
    """Before a run: what held a plan back when it was made may have come since.

    Raises:
        StartError: a line would take over that is not there.
    """
    for why in barred(connection, inventory, plan, [one.device for one in plan.devices], measure, now).values():
        raise StartError(f"{why} Nothing was begun.")


def barred(
    connection: Connection, inventory: Inventory, plan: Plan, devices: Collection[str], measure: Measure, now: float
) -> Mapping[str, str]:
    """Those of the devices that must not be changed now as planned, or as planned back, each with why."""
    plans = [one for one in plan.devices if one.device in devices]
    reasons = _reasons(connection, inventory, plans, measure, now, _why_not_back if plan.reverses else _why_not)
    return {device: f"{device}: {why}" for device, why in reasons.items()}


def _reasons(
    connection: Connection,
    inventory: Inventory,
    plans: Iterable[DevicePlan],
    measure: Measure,
    now: float,
    why_not: _WhyNot,
) -> Mapping[str, str]:
    """Devices that may not be changed as planned, and why."""
    found: dict[str, str] = {}
    ready = {plan.device: plan for plan in plans if plan.readiness is Readiness.READY}
    changing = _changing(inventory) if ready else {}
    for id, plan in ready.items():
        for router in changing.get(id, ()):
            why = why_not(connection, inventory, router, plan, measure, now)
            if why is not None:
                found[id] = f"{inventory.sites.ids[router.site]}: {why}"
                break
    return found


def _changing(inventory: Inventory) -> Mapping[str, list[Device]]:
    """Routers with more places for lines than lines to different routers, under their own id and of those above."""
    found: dict[str, list[Device]] = {}
    for site in range(len(inventory.sites)):
        for ordinal in inventory.devices.routers(site):
            router = inventory.devices[ordinal]
            above = set(router.uplinks)
            if len(inventory.line_networks(router)) > len(above):
                for id in (router.id, *(inventory.devices[one].id for one in above)):
                    found.setdefault(id, []).append(router)
    return found


def _why_not(
    connection: Connection, inventory: Inventory, router: Device, plan: DevicePlan, measure: Measure, now: float
) -> str | None:
    gone, new = _changed(plan)
    own = 2 if plan.device == router.id else 1  # the upper router has the first address of a line
    kept = [network for _, network in inventory.p2p(router.ordinal)]
    loses = any(
        _names(gone, str(network.network_address + end)) and not _names(new, str(network.network_address + end))
        for network in inventory.line_networks(router)
        if network not in kept
        for end in (1, 2)
    )
    leaves = any(link.change == "leaving" for link in inventory.links(router.site))
    if not kept or not (loses or leaves):
        return None
    peer = str(kept[0].network_address + (3 - own))
    if loses and _names(new, peer):
        return "its new line is not the main one yet. Apply the plan of the step before, then plan this one anew."
    return unproved(connection, inventory, router.site, 0, measure, now)


def _why_not_back(
    connection: Connection, inventory: Inventory, router: Device, plan: DevicePlan, measure: Measure, now: float
) -> str | None:
    gone, new = _changed(plan)
    networks = inventory.line_networks(router)
    goes = [place for place, network in enumerate(networks) if _told(gone, network) and not _told(new, network)]
    ranks = {place: rank for place, network in enumerate(networks) if (rank := _rank(new, network)) is not None}
    if goes:
        carries = [place for place in range(len(networks)) if place not in goes]
    elif len(ranks) > 1:  # both change their turns
        carries = [min(ranks, key=lambda place: ranks[place])]
        goes = [place for place in ranks if place not in carries]
    else:
        return None

    def why(place: int) -> str | None:
        return _unproved(connection, inventory, [place_node(router.id, place)], replace(measure, proof_s=0.0), now)

    reached = [place for place in goes if why(place) is None]
    if not reached:
        return None
    absent = [said for place in carries if (said := why(place))]
    if len(absent) < len(carries):
        return None
    return f"it is reached over {place_node(router.id, reached[0])}, which the way back takes from it, and {absent[0]}"


def _changed(plan: DevicePlan) -> tuple[list[list[str]], list[list[str]]]:
    """The words of the lines that go from a device, and of those that come."""
    lines = plan.diff.splitlines()
    gone = [line[1:].split() for line in lines if line.startswith("-") and not line.startswith("---")]
    new = [line[1:].split() for line in lines if line.startswith("+") and not line.startswith("+++")]
    return gone, new


def _told(lines: Sequence[Sequence[str]], network: IPv4Network) -> bool:
    return any(_names(lines, str(network.network_address + end)) for end in (1, 2))


def _rank(lines: Iterable[Sequence[str]], network: IPv4Network) -> int | None:
    """Which turn a line has by its routes, the least before others; None where none of them leads over it."""
    ends = {str(network.network_address + end) for end in (1, 2)}
    ranks = [
        int(words[-1]) if words[-1].isdecimal() else 0
        for words in lines
        if words[:1] == ["ip"] and words[1:2] in (["route"], ["route-static"]) and ends.intersection(words)
    ]
    return min(ranks, default=None)


def _names(lines: Iterable[Sequence[str]], address: str) -> bool:
    return any(address in (word, word.partition("/")[0]) for line in lines for word in line)


def _nodes(inventory: Inventory, site: int, number: int) -> list[str]:
    """What the collector calls a site's line: one name for each router at either end."""
    widths = [len(inventory.devices.routers(above)) for above in inventory.devices.site_uplinks(site)]
    first = sum(widths[:number])
    return [
        place_node(inventory.devices[router].id, place)
        for router in inventory.devices.routers(site)
        for place in inventory.line_places(router)[first : first + widths[number]]
    ]


def _refused(plan: DevicePlan, why: str) -> DevicePlan:
    return replace(plan, readiness=Readiness.REFUSED, reason=why, commands=(), rollback=())
