"""Dated targets: a milestone is a conjunction of conditions per site, and a share of sites that must meet it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from inventory.vocabulary import Aspect, Claim, Verdict

_LADDER: Final = (Claim.PLANNED, Claim.BUILT, Claim.CONNECTED, Claim.ACCEPTED, Claim.IN_SERVICE)


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """What a milestone may ask of one site.

    Args:
        proved: for each aspect, whether it was proved within its window.
        attachments: networks that the site is attached to, such as ``extranet``.
        classes: classes of the devices that it has.
    """

    claim: Claim | None
    open: bool
    proved: Mapping[Aspect, Verdict]
    attachments: Collection[str]
    classes: Collection[str]


def failing(conditions: Iterable[str], facts: SiteFacts) -> list[str]:
    """The conditions that the site does not meet, in the order given; unknown is not met."""
    return [condition for condition in conditions if not _holds(condition, facts)]


def _holds(condition: str, facts: SiteFacts) -> bool:
    if condition in _LADDER:
        return facts.claim in _LADDER[_LADDER.index(Claim(condition)) :]
    if condition in tuple(Aspect):
        return facts.proved.get(Aspect(condition)) is Verdict.YES
    if condition == "open":
        return facts.open
    return condition in facts.attachments or condition in facts.classes


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a milestone is met.

    Args:
        missing: each site that does not meet it, with the conditions that fail.
        target_ratio: 0 to 1; None where the target has no figure.
    """

    met: int
    asked: int
    target_ratio: float | None
    missing: Mapping[int, Sequence[str]]

    @property
    def ratio(self) -> float | None:
        return self.met / self.asked if self.asked else None

    @property
    def reached(self) -> bool | None:
        """None where nothing is asked, or the target has no figure."""
        if self.ratio is None or self.target_ratio is None:
            return None
        return self.ratio >= self.target_ratio


def progress(conditions: Sequence[str], target_ratio: float | None, sites: Mapping[int, SiteFacts]) -> Progress:
    """Progress of one milestone over the sites in its scope."""
    missing = {site: fails for site, facts in sites.items() if (fails := failing(conditions, facts))}
    return Progress(len(sites) - len(missing), len(sites), target_ratio, missing)


def overdue(due: date, today: date, reached: bool | None) -> bool:
    """Whether a target was to be reached by a day that is over; the day itself still counts."""
    return today > due and reached is not True
