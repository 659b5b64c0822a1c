"""The whole county, running: the demo's own proof, a real Prometheus, and collectors that are killed."""

import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cuntong import demo, http, proving
from cuntong.watching import County, samples
from inventory.model import Inventory
from simulator.control import request

if TYPE_CHECKING:
    from tests.cuntong.conftest import Running

Until = Callable[..., None]

CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: cuntong
    http_sd_configs: [{{url: "{page}/v1/sd/collectors", refresh_interval: 1s}}]
  - job_name: api
    static_configs: [{{targets: ["{api}"]}}]
"""


def test_the_demo_proves_itself_in_one_line(home: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "cuntong", "demo", "--check"], capture_output=True, text=True, timeout=110, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    (line,) = ended.stdout.splitlines()
    report = json.loads(line)
    assert (report["sites"], report["devices"], report["devices_up"]) == (142, 375, 375)
    assert report["first_sweep_seconds"] > 0
    coverage = report["coverage"]
    assert (coverage["code"], coverage["denominator"]) == ("511825000000", 96)
    assert (coverage["villages"], coverage["communities"], coverage["unknown"]) == (79, 17, 0)
    assert coverage["numerator"] == 96
    assert [proof["id"] for proof in report["acceptance"] if not proof["ok"]] == []
    proofs = {proof["id"]: proof["actual"] for proof in report["acceptance"]}
    assert proofs["sites"] == 142
    cut = {"claimed": "96/96", "measured": "95/96", "contradictions": 1}
    assert proofs["power cut at one village"] == cut
    assert proofs["uplink of one township cut"] == {"incidents": 1, "node": "tq-shiyang", "sites": 19}


def test_a_proof_that_fails_is_named() -> None:
    report = proving.Report()
    report.expect("devices", 375, 374)
    document = report.as_json()
    assert document["acceptance"] == [{"id": "devices", "expected": 375, "actual": 374, "ok": False}]


def test_every_device_of_the_county_answers(running: "Running", until: Until) -> None:
    until(lambda: (figures := running.county.figures()) is not None and figures.devices_up == 375)
    assert running.county.get("/healthz")["status"] == "ok"


def test_no_device_of_the_demo_has_more_series_than_allowed(running: "Running") -> None:
    text = running.county.metrics_text()
    sites: dict[str, int] = {}
    for line in text.splitlines():
        if 'site="' in line:
            site = line.split('site="', 1)[1].split('"', 1)[0]
            sites[site] = sites.get(site, 0) + 1
    assert len(sites) == 142
    assert max(sites.values()) <= 100


@dataclass(frozen=True)
class Prometheus:
    """A running server, asked over HTTP."""

    url: str

    def query(self, expression: str) -> list[Any]:
        """The series of an instant query."""
        answer = self._get("/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
        found: list[Any] = json.loads(answer)["data"]["result"]
        return found

    def own(self) -> dict[str, float]:
        """What it says of itself, without labels."""
        return {name: value for name, labels, value in samples(self._get("/metrics")) if not labels}

    def _get(self, path: str) -> str:
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:  # noqa: S310  our own address
            body: bytes = answer.read()
        return body.decode()


@pytest.fixture(scope="module")
def prometheus(
    running: "Running", tmp_path_factory: pytest.TempPathFactory, program: Any, until: Until
) -> Iterator[Prometheus]:
    """Debian's Prometheus, scraping the demo."""
    binary = program.path("prometheus")
    folder: Path = tmp_path_factory.mktemp("prometheus")
    page = running.stage.page
    (folder / "prometheus.yml").write_text(CONFIG.format(page=page, api=page.removeprefix("http://")), "utf-8")
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                binary,
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )

        server = Prometheus(f"http://127.0.0.1:{port}")

        def scraped() -> bool:
            assert process.poll() is None, (folder / "log").read_text("utf-8")
            try:
                return len(server.query("up == 1")) == 2
            except (OSError, ValueError):
                return False

        try:
            until(scraped, 60)
            yield server
        finally:
            process.terminate()
            process.wait(30)


def test_a_real_prometheus_answers_for_every_site(prometheus: Prometheus, example: Inventory, until: Until) -> None:
    query = prometheus.query
    until(lambda: (found := query("count(cuntong_site_up)")) and found[0]["value"][1] == "142")
    found = query("cuntong_site_up")
    assert {one["metric"]["site"] for one in found} == set(example.sites.ids)
    assert len(found) == 142
    for one in found:
        assert (one["metric"]["province"], one["metric"]["county"]) == ("51", "511825")
        assert not [label for label in one["metric"] if label.startswith("exported_")]


def test_a_real_prometheus_knows_the_devices_the_lines_and_the_coverage(prometheus: Prometheus, until: Until) -> None:
    query = prometheus.query
    until(lambda: (found := query("sum(cuntong_device_up)")) and found[0]["value"][1] == "375")
    until(lambda: query("count(rate(cuntong_link_receive_bytes_total[30s]) > 0)"))
    covered = 'cuntong_coverage_villages{requirement="extranet", state="covered"}'
    until(lambda: (found := query(covered)) and found[0]["value"][1] == "96")
    (joined,) = query('cuntong_site_up{site="tq-shiyang"} * on(site) group_left(name) cuntong_site_info')
    assert joined["metric"]["name"] == "始阳镇便民服务中心"


def test_a_real_prometheus_takes_every_sample_that_we_serve(prometheus: Prometheus) -> None:
    own = prometheus.own()
    for complaint in ("duplicate_timestamp", "out_of_order", "out_of_bounds"):
        assert own[f"prometheus_target_scrapes_sample_{complaint}_total"] == 0, complaint
    (scraped,) = prometheus.query('scrape_samples_scraped{job="cuntong"}')
    assert int(scraped["value"][1]) > 142 + 375


