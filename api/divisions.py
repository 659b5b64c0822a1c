"""A division on a day, what it became, and how its counts compare on two days (``/v1/divisions``, compare)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from api.standing import Snapshot, Standing
from health.coverage import State, Unknown
from health.rollup import CODE, Figures
from inventory.division_history import day_of, stands
from inventory.divisions import Nodes, full_code


@dataclass(frozen=True, slots=True)
class DivisionAnswer:
    """One division as it was on a day.

    Attributes:
        until: the day on which it ended, None while it stands; ``successors`` took over then.
        path: codes from the top down to it, itself included.
        unknown_reason: why nothing is known of it today: it was dissolved.
    """

    code: str
    name: str
    level: int
    kind: str
    since: date | None
    until: date | None
    successors: tuple[str, ...]
    path: tuple[str, ...]
    children: tuple[str, ...]
    unknown_reason: Unknown | None


def division_on(standing: Standing, code: str, day: date) -> DivisionAnswer | None:
    """A division by 2 to 12 digits on a day; None where there was none of this code."""
    inventory = standing.inventory
    full = full_code(code)
    try:
        nodes = inventory.history.nodes_on(day)
    except KeyError:
        return None
    place = nodes.index.get(full)
    if place is None:
        return None
    row = next((row for row in inventory.former if row.code == full and stands(row, day)), None)
    since = day_of(row.since if row is not None else nodes.since[place])
    ended = row is not None and full not in inventory.nodes.index
    return DivisionAnswer(
        full,
        nodes.names[place],
        nodes.levels[place],
        nodes.kinds[place],
        None if since == date.min else since,
        day_of(row.until) if row is not None else None,
        (row.successor,) if row is not None and row.successor else (),
        (*(nodes.codes[above] for above in reversed(nodes.ancestors(place))), full),
        tuple(nodes.codes[child] for child in nodes.children(place)),
        Unknown.DIVISION_DISSOLVED if ended else None,
    )


def counts_by_level(nodes: Nodes) -> dict[int, int]:
    """How many divisions a tree has at each level."""
    return dict(sorted(Counter(nodes.levels).items()))


@dataclass(frozen=True, slots=True)
class Change:
    """A subject that counts otherwise on the later day. ``None`` is a state of a day on which it was not counted."""

    code: str
    name: str
    before: State | None
    after: State | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One division's figures on two moments, and each subject that made the difference."""

    before: Figures
    after: Figures
    changes: Sequence[Change]


def compare(
    standing: Standing, earlier: Snapshot, later: Snapshot, code: str, requirement: str, denominator: str = "default"
) -> Comparison:
    """What changed in a division between two snapshots: won, lost, judged otherwise, or no longer counted.

    Raises:
        KeyError: it is not in the tree of one of the two days.
    """
    was, now = (_states(standing, one, code, requirement, denominator) for one in (earlier, later))
    changes = []
    for subject in sorted(was.keys() | now.keys()):
        before, after = was.get(subject), now.get(subject)
        if before != after:
            nodes = (later if subject in later.nodes.index else earlier).nodes
            changes.append(Change(subject, nodes.names[nodes.index[subject]], before, after))
    return Comparison(
        standing.figures(requirement, denominator, earlier.nodes.find(code), earlier),
        standing.figures(requirement, denominator, later.nodes.find(code), later),
        changes,
    )


def _states(standing: Standing, snapshot: Snapshot, code: str, requirement: str, denominator: str) -> dict[str, State]:
    nodes = snapshot.nodes
    place = nodes.find(code)
    rollup = snapshot.rollups[requirement, denominator]
    codes = {number: state for state, number in CODE.items()}
    return {nodes.codes[at]: codes[state] for at, state in rollup.states(place, nodes.ends[place])}
