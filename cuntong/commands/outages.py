"""Commands about outages: what runs, what was done about it, and doing it: acknowledge, dispatch, escalate, close."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Engine

from api import outage_facts
from api.actions import incidents
from api.actions import outages as actions
from api.handling import handling_of
from api.messages import say as words
from api.receivers.hearing import Notifications
from api.standing import CHINA
from cuntong import identity
from cuntong import show as shows
from cuntong.commands.common import HERE, InventoryFolder, Json, app, load, moment, out, print_json, say
from cuntong.errors import UsageError
from cuntong.secrets import resolver
from cuntong.settings import settings
from exporter.alertmanager.settings import read_alerting
from health.outage import Outage
from inventory.model import Inventory
from ledger import alerts, history, messages, outage_notes
from ledger.outage_notes import Note, Step

outage = typer.Typer(help="Outages, and what people do about them.", no_args_is_help=True)
app.add_typer(outage, name="outage", rich_help_panel="People")

Id = Annotated[str, typer.Argument(help="Its id, as `cuntong outage list` names it.")]
Words = Annotated[str, typer.Option("--note", help="What is worth knowing.")]
At = Annotated[
    str | None, typer.Option(help="When it happened, such as 2026-11-21T06:00 (China's time); now if left out.")
]


@outage.command("list")
def every(
    all_: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    limit: Annotated[int, typer.Option(help="How many, the newest first.", min=1)] = 50,
    as_json: Json = False,
    folder: InventoryFolder = HERE,
) -> None:
    """List outages, the newest first, and where people stand with each."""
    inventory = load(folder)
    now = time.time()
    with identity.ledger(settings()) as engine, engine.connect() as connection:
        found = history.outages(connection, open_only=not all_, limit=limit)
        rows = [_row(inventory, one, outage_notes.of_outage(connection, one.id), now, as_json) for one in found]
    if as_json:
        print_json(rows)
    else:
        shows.wide(out).print(shows.Table(rows).drawn())


@outage.command("show")
def show(id: Id, as_json: Json = False, folder: InventoryFolder = HERE) -> None:
    """One outage: cause, reach, whose job it is, and its timeline with what people were told."""
    inventory = load(folder)
    now = time.time()
    with identity.ledger(settings()) as engine, engine.connect() as connection:
        found = history.outages(connection, ids=[id])
        if not found:
            raise UsageError(f"There is no outage {id!r}. `cuntong outage list --all` names them.")
        notes = outage_notes.of_outage(connection, id)
        heard = alerts.heard(connection, outages=[id])
        told = messages.told(connection, outage=id)
    events = [(one.happened_at, str(one.step), one.said_by, one.note) for one in notes]
    events += [(one.recorded_at, f"alert {one.status}", "alertmanager", one.alertname) for one in heard]
    events += [(one.made_at, f"message {one.state}", one.channel, one.document["title"]) for one in told]
    rows = [{"at": _shown(at, as_json), "what": what, "by": by, "note": note} for at, what, by, note in sorted(events)]
    head = _row(inventory, found[0], notes, now, as_json)
    if as_json:
        print_json(head | {"sites": list(found[0].sites), "timeline": rows})
        return
    names = outage_facts.names_beneath(inventory, found[0])
    say(f"{head['name']} ({found[0].node}): {head['cause']}")
    reason = outage_facts.reason_of("en", inventory, found[0])
    for line in (
        f"since     {head['since']}" + (f" until {head['until']}" if head["until"] else f", {head['for']}"),
        f"evidence  {reason}" if reason else "",
        f"impact    {len(names)} sites: {', '.join(names[:10])}{' ...' if len(names) > 10 else ''}" if names else "",
        f"job       {outage_facts.duty_of('en', inventory, found[0])}",
        f"handling  {head['handling']}{', owner ' + head['owner'] if head['owner'] else ''}"
        f"{', ticket ' + head['ticket'] if head['ticket'] else ''}",
    ):
        if line:
            say(line)
    shows.wide(out).print(shows.Table(rows, title="Timeline").drawn())


@outage.command("ack")
def ack(id: Id, note: Words = "", folder: InventoryFolder = HERE) -> None:
    """Say that you have seen it: nobody else is called."""
    with _acting(folder) as (inventory, engine):
        told = incidents.acknowledge(engine, inventory, identity.actor(engine), id, note, time.time())
    say(f"{id} is acknowledged by {told.said_by}")


@outage.command("note")
def note(
    id: Id, text: Annotated[str, typer.Argument(help="What is worth knowing.")], folder: InventoryFolder = HERE
) -> None:
    """Keep a note beside it."""
    _tell(folder, id, Step.NOTED, text, None)


@outage.command("assign")
def assign(
    id: Id, owner: Annotated[str, typer.Argument(help="A person, a unit or a company.")], folder: InventoryFolder = HERE
) -> None:
    """Name who looks after it."""
    with _acting(folder) as (inventory, engine):
        actions.assign(engine, inventory, identity.actor(engine), id, owner, time.time())
    say(f"{id} is looked after by {owner}")


@outage.command("ticket")
def ticket(
    id: Id, number: Annotated[str, typer.Argument(help="The carrier's number for it.")], folder: InventoryFolder = HERE
) -> None:
    """Keep the carrier's ticket number."""
    with _acting(folder) as (inventory, engine):
        actions.ticket(engine, inventory, identity.actor(engine), id, number, time.time())
    say(f"{id} is the carrier's {number}")


