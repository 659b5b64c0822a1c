"""Circuits: what a carrier has promised for a line, and which circuit a line had when."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field, model_validator

from inventory.declared import Declared
from inventory.vocabulary import LinkType

if TYPE_CHECKING:
    from inventory.model import Inventory, Link

ENDS_SOON: Final = timedelta(days=60)
"""How long before its end a contract is worth a word: tenders take their time."""


class ServiceLevel(Declared):
    """What a contract promises.

    Attributes:
        availability: of a month, 0 to 1; announced work and the customer's own power do not count.
        respond_hours: from the report to the carrier until somebody is at it.
        repair_hours: from the report until it is repaired.
    """

    availability: Annotated[float, Field(gt=0, le=1)]
    respond_hours: Annotated[float, Field(gt=0, le=240)] | None = None
    repair_hours: Annotated[float, Field(gt=0, le=240)] | None = None


class FormerCircuit(Declared):
    """A circuit that a line had before: its past stays with it."""

    circuit: str
    carrier: str
    link_type: LinkType = Field(alias="type")
    contract_since: date | None = None
    contract_until: date
    bandwidth_mbps: Annotated[int, Field(gt=0, le=400_000)] | None = None
    service_level: str | None = None

    @model_validator(mode="after")
    def _forwards(self) -> "FormerCircuit":
        if self.contract_since is not None and self.contract_until <= self.contract_since:
            raise ValueError("it ends before it begins. | Correct contract_since or contract_until.")
        return self


@dataclass(frozen=True, slots=True)
class Circuit:
    """One circuit of one line, in use in ``[since, until)``; None: since ever, or still.

    Attributes:
        site: its position; ``line`` counts the site's lines, the main one is 0.
        number: the carrier's; None where nobody wrote it down.
        contract_until: when the contract ends, which is not when the circuit does.
    """

    site: int
    line: int
    number: str | None
    carrier: str
    link_type: str
    role: str
    bandwidth_mbps: int | None
    service_level: str | None
    since: date | None
    until: date | None
    contract_until: date | None

    def days_in(self, first: date, end: date) -> tuple[date, date] | None:
        """Its part of ``[first, end)``; None where it has none."""
        since = first if self.since is None else max(first, self.since)
        until = end if self.until is None else min(end, self.until)
        return (since, until) if since < until else None


def circuits(inventory: "Inventory") -> Iterator[Circuit]:
    """Every circuit of every line, site by site, a line's former ones first."""
    for site in range(len(inventory.sites)):
        for line, link in enumerate(inventory.links(site)):
            yield from _of_line(site, line, link)


def _of_line(site: int, line: int, link: "Link") -> Iterator[Circuit]:
    ended: date | None = None
    for one in link.formerly:
        since = one.contract_since or ended
        yield Circuit(
            site, line, one.circuit, one.carrier, one.link_type, link.role, one.bandwidth_mbps, one.service_level,
            since, one.contract_until, one.contract_until,
        )  # fmt: skip
        ended = one.contract_until
    yield Circuit(
        site, line, link.circuit, link.carrier, link.link_type, link.role, link.bandwidth_mbps, link.service_level,
        link.contract_since or ended, None, link.contract_until,
    )  # fmt: skip


def ending(inventory: "Inventory", today: date) -> list[Circuit]:
    """Circuits in use whose contract has ended or ends soon, the first to end first."""
    found = [
        one
        for one in circuits(inventory)
        if one.until is None and one.contract_until is not None and one.contract_until <= today + ENDS_SOON
    ]
    return sorted(found, key=lambda one: (one.contract_until or today, one.site, one.line))
