"""Spreadsheets as people send them: read with patience, refused by cell, and written as strict YAML or not at all."""

import csv
import io
import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.county import County
from inventory.errors import InventoryError
from inventory.loader import allocate_missing, examine, load
from inventory.sheets import template
from inventory.sheets.columns import TABLES
from inventory.sheets.planning import ImportPlan, plan_import
from inventory.sheets.workbook import read
from inventory.source import Source

EXAMPLE = Path(__file__).parents[3] / "inventory" / "examples" / "tianquan"
SITES = ["区划代码", "区划名称", "运营商", "开放日期"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "inventory"))


@pytest.fixture(scope="module")
def county() -> County:
    return examine(Source(EXAMPLE)).county


def book(*sheets: tuple[str, Sequence[Sequence[Any]]], merge: str = "") -> bytes:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets:
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
        if merge:
            sheet.merge_cells(merge)
    held = io.BytesIO()
    made.save(held)
    return held.getvalue()


def plan(folder: Path, *rows: Sequence[Any], head: Sequence[str] = SITES, sheet: str = "站点 (2)") -> ImportPlan:
    return plan_import(folder, read("a.xlsx", book((sheet, [head, *rows]))))


def told(made: ImportPlan) -> list[tuple[int, str, str]]:
    return [(fault.row, fault.column, fault.zh) for fault in made.faults]


def test_what_people_really_send_is_read(folder: Path) -> None:
    made = plan(
        folder,
        ["天全县站点情况表", None, None, None],
        SITES,
        [511825100208, "梅子村委会 ", "中国移动 ", date(2021, 6, 10)],
        ["５１１８２５１００２０９", " 龙尾村委会", "unicom", "2021年6月1日"],
        ["511825100210\u00a0", "马溪村委会", "中国联通", 44357],
        [None, None, None, None],
        [511825100211.0, "", "", "2021.6.3"],
        head=["填报单位：城厢镇", "", "", ""],
    )
    assert told(made) == []
    assert [(one.row, one.column, one.zh) for one in made.repaired] == [
        (4, "B", "有多余空格，已按“梅子村委会”读入。"),
        (4, "C", "有多余空格，已按“中国移动”读入。"),
        (5, "A", "有全角数字，已按“511825100209”读入。"),
        (5, "B", "有多余空格，已按“龙尾村委会”读入。"),
        (6, "A", "有多余空格，已按“511825100210”读入。"),
    ]
    made.write()
    inventory = load(folder)
    by_code = {inventory.nodes.codes[int(node)]: site for site, node in enumerate(inventory.sites.nodes)}
    days = {code[-3:]: str(inventory.site(by_code[code]).opened) for code in by_code if code.startswith("5118251002")}
    assert (days["208"], days["209"], days["210"], days["211"]) == (
        "2021-06-10",
        "2021-06-01",
        "2021-06-10",
        "2021-06-03",
    )
    text = (folder / "sites" / "chengxiang.yml").read_text("utf-8")
    assert "is: 梅子村委会 - - mobile\n        central: true" in text
    assert "# people here say xu" in text


@pytest.mark.parametrize(
    ("row", "column", "zh"),
    [
        pytest.param(["=A1", "梅子村委会", "", ""], "A", "这里是公式 =A1，请粘贴为数值。", id="formula"),
        pytest.param(
            [5.11825e11 + 0.5, "", "中国移动", ""],
            "A",
            "511825000000.5 不是区划代码，应为12位（或6位、9位）。",
            id="half a code",
        ),
        pytest.param(
            ["5.11825E+11", "", "中国移动", ""],
            "A",
            "5.11825E+11 是科学计数，末位数字已丢失，请设为文本格式后重填。",
            id="scientific",
        ),
        pytest.param(
            ["511825100999", "梅子村委会", "中国移动", ""],
            "A",
            "511825100999 不在区划表里，“梅子村委会”的代码是 511825100208。",
            id="unknown code",
        ),
        pytest.param(
            ["511825100208", "龙尾村委会", "中国移动", ""],
            "B",
            "511825100208 是“梅子村委会”，不是“龙尾村委会”，请核对代码或名称。",
            id="another name",
        ),
        pytest.param(
            ["511825100208", "", "中国铁通", ""],
            "C",
            "“中国铁通”不在可选范围：中国电信、中国联通、中国移动。",
            id="carrier",
        ),
        pytest.param(
            ["511825100208", "", "", "2021-02-30"], "D", "2021-02-30 不是日期，请写成 2021-06-10。", id="no such day"
        ),
        pytest.param([None, "梅子村委会", "中国移动", ""], "A", "必填，不能为空。", id="no code"),
    ],
)
def test_a_bad_cell_is_named_by_row_and_column_and_stops_everything(
    folder: Path, row: list[Any], column: str, zh: str
) -> None:
    made = plan(folder, ["511825100209", "", "中国移动", ""], row)
    assert told(made) == [(3, column, zh)]
    assert all(fault.en.isascii() or "中国" in fault.en or "村" in fault.en for fault in made.faults)
    assert made.after, "the good row is still shown in the diff"
    with pytest.raises(ValueError, match="faults"):
        made.write()


