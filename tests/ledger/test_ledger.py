"""The ledger on real databases: leases, the journal's promises, intervals derived from facts."""

import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import DBAPIError

from health.maintenance import Reach
from health.outage import Scope
from health.rootcause import Cause
from health.verdict import Blame, Clue, Finding, Sign, as_text
from inventory.vocabulary import Aspect, Claim, Verdict
from ledger import claims, database, history, leases, maintenance
from ledger.database import open_ledger, sqlite_url
from ledger.errors import FencedError, LedgerError
from ledger.journal import Journal, OutageEvent, SiteEvent, VerdictEvent
from ledger.tables import metadata, site_events, watch_intervals

COUNTY = "511825000000"


@pytest.fixture
def engine(ledger_url: str) -> Iterator[Engine]:
    engine = open_ledger(ledger_url)
    yield engine
    engine.dispose()


def journal(engine: Engine, holder: str = "a", now: float = 1000.0) -> Journal:
    lease = leases.acquire(engine, COUNTY, holder, "127.0.0.1:9101", now, 60)
    return Journal(engine, lease, lambda: now, 60)


def dark(site: str, at: float, outage: str, reason: str = "down") -> SiteEvent:
    return SiteEvent(at, site, Aspect.REACHABLE, Verdict.NO, reason, at - 1, outage)


def lit(site: str, at: float) -> SiteEvent:
    return SiteEvent(at, site, Aspect.REACHABLE, Verdict.YES)


def test_a_new_ledger_has_every_table_and_opening_it_again_changes_nothing(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "ledger.sqlite3")
    open_ledger(url).dispose()
    engine = open_ledger(url)
    with engine.connect() as connection:
        tables = set(connection.scalars(text("select name from sqlite_master where type = 'table'")))
    engine.dispose()
    assert set(metadata.tables) <= tables


def test_the_migrations_build_just_what_the_tables_say(engine: Engine) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_ledger_of_a_newer_program_is_refused(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(LedgerError, match="a newer program wrote it"):
        open_ledger(str(engine.url))


@pytest.mark.parametrize("url", ["nonsense", "postgresqq://x", "sqlite:////no/such/folder/ledger.sqlite3"])
def test_a_ledger_that_cannot_be_opened_says_why(url: str) -> None:
    with pytest.raises(LedgerError):
        open_ledger(url)


def test_a_second_collector_is_told_who_holds_the_county(engine: Engine) -> None:
    journal(engine, "a")
    with pytest.raises(LedgerError, match="polled by a, whose lease runs for another 60 s"):
        leases.acquire(engine, COUNTY, "b", "127.0.0.1:9102", 1000.0, 60)


def test_a_collector_that_was_replaced_cannot_write(engine: Engine) -> None:
    old = journal(engine, "a", 1000.0)
    journal(engine, "b", 2000.0)
    old.add(lit("tq-a", 1500.0))
    with pytest.raises(FencedError):
        old.flush(1500.0)
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(site_events)) == 0
    assert old.pending == 1


def test_facts_that_arrive_twice_are_kept_once(engine: Engine) -> None:
    ours = journal(engine)
    ours.add(lit("tq-a", 1001.0))
    kept = list(ours._pending)
    ours.flush(1001.0)
    ours._pending[:0] = kept  # as if the answer to the first flush had been lost
    ours.add(lit("tq-b", 1002.0))
    ours.flush(1002.0)
    with engine.connect() as connection:
        assert list(connection.scalars(select(site_events.c.site))) == ["tq-a", "tq-b"]


def test_what_the_database_did_not_take_stays_pending_and_goes_with_the_next_flush(engine: Engine) -> None:
    ours = journal(engine)
    ours.add(lit("tq-a", 1001.0))
    with engine.begin() as connection:
        connection.execute(text("alter table site_events rename to hidden"))
    with pytest.raises(DBAPIError):
        ours.flush(1001.0)
    assert ours.pending == 1
    with engine.begin() as connection:
        connection.execute(text("alter table hidden rename to site_events"))
    ours.flush(1002.0)
    assert ours.pending == 0
    with engine.connect() as connection:
        assert [verdict.site for verdict in history.newest_verdicts(connection)] == ["tq-a"]


