"""Judges Alertmanager's configuration beside the alerts: labels that inhibitions need, and what matches nobody."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from exporter.alertmanager.matching import Matcher, matcher
from exporter.linting.catalogue import Labels
from exporter.linting.findings import Finding, Where
from exporter.linting.rule_files import Rule

Alerts = Sequence[tuple[Rule, Labels]]


def lint_routes(text: str, file: str, alerts: Alerts) -> list[Finding]:
    """Findings in an alertmanager.yml.

    Args:
        alerts: each alert of the rules with the labels of its answer.
    """
    try:
        root = yaml.compose(text, yaml.SafeLoader)
        config = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        return [Finding(Where(file, line), "yaml/syntax", f"this is no YAML: {error.problem}")]
    found: list[Finding] = []
    rules = config.get("inhibit_rules") or []
    for rule, line in zip(rules, _lines(root, "inhibit_rules"), strict=True):
        found += _inhibition(rule, Where(file, line, "inhibit_rules"), alerts)
    route = config["route"]
    for below, line in zip(route.get("routes", ()), _lines(_child(root, "route"), "routes"), strict=True):
        found += _route(below, Where(file, line, "route"), alerts)
    if not route.get("routes") or not any(
        one.get("continue") and not one.get("matchers") for one in route["routes"][:2]
    ):
        found.append(
            Finding(Where(file, 1, "route"), "route/ledger", "our own receiver does not hear everything first")
        )
    return found


def _inhibition(rule: Mapping[str, Any], where: Where, alerts: Alerts) -> list[Finding]:
    found = []
    for side in ("source_matchers", "target_matchers"):
        asked = [matcher(text) for text in rule.get(side, ())]
        hit = [(one, labels) for one, labels in alerts if _could_match(asked, one, labels)]
        if not hit:
            found.append(Finding(where, "inhibit/dead", f"{side} match no alert: {', '.join(rule.get(side, ()))}"))
        for one, labels in hit:
            for label in rule.get("equal", ()):
                if label not in labels.sure:
                    message = f"{side[:6]} {one.name} ({one.file}:{one.lines['']}) may lack the label {label}"
                    found.append(Finding(where, "inhibit/equal", message))
    return found


def _route(route: Mapping[str, Any], where: Where, alerts: Alerts) -> list[Finding]:
    asked = [matcher(text) for text in route.get("matchers", ())]
    if not any(_could_match(asked, one, labels) for one, labels in alerts):
        return [Finding(where, "route/dead", f"no alert takes this route: {', '.join(route.get('matchers', ()))}")]
    return []


def _could_match(matchers: Iterable[Matcher], rule: Rule, labels: Labels) -> bool:
    """Whether an alert of the rule can match: its own labels are known, the values of the others are not."""
    known = {"alertname": rule.name} | {name: value for name, value in rule.labels.items() if "{{" not in value}
    for one in matchers:
        if one.label in known:
            if not one.accepts(known[one.label]):
                return False
        elif not labels.may_have(one.label) and not one.accepts(""):
            return False
    return True


def _child(node: Any, key: str) -> Any:
    return next((value for name, value in getattr(node, "value", ()) if name.value == key), None)


def _lines(node: Any, key: str) -> list[int]:
    below = _child(node, key)
    return [one.start_mark.line + 1 for one in below.value] if below is not None else []
