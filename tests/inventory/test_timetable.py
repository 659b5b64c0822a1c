"""When timed work is due: written in three ways, always in China's time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.calendars import DAYS
from inventory.timetable import CHINA, timetable

MONDAY = datetime(2026, 11, 30, 2, 30, tzinfo=CHINA)

written = st.builds(
    lambda day, hour, minute: f"{day}{hour:02}:{minute:02}",
    st.sampled_from(["", *(f"{day} " for day in DAYS), *(f"{day} " for day in range(1, 29))]),
    st.integers(0, 23),
    st.integers(0, 59),
)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        pytest.param("02:31", MONDAY.replace(minute=31), id="later the same day"),
        pytest.param("02:30", MONDAY + timedelta(days=1), id="a moment is not after itself"),
        pytest.param("mon 02:29", MONDAY.replace(minute=29) + timedelta(days=7), id="a week later"),
        pytest.param("tue 00:00", datetime(2026, 12, 1, tzinfo=CHINA), id="another weekday"),
        pytest.param("28 06:00", datetime(2026, 12, 28, 6, tzinfo=CHINA), id="the next month"),
        pytest.param("1 06:00", datetime(2026, 12, 1, 6, tzinfo=CHINA), id="the first of a month"),
    ],
)
def test_what_is_written_is_due_next_at(text: str, due: datetime) -> None:
    assert timetable(text).after(MONDAY) == due


@given(written, st.integers(1_577_836_800, 1_893_456_000))
def test_what_is_due_is_later_and_as_written_and_the_very_next(text: str, unix: int) -> None:
    when, moment = timetable(text), datetime.fromtimestamp(unix, UTC)
    due = when.after(moment)
    assert due > moment
    assert f"{due:%H:%M}" == text[-5:]
    assert when.weekday in (None, due.weekday())
    assert when.day in (None, due.day)
    assert when.after(due - timedelta(seconds=1)) == due
    assert when.after(moment + (due - moment) / 2) == due, "nothing is left out between"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2:30", "no time of work"),
        ("24:00", "no such time of day"),
        ("12:60", "no such time of day"),
        ("monday 08:00", "no time of work"),
        ("xxx 08:00", "not every week or month"),
        ("31 08:00", "not every week or month"),
        ("0 08:00", "not every week or month"),
    ],
)
def test_what_cannot_be_is_refused_with_its_mend(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"{said}.* \\| Write"):
        timetable(text)
