"""A page: made now and then, compressed once, and not sent to those who have it."""

import gzip
from collections.abc import Iterable

import pytest
from starlette.requests import Request

from exporter.formats import Families
from exporter.packing import Packer
from exporter.pages import Page
from exporter.registry import METRICS

METRIC = METRICS["cuntong_collector_queue_length"]


def asked(**headers: str) -> Request:
    told = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/metrics", "headers": told})


class Source:
    """Counts how often it was asked; says ``value``."""

    def __init__(self) -> None:
        self.value, self.made, self.now = 1, 0, 100.0
        self.page = Page(self.make, 1.0, lambda: self.now)

    async def make(self) -> Families:
        self.made += 1
        return [(METRIC, f"{METRIC.name} {self.value}\n")]


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def compressions(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    done: list[int] = []
    real = Packer.pack

    def pack(self: Packer, blocks: Iterable[bytes]) -> bytes:
        told = list(blocks)
        done.append(len(told))
        return real(self, told)

    monkeypatch.setattr(Packer, "pack", pack)
    return done


async def test_who_asks_within_a_second_gets_what_was_made_and_compressed_once(
    source: Source, compressions: list[int]
) -> None:
    first = await source.page.answer(asked(accept_encoding="gzip"))
    source.value = 2
    source.now += 0.9
    second = await source.page.answer(asked(accept_encoding="gzip"))
    assert first.body == second.body
    assert first.headers["etag"] == second.headers["etag"]
    assert (source.made, len(compressions)) == (1, 1)
    source.now += 0.2
    third = await source.page.answer(asked(accept_encoding="gzip"))
    assert gzip.decompress(bytes(third.body)).endswith(b" 2\n")
    assert third.headers["etag"] != first.headers["etag"]
    assert (source.made, len(compressions)) == (2, 2)


async def test_what_did_not_change_is_neither_compressed_nor_sent_again(
    source: Source, compressions: list[int]
) -> None:
    first = await source.page.answer(asked(accept_encoding="gzip"))
    source.now += 60
    again = await source.page.answer(asked(accept_encoding="gzip", if_none_match=first.headers["etag"]))
    assert (again.status_code, again.body) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert (source.made, len(compressions)) == (2, 1)


async def test_each_format_and_coding_has_its_own_etag(source: Source) -> None:
    seen = set()
    for accept in ("text/plain", "application/openmetrics-text"):
        for coding in ("identity", "gzip"):
            answer = await source.page.answer(asked(accept=accept, accept_encoding=coding))
            assert answer.headers["vary"] == "Accept, Accept-Encoding"
            assert answer.headers["content-type"].startswith(accept)
            assert answer.headers.get("content-encoding") == (coding if coding == "gzip" else None)
            seen.add(answer.headers["etag"])
    assert len(seen) == 4


@pytest.mark.parametrize("told", ['"other", {etag}', "W/{etag}", "*"])
async def test_an_etag_is_found_however_it_is_told(source: Source, told: str) -> None:
    etag = (await source.page.answer(asked())).headers["etag"]
    assert (await source.page.answer(asked(if_none_match=told.format(etag=etag)))).status_code == 304
    assert (await source.page.answer(asked(if_none_match='"other"'))).status_code == 200


async def test_another_process_has_other_etags() -> None:
    one, other = Source(), Source()
    assert (await one.page.answer(asked())).headers["etag"] != (await other.page.answer(asked())).headers["etag"]
