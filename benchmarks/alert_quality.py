"""How often people are woken, and whether it was worth it: a prefecture of 2,000 villages, beside the public baseline.

`benchmarks/prefecture.py` says what fails and what is only switched off. Polls of it go through the real collector's
watch (silence, root cause, service hours, announced work, flapping) and the real exporter; the project's own rule
files are evaluated by the real promtool over the series that come out; the alerts go through
`exporter.alertmanager.grouping` and the configuration that ``cuntong rules`` writes, a model that tests hold to the
real Alertmanager. The baseline is the alert of snmp_exporter's mixin, `up != 1 for 5m` on every device, over the same
silence and through the same configuration, where it takes the default route: a message for all devices of a county.

Left out, since they could only be silent here: the identities of sites that are well. A poll is asked for only where
something changed, as the others would say what they said before.

Printed for three typical days at one-minute steps and for a month at five-minute steps: messages a day by receiver
(with something that fires), precision (of messages and of the alerts in them), delay from the first minute in which
service was promised and not given, and sites without more than half an hour of their service of which nobody was told.
The limit of 50 is for what the baseline sends as it is published, a message for each alert: its mixin groups nothing.
The same alerts by a county's route stand beside it, where a message hides hundreds, and other ways to group ours, on
the same alerts. By a route no way could send 50 times fewer than the baseline: already one message for each long
outage, which is the fewest that leaves none untold, is more than that. `fewest` is that bound.

    python benchmarks/alert_quality.py [--villages 2000] [--seed 5] [--rates 1] [--days 3] [--month 31]
"""

import argparse
import copy
import json
import multiprocessing
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from benchmarks.prefecture import CHINA, COUNTIES, DAY, Away, County, Fault, happenings
from benchmarks.prefecture_polls import Polls, Runs
from benchmarks.rule_replay import Piece, replay_in_pieces
from exporter import registry as r
from exporter.alertmanager.config import API, COUNTY, DEADMAN, NOBODY, PLACE, configuration
from exporter.alertmanager.grouping import Alert, Alertmanager, Notification
from exporter.alertmanager.settings import Alerting
from exporter.linting.rule_files import RULES, files_of
from health.hours import service_intervals
from health.outage import Interval, intersect

_SILENT: Final = frozenset({API, NOBODY, DEADMAN})
_LONG_S: Final = 1800.0
_FOR_S: Final = 300.0
BASELINE: Final = "SNMPTargetDown"
_TIMES_FEWER: Final = 50.0
_SHORT_DAYS: Final = 3
_LATE_S: Final = 1200.0  # an alert is about a fault that was over so long before it, at most


@dataclass(frozen=True, slots=True)
class Scenario:
    """A stretch of time, looked at in steps."""

    title: str
    begins: datetime
    days: int
    step_s: int

    @property
    def since(self) -> float:
        return self.begins.timestamp()

    @property
    def steps(self) -> int:
        return round(self.days * DAY / self.step_s)


TYPICAL: Final = Scenario("typical days, one-minute steps", datetime(2026, 9, 15, tzinfo=CHINA), 3, 60)
MONTH: Final = Scenario("autumn with National Day, five-minute steps", datetime(2026, 9, 15, tzinfo=CHINA), 31, 300)


