"""``/v1/outages``: what failed, since when, and how far it reaches."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.answers import OutageAnswer, OutageList
from api.problems import RESPONSES, not_found
from api.routers.context import StandingHere
from api.standing import Standing, shown
from health.outage import Outage, Scope
from ledger import history

router = APIRouter(tags=["outages"], responses=RESPONSES)


@router.get("/v1/outages", operation_id="outages")
def outages(
    standing: StandingHere,
    open: Annotated[bool, Query(description="Only those that still run.")] = False,
    site: Annotated[str | None, Query(description="Only those that darkened this site.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> OutageList:
    """Outages, newest first."""
    if site is not None and site not in standing.inventory.sites.index:
        raise not_found("site", site)
    with standing.query() as connection:
        found = history.outages(connection, open_only=open, site=site, limit=limit)
    at = standing.snapshot.at
    return OutageList(as_of=shown(at), data=[outage_answer(standing, outage, at) for outage in found])


def outage_answer(standing: Standing, outage: Outage, now: float) -> OutageAnswer:
    return OutageAnswer(
        id=outage.id,
        scope=outage.scope,
        node=outage.node,
        name=name_of(standing, outage),
        cause=outage.cause,
        since=shown(outage.since),
        until=shown(outage.until),
        seconds=round(outage.seconds(now), 3),
        sites_affected=len(outage.sites),
        sites=list(outage.sites),
    )


def name_of(standing: Standing, outage: Outage) -> str:
    """What people call the node; its id where the inventory no longer has it."""
    inventory = standing.inventory
    if outage.scope is Scope.DEVICE:
        try:
            device = inventory.devices.find(outage.node)
        except KeyError:
            return outage.node
        return f"{inventory.sites.names[device.site]} {device.role}"
    site = inventory.sites.index.get(outage.node)
    return outage.node if site is None else inventory.sites.names[site]
