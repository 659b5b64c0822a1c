"""By what a router's site is known: the people's list, a code, a name, its pinyin; and never by a guess between two."""

from pathlib import Path

import pytest

from cuntong.adopting.places import Gazetteer, read_map
from cuntong.errors import UsageError
from inventory.divisions import Nodes
from inventory.loader import load

EXAMPLE = Path(__file__).resolve().parents[2] / "inventory" / "examples" / "tianquan"


@pytest.fixture(scope="module")
def nodes() -> Nodes:
    return load(EXAMPLE).nodes


@pytest.mark.parametrize(
    ("words", "code", "by"),
    [
        pytest.param(["R7", "511825100004"], "511825100004", "code", id="a code anywhere"),
        pytest.param(["gw-511825101-a"], "511825101000", "code", id="nine digits are a township"),
        pytest.param(["城厢镇文笔"], "511825100004", "name", id="a name in Chinese"),
        pytest.param(["chengxiang-wenbi-rsr"], "511825100004", "pinyin", id="township and village"),
        pytest.param(["TQ-Chengxiang-Wenbi-AR"], "511825100004", "pinyin", id="capitals and hyphens"),
        pytest.param(["wenbi"], "511825100004", "pinyin", id="a village alone"),
        pytest.param(["chengxiang-core"], "511825100000", "pinyin", id="a township alone"),
        pytest.param(["mine", "chengxiang-wenbi"], "511825101000", "list", id="the list outranks everything"),
    ],
)
def test_a_router_is_placed_by_the_surest_of_what_it_carries(
    nodes: Nodes, words: list[str], code: str, by: str
) -> None:
    place = Gazetteer(nodes).place(words, {"mine": nodes.index["511825101000"]})
    assert place is not None
    assert (nodes.codes[place.node], place.by) == (code, by)


@pytest.mark.parametrize("words", [["router"], [""], ["511826100004"], ["12345"], ["shiyang-wenbi"]])
def test_what_points_nowhere_or_to_another_township_is_not_placed_there(nodes: Nodes, words: list[str]) -> None:
    place = Gazetteer(nodes).place(words, {})
    assert place is None or nodes.codes[place.node] != "511825100004"


def test_the_list_of_people_is_read_and_a_bad_line_is_named(nodes: Nodes) -> None:
    told = read_map("\ufeffname,code\nold-gw,511825100004\n10.1.1.1,511825101\n", "map.csv", nodes)
    assert {name: nodes.codes[node] for name, node in told.items()} == {
        "old-gw": "511825100004", "10.1.1.1": "511825101000",
    }  # fmt: skip
    with pytest.raises(UsageError, match=r"map\.csv:2: 'old-gw,999' is no line NAME,CODE"):
        read_map("name,code\nold-gw,999\n", "map.csv", nodes)
