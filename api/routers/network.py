"""``/v1/network``: the uplink tree with its live state, and which node each open outage is blamed on."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.auth import Viewer
from api.problems import RESPONSES
from api.routers.context import DivisionFilter
from api.routers.sites import summary_of
from api.standing import shown

router = APIRouter(tags=["outages"], responses=RESPONSES)


class NetworkNode(BaseModel):
    """A site of the uplink tree. ``uplinks`` are the sites that it hangs on, the main one first, as far as in sight.

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
    nodes: Annotated[list[NetworkNode], Field(max_length=1_000_000)]


@router.get("/v1/network", operation_id="network")
def network(
    view: Viewer,
    division: DivisionFilter = None,
) -> Network:
    """Every site that has a line of its own, in the order of the division tree."""
    standing = view.standing
    snapshot, inventory = standing.snapshot, standing.inventory
    blamed = {outage.node: outage for outage in snapshot.outages if outage.until is None}
    main = standing.main_requirement
    found = []
    for site in (site for span in view.site_spans(division) for site in range(*span)):
        if inventory.devices.of(site) == ():
            continue
        uplinks = view.seen_ids(inventory.sites.ids[above] for above in inventory.site_uplinks(site))
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
