"""A little county as series over time, and the real promtool to judge rules on it."""

import json
import re
import subprocess
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from benchmarks.rule_replay import alerts_of, bare
from exporter.alertmanager.grouping import Alert
from exporter.linting.rule_files import RULES, files_of
from exporter.registry import METRICS

PLACE = {"province": "51", "county": "511825"}
TARGET = {"job": "cuntong-collector", "instance": "127.0.0.1:9161", "collector": "c1"}
TOWNSHIPS = {"t1": "511825100", "t2": "511825101"}

Span = tuple[int, int, float | None]
"""``[first, last)`` in minutes, and the value in it; None where the series is not there."""


class World:
    """18 sites: a core, two townships with eight villages each, all well and open unless something is said.

    Args:
        minutes: how long it is looked at.
        step: minutes between two samples.
    """

    def __init__(self, minutes: int = 240, step: int = 2) -> None:
        self.minutes, self.step = minutes, step
        self._lines: dict[tuple[str, tuple[tuple[str, str], ...]], tuple[float | None, list[Span]]] = {}
        self._troubles: list[tuple[str, str, str, str, float, int, int]] = []
        self.put("cuntong_schedule_active", 1, schedule="office")
        self.put("cuntong_schedule_active", 1, schedule="always")
        self.put("up", 1)
        self.put("cuntong_collector_interval_seconds", 60, job="cuntong-process")
        self.site("core", "", "", type="county_center", classes=("router",), schedule="always")
        for node, township in TOWNSHIPS.items():
            self.site(node, township, "core", type="township_center")
            for number in range(1, 9):
                self.site(f"{node}-v{number}", township, node)

    def put(self, metric: str, value: float | None, *spans: Span, **labels: str) -> None:
        """A series with this value, but for spans with another; said again, the newest counts."""
        known = METRICS.get(metric)
        own = {} if known is not None and known.by_county else TARGET
        if known is not None:
            assert set(known.all_labels) <= {*labels, *PLACE}, f"{metric} has the labels {known.all_labels}"
        every = {**own, **PLACE, **labels}
        self._lines[metric, tuple(sorted(every.items()))] = (value, list(spans))

    def site(
        self, id: str, township: str, uplink: str, type: str = "village_site", schedule: str = "office",
        classes: Iterable[str] = ("router", "kiosk", "printer"), monitored: str = "us",
    ) -> None:  # fmt: skip
        self.put(
            "cuntong_site_info", 1, site=id, code="0", township=township, uplink=uplink, type=type, site_class="v",
            lifecycle="in_service", schedule=schedule, monitored=monitored, name=f"名{id}",
        )  # fmt: skip
        self.up(id)
        self.put("cuntong_site_maintenance", 0, site=id)
        carrier = "telecom" if uplink in ("t1", "core") else "mobile"
        self.put(
            "cuntong_link_info", 1, site=id, link=f"{id}-router", role="primary", link_type="pon", carrier=carrier,
            circuit="", origin="new",
        )  # fmt: skip
        for kind in classes:
            self.device(id, kind)

    def up(self, id: str, *spans: Span) -> None:
        labels = next(
            dict(labels) for metric, labels in self._lines if metric == "cuntong_site_info" and ("site", id) in labels
        )
        kept = {name: labels[name] for name in ("site", "township", "uplink", "schedule")}
        self.put("cuntong_site_up", 1, *spans, **kept)

    def device(self, site: str, kind: str, *hours: Span, name: str | None = None) -> None:
        """``hours``: spans of what it promises, which is always for the others."""
        id = name or f"{site}-{kind}"
        self.put(
            "cuntong_device_info", 1, site=site, device=id, vendor="", model="", os_version="", serial="", profile="",
            **{"class": kind},
        )  # fmt: skip
        self.put("cuntong_device_service_promised", 1, *hours, site=site, device=id)
        self.put("cuntong_device_up", 1, site=site, device=id, **{"class": kind})

    def closed(self, first: int, last: int, site: str | None = None) -> None:
        """Halls are closed in these minutes: all, or one by its terminals' hours."""
        for (metric, labels), (value, _) in list(self._lines.items()):
            own = dict(labels)
            if metric == "cuntong_device_service_promised" and site in (None, own["site"]):
                if not own["device"].endswith("-router"):
                    self._lines[metric, labels] = (value, [(first, last, 0)])
            elif metric == "cuntong_schedule_active" and own["schedule"] != "always" and site is None:
                self._lines[metric, labels] = (value, [(first, last, 0)])

    def trouble(
        self, trouble: str, site: str, kind: str, first: int, last: int, value: float = 1, part: str = ""
    ) -> None:  # fmt: skip
        """A device says so in these minutes, or said so before it fell silent."""
        self._troubles.append((trouble, site, kind, part, value, first, last))

    def bad_line(self, trouble: str, site: str, first: int, last: int, value: float = 1) -> None:
        self.put("cuntong_link_trouble", None, (first, last, value), site=site, link=f"{site}-router", trouble=trouble)

    def outage(
        self, scope: str, node: str, first: int, last: int, cause: str = "line", site: str | None = None,
        planned: str = "no", sites: int = 1,
    ) -> None:  # fmt: skip
        root = site or node
        township = TOWNSHIPS.get(root.partition("-")[0], "")
        self.put(
            "cuntong_outage_open_timestamp_seconds", None, (first, last, first * 60), scope=scope, node=node,
            cause=cause, site=root, township=township, planned=planned,
        )  # fmt: skip
        if scope in ("site", "uplink"):
            self.put("cuntong_outage_sites", None, (first, last, sites), scope=scope, node=node)

    def dark(self, id: str, first: int, last: int, cause: str = "line") -> None:
        """A site that failed by itself."""
        self.up(id, (first, last, 0))
        self.outage("site", id, first, last, cause)

    def _promises(self) -> None:
        """What the exporter says of each open outage: the hours of its device, or of the site's terminals."""
        hours: dict[str, list[tuple[str, list[Span]]]] = {}
        for (metric, labels), (_, spans) in self._lines.items():
            if metric == "cuntong_device_service_promised":
                own = dict(labels)
                hours.setdefault(own["site"], []).append((own["device"], spans))
        for (metric, labels), (_, opened) in list(self._lines.items()):
            if metric != "cuntong_outage_open_timestamp_seconds" or not opened:
                continue
            own = dict(labels)
            scope, node = own["scope"], own["node"]
            of_device = [spans for name, spans in hours[own["site"]] if name == node]
            terminals = [spans for name, spans in hours[own["site"]] if not name.endswith("-router")]
            closed = (
                of_device[0] if of_device else min(terminals, key=len, default=[]) if scope in ("site", "lan") else []
            )
            kind = node.rpartition("-")[2].rstrip("0123456789") if scope == "device" else ""
            first, last = next((first, last) for first, last, since in opened if since is not None)
            shut: list[Span] = [(max(first, since), min(last, until), 0.0) for since, until, _ in closed]
            self.put(
                "cuntong_outage_service_promised", None, *shut, (first, last, 1), scope=scope, node=node,
                **{"class": kind},
            )  # fmt: skip

    def _at(self, metric: str, minute: int, **labels: str) -> float | None:
        """The newest value of the one series of a metric with these labels."""
        for (name, own), (value, spans) in self._lines.items():
            if name == metric and labels.items() <= dict(own).items():
                return _value(value, spans, minute)
        return None

    def _exceptions(self) -> None:
        """What the exporter makes of all this: who is concerned, how many are well, whose line it was."""
        made: dict[tuple[str, tuple[tuple[str, str], ...]], dict[int, float]] = {}

        def count(metric: str, minute: int, labels: dict[str, str], times: float = 1) -> None:
            values = made.setdefault((metric, tuple(labels.items())), {})
            values[minute] = values.get(minute, 0) + times

        known = [(metric, dict(labels), *what) for (metric, labels), what in self._lines.items()]
        of: dict[str, list[tuple[dict[str, str], float | None, list[Span]]]] = {}
        for metric, own, value, spans in known:
            of.setdefault(metric, []).append((own, value, spans))
        up = {own["site"]: (value, spans) for own, value, spans in of["cuntong_site_up"]}
        work = {own["site"]: (value, spans) for own, value, spans in of["cuntong_site_maintenance"]}
        wrong = [*of.get("cuntong_outage_open_timestamp_seconds", ()), *of.get("cuntong_link_trouble", ())]
        carriers = {own["site"]: own["carrier"] for own, value, _ in of["cuntong_link_info"] if value is not None}
        for minute in range(0, self.minutes + 1, self.step):
            concerned = {own["site"] for own, value, spans in wrong if _value(value, spans, minute) is not None}
            for trouble, site, kind, part, bad, first, last in self._troubles:
                device = f"{site}-{kind}"
                promised = self._at("cuntong_device_service_promised", minute, device=device)
                if not first <= minute < last or promised is None:
                    continue
                concerned.add(site)
                answers = "no" if self._at("cuntong_device_up", minute, device=device) == 0 else "yes"
                labels = {"site": site, "device": device, "class": kind, "trouble": trouble, "part": part}
                more = {"answers": answers, "promised": "yes" if promised else "no"}
                count("cuntong_device_trouble", minute, labels | more, bad)
            for own, value, spans in of["cuntong_site_info"]:
                site = own["site"]
                if _value(value, spans, minute) is None:
                    continue
                answered = _value(*up[site], minute)
                place = {name: own[name] for name in ("township", "uplink", "schedule")}
                state = "unknown" if answered is None else "up" if answered else "dark"
                count("cuntong_sites", minute, place | {"state": state})
                if answered is not None:
                    count("cuntong_lines", minute, {"carrier": carriers[site], "schedule": own["schedule"]})
                if site in concerned or answered == 0:
                    flags = {
                        "dark": "yes" if answered == 0 else "no",
                        "maintenance": "yes" if _value(*work[site], minute) else "no",
                    }
                    identity = {name: own[name] for name in ("type", "name")}
                    count("cuntong_site_trouble_info", minute, {"site": site} | place | identity | flags)
            for own, value, spans in of.get("cuntong_outage_open_timestamp_seconds", ()):
                if own["scope"] in ("site", "uplink") and _value(value, spans, minute) is not None:
                    labels = {"scope": own["scope"], "node": own["node"], "carrier": carriers[own["site"]]}
                    count("cuntong_outage_lines", minute, labels)
        for (metric, pairs), values in made.items():
            told: list[Span] = []
            for minute, now in values.items():
                if told and told[-1][1] == minute and told[-1][2] == now:
                    told[-1] = (told[-1][0], minute + self.step, now)
                else:
                    told.append((minute, minute + self.step, now))
            self.put(metric, None, *told, **dict(pairs))

    def series(self) -> list[dict[str, str]]:
        self._promises()
        self._exceptions()
        return [
            {"series": _selector(metric, labels), "values": self._values(value, spans)}
            for (metric, labels), (value, spans) in self._lines.items()
        ]

    def _values(self, value: float | None, spans: list[Span]) -> str:
        told: list[str] = []
        before: float | None = None
        for minute in range(0, self.minutes + 1, self.step):
            now = _value(value, spans, minute)
            told.append(f"{now:.15g}" if now is not None else "stale" if before is not None else "_")
            before = now
        return " ".join(told)


