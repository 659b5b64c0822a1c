"""How much of the watched time a site was reachable. Exact, from intervals; time that nobody watched is unknown."""

from collections.abc import Iterable
from dataclasses import dataclass

from health.outage import Interval, intersect, merge, subtract, total


@dataclass(frozen=True, slots=True)
class Availability:
    """Site-seconds reachable, dark, and not watched. A township is the sum of its villages, never an average."""

    up_s: float
    down_s: float
    unknown_s: float

    @property
    def ratio(self) -> float | None:
        """Share of the watched time, 0 to 1; None where nothing was watched."""
        watched = self.up_s + self.down_s
        return self.up_s / watched if watched else None

    @property
    def watched_ratio(self) -> float | None:
        """Share of the time that was watched, 0 to 1; None for an empty period."""
        period = self.up_s + self.down_s + self.unknown_s
        return (self.up_s + self.down_s) / period if period else None

    def __add__(self, other: "Availability") -> "Availability":
        return Availability(self.up_s + other.up_s, self.down_s + other.down_s, self.unknown_s + other.unknown_s)


def availability(
    dark: Iterable[Interval],
    watched: Iterable[Interval],
    since: float,
    until: float,
    *,
    excluded: Iterable[Interval] = (),
    promised: Iterable[Interval] | None = None,
) -> Availability:
    """Availability of one site over ``[since, until)``.

    Args:
        dark: when it was confirmed dark, whatever the cause; may overlap.
        watched: when a collector was asking; may overlap.
        excluded: what counts neither for nor against it, such as announced maintenance; may overlap.
        promised: when service was promised; None for always.

    Raises:
        ValueError: ``until`` is before ``since``.
    """
    if until < since:
        raise ValueError(f"the period ends at {until}, before it starts at {since}")
    period: list[Interval] = [(since, until)]
    asked = subtract(period if promised is None else intersect(promised, period), excluded)
    watch = intersect(watched, asked)
    down_s = total(intersect(watch, merge(dark)))
    watched_s = total(watch)
    return Availability(watched_s - down_s, down_s, total(asked) - watched_s)
