"""`cuntong report`: the reform office's papers from the command line."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest

from cuntong.demo import EXAMPLE

if TYPE_CHECKING:
    from tests.cuntong.conftest import Command

PASSWORD = "Long-enough-9"  # noqa: S105  of an account that lives as long as a test


@pytest.fixture
def office(cuntong: "Command", home: Path, monkeypatch: pytest.MonkeyPatch) -> "Command":
    """Somebody of the reform office, logged in, in an empty folder."""
    monkeypatch.setenv("CUNTONG_INVENTORY", str(EXAMPLE))
    monkeypatch.chdir(home)
    (home / "pw").write_text(PASSWORD + "\n")
    for name in ("root", "sec", "zhao"):
        assert cuntong("user", "add", name, "--password-file", home / "pw").code == 0
        if name == "root":
            cuntong("user", "grant", "root", "sys_admin", "511825")
            assert cuntong("login", "root", "--password-file", home / "pw").code == 0
    cuntong("user", "grant", "sec", "sec_admin", "511825")
    assert cuntong("login", "sec", "--password-file", home / "pw").code == 0
    assert cuntong("user", "grant", "zhao", "reform_viewer", "511825").code == 0
    assert cuntong("login", "zhao", "--password-file", home / "pw").code == 0
    return cuntong


@pytest.mark.parametrize("kind", ["docx", "pdf", "xlsx"])
def test_a_bulletin_is_written_as_a_draft_in_each_form(office: "Command", home: Path, kind: str) -> None:
    said = office("report", "bulletin", "2026-01", "--format", kind, "-o", home / f"b.{kind}")
    assert said.code == 0, said.err
    assert "（2026年1月，草稿）" in said.out
    assert (home / f"b.{kind}").stat().st_size > 5_000
    assert [path.name for path in home.glob(".*.half")] == []


def test_a_published_bulletin_stays_and_a_correction_is_another_edition(office: "Command", home: Path) -> None:
    assert office("report", "publish", "2026-01").code == 0
    again = office("report", "publish", "2026-01")
    assert again.code == 1
    assert "A correction needs its reason" in again.err
    assert office("report", "publish", "2026-01", "--reason", "复核").code == 0
    (row,) = json.loads(office("report", "list", "--json").out)
    assert (row["month"], row["edition"], row["reason"]) == ("2026-01", 2, "复核")
    first = office("report", "bulletin", "2026-01", "--edition", 1, "-o", home / "first.docx")
    assert "草稿" not in first.out
    before = (home / "first.docx").read_bytes()
    office("report", "bulletin", "2026-01", "--edition", 1, "-o", home / "again.docx")
    assert (home / "again.docx").read_bytes() == before
    assert office("report", "bulletin", "2026-01", "--edition", 7).code == 2


def test_a_week_is_drawn_once_and_its_form_can_be_written_again(office: "Command", home: Path) -> None:
    nothing = office("report", "spot-check", "2026-W02")
    assert nothing.code == 2
    assert "Nothing was drawn" in nothing.err
    assert office("report", "spot-check", "2026-W02", "--draw", 5, "-o", home / "a.xlsx").code == 0
    assert office("report", "spot-check", "2026-W02", "--draw", 5).code == 1
    assert office("report", "spot-check", "2026-W02", "-o", home / "b.xlsx").code == 0
    assert (home / "a.xlsx").read_bytes() == (home / "b.xlsx").read_bytes()
    page = openpyxl.load_workbook(home / "a.xlsx").worksheets[0]
    assert len([cell for cell in page["B"][3:] if cell.value and "合格" not in str(cell.value)]) == 5


def test_the_daily_check_and_the_ledger_are_spreadsheets(office: "Command", home: Path) -> None:
    assert office("report", "daily", "2026-01-05", "-o", home / "d.xlsx").code == 0
    assert openpyxl.load_workbook(home / "d.xlsx").worksheets[0].max_row == 3 + 142 + 1
    assert office("report", "ledger", "2026-01", "-o", home / "l.xlsx").code == 0
    page = openpyxl.load_workbook(home / "l.xlsx").worksheets[0]
    assert [page.cell(row, 4).value for row in range(4, 14)] == ["未签字"] * 10


def test_a_year_is_ranked_only_from_twelve_published_months(office: "Command") -> None:
    said = office("report", "ranking", 2025)
    assert said.code == 2
    assert "twelve frozen months; missing: 2025-01" in said.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("bulletin", "2026-13"), "month must be in 1..12"),
        (("bulletin", "2999-01"), "has not begun"),
        (("bulletin", "2026-01", "--division", "99"), "is no division of"),
        (("daily", "yesterday"), "is no day"),
        (("spot-check", "2026-W60"), "is no week"),
        (("sign", "2026-01", "511825100", "--column", "x"), "is no column"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(office: "Command", words: tuple[str, ...], said: str) -> None:
    told = office("report", *words)
    assert told.code == 2
    assert said in told.err
    assert len(told.err.strip().splitlines()) == 1


def test_who_may_not_publish_is_told(office: "Command", home: Path) -> None:
    office("login", "root", "--password-file", home / "pw")
    said = office("report", "publish", "2026-01")
    assert said.code == 1
    assert "may not" in said.err or "does not" in said.err
