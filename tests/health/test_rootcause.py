"""Who is to blame, on trees that can be seen at a glance."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from health.rootcause import Cause, Incident, UplinkTree, diagnose

# 0 ── 1 ── 3, 4        5 hangs on 1 and on 2
#   └─ 2 ── 5
TREE = UplinkTree([(), (0,), (0,), (1,), (1,), (1, 2)])

CASES = [
    pytest.param(set(), [], id="nothing dark, nobody to blame"),
    pytest.param({3}, [Incident(3, (3,), Cause.ACCESS)], id="a leaf fails alone"),
    pytest.param({1, 3, 4}, [Incident(1, (1, 3, 4), Cause.AGGREGATION)], id="a node explains its leaves"),
    pytest.param(
        {3, 4}, [Incident(3, (3,), Cause.ACCESS), Incident(4, (4,), Cause.ACCESS)], id="two leaves, two causes"
    ),
    pytest.param(
        {1, 3, 4, 5}, [Incident(1, (1, 3, 4), Cause.AGGREGATION), Incident(5, (5,), Cause.ACCESS)],
        id="a site with a second, live uplink failed by itself",
    ),
    pytest.param(
        {1, 2, 3, 4, 5},
        [Incident(1, (1, 3, 4, 5), Cause.AGGREGATION), Incident(2, (2,), Cause.AGGREGATION)],
        id="a site with two dead uplinks counts beneath one of them, once",
    ),
    pytest.param(
        {0, 1, 2, 3, 4, 5}, [Incident(0, (0, 1, 2, 3, 4, 5), Cause.AGGREGATION)], id="the top explains all"
    ),
]  # fmt: skip


@pytest.mark.parametrize(("dark", "incidents"), CASES)
def test_each_dark_site_is_blamed_on_the_highest_failed_node(dark: set[int], incidents: list[Incident]) -> None:
    diagnosis = diagnose(TREE, dict.fromkeys(dark, 100.0), lambda site, since: True)
    assert list(diagnosis.incidents) == incidents
    assert diagnosis.undecided == ()


def test_nobody_is_blamed_before_the_uplink_was_asked_again() -> None:
    diagnosis = diagnose(TREE, {3: 100.0}, lambda site, since: False)
    assert diagnosis.incidents == ()
    assert diagnosis.undecided == (3,)


def test_an_uplink_under_suspicion_proves_nothing() -> None:
    diagnosis = diagnose(TREE, {3: 100.0}, lambda site, since: True, impaired={1})
    assert diagnosis.undecided == (3,)


def test_what_hangs_on_an_undecided_site_is_undecided_too() -> None:
    diagnosis = diagnose(TREE, {1: 100.0, 3: 90.0}, lambda site, since: False)
    assert diagnosis.undecided == (1, 3)


def test_a_cycle_that_slipped_through_ends_anyway() -> None:
    ring = UplinkTree([(1,), (2,), (0,)])
    diagnosis = diagnose(ring, {0: 1.0, 1: 1.0, 2: 1.0}, lambda site, since: True)
    assert sorted(site for incident in diagnosis.incidents for site in incident.affected) == [0, 1, 2]


@st.composite
def trees(draw: st.DrawFn) -> UplinkTree:
    size = draw(st.integers(1, 25))
    return UplinkTree(
        [
            tuple(sorted(draw(st.sets(st.integers(0, site - 1), min_size=1, max_size=2)))) if site else ()
            for site in range(size)
        ]
    )


@given(trees(), st.data())
def test_every_dark_site_is_explained_once_and_every_root_has_a_live_uplink(
    tree: UplinkTree, data: st.DataObject
) -> None:
    dark = data.draw(st.sets(st.integers(0, len(tree) - 1)))
    diagnosis = diagnose(tree, dict.fromkeys(dark, 1.0), lambda site, since: True)
    assert sorted(site for incident in diagnosis.incidents for site in incident.affected) == sorted(dark)
    for incident in diagnosis.incidents:
        assert incident.affected[0] == incident.root
        uplinks = tree.uplinks[incident.root]
        assert not uplinks or any(uplink not in dark for uplink in uplinks)


def test_beneath_counts_each_site_once_nearest_first() -> None:
    assert TREE.beneath(0) == [1, 2, 3, 4, 5]
    assert TREE.beneath(3) == []
