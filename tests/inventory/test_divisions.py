from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.divisions import Division, build, full_code, kind_of, read_csv


def division(code: str, parent: str, level: int = 4, until: str = "") -> Division:
    return Division(code, f"名{code}", level, parent, "town", 1, until=until)


@pytest.mark.parametrize(
    ("code", "level", "kind"),
    [
        ("511825100000", 4, "town"),
        ("110101001000", 4, "subdistrict"),
        ("511825206000", 4, "township"),
        ("511825300000", 4, "township"),
        ("140981400000", 4, "quasi_township"),
        ("330383198000", 4, "placeholder"),
        ("511825100002", 5, "community"),
        ("511825100208", 5, "village"),
        ("511825100401", 5, "quasi_community"),
        ("511825100501", 5, "quasi_village"),
        ("140981400498", 5, "virtual"),
        ("140981400598", 5, "virtual"),
        ("511825000000", 3, "county"),
    ],
)
def test_the_kind_comes_from_the_digits(code: str, level: int, kind: str) -> None:
    assert kind_of(code, level) == kind


def test_codes_are_filled_up_to_twelve() -> None:
    assert [full_code(code) for code in ("51", "5118", "511825", "511825Z01")] == [
        "510000000000", "511800000000", "511825000000", "511825Z01000",
    ]  # fmt: skip


def test_kinds_and_dates_of_the_list_win_over_the_digits() -> None:
    data = "code,name,level,parent,kind,code_since\n511825100208,甲村,5,511825100000,quasi-village,2016\n".encode()
    (row,), problems = read_csv("x.csv", data)
    assert (row.kind, row.since, problems) == ("quasi_village", "2016", [])


def test_a_byte_order_mark_and_windows_lines_are_no_matter() -> None:
    data = "\ufeffcode,name,level,parent\r\n511825,天全县,3,\r\n".encode()
    (row,), problems = read_csv("x.csv", data)
    assert (row.code, row.name, problems) == ("511825000000", "天全县", [])


@st.composite
def trees(draw: st.DrawFn) -> list[Division]:
    """A random tree of up to 40 nodes; the first is the top."""
    size = draw(st.integers(1, 40))
    codes = draw(st.permutations([f"{11 + n:02d}0000000000" for n in range(size)]))
    rows = [division(codes[0], "", 1)]
    for n in range(1, size):
        rows.append(division(codes[n], codes[draw(st.integers(0, n - 1))], 4))
    return [rows[0], *draw(st.permutations(rows[1:]))]


def ancestors_in(rows: Sequence[Division], code: str) -> list[str]:
    parents = {row.code: row.parent for row in rows}
    found = []
    while code := parents[code]:
        found.append(code)
    return found


@given(trees())
def test_every_subtree_is_an_interval(rows: list[Division]) -> None:
    tree, _ = build("x.csv", rows, [], {}, rows[0].code)
    assert tree is not None
    nodes = tree.nodes
    assert sorted(nodes.codes) == sorted(row.code for row in rows)
    for i, code in enumerate(nodes.codes):
        inside = {nodes.codes[n] for n in range(i, nodes.ends[i])}
        assert inside == {code} | {row.code for row in rows if code in ancestors_in(rows, row.code)}
        assert [nodes.codes[n] for n in nodes.ancestors(i)] == ancestors_in(rows, code)
        assert {nodes.codes[n] for n in nodes.children(i)} == {row.code for row in rows if row.parent == code}


def test_a_row_outside_the_top_is_somebody_elses_and_no_problem() -> None:
    rows = [division("511825000000", "511800000000", 3), division("511826000000", "511800000000", 3)]
    tree, problems = build("x.csv", rows, [], {}, "511825000000")
    assert tree is not None
    assert (tree.nodes.codes, problems) == (["511825000000"], [])


def test_an_ended_row_leaves_the_tree() -> None:
    rows = [division("511825000000", "", 3), division("511825100000", "511825000000", until="2020")]
    tree, problems = build("x.csv", rows, [], {}, "511825000000")
    assert tree is not None
    assert (len(tree.nodes), [row.code for row in tree.former], problems) == (1, ["511825100000"], [])
