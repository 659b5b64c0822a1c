"""What is different where the ledger is a PostgreSQL: many writers at once, and who migrates."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, TimeoutError
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, select, text

from inventory.vocabulary import Aspect, Claim, Verdict
from ledger import audit, claims, facts, history, leases
from ledger.claims import SaidClaim
from ledger.database import open_ledger
from ledger.errors import LedgerError
from ledger.facts import Fact
from ledger.journal import Journal, SiteEvent
from ledger.tables import metadata


@pytest.fixture
def engine(postgres: Any) -> Iterator[Engine]:
    engine = open_ledger(postgres.ledger())
    yield engine
    engine.dispose()


def says(connection: Connection, site: str) -> None:
    claims.record(connection, SaidClaim(site, Claim.CONNECTED, date(2021, 6, 10), "office", "a letter"), 1000.0)


def tells(connection: Connection, site: str) -> None:
    facts.record(connection, [Fact(site, "cases", 1.0, date(2021, 6, 10), "office", "platform")], 1000.0)


@pytest.mark.parametrize(("write", "read"), [(says, claims.said_since), (tells, facts.told_since)])
def test_who_follows_a_table_never_reads_past_a_row_that_is_not_committed(
    engine: Engine, write: Any, read: Any
) -> None:
    def second() -> None:
        with engine.begin() as connection:
            write(connection, "tq-b")

    with ThreadPoolExecutor(1) as others:
        with engine.begin() as slow:
            write(slow, "tq-a")
            quick = others.submit(second)
            with pytest.raises(TimeoutError):
                quick.result(0.3)
            with engine.connect() as reader:
                assert read(reader, 0) == []
        quick.result(30)
    with engine.connect() as reader:
        assert [row for row, _ in read(reader, 0)] == [1, 2]


def test_collectors_of_two_counties_write_rows_that_are_read_in_order(engine: Engine) -> None:
    def collect(county: str) -> None:
        lease = leases.acquire(engine, county, county, "127.0.0.1:9161", 1000.0, 60)
        journal = Journal(engine, lease, lambda: 1000.0, 60)
        for number in range(20):
            journal.add(SiteEvent(1000.0 + number, f"{county}-{number}", Aspect.REACHABLE, Verdict.YES))
            journal.flush(1000.0 + number)

    seen: list[int] = []
    with ThreadPoolExecutor(2) as both:
        working = [both.submit(collect, county) for county in ("511825000000", "511826000000")]
        while len(seen) < 40:
            if any(one.done() and one.exception() for one in working):
                break
            with engine.connect() as connection:
                seen += [verdict.row for verdict in history.verdicts_since(connection, seen[-1] if seen else 0)]
    for one in working:
        one.result()
    assert len(set(seen)) == 40, "a row was passed over"


def test_an_audit_chain_that_many_write_at_once_holds(engine: Engine) -> None:
    def act(who: int) -> None:
        for _ in range(5):
            with engine.begin() as connection:
                audit.record(connection, 1000.0, f"w{who}", "outage.note", "o1")

    with ThreadPoolExecutor(4) as people:
        for done in [people.submit(act, who) for who in range(4)]:
            done.result()
    with engine.connect() as connection:
        assert audit.first_broken(connection) is None
        assert len(list(audit.entries(connection))) == 20


def test_one_of_two_collectors_gets_the_county(engine: Engine) -> None:
    def take(holder: str) -> str:
        try:
            return leases.acquire(engine, "511825000000", holder, "127.0.0.1:1", 1000.0, 60).holder
        except LedgerError:
            return ""

    with ThreadPoolExecutor(4) as collectors:
        won = [name for name in collectors.map(take, ["a", "b", "c", "d"]) if name]
    assert len(won) == 1


def test_programs_that_start_together_migrate_once(postgres: Any) -> None:
    url = postgres.empty()
    with ThreadPoolExecutor(4) as programs:
        for engine in programs.map(open_ledger, [url] * 4):
            engine.dispose()
    plain = create_engine(url)
    with plain.connect() as connection:
        assert connection.scalars(text("select count(*) from alembic_version")).one() == 1
        for table in metadata.sorted_tables:
            connection.execute(select(table).limit(1)).all()
    plain.dispose()


def test_no_password_is_said_when_it_does_not_open() -> None:
    with pytest.raises(LedgerError) as refusal:
        open_ledger("postgresql+psycopg://cuntong:open-sesame@/nowhere?host=/no/such/folder")
    assert "open-sesame" not in str(refusal.value)
    assert "cuntong:***@" in str(refusal.value)
