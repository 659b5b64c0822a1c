"""``/v1/boundaries``: the shapes of a division's children, where the operator supplied them."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic_core import to_json

from api.auth import PublicViewer
from api.freshness import answered
from api.problems import RESPONSES, not_found
from api.routers.context import Code
from inventory.boundaries import Boundaries

router = APIRouter(tags=["divisions"], responses=RESPONSES)

_TOLD: dict[int | str, dict[str, Any]] = {
    200: {
        "description": (
            "A FeatureCollection (RFC 7946); `id` of a feature is the division's code. Its foreign members are "
            "`review_number` (审图号), which a map has to show, `crs`, `credit` and `missing`, the children without a "
            "shape."
        ),
        "content": {"application/geo+json": {"schema": {"type": "object"}}},
    }
}


def boundaries_of(request: Request) -> Boundaries | None:
    found: Boundaries | None = request.app.state.boundaries
    return found


@router.get("/v1/boundaries/{code}", operation_id="boundaries", response_class=Response, responses=_TOLD)
def boundaries(request: Request, view: PublicViewer, code: Code) -> Response:
    """The shapes of the divisions just below one, and what has to be printed on a map of them."""
    nodes = view.standing.inventory.nodes
    node = view.node(code)
    known = boundaries_of(request)
    if known is None:
        raise not_found("boundary", code)
    below = [place for place in nodes.children(node) if view.sees(nodes, place)]
    features = [
        {
            "type": "Feature",
            "id": nodes.codes[place],
            "properties": {"name": nodes.codes[place], "title": nodes.names[place]},
            "geometry": known.shapes[nodes.codes[place]],
        }
        for place in below
        if nodes.codes[place] in known.shapes
    ]
    if nodes.levels[node] == 0:
        # Where the whole country is shown it is shown whole, with the lines that belong to no division.
        features += [
            {"type": "Feature", "properties": {"name": "", "title": ""}, "geometry": line} for line in known.lines
        ]
    told = {
        "type": "FeatureCollection",
        "review_number": known.review_number,
        "crs": known.crs,
        "credit": known.credit,
        "missing": [nodes.codes[place] for place in below if nodes.codes[place] not in known.shapes],
        "features": features,
    }
    return answered(request, to_json(told), "application/geo+json")
