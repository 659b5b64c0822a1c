"""Divisions change: sites follow, no address moves, and the past is answered as before."""

import csv
import shutil
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from api.standing import Standing
from inventory import lockfile
from inventory.division_changes import apply, read_changes
from inventory.division_history import Became, match
from inventory.divisions import Nodes, build, read_csv
from inventory.errors import InventoryError
from inventory.loader import load
from inventory.scaffold import write_inventory
from inventory.source import Source
from ledger.database import open_ledger, sqlite_url

EXAMPLE = Path(__file__).resolve().parents[2] / "inventory" / "examples" / "tianquan"
HEAD = "change,old,new,name,parent,on\n"
ON = date(2027, 1, 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True)
    return tmp_path


def change(folder: Path, rows: str) -> tuple[str, ...]:
    applied = apply(Source(folder), "changes.csv", read_changes("changes.csv", (HEAD + rows).encode()))
    applied.changes.write()
    return applied.told


def addresses(folder: Path) -> dict[str, tuple[str, int, object]]:
    lock, problems = lockfile.parse((folder / "addresses.lock").read_bytes())
    assert problems == []
    return {site.id: (site.prefix, site.number, site.routers) for site in lock.sites if not site.retired}


def shape(folder: Path, day: date) -> list[tuple[str, str]]:
    nodes = load(folder).history.nodes_on(day)
    return list(zip(nodes.codes, nodes.names, strict=True))


def test_a_village_that_is_merged_stays_as_a_point_and_the_past_is_as_it_was(folder: Path) -> None:
    before, past = addresses(folder), shape(folder, date(2026, 6, 1))
    told = change(folder, "merge,511825100004,511825100002,,,2027-01-01\n")
    county = load(folder)
    site = county.site(county.sites.index["tq-chengxiang-wenbi"])
    assert (site.type, site.code, site.formerly) == ("village_point", "511825100002", "511825100004")
    assert addresses(folder) == before
    assert shape(folder, date(2026, 6, 1)) == past
    assert "511825100004" not in county.nodes.index
    assert told == ("tq-chengxiang-wenbi: 文笔居委会 becomes a village point of 徙榆居委会 (511825100002)",)


def test_a_village_under_another_code_and_one_under_another_name_keep_id_and_addresses(folder: Path) -> None:
    before = addresses(folder)
    change(
        folder,
        "recode,511825100004,511825100099,文新居委会,,2027-01-01\nrename,511825100002,,徙榆新居委会,,2027-01-01\n",
    )
    county = load(folder)
    assert county.site(county.sites.index["tq-chengxiang-wenbi"]).code == "511825100099"
    assert county.site(county.sites.index["tq-chengxiang-xuyu"]).division == "徙榆新居委会"
    assert addresses(folder) == before
    assert dict(shape(folder, date(2026, 6, 1)))["511825100002"] == "徙榆居委会"


def test_a_township_that_is_merged_stays_as_a_station_with_its_villages_below_the_other(folder: Path) -> None:
    before = addresses(folder)
    county = load(folder)
    gone = county.nodes.index["511825212000"]
    villages = [county.nodes.codes[i] for i in county.nodes.children(gone)]
    rows = "merge,511825212000,511825100000,,,2027-01-01\n"
    rows += "".join(f"recode,{code},5118251009{n:02},,511825100000,2027-01-01\n" for n, code in enumerate(villages, 1))
    change(folder, rows)
    after = load(folder)
    station = next(site for site in map(after.site, range(len(after.sites))) if site.formerly == "511825212000")
    assert (station.type, station.code) == ("township_station", "511825100000")
    assert {id: held[:2] for id, held in addresses(folder).items()} == {id: held[:2] for id, held in before.items()}
    assert len(after.nodes.children(after.nodes.index["511825100000"])) == len(villages) + len(
        county.nodes.children(county.nodes.index["511825100000"])
    )
    assert "511825212000" in dict(shape(folder, date(2026, 6, 1)))


