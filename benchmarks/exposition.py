"""The text that Prometheus reads: what a county of 100,000 series costs, beside prometheus-client for the same series.

A made-up county whose devices all answered is rendered by us and by a custom collector of prometheus-client, in one
process, in CPU seconds. The peer is given every name, label and value ready; we start from readings. Compared are
joining text that is ready (nothing was polled since) and rendering every device anew before joining (everything was).
Then a collector of that county serves HTTP in a process of its own, whose devices are polled all the time, and is
scraped with gzip, each time after a second: no scrape gets a page that was made for another. Beside each
scrape stands what is left of it without the time in which its processes were ready and the processor was another's; the
limit is for the whole. Last, the series of the demo county's villages are counted.

    python benchmarks/exposition.py [--series 100000] [--scrapes 60]
"""

import argparse
import asyncio
import http.client
import json
import multiprocessing
import os
import re
import socket
import statistics
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import psutil
import uvloop
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector as Source

from benchmarks.scale import province_of
from collectors.engine import Collector, Done
from collectors.line_changes import LineChanges
from collectors.schedule import Schedule
from cuntong import demo
from cuntong import http as serving
from cuntong.collect import fleet_of, line_ports, settle_memory
from cuntong.watching import County as Seen
from exporter.formats import Families, Format, blocks, page
from exporter.http import keep_ready, metrics_app
from exporter.own import CollectorMetrics
from exporter.packing import Packer
from exporter.registry import COUNTY_METRICS, Metric
from exporter.text import CountyText
from health.reading import Extend, Identity, Interface, Printer, Processor, Readings, Sensor, Store, Supply
from health.site import KIOSK_PARTS
from inventory.loader import load
from inventory.model import Inventory
from inventory.vocabulary import DeviceClass
from ledger import leases
from ledger.database import open_ledger, sqlite_url
from ledger.journal import Journal

_SERIES_PER_DEVICE: Final = 17.0  # of the three devices of a village here, with their share of the site's
_ROUNDS: Final = 7
_POLL_EVERY_S: Final = 30.0
_CAP: Final = 100
_LIMITS: Final = (20.0, 6.0, 0.25)  # joining, rendering, seconds of the slowest scrape in a hundred

_PORTS: Final = tuple(f"GigabitEthernet0/0/{number}" for number in range(4))
_READINGS: Final = {
    DeviceClass.ROUTER: Readings(
        Identity("Huawei", "AR651", "VRP", "V300R019C10", "SN-1", profile="huawei-vrp"),
        86_400.0,
        (Processor("0", 0.17),),
        (Store("main", 512 << 20, 200 << 20, 0.39),),
        interfaces=tuple(
            Interface(name, None, None, at, True, True, 10**9, 10**12 + at, 10**11 + at, 3, 0, 7, 1)
            for at, name in enumerate(_PORTS)
        ),
        sensors=(Sensor("temperature", "board", 41.5, "celsius"),),
    ),
    DeviceClass.KIOSK: Readings(
        Identity("", "K1", "Linux", "6.1", "SN-2", profile="linux-kiosk"),
        7200.0,
        tuple(Processor(str(at), 0.1 * at) for at in range(4)),
        (Store("memory", 8 << 30, 3 << 30, 0.37),),
        tuple(Store(name, 64 << 30, 20 << 30, 0.31) for name in ("/", "/var")),
        extends=tuple(Extend(name, "ok", 0) for name in KIOSK_PARTS),
        clock_at=time.time(),
    ),
    DeviceClass.PRINTER: Readings(
        Identity("", "P1", "", "", "SN-3", profile="printer-mib"),
        3600.0,
        memory=(Store("memory", 64 << 20, 30 << 20, 0.47),),
        printer=Printer("idle", (), (Supply("black", "toner", 0.6),), (Supply("1", "tray", 0.8),), 4711),
    ),
}


class _Nobody:
    def ask(self, ordinal: int, done: Done) -> None:
        raise AssertionError("nothing is polled here")


