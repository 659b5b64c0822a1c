"""The queue of messages to people: each kept until its channel took it, with every try that was made.

One sender at a time holds a channel, by a lease like a collector's: two processes on one ledger say nothing twice.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from ledger.alert_tables import deliveries, messages, senders


class MessageState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    GIVEN_UP = "given_up"


class Outcome(StrEnum):
    """What became of one try."""

    SENT = "sent"
    UNREACHABLE = "unreachable"  # nobody there, or not now: tried for as long as it takes
    REFUSED = "refused"  # it answers and does not take this message
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class Message:
    """One message. ``document`` is plain data; ``tries`` and ``last_outcome`` speak of the deliveries so far."""

    id: int
    channel: str
    outages: tuple[str, ...]
    document: Mapping[str, Any]
    made_at: float
    state: MessageState
    tries: int = 0
    tried_at: float | None = None
    last_outcome: Outcome | None = None
    detail: str = ""


def put(
    connection: Connection,
    channel: str,
    digest: str,
    outages: Sequence[str],
    document: Mapping[str, Any],
    now: float,
    unless_since: float,
) -> bool:
    """Queue a message, unless one of the same content was queued for the channel after ``unless_since``."""
    known = messages.c
    same = select(known.id).where(known.channel == channel, known.digest == digest, known.made_at > unless_since)
    if connection.execute(same.limit(1)).first() is not None:
        return False
    row = {
        "channel": channel,
        "digest": digest,
        "outages": json.dumps(list(outages)),
        "document": json.dumps(document, ensure_ascii=False),
        "made_at": now,
        "state": MessageState.WAITING,
    }
    connection.execute(insert(messages).values(row))
    return True


def waiting(connection: Connection, channel: str, limit: int) -> list[Message]:
    """The oldest messages of a channel that it has not taken."""
    known = messages.c
    query = (
        select(messages)
        .where(known.channel == channel, known.state == MessageState.WAITING)
        .order_by(known.id)
        .limit(limit)
    )
    return _with_tries(connection, connection.execute(query).all())


def told(connection: Connection, *, outage: str | None = None, limit: int = 100) -> list[Message]:
    """Messages, newest first.

    Args:
        outage: only those about it.
    """
    query = select(messages).order_by(messages.c.id.desc()).limit(limit)
    if outage is not None:
        query = query.where(messages.c.outages.contains(json.dumps(outage), autoescape=True))
    return _with_tries(connection, connection.execute(query).all())


def note(connection: Connection, message: Message, outcome: Outcome, detail: str, now: float) -> None:
    """Keep what became of one try; one that was sent or given up waits no longer."""
    row = {"message": message.id, "channel": message.channel, "at": now, "outcome": outcome, "detail": detail}
    connection.execute(insert(deliveries).values(row))
    ended = {Outcome.SENT: MessageState.SENT, Outcome.GIVEN_UP: MessageState.GIVEN_UP}.get(outcome)
    if ended is not None:
        connection.execute(update(messages).where(messages.c.id == message.id).values(state=ended))


def tries_since(connection: Connection, channel: str, since: float) -> list[float]:
    """Unix times of the tries on a channel after ``since``, oldest first."""
    made = deliveries.c
    query = select(made.at).where(made.channel == channel, made.at > since).order_by(made.at)
    return [at for (at,) in connection.execute(query)]


def outcomes(connection: Connection) -> Counter[tuple[str, str]]:
    """How many tries ended how, by channel and outcome."""
    query = select(deliveries.c.channel, deliveries.c.outcome, func.count()).group_by(
        deliveries.c.channel, deliveries.c.outcome
    )
    return Counter({(channel, outcome): number for channel, outcome, number in connection.execute(query)})


def backlog(connection: Connection) -> dict[str, tuple[int, float]]:
    """Of each channel that has not taken everything: how many messages wait, and since when the oldest does."""
    known = messages.c
    query = (
        select(known.channel, func.count(), func.min(known.made_at))
        .where(known.state == MessageState.WAITING)
        .group_by(known.channel)
    )
    return {channel: (number, oldest) for channel, number, oldest in connection.execute(query)}


def hold(engine: Engine, channel: str, holder: str, now: float, seconds: float) -> bool:
    """Take or renew the right to send for a channel; False while somebody else has it."""
    with engine.begin() as connection:
        current = connection.execute(select(senders).where(senders.c.channel == channel)).one_or_none()
        if current is None:
            row = {"channel": channel, "epoch": 1, "holder": holder, "expires_at": now + seconds}
            try:
                with connection.begin_nested():
                    connection.execute(insert(senders).values(row))
            except IntegrityError:  # somebody was quicker
                return False
            return True
        if current.holder != holder and current.expires_at > now:
            return False
        taken = connection.execute(
            update(senders)
            .where(senders.c.channel == channel, senders.c.epoch == current.epoch)
            .values(epoch=current.epoch + 1, holder=holder, expires_at=now + seconds)
        )
        return taken.rowcount == 1


def _with_tries(connection: Connection, rows: Sequence[Any]) -> list[Message]:
    made = deliveries.c
    tries: dict[int, list[Any]] = {}
    ids = [row.id for row in rows]
    for delivery in connection.execute(select(deliveries).where(made.message.in_(ids)).order_by(made.id)):
        tries.setdefault(delivery.message, []).append(delivery)
    found = []
    for row in rows:
        last = tries[row.id][-1] if row.id in tries else None
        found.append(
            Message(
                row.id,
                row.channel,
                tuple(json.loads(row.outages)),
                json.loads(row.document),
                row.made_at,
                MessageState(row.state),
                len(tries.get(row.id, ())),
                last.at if last else None,
                Outcome(last.outcome) if last else None,
                last.detail if last else "",
            )
        )
    return found
