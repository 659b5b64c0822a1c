"""The month's figures by division, their ranking, and the year's from twelve frozen months (月通报、年评比)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection

from api.milestones import day_at
from api.periods import Period, midnight, month_span
from api.standing import Snapshot, Standing, shown
from health.availability import Availability
from health.ranking import FORMULA, VERSION, Band, Ranked, Scored, of_year, rank
from inventory.vocabulary import DeviceClass
from ledger import reports, tasks

BULLETIN = "bulletin"
_NOTHING = Availability(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Bulletin:
    """One division's month: ranked children, and the whole. ``as_of`` is its last moment."""

    month: str
    code: str
    name: str
    as_of: float
    rule_version: str
    ranking: tuple[Ranked, ...]
    whole: Scored

    def document(self) -> dict[str, Any]:
        """Plain values, as they are frozen."""
        return {
            "month": self.month,
            "code": self.code,
            "name": self.name,
            "as_of": shown(self.as_of).isoformat(),
            "rule_version": self.rule_version,
            "ranking_version": VERSION,
            "ranking_formula": FORMULA,
            "whole": asdict(self.whole),
            "ranking": [{"place": one.place, "band": one.band, **asdict(one.scored)} for one in self.ranking],
        }


def bulletin_of(standing: Standing, month: str, node: int = 0, smallest: int = 1) -> Bulletin:
    """A month of one division, its children ranked.

    Args:
        smallest: children with fewer subjects are listed without a place.

    Raises:
        ValueError: no month, or one that has not begun.
    """
    first, last = month_span(month)
    until = min(midnight(last), standing.now())
    if until <= midnight(first):
        raise ValueError(f"{month} has not begun.")
    snapshot = standing.at(until)
    period = Period(standing, midnight(first), until)
    nodes = standing.inventory.nodes
    with standing.query() as connection:
        late = overdue_tasks(standing, connection, until)
    scored = [scored_of(standing, snapshot, period, late, child) for child in nodes.children(node)]
    return Bulletin(
        month,
        nodes.codes[node],
        nodes.names[node],
        until,
        standing.inventory.coverage_rules.version,
        tuple(rank([one for one in scored if one.subjects], smallest)),
        scored_of(standing, snapshot, period, late, node),
    )


def overdue_tasks(standing: Standing, connection: Connection, at: float) -> list[int]:
    """Places of the divisions that have a task overdue at Unix time ``at``, once for each task."""
    today, index = day_at(at), standing.inventory.nodes.index
    found = (one for one in tasks.every(connection, until=at) if one.overdue(today))
    return [index[one.assignment.division] for one in found if one.assignment.division in index]


def scored_of(standing: Standing, snapshot: Snapshot, period: Period, late: Sequence[int], node: int) -> Scored:
    """A division's figures of a period; ``late`` are the places of overdue tasks."""
    inventory = standing.inventory
    nodes = inventory.nodes
    code = nodes.codes[node]
    # A month before a merger is counted by the divisions of its own day; a division that was not there has no figure.
    then = snapshot.nodes.index.get(code)
    figures = None if then is None else standing.figures(standing.main_requirement, "default", then, snapshot)
    net, served = _NOTHING, _NOTHING
    for site in range(*inventory.sites.span(node)):
        net += period.reached(site).net
        if any(slot.device_class is DeviceClass.KIOSK for slot in inventory.devices.slots(site)):
            served += period.kiosks_served(site)
    return Scored(
        code,
        nodes.names[node],
        figures.denominator if figures is not None else 0,
        figures.ratio if figures is not None else None,
        net.ratio,
        served.ratio,
        sum(node <= place < nodes.ends[node] for place in late),
    )


def ranked_from(document: Mapping[str, Any]) -> list[Ranked]:
    """The ranking of a frozen bulletin."""
    found = []
    for row in document["ranking"]:
        scored = Scored(
            row["code"], row["name"], row["subjects"], row["coverage"], row["availability"], row["kiosk_online"],
            row["overdue_tasks"],
        )  # fmt: skip
        found.append(Ranked(row["place"], None if row["band"] is None else Band(row["band"]), scored))
    return found


def year_of(standing: Standing, year: int, node: int = 0) -> list[Ranked]:
    """The year's ranking from its frozen bulletins.

    Raises:
        health.ranking.TooFewMonthsError: one of the twelve months is not frozen.
    """
    code = standing.inventory.nodes.codes[node]
    with standing.query() as connection:
        frozen = {one.period: ranked_from(one.document) for one in reports.every(connection, BULLETIN, code)}
    return of_year(year, frozen)
