"""``/v1/session``, ``/v1/me``, ``/v1/tokens``: logging in and out, who one is, and tokens for programs."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from api.actions import accounts as actions
from api.auth import COOKIE, LoggedIn, Writer, check_origin, door_of, set_cookie
from api.problems import ProblemError, Responses, not_found, responses
from api.routers.context import StandingHere
from api.standing import shown
from api.view import View
from api.writing import refusals
from ledger.accounts import AccountError
from ledger.sessions import Kind, Scope, Session

router = APIRouter(tags=["access"])

_LOGIN: Responses = responses(400, 401, 403, 422, 429)
_MINE: Responses = responses(401, 403)
_MAKING: Responses = responses(400, 401, 403, 404, 409, 422)


class LoginBody(BaseModel):
    name: Annotated[str, Field(min_length=1, max_length=64)]
    password: Annotated[str, Field(min_length=1, max_length=256)]


class GrantAnswer(BaseModel):
    """A role in a division and everything below it; the name is empty where the division is no more."""

    role: str
    code: str
    name: str


class Me(BaseModel):
    """Who asks. ``divisions`` are where his reading begins; ``scopes`` what this session or token may do."""

    name: str
    full_name: str
    kind: str
    scopes: list[str]
    expires_at: datetime
    grants: Annotated[list[GrantAnswer], Field(max_length=1000)]
    divisions: Annotated[list[str], Field(max_length=1000)]


class TokenAnswer(BaseModel):
    """A session or token. ``id`` names it and lets nobody in."""

    id: str
    account: str
    kind: str
    title: str
    scopes: list[str]
    division: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    ended: bool


class TokenList(BaseModel):
    data: Annotated[list[TokenAnswer], Field(max_length=1000)]


class TokenBody(BaseModel):
    """``division`` narrows it to a part of what the account may."""

    title: Annotated[str, Field(min_length=1, max_length=128)]
    days: Annotated[int, Field(ge=1, le=366)] = 90
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=2)] = [Scope.READ]
    division: Annotated[str | None, Field(max_length=12)] = None


class NewToken(BaseModel):
    """``token`` is told this once."""

    token: str


@router.post("/v1/session", operation_id="log_in", responses=_LOGIN)
def log_in(request: Request, response: Response, standing: StandingHere, body: LoginBody) -> Me:
    """Log in with name and password, from one of our own pages; the session is a cookie."""
    check_origin(request, None)
    address = request.client.host if request.client else ""
    now = standing.now()
    with refusals():
        try:
            token = actions.log_in(standing.engine, body.name, body.password, now, f"web {address}", Kind.WEB, address)
        except AccountError as error:
            raise ProblemError(HTTPStatus.UNAUTHORIZED, "not-logged-in", str(error)) from None
        session, account = door_of(request).ask(token)
    set_cookie(request, response, token)
    return _me(View(standing, account), session)


@router.delete("/v1/session", operation_id="log_out", status_code=204, responses=_MINE)
def log_out(request: Request, response: Response, standing: StandingHere, caller: LoggedIn) -> None:
    """End this session (or this token) at once."""
    check_origin(request, caller)
    actions.log_out(standing.engine, caller.token, standing.now())
    door_of(request).forget()
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


@router.get("/v1/me", operation_id="me", responses=_MINE)
def me(response: Response, standing: StandingHere, caller: LoggedIn) -> Me:
    """Who asks, and what he may do where."""
    response.headers["Cache-Control"] = "no-store"
    return _me(View(standing, caller.account), caller.session)


def _me(view: View, session: Session) -> Me:
    nodes, account = view.standing.inventory.nodes, view.account
    if account is None:
        raise not_found("account", "")
    return Me(
        name=account.name,
        full_name=account.full_name,
        kind=session.kind,
        scopes=sorted(session.scopes),
        expires_at=shown(session.expires_at),
        grants=[
            GrantAnswer(
                role=grant.role,
                code=grant.division,
                name=nodes.names[nodes.index[grant.division]] if grant.division in nodes.index else "",
            )
            for grant in account.grants
        ],
        divisions=[nodes.codes[place] for place in view.roots()],
    )


@router.get("/v1/tokens", operation_id="tokens", responses=_MINE)
def tokens(standing: StandingHere, caller: LoggedIn) -> TokenList:
    """One's own sessions and tokens; a sec_admin's list has everybody's. The newest first."""
    now = standing.now()
    found = [_token(one, now) for one in reversed(actions.tokens_of(standing.engine, caller.account))]
    return TokenList(data=found[:1000])


def _token(one: Session, now: float) -> TokenAnswer:
    return TokenAnswer(
        id=one.id,
        account=one.account,
        kind=one.kind,
        title=one.title,
        scopes=sorted(one.scopes),
        division=one.division,
        created_at=shown(one.created_at),
        expires_at=shown(one.expires_at),
        last_used_at=shown(one.last_used_at),
        ended=not one.lives(now),
    )


@router.post("/v1/tokens", operation_id="make_token", status_code=201, responses=_MAKING)
def make_token(standing: StandingHere, writer: Writer, body: TokenBody) -> NewToken:
    """Make a token for a program: it may do no more than who makes it, and is shown this once."""
    if writer.session.kind is Kind.TOKEN:
        # One that got lost would else live on in those that it made.
        raise ProblemError(HTTPStatus.FORBIDDEN, "forbidden", "A token makes no tokens. Log in with the password.")
    if not set(body.scopes) <= writer.session.scopes:
        raise ProblemError(HTTPStatus.FORBIDDEN, "forbidden", "A token gives no more than who makes it has.")
    division = writer.session.division
    if body.division is not None:
        nodes = standing.inventory.nodes
        view = View(standing, writer.account)
        division = nodes.codes[view.node_in(nodes, body.division)]
    with refusals():
        made = actions.make_token(
            standing.engine, writer.account, body.title, standing.now(), body.days * 86_400.0,
            tuple(sorted(set(body.scopes))), division,
        )  # fmt: skip
    return NewToken(token=made)


@router.delete(
    "/v1/tokens/{id}", operation_id="revoke_token", status_code=204, responses=responses(401, 403, 404, 409, 422)
)
def revoke_token(
    request: Request,
    standing: StandingHere,
    writer: Writer,
    id: Annotated[str, Path(pattern=r"^[0-9a-f]{12}$", description="As the list names it.")],
) -> None:
    """End a session or token at once."""
    if all(one.id != id for one in actions.tokens_of(standing.engine, writer.account)):
        raise not_found("token", id)
    with refusals():
        actions.revoke_token(standing.engine, writer.account, id, standing.now())
    door_of(request).forget()
