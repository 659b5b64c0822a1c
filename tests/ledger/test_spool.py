"""What the ledger did not take waits on the collector's disk and arrives once, whatever dies in between."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DBAPIError

from health.outage import Scope
from health.rootcause import Cause
from health.verdict import Blame
from inventory.vocabulary import Aspect, Verdict
from ledger import history, leases, spool
from ledger.database import open_ledger
from ledger.errors import FencedError
from ledger.journal import Fact, Journal, OutageEvent, SiteEvent, VerdictEvent, Watched
from ledger.leases import Lease
from ledger.spool import Spool
from ledger.tables import site_events

COUNTY = "511825000000"

times = st.floats(0, 4e9, allow_nan=False)
words = st.text(max_size=20)
facts: st.SearchStrategy[Fact] = st.one_of(
    st.builds(
        SiteEvent, times, words, st.sampled_from(Aspect), st.sampled_from(Verdict), words, st.none() | times, st.none()
    ),
    st.builds(OutageEvent, times, words, words, st.sampled_from(Scope), words, st.sampled_from(Cause)),
    st.builds(VerdictEvent, times, words, st.sampled_from(Blame), words, st.none() | words),
)


@pytest.fixture
def engine(ledger_url: str) -> Iterator[Engine]:
    engine = open_ledger(ledger_url)
    yield engine
    engine.dispose()


def take(engine: Engine, holder: str, now: float) -> Lease:
    return leases.acquire(engine, COUNTY, holder, "127.0.0.1:9101", now, 60)


def hide(engine: Engine, *, back: bool = False) -> None:
    """The database does not take facts any more, or does again."""
    names = ("hidden", "site_events") if back else ("site_events", "hidden")
    with engine.begin() as connection:
        connection.execute(text("alter table {} rename to {}".format(*names)))


def lit(site: str, at: float) -> SiteEvent:
    return SiteEvent(at, site, Aspect.REACHABLE, Verdict.YES)


def sites(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(select(site_events.c.site).order_by(site_events.c.id)))


def cut_off(engine: Engine, path: Path) -> Journal:
    """A collector that told one fact, and since then cannot tell two more."""
    lease = take(engine, "a", 1000.0)
    journal = Journal(engine, lease, lambda: 1010.0, 60, Spool(path, lease))
    journal.add(lit("tq-a", 1001.0))
    journal.flush(1001.0)
    assert not path.exists(), "nothing waits while the database answers"
    hide(engine)
    for at, site in ((1002.0, "tq-b"), (1003.0, "tq-c")):
        journal.add(lit(site, at))
        with pytest.raises(DBAPIError):
            journal.flush(at)
    return journal


def test_what_waited_is_told_by_the_same_collector_and_leaves_the_disk(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "spool" / "county.jsonl"
    journal = cut_off(engine, path)
    assert len(path.read_text("utf-8").splitlines()) == 5, "a head, two facts, and the watch interval twice"
    assert path.stat().st_mode & 0o077 == 0
    hide(engine, back=True)
    journal.flush(1004.0)
    assert sites(engine) == ["tq-a", "tq-b", "tq-c"]
    assert not path.exists()


def test_what_a_dead_collector_left_arrives_with_its_successor_and_only_once(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "spool" / "county.jsonl"
    cut_off(engine, path)
    left = path.read_bytes()
    hide(engine, back=True)
    lease = take(engine, "a", 1020.0)
    assert spool.deliver(engine, path, lease, 1020.0) == 2
    path.write_bytes(left)  # as if it had died just before the file was taken away
    assert spool.deliver(engine, path, lease, 1021.0) == 2
    assert sites(engine) == ["tq-a", "tq-b", "tq-c"]
    assert spool.deliver(engine, path, lease, 1022.0) == 0
    with engine.connect() as connection:
        assert history.watched(connection, COUNTY) == [(1001.0, 1003.0)]


def test_what_was_left_before_another_collector_took_over_is_put_aside(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "spool" / "county.jsonl"
    cut_off(engine, path)
    hide(engine, back=True)
    take(engine, "b", 2000.0)
    lease = take(engine, "a", 3000.0)
    with pytest.raises(FencedError, match="another one had the county before ours"):
        spool.deliver(engine, path, lease, 3000.0)
    assert sites(engine) == ["tq-a"]
    assert [one.name for one in path.parent.iterdir()] == ["county.jsonl.1.fenced"]


@given(st.lists(facts, max_size=6), st.lists(st.builds(Watched, times, times, st.integers(0, 99)), max_size=3))
def test_what_goes_onto_the_disk_comes_back_and_a_crash_costs_only_the_last_line(
    tmp_path_factory: pytest.TempPathFactory, said: list[Fact], watched: list[Watched]
) -> None:
    path = tmp_path_factory.mktemp("spool") / "county.jsonl"
    waiting = Spool(path, Lease(COUNTY, 7, "a", "", 0.0))
    rows = list(enumerate(said, start=1))
    waiting.keep(rows, None)
    for interval in watched:
        waiting.keep(rows, interval)
    left = spool.read(path)
    assert left is not None
    assert (left.county, left.epoch, list(left.facts)) == (COUNTY, 7, rows)
    assert set(left.watched) == set({one.since: one for one in watched}.values())
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    cut = spool.read(path)
    if cut is not None:
        assert list(cut.facts) == rows[: len(cut.facts)]
        assert len(cut.facts) >= len(rows) - 1


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_ignored(tmp_path_factory: pytest.TempPathFactory, garbage: bytes) -> None:
    path = tmp_path_factory.mktemp("spool") / "county.jsonl"
    path.write_bytes(garbage)
    spool.read(path)
    path.write_bytes(b'{"county": "511825000000", "epoch": 1}\n' + garbage)
    left = spool.read(path)
    assert left is not None
    assert left.epoch == 1
