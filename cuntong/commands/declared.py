"""Commands on what should exist: init, check, show; and what people say of it: claim."""

import time
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cuntong import show as shows
from cuntong.commands.common import HERE, Folder, Json, app, err, load, out, print_json, say
from cuntong.errors import UsageError
from cuntong.settings import settings
from inventory.errors import InventoryError
from inventory.vocabulary import Claim


@app.command(rich_help_panel="Declare")
def init(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.")],
    divisions: Annotated[
        Path, typer.Option(help="The operator's division list: code,name,level,parent (.csv, .csv.xz).")
    ],
    code: Annotated[str, typer.Option(help="The county (or city, province) to connect: 2 to 12 digits.")],
) -> None:
    """Write a valid inventory for any county of a division list, ready to be edited."""
    from inventory.scaffold import write_inventory

    with err.status("Reading the division list ..."):
        report = write_inventory(folder, divisions, code)
    out.print(shows.scaffolded(report, folder), soft_wrap=True)


@app.command(rich_help_panel="Declare")
def check(
    folder: Folder = HERE,
    as_json: Json = False,
    allocate: Annotated[
        bool, typer.Option(help="Give ids and addresses to what is new, and write addresses.lock.")
    ] = False,
) -> None:
    """Check an inventory against every law; each problem with its file, line and mend."""
    from api.exchange.signing import read_trust
    from exporter.alertmanager.settings import read_alerting
    from inventory.assessment import read_assessment
    from inventory.boundaries import read_boundaries
    from inventory.loader import allocate_missing

    try:
        added = allocate_missing(folder) if allocate else []
        with err.status("Checking ..."):
            inventory = load(folder)
            read_alerting(folder)
            read_assessment(folder)
            read_boundaries(folder)
            read_trust(folder)
    except InventoryError as error:
        if not as_json:
            raise
        print_json({"ok": False, "problems": [shows.problem(one) for one in error.problems]})
        raise typer.Exit(2) from None
    if as_json:
        print_json(
            {
                "ok": True,
                "problems": [],
                "sites": len(inventory.sites),
                "devices": len(inventory.devices),
                "allocated": added,
                "findings": [shows.problem(one) for one in inventory.findings],
            }
        )
        return
    today = date.today()  # noqa: DTZ011  a waiver ends at midnight where it was written
    out.print(shows.checked(inventory, added, today), soft_wrap=True)


class What(StrEnum):
    SITES = "sites"
    DEVICES = "devices"
    ADDRESSES = "addresses"
    TREE = "tree"


@app.command(rich_help_panel="Declare")
def show(
    what: Annotated[What, typer.Argument(help="What to show.")],
    folder: Folder = HERE,
    division: Annotated[str | None, typer.Option(help="Only this division: 2, 4, 6, 9 or 12 digits.")] = None,
    as_json: Json = False,
) -> None:
    """Show what the inventory holds: sites, devices, addresses and their use, or the uplink tree."""
    inventory = load(folder)
    try:
        node = 0 if division is None else inventory.nodes.find(division)
    except KeyError:
        raise UsageError(f"There is no division {division!r} in {inventory.title}.") from None
    table = {
        What.SITES: shows.sites,
        What.DEVICES: shows.devices,
        What.ADDRESSES: shows.addresses,
        What.TREE: shows.tree,
    }[what](inventory, node)
    if as_json:
        print_json(table.rows)
    else:
        shows.wide(out).print(table.drawn())


@app.command(rich_help_panel="Declare")
def claim(
    site: Annotated[str, typer.Argument(help="The site's permanent id.")],
    state: Annotated[Claim, typer.Argument(help="What is said of it.")],
    by: Annotated[str, typer.Option(help="Who says so: office or unit.")],
    proof: Annotated[str, typer.Option(help="The document that proves it: its name, or a file whose hash is kept.")],
    on: Annotated[str | None, typer.Option(help="Day since when: 2026-11-20. Today if left out.")] = None,
    folder: Annotated[
        Path, typer.Option("--inventory", envvar="CUNTONG_INVENTORY", help="The inventory's folder.")
    ] = HERE,
) -> None:
    """Record what people say of a site, beside what is measured: who, when, and the proof."""
    from cuntong.claiming import record

    try:
        day = date.fromisoformat(on) if on else date.today()  # noqa: DTZ011  the day where the clerk sits
    except ValueError:
        raise UsageError(f"{on!r} is no day. Write it as 2026-11-20.") from None
    say(record(load(folder), settings(), site, state, by, proof, day, time.time()))
