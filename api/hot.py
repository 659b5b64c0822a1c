"""Answers about coverage that stand ready: bytes, sent before routes and dependencies are worked out again.

An answer is given again to who asks the very same and is known, at this moment, to be the same: the account, its
grants and the token's scopes are part of what is asked. It is given as long as nothing beneath the division changed,
and no longer than a few seconds: what changes with time alone, its own time and the age of proofs, is that old at
most. The plain question, without parameters, is answered here from the start; whatever is unusual goes the usual way.
"""

import hashlib
import random
import re
from collections.abc import Callable, Hashable
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.auth import COOKIE, Door
from api.freshness import REVALIDATE
from api.problems import ProblemError
from api.standing import Snapshot, Standing
from api.view import View
from ledger import sessions

_PATH: Final = re.compile(r"/v1/coverage/([0-9A-Z]{2,12})")
_PAST: Final = (b"as_of", b"known_at")
_MOST: Final = 8192
_FRESH_S: Final = 2.0, 10.0
"""Each answer has a time of its own in between: not all of them are made again in the same second."""
_LARGE: Final = 200
"""Divisions with so many below are answered in a thread: their lists of contradictions are long, and others wait."""
_PLAIN: Final = frozenset({b"host", b"user-agent", b"accept", b"accept-encoding", b"connection", b"accept-language",
                           b"authorization", b"cookie", b"if-none-match"})  # fmt: skip
"""Headers that change nothing but what is named in the key; a question with others goes the usual way."""
_TOLD: Final = [(name.lower().encode(), value.encode()) for name, value in REVALIDATE.items()]

Headers = list[tuple[bytes, bytes]]


class _Question(NamedTuple):
    """``key`` is everything that the answer depends on but the ledger; ``seen`` the ETag that the reader has."""

    key: Hashable
    seen: bytes | None
    code: str
    plain: bool
    view: View


class _Kept(NamedTuple):
    """An answer, the place that it is about, the snapshot that it is of."""

    place: int
    number: int
    until: float
    headers: Headers
    body: bytes
    tag: bytes
    route: Any


