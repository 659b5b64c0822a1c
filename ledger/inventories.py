"""Every inventory that was ever in force, by its hash, so that an old report can be made again."""

import io
import zipfile
from contextlib import suppress

from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import IntegrityError

from inventory.model import Inventory
from inventory.source import Source
from ledger.errors import LedgerError
from ledger.tables import inventories

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
