"""Lines under lines: the shape of a configuration, and hier_config as the one that knows it as well."""

from pathlib import Path

import pytest
from hier_config import get_hconfig
from hier_config.root import HConfig
from hypothesis import given
from hypothesis import strategies as st

from rollout.opinion import driver
from rollout.platform import Platform
from rollout.tree import Node, nested

BASES = Path(__file__).parent / "corpus" / "bases"


def by_library(platform: Platform, lines: list[str]) -> list[Node]:
    def under(parent: HConfig) -> list[Node]:
        return [(child.text, under(child)) for child in parent.children]  # type: ignore[arg-type]

    return under(get_hconfig(driver(platform), "\n".join(lines)))


@pytest.mark.parametrize("base", sorted(BASES.glob("*.txt")), ids=lambda path: path.stem)
def test_hier_config_reads_the_same_tree_from_a_configuration(base: Path) -> None:
    # hier_config refuses a line that stands twice among siblings, and reads banners and exits in its own way.
    lines = [
        line
        for line in dict.fromkeys(base.read_text("utf-8").splitlines())
        if not line.startswith("banner ") and line.strip() != "exit"
    ]
    assert nested(lines) == by_library(Platform.VRP, lines)


@given(st.lists(st.integers(0, 6), max_size=40))
def test_hier_config_reads_the_same_tree_from_any_indentation(depths: list[int]) -> None:
    lines = [f"{' ' * depth}line {number}" for number, depth in enumerate(depths)]
    assert nested(lines) == by_library(Platform.VRP, lines)


def test_a_line_that_stands_twice_is_kept_twice_and_blank_ones_are_not() -> None:
    assert nested(["a  b", "", " c", " c", "a b"]) == [("a b", [("c", []), ("c", [])]), ("a b", [])]
