"""A county that people configured by hand, alive over SNMP and SSH; and a folder that knows nothing of it."""

import asyncio
import csv
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from inventory.loader import allocate_missing, load
from inventory.model import Inventory
from simulator.county import County
from simulator.graph import from_inventory
from simulator.loopback import Listener
from simulator.routers.byhand import byhand
from simulator.routers.device import Options
from simulator.routers.fleet import Fleet, serving
from simulator.snmp_agent import Agent

EXAMPLE = Path(__file__).resolve().parents[1] / "inventory" / "examples" / "tianquan"
HANDS = ("ar651", "msr830", "rsr20", "frr-box")
SECRETS = ("ssh/cuntong", "ssh/enable", "snmp/auth", "snmp/priv", "ipsec/psk")
PASSWORD = "Long-enough-9"  # noqa: S105  of routers that live as long as a test


def truth(
    place: Path, routers: int, models: Sequence[str] = HANDS, *, keep: bool = False, terminals: str = ""
) -> Inventory:
    """What is really there: townships and their villages in order, one router each, by four hands in turn.

    Args:
        keep: the county.yml that stands in the folder already.
        terminals: what each site has beside its router, as ``, prt1: laser-a4``.
    """
    if not keep:
        empty(place)
    text = (place / "county.yml").read_text("utf-8")
    added = "".join(
        f"  r{n}: {{title: there, devices: {{cpe1: {model}{terminals}}}}}\n" for n, model in enumerate(models)
    )
    (place / "county.yml").write_text(text.replace("\nclasses:", f"\nclasses:\n{added}#", 1), "utf-8")
    rows = csv.DictReader((place / "divisions.csv").read_text("utf-8").splitlines())
    listed = sorted((row["code"], row["name"], row["level"]) for row in rows if row["level"] in ("4", "5"))
    sites = ["division: 511825000000", "townships:"]
    for n, (code, name, level) in enumerate(listed[:routers]):
        word = f"{name} r{n % len(models)} fiber_p2p telecom"
        below = n + 1 < routers and listed[n + 1][2] == "5"
        if level == "4":
            sites += [f"  {code}:", f"    is: {word}", *(["    villages:"] if below else [])]
        else:
            sites.append(f"      {code}: {word}")
    (place / "sites").mkdir()
    (place / "sites" / "all.yml").write_text("\n".join(sites) + "\n", "utf-8")
    allocate_missing(place)
    return load(place)


def empty(place: Path) -> Path:
    """A folder as it is before anybody declared a site."""
    place.mkdir(parents=True, exist_ok=True)
    for name in ("county.yml", "divisions.csv"):
        shutil.copy(EXAMPLE / name, place / name)
    return place


@dataclass(frozen=True)
class Live:
    """The routers, and the port at which all of them answer SNMP."""

    inventory: Inventory
    fleet: Fleet
    snmp: int


@contextmanager
def alive(inventory: Inventory, foreign: Sequence[str] = (), change: Mapping[str, str] | None = None) -> Iterator[Live]:
    """Everything answers, from threads of its own."""
    specs = list(byhand(inventory, PASSWORD, PASSWORD, foreign, change))
    with serving(specs, Options()) as fleet, snmp(inventory) as port:
        yield Live(inventory, fleet, port)


@contextmanager
def snmp(inventory: Inventory) -> Iterator[int]:
    """Every device answers SNMP on its loopback address, at this port."""
    loop, ready, end = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    ports: list[int] = []

    async def main() -> None:
        listener = Listener(Agent(County(from_inventory(inventory), time.monotonic), community=b"public"), 0)
        ports.append(listener.port)
        ready.set()
        await end.wait()
        listener.close()

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()), daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(10)
        loop.close()


def secrets(place: Path) -> Path:
    """The operator's secrets, as files."""
    for name in SECRETS:
        path = place / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(PASSWORD + "\n", "ascii")
    return place


def accounts(place: Path, call: Callable[..., object]) -> None:
    """An engineer is logged in: wang, whose rights somebody else gave."""
    (place / "pw").write_text(PASSWORD + "\n")
    for name in ("root", "sec", "wang"):
        call("user", "add", name, "--password-file", place / "pw")
        if name == "root":
            call("user", "grant", "root", "sys_admin", "511825")
            call("login", "root", "--password-file", place / "pw")
    call("user", "grant", "sec", "sec_admin", "511825")
    call("login", "sec", "--password-file", place / "pw")
    call("user", "grant", "wang", "network_engineer", "511825")
    call("login", "wang", "--password-file", place / "pw")
