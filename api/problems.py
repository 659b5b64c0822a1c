"""Errors as RFC 9457 problem documents, for programs and for people, in Chinese or English (Accept-Language)."""

import logging
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import escape
from pydantic import BaseModel, Field
from pydantic_core import to_json
from starlette.exceptions import HTTPException

from api.problem_words import detail_in, field_in, title_in

log = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"


class FieldProblem(BaseModel):
    """One thing wrong with a request: where it stands, and what is wrong there."""

    pointer: str
    message: str


class ProblemDocument(BaseModel):
    """``type`` is stable and names the kind of problem; ``detail`` says what is wrong and how to mend it.

    ``trace_id`` names this answer in the program's log.
    """

    type: str
    title: str
    status: int
    detail: str
    instance: str
    trace_id: str
    errors: Annotated[list[FieldProblem], Field(max_length=1000)] = []


class ProblemError(Exception):
    """Raised by routers; becomes a problem document."""

    def __init__(self, status: HTTPStatus, kind: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.kind, self.detail, self.headers = status, kind, detail, headers


def not_found(what: str, name: str) -> ProblemError:
    return ProblemError(HTTPStatus.NOT_FOUND, f"no-such-{what}", f"There is no {what} {name!r} in this inventory.")


def nothing_to_see() -> ProblemError:
    """For an account that reads no division: who grants roles, or reads the audit chain, does it at the terminal."""
    return ProblemError(HTTPStatus.FORBIDDEN, "nothing-to-see", NOTHING_TO_SEE)


def refused(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "bad-parameter", detail)


NOTHING_TO_SEE: Final = (
    "This account reads no division. Its work is at the terminal: cuntong user, cuntong audit; or a sec_admin grants "
    "it a role that reads."
)
_PAGE: Final = """<!doctype html>
<html lang="{html_lang}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · 村通</title><link rel="stylesheet" href="/static/style.css">
<link rel="icon" href="/static/icon.svg" type="image/svg+xml"></head>
<body><header class="top"><a class="brand" href="/"><b>村通</b></a></header>
<main class="login"><h1>{title}</h1><p>{detail}</p><p><a href="/login">{login}</a> · <a href="/manual/">{manual}</a></p>
</main></body></html>
"""

Responses = dict[int | str, dict[str, Any]]


def responses(*statuses: int) -> Responses:
    """What an operation's errors look like in the contract."""
    return {status: {"model": ProblemDocument, "description": HTTPStatus(status).phrase} for status in statuses}


RESPONSES: Final = responses(401, 403, 404, 406, 422)
"""Of everything that is read by who has an account."""
WRITING: Final = responses(400, 401, 403, 404, 409, 422)


def in_their_own_media_type(document: dict[str, Any]) -> dict[str, Any]:
    """An OpenAPI document whose errors are said to be what they are; the framework takes them for plain JSON."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if status >= "400" and "application/json" in response.get("content", {}):
                    response["content"] = {MEDIA_TYPE: response["content"].pop("application/json")}
    return document


def install(app: FastAPI, headers: Mapping[str, str]) -> None:
    """Every error of the application becomes a problem document.

    Args:
        headers: of the answer to a bug, which no middleware sees.
    """

    async def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, ProblemError)  # noqa: S101  registered for this class below
        return answer(request, error)

    async def framework(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        status = HTTPStatus(error.status_code)
        kind = status.phrase.lower().replace(" ", "-")
        return answer(request, ProblemError(status, kind, str(error.detail), error.headers))

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        language = language_of(request)
        fields = [
            FieldProblem(
                pointer="/".join(map(str, item["loc"])),
                message=field_in(language, item["type"], item.get("ctx", {}), str(item["msg"])),
            )
            for item in error.errors()[:1000]
        ]
        detail = "; ".join(f"{field.pointer}: {field.message}" for field in fields[:10])
        return answer(request, refused(detail), fields)

    async def bug(request: Request, _error: Exception) -> Response:
        # The traceback goes to the log, never to the reader.
        detail = "The program failed; its log says why."
        response = answer(request, ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, "internal-error", detail))
        response.headers.update(headers)
        return response

    app.add_exception_handler(ProblemError, ours)
    app.add_exception_handler(HTTPException, framework)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Exception, bug)


def language_of(request: Request) -> str:
    """``zh`` where the reader prefers Chinese, else ``en``: programs name no language and read English."""
    wanted = []
    for number, part in enumerate(request.headers.get("accept-language", "").split(",")):
        name, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality or 1)
        except ValueError:
            weight = 0.0
        wanted.append((-weight, number, name.lower()[:2]))
    return next((name for weight, _, name in sorted(wanted) if name in ("zh", "en") and weight < 0), "en")


def _is_page(request: Request) -> bool:
    """Whether a person in a browser asked for a page, which can send him to the login."""
    wants = request.headers.get("accept", "")
    return request.method == "GET" and "text/html" in wants and not request.url.path.startswith("/v1/")


def answer(request: Request, problem: ProblemError, errors: list[FieldProblem] | None = None) -> Response:
    """The document of a problem, in the reader's language."""
    if problem.status is HTTPStatus.UNAUTHORIZED and _is_page(request):
        next = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        asked = {"next": next[:300]} | ({"lang": "en"} if request.query_params.get("lang") == "en" else {})
        return RedirectResponse(f"/login?{urlencode(asked)}", HTTPStatus.SEE_OTHER)
    language, trace = language_of(request), secrets.token_hex(8)
    log.info("%s: %d %s at %s", trace, problem.status, problem.kind, request.url.path)
    document = ProblemDocument(
        type=f"urn:cuntong:problem:{problem.kind}",
        title=title_in(language, problem.status),
        status=problem.status,
        detail=detail_in(language, problem.detail),
        instance=request.url.path,
        trace_id=trace,
        errors=errors or [],
    )
    headers = {"Content-Language": language, "Vary": "Accept-Language", "Cache-Control": "no-store"}
    if _is_page(request):
        # Somebody reads this in a browser: the words, and a way on.
        zh = language == "zh"
        page = _PAGE.format(
            html_lang="zh-CN" if zh else "en",
            title=escape(document.title),
            detail=escape(document.detail),
            login="登录" if zh else "Log in",
            manual="使用手册" if zh else "Manual",
        )
        return HTMLResponse(page, problem.status, headers=headers | dict(problem.headers or {}))
    return Response(
        to_json(document), problem.status, media_type=MEDIA_TYPE, headers=headers | dict(problem.headers or {})
    )