def test_what_is_broken_by_hand_is_seen_and_mended_by_hand(running: "Running", until: Until, home: Path) -> None:
    def play(*arguments: str) -> str:
        command = [sys.executable, "-m", "cuntong", "simulate", *arguments, "--control", str(running.stage.control)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout

    # A router: a kiosk may be silent outside its hours, and this test runs at any time of day.
    assert play("fault", "silent", "tq-xiaohe-agg1").strip() == "silent at tq-xiaohe-agg1: 1 devices concerned"
    assert play("faults").strip() == "silent tq-xiaohe-agg1"
    until(lambda: [o["node"] for o in running.county.get("/v1/outages?open=true")["data"]] == ["tq-xiaohe-agg1"])
    states = {device["id"]: device["state"] for device in running.county.get("/v1/sites/tq-xiaohe")["devices"]}
    assert (states["tq-xiaohe-agg1"], states["tq-xiaohe-kiosk1"]) == ("silent", "up")
    assert play("mend", "tq-xiaohe-agg1").strip() == "mended: silent at tq-xiaohe-agg1"
    until(lambda: running.county.get("/v1/outages?open=true")["data"] == [])
    assert play("faults").strip() == "nothing is broken"


FIRST, SECOND = "tq-chengxiang-xuyu", "tq-chengxiang-wenbi"


def test_a_collector_that_is_killed_loses_no_outage_and_doubles_none(example: Inventory, until: Until) -> None:
    chance = random.Random()  # a moment is bad luck, whichever it is
    with demo.stage(demo.EXAMPLE, http.free_port(), "calm", interval_s=1.0) as stage:
        county = County(example, stage.page, stage.metrics)
        demo.wait_for_sweep(stage, county)
        collector = next(program for program in stage.supervisor.programs if program.name == "collector")

        def kill_soon() -> None:
            time.sleep(chance.uniform(0, 1.0))
            assert collector.process is not None
            os.kill(collector.process.pid, signal.SIGKILL)
            until(lambda: collector in stage.supervisor.restart_the_dead())

        def outages() -> dict[str, list[bool]]:
            """For each node whether each of its outages runs."""
            found: dict[str, list[bool]] = {}
            for outage in county.get("/v1/outages?limit=1000")["data"]:
                found.setdefault(outage["node"], []).append(outage["until"] is None)
            return found

        def tell(what: str, site: str) -> None:
            if what == "clear":
                proving._tell(stage, {"do": "clear", "target": site})
            else:
                proving._tell(stage, {"do": "inject", "fault": {"fault": "power_cut", "target": site}})

        tell("cut", FIRST)
        until(lambda: outages() == {FIRST: [True]})
        kill_soon()  # an outage that is recorded
        tell("cut", SECOND)
        kill_soon()  # one that may be recorded, or suspected, or not seen yet
        until(lambda: outages() == {FIRST: [True], SECOND: [True]})
        tell("clear", FIRST)
        kill_soon()  # and an end that may be
        until(lambda: outages() == {FIRST: [False], SECOND: [True]})
        tell("clear", SECOND)
        until(lambda: outages() == {FIRST: [False], SECOND: [False]})
        until(lambda: county.get("/v1/coverage/511825")["works_now"]["numerator"] == 96)
        assert collector.restarts == 3


def test_one_of_two_lines_is_an_outage_of_that_line_alone(running: "Running", until: Until) -> None:
    def newest() -> dict[str, Any]:
        told = running.county.get("/v1/outages?site=tq-fagai&scope=line")["data"]
        return dict(told[0]) if told else {}

    fault = {"fault": "uplink_cut", "target": "tq-fagai", "towards": "tq-center-core2"}
    assert asyncio.run(request(running.stage.control, {"do": "inject", "fault": fault}))["ok"]
    try:
        until(lambda: newest().get("node") == "tq-fagai-cpe1-line2")
        assert running.county.get("/v1/sites/tq-fagai")["reachable"] == "yes"
        assert "own_port_down" in {clue["sign"] for clue in newest()["evidence"]}
        assert newest()["sites_affected"] == 0
    finally:
        assert asyncio.run(request(running.stage.control, {"do": "clear", "target": "tq-fagai"}))["ok"]
    until(lambda: newest()["until"] is not None)


def test_what_failed_is_told_by_the_port_above_and_later_by_the_clocks(
    running: "Running", until: Until, home: Path
) -> None:
    def play(*arguments: str) -> None:
        command = [sys.executable, "-m", "cuntong", "simulate", *arguments, "--control", str(running.stage.control)]
        subprocess.run(command, capture_output=True, timeout=60, check=True)

    def newest(site: str) -> tuple[str, set[str], bool]:
        told = running.county.get(f"/v1/outages?site={site}")["data"]
        outage: dict[str, Any] = next((one for one in told if one["node"] == site), {})
        signs = {clue["sign"] for clue in outage.get("evidence", ())}
        return outage.get("verdict", ""), signs, outage.get("until") is not None

    cut, unplugged = (
        running.county.get(f"/v1/sites?q={code}")["data"][0]["id"] for code in ("511825105202", "511825105203")
    )
    play("fault", "uplink_cut", cut)
    play("fault", "power_cut", unplugged)
    for site in (cut, unplugged):  # without a UPS the two look alike from above
        until(lambda site=site: newest(site) == ("line", {"port_down"}, False))
    play("mend", cut)
    play("mend", unplugged)
    until(lambda: newest(cut) == ("line", {"kept_running", "port_down"}, True))
    until(lambda: newest(unplugged) == ("power", {"restarted"}, True))
