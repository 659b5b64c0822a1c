"""``cuntong demo``: a make-believe county and everything that watches it, on loopback."""

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from cuntong import control_room, http, up
from cuntong.changing import rehearsal
from cuntong.changing.applying import Result, Tell
from cuntong.changing.scope import routers_in
from cuntong.errors import StartError
from cuntong.settings import Settings, state_folder
from cuntong.show_changes import told
from cuntong.supervise import Program, Supervisor
from cuntong.watching import County, Figures
from inventory.devices import Device
from inventory.errors import CuntongError
from inventory.loader import load
from inventory.model import Inventory
from ledger.database import sqlite_url
from ledger.rollouts import RunEvent
from rollout.change import ChangeState
from rollout.plan import Terms
from simulator.control import request
from simulator.dial import write_places
from simulator.errors import SimulationError

EXAMPLE: Final = Path(__file__).resolve().parent.parent / "inventory" / "examples" / "tianquan"
PAGE: Final = 8080
BARE: Final = "511825212000"
"""兴业乡 of the example: routers of all four platforms, new from the bench."""
NOTHING: Final = "none"
_SOAK_S: Final = 3.0
_PATIENCE: Final = "wait as in the field: three minutes for a township's line, a quarter of an hour for a village's"

# On loopback an answer takes a millisecond: patience like in the field would only make silence slow to see.
# Who runs a demo reads it without an account: it holds nothing real, and listens on loopback alone.
_ENVIRONMENT: Final = {
    "CUNTONG_INTERVAL_S": "5", "CUNTONG_TIMEOUT_S": "0.3", "CUNTONG_RETRIES": "2", "CUNTONG_OPEN_READING": "true",
}  # fmt: skip
_START_S: Final = 30.0
_START_PER_DEVICE_S: Final = 0.02
_COLUMNS: Final = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())


@dataclass(frozen=True, slots=True)
class Stage:
    """A running demo: where its parts answer."""

    page: str
    metrics: str
    control: Path
    folder: Path
    supervisor: Supervisor
    settings: Settings
    environment: Mapping[str, str]
    room: control_room.Room | None


@contextmanager
def stage(
    folder: Path,
    port: int,
    scenario: str,
    control: Path | None = None,
    interval_s: float | None = None,
    bare: tuple[Inventory, Sequence[Device]] | None = None,
    ledger: str | None = None,
    noc: Inventory | None = None,
) -> Iterator[Stage]:
    """Starts simulator, collector and API, and ends them with the block. Everything is in one temporary folder.

    Args:
        bare: an inventory and those of its routers that come new from the bench; the others are configured, and all
            answer SSH. None: routers answer no SSH.
        ledger: its URL; None: a file in that folder.
        noc: what Prometheus, Alertmanager and the wall are furnished for; None: they are left out.
    """
    with tempfile.TemporaryDirectory(prefix="cuntong-demo-") as scratch:
        place = Path(scratch)
        environment = {**_ENVIRONMENT, "CUNTONG_LEDGER": ledger or sqlite_url(place / "ledger.sqlite3")}
        if interval_s is not None:
            environment["CUNTONG_INTERVAL_S"] = str(interval_s)
        control = control or place / "simulator.sock"
        write_places(place / "devices", (device.id for device in load(folder).devices))
        environment["CUNTONG_SIMULATED_DEVICES"] = str(place / "devices")
        snmp, metrics = http.free_port(kind=http.DATAGRAM), http.free_port()
        simulator = ["simulate", "county", str(folder), "--port", str(snmp), "--scenario", scenario]
        if bare is not None:
            ssh = http.free_port()
            environment |= rehearsal.lay_out(bare[0], place, bare[1])
            environment["CUNTONG_SIMULATED_SSH"] = str(ssh)
            environment["CUNTONG_SIMULATED_SNMP"] = str(snmp)
            simulator += ["--ssh-port", str(ssh), "--configurations", str(place / "configurations")]
            simulator += ["--boot", str(rehearsal.BOOT_S)]
        programs = [
            Program(
                "simulator",
                [*simulator, "--control", str(control)],
                place / "simulator.log",
                ready=lambda: _answers(control),  # a county that is still being built would be found silent
            ),
            up.collector(folder, "127.0.0.1", metrics, snmp, place / "collector.log"),
            up.server(folder, "127.0.0.1", port, place / "api.log"),
        ]
        room = None
        if noc is not None:
            environment.setdefault("CUNTONG_SECRETS", str(place / "secrets"))
            (place / "noc").mkdir()
            room = control_room.furnish(noc, place / "noc", port, Path(environment["CUNTONG_SECRETS"]))
            programs += room.programs
        for program in programs:
            program.environment = environment
        with Supervisor(programs) as supervisor:
            page, own = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{metrics}"
            given = {name.removeprefix("CUNTONG_").lower(): value for name, value in environment.items()}
            yield Stage(page, own, control, place, supervisor, Settings.model_validate(given), environment, room)


