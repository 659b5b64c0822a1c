"""The daily check (日巡查): a row for every site, whatever its state."""

from dataclasses import dataclass
from datetime import date, timedelta

from api.periods import Period, midnight
from api.standing import Standing
from health.coverage import State
from inventory.vocabulary import Aspect, Verdict


@dataclass(frozen=True, slots=True)
class DailyRow:
    """One site on one day. Minutes are of the part of the day that is over; ``outages`` began or went on in it."""

    site: str
    name: str
    type: str
    code: str
    township: str
    state: State
    reachable: Verdict
    working: Verdict
    reason: str
    dark_minutes: float
    unwatched_minutes: float
    outages: int


def daily_report(standing: Standing, day: date, node: int = 0) -> list[DailyRow]:
    """One row for each site below a division, in the order of the tree.

    Raises:
        ValueError: the day has not begun.
    """
    since, until = midnight(day), min(midnight(day + timedelta(days=1)), standing.now())
    if until <= since:
        raise ValueError(f"{day} has not begun.")
    inventory = standing.inventory
    snapshot, period = standing.at(until), Period(standing, since, until)
    nodes, sites = inventory.nodes, inventory.sites
    rows = []
    for site in range(*sites.span(node)):
        place = int(sites.nodes[site])
        line = [place, *nodes.ancestors(place)]
        judged = standing.judgement(site, standing.main_requirement, snapshot)
        raw = period.reached(site).raw
        rows.append(
            DailyRow(
                sites.ids[site],
                sites.names[site],
                sites.types[site],
                nodes.codes[place],
                next((nodes.names[one] for one in line if nodes.levels[one] == 4), ""),
                judged.state,
                judged.works_now,
                standing.evidence(site, Aspect.WORKING, snapshot).verdict,
                judged.reason,
                round(raw.down_s / 60, 1),
                round(raw.unknown_s / 60, 1),
                len(period.outages_of(sites.ids[site])),
            )
        )
    return rows
