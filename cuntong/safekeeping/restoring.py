"""``cuntong restore``: an instance out of its dump, on this machine, complete or not at all."""

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from cuntong.errors import StartError, UsageError
from cuntong.safekeeping import switching
from cuntong.safekeeping.archive import About, ArchiveReader, Manifest, safe_path, write_member
from cuntong.safekeeping.dumping import sync_folder
from cuntong.safekeeping.parts import Part
from cuntong.safekeeping.switching import Move, Switch
from cuntong.settings import Settings, state_folder
from ledger import leases, portable, staging
from ledger.database import connect, migrate, require_known, revision, shown, sqlite_url
from ledger.errors import LedgerError
from ledger.instance_tables import instance
from ledger.restores import Restore, begin_anew
from ledger.rollouts import Run
from ledger.sealed_file import Unlocking

_SLOWEST_TIMER_S: Final = 3600.0
"""Plans arm routers for five minutes and one for each 30 commands: less up to 1,500 commands, a restart included."""


@dataclass(frozen=True)
class Wishes:
    """What somebody said beside the dump's name.

    Attributes:
        off_since: when the old server stopped for good, as its operator knows; None: it may live.
        owner: name or number of the user to whom files will belong; None: who restores.
    """

    replace: bool = False
    adopt: bool = False
    off_since: float | None = None
    owner: str | None = None


@dataclass(frozen=True)
class Restored:
    """What came of it.

    Attributes:
        runs: were under way when the dump was made.
        aside: where what was replaced stands now.
        missing: parts of the dump that have no place here.
    """

    about: About
    manifest: Manifest
    restore: Restore
    runs: list[Run]
    aside: list[str]
    missing: list[str]


def restore(
    settings: Settings,
    every: Sequence[Part],
    path: Path,
    key: Unlocking,
    wishes: Wishes,
    by: str,
    now: float,
    tell: Callable[[str], None] = lambda _: None,
) -> Restored:
    """Put a dump in force on this machine.

    Raises:
        CuntongError: the dump does not open, is cut off, altered or of a newer program; something is here already; a
            program still uses it. Nothing was changed.
    """
    state = state_folder()
    with switching.alone(state), _opened(path, key) as archive:
        about = archive.about
        require_known(about.version, f"The ledger in {path.name}")
        _require_room(settings, every, about, wishes)
        stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%S")
        staged = _Staging(settings, every, stamp)
        try:
            with staged.ledger() as engine:
                runs, record = _fill(archive, staged, engine, wishes, by, now, tell)
            tell("switching over")
            staged.settle(wishes.owner)
            if wishes.owner is not None:  # its services write here, and take this lock
                for place in (state, switching.lock_file(state)):
                    shutil.chown(place, wishes.owner)
            aside = staged.aside()
            switching.commit(state, staged.switch())
        except BaseException:
            if not switching.pending(state):
                staged.discard()
            raise
        switching.finish(state, settings.ledger_url)
    return Restored(about, archive.manifest, record, runs, aside, sorted(staged.missing))


@contextmanager
def _opened(path: Path, key: Unlocking) -> Iterator[ArchiveReader]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}).") from None
    with file:
        yield ArchiveReader(file, key, path.name)


def _require_room(settings: Settings, every: Sequence[Part], about: About, wishes: Wishes) -> None:
    """Refuse where something would be overwritten, or somebody is at work.

    Raises:
        UsageError, StartError: with what is in the way.
    """
    own = _instance_here(settings)
    if own and about.instance and own != about.instance and not wishes.adopt:
        raise UsageError(
            f"The dump is of another instance: {about.title} ({about.instance[:8]}); here is {own[:8]}. If this "
            "machine is to become that one: --adopt-instance --replace."
        )
    there = [str(part.path) for part in every if part.present] + (
        [shown(settings.ledger_url)] if own is not None else []
    )
    if there and not wishes.replace:
        raise UsageError(
            f"Here is something already: {', '.join(there)}. With --replace the dump takes its place, and what is "
            "there is kept beside it."
        )
    if own is not None:
        require_nobody(settings)


