"""How running programs change over to an inventory that was put in force (``cuntong reload``).

A program that finds another inventory in force ends its work cleanly and starts itself anew, in the same process: what
it must not lose is in the ledger, and whoever supervises it sees no death. Until its folder holds just the files that
were accepted, it goes on with what it has: a folder that git is still writing, or another machine's that is not yet
synchronised, is never read half.
"""

import asyncio
import logging
import os
import sys
from typing import NoReturn

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from inventory.model import Inventory
from inventory.source import Source
from ledger import inventories

log = logging.getLogger(__name__)

_LOOK_S = 2.0


class Switchover:
    """Whether another inventory than ours is in force.

    Attributes:
        wanted: set once it is and its files are here.
    """

    def __init__(self, engine: Engine, inventory: Inventory) -> None:
        self._engine, self._inventory = engine, inventory
        self.wanted = False
        self._told: str | None = None

    def look(self) -> bool:
        """Whether to change over now."""
        with self._engine.connect() as connection:
            newest = inventories.newest_switch(connection, self._inventory.top)
        if newest is None or newest.content_hash == self._inventory.content_hash:
            return False
        try:
            here = Source(self._inventory.folder).content_hash()
        except OSError as error:
            here = str(error)
        if here == newest.content_hash:
            self.wanted = True
        elif self._told != newest.content_hash:
            self._told = newest.content_hash
            log.warning(
                "%s put inventory %s in force, and %s does not hold it: going on with %s",
                newest.by, newest.content_hash[:12], self._inventory.folder, self._inventory.content_hash[:12],
            )  # fmt: skip
        return self.wanted

    async def run(self) -> None:
        """Until it is time to change over."""
        while True:
            try:
                if await asyncio.to_thread(self.look):
                    log.info("changing over to another inventory")
                    return
            except DBAPIError as error:
                log.warning("the ledger does not tell which inventory is in force: %s", error.orig)
            await asyncio.sleep(_LOOK_S)


def start_anew() -> NoReturn:
    """This program again, in this process, with the arguments and the environment that it had."""
    # The arguments are those that started us.
    os.execv(sys.executable, [sys.executable, "-m", "cuntong", *sys.argv[1:]])  # noqa: S606
