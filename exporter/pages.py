"""A page of metrics as it is served: made at most once a second, compressed where it changed, with an ETag.

A scrape takes what is in memory and never waits for a poll; polls hardly wait for a scrape, which lets them in between
its steps and compresses in a thread.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from exporter.formats import Families, Format, blocks, page, wanted, wants_gzip
from exporter.packing import Packer

FRESH_S: Final = 1.0
"""Two Prometheus that ask for a county within a second get the same page."""


class Page:
    """One address.

    Args:
        make: gives the families, newest values in them.
        fresh_s: how long what was made is served again.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        make: Callable[[], Awaitable[Families]],
        fresh_s: float = FRESH_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make, self._fresh_s, self._clock = make, fresh_s, clock
        self._made_at: float | None = None
        self._families: Families = []
        self._bodies: dict[tuple[Format, bool], bytes] = {}
        self._packers = {format: Packer() for format in Format}
        self._generation = 0
        self._start = secrets.token_hex(4)  # another process of the same page has other ETags
        self._making = asyncio.Lock()

    async def answer(self, request: Request) -> Response:
        """The page as this request wants it; 304 where the reader has it already."""
        format, zipped = wanted(request.headers.get("accept")), wants_gzip(request.headers.get("accept-encoding"))
        async with self._making:
            await self._freshen()
            etag = f'"{self._start}-{self._generation}-{format.name.lower()}{"-gzip" if zipped else ""}"'
            headers = {"ETag": etag, "Vary": "Accept, Accept-Encoding", "Cache-Control": "no-cache"}
            if has_already(request, etag):
                return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
            if zipped:
                headers["Content-Encoding"] = "gzip"
            return Response(await self._body(format, zipped), headers=headers, media_type=format.value)

    async def _freshen(self) -> None:
        if self._made_at is not None and self._clock() - self._made_at < self._fresh_s:
            return
        families = await self._make()
        if families != self._families or self._made_at is None:
            self._families, self._generation = families, self._generation + 1
            self._bodies.clear()
        self._made_at = self._clock()

    async def _body(self, format: Format, zipped: bool) -> bytes:
        body = self._bodies.get((format, zipped))
        if body is None:
            if zipped:
                body = await asyncio.to_thread(self._packers[format].pack, blocks(self._families, format))
            else:
                body = page(self._families, format)
            self._bodies[format, zipped] = body
        return body


def has_already(request: Request, etag: str) -> bool:
    """Whether If-None-Match names this ETag (RFC 9110 section 13.1.2)."""
    told = request.headers.get("if-none-match", "")
    return told.strip() == "*" or etag in (one.strip().removeprefix("W/") for one in told.split(","))
