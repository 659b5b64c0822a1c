"""``/v1/events``: says when there is something new to ask for, as server-sent events.

The event carries no figures: whoever hears it asks for what he shows. One look at the standing a moment serves all
listeners; a comment line now and then keeps proxies from closing the stream.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from api.auth import PublicViewer
from api.problems import responses
from api.standing import Standing

router = APIRouter(tags=["service"])

_LOOK_S: Final = 0.3
_COMMENT_S: Final = 15.0
_EVENTS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "A stream that does not end: `event: snapshot`, its `data` the Unix time of the newest one.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    },
    **responses(401, 403),
}


@router.get("/v1/events", operation_id="events", response_class=StreamingResponse, responses=_EVENTS)
async def events(request: Request, view: PublicViewer) -> StreamingResponse:
    """Tells a listener of each new snapshot whose content differs from the one before."""
    return StreamingResponse(
        _told(request, view.standing),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _told(request: Request, standing: Standing) -> AsyncIterator[bytes]:
    yield b"retry: 3000\n\n"
    seen, said_at = standing.version, time.monotonic()
    while not await request.is_disconnected() and not getattr(request.app.state, "leaving", False):
        if standing.version != seen:
            seen, said_at = standing.version, time.monotonic()
            yield f"event: snapshot\ndata: {standing.snapshot.at:.3f}\n\n".encode()
        elif time.monotonic() - said_at >= _COMMENT_S:
            said_at = time.monotonic()
            yield b": still here\n\n"
        await asyncio.sleep(_LOOK_S)
