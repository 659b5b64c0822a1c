"""Takes messages out of the queue and sends them: a worker for each channel, so that a dead one delays nobody.

Within a channel the order is kept. One that cannot be reached is tried again after 2, 4, 8 ... seconds, at most five
minutes apart, for as long as it takes. A message that is refused stands aside while the others go on, and is given up
after a day. Nothing is sent faster than the channel allows.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from api.actions import incidents
from api.receivers import sending
from api.receivers.hearing import Notifications
from api.receivers.notice import Notice
from exporter.alertmanager.channels import Channel
from ledger import messages
from ledger.messages import Message, Outcome

log = logging.getLogger(__name__)

Send = Callable[[Channel, Notice, Sequence[str], sending.OpenSecret, float], tuple[Outcome, str]]

LOOK_S: Final = 1.0
_LONGEST_WAIT_S: Final = 300.0
_ASIDE_S: Final = 60.0
_GIVE_UP_S: Final = 86_400.0
_WINDOW_S: Final = 60.0
_HOLD_S: Final = 60.0  # longer than a try takes
_TAKEN_S: Final = 15.0  # until we ask again whether the other sender is still there
_LOOK_AT: Final = 50  # messages of a channel that are considered at once: some may stand aside


class Delivery:
    """Sends what waits.

    Args:
        holder: names this process; two on one ledger share the channels and never both send on one.
        send: `api.receivers.sending.send` but in tests.
    """

    def __init__(self, engine: Engine, notifications: Notifications, holder: str, send: Send = sending.send) -> None:
        self._engine, self._notifications, self._holder, self._send = engine, notifications, holder, send
        self._channels = notifications.settings.channels
        self._clock = notifications.clock

    async def run(self) -> None:
        """Until cancelled. A ledger that does not answer is waited for."""
        loop = asyncio.get_running_loop()
        busy: dict[str, asyncio.Future[float]] = {}
        due: dict[str, float] = {}
        pool = ThreadPoolExecutor(max(1, len(self._channels)), thread_name_prefix="channel")
        try:
            while True:
                for name, future in list(busy.items()):
                    if future.done():
                        del busy[name]
                        due[name] = loop.time() + self._pause(name, future)
                try:
                    backlog = await asyncio.to_thread(self._waiting)
                except DBAPIError as error:
                    log.warning("the ledger does not tell which messages wait: %s", error.orig)
                    backlog = []
                for name in backlog:
                    if name not in busy and due.get(name, 0.0) <= loop.time():
                        busy[name] = loop.run_in_executor(pool, self.step, name)
                await asyncio.sleep(LOOK_S)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def step(self, name: str) -> float:
        """Send what a channel may be sent now; the seconds after which it is worth looking again.

        Raises:
            DBAPIError: the ledger does not answer.
        """
        channel = self._channels[name]
        if not messages.hold(self._engine, name, self._holder, self._clock(), _HOLD_S):
            return _TAKEN_S
        while True:
            now = self._clock()
            with self._engine.connect() as connection:
                waiting = messages.waiting(connection, name, _LOOK_AT)
                tries = messages.tries_since(connection, name, now - _WINDOW_S)
            if not waiting:
                return 0.0
            if len(tries) >= channel.per_minute:
                return tries[-channel.per_minute] + _WINDOW_S - now
            found, wait_s = next_of(waiting, now)
            if found is None:
                return wait_s
            if not messages.hold(self._engine, name, self._holder, now, _HOLD_S):
                return _TAKEN_S
            self._try(channel, found)

    def _try(self, channel: Channel, message: Message) -> None:
        outcome, detail = self._send(
            channel,
            Notice.from_plain(message.document),
            message.outages,
            self._notifications.open_secret,
            self._clock(),
        )
        now = self._clock()
        if outcome is Outcome.REFUSED and now - message.made_at >= _GIVE_UP_S:
            outcome = Outcome.GIVEN_UP
        with self._engine.begin() as connection:
            messages.note(connection, message, outcome, detail, now)
            if outcome is Outcome.SENT:
                for outage in message.outages:
                    incidents.notify(connection, outage, "cuntong", now, now, message.channel)
        if outcome is not Outcome.SENT:
            log.warning("message %d to %s: %s (%s)", message.id, message.channel, outcome, detail)

    def _waiting(self) -> list[str]:
        with self._engine.connect() as connection:
            return [name for name in messages.backlog(connection) if name in self._channels]

    def _pause(self, name: str, future: "asyncio.Future[float]") -> float:
        error = future.exception()
        if error is None:
            return future.result()
        if not isinstance(error, DBAPIError):
            # A bug in one channel's form must not silence the others; the log has its traceback.
            log.error("the channel %s failed", name, exc_info=error)
        return _LONGEST_WAIT_S if not isinstance(error, DBAPIError) else LOOK_S


def next_of(waiting: Sequence[Message], now: float) -> tuple[Message | None, float]:
    """Which message to try now, else how many seconds until there is one.

    Args:
        waiting: of one channel, oldest first; at least one.
    """
    soonest = _LONGEST_WAIT_S
    for message in waiting:
        at = _again_at(message)
        if at <= now:
            return message, 0.0
        soonest = min(soonest, at - now)
        if message.last_outcome is Outcome.UNREACHABLE:  # the others would find nobody there either
            break
    return None, soonest


def _again_at(message: Message) -> float:
    if message.tried_at is None:
        return message.made_at
    first, longest = (_ASIDE_S, 3600.0) if message.last_outcome is Outcome.REFUSED else (1.0, _LONGEST_WAIT_S)
    return message.tried_at + min(longest, first * float(2 ** min(message.tries, 20)))
