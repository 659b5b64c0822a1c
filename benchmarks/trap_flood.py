"""A flood of traps beside polling: how long polls wait with and without it, and what it costs.

The demo county's devices answer on loopback; its collector runs in this process on a core of its own. Then, for ten
seconds each, 10,000 valid traps a second are sent: to a port that nobody reads, then to the collector from one router,
then to the collector from every device in turn. Printed for each: what became of the traps, how long a device whose
turn had come waited until it was asked, how long its poll took, how late a timer of the event loop was, and the CPU
used; with the ratio to the flood that went elsewhere and cost the machine the same. Every accepted trap makes devices
be asked, at most 500 a second; the last column shows the most that forged traps with the right community bring about.

    python benchmarks/trap_flood.py [--seconds 10] [--rate 10000]
"""

import argparse
import asyncio
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil
import uvloop

from collectors.asker import SnmpAsker
from collectors.engine import Collector, Done
from collectors.schedule import Schedule
from collectors.snmp import ber
from collectors.snmp.message import VERSION_2C, Pdu, encode_message, encode_varbinds
from collectors.snmp.transport import SnmpTransport
from collectors.traps import bind
from cuntong.collect import fleet_of, groups_of, in_the_simulator, targets_of, trap_receiver
from cuntong.demo import EXAMPLE
from cuntong.http import DATAGRAM, free_port
from health.reading import Readings
from inventory.loader import load
from inventory.model import Inventory
from ledger import leases
from ledger.database import open_ledger, sqlite_url
from ledger.journal import Journal
from simulator.dial import address_of

_INTERVAL_S: Final = 5.0
_BATCH_S: Final = 0.005
_TICK_S: Final = 0.01
_CALM: Final = "elsewhere"
_LINK_DOWN: Final = encode_message(
    VERSION_2C,
    b"public",
    Pdu.TRAP_V2,
    1,
    encode_varbinds(
        [
            (ber.encode_oid("1.3.6.1.2.1.1.3.0"), ber.TIME_TICKS, 4200),
            (ber.encode_oid("1.3.6.1.6.3.1.1.4.1.0"), ber.OBJECT_IDENTIFIER, ber.encode_oid("1.3.6.1.6.3.1.1.5.3")),
            (ber.encode_oid("1.3.6.1.2.1.2.2.1.1.2"), ber.INTEGER, 2),
        ]
    ),
)


@dataclass
class Look:
    """What one stretch of time showed. Seconds."""

    waits: list[float] = field(default_factory=list)
    polls: list[float] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    cpu: float = 0.0
    traps: dict[str, int] = field(default_factory=dict)


class TimedSchedule(Schedule):
    """Notes how long each device was due before it was handed out."""

    def __init__(self, groups: Sequence[int]) -> None:
        super().__init__(groups, _INTERVAL_S, 8)
        self.look = Look()
        self._wanted = [0.0] * len(groups)
        self._hurried: set[int] = set()

    def take(self, now: float, room: int, doubtful_room: int | None = None) -> list[int]:
        taken = super().take(now, room, doubtful_room)
        self.look.waits += [
            now - self._wanted[device] for device in taken if self._wanted[device] and device not in self._hurried
        ]
        self._hurried.difference_update(taken)
        return taken

    def soon(self, device: int, at: float) -> None:
        super().soon(device, at)
        self._hurried.add(device)  # not its turn: a trap or a suspicion asks

    def _set(self, device: int, due: float) -> None:
        super()._set(device, due)
        self._wanted[device] = due


class TimedAsker(SnmpAsker):
    """Notes how long each poll took."""

    schedule: TimedSchedule

    def ask(self, ordinal: int, done: Done) -> None:
        began = time.monotonic()

        def timed(device: int, readings: Readings | None) -> None:
            self.schedule.look.polls.append(time.monotonic() - began)
            done(device, readings)

        super().ask(ordinal, timed)


def flood(port: int, sources: Sequence[int], rate: int, seconds: float) -> None:
    """In a process of its own: sends in small batches, and catches up where it was late."""
    sockets = []
    for ordinal in sources:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((address_of(ordinal), 0))
        sock.connect(("127.0.0.1", port))
        sockets.append(sock)
    began, sent = time.monotonic(), 0
    while (passed := time.monotonic() - began) < seconds:
        for _ in range(int(passed * rate) - sent):
            sockets[sent % len(sockets)].send(_LINK_DOWN)
            sent += 1
        time.sleep(_BATCH_S)
    print(sent)


@contextlib.contextmanager
def simulator(port: int) -> Iterator[None]:
    command = [sys.executable, "-m", "cuntong", "simulate", "county", str(EXAMPLE), "--port", str(port)]
    with tempfile.TemporaryDirectory() as place:
        process = subprocess.Popen(
            [*command, "--control", str(Path(place) / "control.sock")], stdout=subprocess.PIPE, text=True
        )
        try:
            _keep_off(process.pid)
            assert process.stdout is not None  # noqa: S101  asked for above
            if not process.stdout.readline():
                sys.exit("the simulator did not start")
            yield
        finally:
            process.terminate()
            process.wait()


