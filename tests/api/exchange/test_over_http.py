"""Signed files over HTTP: given within a grant, taken in once from a trusted key, refused in words otherwise."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from api.app import create_app
from api.auth import Access
from api.exchange.signing import Signer, Trust, Trusted, seal
from api.routers import exchange as router
from api.routers.exchange import Exchanging
from inventory.model import Inventory
from inventory.vocabulary import Claim
from ledger.accounts import Role
from ledger.tables import audit, exchanges, site_events
from tests.api.conftest import Client, World

TOP: Final = "511825000000"
TOWN: Final = "511825100000"
OTHER: Final = "511825101000"
VILLAGE: Final = "tq-chengxiang-juncheng"


@dataclass
class Instance:
    """A county with the key and the trust of an instance of its own."""

    world: World
    name: str
    signer: Signer = field(default_factory=lambda: Signer(Ed25519PrivateKey.generate()))
    trusts: tuple[Trusted, ...] = ()

    def __post_init__(self) -> None:
        app = create_app(
            self.world.standing, Access(), exchanging=Exchanging(
                self.name, lambda: self.signer, lambda: Trust(trusts=self.trusts)
            )
        )  # fmt: skip
        self.client = Client(app)

    def trust(self, other: "Instance", division: str = TOP, name: str = "") -> None:
        self.trusts = (Trusted(instance=name or other.name, key=other.signer.public, division=division),)

    def gives(self, code: str, headers: dict[str, str]) -> httpx.Response:
        return self.client.get(f"/v1/exchange/{code}", headers=headers)

    def takes(self, data: bytes, headers: dict[str, str], dry_run: bool = False) -> httpx.Response:
        asked = {"params": {"dry_run": "true"}} if dry_run else {}
        return self.client.post("/v1/exchange", headers={**headers, "Content-Type": "application/json"}, content=data,
                                **asked)  # fmt: skip


@pytest.fixture
def district(example: Inventory, tmp_path: Path) -> Iterator[Instance]:
    (tmp_path / "district").mkdir()
    world = World(example, tmp_path / "district", Access())
    world.lights_up(world.now - 7200)
    world.loses(world.now - 3600, VILLAGE)
    world.watched(world.now - 7200, world.now)
    world.claims("tq-labahe", Claim.PLANNED, date(2026, 11, 1))
    found = Instance(world, "天全县")
    yield found
    found.client.close()
    world.close()


@pytest.fixture
def city(example: Inventory, tmp_path: Path, new_ledger: Callable[[], str], district: Instance) -> Iterator[Instance]:
    (tmp_path / "city").mkdir()
    world = World(example, tmp_path / "city", Access(), new_ledger())
    world.now = district.world.now + 120
    found = Instance(world, "雅安市")
    found.trust(district)
    yield found
    found.client.close()
    world.close()


def of(instance: Instance, *grants: tuple[Role, str], name: str = "li") -> dict[str, str]:
    return instance.world.token(name, *grants)


def counted(instance: Instance, table: Any) -> int:
    with instance.world.engine.connect() as connection:
        return len(connection.execute(select(table.c.id)).all())


def test_a_city_takes_in_what_its_district_gives_and_counts_the_same(district: Instance, city: Instance) -> None:
    here, there = of(district, (Role.REFORM_VIEWER, TOP)), of(city, (Role.REFORM_VIEWER, TOP))
    given = district.gives("511825", here)
    assert (given.status_code, given.headers["cache-control"]) == (200, "no-store")
    assert given.headers["content-disposition"] == 'attachment; filename="cuntong-511825000000.json"'
    tried = city.takes(given.content, there, dry_run=True)
    assert (tried.status_code, tried.json()["written"]) == (200, False)
    assert counted(city, exchanges) == counted(city, site_events) == 0
    made = city.takes(given.content, there)
    assert made.json() == {**tried.json(), "written": True}
    assert (made.json()["sites"], made.json()["unmatched"], made.json()["instance"]) == (142, [], "天全县")
    city.world.standing.refresh()
    ours, theirs = (
        one.client.get("/v1/coverage/511825", headers=of(one, (Role.REFORM_VIEWER, TOP))).json()
        for one in (city, district)
    )
    for figure in ("states", "claimed", "works_now", "contradicted"):
        assert ours[figure] == theirs[figure], figure
    (kept,) = city.client.get("/v1/exchange", headers=there).json()["data"]
    assert (kept["sha256"], kept["taken_by"], kept["sites"]) == (made.json()["sha256"], "li", 142)
    with district.world.engine.connect() as connection:
        assert "exchange.export" in [row.action for row in connection.execute(select(audit))]


def test_a_file_that_was_taken_in_is_refused_and_so_is_an_older_one(district: Instance, city: Instance) -> None:
    here, there = of(district, (Role.REFORM_VIEWER, TOP)), of(city, (Role.REFORM_VIEWER, TOP))
    old = district.gives("511825", here).content
    district.world.refresh(district.world.now + 60)
    new = district.gives("511825", here).content
    assert city.takes(new, there).status_code == 200
    events = counted(city, site_events)
    for data, why in ((new, "taken in before"), (old, "turn back time")):
        answer = city.takes(data, there)
        assert answer.status_code == 409
        assert why in answer.json()["detail"]
    assert (counted(city, exchanges), counted(city, site_events)) == (1, events)


def forged(data: bytes, change: str) -> bytes:
    document = json.loads(data)
    if change == "payload":
        document["payload"] = document["payload"].replace('"verdict":"no"', '"verdict":"yes"', 1)
    if change == "signature":
        document["signature"] = base64.b64encode(bytes(64)).decode()
    if change == "stranger":
        return seal(document["payload"], Signer(Ed25519PrivateKey.generate()))
    return json.dumps(document).encode()


@pytest.mark.parametrize("change", ["payload", "signature", "stranger"])
def test_a_forged_file_is_refused_and_nothing_of_it_is_kept(district: Instance, city: Instance, change: str) -> None:
    data = district.gives("511825", of(district, (Role.REFORM_VIEWER, TOP))).content
    answer = city.takes(forged(data, change), of(city, (Role.REFORM_VIEWER, TOP)))
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("Nobody here trusts" if change == "stranger" else "signature") in answer.json()["detail"]
    assert counted(city, exchanges) == counted(city, site_events) == 0


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff\xfe", b'{"payload": 7}', b"[" * 100_000])
def test_bytes_that_are_no_signed_file_are_refused(city: Instance, data: bytes) -> None:
    answer = city.takes(data, of(city, (Role.REFORM_VIEWER, TOP)))
    assert (answer.status_code, "no file of cuntong-exchange/1" in answer.json()["detail"]) == (409, True)


def test_a_key_speaks_for_its_part_and_an_account_for_its_own(district: Instance, city: Instance) -> None:
    whole = district.gives("511825", of(district, (Role.REFORM_VIEWER, TOP))).content
    there = of(city, (Role.REFORM_VIEWER, TOP))
    city.trust(district, TOWN)
    assert "outside 511825100000" in city.takes(whole, there).json()["detail"]
    city.trust(district, TOP, "芦山县")
    assert "trusted as '芦山县'" in city.takes(whole, there).json()["detail"]
    city.trust(district, TOP)
    clerk = of(city, (Role.REFORM_VIEWER, TOWN), name="wang")
    answer = city.takes(whole, clerk)  # that the key is trusted for more than he may see, he does not learn
    assert (answer.status_code, "Nobody here trusts" in answer.json()["detail"]) == (409, True)
    assert TOP not in answer.text
    assert counted(city, exchanges) == 0
    part = district.gives(TOWN, of(district, (Role.REFORM_VIEWER, TOWN), name="wang"))
    city.trust(district, TOWN)
    assert city.takes(part.content, clerk).json()["sites"] == 15
    assert len(city.client.get("/v1/exchange", headers=clerk).json()["data"]) == 1
    other = of(city, (Role.REFORM_VIEWER, OTHER), name="zhou")
    assert city.client.get("/v1/exchange", headers=other).json()["data"] == []


def test_who_may_not_is_told_so_and_a_foreign_division_is_not_there(district: Instance) -> None:
    town = of(district, (Role.REFORM_VIEWER, TOWN))
    clerk = of(district, (Role.TOWNSHIP_CLERK, TOWN), name="wang")
    assert district.gives(TOWN, town).status_code == 200
    assert [district.gives(code, town).status_code for code in (OTHER, TOP, "nope")] == [404, 404, 404]
    assert district.gives(TOWN, clerk).status_code == 403
    assert district.gives(TOWN, {}).status_code == district.takes(b"{}", {}).status_code == 401
    given = json.loads(json.loads(district.gives(TOWN, town).content)["payload"])
    assert {one["code"][:9] for one in given["sites"]} == {TOWN[:9]}
    assert TOWN in given["codes"]
    assert OTHER not in json.dumps(given)


def test_a_file_that_is_too_large_is_not_read_to_its_end(city: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(router, "MOST_BYTES", 10_000)
    answer = city.takes(b"x" * 10_001, of(city, (Role.REFORM_VIEWER, TOP)))
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:cuntong:problem:too-large")


def test_an_instance_without_keys_says_that_it_exchanges_nothing(district: Instance) -> None:
    headers = of(district, (Role.REFORM_VIEWER, TOP))
    client = Client(create_app(district.world.standing, Access()))
    answer = client.get("/v1/exchange/511825", headers=headers)
    client.close()
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:cuntong:problem:not-configured")
