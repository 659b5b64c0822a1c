"""Judges one PromQL expression: what it names, which labels its answer has, and how it can lie.

One walk over the syntax tree: each node gives the labels of its value upwards and leaves findings behind. Where the
labels of a node cannot be known they are open (`Labels.any`), so that nothing is found that is not there.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import promql_parser as promql

from exporter.linting.catalogue import JOBS_OF_COUNTIES, PLACE, Catalogue, Labels
from exporter.linting.findings import Finding, Where

_COMPARISONS: Final = frozenset({"==", "!=", ">", "<", ">=", "<="})
_SETS: Final = frozenset({"and", "or", "unless"})
_OF_COUNTERS: Final = frozenset({"rate", "increase", "irate", "resets"})
_ANY_COUNTER: Final = _OF_COUNTERS | {"absent", "absent_over_time", "count_over_time", "present_over_time", "timestamp"}
_OF_GAUGES: Final = frozenset({"deriv", "delta", "idelta", "predict_linear"})
_FRAGILE: Final = frozenset({"topk", "bottomk"})
_KEEPS_SCALE: Final = frozenset(
    {"avg_over_time", "min_over_time", "max_over_time", "last_over_time", "quantile_over_time", "abs", "clamp_min"}
)
_META: Final = re.compile(r"[.*+?|()\[\]{}\\^$]")
SHORTEST_RATE_S: Final = 600.0
"""Four scrapes of 120 seconds and a little more: a shorter window may hold a single sample."""

_VARIABLES: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"\$__rate_interval|\$\{__rate_interval\}"), "10m"),
    (re.compile(r"\$__(?:interval|range)|\$\{__(?:interval|range)\}"), "1h"),
    (re.compile(r"\[\$\w+\]"), "[1h]"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a node gives upwards.

    Args:
        scalar: a number and no vector; ``value`` is it, where it stands in the text.
        filtered: elements are dropped by a comparison or a set operator, as an alert needs.
        guarded: a zero cannot be among the values.
        raw_counter: the name of a counter whose bare count this is.
        ratio: its values lie between 0 and 1.
    """

    labels: Labels = field(default_factory=Labels)
    scalar: bool = False
    value: float | None = None
    filtered: bool = False
    guarded: bool = False
    raw_counter: str = ""
    ratio: bool = False
    absent: bool = False


