"""The queue: nothing is lost, nothing is said twice, nobody waits for another, nobody is told too fast."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

import pytest
from sqlalchemy import Engine

from api.receivers.delivery import Delivery, next_of
from api.receivers.hearing import Notifications
from api.receivers.notice import Notice
from exporter.alertmanager.channels import Channel
from exporter.alertmanager.settings import Alerting
from ledger import messages, outage_notes
from ledger.database import open_ledger
from ledger.messages import Message, MessageState, Outcome

NOON: Final = 1_763_600_000.0
BOT: Final = {"kind": "wecom", "address": "secret://a"}


class Post:
    """A make-believe world of channels: each takes, refuses or is away, as it is told."""

    def __init__(self, engine: Engine, **more: Any) -> None:
        self.engine, self.now = engine, NOON
        self.taken: list[tuple[str, str]] = []
        self.tries: list[tuple[str, str, float]] = []
        self.answers: dict[str, Outcome] = {}
        settings = Alerting.model_validate(
            {"channels": {"a": BOT | more, "b": BOT}, "tell": {"page": ["a"], "noc": ["b"]}}
        )
        self.notifications = Notifications(settings, lambda reference: reference, lambda: self.now)
        self.names = {id(channel): name for name, channel in settings.channels.items()}
        self.delivery = self.another("one")

    def another(self, holder: str) -> Delivery:
        return Delivery(self.engine, self.notifications, holder, self.send)

    def send(
        self, channel: Channel, notice: Notice, outages: Sequence[str], open_secret: Any, now: float
    ) -> tuple[Outcome, str]:
        name = self.names[id(channel)]
        self.tries.append((name, notice.title, self.now))
        outcome = self.answers.get(notice.title, self.answers.get(name, Outcome.SENT))
        if outcome is Outcome.SENT:
            self.taken.append((name, notice.title))
        return outcome, "" if outcome is Outcome.SENT else "said so"

    def put(self, channel: str, title: str, *outages: str) -> bool:
        notice = Notice("zh", False, title, (), "{count}")
        with self.engine.begin() as connection:
            return messages.put(connection, channel, title, outages, notice.as_plain(), self.now, self.now - 1800)

    def waits(self, channel: str) -> list[Message]:
        with self.engine.connect() as connection:
            return messages.waiting(connection, channel, 100)


@pytest.fixture
def engine(ledger_url: str) -> Iterator[Engine]:
    engine = open_ledger(ledger_url)
    yield engine
    engine.dispose()


@pytest.fixture
def post(engine: Engine) -> Post:
    return Post(engine)


def test_what_waits_is_sent_once_in_order_and_its_outages_hear_of_it(post: Post) -> None:
    for title in ("first", "second"):
        post.put("a", title, "o1")
    assert post.delivery.step("a") == 0.0
    assert post.delivery.step("a") == 0.0
    assert post.taken == [("a", "first"), ("a", "second")]
    with post.engine.connect() as connection:
        notes = outage_notes.of_outage(connection, "o1")
        (told, _) = messages.told(connection, outage="o1")
        assert messages.told(connection, outage="o") == []
    assert [(note.step, note.note, note.said_by) for note in notes] == [("notified", "a", "cuntong")]
    assert (told.state, told.tries, told.last_outcome) == (MessageState.SENT, 1, Outcome.SENT)


def test_a_delivery_that_is_repeated_within_minutes_is_not_queued_again(post: Post) -> None:
    assert post.put("a", "same")
    post.now += 1799
    assert not post.put("a", "same")
    assert post.put("b", "same")
    post.now += 2  # this is a reminder, hours later in the field
    assert post.put("a", "same")


def test_a_channel_that_is_away_is_tried_ever_less_often_and_loses_nothing(post: Post) -> None:
    post.answers["a"] = Outcome.UNREACHABLE
    for title in ("first", "second"):
        post.put("a", title)
    waits = []
    for _ in range(12):
        waits.append(round(post.delivery.step("a")))
        post.now += waits[-1]
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300]
    assert {title for _, title, _ in post.tries} == {"first"}, "what comes after it would find nobody there either"
    post.now += 7 * 86_400
    del post.answers["a"]
    post.delivery.step("a")
    assert post.taken == [("a", "first"), ("a", "second")]


def test_what_is_refused_stands_aside_and_is_given_up_after_a_day(post: Post) -> None:
    post.answers["bad"] = Outcome.REFUSED
    for title in ("bad", "good"):
        post.put("a", title)
    began = post.now
    wait = post.delivery.step("a")
    assert post.taken == [("a", "good")]
    assert wait == 120.0
    while post.waits("a"):
        post.now += max(1.0, post.delivery.step("a"))
        assert post.now - began < 2 * 86_400
    assert post.now - began >= 86_400
    with post.engine.connect() as connection:
        (_, given_up) = messages.told(connection)
        assert messages.outcomes(connection)["a", "given_up"] == 1
    assert (given_up.state, given_up.last_outcome, given_up.detail) == ("given_up", "given_up", "said so")


@pytest.mark.parametrize("per_minute", [1, 20])
def test_no_channel_is_told_more_in_any_minute_than_it_takes(engine: Engine, per_minute: int) -> None:
    post = Post(engine, per_minute=per_minute)
    for number in range(3 * per_minute):
        post.put("a", f"m{number}")
    while post.waits("a"):
        post.now += max(0.5, post.delivery.step("a"))
    times = [at for _, _, at in post.tries]
    assert [title for _, title in post.taken] == [f"m{number}" for number in range(3 * per_minute)]
    for first, later in zip(times, times[per_minute:], strict=False):
        assert later - first >= 60.0


def test_of_two_senders_one_has_the_channel_until_it_is_gone(post: Post) -> None:
    other = post.another("two")
    post.put("a", "first")
    post.delivery.step("a")
    post.put("a", "second")
    assert other.step("a") > 0
    assert post.taken == [("a", "first")]
    post.now += 61  # the first was killed
    other.step("a")
    assert post.taken == [("a", "first"), ("a", "second")]
    assert post.delivery.step("a") > 0


def test_the_next_message_is_the_oldest_that_may_be_tried() -> None:
    def message(id: int, tries: int = 0, tried_at: float | None = None, last: Outcome | None = None) -> Message:
        return Message(id, "a", (), {}, NOON, MessageState.WAITING, tries, tried_at, last)

    fresh, refused = message(2), message(1, 1, NOON, Outcome.REFUSED)
    assert next_of([refused, fresh], NOON + 1) == (fresh, 0.0)
    assert next_of([refused], NOON + 1) == (None, 119.0)
    assert next_of([refused, fresh], NOON + 120) == (refused, 0.0)
    away = message(1, 3, NOON, Outcome.UNREACHABLE)
    assert next_of([away, fresh], NOON + 1) == (None, 7.0)


async def test_a_dead_channel_delays_nobody_and_a_bug_in_one_silences_one(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("api.receivers.delivery.LOOK_S", 0.01)
    post = Post(engine)
    sent = asyncio.Event()
    loop = asyncio.get_running_loop()

    def send(channel: Channel, notice: Notice, *rest: Any) -> tuple[Outcome, str]:
        if post.names[id(channel)] == "a":
            raise RuntimeError("a bug")
        loop.call_soon_threadsafe(sent.set)
        return Outcome.SENT, ""

    delivery = Delivery(engine, post.notifications, "one", send)
    post.put("a", "never")
    post.put("b", "at once")
    with caplog.at_level(logging.ERROR):
        running = asyncio.create_task(delivery.run())
        await asyncio.wait_for(sent.wait(), 30)
        while not caplog.records or post.waits("b"):
            await asyncio.sleep(0.02)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    assert [message.document["title"] for message in post.waits("a")] == ["never"]
    assert "the channel a failed" in caplog.text
