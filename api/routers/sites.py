"""``/v1/sites``: every site, filtered, and everything that may be shown of one."""

import base64
from collections.abc import Collection, Iterable, Iterator
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from api.answers import (
    AspectAnswer,
    AvailabilityAnswer,
    ClaimAnswer,
    DeviceAnswer,
    LinkAnswer,
    MeasuredTime,
    SiteAnswer,
    SiteList,
    SiteSummary,
    SpanAnswer,
)
from api.auth import Viewer
from api.formats import LISTED, Formatted, Place, by_suffix, listed
from api.periods import Period, midnight, month_span
from api.problems import RESPONSES, ProblemError, refused
from api.routers.context import DivisionFilter, KnownAt, Month, Requirement, moments_of, requirement_of
from api.routers.outages import outage_answer, outages_of
from api.routers.pilots import REST
from api.standing import Snapshot, Standing, shown
from api.view import View
from health.availability import Availability
from health.coverage import State, contradiction
from health.device import DeviceState
from health.hours import in_service_hours
from health.outage import Outage, Scope, total
from inventory.devices import Device
from inventory.vocabulary import Aspect, DeviceClass, SiteType, Verdict

router = APIRouter(tags=["sites"], responses=RESPONSES)

_DAY_S = 86_400.0
_ENOUGH_WATCHED = 0.9  # below this an availability would rest on too little; it is then not given at all


@router.get("/v1/sites", operation_id="sites", response_model=SiteList, responses=LISTED)
@by_suffix(router, "/v1/sites")
def sites(
    request: Request,
    view: Viewer,
    wanted: Formatted,
    division: DivisionFilter = None,
    type: Annotated[list[SiteType] | None, Query(description="Site types, any of them.", max_length=9)] = None,
    state: Annotated[
        list[State] | None, Query(description="States of the requirement, any of them.", max_length=6)
    ] = None,
    reachable: Annotated[Verdict | None, Query(description="What is measured now.")] = None,
    carrier: Annotated[str | None, Query(max_length=40)] = None,
    pilot: Annotated[
        list[Literal["province", "city", "county", "none"]] | None,
        Query(description="Levels whose pilot a site is, any of them; `none` for the rest.", max_length=4),
    ] = None,
    q: Annotated[str | None, Query(description="Part of a name, an id or a code.", max_length=64)] = None,
    requirement: Requirement = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    cursor: Annotated[str | None, Query(description="`next` of the page before.", max_length=64)] = None,
) -> Response:
    """Sites in the order of the division tree; as a file all that the filters leave."""
    standing = view.standing
    asked = requirement_of(standing, requirement)
    snapshot = standing.snapshot
    start = position_of(standing, cursor)
    spans = view.site_spans(division)
    matching = _matching(standing, spans, type, carrier, pilot, q)

    def kept() -> Iterator[tuple[int, SiteSummary]]:
        for site in matching:
            summary = summary_of(standing, snapshot, site, asked)
            if (state is None or summary.state in state) and (reachable is None or summary.reachable == reachable):
                yield site, summary

    def page() -> SiteList:
        found = list(kept())
        later = [(site, summary) for site, summary in found if site >= start]
        following = cursor_at(standing, later[limit][0]) if len(later) > limit else None
        data = [summary for _, summary in later[:limit]]
        return SiteList(as_of=shown(snapshot.at), total=len(found), data=data, next=following)

    return listed(
        request, wanted, "sites", (summary for _, summary in kept()), page, lambda row: place_of(standing, row["id"])
    )


def _matching(
    standing: Standing,
    spans: Iterable[tuple[int, int]],
    types: list[SiteType] | None,
    carrier: str | None,
    pilots: Collection[str] | None,
    q: str | None,
) -> Iterator[int]:
    inventory = standing.inventory
    columns = inventory.sites
    wanted = q.lower() if q else None
    for site in (site for span in spans for site in range(*span)):
        if types and columns.types[site] not in types:
            continue
        if carrier and columns.carriers[site] != carrier:
            continue
        if pilots and (_pilot(standing, site) or REST) not in pilots:
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


def cursor_at(standing: Standing, position: int) -> str:
    """An opaque cursor: a place in the order of this inventory's tree, which no measurement moves."""
    text = f"v2:{standing.inventory.content_hash[:8]}:{position}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def position_of(standing: Standing, cursor: str | None) -> int:
    """The place that a cursor stands for.

    Raises:
        ProblemError: 422, no list gave it; 410, the inventory has changed since.
    """
    if cursor is None:
        return 0
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        version, inventory, number = text.split(":")
        if version != "v2" or not number.isascii() or not number.isdecimal():
            raise ValueError(cursor)
        position = int(number)
    except ValueError:
        raise refused("The cursor is not one that this list gave.") from None
    if inventory != standing.inventory.content_hash[:8]:
        raise ProblemError(HTTPStatus.GONE, "snapshot-expired", "The inventory has changed. Begin the list again.")
    return position


