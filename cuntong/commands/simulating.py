"""Commands of the make-believe county: `cuntong simulate ...`."""

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cuntong import show as shows
from cuntong.commands.common import HERE, Folder, app, given, load, say, until_interrupted
from cuntong.errors import StartError, UsageError
from cuntong.settings import settings, state_folder
from inventory.model import Inventory

if TYPE_CHECKING:
    from simulator.routers.fleet import Fleet

simulate = typer.Typer(help="Make-believe devices: a recorded one, or a whole county.", no_args_is_help=True)
app.add_typer(simulate, name="simulate", rich_help_panel="Run")


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
            with given():
                transport = await replay(file, host.strip("[]"), int(number))
        except OSError as error:
            raise StartError(f"Cannot listen on {listen}: {error.strerror}.") from None
        where = transport.get_extra_info("sockname")
        say(f"{file.name} answers on {where[0]}:{where[1]} (Ctrl-C ends it)")
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            transport.close()

    until_interrupted(run())


Control = Annotated[Path | None, typer.Option(help="The simulator's control socket.", show_default="the demo's")]


@simulate.command("county")
def simulate_county(
    folder: Folder = HERE,
    port: Annotated[int, typer.Option(help="UDP port of every device; 0 takes a free one.", min=0, max=65535)] = 16100,
    scenario: Annotated[str, typer.Option(help="A built-in scenario or a YAML file.")] = "calm",
    control: Control = None,
    ssh_port: Annotated[
        int | None,
        typer.Option(
            help="Let the routers answer SSH, new ones as the bench leaves them: TCP port of all; 0 takes a free one.",
            min=0,
            max=65535,
        ),
    ] = None,
    configurations: Annotated[
        Path | None, typer.Option(help="Folder of the routers' startup configurations, DEVICE-ID.cfg.", file_okay=False)
    ] = None,
    minute: Annotated[
        float | None,
        typer.Option(help="Seconds in a minute of the routers' timers.", min=0.01, show_default="CUNTONG_MINUTE_S"),
    ] = None,
    boot: Annotated[float, typer.Option(help="Seconds that a router takes to boot.", min=0.0)] = 90.0,
) -> None:
    """Answer SNMP for every device of an inventory, each on its own address in 127.64.0.0/10."""
    from simulator.county import County, from_inventory
    from simulator.scenario import load as load_scenario
    from simulator.serve import serve as run

    inventory = load(folder)
    county = County(from_inventory(inventory), time.time)
    with given():
        play = load_scenario(scenario)
        play.check(county)
        fleet = None if ssh_port is None else _fleet(inventory, configurations, minute, boot)

    def ready(number: int) -> None:
        say(f"{len(inventory.devices)} devices of {inventory.title} answer on 127.64.0.0/10, port {number}")
        if fleet is not None:
            say(f"{len(fleet)} routers answer SSH there, port {fleet.port}")

    program = run(county, port, play, control or _control_path(), ready, fleet=fleet, ssh_port=ssh_port or 0)
    until_interrupted(program)


def _fleet(inventory: Inventory, configurations: Path | None, minute_s: float | None, boot_s: float) -> "Fleet":
    from cuntong.changing.planning import templates_of
    from cuntong.secrets import resolver
    from simulator.routers.device import Options
    from simulator.routers.fleet import Fleet
    from simulator.routers.wiring import specs

    chosen = settings()
    routers = specs(inventory, templates_of(inventory), resolver(chosen).secret, configurations)
    return Fleet(routers, Options(minute_s=minute_s or chosen.minute_s, boot_s=boot_s))


@simulate.command("fault")
def simulate_fault(
    fault: Annotated[
        str, typer.Argument(help="power_cut, uplink_cut, lan_cut, silent, paper_out, toner_low, paper_jam, reboot, ...")
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
    say(shows.played(message, answer))
