"""Answers that need not be sent, or made, again: ETags by what is said, and bodies remembered for one snapshot."""

import hashlib
from collections.abc import Callable, Hashable
from http import HTTPStatus
from typing import Final

from fastapi import Request, Response

from api.standing import Snapshot

REVALIDATE: Final = {"Cache-Control": "private, no-cache", "Vary": "Accept, Authorization, Cookie"}
"""A browser may keep it, asks each time whether it still holds, and never shows it to somebody else."""
FOR_EVER: Final = {"Cache-Control": "private, max-age=31536000, immutable", "Vary": "Accept, Authorization, Cookie"}
"""Of what is published under its hash and never changes."""
_MOST: Final = 4096


def answered(
    request: Request, body: bytes, media_type: str = "application/json", headers: dict[str, str] | None = None
) -> Response:
    """The body under its ETag; nothing but the status where the reader has it already."""
    tag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    return tagged(request, tag, body, media_type, headers)


def tagged(
    request: Request, tag: str, body: bytes, media_type: str = "application/json", headers: dict[str, str] | None = None
) -> Response:
    """An answer under an ETag that is known."""
    told = {**REVALIDATE, **(headers or {}), "ETag": tag}
    known = request.headers.get("if-none-match", "")
    if known == "*" or tag in (one.strip() for one in known.split(",")):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=told)
    return Response(body, media_type=media_type, headers=told)


class Remembered:
    """Bodies of the newest snapshot, made once and sent to all who ask the same and may see the same."""

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        self._bodies: dict[Hashable, tuple[str, bytes]] = {}

    def answer(self, request: Request, snapshot: Snapshot, key: Hashable, make: Callable[[], bytes]) -> Response:
        """The answer to a question about ``snapshot``; ``key`` names everything else that it depends on."""
        if snapshot is not self._snapshot or len(self._bodies) >= _MOST:
            self._snapshot, self._bodies = snapshot, {}
        known = self._bodies.get(key)
        if known is None:
            body = make()
            known = self._bodies[key] = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"', body
        return tagged(request, known[0], known[1])
