"""A model of Alertmanager: which notifications it sends for alerts over time, without running it.

It follows the pipeline of 0.25: the route tree gives each alert one or more groups; a group waits ``group_wait``, then
is looked at each ``group_interval``; what is inhibited or muted then is left out; and what is left is sent if an alert
in it is new, if one resolved, or if ``repeat_interval`` has passed since the group's last message. An alert is its
labels: one that comes back before its end was told is nothing new. ``tests/exporter/alertmanager`` holds this to the
real one. Days of alerts of a prefecture take seconds, so that noise can be measured (``benchmarks/``).
"""

import heapq
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone, tzinfo
from itertools import count
from math import inf
from typing import Any, Final
from zoneinfo import ZoneInfo

from exporter.alertmanager.matching import all_of

Labels = Mapping[str, str]
_CHINA: Final = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert as Prometheus sends it, ``[since, until)`` in Unix seconds; ``until`` is None while it fires."""

    labels: Labels
    since: float
    until: float | None = None

    def fires(self, at: float) -> bool:
        return self.since <= at and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class Notification:
    """One message to one receiver at Unix time ``at``: the alerts in it that fire, and those that are over."""

    receiver: str
    at: float
    group: tuple[tuple[str, str], ...]
    firing: tuple[Alert, ...]
    resolved: tuple[Alert, ...]


@dataclass(frozen=True, slots=True)
class _Route:
    matches: Callable[[Labels], bool]
    receiver: str
    group_by: tuple[str, ...]
    wait_s: float
    interval_s: float
    repeat_s: float
    goes_on: bool
    active: tuple[str, ...]
    muted: tuple[str, ...]
    routes: tuple["_Route", ...]

    def leaves(self, labels: Labels) -> list["_Route"]:
        """The routes that take an alert with these labels; empty where this one does not match."""
        if not self.matches(labels):
            return []
        found: list[_Route] = []
        for route in self.routes:
            below = route.leaves(labels)
            found += below
            if below and not route.goes_on:
                break
        return found or [self]


_Identity = frozenset[tuple[str, str]]
_Key = tuple[int, tuple[tuple[str, str], ...]]
"""A route and the values of its labels."""


@dataclass(slots=True)
class _Group:
    route: _Route
    key: _Key
    alerts: dict[_Identity, Alert] = field(default_factory=dict)
    same_until: float = -inf  # nothing in it changes before


@dataclass(frozen=True, slots=True)
class _Told:
    """A group's last message, which outlives the group (Alertmanager's notification log)."""

    firing: frozenset[_Identity]
    resolved: frozenset[_Identity]
    at: float


class Alertmanager:
    """The model of one configuration.

    Args:
        config: alertmanager.yml as a document.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._root = _route(config["route"], {})
        self._inhibitions = [
            (all_of(rule["source_matchers"]), all_of(rule["target_matchers"]), tuple(rule.get("equal", ())))
            for rule in config.get("inhibit_rules", ())
        ]
        self._times = {one["name"]: one["time_intervals"] for one in config.get("time_intervals", ())}

    def receivers(self, labels: Labels) -> list[str]:
        """Who hears of an alert, in the order of the routes."""
        return [route.receiver for route in self._root.leaves(labels)]

    def send(self, alerts: Iterable[Alert], until: float) -> list[Notification]:
        """What is sent before ``until``, in order of time.

        Args:
            alerts: in any order. One that resolves and fires again is two.
        """
        ordered = sorted(alerts, key=lambda alert: alert.since)
        inhibitors = _Inhibitors(self._inhibitions, ordered)
        groups: dict[_Key, _Group] = {}
        log: dict[_Key, _Told] = {}
        tie = count()
        events: list[tuple[float, int, int, Alert | _Group]] = [(one.since, 0, next(tie), one) for one in ordered]
        heapq.heapify(events)
        sent: list[Notification] = []
        while events:
            at, _, _, what = heapq.heappop(events)
            if at >= until:
                break
            if isinstance(what, Alert):
                for route in self._root.leaves(what.labels):
                    key = (
                        id(route),
                        tuple((name, what.labels[name]) for name in route.group_by if name in what.labels),
                    )
                    group = groups.get(key)
                    if group is None:
                        group = groups[key] = _Group(route, key)
                        heapq.heappush(events, (at + route.wait_s, 1, next(tie), group))
                    group.alerts[frozenset(what.labels.items())] = what
                    group.same_until = -inf
                continue
            found = self._flush(what, at, inhibitors, log)
            if found is not None:
                sent.append(found)
            if what.alerts:
                heapq.heappush(events, (at + what.route.interval_s, 1, next(tie), what))
            else:
                del groups[what.key]
        return sent

    def _flush(
        self, group: _Group, at: float, inhibitors: "_Inhibitors", log: dict[_Key, _Told]
    ) -> Notification | None:
        route, notification = group.route, None
        told = log.get(group.key)
        if at < group.same_until and told is not None and told.at >= at - route.repeat_s:
            return None
        firing = {one: alert for one, alert in group.alerts.items() if alert.fires(at)}
        over = {one: alert for one, alert in group.alerts.items() if one not in firing}
        if not self._is_muted(route, at):
            left = [
                {one: alert for one, alert in some.items() if not inhibitors.silence(alert, at)}
                for some in (firing, over)
            ]
            if told is not None and at > told.at + 2 * route.repeat_s:
                told = None  # the log forgets
            names = frozenset(left[0]), frozenset(left[1])
            if _needs_telling(told, *names, at - route.repeat_s):
                log[group.key] = _Told(*names, at)
                notification = Notification(
                    route.receiver, at, group.key[1], tuple(left[0].values()), tuple(left[1].values())
                )
        for one in over:  # gone even where nobody was told
            del group.alerts[one]
        if inhibitors.none and not (route.muted or route.active):
            group.same_until = min((one.until for one in firing.values() if one.until is not None), default=inf)
        return notification

    def _is_muted(self, route: _Route, at: float) -> bool:
        if any(_covers(self._times[name], at) for name in route.muted):
            return True
        return bool(route.active) and not any(_covers(self._times[name], at) for name in route.active)


