"""What the next shift has to know: what is broken and who is at it, what will be done tonight, what changed since."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from api import outage_facts
from api.handling import handling_of
from api.standing import CHINA, Standing
from health.maintenance import Reach, Window
from health.outage import Outage
from inventory.model import Inventory
from ledger import handovers, history, jobs, maintenance, messages, outage_notes, rollouts, tasks
from ledger.rollouts import RunState
from ledger.tasks import TaskState

AHEAD_S: Final = 24 * 3600.0
_LONGEST_S: Final = 7 * 86400.0
"""Without a handover before, this far back is told."""
_RUNS: Final = 50


def shift(standing: Standing) -> dict[str, Any]:
    """A shift as plain data: it is shown as it is, and frozen as it is."""
    inventory, now = standing.inventory, standing.now()
    with standing.query() as connection:
        before = next((one for one in handovers.newest(connection, inventory.top) if one.taken_by), None)
        since = now - _LONGEST_S if before is None else max(before.at, now - _LONGEST_S)
        outages = history.outages(connection, since=since)
        open_ones = [one for one in outages if one.until is None]
        return {
            "county": inventory.top,
            "at": _clock(now),
            "since": _clock(since),
            "after": before.id if before is not None else None,
            "open": [_open(standing, connection, one, now) for one in open_ones],
            "ended": [_ended(standing, one) for one in outages if one.until is not None and one.until >= since],
            "work": _work(standing.inventory, connection, now),
            "runs": _runs(connection, since),
            "jobs": _jobs(connection, inventory.top, now),
            "tasks": _tasks(connection, standing),
            "unsent": {name: count for name, (count, _) in sorted(messages.backlog(connection).items()) if count},
        }


def _open(standing: Standing, connection: Connection, one: Outage, now: float) -> dict[str, Any]:
    progress = handling_of(one, outage_notes.of_outage(connection, one.id))
    site, name = outage_facts.name_of(standing.inventory, one)
    return {
        "id": one.id,
        "site": site,
        "name": name,
        "scope": str(one.scope),
        "sites": len(one.sites),
        "since": _clock(one.since),
        "hours": round(one.seconds(now) / 3600, 1),
        "verdict": str(outage_facts.blame_of(one)),
        "reason_zh": outage_facts.reason_of("zh", standing.inventory, one),
        "reason_en": outage_facts.reason_of("en", standing.inventory, one),
        "duty_zh": outage_facts.duty_of("zh", standing.inventory, one),
        "duty_en": outage_facts.duty_of("en", standing.inventory, one),
        "handling": str(progress.state),
        "owner": progress.owner,
        "ticket": progress.ticket,
        "planned": one.window is not None,
    }


def _ended(standing: Standing, one: Outage) -> dict[str, Any]:
    _, name = outage_facts.name_of(standing.inventory, one)
    assert one.until is not None  # noqa: S101  the caller chose those that ended
    return {
        "id": one.id,
        "name": name,
        "since": _clock(one.since),
        "until": _clock(one.until),
        "minutes": round(one.seconds(one.until) / 60),
        "verdict": str(outage_facts.blame_of(one)),
    }


def _work(inventory: Inventory, connection: Connection, now: float) -> list[dict[str, Any]]:
    """Announced work that runs or begins within the next shift."""
    found = []
    for window in maintenance.windows(connection):
        span = window.in_force
        if span is not None and span[1] > now and span[0] < now + AHEAD_S:
            found.append(
                {
                    "id": window.id,
                    "target": window.target,
                    "name": _name(inventory, window),
                    "since": _clock(span[0]),
                    "until": _clock(span[1]),
                    "reason": window.reason,
                    "by": window.by,
                }
            )
    return found


def _name(inventory: Inventory, window: Window) -> str:
    """What people call the place of a window; its id where the inventory no longer has it."""
    target = window.target
    try:
        match window.reach:
            case Reach.DIVISION:
                return inventory.nodes.names[inventory.nodes.find(target)]
            case Reach.DEVICE:
                device = inventory.devices.find(target)
                return f"{inventory.sites.names[device.site]} {device.role}"
            case Reach.SITE:
                return inventory.sites.names[inventory.sites.index[target]]
    except KeyError:
        return target


def _runs(connection: Connection, since: float) -> list[dict[str, Any]]:
    """Changes of routers: those under way, and those that began since."""
    return [
        {
            "id": one.id,
            "plan": one.plan[:12],
            "by": one.started_by,
            "at": _clock(one.started_at),
            "state": str(one.state),
        }
        for one in rollouts.every_run(connection, _RUNS)
        if one.state is not RunState.ENDED or one.started_at >= since
    ]


def _jobs(connection: Connection, county: str, now: float) -> list[dict[str, Any]]:
    """Timed work: what failed the last time, and what is due within the next shift."""
    newest = jobs.newest_runs(connection, county)
    found = []
    for job in jobs.of_county(connection, county):
        last = newest.get(job.name)
        failed = last is not None and last.outcome is jobs.Outcome.FAILED
        if failed or job.due_at < now + AHEAD_S:
            said = last.said.rpartition("\n")[2] if failed and last is not None else ""
            due = _clock(job.due_at)
            found.append({"job": job.name, "due": due, "failed": failed, "said": said})
    return found


def _tasks(connection: Connection, standing: Standing) -> list[dict[str, Any]]:
    """Tasks that are due by tomorrow or late."""
    tomorrow = datetime.fromtimestamp(standing.now() + AHEAD_S, CHINA).date()
    every: Sequence[tasks.Task] = tasks.every(connection)
    return [
        {
            "id": one.id,
            "title": one.assignment.title,
            "owner": one.assignment.owner,
            "due": str(one.due_on),
        }
        for one in every
        if one.state is not TaskState.CLOSED and one.due_on <= tomorrow
    ]


def _clock(at: float) -> str:
    """China's time with its offset: read by people at the terminal, by programs, and in what was signed."""
    return datetime.fromtimestamp(at, CHINA).isoformat(timespec="seconds")