class County:
    """A county whose polls are told, not made."""

    def __init__(self, folder: Path, series: int) -> None:
        self.inventory: Inventory = province_of(folder, round(series / _SERIES_PER_DEVICE))
        self.engine = open_ledger(sqlite_url(folder / "ledger.sqlite3"))
        lease = leases.acquire(self.engine, self.inventory.top, "benchmark", "127.0.0.1:1", time.time(), 3600)
        self.count = len(self.inventory.devices)
        self.lines = LineChanges(line_ports(self.inventory))
        self.collector = Collector(
            fleet_of(self.inventory),
            range(self.count),
            Schedule([0] * self.count, 60.0, 8),
            _Nobody(),
            Journal(self.engine, lease, time.time, 3600),
            time.time,
            lines=self.lines,
        )
        self.collector.watch._ask = lambda devices: None  # nobody is asked again
        self.text = CountyText(self.inventory, self.collector)
        self.classes = [device.device_class for device in self.inventory.devices]

    def poll(self, ordinals: Iterable[int]) -> None:
        """These devices answered; each time with other values."""
        for ordinal in ordinals:
            now = time.time()
            readings = replace(_READINGS[self.classes[ordinal]], uptime_seconds=now - 1_700_000_000)
            self.collector.latest[ordinal].take(readings, now)
            self.lines.polled(ordinal, readings, now)
            self.collector.watch.finished(ordinal, readings, now)
        self.collector.watch.settle(time.time())

    def render(self) -> bytes:
        for _ in self.text.freshen():
            pass
        return page(self.text.families(), Format.TEXT)


class Peer(Source):
    """prometheus-client's custom collector over the same series: labels and values are there already."""

    def __init__(self, text: str) -> None:
        declared: dict[str, Metric] = {metric.family: metric for metric in COUNTY_METRICS}
        self._families = [
            (declared[family.name], [(tuple(one.labels.values()), one.value) for one in family.samples])
            for family in text_string_to_metric_families(text)
        ]

    def collect(self) -> Iterable[Family]:
        for metric, samples in self._families:
            kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
            family = kind(metric.family, metric.help, labels=metric.labels)
            for labels, value in samples:
                family.add_metric(labels, value)
            yield family


def cpu_s(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def compare(county: County) -> tuple[float, float]:
    """How many times as much CPU the peer needs as joining, and as rendering and joining."""
    everybody = range(county.count)
    county.poll(everybody)
    text = county.render().decode()
    series = sum(not line.startswith("#") for line in text.splitlines())
    registry = CollectorRegistry(auto_describe=False)
    registry._collector_to_names = {Peer(text): []}  # registering would collect once more, only to learn the names
    told = sum(not line.startswith("#") for line in generate_latest(registry).decode().splitlines())
    if told != series:
        raise SystemExit(f"the peer gave {told} series, we {series}")
    rounds: list[tuple[float, float, float]] = []
    for _ in range(_ROUNDS):  # one after the other, so that a busy machine is busy for all three
        theirs = cpu_s(lambda: generate_latest(registry))
        joining = cpu_s(county.render)
        county.poll(everybody)
        rounds.append((theirs, joining, cpu_s(county.render)))
    theirs, joining, rendering = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"{series} series of {county.count} devices, {len(text) / 1e6:.1f} MB")
    print(f"prometheus-client     {theirs * 1000:8.1f} ms CPU")
    for what, spent, limit in (("joining", joining, _LIMITS[0]), ("rendering and joining", rendering, _LIMITS[1])):
        print(f"{what:21} {spent * 1000:8.1f} ms CPU   {theirs / spent:6.1f} times less (limit {limit:.0f})")
    return theirs / joining, theirs / rendering


def collector_process(folder: str, series: int, tell: Connection) -> None:
    """Serves the county, and has all its devices polled again and again."""

    async def run() -> None:
        county = County(Path(folder), series)
        county.poll(range(county.count))
        own = CollectorMetrics(county.collector, [str(one) for one in county.classes], dict)
        sock: socket.socket = serving.bind("127.0.0.1", 0)
        tell.send(sock.getsockname()[1])

        async def polls() -> None:
            step = max(1, round(county.count * 0.05 / _POLL_EVERY_S))
            at = 0
            while True:
                county.poll((at + number) % county.count for number in range(step))
                at += step
                await asyncio.sleep(0.05)

        app = metrics_app({county.inventory.top: county.text}, own)
        settle_memory()
        await asyncio.gather(polls(), keep_ready([county.text]), serving.serve(app, sock))

    uvloop.run(run())


