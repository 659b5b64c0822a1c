"""Prometheus' rule files as values that know their lines."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from exporter.linting.findings import Finding, Where

RULES: Final = Path(__file__).parent.parent / "rules"
"""The rule files of the project."""


@dataclass(frozen=True, slots=True)
class Rule:
    """An alert, or a record.

    Args:
        for_s: how long an alert's expression must hold, in seconds.
        lines: of its keys; of the rule itself under the empty key.
    """

    kind: str
    name: str
    expr: str
    for_s: float
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    file: str
    lines: Mapping[str, int]

    def where(self, key: str = "") -> Where:
        return Where(self.file, self.lines.get(key) or self.lines.get("", 0), self.name)


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated one after the other, every ``interval_s`` seconds."""

    name: str
    interval_s: float
    rules: tuple[Rule, ...]
    where: Where


def files_of(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.yml"))


def read(file: Path) -> tuple[list[Group], list[Finding]]:
    """The groups of one file, and what keeps it from being one."""
    name = file.name
    try:
        root = yaml.compose(file.read_text("utf-8"), yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        return [], [Finding(Where(name, line), "yaml/syntax", f"this is no YAML: {error.problem}")]
    groups = _mapping(root).get("groups")
    if groups is None:
        return [], [Finding(Where(name, 1), "yaml/shape", "a rule file begins with groups:")]
    return [_group(node, name) for node in groups.value], []


def _group(node: yaml.Node, file: str) -> Group:
    fields = _mapping(node)
    name = _text(fields.get("name"))
    rules = fields["rules"].value if "rules" in fields else []
    return Group(
        name, seconds(_text(fields.get("interval")) or "1m"), tuple(_rule(rule, file) for rule in rules),
        Where(file, node.start_mark.line + 1, name),
    )  # fmt: skip


def _rule(node: yaml.Node, file: str) -> Rule:
    fields = _mapping(node)
    kind = "alert" if "alert" in fields else "record"
    lines = {key: value.start_mark.line + 1 for key, value in fields.items()} | {"": node.start_mark.line + 1}
    words = {
        key: {name: _text(value) for name, value in _mapping(fields[key]).items()} if key in fields else {}
        for key in ("labels", "annotations")
    }
    for name, value in _mapping(fields["annotations"]).items() if "annotations" in fields else ():
        lines[f"annotations.{name}"] = value.start_mark.line + 1
    return Rule(
        kind, _text(fields.get(kind)), _text(fields.get("expr")), seconds(_text(fields.get("for")) or "0s"),
        words["labels"], words["annotations"], file, lines,
    )  # fmt: skip


def _mapping(node: Any) -> dict[str, Any]:
    return {key.value: value for key, value in node.value} if isinstance(node, yaml.MappingNode) else {}


def _text(node: Any) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}


def seconds(text: str) -> float:
    """``1h30m`` as 5400; 0 for what is no duration, which promtool refuses anyway."""
    total, number = 0.0, ""
    rest = text
    while rest:
        if rest[0].isdigit():
            number, rest = number + rest[0], rest[1:]
            continue
        unit = next((unit for unit in ("ms", *"smhdwy") if rest.startswith(unit)), None)
        if unit is None or not number:
            return 0.0
        total, number, rest = total + float(number) * _UNITS[unit], "", rest[len(unit) :]
    return total


def alerts(groups: Iterable[Group]) -> list[Rule]:
    return [rule for group in groups for rule in group.rules if rule.kind == "alert"]
