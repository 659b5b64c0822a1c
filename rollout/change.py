"""What one device gets, as the plan says it, and what came of it."""

from dataclasses import dataclass
from enum import StrEnum

from rollout.platform import PathClass, Platform


class DeadMan(StrEnum):
    """What brings a device back by itself when we cannot reach it any more."""

    NONE = "none"
    """Nothing is armed: the change cannot cut the path."""
    COMMIT_DELAY = "commit_delay"
    """Comware 7: ``configuration commit delay``."""
    TIMED_REPLACE = "timed_replace"
    """Comware without it: a scheduled ``configuration replace file``."""
    REBOOT = "reboot"
    """VRP: a scheduled reboot into the saved configuration."""
    OS_TIMER = "os_timer"
    """Linux: a timer of the operating system that reloads the old file."""


class ChangeState(StrEnum):
    """Where one device's change stands."""

    PLANNED = "planned"
    APPROVED = "approved"
    STALE = "stale"
    """The running configuration is not the one that was planned on; nothing was sent."""
    ARMED = "armed"
    APPLIED_UNCONFIRMED = "applied_unconfirmed"
    CONFIRMED = "confirmed"
    ROLLED_BACK = "rolled_back"
    LOST = "lost"
    """It did not come back within its dead-man's time and boot budget."""
    NEEDS_VISIT = "needs_visit"
    """No safe way from here: someone has to stand beside it."""
    FAILED = "failed"
    """Nothing was sent, and why is in the outcome: unreachable, wrong credential, changed key, lock held."""


@dataclass(frozen=True)
class Change:
    """One device's change.

    Attributes:
        device: its id in the inventory.
        fingerprint: sha256 (hex) of the redacted running configuration that the plan was made on.
        commands: configuration-mode lines in order, entering and leaving of sections included. A secret is a
            reference (``secret://...``) as a word of its own; the transaction opens it just before it sends.
        rollback: the same, the way back.
        minutes: of the dead-man; 0 where none is armed.
    """

    device: str
    platform: Platform
    fingerprint: str
    commands: tuple[str, ...]
    rollback: tuple[str, ...]
    path_class: PathClass
    dead_man: DeadMan
    minutes: int


@dataclass(frozen=True)
class Outcome:
    """What came of one change.

    Attributes:
        reason: one sentence for people where the state is not ``confirmed``; empty otherwise.
        fingerprint: of the running configuration when we last read it; empty where we never did.
        steps: name of each step taken and the seconds it took, in order.
    """

    device: str
    state: ChangeState
    reason: str
    fingerprint: str
    steps: tuple[tuple[str, float], ...]
