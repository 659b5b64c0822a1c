"""Commands between changes: backup, drift, baseline, bootstrap, unseal."""

import os
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from api.actions.grants import Action
from cuntong import identity
from cuntong import show as shows
from cuntong.commands.common import HERE, InventoryFolder, Json, app, bar, load, out, print_json, say
from cuntong.errors import StartError, UsageError
from cuntong.settings import settings, state_folder
from ledger import audit
from ledger.vault import Vault, open_vault

Scope = Annotated[
    str | None,
    typer.Argument(help="A site, a device, a division's code, or a filter.", show_default="the whole inventory"),
]


def _vault() -> Vault:
    return open_vault(settings().vault_key_path)


@app.command(rich_help_panel="Keep and compare")
def backup(
    scope: Scope = None,
    folder: InventoryFolder = HERE,
    git: Annotated[
        Path | None, typer.Option(help="Folder of the redacted copies' git history.", show_default="the state folder's")
    ] = None,
    parallel: Annotated[int, typer.Option(help="Routers at the same time.", min=1, max=64)] = 8,
    per_uplink: Annotated[int, typer.Option(help="Of them below one router.", min=1, max=64)] = 4,
    as_json: Json = False,
) -> None:
    """Read every router once and keep what it says: sealed to restore from, redacted to read (a git history)."""
    from cuntong.changing import keeping
    from cuntong.changing.reach import reach
    from cuntong.changing.scope import routers_in

    inventory, given = load(folder), settings()
    devices = routers_in(inventory, scope or inventory.top)
    with identity.ledger(given) as engine, bar(f"Reading {len(devices)} routers", len(devices)) as (progress, task):
        taken = keeping.back_up(
            inventory, devices, reach(inventory, given), engine, _vault(), identity.actor(engine), parallel, per_uplink,
            lambda id: progress.update(task, advance=1, description=id),
        )  # fmt: skip
        history = git or state_folder() / "configurations"
        keeping.write_history(engine, history, devices)
    failed = [one for one in taken if one.said]
    if as_json:
        print_json(
            [{"device": one.device, "kept": not one.said, "changed": one.changed, "said": one.said} for one in taken]
        )
    else:
        changed = sum(one.changed for one in taken)
        say(f"{len(taken) - len(failed)} of {len(taken)} kept, {changed} of them changed; redacted copies: {history}")
        for one in failed:
            say(f"  {one.device}: {one.said}")
    if failed:
        raise StartError(f"{len(failed)} of {len(taken)} routers could not be read.")


@app.command(rich_help_panel="Keep and compare")
def drift(scope: Scope = None, folder: InventoryFolder = HERE, as_json: Json = False) -> None:
    """Compare each router's newest backup with what it was left with, and with what the inventory wants."""
    from cuntong.changing import keeping
    from cuntong.changing.planning import templates_of
    from cuntong.changing.reach import reach
    from cuntong.changing.scope import routers_in

    inventory, given = load(folder), settings()
    devices = routers_in(inventory, scope or inventory.top)
    with identity.ledger(given) as engine:
        identity.actor(engine)
        rows = keeping.drift(inventory, devices, reach(inventory, given), templates_of(inventory), engine, _vault())
    if as_json:
        print_json(rows)
    else:
        shows.wide(out).print(shows.Table(rows).drawn())


@app.command(rich_help_panel="Keep and compare")
def baseline(
    scope: Scope = None,
    folder: InventoryFolder = HERE,
    document: Annotated[
        Path | None, typer.Option(help="Another baseline than ours: a YAML file.", exists=True, dir_okay=False)
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only what does not pass.")] = False,
    as_json: Json = False,
) -> None:
    """Judge each router's newest backup by the baseline, item by item with evidence; reused equipment apart."""
    from cuntong.changing import keeping
    from cuntong.changing.reach import reach
    from cuntong.changing.scope import routers_in
    from rollout.compliance import BUILT_IN, load_baseline

    inventory, given = load(folder), settings()
    devices = routers_in(inventory, scope or inventory.top)
    with identity.ledger(given) as engine:
        identity.actor(engine)
        judged = load_baseline(document or BUILT_IN)
        rows = keeping.baseline(inventory, devices, reach(inventory, given), judged, engine, _vault())
    if as_json:
        print_json(rows)
        return
    lines = [
        {"device": row["device"], **result}
        for row in rows
        for result in row["results"]
        if not failed or result["mark"] == "fail"
    ]
    shows.wide(out).print(shows.Table(lines).drawn())
    say(_split(rows))
    for row in rows:
        if row["said"]:
            say(f"  {row['device']}: {row['said']}")


def _split(rows: list[dict[str, Any]]) -> str:
    """Conforming of judged, new and reused equipment apart; a device conforms only when every item passes."""
    told = []
    for word, own in (("new", True), ("reused", False)):
        judged = [row for row in rows if row["results"] and (row["origin"] == "new") is own]
        if judged:
            told.append(f"{sum(row['conforms'] for row in judged)} of {len(judged)} {word} routers conform")
    return f"{rows[0]['baseline'] if rows else 'baseline'}: " + ("; ".join(told) or "nothing to judge yet")


@app.command(rich_help_panel="Keep and compare")
def bootstrap(
    scope: Annotated[str, typer.Argument(help="A site, a device, a division's code, or a filter.")],
    folder: InventoryFolder = HERE,
    output: Annotated[Path, typer.Option(help="Folder for the files.")] = HERE,
    references: Annotated[
        bool, typer.Option("--references", help="Leave references in the files instead of secrets.")
    ] = False,
) -> None:
    """Write the file that each new router is started with: its name, its lines, and who may come in."""
    from cuntong.changing import keeping
    from cuntong.changing.reach import reach
    from cuntong.changing.scope import routers_in

    inventory, given = load(folder), settings()
    devices = routers_in(inventory, scope)
    with identity.ledger(given) as engine:
        written = keeping.write_bootstrap(
            inventory, devices, reach(inventory, given), output, engine, identity.actor(engine), references=references
        )
    for path in written:
        say(str(path))


@app.command(rich_help_panel="Keep and compare")
def unseal(
    device: Annotated[str, typer.Argument(help="The device whose configuration is wanted.")],
    output: Annotated[Path, typer.Argument(help="The file to write; readable by its owner alone.")],
    folder: InventoryFolder = HERE,
    at: Annotated[int | None, typer.Option("--backup", help="This backup's number instead of the newest.")] = None,
) -> None:
    """Open a sealed backup, to load it onto a replacement box."""
    from cuntong.changing.planning import require_scope
    from ledger.backups import backups_of, open_backup

    inventory = load(folder)
    try:
        wanted = inventory.devices.find(device)
    except KeyError:
        raise UsageError(f"There is no device {device!r} in {inventory.title}.") from None
    with identity.ledger(settings()) as engine:
        actor = identity.actor(engine)
        require_scope(actor, Action.OPEN_BACKUP, inventory, [wanted])
        with engine.begin() as connection:
            kept = backups_of(connection, device)
            number = at if at is not None else (kept[0].id if kept else None)
            text = open_backup(connection, _vault(), device, id=number) if number is not None else None
            if text is None:
                raise UsageError(f"There is no such backup of {device}. `cuntong backup {device}` takes one.")
            audit.record(connection, time.time(), actor.name, "backup.open", device, {"backup": number})
    output.unlink(missing_ok=True)
    with os.fdopen(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    say(f"backup {number} of {device}: {output} (it holds secrets)")
