"""What the API tells Prometheus: coverage and milestones from the newest snapshot, changes of devices from the ledger.

What costs time (milestones ask every site, the ledger is asked by SQL) is worked out by `refresh`, which whoever runs
the API calls now and then in a thread; a scrape takes the newest result.
"""

import asyncio
import threading
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from prometheus_client.process_collector import ProcessCollector

from api.milestones import milestones_of
from api.receivers.hearing import Notifications
from api.requests import RequestTimes
from api.standing import CHINA, Snapshot, Standing
from exporter import registry as r
from exporter.formats import Families
from exporter.own import build, lines, process_families
from exporter.pages import Page
from exporter.registry import Metric, histogram
from inventory.milestones import Milestone
from inventory.model import Inventory
from inventory.vocabulary import DeviceClass, Requirement
from ledger import alerts, jobs, messages, run_figures
from ledger.rollouts import RunState
from ledger.run_figures import ABANDONED

Place = tuple[str, str]
"""Province and county, 2 and 6 digits."""

Sample = tuple[Sequence[str], float]

_OUTCOMES: Final = ("done", "stopped")
ENDS: Final = ("confirmed", "rolled_back", "lost", "needs_visit", "stale", "failed")


class _Counties:
    """Which county each site belongs to.

    Attributes:
        places: of each county its node, and its province and county by 2 and 6 digits.
        villages: the sites that speak for villages which must be covered; ``of_village`` is each one's county.
    """

    def __init__(self, standing: Standing) -> None:
        inventory = standing.inventory
        nodes = inventory.nodes
        found = [node for node, level in enumerate(nodes.levels) if level == 3] or [0]
        self.places: list[tuple[int, Place]] = [
            (node, (nodes.codes[node][:2], nodes.codes[node][:6])) for node in found
        ]
        self._starts = [inventory.sites.span(node)[0] for node in found]
        villages = [site for site in standing.denominators["default"][1].tolist() if _is_required(inventory, site)]
        self.villages = np.array(villages, dtype=np.int64)
        self.of_village = np.array([self.of(site) for site in villages], dtype=np.int64)

    def of(self, site: int) -> int:
        """The place of a site's county; what stands above all counties is counted with the first."""
        return max(0, bisect_right(self._starts, site) - 1)


