"""A prefecture as it behaves, for `alert_quality`: what fails, when, for how long; and what is only switched off.

Pure but for the inventories, which ``cuntong init`` writes. Eight counties with townships of twelve or thirteen
villages. Each site has a router, a kiosk and a printer, and keeps office hours with the statutory holidays of autumn
2026, 调休 included; two counties keep market days, too. The rates are our judgement of rural access lines, not a
measurement: they stand here to be argued with, and `alert_quality --rates 2` doubles them.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from math import log
from pathlib import Path
from typing import Final

from health.hours import service_intervals
from health.outage import Interval, merge
from inventory.loader import load
from inventory.model import Inventory
from inventory.scaffold import write_inventory

CHINA: Final = timezone(timedelta(hours=8))
DAY: Final = 86_400.0
COUNTIES: Final = 8
_VILLAGES: Final = 12  # a township's, which is the nation's median
_CALENDAR: Final = "office: {title: 工作日, weekly: {mon-fri: [09:00-12:00, 13:00-17:00]}}"
_HOLIDAYS: Final = (  # National Day and Mid-Autumn 2026, and the days that make up for them
    "closed: [2026-09-25, 2026-09-26, 2026-09-27, 2026-10-01, 2026-10-02, 2026-10-05, 2026-10-06, 2026-10-07], "
    "open: [2026-09-20, 2026-10-10]"
)
_MARKET: Final = "market_digits: [2, 5, 8], market: [08:00-13:00]"


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something fails, and for how long: log-normal, so that most is short and some lasts for days.

    Args:
        days: mean time between two of one object.
        median_min: half of them are over by then.
        p95_min: nineteen in twenty are.
    """

    days: float
    median_min: float
    p95_min: float

    def spans(self, random: random.Random, since: float, until: float, rates: float) -> Iterator[Interval]:
        at = since
        while True:
            at += random.expovariate(rates / (self.days * DAY))
            if at >= until:
                return
            yield at, at + self.lasts(random)

    def lasts(self, random: random.Random) -> float:
        sigma = log(self.p95_min / self.median_min) / 1.645
        return 60 * random.lognormvariate(log(self.median_min), sigma)


