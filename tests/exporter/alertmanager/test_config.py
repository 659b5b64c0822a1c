"""Alertmanager's configuration: accepted by amtool, right for every alert, and open when the office is."""

import subprocess
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.alertmanager.config import COUNTY, DEADMAN, NOBODY, NOC, PAGE, configuration, render
from exporter.alertmanager.grouping import Alert, Alertmanager
from exporter.alertmanager.matching import matcher
from exporter.alertmanager.settings import Alerting, Hook, read_alerting
from exporter.linting.rule_files import RULES
from exporter.linting.rules import SCOPES, lint_folder
from health.hours import in_service_hours
from inventory.calendars import Calendar
from inventory.errors import InventoryError

CHINA: Final = timezone(timedelta(hours=8))
FULL: Final = Alerting(
    api=Hook(url="https://cuntong.example/v1/alerts", token_file=Path("/etc/cuntong/secrets/alertmanager")),
    deadman=(Hook(url="http://127.0.0.1:9999/beat"),),
    page=(Hook(url="http://127.0.0.1:9999/page"),),
    noc=(Hook(url="http://127.0.0.1:9999/noc"),),
    county=(Hook(url="http://127.0.0.1:9999/county"),),
    counties={"511825": (Hook(url="http://127.0.0.1:9999/tianquan"),)},
)
OFFICE: Final = Calendar.model_validate(
    {
        "title": "工作日和赶场日",
        "weekly": {"mon-fri": ["09:00-12:00", "13:00-17:00"]},
        "market_digits": [2, 5],
        "market": ["08:00-12:30"],
        "closed": [date(2026, 10, 1), date(2026, 10, 2)],
        "open": [date(2026, 10, 10)],
    }
)
ALERTS: Final = lint_folder(RULES).alerts


@pytest.mark.parametrize("given", [(Alerting(), None), (FULL, OFFICE)], ids=["defaults", "everything"])
def test_amtool_accepts_it(given: tuple[Alerting, Calendar | None], tmp_path: Path, program: Any) -> None:
    file = tmp_path / "alertmanager.yml"
    file.write_text(render(*given), "utf-8")
    checked = subprocess.run(
        [program.path("amtool"), "check-config", str(file)], capture_output=True, text=True, timeout=60, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def expected(severity: str, scope: str, notify: str, county: str) -> str:
    """Who is told, beside our own receiver: the table of the operations manual."""
    ops = f"{COUNTY}-{county}" if county == "511825" else COUNTY
    if notify in ("ledger", "none"):
        return NOBODY
    if notify == "now" and (scope in ("county", "collector", "uplink") or severity == "critical"):
        return PAGE
    if scope in ("site", "link", "device", "kiosk", "peripheral"):
        return ops
    return NOC


@pytest.mark.parametrize("county", ["511825", "511826"])
def test_every_severity_and_scope_of_the_rules_takes_its_route(county: str, tmp_path: Path, program: Any) -> None:
    """By amtool, and by our model."""
    file = tmp_path / "alertmanager.yml"
    file.write_text(render(FULL, OFFICE), "utf-8")
    model = Alertmanager(configuration(FULL, OFFICE))
    kinds = {tuple(rule.labels[key] for key in ("severity", "scope", "notify")) for rule, _ in ALERTS}
    assert {scope for _, scope, _ in kinds} == set(SCOPES)
    for severity, scope, notify in sorted(kinds):
        labels = {"alertname": "Any", "severity": severity, "scope": scope, "notify": notify, "county": county}
        if severity == "none":
            labels["alertname"] = "Watchdog"
        told = [DEADMAN] if severity == "none" else ["cuntong", expected(severity, scope, notify, county)]
        shown = subprocess.run(
            [program.path("amtool"), "config", "routes", "test", f"--config.file={file}"]
            + [f"{name}={value}" for name, value in labels.items()],
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        assert shown.stdout.strip().split(",") == told, labels
        assert model.receivers(labels) == told, labels


def test_what_pages_is_critical_or_a_cause(tmp_path: Path) -> None:
    model = Alertmanager(configuration(Alerting()))
    paging = {rule.name for rule, _ in ALERTS if PAGE in model.receivers({"alertname": rule.name, **rule.labels})}
    assert {rule.name for rule, _ in ALERTS if rule.labels["severity"] == "critical"} == paging


@settings(max_examples=300, deadline=None)
@given(
    st.integers(0, 20 * 1440),
    st.sampled_from(["closed", "open", "market_digits", "none"]),
)
def test_digests_are_sent_just_when_the_calendar_says_open(minute: int, without: str) -> None:
    """Holidays, make-up working days and market days as `health` counts them."""
    calendar = OFFICE.model_copy(update={without: ()}) if without != "none" else OFFICE
    at = datetime(2026, 9, 25, tzinfo=CHINA).timestamp() + minute * 60
    labels = {"alertname": "SiteUnknown", "scope": "site", "severity": "warning", "notify": "office", "county": "1"}
    model = Alertmanager(configuration(Alerting(), calendar))
    sent = [one for one in model.send([Alert(labels, at - 600)], at + 1) if one.receiver == COUNTY]
    assert bool(sent) == in_service_hours(calendar, at)


def test_the_settings_of_a_folder_are_optional(tmp_path: Path) -> None:
    assert read_alerting(tmp_path) == Alerting()
    (tmp_path / "alerting.yml").write_text("noc: [{url: 'https://hooks.example/noc'}]\n", "utf-8")
    assert read_alerting(tmp_path).noc == (Hook(url="https://hooks.example/noc"),)


@pytest.mark.parametrize(
    ("text", "line", "path"),
    [
        ("page:\n  - {adress: x}\n", 2, "page[0]"),
        ("deadman: [{url: 'ftp://x.example/'}]\n", 1, "deadman[0].url"),
        ("noc: []\ncounties:\n  Tianquan: []\n", 3, "counties.Tianquan"),
        ("noc: &a []\n", 1, ""),
    ],
)
def test_a_mistake_in_the_settings_is_named_with_its_line(text: str, line: int, path: str, tmp_path: Path) -> None:
    (tmp_path / "alerting.yml").write_text(text, "utf-8")
    with pytest.raises(InventoryError) as refusal:
        read_alerting(tmp_path)
    problem = refusal.value.problems[0]
    assert (problem.file, problem.line) == ("alerting.yml", line)
    assert problem.path.startswith(path)


def test_no_secret_is_written_only_where_it_lies() -> None:
    text = render(FULL)
    assert "credentials_file: /etc/cuntong/secrets/alertmanager" in text
    assert "credentials:" not in text


@pytest.mark.parametrize(
    ("text", "labels", "matches"),
    [
        ('scope="site"', {"scope": "site"}, True),
        ('scope="site"', {}, False),
        ('evidence=""', {}, True),
        ('scope!="site"', {}, True),
        ('scope=~"site|link"', {"scope": "link"}, True),
        ('scope=~"site|link"', {"scope": "site_ledger"}, False),
        ('scope!~"site|link"', {"scope": "kiosk"}, True),
    ],
)
def test_matchers_match_as_alertmanagers_do(text: str, labels: dict[str, str], matches: bool) -> None:
    assert matcher(text).matches(labels) is matches


def test_what_is_no_matcher_is_refused() -> None:
    with pytest.raises(ValueError, match="no matcher"):
        matcher("scope ~ site")