KIOSKS: list[list[Any]] = [
    ["一体机清单", None, None], ["区划代码", "设备位", "序列号"],
    ["511825100208", "kiosk1", "A1"], [None, "kiosk2", "A2"],
]  # fmt: skip


@pytest.mark.parametrize(
    ("merge", "said"),
    [
        pytest.param("A3:A4", (3, "A", "A3:A4 是合并单元格，请取消合并，每行分别填写。"), id="a code over two rows"),
        pytest.param("B2:C2", (2, "B", "B2:C2 是合并单元格，请取消合并，每行分别填写。"), id="two headers"),
        pytest.param("B8:C9", (8, "B", "B8:C9 是合并单元格，请取消合并，每行分别填写。"), id="below the table"),
    ],
)
def test_merged_cells_are_refused_with_their_place(folder: Path, merge: str, said: tuple[int, str, str]) -> None:
    made = plan_import(folder, read("k.xlsx", book(("一体机", KIOSKS), merge=merge)))
    assert said in told(made)
    with pytest.raises(ValueError, match="faults"):
        made.write()


def test_a_title_above_the_headers_may_be_merged(folder: Path) -> None:
    rows = [*KIOSKS[:3], ["511825100208", *KIOSKS[3][1:]]]
    made = plan_import(folder, read("k.xlsx", book(("一体机", rows), merge="A1:C1")))
    assert told(made) == []
    assert "devices: {kiosk1: {serial: A1}, kiosk2: {model: kiosk-uos, serial: A2}}" in made.diff()


@pytest.mark.parametrize("name", ["Sheet1", "线路", "随便"])
def test_a_sheet_of_another_name_is_refused_with_the_right_one(folder: Path, name: str) -> None:
    made = plan(folder, ["511825100208", "", "中国移动", ""], sheet=name)
    assert [(one.sheet, zh) for one, (_, _, zh) in zip(made.faults, told(made), strict=True)] == [
        (name, "工作表名称应为“站点”（按列名看是这张表），请改名后重发。")
    ]


def test_serial_numbers_and_names_of_credentials_of_any_device_come_from_their_sheet(folder: Path) -> None:
    head = ["区划代码", "设备位", "序列号", "凭据名称"]
    made = plan(folder, ["511825100208", "cpe1", "2102350ABC", "snmp/old"], head=head, sheet="设备")
    assert told(made) == []
    made.write()
    device = load(folder).devices.find(_site(folder, "511825100208") + "-cpe1")
    assert (device.serial, device.credential) == ("2102350ABC", "secret://snmp/old")
    bad = plan(folder, ["511825100208", "cpe1", "", "../passwd"], head=head, sheet="设备")
    assert [(row, column) for row, column, _ in told(bad)] == [(2, "D")]


def test_a_kiosk_under_both_sheets_is_refused(folder: Path) -> None:
    sheets = (
        ("设备", [["区划代码", "设备位", "序列号"], ["511825100208", "kiosk1", "A1"]]), ("一体机", [*KIOSKS[1:3]])
    )  # fmt: skip
    made = plan_import(folder, read("k.xlsx", book(*sheets)))
    assert [(one.sheet, one.column, one.zh) for one in made.faults] == [
        ("一体机", "B", "kiosk1 在“设备”表中已经填写，请只保留一行。")
    ]


def _site(folder: Path, code: str) -> str:
    inventory = load(folder)
    nodes = [inventory.nodes.codes[int(node)] for node in inventory.sites.nodes]
    return inventory.sites.ids[nodes.index(code)]


def test_the_second_row_of_one_site_is_refused(folder: Path) -> None:
    row = ["511825100208", "", "中国移动", ""]
    assert told(plan(folder, row, row)) == [(3, "A", "与第2行重复，请只保留一行。")]


def test_a_law_that_the_result_would_break_is_told_by_its_row(folder: Path) -> None:
    made = plan(folder, ["511825100208", "免考核"], head=["区划代码", "覆盖要求"])
    ((row, _, zh),) = told(made)
    assert row == 2
    assert zh.startswith("导入后不符合清单规则：")
    assert made.faults[0].en.endswith("reason: to the exempt site.") or "reason" in made.faults[0].en


def test_a_new_site_its_kiosk_line_and_claim_come_from_one_workbook(tmp_path: Path, folder: Path) -> None:
    county = folder / "sites" / "county.yml"
    county.write_text(county.read_text("utf-8").replace("  gongshang: 工商业联合会 - - mobile\n", ""), "utf-8")
    allocate_missing(folder)
    sheets = (
        (
            "站点",
            [
                ["区划代码", "站点键", "单位名称", "站点类型", "级别"],
                ["511825", "hongshi", "红十字会", "县直单位", "u-ar"],
                ["511825100002", "laojie", "老街", "便民服务点", "v-ar"],
            ],
        ),
        (
            "线路表",
            [
                ["区划代码", "站点键", "主备", "线路类型", "运营商", "带宽"],
                ["511825", "hongshi", "主用", "MSTP专线", "中国联通", "50M"],
            ],
        ),
        (
            "建设状态",
            [
                ["区划代码", "站点键", "状态", "日期", "填报单位", "依据"],
                ["511825", "hongshi", "已接通", "2021-05-01", "红十字会", "验收单"],
            ],
        ),
    )
    made = plan_import(folder, read("all.xlsx", book(*sheets)))
    assert told(made) == []
    assert made.new_sites == 2
    made.write()
    assert len(allocate_missing(folder)) >= 2
    inventory = load(folder)
    unit, point = (inventory.site(inventory.sites.ids.index(id)) for id in ("tq-hongshi", "tq-chengxiang-xiyu-laojie"))
    assert (unit.type, unit.links[0].link_type, unit.links[0].carrier) == ("county_unit", "mstp", "unicom")
    assert unit.links[0].bandwidth_mbps == 50
    assert (point.type, point.site_class) == ("village_point", "v-ar")
    assert [str(claim.claim) for claim in inventory.claims(inventory.sites.index["tq-hongshi"])] == ["connected"]