LINE: Final = Rate(90, 60, 900)
POWER: Final = Rate(120, 70, 480)
ROUTER: Final = Rate(240, 120, 1200)
LAN: Final = Rate(300, 90, 1000)
KIOSK: Final = Rate(120, 180, 2000)
PRINTER: Final = Rate(180, 240, 3000)
APP: Final = Rate(150, 120, 1500)
BLIP: Final = Rate(12, 1.2, 6)
FLAPPING: Final = Rate(400, 90, 360)
NODE: Final = Rate(150, 45, 400)
CORE: Final = Rate(250, 25, 120)
CARRIER: Final = Rate(50, 80, 400)
WORK: Final = Rate(20, 60, 150)  # announced, a county's: half of it at night
COLLECTOR: Final = Rate(200, 15, 90)
_ABSENT: Final = 0.002  # of a village's open days the attendant never comes, and nothing is switched on
_PULLS: Final = 0.1  # of the villages switch everything off in the evening, router and all
_STAYS: Final = 0.15  # of the terminals stay on at night


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that happened, ``[since, until)`` in Unix seconds.

    Args:
        kind: its name; `closed` is no fault but the end of the day.
        sites: positions of the sites that it takes away as a whole.
        devices: ordinals of everything that does not answer because of it.
        root: the site that failed, or whose device did; -1 for a carrier, the collector.
        clocks: of these devices the clock starts anew afterwards.
        app: the kiosk answers, and says that its program does not run.
    """

    kind: str
    county: int
    since: float
    until: float
    root: int
    devices: tuple[int, ...] = ()
    sites: tuple[int, ...] = ()
    clocks: tuple[int, ...] = ()
    app: bool = False

    @property
    def planned(self) -> bool:
        return self.kind == "work"

    @property
    def real(self) -> bool:
        """Whether somebody should hear of it."""
        return self.kind not in ("work", "closed")


class County:
    """One county of the prefecture: its inventory, and what is where."""

    def __init__(self, folder: Path, number: int, villages: int) -> None:
        self.number = number
        self.code = f"9901{number + 1:02d}"
        self.inventory = _inventory(folder, number, self.code, villages)
        inventory = self.inventory
        count = len(inventory.sites.ids)
        self.devices: list[list[int]] = [[] for _ in range(count)]
        for device in inventory.devices:
            self.devices[device.site].append(device.ordinal)
        self.kinds = [str(device.device_class) for device in inventory.devices]
        self.uplinks = [tuple(inventory.site_uplinks(site)) for site in range(count)]
        types = inventory.sites.types
        self.core = next(site for site in range(count) if types[site] == "county_center")
        self.nodes = [site for site in range(count) if types[site] == "township_center"]
        self.villages = [site for site in range(count) if types[site] == "village_site"]
        self.calendar = inventory.calendars["office"]
        self.beneath: list[list[int]] = [[site] for site in range(count)]
        for site in range(count):
            above = self.uplinks[site]
            while above:
                self.beneath[above[0]].append(site)
                above = self.uplinks[above[0]]

    def terminals(self, site: int) -> list[int]:
        return [one for one in self.devices[site] if self.kinds[one] != "router"]

    def of(self, sites: Sequence[int]) -> tuple[int, ...]:
        return tuple(one for site in sites for one in self.devices[site])

    def ways_up(self, site: int) -> list[int]:
        """The site and everything above it."""
        found = [site]
        while self.uplinks[found[-1]]:
            found.append(self.uplinks[found[-1]][0])
        return found


def _inventory(folder: Path, number: int, code: str, villages: int) -> Inventory:
    rows = ["code,name,level,parent", "990000000000,测试省,1,", "990100000000,测试市,2,990000000000"]
    rows.append(f"{code}000000,测试{number + 1}县,3,990100000000")
    towns = max(1, round(villages / (_VILLAGES + 0.5)))
    for town in range(towns):
        parent = f"{code}{100 + town}"
        rows.append(f"{parent}000,乡{town}镇,4,{code}000000")
        here = villages * (town + 1) // towns - villages * town // towns
        rows += [f"{parent}{200 + one},村{one}村委会,5,{parent}000" for one in range(here)]
    divisions = folder / f"{code}.csv"
    divisions.write_text("\n".join(rows) + "\n", "utf-8")
    place = folder / code
    write_inventory(place, divisions, code, slug=f"c{number + 1}")
    file = place / "county.yml"
    text = file.read_text("utf-8")
    more = f"{_HOLIDAYS}, {_MARKET}" if number % 4 == 3 else _HOLIDAYS
    carrier = ("telecom", "unicom", "mobile")[number % 3]
    assert _CALENDAR in text  # noqa: S101  as the scaffold writes it
    text = text.replace(_CALENDAR, f"{_CALENDAR[:-1]}, {more}}}").replace(
        "village: village pon telecom", f"village: village pon {carrier}"
    )
    file.write_text(text, "utf-8")
    return load(place)


def happenings(county: County, since: float, until: float, seed: int, rates: float = 1.0) -> list[Fault]:
    """Everything that happens in a county in this time, in order."""
    chance = random.Random(f"{seed}:{county.number}")
    found: list[Fault] = []

    def add(kind: str, span: Interval, root: int, **more: object) -> None:
        found.append(Fault(kind, county.number, *span, root, **more))  # type: ignore[arg-type]

    def each(rate: Rate) -> Iterator[Interval]:
        return rate.spans(chance, since, until, rates)

    for site in county.villages:
        every, router = county.of([site]), next(one for one in county.devices[site] if county.kinds[one] == "router")
        for span in (*each(LINE), *each(BLIP)):
            add("line", span, site, devices=every, sites=(site,))
        for span in each(POWER):
            add("power", span, site, devices=every, sites=(site,), clocks=every)
        for span in each(ROUTER):
            add("router", span, site, devices=every, sites=(site,), clocks=(router,))
        for first, end in each(FLAPPING):
            while first < end:
                away = first + chance.uniform(20, 150)
                add("flapping", (first, away), site, devices=every, sites=(site,))
                first = away + chance.expovariate(1 / 400)
        terminals = tuple(county.terminals(site))
        for span in each(LAN):
            add("lan", span, site, devices=terminals)
        for one in terminals:
            for span in each(KIOSK if county.kinds[one] == "kiosk" else PRINTER):
                add(county.kinds[one], span, site, devices=(one,), clocks=(one,))
            if county.kinds[one] == "kiosk":
                for span in each(APP):
                    add("app", span, site, devices=(one,), app=True)
    for node in county.nodes:
        for span in each(NODE):
            sites = tuple(county.beneath[node])
            add("node", span, node, devices=county.of(sites), sites=sites, clocks=tuple(county.devices[node]))
    everything = tuple(county.beneath[county.core])
    for span in each(CORE):
        add("core", span, county.core, devices=county.of(everything), sites=everything)
    for span in each(CARRIER):  # a ring or a cabinet of the carrier: some villages of one or two townships
        towns = chance.sample(county.nodes, k=min(2, len(county.nodes)))
        near = [site for town in towns for site in county.beneath[town] if site != town]
        sites = tuple(sorted(chance.sample(near, k=max(3, round(len(near) * chance.uniform(0.2, 0.6))))))
        add("carrier", span, -1, devices=county.of(sites), sites=sites)
    for first, end in each(WORK):
        if chance.random() < 0.5:
            first, end = (midnight(first) + 23 * 3600, midnight(first) + 23 * 3600 + (end - first))
        node = chance.choice(county.nodes)
        sites = tuple(county.beneath[node])
        add("work", (first, end), node, devices=county.of(sites), sites=sites, clocks=tuple(county.devices[node]))
    for span in each(COLLECTOR):
        add("collector", span, -1)
    found += _evenings(county, since, until, chance)
    return sorted(found, key=lambda one: (one.since, one.kind, one.root))


def _evenings(county: County, since: float, until: float, chance: random.Random) -> Iterator[Fault]:
    """Halls that close, and days on which nobody comes."""
    open_days = _open_days(service_intervals(county.calendar, since - 4 * DAY, until + 12 * DAY))
    for site in (*county.villages, *county.nodes):
        pulls = site in county.villages and chance.random() < _PULLS
        for one in county.devices[site] if pulls else county.terminals(site):
            if not pulls and chance.random() < _STAYS:
                continue
            for (_, closes), (opens, _) in pairwise(open_days):
                off, on = closes + chance.uniform(-2, 25) * 60, opens + chance.gauss(-6, 6) * 60
                yield Fault("closed", county.number, off, on, site, (one,), clocks=(one,))
        for opens, closes in open_days:
            if chance.random() < _ABSENT and opens >= since:
                terminals = tuple(county.terminals(site))
                yield Fault("absent", county.number, opens - 1800, closes, site, terminals, clocks=terminals)


def _open_days(spans: Sequence[Interval]) -> list[Interval]:
    """From the first opening of each day to its last closing, the lunch break included."""
    days: dict[float, Interval] = {}
    for first, end in spans:
        day = midnight(first)
        known = days.get(day, (first, end))
        days[day] = min(known[0], first), max(known[1], end)
    return [days[day] for day in sorted(days)]


def midnight(at: float) -> float:
    day = datetime.fromtimestamp(at, CHINA)
    return day.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


class Away:
    """When each device of a county does not answer, and why."""

    def __init__(self, county: County, faults: Sequence[Fault]) -> None:
        spans: list[list[Interval]] = [[] for _ in county.kinds]
        self.by_device: list[list[Fault]] = [[] for _ in county.kinds]
        self.boots: list[list[float]] = [[] for _ in county.kinds]
        self.apps: list[list[Interval]] = [[] for _ in county.kinds]
        for fault in faults:
            for one in fault.devices:
                self.by_device[one].append(fault)
                (self.apps if fault.app else spans)[one].append((fault.since, fault.until))
            for one in fault.clocks:
                self.boots[one].append(fault.until)
        self.spans = [merge(some) for some in spans]
        for boots in self.boots:
            boots.sort()

    def sampled(self, ordinal: int, since: float, step: float) -> Iterator[tuple[int, int]]:
        """The steps ``[first, last)`` at which a poll finds it silent."""
        for first, end in self.spans[ordinal]:
            low, high = (-int(-(moment - since) // step) for moment in (first, end))
            if high > max(low, 0):
                yield max(low, 0), high
