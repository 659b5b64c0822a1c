"""Changes of declared devices: files and lock as they would become, held to every law. Pure but for reading."""

import copy
from collections.abc import Mapping
from typing import Any

from inventory import lockfile
from inventory.addresses import PlanFullError, allocate
from inventory.changes import Changes
from inventory.errors import InventoryError, Problem
from inventory.loader import examine
from inventory.sheets.merging import Merging, Target
from inventory.source import Source

Told = Mapping[tuple[int, str], Mapping[str, Mapping[str, Any] | None]]
"""By node and key of a site: roles, and what is to be written of each; None takes the device away."""


def change_devices(source: Source, told: Told) -> Changes:
    """What the folder would be with these devices changed, and with addresses for what is new.

    Raises:
        InventoryError: the inventory has problems of its own or would have, or the pools are full.
    """
    compilation = examine(source)
    merging = Merging(source, compilation, [])
    for (node, key), devices in told.items():
        row = merging.rows[node, key]
        target = merging.targets.setdefault((node, key), Target(node, key, row, row.site_type, row.name))
        target.devices |= {role: None if one is None else dict(one) for role, one in devices.items()}
    before, after = merging.files()
    return with_lock(source, before, after)


def with_lock(source: Source, before: dict[str, bytes], after: dict[str, bytes]) -> Changes:
    """The changes of some files, and of the lock that follows from them.

    Raises:
        InventoryError: the changed files break a law, or the pools are full.
    """
    changed = overlaid(source, after)
    compilation = examine(changed)
    lock = copy.deepcopy(compilation.lock)
    try:
        allocate(compilation.county.addresses, compilation.demands(), lock)
    except PlanFullError as full:
        problem = Problem("county.yml", 0, "addresses", f"{full}.", "Add a pool below the others.")
        raise InventoryError([problem]) from None
    old, new = source.files.get(lockfile.NAME), lockfile.render(lock)
    if new != old:
        after[lockfile.NAME] = new
        if old is not None:
            before[lockfile.NAME] = old
    return Changes(source.folder, before, after)


def overlaid(source: Source, after: Mapping[str, bytes]) -> Source:
    """The folder with some files as they would become."""
    changed = Source(source.folder)
    changed.files.update(after)
    return changed
