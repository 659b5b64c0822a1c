"""The plan that takes a run back."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from ledger.rollouts import Run
from rollout.change import ChangeState, Outcome
from rollout.plan import Plan, PlannedWave

_HUNK: Final = re.compile(r"@@ -(\S+) \+(\S+) @@")


def way_back(run: Run, plan: Plan, done: Mapping[str, Outcome], author: str, now: float) -> Plan:
    """The plan that undoes what a run confirmed: its approved rollback commands, on what it left behind."""
    confirmed = {id: one for id, one in done.items() if one.state is ChangeState.CONFIRMED}
    devices = tuple(
        replace(
            device,
            fingerprint=confirmed[device.device].fingerprint,
            commands=device.rollback,
            rollback=device.commands,
            diff=reversed_diff(device.diff),
        )
        for device in plan.devices
        if device.device in confirmed
    )
    waves = tuple(
        PlannedWave(wave.title, chosen)
        for wave in plan.waves
        if (chosen := tuple(device for device in wave.devices if device in confirmed))
    )
    return replace(
        plan,
        title=f"Back from run {run.id}: {plan.title}",
        author=author,
        made_at=now,
        expires_at=now + 86_400.0,
        reverses=run.id,
        waves=waves,
        devices=devices,
    )


def reversed_diff(diff: str) -> str:
    """A unified diff read from its end to its beginning: what it added goes, and what it took away comes."""
    told: list[str] = []
    gone: list[str] = []
    new: list[str] = []
    for line in diff.splitlines():
        if line.startswith(("--- ", "+++ ")):
            told.append(line)
        elif line.startswith("+"):
            gone.append(f"-{line[1:]}")
        elif line.startswith("-"):
            new.append(f"+{line[1:]}")
        else:
            told += [*gone, *new, _HUNK.sub(r"@@ -\2 +\1 @@", line)]
            gone, new = [], []
    return "".join(f"{line}\n" for line in (*told, *gone, *new))
