"""``cuntong dump``: everything that an instance is, in one sealed file, while it goes on running."""

import fcntl
import importlib.metadata
import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from cuntong.errors import StartError, UsageError
from cuntong.safekeeping.archive import About, ArchiveReader, ArchiveWriter, Manifest
from cuntong.safekeeping.parts import Part
from cuntong.settings import Settings
from ledger import audit, portable
from ledger.database import connect, head, revision, shown
from ledger.errors import LedgerError
from ledger.instance_tables import instance
from ledger.restores import watched_until
from ledger.sealed_file import Locking, SealedWriter, Unlocking


@dataclass(frozen=True)
class Dumped:
    """A dump that was read back."""

    path: Path
    about: About
    manifest: Manifest
    size: int


def partial(path: Path) -> Path:
    """Where a dump grows until it is whole."""
    return path.with_name(f".{path.name}.partial")


def dump(
    settings: Settings,
    every: list[Part],
    title: str,
    path: Path,
    lock: Locking,
    by: str,
    now: float,
    tell: Callable[[str], None] = lambda _: None,
) -> Dumped:
    """Write a dump and read it back. Until that is done there is no file of that name.

    Args:
        title: of the county.
        tell: hears what is being read.

    Raises:
        CuntongError: the file exists or cannot be written, there is no ledger, or it does not read back.
    """
    if path.exists():
        raise UsageError(f"{path} exists; a dump never replaces another. Choose another name.")
    growing = partial(path)
    try:
        descriptor = os.open(growing, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise UsageError(f"{growing} cannot be written ({error.strerror}).") from None
    with os.fdopen(descriptor, "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(f"{path} is being written by another program.") from None
        try:
            file.truncate()  # what a dump that was killed has left
            sealed = SealedWriter(file, lock)
            _write(settings, every, title, sealed, by, now, tell)
            file.flush()
            os.fsync(file.fileno())
            tell("reading it back")
            found = verify(growing, sealed.key, path.name)
            growing.rename(path)
            sync_folder(path.parent)
        except BaseException as error:
            growing.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise StartError(f"{path} cannot be written ({error.strerror}).") from None
            raise
    return Dumped(path, found.about, found.manifest, found.size)


def _write(
    settings: Settings,
    every: list[Part],
    title: str,
    sealed: SealedWriter,
    by: str,
    now: float,
    tell: Callable[[str], None],
) -> None:
    engine = connect(settings.ledger_url)
    try:
        with portable.snapshot(engine) as connection:
            version = revision(connection)
            if version is None:
                raise StartError(f"There is no ledger yet in {shown(settings.ledger_url)}: nothing to dump.")
            tables = portable.layouts(connection)
            known = {layout.table for layout in tables}
            about = About(
                id=uuid.uuid4().hex,
                # A ledger of before 0014 has no name; it gets one when it is migrated.
                instance=str(connection.scalar(select(instance.c.id))) if instance.name in known else "",
                title=title,
                made_at=now,
                made_by=by,
                version=version,
                program=importlib.metadata.version("cuntong"),
                database=engine.dialect.name,
                watched_until=watched_until(connection),
                layouts={one.table: [(name, str(kind)) for name, kind in one.columns] for one in tables},
                settings={
                    f"CUNTONG_{name.upper()}": str(value)
                    for name, value in sorted(settings.model_dump(exclude_defaults=True).items())
                    if name != "ledger"
                }
                | {"CUNTONG_LEDGER": shown(settings.ledger_url)},
            )
            archive = ArchiveWriter(sealed, about)
            for layout in tables:
                tell(layout.table)
                archive.manifest.rows[layout.table] = 0
                for number, (block, rows) in enumerate(portable.blocks(connection, layout)):
                    archive.add_rows(layout, number, block, rows)
    finally:
        engine.dispose()
    for part in every:
        if part.present:
            tell(part.name)
            archive.add_part(part)
    archive.close()


def verify(path: Path, key: Unlocking | bytes, name: str | None = None) -> Dumped:
    """Read a dump from its beginning to its end.

    Raises:
        CuntongError: there is none, it does not open, it was altered or is cut off, or its rows are not readable.
    """
    try:
        with path.open("rb") as file:
            archive = ArchiveReader(file, key, name or str(path))
            rows = dict.fromkeys(archive.about.layouts, 0)
            for member in archive.members():
                if member.part == "ledger" and member.file is not None:
                    block = member.file.read()
                    rows[member.info.name.split("/")[1]] += block.count(b"\n") + 1
            if rows != archive.manifest.rows:
                raise LedgerError(f"{name or path} does not have the rows that its manifest says.")
            return Dumped(path, archive.about, archive.manifest, path.stat().st_size)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}).") from None


def sync_folder(folder: Path) -> None:
    """Let a new name in a folder outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def note(settings: Settings, done: Dumped, now: float) -> None:
    """Leave in the audit chain that a dump was made: `cuntong doctor` tells how old the newest one is.

    A ledger of an older version is left as it is; `cuntong upgrade` dumps before it migrates.
    """
    engine = connect(settings.ledger_url)
    try:
        with engine.begin() as connection:
            if revision(connection) == head():
                detail = {"file": str(done.path.resolve()), "bytes": done.size, "dump": done.about.id}
                audit.record(connection, now, done.about.made_by, "system.dump", done.about.instance, detail)
    finally:
        engine.dispose()


def thin_out(path: Path, keep: int) -> None:
    """Of the dumps beside one leave the newest; files of other names are not touched."""
    dumps = sorted(path.parent.glob("*.dump"), key=lambda one: one.stat().st_mtime)
    for old in dumps[:-keep]:
        if old != path:
            old.unlink()