def work_of_a_scrape(county: County) -> None:
    """Processor time of a scrape a minute after the last, every device polled and rendered since."""
    packer, everybody = Packer(), range(county.count)
    spent: list[tuple[float, float, float]] = []
    for _ in range(_ROUNDS):
        county.poll(everybody)
        rendering = cpu_s(lambda: [None for _ in county.text.freshen()])
        families: list[Families] = []
        joining = cpu_s(lambda: families.append(county.text.families()))  # noqa: B023  called at once
        spent.append((rendering, joining, cpu_s(lambda: packer.pack(blocks(families[0], Format.TEXT)))))  # noqa: B023
    whole = cpu_s(lambda: Packer().pack(blocks(families[0], Format.TEXT)))
    rendering, joining, packing = (statistics.median(column) * 1000 for column in zip(*spent, strict=True))
    print(
        f"a scrape: joining {joining:.1f} and gzip {packing:.1f} ms CPU (all of it anew: {whole * 1000:.1f}); "
        f"rendered between scrapes: {rendering:.1f} ms CPU"
    )


def demo_county() -> int:
    """The most series that a village of the demo county has, every device answering."""
    inventory = load(demo.EXAMPLE)
    with demo.stage(demo.EXAMPLE, serving.free_port(), "calm", interval_s=2.0) as stage:
        seen = Seen(inventory, stage.page, stage.metrics)
        demo.wait_for_sweep(stage, seen)
        per_site = Counter(re.findall(r'site="([^"]+)"', seen.metrics_text()))
    kinds = zip(inventory.sites.ids, inventory.sites.types, strict=True)
    villages = sorted(per_site[id] for id, kind in kinds if kind == "village_site")
    print(f"demo county: {statistics.median(villages):.0f} series a village, at most {villages[-1]} (limit {_CAP})")
    return villages[-1]


def waited_s(pid: int) -> float:
    """How long a process' threads were ready to run, and the processor was another's (proc_pid_schedstat)."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[1]) for task in tasks) / 1e9


def scrape(port: int, code: str, times: int, pid: int) -> tuple[list[float], list[float], int, int]:
    """Seconds of each scrape, and without the waiting for a processor, ascending; bytes on the wire and of text."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    found: list[tuple[float, float]] = []
    body = b""
    for _ in range(times + 1):  # the first renders everything, once in a collector's life
        time.sleep(1.05)
        queued = waited_s(pid) + waited_s(os.getpid())
        began = time.perf_counter()
        connection.request("GET", f"/metrics/{code}", headers={"Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        body = answer.read()
        took = time.perf_counter() - began
        found.append((took, max(0.0, took - (waited_s(pid) + waited_s(os.getpid()) - queued))))
        if answer.status != 200 or answer.getheader("Content-Encoding") != "gzip":
            raise SystemExit(f"scraping failed: {answer.status}")
    walls, alone = zip(*found[1:], strict=True)
    return sorted(walls), sorted(alone), len(body), len(zlib.decompress(body, wbits=47))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=100_000)
    parser.add_argument("--scrapes", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "here").mkdir()
        (Path(scratch) / "served").mkdir()
        county = County(Path(scratch) / "here", options.series)
        joining, rendering = compare(county)
        work_of_a_scrape(county)
        county.engine.dispose()
        ours, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        arguments = (str(Path(scratch) / "served"), options.series, theirs)
        process = context.Process(target=collector_process, args=arguments, daemon=True)
        process.start()
        try:
            port = ours.recv()
            assert process.pid is not None  # noqa: S101  it runs
            seconds, alone, wire, size = scrape(port, county.inventory.top, options.scrapes, process.pid)
            resident = psutil.Process(process.pid).memory_info().rss
        finally:
            process.terminate()
            process.join()
    wall, slowest = (one[min(len(one) - 1, round(0.99 * len(one)))] for one in (seconds, alone))
    median = statistics.median(seconds)
    print(
        f"scraped {len(seconds)} times over HTTP with gzip: median {median * 1000:.0f} ms, "
        f"p99 {wall * 1000:.0f} ms (limit {_LIMITS[2] * 1000:.0f} ms), of which without waiting for a processor that "
        f"others use {slowest * 1000:.0f} ms, {wire / 1e6:.2f} of {size / 1e6:.1f} MB, "
        f"{resident / 2**20:.0f} MB resident"
    )
    held = (joining >= _LIMITS[0], rendering >= _LIMITS[1], wall < _LIMITS[2], demo_county() <= _CAP)
    print(
        json.dumps(
            {"joining": joining, "rendering": rendering, "p99_s": wall, "p99_alone_s": slowest, "held": all(held)}
        )
    )
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
