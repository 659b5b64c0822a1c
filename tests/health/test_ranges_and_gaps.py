"""Ranges are rules in both directions; gaps are named one by one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from health.gaps import Gap, SiteCard, of_dissolved, of_sites
from health.ranges import Fit, Range, outside

WHOLE = {"site": 1, "name": "甲村便民服务室", "official_name": "甲村便民服务室", "open": True, "online": True}
EQUIPPED = {"rating": True, "owed": ("router", "kiosk"), "has": {"router", "kiosk"}}


@pytest.mark.parametrize(
    ("count", "fit"),
    [(0, Fit.SHORT), (1, Fit.WITHIN), (2, Fit.WITHIN), (3, Fit.OVER)],
)
def test_one_to_two_kiosks_means_that_three_are_a_finding_too(count: int, fit: Fit) -> None:
    assert Range(1, 2).fit(count) is fit


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 9))), st.integers(0, 9), st.integers(0, 9))
def test_whoever_is_outside_a_range_is_named_and_nobody_else(
    counts: list[tuple[int, int]], low: int, high: int
) -> None:
    low, high = min(low, high), max(low, high)
    found = outside("kiosks", Range(low, high), counts)
    assert [(one.subject, one.count) for one in found] == [(s, n) for s, n in counts if not low <= n <= high]


@pytest.mark.parametrize(
    ("change", "gap", "what"),
    [
        pytest.param({"name": "甲村服务点"}, Gap.NAME, "甲村便民服务室", id="another name"),
        pytest.param({"open": False}, Gap.PHYSICAL_HALF, "", id="online only"),
        pytest.param({"online": False}, Gap.ONLINE_HALF, "", id="offline only"),
        pytest.param({"rating": False}, Gap.NO_RATING, "", id="nobody can rate it"),
        pytest.param({"has": {"router"}}, Gap.EQUIPMENT, "kiosk", id="no kiosk"),
        pytest.param({"failing_items": ("地址规划",)}, Gap.LINE, "地址规划", id="a reused line that fails an item"),
    ],
)
def test_each_lack_is_one_gap_of_its_kind(change: dict[str, object], gap: Gap, what: str) -> None:
    card = SiteCard(**{**WHOLE, **EQUIPPED, **change})  # type: ignore[arg-type]
    assert [(one.kind, one.what) for one in of_sites([card])] == [(gap, what)]


def test_a_site_that_has_everything_and_one_of_which_nobody_told_have_no_gap() -> None:
    whole = SiteCard(**{**WHOLE, **EQUIPPED})  # type: ignore[arg-type]
    untold = SiteCard(**{**WHOLE, **EQUIPPED, "online": None})  # type: ignore[arg-type]
    assert list(of_sites([whole, untold])) == []


def test_a_dissolved_township_without_a_station_stays_on_the_list() -> None:
    gone = [("511825202000", "鱼泉乡"), ("511825205000", "大坪乡")]
    found = of_dissolved(4, gone, {"511825205000"})
    assert [(one.kind, one.division) for one in found] == [(Gap.NO_STATION, "511825202000")]
