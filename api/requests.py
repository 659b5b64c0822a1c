"""How long requests took, by route and outcome: counted around the whole application.

The route is the template that matched, never the path: paths are endless, and name places.
"""

import time
from collections.abc import Callable
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exporter import registry as r
from exporter.registry import Metric, histogram_lines

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NONE: Final = "none"  # nothing matched


class RequestTimes:
    """Counts; one for an application."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, str], list[int]] = {}
        self._totals: dict[tuple[str, str, str], float] = {}

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """One answer that began so long ago."""
        # Methods are the client's words: unknown ones would each be a series.
        key = (method if method in _METHODS else "other", route, f"{status // 100}xx")
        counts = self._counts.setdefault(key, [0] * (len(r.API_REQUESTS.buckets) + 1))
        for place, bound in enumerate(r.API_REQUESTS.buckets):
            counts[place] += seconds <= bound
        counts[-1] += 1
        self._totals[key] = self._totals.get(key, 0.0) + seconds

    def lines(self) -> tuple[Metric, str]:
        """The family as it stands."""
        known = sorted(self._counts.items())
        text = "".join(histogram_lines(r.API_REQUESTS, key, counts, self._totals[key]) for key, counts in known)
        return r.API_REQUESTS, text


class TimedRequests:
    """ASGI middleware that tells `RequestTimes` of every answer."""

    def __init__(self, app: ASGIApp, times: RequestTimes, clock: Callable[[], float] = time.perf_counter) -> None:
        self._app, self._times, self._clock = app, times, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = self._clock(), 500  # of what never began to answer

        async def watching(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watching)
        finally:
            self._times.observe(scope["method"], _route(scope), status, self._clock() - began)


def _route(scope: Scope) -> str:
    """The template of the route that answered."""
    route: Any = scope.get("route")
    if route is not None:
        return str(route.path)
    return str(scope.get("root_path", "")) or _NONE  # files: where they are mounted
