"""How every site stands on one requirement at one time, before it is counted."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from api.latest import Latest, Reasons
from api.times import midnight
from api.told import Told, every_site
from health.coverage import State, Unknown
from health.rollup import CODE
from inventory.model import Inventory

NOT_OPEN = "not_open"
_SAME_S: Final = 60.0


class Judged(NamedTuple):
    """A row a site: state codes, what works now (1, 0, -1 unknown), whether its claim says connected.

    Until ``until`` (Unix seconds) time alone changes nothing of it, and before ``soonest`` nothing of any row; ``held``
    has a column for each fact that it takes.
    """

    states: NDArray[np.int8]
    works: NDArray[np.int8]
    connected: NDArray[np.bool_]
    until: NDArray[np.float64]
    held: tuple[NDArray[np.bool_], ...]
    soonest: float

    def with_these(self, sites: NDArray[np.int64], part: "Judged", at: float) -> "Judged":
        """The same but for some sites, of which ``part`` has the rows as they are at Unix time ``at``."""
        states, works = self.states.copy(), self.works.copy()
        connected, until = self.connected.copy(), self.until.copy()
        states[sites], works[sites], connected[sites], until[sites] = (
            part.states,
            part.works,
            part.connected,
            part.until,
        )
        # Looked for again only once the one that is known has come: the column of a whole country is long.
        soonest = min(self.soonest, first(part.until)) if self.soonest > at else first(until)
        return Judged(states, works, connected, until, self.held, soonest)


def first(times: NDArray[np.float64]) -> float:
    """The earliest, infinite where there is none; NaN is never."""
    return float(np.fmin.reduce(times, initial=np.inf))


def lacking_facts(states: NDArray[np.int8], held: Sequence[NDArray[np.bool_]]) -> NDArray[np.int8]:
    """States of a requirement that takes facts beside its proof: what is proved and lacks one is not built."""
    for one in held:
        proved = (states == CODE[State.COVERED]) | (states == CODE[State.DEGRADED])
        states = np.where(proved & ~one, np.int8(CODE[State.NOT_BUILT]), states)
    return states


class Openness:
    """Which sites are open to the public (对外办公), by what the inventory declares and by dated facts, which win.

    Open is what people say: it differs from built and from measured.
    """

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        said = [inventory.openness(site) for site in range(len(inventory.sites))]
        self._open = np.array([-1 if open is None else int(open) for open, _ in said], dtype=np.int8)
        self._newest: tuple[Told, float, Latest] | None = None
        self._opened = np.array([np.nan if day is None else midnight(day) for _, day in said], dtype=np.float64)

    def latest(self, told: Told, at: float) -> Latest:
        """The word in force on every site at Unix time ``at``; a fact's proof is as old as the fact.

        What nobody said otherwise within a minute is not looked up again: the country's sites are many.
        """
        newest = self._newest
        if newest is not None and 0 <= at - newest[1] < _SAME_S and newest[0] == told:
            return newest[2]
        found = self._latest(told, at)
        self._newest = dict(told), at, found
        return found

    def _latest(self, told: Told, at: float) -> Latest:
        count = len(self._open)
        later = self._opened > at  # NaN compares false
        open = (self._open != 0) & ~later & ((self._open == 1) | ~np.isnan(self._opened))
        closed = (self._open == 0) | later
        verdicts = np.where(open, 1, np.where(closed, 0, -1)).astype(np.int8)
        since = np.where(np.isnan(self._opened) & (verdicts >= 0), at, self._opened)
        reasons = Reasons.of([Unknown.NEVER_REPORTED.value] * count)
        for site in np.flatnonzero(closed).tolist():
            reasons[site] = NOT_OPEN
        found = Latest(verdicts, since, np.where(open, at, np.nan), reasons)
        for site, fact in every_site(self._inventory, told, "open").items():
            day = midnight(fact.happened_on)
            found.verdicts[site], found.since[site] = int(bool(fact.value)), day
            found.proved_at[site] = day if fact.value else np.nan
            found.reasons[site] = "" if fact.value else NOT_OPEN
        return found


def disagreeing(judged: Judged, said: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of which sites claim and measurement disagree; see `health.coverage.contradiction`."""
    denied = judged.connected & ((judged.works == 0) | (judged.states == CODE[State.LOST]))
    unsaid = said & ~judged.connected & (judged.works == 1)
    found: NDArray[np.bool_] = (denied | unsaid) & (judged.states != CODE[State.EXEMPT])
    return found
