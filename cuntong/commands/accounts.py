"""Commands about people: user add, grant, list; token add, list, revoke; login, logout, whoami; audit."""

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
from cuntong.commands.common import HERE, InventoryFolder, Json, app, load, out, print_json, say
from cuntong.errors import StartError, UsageError
from cuntong.settings import settings
from ledger import accounts, audit
from ledger.accounts import Account, Role
from ledger.sessions import EVERYTHING, Scope

user = typer.Typer(help="Accounts and what they may do.", no_args_is_help=True)
app.add_typer(user, name="user", rich_help_panel="People")
tokens = typer.Typer(help="Tokens by which programs act for an account.", no_args_is_help=True)
app.add_typer(tokens, name="token", rich_help_panel="People")

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
    folder: InventoryFolder = HERE,
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


@tokens.command("add")
def token_add(
    title: Annotated[str, typer.Argument(help="What it is for, such as: nightly backup.")],
    days: Annotated[int, typer.Option(help="Until it ends.", min=1, max=366)] = 90,
    scope: Annotated[list[Scope] | None, typer.Option(help="What it does; both if left out.")] = None,
    division: Annotated[
        str | None, typer.Option(help="Only here and below (2 to 12 digits), of all that the account may.")
    ] = None,
    folder: InventoryFolder = HERE,
) -> None:
    """Make a token by which a program acts as whoever is logged in here; it is shown this once."""
    code = "" if division is None else _code(folder, division)
    with identity.ledger(settings()) as engine:
        actor = identity.actor(engine)
        scopes = tuple(scope) if scope else EVERYTHING
        say(actions.make_token(engine, actor, title, time.time(), days * 86_400.0, scopes, code))


@tokens.command("list")
def token_list(as_json: Json = False) -> None:
    """List one's own sessions and tokens; a sec_admin's list has everybody's. None lets anybody in."""
    now = time.time()
    with identity.ledger(settings()) as engine:
        rows = [
            {
                "token": one.id,
                "account": one.account,
                "kind": str(one.kind),
                "title": one.title,
                "may": ",".join(sorted(one.scopes)),
                "where": one.division,
                "until": _moment(one.expires_at),
                "last used": _moment(one.last_used_at),
                "ended": "" if one.lives(now) else "yes",
            }
            for one in actions.tokens_of(engine, identity.actor(engine))
        ]
    if as_json:
        print_json(rows)
    else:
        shows.wide(out).print(shows.Table(rows).drawn())


@tokens.command("revoke")
def token_revoke(id: Annotated[str, typer.Argument(help="As `cuntong token list` names it.")]) -> None:
    """End a session or token at once."""
    with identity.ledger(settings()) as engine:
        actions.revoke_token(engine, identity.actor(engine), id, time.time())
    say(f"{id} lets nobody in any more")


def _moment(at: float | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def _code(folder: Path, division: str) -> str:
    """The 12 digits of a division of the inventory."""
    inventory = load(folder)
    try:
        return inventory.nodes.codes[inventory.nodes.find(division)]
    except KeyError:
        raise UsageError(f"There is no division {division!r} in {inventory.title}.") from None


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