class HotAnswers:
    """ASGI middleware around the application.

    Args:
        make: the body of the plain answer about a place, as a view shows it; raises `ProblemError`.
        route: the route that answers the usual way: requests are counted by it.
    """

    def __init__(
        self,
        app: ASGIApp,
        standing: Standing,
        door: Door,
        make: Callable[[View, Snapshot, int], bytes],
        route: Any,
    ) -> None:
        self._app, self._standing, self._door, self._make, self._route = app, standing, door, make, route
        self._kept: dict[Hashable, _Kept] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        path = _PATH.fullmatch(scope["path"])
        asked = self._question(scope, path[1]) if path else None
        if asked is None:
            await self._app(scope, receive, send)
            return
        kept = self._kept.get(asked.key)
        if kept is None or not self._holds(kept):
            kept = await self._made(asked) if asked.plain else None
            if kept is None:
                await self._app(scope, receive, _Keeping(self, self._standing.snapshot, asked, scope, send))
                return
        scope["route"] = kept.route
        if asked.seen is not None and kept.tag in (one.strip() for one in asked.seen.split(b",")):
            told = [pair for pair in kept.headers if pair[0] not in (b"content-length", b"content-type")]
            await send({"type": "http.response.start", "status": 304, "headers": told})
            await send({"type": "http.response.body", "body": b""})
            return
        await send({"type": "http.response.start", "status": 200, "headers": list(kept.headers)})
        await send({"type": "http.response.body", "body": kept.body})

    def keep(self, snapshot: Snapshot, asked: _Question, headers: Headers, body: bytes, route: Any) -> None:
        """Take an answer over that was given the usual way, if it is marked by an ETag."""
        tag = dict(headers).get(b"etag")
        place = self._place(snapshot, asked.code)
        if tag is not None and place is not None:
            self._put(asked.key, _Kept(place, snapshot.number, self._until(), headers, body, tag, route))

    def _put(self, key: Hashable, kept: _Kept) -> None:
        if len(self._kept) >= _MOST:
            self._kept = {}
        self._kept[key] = kept

    def _holds(self, kept: _Kept) -> bool:
        return self._standing.now() < kept.until and self._standing.touched.holds(kept.place, kept.number)

    async def _made(self, asked: _Question) -> _Kept | None:
        """The plain answer; None where it is a refusal, which has words of its own."""
        snapshot = self._standing.snapshot
        place = self._place(snapshot, asked.code)
        if place is None or not asked.view.sees(snapshot.nodes, place):
            return None
        try:
            if snapshot.nodes.ends[place] - place > _LARGE:
                body = await run_in_threadpool(self._make, asked.view, snapshot, place)
            else:
                body = self._make(asked.view, snapshot, place)
        except ProblemError:
            return None
        tag = b'W/"' + hashlib.blake2b(body, digest_size=12).hexdigest().encode() + b'"'
        length = str(len(body)).encode()
        headers = [*_TOLD, (b"etag", tag), (b"content-length", length), (b"content-type", b"application/json")]
        kept = _Kept(place, snapshot.number, self._until(), headers, body, tag, self._route)
        self._put(asked.key, kept)
        return kept

    def _until(self) -> float:
        return self._standing.now() + random.uniform(*_FRESH_S)

    @staticmethod
    def _place(snapshot: Snapshot, code: str) -> int | None:
        try:
            return snapshot.nodes.find(code)
        except KeyError:
            return None

    def _question(self, scope: Scope, code: str) -> _Question | None:
        """What is asked, and by whom; None where it is unusual."""
        query: bytes = scope["query_string"]
        headers = dict(scope["headers"])
        usual = len(headers) == len(scope["headers"]) and _PLAIN.issuperset(headers)
        if not usual or any(word in query for word in _PAST) or b"%" in query or headers.get(b"if-none-match") == b"*":
            return None
        who: Hashable = None
        token = _token(headers)
        if token is None:
            return None
        if token:
            found = self._door.known(token)
            if found is None or sessions.Scope.READ not in found[0].scopes:
                return None
            session, account = found
            who = account.name, account.grants, account.disabled, tuple(session.scopes)
            view = View(self._standing, account)
        elif self._door.access.open_reading or self._door.access.public:
            view = View(self._standing, None, public=not self._door.access.open_reading)
        else:
            return None
        languages = headers.get(b"accept-language", b""), headers.get(b"accept", b"")
        return _Question((code, query, who, languages), headers.get(b"if-none-match"), code, not query, view)


class _Keeping:
    """Sends on, and hands a whole answer of status 200 to who keeps it."""

    def __init__(self, hot: HotAnswers, snapshot: Snapshot, asked: _Question, scope: Scope, send: Send) -> None:
        self._hot, self._snapshot, self._asked, self._scope, self._send = hot, snapshot, asked, scope, send
        self._headers: Headers | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            self._headers = list(message["headers"])
        elif message["type"] == "http.response.body" and self._headers is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                cookies = any(name == b"set-cookie" for name, _ in self._headers)
                if not cookies:
                    route = self._scope.get("route")
                    self._hot.keep(self._snapshot, self._asked, self._headers, self._body, route)
        await self._send(message)


def _token(headers: dict[bytes, bytes]) -> str | None:
    """The token that is shown, empty for none; None where it is shown in an unusual way."""
    try:
        said = headers.get(b"authorization", b"").decode("ascii")
        jar = SimpleCookie(headers.get(b"cookie", b"").decode("ascii"))
    except (UnicodeDecodeError, CookieError):
        return None
    if said:
        word, _, token = said.partition(" ")
        return token.strip() if word == "Bearer" and token.strip() else None
    return jar[COOKIE].value if COOKIE in jar else ""
