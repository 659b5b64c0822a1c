"""The claim in force on every site: the newest, from the inventory or from the ledger."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from inventory.model import Inventory
from inventory.vocabulary import Claim
from ledger.claims import SaidClaim


@dataclass(frozen=True, slots=True)
class ClaimInForce:
    """The newest claim on a site, from the inventory or from the ledger."""

    claim: Claim
    on: date
    by: str
    proof: str


@dataclass(frozen=True, slots=True)
class InForce:
    """The claim in force on every site, and as columns: whether there is one, whether it says connected."""

    claims: tuple[ClaimInForce | None, ...]
    said: NDArray[np.bool_]
    connected: NDArray[np.bool_]

    @classmethod
    def of(cls, claims: Sequence[ClaimInForce | None]) -> "InForce":
        said = np.array([claim is not None for claim in claims], dtype=np.bool_)
        connected = np.array([claim is not None and claim.claim.says_connected for claim in claims], dtype=np.bool_)
        return cls(tuple(claims), said, connected)

    def with_these(self, sites: Iterable[int], claims: Sequence[ClaimInForce | None]) -> "InForce":
        """The same but for some sites; ``claims`` are those of every site."""
        said, connected = self.said.copy(), self.connected.copy()
        for site in sites:
            claim = claims[site]
            said[site] = claim is not None
            connected[site] = claim is not None and claim.claim.says_connected
        return InForce(tuple(claims), said, connected)


def declared(inventory: Inventory, site: int, until: date | None) -> ClaimInForce | None:
    """What the inventory itself claims of a site, by that day."""
    newest: ClaimInForce | None = None
    for said in inventory.claims(site):
        if (until is None or said.on <= until) and (newest is None or said.on >= newest.on):
            newest = ClaimInForce(said.claim, said.on, said.by, said.proof)
    return newest


def newer(known: ClaimInForce | None, said: SaidClaim) -> ClaimInForce:
    """The ledger's claims come in the order in which they were said; the later day wins, then the later word."""
    if known is not None and known.on > said.happened_on:
        return known
    return ClaimInForce(said.claim, said.happened_on, said.said_by, said.proof)
