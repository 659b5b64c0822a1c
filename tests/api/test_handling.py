"""What people do about an outage: who may, in which state it is then, who is called when nobody does anything."""

from typing import TYPE_CHECKING, Any

import pytest

from api.handling import Handling, handling_of
from api.standing import shown
from health.outage import Outage, Scope
from health.rootcause import Cause
from health.verdict import Blame, as_text
from ledger import audit
from ledger.accounts import Role
from ledger.journal import VerdictEvent
from ledger.outage_notes import Note, Step
from tests.api.desk import Desk, alert

if TYPE_CHECKING:
    from tests.api.conftest import World

VILLAGE = "tq-chengxiang-juncheng"
NODE = "tq-shiyang"
OTHER_TOWNSHIP = "511825101000"
MINUTE = 60.0


@pytest.fixture
def desk(lit: "World") -> Desk:
    desk = Desk(lit)
    desk.account("wang", Role.NOC_OPERATOR)
    desk.account("clerk", Role.TOWNSHIP_CLERK, "511825100000")
    desk.account("far", Role.NOC_OPERATOR, OTHER_TOWNSHIP)
    desk.account("office", Role.REFORM_VIEWER)
    return desk


def lost(desk: Desk, root: str = VILLAGE, *beneath: str) -> str:
    outage = desk.world.loses(desk.world.now - 600, root, *beneath)
    desk.world.journal.flush(desk.world.now)
    desk.world.refresh(desk.world.now)
    return outage


def ends(desk: Desk, outage: str, root: str = VILLAGE) -> None:
    desk.world.regains(desk.world.now, outage, root)
    desk.world.journal.flush(desk.world.now + 1)
    desk.world.refresh(desk.world.now + 1)