def _instance_here(settings: Settings) -> str | None:
    """The instance of the ledger that is here; empty for one of before they had names, None where there is none."""
    file = sqlite_file(settings)
    if file is not None and not file.exists():
        return None
    engine = connect(settings.ledger_url)
    try:
        with engine.connect() as connection:
            if revision(connection) is None:
                return None
            try:
                return str(connection.scalar(select(instance.c.id)))
            except DBAPIError:
                return ""
    except OperationalError as error:
        raise StartError(f"The ledger {shown(settings.ledger_url)} does not open: {error.orig}.") from None
    except DBAPIError:
        return ""  # a damaged ledger is something that --replace may replace
    finally:
        engine.dispose()


def require_nobody(settings: Settings) -> None:
    """Refuse to replace or migrate a ledger that somebody uses.

    Raises:
        StartError: with who does.
    """
    file = sqlite_file(settings)
    if file is not None:
        users = [pid for pid in _holders(file) if pid != os.getpid()]
        if users:
            raise StartError(
                f"{'Processes' if len(users) > 1 else 'Process'} {', '.join(map(str, users))} still use {file}. Stop "
                "Cuntong first: systemctl stop cuntong-up."
            )
    engine = connect(settings.ledger_url)
    try:
        held = leases.current(engine, time.time())
    except DBAPIError:
        return
    finally:
        engine.dispose()
    if held:
        raise StartError(
            f"{held[0].holder} still collects {held[0].county} into this ledger. Stop it, or wait for "
            f"{held[0].expires_at - time.time():.0f} s if it is gone."
        )


def _holders(file: Path) -> Iterator[int]:
    """Processes that have a file open, as far as we may look."""
    wanted = file.stat()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            for one in (process / "fd").iterdir():
                opened = one.stat()
                if (opened.st_dev, opened.st_ino) == (wanted.st_dev, wanted.st_ino):
                    yield int(process.name)
                    break
        except OSError:
            continue  # it has ended, or is another user's


def sqlite_file(settings: Settings) -> Path | None:
    url = make_url(settings.ledger_url)
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


