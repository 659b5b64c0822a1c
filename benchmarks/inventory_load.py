"""How long an inventory takes to load, per village: uncached, cached, and beside PyYAML's safe_load of the same bytes.

    python benchmarks/inventory_load.py [--nation] [--province 51]

Writes a synthetic inventory (every village of a province, or of the nation) from ../shared/divisions into a
temporary folder. Times are CPU seconds of this process, best of the runs. The nation's villages take more addresses
than private ranges have, so its pools are taken from all of IPv4; nothing is sent anywhere.
"""

import argparse
import csv
import gc
import lzma
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import yaml

from inventory import lockfile
from inventory.county import County
from inventory.divisions import build, read_csv
from inventory.loader import load, plan_of
from inventory.reading_sites import read_sites
from inventory.scaffold_text import COUNTY
from inventory.source import Source
from inventory.strict import quote

LIST = Path(__file__).parents[2] / "shared" / "divisions" / "divisions-2023.csv.xz"
PLAN = """\
title: benchmark
top: "{top}"
slug: bm
addresses:
  zones: {{gov_public: 64.0.0.0/4}}
  mgmt: {{loopbacks: 16.0.0.0/8, p2p: 20.0.0.0/8}}
"""


def cpu_seconds(work: Callable[[], object], runs: int = 1) -> float:
    best = float("inf")
    for _ in range(runs):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best


def write(folder: Path, province: str) -> tuple[int, list[bytes]]:
    """One sites file per county; returns the number of villages and the bytes of those files."""
    with lzma.open(LIST, "rt", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["code"].startswith(province)]
    if not province:
        rows.append({"code": "000000000000", "name": "全国", "level": "1", "parent": ""})
        for row in rows:
            if row["level"] == "1" and row["code"] != "000000000000":
                row["parent"] = "000000000000"
                row["kind"] = "zone"
    top = next(row["code"] for row in rows if not row["parent"])
    (folder / "county.yml").write_text(PLAN.format(top=top) + COUNTY, "utf-8")
    with (folder / "divisions.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, ["code", "name", "level", "parent", "kind"], restval="")
        writer.writeheader()
        writer.writerows(rows)
    below: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        below[row["parent"]].append(row)
    (folder / "sites").mkdir()
    written = []
    for county in rows:
        townships = [row for row in below[county["code"]] if row["level"] == "4"]
        if not townships:
            continue
        lines = [f'division: "{county["code"]}"', f"slug: c{county['code'][:6]}", f"center: {quote(county['name'])}"]
        lines.append("townships:")
        for township in townships:
            lines += [f'  "{township["code"]}":', f"    is: {quote(township['name'])}"]
            villages = below[township["code"]]
            lines += ["    villages:"] * bool(villages)
            lines += [f"      {row['code']}: {quote(row['name'] + ' village pon telecom')}" for row in villages]
        data = ("\n".join(lines) + "\n").encode()
        (folder / "sites" / f"{county['code']}.yml").write_bytes(data)
        written.append(data)
    return sum(row["level"] == "5" for row in rows), written


def only_sites(folder: Path) -> float:
    """CPU seconds for the sites files alone: YAML, names, classes, link types and carriers."""
    source = Source(folder)
    county = County.model_validate(source.yaml("county.yml"))
    rows, _ = read_csv("divisions.csv", source.files["divisions.csv"])
    tree, _ = build("divisions.csv", rows, [], {}, county.top)
    if tree is None:
        raise SystemExit("the division list is broken")
    gc.disable()  # as the loader does
    seconds = cpu_seconds(lambda: read_sites(source, county, tree.nodes))
    gc.enable()
    return seconds


def alone(folder: Path, cache: Path | None) -> tuple[float, float]:
    """CPU seconds and peak memory in MB of a process that does nothing but load, `load` itself counted."""
    script = "import sys; from benchmarks.inventory_load import only_load; only_load(*sys.argv[1:])"
    command = [sys.executable, "-c", script, str(folder), *([str(cache)] if cache else [])]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    told = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.split()
    return float(told[0]), float(told[1])


def only_load(folder: str, cache: str = "") -> None:
    """What `alone` runs: load, look at the last device, tell what it took."""
    started = time.process_time()
    inventory = load(Path(folder), cache=Path(cache) if cache else None)
    seconds = time.process_time() - started
    sites, devices = len(inventory.sites), len(inventory.devices)
    # getrusage would also count the process that this one was forked from.
    status = Path("/proc/self/status").read_text("ascii")
    peak_mb = int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6
    print(seconds, peak_mb, sites, devices)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--nation", action="store_true", help="all 620,572 villages (needs some gigabytes)")
    arguments.add_argument("--province", default="51", metavar="DIGITS", help="two digits, default 51 (Sichuan)")
    given = arguments.parse_args()
    if not LIST.exists():
        raise SystemExit("../shared/divisions/divisions-2023.csv.xz is not on this machine")
    with tempfile.TemporaryDirectory() as name:
        folder, cache = Path(name) / "inventory", Path(name) / "cache"
        folder.mkdir()
        villages, written = write(folder, "" if given.nation else given.province)
        allocated = cpu_seconds(lambda: lockfile.write(folder, plan_of(folder)[1]))
        uncached = cpu_seconds(lambda: load(folder), runs=1 if given.nation else 3)
        scalars = min(only_sites(folder) for _ in range(1 if given.nation else 3))
        cold_s, cold_mb = alone(folder, None)
        load(folder, cache=cache)
        warm_s, warm_mb = alone(folder, cache)
        cached = cpu_seconds(lambda: load(folder, cache=cache), runs=3)
        sample = written[:40] if given.nation else written
        part = sum(data.count(b"village pon telecom") for data in sample) / villages
        peer = cpu_seconds(lambda: [yaml.safe_load(data) for data in sample]) / part

    def per_village(seconds: float) -> str:
        return f"{seconds / villages * 1e6:8.2f} µs per village"

    print(f"{villages:,} villages, {sum(map(len, written)) / 1e6:.1f} MB of YAML, one CPU")
    print(f"allocate ids and addresses once  {per_village(allocated)}")
    print(f"read the scalars of sites/*.yml  {per_village(scalars)}   {peer / scalars:5.1f} x faster than the peer")
    print(f"load, checked against every law  {per_village(uncached)}   {peer / uncached:5.1f} x faster than the peer")
    print(f"load from the compiled cache     {per_village(cached)}   {peer / cached:5.1f} x faster than the peer")
    print(f"a process that only loads: {cold_s:.1f} s CPU, {cold_mb:,.0f} MB at its peak")
    print(f"one that loads from the cache: {warm_s:.2f} s CPU, {warm_mb:,.0f} MB at its peak")
    print(f"yaml.safe_load, only parsing     {per_village(peer)}   the peer")


if __name__ == "__main__":
    main()
