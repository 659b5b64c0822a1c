"""Divisions that change: the tree of any day, on made-up rows and on the real history of the places."""

import csv
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from inventory.division_history import Became, History, as_known_on, day_of, match, with_successors
from inventory.divisions import Division, read_csv

TOP = "511825000000"
BEFORE, AFTER = date(2019, 12, 31), date(2020, 12, 31)


def row(code: str, name: str, parent: str, level: int, since: str = "", until: str = "", to: str = "") -> Division:
    return Division(code, name, level, parent, {3: "county", 4: "town", 5: "village"}[level], 0, since, until, to)


ROWS = [
    row(TOP, "天全县", "", 3),
    row("511825101000", "始阳镇", TOP, 4),
    row("511825101200", "甲村委会", "511825101000", 5),
    row("511825205000", "大坪乡", TOP, 4, until="2020"),
    row("511825205200", "乙村委会", "511825205000", 5, until="2020"),
    row("511825205201", "丙村委会", "511825205000", 5, until="2020"),
    row("511825101201", "乙村委会", "511825101000", 5, since="2020"),
]


@pytest.mark.parametrize(
    ("text", "day"),
    [("2020-03-01", date(2020, 3, 1)), ("2020", date(2020, 6, 30)), ("2016", date.min), ("", date.min),
     ("2031", date(2031, 1, 1))],
)  # fmt: skip
def test_a_year_means_the_closing_day_of_its_list_and_the_first_list_means_ever(text: str, day: date) -> None:
    assert day_of(text) == day


def test_the_tree_of_a_day_has_what_stood_on_that_day() -> None:
    history = History("x.csv", ROWS, (), TOP)
    assert history.nodes_on(BEFORE).codes == [TOP, "511825101000", "511825101200", *sorted(
        ["511825205000", "511825205200", "511825205201"])]  # fmt: skip
    assert history.nodes_on(AFTER).codes == [TOP, "511825101000", "511825101200", "511825101201"]
    assert history.turns == [date(2020, 6, 30)]


def test_a_list_that_tells_no_history_stands_for_every_day() -> None:
    today = [one for one in ROWS if not one.until]
    history = History("x.csv", today, (), TOP)
    assert history.nodes_on(BEFORE).codes == history.nodes_on(AFTER).codes
    assert list(history.turns) == []


def test_a_list_as_it_was_knows_neither_later_rows_nor_later_ends() -> None:
    known = as_known_on(ROWS, BEFORE)
    assert [one.until for one in known] == [""] * 6
    assert "511825101201" not in {one.code for one in known}


def test_a_merged_township_follows_its_villages_and_a_name_without_a_match_says_so() -> None:
    history = History("x.csv", ROWS, (), TOP)
    found = {one.old: one for one in match(history.nodes_on(BEFORE), history.nodes_on(AFTER))}
    assert (found["511825205000"].new, found["511825205000"].became) == ("511825101000", Became.MERGED)
    assert (found["511825205200"].new, found["511825205200"].became) == ("511825101201", Became.RECODED)
    assert found["511825205201"].became is Became.NO_MATCH
    assert found["511825101200"].became is Became.SAME


def test_successors_of_the_list_win_over_those_that_names_give() -> None:
    history = History("x.csv", ROWS, (), TOP)
    told = [one._replace(successor="511825101200") if one.code == "511825205201" else one for one in ROWS]
    matches = match(history.nodes_on(BEFORE), history.nodes_on(AFTER))
    ended = {one.code: one.successor for one in with_successors(told, matches, date(2020, 6, 30)) if one.until}
    assert ended == {
        "511825205000": "511825101000", "511825205200": "511825101201", "511825205201": "511825101200",
    }  # fmt: skip


def places(shared: Path, place: str) -> list[Division]:
    name = f"{place}-2016-2023.csv"
    rows, problems = read_csv(name, (shared / "divisions" / "history" / name).read_bytes())
    assert problems == []
    return rows


@pytest.mark.parametrize(
    ("place", "top", "day", "townships", "villages"),
    [
        ("tianquan", TOP, date(2018, 12, 31), 15, 144),
        ("tianquan", TOP, BEFORE, 15, 138),
        ("tianquan", TOP, date(2021, 6, 10), 10, 96),
        ("guangyuan", "510800000000", BEFORE, 248, 2743),
        ("guangyuan", "510800000000", AFTER, 146, 1746),
        ("yuanping", "140981000000", date(2021, 12, 10), 22, 372),
        ("yichuan", "410329000000", date(2020, 9, 30), 15, 370),
        ("ezhou", "420700000000", date(2023, 12, 10), 28, 358),
    ],
)
def test_the_real_lists_count_as_the_yearly_ones_do(
    shared: Path, place: str, top: str, day: date, townships: int, villages: int
) -> None:
    levels = Counter(History(place, places(shared, place), (), top).nodes_on(day).levels)
    assert (levels[4], levels[5]) == (townships, villages)


@pytest.mark.parametrize(
    ("place", "top", "years", "differing"),
    [
        ("tianquan", TOP, (2019, 2020), 0),
        ("guangyuan", "510800000000", (2019, 2020), 1),  # a tie between two townships, one village each
        ("yuanping", "140981000000", (2020, 2021), 0),
    ],
)
def test_townships_go_where_the_merger_tables_say(
    shared: Path, place: str, top: str, years: tuple[int, int], differing: int
) -> None:
    history = History(place, places(shared, place), (), top)
    before, after = (history.nodes_on(date(year, 12, 31)) for year in years)
    table = shared / "divisions" / "history" / f"{place}-townships-{years[0]}-{years[1]}.csv"
    with table.open(encoding="utf-8", newline="") as file:
        told = {one["old_code"]: one["successor_code"] for one in csv.DictReader(file)}
    found = {one.old: one.new or "" for one in match(before, after) if one.level == 4 and one.old is not None}
    assert found.keys() == told.keys()
    assert sum(found[code] != told[code] for code in told) == differing
