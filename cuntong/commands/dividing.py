"""Commands of divisions that change: divisions apply."""

import time
from pathlib import Path
from typing import Annotated

import typer

from api.actions.grants import Action, require
from cuntong import identity
from cuntong.commands.adopting import show_diff
from cuntong.commands.common import HERE, DryRun, Folder, Json, app, load, print_json, say
from cuntong.errors import UsageError
from cuntong.own_history import commit
from cuntong.settings import settings
from ledger import audit

divisions = typer.Typer(help="Divisions that merge, split, are renamed or recoded.", no_args_is_help=True)
app.add_typer(divisions, name="divisions", rich_help_panel="Declare")


@divisions.command("apply")
def apply_changes(
    changes: Annotated[Path, typer.Argument(help="CSV: change,old,new,name,parent,on (rename, recode, merge, new).")],
    folder: Folder = HERE,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Carry changes of divisions into the list and the sites: stations and points stay, and no address moves."""
    from inventory.division_changes import apply, read_changes
    from inventory.source import Source

    try:
        data = changes.read_bytes()
    except OSError as error:
        raise UsageError(f"{changes} cannot be read: {error.strerror}.") from None
    inventory = load(folder)
    applied = apply(Source(folder), changes.name, read_changes(changes.name, data))
    if not dry_run:
        with identity.ledger(settings()) as engine:
            actor = identity.actor(engine)
            require(actor, Action.AUTHOR_PLAN, inventory.nodes, {0})
            applied.changes.write()
            commit(folder, f"区划变更 / Divisions {changes.name}")
            with engine.begin() as connection:
                detail = {"file": changes.name, "sites": list(applied.told)}
                audit.record(connection, time.time(), actor.name, "divisions.apply", inventory.top, detail)
    if as_json:
        print_json(
            {
                "written": not dry_run, "files": sorted(applied.changes.after), "sites": list(applied.told),
                "diff": applied.changes.diff(),
            }
        )  # fmt: skip
        return
    show_diff(applied.changes.diff())
    for line in applied.told:
        say(line)
    if dry_run:
        say("Nothing was written (--dry-run).")
    else:
        say(f"Written; no address moved. In force: cuntong reload {folder}")
        say(f"Names and lines on routers that follow: cuntong plan {inventory.top} --diff")
