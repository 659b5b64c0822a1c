"""Dated targets: a milestone is a conjunction of conditions per site, and a share of sites that must meet it."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
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
        told: imported facts that hold, such as ``items_listed``.
        conforming: its lines meet the network's standard; a reused line must have been checked.
    """

    claim: Claim | None
    open: bool
    proved: Mapping[Aspect, Verdict]
    attachments: Collection[str]
    classes: Collection[str]
    told: Collection[str] = ()
    conforming: bool = True


def failing(conditions: Iterable[str], facts: SiteFacts) -> list[str]:
    """The conditions that the site does not meet, in the order given; unknown is not met."""
    return [condition for condition in conditions if not _holds(condition, facts)]


def _holds(condition: str, facts: SiteFacts) -> bool:
    if condition in _LADDER:
        return facts.claim in _LADDER[_LADDER.index(Claim(condition)) :]
    if condition == "open":
        return facts.open
    if condition == "conforming":
        return facts.conforming
    if condition in tuple(Aspect) and facts.proved.get(Aspect(condition)) is Verdict.YES:
        return True
    return condition in facts.attachments or condition in facts.classes or condition in facts.told


def needed_of(asked: int, target_ratio: float) -> int:
    """How many of ``asked`` make up a share: 70 % of 30 is 21, whatever binary fractions say."""
    share = Fraction(str(target_ratio)) * asked
    return -(-share.numerator // share.denominator)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a milestone is met.

    Args:
        target_ratio: 0 to 1; None where the target has no figure.
        missing: each site that does not meet it, with the conditions that fail.
    """

    met: int
    asked: int
    target_ratio: float | None
    missing: Mapping[int, Sequence[str]]

    @property
    def ratio(self) -> float | None:
        return self.met / self.asked if self.asked else None

    @property
    def needed(self) -> int | None:
        """How many must meet it; None where the target has no figure."""
        return None if self.target_ratio is None else needed_of(self.asked, self.target_ratio)

    @property
    def behind(self) -> int | None:
        """How many are still lacking to the target, 0 where it is reached."""
        return None if self.needed is None else max(0, self.needed - self.met)

    @property
    def reached(self) -> bool | None:
        """None where nothing is asked, or the target has no figure."""
        return None if not self.asked or self.behind is None else self.behind == 0


def progress(conditions: Sequence[str], target_ratio: float | None, sites: Mapping[int, SiteFacts]) -> Progress:
    """Progress of one milestone over the sites in its scope."""
    missing = {site: fails for site, facts in sites.items() if (fails := failing(conditions, facts))}
    return Progress(len(sites) - len(missing), len(sites), target_ratio, missing)


def overdue(due: date, today: date, reached: bool | None) -> bool:
    """Whether a target was to be reached by a day that is over; the day itself still counts."""
    return today > due and reached is not True


@dataclass(frozen=True, slots=True)
class Pace:
    """What is left to do and whether it will be done.

    Args:
        required_per_week: sites a week from today until the due day; None where nothing is left or no time is.
        actual_per_week: sites a week over the last weeks of the series; None with less than two points.
        forecast: the day on which the target is reached if it goes on like this; None where it never is.
    """

    required_per_week: float | None
    actual_per_week: float | None
    forecast: date | None


_LOOK_BACK: Final = timedelta(weeks=8)


def pace(series: Sequence[tuple[date, int]], needed: int, due: date, today: date) -> Pace:
    """The pace of a milestone from its burn-up.

    Args:
        series: how many sites met it on which day, in order of days; the last point is today's.
    """
    met = series[-1][1] if series else 0
    left = max(0, needed - met)
    days_left = (due - today).days + 1
    required = left / days_left * 7 if left and days_left > 0 else None
    recent = [point for point in series if point[0] >= today - _LOOK_BACK]
    actual = forecast = None
    if len(recent) > 1 and recent[-1][0] > recent[0][0]:
        days = (recent[-1][0] - recent[0][0]).days
        actual = (recent[-1][1] - recent[0][1]) / days * 7
    if not left:
        forecast = next((day for day, count in series if count >= needed), today)
    elif actual is not None and actual > 0:
        forecast = today + timedelta(days=-int(-left // (actual / 7)))
    return Pace(required, actual, forecast)


def planned_share(stages: Sequence[tuple[date, date, float | None]], day: date) -> float | None:
    """The share (0 to 1) that a staged plan wants on a day: straight lines from stage to stage; None without figures.

    Args:
        stages: since, due and the share at the end, in order.
    """
    told = [(since, due, ratio) for since, due, ratio in stages if ratio is not None]
    if not told:
        return None
    reached = 0.0
    for since, due, ratio in told:
        if day >= due:
            reached = ratio
        elif day > since:
            return reached + (ratio - reached) * ((day - since).days / max(1, (due - since).days))
        else:
            break
    return reached


@dataclass(frozen=True, slots=True)
class QuotaStanding:
    """How many sites a division has of those that it is to name."""

    division: str
    wanted: int
    named: int

    @property
    def ok(self) -> bool:
        return self.named == self.wanted


@dataclass(frozen=True, slots=True)
class Quotas:
    """A milestone of quotas: pilots by division, and over all."""

    standings: tuple[QuotaStanding, ...] = field(default=())

    @property
    def wanted(self) -> int:
        return sum(one.wanted for one in self.standings)

    @property
    def named(self) -> int:
        """What counts towards the total: more than wanted in one division does not make up for another's lack."""
        return sum(min(one.named, one.wanted) for one in self.standings)

    @property
    def amiss(self) -> tuple[QuotaStanding, ...]:
        """Divisions with too few or too many."""
        return tuple(one for one in self.standings if not one.ok)


def quotas(wanted: Sequence[tuple[str, int]], count_in: Callable[[str], int]) -> Quotas:
    """Each division's quota beside what it has.

    Args:
        wanted: code and count of each.
        count_in: how many a division has, without those of divisions below that have a quota of their own.
    """
    return Quotas(tuple(QuotaStanding(code, count, count_in(code)) for code, count in wanted))
