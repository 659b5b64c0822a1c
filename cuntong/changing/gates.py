"""The gate after a wave: our own measured health, from the ledger that the collector writes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from inventory.vocabulary import Aspect, Verdict
from ledger import history


@dataclass(frozen=True)
class Health:
    """What is measured of sites. ``until`` is the last moment of which the collectors speak (Unix time)."""

    reachable: Mapping[str, Verdict]
    until: float

    def worse_than(self, before: "Health") -> list[str]:
        """Sites that were reachable then and are not now."""
        return sorted(
            site
            for site, verdict in before.reachable.items()
            if verdict is Verdict.YES and self.reachable.get(site) is Verdict.NO
        )


def measured(connection: Connection, sites: Collection[str]) -> Health:
    """The newest verdict on each of the sites, and until when somebody was watching."""
    wanted = set(sites)
    verdicts = {
        one.site: one.verdict
        for one in history.newest_verdicts(connection)
        if one.aspect is Aspect.REACHABLE and one.site in wanted
    }
    return Health(verdicts, min(history.watched_until(connection).values(), default=0.0))
