"""``/v1/outages``: what runs, what is over, and how far it reaches."""

from typing import TYPE_CHECKING

from ledger.accounts import Role

if TYPE_CHECKING:
    from tests.api.conftest import World


def test_outages_come_newest_first_with_those_that_are_over(busy: "World") -> None:
    found = busy.get("/v1/outages")["data"]
    assert [outage["since"] for outage in found] == sorted((outage["since"] for outage in found), reverse=True)
    assert len(found) == 5
    over = found[-1]
    assert (over["node"], over["seconds"], over["sites_affected"]) == ("tq-chengxiang-wenbi", 60.0, 1)
    assert over["until"] is not None


def test_only_those_that_run_can_be_asked_for(busy: "World") -> None:
    found = busy.get("/v1/outages", open=True)["data"]
    assert {outage["until"] for outage in found} == {None}
    assert {(outage["scope"], outage["cause"], outage["sites_affected"]) for outage in found} == {
        ("site", "access", 1),
        ("uplink", "aggregation", 19),
        ("device", "device", 0),
    }


def test_an_outage_is_found_from_every_site_that_it_darkened(busy: "World") -> None:
    (village,) = busy.get("/v1/sites", q="511825101202")["data"]
    (outage,) = busy.get("/v1/outages", site=village["id"])["data"]
    assert (outage["node"], outage["site"], outage["name"]) == ("tq-shiyang", "tq-shiyang", "始阳镇便民服务中心")
    assert village["id"] in outage["sites"]
    assert busy.get("/v1/outages", site="tq-fagai")["data"] == []


def test_a_silent_device_is_an_outage_of_its_site_too(busy: "World") -> None:
    (outage,) = busy.get("/v1/outages", site="tq-chengxiang-xuyu", open=True)["data"]
    assert (outage["scope"], outage["node"]) == ("device", "tq-chengxiang-xuyu-kiosk2")


def test_a_device_is_named_by_its_site_and_one_that_is_gone_by_its_id(busy: "World") -> None:
    named = {outage["node"]: (outage["site"], outage["name"]) for outage in busy.get("/v1/outages", open=True)["data"]}
    assert named["tq-chengxiang-xuyu-kiosk2"] == ("tq-chengxiang-xuyu", "徙榆社区便民服务室 kiosk2")
    assert named["gone-village-kiosk1"] == (None, "gone-village-kiosk1")


def test_the_list_can_be_cut_short(busy: "World") -> None:
    assert len(busy.get("/v1/outages", limit=2)["data"]) == 2


def test_wrong_questions_are_refused(busy: "World") -> None:
    busy.refused("/v1/outages", 404, site="nowhere")
    busy.refused("/v1/outages", 422, limit=0)
    busy.refused("/v1/outages", 422, open="perhaps")


def test_a_list_is_narrowed_by_scope_verdict_carrier_and_how_far_people_are(busy: "World") -> None:
    every = busy.get("/v1/outages")
    assert every["total"] == len(every["data"]) == 5
    lan = busy.get("/v1/outages", scope=["device", "site"])["data"]
    assert {one["scope"] for one in lan} == {"device", "site"}
    carrier = busy.get("/v1/outages", scope="uplink")["data"][0]["carrier"]
    assert carrier == "telecom"
    assert {one["carrier"] for one in busy.get("/v1/outages", carrier=carrier)["data"]} == {carrier}
    assert busy.get("/v1/outages", carrier="nobody")["data"] == []
    assert busy.get("/v1/outages", verdict="unknown")["total"] == 5
    waiting = busy.get("/v1/outages", handling="open")["data"]
    over = busy.get("/v1/outages", handling=["verified", "closed"])["data"]
    assert {one["until"] for one in waiting} == {None}
    assert None not in {one["until"] for one in over}
    assert len(waiting) + len(over) == 5


def test_what_people_did_is_in_the_list(lit: "World") -> None:
    outage = lit.loses(lit.now - 60, "tq-fagai")
    lit.watched(lit.now - 60, lit.now)
    headers = lit.token("op", (Role.NOC_OPERATOR, "511825000000"))
    assert lit.write(f"/v1/outages/{outage}/acknowledge", {"note": "on it"}, headers).status_code == 200
    assert lit.write(f"/v1/outages/{outage}/ticket", {"note": "CT-77"}, headers).status_code == 200
    (entry,) = lit.get("/v1/outages", open=True)["data"]
    assert (entry["handling"], entry["ticket"]) == ("dispatched", "CT-77")
    assert entry["acknowledged_at"] is not None
    assert lit.get("/v1/outages", open=True, handling="open")["data"] == []
