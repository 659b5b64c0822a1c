"""Shares that must be met exactly, the pace towards them, and quotas."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from health.milestones import SiteFacts, failing, needed_of, overdue, pace, planned_share, progress, quotas
from inventory.vocabulary import Aspect, Claim, Verdict

DAY = date(2020, 9, 1)


def facts(**change: object) -> SiteFacts:
    usual: dict[str, object] = {
        "claim": Claim.IN_SERVICE,
        "open": True,
        "proved": {Aspect.REACHABLE: Verdict.YES},
        "attachments": ("extranet",),
        "classes": {"kiosk"},
        "told": {"items_listed"},
    }
    return SiteFacts(**{**usual, **change})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "ratio", "needed"), [(30, 0.7, 21), (15, 0.7, 11), (40, 1.0, 40), (10, 0.7, 7), (3, 0.1, 1), (0, 0.7, 0)]
)
def test_a_share_is_counted_without_the_errors_of_binary_fractions(asked: int, ratio: float, needed: int) -> None:
    assert needed_of(asked, ratio) == needed


@given(st.integers(1, 2000), st.integers(1, 100))
def test_a_target_is_reached_with_what_is_needed_and_not_with_one_less(asked: int, percent: int) -> None:
    ratio = percent / 100
    needed = needed_of(asked, ratio)
    assert needed * 100 >= percent * asked > (needed - 1) * 100


@pytest.mark.parametrize(
    ("change", "fails"),
    [
        ({}, []),
        ({"claim": Claim.BUILT}, ["connected"]),
        ({"open": False}, ["open"]),
        ({"proved": {}}, ["reachable"]),
        ({"told": ()}, ["items_listed"]),
        ({"conforming": False}, ["conforming"]),
        ({"classes": ()}, ["kiosk"]),
    ],
)
def test_every_condition_that_fails_is_named(change: dict[str, object], fails: list[str]) -> None:
    asked = ("connected", "open", "reachable", "items_listed", "conforming", "kiosk")
    assert failing(asked, facts(**change)) == fails


def test_twenty_of_thirty_are_behind_by_one_and_twenty_one_reach_seventy_percent() -> None:
    sites = {site: facts(open=site < 20) for site in range(30)}
    made = progress(["open"], 0.7, sites)
    assert (made.met, made.behind, made.reached) == (20, 1, False)
    made = progress(["open"], 0.7, {**sites, 20: facts()})
    assert (made.met, made.behind, made.reached, made.ratio) == (21, 0, True, 0.7)


def test_the_due_day_itself_still_counts() -> None:
    assert not overdue(DAY, DAY, False)
    assert overdue(DAY, DAY + timedelta(days=1), False)
    assert not overdue(DAY, DAY + timedelta(days=1), True)


def test_the_pace_says_what_is_needed_each_week_and_when_it_will_be_done() -> None:
    series = [(DAY, 0), (DAY + timedelta(days=14), 10)]
    todo = pace(series, 30, DAY + timedelta(days=27), DAY + timedelta(days=14))
    assert todo.required_per_week == pytest.approx(10)
    assert todo.actual_per_week == pytest.approx(5)
    assert todo.forecast == DAY + timedelta(days=42)


def test_a_plan_that_stands_still_has_no_forecast_and_a_reached_one_has_its_day() -> None:
    still = [(DAY, 5), (DAY + timedelta(days=14), 5)]
    assert pace(still, 30, DAY + timedelta(days=27), DAY + timedelta(days=14)).forecast is None
    done = [(DAY, 5), (DAY + timedelta(days=7), 30), (DAY + timedelta(days=14), 30)]
    assert pace(done, 30, DAY + timedelta(days=27), DAY + timedelta(days=14)).forecast == DAY + timedelta(days=7)


def test_a_staged_plan_rises_in_straight_lines() -> None:
    stages = [(DAY, DAY + timedelta(days=10), 0.5), (DAY + timedelta(days=10), DAY + timedelta(days=20), 1.0)]
    days = (0, 5, 10, 15, 20, 30)
    assert [planned_share(stages, DAY + timedelta(days=n)) for n in days] == [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]
    assert planned_share([(DAY, DAY, None)], DAY) is None


def test_a_pilot_too_many_does_not_make_up_for_one_too_few() -> None:
    made = quotas([("510821", 2), ("510822", 2), ("5108J0", 1)], {"510821": 1, "510822": 3, "5108J0": 1}.__getitem__)
    assert (made.named, made.wanted) == (4, 5)
    assert [(one.division, one.named) for one in made.amiss] == [("510821", 1), ("510822", 3)]
