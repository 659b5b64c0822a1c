"""The moment in which a restored instance takes the place of what was there: all of it, or nothing.

What is restored stands complete beside each place before anything is moved. Then a list of moves is written, in one
step; from there on the restore has happened, even if we are killed: every program of Cuntong finishes an open list
before it does anything else (`finish`). Each move can be done again without harm.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from cuntong.errors import StartError
from cuntong.safekeeping.dumping import sync_folder
from cuntong.settings import SWITCH
from ledger import staging
from ledger.database import connect, shown

_COMPANIONS = ("-wal", "-shm")  # of a SQLite file: they belong to the old one


@dataclass(frozen=True, slots=True)
class Move:
    """``staged`` takes the place of ``target``, whose content goes to ``aside``; nothing does where it is empty."""

    staged: str
    target: str
    aside: str


@dataclass(frozen=True, slots=True)
class Switch:
    """Everything that is to be moved.

    Attributes:
        database: of a ledger in PostgreSQL where it is, without password; empty where it is a file among the moves.
        aside: the schema for the tables that were there.
    """

    moves: list[Move]
    database: str = ""
    aside: str = ""


def _list(state: Path) -> Path:
    return state / SWITCH


def lock_file(state: Path) -> Path:
    return state / "switch.lock"


@contextmanager
def alone(state: Path) -> Iterator[None]:
    """One program at a time stages and moves.

    Raises:
        StartError: another one does.
    """
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with lock_file(state).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError("Another restore or upgrade is under way on this machine. Wait for its end.") from None
        yield


def commit(state: Path, switch: Switch) -> None:
    """Decide: after this the new state is the state."""
    growing = _list(state).with_suffix(".partial")
    with growing.open("w", encoding="utf-8") as file:
        json.dump(asdict(switch), file)
        file.flush()
        os.fsync(file.fileno())
    growing.rename(_list(state))
    sync_folder(state)


def pending(state: Path) -> bool:
    return _list(state).exists()


def finish(state: Path, ledger_url: str) -> None:
    """Do the moves that were decided. To be called under `alone`.

    Raises:
        StartError: the ledger of the settings is another one than that of the restore.
    """
    told = json.loads(_list(state).read_text("utf-8"))
    switch = Switch([Move(**one) for one in told["moves"]], told["database"], told["aside"])
    for move in switch.moves:
        _move(move)
    if switch.database:
        if switch.database != shown(ledger_url):
            raise StartError(
                f"A restore into {switch.database} was interrupted, and CUNTONG_LEDGER is another ledger now. Set it "
                "to that one for one command, as cuntong jobs."
            )
        engine = connect(ledger_url)
        try:
            staging.switch(engine, switch.aside)
        finally:
            engine.dispose()
    _list(state).unlink()
    sync_folder(state)


def _move(move: Move) -> None:
    staged, target, aside = Path(move.staged), Path(move.target), Path(move.aside)
    if not move.staged:
        if _there(target):
            target.rename(aside)
            sync_folder(target.parent)
        return
    if not _there(staged):
        return  # done before we were interrupted
    for end in _COMPANIONS:
        companion = target.with_name(target.name + end)
        if companion.exists():
            companion.rename(aside.with_name(aside.name + end))
    if _there(target):
        if target.is_dir() and not any(target.iterdir()):
            target.rmdir()
        else:
            target.rename(aside)
    staged.rename(target)
    sync_folder(target.parent)


def _there(path: Path) -> bool:
    return path.exists() or path.is_symlink()
