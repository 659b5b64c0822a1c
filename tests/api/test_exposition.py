"""What the API tells Prometheus, family by family."""

import asyncio
import subprocess
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as text_format
from sqlalchemy import insert

from api.requests import RequestTimes, TimedRequests
from api.standing import CHINA
from exporter.registry import API_METRICS, PROCESS_METRICS
from inventory.model import Inventory
from ledger import jobs, rollouts
from ledger.rollouts import RunEvent, RunState
from ledger.tables import backups

if TYPE_CHECKING:
    from tests.api.conftest import World

HERE = {"province": "51", "county": "511825"}
ROUTER = "tq-chengxiang-xuyu-cpe1"


def samples(world: "World", name: str) -> list[tuple[dict[str, str], float]]:
    """Of one metric, without province and county, which must be right."""
    world.app.state.metrics.refresh()
    world.app.state.metrics_page._made_at = None  # a second has passed
    found = []
    for family in text_format(world.client.get("/metrics").text):
        for sample in family.samples:
            if sample.name == name:
                assert {key: sample.labels.get(key, value) for key, value in HERE.items()} == HERE
                found.append(({k: v for k, v in sample.labels.items() if k not in HERE}, sample.value))
    return found


def by(world: "World", name: str, label: str) -> dict[str, float]:
    """Values of a metric by one of its labels."""
    return {labels[label]: value for labels, value in samples(world, name)}


def run_of(world: "World", id: str, began: float, ended: tuple[float, str] | None, **devices: str) -> None:
    """A run of a plan of its own, and what became of its devices."""
    run = rollouts.start(world.engine, id, f"plan of {id}", "li", "here", began, 60)
    with world.engine.begin() as connection:
        for device, state in devices.items():
            event = RunEvent(began + 1, "device", 1, device.replace("_", "-"), state, "{}")
            rollouts.tell(connection, run.id, run.epoch, event)
        if ended is not None:
            rollouts.tell(connection, run.id, run.epoch, RunEvent(ended[0], "ended", 0, "", ended[1], ""))
            rollouts.steer(connection, run.id, RunState.ENDED)


def test_before_anything_was_changed_all_counters_are_there_at_nothing(world: "World") -> None:
    assert samples(world, "cuntong_provision_runs_total") == [({"outcome": "done"}, 0), ({"outcome": "stopped"}, 0)]
    assert sum(value for _, value in samples(world, "cuntong_provision_device_changes_total")) == 0
    assert {labels["state"] for labels, _ in samples(world, "cuntong_provision_device_changes_total")} == {
        "confirmed", "rolled_back", "lost", "needs_visit", "stale", "failed"
    }  # fmt: skip
    assert samples(world, "cuntong_provision_last_end_timestamp_seconds") == []
    assert samples(world, "cuntong_device_config_backup_timestamp_seconds") == []
    assert samples(world, "cuntong_provision_devices_without_backup") == [({}, 143)]


def test_runs_are_counted_by_how_they_ended_and_how_long_they_took(world: "World") -> None:
    now = world.now
    run_of(world, "a", now - 1000, (now - 900, "done"), tq_center_core1="confirmed", tq_chengxiang_agg1="confirmed")
    run_of(world, "b", now - 800, (now - 100, "too many lost"), tq_shiyang_agg1="rolled_back", gone_cpe1="lost")
    run_of(world, "c", now - 10, None)
    run_of(world, "d", now - 500, None)
    assert dict((labels["outcome"], value) for labels, value in samples(world, "cuntong_provision_runs_total")) == {
        "done": 1,
        "stopped": 1,
    }
    ends = {labels["outcome"]: at for labels, at in samples(world, "cuntong_provision_last_end_timestamp_seconds")}
    assert ends == {"done": now - 900, "stopped": now - 100}
    states = {labels["state"]: value for labels, value in samples(world, "cuntong_provision_runs_in_progress")}
    assert states == {"running": 1, "pausing": 0, "stopping": 0, "abandoned": 1}
    buckets = samples(world, "cuntong_provision_run_duration_seconds_bucket")
    assert {labels["le"]: value for labels, value in buckets if labels["outcome"] == "done"} == {
        "60": 0, "300": 1, "900": 1, "1800": 1, "3600": 1, "7200": 1, "21600": 1, "+Inf": 1
    }  # fmt: skip
    changes = {labels["state"]: value for labels, value in samples(world, "cuntong_provision_device_changes_total")}
    # What is no longer in the inventory belongs to no county.
    assert changes | {"confirmed": 2, "rolled_back": 1, "lost": 0} == changes


