"""``cuntong claim``: records what somebody says of a site, with the hash of the proof where it is a file."""

import hashlib
from datetime import date
from pathlib import Path

from cuntong.errors import UsageError
from cuntong.settings import Settings
from inventory.model import Inventory
from inventory.vocabulary import Claim
from ledger.claims import SaidClaim
from ledger.claims import record as write
from ledger.database import open_ledger


def record(
    inventory: Inventory, settings: Settings, site: str, claim: Claim, by: str, proof: str, on: date, now: float
) -> str:
    """Write the claim into the ledger; what was written, as a sentence.

    Raises:
        UsageError: no such site, a day that is still to come, or nobody who says it.
    """
    if site not in inventory.sites.index:
        raise UsageError(f"There is no site {site!r} in {inventory.title}. `cuntong show sites` lists them.")
    if on > date.today():  # noqa: DTZ011  the day where the clerk sits
        raise UsageError(f"{on} is still to come: a claim speaks of what is.")
    if not by.strip() or not proof.strip():
        raise UsageError("A claim needs somebody who makes it (--by) and a proof (--proof).")
    path = Path(proof)
    digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
    said = SaidClaim(site, claim, on, by.strip(), path.name if digest else proof.strip(), digest)
    engine = open_ledger(settings.ledger_url)
    try:
        with engine.begin() as connection:
            write(connection, said, now)
    finally:
        engine.dispose()
    return f"{site} {claim} since {on}, says {said.said_by}; proof: {said.proof}" + (
        f" ({digest[:12]})" if digest else ""
    )
