"""A place played in time: what fails and is mended, found by the root cause and kept in a real ledger.

Nothing here judges. What is cut darkens what hangs below it, `health.rootcause` says which incident that is, a
`Journal` writes it as a collector would, and people's words go through the ledger's own doors; so everything that is
read later (coverage, rankings, burn-ups) is computed from facts. The clock is the script's, and so is the seed: the
same place on the same day is the same ledger, ids of tasks and tokens apart.
"""

import heapq
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

from api.bulletins import BULLETIN, bulletin_of
from api.periods import midnight, month_span, months_before
from api.standing import CHINA, Standing
from health.outage import Scope
from health.rootcause import Cause, Incident, UplinkTree, diagnose
from health.verdict import Blame, as_text
from inventory.model import Inventory
from inventory.vocabulary import Aspect, Claim, DeviceClass, Verdict
from ledger import accounts, claims, facts, inventories, leases, reports
from ledger.accounts import Account, Role
from ledger.claims import SaidClaim
from ledger.database import open_ledger, sqlite_url
from ledger.facts import Fact, FactValue
from ledger.journal import Journal, OutageEvent, SiteEvent, VerdictEvent

MONTHS: Final = 13
DAY_S: Final = 86_400.0
_CYCLE_S: Final = 60.0
_STALE_S: Final = 600.0
_CUTS_A_MONTH: Final = 0.06
_KIOSK_FAULTS_A_MONTH: Final = 0.05
_BLAMES: Final = (Blame.LINE, Blame.LINE, Blame.POWER, Blame.POWER, Blame.CPE)
OFFICE: Final = "改革办"


def end_of(day: date) -> float:
    """The last second of a day in China."""
    return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=CHINA).timestamp()


def at_clock(day: date, hour: int, minute: int = 0) -> float:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=CHINA).timestamp()


@dataclass(order=True)
class _Due:
    at: float
    number: int
    act: Callable[[], None] = field(compare=False)


