"""A county's ledger of three years: how long a dump and a restore take, and how large the file is.

Usage: python benchmarks/dump_restore.py [YEARS]

The ledger is made up at the rate of a county of 150 sites: ten outages of each site a month, thirty imported facts a
month, a sealed configuration of each router a night. Times are CPU seconds of the command, start of Python included;
beside them the time on the wall, which other work on the machine makes longer.
"""

import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Table, func, insert, select

from ledger.database import open_ledger, sqlite_url
from ledger.office_tables import facts
from ledger.tables import backups, metadata, outage_events, outage_verdicts, site_events, watch_intervals

EXAMPLE = Path(__file__).resolve().parents[1] / "inventory" / "examples" / "tianquan"
SITES, OUTAGES_A_MONTH, FACTS_A_MONTH = 150, 10, 30
COUNTY, LIMIT_S = "511825000000", 120.0


def main() -> None:
    years = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    with tempfile.TemporaryDirectory(prefix="cuntong-dump-") as folder:
        place = Path(folder)
        (place / "passphrase").write_text("a mule, a well and four lanterns")
        here, there = environment(place / "here"), environment(place / "there")
        engine = open_ledger(here["CUNTONG_LEDGER"])
        fill(engine, years)
        with engine.connect() as connection:
            rows = sum(connection.scalar(select(func.count()).select_from(one)) or 0 for one in metadata.sorted_tables)
        engine.dispose()
        size = (place / "here" / "ledger.sqlite3").stat().st_size
        print(f"ledger of {years:g} years, {SITES} sites: {rows:,} rows, {size / 1e6:,.0f} MB")
        file, passphrase = place / "night.dump", ["--passphrase-file", str(place / "passphrase")]
        run("dump, read back", here, "dump", str(file), *passphrase)
        print(f"  the file: {file.stat().st_size / 1e6:,.0f} MB, {file.stat().st_size / size:.0%} of the ledger")
        took = run("restore", there, "restore", str(file), *passphrase)
        print(f"  {took:.0f} s of {LIMIT_S:.0f} s allowed")
        if took > LIMIT_S:
            sys.exit("restore took longer than it may")


def environment(place: Path) -> dict[str, str]:
    place.mkdir()
    return {
        "XDG_STATE_HOME": str(place / "state"), "CUNTONG_LEDGER": sqlite_url(place / "ledger.sqlite3"),
        "CUNTONG_INVENTORY": str(place / "inventory" if place.name == "there" else EXAMPLE),
        "CUNTONG_SECRETS": str(place / "secrets"),
    }  # fmt: skip


def run(what: str, settings: dict[str, str], *arguments: str) -> float:
    """Seconds on the wall."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [sys.executable, "-m", "cuntong", *arguments]
    subprocess.run(command, env={**os.environ, **settings}, check=True, stdout=subprocess.DEVNULL)
    took, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{what}: {cpu:.1f} s of CPU, {took:.1f} s on the wall, {after.ru_maxrss / 1024:,.0f} MB of memory at most")
    return took


def fill(engine: Engine, years: float) -> None:
    months, days = round(12 * years), round(365 * years)
    chance = random.Random(7)
    outages = [(f"{COUNTY}-1-{n}", f"tq-{n % SITES}", 1e9 + n * 600.0) for n in range(SITES * OUTAGES_A_MONTH * months)]
    key = {"county": COUNTY, "epoch": 1}
    write(
        engine, outage_events,
        ({**key, "seq": 8 * n + end, "happened_at": at + 300 * end, "recorded_at": at + 301 * end, "outage": outage,
          "kind": ("opened", "closed")[end], "scope": "site", "node": site, "cause": "power"}
         for n, (outage, site, at) in enumerate(outages) for end in (0, 1)),
    )  # fmt: skip
    write(
        engine, site_events,
        ({**key, "seq": 8 * n + 2 + one, "happened_at": at + one, "recorded_at": at + one + 1, "site": site,
          "aspect": ("reachable", "serving")[one % 2], "verdict": ("no", "no", "yes", "yes")[one], "reason": "silent",
          "proved_at": at - 60, "outage": outage}
         for n, (outage, site, at) in enumerate(outages) for one in range(4)),
    )  # fmt: skip
    write(
        engine, outage_verdicts,
        ({**key, "seq": 8 * n + 7, "happened_at": at, "recorded_at": at, "outage": outage, "blame": "line",
          "clues": '[["port_down",{"port":"GigabitEthernet0/0/1"}]]', "window": None}
         for n, (outage, _, at) in enumerate(outages)),
    )  # fmt: skip
    write(
        engine,
        watch_intervals,
        ({**key, "since": 1e9 + n * 86400.0, "until": 1e9 + n * 86400.0 + 86000, "cycles": 1440} for n in range(days)),
    )
    write(
        engine, facts,
        ({"subject": f"tq-{site}", "name": f"counter_{name}", "value": str(month * name),
          "happened_on": date(2023, 1, 1) + timedelta(days=30 * month), "said_by": "平台", "source": "月报导入",
          "recorded_at": 1e9 + month}
         for month in range(months) for site in range(SITES) for name in range(FACTS_A_MONTH)),
    )  # fmt: skip
    lines = [f"interface GigabitEthernet0/0/{n}\n description to {chance.randbytes(6).hex()}" for n in range(40)]
    write(
        engine, backups,
        ({"device": f"r{device}", "taken_at": 1e9 + day * 86400.0, "reason": "nightly", "platform": "vrp",
          "fingerprint": chance.randbytes(32).hex(), "redacted": "\n".join(lines), "saved": True,
          "sealed": chance.randbytes(2400)}
         for day in range(days) for device in range(SITES)),
    )  # fmt: skip


def write(engine: Engine, table: Table, rows: Iterator[dict[str, Any]]) -> None:
    with engine.begin() as connection:
        batch: list[dict[str, Any]] = []
        for row in rows:
            batch.append(row)
            if len(batch) == 5000:
                connection.execute(insert(table), batch)
                batch = []
        if batch:
            connection.execute(insert(table), batch)


if __name__ == "__main__":
    main()
