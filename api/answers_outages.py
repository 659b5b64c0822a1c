"""The shapes of answers about what people do with an outage, and what they were told of it."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from api.answers import OutageAnswer


class EventAnswer(BaseModel):
    """One entry of an outage's timeline: who did what when. ``zh`` and ``en`` name the step in words."""

    step: str
    zh: str
    en: str
    at: datetime
    by: str
    note: str


class AlertAnswer(BaseModel):
    """One alert as Alertmanager told it."""

    alertname: str
    severity: str
    status: Literal["firing", "resolved"]
    receiver: str
    since: datetime
    until: datetime | None
    heard_at: datetime
    node: str
    outage: str | None
    summary: str


class MessageAnswer(BaseModel):
    """One message to people. ``state`` is ``waiting`` until its channel took it; ``detail`` says why it did not yet."""

    channel: str
    title: str
    state: Literal["waiting", "sent", "given_up"]
    made_at: datetime
    tries: int
    tried_at: datetime | None
    outcome: str | None
    detail: str
    outages: list[str]


class DutyAnswer(BaseModel):
    """Whose job an outage is, in words."""

    zh: str
    en: str


class OutageDetail(OutageAnswer):
    """One outage with what people did about it.

    ``handling`` is open, acknowledged, dispatched, verified or closed, the last two only once it is over by
    measurement. ``contradiction`` is set while somebody said that it is repaired and it is silent still.
    """

    handling: str
    owner: str
    ticket: str
    acknowledged_at: datetime | None
    reported_at: datetime | None
    on_site_at: datetime | None
    repaired_at: datetime | None
    escalated: int
    contradiction: bool
    duty: DutyAnswer
    timeline: list[EventAnswer]
    alerts: list[AlertAnswer]
    messages: list[MessageAnswer]


class ChannelAnswer(BaseModel):
    """One channel to people and whether it takes what it is sent."""

    channel: str
    kind: str
    waiting: int
    oldest_at: datetime | None
    sent: int
    failed: int
    given_up: int


class NotificationList(BaseModel):
    """What people were told. ``alerting`` says whether Alertmanager's heartbeat is heard: alive, silent or never."""

    as_of: datetime
    alerting: Literal["alive", "silent", "never"]
    heartbeat_at: datetime | None
    channels: list[ChannelAnswer]
    messages: list[MessageAnswer]
    alerts: list[AlertAnswer]


class Deed(BaseModel):
    """What somebody says of an outage.

    ``note`` is free text; with ``assign`` it is the owner, with ``ticket`` the carrier's number. ``at`` is when it
    happened (reported, on-site, repaired); now if left out.
    """

    note: Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")] = ""
    at: datetime | None = None


class AlertsKept(BaseModel):
    """What became of a delivery: new alerts, known ones, and messages that were queued."""

    recorded: int
    repeated: int
    queued: int
