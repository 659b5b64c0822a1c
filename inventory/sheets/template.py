"""The templates that people fill in: XLSX with Chinese headers and lists to choose from, or CSV."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from inventory.county import County
from inventory.sheets.columns import TITLES_REPEAT, Column, Kind, Table, choices_of
from inventory.sheets.workbook import letter

OWN_PAGES: Final = ("填表说明", "词表")
"""Sheets of a template that hold no table."""
_ROWS: Final = 5000
"""Rows that carry formats and lists to choose from."""
_WIDTHS: Final = {
    Kind.CODE: 16,
    Kind.DAY: 13,
    Kind.COUNT: 12,
    Kind.FLAG: 10,
    Kind.WORD: 18,
    Kind.WORDS: 22,
    Kind.TEXT: 22,
}
_HELP: Final = (
    "本表由村通系统导出，填好后用 cuntong import 导入；先加 --dry-run 试运行，会列出每一处改动和每一个错误。",
    "蓝色列名必填。留空表示不改动原有内容。",
    "区划代码请按文本填写；不要使用公式；日期写成 2021-06-10。",
    "新建县（cuntong init）时，只填区划代码和名称的行也建站点；以后导入（cuntong import）时，这样的行不导入。",
    "请保留工作表名称和列名；不要合并单元格，每行填写一条。",
    "密码和团体名不要写在表里：只填凭据名称，密码用 cuntong secret set 保存。",
)


def xlsx(tables: Sequence[Table], county: County, prefilled: Sequence[tuple[str, str]] = ()) -> bytes:
    """A workbook with a sheet for each table, its lists, and a page on how to fill it in.

    Args:
        prefilled: code and name of divisions that stand in every sheet already.
    """
    # Imported here: only who asks for a template needs it.
    import xlsxwriter

    held = io.BytesIO()
    book = xlsxwriter.Workbook(held, {"in_memory": True, "strings_to_numbers": False, "strings_to_formulas": False})
    # The same template for the same county: no time of making.
    book.set_properties({"created": datetime(2000, 1, 1), "title": f"{county.title}导入模板"})  # noqa: DTZ001
    lists = {name: list(_shown(name, words)) for name, words in choices_of(county).items() if words}
    formats = {
        "need": book.add_format(
            {"bold": True, "bg_color": "#1F4E79", "font_color": "white", "border": 1, "align": "center"}
        ),
        "may": book.add_format({"bold": True, "bg_color": "#D9D9D9", "border": 1, "align": "center"}),
        "text": book.add_format({"num_format": "@"}),
        "day": book.add_format({"num_format": "yyyy-mm-dd"}),
        "plain": book.add_format(),
        "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
    }
    for table in tables:
        _sheet(book, table, lists, formats, prefilled)
    help_sheet = book.add_worksheet("填表说明")
    help_sheet.set_column(0, 0, 16)
    help_sheet.set_column(1, 1, 18)
    help_sheet.set_column(2, 2, 80)
    for row, text in enumerate(_HELP):
        help_sheet.write(row, 0, text)
    row = len(_HELP) + 1
    for at, text in enumerate(("表", "列", "说明")):
        help_sheet.write(row, at, text, formats["may"])
    for table in tables:
        for column in table.columns:
            row += 1
            need = "必填。" if column.required else ""
            help_sheet.write_row(row, 0, (table.title, column.title, need + column.note), formats["wrap"])
    words = book.add_worksheet("词表")
    for at, (name, shown) in enumerate(lists.items()):
        words.write(0, at, name)
        words.write_column(1, at, shown, formats["text"])
    words.hide()
    book.close()
    return held.getvalue()


def csv_text(table: Table, prefilled: Sequence[tuple[str, str]] = ()) -> bytes:
    """One table's headers as CSV, with the mark by which Excel and WPS know UTF-8."""
    held = io.StringIO()
    writer = csv.writer(held, lineterminator="\r\n")
    writer.writerow(column.title for column in table.columns)
    for code, name in prefilled:
        writer.writerow([code, name, *[""] * (len(table.columns) - 2)])
    return b"\xef\xbb\xbf" + held.getvalue().encode("utf-8")


def _shown(name: str, words: dict[str, str]) -> Iterator[str]:
    """What the list of a column offers: the title, or the key with its title where titles repeat."""
    for key, title in words.items():
        yield f"{key} | {title}" if name in TITLES_REPEAT and title != key else title


def _sheet(
    book: Any, table: Table, lists: dict[str, list[str]], formats: dict[str, Any], prefilled: Sequence[tuple[str, str]]
) -> None:
    sheet = book.add_worksheet(table.title)
    sheet.freeze_panes(1, 2)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.repeat_rows(0)
    sheet.fit_to_pages(1, 0)
    for at, column in enumerate(table.columns):
        sheet.write(0, at, column.title, formats["need" if column.required else "may"])
        if column.note:
            sheet.write_comment(0, at, column.note, {"font_size": 10, "x_scale": 1.6})
        shown = formats["day"] if column.kind is Kind.DAY else formats["plain"]
        sheet.set_column(at, at, _WIDTHS[column.kind], formats["text"] if _is_text(column) else shown)
        _rule(sheet, at, column, lists)
    for row, (code, name) in enumerate(prefilled, 1):
        sheet.write_string(row, 0, code, formats["text"])
        sheet.write_string(row, 1, name, formats["text"])


def _is_text(column: Column) -> bool:
    return column.kind in (Kind.CODE, Kind.TEXT, Kind.WORDS, Kind.WORD)


def _rule(sheet: Any, at: int, column: Column, lists: dict[str, list[str]]) -> None:
    """What a column accepts. A spreadsheet warns at once; the import says it again to who pasted over the rule."""
    span = (1, at, _ROWS, at)
    match column.kind:
        case Kind.WORD | Kind.FLAG if column.choices in lists:
            where = letter(list(lists).index(column.choices))
            last = len(lists[column.choices]) + 1
            sheet.data_validation(
                *span,
                {
                    "validate": "list", "source": f"=词表!${where}$2:${where}${last}",
                    "error_title": "不在可选范围", "error_message": "请从下拉列表中选择。",
                },
            )  # fmt: skip
        case Kind.DAY:
            sheet.data_validation(
                *span,
                {
                    "validate": "date", "criteria": "between", "minimum": datetime(1990, 1, 1),  # noqa: DTZ001
                    "maximum": datetime(2100, 1, 1), "ignore_blank": True,  # noqa: DTZ001
                    "error_title": "不是日期", "error_message": "请写成 2021-06-10。",
                },
            )  # fmt: skip
        case Kind.COUNT:
            sheet.data_validation(
                *span,
                {
                    "validate": "integer", "criteria": "between", "minimum": 0, "maximum": 400_000,
                    "error_title": "不是整数", "error_message": "请填写整数。",
                },
            )  # fmt: skip
        case Kind.CODE:
            sheet.data_validation(
                *span,
                {
                    "validate": "length", "criteria": "between", "minimum": 2, "maximum": 12,
                    "error_title": "代码不对", "error_message": "请填写12位区划代码（文本格式）。",
                },
            )  # fmt: skip
        case _:
            pass
