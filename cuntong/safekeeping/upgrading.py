"""``cuntong upgrade``: a ledger of an older program brought to this one's version, dumped first.

A program that is started on an older ledger migrates it by itself; this is for whoever wants the way back. The
migration is one transaction on either database, so that being killed in it leaves the old ledger.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from cuntong.errors import StartError
from cuntong.safekeeping import dumping, switching
from cuntong.safekeeping.parts import Part
from cuntong.safekeeping.restoring import require_nobody, sqlite_file
from cuntong.settings import Settings, state_folder
from ledger.database import connect, head, migrate, require_known, revision, shown
from ledger.errors import LedgerError
from ledger.sealed_file import Locking


@dataclass(frozen=True, slots=True)
class Versions:
    """Of the ledger as it is, and as this program writes it. ``ledger`` None: there is none."""

    ledger: str | None
    program: str

    @property
    def same(self) -> bool:
        return self.ledger == self.program


def versions(settings: Settings) -> Versions:
    """What an upgrade would do.

    Raises:
        LedgerError: a newer program wrote the ledger, or it does not open.
    """
    file = sqlite_file(settings)
    if file is not None and not file.exists():  # looking would make one
        return Versions(None, head())
    engine = connect(settings.ledger_url)
    try:
        with engine.connect() as connection:
            found = revision(connection)
    except DBAPIError as error:
        raise LedgerError(f"The ledger {shown(settings.ledger_url)} does not open: {error.orig}.") from None
    finally:
        engine.dispose()
    if found is not None:
        require_known(found, "The ledger")
    return Versions(found, head())


def upgrade(
    settings: Settings,
    every: list[Part],
    title: str,
    folder: Path,
    lock: Locking,
    by: str,
    now: float,
    tell: Callable[[str], None] = lambda _: None,
) -> Path:
    """Dump, then migrate; where the dump is.

    Raises:
        CuntongError: there is nothing to upgrade, somebody uses the ledger, or the dump fails. Nothing was migrated.
    """
    with switching.alone(state_folder()):
        before = versions(settings)
        if before.ledger is None:
            raise StartError(f"There is no ledger in {shown(settings.ledger_url)}: nothing to upgrade.")
        require_nobody(settings)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%S.%f")
        file = folder / f"before-upgrade-{before.ledger}-{stamp}.dump"
        dumping.dump(settings, every, title, file, lock, by, now, tell)
        tell(f"migrating {before.ledger} to {before.program}")
        engine = connect(settings.ledger_url)
        try:
            migrate(engine)
        except DBAPIError as error:
            raise LedgerError(
                f"The ledger does not migrate ({error.orig}); it is as it was, and dumped in {file}."
            ) from None
        finally:
            engine.dispose()
    return file
