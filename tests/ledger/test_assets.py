"""What became of devices: told once, followed along moves; a replacement waits for one box, and for a time."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from ledger.assets import AssetEvent, AssetKind, awaited, history_of, record
from ledger.database import open_ledger


@pytest.fixture
def engine(ledger_url: str) -> Iterator[Engine]:
    engine = open_ledger(ledger_url)
    yield engine
    engine.dispose()


def told(engine: Engine, *events: AssetEvent) -> None:
    with engine.begin() as connection:
        for event in events:
            record(connection, event, event.happened_at + 1)


def event(device: str, kind: AssetKind, at: float, successor: str = "", expires: float | None = None) -> AssetEvent:
    return AssetEvent(device, kind, at, "wang", "ticket 7", {"serial": "S1"}, successor, expires)


def test_the_history_follows_a_box_through_its_moves(engine: Engine) -> None:
    told(
        engine,
        event("a-cpe1", AssetKind.REPLACED, 1.0, expires=9.0),
        event("x-cpe1", AssetKind.REPLACED, 2.0, expires=9.0),
        event("a-cpe1", AssetKind.MOVED, 3.0, "b-cpe2"),
        event("b-cpe2", AssetKind.MOVED, 4.0, "c-cpe1"),
        event("c-cpe1", AssetKind.RETIRED, 5.0),
    )
    with engine.connect() as connection:
        found = history_of(connection, "c-cpe1")
    assert [(one.device, str(one.kind), one.happened_at, one.recorded_at) for one in found] == [
        ("a-cpe1", "replaced", 1.0, 2.0), ("a-cpe1", "moved", 3.0, 4.0), ("b-cpe2", "moved", 4.0, 5.0),
        ("c-cpe1", "retired", 5.0, 6.0),
    ]  # fmt: skip
    assert (found[0].said_by, found[0].reason, found[0].detail) == ("wang", "ticket 7", {"serial": "S1"})


@pytest.mark.parametrize(
    ("events", "now", "waits"),
    [
        pytest.param([], 5.0, False, id="nothing was announced"),
        pytest.param([(AssetKind.REPLACED, 10.0)], 5.0, True, id="announced"),
        pytest.param([(AssetKind.REPLACED, 10.0)], 10.0, False, id="too long ago"),
        pytest.param([(AssetKind.REPLACED, 10.0), (AssetKind.ARRIVED, None)], 5.0, False, id="met already"),
        pytest.param([(AssetKind.REPLACED, 10.0), (AssetKind.RETIRED, None)], 5.0, False, id="retired meanwhile"),
        pytest.param(
            [(AssetKind.REPLACED, 4.0), (AssetKind.ARRIVED, None), (AssetKind.REPLACED, 10.0)], 5.0, True, id="again"
        ),
    ],
)
def test_a_replacement_waits_for_one_box_and_for_a_time(
    engine: Engine, events: list[tuple[AssetKind, float | None]], now: float, waits: bool
) -> None:
    told(engine, *(event("a-cpe1", kind, 1.0, expires=expires) for kind, expires in events))
    with engine.connect() as connection:
        assert (awaited(connection, "a-cpe1", now) is not None) is waits
        assert awaited(connection, "b-cpe1", now) is None
