"""``/v1/sites``: every filter, every page once, and everything about one site that may be shown."""

import base64
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory.loader import load
from inventory.model import Inventory
from inventory.vocabulary import Aspect, Claim, Verdict
from ledger.journal import SiteEvent

if TYPE_CHECKING:
    from tests.api.conftest import World

VILLAGE = "tq-chengxiang-juncheng"


def ids(answer: Any) -> list[str]:
    return [site["id"] for site in answer["data"]]


def test_every_site_is_listed_in_the_order_of_the_divisions(busy: "World") -> None:
    found = busy.get("/v1/sites", limit=1000)
    assert ids(found) == busy.inventory.sites.ids
    assert (found["total"], found["next"]) == (142, None)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"division": "511825101"}, 19),
        ({"division": "511825"}, 142),
        ({"division": "511825101202"}, 1),
        ({"type": "county_unit"}, 35),
        ({"type": ["county_center", "township_center"]}, 11),
        ({"reachable": "no"}, 20),
        ({"reachable": "yes"}, 122),
        ({"reachable": "unknown"}, 0),
        ({"state": "degraded"}, 20),
        ({"state": ["covered", "degraded"]}, 142),
        ({"state": "lost"}, 0),
        ({"state": "degraded", "requirement": "kiosk"}, 21),
        ({"q": "tq-chengxiang-juncheng"}, 1),
        ({"q": "军城"}, 1),
        ({"q": "TQ-CHENGXIANG"}, 15),
        ({"q": "511825101202"}, 1),
        ({"q": "%"}, 0),
        ({"carrier": "nobody"}, 0),
        ({"division": "511825101", "type": "village_site", "reachable": "no"}, 18),
    ],
    ids=str,
)
def test_filters_leave_what_they_name(busy: "World", filters: dict[str, Any], expected: int) -> None:
    found = busy.get("/v1/sites", limit=1000, **filters)
    assert (found["total"], len(found["data"])) == (expected, expected)


def test_carriers_divide_the_sites(busy: "World") -> None:
    every = busy.get("/v1/sites", limit=1000)["data"]
    carriers = {site["carrier"] for site in every}
    totals = [busy.get("/v1/sites", carrier=carrier)["total"] for carrier in carriers]
    assert len(carriers) == 3
    assert sum(totals) == 142


filters = st.fixed_dictionaries(
    {},
    optional={
        "division": st.sampled_from(["511825", "511825100", "511825101"]),
        "type": st.lists(st.sampled_from(["village_site", "county_unit", "township_center"]), min_size=1, unique=True),
        "state": st.sampled_from(["covered", "degraded"]),
        "reachable": st.sampled_from(["yes", "no"]),
        "q": st.sampled_from(["tq", "村", "1"]),
    },
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(filters, st.integers(5, 60))
def test_pages_give_each_site_once_and_in_order(busy: "World", chosen: dict[str, Any], limit: int) -> None:
    whole = busy.get("/v1/sites", limit=1000, **chosen)
    seen: list[str] = []
    cursor = None
    while True:
        more: dict[str, Any] = {"cursor": cursor} if cursor else {}
        page = busy.get("/v1/sites", limit=limit, **chosen, **more)
        assert page["total"] == whole["total"]
        assert len(page["data"]) <= limit
        seen += ids(page)
        cursor = page["next"]
        if cursor is None:
            break
        assert len(page["data"]) == limit
    assert seen == ids(whole)


def made_up(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    ["?", "x", "AAAA", "ÿÿ", "=", made_up("v2:3"), made_up("v1:"), made_up("v1:-1"), made_up("v1:1e3"), made_up("v1")],
)
def test_a_cursor_that_no_list_gave_is_refused(busy: "World", cursor: str) -> None:
    assert "cursor" in busy.refused("/v1/sites", 422, cursor=cursor)["detail"]


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"limit": 0}, 422),
        ({"limit": 1001}, 422),
        ({"type": "castle"}, 422),
        ({"state": "fine"}, 422),
        ({"reachable": "maybe"}, 422),
        ({"requirement": "water"}, 422),
        ({"q": "x" * 65}, 422),
        ({"division": "99"}, 404),
    ],
    ids=str,
)
def test_a_wrong_filter_is_refused(busy: "World", parameters: dict[str, Any], status: int) -> None:
    busy.refused("/v1/sites", status, **parameters)


