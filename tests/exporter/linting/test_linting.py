"""Every kind of defect is found, at its line; and what is well is left alone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from exporter.alertmanager.config import render
from exporter.alertmanager.settings import Alerting
from exporter.linting.catalogue import Catalogue
from exporter.linting.expressions import check_expressions, judge
from exporter.linting.findings import Where
from exporter.linting.routes import lint_routes
from exporter.linting.rule_files import RULES, files_of, seconds
from exporter.linting.rules import lint, lint_folder, runbook_findings

REPO: Final = Path(__file__).resolve().parents[3]
RUNBOOKS: Final = REPO / "docs" / "runbooks"
HERE: Final = Where("x.yml", 1)

GOOD: Final = """\
groups:
  - name: g
    interval: 1m
    rules:
      - record: county:cuntong_silent:count
        expr: count by (province, county) (cuntong_device_up == 0)
      - alert: ManySilent
        expr: county:cuntong_silent:count > 10
        for: 5m
        labels: {severity: warning, scope: service, notify: office}
        annotations:
          summary: '{{ $labels.county }} 大量设备无应答'
          summary_en: Many devices are silent
          description: 说明
          description_en: What it means
          runbook_url: http://127.0.0.1:8080/runbooks/ManySilent
          dashboard_url: http://127.0.0.1:3000/d/cuntong-county
