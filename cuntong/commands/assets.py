"""Commands of devices as things: replace, move, retire, asset."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace as changed
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from sqlalchemy import Engine

from api.actions.grants import Action
from cuntong import identity
from cuntong import show as shows
from cuntong.commands.adopting import show_diff
from cuntong.commands.common import HERE, DryRun, InventoryFolder, Json, app, desk, out, print_json, say
from cuntong.errors import StartError, UsageError
from cuntong.own_history import commit
from cuntong.settings import Settings, settings
from ledger import audit
from ledger.accounts import Account

if TYPE_CHECKING:
    from cuntong.assets import Moving
    from inventory.devices import Device
    from inventory.model import Inventory

Name = Annotated[str, typer.Argument(metavar="DEVICE", help="Its id, such as tq-chengxiang-wenbi-cpe1.")]
Reason = Annotated[str, typer.Option(help="Why: ticket, decision. It stands in the ledger.")]


@contextmanager
def _bench(folder: Path, name: str) -> "Iterator[tuple[Inventory, Device, Engine, Settings, Account, float]]":
    """The inventory, a device of it, the ledger, and who acts on it now, once it is sure that he may."""
    from cuntong import assets

    with desk(folder) as (inventory, engine, actor, now):
        device = assets.device_of(inventory, name)
        _allowed(actor, inventory, device)
        yield inventory, device, engine, settings(), actor, now


@app.command(rich_help_panel="Declare")
def replace(
    name: Name,
    serial: Annotated[str | None, typer.Option(help="Serial number of the new box.")] = None,
    model: Annotated[str | None, typer.Option(help="Its model, of any vendor.", show_default="the same")] = None,
    reason: Reason = "",
    days: Annotated[float, typer.Option(help="How long its new host key may be taken.", min=0.01, max=60)] = 7.0,
    output: Annotated[Path, typer.Option(help="Folder for its bootstrap file.")] = HERE,
    arrived: Annotated[
        bool, typer.Option("--arrived", help="The box stands there: meet it, and take its key.")
    ] = False,
    folder: InventoryFolder = HERE,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Put another box in a device's place: id, addresses and history stay; its bootstrap file is written."""
    from cuntong import assets

    with _bench(folder, name) as (inventory, device, engine, given, actor, now):
        if arrived:
            _meet(engine, inventory, device, given, actor, now)
            return
        if not serial:
            raise UsageError("Name the new box: --serial S. When it stands there: --arrived.")
        moving = assets.replaced(inventory, device, serial, model, actor.name, _said(reason), now, now + days * 86_400)
        files: list[Path] = []

        def before(after: "Inventory") -> Callable[[], None]:
            return _bootstrap(engine, after, name, given, actor, output, files)

        _carry_out(engine, inventory, moving, actor, now, dry_run=dry_run, before=before)
    following = [f"{file}: start the new box with it" for file in files]
    following += [f"When it stands there, within {days:g} days: cuntong replace {name} --arrived"] if files else []
    _tell(moving, folder, dry_run=dry_run, as_json=as_json, more=following)