def test_importing_twice_changes_nothing_the_second_time(folder: Path) -> None:
    rows = (["511825100208", "", "中国移动", "2021-06-10"], ["511825100209", "", "中国联通", ""])
    first = plan(folder, *rows)
    first.write()
    second = plan(folder, *rows)
    assert second.after == {}
    assert second.rows == 2


def test_a_file_that_was_edited_meanwhile_is_not_overwritten(folder: Path) -> None:
    made = plan(folder, ["511825100208", "", "中国移动", ""])
    path = folder / "sites" / "chengxiang.yml"
    path.write_text(path.read_text("utf-8") + "# mine\n", "utf-8")
    with pytest.raises(InventoryError, match="changed meanwhile"):
        made.write()
    assert path.read_text("utf-8").endswith("# mine\n")
    assert [one.name for one in path.parent.iterdir() if one.name.startswith(".")] == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "gb18030"])
def test_csv_is_read_in_the_encodings_that_spreadsheets_write(folder: Path, encoding: str) -> None:
    text = '区划代码,区划名称,运营商\r\n="511825100208",梅子村委会,中国移动\r\n'
    made = plan_import(folder, read("a.csv", text.encode(encoding)))
    assert told(made) == []
    assert made.rows == 1


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old", "old .xls"),
        (b"PK\x03\x04 damaged", "cannot be read"),
        (b"\xff\xfe\xff\xff\xff", "neither a workbook nor text"),
    ],
)
def test_what_is_no_table_is_refused_with_the_way_out(data: bytes, said: str) -> None:
    with pytest.raises(InventoryError, match=said):
        read("x.xlsx", data)


def test_a_file_without_any_of_our_headers_is_refused(folder: Path) -> None:
    made = plan_import(folder, read("a.csv", b"a,b\n1,2\n"))
    assert made.faults[0].en == "no table is known here. Use the headers of `cuntong import template`."


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_foreign_bytes_end_in_rows_or_in_a_refusal(data: bytes) -> None:
    try:
        grids = read("x", data)
    except InventoryError:
        return
    assert all(isinstance(grid.name, str) for grid in grids)


def test_a_template_offers_the_lists_of_its_county_and_can_be_read_back(folder: Path, county: County) -> None:
    data = template.xlsx(list(TABLES.values()), county, [("511825100208", "梅子村委会")])
    assert data == template.xlsx(list(TABLES.values()), county, [("511825100208", "梅子村委会")])
    made = openpyxl.load_workbook(io.BytesIO(data))
    assert made.sheetnames == ["站点", "建设状态", "一体机", "设备", "线路", "填表说明", "词表"]
    sheet = made["站点"]
    assert sheet["A1"].value == "区划代码"
    assert sheet["A2"].value == "511825100208"
    assert sheet["A2"].number_format == "@"
    lists = [rule for rule in sheet.data_validations.dataValidation if rule.type == "list"]
    carriers = next(rule for rule in lists if str(rule.sqref).startswith("H2"))
    column = carriers.formula1.split("$")[1]
    words = made["词表"]
    assert [words[f"{column}{row}"].value for row in (2, 3, 4)] == ["中国电信", "中国联通", "中国移动"]
    empty = plan_import(folder, read("t.xlsx", data))
    assert (told(empty), empty.rows, empty.skipped) == ([], 0, [])


def test_every_word_that_a_template_offers_is_understood(folder: Path, county: County) -> None:
    data = template.xlsx([TABLES["sites"]], county)
    words = openpyxl.load_workbook(io.BytesIO(data))["词表"]
    offered = {column[0].value: [cell.value for cell in column[1:] if cell.value] for column in words.columns}
    for name, header in (("classes", "配置级别"), ("carriers", "运营商"), ("link_types", "线路类型")):
        for word in offered[name]:
            made = plan(folder, ["511825100208", word], head=["区划代码", header])
            assert told(made) == [], word


def test_a_csv_template_has_the_headers_of_its_table() -> None:
    data = template.csv_text(TABLES["claims"])
    assert next(csv.reader(io.StringIO(data.decode("utf-8-sig")))) == [
        "区划代码", "区划名称", "站点键", "状态", "日期", "填报单位", "依据",
    ]  # fmt: skip
