"""The command that looks at the system itself: doctor."""

import time
from collections import Counter
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from cuntong import show as shows
from cuntong.commands.common import HERE, Folder, Json, app, err, out, print_json, say
from cuntong.doctor.findings import Finding, State
from cuntong.doctor.records import worst_first
from cuntong.settings import settings

_STYLES = {State.FAILURE: "bold red", State.WARNING: "yellow", State.FINE: "green"}


@app.command(rich_help_panel="The system itself")
def doctor(
    folder: Folder = HERE,
    every: Annotated[bool, typer.Option("--all", help="Ask every device instead of a few of each credential.")] = False,
    ask: Annotated[bool, typer.Option("--ask/--no-ask", help="Whether devices are asked at all.")] = True,
    simulated: Annotated[int | None, typer.Option(help="Ask the simulated county at this UDP port instead.")] = None,
    as_json: Json = False,
) -> None:
    """Is this instance well? Clock, disk, ledger, keys, inventory, credentials, jobs: what is wrong, what mends it."""
    from cuntong.collect import in_the_field, in_the_simulator
    from cuntong.doctor.examining import examine

    given = settings()
    port = given.simulated_snmp if simulated is None else simulated
    reach = in_the_simulator(port, given.simulated_devices) if port else in_the_field(given)
    with err.status("Looking ..."):
        found = worst_first(list(examine(given, folder, reach if ask else None, time.time(), every=every)))
    count = Counter(one.state for one in found)
    if as_json:
        print_json([asdict(one) for one in found])
    else:
        shows.wide(out).print(_drawn(found))
        say(f"{count[State.FAILURE]} to mend now, {count[State.WARNING]} to look at, {count[State.FINE]} in order")
    if count[State.FAILURE]:
        raise typer.Exit(1)


def _drawn(found: list[Finding]) -> Table:
    table = Table(box=None, header_style="dim")
    for title in ("", "what", "found, and what mends it"):
        table.add_column(title, overflow="fold")
    for one in found:
        told = Text(one.said)
        if one.mend:
            told.append(f"\n-> {one.mend}", style="dim")
        table.add_row(Text(str(one.state), style=_STYLES[one.state]), one.check, told)
    return table
