"""What programs ask of the API itself: health, Prometheus' targets and text, the contract, the headers."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.formats import MEDIA_TYPES
from exporter.registry import API_METRICS, PROCESS_METRICS
from health.coverage import State
from inventory.loader import load
from inventory.model import Inventory
from ledger import leases

if TYPE_CHECKING:
    from tests.api.conftest import World

COUNTIES = [f"5118{number:02}000000" for number in range(30)]


def test_it_is_well_while_its_figures_are_fresh(lit: "World") -> None:
    found = lit.get("/healthz")
    assert (found["status"], found["counties_watched"]) == ("ok", 1)
    assert found["inventory"] == lit.inventory.content_hash


def test_a_county_that_nobody_watches_any_more_is_not_counted_as_watched(lit: "World") -> None:
    lit.refresh(lit.now + 3600)
    assert lit.get("/healthz")["counties_watched"] == 0


def test_it_is_not_well_when_it_no_longer_follows_the_ledger(lit: "World") -> None:
    lit.now += 61
    document = lit.refused("/healthz", 503)
    assert document["type"] == "urn:cuntong:problem:stale"


def test_prometheus_finds_the_collector_through_its_lease(lit: "World") -> None:
    (group,) = lit.get("/v1/sd/collectors")
    assert group == {
        "targets": ["127.0.0.1:9161"],
        "labels": {
            "__metrics_path__": "/metrics/511825000000",
            "province": "51",
            "county": "511825",
            "collector": "test",
        },
    }
    (process,) = lit.get("/v1/sd/processes")
    assert process == group | {"labels": group["labels"] | {"__metrics_path__": "/metrics"}}


def test_a_lease_that_is_over_is_no_target(lit: "World") -> None:
    lit.now += 61
    assert lit.get("/v1/sd/collectors") == []


@pytest.mark.parametrize("shards", [1, 2, 3, 7])
def test_shards_divide_the_counties_among_them(lit: "World", shards: int) -> None:
    for county in COUNTIES:
        leases.acquire(lit.engine, county, "test", "192.0.2.1:9161", lit.now, 60)
    parts = [lit.get("/v1/sd/collectors", shard=shard, of=shards) for shard in range(shards)]
    paths = [group["labels"]["__metrics_path__"] for part in parts for group in part]
    assert sorted(paths) == sorted(f"/metrics/{county}" for county in {*COUNTIES, "511825000000"})
    assert all(parts)


def test_a_shard_that_cannot_be_is_refused(lit: "World") -> None:
    lit.refused("/v1/sd/collectors", 422, shard=2, of=2)
    lit.refused("/v1/sd/collectors", 422, shard=-1)


def test_the_metrics_say_what_the_coverage_says(busy: "World") -> None:
    families = {family.name: family for family in text_string_to_metric_families(busy.client.get("/metrics").text)}
    declared = {metric.family: metric for metric in (*API_METRICS, *PROCESS_METRICS)}
    assert set(families) <= set(declared)
    for name, family in families.items():
        assert (family.type, family.documentation) == (declared[name].type, declared[name].help)
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(declared[name].all_labels)
    for requirement in ("extranet", "kiosk"):
        states = busy.coverage(requirement=requirement)["states"]
        samples = families["cuntong_coverage_villages"].samples
        found = {s.labels["state"]: s.value for s in samples if s.labels["requirement"] == requirement}
        assert found == states
        assert set(found) == set(State)
    assert {s.labels["county"] for s in families["cuntong_coverage_claimed_villages"].samples} == {"511825"}


@pytest.mark.parametrize("path", ["/", "/v1/coverage/511825", "/v1/sites/nowhere", "/nothing", "/static/style.css"])
def test_every_answer_forbids_what_comes_from_elsewhere(busy: "World", path: str) -> None:
    headers = busy.client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'self'")
    assert "unsafe" not in headers["content-security-policy"]
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")


def test_what_does_not_exist_or_is_not_offered_is_a_problem_document(busy: "World") -> None:
    busy.refused("/nothing", 404)
    answer = busy.client.post("/v1/sites")
    assert (answer.status_code, answer.headers["content-type"]) == (405, "application/problem+json")


def test_a_bug_is_a_problem_document_that_gives_nothing_away(
    example: Inventory, make_world: "Callable[[Inventory], World]", monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(example)

    def fail() -> None:
        raise RuntimeError("secret-of-the-village")

    monkeypatch.setattr(world.standing, "query", fail)
    client = type(world.client)(world.app, bugs_are_raised=False)
    answer = client.get("/v1/outages")
    client.close()
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "secret-of-the-village" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


LIST_TYPES = {"text/csv", *(media_type for media_type in MEDIA_TYPES.values())}
_MEDIA = {"application/json", "application/geo+json", "text/plain", "text/event-stream"}


def test_the_contract_names_every_operation_and_every_answer(busy: "World") -> None:
    document = busy.get("/openapi.json")
    assert document == busy.get("/openapi.json")
    operations = {path: operation for path, found in document["paths"].items() for operation in found.values()}
    names = [operation["operationId"] for operation in operations.values()]
    assert len(set(names)) == len(names)
    assert {"collectors", "processes", "scrape_config", "coverage", "healthz", "metrics", "outages", "site"} <= set(
        names
    )
    for path, operation in operations.items():
        assert operation["summary"], path
        for status, response in operation["responses"].items():
            assert response["description"], (path, status)
            if status == "204":
                assert "content" not in response, path
                continue
            expected = _MEDIA if status < "300" else {"application/problem+json"}
            if "text/csv" in response["content"]:  # a list, which comes in every format
                expected = expected | LIST_TYPES
            assert set(response["content"]) <= expected or path.endswith(".{kind}"), (path, status)
            assert all(one["schema"] for one in response["content"].values()), (path, status)
        if operation.get("parameters"):
            assert "422" in operation["responses"], path
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_every_reference_of_the_contract_leads_somewhere(busy: "World") -> None:
    text = busy.client.get("/openapi.json").text
    schemas = json.loads(text)["components"]["schemas"]
    wanted = set(re.findall(r'"\$ref":\s*"#/components/schemas/(\w+)"', text))
    assert wanted
    assert wanted <= set(schemas)


PRIVATE = {
    "serial": "SN-1234-SECRET",
    "contact": "王某某-13800000000",
    "seal_no": "SEAL-77",
    "note": "key under the mat",
}


@pytest.fixture
def talkative(example: Inventory, tmp_path: Path, make_world: "Callable[[Inventory], World]") -> "World":
    """A county whose files hold what is nobody's business."""
    import shutil

    folder = tmp_path / "county"
    shutil.copytree(example.folder, folder)
    file = folder / "sites" / "chengxiang.yml"
    old = "        is: 文笔居委会\n"
    text = file.read_text("utf-8")
    assert text.count(old) == 1
    own = f"""{old}        contact: {PRIVATE["contact"]}
        seal_no: {PRIVATE["seal_no"]}
        note: {PRIVATE["note"]}
        devices: {{cpe1: {{serial: {PRIVATE["serial"]}}}}}
"""
    file.write_text(text.replace(old, own), "utf-8")
    world = make_world(load(folder))
    world.lights_up(world.now - 60)
    world.loses(world.now - 30, "tq-chengxiang-wenbi")
    world.loses_device(world.now - 20, "tq-chengxiang-xuyu-kiosk2")
    world.watched(world.now - 60, world.now)
    return world


