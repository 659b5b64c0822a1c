"""The collector's HTTP: the county's text, the collector's own metrics, whether it lives."""

from collections import Counter
from typing import TYPE_CHECKING

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from collectors.reach import Endpoint
from collectors.traps import TrapCounters
from exporter.http import metrics_app
from exporter.own import CollectorMetrics
from exporter.registry import COLLECTOR_METRICS, PROCESS_METRICS

if TYPE_CHECKING:
    from tests.exporter.conftest import Stand


@pytest.fixture
def client(answering: "Stand") -> httpx.AsyncClient:
    classes = [str(device.device_class) for device in answering.inventory.devices]
    platforms = {Endpoint("services", "zwfw.example", 443): True, Endpoint("services", "zwfw.example", 80): False}
    source = CollectorMetrics(
        answering.collector,
        classes,
        lambda: {"sent": 3, "late": 1},
        patience=lambda: [0.2] * 90 + [0.7] * 10,
        platforms=platforms,
        statuses={next(iter(platforms)): 503},
        refusals=lambda: 3,
        traps=lambda: TrapCounters(Counter(accepted=2), Counter(link_down=2)),
    )
    app = metrics_app({answering.inventory.top: answering.text}, source)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://collector")


@pytest.mark.parametrize("code", ["511825", "511825000000"])
async def test_a_county_is_served_by_six_and_twelve_digits(
    client: httpx.AsyncClient, answering: "Stand", code: str
) -> None:
    async with client:
        answer = await client.get(f"/metrics/{code}")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.content == answering.text.render()


@pytest.mark.parametrize("code", ["511826", "51", "nonsense"])
async def test_a_county_of_another_collector_is_said_to_be_not_here(client: httpx.AsyncClient, code: str) -> None:
    async with client:
        answer = await client.get(f"/metrics/{code}")
    assert answer.status_code == 404
    assert "this collector has 511825000000" in answer.text


async def test_the_collector_says_of_itself_what_is_declared(client: httpx.AsyncClient, answering: "Stand") -> None:
    answering.collector.sweep.first_s = 1.5
    answering.collector.sweep.completed_at = 1.0
    answering.collector.sweep.duration_s = 2.0
    answering.collector.sweep.polls.update(answered=10, silent=4)
    async with client:
        answer = await client.get("/metrics")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    declared = {metric.family: metric for metric in (*COLLECTOR_METRICS, *PROCESS_METRICS)}
    assert set(families) == set(declared)
    ours = {name: family for name, family in families.items() if name.startswith("cuntong_")}
    for name, family in families.items():
        assert (family.type, family.documentation) == (declared[name].type, declared[name].help)
        for sample in family.samples:
            assert set(sample.labels) == set(declared[name].labels)
    targets = {tuple(s.labels.values()): s.value for s in ours["cuntong_collector_targets"].samples}
    assert targets == {("router", "up"): 143, ("kiosk", "up"): 126, ("printer", "up"): 106}
    polls = {s.labels["result"]: s.value for s in ours["cuntong_collector_polls"].samples}
    assert polls == {"answered": 7, "refused": 3, "silent": 4}
    patience = {s.labels["share"]: s.value for s in ours["cuntong_collector_snmp_timeout_seconds"].samples}
    assert patience == {"0.5": 0.2, "0.9": 0.2, "0.99": 0.7}
    reach = {s.labels["port"]: s.value for s in ours["cuntong_collector_platform_reachable"].samples}
    assert reach == {"443": 1.0, "80": 0.0}
    status = {s.labels["port"]: s.value for s in ours["cuntong_collector_platform_http_status"].samples}
    assert status == {"443": 503.0}


async def test_what_was_not_measured_yet_is_absent(client: httpx.AsyncClient) -> None:
    async with client:
        text = (await client.get("/metrics")).text
        assert (await client.get("/healthz")).text == "ok\n"
    assert "cuntong_collector_first_sweep_seconds" not in text
    assert "cuntong_collector_cycle_timestamp_seconds" not in text
