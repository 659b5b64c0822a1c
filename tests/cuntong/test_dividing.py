"""Divisions applied as an office does it: seen first, written by who may, and what was published stays what it was."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from api.bulletins import BULLETIN, bulletin_of
from api.standing import Standing
from benchmarks import found_county
from inventory.loader import load
from ledger import audit, reports
from ledger.database import open_ledger, sqlite_url

if TYPE_CHECKING:
    from tests.cuntong.conftest import Command


def test_a_merger_is_seen_then_written_and_an_old_bulletin_comes_out_as_before(
    cuntong: "Command", home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = home / "county"
    shutil.copytree(found_county.EXAMPLE, folder)
    monkeypatch.setenv("CUNTONG_LEDGER", sqlite_url(home / "ledger.sqlite3"))
    monkeypatch.setenv("CUNTONG_INVENTORY", str(folder))
    found_county.accounts(home, cuntong)
    engine = open_ledger(sqlite_url(home / "ledger.sqlite3"))
    old = load(folder)
    past = datetime(2026, 6, 1, tzinfo=UTC).timestamp()

    def answer() -> list[object]:
        standing = Standing(load(folder), engine, lambda: datetime(2027, 2, 1, tzinfo=UTC).timestamp())
        then = standing.at(past)
        figures = [standing.figures("extranet", name, 0, then) for name in sorted(standing.denominators)]
        return [*figures, bulletin_of(standing, "2026-06").document()]

    before = answer()
    document = {"bulletin": "as it was read"}
    with engine.begin() as connection:
        frozen = reports.freeze(
            connection,
            BULLETIN,
            "2026-06",
            old.top,
            document,
            as_of=past,
            inventory=old.content_hash,
            by="office",
            now=past,
        )
    changes = home / "changes.csv"
    changes.write_text("change,old,new,name,parent,on\nmerge,511825100004,511825100002,,,2027-01-01\n", "utf-8")
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    shown = cuntong("divisions", "apply", changes, folder, "--dry-run")
    assert shown.code == 0, shown.err
    assert "becomes a village point of 徙榆居委会" in shown.out
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == files
    done = cuntong("divisions", "apply", changes, folder)
    assert done.code == 0, done.err
    assert "no address moved" in done.out
    assert answer() == before
    with engine.connect() as connection:
        assert reports.fetch(connection, BULLETIN, "2026-06", old.top) == frozen
        assert "divisions.apply" in [entry.action for entry in audit.entries(connection)]
    assert load(folder).content_hash != old.content_hash
    engine.dispose()
    again = cuntong("divisions", "apply", changes, folder)
    assert (again.code, "changes.csv:2: 511825100004 is not in the list" in again.err) == (2, True)
