"""The API over a real ledger: 天全 as the example declares it, facts as a collector's journal writes them."""

import asyncio
import threading
import uuid
from collections.abc import Callable, Coroutine, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI

import inventory as inventory_package
from api.app import create_app
from api.auth import Access
from api.exchange.signing import Signer, Trust
from api.routers.exchange import Exchanging
from api.standing import CHINA, Standing
from health.outage import Scope
from health.rootcause import Cause
from inventory.loader import load
from inventory.model import Inventory
from inventory.vocabulary import Aspect, Claim, Verdict
from ledger import accounts, claims, leases, sessions
from ledger.accounts import Role
from ledger.database import open_ledger, sqlite_url
from ledger.journal import Journal, OutageEvent, SiteEvent
from ledger.sessions import EVERYTHING, Kind
from tests.api.browsing import browser, context, page  # noqa: F401  fixtures of the tests in a browser

EXAMPLE = Path(inventory_package.__file__).parent / "examples" / "tianquan"
NOON = datetime(2026, 11, 20, 12, tzinfo=CHINA).timestamp()
STALE_S = 600.0
PASSWORD = "Long-enough-9"  # noqa: S105
HOUR = 3600.0
SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(32)))
"""The key by which counties of tests sign."""


Answer = TypeVar("Answer")


