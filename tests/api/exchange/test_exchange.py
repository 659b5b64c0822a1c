"""Signed files of a district: what a trusted key says of its own is taken in once, and everything else is refused."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from api.actions import exchange
from api.actions.errors import ActionError, ForbiddenError
from api.exchange.signing import FILE, Signer, Trust, Trusted, key_at, open_sealed, read_trust, seal
from inventory.errors import InventoryError
from inventory.model import Inventory
from inventory.vocabulary import Claim
from ledger import exchanges, facts, leases
from ledger.accounts import Account, Grant, Role
from ledger.facts import Fact

if TYPE_CHECKING:
    from tests.api.conftest import World

TOWN = "511825100000"
NAME = "天全县"


@dataclass
class Pair:
    """A district that measures and a city that does not, with the same list of divisions."""

    district: "World"
    city: "World"
    signer: Signer
    actor: Account

    def told(self, division: str = "511825", instance: str = NAME) -> bytes:
        now = self.district.now
        return exchange.export(
            self.district.standing, self.district.engine, self.actor, division, instance, self.signer, now
        )

    def trust(self, division: str = "511825", instance: str = NAME) -> Trust:
        return Trust(trusts=(Trusted(instance=instance, key=self.signer.public, division=division),))

    def takes(self, data: bytes, trust: Trust | None = None, **more: Any) -> exchange.Taken:
        self.city.now = max(self.city.now, self.district.now + 120)
        trust = trust or self.trust()
        made = exchange.take(self.city.engine, self.city.inventory, self.actor, data, trust, self.city.now, **more)
        self.city.standing.refresh()
        return made


@pytest.fixture
def pair(example: Inventory, make_world: Callable[[Inventory], "World"]) -> Pair:
    district, city = make_world(example), make_world(example)
    district.lights_up(district.now - 7200)
    district.loses(district.now - 3600, "tq-chengxiang-juncheng")
    district.watched(district.now - 7200, district.now)
    district.claims("tq-labahe", Claim.PLANNED, date(2026, 11, 1))
    with district.engine.begin() as connection:
        facts.record(
            connection,
            [Fact("tq-chengxiang", "items_listed", True, date(2026, 11, 2), "office", "list 7"),
             Fact(TOWN, "cases_handled", 812.0, date(2026, 11, 3), "office", "platform")],
            district.now,
        )  # fmt: skip
    district.standing.refresh()
    city.now = district.now + 120  # the collector that the city once had is gone
    actor = Account("li", "Li", (Grant(Role.REFORM_VIEWER, "511825000000"),), False)
    return Pair(district, city, Signer(Ed25519PrivateKey.generate()), actor)


def test_a_city_counts_what_its_district_measured(pair: Pair) -> None:
    assert pair.city.coverage()["states"]["covered"] == 0
    made = pair.takes(pair.told())
    assert (made.sites, made.unmatched, made.facts) == (142, (), 2)
    ours, theirs = pair.city.coverage(), pair.district.coverage()
    for figure in ("states", "claimed", "works_now", "numerator", "denominator", "contradicted"):
        assert ours[figure] == theirs[figure], figure
    told = pair.city.get("/v1/villages/511825100005/evidence")
    assert told["measured"][0]["verdict"] == "no"
    with pair.city.engine.connect() as connection:
        (kept,) = exchanges.every(connection)
    assert (kept.sites, kept.instance, kept.sha256) == (142, NAME, made.sha256)


def test_the_second_file_brings_only_what_is_new(pair: Pair) -> None:
    pair.takes(pair.told())
    pair.district.regains(pair.district.now + 60, "511825000000-1-1", "tq-chengxiang-juncheng")
    pair.district.watched(pair.district.now + 60, pair.district.now + 120)
    made = pair.takes(pair.told())
    assert (made.verdicts, made.claims, made.facts) == (2, 0, 0)
    assert pair.city.coverage()["works_now"] == pair.district.coverage()["works_now"]


def test_a_file_is_taken_in_once_and_never_turns_back_time(pair: Pair) -> None:
    old = pair.told()
    pair.district.refresh(pair.district.now + 60)
    new = pair.told()
    assert pair.takes(new, dry_run=True).verdicts > 0
    pair.takes(new)
    with pytest.raises(ActionError, match="taken in before"):
        pair.takes(new)
    with pytest.raises(ActionError, match="turn back time"):
        pair.takes(old)


@pytest.mark.parametrize("change", ["payload", "signature", "key"])
def test_whatever_is_changed_of_a_file_it_is_refused(pair: Pair, change: str) -> None:
    document = json.loads(pair.told())
    other = Signer(Ed25519PrivateKey.generate())
    document[change] = {
        "payload": document["payload"].replace('"verdict":"no"', '"verdict":"yes"', 1),
        "signature": base64.b64encode(bytes(64)).decode(),
        "key": other.public,
    }[change]
    with pytest.raises(ActionError, match="Nobody here trusts" if change == "key" else "signature"):
        pair.takes(json.dumps(document).encode())


def test_a_key_speaks_for_its_own_part_of_the_tree_only(pair: Pair) -> None:
    with pytest.raises(ActionError, match="outside 511825100000"):
        pair.takes(pair.told("511825"), pair.trust("511825100"))
    text = json.loads(json.loads(pair.told("511825100"))["payload"])
    text["sites"].append({**text["sites"][0], "code": "511825101000"})
    with pytest.raises(ActionError, match="511825101000, outside"):
        pair.takes(seal(json.dumps(text), pair.signer), pair.trust("511825100"))
    text["sites"].pop()
    text["facts"].append({**text["facts"][0], "subject": "511825101000"})
    with pytest.raises(ActionError, match="511825101000, outside"):
        pair.takes(seal(json.dumps(text), pair.signer), pair.trust("511825100"))
    assert pair.takes(pair.told("511825100"), pair.trust("511825100")).sites == 15


def test_who_may_not_there_and_what_claims_another_name_is_refused(pair: Pair) -> None:
    clerk = Account("wang", "Wang", (Grant(Role.REFORM_VIEWER, TOWN),), False)
    data = pair.told()
    with pytest.raises(ForbiddenError):
        exchange.take(pair.city.engine, pair.city.inventory, clerk, data, pair.trust(), pair.city.now)
    with pytest.raises(ActionError, match="trusted as '芦山县'"):
        pair.takes(data, pair.trust(instance="芦山县"))
    text = json.loads(json.loads(data)["payload"])
    text["made_at"] += 86_400
    with pytest.raises(ActionError, match="from the future"):
        pair.takes(seal(json.dumps(text), pair.signer))


def test_what_the_city_polls_itself_is_not_written_over(pair: Pair) -> None:
    leases.acquire(pair.city.engine, "511825000000", "own collector", "127.0.0.1:9161", pair.city.now, 60)
    with pytest.raises(ActionError, match="own collector"):
        pair.takes(pair.told())
    assert pair.city.coverage()["states"]["covered"] == 0


@given(st.binary(max_size=200) | st.builds(lambda text: json.dumps({"payload": text}).encode(), st.text(max_size=50)))
def test_foreign_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ActionError):
        open_sealed(data, Trust())


def test_the_private_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "exchange.key"
    first = key_at(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert key_at(path).public == first.public
    path.chmod(0o644)
    with pytest.raises(ActionError, match="Others may read"):
        key_at(path)


def test_a_file_of_trust_is_strict(tmp_path: Path) -> None:
    assert read_trust(tmp_path) == Trust()
    (tmp_path / FILE).write_text("trusts: [{instance: a, key: short, division: 511825}]\n")
    with pytest.raises(InventoryError, match=r"exchange.yml:1: trusts\[0\].key: 'short' is no key."):
        read_trust(tmp_path)
