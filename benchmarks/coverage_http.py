"""Coverage of any division of the nation over HTTP, how fast a change shows, and the same question asked in SQL.

    python benchmarks/coverage_http.py [--divisions FILE] [--rate 1000] [--seconds 10] [--no-sql]

The API runs as it does for a county, over a ledger with an event for every village, on one core; the questions come
from the other, one each millisecond whether the last was answered or not (open loop), each for one of 832 divisions of
all levels by chance. Latencies are wall time and suffer from neighbours on the machine: for how long others had the
processor stands beside them. The processor time of the server for an answer suffers little.
The SQL beside it is Debian's PostgreSQL with an index on the code and everything in memory.
"""

import argparse
import asyncio
import gc
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np
import psutil
import psycopg
import uvloop
import yaml
from sqlalchemy import insert

from api.app import create_app
from api.auth import Access
from api.standing import Standing
from benchmarks.coverage_nation import LIST, nation
from cuntong import http
from cuntong.serving import follow, keep_for_good, take_short_turns
from inventory.columns import Columns
from inventory.county import County
from inventory.divisions import Nodes
from inventory.model import Inventory
from inventory.scaffold_text import COUNTY
from inventory.vocabulary import Aspect, Verdict
from ledger import leases
from ledger.database import open_ledger, sqlite_url
from ledger.journal import Journal, SiteEvent
from ledger.tables import site_events, watch_intervals

POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
NOBODY = 65534
PLAN = """\
title: benchmark
top: "{top}"
slug: bm
addresses: {{zones: {{a: 64.0.0.0/4}}, mgmt: {{loopbacks: 16.0.0.0/8, p2p: 20.0.0.0/8}}}}
"""


def national_inventory(nodes: Nodes) -> Inventory:
    """Every village with a site that is claimed to be connected; no devices, since nothing is polled here."""
    county = County.model_validate(yaml.safe_load(PLAN.format(top=nodes.codes[0]) + COUNTY))
    villages = [i for i, level in enumerate(nodes.levels) if level == 5]
    count = len(villages)
    claim = {"claim": "connected", "on": "2026-01-01", "by": "benchmark", "proof": "none"}
    columns = Columns(
        county=county.model_dump(mode="json", by_alias=True), milestones={}, defaults=[{"claims": [claim]}],
        node_codes=nodes.codes, node_names=nodes.names, node_levels=nodes.levels, node_kinds=nodes.kinds,
        node_parents=nodes.parents, node_since=nodes.since, former=[], pools={}, ipv6=[], blocks=[],
        mgmt={"loopbacks": [], "p2p": []}, retired=[],
        site_ids=[f"v{nodes.codes[i]}" for i in villages], site_names=[nodes.names[i] for i in villages],
        site_nodes=villages, site_types=["village_site"] * count, site_keys=["-"] * count,
        site_classes=["none"] * count, site_links=["-"] * count, site_carriers=["-"] * count,
        site_defaults=[0] * count, site_uplinks=[-1] * count, site_hosts=[-1] * count, site_prefixes=[""] * count,
        site_numbers=[-1] * count, site_routers=["-"] * count,
    )  # fmt: skip
    return Inventory(Path(), "0" * 64, columns)


def fill(url: str, inventory: Inventory, now: float) -> None:
    """One verdict for each village, by chance, and an hour of watching."""
    engine = open_ledger(url)
    chance, top = random.Random(1), inventory.top
    rows = [
        {
            "county": top, "epoch": 0, "seq": seq, "happened_at": now - 3600, "recorded_at": now - 3600, "site": site,
            "aspect": Aspect.REACHABLE, "verdict": Verdict.YES if chance.random() < 0.97 else Verdict.NO, "reason": "",
            "proved_at": None, "outage": None,
        }
        for seq, site in enumerate(inventory.sites.ids, 1)
    ]  # fmt: skip
    with engine.begin() as connection:
        connection.execute(insert(site_events), rows)
        connection.execute(
            insert(watch_intervals), [{"county": top, "epoch": 0, "since": now - 3600, "until": now, "cycles": 60}]
        )
    engine.dispose()


def serve(divisions: Path, url: str, port: int) -> None:
    """The API in a process of its own, served and kept fresh as `cuntong serve` does it."""
    inventory = national_inventory(nation(divisions))
    engine = open_ledger(url)
    standing = Standing(inventory, engine, time.time, 1e9)
    standing.refresh()
    app = create_app(standing, Access(open_reading=True))

    keep_for_good()
    take_short_turns()

    async def run() -> None:
        following = asyncio.create_task(follow(standing))
        await http.serve(app, http.bind("127.0.0.1", port))
        following.cancel()

    uvloop.run(run())


