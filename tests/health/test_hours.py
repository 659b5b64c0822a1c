"""When service is promised: weekdays, noon breaks, holidays, make-up days, market days, and around the clock."""

from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from health.hours import in_service_hours, next_change, opened_at, service_intervals, spans_of
from inventory.calendars import Calendar

CHINA = timezone(timedelta(hours=8))
OFFICE = Calendar.model_validate(
    {
        "title": "office",
        "weekly": {"mon-fri": ["09:00-12:00", "13:00-17:00"]},
        "closed": ["2026-10-01", "2026-10-02", "2026-10-12"],
        "open": ["2026-10-10"],
        "market_digits": [2, 5, 8],
        "market": ["08:00-13:00"],
    }
)
ALWAYS = Calendar.model_validate({"title": "always", "weekly": {"mon-sun": ["00:00-24:00"]}})


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=CHINA).timestamp()


@pytest.mark.parametrize(
    ("moment", "promised"),
    [
        pytest.param("2026-11-19T10:00", True, id="a Thursday morning"),
        pytest.param("2026-11-19T08:59", False, id="a minute before"),
        pytest.param("2026-11-19T12:00", False, id="the end is no service"),
        pytest.param("2026-11-19T12:30", False, id="the noon break"),
        pytest.param("2026-11-19T20:00", False, id="the evening"),
        pytest.param("2026-11-21T10:00", False, id="a Saturday"),
        pytest.param("2026-11-22T10:00", True, id="a Sunday, but market day"),
        pytest.param("2026-11-22T14:00", False, id="after the market"),
        pytest.param("2026-11-25T08:30", True, id="a Wednesday's market begins before the office"),
        pytest.param("2026-10-01T10:00", False, id="National Day"),
        pytest.param("2026-10-02T10:00", False, id="a holiday is stronger than a market day"),
        pytest.param("2026-10-12T10:00", False, id="a Monday that is a holiday"),
        pytest.param("2026-10-10T15:00", True, id="a Saturday that is worked (调休)"),
    ],
)
def test_service_is_promised_when_the_calendar_says_so(moment: str, promised: bool) -> None:
    assert in_service_hours(OFFICE, at(moment)) is promised
    assert (opened_at(OFFICE, at(moment)) is not None) is promised


def test_without_a_calendar_and_around_the_clock_service_is_always_promised() -> None:
    assert in_service_hours(None, at("2026-11-21T03:00"))
    assert in_service_hours(ALWAYS, at("2026-11-21T00:00"))
    (whole,) = service_intervals(ALWAYS, at("2026-11-20T10:00"), at("2026-11-23T10:00"))
    assert whole == (at("2026-11-20T10:00"), at("2026-11-23T10:00"))


def test_the_next_change_is_the_next_border_even_beyond_a_weekend() -> None:
    assert next_change(OFFICE, at("2026-11-19T10:00")) == at("2026-11-19T12:00")
    assert next_change(OFFICE, at("2026-11-20T17:00")) == at("2026-11-22T08:00")
    assert opened_at(OFFICE, at("2026-11-25T10:00")) == at("2026-11-25T08:00")


def test_a_make_up_day_serves_like_a_monday() -> None:
    assert spans_of(OFFICE, date(2026, 10, 10)) == spans_of(OFFICE, date(2026, 11, 16))


moments = st.floats(at("2026-09-20T00:00"), at("2026-10-20T00:00"))


@given(moments, moments)
def test_intervals_and_moments_tell_the_same(since: float, moment: float) -> None:
    until = since + 40 * 86_400
    inside = any(first <= moment < end for first, end in service_intervals(OFFICE, since, until))
    assert inside == (since <= moment < until and in_service_hours(OFFICE, moment))


@given(moments)
def test_nothing_changes_before_the_next_change(moment: float) -> None:
    border = next_change(OFFICE, moment)
    assert border > moment
    assert in_service_hours(OFFICE, moment) == in_service_hours(OFFICE, (moment + border) / 2)
    assert in_service_hours(OFFICE, border) != in_service_hours(OFFICE, moment)
