"""Whether the platforms accept a connection from here, the centre. Never evidence that a village can use them.

What counts as service is asked at the site itself: by the kiosk's own scripts. This only tells a platform that is
down for everybody from lines that are.
"""

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from inventory.kiosks import Kiosks


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    platform: str
    host: str
    port: int


def endpoints_of(kiosks: Kiosks | None) -> tuple[Endpoint, ...]:
    """The hosts and ports of the platforms' pages, each once."""
    found: set[Endpoint] = set()
    for name, platform in kiosks.platforms.items() if kiosks is not None else ():
        for url in platform.urls:
            parts = urlsplit(url)
            if parts.hostname:
                found.add(Endpoint(name, parts.hostname, parts.port or (80 if parts.scheme == "http" else 443)))
    return tuple(sorted(found))


class PlatformReach:
    """Tries each endpoint once an interval; the newest results are in ``accepted``."""

    def __init__(self, endpoints: Iterable[Endpoint], interval_s: float = 60.0, timeout_s: float = 5.0) -> None:
        self.accepted: dict[Endpoint, bool] = {}
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
                _, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
        except (OSError, TimeoutError):
            self.accepted[endpoint] = False
            return
        self.accepted[endpoint] = True
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
