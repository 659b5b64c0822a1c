"""Counting states over subtrees in memory (decision D10): prefix sums over depth-first order, no SQL.

The subjects of a denominator (the villages, say) stand in depth-first order of the division tree, so each division
is an interval and a count is a difference of two rows.
"""

from collections.abc import Mapping, Sequence
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


class Rollup:
    """States of the subjects of one denominator, ready to be counted for any subtree.

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
        self._states = states
        exempt = states == CODE[State.EXEMPT]
        columns = [states == code for code in range(len(STATES))]
        columns += [claimed & ~exempt, (works == 1) & ~exempt, (works == -1) & ~exempt]
        self._sums = np.zeros((len(self._positions) + 1, len(columns)), dtype=np.int32)
        np.cumsum(np.stack(columns, axis=1), axis=0, dtype=np.int32, out=self._sums[1:])

    def __len__(self) -> int:
        return len(self._positions)

    def states(self, start: int, end: int) -> list[tuple[int, int]]:
        """Position and state code of every subject of a subtree, in order."""
        low, high = np.searchsorted(self._positions, (start, end))
        return list(zip(self._positions[low:high].tolist(), self._states[low:high].tolist(), strict=True))

    def figures(self, start: int, end: int) -> Figures:
        """Of the subtree that is the interval ``[start, end)`` of the depth-first order."""
        low, high = np.searchsorted(self._positions, (start, end))
        row = (self._sums[high] - self._sums[low]).tolist()
        claimed, works, works_unknown = row[len(STATES) :]
        return Figures(dict(zip(STATES, row, strict=False)), claimed, works, works_unknown)
