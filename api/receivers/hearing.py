"""What Alertmanager tells our webhook: kept beside the outages it is about, and passed on to people's channels.

Everything in one transaction: what was answered with 200 is in the ledger, and its messages are queued. Alertmanager
delivers again whatever was not answered so; what is known already changes nothing.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, Engine

from api.receivers.notice import Notice
from api.receivers.rendering import Told, render
from exporter.alertmanager.config import COUNTY, DEADMAN, NOC, PAGE
from exporter.alertmanager.settings import Alerting
from health.outage import Outage
from inventory.errors import CuntongError
from inventory.model import Inventory
from ledger import alerts, history, messages, outage_notes
from ledger.alerts import HeardAlert
from ledger.outage_notes import Step

MOST_ALERTS: Final = 5000
MOST_BYTES: Final = 8 << 20
_SAME_S: Final = 1800.0
"""Alertmanager repeats after hours; the same content within this time is a delivery that was tried again."""
_EARLY_S: Final = 120.0
"""An outage begins at the last answer before the silence; clocks of two machines may differ as well."""

Name = Annotated[str, Field(min_length=1, max_length=128)]
Text = Annotated[str, Field(max_length=8192)]


class _Said(BaseModel):
    """Part of the payload; what we do not know is left alone, since newer versions add to it."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class AlertSaid(_Said):
    status: Literal["firing", "resolved"]
    labels: Annotated[dict[Name, Annotated[str, Field(max_length=1024)]], Field(max_length=64)]
    annotations: Annotated[dict[Name, Text], Field(max_length=64)] = Field(default_factory=dict)
    startsAt: datetime  # noqa: N815  Alertmanager's name
    endsAt: datetime | None = None  # noqa: N815
    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{1,32}$")]


class WebhookSaid(_Said):
    """Alertmanager's webhook payload, version 4."""

    version: Literal["4"]
    receiver: Annotated[str, Field(min_length=1, max_length=256)]
    alerts: Annotated[tuple[AlertSaid, ...], Field(max_length=MOST_ALERTS)]


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of one delivery: alerts that were new, alerts that were known, messages that were queued."""

    recorded: int
    repeated: int
    queued: int


@dataclass(slots=True)
class Notifications:
    """What the webhook works with.

    Args:
        open_secret: a reference to its secret; raises `CuntongError` where there is none.
        heartbeat: Unix time at which Alertmanager's heartbeat was heard last.
        silent_since: set while the heartbeat is missed.
    """

    settings: Alerting
    open_secret: Callable[[str], str]
    clock: Callable[[], float] = time.time
    heartbeat: float | None = None
    silent_since: float | None = field(default=None)

    def token(self) -> str | None:
        """What Alertmanager must show; None where nobody has put a secret there: nothing is heard then."""
        try:
            return self.open_secret(self.settings.token)
        except CuntongError:
            return None


def unheard() -> Notifications:
    """Of a program without the settings of alerting: nobody has the token, and there are no channels."""

    def refuse(reference: str) -> str:
        raise CuntongError(f"There is no secret {reference} here.")

    return Notifications(Alerting(), refuse)


def channels_of(settings: Alerting, receiver: str) -> tuple[str, ...]:
    """The channels that hear what Alertmanager routes to a receiver of our configuration."""
    job = {PAGE: "page", NOC: "noc", COUNTY: "county"}.get(receiver) or receiver.removeprefix(f"{COUNTY}-")
    return settings.tell.get(job, ())


def hear(engine: Engine, inventory: Inventory, notifications: Notifications, said: WebhookSaid) -> Kept:
    """Keep what was told, and queue what people are told of it."""
    now = notifications.clock()
    if said.receiver == DEADMAN:
        notifications.heartbeat = now
        return Kept(0, 0, 0)
    with engine.connect() as connection:
        explained = _explained(connection, said.alerts)
        repaired = _reported_repaired(connection, {one.id for one in explained.values()})
    heard = [_heard(said.receiver, alert, explained.get(alert.fingerprint), now) for alert in said.alerts]
    told = [
        (alert, _told(alert, known, explained.get(alert.fingerprint), repaired))
        for alert, known in zip(said.alerts, heard, strict=True)
    ]
    settings = notifications.settings
    made = [
        _message(inventory, settings, said.receiver, name, told, now) for name in channels_of(settings, said.receiver)
    ]
    # Words are ready before the first row is written: the collector writes into the same ledger and should not wait.
    with engine.begin() as connection:
        recorded = alerts.record(connection, heard)
        queued = sum(
            messages.put(connection, one.channel, one.digest, one.outages, one.notice.as_plain(), now, now - _SAME_S)
            for one in made
            if one is not None
        )
    return Kept(recorded, len(heard) - recorded, queued)


@dataclass(frozen=True, slots=True)
class _Message:
    channel: str
    digest: str
    outages: tuple[str, ...]
    notice: Notice


def node_of(labels: Mapping[str, str]) -> str:
    """The site or device that an alert names; an outage's node is the first of them."""
    return labels.get("node") or labels.get("device") or labels.get("site") or ""


