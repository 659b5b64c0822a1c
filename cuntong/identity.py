"""Who is at this terminal: the session's token in a file of the user's own, or in CUNTONG_TOKEN for programs."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from api.actions import accounts as actions
from cuntong.settings import Settings, state_folder
from ledger.accounts import Account
from ledger.database import open_ledger, shown
from ledger.errors import LedgerError


def _path() -> Path:
    return state_folder() / "session"


def token() -> str | None:
    """The token of who is logged in here; None where nobody is."""
    given = os.environ.get("CUNTONG_TOKEN")
    if given:
        return given
    try:
        return _path().read_text("ascii").strip() or None
    except OSError:
        return None


def keep(token: str) -> None:
    """Remember a token; nobody else may read it."""
    path = _path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(token + "\n")


def forget() -> None:
    _path().unlink(missing_ok=True)


@contextmanager
def ledger(settings: Settings) -> Iterator[Engine]:
    """The ledger, for one command.

    Raises:
        LedgerError: it does not open, or stopped working on the way (its disk is full, its server is gone).
    """
    engine = open_ledger(settings.ledger_url)
    try:
        yield engine
    except DBAPIError as error:
        raise LedgerError(f"The ledger {shown(settings.ledger_url)} stopped working: {error.orig}.") from None
    finally:
        engine.dispose()


def actor(engine: Engine) -> Account:
    """Who is logged in here.

    Raises:
        NotLoggedInError: nobody is.
    """
    return actions.whoever(engine, token(), time.time())
