"""A report as a spreadsheet: a sheet for each table, codes as text, ready to print on A4, with its snapshot inside."""

import io
from datetime import datetime
from typing import Any, Final

import xlsxwriter

from api.reports.sheet import Cell, Column, Sheet, Table

_EPOCH: Final = datetime(2000, 1, 1)  # noqa: DTZ001  the same report is the same bytes
_FORBIDDEN: Final = str.maketrans(dict.fromkeys("[]:*?/\\", "-"))


def render(sheet: Sheet) -> bytes:
    """The bytes of the ``.xlsx``. A text that begins like a formula stays a text."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties(
        {"title": "".join(sheet.title), "author": sheet.signer, "created": _EPOCH,
         "comments": "; ".join(f"{name}: {value}" for name, value in sheet.facts)}
    )  # fmt: skip
    forms = _formats(book)
    names: set[str] = set()
    for table in sheet.tables:
        _table(book.add_worksheet(_name(table.title, names)), table, sheet, forms)
    facts = book.add_worksheet("快照")
    for row, (name, value) in enumerate(sheet.facts):
        facts.write_string(row, 0, name)
        facts.write_string(row, 1, value)
    facts.hide()
    book.close()
    return out.getvalue()


def _name(title: str, taken: set[str]) -> str:
    """A sheet's name: at most 31 characters, each once."""
    name = base = title.translate(_FORBIDDEN)[:28] or "表"
    number = 1
    while name in taken:
        number += 1
        name = f"{base}{number}"
    taken.add(name)
    return name


def _formats(book: Any) -> dict[str, Any]:
    cell = {"font_name": "仿宋", "font_size": 11, "border": 1, "valign": "vcenter", "text_wrap": True}
    return {
        "title": book.add_format({"font_name": "黑体", "font_size": 16, "align": "center", "valign": "vcenter"}),
        "note": book.add_format({"font_name": "仿宋", "font_size": 11}),
        "unit": book.add_format({"font_name": "仿宋", "font_size": 11, "align": "right"}),
        "head": book.add_format(cell | {"font_name": "黑体", "align": "center", "bg_color": "#E8EFEA"}),
        "text": book.add_format(cell),
        "code": book.add_format(cell | {"num_format": "@", "align": "center"}),
        "count": book.add_format(cell | {"num_format": "#,##0", "align": "center"}),
        "ratio": book.add_format(cell | {"num_format": "0.0%", "align": "center"}),
        "minutes": book.add_format(cell | {"num_format": "#,##0", "align": "center"}),
    }


def _table(page: Any, table: Table, sheet: Sheet, forms: dict[str, Any]) -> None:
    last = len(table.columns) - 1
    page.set_paper(9)
    page.set_landscape()
    page.fit_to_pages(1, 0)
    page.set_margins(left=0.6, right=0.6, top=0.8, bottom=0.8)
    page.set_footer("&C第 &P 页 共 &N 页")
    page.set_row(0, 28)
    page.merge_range(0, 0, 0, last, table.title, forms["title"]) if last else page.write_string(
        0, 0, table.title, forms["title"]
    )
    page.write_string(1, 0, "    ".join(sheet.forms), forms["note"])
    page.write_string(1, last, table.unit, forms["unit"])
    for at, column in enumerate(table.columns):
        page.set_column(at, at, max(6, column.width * 1.4))
        page.write_string(2, at, column.title, forms["head"])
    for number, row in enumerate(table.rows, 3):
        for at, (cell, column) in enumerate(zip(row, table.columns, strict=True)):
            _write(page, number, at, cell, column, forms[column.kind])
    end = 3 + len(table.rows)
    page.write_string(end, 0, table.source, forms["note"])
    page.freeze_panes(3, 1)
    page.repeat_rows(2)
    if table.rows:
        page.autofilter(2, 0, end - 1, last)


def _write(page: Any, row: int, at: int, cell: Cell, column: Column, form: Any) -> None:
    if cell is None:
        page.write_string(row, at, "—", form)
    elif isinstance(cell, str) or column.kind == "code":
        page.write_string(row, at, str(cell), form)
    else:
        page.write_number(row, at, cell, form)
