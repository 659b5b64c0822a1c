"""What every router needs, handed over through the application's state: no globals."""

from typing import Annotated

from fastapi import Depends, Path, Query, Request

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
    Query(
        description="A day (its end in China) or an RFC 3339 time in the past.", max_length=40, examples=["2026-11-20"]
    ),
]


KnownAt = Annotated[
    str | None,
    Query(description="What was recorded after this day or time is left out.", max_length=40, examples=["2026-11-25"]),
]


def snapshot_at(standing: Standing, as_of: str | None, known_at: str | None = None) -> Snapshot:
    """The newest snapshot, or that of a moment in the past, of what was known at another."""
    if as_of is None and known_at is None:
        return standing.snapshot
    at, known = moments_of(standing, as_of, known_at)
    try:
        return standing.at(standing.now() if at is None else at, known)
    except ValueError as error:
        raise refused(str(error)) from None


def moments_of(standing: Standing, as_of: str | None, known_at: str | None) -> tuple[float | None, float | None]:
    """Both as Unix times; None where left out."""
    now = standing.now()
    try:
        at = None if as_of is None else moment(as_of, now)
        return at, None if known_at is None else moment(known_at, now)
    except ValueError as error:
        raise refused(str(error)) from None


Requirement = Annotated[
    str | None, Query(description="A requirement of the coverage rules; the extranet's if left out.", max_length=40)
]


def requirement_of(standing: Standing, requirement: str | None) -> str:
    """The name of a requirement, checked against the coverage rules."""
    if requirement is None:
        return standing.main_requirement
    known = standing.inventory.coverage_rules.requirements
    if requirement not in known:
        raise refused(f"requirement {requirement!r} is none of {', '.join(known)}.")
    return requirement


Code = Annotated[str, Path(description="2, 4, 6, 9 or 12 digits of a division.", max_length=12, examples=["511825"])]
DivisionFilter = Annotated[
    str | None, Query(description="Only in this division (2, 4, 6, 9 or 12 digits).", max_length=12)
]
Month = Annotated[str, Query(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", description="A month.", examples=["2026-10"])]
