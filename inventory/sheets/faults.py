"""What is wrong with a cell that somebody filled in: where, in Chinese, and the English beside it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One bad cell or row.

    Args:
        sheet: the sheet's name as it was sent; the file's name for CSV.
        row: as the spreadsheet numbers it, from 1; 0 for the whole sheet.
        column: its letter; empty for the whole row.
        header: the header of the column as it was sent.
        zh, en: what is wrong and how to mend it.
    """

    sheet: str
    row: int
    column: str
    header: str
    zh: str
    en: str

    def __str__(self) -> str:
        row = f" 第{self.row}行" if self.row else ""
        column = f" {self.column}列“{self.header}”" if self.column else ""
        at = f"{self.column}{self.row}" if self.column else f"row {self.row}" if self.row else "sheet"
        return f"{self.sheet}{row}{column}：{self.zh}\n    {at}: {self.en}"


class CellError(Exception):
    """A cell that cannot be read; both sentences."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en
