"""What a collector could not tell the ledger yet, on its own disk: a county cut off from the centre loses nothing.

Used where the ledger is on another machine. While that is away, facts go into a file; the collector, should it die
meanwhile, delivers them when it starts again. They keep the epoch and the numbers under which they were made, so that
what the database has already is not told twice. If another collector took the county over in the meantime, its account
holds, and the file is put aside.

The file: a line of JSON each; the first names county and epoch. A line that was cut off by a crash was never promised.
"""

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, select

from health.outage import Scope
from health.rootcause import Cause
from health.verdict import Blame
from inventory.vocabulary import Aspect, Verdict
from ledger import leases
from ledger.errors import FencedError
from ledger.journal import Fact, OutageEvent, SiteEvent, VerdictEvent, Watched, write_facts, write_watched
from ledger.leases import Lease
from ledger.tables import watch_intervals

_KINDS: Final[dict[str, type[Fact]]] = {kind.__name__: kind for kind in (SiteEvent, OutageEvent, VerdictEvent)}
_WORDS: Final[dict[str, Callable[[str], Any]]] = {
    "aspect": Aspect,
    "verdict": Verdict,
    "scope": Scope,
    "cause": Cause,
    "blame": Blame,
}


@dataclass(frozen=True, slots=True)
class Spooled:
    """What a file held: facts with their numbers, and the newest state of each watch interval."""

    county: str
    epoch: int
    facts: tuple[tuple[int, Fact], ...]
    watched: tuple[Watched, ...]


class Spool:
    """The file of one collector under one lease. Not for two at once: the lease says who may."""

    def __init__(self, path: Path, lease: Lease) -> None:
        self.path = path
        self._head = {"county": lease.county, "epoch": lease.epoch}
        self._newest = 0
        self._in_use = False

    def keep(self, rows: Iterable[tuple[int, Fact]], watched: Watched | None) -> None:
        """Put what the database did not take onto the disk, for good.

        Raises:
            OSError: the disk does not take it either.
        """
        fresh = [(seq, fact) for seq, fact in rows if seq > self._newest]
        lines: list[dict[str, Any]] = [] if self._in_use else [self._head]
        lines += [{"seq": seq, "fact": type(fact).__name__, **asdict(fact)} for seq, fact in fresh]
        if watched is not None:
            lines.append({"watched": [watched.since, watched.until, watched.cycles]})
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | (os.O_APPEND if self._in_use else os.O_TRUNC), 0o600)
        with os.fdopen(handle, "a", encoding="utf-8") as file:
            file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())
        self._in_use = True
        if fresh:
            self._newest = fresh[-1][0]

    def clear(self) -> None:
        """The database has everything."""
        if self._in_use:
            self.path.unlink(missing_ok=True)
            self._in_use = False


def read(path: Path) -> Spooled | None:
    """What an earlier collector left; None where nothing is, or not even a whole first line."""
    try:
        text = path.read_text("utf-8", "replace")
    except OSError:
        return None
    facts: list[tuple[int, Fact]] = []
    watched: dict[float, Watched] = {}
    head: dict[str, Any] | None = None
    for line in text.split("\n"):  # splitlines would take other characters for ends, too
        try:
            said = json.loads(line)
            if head is None:
                head = {"county": str(said["county"]), "epoch": int(said["epoch"])}
            elif "watched" in said:
                interval = Watched(*said["watched"])
                watched[interval.since] = interval
            else:
                facts.append((int(said.pop("seq")), _fact(said)))
        except (ValueError, KeyError, TypeError):
            break  # a crash cut it off here
    return None if head is None else Spooled(head["county"], head["epoch"], tuple(facts), tuple(watched.values()))


def _fact(said: dict[str, Any]) -> Fact:
    kind = _KINDS[said.pop("fact")]
    return kind(**{key: _WORDS[key](value) if key in _WORDS else value for key, value in said.items()})


def deliver(engine: Engine, path: Path, lease: Lease, now: float) -> int:
    """Bring what an earlier collector of this county left on the disk into the ledger; how many facts that was.

    Args:
        lease: ours; the one under which the facts were made must be the one just before it.

    Raises:
        FencedError: another collector had the county in between; the file is put aside, ending in ``.fenced``.
    """
    left = read(path)
    if left is None:
        return 0
    if left.county != lease.county or left.epoch != lease.epoch - 1:
        aside = path.with_name(f"{path.name}.{left.epoch}.fenced")
        path.replace(aside)
        raise FencedError(
            f"What the collector of epoch {left.epoch} of county {left.county} could not write stays in {aside}: "
            f"another one had the county before ours (epoch {lease.epoch})."
        )
    with engine.begin() as connection:
        leases.renew(connection, lease, now, max(0.0, lease.expires_at - now))
        write_facts(connection, left.county, left.epoch, left.facts, now)
        for interval in left.watched:
            held = watch_intervals.c
            known_until = connection.scalar(
                select(held.until).where(
                    held.county == left.county, held.epoch == left.epoch, held.since == interval.since
                )
            )
            write_watched(connection, left.county, left.epoch, interval, known_until, now)
    path.unlink()
    return len(left.facts)
