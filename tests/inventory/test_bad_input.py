"""Each bad case is a file or a folder laid over ``bad/base``, beside the exact text of its refusal.

``x.yml`` replaces ``sites/county.yml``; ``x/`` replaces or adds the files it holds. A new case is two files.
"""

import shutil
from pathlib import Path

import pytest

from inventory.errors import InventoryError
from inventory.loader import allocate_missing, load

BAD = Path(__file__).parent / "bad"
CASES = sorted(path.stem for path in BAD.glob("*.txt"))


def lay_out(case: str, folder: Path) -> Path:
    shutil.copytree(BAD / "base", folder, dirs_exist_ok=True)
    if (BAD / case).is_dir():
        shutil.copytree(BAD / case, folder, dirs_exist_ok=True)
    else:
        shutil.copy(BAD / f"{case}.yml", folder / "sites" / "county.yml")
    return folder


def test_the_base_of_the_bad_cases_is_itself_good() -> None:
    inventory = load(BAD / "base")
    assert (len(inventory.sites), len(inventory.devices), inventory.findings) == (9, 17, ())


def test_every_bad_case_has_its_text() -> None:
    named = {path.stem for path in BAD.iterdir() if path.name != "base"}
    assert named == set(CASES)


@pytest.mark.parametrize("case", CASES)
def test_a_bad_inventory_is_refused_with_every_line_named(case: str, tmp_path: Path) -> None:
    folder = lay_out(case, tmp_path)
    with pytest.raises(InventoryError) as refusal:
        load(folder)
    assert str(refusal.value) == (BAD / f"{case}.txt").read_text("utf-8").strip()


@pytest.mark.parametrize("case", CASES)
def test_a_refused_allocation_writes_nothing(case: str, tmp_path: Path) -> None:
    folder = lay_out(case, tmp_path)
    before = (folder / "addresses.lock").read_bytes()
    try:
        allocate_missing(folder)
    except InventoryError:
        assert (folder / "addresses.lock").read_bytes() == before
    assert not list(folder.glob(".addresses.lock.*"))


def test_a_missing_folder_is_named() -> None:
    with pytest.raises(InventoryError, match="there is no such folder"):
        load(Path("nowhere/at/all"))


def test_an_empty_folder_asks_for_its_county_file(tmp_path: Path) -> None:
    with pytest.raises(InventoryError) as refusal:
        load(tmp_path)
    assert [problem.file for problem in refusal.value.problems] == ["county.yml"]
