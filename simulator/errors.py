"""What a make-believe county refuses."""

from collections.abc import Iterable
from difflib import get_close_matches

from inventory.errors import CuntongError


class SimulationError(CuntongError):
    """A scenario, a fault or a personality names what there is not."""


def unknown(what: str, name: str, there_is: Iterable[str]) -> SimulationError:
    """The error for a name that nothing answers to, with the closest names that exist."""
    names = sorted(set(there_is))
    close = _near_codes(name, names) if name.isdecimal() else get_close_matches(name, names, n=3, cutoff=0.5)
    if close:
        mend = f"Did you mean {' or '.join(close)}?"
    elif names:
        mend = f"There are {len(names)}, such as {', '.join(names[:3])}."
    else:
        mend = "There are none."
    return SimulationError(f"{what} {name!r} is not in this county. {mend}")


def _near_codes(code: str, codes: Iterable[str]) -> list[str]:
    """Division codes nearest in the tree: digits mean tiers, so what counts is how many agree from the left."""
    alike = {other: _agreeing(code, other) for other in codes}
    near = [other for other, digits in alike.items() if digits >= 4]
    return sorted(near, key=lambda other: (-alike[other], abs(int(other) - int(code.ljust(12, "0")))))[:3]


def _agreeing(one: str, other: str) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
