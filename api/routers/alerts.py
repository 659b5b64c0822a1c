"""``/v1/alerts``, where Alertmanager tells us, and ``/v1/notifications``: what was told, to whom, and what waits."""

import hmac
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError

from api.answers_outages import (
    AlertAnswer,
    AlertsKept,
    ChannelAnswer,
    MessageAnswer,
    NotificationList,
)
from api.auth import WholeViewer, unauthorised
from api.problems import RESPONSES, ProblemError, refused, responses
from api.receivers.escalation import SILENT_S
from api.receivers.hearing import MOST_BYTES, Notifications, WebhookSaid, hear
from api.routers.context import StandingHere
from api.standing import shown
from ledger import alerts, messages
from ledger.alerts import HeardAlert
from ledger.messages import Message, Outcome

router = APIRouter(tags=["notifications"])

_WEBHOOK = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}}},
        "description": "Alertmanager's webhook payload, version 4; fields that we do not know are left alone.",
    },
    "security": [{"token": []}],
}


def notifications_of(request: Request) -> Notifications:
    notifications: Notifications = request.app.state.notifications
    return notifications


@router.post("/v1/alerts", operation_id="hearAlerts", responses=responses(401, 413, 422, 503), openapi_extra=_WEBHOOK)
async def hear_alerts(request: Request, standing: StandingHere) -> AlertsKept:
    """Alertmanager's webhook: keeps alerts beside their outages and passes them on; repeated, it changes nothing.

    It takes the bearer token of the secret that ``alerting.yml`` names, and no account's.
    """
    notifications = notifications_of(request)
    await run_in_threadpool(_let_in, notifications, request.headers.get("authorization", ""))
    try:
        said = WebhookSaid.model_validate_json(await _body(request))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = "/".join(map(str, first["loc"]))
        raise refused(f"This is no webhook payload of version 4: {where}: {first['msg']}.") from None
    kept = await run_in_threadpool(hear, standing.engine, standing.inventory, notifications, said)
    return AlertsKept(recorded=kept.recorded, repeated=kept.repeated, queued=kept.queued)


def _let_in(notifications: Notifications, header: str) -> None:
    expected = notifications.token()
    if expected is None:
        detail = f"Alerts are not heard: put a token into the secret {notifications.settings.token}, mode 0600."
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "not-configured", detail)
    scheme, _, shown_token = header.partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(shown_token.strip().encode(), expected.encode()):
        raise unauthorised("Alertmanager shows the token of its credentials_file: Authorization: Bearer TOKEN.")


async def _body(request: Request) -> bytes:
    """The body, if it is not endless.

    Raises:
        ProblemError: 413.
    """
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            raise ProblemError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", f"At most {MOST_BYTES} bytes are taken at once."
            )
        parts.append(part)
    return b"".join(parts)


@router.get("/v1/notifications", operation_id="notifications", responses=RESPONSES)
def notifications(
    request: Request,
    view: WholeViewer,
    limit: Annotated[int, Query(ge=1, le=1000, description="Of messages, and of alerts.")] = 100,
) -> NotificationList:
    """Messages to people and the alerts behind them, newest first; whether each channel takes what it is sent."""
    known = notifications_of(request)
    now = known.clock()
    with view.standing.query() as connection:
        told = messages.told(connection, limit=limit)
        heard = alerts.heard(connection, limit=limit)
        backlog = messages.backlog(connection)
        outcomes = messages.outcomes(connection)
    channels = [
        ChannelAnswer(
            channel=name,
            kind=channel.kind,
            waiting=backlog[name][0] if name in backlog else 0,
            oldest_at=shown(backlog[name][1]) if name in backlog else None,
            sent=outcomes[name, Outcome.SENT],
            failed=outcomes[name, Outcome.UNREACHABLE] + outcomes[name, Outcome.REFUSED],
            given_up=outcomes[name, Outcome.GIVEN_UP],
        )
        for name, channel in sorted(known.settings.channels.items())
    ]
    beat = known.heartbeat
    return NotificationList(
        as_of=shown(now),
        alerting="never" if beat is None else "silent" if now - beat > SILENT_S else "alive",
        heartbeat_at=shown(beat),
        channels=channels,
        messages=[message_answer(one) for one in told],
        alerts=[alert_answer(one) for one in heard],
    )


def message_answer(message: Message) -> MessageAnswer:
    return MessageAnswer(
        channel=message.channel,
        title=str(message.document["title"]),
        state=message.state.value,
        made_at=shown(message.made_at),
        tries=message.tries,
        tried_at=shown(message.tried_at),
        outcome=message.last_outcome,
        detail=message.detail,
        outages=list(message.outages),
    )


def alert_answer(heard: HeardAlert) -> AlertAnswer:
    return AlertAnswer(
        alertname=heard.alertname,
        severity=heard.severity,
        status=heard.status,
        receiver=heard.receiver,
        since=shown(heard.starts_at),
        until=shown(heard.ends_at),
        heard_at=shown(heard.recorded_at),
        node=heard.node,
        outage=heard.outage,
        summary=heard.summary,
    )
