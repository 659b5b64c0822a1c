"""``cuntong rules``, and the configuration of Prometheus that loads what it writes."""

import json
import re
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml

import inventory
from exporter.linting.rule_files import RULES

if TYPE_CHECKING:
    from tests.cuntong.conftest import Command, Running

EXAMPLE = Path(inventory.__file__).parent / "examples" / "tianquan"
DEPLOYED = Path(inventory.__file__).parent.parent / "deploy" / "prometheus" / "prometheus.yml"

OWN = """\
groups:
  - name: own
    rules:
      - alert: TooManyKiosks
        expr: sum by (province, county) (cuntong_kiosk_sessions) > 1
        for: 5m
"""


@pytest.fixture
def county(tmp_path: Path) -> Path:
    folder = tmp_path / "county"
    shutil.copytree(EXAMPLE, folder)
    return folder


def test_our_own_rules_have_nothing_against_them(cuntong: "Command") -> None:
    said = cuntong("rules", EXAMPLE, "--json")
    assert (said.code, json.loads(said.out)) == (0, {"ok": True, "files": [], "problems": []})


def test_what_is_written_is_loaded_by_prometheus_and_alertmanager(
    cuntong: "Command", county: Path, tmp_path: Path, program: Any
) -> None:
    (county / "alerting.yml").write_text("page: [{url: 'https://hooks.example/page'}]\noffice: market\n", "utf-8")
    out = tmp_path / "out"
    said = cuntong(
        "rules", county, "--out", out, "--runbooks", "https://noc.example/books/", "--dashboards", "https://g.example"
    )
    assert said.code == 0, said.out + said.err
    assert said.out.count("Wrote ") == len(list(RULES.glob("*.yml"))) + 1
    shutil.copy(DEPLOYED, out / "prometheus.yml")
    for command in (
        [program.path("promtool"), "check", "config", str(out / "prometheus.yml")],
        [program.path("amtool"), "check-config", str(out / "alertmanager.yml")],
    ):
        checked = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert checked.returncode == 0, checked.stdout + checked.stderr
    rules = "".join(file.read_text("utf-8") for file in (out / "rules").glob("*.yml"))
    assert "runbook_url: https://noc.example/books/SiteDown\n" in rules
    assert "https://g.example/d/cuntong-site?" in rules
    assert "127.0.0.1" not in rules
    routes = (out / "alertmanager.yml").read_text("utf-8")
    assert "https://hooks.example/page" in routes
    assert "days_of_month" in routes, "the market days of the calendar that was named"
    assert list(out.rglob("*.new")) == []


def test_rules_of_an_operators_own_are_checked_beside_ours(cuntong: "Command", tmp_path: Path) -> None:
    (tmp_path / "own.yml").write_text(OWN, "utf-8")
    said = cuntong("rules", EXAMPLE, "--check", tmp_path)
    assert said.code == 2
    assert "own.yml:5: TooManyKiosks: nothing exports or records cuntong_kiosk_sessions [promql/series]" in said.out
    assert "10-topology.yml" not in said.out


@pytest.mark.parametrize("command", [("check",), ("rules",), ("rules", "--out", "out")])
def test_settings_that_cannot_be_used_are_refused_by_line(
    cuntong: "Command", county: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    (county / "alerting.yml").write_text("noc:\n  - url: mailto:x\n", "utf-8")
    said = cuntong(command[0], county, *command[1:])
    assert said.code == 2
    assert "alerting.yml:2: noc[0].url: " in said.err
    assert not (tmp_path / "out").exists()


def test_an_address_that_would_break_the_rules_is_refused(cuntong: "Command", tmp_path: Path) -> None:
    said = cuntong("rules", EXAMPLE, "--out", tmp_path / "out", "--runbooks", 'https://x/"')
    assert said.code == 2
    assert "is no address" in said.err


def test_a_real_prometheus_finds_every_rule_in_order_over_the_demo(
    running: "Running", until: Callable[..., None], tmp_path: Path, program: Any
) -> None:
    """With the jobs that the API hands out: no rule fails, what the records need is there, and nothing is amiss."""
    page = running.stage.page
    config = yaml.safe_load(httpx.get(f"{page}/v1/sd/scrape-config", timeout=10).text)
    for job in config["scrape_configs"]:
        job |= {"scrape_interval": "1s", "scrape_timeout": "1s"}
        for found in job.get("http_sd_configs", ()):
            found["refresh_interval"] = "1s"
    config |= {"global": {"evaluation_interval": "1s"}, "rule_files": [str(tmp_path / "*-rules.yml")]}
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config), "utf-8")
    for file in RULES.glob("*.yml"):
        quick = re.sub(r"interval: \w+", "interval: 1s", file.read_text("utf-8"))
        (tmp_path / f"{file.stem}-rules.yml").write_text(quick, "utf-8")
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    with (tmp_path / "log").open("wb") as log:
        prometheus = subprocess.Popen(
            [
                program.path("prometheus"), f"--config.file={tmp_path / 'prometheus.yml'}",
                f"--storage.tsdb.path={tmp_path / 'data'}", f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log, stderr=log,
        )  # fmt: skip

    def ask(path: str, **query: str) -> Any:
        return httpx.get(f"http://127.0.0.1:{port}/api/v1/{path}", params=query, timeout=10).json()["data"]

    def count(expression: str) -> int:
        try:
            return len(ask("query", query=expression)["result"])
        except (httpx.HTTPError, ValueError):
            return 0

    try:
        until(
            lambda: count("county:cuntong_coverage:ratio") > 0 and count("carrier:cuntong_lines_promised:count") > 0, 60
        )
        until(lambda: count("county:cuntong_sites_monitored:count") > 0, 60)
        rules = [rule for group in ask("rules")["groups"] for rule in group["rules"]]
        assert [(rule["name"], rule.get("lastError")) for rule in rules if rule["health"] == "err"] == []
        assert count('ALERTS{alertstate="firing",alertname!="Watchdog"}') == 0
        assert count('ALERTS{alertname="Watchdog"}') == 1
    finally:
        prometheus.terminate()
        prometheus.wait(30)
