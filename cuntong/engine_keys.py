"""Carries SNMPv3's localised keys between the ledger and the collector: a restarted one derives none."""

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from collectors.snmp.usm import Keys, User
from ledger.engine_keys import EngineKeys, keep_engine_keys, read_engine_keys
from ledger.vault import open_vault

log = logging.getLogger(__name__)

_EVERY_S = 5.0


class KeyKeeper:
    """The known keys, and those that are to be kept.

    Raises:
        LedgerError: the vault's key file cannot be used.
    """

    def __init__(self, engine: Engine, vault_key: Path) -> None:
        self._engine = engine
        self._vault = open_vault(vault_key)
        with engine.connect() as connection:
            self._known, closed = read_engine_keys(connection, self._vault)
        if closed:
            log.warning("the keys of %d devices were sealed with another vault key: they are derived again", closed)
        self._pending: list[EngineKeys] = []

    def known(self, device: str, user: User) -> Keys | None:
        """The keys of this user at this device; None where they must be derived."""
        kept = self._known.get(device)
        if kept is None or kept.fingerprint != user.fingerprint:
            return None
        return Keys(kept.engine_id, kept.auth, kept.priv)

    def keep(self, device: str, user: User) -> Callable[[Keys], None]:
        """What takes the keys of this user at this device when they were derived."""
        return lambda keys: self._pending.append(EngineKeys(device, keys.engine_id, user.fingerprint, *keys[1:]))

    def flush(self) -> None:
        """Write what is pending; what the database does not take stays so."""
        pending, self._pending = self._pending, []
        try:
            with self._engine.begin() as connection:
                keep_engine_keys(connection, self._vault, pending, time.time())
        except DBAPIError as error:
            self._pending = pending + self._pending
            log.warning("the ledger did not take the keys of %d devices yet: %s", len(pending), error.orig)

    async def run(self) -> None:
        """Write every few seconds until cancelled."""
        while True:
            await asyncio.sleep(_EVERY_S)
            if self._pending:
                await asyncio.to_thread(self.flush)
