"""``/v1/outages``: what failed, since when, and how far it reaches."""

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import Connection

from api.answers import ClueAnswer, OutageAnswer, OutageList
from api.clues import sentence
from api.problems import RESPONSES, not_found
from api.routers.context import StandingHere, node_of
from api.standing import Standing, shown
from health.outage import Outage, Scope
from health.verdict import Blame
from inventory.model import Inventory
from ledger import history

router = APIRouter(tags=["outages"], responses=RESPONSES)


@router.get("/v1/outages", operation_id="outages")
def outages(
    standing: StandingHere,
    open: Annotated[bool, Query(description="Only those that still run.")] = False,
    site: Annotated[str | None, Query(description="Only those that darkened this site, or a device of it.")] = None,
    division: Annotated[str | None, Query(description="Only open ones that reach into this division.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> OutageList:
    """Outages, newest first."""
    index = None if site is None else standing.inventory.sites.index.get(site)
    if site is not None and index is None:
        raise not_found("site", site)
    if division is not None:
        found = open_in(standing, node_of(standing, division))[:limit]
    else:
        with standing.query() as connection:
            found = outages_of(standing, connection, index, limit, open_only=open)
    at = standing.snapshot.at
    return OutageList(as_of=shown(at), data=[outage_answer(standing, outage, at) for outage in found])


def open_in(standing: Standing, node: int) -> list[Outage]:
    """The open outages that darken a site of a division, or whose node or device is there."""
    sites = standing.inventory.sites
    inside = set(sites.ids[slice(*sites.span(node))])
    return [
        outage
        for outage in standing.snapshot.outages
        if not inside.isdisjoint((*outage.sites, outage.node, outage.node.rpartition("-")[0]))
    ]


def outages_of(
    standing: Standing, connection: Connection, site: int | None, limit: int, *, open_only: bool = False
) -> list[Outage]:
    """Outages of one site and its devices, or of all; newest first."""
    if site is None:
        return history.outages(connection, open_only=open_only, limit=limit)
    devices = [device.id for device in standing.inventory.devices.of(site)]
    id = standing.inventory.sites.ids[site]
    return history.outages(connection, open_only=open_only, site=id, devices=devices, limit=limit)


def outage_answer(standing: Standing, outage: Outage, now: float) -> OutageAnswer:
    site, name = _node_of(standing.inventory, outage)
    return OutageAnswer(
        id=outage.id,
        scope=outage.scope,
        node=outage.node,
        site=site,
        name=name,
        cause=outage.cause,
        since=shown(outage.since),
        until=shown(outage.until),
        seconds=round(outage.seconds(now), 3),
        sites_affected=len(outage.sites),
        sites=list(outage.sites),
        verdict=outage.finding.blame if outage.finding else Blame.UNKNOWN,
        evidence=[
            ClueAnswer(sign=clue.sign, values=dict(clue.values), zh=sentence("zh", clue), en=sentence("en", clue))
            for clue in (outage.finding.clues if outage.finding else ())
        ],
        planned=outage.window is not None,
        window=outage.window,
        flapping=outage.flapping,
        relapses=outage.relapses,
    )


def _node_of(inventory: Inventory, outage: Outage) -> tuple[str | None, str]:
    """The site of the failed node and what people call the node; its id where the inventory no longer has it."""
    columns = inventory.sites
    if outage.scope is Scope.DEVICE:
        try:
            device = inventory.devices.find(outage.node)
        except KeyError:
            return None, outage.node
        return columns.ids[device.site], f"{columns.names[device.site]} {device.role}"
    site = columns.index.get(outage.node)
    return (None, outage.node) if site is None else (outage.node, columns.names[site])
