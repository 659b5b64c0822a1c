"""Lines of the wall in a real browser: drawn with axes by the built program, and whole without it."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from playwright.sync_api import Browser, Page, expect

from cuntong.wall.asking import Answer, Prometheus, Series
from cuntong.wall.serving import Wall
from exporter.dashboards.boards import BOARDS
from exporter.dashboards.model import Board
from tests.api.browsing import browser, context, page, serving  # noqa: F401  fixtures

if TYPE_CHECKING:
    from tests.api.conftest import World

NOW = 1_800_000_000.0


class Told(Prometheus):
    """A Prometheus of which the answers are known."""

    async def names(self) -> Mapping[str, Mapping[str, str]]:
        return {"county": {"511825": "天全县"}}

    async def choices(self, query: str) -> list[str]:
        return ["511825"]

    async def ask(self, board: Board, chosen: Mapping[str, str]) -> dict[str, Answer]:
        points = [(NOW - 600 + 60 * n, 0.1 * n) for n in range(11)]
        one = [Series({"county": "511825"}, "{{county}}", points)]
        return {panel.title: Answer(one) for panel in board.panels}


@pytest.fixture(scope="module")
def wall() -> Any:
    app = Wall(Told("http://127.0.0.1:9"), 3600).app()
    with serving(cast("World", SimpleNamespace(app=app))) as address:
        yield address


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_each_line_is_drawn_with_its_axes(wall: str, page: Page, board: Board) -> None:  # noqa: F811
    page.goto(f"{wall}/{board.uid}")
    lines = [panel for panel in board.panels if panel.kind == "lines"]
    expect(page.locator(".canvas canvas")).to_have_count(len(lines))
    # A canvas on which nothing was drawn is transparent everywhere.
    drawn = page.evaluate(
        "[...document.querySelectorAll('.canvas canvas')].map(one => "
        "new Set(new Uint32Array(one.getContext('2d').getImageData(0, 0, one.width, one.height).data.buffer)).size)"
    )
    assert all(colours > 10 for colours in drawn)
    assert page.locator("svg.chart").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") == 1440


def test_without_scripts_the_servers_own_drawing_stays(wall: str, browser: Browser) -> None:  # noqa: F811
    plain = browser.new_context(java_script_enabled=False)
    opened = plain.new_page()
    opened.goto(wall)
    expect(opened.locator("svg.chart").first).to_be_visible()
    expect(opened.locator(".keys").first).to_contain_text("天全县")
    plain.close()
