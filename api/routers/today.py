"""``/v1/today``: what waits for whoever asks."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.auth import LoggedIn, Viewer
from api.problems import RESPONSES
from api.standing import shown
from api.today import Today

router = APIRouter(tags=["today"], responses=RESPONSES)


class TodayItem(BaseModel):
    """One thing that waits: how many, the first of them by name, where the page has it, and what one types."""

    kind: str
    count: int
    urgent: bool
    names: Annotated[list[str], Field(max_length=5)]
    link: str
    command: str


class TodayAnswer(BaseModel):
    as_of: datetime
    account: str
    items: Annotated[list[TodayItem], Field(max_length=50)]


@router.get("/v1/today", operation_id="today")
def today(view: Viewer, caller: LoggedIn) -> TodayAnswer:
    """The working day of the account that asks, by what it may do; the urgent first."""
    items = [
        TodayItem(
            kind=one.kind, count=one.count, urgent=one.urgent, names=list(one.names), link=one.link, command=one.command
        )
        for one in Today(view, caller.account).items()
    ]
    return TodayAnswer(as_of=shown(view.standing.now()), account=caller.account.name, items=items)
