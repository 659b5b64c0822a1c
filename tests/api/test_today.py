"""What waits for one person: by what he may do, where he may do it, and nothing that does not wait."""

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from api.today import Today
from api.view import View
from ledger import accounts, appeals, jobs, rollouts, tasks
from ledger.accounts import Role
from ledger.rollouts import APPROVED, Approval, KeptPlan
from ledger.tasks import Assignment, Origin

if TYPE_CHECKING:
    from tests.api.conftest import World

HOUR = 3600.0
TOP, TOWN, OTHER_TOWN = "511825000000", "511825100000", "511825101000"
VILLAGE = "tq-chengxiang-xuyu"


def waits(world: "World", name: str, *grants: tuple[Role, str]) -> dict[str, dict[str, Any]]:
    answer = world.client.get("/v1/today", headers=world.token(name, *grants))
    assert answer.status_code == 200, answer.text
    return {item["kind"]: item for item in answer.json()["items"]}


def plan(world: "World", sha256: str, author: str, *verdicts: str, expires: float = 10 * HOUR) -> None:
    document = json.dumps({"expires_at": world.now + expires})
    with world.engine.begin() as connection:
        rollouts.keep_plan(connection, KeptPlan(sha256 * 64, author, f"plan of {author}", world.now - 60, document))
        for verdict in verdicts:
            rollouts.approve(connection, sha256 * 64, Approval("boss", verdict, "", world.now))


@pytest.fixture
def day(lit: "World") -> "World":
    lit.loses(lit.now - HOUR, VILLAGE)
    lit.journal.flush(lit.now)
    today = date(2026, 11, 1)
    with lit.engine.begin() as connection:
        for title, town in (("修屏", TOWN), ("换线", OTHER_TOWN)):
            asked = Assignment(title, Origin.BY_HAND, "", town, "", "gai", "镇政府", (), today)
            tasks.open_task(connection, asked, lit.now - 10 * HOUR, lit.now)
        appeals.lodge(connection, VILLAGE, "coverage", "应为已接通", "照片", "zhen", today, lit.now)
    lit.refresh(lit.now)
    return lit


def test_an_operator_sees_outages_first_and_a_clerk_only_his_towns(day: "World") -> None:
    noc = waits(day, "li", (Role.NOC_OPERATOR, TOP))
    assert next(iter(noc)) == "outages_open"
    assert (noc["outages_open"]["urgent"], noc["outages_open"]["link"]) == (True, "/outages?handling=open")
    assert noc["tasks_due"]["count"] == 2
    clerk = waits(day, "zhen", (Role.TOWNSHIP_CLERK, TOWN))
    assert (clerk["tasks_due"]["names"], clerk["tasks_due"]["urgent"]) == (["修屏"], True)
    assert clerk["outages_open"]["count"] == 1
    assert (noc["outages_open"]["command"], clerk["outages_open"]["command"]) == ("cuntong outage list", "")
    elsewhere = waits(day, "yang", (Role.TOWNSHIP_CLERK, OTHER_TOWN))
    assert "outages_open" not in elsewhere
    assert elsewhere["tasks_due"]["names"] == ["换线"]
    assert "appeals_to_rule" in waits(day, "gai", (Role.REFORM_VIEWER, TOP))
    assert "appeals_to_rule" not in clerk


def test_plans_wait_for_another_persons_word_and_then_for_their_run(day: "World") -> None:
    plan(day, "a", "wang")
    plan(day, "b", "wang", APPROVED)
    plan(day, "c", "wang", APPROVED, "reject")
    plan(day, "d", "wang", expires=-1)
    other = waits(day, "zhao", (Role.NETWORK_ENGINEER, TOP))
    assert other["plans_to_approve"]["names"] == ["aaaaaaaa plan of wang"]
    assert other["plans_to_run"]["names"] == ["bbbbbbbb plan of wang"]
    author = waits(day, "wang", (Role.NETWORK_ENGINEER, TOP))
    assert "plans_to_approve" not in author, "nobody approves his own"
    rollouts.start(day.engine, "r1", "b" * 64, "zhao", "here", day.now, 60)
    again = waits(day, "zhao")
    assert "plans_to_run" not in again
    assert (again["runs_open"]["count"], again["runs_open"]["urgent"]) == (1, True)


def test_the_shift_and_failed_work_wait_for_the_noc(day: "World") -> None:
    li, noc = day.token("li", (Role.NOC_OPERATOR, TOP)), (Role.NOC_OPERATOR, TOP)
    assert day.write("/v1/handovers", {}, li).status_code == 201
    jobs.declare(day.engine, TOP, {"backup": day.now - 1})
    job = jobs.take(day.engine, TOP, "here", day.now, 60)
    assert job is not None
    jobs.finish(day.engine, job, jobs.Run("backup", 1.0, 2.0, 3.0, jobs.Outcome.FAILED, "x"), day.now + HOUR)
    assert waits(day, "sun", noc)["handover_waiting"]["names"] == ["li"]
    assert "handover_waiting" not in waits(day, "li")
    assert waits(day, "li")["work_failed"]["command"] == "cuntong jobs"


def test_nobody_has_no_day_and_who_may_nothing_has_an_empty_one(day: "World") -> None:
    assert day.client.get("/v1/today").status_code == 401
    with day.engine.begin() as connection:
        accounts.add(connection, "new", "New", "Long-enough-9", day.now)
    with day.engine.connect() as connection:
        account = accounts.find(connection, "new")
    assert Today(View(day.standing, account), account).items() == []
