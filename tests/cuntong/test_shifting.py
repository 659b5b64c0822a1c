"""``cuntong handover``: a shift passes from one person to another at the terminal."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from api.times import CHINA
from cuntong.demo import EXAMPLE
from ledger.database import sqlite_url

if TYPE_CHECKING:
    from tests.cuntong.conftest import Command

PASSWORD = "Long-enough-9"  # noqa: S105  of accounts in a ledger of this test


@pytest.fixture
def call(cuntong: "Command", home: Path, monkeypatch: pytest.MonkeyPatch) -> "Command":
    """Two operators of the NOC; the first is logged in."""
    monkeypatch.setenv("CUNTONG_LEDGER", sqlite_url(home / "ledger.sqlite3"))
    monkeypatch.setenv("CUNTONG_INVENTORY", str(EXAMPLE))
    (home / "pw").write_text(PASSWORD + "\n")
    for name in ("root", "sec", "li", "wang"):
        assert cuntong("user", "add", name, "--password-file", home / "pw").code == 0
        if name == "root":
            cuntong("user", "grant", "root", "sys_admin", "511825")
            cuntong("login", "root", "--password-file", home / "pw")
    cuntong("user", "grant", "sec", "sec_admin", "511825")
    cuntong("login", "sec", "--password-file", home / "pw")
    for name in ("li", "wang"):
        cuntong("user", "grant", name, "noc_operator", "511825")
    cuntong("login", "li", "--password-file", home / "pw")
    return cuntong


def test_a_shift_is_shown_given_taken_and_listed(call: "Command", home: Path) -> None:
    assert "Open outages: none" in call("handover", "show").out
    assert "No shift was handed over yet" in call("handover", "list").out
    given = call("handover", "give", "--note", "夜里安静")
    assert (given.code, "signed by li" in given.out) == (0, True), given.err
    refused = call("handover", "take", "1")
    assert (refused.code, "Somebody else" in refused.err) == (1, True)
    call("login", "wang", "--password-file", home / "pw")
    assert "taken by wang" in call("handover", "take", "1", "--note", "好").out
    (row,) = json.loads(call("handover", "list", "--json").out)
    assert (row["by"], row["taken_by"], row["note"], row["intact"]) == ("li", "wang", "夜里安静", True)
    told = call("handover", "show", "1").out
    assert "Handover 1 of li, taken by wang" in told
    assert json.loads(call("handover", "show", "--json").out)["after"] == 1
    soon = f"{datetime.now(CHINA) + timedelta(hours=2):%Y-%m-%dT%H:%M}"
    for place in ("tq-chengxiang", "tq-chengxiang-agg1", "511825105"):
        assert call("maintenance", "add", place, "--until", soon, "--reason", "换电源").code == 0
    told = call("handover", "show").out
    assert all(f" {name} " in told for name in ("城厢镇便民服务中心", "城厢镇便民服务中心 agg1", "仁义镇"))
    assert f"{datetime.now(CHINA):%Y-%m-%d %H}:" in call("handover", "show").out  # neither T nor zone: all are China's
    missing = call("handover", "show", "9")
    assert (missing.code, "handover list" in missing.err) == (2, True)