def test_a_village_that_splits_off_is_in_the_list_and_has_no_site_yet(folder: Path) -> None:
    change(folder, "new,511825100004,511825100098,文东居委会,511825100000,2027-01-01\n")
    county = load(folder)
    assert county.nodes.names[county.nodes.index["511825100098"]] == "文东居委会"
    assert county.site(county.sites.index["tq-chengxiang-wenbi"]).code == "511825100004"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("marge,511825100004,511825100002,,,2027-01-01\n", "changes.csv:2: 'marge' is none of rename"),
        ("merge,511825100004,,,,2027-01-01\n", "changes.csv:2: a merge needs new."),
        ("merge,511825100004,511825100002,,,soon\n", "changes.csv:2: 'soon' is no day."),
        ("merge,511825999999,511825100002,,,2027-01-01\n", "changes.csv:2: 511825999999 is not in the list"),
        ("recode,511825100004,511825100002,,,2027-01-01\n", "changes.csv:2: 511825100002 is 徙榆居委会 already."),
        ("merge,511825212000,511825100000,,,2027-01-01\n", "still hangs below 511825212000, which ends."),
        ("merge,511825100004\n", "changes.csv:2: 2 fields stand where 6 are meant."),
    ],
)
def test_what_does_not_fit_the_list_is_named_with_its_line_and_nothing_is_written(
    folder: Path, rows: str, said: str
) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(InventoryError) as refusal:
        change(folder, rows)
    assert said in str(refusal.value)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def list_of(shared: Path, year: int) -> list[dict[str, str]]:
    with (shared / "divisions" / "history" / "tianquan-2016-2023.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if int(row["first_year"]) <= year <= int(row["last_year"])]


def tree(rows: list[dict[str, str]]) -> Nodes:
    text = "code,name,level,parent\n" + "".join(
        f"{row['code']},{row['name']},{row['level']},{row['parent']}\n" for row in rows
    )
    read, _ = read_csv("list.csv", text.encode())
    made, _ = build("list.csv", read, [], {}, "511825000000")
    assert made is not None
    return made.nodes


def rows_between(old: Nodes, new: Nodes) -> str:
    """What an office would write: as the names say, and where they say nothing, into the township's first village."""
    told, heirs = [], {}
    matches = match(old, new)
    parent = {code: new.codes[new.parents[i]] for i, code in enumerate(new.codes) if new.parents[i] >= 0}
    first = {parent[code]: code for code in reversed(new.codes) if code in parent}
    for one in matches:
        if one.old is not None:
            heirs[one.old] = one.new
    fallback = next(code for code in new.codes if code.endswith("000") and new.levels[new.index[code]] == 4)
    for one in matches:
        where = parent.get(one.new or "", "")
        if one.became in (Became.SAME,) and one.new is not None and one.old_name == one.new_name:
            continue
        if one.became in (Became.SAME, Became.RENAMED):
            told.append(f"rename,{one.old},,{one.new_name},{where},2020-06-30")
        elif one.became is Became.RECODED:
            told.append(f"recode,{one.old},{one.new},{one.new_name},{where},2020-06-30")
        elif one.became is Became.NEW:
            told.append(f"new,,{one.new},{one.new_name},{where},2020-06-30")
        elif one.old is not None:
            above = heirs.get(old.codes[old.parents[old.index[one.old]]]) or fallback
            target = one.new or (fallback if one.level == 4 else first[above])
            told.append(f"merge,{one.old},{target},,,2020-06-30")
    return "".join(f"{row}\n" for row in told)


def test_tianquan_goes_from_15_townships_and_144_villages_to_10_and_96_and_answers_of_before_stay(
    shared: Path, tmp_path: Path
) -> None:
    old_rows, new = list_of(shared, 2018), tree(list_of(shared, 2020))
    listed = tmp_path / "list.csv"
    listed.write_text(
        "code,name,level,parent\n" + "".join(f"{r['code']},{r['name']},{r['level']},{r['parent']}\n" for r in old_rows),
        "utf-8",
    )
    folder = tmp_path / "county"
    write_inventory(folder, listed, "511825")
    old = load(folder).nodes
    assert [old.levels.count(4), old.levels.count(5)] == [15, 144]
    held, past, before = addresses(folder), shape(folder, date(2019, 12, 31)), denominators(folder)
    change(folder, rows_between(old, new))
    county = load(folder)
    assert [county.nodes.levels.count(4), county.nodes.levels.count(5)] == [10, 96]
    assert sorted(zip(county.nodes.codes, county.nodes.names, strict=True)) == sorted(
        zip(new.codes, new.names, strict=True)
    )
    now = addresses(folder)
    assert {id: now[id][:2] for id in held} == {id: one[:2] for id, one in held.items()}
    kinds = Counter(county.sites.types)
    assert kinds["township_center"] == 10
    assert kinds["township_station"] == 5
    assert sum(kinds.values()) == len(held)  # every room is still there
    assert shape(folder, date(2019, 12, 31)) == past
    assert denominators(folder) == before


def denominators(folder: Path) -> dict[str, object]:
    """What the API answers of the last day of 2019, over an empty ledger."""
    engine = open_ledger(sqlite_url(folder.parent / "ledger.sqlite3"))
    standing = Standing(load(folder), engine, lambda: datetime(2026, 11, 1, tzinfo=UTC).timestamp())
    then = standing.at(datetime(2019, 12, 31, tzinfo=UTC).timestamp())
    told: dict[str, object] = {name: standing.figures("extranet", name, 0, then) for name in standing.denominators} | {
        "divisions": list(then.nodes.names)
    }
    engine.dispose()
    return told
