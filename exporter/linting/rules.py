"""Judges rule files: each rule by itself, then all together, then beside the runbooks."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from exporter.linting.catalogue import PLACE, Catalogue, Labels, Series
from exporter.linting.expressions import Answer, judge
from exporter.linting.findings import Finding, Where
from exporter.linting.rule_files import Group, Rule, files_of, read

SEVERITIES: Final = ("critical", "warning", "info", "none")
NOTIFY: Final[Mapping[str, str]] = {
    "now": "at any hour, because the expression knows service hours or the cause is not a single site's",
    "office": "within office hours; what begins at night waits for the morning",
    "ledger": "kept beside the outage; nobody is told",
    "none": "the heartbeat",
}
_SITE: Final = PLACE | {"site", "township"}
SCOPES: Final[Mapping[str, frozenset[str]]] = {
    "county": PLACE,
    "uplink": PLACE | {"uplink"},
    "township": PLACE | {"township"},
    "site": _SITE,
    "site_ledger": _SITE,
    "link": _SITE | {"link"},
    "device": _SITE | {"device"},
    "kiosk": _SITE | {"device"},
    "peripheral": _SITE | {"device"},
    "service": PLACE,
    "slo": PLACE,
    "provisioning": frozenset(),
    "coverage": frozenset(),
    "collector": PLACE,
    "collector_perf": PLACE,
    "meta": frozenset(),
}
"""How far an alert reaches, and the labels that routes and digests need of every alert of that reach."""

ANNOTATIONS: Final = ("summary", "summary_en", "description", "description_en", "runbook_url", "dashboard_url")
DASHBOARDS: Final = frozenset(
    f"cuntong-{name}" for name in ("overview", "county", "site", "kiosks", "links", "provisioning", "coverage", "self")
)
"""The uids of the dashboards that alerts may point to."""
SECTIONS: Final = ("含义", "影响", "排查", "处置", "升级")
_HAN: Final = re.compile(r"[\u4e00-\u9fff]")
_LABEL: Final = re.compile(r"\$labels\.(\w+)")
_RECORD: Final = re.compile(r"[a-z_]+:[a-z][a-z0-9_]*:[a-z0-9_]+")
_LONGEST_INTERVAL_S: Final = 300.0


class Linted:
    """All rule files read together, with the labels of every alert's answer.

    Args:
        groups: in the order of their files.
    """

    def __init__(self, groups: Sequence[Group], catalogue: Catalogue) -> None:
        self.findings: list[Finding] = []
        self.alerts: list[tuple[Rule, Labels]] = []
        """Each alert with its labels, its own included."""
        self._catalogue = catalogue
        self._defined = {rule.name for group in groups for rule in group.rules if rule.kind == "record"}
        self._learn_records(groups)
        for group in groups:
            self._group(group)
        self._twins()

    @property
    def catalogue(self) -> Catalogue:
        """Everything that may be named, the records of these files included."""
        return self._catalogue

    def _learn_records(self, groups: Sequence[Group]) -> None:
        """Labels of the records, in as many rounds as they build on each other."""
        records = [rule for group in groups for rule in group.rules if rule.kind == "record"]
        for name in self._defined:
            self._catalogue.series[name] = Series(Labels(any=True), ratio=_is_ratio(name))
        for _ in range(8):
            before = dict(self._catalogue.series)
            learned: dict[str, Series] = {}
            for rule in records:
                answer = judge(rule.expr, rule.where(), self._catalogue).answer
                labels, only = answer.labels.add(rule.labels), answer.filtered
                if (twin := learned.get(rule.name)) is not None:  # a record of several rules has what any of them gives
                    labels, only = labels.either(twin.labels), only and twin.exceptions
                learned[rule.name] = Series(labels, ratio=_is_ratio(rule.name), exceptions=only)
            self._catalogue.series.update(learned)
            if before == self._catalogue.series:
                return

    def _say(self, where: Where, check: str, message: str) -> None:
        self.findings.append(Finding(where, check, message))

    def _group(self, group: Group) -> None:
        if group.interval_s > _LONGEST_INTERVAL_S:
            self._say(group.where, "group/interval", "beyond 5m records vanish between two rounds")
        seen: set[str] = set()
        here = {rule.name for rule in group.rules if rule.kind == "record"}
        for rule in group.rules:
            verdict = judge(rule.expr, rule.where("expr"), self._catalogue, alert=rule.kind == "alert")
            self.findings += verdict.findings
            for early in sorted((verdict.used & here) - seen - {rule.name}):
                self._say(rule.where("expr"), "rule/order", f"{early} is recorded further down in this group")
            if rule.name in verdict.used:
                self._say(rule.where("expr"), "rule/order", "a record that reads itself never begins")
            if rule.kind == "record":
                seen.add(rule.name)
                self._record(rule)
            else:
                self._alert(rule, group, verdict.answer)

    def _record(self, rule: Rule) -> None:
        if not _RECORD.fullmatch(rule.name):
            self._say(rule.where(), "rule/name", "a record is named level:metric:operation")

    def _alert(self, rule: Rule, group: Group, answer: Answer) -> None:
        labels = answer.labels.add(rule.labels)
        self.alerts.append((rule, labels))
        if not re.fullmatch(r"(?:[A-Z][a-z0-9]+)+", rule.name):
            self._say(rule.where(), "rule/name", "an alert is named in CamelCase")
        severity, scope, notify = (rule.labels.get(key, "") for key in ("severity", "scope", "notify"))
        for key, value, known in (
            ("severity", severity, SEVERITIES), ("scope", scope, SCOPES), ("notify", notify, NOTIFY),
        ):  # fmt: skip
            if value not in known:
                self._say(rule.where("labels"), "rule/label", f"{key} is {value!r} and none of {', '.join(known)}")
        for missing in sorted(SCOPES.get(scope, frozenset()) - labels.sure):
            self._say(rule.where("expr"), "rule/scope", f"alerts of scope {scope} need the label {missing}")
        if severity == "none":
            return
        if not answer.filtered:
            self._say(rule.where("expr"), "alerts/comparison", "nothing is compared: it fires for every series")
        if rule.for_s < 2 * group.interval_s:
            self._say(rule.where("for"), "alerts/for", f"for is less than two rounds of {group.interval_s:g} s")
        self._words(rule, labels)

    def _words(self, rule: Rule, labels: Labels) -> None:
        for key in ANNOTATIONS:
            text, where = rule.annotations.get(key, ""), rule.where(f"annotations.{key}")
            if not text.strip():
                self._say(rule.where("annotations"), "alerts/annotation", f"{key} is missing")
            elif key in ("summary", "description") and not _HAN.search(text):
                self._say(where, "alerts/annotation", f"{key} is for Chinese readers")
            elif key.endswith("_en") and _HAN.search(text):
                self._say(where, "alerts/annotation", f"{key} is for English readers")
        link = rule.annotations.get("runbook_url", "")
        if link and not link.endswith(f"/{rule.name}"):
            self._say(rule.where("annotations.runbook_url"), "alerts/annotation", f"it does not end in /{rule.name}")
        board = re.search(r"/d/([\w-]+)", rule.annotations.get("dashboard_url", ""))
        if board is None or board[1] not in DASHBOARDS:
            self._say(
                rule.where("annotations.dashboard_url"), "alerts/annotation", "it leads to none of our dashboards"
            )
        for name, text in rule.labels.items():
            if "$value" in text:
                self._say(
                    rule.where("labels"), "alerts/template", f"$value in the label {name} makes a new alert each round"
                )
        for text in (*rule.annotations.values(), *rule.labels.values()):
            for label in _LABEL.findall(text):
                if not labels.may_have(label):
                    self._say(rule.where("annotations"), "alerts/template", f"the alert has no label {label}")

    def _twins(self) -> None:
        counted = Counter((rule.name, tuple(sorted(rule.labels.items()))) for rule, _ in self.alerts)
        for rule, _ in self.alerts:
            if counted[rule.name, tuple(sorted(rule.labels.items()))] > 1:
                self._say(rule.where(), "rule/duplicate", "two alerts of one name need labels that tell them apart")


def _is_ratio(name: str) -> bool:
    return name.rpartition(":")[2].startswith("ratio")


def runbook_findings(alerts: Iterable[Rule], runbooks: Path) -> list[Finding]:
    """Alerts without a runbook, runbooks without a section or with nothing in it, and runbooks without an alert."""
    found: list[Finding] = []
    named = {rule.name: rule for rule in alerts}
    for name, rule in sorted(named.items()):
        file = runbooks / f"{name}.md"
        if not file.is_file():
            found.append(Finding(rule.where(), "runbook/file", f"docs/runbooks/{name}.md is missing"))
            continue
        text = file.read_text("utf-8")
        parts = {head.strip(): body for head, _, body in (part.partition("\n") for part in text.split("\n## ")[1:])}
        where = Where(f"docs/runbooks/{name}.md", 1)
        if not text.startswith(f"# {name}"):
            found.append(Finding(where, "runbook/title", f"it does not begin with # {name}"))
        for section in SECTIONS:
            if len(parts.get(section, "").strip()) < 20:
                found.append(Finding(where, "runbook/section", f"## {section} is missing or says nothing"))
    for file in sorted(runbooks.glob("[A-Z]*.md")):
        if file.stem not in named and file.stem != "README":
            found.append(Finding(Where(f"docs/runbooks/{file.name}", 1), "runbook/orphan", "no alert has this name"))
    return found


def lint(files: Iterable[Path], catalogue: Catalogue | None = None, runbooks: Path | None = None) -> Linted:
    """Read and judge rule files together."""
    groups: list[Group] = []
    early: list[Finding] = []
    for file in files:
        more, problems = read(file)
        groups += more
        early += problems
    linted = Linted(groups, catalogue or Catalogue.of_the_project())
    linted.findings[:0] = early
    if runbooks is not None:
        linted.findings += runbook_findings([rule for rule, _ in linted.alerts], runbooks)
    return linted


def lint_folder(folder: Path, runbooks: Path | None = None) -> Linted:
    """All ``*.yml`` of a folder."""
    return lint(files_of(folder), runbooks=runbooks)
