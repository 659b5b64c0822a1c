"""A weak setting is excused for a while: a waiver in county.yml, by decision, with its end and its reason."""

from datetime import date
from pathlib import Path
from typing import Any

from inventory.changes import Changes
from inventory.editing import Added, edit
from inventory.loader import COUNTY, examine
from inventory.source import Source


def waive(folder: Path, what: str, until: date, reason: str) -> Changes:
    """County.yml with the waiver, in place of the one for the same thing; nothing is written.

    Raises:
        InventoryError: the inventory breaks a law, before or after.
    """
    source = Source(folder)
    held = examine(source).county.waivers
    said: dict[str, Any] = {"until": until, "reason": reason}
    number = next((n for n, one in enumerate(held) if one.what == what), None)
    change: Any = {number: said} if number is not None else Added([{"what": what, **said}])
    if not held:
        change = [{"what": what, **said}]
    before = source.files[COUNTY]
    after = edit(COUNTY, before, {"waivers": change})
    changed = Source(folder)
    changed.files[COUNTY] = after
    examine(changed)
    return Changes(folder, {COUNTY: before}, {COUNTY: after})
