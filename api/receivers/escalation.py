"""Calls the next one: critical outages that nobody acknowledges, and an alerting chain that has fallen silent.

The second is the one thing that the chain itself cannot say: Alertmanager sends us its heartbeat each minute, and once
we have heard it we miss it.
"""

import asyncio
import hashlib
import logging
from typing import Final

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from api import outage_facts
from api.messages import say
from api.receivers.hearing import Notifications
from api.receivers.notice import TITLE_LIMIT, Notice, tidy
from api.receivers.rendering import address_of, outage_lines
from exporter.alertmanager.channels import EscalationStep
from health.outage import Outage
from inventory.model import Inventory
from ledger import alerts, history, messages, outage_notes
from ledger.outage_notes import Note, Step

log = logging.getLogger(__name__)

SILENT_S: Final = 300.0
_LOOK_S: Final = 5.0
_ANSWERED: Final = frozenset(Step) - {Step.NOTIFIED, Step.ESCALATED}
"""Whatever a person did: he who reports an outage to the carrier has seen it."""


class Escalation:
    def __init__(self, engine: Engine, inventory: Inventory, notifications: Notifications) -> None:
        self._engine, self._inventory, self._notifications = engine, inventory, notifications
        self._settings = notifications.settings

    async def run(self) -> None:
        """Until cancelled. A ledger that does not answer is waited for."""
        while True:
            try:
                await asyncio.to_thread(self.look)
            except DBAPIError as error:
                log.warning("the ledger does not tell which outages nobody acknowledged: %s", error.orig)
            await asyncio.sleep(_LOOK_S)

    def look(self) -> int:
        """Queue what is due now; how many steps were taken."""
        with self._engine.begin() as connection:
            self._miss_the_heartbeat(connection)
            if not self._settings.escalation:
                return 0
            now = self._notifications.clock()
            running = {one.id: one for one in history.outages(connection, open_only=True) if one.window is None}
            since = alerts.firing_since(connection, "critical", list(running))
            return sum(self._escalate(connection, running[id], at, now) for id, at in since.items())

    def _escalate(self, connection: Connection, outage: Outage, alerted: float, now: float) -> int:
        if now - alerted < self._settings.escalation[0].after_minutes * 60:
            return 0
        if any(note.step in _ANSWERED for note in outage_notes.of_outage(connection, outage.id)):
            return 0
        taken = 0
        for step in self._settings.escalation:
            if now - alerted < step.after_minutes * 60:
                break
            names = ", ".join(step.channels)
            said = Note(outage.id, Step.ESCALATED, now, "cuntong", names, key=f"after {step.after_minutes} min")
            if outage_notes.record(connection, said, now):
                taken += 1
                self._tell(connection, outage, step, now)
        return taken

    def _tell(self, connection: Connection, outage: Outage, step: EscalationStep, now: float) -> None:
        for name in step.channels:
            language = self._settings.channels[name].language
            why = say(language, "notice.escalated_why", minutes=step.after_minutes)
            call_for(connection, self._inventory, self._notifications, name, outage, why, now)

    def _miss_the_heartbeat(self, connection: Connection) -> None:
        heard, now = self._notifications.heartbeat, self._notifications.clock()
        if heard is None:
            return
        silent = now - heard > SILENT_S
        if silent is (self._notifications.silent_since is not None):
            return
        self._notifications.silent_since = heard if silent else None
        for name in self._settings.tell.get("page", ()):
            language = self._settings.channels[name].language
            lasted = outage_facts.duration(language, now - heard)
            title = say(language, "notice.silent" if silent else "notice.heard_again")
            lines = (say(language, "notice.silent_why", duration=lasted),) if silent else ()
            link = (say(language, "notice.link"), address_of(self._settings.pages, ()))
            notice = Notice(language, silent, title, lines, say(language, "notice.more"), link)
            digest = hashlib.sha256(f"heartbeat {silent} {heard}".encode()).hexdigest()
            messages.put(connection, name, digest, (), notice.as_plain(), now, now - SILENT_S)


def call_for(
    connection: Connection,
    inventory: Inventory,
    notifications: Notifications,
    channel: str,
    outage: Outage,
    why: str,
    now: float,
) -> None:
    """Queue a call for somebody's attention to one outage."""
    settings = notifications.settings
    language = settings.channels[channel].language
    title = say(language, "notice.escalated", name=outage_facts.name_of(inventory, outage)[1])
    lines = [why, *outage_lines(inventory, outage, language, now)]
    notice = Notice(
        language,
        True,
        tidy(title, TITLE_LIMIT),
        tuple(tidy(line) for line in lines),
        say(language, "notice.more"),
        (say(language, "notice.link"), address_of(settings.pages, [outage.id])),
    )
    digest = hashlib.sha256(f"escalated {outage.id} {why}".encode()).hexdigest()
    messages.put(connection, channel, digest, [outage.id], notice.as_plain(), now, now - 60)
