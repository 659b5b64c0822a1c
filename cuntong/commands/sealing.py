"""Commands about secrets: set, list, forget. None of them ever shows one."""

import sys
import time
from typing import Annotated, Final

import typer

from cuntong import identity
from cuntong import show as shows
from cuntong.commands.common import HERE, Folder, InventoryFolder, Json, app, me, out, print_json, say
from cuntong.errors import UsageError
from cuntong.secrets import credential_from, is_name
from cuntong.settings import settings

secret = typer.Typer(help="Secrets of devices and services: sealed in the vault, never shown.", no_args_is_help=True)
app.add_typer(secret, name="secret", rich_help_panel="The system itself")

Name = Annotated[str, typer.Argument(help="What stands behind secret://, such as snmp/routers.")]
_LARGEST: Final = 65536


@secret.command("set")
def set_secret(name: Name) -> None:
    """Seal a secret in the vault. It is asked for twice, or read from standard input; never given as an argument."""
    from ledger.kept_secrets import keep_secret
    from ledger.vault import open_vault

    given = settings()
    _require_name(name)
    text = _asked(name) if sys.stdin.isatty() else _piped()
    if text.startswith(("user:", "{")):
        try:
            credential_from(text)
        except ValueError as error:
            raise UsageError(f"This is no user of SNMPv3: {error}") from None
    vault = open_vault(given.vault_key_path)
    with identity.ledger(given) as engine, engine.begin() as connection:
        replaced = keep_secret(connection, vault, name, text, me(), time.time())
    say(f"secret://{name} is sealed in the vault" + (", in place of what it was" if replaced else ""))
    file = given.secrets / name
    if file.exists():
        say(f"{file} is not read any more: delete it.")
    if replaced or file.exists():
        say("A collector that runs asks with what it opened at its start: restart it.")


@secret.command("list")
def list_secrets(folder: Folder = HERE, as_json: Json = False) -> None:
    """Names, where each is kept, since when, and what refers to it."""
    from cuntong.secret_uses import held, uses
    from ledger.kept_secrets import every_secret

    given = settings()
    with identity.ledger(given) as engine, engine.connect() as connection:
        kept = {one.name: one for one in every_secret(connection)}
    found = held(kept, given.secrets, uses(folder))
    now = time.time()
    rows = [
        {
            "name": one.name,
            "kept": one.place,
            "days": None if (at := one.vault.at if one.vault else one.file) is None else int((now - at) // 86400),
            "by": one.vault.by if one.vault else None,
            "uses": list(one.uses) if as_json else ", ".join(one.uses) or "nothing refers to it",
        }
        for one in found
    ]
    if as_json:
        print_json(rows)
    elif rows:
        shows.wide(out).print(shows.Table(rows).drawn())
    else:
        say("None.")


@secret.command("forget")
def forget_secret(
    name: Name,
    folder: InventoryFolder = HERE,
) -> None:
    """Remove a secret from the vault for good; what refers to it is named."""
    from cuntong.secret_uses import uses
    from ledger import kept_secrets

    _require_name(name)
    given = settings()
    with identity.ledger(given) as engine, engine.begin() as connection:
        there = kept_secrets.forget_secret(connection, name, me(), time.time())
    if not there:
        raise UsageError(f"The vault has no secret {name}. See: cuntong secret list")
    say(f"secret://{name} is forgotten")
    file = given.secrets / name
    if file.exists():
        say(f"{file} is read from now on.")
    elif meant := uses(folder).get(name):
        say(f"It is still meant in {', '.join(meant)}.")


def _require_name(name: str) -> None:
    if not is_name(name):
        said = f"{name.removeprefix('secret://')!r} would do" if is_name(name.removeprefix("secret://")) else ""
        raise UsageError(
            "This is no name of a secret: up to four words of letters, digits, dots, dashes and underscores, a slash "
            f"between two of them, such as snmp/routers. {said}".rstrip()
        )


def _asked(name: str) -> str:
    text: str = typer.prompt(f"secret://{name}", hide_input=True, confirmation_prompt=True, err=True)
    return _sound(text)


def _piped() -> str:
    data = sys.stdin.buffer.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise UsageError(f"A secret has at most {_LARGEST:,} bytes.")
    try:
        return _sound(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise UsageError("A secret is text in UTF-8.") from None


def _sound(text: str) -> str:
    if not text.strip():
        raise UsageError("An empty secret is none. Nothing was changed.")
    return text.strip()