def waited_s(pid: int) -> float:
    """For how long the threads of a process could have run and had no processor."""
    return sum(int(one.read_text().split()[1]) for one in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> bytes:
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    body = await reader.readexactly(length)
    if b" 200 " not in head.split(b"\r\n")[0]:
        raise SystemExit(f"{path}: {head[:200]!r} {body[:200]!r}")
    return body


async def press(port: int, codes: list[str], rate: int, seconds: float) -> list[float]:
    """Latencies in seconds, from the moment at which each question was due."""
    pool: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(32):
        pool.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    found: list[float] = []

    async def one(due: float, code: str) -> None:
        pair = await pool.get()
        await ask(*pair, f"/v1/coverage/{code}")
        found.append(time.perf_counter() - due)
        pool.put_nowait(pair)

    chance, started = random.Random(2), time.perf_counter()
    running = set()
    for number in range(int(rate * seconds)):
        due = started + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        running.add(asyncio.create_task(one(due, chance.choice(codes))))
    await asyncio.gather(*running)
    return found


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A cluster of our own, run by nobody, on a socket in a folder of ours."""
    if not POSTGRES:
        raise SystemExit("Debian's PostgreSQL is not installed; run with --no-sql")
    data, binaries = folder / "pg", POSTGRES[-1]
    data.mkdir()
    shutil.chown(folder, NOBODY)
    shutil.chown(data, NOBODY)
    as_nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([binaries / "initdb", "-D", data, "-U", "bench", "--no-sync"], check=True, **as_nobody, **quiet)  # type: ignore[call-overload]
    options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}", "-c", "shared_buffers=256MB"]
    server = subprocess.Popen([binaries / "postgres", "-D", data, *options], **as_nobody, **quiet)  # type: ignore[call-overload]
    try:
        url = f"host={folder} user=bench dbname=postgres"
        for _ in range(100):
            try:
                psycopg.connect(url).close()
                break
            except psycopg.OperationalError:
                time.sleep(0.2)
        yield url
    finally:
        server.terminate()
        server.wait(30)


def in_sql(url: str, inventory: Inventory, codes: dict[str, list[str]]) -> dict[str, float]:
    """Median wall time in seconds of counting one division by state, at each level."""
    chance = np.random.default_rng(1)
    nodes, sites = inventory.nodes, inventory.sites
    found = {}
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create table v (code char(12) primary key, state int2, claimed bool, works int2)")
        with connection.cursor().copy("copy v from stdin") as copy:
            for node, state in zip(sites.nodes.tolist(), chance.integers(0, 6, len(sites)).tolist(), strict=True):
                copy.write_row((nodes.codes[node], state, True, 1))
        connection.execute("vacuum analyze v")
        query = (
            "select state, count(*), count(*) filter (where claimed), count(*) filter (where works = 1) "
            "from v where code between %s and %s group by state"
        )
        for level, some in codes.items():
            times = []
            for code in some[:15]:
                place = nodes.index[code]
                low, high = sites.span(place)
                if low == high:
                    continue
                first, last = (nodes.codes[int(sites.nodes[at])] for at in (low, high - 1))
                for _ in range(2):  # the first warms it
                    started = time.perf_counter()
                    connection.execute(query, (first, last)).fetchall()
                    spent = time.perf_counter() - started
                times.append(spent)
            found[level] = median(times)
    return found


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--divisions", type=Path, default=LIST)
    arguments.add_argument("--rate", type=int, default=1000)
    arguments.add_argument("--seconds", type=float, default=10.0)
    arguments.add_argument("--no-sql", action="store_true")
    arguments.add_argument("--serve", nargs=2, metavar=("URL", "PORT"), help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if not given.divisions.exists():
        raise SystemExit(f"{given.divisions} is not on this machine")
    if given.serve:
        serve(given.divisions, given.serve[0], int(given.serve[1]))
        return
    nodes = nation(given.divisions)
    inventory = national_inventory(nodes)
    names = {1: "province", 2: "prefecture", 3: "county", 4: "township", 5: "village"}
    chance = random.Random(3)
    by_level = {
        name: chance.sample(every, min(200, len(every)))
        for level, name in names.items()
        if (every := [nodes.codes[i] for i, at in enumerate(nodes.levels) if at == level])
    }
    codes = [code for some in by_level.values() for code in some]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        now, url = time.time(), sqlite_url(folder / "ledger.sqlite3")
        fill(url, inventory, now)
        in_process(inventory, url)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        cores = sorted(os.sched_getaffinity(0))
        command = [sys.executable, __file__, "--divisions", str(given.divisions), "--serve", url, str(port)]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        server = subprocess.Popen(command, env=environment)
        try:
            os.sched_setaffinity(server.pid, cores[:1])
            os.sched_setaffinity(0, cores[-1:])
            uvloop.run(over_http(inventory, url, server, port, codes, given.rate, given.seconds))
        finally:
            server.terminate()
            server.wait(30)
        os.sched_setaffinity(0, cores)
        if not given.no_sql:
            with postgres(folder) as place:
                spent = in_sql(place, inventory, by_level)
            standing = Standing(inventory, open_ledger(url), time.time, 1e9)
            snapshot = standing.refresh()
            for level, seconds in spent.items():
                times = []
                for code in by_level[level]:
                    started = time.perf_counter()
                    standing.figures("extranet", "default", nodes.index[code], snapshot)
                    times.append(time.perf_counter() - started)
                ratio = seconds / median(times)
                print(f"a {level:10} in SQL on PostgreSQL    {seconds * 1000:9.3f} ms   {ratio:8.0f} x ours in memory")


def in_process(inventory: Inventory, url: str) -> None:
    """From the arrival of a changed village in the process to its showing in every division above it."""
    engine = open_ledger(url)
    standing = Standing(inventory, engine, time.time, 1e9)
    started = time.process_time()
    standing.refresh()
    print(
        f"{len(inventory.sites):,} villages, first reading of the ledger   {time.process_time() - started:8.2f} s CPU"
    )
    for counted in ("default", "villages", "communities"):
        standing.figures("extranet", counted, 0, standing.snapshot)
    keep_for_good()  # as the program does, which also goes on rolling up while nothing happens
    standing.refresh()
    lease = leases.acquire(engine, inventory.top, "bench", "", time.time(), 3600)
    journal = Journal(engine, lease, time.time, 3600)
    nodes, spent = inventory.nodes, []
    for number in range(15):
        site = 1000 * number + 7
        node = int(inventory.sites.nodes[site])
        line = [node, *nodes.ancestors(node)]
        before = [standing.figures("extranet", "default", one, standing.snapshot).works for one in line]
        was = int(standing.snapshot.columns[Aspect.REACHABLE].verdicts[site]) == 1
        journal.add(
            SiteEvent(time.time(), inventory.sites.ids[site], Aspect.REACHABLE, Verdict.NO if was else Verdict.YES)
        )
        journal.flush(time.time())
        started = time.process_time()
        standing.refresh()
        after = [standing.figures("extranet", "default", one, standing.snapshot).works for one in line]
        spent.append(time.process_time() - started)
        if {abs(new - old) for new, old in zip(after, before, strict=True)} != {1}:
            raise SystemExit(f"{inventory.sites.ids[site]} does not show in every division above it")
    engine.dispose()
    print(
        f"a village's change in all its ancestors, after it arrived    {median(spent) * 1000:8.2f} ms CPU, "
        f"at worst {max(spent) * 1000:.2f} (limit 10)"
    )


async def over_http(
    inventory: Inventory,
    url: str,
    server: "subprocess.Popen[bytes]",
    port: int,
    codes: list[str],
    rate: int,
    seconds: float,
) -> None:
    process = psutil.Process(server.pid)
    for _ in range(600):
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            break
        except OSError:
            await asyncio.sleep(0.5)
    else:
        raise SystemExit("the server did not start")
    await ask(reader, writer, f"/v1/coverage/{inventory.top}")
    await press(port, codes, rate // 4, 2)
    gc.freeze()  # the questions come from a process that holds the whole list, too
    before, waited, own = process.cpu_times(), waited_s(server.pid), waited_s(os.getpid())
    found = sorted(await press(port, codes, rate, seconds))
    after = process.cpu_times()
    waited, own = waited_s(server.pid) - waited, waited_s(os.getpid()) - own
    cpu = (after.user + after.system - before.user - before.system) / len(found)
    print(f"answers over HTTP at {rate}/s for {seconds:.0f} s: median {median(found) * 1000:6.2f} ms, "
          f"p99 {found[int(len(found) * 0.99)] * 1000:6.2f} ms (limit 5)")  # fmt: skip
    print(f"of these {seconds:.0f} s others had the processor while the server wanted it for {waited:6.2f} s, "
          f"while the questions wanted theirs for {own:.2f} s")  # fmt: skip
    print(f"processor of the server for one answer     {cpu * 1e6:8.0f} us: {1 / cpu:,.0f}/s on one core")
    print(f"memory of the server                                         {process.memory_info().rss / 2**20:8.0f} MiB")
    engine = open_ledger(url)
    lease = leases.acquire(engine, inventory.top, "bench", "", time.time(), 3600)
    journal = Journal(engine, lease, time.time, 3600)
    site = next(i for i in range(len(inventory.sites)) if i % 1000 == 999)
    node = int(inventory.sites.nodes[site])
    code = inventory.nodes.codes[node]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)  # the first one idled too long
    shown = await ask(reader, writer, f"/v1/coverage/{code}")
    works = int(shown.split(b'"works_now":{"numerator":')[1].split(b",")[0])
    journal.add(
        SiteEvent(time.time(), inventory.sites.ids[site], Aspect.REACHABLE, Verdict.NO if works else Verdict.YES)
    )
    journal.flush(None)
    committed = time.perf_counter()
    while True:
        now_shown = await ask(reader, writer, f"/v1/coverage/{code}")
        if int(now_shown.split(b'"works_now":{"numerator":')[1].split(b",")[0]) != works:
            break
        if time.perf_counter() - committed > 60:
            raise SystemExit("the change never showed")
        await asyncio.sleep(0.005)
    print(f"from the ledger's commit to the answer over HTTP   {time.perf_counter() - committed:8.2f} s (limit 1)")
    engine.dispose()


if __name__ == "__main__":
    main()
