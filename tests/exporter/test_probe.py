"""``/probe``: who may ask, what can be asked, and that the device really is."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from collectors.engine import Collector, Done
from collectors.schedule import Schedule
from cuntong.collect import fleet_of, probe_token
from cuntong.errors import StartError
from cuntong.secrets import Resolver
from exporter.http import metrics_app
from exporter.own import CollectorMetrics
from exporter.probe import Prober
from exporter.text import CountyText
from health.reading import Processor, Readings
from inventory.model import Inventory
from ledger import leases
from ledger.database import open_ledger, sqlite_url
from ledger.journal import Journal

TOKEN = "a-long-word"  # noqa: S105
ROUTER = "tq-chengxiang-xuyu-cpe1"


class Answers:
    """Every device answers, and says how often it was asked; nobody before ``open`` is set."""

    def __init__(self) -> None:
        self.asked: dict[int, int] = {}
        self._answering: list[asyncio.Task[None]] = []
        self.surveyed: list[int] = []
        self.open = asyncio.Event()

    def ask(self, ordinal: int, done: Done) -> None:
        self.asked[ordinal] = self.asked.get(ordinal, 0) + 1
        self._answering.append(asyncio.create_task(self._answer(ordinal, done)))

    async def _answer(self, ordinal: int, done: Done) -> None:
        await self.open.wait()
        done(ordinal, Readings(processors=(Processor("0", self.asked[ordinal] / 100),)))


class Bench:
    def __init__(self, inventory: Inventory, folder: Path) -> None:
        self.inventory = inventory
        self.engine = open_ledger(sqlite_url(folder / "ledger.sqlite3"))
        lease = leases.acquire(self.engine, inventory.top, "test", "127.0.0.1:1", time.time(), 60)
        self.asker = Answers()
        count = len(inventory.devices)
        journal = Journal(self.engine, lease, time.time, 60)
        self.router = inventory.devices.find(ROUTER).ordinal
        schedule = Schedule([0] * count, 3600.0, 8)
        self.collector = Collector(fleet_of(inventory), [self.router], schedule, self.asker, journal, time.time)
        self.text = CountyText(inventory, self.collector)

    def client(self, token: str | None = TOKEN, patience_s: float = 30.0) -> httpx.AsyncClient:
        prober = Prober(
            self.inventory,
            self.collector,
            self.text,
            self.asker.surveyed.append,
            lambda ordinal: ordinal == self.router,
            token,
            patience_s,
        )
        own = CollectorMetrics(self.collector, ["x"] * len(self.inventory.devices), dict)
        app = metrics_app({self.inventory.top: self.text}, own, prober)
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://collector")


@pytest.fixture
async def bench(example: Inventory, tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(example, tmp_path)
    running = asyncio.ensure_future(bench.collector.run())
    await asyncio.sleep(0)
    yield bench
    running.cancel()
    bench.asker.open.set()
    await asyncio.gather(running, return_exceptions=True)
    bench.engine.dispose()


def bearer(token: str = TOKEN) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_a_probe_asks_the_device_now_and_shows_it_alone(bench: Bench) -> None:
    bench.asker.open.set()
    async with bench.client() as client:
        first = await client.get("/probe", params={"target": ROUTER}, headers=bearer())
        asked = bench.asker.asked[bench.router]
        second = await client.get("/probe", params={"target": ROUTER, "module": "steady"}, headers=bearer())
    assert (first.status_code, second.status_code) == (200, 200)
    assert bench.asker.asked[bench.router] == asked + 1
    families = {family.name: family for family in text_string_to_metric_families(second.text)}
    (cpu,) = families["cuntong_device_cpu_usage_ratio"].samples
    assert cpu.value == bench.asker.asked[bench.router] / 100
    assert {sample.labels["device"] for family in families.values() for sample in family.samples} == {ROUTER}
    assert bench.asker.surveyed == []


async def test_a_probe_can_find_out_anew_what_a_device_has(bench: Bench) -> None:
    bench.asker.open.set()
    async with bench.client() as client:
        answer = await client.get("/probe", params={"target": ROUTER, "module": "survey"}, headers=bearer())
    assert answer.status_code == 200
    assert bench.asker.surveyed == [bench.router]


async def test_a_probe_speaks_openmetrics_to_who_wants_it(bench: Bench) -> None:
    bench.asker.open.set()
    async with bench.client() as client:
        headers = bearer() | {"Accept": "application/openmetrics-text"}
        answer = await client.get("/probe", params={"target": ROUTER}, headers=headers)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        pytest.param({}, 400, "Name a device", id="no target"),
        pytest.param({"target": ""}, 400, "Name a device", id="an empty target"),
        pytest.param({"target": ROUTER, "module": "all"}, 400, "none of steady, survey", id="an unknown module"),
        pytest.param({"target": "192.0.2.1"}, 404, "No device", id="an address"),
        pytest.param({"target": "tq-nowhere-cpe1"}, 404, "No device", id="an unknown device"),
        pytest.param({"target": "tq-center-core1"}, 404, "not ours to ask", id="a device of somebody else"),
    ],
)
async def test_what_cannot_be_asked_is_said_and_nobody_is(
    bench: Bench, query: dict[str, str], status: int, says: str
) -> None:
    async with bench.client() as client:
        before = dict(bench.asker.asked)
        answer = await client.get("/probe", params=query, headers=bearer())
    assert answer.status_code == status
    assert says in answer.text
    assert bench.asker.asked == before


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": TOKEN},
        {"Authorization": "Bearer"},
        {"Authorization": f"Basic {TOKEN}"},
        bearer("another-word"),
        bearer(TOKEN + "x"),
        bearer(TOKEN[:-1]),
    ],
)
async def test_without_the_token_nobody_is_asked(bench: Bench, headers: dict[str, str]) -> None:
    async with bench.client() as client:
        before = dict(bench.asker.asked)
        answer = await client.get("/probe", params={"target": ROUTER}, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert TOKEN not in answer.text
    assert bench.asker.asked == before


async def test_without_a_secret_there_is_no_probe(bench: Bench) -> None:
    async with bench.client(token=None) as client:
        answer = await client.get("/probe", params={"target": ROUTER}, headers=bearer(""))
    assert answer.status_code == 404
    assert "no secret" in answer.text


async def test_a_device_that_is_not_asked_in_time_is_said_to_wait(bench: Bench) -> None:
    async with bench.client(patience_s=0.0) as client:
        answer = await client.get("/probe", params={"target": ROUTER}, headers=bearer())
        assert answer.status_code == 504
        scrape = await client.get("/metrics/511825")
    assert scrape.status_code == 200, "a scrape never waits for a poll"
    assert f'device="{ROUTER}"' in scrape.text


def test_the_token_is_a_secret_of_this_machine(tmp_path: Path) -> None:
    assert probe_token(Resolver(tmp_path)) is None
    file = tmp_path / "probe"
    file.write_text(f"{TOKEN}\n", "utf-8")
    file.chmod(0o644)
    with pytest.raises(StartError, match="Others may read"):
        probe_token(Resolver(tmp_path))
    file.chmod(0o600)
    assert probe_token(Resolver(tmp_path)) == TOKEN
