"""``/v1/coverage/{code}/pilots``: how far the pilots (试点) of a division are, beside the rest."""

from collections import Counter
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.auth import Viewer
from api.problems import RESPONSES
from api.routers.context import Code, Requirement, requirement_of
from api.standing import shown
from health.coverage import State

router = APIRouter(tags=["coverage"], responses=RESPONSES)

REST: Final = "none"
LEVELS: Final = ("province", "city", "county", REST)
"""Whose pilot a site is; ``none`` for a site that is nobody's."""


class PilotGroup(BaseModel):
    """Sites that are pilots of one level, or none. ``ratio`` counts unknown as not covered, ``ratio_max`` as covered.

    Exempt sites are in ``states`` and not in ``denominator``; both ratios are null where that is 0.
    """

    pilot: str
    numerator: int
    denominator: int
    unknown: int
    ratio: float | None
    ratio_max: float | None
    states: dict[str, int]


class PilotCoverage(BaseModel):
    code: str
    name: str
    requirement: str
    as_of: datetime
    data: Annotated[list[PilotGroup], Field(max_length=4)]


def group_of(pilot: str, states: Counter[State]) -> PilotGroup:
    """The figures of a group, by the states of its sites."""
    asked = states.total() - states[State.EXEMPT]
    met, unknown = states[State.COVERED], states[State.UNKNOWN]
    return PilotGroup(
        pilot=pilot,
        numerator=met,
        denominator=asked,
        unknown=unknown,
        ratio=met / asked if asked else None,
        ratio_max=(met + unknown) / asked if asked else None,
        states={str(state): states[state] for state in State},
    )


@router.get("/v1/coverage/{code}/pilots", operation_id="coverage_of_pilots")
def pilots(view: Viewer, code: Code, requirement: Requirement = None) -> PilotCoverage:
    """Sites of a division as they stand now: pilots by their level, and all others."""
    standing = view.standing
    asked = requirement_of(standing, requirement)
    snapshot = standing.snapshot
    place = view.node(code, snapshot)
    states: dict[str, Counter[State]] = {level: Counter() for level in LEVELS}
    for low, high in view.site_spans(code):
        for site in range(low, high):
            pilot = standing.inventory.pilot(site)
            states[pilot.level if pilot else REST][standing.judgement(site, asked, snapshot).state] += 1
    return PilotCoverage(
        code=snapshot.nodes.codes[place],
        name=snapshot.nodes.names[place],
        requirement=asked,
        as_of=shown(snapshot.at),
        data=[group_of(level, counted) for level, counted in states.items() if counted or level == REST],
    )