def _keep_off(pid: int) -> None:
    """Another core than the collector's, where there are several."""
    with contextlib.suppress(OSError):
        psutil.Process(pid).cpu_affinity(list(range(1, os.cpu_count() or 1)) or [0])


async def measure(inventory: Inventory, port: int, folder: Path, rate: int, seconds: float) -> dict[str, Look]:
    targets = targets_of(inventory, in_the_simulator(port))
    engine = open_ledger(sqlite_url(folder / "ledger.sqlite3"))
    lease = leases.acquire(engine, inventory.top, "benchmark", "127.0.0.1:1", time.time(), 3600)
    journal = Journal(engine, lease, time.time, 3600)
    transport = SnmpTransport(asyncio.get_running_loop())
    asker = TimedAsker(transport, targets, 1.0, 2, 10.0)
    schedule = asker.schedule = TimedSchedule(groups_of(inventory))
    polled = [ordinal for ordinal, target in enumerate(targets) if target is not None]
    collector = Collector(fleet_of(inventory), polled, schedule, asker, journal, time.time)
    sock, elsewhere = bind("127.0.0.1", 0), bind("127.0.0.1", 0)
    receiver = trap_receiver(inventory, targets, collector, [sock])
    tasks = [asyncio.ensure_future(collector.run()), asyncio.ensure_future(receiver.run())]
    while collector.sweep.cycles < 2:  # everybody surveyed, and polled by plan once
        await asyncio.sleep(0.1)
    township = next(device.ordinal for device in inventory.devices if device.role.startswith("agg"))
    looks: dict[str, Look] = {}
    for name, to, sources in (
        (_CALM, elsewhere, [township]),
        ("one router", sock, [township]),
        ("every device", sock, polled),
    ):
        before = dict(receiver.look().results)
        look = schedule.look = Look()
        cpu = time.process_time()
        ticking = asyncio.ensure_future(_tick(look))
        await _flooded(to.getsockname()[1], sources, rate, seconds)
        ticking.cancel()
        look.cpu = (time.process_time() - cpu) / seconds
        look.traps = {result: count - before[result] for result, count in receiver.look().results.items()}
        looks[name] = look
        await asyncio.sleep(_INTERVAL_S)  # what the flood set off has ended
    if any(health.failures for health in collector.watch.health):
        print("some device is taken for silent, which none is")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    transport.close()
    elsewhere.close()
    engine.dispose()
    return looks


async def _tick(look: Look) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _TICK_S
        await asyncio.sleep(_TICK_S)
        look.lags.append(max(0.0, loop.time() - due))


async def _flooded(port: int, sources: Sequence[int], rate: int, seconds: float) -> None:
    words = ["--flood", str(port), "--sources", ",".join(map(str, sources))]
    process = await asyncio.create_subprocess_exec(
        sys.executable, __file__, *words, "--rate", str(rate), "--seconds", str(seconds), stdout=subprocess.PIPE
    )
    _keep_off(process.pid)
    output, _ = await process.communicate()
    if int(output) < 0.9 * rate * seconds:
        print(f"only {int(output)} traps were sent: the machine is too small or too busy for {rate} a second")


def _share(values: Sequence[float], share: float) -> float:
    """The value in milliseconds below which this share of them lies."""
    return 1000 * statistics.quantiles(values, n=1000, method="inclusive")[round(share * 1000) - 1]


def show(looks: dict[str, Look], seconds: float) -> None:
    calm = looks[_CALM]
    print(f"{'':28}" + "".join(f"{name:>14}{'ratio':>8}" for name in looks))
    for result in ("accepted", "limited_source", "limited_global", "overflowed"):
        cells = (f"{look.traps[result] / seconds:12.0f}/s{'':8}" for look in looks.values())
        print(f"{'traps ' + result:28}" + "".join(cells))
    print(f"{'polls':28}" + "".join(f"{len(look.polls) / seconds:12.0f}/s{'':8}" for look in looks.values()))
    for name, kind in (
        ("turn until asked", "waits"),
        ("asked until answered", "polls"),
        ("lateness of a timer", "lags"),
    ):
        for word, share in (("median", 0.5), ("99 %", 0.99)):
            base = _share(getattr(calm, kind), share)
            row = ""
            for look in looks.values():
                value = _share(getattr(look, kind), share)
                row += f"{value:11.2f} ms{value / base if base else 1:8.2f}"
            print(f"{f'{name}, {word}':28}" + row)
    row = "".join(f"{100 * look.cpu:12.1f} %{look.cpu / calm.cpu:8.2f}" for look in looks.values())
    print(f"{'CPU of the collector':28}" + row)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rate", type=int, default=10_000)
    parser.add_argument("--flood", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--sources", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.flood:
        flood(options.flood, [int(ordinal) for ordinal in options.sources.split(",")], options.rate, options.seconds)
        return 0
    with contextlib.suppress(OSError):
        psutil.Process().cpu_affinity([0])
    inventory = load(EXAMPLE)
    port = free_port(kind=DATAGRAM)
    with tempfile.TemporaryDirectory() as scratch, simulator(port):
        looks = uvloop.run(measure(inventory, port, Path(scratch), options.rate, options.seconds))
    show(looks, options.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