class World:
    """The prefecture in one scenario: what happened, and whether a message was right about it."""

    def __init__(self, folder: Path, scenario: Scenario, villages: int, seed: int, rates: float) -> None:
        self.scenario = scenario
        parts = min(COUNTIES, max(1, villages // 40))
        share = [villages * (n + 1) // parts - villages * n // parts for n in range(parts)]
        self.counties = [County(folder, number, count) for number, count in enumerate(share)]
        since, until = scenario.since, scenario.since + scenario.days * DAY
        self.faults = [happenings(county, since + 7200, until, seed, rates) for county in self.counties]
        self.away = [Away(county, faults) for county, faults in zip(self.counties, self.faults, strict=True)]
        self.hours = [service_intervals(county.calendar, since, until) for county in self.counties]
        self._by_code = {county.code: county.number for county in self.counties}
        self._sites = [{id: n for n, id in enumerate(county.inventory.sites.ids)} for county in self.counties]
        self._ordinals = [{d.id: d.ordinal for d in county.inventory.devices} for county in self.counties]

    def series(self) -> Runs:
        """What Prometheus would have scraped of every county."""
        found: dict[str, Sequence[tuple[int, float | None]]] = {
            'up{job="cuntong-api",instance="127.0.0.1:8080"}': [(0, 1.0)]
        }
        for county, faults, away in zip(self.counties, self.faults, self.away, strict=True):
            polls = Polls(county, faults, away, self.scenario.since, self.scenario.step_s, self.scenario.steps)
            found |= polls.run()
        return found

    def pieces(self) -> list[Piece]:
        """Stretches of some days, each with the working day before it.

        What fires at night began while the hall was open, so a working day shows again all that was going on. Windows
        of a day and more begin anew in each; they are of alerts that nobody is sent (`notify="ledger"`).
        """
        per_day = round(DAY / self.scenario.step_s)
        days = self.scenario.days
        worked = [
            bool(service_intervals(self.counties[0].calendar, since, since + DAY))
            for since in (self.scenario.since + day * DAY for day in range(days))
        ]
        cuts = [0]
        for day in range(1, days):
            if worked[day - 1] and day - cuts[-1] >= (1 if days <= _SHORT_DAYS else 2):
                cuts.append(day)
        warm = round(8 / 24 * per_day)  # from eight in the morning of the day before
        return [
            Piece(max(0, (first - 1) * per_day + warm), first * per_day, end * per_day)
            for first, end in pairwise([*cuts, days])
        ]

    def baseline(self) -> Iterator[Alert]:
        """`up != 1 for 5m` on every device: a test holds this arithmetic to promtool."""
        step, since = self.scenario.step_s, self.scenario.since
        last = self.scenario.steps
        for county, away in zip(self.counties, self.away, strict=True):
            place = {
                "alertname": BASELINE,
                "job": "snmp",
                "severity": "critical",
                "province": "99",
                "county": county.code,
            }
            for device in county.inventory.devices:
                for first, end in away.sampled(device.ordinal, since, step):
                    fires = first * step + _FOR_S
                    if fires < min(end, last) * step:
                        until = None if end >= last else since + end * step
                        yield Alert({**place, "instance": device.id}, since + fires, until)

    def is_right(self, alert: Alert) -> bool:
        """Whether what it names was really broken, unannounced, while service was promised."""
        labels, at = alert.labels, alert.since
        number = self._by_code.get(labels.get("county", ""))
        if number is None:
            return False
        county = self.counties[number]
        if labels["alertname"] == BASELINE:
            ordinal = self._ordinals[number][labels["instance"]]
            carries = bool(county.beneath[county.inventory.devices[ordinal].site][1:])
            return self._broken(number, [ordinal], at, any_hour=carries and county.kinds[ordinal] == "router")
        device, site = labels.get("device"), labels.get("site")
        if device in self._ordinals[number]:
            return self._broken(number, [self._ordinals[number][device]], at)
        if site in self._sites[number]:
            place = self._sites[number][site]
            return self._broken(number, county.devices[place], at, any_hour=bool(county.beneath[place][1:]))
        if labels.get("scope") == "collector":
            return any(one.kind == "collector" for one in self._at(self.faults[number], at))
        township = labels.get("township")
        concerned = [
            one for one in county.villages if township in (None, county.inventory.nodes.codes[_node(county, one)][:9])
        ]
        return sum(self._broken(number, county.devices[one], at) for one in concerned) >= 3

    def _broken(self, number: int, ordinals: Sequence[int], at: float, any_hour: bool = False) -> bool:
        # It tells of what it saw within the time that its rule waits; the hour of that counts.
        promised = any_hour or any(first - 60 <= at <= end + _LATE_S for first, end in self.hours[number])
        by_device = self.away[number].by_device
        return promised and any(fault.real for one in ordinals for fault in self._at(by_device[one], at))

    @staticmethod
    def _at(faults: Iterable[Fault], at: float) -> Iterator[Fault]:
        return (one for one in faults if one.since <= at < one.until + _LATE_S)

    def long_outages(self) -> Iterator[tuple[Fault, int, Interval]]:
        """What took a whole site away for more than half an hour of its service, unannounced: fault, site, stretch."""
        end_of_time = self.scenario.since + self.scenario.days * DAY
        for number, faults in enumerate(self.faults):
            planned = [one for one in faults if one.planned]
            for fault in faults:
                if not fault.real or not fault.sites or fault.until > end_of_time:
                    continue
                long = (
                    one
                    for one in intersect([(fault.since, fault.until)], self.hours[number])
                    if one[1] - one[0] > _LONG_S
                )
                stretch = next(long, None)
                if stretch is None:
                    continue
                for site in fault.sites:
                    if not any(
                        site in one.sites and one.since < fault.until and fault.since < one.until for one in planned
                    ):
                        yield fault, site, stretch

    def names(self, alert: Alert, number: int, site: int) -> bool:
        """Whether an alert tells somebody that this site is cut off: by its own name, or a node's above it."""
        labels, county = alert.labels, self.counties[number]
        if labels.get("county") != county.code:
            return False
        ids = county.inventory.sites.ids
        if labels["alertname"] == BASELINE:
            return any(labels["instance"] == county.inventory.devices[one].id for one in county.devices[site])
        if labels["alertname"] == "TownshipSitesDownMany":
            return bool(labels["township"] == county.inventory.nodes.codes[_node(county, site)][:9])
        above = [ids[one] for one in county.ways_up(site)]
        return labels.get("scope") in ("site", "uplink", "county") and labels.get("site") in above


def rules_that_speak() -> list[Path]:
    """All but those on provisioning and coverage, of which nothing happens here."""
    return [path for path in files_of(RULES) if path.name[:2] not in ("50", "60")]


def _node(county: County, site: int) -> int:
    """The division of the township in which a site lies."""
    node, nodes = int(county.inventory.sites.nodes[site]), county.inventory.nodes
    while nodes.levels[node] > 4:
        node = nodes.parents[node]
    return node


@dataclass
class Quality:
    """What one way of alerting came to."""

    per_day: dict[str, float] = field(default_factory=dict)
    firing_per_day: float = 0.0
    named_per_day: float = 0.0
    messages_right: float | None = None
    alerts_right: float | None = None
    delays_min: list[float] = field(default_factory=list)
    outages: int = 0
    missed: list[str] = field(default_factory=list)
    wrong: Counter[str] = field(default_factory=Counter)

    @property
    def delay(self) -> tuple[float, float]:
        ordered = sorted(self.delays_min)
        return (statistics.median(ordered), ordered[round(0.95 * (len(ordered) - 1))]) if ordered else (0.0, 0.0)


def judge(world: World, sent: Iterable[Notification]) -> Quality:
    """Of the messages that people get."""
    quality, days = Quality(), world.scenario.days
    told = [one for one in sent if one.receiver not in _SILENT]
    rings = [one for one in told if one.firing]
    quality.per_day = {name: count / days for name, count in sorted(Counter(one.receiver for one in rings).items())}
    quality.firing_per_day = len(rings) / days
    first_told: dict[tuple[frozenset[tuple[str, str]], float], tuple[Alert, float]] = {}
    messages = 0
    for one in rings:
        messages += any(world.is_right(alert) for alert in one.firing)
        for alert in one.firing:
            first_told.setdefault((frozenset(alert.labels.items()), alert.since), (alert, one.at))
    alerts = list(first_told.values())
    right = [world.is_right(alert) for alert, _ in alerts]
    quality.named_per_day = len(alerts) / days
    if rings:
        quality.messages_right = messages / len(rings)
        quality.alerts_right = sum(right) / len(right)
    quality.wrong.update(alert.labels["alertname"] for (alert, _), so in zip(alerts, right, strict=True) if not so)
    by_county: dict[str, list[tuple[Alert, float]]] = {}
    for alert, at in alerts:
        by_county.setdefault(alert.labels.get("county", ""), []).append((alert, at))
    heard: dict[Fault, float | None] = {}
    for fault, site, stretch in world.long_outages():
        quality.outages += 1
        code = world.counties[fault.county].code
        # An alert that still fires, for the site's trouble before, has told of it at once: a site is dark once.
        times = [
            at for alert, at in by_county.get(code, ())
            if at <= fault.until + _LATE_S and (alert.until is None or alert.until > fault.since)
            and world.names(alert, fault.county, site)
        ]  # fmt: skip
        if not times:
            began = datetime.fromtimestamp(fault.since, CHINA)
            quality.missed.append(
                f"{fault.kind} {world.counties[fault.county].inventory.sites.ids[site]} {began:%m-%d %H:%M} "
                f"for {(fault.until - fault.since) / 60:.0f} min"
            )
            continue
        delay = max(0.0, min(times) - stretch[0])
        known = heard.get(fault)
        heard[fault] = delay if known is None else min(known, delay)
    quality.delays_min = [delay / 60 for delay in heard.values() if delay is not None]
    return quality


@dataclass
class Measured:
    """A scenario: ours, the baseline by the default route, other ways to group ours, and what it cost.

    Args:
        alone: alerts a day of the baseline, which it publishes without a route.
        causes: faults that cut sites off for more than half an hour of service, a day.
    """

    ours: Quality
    theirs: Quality
    alone: float
    causes: float
    ways: dict[str, Quality]
    spent: dict[str, float]


def _digested(config: dict[str, Any], group_by: Sequence[str], **waits: str) -> dict[str, Any]:
    """The same configuration with other digests for the counties' people."""
    other = copy.deepcopy(config)
    for route in other["route"]["routes"]:
        if route["receiver"] == COUNTY:
            route |= {"group_by": [*PLACE, *group_by], **waits}
    return other


def ways(config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Other configurations that would send fewer messages, or other ones."""
    return {
        "a digest an hour for each township": _digested(config, ["township"], group_interval="1h"),
        "a digest for each county": _digested(config, []),
        "a digest an hour for each county": _digested(config, [], group_interval="1h"),
        "a digest an hour for each county, after 15 min": _digested(config, [], group_interval="1h", group_wait="15m"),
    }


def measure(given: tuple[Scenario, int, int, float]) -> Measured:
    """Everything of one scenario."""
    scenario, villages, seed, rates = given
    promtool = shutil.which("promtool") or sys.exit("promtool is not installed: run 'make debian' as root")
    with tempfile.TemporaryDirectory() as name:
        began = time.monotonic()
        world = World(Path(name), scenario, villages, seed, rates)
        series = world.series()
        polled = time.monotonic()
        alerts = replay_in_pieces(
            promtool, rules_that_speak(), series, world.pieces(), scenario.step_s, scenario.since, r.OUTAGE_OPEN.name
        )
        replayed = time.monotonic()
    calendar = world.counties[0].calendar
    until = scenario.since + scenario.days * DAY
    config = configuration(Alerting(), calendar)
    ours = judge(world, Alertmanager(config).send(alerts, until))
    plain = list(world.baseline())
    theirs = judge(world, Alertmanager(config).send(plain, until))
    others = {name: judge(world, Alertmanager(one).send(alerts, until)) for name, one in ways(config).items()}
    causes = len({id(fault) for fault, _, _ in world.long_outages()}) / scenario.days
    spent = {
        "villages": sum(len(one.villages) for one in world.counties), "series": len(series), "alerts": len(alerts),
        "polling_s": polled - began, "rules_s": replayed - polled, "judging_s": time.monotonic() - replayed,
    }  # fmt: skip
    return Measured(ours, theirs, len(plain) / scenario.days, causes, others, spent)


def show(scenario: Scenario, result: Measured) -> dict[str, object]:
    ours, theirs, spent = result.ours, result.theirs, result.spent
    print(
        f"{scenario.title}, {scenario.days} days: {spent['villages']:.0f} villages, "
        f"{spent['series']:.0f} series of exceptions; "
        f"polls {spent['polling_s']:.0f} s, rules {spent['rules_s']:.0f} s, messages {spent['judging_s']:.0f} s"
    )
    print(f"  {'':34}{'Cuntong':>12}{'up != 1 for 5m':>18}")
    for name in sorted({*ours.per_day, *theirs.per_day}):
        print(f"  messages a day to {name:16}{ours.per_day.get(name, 0):12.1f}{theirs.per_day.get(name, 0):18.1f}")
    rows = [
        ("messages a day", ours.firing_per_day, theirs.firing_per_day),
        ("alerts named in them a day", ours.named_per_day, theirs.named_per_day),
        ("messages about something real, %", *(100 * (one.messages_right or 0) for one in (ours, theirs))),
        ("alerts about something real, %", *(100 * (one.alerts_right or 0) for one in (ours, theirs))),
        ("delay, median minutes", ours.delay[0], theirs.delay[0]),
        ("delay, p95 minutes", ours.delay[1], theirs.delay[1]),
        ("sites cut off over 30 min of service", ours.outages, theirs.outages),
        ("of these told to nobody", len(ours.missed), len(theirs.missed)),
    ]
    for what, left, right in rows:
        print(f"  {what:34}{left:12.1f}{right:18.1f}")
    by_route = theirs.firing_per_day / ours.firing_per_day if ours.firing_per_day else 0.0
    alone = result.alone / max(ours.firing_per_day, 1e-9)
    fewest = theirs.firing_per_day / max(result.causes, 1e-9)
    print(f"  the baseline as published sends {alone:.0f} times as many ({result.alone:.0f} a day, an alert each), "
          f"by a county's route {by_route:.1f} times; "
          f"{result.causes:.1f} faults a day must be told of, by which {fewest:.0f} times is the most by a route; "
          f"it names {theirs.named_per_day / max(ours.named_per_day, 1e-9):.0f} times as many alerts")  # fmt: skip
    for name, way in {"as it is": ours, **result.ways}.items():
        print(f"    {name:48}{way.firing_per_day:6.1f} a day, delay {way.delay[0]:.0f} min (p95 {way.delay[1]:.0f}), "
              f"{len(way.missed)} untold")  # fmt: skip
    for one in ours.missed[:10]:
        print(f"    told to nobody: {one}")
    if ours.wrong:
        print(f"    ours about nothing real: {dict(ours.wrong)}")
    return {
        "scenario": scenario.title, "messages_per_day": ours.firing_per_day,
        "baseline_messages_per_day": theirs.firing_per_day, "fewer_by_route": by_route,
        "fewer": alone, "fewest": fewest,
        "ways": {name: way.firing_per_day for name, way in result.ways.items()},
        "missed": len(ours.missed), "outages": ours.outages,
        "precision": ours.messages_right, "baseline_precision": theirs.alerts_right, "delay_min": ours.delay,
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--villages", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--rates", type=float, default=1.0, help="how many times as often everything fails")
    parser.add_argument("--days", type=int, default=TYPICAL.days, help="0 leaves the typical days out")
    parser.add_argument("--month", type=int, default=MONTH.days, help="days of the month; 0 leaves it out")
    options = parser.parse_args()
    scenarios = [replace(TYPICAL, days=options.days), replace(MONTH, days=options.month)]
    work = [(one, options.villages, options.seed, options.rates) for one in scenarios if one.days]
    with multiprocessing.get_context("spawn").Pool(len(work)) as pool:
        results = pool.map(measure, work)
    told = [show(one, result) for (one, *_), result in zip(work, results, strict=True)]
    held = all(one["missed"] == 0 and float(str(one["fewer"])) >= _TIMES_FEWER for one in told)
    print(json.dumps({"scenarios": told, "limit": _TIMES_FEWER, "held": held}))
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