"""


@dataclass(frozen=True)
class Mutation:
    """One defect put into the good file: where it must be found, and as what."""

    id: str
    old: str
    new: str
    check: str
    line: int


MUTATIONS: Final = [
    Mutation("a metric that nobody exports", "cuntong_device_up", "cuntong_device_alive", "promql/series", 6),
    Mutation(
        "a record that nobody defines",
        "expr: county:cuntong_silent:count >",
        "expr: county:cuntong_gone:count >",
        "promql/series",
        8,
    ),
    Mutation(
        "a label that the metric lacks", "cuntong_device_up ==", 'cuntong_device_up{colour="red"} ==', "promql/label", 6
    ),
    Mutation(
        "an aggregation by a label that is not there",
        "by (province, county)",
        "by (province, county, carrier)",
        "promql/label",
        6,
    ),
    Mutation("no PromQL", "cuntong_device_up == 0)", "cuntong_device_up == 0", "promql/syntax", 6),
    Mutation("a rate of a gauge", "cuntong_device_up == 0", "rate(cuntong_device_up[10m]) == 0", "promql/rate", 6),
    Mutation(
        "a derivative of a counter",
        "cuntong_device_up == 0",
        "deriv(cuntong_link_receive_bytes_total[10m]) > 0",
        "promql/rate",
        6,
    ),
    Mutation("a bare counter compared", "cuntong_device_up == 0", "cuntong_link_errors_total > 5", "promql/counter", 6),
    Mutation(
        "a sum of bare counters compared",
        "county:cuntong_silent:count > 10",
        "sum by (province, county) (cuntong_link_errors_total) > 10",
        "promql/counter",
        8,
    ),
    Mutation(
        "a window with a single sample",
        "cuntong_device_up == 0",
        "rate(cuntong_link_receive_bytes_total[2m]) > 1",
        "promql/window",
        6,
    ),
    Mutation(
        "a divisor that may be zero",
        "county:cuntong_silent:count > 10",
        "county:cuntong_silent:count / county:cuntong_silent:count > 10",
        "promql/division",
        8,
    ),
    Mutation(
        "a divisor that is zero",
        "county:cuntong_silent:count > 10",
        "county:cuntong_silent:count / 0 > 10",
        "promql/division",
        8,
    ),
    Mutation("a ratio beyond one", "cuntong_device_up == 0", "cuntong_device_cpu_usage_ratio > 90", "promql/unit", 6),
    Mutation(
        "sides that differ in labels",
        "cuntong_device_up == 0",
        "cuntong_device_up * cuntong_site_up",
        "promql/matching",
        6,
    ),
    Mutation(
        "a match on a label of one side only",
        "cuntong_device_up == 0",
        "cuntong_device_up and on (device) cuntong_site_up",
        "promql/label",
        6,
    ),
    Mutation(
        "a label taken from a side without it",
        "cuntong_device_up == 0",
        "cuntong_device_up * on (site) group_left (circuit) cuntong_site_info",
        "promql/label",
        6,
    ),
    Mutation(
        "a pattern without one", "cuntong_device_up ==", 'cuntong_device_up{class=~"kiosk"} ==', "promql/regexp", 6
    ),
    Mutation(
        "a ranking in an alert",
        "expr: county:cuntong_silent:count > 10",
        "expr: topk(3, county:cuntong_silent:count) > 10",
        "promql/fragile",
        8,
    ),
    Mutation(
        "nothing compared",
        "expr: county:cuntong_silent:count > 10",
        "expr: count by (province, county) (cuntong_device_up)",
        "alerts/comparison",
        8,
    ),
    Mutation("only a bool comparison", "count > 10", "count > bool 10", "alerts/comparison", 8),
    Mutation("no for", "        for: 5m\n", "", "alerts/for", 7),
    Mutation("for shorter than two rounds", "for: 5m", "for: 1m", "alerts/for", 9),
    Mutation("an interval beyond the lookback", "interval: 1m", "interval: 10m", "group/interval", 2),
    Mutation("an unknown severity", "severity: warning", "severity: page", "rule/label", 10),
    Mutation("an unknown scope", "scope: service", "scope: world", "rule/label", 10),
    Mutation("no word on when to notify", ", notify: office", "", "rule/label", 10),
    Mutation("a scope whose label is missing", "scope: service", "scope: site", "rule/scope", 8),
    Mutation("the place aggregated away", "sum_place", "", "rule/scope", 8),
    Mutation("no summary", "          summary_en: Many devices are silent\n", "", "alerts/annotation", 12),
    Mutation("an empty description", "description: 说明", "description: ''", "alerts/annotation", 12),
    Mutation(
        "a Chinese sentence without Chinese", "description: 说明", "description: Explains", "alerts/annotation", 14
    ),
    Mutation(
        "an English sentence in Chinese",
        "description_en: What it means",
        "description_en: 说明",
        "alerts/annotation",
        15,
    ),
    Mutation("another alert's runbook", "runbooks/ManySilent", "runbooks/Other", "alerts/annotation", 16),
    Mutation("a dashboard that is not ours", "/d/cuntong-county", "/d/elsewhere", "alerts/annotation", 17),
    Mutation("a value in a label", "notify: office}", "notify: office, n: '{{ $value }}'}", "alerts/template", 10),
    Mutation("a label that the alert lacks", "$labels.county", "$labels.village", "alerts/template", 12),
    Mutation("a name that is no name", "ManySilent\n        expr", "many_silent\n        expr", "rule/name", 7),
    Mutation("a record that is no record's name", "county:cuntong_silent:count", "silent_devices", "rule/name", 5),
    Mutation("no YAML", "groups:", "groups: [", "yaml/syntax", 17),
    Mutation("no rule file", "groups:", "rules:", "yaml/shape", 1),
]


def found_in(text: str, folder: Path) -> list[tuple[str, int]]:
    file = folder / "x.yml"
    file.write_text(text, "utf-8")
    return [(one.check, one.where.line) for one in lint([file]).findings]


def test_what_is_well_is_left_alone(tmp_path: Path) -> None:
    assert found_in(GOOD, tmp_path) == []


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.id)
def test_a_defect_is_found_at_its_line(mutation: Mutation, tmp_path: Path) -> None:
    if mutation.old == "sum_place":
        text = GOOD.replace("expr: county:cuntong_silent:count > 10", "expr: sum (county:cuntong_silent:count) > 10")
    else:
        assert mutation.old in GOOD
        text = GOOD.replace(mutation.old, mutation.new)
    found = found_in(text, tmp_path)
    assert mutation.check in {check for check, _ in found}
    if mutation.check != "yaml/syntax":
        assert (mutation.check, mutation.line) in found


def test_a_record_is_used_after_it_is_made(tmp_path: Path) -> None:
    head, record, rest = GOOD.partition("      - record")
    made, alert, words = ("      - record" + rest).partition("      - alert")
    assert record
    assert ("rule/order", 6) in found_in(head + alert + words + made, tmp_path)


def test_two_alerts_that_cannot_be_told_apart_are_named(tmp_path: Path) -> None:
    _, alert, words = GOOD.partition("      - alert")
    assert [check for check, _ in found_in(GOOD + alert + words, tmp_path)] == ["rule/duplicate"] * 2


def test_the_projects_rules_and_runbooks_have_no_defect() -> None:
    assert lint_folder(RULES, RUNBOOKS).findings == []


def test_a_runbook_that_is_missing_empty_or_of_no_alert_is_found(tmp_path: Path) -> None:
    rules = [rule for rule, _ in lint_folder(RULES).alerts if rule.name in ("SiteDown", "KioskDown")]
    (tmp_path / "SiteDown.md").write_text("# Something\n\n## 含义\n\n短\n", "utf-8")
    (tmp_path / "Gone.md").write_text("# Gone\n", "utf-8")
    checks = [finding.check for finding in runbook_findings(rules, tmp_path)]
    assert checks == ["runbook/file", "runbook/title", *["runbook/section"] * 5, "runbook/orphan"]


ROUTES: Final = render(Alerting())
ALERTS: Final = lint_folder(RULES).alerts


def test_the_projects_routes_have_no_defect() -> None:
    assert lint_routes(ROUTES, "alertmanager.yml", ALERTS) == []


@pytest.mark.parametrize(
    ("old", "new", "check"),
    [
        ('alertname="KioskDown"', 'alertname="KioskGone"', "inhibit/dead"),
        ('scope=~"link|device|kiosk|peripheral"', 'scope="village"', "inhibit/dead"),
        ("  - site\n  - device\n", "  - site\n  - volume\n", "inhibit/equal"),
        ("  - province\n  - county\n  - uplink\n", "  - province\n  - county\n  - circuit\n", "inhibit/equal"),
        ('scope="uplink"', 'scope="trunk"', "route/dead"),
        ("continue: true", "continue: false", "route/ledger"),
        ("route:", "route: [", "yaml/syntax"),
    ],
)
def test_a_defect_of_the_routes_is_found(old: str, new: str, check: str) -> None:
    assert old in ROUTES
    found = lint_routes(ROUTES.replace(old, new), "alertmanager.yml", ALERTS)
    assert check in {one.check for one in found}
    assert all(one.where.line for one in found)


@pytest.mark.parametrize(
    ("expression", "checks"),
    [
        ('cuntong_site_up{county="$county"}', []),
        ('rate(cuntong_link_receive_bytes_total{county="$county"}[$__rate_interval])', []),
        ("sum by (county) (increase(cuntong_link_errors_total[$__range]))", []),
        ("histogram_quantile(0.99, sum by (le) (rate(cuntong_api_request_duration_seconds_bucket[10m])))", []),
        ("topk(10, cuntong_device_cpu_usage_ratio)", []),
        ("cuntong_sessions", ["promql/series"]),
        ('cuntong_site_up{village=~"$v"}', ["promql/label"]),
        ("cuntong_kiosk_filesystem_avail_bytes / cuntong_kiosk_filesystem_size_bytes", ["promql/division"]),
        ("a b c", ["promql/syntax"]),
    ],
)
def test_expressions_of_dashboards_are_judged_too(expression: str, checks: list[str]) -> None:
    found = check_expressions([(expression, HERE)], Catalogue.of_the_project())
    assert [one.check for one in found] == checks


@pytest.mark.parametrize(
    ("expression", "sure", "possible"),
    [
        ("sum without (site, device) (cuntong_device_up)", "class", "kind"),
        ('label_replace(cuntong_site_up, "x", "$1", "site", "(.+)")', "x", "kind"),
        ("cuntong_site_up or cuntong_device_up", "site", "kind"),
        ("cuntong_device_up * on (site) group_left (uplink) cuntong_site_up", "uplink", "kind"),
        ('absent(up{job="x"})', "job", "instance"),
    ],
)
def test_the_labels_of_an_answer_are_known(expression: str, sure: str, possible: str) -> None:
    labels = judge(expression, HERE, Catalogue.of_the_project()).answer.labels
    assert sure in labels.sure
    assert not labels.may_have(possible)


@pytest.mark.parametrize(
    ("text", "value"), [("5m", 300), ("1h30m", 5400), ("1d", 86400), ("500ms", 0.5), ("x", 0), ("5", 0)]
)
def test_durations_are_read_as_prometheus_reads_them(text: str, value: float) -> None:
    assert seconds(text) == value


def test_every_rule_file_is_read() -> None:
    assert len(files_of(RULES)) == 7
    assert sum(len(linted) for linted in [lint_folder(RULES).alerts]) > 50
