"""How everything stands, in memory: the inventory's denominators, the ledger's evidence and claims, rolled up.

`Standing` follows the ledger: what is new is read by row number, and every `refresh` leaves a new immutable
`Snapshot` that requests read without a lock and without SQL.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final, overload

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine

from api.claimed import ClaimInForce, InForce, declared, newer
from api.counting import Subjects, excused, sites_on, subjects_of
from api.judged import Openness
from api.latest import NUMBER, Latest
from api.rolled import Moment, News, Rolled, Roller
from api.times import CHINA as CHINA
from api.told import keep_newer, moved_centres, value_of
from api.touched import Touched
from health.coverage import (
    Disagreement,
    Evidence,
    Judgement,
    State,
    Unknown,
    contradiction,
    judge,
    lacking,
)
from health.outage import Outage
from health.rollup import Figures, Rollup
from inventory.divisions import Nodes
from inventory.model import Inventory
from inventory.vocabulary import Aspect, Verdict
from ledger import claims, facts, history, leases
from ledger.facts import Fact
from ledger.history import SiteVerdict
from ledger.leases import Lease

_DAY_S: Final = 86_400.0
_PAST_KEPT: Final = 64
"""Snapshots of the past that are kept: some 100 bytes a site each."""
_VERDICT: Final = {number: verdict for verdict, number in NUMBER.items()}


@dataclass(frozen=True, slots=True)
class Contradiction:
    """What was said and what was measured disagree: the site, both sides, and since when."""

    site: int
    kind: Disagreement
    claim: ClaimInForce | None
    judgement: Judgement
    evidence: Evidence


@dataclass(frozen=True, eq=False)
class Snapshot(Moment):
    """How everything stands at one Unix time: what is known, judged and rolled up when it is first asked for.

    Args:
        outages: those that run.
        number: one more than that of the newest snapshot before; 0 for the first and for those of the past.
    """

    outages: Sequence[Outage] = field(repr=False)
    number: int
    rolled: Rolled = field(repr=False)

    @property
    def rollups(self) -> Mapping[tuple[str, str], Rollup]:
        """Counts by requirement and denominator."""
        return self.rolled.rollups

    @property
    def contradicting(self) -> Mapping[str, NDArray[np.int64]]:
        """By requirement the sites whose claim and measurement disagree, ascending."""
        return self.rolled.contradicting


class Standing:
    """Keeps the newest `Snapshot`, and makes one of any moment of the past.

    Args:
        clock: Unix time.
        stale_after_s: how long after the last watching a verdict still speaks of now.
    """

    def __init__(
        self, inventory: Inventory, engine: Engine, clock: Callable[[], float], stale_after_s: float = 600.0
    ) -> None:
        self.inventory = inventory
        self.stale_after_s = stale_after_s
        self._engine = engine
        self._clock = clock
        sites = len(inventory.sites)
        self._host = [int(host) for host in inventory.sites.hosts]
        self._guests: dict[int, list[int]] = {}
        for site, host in enumerate(self._host):
            if host >= 0:
                self._guests.setdefault(host, []).append(site)
        self._roller = Roller(inventory, stale_after_s)
        self._unmonitored = [self._why_unknown(site) for site in range(sites)]
        self._told: dict[tuple[str, str], Fact] = {}
        opens = Aspect.OPEN in inventory.coverage_rules.requirements.values()
        self._openness = Openness(inventory) if opens else None
        central = [site for site in range(sites) if inventory.central(site)]
        self._central = np.array(central, dtype=np.int64)
        self._spared = excused(inventory, inventory.nodes)
        self.denominators = subjects_of(inventory, inventory.nodes, inventory.sites.nodes, self._central)
        self._columns = {aspect: Latest.empty(self._unmonitored) for aspect in Aspect}
        self._claims = [declared(inventory, site, None) for site in range(sites)]
        self._verdict_row = self._claim_row = self._fact_row = 0
        self._news = News()  # since the newest snapshot; a refresh that fails leaves it to the next
        self._rows: tuple[int, ...] = ()
        self.touched = Touched(inventory.nodes)
        self._past: dict[float, Snapshot] = {}
        self._past_version: tuple[int, ...] = ()
        copies = {aspect: known.copy() for aspect, known in self._columns.items()}
        moment = self._moment(clock(), copies, InForce.of(self._claims), {}, {})
        self.snapshot = _snapshot(moment, (), self._roller.rolled(moment), 0)

    def refresh(self) -> Snapshot:
        """Read what the ledger has learnt since, and roll it up."""
        at, earlier, news = self._clock(), self.snapshot, self._news
        with self._engine.connect() as connection:
            self._rows = history.newest_rows(connection)
            for verdict in history.verdicts_since(connection, self._verdict_row):
                self._verdict_row = verdict.row
                news.verdicts[verdict.aspect].update(self._take(self._columns, verdict))
            for row, said in claims.said_since(connection, self._claim_row):
                self._claim_row = row
                site = self.inventory.sites.index.get(said.site)
                if site is not None:
                    self._claims[site] = newer(self._claims[site], said)
                    news.claims.add(site)
            for row, fact in facts.told_since(connection, self._fact_row):
                self._fact_row = row
                keep_newer(self._told, fact)
                news.facts = True
            watched = history.watched_until(connection)
            open_outages = history.outages(connection, open_only=True)
        # Of what nothing was learnt snapshots share the columns; into our own the next refresh goes on writing.
        columns = {
            aspect: known.copy() if news.verdicts[aspect] else earlier.columns[aspect]
            for aspect, known in self._columns.items()
        }
        in_force = earlier.in_force.with_these(news.claims, self._claims) if news.claims else earlier.in_force
        moment = self._moment(at, columns, in_force, self._told, watched, earlier=None if news.facts else earlier)
        rolled = self._roller.advanced(earlier, earlier.rolled, moment, news)
        fresh = _snapshot(moment, open_outages, rolled, earlier.number + 1)
        for key in earlier.rolled.rollups.made:  # what somebody looks at is ready before the snapshot is shown
            if key in fresh.rolled.rollups:
                fresh.rollups[key]
        if rolled.anew is None:
            self.touched.mark_all(fresh.number)
        else:
            self.touched.mark(fresh.number, self.inventory.sites.nodes[sorted(rolled.anew)].tolist())
        self.snapshot, self._news = fresh, News()
        return fresh

    @property
    def version(self) -> tuple[int, ...]:
        """Changes with whatever the ledger learnt: while it stays, only time has passed."""
        return self._rows

    def has_news(self) -> bool:
        """Whether the ledger has rows that the newest snapshot does not know."""
        with self._engine.connect() as connection:
            return history.newest_rows(connection) != self._rows

    def at(self, moment: float, known_at: float | None = None) -> Snapshot:
        """How things stood at an earlier Unix time, over the divisions of that day.

        Args:
            known_at: what was recorded later is left out; None for all that the ledger knows today.

        Raises:
            ValueError: the deployment's own division was not there yet.
        """
        columns = {aspect: Latest.empty(self._unmonitored) for aspect in Aspect}
        # A day ends at midnight, which is the first moment of the next: what is claimed from then on is not in it.
        day = (datetime.fromtimestamp(moment, CHINA) - timedelta.resolution).date()
        in_force = [declared(self.inventory, site, day) for site in range(len(self.inventory.sites))]
        with self._engine.connect() as connection:
            for verdict in history.newest_verdicts(connection, at=moment, known_at=known_at):
                self._take(columns, verdict)
            for _, said in claims.said_since(connection, 0, known_at):
                site = self.inventory.sites.index.get(said.site)
                if site is not None and said.happened_on <= day:
                    in_force[site] = newer(in_force[site], said)
            told: dict[tuple[str, str], Fact] = {}
            for _, fact in facts.told_since(connection, 0, known_at):
                if fact.happened_on <= day:
                    keep_newer(told, fact)
            watched = history.watched_until(connection, at=moment, known_at=known_at)
            running = history.outages(connection, open_only=True, at=moment, known_at=known_at)
        try:
            nodes = self.inventory.history.nodes_on(day)
        except KeyError:
            raise ValueError(f"{day}: {self.inventory.title} has no divisions of that day in its list.") from None
        known = self._moment(moment, columns, InForce.of(in_force), told, watched, nodes, day)
        return _snapshot(known, running, self._roller.rolled(known), 0)

    def past(self, moment: float) -> Snapshot:
        """As `at`, kept for who asks of the same moment again while the ledger learns nothing new: for series."""
        if self._past_version != self._rows:
            self._past, self._past_version = {}, self._rows
        found = self._past.get(moment)
        if found is None:
            found = self.at(moment)
            if len(self._past) < _PAST_KEPT:
                self._past[moment] = found
        return found

    def now(self) -> float:
        return self._clock()

    def collectors(self) -> list[Lease]:
        """Who holds a county at this moment."""
        return leases.current(self._engine, self._clock())

    @property
    def engine(self) -> Engine:
        """The ledger, for what people write."""
        return self._engine

    def query(self) -> Connection:
        """A connection for what is rare enough to be read from the ledger itself."""
        return self._engine.connect()

    def evidence(self, site: int, aspect: Aspect, snapshot: Snapshot) -> Evidence:
        """What is known of one aspect of one site."""
        return self.evidences([site], aspect, snapshot)[0]

    def evidences(self, sites: Sequence[int] | NDArray[np.int64], aspect: Aspect, snapshot: Snapshot) -> list[Evidence]:
        """What is known of one aspect of some sites."""
        places = np.asarray(sites, dtype=np.int64)
        ready, columns = snapshot.evidence(aspect, places), snapshot.columns[aspect]
        columns_of_times = (columns.since[places], ready.proved_at, ready.watched_until)
        since, proved, watched = ([None if at != at else at for at in one.tolist()] for one in columns_of_times)
        return [
            Evidence(_VERDICT[verdict], since[at], proved[at], watched[at], columns.reasons[int(places[at])])
            for at, verdict in enumerate(ready.verdicts.tolist())
        ]

    def judgement(self, site: int, requirement: str, snapshot: Snapshot) -> Judgement:
        """How one site stands on one requirement of the coverage rules."""
        return self._judgement(site, requirement, snapshot, self.evidence(site, self.aspect(requirement), snapshot))

    def _judgement(self, site: int, requirement: str, snapshot: Snapshot, evidence: Evidence) -> Judgement:
        aspect, claim = self.aspect(requirement), snapshot.claims[site]
        closed = aspect is Aspect.OPEN and evidence.verdict is Verdict.NO
        judged = judge(
            evidence,
            claim.claim if claim and not closed else None,
            self.inventory.requirement(site),
            snapshot.at,
            self.window_s(aspect),
            self.stale_after_s,
        )
        if closed and judged.state is State.NOT_BUILT:
            judged = replace(judged, reason=evidence.reason)
        for fact in self.inventory.coverage_rules.needs.get(requirement, ()):
            if not self.holds(site, fact, snapshot):
                return lacking(judged, fact)
        return judged

    def holds(self, site: int, fact: str, snapshot: Snapshot) -> bool:
        """Whether an imported fact is told of a site, or else of its division, and is true."""
        return bool(value_of(self.inventory, snapshot.told, site, fact))

    def told(self, site: int, fact: str, snapshot: Snapshot) -> bool | float | str | None:
        """The value of a fact in force of a site, or else of its division; None where nobody told."""
        return value_of(self.inventory, snapshot.told, site, fact)

    def contradictions(
        self, requirement: str, snapshot: Snapshot, span: tuple[int, int], most: int | None = None
    ) -> list[Contradiction]:
        """Of the sites in ``span`` (positions of divisions), those whose claim and measurement disagree.

        Args:
            most: no more than so many, the first ones.
        """
        found = []
        sites = self.contradicted(requirement, snapshot, span)[:most]
        every = self.evidences(sites, self.aspect(requirement), snapshot)
        for site, evidence in zip(sites.tolist(), every, strict=True):
            judged = self._judgement(site, requirement, snapshot, evidence)
            claim = snapshot.claims[site]
            kind = contradiction(claim.claim if claim else None, judged)
            if kind is not None:
                found.append(Contradiction(site, kind, claim, judged, evidence))
        return found

    def contradicted(self, requirement: str, snapshot: Snapshot, span: tuple[int, int]) -> NDArray[np.int64]:
        """The sites of `contradictions`, ascending."""
        everywhere = snapshot.contradicting[requirement]
        if snapshot.nodes is not self.inventory.nodes:  # sites stand in the order of today's divisions
            places = snapshot.site_nodes[everywhere]
            return everywhere[(places >= span[0]) & (places < span[1])]
        low, high = np.searchsorted(everywhere, self.inventory.sites.between(*span))
        return everywhere[low:high]

    def figures(self, requirement: str, denominator: str, node: int, snapshot: Snapshot) -> Figures:
        """Counts over one division; see `denominators` for what can be counted."""
        return snapshot.rollups[requirement, denominator].figures(node, snapshot.nodes.ends[node])

    @property
    def main_requirement(self) -> str:
        """The one that is meant where none is named: the line, or what the rules name first."""
        requirements = self.inventory.coverage_rules.requirements
        return "extranet" if "extranet" in requirements else next(iter(requirements))

    def aspect(self, requirement: str) -> Aspect:
        return self._roller.aspect(requirement)

    def window_s(self, aspect: Aspect) -> float:
        return self._roller.window_s(aspect)

    def _take(self, columns: Mapping[Aspect, Latest], verdict: SiteVerdict) -> Sequence[int]:
        """Write a verdict into the columns; the sites that it speaks of."""
        site = self.inventory.sites.index.get(verdict.site)
        if site is None:
            return ()
        these = (site, *self._guests.get(site, ()))  # a guest shares its host's line and devices
        for same in these:
            columns[verdict.aspect].take(same, verdict)
        return these

    def _why_unknown(self, site: int) -> str:
        where = self._host[site] if self._host[site] >= 0 else site
        devices = self.inventory.devices.of(where)
        ours = [device for device in devices if device.monitored == "us"]
        if devices and not ours:
            return Unknown.PARTNER_MONITORED
        return Unknown.NEVER_REPORTED if any(device.credential for device in ours) else Unknown.NOT_MONITORED

    def _moment(
        self,
        at: float,
        columns: Mapping[Aspect, Latest],
        in_force: InForce,
        told: Mapping[tuple[str, str], Fact],
        watched: Mapping[str, float],
        nodes: Nodes | None = None,
        day: date = date.max,
        earlier: Moment | None = None,
    ) -> Moment:
        """What is known, in columns.

        Args:
            earlier: a moment of today's divisions since which no fact was told; what is the same is shared with it.
        """
        inventory, spared = self.inventory, self._spared
        subjects: Mapping[str, Subjects]
        if nodes is None or nodes.codes == inventory.nodes.codes:
            nodes, site_nodes, subjects = inventory.nodes, inventory.sites.nodes, self.denominators
        else:
            site_nodes = sites_on(inventory, nodes, day)
            subjects, spared = subjects_of(inventory, nodes, site_nodes, self._central), excused(inventory, nodes)
        if earlier is not None:
            told, subjects = earlier.told, earlier.subjects
        else:
            told = dict(told)
            moved = moved_centres(inventory, self._central, told)
            if moved is not None:
                subjects = {**subjects, "central": subjects_of(inventory, nodes, site_nodes, moved)["central"]}
        if self._openness is not None:
            columns = {**columns, Aspect.OPEN: self._openness.latest(told, at)}
        if earlier is not None and earlier.watched == watched:
            watched_until = earlier.watched_until
        else:
            watched_until = self._watched_until(watched, earlier)
        return Moment(at, nodes, site_nodes, subjects, spared, told, dict(watched), watched_until, columns, in_force)

    def _watched_until(self, watched: Mapping[str, float], earlier: Moment | None) -> NDArray[np.float64]:
        inventory, count = self.inventory, len(self.inventory.sites)
        spans = {
            code: inventory.sites.span(inventory.nodes.index[code])
            for code in watched if code in inventory.nodes.index
        }  # fmt: skip
        if list(spans.values()) == [(0, count)]:  # one collector asks everybody: the column is one number
            return np.broadcast_to(np.float64(watched[next(iter(spans))]), count)
        known = earlier.watched if earlier is not None else {}
        grown = all(code in watched and watched[code] >= until for code, until in known.items())
        if earlier is None or not grown:
            found, known = np.full(count, np.nan), {}
        else:
            found = earlier.watched_until.copy()
        for code, (low, high) in spans.items():
            if watched[code] != known.get(code):
                found[low:high] = np.fmax(found[low:high], watched[code])
        return found


def _snapshot(moment: Moment, outages: Sequence[Outage], rolled: Rolled, number: int) -> Snapshot:
    known = {one.name: getattr(moment, one.name) for one in fields(Moment)}
    return Snapshot(**known, outages=outages, rolled=rolled, number=number)


def moment(text: str, now: float) -> float:
    """A day (its end in China, or now if that is still to come) or an RFC 3339 time, as Unix seconds.

    Raises:
        ValueError: neither, or in the future.
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no day and no time. Write 2026-11-20 or 2026-11-20T18:00:00+08:00.") from None
    at = (read if read.tzinfo else read.replace(tzinfo=CHINA)).timestamp()
    if _is_day(text):
        at = now if read.date() == datetime.fromtimestamp(now, CHINA).date() else at + _DAY_S
    if at > now:
        raise ValueError(f"{text} is in the future: nothing is measured there yet.")
    if at < 0:
        raise ValueError(f"{text} is before 1970: nothing was measured then.")
    return at


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


@overload
def shown(at: float) -> datetime: ...
@overload
def shown(at: None) -> None: ...
@overload
def shown(at: float | None) -> datetime | None: ...
def shown(at: float | None) -> datetime | None:
    """A Unix time as an aware one, for answers."""
    return None if at is None else datetime.fromtimestamp(at, UTC)
