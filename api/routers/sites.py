"""``/v1/sites``: every site, filtered, and everything that may be shown of one."""

import base64
from collections.abc import Iterable, Iterator
from typing import Annotated

from fastapi import APIRouter, Query

from api.answers import (
    AspectAnswer,
    ClaimAnswer,
    DeviceAnswer,
    LinkAnswer,
    SiteAnswer,
    SiteList,
    SiteSummary,
)
from api.problems import RESPONSES, not_found, refused
from api.routers.context import Requirement, StandingHere, node_of, requirement_of
from api.routers.outages import outage_answer, outages_of
from api.standing import Snapshot, Standing, shown
from health.availability import Availability, availability
from health.coverage import State, contradiction
from health.device import DeviceState
from health.hours import in_service_hours, service_intervals
from health.maintenance import Window
from health.outage import Interval, Outage, Scope, intersect, total
from health.verdict import Blame
from inventory.devices import Device
from inventory.vocabulary import SITE_TYPES, Aspect, DeviceClass, Verdict
from ledger import history, maintenance

router = APIRouter(tags=["sites"], responses=RESPONSES)

_DAY_S = 86_400.0
_ENOUGH_WATCHED = 0.9  # below this an availability would rest on too little; it is then not given at all


@router.get("/v1/sites", operation_id="sites")
def sites(
    standing: StandingHere,
    division: Annotated[str | None, Query(description="Only in this division (2, 4, 6, 9 or 12 digits).")] = None,
    type: Annotated[list[str] | None, Query(description="Site types, any of them.")] = None,
    state: Annotated[list[State] | None, Query(description="States of the requirement, any of them.")] = None,
    reachable: Annotated[Verdict | None, Query(description="What is measured now.")] = None,
    carrier: Annotated[str | None, Query()] = None,
    q: Annotated[str | None, Query(description="Part of a name, an id or a code.", max_length=64)] = None,
    requirement: Requirement = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    cursor: Annotated[str | None, Query(description="`next` of the page before.", max_length=64)] = None,
) -> SiteList:
    """Sites in the order of the division tree."""
    asked = requirement_of(standing, requirement)
    unknown = set(type or ()) - set(SITE_TYPES)
    if unknown:
        raise refused(f"type {min(unknown)!r} is none of {', '.join(SITE_TYPES)}.")
    snapshot = standing.snapshot
    start = _position(cursor)
    total, following = 0, None
    page: list[SiteSummary] = []
    for site in _matching(standing, division, type, carrier, q):
        if state is None and reachable is None and not start <= site:
            total += 1
            continue
        summary = summary_of(standing, snapshot, site, asked)
        if (state is not None and summary.state not in state) or (
            reachable is not None and summary.reachable != reachable
        ):
            continue
        total += 1
        if site < start:
            continue
        if len(page) < limit:
            page.append(summary)
        elif following is None:
            following = _cursor(site)
    return SiteList(as_of=shown(snapshot.at), total=total, data=page, next=following)


def _matching(
    standing: Standing, division: str | None, types: list[str] | None, carrier: str | None, q: str | None
) -> Iterator[int]:
    inventory = standing.inventory
    columns = inventory.sites
    low, high = columns.span(node_of(standing, division)) if division is not None else (0, len(columns))
    wanted = q.lower() if q else None
    for site in range(low, high):
        if types and columns.types[site] not in types:
            continue
        if carrier and columns.carriers[site] != carrier:
            continue
        node = int(columns.nodes[site])
        if wanted and not any(
            wanted in text.lower()
            for text in (
                columns.ids[site],
                columns.names[site],
                inventory.nodes.codes[node],
                inventory.nodes.names[node],
            )
        ):
            continue
        yield site


def _cursor(site: int) -> str:
    return base64.urlsafe_b64encode(f"v1:{site}".encode()).decode().rstrip("=")


