"""The collector's HTTP: each county's ready-made text, the collector's own metrics, a probe, and whether it lives."""

import asyncio
from collections.abc import Iterable
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from exporter.formats import Families
from exporter.own import CollectorMetrics
from exporter.pages import Page
from exporter.probe import Prober
from exporter.text import CountyText


def metrics_app(counties: dict[str, CountyText], own: CollectorMetrics, prober: Prober | None = None) -> Starlette:
    """An ASGI application.

    Args:
        counties: by 12-digit code; 6 digits are accepted in the path.
        prober: None answers no probes.
    """
    pages = {code: county_page(text) for code, text in counties.items()}

    async def of_itself() -> Families:
        return own.families()

    own_page = Page(of_itself, fresh_s=0.0)  # it costs nothing to make

    async def county(request: Request) -> Response:
        code = request.path_params["county"].ljust(12, "0")
        page = pages.get(code)
        if page is None:
            return PlainTextResponse(
                f"County {code} is not collected here; this collector has {', '.join(counties)}.\n",
                HTTPStatus.NOT_FOUND,
            )
        return await page.answer(request)

    async def itself(request: Request) -> Response:
        return await own_page.answer(request)

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    routes = [Route("/metrics/{county}", county), Route("/metrics", itself), Route("/healthz", healthz)]
    if prober is not None:
        routes.append(Route("/probe", prober.answer))
    return Starlette(routes=routes)


async def keep_ready(texts: Iterable[CountyText], every_s: float = 2.0) -> None:
    """Render what polls brought as they bring it, so that a scrape finds it done. Ends when it is cancelled."""
    while True:
        for text in texts:
            for _ in text.freshen():
                await asyncio.sleep(0)
        await asyncio.sleep(every_s)


def county_page(text: CountyText) -> Page:
    """The page of a county; between its steps the event loop serves others."""

    async def make() -> Families:
        for _ in text.freshen():
            await asyncio.sleep(0)
        return text.families()

    return Page(make)