def test_watching_is_one_interval_until_it_is_interrupted(engine: Engine) -> None:
    ours = journal(engine)
    for at in (1000.0, 1010.0, 1020.0):
        ours.flush(at)
    ours.stop_watching()
    ours.flush(None)
    ours.flush(2000.0)
    ours.flush(2010.0)
    with engine.connect() as connection:
        assert history.watched(connection, COUNTY) == [(1000.0, 1020.0), (2000.0, 2010.0)]
        assert history.watched_until(connection) == {COUNTY: 2010.0}
        assert history.watched_until(connection, at=1015.0) == {COUNTY: 1015.0}
        cycles = select(watch_intervals.c.cycles).order_by(watch_intervals.c.since)
        assert list(connection.scalars(cycles)) == [3, 2]


def test_outages_are_intervals_with_every_site_that_they_darkened(engine: Engine) -> None:
    ours = journal(engine)
    outage = ours.new_outage_id()
    ours.add(OutageEvent(1000.0, outage, "opened", Scope.UPLINK, "tq-shiyang", Cause.AGGREGATION))
    ours.add(dark("tq-shiyang", 1000.0, outage))
    ours.add(dark("tq-shiyang-v1", 1001.0, outage, "unreachable"))
    ours.flush(1002.0)
    with engine.connect() as connection:
        (running,) = history.outages(connection, open_only=True)
    assert running.sites == ("tq-shiyang", "tq-shiyang-v1")
    assert running.until is None
    ours.add(OutageEvent(1100.0, outage, "closed", Scope.UPLINK, "tq-shiyang", Cause.AGGREGATION))
    ours.add(lit("tq-shiyang-v1", 1101.0))
    ours.flush(1102.0)
    with engine.connect() as connection:
        assert history.outages(connection, open_only=True) == []
        (over,) = history.outages(connection, site="tq-shiyang-v1")
        assert (over.since, over.until, over.seconds(9999.0)) == (1000.0, 1100.0, 100.0)
        assert history.outages(connection, site="tq-other") == []
        assert history.outages(connection, since=1100.0) == []
        assert history.outages(connection, until=1000.0) == []
        intervals = history.dark_intervals(connection, ["tq-shiyang", "tq-shiyang-v1"], 2000.0)
    assert intervals == {"tq-shiyang": [(1000.0, 2000.0)], "tq-shiyang-v1": [(1001.0, 1101.0)]}


def test_an_outage_carries_its_newest_verdict_and_how_often_its_node_went_away_again(engine: Engine) -> None:
    ours = journal(engine)
    clue = Clue(Sign.PORT_DOWN, {"device": "tq-a-agg1", "port": "Gi0/1.11", "at": 1000.5})
    for at, kind in ((1001.0, "opened"), (1100.0, "flapping"), (1200.0, "relapsed"), (1300.0, "flapping")):
        ours.add(OutageEvent(at, "o1", kind, Scope.SITE, "tq-a", Cause.ACCESS))
    ours.add(VerdictEvent(1001.0, "o1", Blame.UNKNOWN, as_text([Clue(Sign.NOTHING_MEASURED)])))
    ours.add(VerdictEvent(1002.0, "o1", Blame.LINE, as_text([clue]), "m-1"))
    ours.add(OutageEvent(1001.0, "o2", "opened", Scope.SITE, "tq-b", Cause.ACCESS))
    ours.flush(1300.0)
    with engine.connect() as connection:
        plain, judged = history.outages(connection)
    assert (plain.finding, plain.window, plain.flapping, plain.relapses) == (None, None, False, 0)
    assert judged.finding == Finding(Blame.LINE, (clue,))
    assert (judged.window, judged.flapping, judged.relapses, judged.until) == ("m-1", True, 1, None)


def test_news_of_maintenance_and_of_verdicts_is_noticed(engine: Engine) -> None:
    ours = journal(engine)
    with engine.begin() as connection:
        before = history.newest_rows(connection)
        maintenance.announce(connection, Reach.SITE, "tq-a", 1000.0, 2000.0, "work", "noc", 1000.0)
        announced = history.newest_rows(connection)
    ours.add(VerdictEvent(1001.0, "o1", Blame.POWER, "[]"))
    ours.flush(None)
    with engine.connect() as connection:
        assert len({before, announced, history.newest_rows(connection)}) == 3


def test_the_past_can_be_asked_for(engine: Engine) -> None:
    ours = journal(engine)
    ours.add(lit("tq-a", 1000.0))
    ours.add(dark("tq-a", 1500.0, "o1"))
    ours.flush(1600.0)
    with engine.connect() as connection:
        assert [v.verdict for v in history.newest_verdicts(connection, at=1200.0)] == [Verdict.YES]
        assert [v.verdict for v in history.newest_verdicts(connection)] == [Verdict.NO]
        assert [v.proved_at for v in history.newest_verdicts(connection)] == [1499.0]


