"""Commands that start the long-running programs: collect, serve, up, demo."""

from pathlib import Path
from typing import Annotated

import typer

from cuntong.commands.common import HERE, Folder, app, err, given, host_and_port, load, log, out, print_json, say
from cuntong.errors import UsageError
from cuntong.settings import settings

Host = Annotated[str, typer.Option(help="Where to listen; other machines can connect only if this says so.")]
Port = Annotated[int, typer.Option(help="TCP port.", min=0, max=65535)]


@app.command(rich_help_panel="Run")
def collect(
    folder: Folder = HERE,
    host: Host = "127.0.0.1",
    port: Port = 9161,
    simulated: Annotated[int | None, typer.Option(help="Ask the simulated county at this UDP port instead.")] = None,
    traps: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS:PORT",
            help="Hear traps and informs here, and ask at once whoever sends one; port 162 if left out. "
            "Once for IPv4 and once for IPv6.",
            show_default="none are heard",
        ),
    ] = None,
) -> None:
    """Poll the inventory's devices, judge them, keep what happened; metrics at /metrics/{county}."""
    from cuntong.collect import collect as run
    from cuntong.collect import in_the_field, in_the_simulator

    log()
    reach = in_the_field(settings()) if simulated is None else in_the_simulator(simulated, settings().simulated_devices)
    heard = [host_and_port(address, 162) for address in traps or ()]
    run(load(folder), settings(), reach, host, port, heard)


@app.command(rich_help_panel="Run")
def serve(folder: Folder = HERE, host: Host = "127.0.0.1", port: Port = 8080) -> None:
    """Serve the API and the pages."""
    from cuntong.serving import serve as run

    log()
    run(load(folder), settings(), host, port)


@app.command(rich_help_panel="Run")
def up(
    folder: Folder = HERE,
    host: Host = "127.0.0.1",
    port: Port = 8080,
    metrics_port: Annotated[int, typer.Option(help="TCP port of the collector's metrics.")] = 9161,
) -> None:
    """Everything on this machine: collector, API and worker on one ledger; what dies is started again."""
    from cuntong.up import run

    log()
    load(folder)  # every problem is said here once, not by each child
    run(folder, host, port, metrics_port)


@app.command(rich_help_panel="Run")
def demo(
    folder: Annotated[Path | None, typer.Option("--inventory", help="Another county than 天全.")] = None,
    port: Annotated[int | None, typer.Option(help="Of the page; 8080 unless taken.", min=1, max=65535)] = None,
    scenario: Annotated[str, typer.Option(help="What is broken at the start: a built-in scenario or a file.")] = "demo",
    bare: Annotated[
        str | None,
        typer.Option(
            metavar="SCOPE",
            help="Whose routers come new from the bench and are provisioned: a division's code, a site, or none.",
            show_default="one township of 天全",
        ),
    ] = None,
    prove: Annotated[
        bool, typer.Option("--check", help="Prove that everything works, print one line of JSON, end.")
    ] = False,
    noc: Annotated[
        bool,
        typer.Option("--noc", help="With Prometheus, Alertmanager and the wall; needs Debian's packages of both."),
    ] = False,
    place: Annotated[
        str | None,
        typer.Option(help="One of the five places of the notices, with a ledger of thirteen months and no devices."),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(metavar="DAY", help="Of a place: the day at whose end its clock stands.", show_default="its own"),
    ] = None,
    divisions: Annotated[
        Path | None,
        typer.Option(
            help="Of a place: the folder of the division lists.",
            show_default="CUNTONG_DIVISIONS, ./divisions or ../shared/divisions",
        ),
    ] = None,
) -> None:
    """A whole make-believe county on this machine: devices, collector, metrics, API and page."""
    if place is not None:
        if noc:
            raise UsageError("--noc needs devices, and a place has none: leave --place out.")
        _show_place(place, as_of, divisions, port, prove)
        return
    if as_of is not None or divisions is not None:
        raise UsageError("--as-of and --divisions belong to --place.")
    from cuntong import demo as demos
    from cuntong import proving
    from simulator.scenario import load as load_scenario

    folder = folder or demos.EXAMPLE
    inventory = load(folder)
    if prove:
        if noc:
            raise UsageError("--noc is for people; --check leaves Prometheus out.")
        report = proving.prove(folder, inventory, bare)
        print_json(report.as_json())
        if report.failed:
            err.print(report.failed, markup=False, highlight=False, soft_wrap=True)
            raise typer.Exit(1)
        return
    with given():
        load_scenario(scenario)
    demos.run(folder, inventory, port, scenario, bare, out, noc=noc)


def _show_place(name: str, as_of: str | None, divisions: Path | None, port: int | None, prove: bool) -> None:
    from cuntong.places import showing

    place = showing.find(name)
    day = showing.day_of(place, as_of)
    if prove:
        document = showing.prove(place, day, divisions)
        print_json(document)
        if "failed" in document:
            err.print(document["failed"], markup=False, highlight=False, soft_wrap=True)
            raise typer.Exit(1)
        return
    with showing.staged(place, day, divisions) as world:
        showing.serve(world, port, say)
