"""Where people stand with an outage, derived from what they did and from what is measured; the measurement wins."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from health.outage import Outage
from ledger.outage_notes import Note, Step


class Handling(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    DISPATCHED = "dispatched"  # somebody is at it: an owner, a task, a ticket, a visit
    VERIFIED = "verified"  # it answers again, by measurement
    CLOSED = "closed"  # and somebody has put it away


_DISPATCHED: Final = frozenset(
    {Step.OWNED, Step.ASSIGNED, Step.TICKET, Step.REPORTED, Step.ON_SITE, Step.REPAIRED, Step.CLOSED}
)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an outage was worked on.

    Args:
        owner: who looks after it; ``ticket`` is the carrier's number. Empty where nobody said.
        acknowledged_at: Unix times of the newest of each step; None where nobody said so.
    """

    state: Handling
    owner: str
    ticket: str
    acknowledged_at: float | None
    reported_at: float | None
    on_site_at: float | None
    repaired_at: float | None
    escalated: int


def handling_of(outage: Outage, notes: Sequence[Note]) -> Progress:
    """The state of an outage.

    Args:
        notes: of it, in the order in which they happened.
    """
    newest = {note.step: note for note in notes}
    if outage.until is not None:
        state = Handling.CLOSED if Step.CLOSED in newest else Handling.VERIFIED
    elif newest.keys() & _DISPATCHED:
        state = Handling.DISPATCHED
    else:
        state = Handling.ACKNOWLEDGED if Step.ACKNOWLEDGED in newest else Handling.OPEN

    def at(step: Step) -> float | None:
        return newest[step].happened_at if step in newest else None

    return Progress(
        state,
        newest[Step.OWNED].note if Step.OWNED in newest else "",
        newest[Step.TICKET].note if Step.TICKET in newest else "",
        at(Step.ACKNOWLEDGED),
        at(Step.REPORTED),
        at(Step.ON_SITE),
        at(Step.REPAIRED),
        sum(note.step is Step.ESCALATED for note in notes),
    )
