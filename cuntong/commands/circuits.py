"""Commands of circuits: list what lines have and had, change a line's circuit."""

from datetime import date
from typing import Annotated

import typer
from rich.syntax import Syntax

from cuntong import show as shows
from cuntong.commands.common import HERE, Folder, Json, app, load, out, print_json, say
from cuntong.errors import UsageError

circuit = typer.Typer(help="Carriers' circuits: what each line has, had, and until when.", no_args_is_help=True)
app.add_typer(circuit, name="circuit", rich_help_panel="Declare")


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no day. Write it as 2026-11-20.") from None


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
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, write nothing.")] = False,
) -> None:
    """Give a line another circuit from a day on; the old one keeps its dates and its past."""
    from cuntong.own_history import commit
    from inventory.circuit_change import NewCircuit, change_circuit

    inventory = load(folder)
    begins = _day(since) or date.today()  # noqa: DTZ011  the day where the office sits
    new = NewCircuit(number, begins, carrier, link_type, bandwidth, service_level, _day(until), hotline)
    changes = change_circuit(folder, site, new, line - 1)
    out.print(Syntax(changes.diff(), "diff", background_color="default", word_wrap=True))
    if dry_run:
        say("Nothing was written (--dry-run).")
        return
    changes.write()
    commit(folder, f"电路 / Circuit {number} of {site}")
    at = inventory.sites.index[site]
    say(f"{site}: line {line} has {number} from {begins} on.")
    say(_next_steps(inventory.links(at)[line - 1].link_type, link_type, site))


def _next_steps(before: str, after: str | None, site: str) -> str:
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