def _value(value: float | None, spans: Iterable[Span], minute: int) -> float | None:
    return next((what for first, last, what in spans if first <= minute < last), value)


def _selector(metric: str, labels: Iterable[tuple[str, str]]) -> str:
    return metric + "{" + ",".join(f'{name}="{value}"' for name, value in labels) + "}"


@cache
def with_those_they_read(files: tuple[Path, ...]) -> list[Path]:
    """Rule files and those whose records they name; judging all of them each time would take minutes."""
    texts = {path: path.read_text("utf-8") for path in RULES.glob("*.yml")}
    records = {path: set(re.findall(r"record: ([\w:]+)", text)) for path, text in texts.items()}
    needed = set(files)
    while more := {
        path for path in texts.keys() - needed if any(name in texts[one] for one in needed for name in records[path])
    }:
        needed |= more
    return sorted(needed)


Expectation = tuple[int, str, Mapping[str, float]]
"""A minute, an expression, and its samples: labels as PromQL writes them, and values."""


@pytest.fixture(scope="session")
def judged(program: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., None]:
    """Evaluates the project's rules over a world, and holds the answers to what is expected."""
    promtool = program.path("promtool")
    folder = tmp_path_factory.mktemp("rules")
    without = {path: folder / path.name for path in files_of(RULES)}
    for path, copy in without.items():
        copy.write_text(bare(path), "utf-8")

    def judge(world: World, expected: Iterable[Expectation], files: str = "*") -> None:
        file = tmp_path_factory.mktemp("promtool") / "test.yml"
        tests = [
            {
                "expr": expression,
                # Off the samples' grid: ranges are open on the left since Prometheus 3, and closed before.
                "eval_time": f"{minute}m23s",
                "exp_samples": [{"labels": labels, "value": value} for labels, value in samples.items()],
            }
            for minute, expression, samples in expected
        ]
        document = {
            "rule_files": [str(without[path]) for path in with_those_they_read(tuple(RULES.glob(f"{files}.yml")))],
            "evaluation_interval": f"{world.step}m",
            "tests": [
                {"interval": f"{world.step}m", "input_series": world.series(), "promql_expr_test": tests},
            ],
        }
        file.write_text(json.dumps(document, ensure_ascii=False), "utf-8")  # which is YAML, too, and written faster
        ran = subprocess.run(
            [promtool, "test", "rules", str(file)], capture_output=True, text=True, timeout=300, check=False
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr

    return judge


@pytest.fixture(scope="session")
def fired(program: Any) -> Callable[[World], list[Alert]]:
    """The alerts that the project's rules give over a world, from minute to minute, as Prometheus would send them."""
    promtool = program.path("promtool")

    def collect(world: World) -> list[Alert]:
        return alerts_of(promtool, files_of(RULES), world.series(), -(-world.minutes // world.step), world.step * 60)

    return collect


@pytest.fixture(scope="session")
def county() -> type[World]:
    return World


@pytest.fixture(scope="session")
def rules_folder() -> Path:
    return RULES
