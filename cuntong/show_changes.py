"""What the command line shows of plans and runs: for people, and the same for programs."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from api.times import CHINA
from cuntong.changing.outcomes import outcomes
from ledger.rollouts import Run, RunEvent, RunState
from rollout.plan import DevicePlan, Plan, Readiness


def summary(plan: Plan) -> dict[str, Any]:
    """A plan in a few figures and names."""
    return {
        "title": plan.title,
        "author": plan.author,
        "expires_at": _time(plan.expires_at),
        "devices": {str(one): count for one, count in plan.counts().items() if count},
        "waves": [{"title": wave.title, "devices": list(wave.devices)} for wave in plan.waves],
        "not_ready": [
            {"device": one.device, "readiness": str(one.readiness), "reason": one.reason}
            for one in plan.devices
            if one.readiness not in (Readiness.READY, Readiness.IN_SYNC)
        ],
    }


def planned(plan: Plan) -> RenderableType:
    """A plan wave by wave, then what it cannot change and why."""
    told = " · ".join(f"{count} {one.replace('_', ' ')}" for one, count in plan.counts().items() if count)
    parts: list[RenderableType] = [Text(f"{plan.title}: {told}", style="bold")]
    table = Table("wave", "what", "devices", "lines", "path", "dead-man", "for instance", box=None, header_style="dim")
    for number, wave in enumerate(plan.waves, 1):
        devices = [plan.device(id) for id in wave.devices]
        table.add_row(
            str(number),
            wave.title,
            str(len(devices)),
            str(sum(len(one.commands) for one in devices)),
            _counted(str(one.path_class) for one in devices),
            _counted(str(one.dead_man) for one in devices),
            wave.devices[0],
        )
    if plan.waves:
        parts.append(table)
    parts += [
        Text(f"  {one.device}: {one.readiness.replace('_', ' ')}: {one.reason}", style="yellow")
        for one in plan.devices
        if one.readiness not in (Readiness.READY, Readiness.IN_SYNC)
    ]
    parts += [Text(f"  {line}", style="yellow") for one in plan.devices for line in _warnings(one)]
    return Group(*parts)


def _warnings(device: DevicePlan) -> list[str]:
    return [f"{device.device}: {one.id}: {one.line}: {one.why}" for one in device.hazards if not one.fatal]


def _counted(words: Any) -> str:
    return ", ".join(f"{count} {word}" for word, count in Counter(words).most_common())


def told(event: RunEvent, waves: int) -> str:
    """One line of a run's progress; empty for what nobody watches."""
    match event.kind:
        case "wave":
            return f"wave {event.wave} of {waves}: {event.detail}"
        case "gate":
            return f"  gate: {event.detail}"
        case "device":
            return f"  {event.device}: {event.what}" + (f": {event.detail}" if event.detail else "")
        case "resumed":
            return f"resumed by {event.detail}, {event.what}"
        case "stopping":
            return f"  stopping: {event.detail}"
        case "stopped":
            return f"  stopped: {event.detail}"
        case _:
            return ""


def run_rows(runs: Sequence[Run], now: float) -> list[dict[str, Any]]:
    """Runs, and who leads each: nobody, where it has ended or its controller is gone."""
    return [
        {
            "run": run.id,
            "state": str(run.state),
            "led_by": run.holder if run.state is not RunState.ENDED and run.expires_at > now else None,
            "plan": run.plan[:8],
            "by": run.started_by,
            "since": _time(run.started_at),
        }
        for run in runs
    ]


def run_json(run: Run, plan: Plan, events: Sequence[tuple[int, RunEvent]]) -> dict[str, Any]:
    """A run with what came of each device."""
    done = outcomes(events)
    ended = next((event for _, event in reversed(events) if event.kind == "ended"), None)
    return {
        "run": run.id,
        "state": str(run.state),
        "plan": run.plan,
        "by": run.started_by,
        "since": _time(run.started_at),
        "ended_at": _time(ended.at) if ended else None,
        "why": ended.what if ended else None,
        "devices": [
            {
                "device": id,
                "wave": number,
                "state": str(done[id].state) if id in done else "waiting",
                "reason": done[id].reason if id in done else "",
                "seconds": round(sum(seconds for _, seconds in done[id].steps), 2) if id in done else None,
            }
            for number, wave in enumerate(plan.waves, 1)
            for id in wave.devices
        ],
    }


def run_shown(run: Run, plan: Plan, events: Sequence[tuple[int, RunEvent]]) -> RenderableType:
    """A run for people: what happened, wave by wave, and every device that was not confirmed."""
    done = run_json(run, plan, events)
    head = f"run {run.id} ({run.state}) of plan {run.plan[:8]}, by {run.started_by}, {done['since']}"
    table = Table("wave", "what", "devices", "came to", box=None, header_style="dim")
    for number, wave in enumerate(plan.waves, 1):
        states = _counted(one["state"] for one in done["devices"] if one["wave"] == number)
        table.add_row(str(number), wave.title, str(len(wave.devices)), states)
    told_lines = ((event, told(event, len(plan.waves))) for _, event in events if event.kind != "device")
    lines = [Text(f"{_time(event.at)}  {line}") for event, line in told_lines if line]
    wrong = [
        Text(f"  {one['device']}: {one['state']}: {one['reason']}", style="yellow")
        for one in done["devices"]
        if one["state"] not in ("confirmed", "waiting")
    ]
    return Group(Text(head, style="bold"), table, *lines, *wrong)


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, CHINA).isoformat(timespec="seconds")
