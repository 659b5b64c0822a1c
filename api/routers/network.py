"""``/v1/network``: the uplink tree with its live state, and which node each open outage is blamed on."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from api.problems import RESPONSES
from api.routers.context import StandingHere, node_of
from api.routers.sites import summary_of
from api.standing import shown

router = APIRouter(tags=["outages"], responses=RESPONSES)


class NetworkNode(BaseModel):
    """A site of the uplink tree. ``uplinks`` are the sites that it hangs on, the main one first.

    ``outage`` is the open outage that is blamed on it, ``verdict`` what failed there.
    """

    site: str
    name: str
    code: str
    uplinks: list[str]
    reachable: str
    link_type: str
    carrier: str
    outage: str | None
    verdict: str


class Network(BaseModel):
    as_of: datetime
    nodes: list[NetworkNode]


@router.get("/v1/network", operation_id="network")
def network(
    standing: StandingHere,
    division: Annotated[str | None, Query(description="Only in this division (2, 4, 6, 9 or 12 digits).")] = None,
) -> Network:
    """Every site that has a line of its own, in the order of the division tree."""
    snapshot, inventory = standing.snapshot, standing.inventory
    node = 0 if division is None else node_of(standing, division)
    blamed = {outage.node: outage for outage in snapshot.outages if outage.until is None}
    main = standing.main_requirement
    found = []
    for site in range(*inventory.sites.span(node)):
        if inventory.devices.of(site) == ():
            continue
        uplinks = [inventory.sites.ids[above] for above in inventory.site_uplinks(site)]
        summary = summary_of(standing, snapshot, site, main)
        outage = blamed.get(summary.id)
        found.append(
            NetworkNode(
                site=summary.id, name=summary.name, code=summary.code, uplinks=uplinks, reachable=summary.reachable,
                link_type=summary.link_type, carrier=summary.carrier, outage=outage.id if outage else None,
                verdict=outage.finding.blame if outage and outage.finding else "",
            )
        )  # fmt: skip
    return Network(as_of=shown(snapshot.at), nodes=found)
