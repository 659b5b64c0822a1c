"""``/v1/outages``: what failed, since when, and how far it reaches."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.answers import OutageAnswer, OutageList
from api.problems import RESPONSES, not_found
from api.routers.context import StandingHere
from api.standing import Standing, shown
from health.outage import Outage, Scope
from inventory.model import Inventory
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
