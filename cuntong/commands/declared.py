"""Commands on what should exist: init, check, show; and what people say of it: claim."""

import time
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cuntong import show as shows
from cuntong.commands.common import HERE, Folder, InventoryFolder, Json, app, err, load, out, print_json, say
from cuntong.commands.common import day as day_of
from cuntong.errors import UsageError
from cuntong.settings import settings
from inventory.errors import InventoryError
from inventory.vocabulary import Claim


@app.command(rich_help_panel="Declare")
def init(
    folder: Annotated[Path | None, typer.Argument(help="A new or empty folder.", show_default=False)] = None,
    divisions: Annotated[
        Path | None, typer.Option(help="The operator's division list: code,name,level,parent (.csv, .csv.xz).")
    ] = None,
    code: Annotated[str | None, typer.Option(help="The county (or city, province) to connect: 2 to 12 digits.")] = None,
    from_xlsx: Annotated[
        Path | None, typer.Option("--from-xlsx", help="Our workbook, filled in: nothing else is needed.")
    ] = None,
    template: Annotated[
        Path | None, typer.Option("--template", help="Write the workbook that is filled in for --from-xlsx.")
    ] = None,
) -> None:
    """Write a valid inventory: for any county of a division list, or out of our workbook alone."""
    from inventory.scaffold import write_inventory

    if template is not None:
        _first_template(template)
        return
    if folder is None:
        raise UsageError("Name the folder of the new inventory.")
    if from_xlsx is not None:
        _from_xlsx(folder, from_xlsx)
        return
    if divisions is None or code is None:
        raise UsageError(
            "Give --divisions LIST.csv and --code, or --from-xlsx FILE; --template FILE writes an empty one."
        )
    with err.status("Reading the division list ..."):
        report = write_inventory(folder, divisions, code)
    out.print(shows.scaffolded(report, folder), soft_wrap=True)


def _first_template(file: Path) -> None:
    import tempfile

    from inventory.loader import examine
    from inventory.sheets import template
    from inventory.sheets.columns import TABLES
    from inventory.sheets.starting import example
    from inventory.source import Source

    with tempfile.TemporaryDirectory() as place:
        county = examine(Source(example(Path(place)))).county
    try:
        file.write_bytes(template.xlsx(list(TABLES.values()), county))
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}.") from None
    say(f"{file}: 在“站点”表中填写县、乡镇、村的区划代码和名称，然后运行 cuntong init DIR --from-xlsx {file}")


def _from_xlsx(folder: Path, file: Path) -> None:
    from cuntong.own_history import begin
    from inventory.sheets import starting, workbook

    try:
        data = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from None
    started = starting.start(folder, workbook.read(file.name, data))
    if started.faults:
        for fault in started.faults:
            say(str(fault))
        bad = len({(one.sheet, one.row) for one in started.faults})
        say(f"{bad} 行有误，未写入 / {bad} rows are wrong, nothing was written")
        raise typer.Exit(2)
    kept = begin(folder)
    for one in started.repaired:
        say(str(one))
    say(
        f"{folder}: {started.townships} 个乡镇，{started.villages} 个村（社区），{started.rows} 行内容已写入 / "
        f"{started.townships} townships, {started.villages} villages, {started.rows} rows written"
    )
    if kept:
        say("每次修改都会自动留存历史，无需了解 git / every accepted change is kept in a history by itself")
    for reference in sorted({str(device.credential) for device in load(folder).devices if device.credential}):
        say(f"填入设备凭据 / give the secret: cuntong secret set {reference.removeprefix('secret://')}")
    say(f"以后修改：cuntong import FILE {folder} --allocate；开始监测：cuntong up {folder}")


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
    from cuntong.own_history import commit
    from exporter.alertmanager.settings import read_alerting
    from inventory.assessment import read_assessment
    from inventory.boundaries import read_boundaries
    from inventory.loader import allocate_missing

    try:
        added = allocate_missing(folder) if allocate else []
        if added:
            commit(folder, "编号与地址 / Ids and addresses")
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
    folder: InventoryFolder = HERE,
) -> None:
    """Record what people say of a site, beside what is measured: who, when, and the proof."""
    from cuntong.claiming import record

    now = time.time()
    say(record(load(folder), settings(), site, state, by, proof, day_of(on, now), now))
