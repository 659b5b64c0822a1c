"""Due days, draws, rankings and indicators."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from health.availability import Availability
from health.duedates import Signing, due_in, end_of_third, signings
from health.indicators import INDICATORS, NoValue, mean_hours, of_time, percentile, share
from health.ranking import Band, Ranked, Scored, TooFewMonthsError, band_of, of_year, rank
from health.sampling import population_hash, sample

SEED = bytes(range(32))


@pytest.mark.parametrize(
    ("month", "day", "due"),
    [("2021-11", 25, date(2021, 11, 25)), ("2021-02", 31, date(2021, 2, 28)), ("2024-02", 30, date(2024, 2, 29))],
)
def test_a_day_that_the_month_does_not_have_is_its_last(month: str, day: int, due: date) -> None:
    assert due_in(month, day) == due


@pytest.mark.parametrize(("third", "last"), [(1, 10), (2, 20), (3, 31)])
def test_the_first_ten_days_end_on_the_tenth(third: int, last: int) -> None:
    assert end_of_third("2021-12", third).day == last


def test_a_signature_is_on_time_late_missing_or_pending() -> None:
    due = date(2021, 11, 25)
    given_on = {"a": date(2021, 11, 25), "b": date(2021, 11, 26), "c": None}
    assert [one.state for one in signings(given_on, due, date(2021, 12, 1))] == [
        Signing.ON_TIME, Signing.LATE, Signing.MISSING,
    ]  # fmt: skip
    assert signings({"c": None}, due, due)[0].state is Signing.PENDING


ids = st.lists(st.text("abc", min_size=1, max_size=4), unique=True, max_size=30)


@given(ids, st.integers(0, 40))
def test_a_draw_depends_on_seed_and_population_and_on_nothing_else(population: list[str], size: int) -> None:
    drawn = sample(SEED, population, size)
    assert len(set(drawn)) == len(drawn) == min(size, len(population))
    assert set(drawn) <= set(population)
    assert sample(SEED, population[::-1], size) == drawn
    assert population_hash(population) == population_hash(population[::-1])


def test_another_seed_draws_another_order_and_a_short_one_is_refused() -> None:
    many = [str(number) for number in range(100)]
    assert sample(SEED, many, 100) != sample(SEED[::-1], many, 100)
    with pytest.raises(ValueError, match="guessed"):
        sample(b"short", many, 1)


def scored(code: str, coverage: float | None, subjects: int = 10, **more: object) -> Scored:
    values: dict[str, object] = {"availability": 0.99, "kiosk_online": 0.9, "overdue_tasks": 0}
    return Scored(code, code, subjects, coverage, **{**values, **more})  # type: ignore[arg-type]


def test_equal_figures_share_a_place_and_the_next_place_is_counted_on() -> None:
    ranked = rank([scored("b", 1.0), scored("a", 1.0), scored("c", 0.5), scored("d", None)])
    assert [(one.scored.code, one.place) for one in ranked] == [("a", 1), ("b", 1), ("c", 3), ("d", 4)]


def test_overdue_tasks_decide_between_those_alike_and_small_units_have_no_place() -> None:
    ranked = rank([scored("a", 1.0, overdue_tasks=1), scored("b", 1.0), scored("tiny", 1.0, subjects=1)], smallest=2)
    assert [(one.scored.code, one.place) for one in ranked] == [("b", 1), ("a", 2), ("tiny", None)]


@pytest.mark.parametrize(
    ("ratio", "band"), [(0.9, Band.VERY_HIGH), (0.8, Band.HIGH), (0.6, Band.MEDIUM), (0.5, Band.LOW)]
)
def test_bands_name_nobody_the_last(ratio: float, band: Band) -> None:
    assert band_of(ratio) is band


def test_a_year_takes_twelve_months_and_eleven_are_refused_by_name() -> None:
    month: list[Ranked] = rank([scored("a", 0.5), scored("b", 1.0)])
    months = {f"2021-{number:02}": month for number in range(1, 12)}
    with pytest.raises(TooFewMonthsError) as refusal:
        of_year(2021, months)
    assert refusal.value.missing == ("2021-12",)
    better = rank([scored("a", 1.0), scored("b", 1.0)])
    ranked = of_year(2021, {**months, "2021-12": better})
    assert [(one.scored.code, one.place) for one in ranked] == [("b", 1), ("a", 2)]
    assert ranked[1].scored.coverage == pytest.approx((11 * 0.5 + 1.0) / 12)


def test_each_indicator_has_a_formula_a_version_and_a_name_in_both_languages() -> None:
    assert [one.id for one in INDICATORS] == [f"I{number}" for number in range(1, 10)]
    assert all(one.version and one.formula and one.zh and one.en for one in INDICATORS)


def test_too_little_watched_time_is_no_hundred_percent() -> None:
    assert of_time("I2", Availability(80, 0, 20)).reason is NoValue.INSUFFICIENT_DATA
    assert of_time("I2", Availability(90, 0, 10)).value == 1.0
    assert of_time("I2", Availability(0, 0, 0)).reason is NoValue.NOTHING_TO_COUNT


def test_an_indicator_is_met_above_its_threshold_or_below_it() -> None:
    assert share("I1", 96, 96).met is True
    assert share("I1", 95, 96).met is False
    assert share("I6", 1, 100).met is True
    assert share("I6", 5, 10).met is False
    assert share("I9", 0, 0).met is None
    assert mean_hours("I8", [3600.0, 7200.0]).value == pytest.approx(1.5)
    assert percentile("I3", [], 10).reason is NoValue.NOT_MEASURED
    assert percentile("I3", [0.01] * 8, 10).reason is NoValue.INSUFFICIENT_DATA
    assert percentile("I3", [0.01] * 10, 10).met is True
