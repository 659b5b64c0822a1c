"""`cuntong noc`: the boards over a real Prometheus that scrapes the simulated county; when it is gone, it says so."""

import asyncio
import json
import re
import socket
from collections.abc import Callable, Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

import httpx
import pytest

from api.exposition import ENDS
from collectors.traps import RESULTS
from cuntong.wall.asking import Answer, Prometheus, Series, filled
from cuntong.wall.drawing import is_bad, panel_html, sentences, shown
from cuntong.wall.serving import Wall
from exporter.dashboards.boards import BOARDS
from exporter.dashboards.model import Board, Kind, Panel, Query, Unit
from health.coverage import State as CoverageState
from health.device import DeviceState
from inventory.vocabulary import DeviceClass, LinkRole, LinkType
from ledger.rollouts import RunState

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tests.cuntong.conftest import Running, Scraper

NOW: Final = 1_800_000_000.0


@pytest.fixture(scope="module")
def scraped(
    running: "Running",
    until: Callable[..., None],
    tmp_path_factory: pytest.TempPathFactory,
    scraping: "Callable[[str, Path], AbstractContextManager[Scraper]]",
) -> "Iterator[Scraper]":
    """A Prometheus with our rules that has seen a few rounds."""
    with scraping(running.stage.page, tmp_path_factory.mktemp("wall")) as made:
        for expr in (
            "county:cuntong_coverage_milestone:ratio", "carrier:cuntong_line_errors:ratio_rate6h",
            "county:cuntong_site_errors:ratio_rate1h", "rate(cuntong_collector_polls_total[1m])",
            "histogram_quantile(0.5, sum by (le) (rate(cuntong_api_request_duration_seconds_bucket[10m]))) > 0",
        ):  # fmt: skip
            until(lambda expr=expr: made.count(expr) > 0, 90)
        yield made


async def answers(scraped: "Scraper", board: Board) -> dict[str, Answer]:
    """As the wall asks: with the first value of each variable, of a village's board a village with terminals."""
    chosen = {"county": "511825", "site": "tq-shiyang"}
    return await Prometheus(scraped.url).ask(board, {one.name: chosen[one.name] for one in board.variables})


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
async def test_every_panel_of_every_board_has_data_or_a_reason_to_have_none(scraped: "Scraper", board: Board) -> None:
    # A line's newest point is up to a step old: of a county that has just begun it may be from before it began.
    for _ in range(90):
        found = await answers(scraped, board)
        assert [title for title, answer in found.items() if answer.problem] == []
        silent = {panel.title for panel in board.panels if not found[panel.title].series and not panel.calm}
        if not silent:
            break
        await asyncio.sleep(1)
    assert silent == set()


