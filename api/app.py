"""The application: routers, problem documents, headers. What it works on is handed in."""

from pathlib import Path
from typing import Any

from fastapi import FastAPI

from api import problems
from api.auth import Access, Door
from api.exposition import ApiMetrics, page_of
from api.freshness import Remembered
from api.hot import HotAnswers
from api.pages import router as pages
from api.receivers.hearing import Notifications, unheard
from api.requests import RequestTimes, TimedRequests
from api.routers import (
    alerts,
    boundaries,
    checks,
    coverage,
    discovery,
    divisions,
    exchange,
    findings,
    live,
    login,
    maintenance,
    manual,
    milestones,
    network,
    outages,
    papers,
    pilots,
    records,
    reports,
    runbooks,
    service,
    session,
    shift,
    sites,
    tasks,
    today,
    villages,
)
from api.routers.exchange import Exchanging
from api.safe_headers import HEADERS, SafeHeaders
from api.standing import Standing
from api.static_files import PageFiles
from inventory.boundaries import Boundaries


class _Api(FastAPI):
    def openapi(self) -> dict[str, Any]:
        return problems.in_their_own_media_type(super().openapi())


def create_app(
    standing: Standing,
    access: Access | None = None,
    notifications: Notifications | None = None,
    shapes: Boundaries | None = None,
    exchanging: Exchanging | None = None,
) -> FastAPI:
    """The API and its pages over one `Standing`; whoever runs it keeps the standing fresh.

    Args:
        access: who may read without an account; None: nobody.
        notifications: what Alertmanager's webhook works with; None: nobody is heard, and nobody is told.
        shapes: boundaries of divisions that the operator supplied; None: pages draw tiles.
        exchanging: the key of this instance and the keys that it trusts; None: no signed files are exchanged.
    """
    app = _Api(
        title="Cuntong",
        version="1",
        description="Which villages the e-government extranet covers, on what evidence, and what is wrong now.",
        # The stock documentation pages load their scripts from the Internet.
        docs_url=None,
        redoc_url=None,
    )
    app.state.standing = standing
    app.state.remembered = Remembered()
    app.state.boundaries = shapes
    app.state.exchanging = exchanging
    app.state.door = Door(standing, access or Access())
    app.state.notifications = notifications or unheard()
    times = RequestTimes()
    app.state.metrics = ApiMetrics(standing, times, app.state.notifications)
    app.state.metrics_page = page_of(app.state.metrics)
    problems.install(app, HEADERS)
    for router in (
        session.router,
        coverage.router,
        divisions.router,
        boundaries.router,
        villages.router,
        sites.router,
        outages.router,
        alerts.router,
        milestones.router,
        reports.router,
        papers.router,
        pilots.router,
        findings.router,
        tasks.router,
        checks.router,
        maintenance.router,
        shift.router,
        today.router,
        records.router,
        discovery.router,
        exchange.router,
        live.router,
        network.router,
        runbooks.router,
        manual.router,
        service.router,
        login.router,
        pages,
    ):
        app.include_router(router)
    app.mount("/static", PageFiles(str(Path(__file__).parent / "static")), name="static")

    app.add_middleware(
        HotAnswers, standing=standing, door=app.state.door, make=coverage.plain, route=coverage.usual_route()
    )
    app.add_middleware(SafeHeaders, headers=HEADERS)
    app.add_middleware(TimedRequests, times=times)  # the outermost: it times the others, too
    return app