@outage.command("reported")
def reported(id: Id, note: Words = "", at: At = None, folder: InventoryFolder = HERE) -> None:
    """It was reported to the carrier."""
    _tell(folder, id, Step.REPORTED, note, at)


@outage.command("on-site")
def on_site(id: Id, note: Words = "", at: At = None, folder: InventoryFolder = HERE) -> None:
    """Somebody is there."""
    _tell(folder, id, Step.ON_SITE, note, at)


@outage.command("repaired")
def repaired(id: Id, note: Words = "", at: At = None, folder: InventoryFolder = HERE) -> None:
    """Somebody says that it is repaired; whether it is, the measurement says."""
    _tell(folder, id, Step.REPAIRED, note, at)


@outage.command("escalate")
def escalate(id: Id, note: Annotated[str, typer.Option("--note", help="Why.")], folder: InventoryFolder = HERE) -> None:
    """Call whoever is next on the escalation's list, now."""
    with _acting(folder) as (inventory, engine):
        notifications = Notifications(read_alerting(inventory.folder), resolver(settings()).secret)
        told = actions.escalate(engine, inventory, notifications, identity.actor(engine), id, note, time.time())
    say(f"{id} is escalated to {told.note}; `cuntong serve` sends it")


@outage.command("close")
def close(id: Id, note: Words = "", folder: InventoryFolder = HERE) -> None:
    """Put it away; only what answers again, by measurement, can be closed."""
    with _acting(folder) as (inventory, engine):
        actions.close(engine, inventory, identity.actor(engine), id, note, time.time())
    say(f"{id} is closed")


@contextmanager
def _acting(folder: Path) -> Iterator[tuple[Inventory, Engine]]:
    """Inventory and ledger for one deed."""
    inventory = load(folder)
    with identity.ledger(settings()) as engine:
        yield inventory, engine


def _tell(folder: Path, id: str, step: Step, note: str, at: str | None) -> None:
    with _acting(folder) as (inventory, engine):
        happened = None if at is None else moment(at)
        told = incidents.say(engine, inventory, identity.actor(engine), id, step, note, time.time(), happened)
    say(f"{id}: {words('en', f'step.{step}')} at {_shown(told.happened_at, False)}")


def _row(inventory: Inventory, one: Outage, notes: list[Note], now: float, plain: bool) -> dict[str, Any]:
    known = handling_of(one, notes)
    return {
        "outage": one.id,
        "handling": str(known.state),
        "scope": str(one.scope),
        "node": one.node,
        "name": outage_facts.name_of(inventory, one)[1],
        "cause": str(outage_facts.blame_of(one)) if plain else outage_facts.cause_of("en", one),
        "sites": len(one.sites),
        "since": _shown(one.since, plain),
        "until": None if one.until is None else _shown(one.until, plain),
        "for": round(one.seconds(now)) if plain else outage_facts.duration("en", one.seconds(now)),
        "owner": known.owner,
        "ticket": known.ticket,
    }


def _shown(at: float, plain: bool) -> str:
    if plain:
        return datetime.fromtimestamp(at, UTC).isoformat()
    return datetime.fromtimestamp(at, CHINA).strftime("%Y-%m-%d %H:%M")
