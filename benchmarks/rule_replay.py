"""Rules over made-up time by the real promtool: series as runs of equal values in, alerts as intervals out."""

import json
import re
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from exporter.alertmanager.grouping import Alert

Runs = Mapping[str, Sequence[tuple[int, float | None]]]
"""By series, as PromQL writes it: from which step on it has a value; None where it is not there."""

_SAMPLE: Final = re.compile(r'\{__name__="ALERTS", ([^\n]*?)\} 1E\+00')
_LABEL: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_TIME: Final = re.compile(r"time: ((?:\d+[a-z]+)+)")
_UNITS: Final = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_OFF_S: Final = 23  # off the samples' grid: ranges are open on the left since Prometheus 3, and closed before


@dataclass(frozen=True, slots=True)
class Piece:
    """Steps ``[first, end)``, judged from step ``warm`` on so that what had begun before is known."""

    warm: int
    first: int
    end: int


def values(runs: Sequence[tuple[int, float | None]], steps: int) -> str:
    """In promtool's own notation."""
    told: list[str] = []
    at, now = 0, None
    for first, value in [*runs, (steps, None)]:
        if first > at:
            count = first - at
            if now is not None:
                told.append(f"{now:.15g}x{count - 1}" if count > 1 else f"{now:.15g}")
            else:
                if told:
                    told.append("stale")
                    count -= 1
                if count:
                    told.append(f"_x{count}")
            at = first
        now = value
    return " ".join(told)


def replay(
    promtool: str, rules: Iterable[Path], series: Runs, steps: int, step_s: int, began: float = 0.0
) -> list[Alert]:
    """The alerts that the rules give, as Prometheus would send them.

    Args:
        began: Unix time of step 0, which promtool takes for the year 1970; added to what comes out.
    """
    written = [{"series": name, "values": values(runs, steps)} for name, runs in series.items()]
    return alerts_of(promtool, rules, written, steps, step_s, began)


def replay_in_pieces(
    promtool: str, rules: Sequence[Path], series: Runs, pieces: Sequence[Piece], step_s: int, began: float, moments: str
) -> list[Alert]:
    """The same of a long time: promtool slows down with each series that it has ever seen.

    Args:
        pieces: one after the other without a gap.
        moments: metric whose values are Unix times less ``began``.
    """
    found: list[Alert] = []
    going: dict[frozenset[tuple[str, str]], float] = {}
    for piece in pieces:
        part = {name: _slice(name, runs, piece, step_s, moments) for name, runs in series.items()}
        alerts = replay(
            promtool, rules, {name: runs for name, runs in part.items() if runs}, piece.end - piece.warm, step_s,
            began + piece.warm * step_s,
        )  # fmt: skip
        first, end = began + piece.first * step_s, began + piece.end * step_s
        here: dict[frozenset[tuple[str, str]], float] = {}
        for alert in alerts:
            if alert.until is not None and alert.until <= first:
                continue
            labels = frozenset(alert.labels.items())
            goes_on = alert.since <= first and labels in going
            since = going.pop(labels) if goes_on else max(alert.since, first)
            if alert.until is None or alert.until >= end:
                here[labels] = since
            else:
                found.append(Alert(alert.labels, since, alert.until))
        found += [Alert(dict(labels), since, first) for labels, since in going.items()]
        going = here
    return found + [Alert(dict(labels), since) for labels, since in going.items()]


def _slice(
    name: str, runs: Sequence[tuple[int, float | None]], piece: Piece, step_s: int, moments: str
) -> list[tuple[int, float | None]]:
    shift = piece.warm * step_s if name.startswith(moments) else 0
    told: list[tuple[int, float | None]] = []
    now: float | None = None
    for step, given in runs:
        if step >= piece.end:
            break
        value = None if given is None else given - shift
        if step <= piece.warm:
            now = value
        else:
            told.append((step - piece.warm, value))
    return [(0, now), *told] if now is not None else told


def alerts_of(
    promtool: str,
    rules: Iterable[Path],
    series: Sequence[Mapping[str, str]],
    steps: int,
    step_s: int,
    began: float = 0.0,
) -> list[Alert]:
    """The same of series in promtool's own words.

    promtool has no way to print alerts: it is told to expect that none begins and none ends, and its complaint lists
    them.
    """
    texts = [bare(path) for path in sorted(rules)]
    firing = 'ALERTS{alertstate="firing",alertname!="Watchdog"}'
    before = f"{firing} offset {step_s}s"
    tests: list[dict[str, object]] = [
        {"expr": expression, "eval_time": f"{at * step_s + _OFF_S}s", "exp_samples": []}
        for at in range(steps)
        for expression in (f"{firing} unless {before}", f"{before} unless {firing}")
    ]
    document = {
        "rule_files": [f"{number}.yml" for number, _ in enumerate(texts)],
        "evaluation_interval": f"{step_s}s",
        # Else promtool takes groups in any order, and what one reads of another may come a round later.
        "group_eval_order": [group["name"] for text in texts for group in yaml.safe_load(text)["groups"]],
        "tests": [
            {
                "interval": f"{step_s}s",
                "input_series": series,
                "promql_expr_test": tests,
            }
        ],
    }
    with tempfile.TemporaryDirectory() as folder:
        for number, text in enumerate(texts):
            (Path(folder) / f"{number}.yml").write_text(text, "utf-8")
        file = Path(folder) / "replay.yml"
        file.write_text(json.dumps(document, ensure_ascii=False), "utf-8")  # is YAML, too
        ran = subprocess.run(
            [promtool, "test", "rules", str(file)], capture_output=True, text=True, timeout=1800, check=False
        )
    said = ran.stdout + ran.stderr
    open_since: dict[frozenset[tuple[str, str]], float] = {}
    found: list[Alert] = []
    complaints = said.split("expr: ")[1:]
    if ran.returncode and not complaints:
        raise RuntimeError(f"promtool did not run: {said[:2000]}")
    for part in sorted(complaints, key=_moment):
        at = began + _moment(part) - _OFF_S
        ends = part.startswith('"ALERTS{alertstate=\\"firing\\",alertname!=\\"Watchdog\\"} offset')
        for sample in _SAMPLE.findall(part):
            alert = frozenset(pair for pair in _LABEL.findall(sample) if pair[0] != "alertstate")
            if not ends:
                open_since[alert] = at
            elif alert in open_since:
                found.append(Alert(dict(alert), open_since.pop(alert), at))
    return found + [Alert(dict(labels), since) for labels, since in open_since.items()]


def bare(rules: Path) -> str:
    """A rule file without its annotations: they change no alert, and filling their templates takes most of the time."""
    document = yaml.load(rules.read_bytes(), yaml.CSafeLoader)
    for group in document["groups"]:
        for rule in group["rules"]:
            rule.pop("annotations", None)
    return json.dumps(document, ensure_ascii=False)


def _moment(part: str) -> float:
    when = _TIME.search(part)
    if when is None:
        raise RuntimeError(f"promtool says something else: {part[:500]}")
    return sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)([a-z]+)", when[1]))
