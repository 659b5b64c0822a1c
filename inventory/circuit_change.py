"""A line gets another circuit: the old one stays with its dates, so that its past is its own.

Behind the port that it has (`change_circuit`), or make-before-break on another port of the router, in three steps of
which each is an inventory, a plan and a run of its own:

    beside    the new line stands beside the old one, its own addresses on it; nothing goes over it yet
    carries   the new one is the main line, the old one stands by
    alone     the old one is gone, and one of the new line's former circuits

Between them people wait until the new line was measured (`cuntong.changing.lines`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from inventory.changes import Changes
from inventory.compiling import Compilation
from inventory.declared import did_you_mean
from inventory.device_changes import with_lock
from inventory.editing import REMOVED, Added, Anew, Entry, edit
from inventory.entries import LinkEntry
from inventory.errors import InventoryError, Problem
from inventory.loader import examine
from inventory.reading_sites import Row
from inventory.source import Source


@dataclass(frozen=True, slots=True)
class NewCircuit:
    """What a line has from ``since`` on; None keeps what the line had."""

    number: str
    since: date
    carrier: str | None = None
    link_type: str | None = None
    bandwidth_mbps: int | None = None
    service_level: str | None = None
    contract_until: date | None = None
    hotline: str | None = None


def change_circuit(folder: Path, site: str, new: NewCircuit, line: int = 0) -> Changes:
    """The inventory's files with another circuit on a line of a site, held to every law.

    Args:
        line: 0 is the main line.

    Raises:
        InventoryError: there is no such site or line, or a law is broken; nothing was written.
    """
    source = Source(folder)
    compilation = examine(source)
    at = _position(compilation, site)
    row = compilation.rows[at]
    links = _links(row)
    if row.link_type == "-" or line >= len(links):
        raise _refused(row.file, f"{site} has no line {line + 1}.", f"It has {len(links)}.")
    held = links[line]
    _must_end(row, held, new)
    fields = _fields(row, held, new)
    change: Mapping[str, Any] = {"link": fields} if line == 0 else {"more_links": {line - 1: fields}}
    return _written(source, row, change)


def line_beside(folder: Path, site: str, new: NewCircuit) -> Changes:
    """The first step of a change without a break: the new line beside the main one, on a free port of the router.

    Raises:
        InventoryError: there is no such site or free port, a change is under way, or a law is broken.
    """
    source = Source(folder)
    compilation = examine(source)
    at = _position(compilation, site)
    row = compilation.rows[at]
    links = _links(row)
    if row.link_type == "-":
        raise _refused(row.file, f"{site} has no line.", "It is the line of its host that changes.")
    if _changing(links) is not None:
        message = f"a change of {site}'s line is under way."
        raise _refused(row.file, message, f"End it first: cuntong circuit advance {site}.")
    held = links[0]
    _must_end(row, held, new)
    fields: dict[str, Any] = {
        "type": new.link_type or str(held.link_type or row.link_type),
        "carrier": new.carrier or held.carrier or row.carrier,
        "circuit": new.number,
        "bandwidth_mbps": new.bandwidth_mbps or held.bandwidth_mbps,
        "role": "backup",
        "service_level": new.service_level or held.service_level,
        "contract_since": new.since,
        "contract_until": new.contract_until,
        "hotline": new.hotline,
        "uplink": held.uplink,
        "place": _free_place(compilation, at),
        "change": "coming",
    }
    told = {name: value for name, value in fields.items() if value is not None}
    further = Added([told]) if row.entry is not None and row.entry.more_links else [told]
    return _written(source, row, {"more_links": further})


@dataclass(frozen=True, slots=True)
class Advance:
    """The next step of a change that is under way.

    Attributes:
        number: of the new line among the site's, from 0, as it is before this step.
        ends: the old line goes; False: the new one begins to carry.
        circuit: the new one's number.
    """

    changes: Changes
    number: int
    ends: bool
    circuit: str


def advance(folder: Path, site: str, today: date) -> Advance:
    """The second step of a change without a break, or the third.

    Raises:
        InventoryError: there is no such site, no change is under way, or a law would be broken.
    """
    source = Source(folder)
    compilation = examine(source)
    at = _position(compilation, site)
    row = compilation.rows[at]
    links = _links(row)
    number = _changing(links)
    if number is None:
        message = f"no change of {site}'s line is under way."
        raise _refused(row.file, message, f"Begin one: cuntong circuit change {site} --circuit NUMBER.")
    if links[number].change == "coming":
        main = _as_written(row, links[number])
        main.pop("role"), main.pop("change")
        old = {"role": "backup", "place": compilation.wiring.line_places(at)[0] + 1, "change": "leaving"}
        further = [_as_written(row, one) for one in links[1:]]
        further[number - 1] = _as_written(row, links[0]) | old
        changes = _written(source, row, {"link": Anew(main), "more_links": Anew(further)})
        return Advance(changes, number, ends=False, circuit=str(main["circuit"]))
    main = _as_written(row, links[0])
    main["formerly"] = [*_former(links[number]), _ended(row, links[number], today)]
    further = [_as_written(row, one) for n, one in enumerate(links[1:], 1) if n != number]
    changes = _written(source, row, {"link": Anew(main), "more_links": Anew(further) if further else REMOVED})
    return Advance(changes, 0, ends=True, circuit=str(main["circuit"]))


def _changing(links: Sequence[LinkEntry]) -> int | None:
    return next((number for number, one in enumerate(links) if one.change is not None), None)


def _links(row: Row) -> list[LinkEntry]:
    entry = row.entry
    return [entry.link or LinkEntry() if entry is not None else LinkEntry(), *(entry.more_links if entry else ())]


def _must_end(row: Row, held: LinkEntry, new: NewCircuit) -> None:
    if held.contract_until is not None and new.contract_until is None:
        message = f"the contract of {held.circuit or 'the circuit before'} ends on {held.contract_until}."
        raise _refused(row.file, message, "Say when the new one ends (--until).")


def _free_place(compilation: Compilation, at: int) -> int:
    """The first place, from 1, where every router of a site has a port for another line like its main one."""
    wiring, row = compilation.wiring, compilation.rows[at]
    above = wiring.above(at)
    width = len(wiring.roles_of[above[0]]) if above else 0
    taken = set(wiring.line_places(at))
    routers = [slot for slot in wiring.slots_of[at] if slot.role in wiring.roles_of[at]]
    declared = [compilation.county.models[slot.model].ports for slot in routers]
    ports = min((len(one.uplinks) if one is not None else 0 for one in declared), default=0)
    for first in range(ports - width + 1):
        if width and not taken.intersection(range(first, first + width)):
            return first + 1
    message = f"no router of {row.name} has a free port for another line upward."
    raise _refused(row.file, message, "Where the carrier swaps behind the port that is there: --in-place.")


def _as_written(row: Row, link: LinkEntry) -> dict[str, Any]:
    """A line in full, so that it stays what it is at another place of the file."""
    told = {
        name: value
        for name, value in link.model_dump(by_alias=True, exclude_defaults=True).items()
        if value is not None and name != "formerly"
    }
    told = {"type": str(link.link_type or row.link_type), "carrier": link.carrier or row.carrier, **told}
    if link.formerly:
        told["formerly"] = _former(link)
    return told


def _former(link: LinkEntry) -> list[dict[str, Any]]:
    return [one.model_dump(by_alias=True, exclude_none=True) for one in link.formerly]


def _written(source: Source, row: Row, change: Mapping[str, Any]) -> Changes:
    laid: Any = Entry(None, change)
    for step in reversed(row.path):
        laid = {str(step): laid}
    before = source.files[row.file]
    try:
        after = edit(row.file, before, laid)
    except ValueError as error:
        raise _refused(row.file, f"{error}.", "Write the site in lines of its own, not within braces.") from None
    return with_lock(source, {row.file: before}, {row.file: after})


def _position(compilation: Compilation, site: str) -> int:
    for at, locked in enumerate(compilation.locked):
        if locked is not None and locked.id == site:
            return at
    known = [locked.id for locked in compilation.locked if locked is not None]
    raise _refused("sites", f"there is no site {site!r}.", did_you_mean(site, known, "See them: cuntong show sites."))


def _fields(row: Row, held: LinkEntry, new: NewCircuit) -> dict[str, Any]:
    """What is written at the line: the new circuit, and the old one behind those before it."""
    told = _ended(row, held, new.since)
    fields: dict[str, Any] = {
        "type": new.link_type,
        "carrier": new.carrier,
        "circuit": new.number,
        "bandwidth_mbps": new.bandwidth_mbps,
        "service_level": new.service_level,
        "contract_since": new.since,
        "contract_until": new.contract_until,
        "hotline": new.hotline,
    }
    written = {name: value for name, value in fields.items() if value is not None}
    return written | {"formerly": Added([told]) if held.formerly else [told]}


def _ended(row: Row, held: LinkEntry, on: date) -> dict[str, Any]:
    """A line's circuit as one of the past."""
    former: dict[str, Any] = {
        "circuit": held.circuit or "unnumbered",
        "carrier": held.carrier or row.carrier,
        "type": str(held.link_type or row.link_type),
        "contract_since": held.contract_since,
        "contract_until": on,
        "bandwidth_mbps": held.bandwidth_mbps,
        "service_level": held.service_level,
    }
    return {name: value for name, value in former.items() if value is not None}


def _refused(file: str, message: str, mend: str) -> InventoryError:
    return InventoryError([Problem(file, 0, "", message, mend)])
