"""What came of each device of a run, read from the run's events."""

import json
from collections.abc import Sequence

from sqlalchemy import Connection

from ledger import rollouts
from ledger.rollouts import RunEvent
from rollout.change import ChangeState, Outcome
from rollout.transaction import touched


def outcomes(events: Sequence[tuple[int, RunEvent]]) -> dict[str, Outcome]:
    """What came of each device, from the events of a run."""
    found = {}
    for _, event in events:
        if event.kind == "device":
            told = json.loads(event.detail)
            steps = tuple((str(name), float(seconds)) for name, seconds in told["steps"])
            found[event.device] = Outcome(
                event.device, ChangeState(event.what), told["reason"], told["fingerprint"], steps
            )
    return found


def begun(connection: Connection, run: str, device: str = "") -> set[str]:
    """The devices on which a run may have changed anything: what it began there is settled, whatever came since."""
    steps: dict[str, list[tuple[str, dict[str, str]]]] = {}
    for _, event in rollouts.events(connection, run, kinds=["step"], device=device):
        steps.setdefault(event.device, []).append((event.what, {}))
    return {id for id, recorded in steps.items() if touched(recorded)}
