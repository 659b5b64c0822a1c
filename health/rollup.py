"""Counting states over subtrees in memory (decision D10): prefix sums over depth-first order, no SQL.

The subjects of a denominator (the villages, say) stand in depth-first order of the division tree, so each division
is an interval and a count is a difference of two rows. What changed since the sums were made stands beside them in
the same way, a sum over the changed subjects alone: a change costs as much as has changed, not as much as there is.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from health.coverage import State

STATES: Final = tuple(State)
CODE: Final[Mapping[State, int]] = {state: code for code, state in enumerate(STATES)}


@dataclass(frozen=True)
class Figures:
    """How a set of subjects stands. Exempt ones are counted apart and leave the denominator.

    Args:
        states: how many subjects are in each state.
        claimed: subjects whose claim says connected.
        works: subjects that work now; ``works_unknown`` nobody can tell.
    """

    states: Mapping[State, int]
    claimed: int
    works: int
    works_unknown: int

    @property
    def denominator(self) -> int:
        return sum(self.states.values()) - self.states[State.EXEMPT]

    @property
    def numerator(self) -> int:
        return self.states[State.COVERED] + self.states[State.DEGRADED]

    @property
    def unknown(self) -> int:
        return self.states[State.UNKNOWN]

    @property
    def ratio(self) -> float | None:
        """Covered share; None without a denominator. Its lower bound, too: an unknown counts as not covered."""
        return self.numerator / self.denominator if self.denominator else None

    @property
    def ratio_max(self) -> float | None:
        """The share if every unknown subject were covered."""
        return (self.numerator + self.unknown) / self.denominator if self.denominator else None


_MOVED_LEAST: Final = 64
_MOVED_PART: Final = 64
"""Sums are made anew once more than one subject of so many has changed since."""


class Rollup:
    """States of the subjects of one denominator, ready to be counted for any subtree. It never changes.

    Args:
        positions: for each subject its node's place in the depth-first order, ascending.
        states: state codes (`CODE`), one per subject.
        claimed: whether its claim says connected.
        works: 1 works now, 0 does not, -1 unknown.
    """

    def __init__(
        self,
        positions: Sequence[int] | NDArray[np.int64],
        states: NDArray[np.int8],
        claimed: NDArray[np.bool_],
        works: NDArray[np.int8],
    ) -> None:
        self._positions = np.asarray(positions, dtype=np.int64)
        self._states, self._claimed, self._works = states, claimed, works
        self._sums = _summed(_counted(states, claimed, works))
        # Subjects that the sums know otherwise, ascending, and how they stand.
        self._moved: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._moved_rows = states[:0], claimed[:0], works[:0]
        self._moves = _summed(np.empty((0, self._sums.shape[1]), dtype=np.int32))

    def __len__(self) -> int:
        return len(self._positions)

    def changed(
        self,
        subjects: NDArray[np.int64],
        states: NDArray[np.int8],
        claimed: NDArray[np.bool_],
        works: NDArray[np.int8],
    ) -> "Rollup":
        """The rollup in which some subjects stand otherwise; the same as one that is made of all of them anew.

        Args:
            subjects: which ones, by their place in this rollup, each once; the others are a row for each of them.
        """
        if not len(subjects):
            return self
        moved = np.sort(np.concatenate((self._moved, subjects)))
        moved = moved[np.append(True, moved[1:] != moved[:-1])]
        if len(moved) > max(_MOVED_LEAST, len(self) // _MOVED_PART):
            every = self._states.copy(), self._claimed.copy(), self._works.copy()
            for column, earlier, new in zip(every, self._moved_rows, (states, claimed, works), strict=True):
                column[self._moved] = earlier
                column[subjects] = new
            return Rollup(self._positions, *every)
        rows = self._states[moved], self._claimed[moved], self._works[moved]
        before, these = np.searchsorted(moved, self._moved), np.searchsorted(moved, subjects)
        for column, earlier, new in zip(rows, self._moved_rows, (states, claimed, works), strict=True):
            column[before] = earlier
            column[these] = new
        found = copy(self)
        found._moved, found._moved_rows = moved, rows
        found._moves = _summed(_counted(*rows) - (self._sums[moved + 1] - self._sums[moved]))
        return found

    def states(self, start: int, end: int) -> list[tuple[int, int]]:
        """Position and state code of every subject of a subtree, in order."""
        low, high = np.searchsorted(self._positions, (start, end))
        states = self._states[low:high].copy()
        first, last = np.searchsorted(self._moved, (low, high))
        states[self._moved[first:last] - low] = self._moved_rows[0][first:last]
        return list(zip(self._positions[low:high].tolist(), states.tolist(), strict=True))

    def figures(self, start: int, end: int) -> Figures:
        """Of the subtree that is the interval ``[start, end)`` of the depth-first order."""
        low, high = np.searchsorted(self._positions, (start, end))
        counts = self._sums[high] - self._sums[low]
        if len(self._moved):
            first, last = np.searchsorted(self._moved, (low, high))
            counts += self._moves[last] - self._moves[first]
        row = counts.tolist()
        claimed, works, works_unknown = row[len(STATES) :]
        return Figures(dict(zip(STATES, row, strict=False)), claimed, works, works_unknown)


def _counted(states: NDArray[np.int8], claimed: NDArray[np.bool_], works: NDArray[np.int8]) -> NDArray[np.int32]:
    """For each subject a row of what it counts for: its state; claimed, works, nobody knows, unless it is exempt."""
    exempt = states == CODE[State.EXEMPT]
    columns = [states == code for code in range(len(STATES))]
    columns += [claimed & ~exempt, (works == 1) & ~exempt, (works == -1) & ~exempt]
    return np.stack(columns, axis=1).astype(np.int32)


def _summed(rows: NDArray[np.int32]) -> NDArray[np.int32]:
    """Sums of the rows before each place, and of all."""
    sums = np.zeros((len(rows) + 1, rows.shape[1]), dtype=np.int32)
    np.cumsum(rows, axis=0, dtype=np.int32, out=sums[1:])
    return sums
