"""Everything known at one moment, judged and counted, each part when it is first asked for.

The next moment is made of the last one by what changed: sites of which the ledger learnt something, and sites that
time alone makes another judgement of. Both ways give the same; a property test holds them to it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from api.claimed import ClaimInForce, InForce
from api.counting import Subjects
from api.judged import Judged, disagreeing, first, lacking_facts
from api.latest import Latest
from api.lazily import Lazily
from api.told import Told, held_by
from health.coverage import EvidenceColumns, State, holds_until, judge_many
from health.rollup import CODE, Rollup
from inventory.divisions import Nodes
from inventory.model import Inventory
from inventory.vocabulary import Aspect, Requirement

Sites = slice | NDArray[np.int64]
EVERY: Final = slice(None)
_MOST: Final = 16
"""Where more than one site of so many is judged anew, all of them are."""


@dataclass(frozen=True, eq=False)
class Moment:
    """What is known at one Unix time, before it is judged.

    Args:
        nodes: the division tree of that day; ``site_nodes`` is the place of each site in it, -1 for none.
        subjects: what each denominator counts; of those without a site, ``spared`` says which divisions need none.
        told: the facts in force, by subject (a site's id or a division's code) and name.
        watched: until when somebody asked, by county; ``watched_until`` the same for each site, NaN for never.
    """

    at: float
    nodes: Nodes
    site_nodes: NDArray[np.int32] = field(repr=False)
    subjects: Mapping[str, Subjects] = field(repr=False)
    spared: NDArray[np.bool_] = field(repr=False)
    told: Told = field(repr=False)
    watched: Mapping[str, float]
    watched_until: NDArray[np.float64] = field(repr=False)
    columns: Mapping[Aspect, Latest] = field(repr=False)
    in_force: InForce = field(repr=False)

    @property
    def claims(self) -> tuple[ClaimInForce | None, ...]:
        """The claim in force on every site."""
        return self.in_force.claims

    def evidence(self, aspect: Aspect, sites: Sites = EVERY) -> EvidenceColumns:
        """The evidence of one aspect, a row for each of these sites."""
        known = self.columns[aspect]
        verdicts = known.verdicts[sites]
        if aspect is Aspect.OPEN:  # people said it, and it holds until they say otherwise: nobody need ask again
            return EvidenceColumns(verdicts, known.proved_at[sites], np.full(len(verdicts), self.at))
        watched = self.watched_until[sites]
        # A site that answers is proved until the end of the watching; what it said once is its last proof else.
        proved = np.where(verdicts == 1, np.fmax(watched, known.since[sites]), known.proved_at[sites])
        return EvidenceColumns(verdicts, proved, watched)


class Rolled(NamedTuple):
    """By requirement how sites stand and which of them contradict their claim; by denominator, too, the counts.

    ``anew`` are the sites that were judged anew since the moment before, None where all may have been.
    """

    judged: Lazily[str, Judged]
    rollups: Lazily[tuple[str, str], Rollup]
    contradicting: Lazily[str, NDArray[np.int64]]
    anew: frozenset[int] | None


@dataclass
class News:
    """Of which sites the ledger learnt something since the last moment, and whether of any fact."""

    verdicts: dict[Aspect, set[int]] = field(default_factory=lambda: {aspect: set() for aspect in Aspect})
    claims: set[int] = field(default_factory=set)
    facts: bool = False


class Roller:
    """Judges and counts moments of one inventory.

    Args:
        stale_after_s: how long after the last watching a verdict still speaks of now.
    """

    def __init__(self, inventory: Inventory, stale_after_s: float) -> None:
        self._inventory = inventory
        self._rules = inventory.coverage_rules
        self._stale_after_s = stale_after_s
        sites = range(len(inventory.sites))
        self._required = np.array([inventory.requirement(at) is Requirement.REQUIRED for at in sites], dtype=np.bool_)
        self._aspects = {name: Aspect(proof) for name, proof in self._rules.requirements.items()}
        self._speakers: dict[str, tuple[Subjects, NDArray[np.int64], NDArray[np.int64]]] = {}

    def aspect(self, requirement: str) -> Aspect:
        return self._aspects[requirement]

    def window_s(self, aspect: Aspect) -> float:
        return self._rules.windows[aspect].total_seconds()

    def rolled(self, moment: Moment) -> Rolled:
        """Nothing is known but the moment itself."""
        return self._rolled(moment, {}, {}, {}, None)

    def advanced(self, earlier: Moment, known: Rolled, moment: Moment, news: News) -> Rolled:
        """As `rolled`; what was asked for of an earlier moment is ready, from that and from what changed since."""
        judged: dict[str, Judged] = {}
        rollups: dict[tuple[str, str], Rollup] = {}
        contradicting: dict[str, NDArray[np.int64]] = {}
        touched = news.claims.union(*news.verdicts.values())
        if self._continues(earlier, moment) and not news.facts:
            for requirement in known.judged.made:
                proof, was = self.aspect(requirement), known.judged[requirement]
                if proof is Aspect.OPEN and moment.columns[proof] is not earlier.columns[proof]:
                    continue
                told = news.verdicts[proof] | news.claims
                if was.soonest <= moment.at:
                    told = told.union(np.flatnonzero(was.until <= moment.at).tolist())
                if len(told) * _MOST > len(was.states):
                    continue
                sites = np.array(sorted(told), dtype=np.int64)
                part = self._judged(requirement, moment, sites, tuple(held[sites] for held in was.held))
                differs = (part.states != was.states[sites]) | (part.works != was.works[sites])
                moved = sites[differs | (part.connected != was.connected[sites])]
                now = judged[requirement] = was.with_these(sites, part, moment.at)
                touched.update(sites.tolist())
                for key in known.rollups.made:
                    if key[0] == requirement:
                        rollups[key] = self._moved(known.rollups[key], moment, key[1], now, moved)
                if requirement in known.contradicting.made:
                    anew = np.zeros(len(was.states), dtype=np.bool_)
                    anew[known.contradicting[requirement]] = True
                    anew[sites] = self._disagreeing(proof, part, moment.in_force.said[sites])
                    contradicting[requirement] = np.flatnonzero(anew)
        same = judged.keys() == set(known.judged.made)
        return self._rolled(moment, judged, rollups, contradicting, frozenset(touched) if same else None)

    def _continues(self, earlier: Moment, moment: Moment) -> bool:
        """Whether the same is counted, and somebody watched on where somebody had watched."""
        same = earlier.subjects is moment.subjects and earlier.told is moment.told and earlier.spared is moment.spared
        if not same or earlier.at > moment.at or earlier.watched.keys() != moment.watched.keys():
            return False
        patience = min(self._stale_after_s, *(self.window_s(self.aspect(one)) for one in self._rules.requirements))
        return all(
            moment.watched[county] == until or (moment.watched[county] > until and moment.at - until < patience)
            for county, until in earlier.watched.items()
        )

    def _rolled(
        self,
        moment: Moment,
        judged: Mapping[str, Judged],
        rollups: Mapping[tuple[str, str], Rollup],
        contradicting: Mapping[str, NDArray[np.int64]],
        anew: frozenset[int] | None,
    ) -> Rolled:
        requirements = self._rules.requirements
        inventory, told = self._inventory, moment.told

        def judge(requirement: str) -> Judged:
            held = tuple(held_by(inventory, told, fact) for fact in self._rules.needs.get(requirement, ()))
            return self._judged(requirement, moment, EVERY, held)

        every = Lazily(requirements, judge, judged)

        def counted(key: tuple[str, str]) -> Rollup:
            places, sites = moment.subjects[key[1]]
            self._speaking(key[1], moment.subjects[key[1]])  # now, and not while the first change is waited for
            one = every[key[0]]
            # Subjects without a site point at -1: the row that is appended for them.
            these = np.append(one.states, np.int8(CODE[State.NOT_BUILT]))[sites]
            these[(sites < 0) & moment.spared[places]] = CODE[State.EXEMPT]
            return Rollup(
                places, these, np.append(one.connected, False)[sites], np.append(one.works, np.int8(0))[sites]
            )

        def contradicted(requirement: str) -> NDArray[np.int64]:
            return np.flatnonzero(self._disagreeing(self.aspect(requirement), every[requirement], moment.in_force.said))

        keys = [(one, name) for one in requirements for name in moment.subjects]
        return Rolled(every, Lazily(keys, counted, rollups), Lazily(requirements, contradicted, contradicting), anew)

    def _judged(self, requirement: str, moment: Moment, sites: Sites, held: tuple[NDArray[np.bool_], ...]) -> Judged:
        """How these sites stand; ``held`` says which of them have each fact that the requirement takes beside."""
        proof = self.aspect(requirement)
        evidence, window_s = moment.evidence(proof, sites), self.window_s(proof)
        connected = moment.in_force.connected[sites]
        # A site that is built and not open is not built for the public: it lost nothing.
        may = connected & (evidence.verdicts != 0) if proof is Aspect.OPEN else connected
        states, works = judge_many(evidence, may, self._required[sites], moment.at, window_s, self._stale_after_s)
        if proof is Aspect.OPEN:
            evidence = EvidenceColumns(evidence.verdicts, evidence.proved_at, np.full(len(states), np.inf))
        until = holds_until(evidence, moment.at, window_s, self._stale_after_s)
        return Judged(lacking_facts(states, held), works, connected, until, held, first(until))

    def _moved(self, known: Rollup, moment: Moment, denominator: str, now: Judged, sites: NDArray[np.int64]) -> Rollup:
        subjects = self._spoken_for(denominator, moment.subjects[denominator], sites.tolist())
        speakers = moment.subjects[denominator][1][subjects]
        return known.changed(subjects, now.states[speakers], now.connected[speakers], now.works[speakers])

    def _spoken_for(self, denominator: str, counted: Subjects, sites: Iterable[int]) -> NDArray[np.int64]:
        """The subjects for which these sites speak: of most there is one, of some none or several."""
        order, sorted_sites = self._speaking(denominator, counted)
        spans = [np.searchsorted(sorted_sites, (site, site + 1)) for site in sites]
        return np.concatenate([np.empty(0, dtype=np.int64), *(order[low:high] for low, high in spans)])

    def _speaking(self, denominator: str, counted: Subjects) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The subjects in order of the sites that speak for them, and these sites."""
        found = self._speakers.get(denominator)
        if found is None or found[0] is not counted:
            order = np.argsort(counted[1], kind="stable")
            found = self._speakers[denominator] = counted, order, counted[1][order]
        return found[1:]

    @staticmethod
    def _disagreeing(proof: Aspect, judged: Judged, said: NDArray[np.bool_]) -> NDArray[np.bool_]:
        if proof is Aspect.OPEN:  # a claim and another word of people: nothing was measured
            return np.zeros(len(said), dtype=np.bool_)
        return disagreeing(judged, said)
