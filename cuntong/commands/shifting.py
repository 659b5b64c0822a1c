"""Commands of the shift: handover show, give, take, list."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import typer

from cuntong import identity
from cuntong import show as shows
from cuntong.commands.common import HERE, InventoryFolder, Json, app, load, out, print_json, say
from cuntong.errors import UsageError
from cuntong.settings import settings

handover = typer.Typer(help="The shift: what the next person has to know, signed by two.", no_args_is_help=True)
app.add_typer(handover, name="handover", rich_help_panel="People")

Words = Annotated[str, typer.Option("--note", help="What is worth knowing beside the facts.")]


@handover.command("show")
def show(
    id: Annotated[int | None, typer.Argument(help="A signed handover; the present if left out.")] = None,
    as_json: Json = False,
    folder: InventoryFolder = HERE,
) -> None:
    """Show the shift as it stands, or as it was handed over: outages, who acts, tonight's work, what changed."""
    from api.shift import shift
    from api.standing import Standing
    from ledger import handovers
    from ledger.errors import LedgerError

    inventory = load(folder)
    with identity.ledger(settings()) as engine:
        if id is None:
            standing = Standing(inventory, engine, time.time, stale_after_s=3 * settings().interval_s + 30)
            document: Mapping[str, Any] = shift(standing)
        else:
            with engine.connect() as connection:
                try:
                    found = handovers.find(connection, inventory.top, id)
                except LedgerError as error:
                    raise UsageError(f"{error} See them: cuntong handover list.") from None
            document = found.document
            taken = f"taken by {found.taken_by}" if found.taken_by else "not taken yet"
            if not as_json:
                say(
                    f"Handover {id} of {found.by}, {taken}. sha256 {found.sha256}" + ("" if found.intact else " BROKEN")
                )
                say(f"Note: {found.note or '-'}")
    if as_json:
        print_json(document)
    else:
        _draw(document)


_COLUMNS = {
    "open": ("name", "since", "hours", "verdict", "handling", "owner", "ticket", "duty"),
    "ended": ("name", "since", "until", "minutes", "verdict"),
    "work": ("name", "since", "until", "reason", "by"),
    "runs": ("id", "by", "at", "state"),
    "jobs": ("job", "due", "failed", "said"),
    "tasks": ("title", "owner", "due"),
}
_TITLES = {
    "open": "Open outages",
    "ended": "Ended since",
    "work": "Announced work, next 24 h",
    "runs": "Changes of routers",
    "jobs": "Timed work",
    "tasks": "Tasks due or late",
}


def _draw(document: Mapping[str, Any]) -> None:
    say(f"Shift of {document['county']}, {_short(document['since'])} to {_short(document['at'])}")
    for part, columns in _COLUMNS.items():
        rows = [{name: _cell(one, name) for name in columns} for one in document[part]]
        if rows:
            shows.wide(out).print(shows.Table(rows, title=_TITLES[part]).drawn())
        else:
            say(f"{_TITLES[part]}: none")
    waiting = document["unsent"]
    if waiting:
        say("Messages that wait: " + ", ".join(f"{name} {count}" for name, count in waiting.items()))


def _cell(one: Mapping[str, Any], name: str) -> Any:
    if name == "name":
        return one.get("name") or one["target"]  # work that was frozen before it had one
    if name == "duty":
        return one["duty_zh"]
    return _short(one[name]) if name in ("since", "until", "at", "due") else one[name]


def _short(moment: str | None) -> str | None:
    """A moment as a person reads it: days and times are China's, all of them, so that the zone is left out."""
    return moment and moment[:16].replace("T", " ")


@handover.command("give")
def give(note: Words = "", folder: InventoryFolder = HERE) -> None:
    """Freeze the shift and sign it; the next person takes it."""
    from api.actions import shifts
    from api.shift import shift
    from api.standing import Standing

    inventory = load(folder)
    with identity.ledger(settings()) as engine:
        standing = Standing(inventory, engine, time.time, stale_after_s=3 * settings().interval_s + 30)
        given = shifts.give(engine, inventory, identity.actor(engine), shift(standing), note, time.time())
    say(f"Handover {given.id} is signed by {given.by}, sha256 {given.sha256}.")
    say(f"The next person: cuntong handover take {given.id}")


@handover.command("take")
def take(
    id: Annotated[int, typer.Argument(help="As `handover give` named it.")],
    note: Words = "",
    folder: InventoryFolder = HERE,
) -> None:
    """Sign for a shift that somebody else handed over."""
    from api.actions import shifts

    inventory = load(folder)
    with identity.ledger(settings()) as engine:
        taken = shifts.take(engine, inventory, identity.actor(engine), id, note, time.time())
    say(f"Handover {id} of {taken.by} is taken by {taken.taken_by}.")


@handover.command("list")
def every(
    limit: Annotated[int, typer.Option(help="How many, the newest first.", min=1, max=200)] = 20,
    as_json: Json = False,
    folder: InventoryFolder = HERE,
) -> None:
    """List handovers, the newest first."""
    from ledger import handovers

    inventory = load(folder)
    with identity.ledger(settings()) as engine, engine.connect() as connection:
        rows = [
            {
                "id": one.id,
                "at": _at(one.at),
                "by": one.by,
                "taken_at": _at(one.taken_at) if one.taken_at else None,
                "taken_by": one.taken_by or None,
                "open": len(one.document["open"]),
                "note": one.note,
                "intact": one.intact,
            }
            for one in handovers.newest(connection, inventory.top, limit)
        ]
    if as_json:
        print_json(rows)
    elif rows:
        shows.wide(out).print(shows.Table(rows).drawn())
    else:
        say("No shift was handed over yet.")


def _at(at: float) -> str:
    from api.standing import CHINA

    return datetime.fromtimestamp(at, CHINA).isoformat(" ", "minutes")[:16]