class _Staging:
    """Everything that is restored, complete beside its place."""

    def __init__(self, settings: Settings, every: Sequence[Part], stamp: str) -> None:
        self._settings, self._stamp = settings, stamp
        self._places = {part.name: part.path for part in every}
        self._seen: set[str] = set()
        self.missing: set[str] = set()
        self._file = sqlite_file(settings)
        for target in self._targets():
            _remove(_beside(target))

    def _targets(self) -> list[Path]:
        return [*self._places.values(), *([self._file] if self._file is not None else [])]

    @contextmanager
    def ledger(self) -> Iterator[Engine]:
        """An engine on the new ledger."""
        if self._file is None:
            engine = connect(self._settings.ledger_url)
            staging.clear(engine)
            engine.dispose()
            engine = connect(self._settings.ledger_url, staging.SCHEMA)
        else:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(_beside(self._file), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            engine = connect(sqlite_url(_beside(self._file)))
        try:
            yield engine
        finally:
            engine.dispose()

    def path(self, name: str) -> Path | None:
        """Where a member of a part is written; None: this machine has no such part."""
        part, _, inner = name.partition("/")
        place = self._places.get(part)
        if place is None:
            self.missing.add(part)
            return None
        self._seen.add(part)
        beside = _beside(place)
        if not inner:
            beside.parent.mkdir(parents=True, exist_ok=True)
            return beside
        if not beside.exists():
            beside.mkdir(mode=0o700, parents=True)
        return safe_path(beside, inner)

    def settle(self, owner: str | None) -> None:
        """Everything is on the disk, and belongs to whom it should."""
        for name in self._seen:
            if name == "inventory":
                _beside(self._places[name]).chmod(0o755)
        for target in self._staged():
            beside = _beside(target)
            for path in [beside, *(beside.rglob("*") if beside.is_dir() else ())]:
                if owner is not None:
                    shutil.chown(path, owner)
                if path.is_file() and not path.is_symlink():
                    descriptor = os.open(path, os.O_RDONLY)
                    try:
                        os.fsync(descriptor)
                    finally:
                        os.close(descriptor)
            sync_folder(beside.parent)

    def _leaving(self) -> list[Path]:
        """What the dump does not have: it belongs to the instance that was here."""
        return [target for target in self._targets() if not _beside(target).exists() and target.exists()]

    def _staged(self) -> list[Path]:
        return [target for target in self._targets() if _beside(target).exists()]

    def aside(self) -> list[str]:
        """Where what is there now will stand."""
        kept = [str(self._aside(target)) for target in [*self._staged(), *self._leaving()] if target.exists()]
        if self._file is None:
            kept.append(f"schema {self._schema} of the database")
        return kept

    @property
    def _schema(self) -> str:
        return f"before_restore_{self._stamp.lower()}"

    def _aside(self, target: Path) -> Path:
        return target.with_name(f"{target.name}.before-restore-{self._stamp}")

    def switch(self) -> Switch:
        moves = [Move(str(_beside(target)), str(target), str(self._aside(target))) for target in self._staged()]
        moves += [Move("", str(target), str(self._aside(target))) for target in self._leaving()]
        if self._file is None:
            return Switch(moves, shown(self._settings.ledger_url), self._schema)
        return Switch(moves)

    def discard(self) -> None:
        for target in self._targets():
            _remove(_beside(target))
        if self._file is None:
            engine = connect(self._settings.ledger_url)
            staging.drop(engine)
            engine.dispose()


def _fill(
    archive: ArchiveReader,
    staged: _Staging,
    engine: Engine,
    wishes: Wishes,
    by: str,
    now: float,
    tell: Callable[[str], None],
) -> tuple[list[Run], Restore]:
    about = archive.about
    tell("the ledger's tables")
    migrate(engine, about.version)
    rows = dict.fromkeys(about.layouts, 0)
    engine.dispose()  # a file with one user can do without its log
    with engine.connect() as connection:
        tables = portable.layouts(connection)
        here = {layout.table: set(layout.columns) for layout in tables}
        if {name: set(about.layout(name).columns) for name in about.layouts} != here:
            raise LedgerError("The dump's tables are not those of its version: it was written by another program.")
        connection.rollback()
        if engine.dialect.name == "sqlite":
            # Written once and synchronised once, when it is whole; what is left of a failure is thrown away.
            connection.exec_driver_sql("PRAGMA journal_mode=OFF")
            connection.exec_driver_sql("PRAGMA synchronous=OFF")
            connection.exec_driver_sql("PRAGMA cache_size=-200000")
            connection.rollback()
        portable.empty(connection, tables)
        for member in archive.members():
            if member.part != "ledger":
                target = staged.path(member.info.name)
                if target is not None:
                    write_member(member, target)
            elif member.file is not None:
                table = member.info.name.split("/")[1]
                if not rows[table]:
                    tell(table)
                rows[table] += portable.load(connection, about.layout(table), member.file.read())
        if rows != archive.manifest.rows:
            raise LedgerError("The dump does not have the rows that its manifest says.")
        portable.go_on_counting(connection, tables)
        connection.commit()
    engine.dispose()
    tell("migrating")
    migrate(engine)
    over = now if wishes.off_since is None else min(now, wishes.off_since)
    record = Restore(about.id, about.made_at, now, by, over + _SLOWEST_TIMER_S)
    with engine.begin() as connection:
        runs = begin_anew(connection, record)
    if engine.dialect.name == "sqlite":
        # One file, without a log beside it that would have to be moved with it.
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return runs, record


def _beside(target: Path) -> Path:
    return target.with_name(f".{target.name}.restoring")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
