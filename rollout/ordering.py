"""The order of a difference: additions, swaps, deletions; and one section after the other, entered and left."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Interface

ADD, SWAP, DELETE = 0, 1, 2

Where = tuple[tuple[str, str], ...]
"""Sections from the root: each its header, and the word that leaves it."""


@dataclass
class Op:
    """One difference: its steps are said together, each in its section.

    Attributes:
        frees, takes: addresses and networks that only one section may hold at a time.
    """

    phase: int
    rank: int
    steps: list[tuple[Where, str]]
    root: str
    frees: set[str] = field(default_factory=set)
    takes: set[str] = field(default_factory=set)


def in_order(ops: Iterable[Op]) -> list[Op]:
    """Phase by phase; in a phase what is referred to before what refers to it, and deletions the other way round."""
    indexed = sorted(
        enumerate(ops),
        key=lambda one: (one[1].phase, -one[1].rank if one[1].phase == DELETE else one[1].rank, one[0]),
    )
    return _untangled([op for _, op in indexed])


def _untangled(ops: list[Op]) -> list[Op]:
    """An address or network is taken from one section before another gets it."""
    for taker in [op for op in ops if op.takes]:
        for giver in [op for op in ops if op is not taker and any(_clash(a, b) for a in op.frees for b in taker.takes)]:
            if ops.index(giver) > ops.index(taker):
                ops.remove(giver)
                ops.insert(ops.index(taker), giver)
    return ops


def said(ops: Iterable[Op]) -> Iterator[str]:
    """The lines of ops, with those that enter and leave their sections."""
    here: Where = ()
    for op in ops:
        for where, line in op.steps:
            shared = 0
            while shared < min(len(here), len(where)) and here[shared] == where[shared]:
                shared += 1
            for _, leave in reversed(here[shared:]):
                yield leave
            for header, _ in where[shared:]:
                yield header
            here = where
            yield from line.split("\n") if line else ()
    for _, leave in reversed(here):
        yield leave


def _clash(one: str, other: str) -> bool:
    if one == other:
        return True
    if not (one.startswith("ip ") and other.startswith("ip ")):
        return False
    try:
        return IPv4Interface(one[3:]).network.overlaps(IPv4Interface(other[3:]).network)
    except ValueError:
        return False