def _position(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        version, _, number = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition(":")
        if version != "v1" or int(number) < 0:
            raise ValueError(cursor)
        return int(number)
    except ValueError:
        raise refused("The cursor is not one that this list gave.") from None


def summary_of(standing: Standing, snapshot: Snapshot, site: int, requirement: str) -> SiteSummary:
    inventory = standing.inventory
    columns = inventory.sites
    node = int(columns.nodes[site])
    judged = standing.judgement(site, requirement, snapshot)
    claim = snapshot.claims[site]
    return SiteSummary(
        id=columns.ids[site],
        name=columns.names[site],
        code=inventory.nodes.codes[node],
        division=inventory.nodes.names[node],
        type=columns.types[site],
        site_class=columns.classes[site],
        carrier=columns.carriers[site],
        link_type=columns.link_types[site],
        requirement=inventory.requirement(site),
        claim=claim.claim if claim else None,
        state=judged.state,
        reachable=_now(standing, snapshot, site, Aspect.REACHABLE),
        working=_now(standing, snapshot, site, Aspect.WORKING),
        reason=judged.reason,
        last_proof=shown(judged.proved_at),
    )


def _now(standing: Standing, snapshot: Snapshot, site: int, aspect: Aspect) -> Verdict:
    """The verdict, if somebody is still watching."""
    evidence = standing.evidence(site, aspect, snapshot)
    fresh = evidence.watched_until is not None and snapshot.at - evidence.watched_until <= standing.stale_after_s
    return evidence.verdict if fresh else Verdict.UNKNOWN


@router.get("/v1/sites/{site_id}", operation_id="site")
def site(standing: StandingHere, site_id: str) -> SiteAnswer:
    """One site by its permanent id."""
    index = standing.inventory.sites.index.get(site_id)
    if index is None:
        raise not_found("site", site_id)
    return site_answer(standing, standing.snapshot, index)


def site_answer(standing: Standing, snapshot: Snapshot, index: int) -> SiteAnswer:
    inventory = standing.inventory
    declared = inventory.site(index)
    where = inventory.sites.index[declared.host_site] if declared.host_site else index
    with standing.query() as connection:
        outages = outages_of(standing, connection, where, limit=50)
        dark = history.dark_intervals(connection, [inventory.sites.ids[where]], snapshot.at)
        watched = [
            interval
            for county, _ in ancestors(standing, int(inventory.sites.nodes[index]))
            for interval in history.watched(connection, county, snapshot.at)
        ]
        announced = maintenance.windows(connection)
    began, ended = snapshot.at - 30 * _DAY_S, snapshot.at
    silent = dark.get(inventory.sites.ids[where], [])
    excluded = [*_planned(standing, where, announced), *_not_ours(outages, ended)]
    calendar = inventory.calendars.get(declared.service_calendar or "")
    hours = None if calendar is None else service_intervals(calendar, began, ended)
    month = availability(silent, watched, began, ended)
    net = availability(silent, watched, began, ended, excluded=excluded)
    service = availability(silent, watched, began, ended, excluded=excluded, promised=hours)
    judged = standing.judgement(index, standing.main_requirement, snapshot)
    claim = snapshot.claims[index]
    disagreement = contradiction(claim.claim if claim else None, judged)
    claims = [ClaimAnswer(claim=c.claim, on=c.on, by=c.by, proof=c.proof) for c in declared.claims]
    if claim and all((said.claim, said.on) != (claim.claim, claim.on) for said in claims):
        claims.append(ClaimAnswer(claim=claim.claim, on=claim.on, by=claim.by, proof=claim.proof))
    return SiteAnswer(
        **summary_of(standing, snapshot, index, standing.main_requirement).model_dump(),
        kind=declared.kind,
        aliases=list(declared.aliases),
        label=declared.label,
        sign=declared.sign,
        path=[name for _, name in ancestors(standing, int(inventory.sites.nodes[index]))],
        host_site=declared.host_site,
        uplinks=[inventory.sites.ids[above] for above in inventory.site_uplinks(index)],
        attachments=list(declared.attachments),
        responsible=declared.responsible,
        cooperating=list(declared.cooperating),
        windows=dict(declared.windows),
        tags=list(declared.tags),
        service_calendar=declared.service_calendar,
        opened=declared.opened,
        central=declared.central,
        exempt_reason=declared.exempt_reason,
        links=[
            LinkAnswer(
                link_type=link.link_type,
                carrier=link.carrier,
                role=link.role,
                circuit=link.circuit,
                bandwidth_mbps=link.bandwidth_mbps,
                origin=link.origin,
                conformance=link.conformance,
                contract_until=link.contract_until,
                uplink=None if link.uplink is None else inventory.sites.ids[link.uplink],
            )
            for link in declared.links
        ],
        devices=_devices(standing, snapshot, where, outages),
        measured={
            str(aspect): AspectAnswer(
                verdict=_now(standing, snapshot, index, aspect),
                reason=evidence.reason,
                since=shown(evidence.since),
                last_proof=shown(evidence.proved_at),
                degraded=evidence.verdict is Verdict.YES and bool(evidence.reason),
            )
            for aspect in Aspect
            for evidence in (standing.evidence(index, aspect, snapshot),)
        },
        claims=claims,
        contradiction=disagreement,
        availability_ratio=_ratio(month),
        net_availability_ratio=_ratio(net),
        service_availability_ratio=_ratio(service),
        excluded_seconds=round(total(intersect(excluded, [(began, ended)])), 3),
        watched_ratio=month.watched_ratio,
        outages=[outage_answer(standing, outage, snapshot.at) for outage in outages],
    )


def _ratio(measured: Availability) -> float | None:
    return measured.ratio if (measured.watched_ratio or 0) >= _ENOUGH_WATCHED else None


def _planned(standing: Standing, site: int, announced: Iterable[Window]) -> list[Interval]:
    """When work was announced at the site itself."""
    inventory = standing.inventory
    here = {inventory.sites.ids[site]}
    here.update(code for code, _ in ancestors(standing, int(inventory.sites.nodes[site])))
    spans = (window.in_force for window in announced if window.target in here)
    return [span for span in spans if span is not None]


def _not_ours(outages: Iterable[Outage], now: float) -> list[Interval]:
    """Outages that count against nobody: planned ones, further up as well, and those for want of electricity."""
    return [
        (outage.since, now if outage.until is None else outage.until)
        for outage in outages
        if outage.scope not in (Scope.DEVICE, Scope.LAN)
        and (outage.window is not None or (outage.finding is not None and outage.finding.blame is Blame.POWER))
    ]


def ancestors(standing: Standing, node: int) -> list[tuple[str, str]]:
    """Code and name of each division from the top down to this one."""
    nodes = standing.inventory.nodes
    path: list[tuple[str, str]] = []
    while node >= 0:
        path.append((nodes.codes[node], nodes.names[node]))
        node = nodes.parents[node]
    return path[::-1]


def _devices(standing: Standing, snapshot: Snapshot, site: int, outages: list[Outage]) -> list[DeviceAnswer]:
    silent = {outage.node for outage in outages if outage.scope is Scope.DEVICE and outage.until is None}
    lan = any(outage.scope is Scope.LAN and outage.until is None for outage in outages)
    reachable = _now(standing, snapshot, site, Aspect.REACHABLE)
    answered = {Verdict.YES: "up", Verdict.NO: "silent", Verdict.UNKNOWN: "unknown"}[reachable]
    closed = standing.evidence(site, Aspect.WORKING, snapshot).reason == DeviceState.OFF_HOURS

    def state(device: Device) -> str:
        if device.monitored != "us":
            return "unknown"
        if device.id in silent or (lan and device.device_class is not DeviceClass.ROUTER):
            return "silent"
        hours = standing.inventory.calendars.get(device.calendar or standing.inventory.calendar_name(site) or "")
        serves = device.device_class in (DeviceClass.KIOSK, DeviceClass.PRINTER)
        if closed and serves and not in_service_hours(hours, snapshot.at):
            return DeviceState.OFF_HOURS
        return answered

    return [
        DeviceAnswer(
            id=device.id,
            role=device.role,
            device_class=device.device_class,
            vendor=device.vendor,
            model=standing.inventory.models[device.model].title,
            profile=device.profile,
            origin=device.origin,
            owner=device.owner,
            monitored=device.monitored,
            state=state(device),
        )
        for device in standing.inventory.devices.of(site)
    ]
