"""``/v1/coverage``: what is counted, on what evidence, and what the past looked like."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from api.standing import CHINA, moment
from inventory.loader import load
from inventory.model import Inventory
from inventory.scaffold import write_inventory
from inventory.vocabulary import Aspect, Claim, Verdict
from ledger.journal import SiteEvent

if TYPE_CHECKING:
    from tests.api.conftest import World

VILLAGE = "tq-chengxiang-juncheng"
HOUR = 3600.0


def test_a_county_that_answers_is_covered_and_says_of_what_it_is_made(lit: "World") -> None:
    found = lit.coverage()
    assert (found["numerator"], found["denominator"]) == (96, 96)
    assert (found["villages"], found["communities"]) == (79, 17)
    assert (found["unknown"], found["ratio"], found["contradictions"]) == (0, 1.0, [])
    assert found["claimed"] == {"numerator": 96, "denominator": 96}
    assert found["works_now"] == {"numerator": 96, "denominator": 96, "unknown": 0}
    assert (found["code"], found["level"], found["requirement"]) == ("511825000000", 3, "extranet")
    assert (found["rule_version"], found["window_seconds"]) == ("2021-1", 86400.0)
    assert found["evidence"]["median_age_seconds"] == 0.0
    assert found["inventory"] == lit.inventory.content_hash


def test_one_dark_village_stays_claimed_and_covered_but_does_not_work_and_is_contradicted(lit: "World") -> None:
    lit.loses(lit.now + 10, VILLAGE)
    lit.watched(lit.now + 15, lit.now + 60)
    found = lit.coverage()
    assert found["claimed"] == {"numerator": 96, "denominator": 96}
    assert found["works_now"] == {"numerator": 95, "denominator": 96, "unknown": 0}
    assert (found["numerator"], found["states"]["degraded"]) == (96, 1)
    (one,) = found["contradictions"]
    assert (one["site"], one["kind"], one["state"]) == (VILLAGE, "claimed_not_measured", "degraded")
    assert (one["claim"], one["claimed_on"]) == ("in_service", "2021-06-10")
    assert one["proof"].startswith("天全县")


def test_a_proof_counts_for_its_window_and_no_longer(lit: "World") -> None:
    fell = lit.now + 10
    lit.loses(fell, VILLAGE)
    lit.watched(fell, fell + 23 * HOUR)
    assert lit.coverage()["states"]["degraded"] == 1
    lit.watched(fell + 23 * HOUR, fell + 25 * HOUR)
    later = lit.coverage()
    assert (later["states"]["lost"], later["numerator"], later["denominator"]) == (1, 95, 96)
    then = lit.coverage(as_of=datetime.fromtimestamp(fell + 23 * HOUR, CHINA).isoformat())
    assert (then["states"]["degraded"], then["states"]["lost"], then["numerator"]) == (1, 0, 96)


def test_nothing_watched_is_unknown_and_neither_covered_nor_lost(world: "World") -> None:
    found = world.coverage()
    assert (found["numerator"], found["unknown"], found["ratio"], found["ratio_max"]) == (0, 96, 0.0, 1.0)
    assert found["works_now"] == {"numerator": 0, "denominator": 96, "unknown": 96}
    assert found["claimed"]["numerator"] == 96
    assert (found["contradictions"], found["evidence"]["newest"]) == ([], None)
    reasons = {site["reason"] for site in world.get("/v1/sites", limit=1000)["data"]}
    assert reasons == {"never_reported"}


def test_what_was_watched_too_long_ago_is_unknown_because_it_is_stale(lit: "World") -> None:
    lit.refresh(lit.now + HOUR)
    soon = lit.coverage()
    assert (soon["numerator"], soon["works_now"]["unknown"]) == (96, 96)
    lit.refresh(lit.now + 25 * HOUR)
    assert lit.coverage()["unknown"] == 96
    site = lit.get(f"/v1/sites/{VILLAGE}")
    assert (site["state"], site["reason"], site["reachable"]) == ("unknown", "stale", "unknown")


@pytest.mark.parametrize("code", ["511825", "511825000000"])
def test_the_county_is_found_by_six_and_by_twelve_digits(lit: "World", code: str) -> None:
    assert lit.coverage(code)["code"] == "511825000000"


def test_a_township_and_a_village_have_figures_of_their_own(lit: "World") -> None:
    township = lit.coverage("511825101", children=True)
    assert (township["name"], township["denominator"], len(township["children"])) == ("始阳镇", 18, 18)
    village = lit.coverage("511825101202")
    assert (village["denominator"], village["numerator"], village["children"]) == (1, 1, None)
    assert (village["villages"], village["communities"]) == (1, 0)


@pytest.mark.parametrize("code", ["51", "5118", "511825", "511825101", "511825101202"])
def test_a_province_is_read_at_every_tier(
    tmp_path: Path, make_world: "Callable[[Inventory], World]", code: str
) -> None:
    rows = [
        "code,name,level,parent",
        "510000000000,四川省,1,",
        "511800000000,雅安市,2,510000000000",
        "511825000000,天全县,3,511800000000",
        "511825101000,始阳镇,4,511825000000",
        "511825101202,瓦坪村委会,5,511825101000",
    ]
    (tmp_path / "list.csv").write_text("\n".join(rows) + "\n", "utf-8")
    write_inventory(tmp_path / "province", tmp_path / "list.csv", "51")
    found = make_world(load(tmp_path / "province")).coverage(code)
    assert (found["code"], found["denominator"]) == (code.ljust(12, "0"), 1)


@pytest.mark.parametrize(
    "code", ["99", "511", "51182", "511826", "511825101999", "tq", "５１１８２５", "%00", "511825/x"]
)
def test_a_division_that_is_not_there_is_a_problem_document(lit: "World", code: str) -> None:
    assert lit.refused(f"/v1/coverage/{code}", 404)["title"] == "Not Found"


@pytest.mark.parametrize("counted", ["default", "villages", "communities", "townships", "units"])
@pytest.mark.parametrize("requirement", ["extranet", "kiosk"])
def test_children_add_up_to_their_parent(busy: "World", counted: str, requirement: str) -> None:
    whole = busy.coverage(counted=counted, requirement=requirement, children=True)
    assert len(whole["children"]) == 10
    direct = 35 if counted == "units" else 0  # the county's units hang on the county itself
    assert sum(child["denominator"] for child in whole["children"]) == whole["denominator"] - direct
    if not direct:
        for state, count in whole["states"].items():
            assert sum(child["states"][state] for child in whole["children"]) == count
    assert sum(whole["states"].values()) == whole["denominator"]


@pytest.mark.parametrize(
    ("counted", "expected"), [("default", 96), ("villages", 79), ("communities", 17), ("townships", 10), ("units", 35)]
)
def test_other_things_can_be_counted(lit: "World", counted: str, expected: int) -> None:
    found = lit.coverage(counted=counted)
    assert (found["numerator"], found["denominator"], found["counted"]) == (expected, expected, counted)
    assert (found["villages"], found["communities"]) == (79, 17)


def test_a_kiosk_out_of_order_counts_for_its_requirement_alone(lit: "World") -> None:
    lit.journal.add(SiteEvent(lit.now + 10, VILLAGE, Aspect.WORKING, Verdict.NO, "kiosk1:screen", lit.now))
    lit.watched(lit.now + 15, lit.now + 60)
    assert lit.coverage()["works_now"]["numerator"] == 96
    kiosk = lit.coverage(requirement="kiosk")
    assert (kiosk["works_now"]["numerator"], kiosk["window_seconds"]) == (95, 7 * 86400.0)
    assert [one["reason"] for one in kiosk["contradictions"]] == ["kiosk1:screen"]


@pytest.mark.parametrize(
    "parameters",
    [
        {"requirement": "water"},
        {"counted": "trees"},
        {"children": "perhaps"},
        {"as_of": "yesterday"},
        {"as_of": "2026-11-21"},
        {"as_of": "2026-11-20T12:00:01+08:00"},
        {"as_of": "9999-12-31"},
        {"as_of": "9999-12-31T23:59:59-12:00"},
        {"as_of": "0001-01-01"},
        {"as_of": "0001-01-01T00:00:00+08:00"},
        {"as_of": ""},
        {"as_of": "2026-13-01"},
    ],
    ids=str,
)
def test_a_wrong_parameter_is_refused_by_name(lit: "World", parameters: dict[str, str]) -> None:
    document = lit.refused("/v1/coverage/511825", 422, **parameters)
    assert document["type"] == "urn:cuntong:problem:bad-parameter"
    ((name, value),) = parameters.items()
    assert value in document["detail"] or name in document["detail"]


def test_a_day_ends_in_china_and_today_has_got_as_far_as_now() -> None:
    now = datetime(2026, 11, 20, 12, tzinfo=CHINA).timestamp()
    assert moment("2026-11-20", now) == now
    end_of_yesterday = datetime(2026, 11, 20, tzinfo=CHINA).timestamp()
    assert moment("2026-11-19", now) == moment("20261119", now) == end_of_yesterday
    assert moment("2026-11-20T00:00:00", now) == moment("2026-11-19T16:00:00Z", now) == end_of_yesterday


def test_the_past_is_answered_from_what_was_known_and_watched_then(lit: "World") -> None:
    began = lit.now - 2 * HOUR
    lit.loses(lit.now + 60, VILLAGE)
    lit.watched(lit.now + 61, lit.now + 120)
    before = lit.coverage(as_of=datetime.fromtimestamp(began - 1, CHINA).isoformat())
    assert (before["unknown"], before["numerator"]) == (96, 0)
    during = lit.coverage(as_of=datetime.fromtimestamp(began + HOUR, CHINA).isoformat())
    assert (during["works_now"]["numerator"], during["contradictions"]) == (96, [])
    assert during["generated_at"] > during["as_of"]
    assert lit.coverage()["works_now"]["numerator"] == 95


def test_a_claim_of_the_ledger_counts_from_its_day(lit: "World") -> None:
    lit.claims(VILLAGE, Claim.RETIRED, date(2026, 11, 19))
    assert lit.coverage()["claimed"]["numerator"] == 95
    assert lit.coverage(as_of="2026-11-18")["claimed"]["numerator"] == 96
    (one,) = lit.coverage()["contradictions"]
    assert (one["kind"], one["claim"], one["claimed_by"]) == ("measured_not_claimed", "retired", "county office")


def test_a_claim_of_an_earlier_day_does_not_replace_a_later_one(lit: "World") -> None:
    lit.claims(VILLAGE, Claim.PLANNED, date(2020, 1, 1))
    assert lit.coverage()["claimed"]["numerator"] == 96
    lit.claims(VILLAGE, Claim.ACCEPTED, date(2026, 11, 19))
    lit.claims(VILLAGE, Claim.IN_SERVICE, date(2026, 11, 19))
    assert lit.get(f"/v1/sites/{VILLAGE}")["claim"] == "in_service"


def test_a_village_without_a_site_stays_in_the_denominator_and_is_not_built(
    example: Inventory, tmp_path: Path, make_world: "Callable[[Inventory], World]"
) -> None:
    write_inventory(tmp_path / "county", example.folder / "divisions.csv", "511825")
    files = [
        path for path in (tmp_path / "county" / "sites").glob("*.yml") if "511825101202" in path.read_text("utf-8")
    ]
    (file,) = files
    lines = [line for line in file.read_text("utf-8").splitlines() if "511825101202" not in line]
    file.write_text("\n".join(lines) + "\n", "utf-8")
    found = make_world(load(tmp_path / "county")).coverage("511825101202")
    assert (found["denominator"], found["states"]["not_built"]) == (1, 1)


def test_a_snapshot_never_changes(lit: "World") -> None:
    before = lit.standing.snapshot
    site = lit.inventory.sites.index[VILLAGE]
    lit.loses(lit.now + 10, VILLAGE)
    lit.watched(lit.now + 15, lit.now + 60)
    evidence = lit.standing.evidence(site, Aspect.REACHABLE, before)
    assert (evidence.verdict, evidence.reason) == (Verdict.YES, "")
    assert lit.standing.evidence(site, Aspect.REACHABLE, lit.standing.snapshot).reason == "down"


def test_an_inventory_may_name_its_requirements_otherwise(
    example: Inventory, tmp_path: Path, make_world: "Callable[[Inventory], World]"
) -> None:
    folder = tmp_path / "county"
    write_inventory(folder, example.folder / "divisions.csv", "511825")
    with (folder / "county.yml").open("a", encoding="utf-8") as file:
        file.write("coverage: {requirements: {line: reachable}}\n")
    world = make_world(load(folder))
    assert world.coverage()["requirement"] == "line"
    world.refused("/v1/coverage/511825", 422, requirement="extranet")
    assert world.client.get("/").status_code == 200
    assert world.client.get("/s/" + world.inventory.sites.ids[0]).status_code == 200
