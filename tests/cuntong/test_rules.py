"""``cuntong rules``, and the configuration of Prometheus that loads what it writes."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import inventory
from exporter.linting.rule_files import RULES

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tests.cuntong.conftest import Command, Running, Scraper

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
    running: "Running",
    until: Callable[..., None],
    tmp_path: Path,
    scraping: "Callable[[str, Path], AbstractContextManager[Scraper]]",
) -> None:
    """With the jobs that the API hands out: no rule fails, what the records need is there, and nothing is amiss."""
    with scraping(running.stage.page, tmp_path) as prometheus:
        for record in (
            "county:cuntong_coverage:ratio", "carrier:cuntong_lines_promised:count",
            "county:cuntong_sites_monitored:count",
        ):  # fmt: skip
            until(lambda record=record: prometheus.count(record) > 0, 60)
        rules = [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]
        assert [(rule["name"], rule.get("lastError")) for rule in rules if rule["health"] == "err"] == []
        assert prometheus.count('ALERTS{alertstate="firing",alertname!="Watchdog"}') == 0
        assert prometheus.count('ALERTS{alertname="Watchdog"}') == 1
