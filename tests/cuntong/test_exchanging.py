"""`cuntong exchange`: keys, trust, and a file from one instance to another."""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cuntong.demo import EXAMPLE

if TYPE_CHECKING:
    from tests.cuntong.conftest import Command

PASSWORD = "Long-enough-9"  # noqa: S105  of an account that lives as long as a test


@pytest.fixture
def office(cuntong: "Command", home: Path, monkeypatch: pytest.MonkeyPatch) -> "Command":
    """Somebody of the reform office, logged in; the inventory is a copy."""
    folder = shutil.copytree(EXAMPLE, home / "inventory")
    monkeypatch.setenv("CUNTONG_INVENTORY", str(folder))
    monkeypatch.chdir(home)
    (home / "pw").write_text(PASSWORD + "\n")
    for name in ("root", "sec", "zhao"):
        assert cuntong("user", "add", name, "--password-file", home / "pw").code == 0
        if name == "root":
            cuntong("user", "grant", "root", "sys_admin", "511825")
            cuntong("login", "root", "--password-file", home / "pw")
    cuntong("user", "grant", "sec", "sec_admin", "511825")
    cuntong("login", "sec", "--password-file", home / "pw")
    cuntong("user", "grant", "zhao", "reform_viewer", "511825")
    cuntong("login", "zhao", "--password-file", home / "pw")
    return cuntong


def test_a_key_is_made_trusted_and_its_file_taken_in_once(office: "Command", home: Path) -> None:
    key = json.loads(office("exchange", "key", "--json").out)["key"]
    assert office("exchange", "export", "-o", home / "district.json").code == 0
    refused = office("exchange", "import", home / "district.json")
    assert (refused.code, "Nobody here trusts the key" in refused.err) == (1, True)
    trusted = office("exchange", "trust", "天全县电子政务外网", key, "--division", "511825")
    assert trusted.code == 0, trusted.err
    assert office("exchange", "trust", "again", key, "--division", "511825").code == 2
    assert office("exchange", "trust", "other", "nonsense", "--division", "511825").code == 2
    dry = json.loads(office("exchange", "import", home / "district.json", "--dry-run", "--json").out)
    assert (dry["sites"], dry["unmatched"], dry["written"]) == (142, [], False)
    assert office("exchange", "import", home / "district.json").code == 0
    again = office("exchange", "import", home / "district.json")
    assert (again.code, "taken in before" in again.err) == (1, True)
    (row,) = json.loads(office("exchange", "list", "--json").out)
    assert row["sites"] == 142
    assert row["division"] == "511825000000"
