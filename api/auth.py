"""Who asks, and what that lets him see and do: bearer tokens for programs, cookies for browsers (duties S1 to S6).

The routers take one of these dependencies and nothing else:

- `Viewer`: a `View` of somebody with an account (or of anybody, where reading is open on loopback);
- `PublicViewer`: the same, or the public's view where the deployment publishes its figures;
- `WholeViewer`: who sees the whole deployment, for what cannot be cut to a division;
- `Actor`: the account that a write is done by, over a token that may write, or a cookie from our own pages.
"""

import hashlib
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from api.actions import accounts as actions
from api.actions.errors import NotLoggedInError
from api.problems import ProblemError
from api.routers.context import standing_of
from api.standing import Standing
from api.view import View
from inventory.divisions import Nodes
from ledger.accounts import Account
from ledger.sessions import Scope, Session

COOKIE: Final = "ct_session"
HEADER: Final = "X-Cuntong-Request"
"""A header that no foreign page can make a browser send: its presence, beside Origin, is the proof against forgery."""
_KNOWN_S: Final = 2.0
"""For how long an answer about a token is believed: after a revocation it works no longer than that."""
_KNOWN_MOST: Final = 4096

_BEARER: Final = HTTPBearer(auto_error=False, scheme_name="token", description="`cuntong token add` makes one.")
_SESSION: Final = APIKeyCookie(name=COOKIE, auto_error=False, scheme_name="session", description="POST /v1/session.")


