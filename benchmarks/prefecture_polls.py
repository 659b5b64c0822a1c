"""A county of the prefecture through the real watch and exporter: from who answers at each step to series as runs."""

import time
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from benchmarks.prefecture import Away, County, Fault
from collectors.engine import Collector, Done
from collectors.promises import Covered
from collectors.schedule import Schedule
from cuntong.collect import fleet_of
from exporter import registry as r
from exporter.text import CountyText
from health.maintenance import Reach, Window
from health.outage import Interval
from health.reading import Extend, Identity, Readings
from health.site import KIOSK_PARTS
from ledger import leases
from ledger.database import open_ledger
from ledger.journal import Journal

Runs = Mapping[str, Sequence[tuple[int, float | None]]]
_AGAIN_S: Final = 0.3  # between a poll that failed and asking again
_ROUNDS: Final = 20
_WELL: Final = Readings(Identity("", "", "", "", "", profile="generic"), 0.0)
_KIOSK: Final = replace(_WELL, extends=tuple(Extend(name, "ok", 0) for name in KIOSK_PARTS))
_BROKEN: Final = replace(_WELL, extends=tuple(Extend(name, "", int(name == "kiosk-app")) for name in KIOSK_PARTS))


class _Nobody:
    def ask(self, ordinal: int, done: Done) -> None:
        raise AssertionError("nothing is polled here")


class Polls:
    """One county over time.

    Args:
        since: Unix time of step 0.
        steps: of ``step_s`` seconds each.
    """

    def __init__(
        self, county: County, faults: Sequence[Fault], away: Away, since: float, step_s: int, steps: int
    ) -> None:
        self._county, self._away = county, away
        self._since, self._step_s, self._steps = since, step_s, steps
        inventory = county.inventory
        count = len(inventory.devices)
        engine = open_ledger("sqlite://")
        lease = leases.acquire(engine, inventory.top, "benchmark", "127.0.0.1:1", time.time(), 3600)
        self._now = since
        self._collector = Collector(
            fleet_of(inventory), range(count), Schedule([0] * count, float(step_s), 8), _Nobody(),
            Journal(engine, lease, lambda: self._now, 3600), lambda: self._now,
        )  # fmt: skip
        self._watch = self._collector.watch
        self._wanted: dict[int, None] = {}
        self._watch._ask = self._wants
        self._text = CountyText(inventory, self._collector, clock=lambda: self._now)
        self._silent = bytearray(count)
        self._changes: dict[int, dict[int, None]] = {}  # by step: devices that changed
        for ordinal in range(count):
            for first, end in away.sampled(ordinal, since, step_s):
                self._changes.setdefault(first, {})[ordinal] = None
                self._changes.setdefault(end, {})[ordinal] = None
            for span in away.apps[ordinal]:
                for moment in span:
                    self._changes.setdefault(-int(-(moment - since) // step_s), {})[ordinal] = None
        self._ends = [[until for _, until in spans] for spans in away.spans]
        self._blind = [(one.since, one.until) for one in faults if one.kind == "collector"]
        self._troubled: set[int] = {ordinal for ordinal in range(count) if away.apps[ordinal]}
        self._watch.promises.announce(
            Covered(
                Window(
                    f"w{number}", Reach.SITE, "", one.since - 600, one.until + 600, "work", "benchmark", since - 86400
                ),
                one.sites,
            )
            for number, one in enumerate(faults)
            if one.planned
        )
        self._labels = f'job="cuntong-collector",instance="127.0.0.1:9161",province="99",county="{county.code}"'

    def run(self) -> Runs:
        """Every series that rules may look at, by name and labels."""
        found: dict[str, list[tuple[int, float | None]]] = {}
        before: dict[str, float] = {}
        self._poll(range(len(self._silent)), self._since)
        shown = self._series()
        watch, journal = self._watch, self._collector.journal
        for step in range(self._steps):
            at = self._since + step * self._step_s
            changed = dict(self._changes.get(step, {}))
            # Who is dark for no known reason is asked at each step; all others say what they said before.
            for site in watch.dark:
                if site not in watch.explained:
                    changed.update(dict.fromkeys(self._county.devices[site]) if self._open(site) else {})
            known = (journal.pending, watch.promises._until)
            if changed:
                self._poll(changed, at)
            else:
                self._now = at
                watch.settle(at)
            if changed or known != (journal.pending, watch.promises._until):
                shown = self._series()
            blind = any(first <= at < end for first, end in self._blind)
            now = {} if blind else shown
            if now is not before:
                for name, value in now.items():
                    if before.get(name) != value:
                        found.setdefault(name, []).append((step, value))
                for name in before.keys() - now.keys():
                    found[name].append((step, None))
                before = now
            up = found.setdefault(f"up{{{self._labels}}}", [])
            if not up or up[-1][1] != float(not blind):
                up.append((step, float(not blind)))
        return found

    def _open(self, site: int) -> bool:
        return any(self._watch.promises.due(one) for one in self._county.devices[site])

    def _wants(self, ordinals: Iterable[int]) -> None:
        self._wanted.update(dict.fromkeys(ordinals))

    def _poll(self, ordinals: Iterable[int], at: float) -> None:
        """Ask these, and whom the watch wants asked then, until it is content."""
        queue, began = list(ordinals), at
        for _ in range(_ROUNDS):
            for ordinal in queue:
                readings = self._answer(ordinal, began, at)
                self._collector.latest[ordinal].take(readings, at)
                self._watch.finished(ordinal, readings, at)
            self._now = at
            self._watch.settle(at)
            queue, self._wanted = list(self._wanted), {}
            if not queue:
                return
            at += _AGAIN_S

    def _answer(self, ordinal: int, moment: float, at: float) -> Readings | None:
        """What a device answers at a step; its clock began when it was last switched on."""
        away, spans = self._away, self._away.spans[ordinal]
        here = bisect_right(self._ends[ordinal], moment)
        if here < len(spans) and spans[here][0] <= moment:
            return None
        boots = away.boots[ordinal]
        last = bisect_right(boots, moment)
        uptime = at - (boots[last - 1] if last else self._since - 30 * 86400)
        kind = self._county.kinds[ordinal]
        broken = any(_within(span, moment) for span in away.apps[ordinal])
        return replace(_BROKEN if broken else _KIOSK if kind == "kiosk" else _WELL, uptime_seconds=uptime)

    def _series(self) -> dict[str, float]:
        text = self._text
        lines: list[str] = list(text._noticed.families(self._now, None).values())
        lines += text._outage_lines().values()
        lines.append(text._schedule_lines())
        for ordinal in self._troubled:
            lines += [told for metric, told in text.of_device(ordinal) if metric in (r.DEVICE_TROUBLE, r.LINK_TROUBLE)]
        found: dict[str, float] = {}
        for line in "".join(lines).splitlines():
            name, _, value = line.rpartition(" ")
            found[f"{name[:-1]},{self._labels}}}"] = float(value)
        # The moments of outages as promtool counts them, which begins in 1970.
        for name in found:
            if name.startswith(r.OUTAGE_OPEN.name):
                found[name] -= self._since
        return found


def _within(span: Interval, moment: float) -> bool:
    return span[0] <= moment < span[1]
