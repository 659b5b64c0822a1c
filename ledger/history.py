"""Reading what happened: verdicts of sites, outages as intervals, watched time. Derived, never stored."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, or_, select
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from health.outage import Interval, Outage, Scope
from health.rootcause import Cause
from health.verdict import Blame, Finding, clues_of
from inventory.vocabulary import Aspect, Verdict
from ledger.office_tables import facts
from ledger.tables import claims, maintenance, outage_events, outage_verdicts, site_events, watch_intervals, watch_marks

_BATCH = 500  # names in one IN (...): SQLite's oldest limit on variables is 999
_OPENED, _CLOSED = outage_events.alias("opened"), outage_events.alias("closed")
_NOTHING: tuple[Finding | None, str | None] = (None, None)


@dataclass(frozen=True, slots=True)
class SiteVerdict:
    """The newest verdict on one aspect of one site. ``row`` is its place in the ledger, to follow from."""

    row: int
    site: str
    aspect: Aspect
    verdict: Verdict
    reason: str
    since: float
    proved_at: float | None
    outage: str | None


def _verdict(row: Row[tuple[object, ...]]) -> SiteVerdict:
    return SiteVerdict(
        row.id,
        row.site,
        Aspect(row.aspect),
        Verdict(row.verdict),
        row.reason,
        row.happened_at,
        row.proved_at,
        row.outage,
    )


def verdicts_since(connection: Connection, row: int) -> Iterator[SiteVerdict]:
    """Every verdict recorded after ``row``, in order; 0 replays everything. For following the ledger."""
    events = site_events.c
    return map(_verdict, connection.execute(select(site_events).where(events.id > row).order_by(events.id)))


def newest_rows(connection: Connection) -> tuple[int, ...]:
    """The newest row of each table that is followed: cheap to ask often, and different when there is news."""
    followed = (site_events.c.id, outage_events.c.id, outage_verdicts.c.id, maintenance.c.id, claims.c.id, facts.c.id)
    return tuple(connection.scalar(select(func.max(column))) or 0 for column in followed)


def newest_verdicts(
    connection: Connection, at: float | None = None, known_at: float | None = None
) -> list[SiteVerdict]:
    """The verdict on each aspect of each site, now or at Unix time ``at``, of what was recorded by ``known_at``."""
    events = site_events.c
    newest = select(func.max(events.id).label("id")).group_by(events.site, events.aspect)
    if at is not None:
        newest = newest.where(events.happened_at <= at)
    if known_at is not None:
        newest = newest.where(events.recorded_at <= known_at)
    chosen = newest.subquery()
    rows = connection.execute(select(site_events).join(chosen, events.id == chosen.c.id).order_by(events.id))
    return [_verdict(row) for row in rows]


def dark_intervals(
    connection: Connection,
    sites: Iterable[str],
    until: float,
    aspect: Aspect = Aspect.REACHABLE,
    known_at: float | None = None,
) -> dict[str, list[Interval]]:
    """When each site was not reachable (or had another aspect denied), up to ``until``; an open interval ends there.

    Args:
        known_at: what was recorded later is left out.
    """
    events = site_events.c
    intervals: dict[str, list[Interval]] = {}
    wanted = list(sites)
    for start in range(0, len(wanted), _BATCH):
        batch = wanted[start : start + _BATCH]
        query = (
            select(events.site, events.verdict, events.happened_at)
            .where(events.site.in_(batch), events.aspect == aspect, events.happened_at < until)
            .order_by(events.site, events.id)
        )
        if known_at is not None:
            query = query.where(events.recorded_at <= known_at)
        fell: dict[str, float] = {}
        for site, verdict, happened_at in connection.execute(query):
            if verdict == Verdict.NO:
                fell.setdefault(site, happened_at)
            elif site in fell:
                intervals.setdefault(site, []).append((fell.pop(site), happened_at))
        for site, since in fell.items():
            intervals.setdefault(site, []).append((since, until))
    return intervals


def first_verdicts(
    connection: Connection, aspect: Aspect = Aspect.REACHABLE, known_at: float | None = None
) -> dict[str, float]:
    """Site to the Unix time of the first verdict on it: before that nobody had ever asked it."""
    events = site_events.c
    query = select(events.site, func.min(events.happened_at)).where(events.aspect == aspect).group_by(events.site)
    if known_at is not None:
        query = query.where(events.recorded_at <= known_at)
    return {site: at for site, at in connection.execute(query)}


def watched(
    connection: Connection, county: str | None = None, at: float | None = None, known_at: float | None = None
) -> list[Interval]:
    """When collectors were asking, oldest first; up to ``at`` if given, and as it was recorded by ``known_at``."""
    return [(since, until) for _, since, until in _watched(connection, county, at, known_at)]


def watched_until(
    connection: Connection, at: float | None = None, known_at: float | None = None
) -> Mapping[str, float]:
    """For each county, until when somebody was asking."""
    found: dict[str, float] = {}
    if known_at is None:
        table = watch_intervals.c
        query = select(table.county, func.max(table.until)).group_by(table.county)
        if at is not None:
            query = query.where(table.since <= at)
        return {county: until if at is None else min(until, at) for county, until in connection.execute(query)}
    for county, _, until in _watched(connection, None, at, known_at):
        found[county] = max(until, found.get(county, until))
    return found


def _watched(
    connection: Connection, county: str | None, at: float | None, known_at: float | None
) -> list[tuple[str, float, float]]:
    table, marks = watch_intervals.c, watch_marks.c
    query = select(table.county, table.epoch, table.since, table.until).order_by(table.since)
    if county is not None:
        query = query.where(table.county == county)
    late: dict[tuple[str, int, float], float] = {}
    limits = [limit for limit in (at, known_at) if limit is not None]
    if limits:
        query = query.where(table.since <= min(limits))
    if known_at is not None:  # what an interval learnt later ends it where it was known then
        told = select(marks.county, marks.epoch, marks.since, func.min(marks.known_until)).where(
            marks.recorded_at > known_at
        )
        for name, epoch, since, until in connection.execute(told.group_by(marks.county, marks.epoch, marks.since)):
            late[name, epoch, since] = until
    found = []
    for name, epoch, since, until in connection.execute(query):
        known = late.get((name, epoch, since))
        if known is not None and known <= since:
            continue
        found.append((name, since, min([until, *limits, *([] if known is None else [known])])))
    return found


def outages(
    connection: Connection,
    *,
    since: float | None = None,
    until: float | None = None,
    open_only: bool = False,
    site: str | None = None,
    devices: Collection[str] = (),
    ids: Collection[str] | None = None,
    limit: int | None = None,
    at: float | None = None,
    known_at: float | None = None,
) -> list[Outage]:
    """Outages that overlap ``[since, until)``, newest first.

    Args:
        site: only those that darkened this site, or whose node it is.
        devices: with ``site``, also the outages of these devices of it.
        ids: only these.
        at: what happened after this Unix time is left out: what ended later still runs.
        known_at: what was recorded after this Unix time is left out.
    """
    opened, closed = _OPENED, _CLOSED
    query: Select[tuple[object, ...]] = (
        select(
            opened.c.outage,
            opened.c.county,
            opened.c.scope,
            opened.c.node,
            opened.c.cause,
            opened.c.happened_at.label("since"),
            closed.c.happened_at.label("until"),
        )
        .select_from(opened)
        .outerjoin(
            closed, and_(closed.c.outage == opened.c.outage, closed.c.kind == "closed", *_by(closed.c, at, known_at))
        )
        .where(opened.c.kind == "opened", *_by(opened.c, at, known_at))
        .order_by(opened.c.happened_at.desc(), opened.c.id.desc())
    )
    if ids is not None:
        query = query.where(opened.c.outage.in_(list(ids)))
    if open_only:
        query = query.where(closed.c.outage.is_(None))
    if since is not None:
        query = query.where(or_(closed.c.happened_at.is_(None), closed.c.happened_at > since))
    if until is not None:
        query = query.where(opened.c.happened_at < until)
    if site is not None:
        explained = select(site_events.c.outage).where(site_events.c.site == site, site_events.c.outage.is_not(None))
        query = query.where(or_(opened.c.node.in_([site, *devices]), opened.c.outage.in_(explained)))
    if limit is not None:
        query = query.limit(limit)
    rows = connection.execute(query).all()
    wide = [row.outage for row in rows if row.scope in (Scope.SITE, Scope.UPLINK)]
    beneath = _sites_of(connection, wide, at, known_at)
    named = [row.outage for row in rows]
    found, flaps = _verdicts_of(connection, named, at, known_at), _flaps_of(connection, named, at, known_at)
    return [
        Outage(
            row.outage,
            row.county,
            Scope(row.scope),
            row.node,
            Cause(row.cause),
            row.since,
            row.until,
            tuple(sorted(beneath.get(row.outage, ()), key=lambda id: (id != row.node, id))),
            found.get(row.outage, _NOTHING)[0],
            found.get(row.outage, _NOTHING)[1],
            row.outage in flaps,
            flaps.get(row.outage, 0),
        )
        for row in rows
    ]


def _by(
    columns: ReadOnlyColumnCollection[str, Any], at: float | None, known_at: float | None
) -> list[ColumnElement[bool]]:
    """That a fact had happened by ``at`` and was recorded by ``known_at``."""
    limits = [] if at is None else [columns.happened_at <= at]
    return limits if known_at is None else [*limits, columns.recorded_at <= known_at]


def _verdicts_of(
    connection: Connection, ids: list[str], at: float | None, known_at: float | None
) -> dict[str, tuple[Finding, str | None]]:
    """The newest verdict on each outage, and the maintenance window that covers it."""
    verdicts = outage_verdicts.c
    found: dict[str, tuple[Finding, str | None]] = {}
    for start in range(0, len(ids), _BATCH):
        query = (
            select(verdicts.outage, verdicts.blame, verdicts.clues, verdicts.window)
            .where(verdicts.outage.in_(ids[start : start + _BATCH]), *_by(verdicts, at, known_at))
            .order_by(verdicts.id)
        )
        for outage, blame, clues, window in connection.execute(query):
            found[str(outage)] = Finding(Blame(blame), clues_of(clues)), window
    return found


def _flaps_of(connection: Connection, ids: list[str], at: float | None, known_at: float | None) -> dict[str, int]:
    """Of each outage that was kept open over a flapping node: how often the node fell silent again."""
    events = outage_events.c
    counts: dict[str, int] = {}
    for start in range(0, len(ids), _BATCH):
        query = select(events.outage, events.kind).where(
            events.outage.in_(ids[start : start + _BATCH]),
            events.kind.in_(["flapping", "relapsed"]),
            *_by(events, at, known_at),
        )
        for outage, kind in connection.execute(query):
            counts[str(outage)] = counts.get(str(outage), 0) + (kind == "relapsed")
    return counts


def _sites_of(connection: Connection, ids: list[str], at: float | None, known_at: float | None) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for start in range(0, len(ids), _BATCH):
        query = select(site_events.c.outage, site_events.c.site).where(
            site_events.c.outage.in_(ids[start : start + _BATCH]), *_by(site_events.c, at, known_at)
        )
        for outage, site in connection.execute(query):
            found.setdefault(str(outage), set()).add(site)
    return found