@dataclass(frozen=True, slots=True)
class Access:
    """Who may read without an account.

    Args:
        open_reading: everybody who reaches this program reads everything; only for loopback.
        public: everybody reads what may be published.
    """

    open_reading: bool = False
    public: bool = False


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. ``account`` is narrowed to what his token is for."""

    account: Account
    session: Session
    token: str
    by_cookie: bool


class Door:
    """Knows who asks, with the newest answers kept for a moment: no SQL at every request (decision D10)."""

    def __init__(self, standing: Standing, access: Access) -> None:
        self.access = access
        self._standing = standing
        self._known: dict[str, tuple[float, Session, Account]] = {}

    def known(self, token: str) -> tuple[Session, Account] | None:
        found = self._known.get(_key(token))
        if found is None or not 0 <= self._standing.now() - found[0] < _KNOWN_S:
            return None
        return found[1:] if found[1].lives(self._standing.now()) else None

    def ask(self, token: str) -> tuple[Session, Account]:
        """Ask the ledger whose token it is.

        Raises:
            NotLoggedInError: nobody's.
        """
        now = self._standing.now()
        session, account = actions.session_of(self._standing.engine, token, now)
        account = narrowed(account, session.division, self._standing.inventory.nodes)
        if len(self._known) >= _KNOWN_MOST:
            self._known.clear()
        self._known[_key(token)] = now, session, account
        return session, account

    def forget(self) -> None:
        """Believe nothing that was known: somebody logged out, or a token was revoked."""
        self._known.clear()


def narrowed(account: Account, division: str, nodes: Nodes) -> Account:
    """An account as a token for one division knows it: each grant cut to what both cover."""
    if not division:
        return account
    place = nodes.index.get(division)
    if place is None:
        return replace(account, grants=())
    kept = []
    for grant in account.grants:
        held = nodes.index.get(grant.division)
        if held is None:
            continue
        if held <= place < nodes.ends[held]:
            kept.append(replace(grant, division=division))
        elif place <= held < nodes.ends[place]:
            kept.append(grant)
    return replace(account, grants=tuple(kept))


def _key(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()  # a token does not stand about in memory for long


def door_of(request: Request) -> Door:
    door: Door = request.app.state.door
    return door


async def _caller(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)] = None,
    cookie: Annotated[str | None, Security(_SESSION)] = None,
) -> Caller | None:
    return await caller_of(request, bearer.credentials if bearer else None, cookie)


async def caller_of(request: Request, bearer: str | None, cookie: str | None) -> Caller | None:
    """Who asks; None where nobody says who he is.

    Raises:
        ProblemError: 401, what he shows is no token of anybody's.
    """
    door, token = door_of(request), bearer or cookie
    if not token:
        if request.headers.get("authorization"):
            raise unauthorised("The Authorization header is not: Bearer TOKEN.")
        return None
    found = door.known(token)
    if found is None:
        try:
            found = await run_in_threadpool(door.ask, token)
        except NotLoggedInError:
            # A browser whose session is over still reads what everybody may.
            if bearer is None and (door.access.open_reading or door.access.public):
                return None
            raise unauthorised("The token is unknown, over or revoked, or the session has ended.") from None
    session, account = found
    return Caller(account, session, token, by_cookie=not bearer)


def unauthorised(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNAUTHORIZED, "not-logged-in", detail, {"WWW-Authenticate": "Bearer"})


Somebody = Annotated[Caller | None, Depends(_caller)]


async def _viewer(request: Request, caller: Somebody) -> View:
    standing, access = standing_of(request), door_of(request).access
    if caller is None:
        if access.open_reading:
            return View(standing, None)
        raise unauthorised("This needs an account. Log in, or send a token: Authorization: Bearer ct_...")
    return _view(standing, caller)


async def _public_viewer(request: Request, caller: Somebody) -> View:
    access = door_of(request).access
    if caller is None and access.public and not access.open_reading:
        return View(standing_of(request), None, public=True)
    return await _viewer(request, caller)


async def _whole_viewer(request: Request, caller: Somebody) -> View:
    view = await _viewer(request, caller)
    if not view.whole:
        raise ProblemError(
            HTTPStatus.FORBIDDEN, "forbidden", "This speaks of the whole deployment; your grant is for a part of it."
        )
    return view


def _view(standing: Standing, caller: Caller) -> View:
    if Scope.READ not in caller.session.scopes:
        raise ProblemError(HTTPStatus.FORBIDDEN, "forbidden", "This token may not read.")
    return View(standing, caller.account)


async def _logged_in(caller: Somebody) -> Caller:
    if caller is None:
        raise unauthorised("Nobody is logged in.")
    return caller


async def _writer(request: Request, caller: Annotated[Caller, Depends(_logged_in)]) -> Caller:
    check_origin(request, caller)
    if Scope.WRITE not in caller.session.scopes:
        raise ProblemError(HTTPStatus.FORBIDDEN, "forbidden", "This token reads and does not write.")
    return caller


async def _actor(writer: Annotated[Caller, Depends(_writer)]) -> Account:
    return writer.account


async def _acting(request: Request, writer: Annotated[Caller, Depends(_writer)]) -> View:
    return View(standing_of(request), writer.account)


def check_origin(request: Request, caller: Caller | None) -> None:
    """Refuse what another site's page makes a browser send with our cookie.

    Raises:
        ProblemError: 403.
    """
    if caller is not None and not caller.by_cookie:
        return
    check_same_origin(request)
    if HEADER.lower() not in request.headers:
        raise _foreign()


def check_same_origin(request: Request) -> None:
    """Refuse what was not sent by a page of ours.

    Raises:
        ProblemError: 403.
    """
    if urlsplit(request.headers.get("origin", "")).netloc != request.url.netloc:
        raise _foreign()


def _foreign() -> ProblemError:
    detail = f"A browser writes from our own pages only, with the header {HEADER}."
    return ProblemError(HTTPStatus.FORBIDDEN, "foreign-page", detail)


def set_cookie(request: Request, response: Response, token: str) -> None:
    """Hand a browser its session: no script reads it, and no foreign page makes it send it."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(actions.SESSION_S),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
        path="/",
    )
    response.headers["Cache-Control"] = "no-store"


Viewer = Annotated[View, Depends(_viewer)]
PublicViewer = Annotated[View, Depends(_public_viewer)]
WholeViewer = Annotated[View, Depends(_whole_viewer)]
LoggedIn = Annotated[Caller, Depends(_logged_in)]
Writer = Annotated[Caller, Depends(_writer)]
Actor = Annotated[Account, Depends(_actor)]
Acting = Annotated[View, Depends(_acting)]
"""The view of who writes: what he may not see answers 404 before anybody asks whether he may change it."""