def _answers(control: Path) -> bool:
    try:
        return bool(asyncio.run(request(control, {"do": "ping"})).get("ok"))
    except (SimulationError, OSError):
        return False


def wait_for_sweep(running: Stage, county: County, look: Callable[[Figures], None] | None = None) -> Figures:
    """Until every device was polled once and the API follows.

    Args:
        look: called with what is seen on the way.

    Raises:
        StartError: a part died or was not ready in time; its log is quoted.
    """
    seconds = _START_S + county.devices * _START_PER_DEVICE_S
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for program in running.supervisor.programs:
            if not program.alive:
                raise StartError(f"The {program.name} died:\n{_tail(program)}")
        figures = county.figures()
        if figures is not None:
            if figures.first_sweep_s is not None and figures.coverage_watched:
                return figures
            if look is not None:
                look(figures)
        time.sleep(0.1)
    logs = "\n".join(_tail(program) for program in running.supervisor.programs)
    raise StartError(f"The first sweep did not end within {seconds:.0f} s.\n{logs}")


def _tail(program: Program) -> str:
    text = program.log.read_text("utf-8", "replace") if program.log is not None and program.log.exists() else ""
    return f"[{program.name}] " + "\n".join(text.splitlines()[-8:])


def bare_routers(inventory: Inventory, code: str | None, *, example: bool) -> list[Device]:
    """The routers that come new from the bench: of a division, or (``None``) of one township of the example.

    Raises:
        UsageError: there is no such division, or it has no router that we provision.
    """
    if code == NOTHING:
        return []
    if code is None:
        if not example:
            return []
        code = BARE
    return routers_in(inventory, code)


def run(
    folder: Path,
    inventory: Inventory,
    port: int | None,
    scenario: str,
    bare: str | None,
    out: Console,
    *,
    noc: bool = False,
) -> None:
    """The demo for people: until Ctrl-C.

    Raises:
        UsageError: ``noc`` without Prometheus and Alertmanager on this machine.
    """
    if port is None:
        port = PAGE if http.is_free("127.0.0.1", PAGE) else http.free_port()
    if noc:
        with control_room.told_alone(folder, port) as copy:
            _show(copy, load(copy), port, scenario, bare, out, example=folder == EXAMPLE, noc=True)
    else:
        _show(folder, inventory, port, scenario, bare, out, example=folder == EXAMPLE, noc=False)


def _show(
    folder: Path,
    inventory: Inventory,
    port: int,
    scenario: str,
    bare: str | None,
    out: Console,
    *,
    example: bool,
    noc: bool,
) -> None:
    if not example and scenario == "demo":
        scenario = "calm"  # the built-in scenarios name villages of the example
    new = bare_routers(inventory, bare, example=example)
    state_folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    stop = up.told_to_stop()
    control = state_folder() / "simulator.sock"
    around = inventory if noc else None
    with stage(folder, port, scenario, control, bare=(inventory, new) if new else None, noc=around) as running:
        county = County(inventory, running.page, running.metrics)
        with Progress(*_COLUMNS, console=out, transient=True) as progress:
            bar = progress.add_task("first sweep", total=county.devices)
            figures = wait_for_sweep(running, county, lambda seen: progress.update(bar, completed=seen.devices_up))
        url = running.settings.ledger_url
        token = rehearsal.token(url, inventory.top, rehearsal.OFFICE)
        shell = rehearsal.write_shell(running.folder, inventory, url, running.environment) if new else None
        out.print(_welcome(inventory, running, figures, token, shell))
        if new:
            # A thread that is not waited for: Ctrl-C ends the demo, and with it everything that it changes.
            Thread(target=_provision, args=(inventory, running, bare or BARE, new, out), daemon=True).start()
        shown = None
        while not stop.wait(1.0):
            running.supervisor.restart_the_dead()
            figures = county.figures() or figures
            line = figures.sentence()
            if line != shown:
                out.print(f"[dim]{time.strftime('%H:%M:%S')}[/dim] {line}", highlight=False)
                shown = line


