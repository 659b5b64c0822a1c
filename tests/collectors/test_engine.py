"""The collector in a real event loop over a real ledger; only the devices are make-believe."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine, func, select, text

from collectors import engine as engine_module
from collectors.engine import Collector, Done
from collectors.fleet import Fleet, WatchedDevice
from collectors.schedule import Schedule
from health.outage import Scope
from health.reading import Readings
from health.rootcause import Cause
from inventory.vocabulary import Aspect, Verdict
from ledger import history, leases
from ledger.database import open_ledger, sqlite_url
from ledger.errors import FencedError
from ledger.journal import Journal, OutageEvent, SiteEvent
from ledger.tables import outage_events, site_events

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

COUNTY = "511825000000"
SITES = ("centre", "town", "v1", "v2")
FLEET = Fleet(
    SITES,
    [(), (0,), (1,), (1,)],
    [
        WatchedDevice(f"{site}-{role}", number, role, kind)
        for number, site in enumerate(SITES)
        for role, kind in (("cpe1", "router"), ("kiosk1", "kiosk"))
    ],
)
INTERVAL_S = 0.25


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same rules in a hundredth of the time."""
    monkeypatch.setattr(engine_module, "_CONFIRM_AFTER_S", 0.01)
    monkeypatch.setattr(engine_module, "_FLUSH_S", 0.02)
    monkeypatch.setattr(engine_module, "_EXTEND_WATCH_S", 0.05)
    monkeypatch.setattr(engine_module, "_BEAT_S", 0.05)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Engine]:
    engine = open_ledger(sqlite_url(tmp_path / "ledger.sqlite3"))
    yield engine
    engine.dispose()


class Village:
    """Answers for the fleet: who is off, who never calls back, and how many questions were open at once."""

    def __init__(self) -> None:
        self.off: set[str] = set()
        self.mute = False
        self.asked: Counter[str] = Counter()
        self.lose_next: set[str] = set()
        self.open = self.most_open = 0

    def ask(self, ordinal: int, done: Done) -> None:
        device = FLEET.devices[ordinal]
        self.asked[device.id] += 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        if not self.mute:
            asyncio.get_running_loop().call_later(0.002, self._answer, ordinal, done)

    def _answer(self, ordinal: int, done: Done) -> None:
        self.open -= 1
        device = FLEET.devices[ordinal]
        lost = device.id in self.lose_next
        self.lose_next.discard(device.id)
        silent = lost or device.id in self.off or SITES[device.site] in self.off
        done(ordinal, None if silent else Readings())


class Clock:
    """The wall's clock, which somebody may set."""

    def __init__(self) -> None:
        self.shift_s = 0.0

    def __call__(self) -> float:
        return time.time() + self.shift_s


