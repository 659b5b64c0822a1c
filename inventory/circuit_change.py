"""A line gets another circuit: the old one stays with its dates, so that its past is its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from inventory.changes import Changes
from inventory.compiling import Compilation
from inventory.declared import did_you_mean
from inventory.editing import Added, Entry, edit
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
    row = _row(compilation, site)
    entry = row.entry
    links = [entry.link or LinkEntry() if entry is not None else LinkEntry(), *(entry.more_links if entry else ())]
    if row.link_type == "-" or line >= len(links):
        raise _refused(row.file, f"{site} has no line {line + 1}.", f"It has {len(links)}.")
    held = links[line]
    if held.contract_until is not None and new.contract_until is None:
        message = f"the contract of {held.circuit or 'the circuit before'} ends on {held.contract_until}."
        raise _refused(row.file, message, "Say when the new one ends (--until).")
    fields = _fields(row, held, new)
    change: Mapping[str, Any] = {"link": fields} if line == 0 else {"more_links": {line - 1: fields}}
    laid: Any = Entry(None, change)
    for step in reversed(row.path):
        laid = {str(step): laid}
    before = source.files[row.file]
    after = edit(row.file, before, laid)
    changed = Source(folder)
    changed.files[row.file] = after
    examine(changed)
    return Changes(folder, {row.file: before}, {row.file: after})


def _row(compilation: Compilation, site: str) -> Row:
    for row, locked in zip(compilation.rows, compilation.locked, strict=True):
        if locked is not None and locked.id == site:
            return row
    known = [locked.id for locked in compilation.locked if locked is not None]
    raise _refused("sites", f"there is no site {site!r}.", did_you_mean(site, known, "See them: cuntong show sites."))


def _fields(row: Row, held: LinkEntry, new: NewCircuit) -> dict[str, Any]:
    """What is written at the line: the new circuit, and the old one behind those before it."""
    former: dict[str, Any] = {
        "circuit": held.circuit or "unnumbered",
        "carrier": held.carrier or row.carrier,
        "type": str(held.link_type or row.link_type),
        "contract_since": held.contract_since,
        "contract_until": new.since,
        "bandwidth_mbps": held.bandwidth_mbps,
        "service_level": held.service_level,
    }
    told = {name: value for name, value in former.items() if value is not None}
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


def _refused(file: str, message: str, mend: str) -> InventoryError:
    return InventoryError([Problem(file, 0, "", message, mend)])
