"""Who signed the month's ledger (台账), who is late: due on a day of each month, the 25th unless told otherwise."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from api.milestones import day_at
from api.standing import Standing
from health.duedates import Signed, Signing, due_in, signings
from inventory.vocabulary import Requirement
from ledger import reports

LEDGER: Final = "ledger"
DUE_DAY: Final = 25


@dataclass(frozen=True, slots=True)
class SignOffs:
    """How every township that owes a ledger stands with one month's."""

    month: str
    due: date
    rows: tuple[Signed, ...]

    @property
    def signed(self) -> int:
        return sum(one.on is not None for one in self.rows)

    @property
    def late(self) -> list[str]:
        """Codes of those that signed after the day, or did not although it is over."""
        return [one.division for one in self.rows if one.state in (Signing.LATE, Signing.MISSING)]


def sign_offs(standing: Standing, month: str, node: int = 0, due_day: int = DUE_DAY) -> SignOffs:
    """A month's signatures below a division: of every township whose centre must be covered.

    Raises:
        ValueError: no month.
    """
    inventory = standing.inventory
    nodes, sites = inventory.nodes, inventory.sites
    owing = [
        nodes.codes[int(sites.nodes[site])]
        for site in range(*sites.span(node))
        if sites.types[site] == "township_center" and inventory.requirement(site) is Requirement.REQUIRED
    ]
    with standing.query() as connection:
        on = {one.division: one.signed_on for one in reports.signed(connection, LEDGER, month)}
    due = due_in(month, due_day)
    rows = signings({code: on.get(code) for code in owing}, due, day_at(standing.now()))
    return SignOffs(month, due, tuple(rows))
