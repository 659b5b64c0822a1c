"""The page's files: compressed for who asks, plain for who does not, and kept for good where the name holds a hash."""

from pathlib import Path
from typing import TYPE_CHECKING

import httpx

import api
from api.static_files import PageFiles

if TYPE_CHECKING:
    from tests.api.conftest import World

STYLE = Path(api.__file__).parent / "static" / "style.css"


def test_a_file_comes_compressed_to_who_takes_gzip_and_plain_to_who_does_not(world: "World") -> None:
    small = world.client.get("/static/style.css", headers={"Accept-Encoding": "gzip"})
    plain = world.client.get("/static/style.css", headers={"Accept-Encoding": "identity"})
    assert small.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert small.text == plain.text == STYLE.read_text("utf-8")  # the client has undone it
    assert int(small.headers["content-length"]) < int(plain.headers["content-length"]) / 2
    assert small.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    again = world.client.get(
        "/static/style.css", headers={"Accept-Encoding": "gzip", "If-None-Match": small.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    assert world.client.get("/static/no.css", headers={"Accept-Encoding": "gzip"}).status_code == 404


async def test_only_names_with_a_hash_are_kept_for_good(tmp_path: Path) -> None:
    (tmp_path / "app" / "assets").mkdir(parents=True)
    for name in ("app/manifest.json", "app/assets/main-B6QjpnKb.css"):
        (tmp_path / name).write_text("{}")
    transport = httpx.ASGITransport(PageFiles(str(tmp_path)))
    async with httpx.AsyncClient(transport=transport, base_url="http://page") as client:
        assert "immutable" in (await client.get("/app/assets/main-B6QjpnKb.css")).headers["cache-control"]
        assert "cache-control" not in (await client.get("/app/manifest.json")).headers
