"""Who asks over SNMP: a survey now and then, spread over the fleet, and never somebody else's device."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, cast

import pytest

from collectors.asker import SURVEY_EVERY, SnmpAsker
from collectors.errors import RefusedError
from collectors.snmp.conversation import Polled
from collectors.snmp.target import Target
from collectors.snmp.transport import SnmpTransport
from health.reading import Readings


class Notes:
    """A transport that writes down what it is asked, and answers at once."""

    def __init__(self) -> None:
        self.slow: list[bool] = []
        self.patience: list[tuple[float, int, float]] = []
        self.answer: Any = None

    def poll(
        self,
        target: Target,
        done: Callable[[Target, Any], None],
        *,
        slow: bool,
        timeout_s: float,
        retries: int,
        budget_s: float,
    ) -> None:
        self.slow.append(slow)
        self.patience.append((timeout_s, retries, budget_s))
        done(target, self.answer)


@pytest.fixture
def notes() -> Notes:
    notes = Notes()
    notes.answer = polled(Readings())
    return notes


def polled(readings: Readings | None, error: Exception | None = None) -> Polled:
    return Polled(readings, requests=1, retries=0, rtt_s=None, duration_s=0.01, error=error)


def asker(notes: Notes, count: int = 200) -> SnmpAsker:
    target = Target(("127.0.0.1", 161), b"public", cast("Any", None))
    return SnmpAsker(cast("SnmpTransport", notes), [target] * (count - 1) + [None], 0.5, 2, 5.0)


def test_each_device_is_surveyed_once_in_so_many_polls(notes: Notes) -> None:
    ask = asker(notes).ask
    for _ in range(3 * (SURVEY_EVERY + 1)):
        ask(7, lambda *_: None)
    assert notes.slow.count(True) == 3
    surveys = [n for n, slow in enumerate(notes.slow) if slow]
    assert {later - sooner for sooner, later in pairwise(surveys)} == {SURVEY_EVERY + 1}


def test_surveys_are_spread_over_the_fleet(notes: Notes) -> None:
    ask = asker(notes, 1201).ask
    for _ in range(SURVEY_EVERY):
        for ordinal in range(1200):
            ask(ordinal, lambda *_: None)
    rounds = [sum(notes.slow[start : start + 1200]) for start in range(0, len(notes.slow), 1200)]
    assert max(rounds) <= 2 * 1200 / SURVEY_EVERY


def test_the_answer_comes_back_with_the_device_that_gave_it(notes: Notes) -> None:
    heard: list[tuple[int, Readings | None]] = []
    asker(notes).ask(5, lambda ordinal, readings: heard.append((ordinal, readings)))
    notes.answer = polled(None)
    asker(notes).ask(6, lambda ordinal, readings: heard.append((ordinal, readings)))
    assert heard == [(5, Readings()), (6, None)]
    assert notes.patience == [(0.5, 2, 5.0)] * 2


@pytest.mark.parametrize("error", [RefusedError("usmStatsX", "no such user"), ZeroDivisionError("ours")], ids=repr)
def test_an_answer_that_cannot_be_used_is_a_problem_and_no_silence(
    notes: Notes, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[Readings | None] = []
    notes.answer = polled(None, error)
    asker(notes).ask(5, lambda _, readings: heard.append(readings))
    (readings,) = heard
    assert readings is not None
    assert len(readings.problems) == 1
    assert bool(caplog.records) == isinstance(error, ZeroDivisionError), "only a fault of ours is for the log"


def test_a_device_that_is_not_ours_is_never_asked(notes: Notes) -> None:
    with pytest.raises(ValueError, match="device 199 is not ours"):
        asker(notes).ask(199, lambda *_: None)
    assert notes.slow == []
