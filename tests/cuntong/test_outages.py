"""``cuntong outage``: looking at outages and doing something about them from the command line."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine

from cuntong.demo import EXAMPLE
from health.outage import Scope
from health.rootcause import Cause
from health.verdict import Blame, Clue, Sign, as_text
from inventory.vocabulary import Aspect, Verdict
from ledger import accounts, leases
from ledger.accounts import Role
from ledger.database import open_ledger, sqlite_url
from ledger.journal import Journal, OutageEvent, SiteEvent, VerdictEvent

if TYPE_CHECKING:
    from tests.cuntong.conftest import Command

PASSWORD = "Long-enough-9"  # noqa: S105  of accounts in a ledger of this test
VILLAGE = "tq-chengxiang-juncheng"
ALERTING = """\
channels: {chief: {kind: wecom, address: secret://chief}}
escalation: [{after_minutes: 15, channels: [chief]}]
"""


class Night:
    """A county in whose ledger one village has been dark for an hour."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.now = engine, time.time()
        lease = leases.acquire(engine, "511825000000", "test", "127.0.0.1:9161", self.now, 60)
        self.journal = Journal(engine, lease, lambda: self.now, 60)
        self.id = self.journal.new_outage_id()
        at = self.now - 3600
        self.journal.add(OutageEvent(at, self.id, "opened", Scope.SITE, VILLAGE, Cause.ACCESS))
        self.journal.add(SiteEvent(at, VILLAGE, Aspect.REACHABLE, Verdict.NO, "down", at - 5, self.id))
        clues = as_text([Clue(Sign.KEPT_RUNNING, {"device": f"{VILLAGE}-cpe1", "at": at - 86_400})])
        self.journal.add(VerdictEvent(at, self.id, Blame.LINE, clues, None))
        self.journal.flush(self.now)

    def ends(self) -> None:
        self.journal.add(OutageEvent(self.now - 1, self.id, "closed", Scope.SITE, VILLAGE, Cause.ACCESS))
        self.journal.flush(self.now)


@pytest.fixture
def night(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Night]:
    url = sqlite_url(home / "ledger.sqlite3")
    monkeypatch.setenv("CUNTONG_LEDGER", url)
    monkeypatch.setenv("CUNTONG_INVENTORY", str(EXAMPLE))
    (home / "pw").write_text(PASSWORD + "\n")
    engine = open_ledger(url)
    with engine.begin() as connection:
        accounts.add(connection, "wang", "", PASSWORD, time.time())
        accounts.grant(connection, "wang", Role.NOC_OPERATOR, "511825000000", "sec", time.time())
    yield Night(engine)
    engine.dispose()


def rows(cuntong: "Command", *arguments: object) -> Any:
    said = cuntong("outage", *arguments, "--json")
    assert said.code == 0, said.err
    return json.loads(said.out)


def test_an_outage_is_worked_on_from_the_first_word_to_the_last(cuntong: "Command", night: Night, home: Path) -> None:
    (row,) = rows(cuntong, "list")
    assert (row["outage"], row["handling"], row["cause"], row["sites"]) == (night.id, "open", "line", 1)
    assert row["name"] == "军城社区便民服务室"
    assert "Nobody is logged in" in cuntong("outage", "ack", night.id).err
    assert cuntong("login", "wang", "--password-file", home / "pw").code == 0
    reported = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() - 600))
    for arguments in (
        ("ack", night.id),
        ("note", night.id, "村主任：[线断了]"),
        ("ticket", night.id, "SC-1"),
        ("assign", night.id, "天全电信"),
        ("reported", night.id, "--at", reported),
        ("on-site", night.id, "--note", "到了"),
        ("repaired", night.id),
    ):
        said = cuntong("outage", *arguments)
        assert (said.code, said.err) == (0, ""), arguments
    refused = cuntong("outage", "close", night.id)
    assert refused.code == 1
    assert "still runs" in refused.err
    night.ends()
    assert cuntong("outage", "close", night.id).code == 0
    assert rows(cuntong, "list") == []
    (row,) = rows(cuntong, "list", "--all")
    assert (row["handling"], row["owner"], row["ticket"]) == ("closed", "天全电信", "SC-1")
    shown = rows(cuntong, "show", night.id)
    assert shown["sites"] == [VILLAGE]
    assert [event["what"] for event in shown["timeline"]] == [
        "reported", "acknowledged", "noted", "ticket", "owned", "on_site", "repaired", "closed"
    ]  # fmt: skip


def test_people_read_cause_duty_and_timeline(cuntong: "Command", night: Night, home: Path) -> None:
    cuntong("login", "wang", "--password-file", home / "pw")
    cuntong("outage", "note", night.id, "called [the village]")
    said = cuntong("outage", "show", night.id)
    assert said.code == 0
    for words in (
        "军城社区便民服务室 (tq-chengxiang-juncheng): carrier line", "-cpe1 has been running", "impact    1 sites",
        "job       carrier 中国", "handling  open", "called [the village]",
    ):  # fmt: skip
        assert words in said.out
    table = cuntong("outage", "list").out
    assert night.id in table
    assert "1 h 0 min" in table


def test_the_next_one_is_called_by_the_list_of_alerting_yml(
    cuntong: "Command", night: Night, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    from ledger import messages

    cuntong("login", "wang", "--password-file", home / "pw")
    nobody = cuntong("outage", "escalate", night.id, "--note", "help")
    assert nobody.code == 1
    assert "declares no escalation" in nobody.err
    shutil.copytree(EXAMPLE, home / "county")
    (home / "county" / "alerting.yml").write_text(ALERTING, "utf-8")
    monkeypatch.setenv("CUNTONG_INVENTORY", str(home / "county"))
    said = cuntong("outage", "escalate", night.id, "--note", "help")
    assert (said.code, said.err) == (0, "")
    assert "chief" in said.out
    with night.engine.connect() as connection:
        (waiting,) = messages.waiting(connection, "chief", 10)
    assert waiting.outages == (night.id,)


def test_wrong_words_are_named(cuntong: "Command", night: Night, home: Path) -> None:
    cuntong("login", "wang", "--password-file", home / "pw")
    for code, arguments, said in (
        (2, ("show", "nothing"), "There is no outage 'nothing'"),
        (1, ("ack", "nothing"), "There is no outage 'nothing'"),
        (2, ("repaired", night.id, "--at", "yesterday"), "'yesterday' is no time"),
        (1, ("repaired", night.id, "--at", "2020-01-01T00:00"), "before the outage began"),
    ):
        answer = cuntong("outage", *arguments)
        assert (answer.code, said in answer.err) == (code, True), (arguments, answer.err)
