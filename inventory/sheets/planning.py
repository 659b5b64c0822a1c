"""Rows of spreadsheets laid over an inventory: which lines of which file change, and what stands in the way.

`plan_import` reads the folder and writes nothing. The changed files are loaded again and held to every law before
anybody may write them; a broken law is told by the row that caused it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from inventory.changes import Changes
from inventory.errors import InventoryError
from inventory.loader import examine
from inventory.sheets.columns import choices_of
from inventory.sheets.faults import Fault
from inventory.sheets.merging import Merging
from inventory.sheets.reading import read_rows
from inventory.sheets.template import OWN_PAGES
from inventory.sheets.workbook import Grid
from inventory.source import Source


@dataclass(frozen=True)
class ImportPlan(Changes):
    """What an import would do.

    Args:
        faults: what stands in the way; nothing can be written while there is one.
        repaired: cells that were read as what they mean and not as what stands there.
        skipped: sheets that are none of our tables.
        rows: how many rows were understood.
        new_sites: how many sites need ids and addresses afterwards.
    """

    faults: Sequence[Fault]
    repaired: Sequence[Fault]
    skipped: Sequence[str]
    rows: int
    new_sites: int

    def write(self) -> None:
        """Put the changed files in place: all of them, or none.

        Raises:
            InventoryError: a file cannot be written, or it was changed meanwhile.
            ValueError: there are faults.
        """
        if self.faults:
            raise ValueError("an import with faults is not written")
        super().write()


def plan_import(folder: Path, grids: Sequence[Grid]) -> ImportPlan:
    """What the tables of a file would change in the inventory in ``folder``.

    Raises:
        InventoryError: the inventory itself is not valid, so nothing can be laid over it.
    """
    source = Source(Path(folder))
    compilation = examine(source)
    read = read_rows(grids, choices_of(compilation.county))
    merging = Merging(source, compilation, read.faults)
    order = {"sites": 0, "circuits": 1, "devices": 2, "kiosks": 3, "claims": 4}
    for row in sorted(read.rows, key=lambda one: order[one.table.name]):
        merging.take(row)
    if not read.tables:
        names = "、".join(read.skipped) or "-"
        merging.faults.append(
            Fault(
                names, 0, "", "", "没有找到可导入的表格，请使用模板的列名。",
                "no table is known here. Use the headers of `cuntong import template`.",
            )
        )  # fmt: skip
    before, after = merging.files()
    broken = _laws(source, after, merging) if after and not merging.faults else []
    faults = sorted({*merging.faults, *broken}, key=lambda one: (one.sheet, one.row, len(one.column), one.column))
    return ImportPlan(
        Path(folder),
        before,
        after,
        faults,
        sorted(set(read.repaired), key=lambda one: (one.sheet, one.row, len(one.column), one.column)),
        [name for name in read.skipped if name not in OWN_PAGES],
        len(read.rows),
        merging.new_sites,
    )


def _laws(source: Source, after: Mapping[str, bytes], merging: "Merging") -> list[Fault]:
    """Every law over the changed files; what they break, by the rows that changed the place."""
    changed = Source(source.folder)
    changed.files.update(after)
    try:
        examine(changed)
    except InventoryError as error:
        return [merging.blame(problem) for problem in error.problems]
    return []
