"""A county out of our workbook alone: the divisions that its rows name, then everything else that they say.

The folder appears as a whole or not at all.
"""

import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inventory.errors import InventoryError, Problem
from inventory.loader import allocate_missing
from inventory.scaffold import write_inventory
from inventory.sheets.faults import Fault
from inventory.sheets.planning import plan_import
from inventory.sheets.reading import NamedPlace, named_places
from inventory.sheets.workbook import Grid

_COUNTY, _TOWNSHIP, _VILLAGE = 3, 4, 5
_MODEL: Final = "code,name,level,parent\n990001000000,示例县,3,\n990001100000,示例镇,4,990001000000\n"


@dataclass(frozen=True)
class Started:
    """What was made, or what stands in the way: with a fault nothing was written.

    Args:
        rows: that were understood beyond code and name.
        repaired: cells that were read as what they mean and not as what stands there.
    """

    faults: tuple[Fault, ...]
    rows: int = 0
    townships: int = 0
    villages: int = 0
    repaired: tuple[Fault, ...] = ()


def start(folder: Path, grids: Sequence[Grid]) -> Started:
    """Write an inventory for the county of a workbook.

    Args:
        folder: must not exist, or be empty.

    Raises:
        InventoryError: the folder is not empty, or a pool is full.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InventoryError(
            [Problem(str(folder), 0, "", "this folder is not empty.", "Name a new folder, or empty this one.")]
        )
    read = named_places(grids)
    places = list(read.named.values())
    faults = [*read.faults, *(_shape(places) if read.tables else ())]
    if faults:
        return Started(tuple(_sorted(faults)))
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        listed = draft / "divisions.csv"
        listed.write_text(_listed(places), "utf-8")
        made = draft / "made"
        county = next(one.code for one in places if level_of(one.code) == _COUNTY)
        report = write_inventory(made, listed, county)
        plan = plan_import(made, grids)
        if plan.faults:
            return Started(tuple(_sorted(plan.faults)), plan.rows)
        plan.write()
        allocate_missing(made)
        made.replace(folder)
        repaired = {*plan.repaired, *read.repaired}
        return Started((), plan.rows, report.townships, report.villages, tuple(_sorted(repaired)))
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def example(place: Path) -> Path:
    """An inventory of nowhere, from which the first workbook takes its lists to choose from."""
    listed = place / "example.csv"
    listed.write_text(_MODEL, "utf-8")
    write_inventory(place / "example", listed, "990001", title="县")
    return place / "example"


def level_of(code: str) -> int:
    """The level that the digits of a full code give: 1 to 5."""
    for level, tail in ((1, 10), (2, 8), (3, 6), (4, 3)):
        if code.endswith("0" * tail):
            return level
    return _VILLAGE


def _listed(places: Sequence[NamedPlace]) -> str:
    codes = {one.code for one in places}
    lines = ["code,name,level,parent"]
    for one in sorted(places, key=lambda place: place.code):
        level = level_of(one.code)
        township, county = one.code[:9].ljust(12, "0"), one.code[:6].ljust(12, "0")
        parent = "" if level == _COUNTY else township if level == _VILLAGE and township in codes else county
        lines.append(f"{one.code},{one.name},{level},{parent}")
    return "\n".join(lines) + "\n"


def _shape(places: Sequence[NamedPlace]) -> list[Fault]:
    """One county, a name for each division, a township above each village."""
    counties = [one for one in places if level_of(one.code) <= _COUNTY]
    codes = {one.code for one in places}
    faults = []
    if len(counties) != 1 or level_of(counties[0].code) != _COUNTY:
        named = "、".join(f"{one.sheet}第{one.row}行 {one.code}" for one in counties) or "没有"
        faults.append(
            Fault(
                counties[0].sheet if counties else "-", counties[1].row if len(counties) > 1 else 0, "", "",
                f"要有且只有一行县级代码（6位，或后6位为0），现在：{named}。",
                f"there must be one row with the county's code (6 digits); there are {len(counties)}.",
            )
        )  # fmt: skip
    county = counties[0].code[:6] if counties else ""
    for one in places:
        if not one.name:
            faults.append(Fault(one.sheet, one.row, "", "", f"{one.code} 没有填区划名称。", f"{one.code} has no name."))
        if "," in one.name or '"' in one.name:
            faults.append(
                Fault(one.sheet, one.row, "", "", f"“{one.name}”里不能有逗号和引号。", "no commas or quotes in a name.")
            )
        if county and not one.code.startswith(county):
            zh, en = (
                f"{one.code} 不属于 {county}，代码可能填错。",
                f"{one.code} is not below {county}. Correct the code.",
            )
            faults.append(Fault(one.sheet, one.row, "", "", zh, en))
        township = one.code[:9].ljust(12, "0")
        if level_of(one.code) == _VILLAGE and township not in codes:
            zh = f"{one.code} 所属的乡镇 {township[:9]} 没有单独一行，请补上。"
            faults.append(Fault(one.sheet, one.row, "", "", zh, f"the township {township[:9]} has no row. Add one."))
    return faults


def _sorted(faults: Iterable[Fault]) -> list[Fault]:
    return sorted(set(faults), key=lambda one: (one.sheet, one.row, len(one.column), one.column))