def provision(
    inventory: Inventory, running: Stage, scope: str, new: Sequence[Device], tell: Tell = lambda _: None
) -> Result:
    """Bring new routers to what the inventory says, as in the field: plan, second person, waves.

    Raises:
        CuntongError: what would stop it in the field.
    """
    rehearsal.learn_host_keys(running.control, Path(running.settings.known_hosts or ""))
    terms = Terms(soak_s=_SOAK_S)
    _, result = rehearsal.perform(inventory, running.settings, scope, new, terms, tell)
    return result


def _provision(inventory: Inventory, running: Stage, scope: str, new: Sequence[Device], out: Console) -> None:
    def say(text: str) -> None:
        out.print(f"[dim]{time.strftime('%H:%M:%S')}[/dim] {escape(text)}", highlight=False, soft_wrap=True)

    def tell(event: RunEvent) -> None:
        line = told(event, 0)
        if line:
            say(line.replace(" of 0:", ":"))

    say(f"{len(new)} new routers: reading, planning, a second person approves")
    try:
        result = provision(inventory, running, scope, new, tell)
    except (CuntongError, OSError) as error:
        say(f"provisioning stopped: {error}")
    else:
        confirmed = sum(one.state is ChangeState.CONFIRMED for one in result.outcomes.values())
        say(f"provisioned: {confirmed} of {len(new)} routers confirmed. {result.stopped}".rstrip())


def _called() -> str:
    """How the user can call us: by name where the shell finds it, else by the way that was taken."""
    return "cuntong" if shutil.which("cuntong") else os.path.relpath(sys.argv[0])


def _room(room: control_room.Room | None) -> list[tuple[str, str]]:
    if room is None:
        return []
    return [
        ("wall", room.wall),
        ("Prometheus", room.prometheus),
        ("Alertmanager", room.alertmanager),
        ("alerts", _PATIENCE),
    ]


def _welcome(inventory: Inventory, running: Stage, figures: Figures, token: str, shell: Path | None) -> Table:
    code = inventory.top[:6]
    kinds = inventory.sites.types
    township = inventory.sites.ids[kinds.index("township_center") if "township_center" in kinds else 0]
    table = Table.grid(padding=(0, 2))
    table.title = f"村通 · {inventory.title}: {len(inventory.sites)} sites, {len(inventory.devices)} devices"
    table.title_justify = "left"
    table.title_style = "bold green"
    rows = [
        ("first sweep", f"{figures.first_sweep_s:.2f} s, {figures.devices_up} of {figures.devices} devices answer"),
        ("page", f"{running.page}/"),
        ("coverage", f"{running.page}/v1/coverage/{code}"),
        ("outages", f"{running.page}/v1/outages?open=true"),
        ("token to write", token),
        ("try it", f'curl -H "Authorization: Bearer {token}" {running.page}/v1/me'),
        ("metrics", f"{running.metrics}/metrics/{code}"),
        ("for Prometheus", f"{running.page}/v1/sd/collectors"),
        *_room(running.room),
        ("break it", f"{_called()} simulate fault uplink_cut {township}"),
        ("mend it", f"{_called()} simulate mend {township}"),
        *([("be the engineer", f". {shell}")] if shell else []),
        ("logs", str(running.folder)),
        ("end", "Ctrl-C"),
    ]
    for name, value in rows:
        table.add_row(f"[bold]{name}[/bold]", value)
    return table
