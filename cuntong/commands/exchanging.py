"""Commands of signed files between instances: exchange key, trust, export, import, list."""

import time
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cuntong import identity
from cuntong import show as shows
from cuntong.commands.common import HERE, InventoryFolder, Json, app, load, out, print_json, say
from cuntong.errors import UsageError
from cuntong.settings import settings
from inventory.model import Inventory

exchange = typer.Typer(help="Signed files: a district tells how it stands, a city takes it in.", no_args_is_help=True)
app.add_typer(exchange, name="exchange", rich_help_panel="People")


@exchange.command("key")
def key(as_json: Json = False) -> None:
    """Print this instance's public key, which another one trusts; made at the first time."""
    from api.exchange.signing import key_at, key_id

    path = settings().exchange_key_path
    signer = key_at(path)
    if as_json:
        print_json({"key": signer.public, "id": key_id(signer.public), "file": str(path)})
        return
    say(f"{signer.public}\nid {key_id(signer.public)}; the private half is {path}: back it up, show it to nobody")


@exchange.command("trust")
def trust(
    instance: Annotated[str, typer.Argument(help="What the other instance calls itself.")],
    public: Annotated[str, typer.Argument(metavar="KEY", help="What `cuntong exchange key` prints there.")],
    division: Annotated[str, typer.Option(help="The part of the tree that it may speak of, and no other.")],
    folder: InventoryFolder = HERE,
) -> None:
    """Add a key to exchange.yml beside the inventory; compare its id with its owner first."""
    from api.exchange.signing import FILE, Trust, key_id, read_trust
    from inventory.declared import validate
    from inventory.editing import Added, edit, written
    from inventory.errors import InventoryError, Problem

    inventory, known = load(folder), read_trust(folder)
    entry = {"instance": instance, "key": public, "division": inventory.nodes.codes[_node(inventory, division)]}
    problems: list[Problem] = []
    checked = validate(Trust, {"trusts": [entry]}, FILE, (), lambda _: 0, problems)
    if checked is None:
        raise InventoryError(problems)
    if any(one.key == public for one in known.trusts):
        raise UsageError(f"The key {key_id(public)} is trusted already.")
    path = folder / FILE
    change = {"trusts": Added([entry])}
    data = edit(FILE, path.read_bytes(), change) if path.exists() else written(change).encode("utf-8")
    half = path.with_name(f".{FILE}.half")
    half.write_bytes(data)
    half.replace(path)
    say(f"{path}: {instance} with the key {key_id(public)} speaks for {entry['division']}")


@exchange.command("export")
def export(
    division: Annotated[str | None, typer.Option(help="A division's code; the deployment's own if left out.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", show_default="named after division and day")] = None,
    folder: InventoryFolder = HERE,
) -> None:
    """Write the signed file of a division: what is claimed, measured and told of its sites, and its figures."""
    from api.actions import exchange as actions
    from api.exchange.signing import key_at
    from api.standing import CHINA, Standing

    inventory, given = load(folder), settings()
    with identity.ledger(given) as engine:
        standing = Standing(inventory, engine, time.time, stale_after_s=3 * given.interval_s + 30)
        standing.refresh()
        code = inventory.nodes.codes[0 if division is None else _node(inventory, division)]
        now = time.time()
        data = actions.export(
            standing, engine, identity.actor(engine), code, given.instance or inventory.title,
            key_at(given.exchange_key_path), now,
        )  # fmt: skip
    path = output or Path(f"cuntong-{code}-{datetime.fromtimestamp(now, CHINA):%Y%m%d}.json")
    half = path.with_name(f".{path.name}.half")
    try:
        half.write_bytes(data)
        half.replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None
    say(f"{path}: {len(data)} bytes")


@exchange.command("import")
def take(
    file: Annotated[Path, typer.Argument(help="The signed file of a district.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")] = False,
    as_json: Json = False,
    folder: InventoryFolder = HERE,
) -> None:
    """Take in what a trusted key signed for its own part of the tree, once."""
    from api.actions import exchange as actions
    from api.exchange.signing import read_trust

    try:
        data = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from None
    inventory = load(folder)
    with identity.ledger(settings()) as engine:
        made = actions.take(
            engine, inventory, identity.actor(engine), data, read_trust(folder), time.time(), dry_run=dry_run
        )
    if as_json:
        print_json(
            {
                "instance": made.district.instance, "division": made.district.division, "sha256": made.sha256,
                "snapshot": made.district.snapshot, "sites": made.sites, "unmatched": list(made.unmatched),
                "verdicts": made.verdicts, "claims": made.claims, "facts": made.facts, "written": not dry_run,
            }
        )  # fmt: skip
        return
    done = "would bring" if dry_run else "brought"
    say(
        f"{made.district.instance}, {made.district.division} {made.district.name}: {done} {made.verdicts} verdicts, "
        f"{made.claims} claims and {made.facts} facts on {made.sites} sites"
    )
    if made.unmatched:
        some = ", ".join(made.unmatched[:5])
        say(f"{len(made.unmatched)} sites of the file are not declared here: {some}")


@exchange.command("list")
def taken(as_json: Json = False) -> None:
    """List the files that were taken in, the newest first."""
    from api.standing import CHINA
    from ledger import exchanges

    with identity.ledger(settings()) as engine, engine.connect() as connection:
        identity.actor(engine)
        found = exchanges.every(connection)
    rows = [{name: getattr(one, name) for name in exchanges.Exchange.__dataclass_fields__} for one in found]
    if as_json:
        print_json(rows)
        return
    table = Table("taken", "instance", "division", "made", "sites", "unmatched", "key", "sha256", box=None)
    for one in found:
        taken_at, made_at = (f"{datetime.fromtimestamp(at, CHINA):%F %H:%M}" for at in (one.taken_at, one.made_at))
        table.add_row(
            taken_at, one.instance, one.division, made_at, str(one.sites), str(one.unmatched), one.key, one.sha256[:16]
        )
    shows.wide(out).print(table)


def _node(inventory: Inventory, division: str) -> int:
    try:
        return inventory.nodes.find(division)
    except KeyError:
        raise UsageError(f"{division!r} is no division of {inventory.title}.") from None
