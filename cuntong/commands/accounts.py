"""Commands about people: user add, grant, list; login, logout, whoami; audit."""

import json
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from api.actions import accounts as actions
from api.actions.errors import NotLoggedInError
from api.actions.grants import Action, require
from cuntong import identity
from cuntong import show as shows
from cuntong.commands.common import HERE, Json, app, load, out, print_json, say
from cuntong.errors import StartError, UsageError
from cuntong.settings import settings
from ledger import accounts, audit
from ledger.accounts import Account, Role

user = typer.Typer(help="Accounts and what they may do.", no_args_is_help=True)
app.add_typer(user, name="user", rich_help_panel="People")

Name = Annotated[str, typer.Argument(help="Letters, digits, dots and dashes.")]
Password = Annotated[
    str | None,
    typer.Option("--password-file", help="Read the password's one line from this file instead of asking for it."),
]


def _actor() -> Account | None:
    with identity.ledger(settings()) as engine, suppress(NotLoggedInError):
        return identity.actor(engine)
    return None


def _password(file: str | None, *, twice: bool) -> str:
    if file is None:
        asked: str = typer.prompt("Password", hide_input=True, confirmation_prompt=twice, err=True)
        return asked
    try:
        return Path(file).read_text("utf-8").splitlines()[0]
    except (OSError, UnicodeDecodeError, IndexError) as error:
        raise UsageError(f"{file} holds no password ({error}).") from None


@user.command("add")
def add(
    name: Name,
    full_name: Annotated[str, typer.Option(help="As people know this person.")] = "",
    password_file: Password = None,
) -> None:
    """Make an account. The first one of a ledger needs no login; every other is made by a sys_admin."""
    if not name.replace(".", "").replace("-", "").isalnum() or not name.isascii() or len(name) > 64:
        raise UsageError(f"{name!r} is no account's name: letters, digits, dots and dashes, at most 64.")
    actor = _actor()
    password = _password(password_file, twice=True)
    with identity.ledger(settings()) as engine:
        actions.add_account(engine, actor, name, full_name, password, time.time())
    say(f"{name} can log in; what it may do is granted with: cuntong user grant {name} ROLE DIVISION")


@user.command("grant")
def grant(
    name: Name,
    role: Annotated[Role, typer.Argument(help="What the account may do.")],
    division: Annotated[str, typer.Argument(help="Where, with everything below: 2 to 12 digits.")],
    folder: Annotated[
        Path, typer.Option("--inventory", envvar="CUNTONG_INVENTORY", help="The inventory's folder.")
    ] = HERE,
) -> None:
    """Give a role for a division and everything below it."""
    inventory = load(folder)
    try:
        node = inventory.nodes.find(division)
    except KeyError:
        raise UsageError(f"There is no division {division!r} in {inventory.title}.") from None
    actor = _actor()
    with identity.ledger(settings()) as engine:
        actions.grant_role(engine, actor, name, role, inventory.nodes.codes[node], time.time())
    say(f"{name} is {role} in {inventory.nodes.names[node]}")


@user.command("list")
def every(as_json: Json = False) -> None:
    """List the accounts and what each may do."""
    with identity.ledger(settings()) as engine, engine.connect() as connection:
        rows = [
            {
                "account": one.name,
                "person": one.full_name,
                "may": ", ".join(f"{held.role} in {held.division}" for held in one.grants),
                "disabled": "yes" if one.disabled else "",
            }
            for one in accounts.every(connection)
        ]
    if as_json:
        print_json(rows)
    else:
        shows.wide(out).print(shows.Table(rows).drawn())


@user.command("token")
def token(
    title: Annotated[str, typer.Argument(help="What it is for, such as: nightly backup.")],
    days: Annotated[int, typer.Option(help="Until it ends.", min=1, max=366)] = 90,
) -> None:
    """Make a token by which a program acts as whoever is logged in here (CUNTONG_TOKEN); it is shown this once."""
    with identity.ledger(settings()) as engine:
        actor = identity.actor(engine)
        say(actions.make_token(engine, actor, title, time.time(), days * 86_400.0))


@app.command(rich_help_panel="People")
def login(name: Name, password_file: Password = None) -> None:
    """Log in at this terminal, for one shift of 12 hours."""
    password = _password(password_file, twice=False)
    with identity.ledger(settings()) as engine:
        identity.keep(actions.log_in(engine, name, password, time.time(), "cli"))
    say(f"{name} is logged in here for the next {actions.SESSION_S / 3600:.0f} hours")


@app.command(rich_help_panel="People")
def logout() -> None:
    """End the session at this terminal."""
    token = identity.token()
    if token is not None:
        with identity.ledger(settings()) as engine:
            actions.log_out(engine, token, time.time())
    identity.forget()


@app.command(rich_help_panel="People")
def whoami() -> None:
    """Say who is logged in at this terminal."""
    with identity.ledger(settings()) as engine:
        account = identity.actor(engine)
    say(f"{account.name}: " + (", ".join(f"{one.role} in {one.division}" for one in account.grants) or "no role yet"))


@app.command("audit", rich_help_panel="People")
def audit_chain(
    as_json: Json = False,
    limit: Annotated[int, typer.Option(help="How many of the newest entries.", min=1)] = 50,
) -> None:
    """Verify the audit chain and print its newest entries; for an audit_admin."""
    with identity.ledger(settings()) as engine:
        require(identity.actor(engine), Action.READ_AUDIT)
        with engine.connect() as connection:
            broken = audit.first_broken(connection)
            rows = [
                {
                    "at": datetime.fromtimestamp(one.at, UTC).isoformat(timespec="seconds"),
                    "actor": one.actor,
                    "action": one.action,
                    "object": one.object,
                    "detail": json.dumps(one.detail, ensure_ascii=False) if one.detail else "",
                }
                for one in list(audit.entries(connection))[-limit:]
            ]
    if as_json:
        print_json({"first_broken": broken, "entries": rows})
    else:
        shows.wide(out).print(shows.Table(rows).drawn())
    if broken is not None:
        raise StartError(f"The chain is broken at entry {broken}: it was changed, or one before it was taken out.")
