"""Errors as RFC 9457 problem documents, for programs and for people."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel
from pydantic_core import to_json
from starlette.exceptions import HTTPException

MEDIA_TYPE: Final = "application/problem+json"


class FieldProblem(BaseModel):
    """One thing wrong with a request: where it stands, and what is wrong there."""

    pointer: str
    message: str


class ProblemDocument(BaseModel):
    """``type`` is stable and names the kind of problem; ``detail`` says what is wrong and how to mend it."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[FieldProblem] = []


class ProblemError(Exception):
    """Raised by routers; becomes a problem document."""

    def __init__(self, status: HTTPStatus, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.kind, self.detail = status, kind, detail


def not_found(what: str, name: str) -> ProblemError:
    return ProblemError(HTTPStatus.NOT_FOUND, f"no-such-{what}", f"There is no {what} {name!r} in this inventory.")


def refused(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "bad-parameter", detail)


Responses = dict[int | str, dict[str, Any]]

RESPONSES: Final[Responses] = {
    status: {"model": ProblemDocument, "description": title}
    for status, title in ((404, "Not found"), (422, "Bad parameter"))
}


def in_their_own_media_type(document: dict[str, Any]) -> dict[str, Any]:
    """An OpenAPI document whose errors are said to be what they are; the framework takes them for plain JSON."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if status >= "400" and "application/json" in response["content"]:
                    response["content"] = {MEDIA_TYPE: response["content"].pop("application/json")}
    return document


def install(app: FastAPI, headers: Mapping[str, str]) -> None:
    """Every error of the application becomes a problem document.

    Args:
        headers: of the answer to a bug, which no middleware sees.
    """

    async def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, ProblemError)  # noqa: S101  registered for this class below
        return _answer(request, error.status, error.kind, error.detail)

    async def framework(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        status = HTTPStatus(error.status_code)
        return _answer(request, status, status.phrase.lower().replace(" ", "-"), str(error.detail))

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        fields = [
            FieldProblem(pointer="/".join(map(str, item["loc"])), message=str(item["msg"])) for item in error.errors()
        ]
        detail = "; ".join(f"{field.pointer}: {field.message}" for field in fields)
        return _answer(request, HTTPStatus.UNPROCESSABLE_ENTITY, "bad-parameter", detail, fields)

    async def bug(request: Request, _error: Exception) -> Response:
        # The traceback goes to the log, never to the reader.
        detail = "The program failed; its log says why."
        response = _answer(request, HTTPStatus.INTERNAL_SERVER_ERROR, "internal-error", detail)
        response.headers.update(headers)
        return response

    app.add_exception_handler(ProblemError, ours)
    app.add_exception_handler(HTTPException, framework)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Exception, bug)


def _answer(
    request: Request, status: HTTPStatus, kind: str, detail: str, errors: list[FieldProblem] | None = None
) -> Response:
    document = ProblemDocument(
        type=f"urn:cuntong:problem:{kind}",
        title=status.phrase,
        status=status,
        detail=detail,
        instance=request.url.path,
        errors=errors or [],
    )
    return Response(to_json(document), status, media_type=MEDIA_TYPE)
