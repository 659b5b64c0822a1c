"""Kills the collector at random moments while faults come and go, and counts what the ledger says of them.

A driver cuts and mends the power of villages one after the other and waits for each to be seen; beside it, at moments
of its own, the collector is killed with SIGKILL and started again. Afterwards each village must have just as many
outages as it had cuts, none overlapping another, none left open, and the ledger's facts must be in order. Where a
device was asked just before its site's power came back and its neighbour just after, it passes for silent alone for a
moment: those are counted apart.

    python -m benchmarks.kill_collector [--kills 50] [--seed N] [--json]
"""

import argparse
import json
import os
import random
import signal
import sqlite3
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from cuntong import demo, http, proving
from cuntong.watching import County
from inventory.loader import load

_PATIENCE_S = 120.0
_LONGEST_LIFE_S = 12.0
_INTERVAL_S = 1.0


@dataclass
class Count:
    """What was done and what was found."""

    kills: int = 0
    restarts: int = 0
    cuts: int = 0
    mends: int = 0
    outages: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    overlapping: list[str] = field(default_factory=list)
    left_open: list[str] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)
    disorder: list[str] = field(default_factory=list)
    passing: list[str] = field(default_factory=list)  # of single devices at a cut site, over within two intervals
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        wrong = (self.lost, self.doubled, self.overlapping, self.left_open, self.invented, self.disorder)
        return self.kills > 0 and self.cuts > 0 and not any(wrong)


def _wait(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.1)
    return False


def _outages(county: County) -> dict[str, list[tuple[str, str | None]]]:
    """Since when and until when, by node."""
    found: dict[str, list[tuple[str, str | None]]] = {}
    for outage in county.get("/v1/outages?limit=1000")["data"]:
        found.setdefault(outage["node"], []).append((outage["since"], outage["until"]))
    return {node: sorted(many, key=lambda one: one[0]) for node, many in found.items()}


def _open(county: County, site: str) -> int:
    return sum(until is None for _, until in _outages(county).get(site, ()))


def campaign(kills: int, chance: random.Random) -> Count:
    count = Count()
    inventory = load(demo.EXAMPLE)
    villages = [
        id for id, kind in zip(inventory.sites.ids, inventory.sites.types, strict=True) if kind == "village_site"
    ]
    began = time.monotonic()
    with demo.stage(demo.EXAMPLE, http.free_port(), "calm", interval_s=_INTERVAL_S) as stage:
        county = County(inventory, stage.page, stage.metrics)
        demo.wait_for_sweep(stage, county)
        collector = next(program for program in stage.supervisor.programs if program.name == "collector")
        done, judged = threading.Event(), threading.Event()

        def kill() -> None:
            while count.kills < kills and not done.is_set():
                # From before its first word to long after: a start takes a second or two, a verdict two polls more.
                time.sleep(chance.uniform(0.0, _LONGEST_LIFE_S))
                if collector.process is None:
                    continue
                os.kill(collector.process.pid, signal.SIGKILL)
                count.kills += 1
                collector.pause_s = 0.0  # who dies young is started at once here
                while collector not in stage.supervisor.restart_the_dead():
                    time.sleep(0.05)
            done.set()
            judged.wait()  # the kernel ends a child with the thread that started it

        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        cut: list[str] = []
        cuts: Counter[str] = Counter()
        while not done.is_set() or cut:
            # Many cut at once, so that kills meet open outages, new ones and ends alike.
            if not done.is_set() and (len(cut) < 3 or chance.random() < 0.5):
                site = chance.choice([village for village in villages if village not in cut])
                proving._tell(stage, {"do": "inject", "fault": {"fault": "power_cut", "target": site}})
                cut.append(site)
                cuts[site] += 1
                if not _wait(lambda site=site: _open(county, site) == 1):  # type: ignore[misc]
                    count.lost.append(f"cut {cuts[site]} of {site}")
            else:
                site = cut.pop(chance.randrange(len(cut)))
                proving._tell(stage, {"do": "clear", "target": site})
                count.mends += 1
                if not _wait(lambda site=site: _open(county, site) == 0):  # type: ignore[misc]
                    count.left_open.append(site)
            print(f"\r{count.kills} kills, {sum(cuts.values())} cuts, {count.mends} mends ", end="", file=sys.stderr)
        count.cuts, count.restarts = sum(cuts.values()), collector.restarts
        _judge(_outages(county), cuts, count)
        ledger = stage.folder / "ledger.sqlite3"
        _read(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True), count)
        judged.set()
        killer.join()
    print(file=sys.stderr)
    count.seconds = round(time.monotonic() - began, 1)
    return count


def _lasted_s(since: str, until: str | None) -> float:
    if until is None:
        return float("inf")
    return (datetime.fromisoformat(until) - datetime.fromisoformat(since)).total_seconds()


def _judge(found: dict[str, list[tuple[str, str | None]]], cuts: Counter[str], count: Count) -> None:
    for node, many in found.items():
        count.outages += len(many)
        if node not in cuts:
            # A device that was asked before the power came back, beside one that was asked after: silent alone.
            at_a_cut_site = node.rpartition("-")[0] in cuts
            passing = at_a_cut_site and all(_lasted_s(since, until) <= 2 * _INTERVAL_S for since, until in many)
            (count.passing if passing else count.invented).append(f"{node}: {many}")
        elif len(many) > cuts[node]:
            count.doubled.append(f"{node}: {len(many)} outages of {cuts[node]} cuts")
        for (_, until), (since, _) in pairwise(many):
            if until is None or since < until:
                count.overlapping.append(f"{node}: {since} before {until}")
    for node, number in cuts.items():
        if len(found.get(node, ())) < number:
            count.lost.append(f"{node}: {len(found.get(node, ()))} outages of {number} cuts")


def _read(ledger: sqlite3.Connection, count: Count) -> None:
    """The file itself: sound, facts once each, every outage opened once and closed once."""
    [(verdict,)] = ledger.execute("pragma integrity_check").fetchall()
    if verdict != "ok":
        count.disorder.append(f"SQLite: {verdict}")
    for table in ("outage_events", "site_events"):
        twice = ledger.execute(
            f"select county, epoch, seq, count(*) from {table} group by 1, 2, 3 having count(*) > 1"  # noqa: S608
        ).fetchall()
        count.disorder += [f"{table}: {row}" for row in twice]
    stories: dict[str, list[str]] = {}
    for outage, kind in ledger.execute("select outage, kind from outage_events order by epoch, seq"):
        stories.setdefault(outage, []).append(kind)
    for outage, kinds in stories.items():
        told = [kind for kind in kinds if kind in ("opened", "closed")]
        if told != ["opened", "closed"]:
            count.disorder.append(f"{outage}: {kinds}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=None, help="of the moments and places; another one each time")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.randrange(1 << 32)
    count = campaign(arguments.kills, random.Random(seed))
    document: dict[str, Any] = {"seed": seed, **asdict(count), "good": count.good}
    if arguments.json:
        print(json.dumps(document))
    else:
        for name, value in document.items():
            print(f"{name:>12}  {value if value != [] else 'none'}")
    return 0 if count.good else 1


if __name__ == "__main__":
    sys.exit(main())
