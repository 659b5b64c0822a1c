"""What every router needs, handed over through the application's state: no globals."""

from typing import Annotated

from fastapi import Depends, Query, Request

from api.problems import not_found, refused
from api.standing import Snapshot, Standing, moment
from inventory.divisions import Nodes


def standing_of(request: Request) -> Standing:
    standing: Standing = request.app.state.standing
    return standing


StandingHere = Annotated[Standing, Depends(standing_of)]


def node_of(standing: Standing, code: str) -> int:
    """The position of a division of today given by 2, 4, 6, 9 or 12 digits."""
    return node_in(standing.inventory.nodes, code)


def node_in(nodes: Nodes, code: str) -> int:
    """The position of a division in the tree of some day."""
    try:
        return nodes.find(code)
    except KeyError:
        raise not_found("division", code) from None


AsOf = Annotated[
    str | None,
    Query(description="A day (its end in China) or an RFC 3339 time in the past.", examples=["2026-11-20"]),
]


def snapshot_at(standing: Standing, as_of: str | None) -> Snapshot:
    """The newest snapshot, or that of a moment in the past."""
    if as_of is None:
        return standing.snapshot
    try:
        return standing.at(moment(as_of, standing.now()))
    except ValueError as error:
        raise refused(str(error)) from None


Requirement = Annotated[
    str | None, Query(description="A requirement of the coverage rules; the extranet's if left out.")
]


def requirement_of(standing: Standing, requirement: str | None) -> str:
    """The name of a requirement, checked against the coverage rules."""
    if requirement is None:
        return standing.main_requirement
    known = standing.inventory.coverage_rules.requirements
    if requirement not in known:
        raise refused(f"requirement {requirement!r} is none of {', '.join(known)}.")
    return requirement
