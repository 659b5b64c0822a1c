"""Localised keys of SNMPv3 by device: sealed, since whoever has them can speak as our user.

The fingerprint of the credential is sealed with them: a password could be guessed from it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, insert, select

from ledger.errors import LedgerError
from ledger.tables import engine_keys
from ledger.vault import Vault


@dataclass(frozen=True, slots=True)
class EngineKeys:
    """What is kept of one device. ``fingerprint`` is of the credential from which the keys were derived."""

    device: str
    engine_id: bytes
    fingerprint: bytes = field(repr=False)
    auth: bytes = field(repr=False)
    priv: bytes = field(repr=False)


def read_engine_keys(connection: Connection, vault: Vault) -> tuple[dict[str, EngineKeys], int]:
    """What is kept, by device, and how many rows do not open (sealed with another key: they are derived again)."""
    kept: dict[str, EngineKeys] = {}
    closed = 0
    for row in connection.execute(select(engine_keys)):
        try:
            parts = _apart(vault.open(row.sealed, _about(row.device, row.engine)))
        except LedgerError:
            closed += 1
            continue
        kept[row.device] = EngineKeys(row.device, bytes.fromhex(row.engine), *parts)
    return kept, closed


def keep_engine_keys(connection: Connection, vault: Vault, keys: Iterable[EngineKeys], now: float) -> None:
    """Keeps these, instead of what was kept of their devices."""
    newest: Mapping[str, EngineKeys] = {one.device: one for one in keys}
    if not newest:
        return
    for device in newest:
        connection.execute(delete(engine_keys).where(engine_keys.c.device == device))
    connection.execute(
        insert(engine_keys),
        [
            {
                "device": one.device,
                "engine": one.engine_id.hex(),
                "kept_at": now,
                "sealed": vault.seal(
                    _together(one.fingerprint, one.auth, one.priv), _about(one.device, one.engine_id.hex())
                ),
            }
            for one in newest.values()
        ],
    )


def _about(device: str, engine: str) -> str:
    return f"the SNMP keys of {device} at engine {engine}"


def _together(*parts: bytes) -> bytes:
    return b"".join(bytes((len(part),)) + part for part in parts)


def _apart(whole: bytes) -> tuple[bytes, bytes, bytes]:
    parts = []
    at = 0
    while at < len(whole):
        parts.append(whole[at + 1 : at + 1 + whole[at]])
        at += 1 + whole[at]
    fingerprint, auth, priv = parts
    return fingerprint, auth, priv
