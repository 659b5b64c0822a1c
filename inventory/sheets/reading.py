"""Grids into rows of a table: headers found wherever they stand, cells read with patience, every bad one named."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from inventory.declared import did_you_mean
from inventory.sheets import words
from inventory.sheets.columns import TABLES, Column, Kind, Table
from inventory.sheets.faults import CellError, Fault
from inventory.sheets.workbook import Cell, Grid, letter

Choices = Mapping[str, Mapping[str, str]]

_HEAD_WITHIN: Final = 12
"""Rows from the top in which the headers may stand, below titles and notes."""
_EPOCH: Final = date(1899, 12, 30)
"""Day 0 of Excel's numbers for days (1900 system, with its leap day that never was)."""
_WHO: Final = frozenset({"code", "name", "key"})
_WIDE: Final = re.compile("[０-９Ａ-Ｚａ-ｚ]")
_EXACT: Final = 10**15
"""From here on a spreadsheet has rounded the digits of a number."""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row that could be read: its table, where it stands, and what it says by field; empty cells are left out."""

    table: Table
    sheet: str
    number: int
    values: Mapping[str, Any]
    columns: Mapping[str, tuple[str, str]]

    def fault(self, field: str | None, zh: str, en: str) -> Fault:
        """What is wrong with one cell of it, or with all of it."""
        column, header = self.columns.get(field or "", ("", ""))
        return Fault(self.sheet, self.number, column, header, zh, en)


@dataclass
class Read:
    """Everything that one file said.

    Attributes:
        repaired: cells that were read as something else than what stands there, without any doubt.
        skipped: sheets that are none of our tables.
    """

    rows: list[SheetRow] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    repaired: list[Fault] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    tables: int = 0


def read_rows(grids: Sequence[Grid], choices: Choices) -> Read:
    """The rows of every sheet that is one of our tables, by its headers; a sheet of another name is a fault."""
    found = Read()
    for grid in grids:
        if not any(cell.value not in (None, "") for row in grid.rows for cell in row):
            continue
        head = _head(grid)
        if head is None:
            found.skipped.append(grid.name)
            continue
        found.tables += 1
        at, table, places = head
        found.faults += _layout(grid, at, table)
        _headers(found, grid, at, table, places)
        for number, row in enumerate(grid.rows[at + 1 :], at + 2):
            _row(found, grid, number, row, table, places, choices)
    return found


def _layout(grid: Grid, at: int, table: Table) -> Iterator[Fault]:
    """What is wrong with a sheet as a whole: another table's name, and merged cells below the row of headers.

    Of merged cells only the first says something; whether the others mean the same is for who filled them in to say.
    """
    if grid.is_sheet and not _folded(grid.name).startswith(_folded(table.title)):
        yield Fault(
            grid.name, 0, "", "", f"工作表名称应为“{table.title}”（按列名看是这张表），请改名后重发。",
            f"by its headers this is the sheet {table.title}. Rename it.",
        )  # fmt: skip
    for left, top, right, bottom in grid.merged:
        if bottom > at:
            here = f"{letter(left - 1)}{top}:{letter(right - 1)}{bottom}"
            yield Fault(
                grid.name, top, letter(left - 1), _said_above(grid, at, left - 1),
                f"{here} 是合并单元格，请取消合并，每行分别填写。",
                f"{here} are merged cells. Split them, and fill in each row.",
            )  # fmt: skip


def _said_above(grid: Grid, at: int, column: int) -> str:
    row = grid.rows[at]
    return str(row[column].value) if column < len(row) and row[column].value is not None else ""


def _repaired(grid: Grid, number: int, at: int, column: Column, raw: object, value: Any) -> Iterator[Fault]:
    """That a cell was read as what it means and not as what stands there: full-width digits, spaces around it."""
    if not isinstance(raw, str):
        return
    wide = column.kind in (Kind.CODE, Kind.COUNT, Kind.DAY) and _WIDE.search(raw)
    if not wide and raw.strip("\ufeff") == _clean(raw):
        return
    shown = value if column.kind in (Kind.CODE, Kind.COUNT, Kind.DAY) else _clean(raw)
    zh, en = ("全角数字", "full-width digits") if wide else ("多余空格", "spaces too many")
    yield Fault(grid.name, number, letter(at), column.title, f"有{zh}，已按“{shown}”读入。", f"{en}: read as {shown}.")


def _folded(text: object) -> str:
    """For comparing: full width as half width, no spaces of any kind, no star of a required header."""
    plain = unicodedata.normalize("NFKC", str(text))
    return re.sub(r"[\s\u200b\u200c\u200d\ufeff*]+", "", plain).lower()


def _head(grid: Grid) -> tuple[int, Table, dict[int, Column]] | None:
    """Where the headers are, of which table, and which column is which; the row that knows most of one table."""
    best: tuple[tuple[int, bool, int], int, Table, dict[int, Column]] | None = None
    for at, row in enumerate(grid.rows[:_HEAD_WITHIN]):
        for table in TABLES.values():
            names = {_folded(name): column for column in table.columns for name in (column.title, *column.also)}
            names |= {_folded(column.field): column for column in table.columns}
            places: dict[int, Column] = {}
            for i, cell in enumerate(row):
                column = names.get(_folded(cell.value)) if isinstance(cell.value, str) else None
                if column is not None and column not in places.values():
                    places[i] = column
            # What the sheet is called decides between tables that know as many of its headers, then what is required.
            named = _folded(table.title) in _folded(grid.name)
            score = (len(places), named, sum(column.required for column in places.values()))
            if len(places) >= 2 and any(c.field == "code" for c in places.values()) and (not best or score > best[0]):
                best = (score, at, table, places)
    return None if best is None else best[1:]


def _headers(found: Read, grid: Grid, at: int, table: Table, places: Mapping[int, Column]) -> None:
    row = grid.rows[at]
    titles = [column.title for column in table.columns]
    for i, cell in enumerate(row):
        if i not in places and cell.value not in (None, ""):
            near = did_you_mean(str(cell.value), titles, "")
            guess = near.removeprefix("Did you mean ").removesuffix("?")
            found.faults.append(
                Fault(
                    grid.name, at + 1, letter(i), str(cell.value),
                    "不认识这一列" + (f"，是否应为“{guess}”？" if guess else "，请删除或改用模板的列名。"),
                    "this column is not known." + (f" Did you mean {guess}?" if guess else " Delete it."),
                )
            )  # fmt: skip
    for column in table.columns:
        if column.required and column not in places.values():
            found.faults.append(
                Fault(grid.name, at + 1, "", "", f"缺少“{column.title}”列。", f"the column {column.title} is missing.")
            )


def _row(
    found: Read, grid: Grid, number: int, row: Sequence[Cell], table: Table, places: Mapping[int, Column],
    choices: Choices,
) -> None:  # fmt: skip
    values: dict[str, Any] = {}
    columns = {column.field: (letter(i), str(column.title)) for i, column in places.items()}
    faults: list[Fault] = []
    repaired: list[Fault] = []
    said = False
    for i, column in places.items():
        cell = row[i] if i < len(row) else Cell(None)
        if cell.value is None or (isinstance(cell.value, str) and not _clean(cell.value)):
            continue
        said = said or cell.formula or column.field not in _WHO
        try:
            if cell.formula:
                raise CellError(
                    f"这里是公式 {cell.value}，请粘贴为数值。",
                    f"this is the formula {cell.value}. Paste its value instead.",
                )
            values[column.field] = _READERS[column.kind](cell.value, column, choices)
            repaired += _repaired(grid, number, i, column, cell.value, values[column.field])
        except CellError as error:
            faults.append(Fault(grid.name, number, letter(i), column.title, error.zh, error.en))
    if not said:  # a template comes with codes and names: a row of nothing else says nothing
        return
    for column in table.columns:
        known = any(fault.header == column.title for fault in faults)
        if column.required and column in places.values() and column.field not in values and not known:
            at = next(letter(i) for i, one in places.items() if one is column)
            faults.append(Fault(grid.name, number, at, column.title, "必填，不能为空。", "this must not be empty."))
    found.faults += faults
    if not faults and all(not column.required or column.field in values for column in table.columns):
        found.repaired += repaired
        found.rows.append(SheetRow(table, grid.name, number, values, columns))


def _clean(text: str) -> str:
    """Without the spaces around it, whatever kind they are; line breaks inside become spaces."""
    return re.sub(r"\s+", " ", re.sub(r"[\u200b\u200c\u200d\ufeff]", "", text)).strip()


def _text(value: object, column: Column, choices: Choices) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, (int, float)):
        return _digits(value)
    if isinstance(value, datetime):
        return value.date().isoformat()
    return _clean(str(value))


def _digits(value: float) -> str:
    if abs(value) >= _EXACT:
        raise CellError(
            f"{value:.0f} 超过15位，表格软件已改动末位数字，请设为文本格式后重填。",
            f"{value:.0f} has more than 15 digits: the spreadsheet rounded it. Format the cell as text.",
        )
    return str(int(value)) if float(value).is_integer() else str(value)


def _code(value: object, column: Column, choices: Choices) -> str:
    text = _digits(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)
    text = _folded(text).upper().strip("'`")
    if re.fullmatch(r"[0-9.]+E\+?[0-9]+", text):
        raise CellError(
            f"{value} 是科学计数，末位数字已丢失，请设为文本格式后重填。",
            f"{value} is in scientific notation: digits are lost. Format the cell as text, fill it in again.",
        )
    text = re.sub(r"\.0+$", "", text)
    if len(text) not in (2, 4, 6, 9, 12) or not re.fullmatch(r"[0-9]{2}[0-9A-Z]*", text):
        raise CellError(
            f"{value} 不是区划代码，应为12位（或6位、9位）。", f"{value} is no division code of 12 (or 6, 9) digits."
        )
    return text.ljust(12, "0")


def _count(value: object, column: Column, choices: Choices) -> int:
    text = _digits(value) if isinstance(value, (int, float)) else _folded(value)
    text = re.sub(r"(mbps|m|兆|个|台)$", "", text)
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise CellError(f"{value} 不是整数。", f"{value} is no whole number.")
    return int(text)


def _day(value: object, column: Column, choices: Choices) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 20_000 < value < 80_000:
            return _EPOCH + timedelta(days=int(value))  # a day whose format was lost
        text = _folded(_digits(value) if isinstance(value, (int, float)) else value)
        found = re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:00:00(?::00)?)?", text)
        found = found or re.fullmatch(r"(\d{4})(\d{2})(\d{2})", text)
        if found:
            return date(*map(int, found.groups()))
    except ValueError:
        pass
    raise CellError(f"{value} 不是日期，请写成 2021-06-10。", f"{value} is no day. Write it as 2021-06-10.")


def _word(value: object, column: Column, choices: Choices) -> str:
    known = choices[column.choices]
    text = _folded(_text(value, column, choices))
    meant = [key for key, title in known.items() if text in (_folded(key), _folded(title), _folded(f"{key}{title}"))]
    if not meant and words.ALSO.get(text) in known:
        meant = [words.ALSO[text]]
    if not meant:
        head = _folded(str(value).split("|")[0])  # the template shows key | title where titles repeat
        meant = [key for key in known if _folded(key) == head]
    exact = [key for key in meant if text == _folded(key)]
    if len(exact or meant) == 1:
        return (exact or meant)[0]
    if meant:
        raise CellError(
            f"“{value}”有多个：{'、'.join(meant)}，请写其中一个。", f"{value} is ambiguous: {', '.join(meant)}."
        )
    titles = (
        "、".join(dict.fromkeys(known.values()))
        if column.choices not in ("classes", "models", "kiosk_models")
        else "、".join(known)
    )
    guess = did_you_mean(str(value), known, "Choose one of them.")
    raise CellError(f"“{value}”不在可选范围：{titles}。", f"{value} is none of {', '.join(known)}. {guess}")


def _flag(value: object, column: Column, choices: Choices) -> bool:
    return value if isinstance(value, bool) else _word(value, column, choices) == "true"


def _words(value: object, column: Column, choices: Choices) -> tuple[str, ...]:
    parts = re.split(r"[、,，;；\n]", _text(value, column, choices))
    return tuple(part for part in map(_clean, parts) if part)


_READERS: Final = {
    Kind.CODE: _code,
    Kind.TEXT: _text,
    Kind.WORD: _word,
    Kind.COUNT: _count,
    Kind.DAY: _day,
    Kind.FLAG: _flag,
    Kind.WORDS: _words,
}


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """A division that a row names, and where it stands."""

    code: str
    name: str
    sheet: str
    row: int


@dataclass
class Places:
    """Divisions by code, what cannot be read, and what was read as something else than what stands there."""

    named: dict[str, NamedPlace] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    repaired: list[Fault] = field(default_factory=list)
    tables: int = 0


def named_places(grids: Sequence[Grid]) -> Places:
    """Code and name of every row of our tables, also of rows that say nothing else."""
    found = Places()
    places, faults = found.named, found.faults
    for grid in grids:
        head = _head(grid)
        if head is None:
            continue
        at, table, columns = head
        found.tables += 1
        faults += _layout(grid, at, table)
        code_at = next(i for i, column in columns.items() if column.field == "code")
        name_at = next((i for i, column in columns.items() if column.field == "name"), None)
        for number, row in enumerate(grid.rows[at + 1 :], at + 2):
            cell = row[code_at] if code_at < len(row) else Cell(None)
            name = row[name_at] if name_at is not None and name_at < len(row) else Cell(None)
            if cell.value is None or cell.formula or name.formula or not _clean(str(cell.value)):
                continue  # an empty code, and a formula, are told by who reads the row
            try:
                code = str(_READERS[columns[code_at].kind](cell.value, columns[code_at], {})).ljust(12, "0")
            except CellError as error:
                faults.append(Fault(grid.name, number, letter(code_at), columns[code_at].title, error.zh, error.en))
                continue
            found.repaired += _repaired(grid, number, code_at, columns[code_at], cell.value, code)
            said = _clean(str(name.value)).replace(" ", "") if name.value is not None else ""
            if name_at is not None:
                found.repaired += _repaired(grid, number, name_at, columns[name_at], name.value, said)
            known = places.get(code)
            if said and known is not None and known.name and known.name != said:
                zh = f"{code} 在“{known.sheet}”第{known.row}行叫“{known.name}”，这里叫“{said}”，请统一。"
                en = f"{code} is {known.name} in row {known.row} of {known.sheet}, and {said} here. Make them one."
                column = letter(name_at) if name_at is not None else ""
                faults.append(Fault(grid.name, number, column, "区划名称", zh, en))
            elif known is None or (said and not known.name):
                places[code] = NamedPlace(code, said, grid.name, number)
    if not found.tables:
        faults.append(
            Fault(
                grids[0].name if grids else "-", 0, "", "",
                "认不出这张表：要有“区划代码”和“区划名称”两列，请用 cuntong init --template 生成的表填写。",
                "no sheet has the columns 区划代码 and 区划名称. Fill in what cuntong init --template writes.",
            )
        )  # fmt: skip
    return found
