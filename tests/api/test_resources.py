"""Divisions, villages, series, comparison, milestones, reports and the office's writes, over HTTP."""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from inventory.boundaries import Boundaries
from inventory.vocabulary import Claim
from ledger.accounts import Role

if TYPE_CHECKING:
    from tests.api.conftest import World

TOP: Final = "511825000000"
VILLAGE: Final = "tq-chengxiang-juncheng"
HOUR: Final = 3600.0


def test_a_series_has_a_point_for_the_end_of_each_day(lit: "World") -> None:
    lit.loses(lit.now, VILLAGE)
    lit.watched(lit.now, lit.now + 49 * HOUR)
    found = lit.get("/v1/coverage/511825/series", **{"from": "2026-11-18", "to": "2026-11-22"})["data"]
    assert [point["day"] for point in found] == [f"2026-11-{day}" for day in (18, 19, 20, 21, 22)]
    assert [point["numerator"] for point in found] == [0, 0, 96, 95, 95]
    assert [point["unknown"] for point in found][:3] == [96, 96, 0]
    today = lit.coverage()
    assert (found[-1]["states"], found[-1]["claimed"]) == (today["states"], today["claimed"])


def test_a_month_in_which_nobody_watched_has_no_ratio(lit: "World") -> None:
    found = lit.get("/v1/coverage/511825/series", granularity="month", **{"from": "2026-08-15"})["data"]
    assert [one["ratio"] for one in found[:-1]] == [None] * (len(found) - 1)
    assert [one["unknown"] for one in found[:-1]] == [96] * (len(found) - 1)
    assert found[-1]["ratio"] == 1


def test_a_series_by_month_ends_today(lit: "World") -> None:
    found = lit.get("/v1/coverage/511825/series", granularity="month", **{"from": "2026-08-15"})["data"]
    assert [point["day"] for point in found] == ["2026-08-31", "2026-09-30", "2026-10-31", "2026-11-20"]
    lit.refused("/v1/coverage/511825/series", 422, **{"from": "2026-12-01", "to": "2026-11-01"})


def test_two_moments_are_compared_by_name(lit: "World") -> None:
    lit.loses(lit.now + 10, VILLAGE)
    lit.watched(lit.now + 10, lit.now + 48 * HOUR)
    (found,) = lit.get("/v1/coverage:compare", codes="511825", as_of=["2026-11-20", "2026-11-22"])
    assert (found["before"]["numerator"], found["after"]["numerator"], found["changed"]) == (96, 95, 1)
    (change,) = found["changes"]
    assert (change["before"], change["after"]) == ("degraded", "lost")
    lit.refused("/v1/coverage:compare", 422, codes="511825", as_of=["2026-11-21", "2026-11-20"])


def test_what_was_recorded_later_is_left_out_of_what_was_known_then(lit: "World") -> None:
    lit.refresh(lit.now + 86_400)
    lit.claims(VILLAGE, Claim.PLANNED, date(2026, 11, 19))
    before = lit.coverage(as_of="2026-11-20", known_at="2026-11-20")
    after = lit.coverage(as_of="2026-11-20")
    assert (before["claimed"]["numerator"], after["claimed"]["numerator"]) == (96, 95)


def test_the_figures_of_a_level_stand_below_the_whole(lit: "World") -> None:
    found = lit.coverage(level=4)["children"]
    assert len(found) == 10
    assert sum(one["denominator"] for one in found) == 96


def test_a_division_tells_what_is_above_and_below_it(lit: "World") -> None:
    town = lit.get("/v1/divisions/511825100")
    assert (town["name"], town["level"], town["path"]) == ("城厢镇", 4, [TOP, "511825100000"])
    assert {child["level"] for child in town["children"]} == {5}
    lit.refused("/v1/divisions/511899", 404)