class Post:
    """One collector over one ledger."""

    def __init__(self, ledger: Engine, holder: str = "a", max_in_flight: int = 512) -> None:
        self.ledger = ledger
        self.village = Village()
        self.clock = Clock()
        lease = leases.acquire(ledger, COUNTY, holder, "127.0.0.1:9161", self.clock(), 60)
        self.journal = Journal(ledger, lease, self.clock, 60)
        schedule = Schedule([0] * len(FLEET.devices), INTERVAL_S, 8)
        everybody = range(len(FLEET.devices))
        self.collector = Collector(FLEET, everybody, schedule, self.village, self.journal, self.clock, max_in_flight)

    def restore(self) -> None:
        with self.ledger.connect() as connection:
            verdicts = history.newest_verdicts(connection)
            outages = history.outages(connection, open_only=True)
            self.collector.watch.restore(verdicts, outages, history.watched_until(connection).get(COUNTY))

    def outages(self) -> list[tuple[str, bool]]:
        """Node and whether it is over, oldest first."""
        with self.ledger.connect() as connection:
            return [(outage.node, outage.until is not None) for outage in history.outages(connection)][::-1]

    def reachable(self) -> dict[str, Verdict]:
        with self.ledger.connect() as connection:
            newest = history.newest_verdicts(connection)
        return {one.site: one.verdict for one in newest if one.aspect is Aspect.REACHABLE}

    def watched(self) -> list[tuple[float, float]]:
        with self.ledger.connect() as connection:
            return history.watched(connection, COUNTY)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for it; the deadline is generous, since machines are busy."""
        async with asyncio.timeout(20):
            while not holds():
                await asyncio.sleep(0.01)

    @asynccontextmanager
    async def running(self) -> "AsyncIterator[asyncio.Task[None]]":
        task = asyncio.create_task(self.collector.run())
        try:
            yield task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError, FencedError):
                await task


async def test_the_first_sweep_proves_every_site_and_begins_to_watch(ledger: Engine) -> None:
    post = Post(ledger)
    async with post.running():
        await post.until(lambda: len(post.watched()) == 1)
        sweep = post.collector.sweep
        assert sweep.first_s is not None
        assert sweep.first_s < 5
        assert sweep.polls["silent"] == 0
        assert set(post.village.asked) == {device.id for device in FLEET.devices}
    assert post.reachable() == dict.fromkeys(SITES, Verdict.YES)
    assert post.outages() == []


async def test_every_device_is_asked_once_in_each_interval(ledger: Engine) -> None:
    post = Post(ledger)
    async with post.running():
        await post.until(lambda: post.collector.sweep.cycles >= 4)
        counts = post.village.asked.values()
    assert max(counts) - min(counts) <= 2
    assert post.collector.sweep.duration_s is not None


async def test_one_lost_poll_is_asked_again_and_is_no_outage(ledger: Engine) -> None:
    post = Post(ledger)
    async with post.running():
        await post.until(lambda: post.collector.sweep.cycles >= 1)
        post.village.lose_next = {"v1-cpe1"}
        await post.until(lambda: post.collector.sweep.polls["silent"] == 1)
        cycles = post.collector.sweep.cycles
        await post.until(lambda: post.collector.sweep.cycles >= cycles + 2)
    assert post.outages() == []
    assert post.reachable() == dict.fromkeys(SITES, Verdict.YES)


async def test_a_dark_site_is_recorded_and_so_is_its_return(ledger: Engine) -> None:
    post = Post(ledger)
    async with post.running():
        await post.until(lambda: post.collector.sweep.cycles >= 1)
        post.village.off = {"v1"}
        await post.until(lambda: post.outages() == [("v1", False)])
        assert post.reachable() == {**dict.fromkeys(SITES, Verdict.YES), "v1": Verdict.NO}
        post.village.off = set()
        await post.until(lambda: post.outages() == [("v1", True)])
    assert post.reachable() == dict.fromkeys(SITES, Verdict.YES)
    with ledger.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(outage_events)) == 2


async def test_never_more_questions_are_open_than_allowed(ledger: Engine) -> None:
    post = Post(ledger, max_in_flight=3)
    async with post.running():
        await post.until(lambda: post.collector.sweep.cycles >= 3)
    assert post.village.most_open == 3


async def test_time_in_which_devices_wait_for_their_turn_is_not_watched(ledger: Engine) -> None:
    post = Post(ledger, max_in_flight=1)
    async with post.running():
        await post.until(lambda: post.collector.watching)
        post.village.mute = True
        await post.until(lambda: not post.collector.watching)
        await asyncio.sleep(0.3)  # a writing that began before may still be under way
        (interval,) = post.watched()
        await asyncio.sleep(0.2)
        assert post.watched() == [interval]


async def test_before_the_first_sweep_nothing_is_watched(ledger: Engine) -> None:
    post = Post(ledger)
    post.village.mute = True
    async with post.running():
        await post.until(lambda: post.village.open == len(FLEET.devices))
        assert not post.collector.watching
    assert post.watched() == []


@pytest.mark.parametrize("jump_s", [3600.0, -3600.0])
async def test_time_that_the_clock_skipped_was_not_watched(ledger: Engine, jump_s: float) -> None:
    post = Post(ledger)
    async with post.running():
        await post.until(lambda: len(post.watched()) == 1)
        post.clock.shift_s = jump_s
        await post.until(lambda: len(post.watched()) == 2)
    total = sum(until - since for since, until in post.watched())
    assert 0 < total < 60
    assert all(since <= until for since, until in post.watched())


async def test_a_ledger_that_is_away_for_a_while_loses_nothing(ledger: Engine) -> None:
    post = Post(ledger)
    async with post.running():
        await post.until(lambda: len(post.watched()) == 1)
        with ledger.begin() as connection:
            connection.execute(text("alter table leases rename to away"))
        post.village.off = {"v2"}
        await post.until(lambda: any(post.collector.watch.open_outages))
        post.village.off = set()
        await post.until(lambda: not any(post.collector.watch.open_outages))
        assert post.journal.pending >= 4
        assert post.outages() == []
        with ledger.begin() as connection:
            connection.execute(text("alter table away rename to leases"))
        await post.until(lambda: post.outages() == [("v2", True)])
        away = time.time()
        await post.until(lambda: post.watched()[-1][1] > away)
    assert len(post.watched()) == 1, "it was watching all the time"
    assert post.reachable() == dict.fromkeys(SITES, Verdict.YES)


async def test_a_watch_whose_first_mark_was_refused_is_still_kept(ledger: Engine) -> None:
    post = Post(ledger)
    full = "create trigger full before insert on watch_intervals begin select raise(abort, 'the disk is full'); end"
    with ledger.begin() as connection:
        connection.execute(text(full))
    async with post.running():
        await post.until(lambda: post.collector.sweep.cycles >= 2)
        assert post.watched() == []
        with ledger.begin() as connection:
            connection.execute(text("drop trigger full"))
        mended = time.time()
        await post.until(lambda: len(post.watched()) == 1)
        await post.until(lambda: post.watched()[0][1] > mended)
    assert post.watched()[0][0] < mended


async def test_a_collector_that_was_replaced_ends(ledger: Engine) -> None:
    post = Post(ledger)
    async with post.running() as task:
        await post.until(lambda: post.collector.sweep.cycles >= 1)
        leases.acquire(ledger, COUNTY, "b", "127.0.0.1:9162", time.time() + 120, 60)
        await post.until(task.done)
        assert isinstance(task.exception(), FencedError)


async def test_what_is_pending_is_written_at_the_end(ledger: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "_FLUSH_S", 60.0)
    post = Post(ledger)
    async with post.running():
        await post.until(lambda: post.collector.sweep.cycles >= 2)
        post.village.off = {"v1"}
        await post.until(lambda: any(post.collector.watch.open_outages))
        assert post.outages() == []
    assert post.outages() == [("v1", False)]


async def test_an_end_in_the_middle_of_a_slow_write_keeps_each_fact_once(ledger: Engine) -> None:
    post = Post(ledger)
    async with post.running() as task:
        await post.until(lambda: post.collector.sweep.cycles >= 1)
        with ledger.connect() as blocker:
            blocker.exec_driver_sql("BEGIN IMMEDIATE")  # somebody else is writing, for long
            post.village.off = {"v1"}
            await post.until(lambda: any(post.collector.watch.open_outages))
            await asyncio.sleep(0.1)
            task.cancel()
            threading.Timer(0.2, blocker.exec_driver_sql, ("ROLLBACK",)).run()
            with suppress(asyncio.CancelledError):
                await task
    assert post.journal.pending == 0
    assert post.outages() == [("v1", False)]
    with ledger.connect() as connection:
        seqs = [*connection.scalars(select(site_events.c.seq)), *connection.scalars(select(outage_events.c.seq))]
    assert len(set(seqs)) == len(seqs)


async def test_the_next_collector_takes_up_an_outage_and_says_nothing_twice(ledger: Engine) -> None:
    first = Post(ledger)
    async with first.running():
        await first.until(lambda: first.collector.sweep.cycles >= 1)
        first.village.off = {"town", "v1", "v2"}
        await first.until(lambda: first.outages() == [("town", False)] and first.reachable()["v2"] is Verdict.NO)
    second = Post(ledger)
    second.restore()
    second.village.off = {"town", "v1", "v2"}
    async with second.running():
        await second.until(lambda: second.collector.sweep.cycles >= 2)
        assert second.outages() == [("town", False)]
        second.village.off = set()
        await second.until(lambda: set(second.reachable().values()) == {Verdict.YES})
    assert second.outages() == [("town", True)]
    assert len(second.watched()) == 2


async def test_what_fell_while_nobody_watched_is_proved_only_until_the_watching_ended(ledger: Engine) -> None:
    first = Post(ledger)
    async with first.running():
        await first.until(lambda: len(first.watched()) == 1)
    (interval,) = first.watched()
    second = Post(ledger)
    second.restore()
    second.village.off = {"v1"}
    async with second.running():
        await second.until(lambda: second.outages() == [("v1", False)])
    with ledger.connect() as connection:
        proofs = {
            (one.site, one.aspect): one.proved_at
            for one in history.newest_verdicts(connection)
            if one.verdict is Verdict.NO
        }
    assert proofs == {("v1", Aspect.REACHABLE): interval[1], ("v1", Aspect.WORKING): interval[1]}


async def test_what_is_said_together_is_written_together(ledger: Engine) -> None:
    post = Post(ledger)
    outage = post.journal.new_outage_id()
    opened = OutageEvent(1.0, outage, "opened", Scope.SITE, "v1", Cause.ACCESS)
    post.journal.add(opened)
    together = post.journal.newest
    post.journal.add(SiteEvent(1.0, "v1", Aspect.REACHABLE, Verdict.NO, "down", None, outage))
    post.journal.flush(None, together - 1)
    assert (post.journal.pending, post.outages()) == (2, [])
    post.journal.flush(None)
    assert (post.journal.pending, post.outages()) == (0, [("v1", False)])