class _Inhibitors:
    """Which alerts silence which, by the values of the labels that must be equal."""

    def __init__(self, rules: Iterable[tuple[Any, Any, tuple[str, ...]]], alerts: Sequence[Alert]) -> None:
        self._rules = []
        for source, target, equal in rules:
            sources: dict[tuple[str, ...], list[Alert]] = {}
            for alert in alerts:
                if source(alert.labels):
                    sources.setdefault(_values(alert.labels, equal), []).append(alert)
            if sources:
                self._rules.append((source, target, equal, sources))
        self.none = not self._rules
        self._above = {id(alert): self._silencers(alert) for alert in alerts}

    def silence(self, alert: Alert, at: float) -> bool:
        return any(other.fires(at) for other in self._above[id(alert)])

    def _silencers(self, alert: Alert) -> list[Alert]:
        """What silences this alert while it fires."""
        found: list[Alert] = []
        for source, target, equal, sources in self._rules:
            if target(alert.labels):
                both = source(alert.labels)  # an alert that is source and target is not silenced by its like
                others = sources.get(_values(alert.labels, equal), ())
                found += (one for one in others if not (both and target(one.labels)))
        return found


def _needs_telling(
    told: _Told | None, firing: frozenset[_Identity], resolved: frozenset[_Identity], repeat_before: float
) -> bool:
    if told is None:
        return bool(firing)
    if not firing <= told.firing:
        return True
    if not firing:
        return bool(told.firing)
    return not resolved <= told.resolved or told.at < repeat_before


def _values(labels: Labels, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(labels.get(name, "") for name in names)


def _route(given: Mapping[str, Any], above: Mapping[str, Any]) -> _Route:
    kept = ("receiver", "group_by", "group_wait", "group_interval", "repeat_interval")
    own = {name: given.get(name, above.get(name)) for name in kept}
    return _Route(
        all_of(given.get("matchers", ())),
        str(own["receiver"]),
        tuple(own["group_by"] or ()),
        _seconds(own["group_wait"] or "30s"),
        _seconds(own["group_interval"] or "5m"),
        _seconds(own["repeat_interval"] or "4h"),
        bool(given.get("continue", False)),
        tuple(given.get("active_time_intervals", ())),
        tuple(given.get("mute_time_intervals", ())),
        tuple(_route(below, own) for below in given.get("routes", ())),
    )


def _seconds(text: str) -> float:
    """Of one number and its unit, as `exporter.alertmanager.config` writes them."""
    found = re.fullmatch(r"(\d+)(ms|s|m|h|d)", text)
    if found is None:
        raise ValueError(f"{text!r} is no duration such as 30s")
    return int(found[1]) * {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}[found[2]]


def _covers(intervals: Iterable[Mapping[str, Any]], at: float) -> bool:
    return any(_lies_in(one, datetime.fromtimestamp(at, _zone(one))) for one in intervals)


def _zone(interval: Mapping[str, Any]) -> tzinfo:
    name = interval.get("location", "UTC")
    return _CHINA if name == "Asia/Shanghai" else ZoneInfo(name)


def _lies_in(interval: Mapping[str, Any], at: datetime) -> bool:
    minute = at.hour * 60 + at.minute
    if "times" in interval and not any(
        _minutes(one["start_time"]) <= minute < _minutes(one["end_time"]) for one in interval["times"]
    ):
        return False
    asked = (
        ("weekdays", at.strftime("%A").lower()), ("days_of_month", str(at.day)),
        ("months", str(at.month)), ("years", str(at.year)),
    )  # fmt: skip
    return all(name not in interval or value in interval[name] for name, value in asked)


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])