def test_a_backup_tells_its_age_and_whether_somebody_else_changed_the_device(world: "World") -> None:
    def backup(device: str, at: float, fingerprint: str) -> None:
        with world.engine.begin() as connection:
            connection.execute(
                insert(backups).values(
                    device=device, taken_at=at, reason="nightly", platform="vrp", fingerprint=fingerprint,
                    redacted="", sealed=b"",
                )
            )  # fmt: skip

    def drifted() -> float:
        ((labels, value),) = samples(world, "cuntong_provision_drifted_devices")
        assert labels == {"class": "router"}
        return value

    backup(ROUTER, 100.0, "old")
    assert drifted() == 0, "we never changed it"
    with world.engine.begin() as connection:
        rollouts.note_applied(connection, ROUTER, "r", "p", "ours", "t", "s", 200.0)
    assert drifted() == 0, "the backup is older than the change"
    backup(ROUTER, 300.0, "ours")
    assert drifted() == 0
    backup(ROUTER, 400.0, "another's")
    assert drifted() == 1
    taken = samples(world, "cuntong_device_config_backup_timestamp_seconds")
    assert taken == [({"site": "tq-chengxiang-xuyu", "device": ROUTER}, 400.0)]
    assert samples(world, "cuntong_provision_devices_without_backup") == [({}, 142)]


def test_a_milestone_tells_its_target_its_day_and_who_meets_it(busy: "World") -> None:
    asked: dict[str, dict[str, float]] = {}
    for labels, value in samples(busy, "cuntong_coverage_milestone_sites"):
        asked.setdefault(labels["milestone"], {})[labels["state"]] = value
    told = samples(busy, "cuntong_coverage_target_ratio")
    targets = {labels["milestone"]: (labels["requirement"], value) for labels, value in told}
    ends = by(busy, "cuntong_coverage_milestone_deadline_timestamp_seconds", "milestone")
    measured = {one.id: one for one in busy.inventory.milestones if not one.qualitative}
    assert set(asked) == set(targets) == set(ends) == set(measured)
    for id, states in asked.items():
        assert set(states) == {"met", "missing"}
        assert sum(states.values()) > 0
        assert targets[id][1] == measured[id].target_ratio
    assert targets["g51-townships"][0] == "extranet"
    assert targets["g50-centres"][0] == "", "its conditions ask for claims alone"
    assert sum(asked["g51-townships"].values()) == 10
    assert datetime.fromtimestamp(ends["g51-townships"], CHINA) == datetime(2020, 10, 1, tzinfo=CHINA)


def test_the_oldest_proof_is_that_of_the_village_that_is_dark_longest(lit: "World") -> None:
    oldest = "cuntong_coverage_evidence_oldest_timestamp_seconds"
    assert by(lit, oldest, "requirement")["extranet"] == lit.now, "everything answers, and is watched until now"
    outage = lit.now - 1800
    lit.loses(outage, "tq-chengxiang-xuyu")
    lit.watched(lit.now, lit.now)
    assert by(lit, oldest, "requirement")["extranet"] == outage - 5


def test_contradictions_are_those_of_the_page(busy: "World") -> None:
    for requirement in ("extranet", "kiosk"):
        told = busy.coverage(requirement=requirement)["contradictions"]
        found = by(busy, "cuntong_coverage_contradictions", "requirement")
        assert found[requirement] == len(told) > 0


async def _as_openmetrics(world: "World") -> str:
    transport = httpx.ASGITransport(world.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://county") as client:
        return (await client.get("/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0"})).text


