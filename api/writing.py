"""Writes over HTTP: done once for each Idempotency-Key, and refused in words that programs know."""

import hashlib
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute

from api.actions.errors import ActionError
from api.auth import COOKIE, caller_of, unauthorised
from api.problems import ProblemError
from api.routers.context import standing_of
from api.view import refusal
from ledger import given_answers
from ledger.errors import LedgerError

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=128,
        pattern=r"^[\x21-\x7e]+$",
        description="A new value for each write: sent again with the same, it is done once and answered the same.",
    ),
]
_REPLAYED: Final = {"Idempotency-Replayed": "true"}


class OnceOnly(APIRoute):
    """A route whose writes are done once for each key of each account, for a day."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def once(request: Request) -> Response:
            key = request.headers.get("idempotency-key", "")
            if request.method != "POST" or not 8 <= len(key) <= 128:
                return await handle(request)  # which says what is missing
            account = await _account_of(request)
            body = await request.body()
            asked = hashlib.sha256(f"{request.method} {request.url}\n".encode() + body).hexdigest()
            standing = standing_of(request)
            engine = standing.engine
            given = await run_in_threadpool(given_answers.begin, engine, account, key, asked, standing.now())
            if given is not None:
                return _again(given, asked)
            try:
                response = await handle(request)
            except BaseException:
                await run_in_threadpool(given_answers.drop, engine, account, key)
                raise
            await run_in_threadpool(given_answers.end, engine, account, key, response.status_code, bytes(response.body))
            return response

        return once


async def _account_of(request: Request) -> str:
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    token = bearer.strip() if scheme.lower() == "bearer" else None
    caller = await caller_of(request, token, request.cookies.get(COOKIE))
    if caller is None:
        raise unauthorised("This needs an account. Log in, or send a token: Authorization: Bearer ct_...")
    return caller.account.name


def _again(given: given_answers.Given, asked: str) -> Response:
    if given.request_sha256 != asked:
        detail = "This Idempotency-Key was used for another request."
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "key-used", detail)
    if given.status == 0:
        raise ProblemError(HTTPStatus.CONFLICT, "in-progress", "The same request is being worked on. Ask again soon.")
    return Response(given.body, given.status, media_type="application/json", headers=_REPLAYED)


@contextmanager
def refusals() -> Iterator[None]:
    """What an action refuses becomes a problem document."""
    try:
        yield
    except ActionError as error:
        raise refusal(error) from None
    except LedgerError as error:
        raise ProblemError(HTTPStatus.CONFLICT, "refused", str(error)) from None