def test_following_gives_each_fact_once_in_order(engine: Engine) -> None:
    ours = journal(engine)
    ours.add(lit("tq-a", 1000.0))
    ours.flush(1000.0)
    with engine.connect() as connection:
        first = list(history.verdicts_since(connection, 0))
        ours.add(lit("tq-b", 1001.0))
        ours.flush(1001.0)
        assert [v.site for v in history.verdicts_since(connection, first[-1].row)] == ["tq-b"]


def test_a_claim_keeps_who_said_it_when_and_the_proof(engine: Engine) -> None:
    said = claims.SaidClaim("tq-a", Claim.ACCEPTED, date(2026, 11, 20), "county office", "minutes 12", "ab" * 32)
    with engine.begin() as connection:
        claims.record(connection, said, 1000.0)
    with engine.connect() as connection:
        assert claims.said_since(connection, 0) == [(1, said)]
        assert claims.said_since(connection, 1) == []


class Refusing:
    """A cursor of SQLite's that refuses to change the journal twice, as it does when two processes try at once."""

    def __init__(self) -> None:
        self.mode, self.refusals = "delete", 2
        self.said: list[str] = []

    def cursor(self) -> "Refusing":
        return self

    def execute(self, statement: str) -> "Refusing":
        self.said.append(statement)
        if statement == "PRAGMA journal_mode=WAL":
            if self.refusals:
                self.refusals -= 1
                raise sqlite3.OperationalError("database is locked")
            self.mode = "wal"
        return self

    def fetchone(self) -> tuple[str]:
        return (self.mode,)

    def close(self) -> None: ...


def test_who_is_refused_the_journal_while_another_process_starts_tries_again() -> None:
    cursor = Refusing()
    database._prepare_sqlite(cursor, None)  # type: ignore[arg-type]
    assert cursor.mode == "wal"
    assert cursor.said[-1] == "PRAGMA foreign_keys=ON"


def test_a_ledger_in_memory_opens_with_the_journal_that_it_has() -> None:
    engine = open_ledger("sqlite://")
    with engine.connect() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "memory"
    engine.dispose()


def test_what_was_recorded_later_is_not_known_before(engine: Engine) -> None:
    clock = 1000.0
    ours = Journal(engine, leases.acquire(engine, COUNTY, "here", "x", clock, 60), lambda: clock, 60)
    outage = ours.new_outage_id()
    ours.add(lit("tq-a", 1000.0))
    ours.flush(1000.0)
    ours.add(OutageEvent(1100.0, outage, "opened", Scope.SITE, "tq-a", Cause.ACCESS))
    ours.add(SiteEvent(1100.0, "tq-a", Aspect.REACHABLE, Verdict.NO, "down", 1095.0, outage))
    clock = 2000.0  # the database was away
    ours.flush(1900.0)
    ours.add(OutageEvent(2100.0, outage, "closed", Scope.SITE, "tq-a", Cause.ACCESS))
    clock = 2100.0
    ours.flush(2100.0)
    with engine.connect() as connection:
        told = [
            (at, known, [one.until for one in history.outages(connection, at=at, known_at=known)])
            for at, known in ((1500.0, None), (1500.0, 1500.0), (1500.0, 2050.0), (None, 2050.0), (None, None))
        ]
        assert told == [
            (1500.0, None, [None]), (1500.0, 1500.0, []), (1500.0, 2050.0, [None]), (None, 2050.0, [None]),
            (None, None, [2100.0]),
        ]  # fmt: skip
        assert history.watched(connection, COUNTY) == [(1000.0, 2100.0)]
        assert history.watched(connection, COUNTY, known_at=1999.0) == []
        assert history.watched(connection, COUNTY, known_at=2050.0) == [(1000.0, 2050.0)]
        assert history.watched_until(connection, at=1500.0, known_at=2050.0) == {COUNTY: 1500.0}
        dark = {
            known: history.dark_intervals(connection, ["tq-a"], 3000.0, known_at=known) for known in (1999.0, 2001.0)
        }
        assert dark == {1999.0: {}, 2001.0: {"tq-a": [(1100.0, 3000.0)]}}
