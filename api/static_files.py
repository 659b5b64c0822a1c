"""Files of the page, compressed once for who takes gzip; what has a hash in its name browsers keep for good."""

import gzip
from typing import Final

from anyio import to_thread
from fastapi.staticfiles import StaticFiles
from starlette.responses import FileResponse, Response
from starlette.types import Scope

_COMPRESSED: Final = (".js", ".css", ".svg", ".json")
_HASHED: Final = "app/assets/"
_FOR_GOOD: Final = "public, max-age=31536000, immutable"


class PageFiles(StaticFiles):
    """`StaticFiles` that answers with gzip where that is wanted and worth it."""

    def __init__(self, directory: str) -> None:
        super().__init__(directory=directory)
        self._ready: dict[tuple[str, str], bytes] = {}

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if not isinstance(response, FileResponse) or response.status_code != 200:
            return response
        response.headers["Vary"] = "Accept-Encoding"
        if path.startswith(_HASHED):
            response.headers["Cache-Control"] = _FOR_GOOD
        accepted = next((value for name, value in scope["headers"] if name == b"accept-encoding"), b"")
        if scope["method"] != "GET" or b"gzip" not in accepted or not path.endswith(_COMPRESSED):
            return response
        key = path, response.headers["etag"]
        if key not in self._ready:
            self._ready[key] = await to_thread.run_sync(_compressed, str(response.path))
        headers = {name: value for name, value in response.headers.items() if name != "content-length"}
        return Response(self._ready[key], headers=headers | {"Content-Encoding": "gzip"})


def _compressed(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123  a path as Starlette resolved it
        return gzip.compress(file.read(), 9, mtime=0)