def done(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_an_outage_goes_from_open_to_closed_and_keeps_who_said_what_when(desk: Desk) -> None:
    outage = lost(desk)
    world = desk.world
    assert desk.get(f"/v1/outages/{outage}")["handling"] == "open"
    assert done(desk.does("clerk", outage, "acknowledge", "村里来过电话"))["handling"] == "acknowledged"
    world.now += MINUTE
    assert done(desk.does("wang", outage, "ticket", "SC-2026-001"))["handling"] == "dispatched"
    done(desk.does("wang", outage, "assign", "天全电信 王工"))
    reported = shown(world.now - 30).isoformat()
    done(desk.does("wang", outage, "reported", "10000 号", at=reported))
    done(desk.does("clerk", outage, "on-site"))
    world.now += MINUTE
    told = done(desk.does("clerk", outage, "repaired", "重熔光缆"))
    assert (told["handling"], told["contradiction"]) == ("dispatched", True)
    ends(desk, outage)
    over = desk.get(f"/v1/outages/{outage}")
    assert (over["handling"], over["contradiction"]) == ("verified", False)
    told = done(desk.does("wang", outage, "close", "光缆被挖断"))
    assert (told["handling"], told["owner"], told["ticket"]) == ("closed", "天全电信 王工", "SC-2026-001")
    assert told["reported_at"] == reported.replace("+00:00", "Z")
    assert [(event["step"], event["by"]) for event in told["timeline"]] == [
        ("acknowledged", "clerk"), ("reported", "wang"), ("ticket", "wang"), ("owned", "wang"), ("on_site", "clerk"),
        ("repaired", "clerk"), ("closed", "wang"),
    ]  # fmt: skip
    assert told["timeline"][0]["zh"] == "确认"
    with world.engine.connect() as connection:
        assert audit.first_broken(connection) is None
        written = [entry.action for entry in audit.entries(connection) if entry.action.startswith("outage.")]
    assert written == [
        "outage.acknowledge", "outage.ticket", "outage.owned", "outage.reported", "outage.on_site", "outage.repaired",
        "outage.close",
    ]  # fmt: skip


def test_whoever_may_not_is_refused_and_nothing_is_written(desk: Desk) -> None:
    outage = lost(desk)
    for who, verb, status in (
        ("office", "acknowledge", 403),
        ("clerk", "assign", 403),
        ("clerk", "ticket", 403),
        ("clerk", "close", 403),
        ("far", "acknowledge", 404),  # he does not learn that there is one
        ("far", "close", 404),
    ):
        answer = desk.does(who, outage, verb, "x")
        assert answer.status_code == status, (who, verb, answer.text)
    headers = {"Idempotency-Key": "key-of-nobody"}
    nobody = desk.ask("POST", f"/v1/outages/{outage}/acknowledge", json={}, headers=headers)
    assert nobody.status_code == 401
    assert desk.does("wang", "511825000000-1-999", "acknowledge").status_code == 404
    assert desk.does("wang", outage, "explode").status_code == 422
    assert desk.get(f"/v1/outages/{outage}")["timeline"] == []


def test_what_cannot_be_is_refused_in_a_sentence(desk: Desk) -> None:
    outage = lost(desk)
    world = desk.world
    done(desk.does("wang", outage, "acknowledge"))
    before = shown(world.now - 601).isoformat()
    ahead = shown(world.now + 60).isoformat()
    for verb, note, more, said in (
        ("acknowledge", "", {}, "acknowledged already"),
        ("note", "  ", {}, "empty"),
        ("assign", "", {}, "no name"),
        ("ticket", "x" * 65, {}, "1 to 64"),
        ("ticket", "a\nb", {}, "1 to 64"),
        ("repaired", "", {"at": before}, "before the outage began"),
        ("repaired", "", {"at": ahead}, "future"),
        ("escalate", "", {}, "Say why"),
        ("close", "", {}, "still runs"),
    ):
        answer = desk.does("wang", outage, verb, note, **more)
        assert answer.status_code == 409, (verb, answer.text)
        assert said in answer.json()["detail"]
    assert desk.does("wang", outage, "repaired", at="2026-11-20T12:00:00").status_code == 422
    assert desk.does("wang", outage, "note", "a\u0000b").status_code == 422
    ends(desk, outage)
    done(desk.does("wang", outage, "close"))
    for verb in ("close", "assign"):
        assert "is closed" in desk.does("wang", outage, verb, "x").json()["detail"]
    assert "is over" in desk.does("wang", outage, "escalate", "x").json()["detail"]


def test_a_part_of_the_county_sees_its_own_outages_and_those_that_darken_it(desk: Desk) -> None:
    low, high = desk.world.inventory.sites.span(desk.world.inventory.nodes.find(OTHER_TOWNSHIP))
    own = lost(desk)
    node = lost(desk, *desk.world.inventory.sites.ids[low:high])

    def seen(who: str) -> set[str]:
        headers = {"Authorization": f"Bearer {desk.tokens[who]}"}
        found = desk.ask("GET", "/v1/outages", headers=headers).json()["data"]
        for one in found:
            assert desk.ask("GET", f"/v1/outages/{one['id']}", headers=headers).status_code == 200
        return {one["id"] for one in found}

    assert (seen("wang"), seen("clerk"), seen("far")) == ({own, node}, {own}, {node})
    far = {"Authorization": f"Bearer {desk.tokens['far']}"}
    assert desk.ask("GET", f"/v1/outages/{own}", headers=far).status_code == 404
    assert desk.ask("GET", "/v1/notifications", headers=far).status_code == 403


def note(step: Step, at: float = 1.0, text: str = "") -> Note:
    return Note("o", step, at, "li", text)


@pytest.mark.parametrize(
    ("over", "steps", "state"),
    [
        (False, [], Handling.OPEN),
        (False, [Step.NOTIFIED, Step.NOTED, Step.ESCALATED], Handling.OPEN),
        (False, [Step.ACKNOWLEDGED], Handling.ACKNOWLEDGED),
        (False, [Step.ACKNOWLEDGED, Step.TICKET], Handling.DISPATCHED),
        (False, [Step.ASSIGNED], Handling.DISPATCHED),
        (False, [Step.REPAIRED], Handling.DISPATCHED),
        (False, [Step.CLOSED], Handling.DISPATCHED),  # its task was struck off, and it is silent still
        (True, [], Handling.VERIFIED),
        (True, [Step.ACKNOWLEDGED, Step.REPAIRED], Handling.VERIFIED),
        (True, [Step.CLOSED], Handling.CLOSED),
    ],
    ids=str,
)
def test_the_measurement_wins_over_what_people_say(over: bool, steps: list[Step], state: Handling) -> None:
    outage = Outage("o", "c", Scope.SITE, "n", Cause.ACCESS, 0.0, 10.0 if over else None)
    assert handling_of(outage, [note(step) for step in steps]).state is state


def test_the_newest_word_counts() -> None:
    outage = Outage("o", "c", Scope.SITE, "n", Cause.ACCESS, 0.0, None)
    known = handling_of(outage, [note(Step.OWNED, 1, "a"), note(Step.OWNED, 2, "b"), note(Step.TICKET, 3, "t")])
    assert (known.owner, known.ticket, known.escalated) == ("b", "t", 0)


def critical(desk: Desk, outage: str, node: str = NODE) -> None:
    labels = {"severity": "critical", "scope": "uplink", "node": node, "site": node, "uplink": node}
    assert desk.kept(alert("UplinkNodeDown", desk.world.now - 60, None, **labels), receiver="noc-page")[0] == 1
    assert desk.get(f"/v1/outages/{outage}")["alerts"]


def test_a_critical_outage_that_nobody_acknowledges_is_escalated_step_by_step_once_each(desk: Desk) -> None:
    outage = lost(desk, NODE, VILLAGE)
    critical(desk, outage)
    taken = []
    for _ in range(80):
        taken.append(desk.escalation.look())
        desk.world.now += MINUTE
    assert [minute for minute, steps in enumerate(taken) if steps] == [15, 60]
    (chief,) = desk.queued("chief")
    assert chief.document["title"] == "无人确认：始阳镇便民服务中心中断"
    assert chief.document["lines"][0] == "首次告警后 15 分钟内无人确认，现通知下一级。"
    assert chief.document["lines"][2].startswith("影响：2 个站点：")
    (boss,) = desk.queued("boss")
    assert "60 minutes" in boss.document["lines"][0]
    told = desk.get(f"/v1/outages/{outage}")
    assert (told["escalated"], told["handling"]) == (2, "open")


@pytest.mark.parametrize("what", ["acknowledged", "reported", "over", "planned", "warning"])
def test_nobody_is_called_for_what_is_seen_or_over_or_planned_or_minor(desk: Desk, what: str) -> None:
    outage = lost(desk, NODE, VILLAGE)
    if what == "warning":
        labels = {"severity": "warning", "scope": "site", "node": NODE, "site": NODE}
        desk.kept(alert("SiteDown", desk.world.now - 60, None, **labels))
    else:
        critical(desk, outage)
    if what == "acknowledged":
        done(desk.does("wang", outage, "acknowledge"))
    elif what == "reported":
        done(desk.does("wang", outage, "reported"))
    elif what == "over":
        ends(desk, outage, NODE)
    elif what == "planned":
        window = VerdictEvent(desk.world.now, outage, Blame.AGGREGATION, as_text([]), "w1")
        desk.world.journal.add(window)
        desk.world.journal.flush(desk.world.now)
    desk.world.now += 20 * MINUTE
    assert desk.escalation.look() == 0
    assert desk.queued("chief") == []


def test_a_person_calls_the_next_one_and_the_clock_does_not_call_him_again(desk: Desk) -> None:
    outage = lost(desk, VILLAGE)
    critical(desk, outage, VILLAGE)
    assert done(desk.does("clerk", outage, "escalate", "村里在办社保认证"))["escalated"] == 1
    (chief,) = desk.queued("chief")
    assert chief.document["lines"][0] == "clerk of the county 请求升级：村里在办社保认证"
    desk.world.now += 20 * MINUTE
    assert desk.escalation.look() == 0
    for _ in range(2):
        done(desk.does("wang", outage, "escalate", "还是没人"))
    assert len(desk.queued("boss")) == 1, "the same words within a minute are said once"
    assert desk.get(f"/v1/outages/{outage}")["escalated"] == 3


def test_without_a_list_there_is_nobody_to_call(lit: "World") -> None:
    desk = Desk(lit, {})
    desk.account("wang", Role.NOC_OPERATOR)
    outage = lost(desk)
    assert "declares no escalation" in desk.does("wang", outage, "escalate", "x").json()["detail"]
