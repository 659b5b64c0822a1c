"""Commands of circuits: list what lines have and had, change a line's circuit."""

import time
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from cuntong import identity
from cuntong import show as shows
from cuntong.commands.adopting import show_diff
from cuntong.commands.common import HERE, DryRun, Folder, Json, app, day, load, out, print_json, say
from cuntong.errors import UsageError
from cuntong.settings import settings

if TYPE_CHECKING:
    from inventory.changes import Changes
    from inventory.model import Inventory

circuit = typer.Typer(help="Carriers' circuits: what each line has, had, and until when.", no_args_is_help=True)
app.add_typer(circuit, name="circuit", rich_help_panel="Declare")


@circuit.command("list")
def every(
    folder: Folder = HERE,
    carrier: Annotated[str | None, typer.Option(help="Only this carrier's.")] = None,
    soon: Annotated[bool, typer.Option("--ending", help="Only contracts that ended or end within 60 days.")] = False,
    former: Annotated[bool, typer.Option("--former", help="Also circuits that lines had before.")] = False,
    as_json: Json = False,
) -> None:
    """List circuits with carrier, contract and service level."""
    from inventory.circuits import circuits, ending

    inventory = load(folder)
    today = date.today()  # noqa: DTZ011  a contract ends at midnight where it was written
    rows = [
        {
            "site": inventory.sites.ids[one.site],
            "line": one.line + 1,
            "circuit": one.number,
            "carrier": one.carrier,
            "type": one.link_type,
            "role": one.role,
            "mbps": one.bandwidth_mbps,
            "service_level": one.service_level,
            "since": one.since,
            "until": one.until,
            "contract_until": one.contract_until,
        }
        for one in (ending(inventory, today) if soon else circuits(inventory))
        if (carrier is None or one.carrier == carrier) and (former or one.until is None)
    ]
    if as_json:
        print_json(rows)
    elif rows:
        shows.wide(out).print(shows.Table(rows).drawn())
    else:
        say("None.")


@circuit.command("change")
def change(
    site: Annotated[str, typer.Argument(help="The site's permanent id.")],
    number: Annotated[str, typer.Option("--circuit", help="The new circuit's number.")],
    folder: Folder = HERE,
    since: Annotated[str | None, typer.Option(help="From which day; today if left out.")] = None,
    carrier: Annotated[str | None, typer.Option(help="Another carrier.")] = None,
    link_type: Annotated[str | None, typer.Option("--type", help="Another link type.")] = None,
    bandwidth: Annotated[int | None, typer.Option(help="Mbit/s.", min=1)] = None,
    service_level: Annotated[str | None, typer.Option(help="By the names of county.yml.")] = None,
    until: Annotated[str | None, typer.Option(help="When its contract ends.")] = None,
    hotline: Annotated[str | None, typer.Option(help="Whom to call.")] = None,
    line: Annotated[int, typer.Option(help="Which of the site's lines.", min=1)] = 1,
    in_place: Annotated[
        bool, typer.Option("--in-place", help="The carrier swaps behind the port: no second line beside the old one.")
    ] = False,
    dry_run: DryRun = False,
) -> None:
    """Give a line another circuit from a day on: beside the old one first, so that the village is never alone.

    The old one keeps its dates, its service level and its past. `cuntong circuit advance` goes on.
    """
    from inventory.circuit_change import NewCircuit, change_circuit, line_beside

    inventory, now = load(folder), time.time()
    begins = day(since, now)
    ends = None if until is None else day(until, now)
    new = NewCircuit(number, begins, carrier, link_type, bandwidth, service_level, ends, hotline)
    if not in_place and line != 1:
        raise UsageError("The main line is changed beside itself; a further line only in place: --in-place.")
    changes = change_circuit(folder, site, new, line - 1) if in_place else line_beside(folder, site, new)
    if not _done(changes, f"电路 / Circuit {number} of {site}", dry_run=dry_run):
        return
    at = inventory.sites.index[site]
    if in_place:
        say(f"{site}: line {line} has {number} from {begins} on.")
        say(_in_place(inventory.links(at)[line - 1].link_type, link_type, site))
        return
    say(f"{site}: {number} stands beside the old line from {begins} on; the old one carries.")
    say(
        f"  1. cuntong plan {_scope(inventory, at)}, approve, apply: both ends get the new line, no way changes\n"
        "  2. cuntong reload: the collector measures both\n"
        f"  3. when the new one has been there for {settings().line_proof_s / 60:.0f} minutes: "
        f"cuntong circuit advance {site}"
    )
    for router in _without_net(inventory, at):
        say(
            f"{router}: nothing would bring it back by itself, so that its plans are needs_visit. Tell `second_path` "
            "at the device (4G, a management port), or have somebody stand beside it and type what the plan shows."
        )


