"""Which paper is asked for: by its name and period, fresh from the ledger or as it was published."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from api.milestones import day_at
from api.reports import carrier, kept, papers
from api.reports.sheet import Sheet
from api.standing import Standing
from inventory.assessment import FILE, Assessment, read_assessment
from ledger import reports
from ledger.reports import Frozen

PAPERS: Final = (papers.EVALUATION, papers.READINESS, papers.COUNTERS, papers.ASSESSMENT, carrier.CARRIER)
_BETWEEN: Final = ".."


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper and, where it is published, its edition. ``at`` is the Unix time that it speaks of."""

    name: str
    period: str
    sheet: Sheet
    frozen: Frozen | None
    at: float


def fresh(
    standing: Standing,
    name: str,
    period: str,
    node: int = 0,
    counter: str | None = None,
    measured: Mapping[tuple[int, int], carrier.Rates] | None = None,
) -> Paper:
    """A paper of what is known now.

    Args:
        period: ``2026-01-01..2026-11-20`` of an evaluation, ``2026`` of an assessment, ``2026-10.telecom`` of a
            carrier; else ignored: it is of today.
        measured: traffic of lines, for a carrier's paper.

    Raises:
        ValueError: there is no such period, or no scoring sheet.
        InventoryError: the scoring sheet is not usable.
    """
    today = str(day_at(standing.now()))
    match name:
        case papers.EVALUATION:
            first, between, last = period.partition(_BETWEEN)
            if not between:
                raise ValueError(f"{period!r} is no pair of days. Write 2026-01-01..2026-11-20.")
            earlier, later = _day(first), _day(last)
            sheet = papers.evaluation(standing, earlier, later, node)
            period = f"{earlier}{_BETWEEN}{later}"
        case papers.ASSESSMENT:
            if not (len(period) == 4 and period.isdecimal() and int(period) >= 2000):
                raise ValueError(f"{period!r} is no year. Write 2026.")
            sheet = papers.assessment(standing, scoring_sheet(standing), int(period), node)
        case carrier.CARRIER:
            month, _, who = period.partition(".")
            sheet = carrier.carrier(standing, month, who, node, measured)
        case papers.READINESS:
            sheet, period = papers.readiness(standing, node), today
        case _:
            sheet, period = papers.counters(standing, node, counter), today
    return Paper(name, period, sheet, None, standing.now())


def published(standing: Standing, name: str, period: str, node: int, edition: int | None = None) -> Paper | None:
    """A paper as it was published, the newest edition if none is named; None where it was not."""
    code = standing.inventory.nodes.codes[node]
    with standing.query() as connection:
        frozen = reports.fetch(connection, name, period, code, edition)
    return None if frozen is None else Paper(name, period, kept.published(frozen), frozen, frozen.frozen_at)


def scoring_sheet(standing: Standing) -> Assessment:
    found = read_assessment(standing.inventory.folder)
    if found is None:
        raise ValueError(f"There is no {FILE} beside the inventory: write the scoring sheet there.")
    return found


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is no day. Write it as 2026-11-20.") from None