def test_one_site_says_what_is_declared_and_what_is_measured(busy: "World") -> None:
    site = busy.get("/v1/sites/tq-chengxiang-xuyu")
    assert (site["type"], site["code"], site["division"]) == ("village_site", "511825100002", "徙榆居委会")
    assert site["path"] == ["天全县", "城厢镇", "徙榆居委会"]
    assert site["uplinks"] == ["tq-chengxiang"]
    assert (site["state"], site["reachable"], site["working"]) == ("covered", "yes", "yes")
    states = {device["role"]: (device["state"], device["owner"]) for device in site["devices"]}
    assert states == {
        "cpe1": ("up", "own"),
        "kiosk1": ("up", "own"),
        "kiosk2": ("silent", "bank"),
        "prt1": ("up", "own"),
    }
    assert [(outage["scope"], outage["node"]) for outage in site["outages"]] == [
        ("device", "tq-chengxiang-xuyu-kiosk2")
    ]
    assert set(site["measured"]) == {str(aspect) for aspect in Aspect}
    assert site["measured"]["used"]["verdict"] == "unknown"


def test_a_dark_site_says_since_when_and_whose_fault_it_is(busy: "World") -> None:
    root, beneath = busy.get("/v1/sites/tq-shiyang"), busy.get("/v1/sites?q=511825101202")["data"][0]
    assert (root["state"], root["reason"], root["contradiction"]) == ("degraded", "down", "claimed_not_measured")
    assert (beneath["reason"], beneath["working"]) == ("unreachable", "no")
    (outage,) = root["outages"]
    assert (outage["until"], outage["sites_affected"]) == (None, 19)
    assert outage["sites"][0] == "tq-shiyang"


def test_availability_is_said_only_of_time_that_was_watched(lit: "World") -> None:
    day = 86_400.0
    site = lit.get(f"/v1/sites/{VILLAGE}")
    assert (site["availability_ratio"], 0 < site["watched_ratio"] < 0.01) == (None, True)
    outage = lit.loses(lit.now, VILLAGE)
    lit.watched(lit.now, lit.now + 3 * day)
    lit.regains(lit.now, outage, VILLAGE)
    lit.watched(lit.now, lit.now + 27 * day)
    site = lit.get(f"/v1/sites/{VILLAGE}")
    assert site["watched_ratio"] == pytest.approx(1.0)
    assert site["availability_ratio"] == pytest.approx(0.9)


def test_another_countys_watching_proves_nothing_here(lit: "World") -> None:
    from ledger import leases
    from ledger.journal import Journal

    before = lit.get(f"/v1/sites/{VILLAGE}")["watched_ratio"]
    lease = leases.acquire(lit.engine, "510822000000", "elsewhere", "192.0.2.9:9161", lit.now, 60)
    other = Journal(lit.engine, lease, lambda: lit.now, 60)
    other.flush(lit.now - 20 * 86_400)
    other.flush(lit.now)
    lit.refresh(lit.now)
    assert lit.get(f"/v1/sites/{VILLAGE}")["watched_ratio"] == before


def test_a_claim_of_the_ledger_stands_beside_the_declared_one(lit: "World") -> None:
    lit.claims(VILLAGE, Claim.ACCEPTED, date(2026, 11, 19), proof="protocol 7")
    site = lit.get(f"/v1/sites/{VILLAGE}")
    assert [(said["claim"], said["proof"][:8]) for said in site["claims"]][-1] == ("accepted", "protocol")
    assert len(site["claims"]) == 2


@pytest.mark.parametrize("id", ["nowhere", "511825100005", "TQ-CENTER", "%20", "tq-center-core1"])
def test_a_site_that_is_not_there_is_a_problem_document(busy: "World", id: str) -> None:
    busy.refused(f"/v1/sites/{id}", 404)


