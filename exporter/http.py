"""The collector's HTTP: each county's ready-made text, the collector's own metrics, and whether it lives."""

from http import HTTPStatus

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from exporter.text import CountyText

TEXT = "text/plain; version=0.0.4; charset=utf-8"


def metrics_app(counties: dict[str, CountyText], own: CollectorRegistry) -> Starlette:
    """An ASGI application.

    Args:
        counties: by 12-digit code; 6 digits are accepted in the path.
    """

    async def county(request: Request) -> Response:
        code = request.path_params["county"].ljust(12, "0")
        text = counties.get(code)
        if text is None:
            return PlainTextResponse(
                f"County {code} is not collected here; this collector has {', '.join(counties)}.\n",
                HTTPStatus.NOT_FOUND,
            )
        return Response(text.render(), media_type=TEXT)

    async def itself(_request: Request) -> Response:
        return Response(generate_latest(own), media_type=CONTENT_TYPE_LATEST)

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    return Starlette(routes=[Route("/metrics/{county}", county), Route("/metrics", itself), Route("/healthz", healthz)])