def _explained(connection: Connection, said: Sequence[AlertSaid]) -> dict[str, Outage]:
    """Fingerprint to the outage of the alert's node at its time: the one that runs, else the newest that had begun."""
    named = [(node, one) for one in said if (node := node_of(one.labels))]
    if not named:
        return {}
    by_node: dict[str, list[Outage]] = {}
    # One question for all: a county's worth of alerts resolves at once. Those that ended before the alert began are
    # another story.
    first = min(one.startsAt.timestamp() for _, one in named) - _EARLY_S
    for outage in history.outages(connection, since=first):
        by_node.setdefault(outage.node, []).append(outage)
    found: dict[str, Outage] = {}
    for node, alert in named:
        starts = alert.startsAt.timestamp()
        possible = [
            one
            for one in by_node.get(node, ())
            if one.since <= starts + _EARLY_S and (one.until is None or one.until > starts - _EARLY_S)
        ]
        running = [one for one in possible if one.until is None]
        if running:
            found[alert.fingerprint] = running[0]
        elif possible and alert.status == "resolved":
            found[alert.fingerprint] = possible[0]
    return found


def _reported_repaired(connection: Connection, outages: Iterable[str]) -> set[str]:
    return {id for id in outages if any(note.step is Step.REPAIRED for note in outage_notes.of_outage(connection, id))}


def _heard(receiver: str, alert: AlertSaid, outage: Outage | None, now: float) -> HeardAlert:
    labels = alert.labels
    ends = alert.endsAt.timestamp() if alert.status == "resolved" and alert.endsAt is not None else None
    return HeardAlert(
        _kept(receiver, 64),
        alert.fingerprint,
        alert.status,
        alert.startsAt.timestamp(),
        ends,
        _kept(labels.get("alertname", ""), 64),
        _kept(labels.get("severity", ""), 16),
        _kept(labels.get("scope", ""), 16),
        _kept(labels.get("county", ""), 12),
        _kept(node_of(labels), 96),
        None if outage is None else outage.id,
        _kept(alert.annotations.get("summary", ""), 1024),
        now,
    )


def _kept(text: str, limit: int) -> str:
    """What a column takes: PostgreSQL's text has no NUL, and Alertmanager would deliver a refused one for ever."""
    return text.replace("\0", "")[:limit]


def _told(alert: AlertSaid, known: HeardAlert, outage: Outage | None, repaired: set[str]) -> Told:
    words = alert.annotations
    return Told(
        known.alertname,
        known.severity,
        known.starts_at,
        None if alert.status == "firing" else known.ends_at if known.ends_at is not None else known.recorded_at,
        {"zh": words.get("summary", ""), "en": words.get("summary_en", "")},
        {"zh": words.get("description", ""), "en": words.get("description_en", "")},
        words.get("runbook_url", ""),
        dict(alert.labels),
        outage,
        outage is not None and outage.id in repaired,
    )


def _message(
    inventory: Inventory,
    settings: Alerting,
    receiver: str,
    name: str,
    told: Sequence[tuple[AlertSaid, Told]],
    now: float,
) -> _Message | None:
    """What a channel is told of these alerts; None where it wants to hear of none of them."""
    channel = settings.channels[name]
    wanted = [pair for pair in told if not channel.severities or pair[1].severity in channel.severities]
    if not wanted:
        return None
    identity = sorted((alert.fingerprint, alert.status, alert.startsAt.timestamp()) for alert, _ in wanted)
    digest = hashlib.sha256(json.dumps([receiver, identity]).encode()).hexdigest()
    notice = render(inventory, [one for _, one in wanted], settings.pages, channel.language, now)
    outages = tuple(dict.fromkeys(one.outage.id for _, one in wanted if one.outage is not None))
    return _Message(name, digest, outages, notice)
