"""A check of one expected value, and how two values are held to be the same."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Expected = Mapping[str, Any]


@dataclass(frozen=True)
class Check:
    """One expected value. ``ours`` is what we have instead, where it is not the same."""

    kind: str
    field: str
    expected: str
    ours: str
    same: bool

    def __str__(self) -> str:
        return f"{self.kind} {self.field}: {self.expected} expected, ours {self.ours}"


def folded(value: object) -> str:
    return " ".join(str(value or "").split()).casefold()


def near(a: float, b: float, tolerance: float = 0.001, least: float = 0.0006) -> bool:
    return abs(a - b) <= max(tolerance * abs(b), least)


def take(left: list[float], value: float, tolerance: float = 0.001, least: float = 0.0006) -> bool:
    """Whether ``left`` holds this value; if so it is used up."""
    same = [mine for mine in left if near(mine, value, tolerance, least)]
    if same:
        left.remove(min(same, key=lambda mine: abs(mine - value)))
    return bool(same)


def shown(left: Iterable[object]) -> str:
    texts = [f"{value:g}" if isinstance(value, float) else str(value) for value in left]
    return f"{', '.join(texts[:6])}{', ...' if len(texts) > 6 else ''}" if texts else "nothing"
