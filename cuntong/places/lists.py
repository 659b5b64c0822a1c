"""Where division lists are found: they are the operator's, and never part of this project."""

import os
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from cuntong.errors import UsageError
from inventory.division_history import History, as_known_on, match, with_successors
from inventory.divisions import Division, read_csv
from inventory.errors import InventoryError

VARIABLE: Final = "CUNTONG_DIVISIONS"
_HERE: Final = (Path("divisions"), Path("..") / "shared" / "divisions")


def folder_of(given: Path | None) -> Path:
    """The folder with the lists: named, by the environment, or beside the current folder.

    Raises:
        UsageError: there is none.
    """
    named = given or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    if named is not None:
        if not named.is_dir():
            raise UsageError(f"{named} is no folder. Name the one with the division lists.")
        return named
    found = next((folder for folder in _HERE if folder.is_dir()), None)
    if found is None:
        places = " and ".join(str(folder) for folder in _HERE)
        raise UsageError(
            f"No division lists: not in {places}. Name their folder with --divisions DIR or in {VARIABLE}."
        )
    return found


def history_of(folder: Path, place: str) -> list[Division]:
    """Every row that the lists of the years have of a place, dated.

    Raises:
        UsageError: the folder has no list of it.
        InventoryError: the list cannot be read.
    """
    name = f"{place}-2016-2023.csv"
    path = next((path for path in (folder / "history" / name, folder / name) if path.is_file()), None)
    if path is None:
        raise UsageError(f"{folder} has no history/{name} (code,name,level,parent,kind,first_year,last_year).")
    rows, problems = read_csv(name, path.read_bytes())
    if problems:
        raise InventoryError(problems)
    return rows


def known_on(rows: Sequence[Division], top: str, day: date) -> list[Division]:
    """A place's list as it was on a day, with the successors that names give for what had ended by then."""
    known = as_known_on(rows, day)
    history = History("divisions.csv", known, (), top)
    for turn in history.turns:
        try:
            before = history.nodes_on(turn - timedelta(days=1))
        except KeyError:  # the first list of all
            continue
        known = with_successors(known, match(before, history.nodes_on(turn)), turn)
    return known
