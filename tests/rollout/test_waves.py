"""The order of a rollout, on the demo county and on trees that hypothesis grows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.waves import Node, Wave, plan_waves

COUNTY = "511825000000"


def node(id: str, *uplinks: str, branch: str = COUNTY, weight: int = 0, model: str = "m", changes: bool = True) -> Node:
    return Node(id, uplinks, COUNTY, branch, weight, model, changes)


SMALL = [
    node("core1"),
    node("core2"),
    node("unit", "core1", "core2"),
    node("town-a", "core1", "core2", branch="a"),
    node("a1", "town-a", branch="a", weight=30),
    node("a2", "town-a", branch="a", weight=10),
    node("town-b", "core1", "core2", branch="b"),
    node("b1", "town-b", branch="b", weight=20),
    node("b2", "town-b", branch="b", weight=40, model="other"),
]


def test_a_county_goes_from_one_village_to_the_cores_one_by_one() -> None:
    assert plan_waves(SMALL) == [
        Wave("canary", ("a2",)),
        Wave("the canary's township", ("a1",)),
        Wave("the canary's township: its router", ("town-a",)),
        Wave("villages and units: one of each further model", ("b2",)),
        Wave("villages and units", ("unit", "b1")),
        Wave("routers above them", ("town-b",)),
        Wave("core core1", ("core1",)),
        Wave("core core2", ("core2",)),
    ]


def test_a_router_that_does_not_change_still_keeps_its_parent_behind_its_children() -> None:
    nodes = [node("core1"), node("town", "core1", branch="a", changes=False), node("a1", "town", branch="a")]
    assert [wave.devices for wave in plan_waves(nodes)] == [("a1",), ("core1",)]


def test_every_county_has_its_canary_in_the_first_wave() -> None:
    nodes = [
        Node("top", (), "510000000000", "510000000000", 0, "m"),
        Node("x1", ("top",), "511801000000", "x", 0, "m"),
        Node("y1", ("top",), "511802000000", "y", 0, "m"),
    ]
    assert plan_waves(nodes)[0].devices == ("x1", "y1")


@pytest.mark.parametrize(
    ("nodes", "why"),
    [([node("a", "nobody")], "not among the nodes"), ([node("a", "b"), node("b", "a")], "circle of uplinks at a")],
)
def test_a_tree_that_is_none_is_refused(nodes: list[Node], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        plan_waves(nodes)


@st.composite
def trees(draw: st.DrawFn) -> list[Node]:
    """Up to three tiers below any number of tops, with one or two uplinks each, some of which do not change."""
    nodes: list[Node] = []
    for n in range(draw(st.integers(1, 25))):
        above = draw(st.lists(st.sampled_from([one.id for one in nodes]), max_size=2, unique=True)) if nodes else []
        branch = draw(st.sampled_from(["a", "b", COUNTY]))
        nodes.append(
            node(
                f"n{n}", *above, branch=branch, weight=draw(st.integers(0, 3)), model=draw(st.sampled_from("mno")),
                changes=draw(st.booleans()),
            )
        )  # fmt: skip
    return nodes


@given(trees())
def test_each_device_is_changed_once_and_never_before_or_beside_what_hangs_below_it(nodes: list[Node]) -> None:
    waves = plan_waves(nodes)
    number = {device: n for n, wave in enumerate(waves) for device in wave.devices}
    assert sorted(device for wave in waves for device in wave.devices) == sorted(one.id for one in nodes if one.changes)
    by_id = {one.id: one for one in nodes}
    for one in nodes:
        trail = list(one.uplinks)
        while trail:
            above = trail.pop()
            if one.changes and by_id[above].changes:
                assert number[one.id] < number[above]
            trail += by_id[above].uplinks