@circuit.command("advance")
def advance_change(
    site: Annotated[str, typer.Argument(help="The site's permanent id.")],
    folder: Folder = HERE,
    dry_run: DryRun = False,
) -> None:
    """Take the next step of a change: the new line carries; then the old one goes. Each only once it was measured."""
    from cuntong.changing.lines import Measure, require_proved
    from inventory.circuit_change import advance

    inventory, given, now = load(folder), settings(), time.time()
    step = advance(folder, site, day(None, now))
    at = inventory.sites.index[site]
    with identity.ledger(given) as engine, engine.connect() as connection:
        measure = Measure(given.line_proof_s, given.interval_s)
        require_proved(connection, inventory, at, step.number, measure, now)
    if not _done(step.changes, f"电路 / Circuit {step.circuit} of {site}", dry_run=dry_run):
        return
    steps = f"  1. cuntong plan {_scope(inventory, at)}, approve, apply\n  2. cuntong reload"
    if step.ends:
        say(f"{site}: the old line goes; {step.circuit} stays, and remembers it.\n{steps}, and give the old one back")
        return
    say(
        f"{site}: {step.circuit} becomes the main line; the old one stands by.\n{steps}\n"
        f"  3. when it has carried long enough: cuntong circuit advance {site}"
    )


def _done(changes: "Changes", message: str, *, dry_run: bool) -> bool:
    """Show a change of the inventory and write it, unless it is only to be looked at."""
    from cuntong.own_history import commit

    show_diff(changes.diff())
    if dry_run:
        say("Nothing was written (--dry-run).")
        return False
    changes.write()
    commit(changes.folder, message)
    return True


def _without_net(inventory: "Inventory", site: int) -> list[str]:
    """The site's routers of which a change of the path has no net: no timer, and no other way to them."""
    from cuntong.changing.reach import platform_of
    from rollout.change import DeadMan
    from rollout.planning import dead_man_for
    from rollout.platform import PathClass

    routers = [inventory.devices[ordinal] for ordinal in inventory.devices.routers(site)]
    return [
        router.id
        for router in routers
        if router.second_path is None
        and (platform := platform_of(inventory, router)) is not None
        and dead_man_for(platform, PathClass.PATH) is DeadMan.NONE
    ]


def _scope(inventory: "Inventory", site: int) -> str:
    """The division that holds both ends of a site's line."""
    above = inventory.site_uplinks(site)
    return inventory.nodes.codes[int(inventory.sites.nodes[above[0] if above else site])]


def _in_place(before: str, after: str | None, site: str) -> str:
    """What is left to do on the router, told in the order that never leaves the village alone."""
    if after is None or after == before:
        return (
            "The link type stays: the router changes its description only, and the carrier may swap behind its port.\n"
            f"  1. cuntong plan {site} --diff, approve, apply\n"
            f"  2. the carrier moves the site; cuntong maintenance add {site} announces it\n"
            "  3. cuntong reload; the old circuit is given back only when `cuntong show sites` reaches it over the new"
        )
    return (
        f"The link type changes from {before} to {after}: a path change, made under the router's own dead-man.\n"
        "  1. the carrier hands the new circuit over beside the old one; the old one stays up\n"
        f"  2. cuntong plan {site} --diff shows what is added before anything goes; approve, apply: a router that\n"
        "     does not answer over the new line comes back to the old one by itself (RGOS without a second path:\n"
        "     NEEDS_VISIT)\n"
        "  3. cuntong reload; give the old circuit back when the new one has carried a day"
    )
