"""The wall's little server: a page for each board, made anew at each look; loopback unless told otherwise."""

import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from api.web import BUILT, built
from cuntong.wall.asking import Names, Prometheus, PrometheusError
from cuntong.wall.drawing import panel_html, sentences
from exporter.dashboards.boards import BOARDS
from exporter.dashboards.model import Board

_HERE: Final = Path(__file__).parent
_CHINA: Final = timezone(timedelta(hours=8))
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_PROGRAM: Final = "src/wall.ts"
_ROOTS: Final = "中断根源"
"""The panel of the first board that is told in sentences, too."""


class Wall:
    """The pages.

    Args:
        refresh_s: after how many seconds a browser asks again.
    """

    def __init__(self, prometheus: Prometheus, refresh_s: int) -> None:
        self._prometheus, self._refresh_s = prometheus, refresh_s
        self._boards = {board.uid: board for board in BOARDS}
        self._answered_at: float | None = None
        self._page = Environment(
            loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True,
        ).get_template("wall.html")  # fmt: skip

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", self._first),
                Route("/wall.css", self._style),
                Route("/healthz", self._healthz),
                Mount("/static/app", StaticFiles(directory=BUILT, check_dir=False)),
                Route("/{uid}", self._show),
            ]
        )

    async def _first(self, request: Request) -> Response:
        return await self._draw(request, BOARDS[0])

    async def _show(self, request: Request) -> Response:
        board = self._boards.get(request.path_params["uid"])
        if board is None:
            return PlainTextResponse(f"There is no such board. There are: {', '.join(self._boards)}.\n", 404)
        return await self._draw(request, board)

    async def _style(self, _request: Request) -> Response:
        return FileResponse(_HERE / "wall.css", media_type="text/css", headers=_HEADERS)

    async def _healthz(self, _request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def _draw(self, request: Request, board: Board) -> Response:
        now = time.time()
        names: Names = {}
        choices: dict[str, list[str]] = {}
        chosen: dict[str, str] = {}
        problem = ""
        try:
            names = await self._prometheus.names()
            for variable in board.variables:
                query = variable.query
                for name, value in chosen.items():
                    query = query.replace(f"${name}", value)
                choices[variable.name] = found = await self._prometheus.choices(query)
                wanted = request.query_params.get(variable.name, "")
                chosen[variable.name] = wanted if wanted in found else (found[0] if found else "")
            answers = await self._prometheus.ask(board, chosen)
            self._answered_at = now
        except PrometheusError as error:
            answers, problem = {}, str(error)
        html = self._page.render(
            board=board,
            boards=BOARDS,
            at=datetime.fromtimestamp(now, _CHINA),
            refresh_s=self._refresh_s,
            problem=problem,
            silent_since=_clock(self._answered_at) if problem and self._answered_at else "",
            rows=[] if problem else _rows(board, answers, names, now),
            sentences=sentences(answers[_ROOTS], names, now) if _ROOTS in answers else None,
            variables=[
                (variable, choices.get(variable.name, []), chosen.get(variable.name, ""), dict(chosen))
                for variable in board.variables
            ],
            names=names,
            scripts=built(_PROGRAM).scripts,
        )
        return HTMLResponse(html, 200 if not problem else 503, headers=_HEADERS)


def _rows(board: Board, answers: dict[str, Any], names: Names, now: float) -> list[tuple[str, list[Any]]]:
    return [
        (row.title, [(panel, Markup(panel_html(panel, answers[panel.title], names, now))) for panel in row.panels])  # noqa: S704  its texts are escaped where they enter
        for row in board.rows
    ]


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, _CHINA):%H:%M:%S}"
