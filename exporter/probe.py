"""``/probe?target=DEVICE&module=steady``: asks one device now and shows what it says, for who searches a fault.

Behind a token, since whoever may ask at will can load a village's line. It asks through the collector's own schedule,
so pacing holds, the answer counts as any other poll's, and only declared devices can be named.
"""

import asyncio
import hmac
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from collectors.engine import Collector
from exporter.formats import page, wanted
from exporter.text import CountyText
from inventory.model import Inventory

MODULES: Final = ("steady", "survey")
"""What a device always answers; or everything that it has, found out anew."""

_PATIENCE_S: Final = 30.0


class Prober:
    """Answers the requests.

    Args:
        token: who knows it may ask; None lets nobody.
        survey_next: makes the next poll of a device a survey.
        asked: whether a device, by ordinal, is one that we ask.
    """

    def __init__(
        self,
        inventory: Inventory,
        collector: Collector,
        text: CountyText,
        survey_next: Callable[[int], None],
        asked: Callable[[int], bool],
        token: str | None,
        patience_s: float = _PATIENCE_S,
    ) -> None:
        self._inventory, self._collector, self._text = inventory, collector, text
        self._survey_next, self._asked, self._patience_s = survey_next, asked, patience_s
        self._token = None if token is None else token.encode()

    async def answer(self, request: Request) -> Response:
        """The metrics of one device after a fresh poll; a text that says why not, otherwise."""
        if self._token is None:
            return _refusal(HTTPStatus.NOT_FOUND, "Probing is off: this collector has no secret for it.")
        if not self._may(request):
            refusal = _refusal(HTTPStatus.UNAUTHORIZED, "Send the token as Authorization: Bearer TOKEN.")
            refusal.headers["WWW-Authenticate"] = 'Bearer realm="probe"'
            return refusal
        target, module = request.query_params.get("target"), request.query_params.get("module", MODULES[0])
        if not target:
            return _refusal(HTTPStatus.BAD_REQUEST, "Name a device: /probe?target=DEVICE.")
        if module not in MODULES:
            return _refusal(HTTPStatus.BAD_REQUEST, f"The module {module!r} is none of {', '.join(MODULES)}.")
        try:
            ordinal = self._inventory.devices.find(target).ordinal
        except KeyError:
            return _refusal(HTTPStatus.NOT_FOUND, f"No device of this inventory is called {target!r}.")
        if not self._asked(ordinal):
            return _refusal(HTTPStatus.NOT_FOUND, f"{target} is not ours to ask.")
        if module == "survey":
            self._survey_next(ordinal)
        try:
            await asyncio.wait_for(self._collector.poll_and_wait(ordinal), self._patience_s)
        except TimeoutError:
            waited = f"{target} was not asked within {self._patience_s:.0f} s: too much is under way on its uplink."
            return _refusal(HTTPStatus.GATEWAY_TIMEOUT, waited)
        format = wanted(request.headers.get("accept"))
        return Response(page(self._text.of_device(ordinal), format), media_type=format.value)

    def _may(self, request: Request) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        # Both are compared, in a time that does not tell how much was right.
        right = hmac.compare_digest(given.strip().encode(), self._token or b"")
        return scheme.lower() == "bearer" and right


def _refusal(status: HTTPStatus, why: str) -> Response:
    return PlainTextResponse(f"{why}\n", status)