def place_of(standing: Standing, id: str) -> Place | None:
    """Where a site stands, if imported facts say so: to three decimals, some 100 m, which finds a village."""
    told = standing.snapshot.told
    east, north = told.get((id, "longitude")), told.get((id, "latitude"))
    if east is None or north is None or isinstance(east.value, str) or isinstance(north.value, str):
        return None
    return round(float(east.value), 3), round(float(north.value), 3)


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
        pilot=_pilot(standing, site),
    )


def _pilot(standing: Standing, site: int) -> str | None:
    pilot = standing.inventory.pilot(site)
    return pilot.level if pilot else None


def _now(standing: Standing, snapshot: Snapshot, site: int, aspect: Aspect) -> Verdict:
    """The verdict, if somebody is still watching."""
    evidence = standing.evidence(site, aspect, snapshot)
    fresh = evidence.watched_until is not None and snapshot.at - evidence.watched_until <= standing.stale_after_s
    return evidence.verdict if fresh else Verdict.UNKNOWN


@router.get("/v1/sites/{site_id}", operation_id="site")
def site(view: Viewer, site_id: Annotated[str, Path(max_length=64)]) -> SiteAnswer:
    """One site by its permanent id."""
    return site_answer(view.standing, view.standing.snapshot, view.site(site_id), view)


@router.get("/v1/sites/{site_id}/availability", operation_id="site_availability")
def site_availability(
    view: Viewer, site_id: Annotated[str, Path(max_length=64)], month: Month, known_at: KnownAt = None
) -> AvailabilityAnswer:
    """How long a site could be reached in a month: raw, without what is excluded, and within its service hours."""
    return availability_of(view, view.site(site_id), month, known_at)


def availability_of(view: View, site: int, month: str, known_at: str | None = None) -> AvailabilityAnswer:
    standing = view.standing
    first, last = month_span(month)
    since, until = midnight(first), min(midnight(last), standing.now())
    if until <= since:
        raise refused(f"{month} has not begun.")
    where = _host_of(standing, site)
    period = Period(standing, since, until, only=where, known_at=moments_of(standing, None, known_at)[1])
    reached = period.reached(where)
    return AvailabilityAnswer(
        site=standing.inventory.sites.ids[site],
        month=month,
        since=shown(since),
        until=shown(until),
        raw=_measured(reached.raw),
        net=_measured(reached.net),
        service=_measured(period.within_hours(where)),
        excluded=[SpanAnswer(since=shown(begin), until=shown(end)) for begin, end in period.excluded_of(where)[:1000]],
        outages=[
            outage_answer(standing, outage, until, view)
            for outage in period.outages_of(standing.inventory.sites.ids[where])[:1000]
        ],
    )


def _measured(one: Availability) -> MeasuredTime:
    return MeasuredTime(
        up_seconds=round(one.up_s, 3),
        down_seconds=round(one.down_s, 3),
        unknown_seconds=round(one.unknown_s, 3),
        ratio=one.ratio,
        watched_ratio=one.watched_ratio,
    )


def _host_of(standing: Standing, site: int) -> int:
    """The site whose line and devices serve this one."""
    host = int(standing.inventory.sites.hosts[site])
    return host if host >= 0 else site


def site_answer(standing: Standing, snapshot: Snapshot, index: int, view: View | None = None) -> SiteAnswer:
    """Everything about one site that may be shown to who looks; None looks at everything."""
    inventory = standing.inventory
    declared = inventory.site(index)
    where = _host_of(standing, index)
    with standing.query() as connection:
        outages = outages_of(standing, connection, where, limit=50)
    period = Period(standing, snapshot.at - 30 * _DAY_S, snapshot.at, only=where, from_the_start=True)
    reached = period.reached(where)

    def sees(id: str) -> bool:
        return view is None or view.sees_id(id)

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
        path=[
            name
            for code, name in ancestors(standing, int(inventory.sites.nodes[index]))
            if view is None or view.sees_code(code)
        ],
        host_site=declared.host_site if declared.host_site and sees(declared.host_site) else None,
        uplinks=[id for above in inventory.site_uplinks(index) if sees(id := inventory.sites.ids[above])],
        uplink_names={
            id: inventory.sites.names[above]
            for above in inventory.site_uplinks(index)
            if sees(id := inventory.sites.ids[above])
        },
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
                uplink=id if link.uplink is not None and sees(id := inventory.sites.ids[link.uplink]) else None,
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
        availability_ratio=_ratio(reached.raw),
        net_availability_ratio=_ratio(reached.net),
        service_availability_ratio=_ratio(period.within_hours(where)),
        excluded_seconds=round(total(period.excluded_of(where)), 3),
        watched_ratio=reached.raw.watched_ratio,
        outages=[outage_answer(standing, outage, snapshot.at, view) for outage in outages],
    )


def _ratio(measured: Availability) -> float | None:
    return measured.ratio if (measured.watched_ratio or 0) >= _ENOUGH_WATCHED else None


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