@app.command(rich_help_panel="Declare")
def move(
    name: Name,
    site: Annotated[str, typer.Argument(help="Id of the site where it goes.")],
    reason: Reason = "",
    folder: InventoryFolder = HERE,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Take a box to another site: the asset goes along, the past of the old site stays there."""
    from cuntong import assets

    with _bench(folder, name) as (inventory, device, engine, given, actor, now):
        moving = assets.moved(inventory, device, site, actor.name, _said(reason), now)
        _allowed(actor, inventory, device, inventory.sites.index[site])
        _carry_out(engine, inventory, moving, actor, now, dry_run=dry_run)
        if not dry_run:
            _rename_key(inventory, given, name, moving.event.successor)
    more = [f"{name} goes on as {moving.event.successor}; outages and coverage of the past stay with the old site."]
    if device.device_class == "router":
        more.append(f"Its lines are others there: cuntong bootstrap {moving.event.successor}")
    _tell(moving, folder, dry_run=dry_run, as_json=as_json, more=more)


@app.command(rich_help_panel="Declare")
def retire(
    name: Name,
    reason: Reason = "",
    folder: InventoryFolder = HERE,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """End a device: it is asked no more and its keys are forgotten; addresses stay reserved, history stays."""
    from cuntong import assets

    with _bench(folder, name) as (inventory, device, engine, given, actor, now):
        moving = assets.retired(inventory, device, actor.name, _said(reason), now)
        _carry_out(engine, inventory, moving, actor, now, dry_run=dry_run)
        if not dry_run:
            _forget_key(inventory, given, name)
    more = [f"{device.address} stays reserved in addresses.lock; its host key and SNMP keys are forgotten."]
    _tell(moving, folder, dry_run=dry_run, as_json=as_json, more=[] if dry_run else more)


@app.command(rich_help_panel="Keep and compare")
def asset(
    name: Annotated[str, typer.Argument(metavar="DEVICE", help="Its id, of today or of the past.")],
    as_json: Json = False,
) -> None:
    """Show what became of a device: replaced, moved here from where, retired; by whom and why."""
    from cuntong import assets
    from ledger.assets import history_of

    with identity.ledger(settings()) as engine:
        identity.actor(engine)
        with engine.connect() as connection:
            rows = assets.shown(history_of(connection, name))
    if as_json:
        print_json(rows)
    elif rows:
        shows.wide(out).print(shows.Table(rows).drawn())
    else:
        say(f"Nothing is told of {name}.")


def _said(reason: str) -> str:
    if not reason.strip():
        raise UsageError("Say why: --reason TEXT. It stands in the ledger.")
    return reason.strip()


def _allowed(actor: Account, inventory: "Inventory", device: "Device", site: int | None = None) -> None:
    from api.actions.grants import require

    where = device.site if site is None else site
    require(actor, Action.AUTHOR_PLAN, inventory.nodes, {int(inventory.sites.nodes[where])})


def _carry_out(
    engine: Engine,
    inventory: "Inventory",
    moving: "Moving",
    actor: Account,
    now: float,
    *,
    dry_run: bool,
    before: Callable[["Inventory"], Callable[[], None]] | None = None,
) -> None:
    """The files, then the ledger; ``before`` is asked with the inventory as it would become, and does its part last."""
    from inventory.device_changes import overlaid
    from inventory.loader import of_source
    from inventory.source import Source
    from ledger.assets import forget_engine, record

    after = of_source(overlaid(Source(inventory.folder), moving.changes.after))
    last = before(after) if before is not None else None
    if dry_run:
        return
    moving.changes.write()
    commit(inventory.folder, f"{moving.event.kind} {moving.event.device}: {moving.event.reason}")
    with engine.begin() as connection:
        record(connection, moving.event, now)
        forget_engine(connection, moving.event.device)
        detail = {**moving.event.detail, "reason": moving.event.reason}
        audit.record(connection, now, actor.name, f"asset.{moving.event.kind}", moving.event.device, detail)
    if last is not None:
        last()


def _bootstrap(
    engine: Engine, after: "Inventory", name: str, given: Settings, actor: Account, output: Path, files: list[Path]
) -> Callable[[], None]:
    """What writes the file for the new box; refused now where it could not be rendered.

    An adopted device is not ours to render: it gets back what it said last.
    """
    from cuntong.changing import keeping
    from cuntong.changing.planning import templates_of
    from cuntong.changing.reach import platform_of, reach
    from ledger.backups import newest_backups, open_backup
    from ledger.vault import open_vault

    device = after.devices.find(name)
    platform = platform_of(after, device)
    if platform is None:
        return lambda: None
    way = reach(after, given)
    if device.managed is None:
        templates_of(after).render(after, device, platform, "bootstrap")
        return lambda: files.extend(
            keeping.write_bootstrap(after, [device], way, output, engine, actor, references=False)
        )
    with engine.connect() as connection:
        newest = newest_backups(connection).get(name)
        text = open_backup(connection, open_vault(given.vault_key_path), name, id=newest.id) if newest else None
    if text is None:
        raise StartError(
            f"{name} was adopted and never backed up: nothing says what the new box should run. cuntong backup"
        )

    def write() -> None:
        path = output / f"{name}.bootstrap.cfg"
        output.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(text, "utf-8")
        files.append(path)

    return write


def _meet(
    engine: Engine, inventory: "Inventory", device: "Device", given: Settings, actor: Account, now: float
) -> None:
    """Take the host key of the box that is awaited, once, after it showed its serial number."""
    from cuntong import assets
    from cuntong.changing.reach import reach
    from ledger.assets import AssetEvent, AssetKind, awaited, forget_engine, record
    from rollout.session import Session
    from rollout.transport import shown_host_key

    with engine.connect() as connection:
        event: AssetEvent | None = awaited(connection, device.id, now)
    if event is None:
        raise UsageError(f"No replacement of {device.id} is awaited: never announced, met already, or too long ago.")
    router = reach(inventory, given).router(device)
    key, serial = shown_host_key(router), str(event.detail.get("serial"))
    command = assets.serial_command(router.platform)
    with Session(changed(router, host_keys=(key,))) as session:
        said = session.ask(command) if command else ""
    if command and serial not in said:
        raise StartError(f"{device.id} does not show the serial number {serial} (`{command}`): its key is not taken.")
    path = _known_hosts(inventory, given)
    text = path.read_text("ascii") if path.exists() else ""
    assets.rewrite(path, f"{assets.without_keys(text, device.id)}{device.id} {key}\n")
    with engine.begin() as connection:
        detail: dict[str, Any] = {"serial": serial, "host_key": key, "shown": bool(command)}
        met = AssetEvent(device.id, AssetKind.ARRIVED, now, actor.name, event.reason, detail, replaces=event.id)
        record(connection, met, now)
        forget_engine(connection, device.id)
        audit.record(connection, now, actor.name, "asset.arrived", device.id, detail)
    shown = f"with the serial number {serial}" if command else "(a Linux box: it shows no serial number)"
    say(f"{device.id} was met {shown}; its host key is taken, the old one is gone.")
    say(f"Bring it to what it should say: cuntong plan {device.id} --diff")


def _known_hosts(inventory: "Inventory", given: Settings) -> Path:
    from cuntong.changing.reach import KNOWN_HOSTS

    return given.known_hosts or inventory.folder / KNOWN_HOSTS


def _forget_key(inventory: "Inventory", given: Settings, name: str) -> None:
    from cuntong import assets

    path = _known_hosts(inventory, given)
    if path.exists():
        assets.rewrite(path, assets.without_keys(path.read_text("ascii"), name))


def _rename_key(inventory: "Inventory", given: Settings, name: str, successor: str) -> None:
    """The same box shows the same key elsewhere."""
    from cuntong import assets
    from cuntong.changing.reach import host_keys

    path = _known_hosts(inventory, given)
    if path.exists():
        keys = host_keys(path).get(name, ())
        text = assets.without_keys(assets.without_keys(path.read_text("ascii"), name), successor if keys else "")
        assets.rewrite(path, text + "".join(f"{successor} {key}\n" for key in keys))


def _tell(moving: "Moving", folder: Path, *, dry_run: bool, as_json: bool, more: list[str]) -> None:
    event = moving.event
    if as_json:
        print_json(
            {
                "written": not dry_run, "what": str(event.kind), "device": event.device,
                "successor": event.successor or None, "files": sorted(moving.changes.after),
                "diff": moving.changes.diff(), "plan": list(moving.plan), "detail": dict(event.detail),
            }
        )  # fmt: skip
        return
    show_diff(moving.changes.diff())
    if dry_run:
        say("Nothing was written (--dry-run).")
        return
    for line in more:
        say(line)
    say(f"In force: cuntong reload {folder}")
    for scope in moving.plan:
        say(f"What it changes on routers: cuntong plan {scope} --diff")
