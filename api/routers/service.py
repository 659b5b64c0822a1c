"""What other programs ask of the API itself: is it well, and what does it measure."""

from http import HTTPStatus

import numpy as np
from fastapi import APIRouter, Request, Response

from api.answers import Health
from api.auth import WholeViewer
from api.problems import ProblemDocument, ProblemError, Responses, responses
from api.routers.context import StandingHere
from exporter.pages import Page

router = APIRouter(tags=["service"])

_STALE: Responses = {503: {"model": ProblemDocument, "description": "The figures are old"}}
_TEXT: Responses = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus' text format"},
    **responses(401, 403),
}

_SNAPSHOT_MAX_AGE_S = 60.0


@router.get("/healthz", operation_id="healthz", responses=_STALE)
def healthz(standing: StandingHere) -> Health:
    """200 while figures are fresh; 503 when the ledger is no longer followed."""
    snapshot = standing.snapshot
    age = max(0.0, standing.now() - snapshot.at)
    if age > _SNAPSHOT_MAX_AGE_S:
        detail = f"The newest figures are {age:.0f} s old: the ledger does not answer."
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "stale", detail)
    fresh = snapshot.at - snapshot.watched_until <= standing.stale_after_s  # never watched is NaN and not fresh
    watched = int(np.unique(snapshot.watched_until[fresh]).size)
    return Health(
        status="ok", inventory=standing.inventory.content_hash, snapshot_age_seconds=age, counties_watched=watched
    )


@router.get("/metrics", operation_id="metrics", response_class=Response, responses=_TEXT)
async def metrics(request: Request, _view: WholeViewer) -> Response:
    """Coverage, changes of devices and this program itself, for Prometheus."""
    page: Page = request.app.state.metrics_page
    return await page.answer(request)
