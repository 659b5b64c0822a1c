"""``/v1/outages``: what failed, since when, how far it reaches, and what people do about it."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request
from sqlalchemy import Connection

from api import outage_facts
from api.actions import incidents
from api.actions import outages as actions
from api.answers import ClueAnswer, OutageAnswer, OutageEntry, OutageList
from api.answers_outages import Deed, DutyAnswer, EventAnswer, OutageDetail
from api.auth import Acting, Viewer
from api.clues import sentence
from api.handling import Handling, handling_of
from api.messages import say
from api.problems import RESPONSES, WRITING, not_found, refused
from api.routers.alerts import alert_answer, message_answer, notifications_of
from api.routers.context import AsOf, KnownAt, moments_of, snapshot_at
from api.standing import Snapshot, Standing, shown
from api.view import View
from api.writing import IdempotencyKey, OnceOnly, refusals
from health.outage import Outage, Scope, line_node
from health.verdict import Blame
from ledger import alerts, history, messages, outage_notes
from ledger.accounts import Account
from ledger.outage_notes import Note, Step

router = APIRouter(tags=["outages"], responses=RESPONSES, route_class=OnceOnly)

OutageId = Annotated[str, Path(pattern=r"^[0-9A-Za-z-]{1,48}$", description="As the list of outages has it.")]
_LOOKED_AT: Final = 10_000
"""Outages among which those of a part are looked for."""


class Verb(StrEnum):
    """What can be done about an outage."""

    ACKNOWLEDGE = "acknowledge"
    NOTE = "note"
    ASSIGN = "assign"
    TICKET = "ticket"
    REPORTED = "reported"
    ON_SITE = "on-site"
    REPAIRED = "repaired"
    ESCALATE = "escalate"
    CLOSE = "close"


_SAID: Final = {
    Verb.NOTE: Step.NOTED,
    Verb.REPORTED: Step.REPORTED,
    Verb.ON_SITE: Step.ON_SITE,
    Verb.REPAIRED: Step.REPAIRED,
}


@router.get("/v1/outages", operation_id="outages")
def outages(
    view: Viewer,
    open: Annotated[bool, Query(description="Only those that still run.")] = False,
    site: Annotated[
        str | None, Query(max_length=96, description="Only those that darkened this site, or a device of it.")
    ] = None,
    division: Annotated[
        str | None, Query(max_length=12, description="Only open ones that reach into this division.")
    ] = None,
    scope: Annotated[list[Scope] | None, Query(max_length=5, description="Any of them.")] = None,
    verdict: Annotated[list[Blame] | None, Query(max_length=10, description="Any of them.")] = None,
    carrier: Annotated[str | None, Query(max_length=40, description="Only those on this carrier's lines.")] = None,
    handling: Annotated[list[Handling] | None, Query(max_length=5, description="How far people are: any.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    as_of: AsOf = None,
    known_at: KnownAt = None,
) -> OutageList:
    """Outages, newest first; as they stood at a moment of the past, or as they were known at another."""
    standing = view.standing
    narrowing = scope or verdict or carrier is not None or handling
    at, known = moments_of(standing, as_of, known_at)
    index = None if site is None else view.site(site)
    if division is not None:
        snapshot = snapshot_at(standing, as_of, known_at)
        found = [one for one in open_in(standing, view.node(division), snapshot) if _sees(view, one)]
    else:
        with standing.query() as connection:
            # Whoever sees a part has to look past those that are not his.
            most = limit if (view.whole or site is not None) and not narrowing else _LOOKED_AT
            found = outages_of(standing, connection, index, most, open_only=open, at=at, known_at=known)
        found = [one for one in found if _sees(view, one)]
    found = [
        one
        for one in found
        if (not scope or one.scope in scope)
        and (not verdict or outage_facts.blame_of(one) in verdict)
        and (carrier is None or _carrier(view, one) == carrier)
    ]
    then = standing.snapshot.at if at is None else at
    with standing.query() as connection:
        asked = found if handling else found[:limit]
        notes = outage_notes.of_outages(connection, [one.id for one in asked])
    if handling:
        found = [one for one in found if handling_of(one, notes.get(one.id, ())).state in handling]
    return OutageList(
        as_of=shown(then),
        total=len(found),
        data=[_entry(standing, one, then, view, notes.get(one.id, ())) for one in found[:limit]],
    )


def _entry(standing: Standing, outage: Outage, now: float, view: View, notes: Sequence[Note]) -> OutageEntry:
    known = handling_of(outage, notes)
    return OutageEntry(
        **outage_answer(standing, outage, now, view).model_dump(),
        carrier=_carrier(view, outage),
        handling=known.state,
        owner=known.owner,
        ticket=known.ticket,
        acknowledged_at=shown(known.acknowledged_at),
        repaired_at=shown(known.repaired_at),
        contradiction=known.repaired_at is not None and outage.until is None,
    )


@router.get("/v1/outages/{id}", operation_id="outage")
def outage(request: Request, view: Viewer, id: OutageId) -> OutageDetail:
    """One outage: its cause, its reach, what people did about it, and whom they were told of it by."""
    return _detail(request, view, id)


@router.post("/v1/outages/{id}/{verb}", operation_id="handleOutage", responses=WRITING)
def handle(request: Request, view: Acting, id: OutageId, verb: Verb, said: Deed, _key: IdempotencyKey) -> OutageDetail:
    """Do something about an outage: acknowledge it, name an owner or a ticket, say what happened, escalate, close."""
    _seen(view, id)
    account = view.account
    assert account is not None  # noqa: S101  whoever writes is somebody
    with refusals():
        _doing(request, view.standing, account)[verb](id, said)
    return _detail(request, view, id)


def _doing(request: Request, standing: Standing, actor: Account) -> dict[Verb, Callable[[str, Deed], Note]]:
    engine, inventory, now = standing.engine, standing.inventory, standing.now()

    def tell(step: Step) -> Callable[[str, Deed], Note]:
        def told(id: str, said: Deed) -> Note:
            if said.at is not None and said.at.tzinfo is None:
                raise refused("at needs an offset, such as 2026-11-20T18:00:00+08:00.")
            at = None if said.at is None else said.at.timestamp()
            return incidents.say(engine, inventory, actor, id, step, said.note, now, at)

        return told

    return {
        Verb.ACKNOWLEDGE: lambda id, said: incidents.acknowledge(engine, inventory, actor, id, said.note, now),
        Verb.ASSIGN: lambda id, said: actions.assign(engine, inventory, actor, id, said.note, now),
        Verb.TICKET: lambda id, said: actions.ticket(engine, inventory, actor, id, said.note, now),
        Verb.ESCALATE: lambda id, said: actions.escalate(
            engine, inventory, notifications_of(request), actor, id, said.note, now
        ),
        Verb.CLOSE: lambda id, said: actions.close(engine, inventory, actor, id, said.note, now),
        **{verb: tell(step) for verb, step in _SAID.items()},
    }


def _carrier(view: View, outage: Outage) -> str:
    """Whose line it is on; empty where the node lies outside the grant."""
    inventory = view.standing.inventory
    near = view.sees_id(outage_facts.name_of(inventory, outage)[0] or outage.node)
    return outage_facts.carrier_of(inventory, outage) if near else ""


def _sees(view: View, outage: Outage) -> bool:
    """Whether its node or a site that it darkens may be seen."""
    node = outage_facts.name_of(view.standing.inventory, outage)[0] or outage.node
    return view.sees_id(node) or any(view.sees_id(site) for site in outage.sites)


def _seen(view: View, id: str) -> Outage:
    with view.standing.query() as connection:
        found = history.outages(connection, ids=[id])
    if not found or not _sees(view, found[0]):
        raise not_found("outage", id)
    return found[0]


def _detail(request: Request, view: View, id: str) -> OutageDetail:
    standing, outage = view.standing, _seen(view, id)
    with standing.query() as connection:
        notes = outage_notes.of_outage(connection, id)
        heard = alerts.heard(connection, outages=[id], limit=200)
        told = messages.told(connection, outage=id, limit=200)
    known = handling_of(outage, notes)
    return OutageDetail(
        **outage_answer(standing, outage, notifications_of(request).clock(), view).model_dump(),
        handling=known.state,
        owner=known.owner,
        ticket=known.ticket,
        acknowledged_at=shown(known.acknowledged_at),
        reported_at=shown(known.reported_at),
        on_site_at=shown(known.on_site_at),
        repaired_at=shown(known.repaired_at),
        escalated=known.escalated,
        contradiction=known.repaired_at is not None and outage.until is None,
        duty=DutyAnswer(
            zh=outage_facts.duty_of("zh", standing.inventory, outage),
            en=outage_facts.duty_of("en", standing.inventory, outage),
        ),
        timeline=[
            EventAnswer(
                step=note.step,
                zh=say("zh", f"step.{note.step}"),
                en=say("en", f"step.{note.step}"),
                at=shown(note.happened_at),
                by=note.said_by,
                note=note.note,
            )
            for note in notes
        ],
        alerts=[alert_answer(one) for one in heard],
        messages=[message_answer(one) for one in told],
    )


def open_in(standing: Standing, node: int, snapshot: Snapshot | None = None) -> list[Outage]:
    """The open outages that darken a site of a division, or whose node or device is there."""
    sites = standing.inventory.sites
    inside = set(sites.ids[slice(*sites.span(node))])
    return [
        outage
        for outage in (snapshot or standing.snapshot).outages
        if not inside.isdisjoint((*outage.sites, outage.node, outage.node.rpartition("-")[0]))
    ]


def outages_of(
    standing: Standing,
    connection: Connection,
    site: int | None,
    limit: int,
    *,
    open_only: bool = False,
    at: float | None = None,
    known_at: float | None = None,
) -> list[Outage]:
    """Outages of one site and its devices, or of all; newest first, as they stood ``at`` and were ``known_at``."""
    if site is None:
        return history.outages(connection, open_only=open_only, limit=limit, at=at, known_at=known_at)
    devices = [device.id for device in standing.inventory.devices.of(site)]
    lines = max(2, len(standing.inventory.links(site)))
    devices += [line_node(device, number) for device in devices for number in range(lines)]
    id = standing.inventory.sites.ids[site]
    return history.outages(
        connection, open_only=open_only, site=id, devices=devices, limit=limit, at=at, known_at=known_at
    )


def outage_answer(standing: Standing, outage: Outage, now: float, view: View | None = None) -> OutageAnswer:
    """What is told of an outage to who looks; of what lies outside his grant only that it is there."""
    site, name = outage_facts.name_of(standing.inventory, outage)
    carriers = standing.inventory.county.carriers
    near = view is None or view.sees_id(site or outage.node)
    return OutageAnswer(
        id=outage.id,
        scope=outage.scope,
        node=outage.node if near else "",
        site=site if near else None,
        name=name if near else "",
        cause=outage.cause,
        since=shown(outage.since),
        until=shown(outage.until),
        seconds=round(outage.seconds(now), 3),
        sites_affected=len(outage.sites),
        sites=list(outage.sites) if view is None else view.seen_ids(outage.sites),
        verdict=outage_facts.blame_of(outage),
        evidence=[
            ClueAnswer(
                sign=clue.sign,
                values=dict(clue.values),
                zh=sentence("zh", clue, carriers),
                en=sentence("en", clue, carriers),
            )
            for clue in (outage.finding.clues if near and outage.finding else ())
        ],
        planned=outage.window is not None,
        window=outage.window if near else None,
        flapping=outage.flapping,
        relapses=outage.relapses,
    )
