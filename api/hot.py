"""Answers about coverage that stand ready: bytes, sent before routes, dependencies and headers are worked out again.

An answer is kept as the application gave it, for one snapshot, and given again only to who asks the very same and is
known, at this moment, to be the same: the account, its grants and the token's scopes are part of what is asked.
Whatever is not as plain as that goes the usual way.
"""

import re
from collections.abc import Hashable
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.auth import COOKIE, Door
from api.standing import Snapshot, Standing

_PATH: Final = re.compile(r"/v1/coverage/[0-9A-Z]{2,12}")
_PAST: Final = (b"as_of", b"known_at")
_MOST: Final = 8192
_PLAIN: Final = frozenset({b"host", b"user-agent", b"accept", b"accept-encoding", b"connection", b"accept-language",
                           b"authorization", b"cookie", b"if-none-match"})  # fmt: skip
"""Headers that change nothing but what is named in the key; a question with others goes the usual way."""


class HotAnswers:
    """ASGI middleware around the application."""

    def __init__(self, app: ASGIApp, standing: Standing, door: Door) -> None:
        self._app, self._standing, self._door = app, standing, door
        self._snapshot: Snapshot | None = None
        self._kept: dict[Hashable, tuple[list[tuple[bytes, bytes]], bytes, bytes, Any]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or not _PATH.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
            return
        key, seen = self._key(scope)
        if key is None:
            await self._app(scope, receive, send)
            return
        snapshot = self._standing.snapshot
        if snapshot is not self._snapshot or len(self._kept) >= _MOST:
            self._snapshot, self._kept = snapshot, {}
        known = self._kept.get(key)
        if known is None:
            await self._app(scope, receive, _Keeping(self, snapshot, key, scope, send))
            return
        headers, body, tag, scope["route"] = known
        if seen is not None and tag in (one.strip() for one in seen.split(b",")):
            told = [pair for pair in headers if pair[0] not in (b"content-length", b"content-type")]
            await send({"type": "http.response.start", "status": 304, "headers": told})
            await send({"type": "http.response.body", "body": b""})
            return
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _key(self, scope: Scope) -> tuple[Hashable, bytes | None]:
        """Everything that the answer depends on but the snapshot, and the ETag that the reader has; None: unusual."""
        query: bytes = scope["query_string"]
        headers = dict(scope["headers"])
        usual = len(headers) == len(scope["headers"]) and _PLAIN.issuperset(headers)
        if not usual or any(word in query for word in _PAST) or b"%" in query or headers.get(b"if-none-match") == b"*":
            return None, None
        who: Hashable = None
        token = _token(headers)
        if token:
            found = self._door.known(token)
            if found is None:
                return None, None
            session, account = found
            who = account.name, account.grants, account.disabled, tuple(session.scopes)
        elif token is None:
            return None, None
        languages = headers.get(b"accept-language", b""), headers.get(b"accept", b"")
        return (scope["path"], query, who, languages), headers.get(b"if-none-match")

    def keep(
        self, snapshot: Snapshot, key: Hashable, headers: list[tuple[bytes, bytes]], body: bytes, route: Any
    ) -> None:
        """Take an answer over, if it is still of the newest snapshot and marked by an ETag."""
        tag = dict(headers).get(b"etag")
        if tag is not None and self._snapshot is snapshot is self._standing.snapshot:
            self._kept[key] = headers, body, tag, route


class _Keeping:
    """Sends on, and hands a whole answer of status 200 to who keeps it."""

    def __init__(self, hot: HotAnswers, snapshot: Snapshot, key: Hashable, scope: Scope, send: Send) -> None:
        self._hot, self._snapshot, self._key, self._scope, self._send = hot, snapshot, key, scope, send
        self._headers: list[tuple[bytes, bytes]] | None = None
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
                    self._hot.keep(self._snapshot, self._key, self._headers, self._body, route)
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
