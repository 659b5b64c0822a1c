"""XLSX and CSV as people send them, into grids of cells: merged ranges noted, formulas marked, encodings guessed."""

import csv
import io
import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from inventory.errors import InventoryError, Problem

_MOST_BYTES: Final = 200 * 2**20
"""Of a workbook when unpacked: far above any county's, far below what a crafted file makes of a megabyte."""
_MOST_ROWS: Final = 200_000
_MOST_COLUMNS: Final = 200

Value = str | int | float | bool | date | datetime | None


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell; a formula is kept as its text and marked."""

    value: Value
    formula: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """One sheet: rows from the top, the first is row 1.

    Args:
        name: the sheet's; of CSV the file's.
        merged: left, top, right and bottom of each merged range, from 1. Only its first cell has a value.
        is_sheet: False for CSV, whose name says nothing.
    """

    name: str
    rows: Sequence[Sequence[Cell]]
    merged: Sequence[tuple[int, int, int, int]] = ()
    is_sheet: bool = True


def read(name: str, data: bytes) -> list[Grid]:
    """Every sheet of a file.

    Raises:
        InventoryError: it is neither XLSX nor CSV, it is damaged, or it is larger than any such table.
    """
    if data[:4] == b"PK\x03\x04":
        return _xlsx(name, data)
    if data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise _refused(name, "this is an old .xls file or one with a password.", "Save it as .xlsx without a password.")
    return [_csv(name, data)]


def letter(column: int) -> str:
    """``A`` for 0, ``AA`` for 26."""
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def _refused(name: str, message: str, mend: str) -> InventoryError:
    return InventoryError([Problem(name, 0, "", message, mend)])


def _xlsx(name: str, data: bytes) -> list[Grid]:
    # Imported here: openpyxl takes a quarter of a second, and only imports need it.
    import openpyxl

    damaged = _refused(
        name,
        "打不开这个表格文件，可能不完整，请打开后另存为 .xlsx 再发 / this workbook cannot be read.",
        "Open it, save it again as .xlsx, and send that.",
    )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(one.file_size for one in packed.infolist()) > _MOST_BYTES:
                raise _refused(name, "this workbook is too large when unpacked.", "Send the table alone.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # extensions that openpyxl does not keep; we only read cells
            book = openpyxl.load_workbook(io.BytesIO(data))
    except InventoryError:
        raise
    except Exception as error:  # openpyxl raises whatever the damaged part of a file leads to
        raise damaged from error
    try:
        return [_sheet(name, sheet) for sheet in book.worksheets if sheet.sheet_state == "visible"]
    finally:
        book.close()


def _sheet(file: str, sheet: object) -> Grid:
    rows: list[list[Cell]] = []
    title, most = str(sheet.title), min(int(sheet.max_column or 0), _MOST_COLUMNS)  # type: ignore[attr-defined]
    if int(sheet.max_row or 0) > _MOST_ROWS:  # type: ignore[attr-defined]
        raise _refused(file, f"the sheet {title!r} has more than {_MOST_ROWS} rows.", "Delete the empty rows below.")
    for row in sheet.iter_rows(max_col=most or 1):  # type: ignore[attr-defined]
        rows.append([Cell(_value(cell.value), cell.data_type == "f") for cell in row])
    return Grid(title, rows, sorted(merged.bounds for merged in sheet.merged_cells.ranges))  # type: ignore[attr-defined]


def _value(value: object) -> Value:
    if value is None or isinstance(value, (str, int, float, bool, date)):
        return value
    return str(value)


def _csv(name: str, data: bytes) -> Grid:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = data.decode("gb18030")  # what Excel in China writes as CSV
        except UnicodeDecodeError:
            mend = "Save it as XLSX, or as CSV in UTF-8."
            raise _refused(name, "this is neither a workbook nor text in UTF-8 or GB 18030.", mend) from None
    if "\0" in text:
        raise _refused(name, "this is no table.", "Send XLSX or CSV.")
    head = text[:2000].split("\n", 1)[0]
    delimiter = max(",\t;", key=head.count)
    rows = []
    try:
        for row in csv.reader(io.StringIO(text), delimiter=delimiter):
            rows.append([_csv_cell(value) for value in row[:_MOST_COLUMNS]])
            if len(rows) > _MOST_ROWS:
                raise _refused(name, f"this table has more than {_MOST_ROWS} rows.", "Send it in parts.")
    except csv.Error as error:
        raise _refused(name, f"this CSV cannot be read: {error}.", "Save it again as CSV in UTF-8.") from None
    return Grid(name, rows, is_sheet=False)


def _csv_cell(value: str) -> Cell:
    if value.startswith('="') and value.endswith('"') and value.count('"') == 2:  # how Excel keeps a code's zeros
        return Cell(value[2:-1])
    return Cell(value, value.startswith("="))
