"""What people announce while the collector runs: maintenance windows, read from the ledger again and again."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterable

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from collectors.promises import Covered, Promises
from health.maintenance import Reach, Window
from inventory.model import Inventory
from ledger import maintenance

log = logging.getLogger(__name__)

_OVER_S = 86_400.0  # a window that was over so long ago has nothing to say to a collector


def covered_of(inventory: Inventory, windows: Iterable[Window]) -> list[Covered]:
    """What of the fleet each maintenance window covers; those whose target left the inventory cover nothing."""
    found = []
    for window in windows:
        if window.reach is Reach.SITE and window.target in inventory.sites.index:
            found.append(Covered(window, sites=(inventory.sites.index[window.target],)))
        elif window.reach is Reach.DIVISION and window.target in inventory.nodes.index:
            found.append(Covered(window, sites=range(*inventory.sites.span(inventory.nodes.index[window.target]))))
        elif window.reach is Reach.DEVICE:
            with contextlib.suppress(KeyError):
                found.append(Covered(window, devices=(inventory.devices.find(window.target).ordinal,)))
    return found


async def follow_windows(inventory: Inventory, engine: Engine, promises: Promises, every_s: float) -> None:
    """Tell the watch of maintenance as the ledger knows it, until cancelled; without it the last word stands."""
    while True:
        try:
            windows = await asyncio.to_thread(_windows, engine)
        except DBAPIError as error:
            log.warning("the ledger does not tell of maintenance: %s", error.orig)
        else:
            promises.announce(covered_of(inventory, windows))
        await asyncio.sleep(every_s)


def _windows(engine: Engine) -> list[Window]:
    with engine.connect() as connection:
        return [one for one in maintenance.windows(connection) if one.until > time.time() - _OVER_S]
