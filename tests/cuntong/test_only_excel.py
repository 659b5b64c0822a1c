"""A county out of our workbook alone: no YAML, no git; and what is wrong with it, by row and column, in Chinese."""

import io
import subprocess
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from benchmarks import found_county
from cuntong import own_history
from inventory.loader import load
from simulator.dial import address_of

if TYPE_CHECKING:
    from tests.cuntong.conftest import Command

ROWS = [
    ("511825", "天全县"), ("511825100", "城厢镇"), ("511825100002", "徙榆居委会"), ("511825100004", "文笔居委会 "),
    ("５１１８２５１０１", "始阳镇"), ("511825101001", "新村村委会"),
]  # fmt: skip


def filled(cuntong: "Command", path: Path, rows: list[tuple[Any, ...]], sheet: str = "站点") -> Path:
    assert cuntong("init", "--template", path).code == 0
    book = openpyxl.load_workbook(path)
    page = book[sheet]
    titles = [cell.value for cell in page[1]]
    at = [
        next(i for i, title in enumerate(titles, 1) if str(title).strip("*") == name)
        for name in ("区划代码", "区划名称")
    ]
    for number, row in enumerate(rows, 2):
        for column, value in zip(at, row, strict=False):
            page.cell(number, column, value)
    book.save(path)
    return path


def log(folder: Path) -> list[str]:
    ran = subprocess.run(["git", "-C", folder, "log", "--format=%s"], capture_output=True, text=True, check=False)
    return ran.stdout.splitlines()


def test_the_workbook_alone_makes_a_county_that_is_polled_and_keeps_its_history(
    cuntong: "Command", home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = filled(cuntong, tmp_path / "天全.xlsx", ROWS)
    folder = home / "county"
    said = cuntong("init", folder, "--from-xlsx", book)
    assert said.code == 0, said.out + said.err
    county = load(folder)
    assert [county.nodes.levels.count(level) for level in (3, 4, 5)] == [1, 2, 3]
    assert county.nodes.names[county.nodes.index["511825100004"]] == "文笔居委会"
    assert log(folder) == ["开始 / Begin"]
    assert "全角数字，已按“511825101000”读入" in said.out
    assert "cuntong secret set snmp/routers" in said.out
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"public\n")))
    assert cuntong("secret", "set", "snmp/routers").code == 0
    with found_county.snmp(county) as port:  # the first poll
        polled = cuntong("poll", f"{address_of(0)}:{port}", "--credential", "secret://snmp/routers", "--json")
    assert polled.code == 0, polled.err

    lock = folder / "addresses.lock"
    lock.write_text("\n".join(lock.read_text("utf-8").splitlines()[:-1]) + "\n", "utf-8")
    assert own_history.commit(folder, "a line lost")
    assert cuntong("check", folder, "--allocate").code == 0
    assert log(folder) == ["编号与地址 / Ids and addresses", "a line lost", "开始 / Begin"]
    assert cuntong("check", folder, "--allocate").code == 0
    before = log(folder)
    assert len(before) == 3, "nothing was new"

    more = filled(cuntong, tmp_path / "more.xlsx", [])
    page = openpyxl.load_workbook(more)
    titles = {str(cell.value).strip("*"): cell.column for cell in page["站点"][1]}
    page["站点"].cell(2, titles["区划代码"], "511825100004")
    page["站点"].cell(2, titles["备注"], "搬到新址")
    page.save(more)
    said = cuntong("import", more, folder, "--allocate")
    assert said.code == 0, said.out + said.err
    assert log(folder) == ["导入 / Import more.xlsx", "编号与地址 / Ids and addresses", "a line lost", "开始 / Begin"]