class ApiMetrics:
    """Everything that the API serves at ``/metrics``.

    Args:
        times: of the requests that it answered.
        notifications: the channels to people, and when Alertmanager was heard last.
    """

    def __init__(self, standing: Standing, times: RequestTimes, notifications: Notifications) -> None:
        self._standing, self._times, self._notifications = standing, times, notifications
        self._process = ProcessCollector(registry=None)
        self._slow: Families | None = None
        self._refreshing = threading.Lock()

    @cached_property
    def _counties(self) -> _Counties:
        return _Counties(self._standing)

    def refresh(self) -> None:
        """Work out what a scrape should not wait for."""
        with self._refreshing:
            self._slow = [*self._milestones(), *self._provisioning(), *self._told(), *self._work()]

    def families(self) -> Families:
        """Everything, in the registry's order."""
        if self._slow is None:
            self.refresh()
        snapshot = self._standing.snapshot
        found: list[tuple[Metric, str]] = [
            *self._coverage(snapshot),
            *(self._slow or ()),
            self._heartbeat(),
            self._times.lines(),
            build(),
        ]
        return [(metric, text) for metric, text in found if text] + process_families(self._process)

    def _coverage(self, snapshot: Snapshot) -> Iterator[tuple[Metric, str]]:
        standing = self._standing
        villages: list[Sample] = []
        claimed: list[Sample] = []
        disagreeing: list[Sample] = []
        oldest: list[Sample] = []
        for requirement in standing.inventory.coverage_rules.requirements:
            contradictions = Counter(self._counties.of(site) for site in snapshot.contradicting[requirement].tolist())
            proofs = self._oldest(requirement, snapshot)
            for at, (node, place) in enumerate(self._counties.places):
                figures = standing.figures(requirement, "default", node, snapshot)
                villages += [((*place, requirement, str(state)), count) for state, count in figures.states.items()]
                claimed.append(((*place, requirement), figures.claimed))
                disagreeing.append(((*place, requirement), contradictions[at]))
                if np.isfinite(proofs[at]):
                    oldest.append(((*place, requirement), float(proofs[at])))
        yield lines(r.COVERAGE_VILLAGES, villages)
        yield lines(r.COVERAGE_CLAIMED, claimed)
        yield lines(r.COVERAGE_CONTRADICTIONS, disagreeing)
        yield lines(r.COVERAGE_OLDEST, oldest)
        yield lines(r.COVERAGE_SNAPSHOT, [((), snapshot.at)])

    def _oldest(self, requirement: str, snapshot: Snapshot) -> NDArray[np.float64]:
        """For each county the oldest proof that still counts for a village that must be covered; infinite without."""
        aspect = self._standing.aspect(requirement)
        proved = snapshot.evidence(aspect, self._counties.villages).proved_at
        counts = snapshot.at - proved <= self._standing.window_s(aspect)  # never proved is NaN and does not count
        oldest = np.full(len(self._counties.places), np.inf)
        np.minimum.at(oldest, self._counties.of_village[counts], proved[counts])
        return oldest

    def _milestones(self) -> Iterator[tuple[Metric, str]]:
        standing = self._standing
        snapshot = standing.snapshot
        sites: list[Sample] = []
        targets: list[Sample] = []
        deadlines: dict[str, float] = {}
        names: dict[str, str] = {}
        for node, place in self._counties.places:
            for found in milestones_of(standing, snapshot, node):
                milestone, progress = found.milestone, found.progress
                if progress is None or progress.target_ratio is None:
                    continue
                sites.append(((*place, milestone.id, "met"), progress.met))
                sites.append(((*place, milestone.id, "missing"), progress.asked - progress.met))
                targets.append(((*place, milestone.id, self._requirement(milestone)), progress.target_ratio))
                deadlines[milestone.id] = _end_of(milestone)
                names[milestone.id] = milestone.title
        yield lines(r.MILESTONE_INFO, ((named, 1) for named in names.items()))
        yield lines(r.MILESTONE_SITES, sites)
        yield lines(r.MILESTONE_TARGET, targets)
        yield lines(r.MILESTONE_DEADLINE, (((id,), at) for id, at in deadlines.items()))

    def _requirement(self, milestone: Milestone) -> str:
        """The requirement of the coverage rules that a milestone's conditions prove; empty where they prove none."""
        requirements = self._standing.inventory.coverage_rules.requirements
        return next((name for name, aspect in requirements.items() if aspect in milestone.conditions), "")

    def _provisioning(self) -> Iterator[tuple[Metric, str]]:
        standing = self._standing
        with standing.query() as connection:
            ended = run_figures.ended_runs(connection)
            open_runs = run_figures.runs_in_progress(connection, standing.now())
            changes = run_figures.device_changes(connection)
            kept = run_figures.newest_kept(connection)
        durations: dict[str, list[float]] = {outcome: [] for outcome in _OUTCOMES}
        newest: dict[str, float] = {}
        for run in ended:
            outcome = _OUTCOMES[0] if run.done else _OUTCOMES[1]
            durations[outcome].append(run.seconds)
            newest[outcome] = max(run.at, newest.get(outcome, 0.0))
        yield lines(r.PROVISION_RUNS, (((outcome,), len(seconds)) for outcome, seconds in durations.items()))
        yield (
            r.PROVISION_DURATION,
            histogram(r.PROVISION_DURATION, (((outcome,), seconds) for outcome, seconds in durations.items())),
        )
        yield lines(r.PROVISION_LAST, (((outcome,), at) for outcome, at in newest.items()))
        states = [str(state) for state in RunState if state is not RunState.ENDED]
        yield lines(r.PROVISION_IN_PROGRESS, (((state,), open_runs[state]) for state in (*states, ABANDONED)))
        yield from self._devices(changes, kept)

    def _devices(
        self, changes: Counter[tuple[str, str]], kept: dict[str, run_figures.Kept]
    ) -> Iterator[tuple[Metric, str]]:
        inventory = self._standing.inventory
        places = [place for _, place in self._counties.places]
        by_state: Counter[tuple[Place, str]] = Counter({(place, state): 0 for place in places for state in ENDS})
        drifted: Counter[tuple[Place, str]] = Counter({(place, "router"): 0 for place in places})
        never: Counter[Place] = Counter(dict.fromkeys(places, 0))
        taken: list[Sample] = []
        known = set(kept) | {device for device, _ in changes}
        for site in range(len(inventory.sites)):
            place = places[self._counties.of(site)]
            for device in inventory.devices.of(site):
                if device.id in known:
                    for state in ENDS:
                        by_state[place, state] += changes[device.id, state]
                backup = kept.get(device.id)
                if backup is not None:
                    taken.append(((*place, inventory.sites.ids[site], device.id), backup.taken_at))
                    drifted[place, device.device_class.value] += backup.drifted is True
                elif self._is_kept(device.model, device.device_class, device.monitored):
                    never[place] += 1
        yield lines(r.PROVISION_CHANGES, (((*place, state), count) for (place, state), count in by_state.items()))
        yield lines(r.PROVISION_DRIFTED, (((*place, kind), count) for (place, kind), count in drifted.items()))
        yield lines(r.PROVISION_UNBACKED, never.items())
        yield lines(r.CONFIG_BACKUP, taken)

    def _told(self) -> Iterator[tuple[Metric, str]]:
        with self._standing.query() as connection:
            outcomes, backlog = messages.outcomes(connection), messages.backlog(connection)
            heard = alerts.counts(connection)
        names = sorted({*self._notifications.settings.channels, *backlog, *(name for name, _ in outcomes)})
        tries = (((name, str(one)), outcomes[name, one]) for name in names for one in messages.Outcome)
        yield lines(r.NOTIFICATIONS, tries)
        yield lines(r.NOTIFICATIONS_WAITING, (((name,), backlog.get(name, (0, 0.0))[0]) for name in names))
        yield lines(r.NOTIFICATIONS_OLDEST, (((name,), oldest) for name, (_, oldest) in sorted(backlog.items())))
        kinds = ((status, explained) for status in ("firing", "resolved") for explained in (True, False))
        yield lines(r.ALERTS_HEARD, (((kind[0], "yes" if kind[1] else "no"), heard[kind]) for kind in kinds))

    def _work(self) -> Iterator[tuple[Metric, str]]:
        county = self._standing.inventory.top
        with self._standing.query() as connection:
            due = {job.name: job.due_at for job in jobs.of_county(connection, county)}
            newest, done = jobs.newest_runs(connection, county), jobs.newest_done(connection, county)
        yield lines(r.WORK_DUE, (((name,), at) for name, at in sorted(due.items())))
        tried = ((name, newest[name].outcome) for name in sorted(due) if name in newest)
        yield lines(r.WORK_FAILED, (((name,), outcome is jobs.Outcome.FAILED) for name, outcome in tried))
        yield lines(r.WORK_DONE, (((name,), done[name].ended_at) for name in sorted(due) if name in done))

    def _heartbeat(self) -> tuple[Metric, str]:
        beat = self._notifications.heartbeat
        return lines(r.ALERTING_HEARTBEAT, [] if beat is None else [((), beat)])

    def _is_kept(self, model: str, device_class: DeviceClass, monitored: str) -> bool:
        """Whether it is one of those whose configurations we keep: a router of ours with ports that we provision."""
        ports = self._standing.inventory.models[model].ports
        return device_class is DeviceClass.ROUTER and monitored == "us" and ports is not None


def _is_required(inventory: Inventory, site: int) -> bool:
    return site >= 0 and inventory.requirement(site) is Requirement.REQUIRED


def page_of(metrics: ApiMetrics) -> Page:
    """The page on which they are served; another thread works it out."""

    async def make() -> Families:
        return await asyncio.to_thread(metrics.families)

    return Page(make)


def _end_of(milestone: Milestone) -> float:
    """When its last day is over, in China."""
    return datetime.combine(milestone.due + timedelta(days=1), time(), CHINA).timestamp()
