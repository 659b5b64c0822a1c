"""How the collector scales: one first sweep through poll, profile, health, ledger and rendered text, on one core.

A made-up county of villages with three devices each answers on loopback through a fast agent: one device in fifty is
dead and one datagram in a hundred is lost. Everything of the collector but its HTTP runs as in the field. Printed for
each size: wall and CPU seconds, CPU per device, resident memory, dead ones found, sites said to be dark, and the time
to render the text.

    python benchmarks/scale.py [--sizes 1000,10000,100000]
"""

import argparse
import asyncio
import contextlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

import psutil
import uvloop

from collectors.asker import SnmpAsker
from collectors.engine import Collector
from collectors.schedule import Schedule
from collectors.snmp.transport import SnmpTransport
from cuntong.collect import fleet_of, groups_of, in_the_simulator, settle_memory, targets_of
from cuntong.http import DATAGRAM, free_port
from cuntong.settings import Settings
from exporter.text import CountyText
from health.device import DeviceState
from inventory.loader import load
from inventory.model import Inventory
from inventory.scaffold import write_inventory
from ledger import leases
from ledger.database import open_ledger, sqlite_url
from ledger.journal import Journal
from simulator.dial import address_of

_AGENT: Final = Path(__file__).resolve().parents[1].parent / "shared" / "bench" / "snmpsim.c"
_VILLAGES, _TOWNSHIPS = 12, 30  # per township, the nation's median; per county
_INTERVAL_S = 300.0
_LOSS_PERCENT, _DEAD_ONE_IN = 1, 50


def province_of(folder: Path, devices: int) -> Inventory:
    """An inventory of about this many devices, as ``cuntong init`` writes it."""
    townships = max(1, devices // (3 * (_VILLAGES + 1)))
    rows = ["code,name,level,parent", "990000000000,测试省,1,", "990100000000,测试市,2,990000000000"]
    for town in range(townships):
        county, number = divmod(town, _TOWNSHIPS)
        county_code = f"9901{county + 1:02d}000000"
        if number == 0:
            rows.append(f"{county_code},测试{county + 1}县,3,990100000000")
        code = f"{county_code[:6]}{100 + number}"
        rows.append(f"{code}000,乡{number}镇,4,{county_code}")
        rows += [f"{code}{200 + village},村{village}村委会,5,{code}000" for village in range(_VILLAGES)]
    divisions = folder / "divisions.csv"
    divisions.write_text("\n".join(rows) + "\n", "utf-8")
    write_inventory(folder / "inventory", divisions, "99")
    return load(folder / "inventory")


@contextlib.contextmanager
def fast_agent(folder: Path) -> Iterator[int]:
    """Answers for every 127.x.y.z on one port, in C, on the other core; drops and dead devices included."""
    port = free_port(kind=DATAGRAM)
    program = folder / "agent"
    subprocess.run([str(shutil.which("gcc")), "-O2", "-w", "-o", str(program), str(_AGENT)], check=True)
    command = [str(program), "-p", str(port), "-L", str(_LOSS_PERCENT), "-O", str(_DEAD_ONE_IN)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with contextlib.suppress(OSError):
        psutil.Process(process.pid).cpu_affinity([os.cpu_count() - 1 if os.cpu_count() else 0])  # type: ignore[operator]
    try:
        time.sleep(0.5)
        yield port
    finally:
        process.terminate()
        process.wait()


def _is_dead(ordinal: int) -> bool:
    """As the agent decides it: by the low 24 bits of the address."""
    return (int(IPv4Address(address_of(ordinal))) & 0xFFFFFF) % _DEAD_ONE_IN == 0


async def sweep(inventory: Inventory, port: int, folder: Path) -> dict[str, float]:
    settings = Settings(interval_s=_INTERVAL_S)
    targets = targets_of(inventory, in_the_simulator(port))
    engine = open_ledger(sqlite_url(folder / "ledger.sqlite3"))
    lease = leases.acquire(engine, inventory.top, "benchmark", "127.0.0.1:1", time.time(), 3600)
    journal = Journal(engine, lease, time.time, 3600)
    transport = SnmpTransport(asyncio.get_running_loop(), max_in_flight=8192)
    asker = SnmpAsker(transport, targets, settings.timeout_s, settings.retries, settings.timeout_s * 10)
    schedule = Schedule(groups_of(inventory), settings.interval_s, settings.per_uplink)
    collector = Collector(fleet_of(inventory), range(len(targets)), schedule, asker, journal, time.time)
    text = CountyText(inventory, collector)
    settle_memory()
    cpu, began = time.process_time(), time.monotonic()
    running = asyncio.ensure_future(collector.run())
    dead = {ordinal for ordinal in range(len(targets)) if _is_dead(ordinal)}

    def undecided() -> int:
        states = collector.watch.health
        return sum(state.state in (DeviceState.UNKNOWN, DeviceState.SUSPECT) for state in states)

    while undecided():
        await asyncio.sleep(0.25)
    first, first_cpu = time.monotonic() - began, time.process_time() - cpu
    before = transport.counters.sent
    cycles, cpu, began = collector.sweep.cycles, time.process_time(), time.monotonic()
    # Everybody at once, as after the start, but with plans in hand; pacing stays.
    collector.poll_now(range(len(targets)))
    while collector.sweep.cycles == cycles:
        await asyncio.sleep(0.05)
    wall, spent = time.monotonic() - began, time.process_time() - cpu
    render = time.process_time()
    size = len(text.render())
    render = time.process_time() - render
    silent = {at for at, health in enumerate(collector.watch.health) if health.state is DeviceState.SILENT}
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    transport.close()
    engine.dispose()
    return {
        "devices": len(targets),
        "first s": first,
        "first CPU s": first_cpu,
        "sweep s": wall,
        "sweep CPU s": spent,
        "ms/device": 1000 * spent / len(targets),
        "text s": render,
        "text MB": size / 1e6,
        "RSS MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "dead": len(dead),
        "found": len(silent & dead),
        "falsely silent": len(silent - dead),
        "dark sites": len(collector.watch.dark),
        "requests": transport.counters.sent - before,
    }


def measure(devices: int) -> dict[str, float]:
    """In this process, which then ends: memory is its own."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        inventory = province_of(folder, devices)
        with contextlib.suppress(OSError):
            psutil.Process().cpu_affinity([0])
        with fast_agent(folder) as port:
            return uvloop.run(sweep(inventory, port, folder))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1000,10000,100000")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one)))
        return 0
    if shutil.which("gcc") is None or not _AGENT.is_file():
        print("needs gcc and the fast agent beside the project: no other agent keeps up with 100,000 devices")
        return 1
    for at, size in enumerate(options.sizes.split(",")):
        done = subprocess.run([sys.executable, __file__, "--one", size], stdout=subprocess.PIPE, text=True, check=True)
        row = json.loads(done.stdout)
        if at == 0:
            print("  ".join(f"{name:>12}" for name in row))
        print("  ".join(f"{value:12.2f}" if value % 1 else f"{value:12.0f}" for value in row.values()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
