"""Asks Prometheus what the panels of a board want to know."""

import asyncio
import json
import math
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from exporter.dashboards.model import Board, Kind, Panel

_PATIENCE_S: Final = 8.0
_WINDOW_S: Final = 6 * 3600.0
_POINTS: Final = 180
_NAMED: Final = {
    "site": "cuntong_site_info",
    "county": "cuntong_county_info",
    "township": "cuntong_township_info",
    "carrier": "cuntong_carrier_info",
    "milestone": "cuntong_coverage_milestone_info",
}
_RATE_WINDOW: Final = "5m"  # what `$__rate_interval` stands for: four scrapes of a minute

Names = Mapping[str, Mapping[str, str]]
"""What people call it: by the label that holds an id, and the id."""


class PrometheusError(Exception):
    """It did not answer, or refused the question; the text says why."""


@dataclass(frozen=True, slots=True)
class Series:
    """One element of an answer: its labels, the legend in Grafana's form, and the points.

    Args:
        points: Unix seconds and value, oldest first.
    """

    labels: Mapping[str, str]
    legend: str
    points: Sequence[tuple[float, float]]

    @property
    def value(self) -> float:
        return self.points[-1][1]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a panel shows; ``problem`` is why it shows nothing."""

    series: Sequence[Series] = ()
    problem: str = ""


class Prometheus:
    """One server.

    Args:
        url: such as ``http://127.0.0.1:9090``.
    """

    def __init__(self, url: str) -> None:
        self._base = url.rstrip("/") + "/api/v1/"

    async def ask(self, board: Board, chosen: Mapping[str, str]) -> dict[str, Answer]:
        """Every panel's answer by the panel's title, all at once."""
        answers = await asyncio.gather(*(asyncio.to_thread(self._panel, panel, chosen) for panel in board.panels))
        return {panel.title: answer for panel, answer in zip(board.panels, answers, strict=True)}

    async def choices(self, query: str) -> list[str]:
        """The values of a variable: of ``label_values(metric{...}, label)``.

        Raises:
            PrometheusError: no answer.
        """
        found = re.fullmatch(r"label_values\((.+),\s*(\w+)\)", query)
        if found is None:
            raise PrometheusError(f"{query!r} is no label_values(...)")
        words = {"match[]": found[1], "start": str(time.time() - 600)}
        return list(await asyncio.to_thread(self._get, f"label/{found[2]}/values", words))

    async def names(self) -> Names:
        """What people call what series name by an id.

        Raises:
            PrometheusError: no answer.
        """
        found = await asyncio.gather(*(asyncio.to_thread(self._names, *one) for one in _NAMED.items()))
        return dict(zip(_NAMED, found, strict=True))

    def _names(self, label: str, metric: str) -> dict[str, str]:
        told = self._get("query", {"query": f"group by ({label}, name) ({metric})"})
        return {one["metric"].get(label, ""): one["metric"].get("name", "") for one in told["result"]}

    def now(self, expr: str, at: float) -> list[tuple[Mapping[str, str], float]]:
        """Every series of an expression at Unix time ``at``: its labels and its value; what is no number is left out.

        Raises:
            PrometheusError: no answer, or the question was refused.
        """
        told = self._get("query", {"query": expr, "time": f"{at:.0f}"})
        found = ((one["metric"], float(one["value"][1])) for one in told["result"])
        return [(labels, value) for labels, value in found if not math.isnan(value)]

    def _panel(self, panel: Panel, chosen: Mapping[str, str]) -> Answer:
        found: list[Series] = []
        try:
            for query in panel.queries:
                expr = filled(query.expr, chosen)
                for one in self._query(expr, over_time=panel.kind is Kind.LINES):
                    labels = {name: value for name, value in one["metric"].items() if name != "__name__"}
                    told = one["values"] if "values" in one else [one["value"]]
                    points = [(float(at), float(value)) for at, value in told if not math.isnan(float(value))]
                    if points:
                        found.append(Series(labels, query.legend, points))
        except PrometheusError as error:
            return Answer(problem=str(error))
        return Answer(found)

    def _query(self, expr: str, *, over_time: bool) -> list[dict[str, Any]]:
        if not over_time:
            told = self._get("query", {"query": expr})
        else:
            now = time.time()
            step = _WINDOW_S / _POINTS
            words = {"query": expr, "start": f"{now - _WINDOW_S:.0f}", "end": f"{now:.0f}", "step": f"{step:.0f}"}
            told = self._get("query_range", words)
        return list(told["result"])

    def _get(self, path: str, words: Mapping[str, str]) -> Any:
        url = f"{self._base}{path}?{urllib.parse.urlencode(words)}"
        try:
            with urllib.request.urlopen(url, timeout=_PATIENCE_S) as answer:  # noqa: S310  the operator's own address
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise PrometheusError(
                f"Prometheus answered {error.code}: {error.read(300).decode('utf-8', 'replace')}"
            ) from None
        except (OSError, ValueError, KeyError) as error:
            raise PrometheusError(f"Prometheus does not answer: {error}") from None


def filled(expr: str, chosen: Mapping[str, str]) -> str:
    """A query with its variables filled in; a value is escaped, since it stands within quotes."""
    expr = expr.replace("$__rate_interval", _RATE_WINDOW)
    for name, value in chosen.items():
        expr = expr.replace(f"${name}", value.replace("\\", "\\\\").replace('"', '\\"'))
    return expr
