"""The gate after a wave: our own measured health, from the ledger that the collector writes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Engine

from cuntong.errors import StartError
from inventory.vocabulary import Aspect, Verdict
from ledger import history

CYCLES: Final = 3
"""Polling intervals within which a changed site must have been asked again."""


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


def require_watch(engine: Engine, interval_s: float, now: float) -> None:
    """Before a run begins: somebody must measure, or no gate could judge.

    Raises:
        StartError: nobody does.
    """
    with engine.connect() as connection:
        watched = measured(connection, ()).until
    if watched < now - CYCLES * interval_s:
        raise StartError(
            "No collector measures these sites: nobody would notice that a village was lost. "
            "Start `cuntong collect` (or `cuntong up`), or give --blind. Nothing was begun."
        )
