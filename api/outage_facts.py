"""What stands beside an outage's record: what people call its node, how far it reaches, and whose job it is."""

from datetime import datetime
from typing import Final

from api.clues import sentence
from api.messages import say
from api.standing import CHINA
from health.outage import Outage, Scope, line_of
from health.verdict import Blame, Sign
from inventory.model import Inventory, Link

NAMES: Final = 5
"""How many affected sites are named in a message."""


def name_of(inventory: Inventory, outage: Outage) -> tuple[str | None, str]:
    """The site of the failed node and what people call the node; its id where the inventory no longer has it."""
    columns = inventory.sites
    if outage.scope is Scope.LINE:
        router, number = line_of(outage.node) or ("", 0)
        try:
            device = inventory.devices.find(router)
        except KeyError:
            return None, outage.node
        return columns.ids[device.site], f"{columns.names[device.site]} {device.role} line{number + 1}"
    if outage.scope is Scope.DEVICE:
        try:
            device = inventory.devices.find(outage.node)
        except KeyError:
            return None, outage.node
        return columns.ids[device.site], f"{columns.names[device.site]} {device.role}"
    site = columns.index.get(outage.node)
    return (None, outage.node) if site is None else (outage.node, columns.names[site])


def names_beneath(inventory: Inventory, outage: Outage) -> list[str]:
    """Names of the sites that it darkens, the root's first."""
    sites = inventory.sites
    return [sites.names[sites.index[id]] if id in sites.index else id for id in outage.sites]


def circuit_line(inventory: Inventory, outage: Outage) -> tuple[int, int] | None:
    """Site and line (from 0) whose circuit a line's outage is of.

    None for any other outage, and where the inventory no longer has that line.
    """
    found = line_of(outage.node) if outage.scope is Scope.LINE else None
    if found is None:
        return None
    try:
        device = inventory.devices.find(found[0])
    except KeyError:
        return None
    routers = list(inventory.devices.routers(device.site))
    # One router has all lines of its site; of several each has one (`exporter.links`).
    line = found[1] if len(routers) == 1 else routers.index(device.ordinal)
    return (device.site, line) if line < len(inventory.links(device.site)) else None


def link_of(inventory: Inventory, outage: Outage) -> Link | None:
    """The line that an outage is of: the failed one, or the main one of the failed node's site."""
    place = circuit_line(inventory, outage)
    if place is not None:
        return inventory.links(place[0])[place[1]]
    id, _ = name_of(inventory, outage)
    return None if id is None or outage.scope is Scope.LINE else inventory.site(inventory.sites.index[id]).link


def carrier_of(inventory: Inventory, outage: Outage) -> str:
    """Whose line the failed node's site is on; empty where it has none, or is no longer in the inventory."""
    link = link_of(inventory, outage)
    return "" if link is None else link.carrier


def blame_of(outage: Outage) -> Blame:
    return outage.finding.blame if outage.finding else Blame.UNKNOWN


def cause_of(language: str, outage: Outage) -> str:
    """What failed, in words; where no verdict was given, where the silence begins."""
    blame = blame_of(outage)
    return say(language, f"cause.{outage.cause}" if blame is Blame.UNKNOWN else f"blame.{blame}")


def reason_of(language: str, inventory: Inventory, outage: Outage) -> str:
    """The weightiest clue as a sentence; empty where nothing was measured."""
    clues = outage.finding.clues if outage.finding else ()
    if not clues or clues[0].sign is Sign.NOTHING_MEASURED:
        return ""
    return sentence(language, clues[0], inventory.county.carriers)


def duty_of(language: str, inventory: Inventory, outage: Outage) -> str:
    """Whose job it is: the carrier's with its circuit, the site's people, or our own."""
    blame = blame_of(outage)
    id, _ = name_of(inventory, outage)
    site = None if id is None else inventory.site(inventory.sites.index[id])
    link = link_of(inventory, outage)
    if blame is Blame.LINE and link is not None:
        carrier = inventory.county.carriers.get(link.carrier, link.carrier)
        if link.circuit is None:
            return say(language, "duty.line_unnamed", carrier=carrier)
        return say(language, "duty.line", carrier=carrier, circuit=link.circuit)
    responsible = (site.responsible if site is not None else None) or say(language, "duty.nobody")
    return say(language, f"duty.{blame}" if blame is not Blame.LINE else "duty.unknown", responsible=responsible)


def clock(at: float) -> str:
    """A Unix time in China's time, to the minute."""
    return datetime.fromtimestamp(at, CHINA).strftime("%m-%d %H:%M")


def duration(language: str, seconds: float) -> str:
    """In days and hours, hours and minutes, or minutes."""
    minutes = max(0, round(seconds / 60))
    hours, rest = divmod(minutes, 60)
    if hours >= 24:
        return say(language, "duration.days", days=hours // 24, hours=hours % 24)
    if hours:
        return say(language, "duration.hours", hours=hours, minutes=rest)
    return say(language, "duration.minutes", minutes=minutes)
