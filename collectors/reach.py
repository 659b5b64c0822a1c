"""Whether the platforms answer from here, the centre. Never evidence that a village can use them.

What counts as service is asked at the site itself: by the kiosk's own scripts. This only tells a platform that is
down for everybody from lines that are.
"""

import asyncio
import contextlib
import re
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from inventory.kiosks import Kiosks

_LONGEST_LINE: Final = 4096
_STATUS: Final = re.compile(rb"HTTP/[\d.]+ ([1-5]\d\d)\b")


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """``path`` is what is asked for by HTTP, over TLS or not; empty where a connection is all that is tried."""

    platform: str
    host: str
    port: int
    path: str = ""
    tls: bool = False


def endpoints_of(kiosks: Kiosks | None) -> tuple[Endpoint, ...]:
    """The hosts and ports of the platforms' pages, each once; of several pages there the first one is asked for."""
    found: dict[tuple[str, str, int], Endpoint] = {}
    for name, platform in kiosks.platforms.items() if kiosks is not None else ():
        for url in platform.urls:
            parts = urlsplit(url)
            if parts.hostname:
                port, tls = parts.port or (80 if parts.scheme == "http" else 443), parts.scheme == "https"
                found.setdefault(
                    (name, parts.hostname, port), Endpoint(name, parts.hostname, port, parts.path or "/", tls)
                )
    return tuple(sorted(found.values()))


class PlatformReach:
    """Tries each endpoint once an interval.

    ``accepted`` says of each whether it took the newest connection, ``statuses`` with which HTTP status it answered.
    """

    def __init__(self, endpoints: Iterable[Endpoint], interval_s: float = 60.0, timeout_s: float = 5.0) -> None:
        self.accepted: dict[Endpoint, bool] = {}
        self.statuses: dict[Endpoint, int] = {}
        self._endpoints = tuple(endpoints)
        self._interval_s, self._timeout_s = interval_s, timeout_s

    async def run(self) -> None:
        """Try until cancelled."""
        while True:
            async with asyncio.TaskGroup() as group:
                for endpoint in self._endpoints:
                    group.create_task(self._try(endpoint))
            await asyncio.sleep(self._interval_s)

    async def _try(self, endpoint: Endpoint) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port, limit=_LONGEST_LINE)
        except (OSError, TimeoutError):
            self.accepted[endpoint] = False
            self.statuses.pop(endpoint, None)
            return
        self.accepted[endpoint] = True
        status = await self._ask(endpoint, reader, writer) if endpoint.path else None
        if status is None:
            self.statuses.pop(endpoint, None)
        else:
            self.statuses[endpoint] = status
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async def _ask(self, endpoint: Endpoint, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int | None:
        """The status of the answer to a HEAD; None where none came, or not in HTTP."""
        try:
            async with asyncio.timeout(self._timeout_s):
                if endpoint.tls:
                    await writer.start_tls(_any_certificate(), server_hostname=endpoint.host)
                request = f"HEAD {endpoint.path} HTTP/1.1\r\nHost: {endpoint.host}\r\nConnection: close\r\n\r\n"
                writer.write(request.encode("ascii", "ignore"))
                await writer.drain()
                found = _STATUS.match(await reader.readline())
        except (OSError, TimeoutError, ValueError):  # ssl's errors are OSErrors; ValueError is a line without an end
            return None
        return int(found[1]) if found else None


def _any_certificate() -> ssl.SSLContext:
    """Whether it answers is asked, and nothing is told or believed: platforms have certificates of their own makers."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