class Strict(HTMLParser):
    """Every element ends where it should, and nothing runs or styles itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.feed(text)
        self.wrong += self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.wrong += [f"<{tag} {name}>" for name, _ in attrs if name == "style" or name.startswith("on")]
        ours = tag == "script" and (dict(attrs).get("src") or "").startswith("/static/app/assets/wall-")
        if tag in ("script", "style", "iframe") and not ours:
            self.wrong.append(f"<{tag}>")
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}>")


def client(prometheus: str) -> httpx.AsyncClient:
    app = Wall(Prometheus(prometheus), 30).app()
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://wall")


async def test_the_wall_shows_every_board_as_whole_pages_for_whoever_runs_no_scripts(scraped: "Scraper") -> None:
    async with client(scraped.url) as wall:
        for board in BOARDS:
            page = await wall.get(f"/{board.uid}")
            assert page.status_code == 200, board.uid
            assert Strict(page.text).wrong == [], board.uid
            assert "style-src 'self'" in page.headers["content-security-policy"]
            assert all(f"<h3>{panel.title}</h3>" in page.text for panel in board.panels)
        assert (await wall.get("/")).text.count("当前没有中断。") == 1
        assert (await wall.get("/wall.css")).headers["content-type"].startswith("text/css")
        assert (await wall.get("/nothing")).status_code == 404


async def test_what_is_chosen_must_be_among_the_values_and_never_becomes_a_query(scraped: "Scraper") -> None:
    async with client(scraped.url) as wall:
        page = await wall.get("/cuntong-site", params={"county": '511825"} or vector(1', "site": "tq-shiyang"})
    assert page.status_code == 200
    assert "vector" not in page.text
    assert "始阳镇便民服务中心" in page.text


async def test_without_prometheus_the_wall_says_so_and_since_when_and_shows_no_old_figure(scraped: "Scraper") -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{sock.getsockname()[1]}"
        made = Wall(Prometheus(scraped.url), 30)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(made.app()), base_url="http://wall") as wall:
            assert (await wall.get("/")).status_code == 200
            made._prometheus = Prometheus(gone)
            page = await wall.get("/")
    assert page.status_code == 503
    assert "Prometheus 没有应答，画面不是现状" in page.text
    assert re.search(r"最后一次应答：\d\d:\d\d:\d\d", page.text)
    assert "<h3>" not in page.text


def series(value: float, legend: str = "", **labels: str) -> Series:
    return Series(labels, legend, [(NOW - 60, value), (NOW, value)])


def test_an_outage_is_one_sentence_and_announced_ones_come_last() -> None:
    told = Answer(
        [
            series(NOW - 300, node="v2", cause="power", planned="yes"),
            series(NOW - 7_500, node="v1", cause="line", planned="no"),
            series(NOW - 60, node="v1-kiosk1", cause="device", planned="no"),
        ]
    )
    assert sentences(told, {"site": {"v1": "瓦坪村", "v2": "乐坝社区"}}, NOW) == [
        "瓦坪村：运营商线路中断，已 2 小时 5 分",
        "瓦坪村 kiosk1：终端故障，已 1 分钟",
        "乐坝社区：站点停电，已 5 分钟（计划内）",
    ]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.9999, Unit.RATIO, "99.9%"), (1.0, Unit.RATIO, "100%"), (NOW - 90, Unit.SINCE, "1 分钟"),
        (0.012, Unit.SECONDS, "12 ms"), (7, Unit.COUNT, "7"), (2.5e6, Unit.BITS, "2.5 Mbit/s"), (0, Unit.STATE, "异常"),
        (72 * 3600.0, Unit.SECONDS, "3 天"),
    ],
)  # fmt: skip
def test_a_value_with_its_unit(value: float, unit: Unit, text: str) -> None:
    assert shown(value, unit, NOW) == text


@pytest.mark.parametrize("kind", Kind)
def test_what_a_label_says_is_text_and_never_markup(kind: Kind) -> None:
    hostile = "<script>alert(1)</script>"
    panel = Panel("t", "w", kind, Unit.COUNT, (Query("x", "{{site}}"),), columns=(("site", "站点"),))
    drawn = panel_html(panel, Answer([series(1, hostile, site=hostile)]), {}, NOW)
    assert "<script" not in drawn
    assert "&lt;script" in drawn
    assert "<script" not in panel_html(panel, Answer(problem=hostile), {}, NOW)


NAMES: Final = {
    "site": {"v1": "瓦坪村"}, "county": {"511825": "天全县"}, "carrier": {"telecom": "中国电信"},
    "milestone": {"g50": "五级联通"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("legend", "labels", "said"),
    [
        ("{{county}} {{carrier}}", {"county": "511825", "carrier": "telecom"}, "天全县 中国电信"),
        ("{{county}} {{carrier}}", {"county": "999999", "carrier": "other"}, "999999 other"),
        ("{{link}} 收", {"link": "v1-cpe1"}, "瓦坪村 cpe1 收"),
        ("{{milestone}}", {"milestone": "g50"}, "五级联通"),
        ("{{state}}", {"state": "rolled_back"}, "已回退"),
        ("{{class}}", {"class": "printer"}, "打印机"),
        ("{{job}} {{instance}}", {"job": "api", "instance": "127.0.0.1:9090"}, "api 127.0.0.1:9090"),
        ("{{version}}", {"version": "0.1.0"}, "0.1.0"),
        ("", {}, "全部"),
    ],
)
def test_a_legend_says_what_people_say(legend: str, labels: dict[str, str], said: str) -> None:
    panel = Panel("t", "w", Kind.BARS, Unit.COUNT, (Query("x", legend),))
    drawn = panel_html(panel, Answer([series(1, legend, **labels)]), NAMES, NOW)
    assert f"<th>{said}</th>" in drawn


@pytest.mark.parametrize(
    ("label", "values"),
    [
        ("result", [*RESULTS, "answered", "refused", "silent"]),
        (
            "state",
            [*DeviceState, *CoverageState, *ENDS, *(one for one in RunState if one is not RunState.ENDED), "abandoned"],
        ),
        ("class", list(DeviceClass)),
        ("link_type", list(get_args(LinkType))),
        ("role", list(get_args(LinkRole))),
    ],
)
def test_every_word_of_a_label_is_chinese(label: str, values: list[str]) -> None:
    panel = Panel("t", "w", Kind.TABLE, Unit.PRESENCE, (Query("x"),), columns=((label, "甲"),))
    for value in values:
        drawn = panel_html(panel, Answer([series(1, **{label: value})]), {}, NOW)
        said = re.findall(r"<td>(.*?)</td>", drawn)
        assert said[0] != value


def test_lines_carry_what_a_browser_draws_them_from() -> None:
    panel = Panel("t", "w", Kind.LINES, Unit.RATIO, (Query("x", "{{county}}"),), bad_from=0.5)
    drawn = panel_html(panel, Answer([series(0.25, "{{county}}", county="511825")]), NAMES, NOW)
    told = json.loads(unescape(re.search('data-lines="([^"]*)"', drawn)[1]))  # type: ignore[index]
    assert told == {
        "unit": "ratio", "bad_from": 0.5, "bad_to": None,
        "lines": [{"name": "天全县", "points": [[NOW - 60, 0.25], [NOW, 0.25]]}],
    }  # fmt: skip


def test_only_what_is_bad_is_coloured() -> None:
    panel = Panel("t", "w", Kind.BARS, Unit.RATIO, (Query("x"),), bad_from=0.5)
    assert is_bad(panel, 0.5)
    assert not is_bad(panel, 0.4)
    drawn = panel_html(panel, Answer([series(0.9, "a"), series(0.1, "b")]), {}, NOW)
    assert drawn.count("bad") == 1


def test_a_variable_is_filled_in_as_a_quoted_value() -> None:
    assert filled('x{site="$site"}[$__rate_interval]', {"site": 'a"b\\'}) == 'x{site="a\\"b\\\\"}[5m]'


async def test_panels_are_asked_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A board of many panels costs one round trip, not as many as it has panels."""
    running, most = 0, 0

    def slow(*_: Any) -> Answer:
        nonlocal running, most
        running += 1
        most = max(most, running)
        asyncio.run(asyncio.sleep(0.05))
        running -= 1
        return Answer()

    monkeypatch.setattr(Prometheus, "_panel", slow)
    await Prometheus("http://127.0.0.1:9").ask(BOARDS[0], {})
    assert most > 1