class Client:
    """Asks an application in this process and waits for the answer. Its loop has a thread: a browser may have ours."""

    def __init__(self, app: FastAPI, *, bugs_are_raised: bool = True) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        transport = httpx.ASGITransport(app, raise_app_exceptions=bugs_are_raised)
        self._http = httpx.AsyncClient(transport=transport, base_url="http://county")

    def get(
        self, path: str, params: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        return self._wait(self._http.get(path, params=params or None, headers=headers))

    def post(self, path: str, json: Any = None, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
        return self._wait(self._http.post(path, json=json, headers=headers, **more))

    def delete(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return self._wait(self._http.delete(path, headers=headers))

    def forget_cookies(self) -> None:
        self._http.cookies.clear()

    def close(self) -> None:
        self._wait(self._http.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait(self, answer: Coroutine[Any, Any, Answer]) -> Answer:
        return asyncio.run_coroutine_threadsafe(answer, self._loop).result()


class World:
    """One county, its ledger, and the API over both. ``now`` is the only clock."""

    def __init__(
        self, inventory: Inventory, folder: Path, access: Access = Access(open_reading=True), ledger: str = ""  # noqa: B008
    ) -> None:  # fmt: skip
        self.inventory = inventory
        self.now = NOON
        self.engine = open_ledger(ledger or sqlite_url(folder / "ledger.sqlite3"))
        self.journal = self._collector("127.0.0.1:9161")
        self.standing = Standing(inventory, self.engine, lambda: self.now, STALE_S)
        self.app = create_app(self.standing, access, exchanging=Exchanging(inventory.title, lambda: SIGNER, Trust))
        self.client = Client(self.app)

    def _collector(self, address: str) -> Journal:
        lease = leases.acquire(self.engine, self.inventory.top, "test", address, self.now, 60)
        return Journal(self.engine, lease, lambda: self.now, 60)

    def says(self, at: float, site: str, verdict: Verdict, reason: str = "", **more: Any) -> None:
        """Both measured aspects of a site."""
        self.journal.add(SiteEvent(at, site, Aspect.REACHABLE, verdict, reason, **more))
        serving = "dark" if verdict is Verdict.NO else reason
        self.journal.add(SiteEvent(at, site, Aspect.WORKING, verdict, serving, more.get("proved_at")))

    def lights_up(self, at: float, *sites: str) -> None:
        for site in sites or self.inventory.sites.ids:
            self.says(at, site, Verdict.YES)

    def loses(self, at: float, root: str, *beneath: str) -> str:
        """An outage at a site, and what it takes with it; its id."""
        outage = self.journal.new_outage_id()
        scope, cause = (Scope.UPLINK, Cause.AGGREGATION) if beneath else (Scope.SITE, Cause.ACCESS)
        self.journal.add(OutageEvent(at, outage, "opened", scope, root, cause))
        for site in (root, *beneath):
            reason = "down" if site == root else "unreachable"
            self.says(at, site, Verdict.NO, reason, proved_at=at - 5, outage=outage)
        return outage

    def loses_device(self, at: float, device: str) -> str:
        outage = self.journal.new_outage_id()
        self.journal.add(OutageEvent(at, outage, "opened", Scope.DEVICE, device, Cause.DEVICE))
        return outage

    def regains(self, at: float, outage: str, root: str, *beneath: str) -> None:
        self.journal.add(OutageEvent(at, outage, "closed", Scope.SITE, root, Cause.ACCESS))
        self.lights_up(at, root, *beneath)

    def watched(self, since: float, until: float) -> None:
        """Flush what was said, and watch without a gap."""
        self.journal.flush(since)
        self.journal.flush(until)
        self.refresh(until)

    def refresh(self, now: float) -> None:
        self.now = now
        self.standing.refresh()

    def claims(self, site: str, claim: Claim, on: date, proof: str = "minutes 12", by: str = "county office") -> None:
        with self.engine.begin() as connection:
            claims.record(connection, claims.SaidClaim(site, claim, on, by, proof), self.now)
        self.standing.refresh()

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON of an answer with status 200."""
        answer = self.client.get(path, params=parameters)
        assert answer.status_code == 200, f"{path} {parameters}: {answer.text}"
        return answer.json()

    def refused(self, path: str, status: int, **parameters: Any) -> Any:
        """The problem document of an answer with that status."""
        answer = self.client.get(path, params=parameters)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        document = answer.json()
        assert document["type"].startswith("urn:cuntong:problem:")
        assert document["status"] == status
        assert document["detail"]
        return document

    def coverage(self, code: str = "511825", **parameters: Any) -> Any:
        return self.get(f"/v1/coverage/{code}", **parameters)

    def token(
        self, name: str, *grants: tuple[Role, str], scopes: tuple[sessions.Scope, ...] = EVERYTHING, division: str = ""
    ) -> dict[str, str]:
        """The headers of a token of an account that holds these grants; the account is made where there is none."""
        with self.engine.begin() as connection:
            if all(one.name != name for one in accounts.every(connection)):
                accounts.add(connection, name, name.title(), PASSWORD, self.now)
            for role, place in grants:
                accounts.grant(connection, name, role, place, "test", self.now)
            made = sessions.open_session(connection, name, Kind.TOKEN, "test", self.now, 3600, scopes, division)
        return {"Authorization": f"Bearer {made}"}

    def write(self, path: str, body: Any, headers: dict[str, str], key: str | None = None) -> httpx.Response:
        """A POST under an Idempotency-Key of its own."""
        return self.client.post(path, body, {"Idempotency-Key": key or uuid.uuid4().hex, **headers})

    def close(self) -> None:
        self.client.close()
        self.engine.dispose()


@pytest.fixture(scope="session")
def example() -> Inventory:
    return load(EXAMPLE)


WRITING: Final = frozenset(
    {"test_auth", "test_handling", "test_maintenance", "test_office", "test_alerts", "test_outages"}
)
"""Tests of what people write: they run on each database. What only reads runs on SQLite."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "new_ledger" in metafunc.fixturenames and metafunc.module.__name__.rpartition(".")[2] in WRITING:
        metafunc.parametrize("new_ledger", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def new_ledger(request: pytest.FixtureRequest) -> Callable[[], str]:
    """Gives URLs of new ledgers; an empty one means a file in the world's own folder."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return str
    url: Callable[[], str] = request.getfixturevalue("postgres").ledger
    return url


@pytest.fixture
def make_world(tmp_path: Path, new_ledger: Callable[[], str]) -> Iterator[Callable[[Inventory], World]]:
    worlds: list[World] = []

    def make(inventory: Inventory) -> World:
        folder = tmp_path / f"world{len(worlds)}"
        folder.mkdir()
        worlds.append(World(inventory, folder, ledger=new_ledger()))
        return worlds[-1]

    yield make
    for world in worlds:
        world.close()


@pytest.fixture
def closed(example: Inventory, tmp_path: Path, new_ledger: Callable[[], str]) -> Iterator[World]:
    """A county that nobody reads without an account; everything answered two hours ago and has been watched since."""
    world = World(example, tmp_path, Access(), new_ledger())
    world.lights_up(NOON - 2 * HOUR)
    world.watched(NOON - 2 * HOUR, NOON)
    yield world
    world.close()


@pytest.fixture
def world(example: Inventory, make_world: Callable[[Inventory], World]) -> World:
    """Nobody has measured anything yet."""
    return make_world(example)


@pytest.fixture
def lit(world: World) -> World:
    """Everything answered two hours ago and has been watched since."""
    world.lights_up(NOON - 2 * HOUR)
    world.watched(NOON - 2 * HOUR, NOON)
    return world


@pytest.fixture(scope="module")
def busy(example: Inventory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A county on any day, not to be changed: a village dark, a township cut off, a kiosk silent, old outages."""
    world = World(example, tmp_path_factory.mktemp("busy"))
    began = NOON - 2 * HOUR
    low, high = example.sites.span(example.nodes.find("511825101"))
    world.lights_up(began)
    old = world.loses(began + 60, "tq-chengxiang-wenbi")
    world.regains(began + 120, old, "tq-chengxiang-wenbi")
    world.loses(began + 600, "tq-chengxiang-juncheng")
    world.loses(began + 900, *example.sites.ids[low:high])
    world.loses_device(began + 1200, "tq-chengxiang-xuyu-kiosk2")
    world.loses_device(began + 1300, "gone-village-kiosk1")
    world.journal.add(SiteEvent(began + 1400, "tq-chengxiang", Aspect.WORKING, Verdict.NO, "prt1:no_paper"))
    world.watched(began, NOON)
    world.claims("tq-labahe", Claim.PLANNED, date(2026, 11, 1))
    yield world
    world.close()
