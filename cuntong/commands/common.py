"""What every command shares: the app it hangs on, how it prints, how it reads the inventory."""

import getpass
import json
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from sqlalchemy import Engine

from cuntong import identity
from cuntong.errors import UsageError
from cuntong.settings import settings
from inventory.model import Inventory
from ledger.accounts import Account
from simulator.errors import SimulationError

if TYPE_CHECKING:
    from collectors.matching import Proposal as Lines

app = typer.Typer(
    name="cuntong",
    help="村通: connect every village to the e-government extranet, and prove it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

out = Console()
err = Console(stderr=True)

Folder = Annotated[
    Path,
    typer.Argument(envvar="CUNTONG_INVENTORY", help="The inventory's folder.", show_default="the current folder"),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text, for programs.")]
InventoryFolder = Annotated[
    Path, typer.Option("--inventory", envvar="CUNTONG_INVENTORY", help="The inventory's folder.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the change of the inventory, and write nothing.")]
HERE = Path()
_CHINA = timezone(timedelta(hours=8))


def print_json(document: Any) -> None:
    sys.stdout.write(json.dumps(document, ensure_ascii=False, default=str) + "\n")


def say(text: str) -> None:
    """A sentence as it is: what people wrote may look like markup, and programs want whole lines."""
    out.print(text, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def given() -> Iterator[None]:
    """What is wrong with a recording or a scenario that the user gave is wrong input, not a failed run."""
    try:
        yield
    except SimulationError as error:
        raise UsageError(str(error)) from None


def load(folder: Path) -> Inventory:
    """The inventory of a folder, from the compiled cache where it is fresh."""
    from inventory.cache import default_folder
    from inventory.loader import load as read

    return read(folder, cache=default_folder())


@contextmanager
def desk(folder: Path) -> Iterator[tuple[Inventory, Engine, Account, float]]:
    """The inventory, the ledger, who is logged in here, and now in Unix seconds: what one command works with.

    Raises:
        NotLoggedInError: nobody is.
    """
    inventory = load(folder)
    with identity.ledger(settings()) as engine:
        yield inventory, engine, identity.actor(engine), time.time()


def log() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


def host_and_port(address: str, port: int) -> tuple[str, int]:
    """``192.0.2.1:161``, ``[2001:db8::1]:161``, or either without a port."""
    host, colon, number = address.rpartition(":")
    if not colon or (address.count(":") > 1 and not host.endswith("]")):
        return address.strip("[]"), port
    if not number.isdecimal() or not 0 < int(number) < 65536 or not host:
        raise UsageError(f"{address!r} is no ADDRESS:PORT.")
    return host.strip("[]"), int(number)


def moment(text: str) -> float:
    """A time that somebody wrote, as Unix seconds; in China's time where it has no offset."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no time. Write 2026-11-20T22:00, or with +08:00 behind it.") from None
    return (read if read.tzinfo else read.replace(tzinfo=_CHINA)).timestamp()


def day(text: str | None, now: float) -> date:
    """A day that somebody wrote; the day of Unix time ``now`` in China where nobody did."""
    try:
        return datetime.fromtimestamp(now, _CHINA).date() if text is None else date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no day. Write it as 2026-11-20.") from None


def show_lines(proposal: "Lines") -> None:
    """What would declare devices that answered and that nobody declared, to be put into the files by hand."""
    for title, lines in (
        ("Lines for models: in county.yml:", proposal.models), ("Lines for the files in sites/:", proposal.devices),
    ):  # fmt: skip
        if lines:
            say(title)
        for line in lines:
            say(f"  {line}")


def me() -> str:
    """The user of the system, not an account of ours: who may read an instance's keys may dump it and set secrets."""
    return f"os:{getpass.getuser()}"[:64]


def until_interrupted(program: Any) -> None:
    import uvloop

    try:
        uvloop.run(program)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


@contextmanager
def bar(title: str, total: int) -> Iterator[tuple[Progress, TaskID]]:
    """A progress bar on stderr that is gone afterwards."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        yield progress, progress.add_task(title, total=total)
