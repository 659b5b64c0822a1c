"""``cuntong init`` for real places of the nation, ordinary and odd."""

import shutil
from pathlib import Path

import pytest

import inventory
from inventory.errors import InventoryError
from inventory.loader import load
from inventory.scaffold import write_inventory

SHARED = Path(inventory.__file__).parents[2] / "shared" / "divisions"
NATION = SHARED / "divisions-2023.csv.xz"
TIANQUAN = Path(inventory.__file__).parent / "examples" / "tianquan" / "divisions.csv"


def divisions(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        pytest.skip("../shared/divisions is not on this machine")
    return path


@pytest.mark.parametrize(
    ("file", "code", "townships", "villages"),
    [
        ("tianquan.csv", "511825", 10, 96),
        ("yichuan.csv", "410329", 15, 367),
        ("yuanping.csv", "140981", 22, 368),
        ("guangyuan.csv", "510824", 34, 454),
    ],
    ids=["天全", "伊川", "原平", "苍溪"],
)
def test_what_it_writes_loads_without_a_problem(
    file: str, code: str, townships: int, villages: int, tmp_path: Path
) -> None:
    report = write_inventory(tmp_path / "new", divisions(file), code)
    county = load(tmp_path / "new")
    assert (report.townships, report.villages) == (townships, villages)
    assert len(county.sites) == report.sites == 1 + townships + villages + report.virtual
    assert county.findings == ()
    assert len(set(county.sites.ids)) == len(county.sites)
    assert max(map(len, county.sites.ids)) <= 40
    pool = county.county.addresses.zones["gov_public"][0]
    assert pool.prefixlen <= 17


@pytest.mark.parametrize(
    ("code", "centres", "villages", "virtual"),
    [
        ("441900", 36, 605, 4),
        ("620201", 5, 48, 0),
        ("350527", 0, 0, 0),
        ("310115", 42, 1520, 6),
        ("110101", 17, 169, 0),
        ("330383", 0, 103, 0),
        ("469001", 7, 64, 0),
    ],
    ids=[
        "东莞 without counties",
        "嘉峪关 in itself",
        "金门 without children",
        "浦东新区",
        "东城区",
        "龙港 with a placeholder",
        "五指山 with a placeholder",
    ],
)
def test_odd_places_load_too(code: str, centres: int, villages: int, virtual: int, tmp_path: Path) -> None:
    report = write_inventory(tmp_path / "new", divisions("divisions-2023.csv.xz"), code)
    county = load(tmp_path / "new")
    assert (report.townships, report.villages, report.virtual) == (centres, villages, virtual)
    assert county.sites.types.count("township_center") == centres
    assert county.sites.types.count("county_center") == 1
    exempt = [i for i in range(len(county.sites)) if county.requirement(i) == "exempt"]
    assert len(exempt) == virtual
    assert all(county.site(i).exempt_reason and not county.devices.of(i) for i in exempt)
    assert all(county.nodes.kinds[county.sites.nodes[i]] == "virtual" for i in exempt)


def test_a_prefecture_gets_a_file_for_each_county(tmp_path: Path) -> None:
    report = write_inventory(tmp_path / "gy", divisions("guangyuan.csv"), "5108")
    city = load(tmp_path / "gy")
    assert len([file for file in report.files if file.startswith("sites/")]) == 8
    assert city.sites.types.count("county_center") == 8
    centre = city.sites.index["cx-center"]
    assert city.site_uplinks(centre) == (city.sites.index["gy-center"],)


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InventoryError, match="this folder is not empty"):
        write_inventory(tmp_path, TIANQUAN, "511825")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("code", "message"),
    [("511826", "511826 is not in this list"), ("511825100", "below the county"), ("", "is not in this list")],
)
def test_a_code_that_is_no_county_of_the_list_is_refused_and_nothing_written(
    code: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(InventoryError, match=message):
        write_inventory(tmp_path / "new", TIANQUAN, code)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("data", [b"", b"\xfd7zXZ\0broken", "代码,名称\n".encode("gbk"), b"a;b\n"])
def test_a_list_that_cannot_be_read_is_refused_and_nothing_written(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "list.csv.xz").write_bytes(data)
    with pytest.raises(InventoryError):
        write_inventory(tmp_path / "new", tmp_path / "list.csv.xz", "511825")
    assert [path.name for path in tmp_path.iterdir()] == ["list.csv.xz"]


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match=r"nothing\.csv: this file is missing"):
        write_inventory(tmp_path / "new", tmp_path / "nothing.csv", "511825")


def test_units_and_a_title_are_taken_over(tmp_path: Path) -> None:
    write_inventory(tmp_path, TIANQUAN, "511825", title="天全: 一张网", slug="tiq", units=[("fagai", "发展和改革局")])
    county = load(tmp_path)
    assert county.title == "天全: 一张网"
    assert county.sites.ids[:2] == ["tiq-center", "tiq-fagai"]


def test_names_that_yaml_would_misread_survive(tmp_path: Path) -> None:
    names = ["no村", "12:30", "- 甲村", "true", "甲: 乙村", "#3 小区", "'引号", "a b", "*星", "007", "{x}"]
    lines = ["code,name,level,parent", "511825000000,天全县,3,", "511825100000,城厢镇,4,511825000000"]
    lines += [f'511825100{i + 200:03d},"{name}",5,511825100000' for i, name in enumerate(names)]
    (tmp_path / "list.csv").write_text("\n".join(lines), "utf-8")
    write_inventory(tmp_path / "new", tmp_path / "list.csv", "511825")
    assert load(tmp_path / "new").nodes.names[2:] == names


def test_the_example_list_is_enough_to_start(tmp_path: Path) -> None:
    shutil.copy(TIANQUAN, tmp_path / "list.csv")
    write_inventory(tmp_path / "new", tmp_path / "list.csv", "511825000000")
    assert len(load(tmp_path / "new").devices) == 2 + 10 * 3 + 96 * 3