class Judge:
    """Walks one expression.

    Args:
        report: takes the check's word and the sentence of each defect.
        alert: whether an alert rests on it: then what comes and goes by itself is refused.
    """

    def __init__(self, catalogue: Catalogue, report: Callable[[str, str], None], alert: bool) -> None:
        self.used: set[str] = set()
        self._catalogue, self._report, self._alert = catalogue, report, alert

    def of(self, node: Any) -> Answer:
        """The answer of a node; what is wrong beneath it was reported."""
        match node:
            case promql.ParenExpr():
                return self.of(node.expr)
            case promql.NumberLiteral():
                return Answer(scalar=True, value=node.val, guarded=node.val != 0)
            case promql.VectorSelector():
                return self._selector(node)
            case promql.MatrixSelector():
                return self._selector(node.vector_selector)
            case promql.SubqueryExpr() | promql.UnaryExpr():
                return self.of(node.expr)
            case promql.AggregateExpr():
                return self._aggregation(node)
            case promql.Call():
                return self._call(node)
            case promql.BinaryExpr():
                return self._binary(node)
            case _:
                return Answer(scalar=True)

    def _selector(self, node: promql.VectorSelector) -> Answer:
        name = node.name or next((m.value for m in node.matchers.matchers if m.name == "__name__"), "")
        series = self._catalogue.find(name)
        if not name:
            self._report("promql/name", "a selector without a metric's name reads everything")
            return Answer(Labels(any=True))
        self.used.add(name)
        if series is None:
            self._report("promql/series", f"nothing exports or records {name}")
            return Answer(Labels(any=True))
        for matcher in node.matchers.matchers:
            if matcher.name != "__name__" and not series.labels.may_have(matcher.name):
                self._report("promql/label", f"{name} has no label {matcher.name}")
            if matcher.op in (promql.MatchOp.Re, promql.MatchOp.NotRe) and not _META.search(matcher.value):
                self._report("promql/regexp", f"{matcher.name}{matcher.value!r} is no pattern: compare with = or !=")
        labels = series.labels
        if any(m.name == "job" and m.value in JOBS_OF_COUNTIES for m in node.matchers.matchers):
            labels = labels.add(PLACE)
        return Answer(
            labels, filtered=series.exceptions, raw_counter=name if series.counter else "", ratio=series.ratio
        )

    def _aggregation(self, node: promql.AggregateExpr) -> Answer:
        inner, op, modifier = self.of(node.expr), str(node.op), node.modifier
        if self._alert and op in _FRAGILE:
            self._report("promql/fragile", f"{op} changes its members by itself: alerts would come and go")
        if modifier is None:
            labels = inner.labels if op in _FRAGILE else Labels()
        elif modifier.type == promql.AggModifierType.By:
            for label in modifier.labels:
                self._known(inner.labels, label, f"{op} by ({label})")
            labels = inner.labels.keep(modifier.labels)
        else:
            labels = inner.labels.drop(modifier.labels)
        raw = inner.raw_counter if op in ("sum", "max", "min", "avg") else ""
        return Answer(
            labels, filtered=inner.filtered, guarded=inner.guarded, raw_counter=raw,
            ratio=inner.ratio and op in ("max", "min", "avg"),
        )  # fmt: skip

    def _call(self, node: promql.Call) -> Answer:
        name, args = node.func.name, list(node.args)
        answers = [self.of(arg) for arg in args if not isinstance(arg, promql.StringLiteral)]
        inner = next((one for one in answers if not one.scalar), Answer(scalar=True))
        texts = [arg.val for arg in args if isinstance(arg, promql.StringLiteral)]
        counter = bool(inner.raw_counter)
        if name in _OF_COUNTERS and not inner.scalar and not counter and not inner.labels.any:
            self._report("promql/rate", f"{name}() of what is no counter")
        if name in _OF_GAUGES and counter:
            self._report("promql/rate", f"{name}() of the counter {inner.raw_counter}, which starts anew")
        if name == "irate" and self._alert:
            self._report("promql/fragile", "irate() sees two samples: an alert on it comes and goes")
        if name in _OF_COUNTERS:
            self._window(name, args)
        match name:
            case "vector" | "time" | "scalar":
                return Answer(scalar=name != "vector")
            case "absent" | "absent_over_time":
                return Answer(self._of_absent(args[0]), filtered=True, absent=True)
            case "label_replace" | "label_join":
                whole = name == "label_replace" and texts[2] in inner.labels.sure and texts[3] in ("(.+)", "(.*)")
                return Answer(inner.labels.add(texts[:1], sure=whole), filtered=inner.filtered, ratio=inner.ratio)
            case "clamp_min":
                least = next((one.value for one in answers if one.scalar), None)
                return Answer(inner.labels, filtered=inner.filtered, guarded=bool(least), ratio=inner.ratio)
            case "histogram_quantile":
                return Answer(inner.labels.drop({"le"}))
            case _:
                raw = "" if name in _ANY_COUNTER else inner.raw_counter
                return Answer(
                    inner.labels, filtered=inner.filtered, raw_counter=raw, ratio=inner.ratio and name in _KEEPS_SCALE,
                    guarded=inner.guarded and name in _KEEPS_SCALE,
                )  # fmt: skip

    def _of_absent(self, arg: Any) -> Labels:
        selector = arg.vector_selector if isinstance(arg, promql.MatrixSelector) else arg
        if not isinstance(selector, promql.VectorSelector):
            return Labels()
        return Labels.exactly(m.name for m in selector.matchers.matchers if m.op == promql.MatchOp.Equal)

    def _window(self, name: str, args: list[Any]) -> None:
        for arg in args:
            if isinstance(arg, promql.MatrixSelector) and arg.range.total_seconds() < SHORTEST_RATE_S:
                text = promql.display_duration(arg.range)
                self._report("promql/window", f"{name}() over {text} may see a single sample: take 10m or more")

    def _binary(self, node: promql.BinaryExpr) -> Answer:
        op, left, right = str(node.op), self.of(node.lhs), self.of(node.rhs)
        modifier = node.modifier
        if op == "/" and not right.guarded:
            self._report("promql/division", "the divisor may be zero: write (divisor > 0)")
        if op in _COMPARISONS:
            self._comparison(op, left, right)
        if left.scalar or right.scalar:
            vector = right if left.scalar else left
            if op not in _COMPARISONS:
                # A ratio times a constant is no ratio any more; and a constant times a counter is still its bare count.
                return Answer(
                    vector.labels, scalar=vector.scalar, filtered=vector.filtered, raw_counter=vector.raw_counter,
                    guarded=op == "*" and left.guarded and right.guarded,
                )  # fmt: skip
            if modifier is not None and modifier.return_bool:
                return Answer(vector.labels)
            return Answer(
                vector.labels, filtered=True, raw_counter=vector.raw_counter, ratio=vector.ratio,
                guarded=_excludes_zero(op, right.value if right.scalar else None),
            )  # fmt: skip
        labels = self._match(op, left.labels, right.labels, modifier)
        if op in _SETS:
            both = op == "or"
            return Answer(
                labels, filtered=left.filtered and right.filtered if both else True,
                guarded=left.guarded and right.guarded if both else left.guarded,
                raw_counter=left.raw_counter or (right.raw_counter if both else ""),
                ratio=left.ratio and right.ratio if both else left.ratio,
            )  # fmt: skip
        if op in _COMPARISONS:
            kept = not (modifier is not None and modifier.return_bool)
            return Answer(labels, filtered=kept or left.filtered, ratio=left.ratio and kept)
        return Answer(
            labels, filtered=left.filtered or right.filtered, guarded=op == "*" and left.guarded and right.guarded
        )

    def _comparison(self, op: str, left: Answer, right: Answer) -> None:
        for side, other in ((left, right), (right, left)):
            if side.raw_counter:
                self._report(
                    "promql/counter", f"the bare count of {side.raw_counter} starts anew at any time: use increase()"
                )
            if side.ratio and other.value is not None and not 0 <= other.value <= 1:
                self._report("promql/unit", f"a ratio lies between 0 and 1, it never passes {other.value:g}")

    def _match(self, op: str, left: Labels, right: Labels, modifier: promql.BinModifier | None) -> Labels:
        matching = modifier.matching if modifier is not None else None
        if matching is None:
            if not left.any and not right.any and left.possible != right.possible and op != "or":
                only = ", ".join(sorted(left.possible ^ right.possible))
                self._report("promql/matching", f"the sides of {op} differ by {only}: say on which labels they meet")
            return left.either(right) if op == "or" else left
        names = list(matching.labels)
        on = matching.type == promql.LabelModifierType.Include
        for name in names if on else ():
            self._known(left, name, f"on ({name}), left side")
            self._known(right, name, f"on ({name}), right side")
        if op == "or":
            return left.either(right)
        if op in _SETS:
            return left
        card = modifier.card if modifier is not None else None
        extra = (modifier.group_labels or []) if modifier is not None else []
        if card in (promql.VectorMatchCardinality.ManyToOne, promql.VectorMatchCardinality.OneToMany):
            many, one = (left, right) if card == promql.VectorMatchCardinality.ManyToOne else (right, left)
            for label in extra:
                self._known(one, label, f"group ({label})")
            return many.add([label for label in extra if label in one.sure]).add(extra, sure=False)
        return left.keep(names) if on else left.drop(names)

    def _known(self, labels: Labels, label: str, place: str) -> None:
        if not labels.may_have(label):
            self._report(
                "promql/label", f"{place}: no such label there, only {', '.join(sorted(labels.possible)) or 'none'}"
            )


