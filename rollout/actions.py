"""What a transaction can do, as values: the course of a change yields them, `rollout.transaction` performs them."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from rollout.change import ChangeState
from rollout.deadman import Typed

T = TypeVar("T")


@dataclass(frozen=True)
class Action(Generic[T]):
    """Something to do; ``T`` is what it gives back."""


@dataclass(frozen=True)
class Record(Action[None]):
    """Write down, durably, that this step begins."""

    name: str
    detail: Mapping[str, str]


@dataclass(frozen=True)
class MayStart(Action[None]):
    """Raises FencedError where this run may begin nothing new."""


@dataclass(frozen=True)
class Open(Action[bool]):
    """A session in place of the one we have. With ``any_path``, the second path where the first is silent.

    Gives whether it runs over the second path.
    """

    any_path: bool = False


@dataclass(frozen=True)
class TrySecondPath(Action[None]):
    """Open a session over the second path and close it."""


@dataclass(frozen=True)
class Prove(Action[None]):
    """A new session over the first path, which then takes the place of the one we have."""


@dataclass(frozen=True)
class HangUp(Action[None]):
    """Close the session."""


@dataclass(frozen=True)
class ReadRunning(Action[str]):
    """The running configuration, without what a dead-man put into it."""


@dataclass(frozen=True)
class ReadSaved(Action[str | None]):
    """The saved configuration; None where the platform cannot show it."""


@dataclass(frozen=True)
class Ask(Action[str]):
    """What a reading command says."""

    command: str


@dataclass(frozen=True)
class Type(Action[None]):
    """Lines of ours, such as a dead-man's; ends outside the configuration."""

    lines: tuple[Typed, ...]


@dataclass(frozen=True)
class OpenSecrets(Action[None]):
    """Open every reference in the lines, so that a missing secret is known before anything is sent."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Send(Action[None]):
    """Lines of configuration, one by one, stopping at the first that is not accepted."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Save(Action[None]):
    """Make the running configuration the saved one."""


@dataclass(frozen=True)
class KeepBackup(Action[None]):
    text: str


@dataclass(frozen=True)
class RunChecks(Action[str | None]):
    """The service checks; the first complaint, or None."""


@dataclass(frozen=True)
class Now(Action[float]):
    """Unix time."""


@dataclass(frozen=True)
class Sleep(Action[None]):
    """Until that Unix time."""

    until: float


@dataclass(frozen=True)
class Ending:
    state: ChangeState
    reason: str = ""
    fingerprint: str = ""


Result = TypeVar("Result")
Steps = Generator[Action[Any], Any, Result]


def do(action: Action[T]) -> Steps[T]:
    result: T = yield action
    return result


def record(name: str, **detail: object) -> Steps[None]:
    yield Record(name, {key: str(value) for key, value in detail.items()})
