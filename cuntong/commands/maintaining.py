"""Commands about announced work: maintenance add, list, cancel."""

import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from api.actions import maintenance as actions
from api.standing import CHINA
from cuntong import identity
from cuntong import show as shows
from cuntong.commands.common import HERE, InventoryFolder, Json, app, load, moment, out, print_json, say
from cuntong.settings import settings
from health.maintenance import Window
from ledger import maintenance as ledger

maintenance = typer.Typer(help="Work that is announced: outages in it are planned.", no_args_is_help=True)
app.add_typer(maintenance, name="maintenance", rich_help_panel="People")


@maintenance.command("add")
def add(
    target: Annotated[str, typer.Argument(help="A device's id, a site's id, or a division's code.")],
    until: Annotated[str, typer.Option(help="When it ends, such as 2026-11-21T06:00 (China's time).")],
    reason: Annotated[str, typer.Option(help="What is done, and by whom.")],
    since: Annotated[str | None, typer.Option(help="When it begins; now if left out.")] = None,
    folder: InventoryFolder = HERE,
) -> None:
    """Announce work: for a noc_operator or network_engineer of the division."""
    inventory = load(folder)
    now = time.time()
    with identity.ledger(settings()) as engine:
        actor = identity.actor(engine)
        begins = now if since is None else moment(since)
        window = actions.announce(engine, inventory, actor, target, begins, moment(until), reason, now)
    say(f"{window.id}: {window.reach} {window.target}, {_shown(window.since)} to {_shown(window.until)}")


@maintenance.command("list")
def every(
    all_: Annotated[bool, typer.Option("--all", help="Also those that are over or were taken back.")] = False,
    as_json: Json = False,
) -> None:
    """List announced work, the latest first."""
    now = time.time()
    with identity.ledger(settings()) as engine, engine.connect() as connection:
        windows = [one for one in ledger.windows(connection) if all_ or (one.until > now and one.cancelled_at is None)]
    windows.sort(key=lambda one: one.since, reverse=True)
    rows = [_row(one, now, as_json) for one in windows]
    if as_json:
        print_json(rows)
    else:
        shows.wide(out).print(shows.Table(rows).drawn())


@maintenance.command("cancel")
def cancel(
    window: Annotated[str, typer.Argument(help="Its id, as `cuntong maintenance list` names it.")],
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    folder: InventoryFolder = HERE,
) -> None:
    """Take announced work back from now on."""
    inventory = load(folder)
    with identity.ledger(settings()) as engine:
        told = actions.cancel(engine, inventory, identity.actor(engine), window, reason, time.time())
    say(f"{told.id} is taken back: outages of {told.target} are no longer planned")


def _row(window: Window, now: float, plain: bool) -> dict[str, str]:
    span = window.in_force
    if window.cancelled_at is not None:
        state = "cancelled"
    elif span is None or span[1] <= now:
        state = "over"
    else:
        state = "running" if window.covers(now) else "ahead"
    since, until = (
        (datetime.fromtimestamp(at, UTC).isoformat() if plain else _shown(at)) for at in (window.since, window.until)
    )
    return {
        "window": window.id,
        "state": state,
        "reach": window.reach,
        "target": window.target,
        "since": since,
        "until": until,
        "reason": window.reason,
        "by": window.by,
    }


def _shown(at: float) -> str:
    return datetime.fromtimestamp(at, CHINA).strftime("%Y-%m-%d %H:%M")
