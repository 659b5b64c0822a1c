"""Pages in a real browser: one Chromium for a module, worlds that answer on loopback, consoles that stay silent."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from api import web

if TYPE_CHECKING:
    from tests.api.conftest import World

WEB: Final = Path(__file__).resolve().parents[2] / "web"
AXE: Final = WEB / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="module")  # while it runs its loop is this thread's: no asynchronous test beside it
def browser(program: Any, need: Callable[[str, bool], None]) -> Iterator[Browser]:
    need("the built page (make web)", bool(web.program().scripts) and AXE.is_file())
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=program.path("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        yield chromium
        chromium.close()


@contextmanager
def serving(world: "World") -> Iterator[str]:
    """A world on a port of its own; its address."""
    sock = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(world.app, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    server.should_exit = server.force_exit = True
    thread.join(10)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that tolerates no error in its console: a policy that was broken, a script that failed, a missing file."""
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    yield opened
    assert not wrong, wrong


def show(page: Page, base: str, path: str, language: str = "zh") -> None:
    """Open a view and wait until it has its answers."""
    more = "&" if "?" in path else "?"
    page.goto(base + path + (f"{more}lang={language}" if language != "zh" else ""))
    expect(page.locator("main h1")).to_be_visible()
    expect(page.get_by_text(re.compile("^(正在读取|Reading)"))).to_have_count(0)


def violations(page: Page) -> list[str]:
    """What axe-core finds against the accessibility rules on a page as it stands."""
    page.evaluate(AXE.read_text("utf-8"))
    told = page.evaluate("axe.run(document, {resultTypes: ['violations'], preload: false})")
    return [
        f"{page.url}: {one['id']}: {node['target']} {node['failureSummary']}"
        for one in told["violations"]
        for node in one["nodes"]
    ]
