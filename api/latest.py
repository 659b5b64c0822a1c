"""The newest evidence of one aspect in columns, as the ledger tells it, before it is judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inventory.vocabulary import Verdict
from ledger.history import SiteVerdict

NUMBER: Final[Mapping[Verdict, int]] = {Verdict.YES: 1, Verdict.NO: 0, Verdict.UNKNOWN: -1}


@dataclass
class Latest:
    """Newest evidence of one aspect, a row a site."""

    verdicts: NDArray[np.int8]
    since: NDArray[np.float64]
    proved_at: NDArray[np.float64]
    reasons: list[str]

    @classmethod
    def empty(cls, reasons: Sequence[str]) -> "Latest":
        count = len(reasons)
        nothing = np.full(count, np.nan)
        return cls(np.full(count, -1, dtype=np.int8), nothing.copy(), nothing.copy(), list(reasons))

    def copy(self) -> "Latest":
        return Latest(self.verdicts.copy(), self.since.copy(), self.proved_at.copy(), list(self.reasons))

    def take(self, site: int, verdict: SiteVerdict) -> None:
        if verdict.verdict is not Verdict.YES:
            if verdict.proved_at is not None:
                self.proved_at[site] = verdict.proved_at
            elif self.verdicts[site] == 1:
                self.proved_at[site] = verdict.since
        self.verdicts[site] = NUMBER[verdict.verdict]
        self.since[site] = verdict.since
        self.reasons[site] = verdict.reason
