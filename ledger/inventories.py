"""Every inventory that was ever in force, by its hash, so that an old report can be made again."""

import io
import zipfile
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy.exc import IntegrityError

from inventory.model import Inventory
from inventory.source import Source
from ledger.errors import LedgerError
from ledger.tables import inventories
from ledger.work_tables import switches

_EPOCH = (1980, 1, 1, 0, 0, 0)  # ZIP's first moment: the archive of the same files is the same bytes


def keep(engine: Engine, inventory: Inventory, now: float) -> None:
    """Store an inventory unless the ledger has it.

    Raises:
        LedgerError: its files are no longer what was loaded.
    """
    with engine.connect() as connection:
        known = select(inventories.c.content_hash).where(inventories.c.content_hash == inventory.content_hash)
        if connection.scalar(known) is not None:
            return
    row = {
        "content_hash": inventory.content_hash,
        "title": inventory.title,
        "sites": len(inventory.sites),
        "devices": len(inventory.devices),
        "archive": _archive(inventory),
        "recorded_at": now,
    }
    # Another process may have stored it in the meantime: the same hash is the same content.
    with suppress(IntegrityError), engine.begin() as connection:
        connection.execute(insert(inventories).values(row))


def _archive(inventory: Inventory) -> bytes:
    source = Source(inventory.folder)
    if source.content_hash() != inventory.content_hash:
        raise LedgerError(f"{inventory.folder} was changed while it was being read. Start again.")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(source.files.items()):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def fetch(engine: Engine, content_hash: str) -> dict[str, bytes] | None:
    """The files of a stored inventory by their names; None if the ledger never had it."""
    with engine.connect() as connection:
        packed = connection.scalar(select(inventories.c.archive).where(inventories.c.content_hash == content_hash))
    if packed is None:
        return None
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@dataclass(frozen=True, slots=True)
class Switch:
    """Which inventory every program of a county was told to use. ``id`` grows with each."""

    id: int
    content_hash: str
    by: str
    at: float


def switch(connection: Connection, county: str, content_hash: str, by: str, now: float) -> None:
    """Tell every program of a county to use an inventory that the ledger keeps."""
    connection.execute(insert(switches).values(county=county, content_hash=content_hash, by=by, at=now))


def newest_switch(connection: Connection, county: str) -> Switch | None:
    """The last one; None where programs use what they were started with."""
    row = connection.execute(
        select(switches).where(switches.c.county == county).order_by(switches.c.id.desc()).limit(1)
    ).one_or_none()
    return None if row is None else Switch(row.id, row.content_hash, row.by, row.at)
