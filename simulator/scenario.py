"""Scenarios: what goes wrong when, as a file; and the player that lets it happen.

A scenario is a list of steps ``{at: seconds, fault: ..., target: ..., until: seconds}``; without ``until`` the
fault stays. Built-in ones lie in ``simulator/scenarios/``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final

import yaml

from simulator.county import County
from simulator.errors import SimulationError
from simulator.faults import Fault, fault_from

FOLDER: Final = Path(__file__).parent / "scenarios"


@dataclass(frozen=True, slots=True)
class Step:
    """A fault, and when it is in force: ``[at_s, until_s)`` after the scenario's start."""

    at_s: float
    fault: Fault
    until_s: float | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    steps: tuple[Step, ...] = ()

    def check(self, county: County) -> None:
        """Find out before anything happens.

        Raises:
            SimulationError: a step names what the county does not have; every such step is named.
        """
        wrong = []
        for number, step in enumerate(self.steps, 1):
            try:
                county.touched(step.fault)
            except SimulationError as error:
                wrong.append(f"scenario {self.name}, step {number}: {error}")
        if wrong:
            raise SimulationError("\n".join(wrong))


def built_in() -> tuple[str, ...]:
    """Names of the built-in scenarios."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yml")))


def load(name: str | Path) -> Scenario:
    """A built-in scenario by name, or a scenario from a file.

    Raises:
        SimulationError: no such scenario, or the file is wrong.
    """
    path = FOLDER / f"{name}.yml" if str(name) in built_in() else Path(name)
    if not path.is_file():
        close = get_close_matches(str(name), built_in(), n=1)
        mend = f"Did you mean {close[0]}?" if close else f"Built in are {', '.join(built_in())}; a file works too."
        raise SimulationError(f"there is no scenario {str(name)!r}. {mend}")
    try:
        plain = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SimulationError(f"{path.name}: not readable as YAML: {error}") from error
    return parse(path.stem, plain)


def parse(name: str, plain: object) -> Scenario:
    """A scenario from its plain form.

    Raises:
        SimulationError: not a list of steps, or a step is wrong; every wrong step is named.
    """
    if plain is None:
        plain = []
    if not isinstance(plain, Sequence) or isinstance(plain, str):
        raise SimulationError(f"scenario {name}: a scenario is a list of steps")
    steps, wrong = [], []
    for number, step in enumerate(plain, 1):
        try:
            steps.append(_step(step))
        except SimulationError as error:
            wrong.append(f"scenario {name}, step {number}: {error}")
    if wrong:
        raise SimulationError("\n".join(wrong))
    return Scenario(name, tuple(steps))


def _step(plain: object) -> Step:
    if not isinstance(plain, Mapping):
        raise SimulationError("a step is a mapping with at, fault and target")
    at_s, until_s = _seconds(plain, "at"), _seconds(plain, "until")
    if until_s is not None and until_s <= (at_s or 0.0):
        raise SimulationError(f"until {until_s:g} is not after at {at_s or 0.0:g}")
    fault = fault_from({key: value for key, value in plain.items() if key not in ("at", "until")})
    return Step(at_s or 0.0, fault, until_s)


def _seconds(plain: Mapping[str, object], key: str) -> float | None:
    value = plain.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise SimulationError(f"{key}: {value!r} is no number of seconds")
    return float(value)


class Player:
    """Plays a scenario on a county. Time is an argument: `advance` says when it wants to be called next.

    Raises:
        SimulationError: a step names what the county does not have.
    """

    def __init__(self, scenario: Scenario, county: County) -> None:
        scenario.check(county)
        self._county = county
        begins = [(step.at_s, 1, step.fault) for step in scenario.steps]
        ends = [(step.until_s, 0, step.fault) for step in scenario.steps if step.until_s is not None]
        # At one moment, what ends comes first: [at, until).
        self._events = sorted(begins + ends, key=lambda event: event[:2])

    def advance(self, elapsed_s: float) -> float | None:
        """Let happen what is due.

        Returns:
            When the next event is due, in seconds after the start; None when the scenario is over.
        """
        while self._events and self._events[0][0] <= elapsed_s:
            _, begins, fault = self._events.pop(0)
            if begins:
                self._county.inject(fault)
            elif fault in self._county.faults:  # somebody may have cleared it by hand
                self._county.clear(fault)
        return self._events[0][0] if self._events else None