def _excludes_zero(op: str, value: float | None) -> bool:
    """Whether no zero passes a comparison with this number on the right."""
    if value is None:
        return False
    return (op == ">" and value >= 0) or (op == ">=" and value > 0) or (op == "!=" and value == 0) or (
        op == "<" and value <= 0
    )  # fmt: skip


def without_variables(text: str) -> str:
    """A dashboard's expression with its intervals filled in; variables within quotes may stay."""
    for pattern, value in _VARIABLES:
        text = pattern.sub(value, text)
    return text


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong with an expression, the labels of its answer, and the names that it uses."""

    findings: tuple[Finding, ...]
    answer: Answer
    used: frozenset[str]


def judge(text: str, where: Where, catalogue: Catalogue, alert: bool = False) -> Verdict:
    """Judge one expression of a rule; an alert's is held to more."""
    findings: list[Finding] = []
    try:
        tree = promql.parse(text)
    except ValueError as error:
        said = str(error).splitlines()[0]
        return Verdict(
            (Finding(where, "promql/syntax", f"this is no PromQL: {said}"),), Answer(Labels(any=True)), frozenset()
        )
    walk = Judge(catalogue, lambda check, message: findings.append(Finding(where, check, message)), alert)
    answer = walk.of(tree)
    return Verdict(tuple(dict.fromkeys(findings)), answer, frozenset(walk.used))


def check_expressions(expressions: Iterable[tuple[str, Where]], catalogue: Catalogue) -> list[Finding]:
    """Findings in the expressions of dashboards, ``$__rate_interval`` and the like filled in."""
    return [
        finding for text, where in expressions for finding in judge(without_variables(text), where, catalogue).findings
    ]
