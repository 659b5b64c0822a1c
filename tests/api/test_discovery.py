"""Service discovery: who is scraped, by which share, and the configuration that Prometheus accepts."""

import asyncio
import gzip
import json
import subprocess
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import leases

if TYPE_CHECKING:
    from tests.api.conftest import World

PATHS = ["/v1/sd/collectors", "/v1/sd/processes"]


def ask(world: "World", path: str, **headers: str) -> httpx.Response:
    told = {name.replace("_", "-"): value for name, value in headers.items()}

    async def answer() -> httpx.Response:
        async with client_of(world) as client:
            return await client.get(path, headers=told)

    return asyncio.run(answer())


def client_of(world: "World") -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(world.app), base_url="http://county")


@pytest.mark.parametrize("path", PATHS)
def test_who_has_the_list_is_not_sent_it_again(lit: "World", path: str) -> None:
    first = ask(lit, path)
    etag = first.headers["etag"]
    again = ask(lit, path, if_none_match=etag)
    assert (again.status_code, again.content) == (304, b"")
    leases.acquire(lit.engine, "511800000000", "other", "192.0.2.1:9161", lit.now, 60)
    more = ask(lit, path, if_none_match=etag)
    assert more.status_code == 200
    assert more.headers["etag"] != etag
    assert len(more.json()) == 2


@pytest.mark.parametrize("path", PATHS)
def test_the_list_is_compressed_for_who_wants_it(lit: "World", path: str) -> None:
    plain = ask(lit, path, accept_encoding="identity")
    assert "content-encoding" not in plain.headers
    zipped = asyncio.run(_raw(lit, path))
    assert json.loads(gzip.decompress(zipped)) == plain.json()


async def _raw(world: "World", path: str) -> bytes:
    async with client_of(world) as client, client.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.headers["content-encoding"] == "gzip"
        return b"".join([part async for part in answer.aiter_raw()])


def test_nobody_collects_is_an_empty_list(lit: "World") -> None:
    lit.now += 61
    for path in PATHS:
        answer = ask(lit, path)
        assert (answer.status_code, answer.json()) == (200, [])
        assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("told", "cache"), [("60", "max-age=30"), ("0.5", "max-age=0"), ("", "no-cache"), ("soon", "no-cache")]
)
def test_caches_keep_it_for_half_the_time_that_prometheus_waits(lit: "World", told: str, cache: str) -> None:
    answer = ask(lit, "/v1/sd/collectors", x_prometheus_refresh_interval_seconds=told)
    assert answer.headers["cache-control"] == cache


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 40))
def test_a_county_keeps_its_shard_whoever_comes_and_goes(lit: "World", of: int) -> None:
    (shard,) = [at for at in range(of) if lit.get("/v1/sd/collectors", shard=at, of=of)]
    assert shard == zlib.crc32(b"511825000000") % of
    assert bool(lit.get("/v1/sd/processes", shard=shard, of=of))


@pytest.mark.parametrize(("shard", "of", "jobs"), [(0, 1, 3), (0, 4, 3), (3, 4, 2)])
def test_prometheus_accepts_the_configuration(
    lit: "World", tmp_path: Path, program: Any, shard: int, of: int, jobs: int
) -> None:
    answer = ask(lit, f"/v1/sd/scrape-config?shard={shard}&of={of}", host="county.example:8080")
    assert answer.headers["content-type"].startswith("text/plain")
    config = yaml.safe_load(answer.text)
    assert len(config["scrape_configs"]) == jobs
    (found,) = config["scrape_configs"][0]["http_sd_configs"]
    share = f"?shard={shard}&of={of}" if of > 1 else ""
    assert found["url"] == f"http://county.example:8080/v1/sd/collectors{share}"
    file = tmp_path / "prometheus.yml"
    file.write_text(answer.text, "utf-8")
    checked = subprocess.run(
        [program.path("promtool"), "check", "config", str(file)], capture_output=True, timeout=60, check=False
    )
    assert checked.returncode == 0, checked.stderr.decode()


@pytest.mark.parametrize("host", ["a b", "x:y", 'evil"}', "[::1", "..:99999999"])
def test_a_strange_host_is_in_no_configuration(lit: "World", host: str) -> None:
    assert ask(lit, "/v1/sd/scrape-config", host=host).status_code == 422


def test_a_shard_that_cannot_be_has_no_configuration(lit: "World") -> None:
    lit.refused("/v1/sd/scrape-config", 422, shard=4, of=4)