def every_answer(world: "World") -> Iterator[tuple[str, str]]:
    ids = world.inventory.sites.ids
    paths = ["/", "/healthz", "/metrics", "/openapi.json", "/v1/outages", "/v1/sites?limit=1000"]
    paths += ["/v1/coverage/511825?children=true&requirement=kiosk", "/d/511825100", "/d/511825100?lang=en"]
    paths += [f"/v1/sites/{id}" for id in ids] + [f"/s/{id}" for id in ids if id.startswith("tq-chengxiang")]
    for path in paths:
        answer = world.client.get(path)
        assert answer.status_code == 200, path
        yield path, answer.text


def test_no_answer_gives_away_an_address_a_serial_number_or_a_person(talkative: "World") -> None:
    inventory = talkative.inventory
    device = next(device for device in inventory.devices if device.serial)
    assert device.serial == PRIVATE["serial"]
    addresses = {device.address for device in inventory.devices}
    addresses |= {str(prefix.network_address) for site in range(142) for prefix in inventory.prefixes(site).values()}
    for path, text in every_answer(talkative):
        assert addresses.isdisjoint(re.findall(r"\d+\.\d+\.\d+\.\d+", text)), path
        for kind, secret in PRIVATE.items():
            assert secret not in text, (path, kind)


def test_secrets_are_no_part_of_any_answer(talkative: "World") -> None:
    references: set[Any] = {device.credential for device in talkative.inventory.devices}
    for path, text in every_answer(talkative):
        assert not any(reference in text for reference in references), path
