"""``/v1/outages``: what runs, what is over, and how far it reaches."""

from typing import TYPE_CHECKING

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
