"""What came of each device of a run, read from the run's events."""

import json
from collections.abc import Sequence

from ledger.rollouts import RunEvent
from rollout.change import ChangeState, Outcome


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
