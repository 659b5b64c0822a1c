"""Comes and goes: a node that changes its state often has one incident that stays open, not a dozen (hysteresis).

It begins to flap at `ENTER` changes within `WINDOW_S`, and stops once fewer than `LEAVE` are left in that window. The
dark time itself is measured elsewhere and exactly; this only says whether a return ends the incident.
"""

from dataclasses import dataclass
from typing import Final

WINDOW_S: Final = 1800.0
ENTER: Final = 4
LEAVE: Final = 2


@dataclass(frozen=True, slots=True)
class Flap:
    """One node's recent changes, oldest first, in Unix seconds; a node without any is `CALM`."""

    changes: tuple[float, ...] = ()
    flapping: bool = False


CALM: Final = Flap()


def after_change(flap: Flap, at: float) -> Flap:
    """The node fell silent, or answered again."""
    return _judged((*flap.changes, at), flap.flapping, at)


def after_time(flap: Flap, at: float) -> Flap:
    """Nothing happened until now."""
    return _judged(flap.changes, flap.flapping, at)


def _judged(changes: tuple[float, ...], flapping: bool, at: float) -> Flap:
    # A clock that was set back leaves changes in the future: they count until the clock passes them again.
    recent = tuple(change for change in changes if change > at - WINDOW_S)[-ENTER:]
    return Flap(recent, len(recent) >= (LEAVE if flapping else ENTER))
