"""The newest evidence of one aspect in columns, as the ledger tells it, before it is judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inventory.vocabulary import Verdict
from ledger.history import SiteVerdict

NUMBER: Final[Mapping[Verdict, int]] = {Verdict.YES: 1, Verdict.NO: 0, Verdict.UNKNOWN: -1}


@dataclass
class Reasons:
    """A reason a site, as places in a list of the few that there are: such a column is copied at once."""

    places: NDArray[np.int32]
    words: list[str] = field(default_factory=list)
    known: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, reasons: Sequence[str]) -> "Reasons":
        found = cls(np.empty(len(reasons), dtype=np.int32))
        found.places[:] = [found._place(reason) for reason in reasons]
        return found

    def __getitem__(self, site: int) -> str:
        return self.words[int(self.places[site])]

    def __setitem__(self, site: int, reason: str) -> None:
        self.places[site] = self._place(reason)

    def copy(self) -> "Reasons":
        """Shares the list, to which words are only added."""
        return Reasons(self.places.copy(), self.words, self.known)

    def _place(self, reason: str) -> int:
        place = self.known.get(reason)
        if place is None:
            place = len(self.words)
            self.words.append(reason)
            self.known[reason] = place
        return place


@dataclass
class Latest:
    """Newest evidence of one aspect, a row a site."""

    verdicts: NDArray[np.int8]
    since: NDArray[np.float64]
    proved_at: NDArray[np.float64]
    reasons: Reasons

    @classmethod
    def empty(cls, reasons: Sequence[str]) -> "Latest":
        count = len(reasons)
        nothing = np.full(count, np.nan)
        return cls(np.full(count, -1, dtype=np.int8), nothing.copy(), nothing.copy(), Reasons.of(reasons))

    def copy(self) -> "Latest":
        return Latest(self.verdicts.copy(), self.since.copy(), self.proved_at.copy(), self.reasons.copy())

    def take(self, site: int, verdict: SiteVerdict) -> None:
        if verdict.verdict is not Verdict.YES:
            if verdict.proved_at is not None:
                self.proved_at[site] = verdict.proved_at
            elif self.verdicts[site] == 1:
                self.proved_at[site] = verdict.since
        self.verdicts[site] = NUMBER[verdict.verdict]
        self.since[site] = verdict.since
        self.reasons[site] = verdict.reason
