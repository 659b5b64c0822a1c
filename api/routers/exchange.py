"""``/v1/exchange``: signed files of districts, given to who may have them and taken in from whom we trust."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from api.actions import exchange as actions
from api.auth import Acting, Actor, LoggedIn, Viewer
from api.exchange.signing import FORMAT, Signer, Trust
from api.problems import RESPONSES, WRITING, ProblemError, responses
from api.routers.context import Code
from api.standing import shown
from api.view import View
from api.writing import refusals
from inventory.divisions import full_code
from ledger import exchanges

router = APIRouter(tags=["exchange"], responses={**RESPONSES, **responses(503)})

MOST_BYTES: Final = 64 * 2**20
"""A prefecture's file is some 10 MiB; larger ones are taken in by `cuntong exchange import`."""
_MOST_NAMED: Final = 1000
_SIGNED: Final[dict[str, Any]] = {
    "type": "object",
    "description": "What GET /v1/exchange/{code} of the other instance gave, byte for byte.",
    "required": ["format", "key", "signature", "payload"],
    "properties": {
        "format": {"const": FORMAT},
        "key": {"type": "string", "description": "The signer's public key: Ed25519, 32 bytes in base64."},
        "signature": {"type": "string", "description": "64 bytes in base64, over the bytes of the payload."},
        "payload": {"type": "string", "description": "The signed text: JSON with the claims, verdicts and facts."},
    },
}


@dataclass(frozen=True, slots=True)
class Exchanging:
    """What this instance exchanges files with.

    Args:
        instance: what it calls itself.
        signer: gives its private key; raises `ActionError` where that cannot be used.
        trust: whose files are taken in, as exchange.yml says at this moment.
    """

    instance: str
    signer: Callable[[], Signer]
    trust: Callable[[], Trust]


class ExchangeTaken(BaseModel):
    """What a file brought, or would bring where nothing was ``written``; ``unmatched`` sites are not declared here."""

    instance: str
    division: str
    name: str
    made_at: datetime
    sha256: str
    snapshot: str
    sites: int
    unmatched: Annotated[list[str], Field(max_length=_MOST_NAMED)]
    verdicts: int
    claims: int
    facts: int
    written: bool


class TakenFile(BaseModel):
    """A file that was taken in before. ``key`` is the id of the key that signed it."""

    sha256: str
    instance: str
    key: str
    division: str
    snapshot: str
    made_at: datetime
    taken_at: datetime
    taken_by: str
    sites: int
    unmatched: int


class TakenList(BaseModel):
    data: Annotated[list[TakenFile], Field(max_length=_MOST_NAMED)]


@router.get("/v1/exchange", operation_id="exchanges")
def taken_files(view: Viewer) -> TakenList:
    """The files that were taken in, the newest first."""
    with view.standing.query() as connection:
        found = exchanges.every(connection, _MOST_NAMED)
    return TakenList(
        data=[
            TakenFile(
                sha256=one.sha256, instance=one.instance, key=one.key, division=one.division, snapshot=one.snapshot,
                made_at=shown(one.made_at), taken_at=shown(one.taken_at), taken_by=one.taken_by, sites=one.sites,
                unmatched=one.unmatched,
            )
            for one in found
            if view.sees_code(one.division)
        ]
    )  # fmt: skip


@router.get(
    "/v1/exchange/{code}",
    operation_id="export_exchange",
    response_class=Response,
    responses={
        200: {"content": {"application/json": {"schema": _SIGNED}}, "description": "The signed file."},
        **WRITING,
    },
)
def export(request: Request, view: Viewer, caller: LoggedIn, code: Code) -> Response:
    """The signed file of a division: what is claimed, measured and told of its sites, and its figures; audited."""
    standing, nodes = view.standing, view.standing.inventory.nodes
    division = nodes.codes[view.node_in(nodes, code)]
    given = _exchanging(request)
    with refusals():
        data = actions.export(
            standing, standing.engine, caller.account, division, given.instance, given.signer(), standing.now()
        )
    name = f'attachment; filename="cuntong-{division}.json"'
    headers = {"Cache-Control": "no-store", "Content-Disposition": name}
    return Response(data, media_type="application/json", headers=headers)


@router.post(
    "/v1/exchange",
    operation_id="take_exchange",
    responses={**WRITING, **responses(413)},
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": _SIGNED}}}},
)
async def take(
    request: Request,
    view: Acting,
    actor: Actor,
    dry_run: Annotated[bool, Query(description="Check everything, write nothing.")] = False,
) -> ExchangeTaken:
    """Take in what a trusted key signed for its own part of the tree. A file is taken in once: no key is needed."""
    given, standing = _exchanging(request), view.standing
    data = await _body(request)

    def taking() -> actions.Taken:
        with refusals():
            return actions.take(
                standing.engine, standing.inventory, actor, data, _trusted(given.trust(), view), standing.now(),
                dry_run=dry_run,
            )  # fmt: skip

    made = await run_in_threadpool(taking)
    told = made.district
    return ExchangeTaken(
        instance=told.instance, division=told.division, name=told.name, made_at=shown(told.made_at), sha256=made.sha256,
        snapshot=told.snapshot, sites=made.sites, unmatched=list(made.unmatched[:_MOST_NAMED]), verdicts=made.verdicts,
        claims=made.claims, facts=made.facts, written=not dry_run,
    )  # fmt: skip


def _trusted(trust: Trust, view: View) -> Trust:
    """The keys that speak for what the account may see: of the others it does not learn that they are known."""
    return Trust(trusts=tuple(one for one in trust.trusts if view.sees_code(full_code(one.division))))


def _exchanging(request: Request) -> Exchanging:
    found: Exchanging | None = request.app.state.exchanging
    if found is None:
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "not-configured", "This instance exchanges no files.")
    return found


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            detail = f"At most {MOST_BYTES} bytes are taken at once; cuntong exchange import takes larger files."
            raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", detail)
        parts.append(part)
    return b"".join(parts)
