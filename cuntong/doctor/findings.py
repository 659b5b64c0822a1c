"""What a check found."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    FINE = "ok"
    WARNING = "warn"
    """Nothing suffers yet."""
    FAILURE = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``mend`` says what to do; empty where nothing is to be done."""

    check: str
    state: State
    said: str
    mend: str = ""


Findings = Iterator[Finding]


def fine(check: str, said: str) -> Finding:
    return Finding(check, State.FINE, said)


def warning(check: str, said: str, mend: str) -> Finding:
    return Finding(check, State.WARNING, said, mend)


def failure(check: str, said: str, mend: str) -> Finding:
    return Finding(check, State.FAILURE, said, mend)