def test_v2c_is_waived_by_command_for_a_while_and_again_in_its_place(
    cuntong: "Command", home: Path, tmp_path: Path
) -> None:
    folder = home / "county"
    assert cuntong("init", folder, "--from-xlsx", filled(cuntong, tmp_path / "a.xlsx", ROWS)).code == 0
    soon, later = (str(date.today() + timedelta(days=days)) for days in (30, 60))  # noqa: DTZ011
    where = ("--inventory", folder)
    assert cuntong("waive", "snmp_v2c", "--until", soon, "--reason", "old kiosks", *where).code == 0
    assert cuntong("waive", "snmp_v2c", "--until", later, "--reason", "换设备前", *where).code == 0
    (waiver,) = load(folder).waivers
    assert (waiver.what, str(waiver.until), waiver.reason) == ("snmp_v2c", later, "换设备前")
    assert len(log(folder)) == 3
    before = (folder / "county.yml").read_bytes()
    for what, until, said in (
        ("telnet", later, "no weak setting"), ("snmp_v2c", "soon", "is no day"),
        ("snmp_v2c", "2020-01-01", "not within a year"), ("snmp_v2c", "2099-01-01", "not within a year"),
    ):  # fmt: skip
        refused = cuntong("waive", what, "--until", until, "--reason", "x", *where)
        assert refused.code == 2
        assert said in refused.err
    assert cuntong("waive", "snmp_v2c", "--until", soon, "--reason", "x", "--dry-run", *where).code == 0
    assert (folder / "county.yml").read_bytes() == before


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        pytest.param([*ROWS, ("511825102003", "某村")], "第8行：511825102003 所属的乡镇 511825102", id="orphan"),
        pytest.param(ROWS[1:], "要有且只有一行县级代码", id="no county"),
        pytest.param([*ROWS, ("511825100002", "别的居委会")], "第4行叫“徙榆居委会”，这里叫", id="two names"),
        pytest.param([*ROWS, ("=A3", "公式村")], "站点 第8行", id="a formula"),
        pytest.param([*ROWS, ("51182510000", "短码村")], "站点 第8行", id="eleven digits"),
        pytest.param([*ROWS, ("511826100001", "外县村")], "511826100001 不属于 511825", id="another county"),
        pytest.param([*ROWS, ("511825101003", None)], "511825101003 没有填区划名称", id="no name"),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_in_chinese_and_nothing_is_written(
    cuntong: "Command", home: Path, tmp_path: Path, rows: list[tuple[Any, ...]], said: str
) -> None:
    book = filled(cuntong, tmp_path / "a.xlsx", rows)
    refused = cuntong("init", home / "county", "--from-xlsx", book)
    assert refused.code == 2
    assert said in refused.out
    assert "未写入" in refused.out
    assert not (home / "county").exists()


def test_a_file_that_is_not_our_workbook_is_said_so_in_chinese(cuntong: "Command", home: Path, tmp_path: Path) -> None:
    book = filled(cuntong, tmp_path / "a.xlsx", ROWS)
    renamed = openpyxl.load_workbook(book)
    renamed["站点"]["A1"] = "区划编码"
    for name in renamed.sheetnames[1:]:
        del renamed[name]
    renamed.save(tmp_path / "renamed.xlsx")
    (tmp_path / "text.xlsx").write_text("hello")
    (tmp_path / "cut.xlsx").write_bytes(book.read_bytes()[:9000])
    for name, said in (("renamed", "认不出这张表"), ("text", "认不出这张表"), ("cut", "打不开这个表格文件")):
        refused = cuntong("init", home / "county", "--from-xlsx", tmp_path / f"{name}.xlsx")
        assert refused.code == 2
        assert said in refused.out + refused.err
        assert "县级代码" not in refused.out
        assert not (home / "county").exists()


def test_a_folder_within_somebody_elses_work_tree_is_theirs_to_commit(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    (tmp_path / "county").mkdir()
    (tmp_path / "county" / "a").write_text("a")
    assert not own_history.begin(tmp_path / "county")
    assert not own_history.commit(tmp_path / "county", "no")
    assert not own_history.commit(tmp_path, "no")
    assert log(tmp_path) == []