def test_guests_share_their_hosts_devices_and_a_partners_devices_are_the_partners_to_watch(
    example: Inventory, tmp_path: Path, make_world: "Callable[[Inventory], World]"
) -> None:
    folder = tmp_path / "county"
    shutil.copytree(example.folder, folder)
    file = folder / "sites" / "chengxiang.yml"
    text = file.read_text("utf-8")
    partner = "{kiosk1: {monitored: partner, owner: bank}, cpe1: {monitored: partner}, prt1: {monitored: partner}}"
    for old, new in (
        ("        is: 文笔居委会\n", f"        is: 文笔居委会\n        devices: {partner}\n"),
        ("511825100211: 两岔村委会\n", "511825100211: {is: 两岔村委会 -, host_site: tq-chengxiang-longwei}\n"),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    file.write_text(text, "utf-8")
    world = make_world(load(folder))
    theirs = world.get("/v1/sites/tq-chengxiang-wenbi")
    assert (theirs["state"], theirs["reason"]) == ("unknown", "partner_monitored")
    assert {device["state"] for device in theirs["devices"]} == {"unknown"}
    world.loses(world.now - 30, "tq-chengxiang-longwei")
    world.watched(world.now - 60, world.now)
    guest = world.get("/v1/sites/tq-chengxiang-liangcha")
    assert (guest["host_site"], guest["reachable"]) == ("tq-chengxiang-longwei", "no")
    assert guest["devices"] == world.get("/v1/sites/tq-chengxiang-longwei")["devices"]
    assert [outage["node"] for outage in guest["outages"]] == ["tq-chengxiang-longwei"]


def test_a_reason_of_the_measurement_reaches_the_site(lit: "World") -> None:
    lit.journal.add(SiteEvent(lit.now, VILLAGE, Aspect.WORKING, Verdict.NO, "prt1:no_paper", lit.now))
    lit.watched(lit.now, lit.now + 10)
    site = lit.get(f"/v1/sites/{VILLAGE}")
    assert (site["state"], site["working"]) == ("covered", "no")
    assert site["measured"]["working"]["reason"] == "prt1:no_paper"


def test_pilots_are_listed_and_stand_beside_the_rest(
    example: Inventory, tmp_path: Path, make_world: "Callable[[Inventory], World]"
) -> None:
    folder = tmp_path / "county"
    shutil.copytree(example.folder, folder)
    file = folder / "sites" / "chengxiang.yml"
    text = file.read_text("utf-8")
    for old, level in (("        is: 文笔居委会\n", "city"), ("        id: tq-chengxiang-xuyu", "county")):
        assert text.count(old) == 1
        text = text.replace(old, f"        pilot: {{level: {level}, programme: 试点全覆盖}}\n{old}")
    file.write_text(text, "utf-8")
    world = make_world(load(folder))
    world.watched(world.now - 60, world.now)
    cities = ["tq-chengxiang-wenbi", "tq-shiyang"]  # the second is the example's own
    assert ids(world.get("/v1/sites", pilot="city")) == cities
    assert ids(world.get("/v1/sites", pilot=["city", "county"])) == ["tq-chengxiang-xuyu", *cities]
    assert world.get("/v1/sites", pilot="none")["total"] == 139
    assert [one["pilot"] for one in world.get("/v1/sites", pilot="county")["data"]] == ["county"]
    told = world.get("/v1/coverage/511825/pilots")
    groups = {one["pilot"]: one for one in told["data"]}
    assert groups.keys() == {"city", "county", "none"}
    assert sum(sum(one["states"].values()) for one in told["data"]) == 142
    everybody = world.get("/v1/sites", limit=1000)["data"]
    for level, group in groups.items():
        theirs = [one["state"] for one in everybody if (one["pilot"] or "none") == level]
        assert {state: count for state, count in group["states"].items() if count} == {
            state: theirs.count(state) for state in set(theirs)
        }
        assert group["denominator"] == len(theirs) - theirs.count("exempt")
        assert group["ratio"] == theirs.count("covered") / group["denominator"]
    assert [one["pilot"] for one in world.get("/v1/coverage/511825102/pilots")["data"]] == ["none"]
    world.refused("/v1/sites", 422, pilot="nobody")
    world.refused("/v1/coverage/99/pilots", 404)
