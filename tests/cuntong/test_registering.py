"""`cuntong fact`, `task`, `appeal`, `milestone`: the registers from the command line, by who may."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from api.times import CHINA
from cuntong.demo import EXAMPLE

if TYPE_CHECKING:
    from tests.cuntong.conftest import Command, Said

PASSWORD = "Long-enough-9"  # noqa: S105  of accounts that live as long as a test
SITE = "tq-chengxiang-meizi"


@dataclass
class Desk:
    """The command line, and who sits before it."""

    cuntong: "Command"
    password: Path

    def __call__(self, *arguments: object) -> "Said":
        return self.cuntong(*arguments)

    def as_(self, name: str) -> None:
        assert self.cuntong("login", name, "--password-file", self.password).code == 0


@pytest.fixture
def login(cuntong: "Command", home: Path, monkeypatch: pytest.MonkeyPatch) -> "Desk":
    """Zhao of the county's reform office and Wang, clerk of 城厢镇; ``login NAME`` changes who sits here."""
    monkeypatch.setenv("CUNTONG_INVENTORY", str(EXAMPLE))
    monkeypatch.chdir(home)
    (home / "pw").write_text(PASSWORD + "\n")
    for name in ("root", "sec", "zhao", "wang"):
        assert cuntong("user", "add", name, "--password-file", home / "pw").code == 0
        if name == "root":
            cuntong("user", "grant", "root", "sys_admin", "511825")
            cuntong("login", "root", "--password-file", home / "pw")
    cuntong("user", "grant", "sec", "sec_admin", "511825")
    cuntong("login", "sec", "--password-file", home / "pw")
    cuntong("user", "grant", "zhao", "reform_viewer", "511825")
    cuntong("user", "grant", "wang", "township_clerk", "511825100")

    desk = Desk(cuntong, home / "pw")
    desk.as_("zhao")
    return desk


def test_facts_keep_every_dated_value(login: "Desk") -> None:
    for value, day in (("133", "2021-03-01"), ("153", "2021-06-10")):
        assert login("fact", "tell", "511825000000", "proxies", value, "--source", "report", "--on", day).code == 0
    assert login("fact", "tell", SITE, "items_listed", "true", "--source", "list 7").code == 0
    told = json.loads(login("fact", "list", "511825000000", "--json").out)
    assert [(one["value"], one["on"]) for one in told] == [(133, "2021-03-01"), (153, "2021-06-10")]
    assert json.loads(login("fact", "list", SITE, "--json").out)[0]["value"] is True
    assert login("fact", "tell", SITE, "open", "true", "--source", "x", "--on", "tomorrow").code == 2


def test_a_task_goes_from_open_to_struck_off_by_the_right_people(login: "Desk") -> None:
    due = (datetime.now(CHINA).date() + timedelta(days=5)).isoformat()
    opened = login("task", "open", SITE, "换光模块", "--owner", "城厢镇", "--due", due)
    assert opened.code == 0, opened.err
    id = opened.out.split(":")[0]
    assert login("task", "step", id, "closed").code == 1, "not rectified yet"
    login.as_("wang")
    assert login("task", "step", id, "rectified", "--note", "已更换").code == 0
    refused = login("task", "step", id, "closed")
    assert (refused.code, "may not strike tasks off" in refused.err) == (1, True)
    assert login("fact", "list", "511825101000").code == 2, "not his division"
    login.as_("zhao")
    assert login("task", "step", id, "closed", "--note", "已核查").code == 0
    assert json.loads(login("task", "list", "--json").out) == []
    assert [one["state"] for one in json.loads(login("task", "list", "--all", "--json").out)] == ["closed"]


def test_an_appeal_is_lodged_by_the_township_and_decided_by_the_office(login: "Desk") -> None:
    login.as_("wang")
    lodged = login("appeal", "lodge", SITE, "coverage", "--claim", "已接通", "--evidence", "验收单")
    assert lodged.code == 0, lodged.err
    id = lodged.out.split(":")[0]
    login.as_("zhao")
    assert login("appeal", "rule", id, "upheld", "--reason", "属实", "--takes-effect", "2026-12").code == 0
    (one,) = json.loads(login("appeal", "list", "--json").out)
    assert (one["id"], one["result"]) == (id, "upheld")


def test_milestones_are_shown_and_those_without_a_figure_decided_on(login: "Desk") -> None:
    found = {one["id"]: one for one in json.loads(login("milestone", "list", "--json").out)}
    qualitative = next(id for id, one in found.items() if one["target_ratio"] is None and one["met"] is None)
    assert login("milestone", "decide", qualitative, "reached", "--proof", "会议纪要").code == 0
    again = {one["id"]: one for one in json.loads(login("milestone", "list", "--json").out)}
    assert again[qualitative]["decision"] == "reached"
    counted = next(id for id, one in found.items() if one["target_ratio"] is not None)
    assert login("milestone", "decide", counted, "reached", "--proof", "x").code == 1
