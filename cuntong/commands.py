"""Every command of ``cuntong``: its words, and the part that does the work."""

import asyncio
import json
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cuntong import show as shows
from cuntong.errors import StartError, UsageError
from cuntong.settings import settings, state_folder
from inventory.errors import InventoryError
from inventory.vocabulary import Claim
from simulator.errors import SimulationError

app = typer.Typer(
    name="cuntong",
    help="村通: connect every village to the e-government extranet, and prove it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
simulate = typer.Typer(help="Make-believe devices: a recorded one, or a whole county.", no_args_is_help=True)
app.add_typer(simulate, name="simulate")

out = Console()
err = Console(stderr=True)

Folder = Annotated[
    Path,
    typer.Argument(envvar="CUNTONG_INVENTORY", help="The inventory's folder.", show_default="the current folder"),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text, for programs.")]
HERE = Path()


def _print_json(document: Any) -> None:
    sys.stdout.write(json.dumps(document, ensure_ascii=False, default=str) + "\n")


def _say(text: str) -> None:
    """A sentence as it is: what people wrote may look like markup, and programs want whole lines."""
    out.print(text, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _given() -> Iterator[None]:
    """What is wrong with a recording or a scenario that the user gave is wrong input, not a failed run."""
    try:
        yield
    except SimulationError as error:
        raise UsageError(str(error)) from None


def _load(folder: Path) -> Any:
    from inventory.cache import default_folder
    from inventory.loader import load

    return load(folder, cache=default_folder())


def _log() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


@app.command()
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


@app.command()
def check(
    folder: Folder = HERE,
    as_json: Json = False,
    allocate: Annotated[
        bool, typer.Option(help="Give ids and addresses to what is new, and write addresses.lock.")
    ] = False,
) -> None:
    """Check an inventory against every law; each problem with its file, line and mend."""
    from inventory.loader import allocate_missing

    try:
        added = allocate_missing(folder) if allocate else []
        with err.status("Checking ..."):
            inventory = _load(folder)
    except InventoryError as error:
        if not as_json:
            raise
        _print_json({"ok": False, "problems": [shows.problem(one) for one in error.problems]})
        raise typer.Exit(2) from None
    if as_json:
        _print_json(
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


@app.command()
def show(
    what: Annotated[What, typer.Argument(help="What to show.")],
    folder: Folder = HERE,
    division: Annotated[str | None, typer.Option(help="Only this division: 2, 4, 6, 9 or 12 digits.")] = None,
    as_json: Json = False,
) -> None:
    """Show what the inventory holds: sites, devices, addresses and their use, or the uplink tree."""
    inventory = _load(folder)
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
        _print_json(table.rows)
    else:
        shows.wide(out).print(table.drawn())


@app.command()
def poll(
    address: Annotated[
        str, typer.Argument(metavar="ADDRESS[:PORT]", help="Where the device answers; port 161 if left out.")
    ],
    community: Annotated[str, typer.Option(envvar="CUNTONG_COMMUNITY", help="SNMP community.")] = "public",
    credential: Annotated[
        str | None, typer.Option(help="A reference such as secret://snmp/routers; SNMPv3 users are only given so.")
    ] = None,
    profiles: Annotated[Path | None, typer.Option(help="A folder of device profiles of your own.")] = None,
    timeout: Annotated[float, typer.Option(help="Seconds of patience for each try.", min=0.05, max=60)] = 2.0,
    retries: Annotated[int, typer.Option(help="Further tries.", min=0, max=10)] = 2,
    as_json: Json = False,
) -> None:
    """Identify one device and read everything that its profile knows, once."""
    from collectors.one_shot import poll_once
    from cuntong.secrets import credential as opened
    from inventory.profiles import load_profiles

    host, port = _host_and_port(address, 161)
    known = load_profiles(profiles)
    given = opened(credential, settings().secrets) if credential else community
    who = given.decode() if isinstance(given, bytes) else given
    with err.status(f"Asking {address} ..."):
        try:
            readings = asyncio.run(poll_once(host, port, who, known, timeout_s=timeout, retries=retries))
        except OSError as error:
            raise StartError(f"{address}: {error.strerror or error}.") from None
    if as_json:
        _print_json(readings.as_json())
    else:
        shows.wide(out).print(shows.readings(readings))


def _host_and_port(address: str, port: int) -> tuple[str, int]:
    """``192.0.2.1:161``, ``[2001:db8::1]:161``, or either without a port."""
    host, colon, number = address.rpartition(":")
    if not colon or (address.count(":") > 1 and not host.endswith("]")):
        return address.strip("[]"), port
    if not number.isdecimal() or not 0 < int(number) < 65536 or not host:
        raise UsageError(f"{address!r} is no ADDRESS:PORT.")
    return host.strip("[]"), int(number)


Host = Annotated[str, typer.Option(help="Where to listen; other machines can connect only if this says so.")]
Port = Annotated[int, typer.Option(help="TCP port.", min=0, max=65535)]


@app.command()
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

    _log()
    reach = in_the_field(settings()) if simulated is None else in_the_simulator(simulated)
    heard = [_host_and_port(address, 162) for address in traps or ()]
    run(_load(folder), settings(), reach, host, port, heard)


@app.command()
def serve(folder: Folder = HERE, host: Host = "127.0.0.1", port: Port = 8080) -> None:
    """Serve the API and the pages."""
    from cuntong.serving import serve as run

    _log()
    run(_load(folder), settings(), host, port)


@app.command()
def up(
    folder: Folder = HERE,
    host: Host = "127.0.0.1",
    port: Port = 8080,
    metrics_port: Annotated[int, typer.Option(help="TCP port of the collector's metrics.")] = 9161,
) -> None:
    """Everything on this machine: collector and API on one ledger; what dies is started again."""
    from cuntong.up import run

    _log()
    _load(folder)  # every problem is said here once, not by each child
    run(folder, host, port, metrics_port)


@app.command()
def demo(
    folder: Annotated[Path | None, typer.Option("--inventory", help="Another county than 天全.")] = None,
    port: Annotated[int | None, typer.Option(help="Of the page; 8080 unless taken.", min=1, max=65535)] = None,
    scenario: Annotated[str, typer.Option(help="What is broken at the start: a built-in scenario or a file.")] = "demo",
    prove: Annotated[
        bool, typer.Option("--check", help="Prove that everything works, print one line of JSON, end.")
    ] = False,
) -> None:
    """A whole make-believe county on this machine: devices, collector, metrics, API and page."""
    from cuntong import demo as demos
    from cuntong import proving
    from simulator.scenario import load as load_scenario

    folder = folder or demos.EXAMPLE
    inventory = _load(folder)
    if prove:
        report = proving.prove(folder, inventory)
        _print_json(report.as_json())
        if report.failed:
            err.print(report.failed, markup=False, highlight=False, soft_wrap=True)
            raise typer.Exit(1)
        return
    with _given():
        load_scenario(scenario)
    demos.run(folder, inventory, port, scenario, out)


@app.command()
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
    _say(record(_load(folder), settings(), site, state, by, proof, day, time.time()))


@simulate.command("walk")
def simulate_walk(
    file: Annotated[Path, typer.Argument(help="A recording (.snmprec).", exists=True, dir_okay=False)],
    listen: Annotated[
        str, typer.Option(metavar="ADDRESS:PORT", help="Where to answer; port 0 takes a free one.")
    ] = "127.0.0.1:16100",
) -> None:
    """Replay a recorded device over SNMP v1 and v2c until Ctrl-C."""
    from simulator.walk import serve as replay

    host, _, number = listen.rpartition(":")
    if not host or not number.isdecimal() or int(number) > 65535:
        raise UsageError(f"{listen!r} is no ADDRESS:PORT.")

    async def run() -> None:
        try:
            with _given():
                transport = await replay(file, host.strip("[]"), int(number))
        except OSError as error:
            raise StartError(f"Cannot listen on {listen}: {error.strerror}.") from None
        where = transport.get_extra_info("sockname")
        _say(f"{file.name} answers on {where[0]}:{where[1]} (Ctrl-C ends it)")
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            transport.close()

    _until_interrupted(run())


Control = Annotated[Path | None, typer.Option(help="The simulator's control socket.", show_default="the demo's")]


@simulate.command("county")
def simulate_county(
    folder: Folder = HERE,
    port: Annotated[int, typer.Option(help="UDP port of every device; 0 takes a free one.", min=0, max=65535)] = 16100,
    scenario: Annotated[str, typer.Option(help="A built-in scenario or a YAML file.")] = "calm",
    control: Control = None,
) -> None:
    """Answer SNMP for every device of an inventory, each on its own address in 127.64.0.0/10."""
    from simulator.county import County, from_inventory
    from simulator.scenario import load as load_scenario
    from simulator.serve import serve as run

    inventory = _load(folder)
    county = County(from_inventory(inventory), time.time)
    with _given():
        play = load_scenario(scenario)
        play.check(county)

    def ready(number: int) -> None:
        _say(f"{len(inventory.devices)} devices of {inventory.title} answer on 127.64.0.0/10, port {number}")

    _until_interrupted(run(county, port, play, control or _control_path(), ready))


@simulate.command("fault")
def simulate_fault(
    fault: Annotated[
        str, typer.Argument(help="power_cut, uplink_cut, silent, paper_out, toner_low, paper_jam, reboot, ...")
    ],
    target: Annotated[str, typer.Argument(help="A site id, a device id, or a division code (511825101202/prt1).")],
    control: Control = None,
) -> None:
    """Break something in the running demo."""
    _play({"do": "inject", "fault": {"fault": fault, "target": target}}, control)


@simulate.command("mend")
def simulate_mend(
    target: Annotated[str, typer.Argument(help="What was broken.")],
    control: Control = None,
) -> None:
    """Mend it again."""
    _play({"do": "clear", "target": target}, control)


@simulate.command("faults")
def simulate_faults(control: Control = None) -> None:
    """List what is broken."""
    _play({"do": "list"}, control)


def _control_path() -> Path:
    folder = state_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / "simulator.sock"


def _play(message: dict[str, Any], control: Path | None) -> None:
    from simulator.control import request

    answer = asyncio.run(request(control or _control_path(), message))
    if not answer.get("ok"):
        raise UsageError(str(answer.get("error")))
    _say(shows.played(message, answer))


def _until_interrupted(program: Any) -> None:
    import uvloop

    try:
        uvloop.run(program)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
