"""A report as plain parts, before anybody decides how it looks: headings, paragraphs, tables.

Officials edit the Word file, archives keep the PDF, offices count in the spreadsheet. All three are made of this one
list of parts, so that no figure can differ between them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

Cell = str | int | float | None
"""A ratio is a float from 0 to 1 in a column of kind ``ratio``; None is shown as a dash: nobody knows."""


@dataclass(frozen=True, slots=True)
class Column:
    """``width`` is in characters.

    Args:
        kind: ``text``, ``code`` (digits that are no number), ``count``, ``ratio`` or ``minutes``.
    """

    title: str
    kind: str = "text"
    width: int = 10


@dataclass(frozen=True, slots=True)
class Heading:
    """``level`` 1 is 一、, 2 is （一）."""

    text: str
    level: int = 1


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """``unit`` stands at the upper right, ``source`` beneath."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    unit: str = ""
    source: str = ""


Part = Heading | Paragraph | Table


@dataclass(frozen=True, slots=True)
class Sheet:
    """A whole report.

    Args:
        title: lines of the title, broken where they should break.
        signer, dated: at the end, right: who issues it, and its date in Chinese.
        facts: what identifies it (snapshot, hash, rule), printed small at the end and kept in the file's properties.
        forms: lines to be filled in by hand, such as 填报单位 and 制表人.
    """

    title: tuple[str, ...]
    parts: tuple[Part, ...]
    signer: str = ""
    dated: str = ""
    facts: Sequence[tuple[str, str]] = field(default=())
    forms: tuple[str, ...] = ()

    @property
    def tables(self) -> list[Table]:
        return [part for part in self.parts if isinstance(part, Table)]


DASH: Final = "—"


def shown(cell: Cell, kind: str) -> str:
    """A cell as people read it. A ratio has one decimal and is never rounded up to the whole."""
    if cell is None or cell == "":
        return DASH
    if kind == "ratio" and isinstance(cell, int | float):
        return "100%" if cell == 1 else f"{int(cell * 1000) / 10:.1f}%"
    if kind == "minutes" and isinstance(cell, int | float):
        return f"{cell:.0f}"
    return str(cell)


_DIGITS: Final = "零一二三四五六七八九"


def chinese_number(number: int) -> str:
    """1 to 99, as headings count: 一, 十, 二十三."""
    tens, ones = divmod(number, 10)
    return ("" if tens == 0 else "十" if tens == 1 else _DIGITS[tens] + "十") + (_DIGITS[ones] if ones else "")


def numbered(heading: Heading, count: int) -> str:
    """A heading with its number, as GB/T 9704-2012 numbers them."""
    number = chinese_number(count)
    return f"{number}、{heading.text}" if heading.level == 1 else f"（{number}）{heading.text}"