def test_both_formats_are_served_and_hold_what_is_declared(busy: "World", program: Any) -> None:
    busy.client.get("/v1/sites")
    text = busy.client.get("/metrics").text
    new = asyncio.run(_as_openmetrics(busy))
    declared = {metric.name.removesuffix("_info") if metric.kind == "info" else metric.family: metric
                for metric in (*API_METRICS, *PROCESS_METRICS)}  # fmt: skip
    for family in openmetrics(new):  # type: ignore[no-untyped-call]
        metric = declared[family.name]
        assert (family.type, family.unit, family.documentation) == (metric.kind, metric.unit, metric.help)
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(metric.all_labels)
    command = [program.path("promtool"), "check", "metrics"]
    checked = subprocess.run(command, input=text.encode(), capture_output=True, timeout=60, check=False)
    assert (checked.returncode, checked.stderr.decode()) == (0, "")


def test_requests_are_counted_by_the_template_of_their_route(
    example: Inventory, make_world: "Callable[[Inventory], World]"
) -> None:
    world = make_world(example)
    for path in ("/v1/coverage/511825", "/v1/coverage/511825101", "/v1/sites/nowhere", "/nothing", "/static/style.css"):
        world.client.get(path)
    world.client.post("/v1/sites")
    found = {
        (labels["method"], labels["route"], labels["status_class"]): value
        for labels, value in samples(world, "cuntong_api_request_duration_seconds_count")
    }
    assert found == {
        ("GET", "/v1/coverage/{code}", "2xx"): 2,
        ("GET", "/v1/sites/{site_id}", "4xx"): 1,
        ("GET", "none", "4xx"): 1,
        ("GET", "/static", "2xx"): 1,
        ("POST", "/v1/sites", "4xx"): 1,
    }


async def test_a_program_that_fails_is_counted_as_failed() -> None:
    times = RequestTimes()

    async def fails(_scope: Any, _receive: Any, _send: Any) -> None:
        raise RuntimeError("nothing was answered")

    async def nothing(*_: Any) -> Any:
        raise AssertionError

    timed = TimedRequests(fails, times, iter([1.0, 1.25]).__next__)
    with pytest.raises(RuntimeError):
        await timed({"type": "http", "method": "BREW"}, nothing, nothing)
    _, text = times.lines()
    labels = 'method="other",route="none",status_class="5xx"'
    assert f'cuntong_api_request_duration_seconds_bucket{{{labels},le="0.1"}} 0\n' in text
    assert f'cuntong_api_request_duration_seconds_bucket{{{labels},le="0.25"}} 1\n' in text
    assert f"cuntong_api_request_duration_seconds_sum{{{labels}}} 0.25\n" in text


def test_a_ledger_that_is_away_leaves_the_newest_result(lit: "World", monkeypatch: pytest.MonkeyPatch) -> None:
    lit.app.state.metrics.refresh()

    def away() -> Any:
        raise AssertionError("a scrape asks no ledger")

    monkeypatch.setattr(lit.standing, "query", away)
    assert 'cuntong_provision_runs_total{outcome="done"} 0\n' in lit.client.get("/metrics").text


def test_timed_work_tells_when_it_is_due_and_how_it_ended(world: "World") -> None:
    county = world.inventory.top
    jobs.declare(world.engine, county, {"backup": 100.0, "bulletin": 1e9})
    job = jobs.take(world.engine, county, "here", 101.0, 60)
    assert job is not None
    jobs.finish(world.engine, job, jobs.Run("backup", 100.0, 101.0, 105.0, jobs.Outcome.DONE, ""), 200.0)
    assert by(world, "cuntong_work_due_timestamp_seconds", "work") == {"backup": 200.0, "bulletin": 1e9}
    assert by(world, "cuntong_work_failed", "work") == {"backup": 0.0}
    job = jobs.take(world.engine, county, "here", 201.0, 60)
    assert job is not None
    jobs.finish(world.engine, job, jobs.Run("backup", 200.0, 201.0, 202.0, jobs.Outcome.FAILED, "why"), 300.0)
    assert by(world, "cuntong_work_failed", "work") == {"backup": 1.0}
    assert by(world, "cuntong_work_last_success_timestamp_seconds", "work") == {"backup": 105.0}