def test_villages_are_filtered_sorted_cut_and_paged(busy: "World") -> None:
    whole = busy.get("/v1/villages", limit=1000)
    assert whole["total"] == 96
    seen: list[str] = []
    cursor = None
    while True:
        page = busy.get("/v1/villages", limit=17, **({"cursor": cursor} if cursor else {}))
        seen += [one["code"] for one in page["data"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [one["code"] for one in whole["data"]]
    dark = busy.get("/v1/villages", reachable="no", division=["511825100", "511825101"], limit=1000)
    assert {one["reachable"] for one in dark["data"]} == {"no"}
    assert dark["total"] == sum(
        one["reachable"] == "no" and one["code"][:9] in ("511825100", "511825101") for one in whole["data"]
    )
    few = busy.get("/v1/villages", fields="code,name", limit=1)["data"]
    assert [set(one) for one in few] == [{"code", "name"}]
    ages = [one["evidence_age_seconds"] for one in busy.get("/v1/villages", sort="-evidence_age")["data"]]
    assert ages == sorted(ages, reverse=True)
    busy.refused("/v1/villages", 422, fields="colour")


def test_a_village_is_shown_with_its_evidence(busy: "World") -> None:
    village = busy.get("/v1/villages/511825100002")
    assert (village["name"], village["detail"]["id"]) == ("徙榆居委会", "tq-chengxiang-xuyu")
    proof = busy.get("/v1/villages/511825100002/evidence")
    measured = {one["aspect"] for one in proof["measured"]}
    assert measured == {"reachable", "working", "used", "peripherals", "platform", "open"}
    assert proof["claims"]
    month = busy.get("/v1/villages/511825100002/availability", month="2026-11")
    assert month["raw"]["ratio"] == 1.0
    busy.refused("/v1/villages/511825100", 404)


def test_a_target_says_how_it_came_on_and_who_is_missing(busy: "World") -> None:
    found = {one["id"]: one for one in busy.get("/v1/milestones")["data"]}
    measured = next(one for one in found.values() if one["target_ratio"] is not None)
    progress = busy.get(f"/v1/milestones/{measured['id']}/progress")
    assert (progress["points"][-1]["met"], progress["points"][-1]["asked"]) == (measured["met"], measured["asked"])
    missing = busy.get(f"/v1/milestones/{measured['id']}/missing", limit=1000)
    assert missing["total"] == measured["asked"] - measured["met"]
    busy.refused("/v1/milestones/nothing/progress", 404)


@pytest.fixture
def office(closed: "World") -> dict[str, str]:
    return closed.token("office", (Role.REFORM_VIEWER, TOP), (Role.NOC_OPERATOR, TOP))


def posted(world: "World", path: str, body: Any, headers: dict[str, str], status: int = 201) -> Any:
    answer = world.write(path, body, headers)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_month_is_published_once_and_corrected_with_a_reason(closed: "World", office: dict[str, str]) -> None:
    body = {"month": "2026-11", "division": TOP}
    draft = closed.client.get("/v1/bulletins/2026-11", headers=office).json()
    assert draft["published"] is None
    first = posted(closed, "/v1/bulletins", body, office)
    assert first["published"]["edition"] == 1
    posted(closed, "/v1/bulletins", body, office, 409)
    second = posted(closed, "/v1/bulletins", {**body, "reason": "one village was counted twice"}, office)
    assert second["published"]["edition"] == 2
    old = closed.client.get("/v1/bulletins/2026-11", {"edition": 1}, office)
    assert old.json()["published"]["sha256"] == first["published"]["sha256"]
    assert "immutable" in old.headers["cache-control"]
    assert closed.client.get("/v1/bulletins/2026-11.docx", headers=office).content[:2] == b"PK"
    ranking = closed.client.get("/v1/rankings", {"month": "2026-11"}, office).json()["data"]
    assert len(ranking) == 10
    assert closed.client.get("/v1/rankings", {"year": 2026}, office).status_code == 409


def test_a_task_goes_from_the_office_to_the_clerk_and_back(closed: "World", office: dict[str, str]) -> None:
    clerk = closed.token("clerk", (Role.TOWNSHIP_CLERK, "511825100000"))
    body = {"title": "修复线路", "target": VILLAGE, "owner": "君城村", "due_on": "2026-11-25"}
    task = posted(closed, "/v1/tasks", body, office)
    path = f"/v1/tasks/{task['id']}/steps"
    posted(closed, path, {"step": "closed"}, office, 409)
    posted(closed, path, {"step": "rectified", "note": "接好了"}, clerk)
    posted(closed, path, {"step": "closed"}, clerk, 403)
    assert posted(closed, path, {"step": "closed", "note": "看过"}, office)["state"] == "closed"
    elsewhere = closed.token("elsewhere", (Role.TOWNSHIP_CLERK, "511825101000"))
    assert closed.client.get(f"/v1/tasks/{task['id']}", headers=elsewhere).status_code == 404
    assert closed.client.get("/v1/tasks", {"state": "closed"}, office).json()["total"] == 1


def test_an_appeal_is_ruled_on_by_somebody_else(closed: "World", office: dict[str, str]) -> None:
    clerk = closed.token("clerk", (Role.TOWNSHIP_CLERK, "511825100000"))
    body = {"site": VILLAGE, "what": "coverage", "claim": "接通了", "evidence": "照片"}
    ruling = {"result": "upheld", "reason": "现场核实", "takes_effect": "2026-12"}
    lodged = posted(closed, "/v1/appeals", body, clerk)
    posted(closed, f"/v1/appeals/{lodged['id']}/ruling", ruling, clerk, 403)
    assert posted(closed, f"/v1/appeals/{lodged['id']}/ruling", ruling, office)["ruling"]["result"] == "upheld"
    own = posted(closed, "/v1/appeals", body, office)
    posted(closed, f"/v1/appeals/{own['id']}/ruling", ruling, office, 409)


def test_a_sample_is_drawn_visited_and_seen_by_those_it_concerns(closed: "World", office: dict[str, str]) -> None:
    draw = posted(closed, "/v1/spot-checks", {"division": TOP, "period": "2026-W47", "size": 12}, office)
    assert len(draw["sites"]) == 12
    posted(closed, "/v1/spot-checks", {"division": TOP, "period": "2026-W47", "size": 12}, office, 409)
    visit = {"site": draw["sites"][0]["site"], "result": "passed", "form": {"open": True}}
    posted(closed, f"/v1/spot-checks/{draw['id']}/visits", visit, office)
    (seen,) = closed.client.get("/v1/spot-checks", headers=office).json()["data"]
    assert seen["sites"][0]["visit"]["result"] == "passed"


def test_work_is_announced_seen_and_taken_back(closed: "World", office: dict[str, str]) -> None:
    began = "2026-11-20T14:00:00+08:00"
    body = {"target": VILLAGE, "since": began, "until": "2026-11-20T16:00:00+08:00", "reason": "换光缆"}
    window = posted(closed, "/v1/maintenance", body, office)
    assert closed.client.get("/v1/maintenance", headers=office).json()["total"] == 1
    posted(closed, f"/v1/maintenance/{window['id']}/cancel", {"reason": "下雨"}, office)
    assert closed.client.get("/v1/maintenance", headers=office).json()["total"] == 0


def test_facts_acceptances_and_signatures_are_kept(closed: "World", office: dict[str, str]) -> None:
    fact = {"subject": VILLAGE, "name": "online", "value": True, "on": "2026-11-19", "source": "省平台"}
    assert posted(closed, "/v1/facts", {"data": [fact]}, office)["total"] == 1
    assert closed.client.get("/v1/facts", {"name": "online"}, office).json()["data"][0]["value"] is True
    accepted = {"site": VILLAGE, "tier": "county", "result": "passed", "on": "2026-11-19", "proof": "验收单"}
    posted(closed, "/v1/acceptances", accepted, office)
    assert closed.client.get("/v1/acceptances", headers=office).json()["total"] == 1
    signed = posted(closed, "/v1/ledgers/signatures", {"month": "2026-11", "division": "511825100"}, office)
    assert signed["state"] == "on_time"
    ledger = closed.client.get("/v1/ledgers", {"month": "2026-11"}, office).json()
    assert (ledger["owed"], ledger["signed"]) == (10, 1)


def test_the_daily_check_has_a_row_for_every_site(busy: "World") -> None:
    found = busy.get("/v1/inspections/daily", day="2026-11-20", limit=1000)
    assert found["total"] == len(busy.inventory.sites)
    busy.refused("/v1/inspections/daily", 422, day=str(date(2026, 11, 20) + timedelta(days=2)))


def test_boundaries_are_told_of_what_the_reader_may_see_and_name_what_is_missing(closed: "World") -> None:
    headers = closed.token("li", (Role.TOWNSHIP_CLERK, "511825101000"))
    viewer = closed.token("wang", (Role.REFORM_VIEWER, "511825000000"))
    assert closed.client.get("/v1/boundaries/511825", headers=viewer).status_code == 404  # nobody supplied any
    square = {"type": "Polygon", "coordinates": [[[102, 30], [103, 30], [103, 31], [102, 30]]]}
    line = {"type": "LineString", "coordinates": [[110, 5], [111, 6]]}
    closed.app.state.boundaries = Boundaries(
        "GS（2026）0001号", "CGCS2000", "", {"511825100000": square, "511826000000": square}, [line]
    )
    told = closed.client.get("/v1/boundaries/511825", headers=viewer)
    assert told.headers["content-type"] == "application/geo+json"
    found = told.json()
    assert [one["id"] for one in found["features"]] == ["511825100000"]  # neither a neighbour nor the nation's lines
    assert (found["review_number"], len(found["missing"])) == ("GS（2026）0001号", 9)
    assert closed.client.get("/v1/boundaries/511825", headers=headers).status_code == 404  # not his
    assert closed.client.get("/v1/boundaries/511825101", headers=headers).json()["features"] == []