class World:
    """One place on its way through time.

    Args:
        folder: where its ledger is made.
        began: the day from which on somebody watches.
        seed: of everything that happens by chance.
    """

    def __init__(self, inventory: Inventory, folder: Path, began: date, seed: str) -> None:
        self.inventory = inventory
        self.began = began
        self.now = midnight(began)
        self.engine = open_ledger(sqlite_url(folder / "ledger.sqlite3"))
        inventories.keep(self.engine, inventory, self.now)
        self.random = Random(seed)
        self.standing = Standing(inventory, self.engine, lambda: self.now, _STALE_S)
        sites = range(len(inventory.sites))
        self._tree = UplinkTree([inventory.site_uplinks(site) for site in sites])
        self._serves = [
            any(slot.device_class is DeviceClass.KIOSK for slot in inventory.devices.slots(site)) for site in sites
        ]
        self._lines = [bool(inventory.devices.slots(site)) for site in sites]
        lease = leases.acquire(self.engine, inventory.top, "simulation", "127.0.0.1:9161", self.now, 40 * DAY_S)
        self._journal = Journal(self.engine, lease, lambda: self.now, 40 * DAY_S)
        self._due: list[_Due] = []
        self._number = 0
        self._failed: dict[int, Blame] = {}
        self._dark: dict[int, float] = {}
        self._alive: set[int] = set()
        self._idle: set[int] = set()
        self._incidents: dict[int, str] = {}
        self._flushed = self.now

    def close(self) -> None:
        self.engine.dispose()

    # -- the script -------------------------------------------------------------------------------------------------

    def at(self, moment: float, act: Callable[[], None]) -> None:
        """Let something happen at a Unix time that is still to come."""
        self._number += 1
        heapq.heappush(self._due, _Due(moment, self._number, act))

    def play(self, until: float) -> None:
        """Let happen what is due, day by day, and leave the standing as it is at ``until``."""
        while self.now < until:
            evening = min(until, self._flushed + DAY_S)
            while self._due and self._due[0].at <= evening:
                due = heapq.heappop(self._due)
                self.now = max(self.now, due.at)
                due.act()
            self.now = evening
            self.flush()
        self.standing.refresh()

    def flush(self) -> None:
        """Write what was found and watch on, as a collector does at the end of a cycle."""
        self._journal.flush(self.now)
        self._flushed = self.now

    def settle(self, seconds: float = _CYCLE_S) -> None:
        """Let a little time pass, so that what was just done is seen."""
        self.play(self.now + seconds)

    # -- what fails -------------------------------------------------------------------------------------------------

    def connect(self, sites: Iterable[int]) -> None:
        """From now on these sites are asked, and answer."""
        for site in sites:
            if self._lines[site] and site not in self._alive:
                self._alive.add(site)
                self._lights(site)
        self._judge()

    def cut(self, site: int, blame: Blame) -> None:
        """A site's power or line fails; what hangs below it goes dark as well."""
        self._failed[site] = blame
        self._judge()

    def mend(self, site: int) -> None:
        self._failed.pop(site, None)
        self._judge()

    def stop_kiosk(self, site: int) -> None:
        """A site's terminal no longer serves, while its line is up."""
        if site in self._alive and site not in self._idle:
            self._idle.add(site)
            if site not in self._dark:
                self._says(site, Aspect.WORKING, Verdict.NO, "kiosk1:silent", proved_at=self.now - _CYCLE_S)

    def start_kiosk(self, site: int) -> None:
        if site in self._idle:
            self._idle.discard(site)
            if site not in self._dark:
                self._says(site, Aspect.WORKING, Verdict.YES)

    def _judge(self) -> None:
        dark = self._cut_off()
        for site in dark:
            self._dark.setdefault(site, self.now)
        lit = [site for site in self._dark if site not in dark]
        for site in lit:
            del self._dark[site]
        incidents = diagnose(self._tree, self._dark, lambda _site, _since: True).incidents
        by_root = {one.root: one for one in incidents}
        for root in [root for root in self._incidents if root not in by_root]:
            outage = self._incidents.pop(root)
            self._journal.add(OutageEvent(self.now, outage, "closed", *self._what(root)))
        for root, incident in by_root.items():
            self._open(root, incident)
        for site in lit:
            self._lights(site)

    def _open(self, root: int, incident: Incident) -> None:
        outage = self._incidents.get(root)
        if outage is None:
            outage = self._incidents[root] = self._journal.new_outage_id()
            self._journal.add(OutageEvent(self.now, outage, "opened", *self._what(root)))
            blame = self._failed.get(root, Blame.UNKNOWN)
            self._journal.add(VerdictEvent(self.now, outage, blame, as_text(())))
        for site in incident.affected:
            if self._dark[site] == self.now:
                reason = "down" if site == root else "unreachable"
                self._says(site, Aspect.REACHABLE, Verdict.NO, reason, self.now - _CYCLE_S, outage)
                if self._serves[site]:
                    proved = None if site in self._idle else self.now - _CYCLE_S
                    self._says(site, Aspect.WORKING, Verdict.NO, "dark", proved)

    def _what(self, root: int) -> tuple[Scope, str, Cause]:
        above = bool(self._tree.children(root))
        scope, cause = (Scope.UPLINK, Cause.AGGREGATION) if above else (Scope.SITE, Cause.ACCESS)
        return scope, self.inventory.sites.ids[root], cause

    def _cut_off(self) -> set[int]:
        """Sites that fail themselves, or whose every uplink is dark, top down."""
        dark = {site for site in self._failed if site in self._alive}
        row: Iterable[int] = sorted(dark)
        while row := [
            below
            for above in row
            for below in self._tree.children(above)
            if below not in dark and below in self._alive and all(up in dark for up in self._tree.uplinks[below])
        ]:
            dark.update(row)
        return dark

    def _lights(self, site: int) -> None:
        self._says(site, Aspect.REACHABLE, Verdict.YES)
        if self._serves[site]:
            idle = site in self._idle
            self._says(site, Aspect.WORKING, Verdict.NO if idle else Verdict.YES, "kiosk1:silent" if idle else "")
            if not idle:
                self._says(site, Aspect.USED, Verdict.YES)

    def _says(
        self, site: int, aspect: Aspect, verdict: Verdict, reason: str = "", proved_at: float | None = None,
        outage: str | None = None,
    ) -> None:  # fmt: skip
        id = self.inventory.sites.ids[site]
        self._journal.add(SiteEvent(self.now, id, aspect, verdict, reason, proved_at, outage))

    # -- what people say --------------------------------------------------------------------------------------------

    def claim(self, site: int, claim: Claim, on: date, proof: str) -> None:
        said = SaidClaim(self.inventory.sites.ids[site], claim, on, OFFICE, proof)
        with self.engine.begin() as connection:
            claims.record(connection, said, self.now)

    def claim_all(self, sites: Iterable[int], claim: Claim, on: date, proof: str) -> None:
        with self.engine.begin() as connection:
            for site in sites:
                claims.record(connection, SaidClaim(self.inventory.sites.ids[site], claim, on, OFFICE, proof), self.now)

    def tell(self, subjects: Iterable[str], name: str, value: FactValue, source: str) -> None:
        """A fact on sites or divisions, dated today."""
        today = datetime.fromtimestamp(self.now, CHINA).date()
        with self.engine.begin() as connection:
            facts.record(connection, [Fact(one, name, value, today, OFFICE, source) for one in subjects], self.now)

    def account(self, name: str, role: Role, division: str) -> Account:
        """Somebody with one role in one division; the password is thrown away."""
        password = f"{secrets.token_urlsafe(24)}-Aa1"
        with self.engine.begin() as connection:
            accounts.add(connection, name, name, password, self.now)
            accounts.grant(connection, name, role, division, "simulation", self.now)
            return accounts.find(connection, name)

    # -- thirteen months ------------------------------------------------------------------------------------------

    def build_up(self, sites: Sequence[int], days: Sequence[date], proof: str) -> None:
        """Sites that are built, connected, accepted and put into service one after another, spread over the days."""
        batches: dict[date, list[int]] = {}
        for position, site in enumerate(sites):
            batches.setdefault(days[position * len(days) // max(1, len(sites))], []).append(site)
        for day, batch in batches.items():
            self.at(at_clock(day, 10), partial(self._finish, batch, day, proof))

    def _finish(self, batch: Sequence[int], day: date, proof: str) -> None:
        self.connect(batch)
        self.claim_all(batch, Claim.IN_SERVICE, day, proof)

    def misfortunes(self, calm_from: date) -> None:
        """Power cuts, broken lines and silent kiosks by chance, all mended before ``calm_from``."""
        months = (midnight(calm_from) - self.now) / (30 * DAY_S)
        for site in range(len(self.inventory.sites)):
            if not self._lines[site] or self.inventory.sites.types[site] == "county_center":
                continue
            for _ in range(self._how_many(_CUTS_A_MONTH * months)):
                blame = self.random.choice(_BLAMES)
                self._mishap(calm_from, partial(self.cut, site, blame), partial(self.mend, site))
            if self._serves[site]:
                for _ in range(self._how_many(_KIOSK_FAULTS_A_MONTH * months)):
                    self._mishap(calm_from, partial(self.stop_kiosk, site), partial(self.start_kiosk, site))

    def _mishap(self, calm_from: date, begin: Callable[[], None], end: Callable[[], None]) -> None:
        last = midnight(calm_from)
        since = self.random.uniform(self.now, last - DAY_S)
        until = min(last, since + 600 + self.random.expovariate(1 / (5 * 3600)))
        self.at(since, begin)
        self.at(until, end)

    def _how_many(self, expected: float) -> int:
        """A Poisson number: how many arrivals of rate 1 fit into ``expected``."""
        count, passed = 0, self.random.expovariate(1)
        while passed < expected:
            count, passed = count + 1, passed + self.random.expovariate(1)
        return count

    def freeze_bulletins(self, as_of: date) -> None:
        """On the first morning of each month the bulletin of the one before is frozen."""
        for month in months_before(as_of, MONTHS):
            if month_span(month)[1] > self.began:
                due = at_clock(month_span(month)[1], 9)
                if due <= end_of(as_of):
                    self.at(due, partial(self._freeze, month))

    def _freeze(self, month: str) -> None:
        self.flush()
        made = bulletin_of(self.standing, month)
        with self.engine.begin() as connection:
            reports.freeze(
                connection, BULLETIN, month, self.inventory.top, made.document(), as_of=made.as_of,
                inventory=self.inventory.content_hash, by=OFFICE, now=self.now,
            )  # fmt: skip


def began_before(as_of: date) -> date:
    """The first day of a ledger of thirteen months."""
    first = as_of.replace(day=1)
    for _ in range(MONTHS):
        first = (first - timedelta(days=1)).replace(day=1)
    return first


def days_between(since: date, until: date, count: int) -> list[date]:
    """``count`` days spread evenly over ``[since, until)``."""
    whole = (until - since).days
    return [since + timedelta(days=whole * step // count) for step in range(count)]
