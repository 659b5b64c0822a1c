"""When something last changed in each division, so that ready answers about the others still hold."""

from collections.abc import Iterable

import numpy as np

from inventory.divisions import Nodes


class Touched:
    """For every division the number of the snapshot in which anything beneath it was last judged anew."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._newest = np.zeros(len(nodes), dtype=np.int64)

    def mark(self, number: int, places: Iterable[int]) -> None:
        """Something changed at these places, which is to say: in every division above, too."""
        for place in places:
            at = place
            while at >= 0 and self._newest[at] != number:
                self._newest[at] = number
                at = self._nodes.parents[at]

    def mark_all(self, number: int) -> None:
        self._newest[:] = number

    def holds(self, place: int, number: int) -> bool:
        """Whether what snapshot ``number`` says of a division is still so."""
        return bool(self._newest[place] <= number)
