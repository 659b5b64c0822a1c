"""The page in a browser: when the overview can be used, what the first load weighs, and what a change costs.

天全 with its 142 sites, all of them answering for ten hours, served on loopback by one process; headless
Chromium opens the overview with an empty cache, again and again. Interactive means: the headline stands, and a click on
the first figure would be answered, that is, no task of the browser runs longer than 50 ms after it. Sizes are of what
came over the wire if it were compressed with gzip at level 6.

    python benchmarks/page.py [--loads 10]
"""

import argparse
import gzip
import shutil
import socket
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

import uvicorn
from playwright.sync_api import Browser, Response, sync_playwright

from api import web
from api.app import create_app
from api.auth import Access
from api.standing import Standing
from inventory.loader import load
from inventory.vocabulary import Aspect, Verdict
from ledger import leases
from ledger.database import open_ledger, sqlite_url
from ledger.journal import Journal, SiteEvent

EXAMPLE: Final = Path(__file__).resolve().parent.parent / "inventory" / "examples" / "tianquan"
INTERACTIVE_S: Final = 1.5
FIRST_LOAD_KB: Final = 400
_READY: Final = """() => document.querySelector('.figures a.figure') && document.querySelector('.chart canvas')"""
_LONG: Final = """
window.longTasks = []
const keep = (list) => window.longTasks.push(...list.getEntries().map((one) => one.startTime + one.duration))
new PerformanceObserver(keep).observe({type: 'longtask', buffered: true})
"""


def served(folder: Path) -> tuple[uvicorn.Server, str]:
    """A county in which everything answered, on a port of its own."""
    inventory, engine, now = load(EXAMPLE), open_ledger(sqlite_url(folder / "ledger.sqlite3")), time.time()
    lease = leases.acquire(engine, inventory.top, "benchmark", "127.0.0.1:9161", now, 60)
    journal = Journal(engine, lease, lambda: now, 60)
    for site in inventory.sites.ids:
        for aspect in (Aspect.REACHABLE, Aspect.WORKING):
            journal.add(SiteEvent(now - 36_000, site, aspect, Verdict.YES, ""))
    journal.flush(now - 36_000)
    journal.flush(now)
    standing = Standing(inventory, engine, time.time, 600.0)
    standing.refresh()
    sock = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(create_app(standing, Access(open_reading=True)), log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True).start()
    while not server.started:
        time.sleep(0.01)
    return server, f"http://127.0.0.1:{sock.getsockname()[1]}"


def opened(browser: Browser, base: str, path: str) -> tuple[float, dict[str, int]]:
    """Seconds until a view could be used, and the compressed sizes of what it fetched, by address."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
    page = context.new_page()
    sizes: dict[str, int] = {}

    def weigh(answer: Response) -> None:
        if "/v1/events" not in answer.url and answer.ok:
            sizes[answer.url.removeprefix(base)] = len(gzip.compress(answer.body(), 6))

    page.on("response", weigh)
    page.add_init_script(_LONG)
    page.goto(base + path, wait_until="commit")
    page.wait_for_function(_READY if path == "/" else "() => document.querySelector('main h1')", polling="raf")
    standing_at = page.evaluate("performance.now()")
    page.wait_for_timeout(400)  # tasks that were started meanwhile
    last = max([0.0, *page.evaluate("window.longTasks")])
    context.close()
    return max(standing_at, last) / 1000, sizes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--loads", type=int, default=10)
    loads = parser.parse_args().loads
    chromium = shutil.which("chromium")
    if chromium is None or not web.program().scripts:
        print("needs Debian's chromium and the built page (make web)", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        server, base = served(Path(scratch))
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        opened(browser, base, "/")  # the first one also starts the browser's own processes
        times: list[float] = []
        sizes: dict[str, int] = {}
        for _ in range(loads):
            taken, sizes = opened(browser, base, "/")
            times.append(taken)
        clerk = statistics.median(opened(browser, base, "/clerk")[0] for _ in range(3))
        browser.close()
        server.should_exit = True
    asked = [address for address in sizes if address.startswith("/v1/")]
    answers = sum(sizes[address] for address in asked) / 1000
    program = sum(sizes.values()) / 1000 - answers
    median, worst = statistics.median(times), max(times)
    print(f"overview interactive      median {median:.2f} s, worst of {loads} {worst:.2f} s (limit {INTERACTIVE_S} s)")
    print(f"township desk             median {clerk:.2f} s")
    print(f"page, scripts and styles  {program:.0f} kB compressed (limit {FIRST_LOAD_KB} kB)")
    print(f"answers of the API        {answers:.1f} kB compressed, {len(asked)} of them")
    return 0 if median < INTERACTIVE_S and program < FIRST_LOAD_KB else 1


if __name__ == "__main__":
    sys.exit(main())
