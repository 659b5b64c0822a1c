"""What the rules cost: 70,000 sites, one round of every group, by a real Prometheus.

A synthetic province is served on loopback: 70 counties of 1,000 sites, each with a router, a kiosk and a printer. One
site in a hundred is dark, one node in fifty is lost, one line in fifty carries badly, one kiosk in fifty has a trouble.
Prometheus scrapes it and evaluates the project's rules for some minutes; then the targets are taken away, so that
nothing else uses the processor, and each expression is asked once more for a moment before that. What counts is
Prometheus' own processor time, which a busy machine does not lengthen. Limit: 5 seconds a round.
"""

import argparse
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import psutil

from exporter.linting.rule_files import RULES, files_of, read
from exporter.registry import county as c
from exporter.registry import series
from exporter.registry.metric import Metric

LIMIT_S = 5.0
PER_COUNTY, PER_TOWNSHIP = 1000, 20


def samples(now: float) -> Iterator[tuple[Metric, tuple[str, ...], float]]:
    """One county: a core, townships of twenty, and what the rules read of them."""
    yield c.SCHEDULE_ACTIVE, ("office",), 1
    yield c.SCHEDULE_ACTIVE, ("always",), 1
    yield c.LINES, ("telecom", "office"), PER_COUNTY
    for township in range(PER_COUNTY // PER_TOWNSHIP):
        place, dark = (f"51182{township:04}", f"s{township * PER_TOWNSHIP}", "office"), 20 if township == 7 else 1
        yield c.SITES, (*place, "up"), PER_TOWNSHIP - dark
        yield c.SITES, (*place, "dark"), dark
    for n in range(PER_COUNTY):
        township = n // PER_TOWNSHIP
        kind = "county_center" if n == 0 else "township_center" if n % PER_TOWNSHIP == 0 else "village_site"
        site, uplink = f"s{n}", "" if n == 0 else "s0" if n % PER_TOWNSHIP == 0 else f"s{township * PER_TOWNSHIP}"
        lost = township == 7  # one node in fifty with everything beneath it
        dark = lost or n % 100 == 42
        code = f"51182{township:04}"
        yield c.SITE_INFO, (site, code, code, uplink, kind, "v", "in_service", "office", "us", f"站点{n}"), 1
        yield c.SITE_UP, (site, code, uplink, "office"), float(not dark)
        yield c.SITE_MAINTENANCE, (site,), 0
        line, troubled = (site, f"{site}-cpe1"), n % 50 == 3 and not dark
        if dark or troubled:
            flags = ("yes" if dark else "no", "no")
            yield c.SITE_TROUBLE, (site, code, uplink, "office", kind, f"站点{n}", *flags), 1
        if troubled:
            for trouble in ("primary_down", "flapping", "packet_loss", "latency", "errors", "saturated"):
                yield c.LINK_TROUBLE, (*line, trouble), 1
            for trouble in ("kiosk_app", "peripheral", "printer_fault", "disk_full", "supply_low", "temperature"):
                yield c.DEVICE_TROUBLE, (site, f"{site}-kiosk1", "kiosk", trouble, "x", "yes", "yes"), 1
        yield c.LINK_INFO, (*line, "primary", "pon", "telecom", "", "new"), 1
        yield c.LINK_SPEED, line, 12_500_000
        if n % PER_TOWNSHIP == 0 and lost:
            yield c.OUTAGE_OPEN, ("uplink", site, "aggregation", site, code, "no"), now - 900
            yield c.OUTAGE_SITES, ("uplink", site), PER_TOWNSHIP
            yield c.OUTAGE_LINES, ("uplink", site, "telecom"), 1
            yield c.OUTAGE_PROMISED, ("uplink", site, ""), 1
        elif dark and not lost:
            yield c.OUTAGE_OPEN, ("site", site, "line", site, code, "no"), now - 900
            yield c.OUTAGE_SITES, ("site", site), 1
            yield c.OUTAGE_LINES, ("site", site, "telecom"), 1
            yield c.OUTAGE_PROMISED, ("site", site, ""), 1
        if not dark:
            yield c.LINK_UP, (*line, "primary"), 1
            yield c.LINK_PROBE_RTT, line, 0.02
            yield c.LINK_PROBE_LOSS, line, 0
            yield c.LINK_RECEIVE, line, now * 1000 % 1e12
            yield c.LINK_TRANSMIT, line, now * 500 % 1e12
            yield c.LINK_ERRORS, (*line, "receive"), 0
            yield c.LINK_ERRORS, (*line, "transmit"), 0
            yield c.LINK_STATE_CHANGES, line, 0
        for role, of in (("cpe1", "router"), ("kiosk1", "kiosk"), ("prt1", "printer")):
            device = (site, f"{site}-{role}")
            yield c.DEVICE_INFO, (*device, of, "v", "m", "1", "sn", "p"), 1
            yield c.DEVICE_PROMISED, device, 1
            yield c.DEVICE_UP, (*device, of), float(not dark)
            if not dark and of == "kiosk":
                yield c.KIOSK_APP_UP, device, 1
                yield c.KIOSK_FS_SIZE, (*device, "/"), 64e9
                yield c.KIOSK_FS_AVAIL, (*device, "/"), 30e9
                for part in ("screen", "id-card-reader", "document-camera"):
                    yield c.PERIPHERAL_UP, (*device, part), 1
            elif not dark and of == "printer":
                yield c.PRINTER_SUPPLY, (*device, "black"), 0.5
            elif not dark:
                yield c.DEVICE_BOOT, device, 1e9
                yield c.DEVICE_TEMPERATURE, (*device, "cpu"), 45
                yield c.DEVICE_CLOCK, device, 0.1


def county_text(now: float) -> bytes:
    families: dict[Metric, list[str]] = {}
    for metric, labels, value in samples(now):
        families.setdefault(metric, []).append(f"{series(metric, *labels)}{value:.15g}\n")
    return "".join(metric.head() + "".join(lines) for metric, lines in families.items()).encode()


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def serve() -> ThreadingHTTPServer:
    """Every county's text, which is the same but for the target's labels."""
    page: tuple[float, bytes] = (0.0, b"")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            nonlocal page
            now = time.time() // 15 * 15
            if page[0] != now:
                page = (now, county_text(now))
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(page[1])

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    return server


def ask(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url, timeout=120) as answer:  # noqa: S310  our own address
        data: dict[str, Any] = json.loads(answer.read())["data"]
        return data


def copies(folder: Path) -> list[Path]:
    """The rule files with every group at a minute, so that each has had several rounds when it is read."""
    made = []
    for file in files_of(RULES):
        copy = folder / file.name
        copy.write_text(re.sub(r"interval: \w+", "interval: 1m", file.read_text("utf-8")), "utf-8")
        made.append(copy)
    return made


def config(folder: Path, address: str, counties: int) -> str:
    """prometheus.yml with so many counties; without any nothing is scraped and no rule runs."""
    if not counties:
        return "{}"
    places = [{"province": "51", "county": f"{511000 + n}", "__metrics_path__": f"/{n}"} for n in range(counties)]
    groups = [{"targets": [address], "labels": place} for place in places]
    return json.dumps(
        {
            "global": {"scrape_interval": "60s", "scrape_timeout": "50s", "evaluation_interval": "60s"},
            "rule_files": [str(file) for file in copies(folder)],
            "scrape_configs": [{"job_name": "cuntong-collector", "static_configs": groups}],
        }
    )


def processor_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--counties", type=int, default=70)
    options.add_argument("--minutes", type=float, default=4.0, help="how long it scrapes before it is asked")
    given = options.parse_args()
    binary = shutil.which("prometheus") or sys.exit("prometheus is not installed")
    server, port = serve(), free_port()
    base = f"http://127.0.0.1:{port}"
    total = minutely = 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "prometheus.yml"
        file.write_text(config(folder, f"127.0.0.1:{server.server_address[1]}", given.counties), "utf-8")
        with (folder / "log").open("wb") as log:
            prometheus = subprocess.Popen(
                [
                    binary, f"--config.file={file}", f"--storage.tsdb.path={folder / 'data'}", "--web.enable-lifecycle",
                    f"--web.listen-address=127.0.0.1:{port}", "--query.timeout=10m",
                ],
                stdout=log, stderr=log,
            )  # fmt: skip
        try:
            print(f"{given.counties} counties, {given.counties * PER_COUNTY} sites, {given.minutes:g} minutes ...")
            time.sleep(60 * given.minutes)
            at = time.time() - 5
            wrong = [rule["name"] for group in ask(f"{base}/api/v1/rules")["groups"] for rule in group["rules"]
                     if rule["health"] == "err"]  # fmt: skip
            file.write_text(config(folder, "", 0), "utf-8")
            urllib.request.urlopen(f"{base}/-/reload", data=b"", timeout=300).close()  # noqa: S310  our own address
            time.sleep(20)
            for group in [one for rules in files_of(RULES) for one in read(rules)[0]]:
                took = []
                for rule in group.rules:
                    before = processor_s(prometheus.pid)
                    ask(f"{base}/api/v1/query?" + urllib.parse.urlencode({"query": rule.expr, "time": at}))
                    took.append((processor_s(prometheus.pid) - before, rule.name))
                spent = sum(seconds for seconds, _ in took)
                total += spent
                minutely += spent * 60 / group.interval_s
                most = f"{max(took)[1]} {max(took)[0]:.2f} s"
                print(f"  {group.name:24} every {group.interval_s:3.0f} s: {spent:6.2f} s   most: {most}")
        finally:
            prometheus.terminate()
            prometheus.wait(60)
            server.shutdown()
    print(f"rules that failed while it ran: {', '.join(wrong) or 'none'}")
    print(
        f"one round of all groups: {total:.2f} s of processor time, {total / LIMIT_S:.2f} of the limit of {LIMIT_S:g} s"
    )
    print(f"at their own intervals: {minutely:.2f} s of each minute")
    return 1 if wrong or total >= LIMIT_S else 0


if __name__ == "__main__":
    sys.exit(main())
