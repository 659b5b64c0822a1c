"""The shift: what the next person has to know, frozen, signed by two."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from api.shift import shift
from health.maintenance import Reach
from ledger import audit, handovers, jobs, maintenance, outage_notes
from ledger.accounts import Role
from ledger.outage_notes import Note, Step
from ledger.work_tables import handovers as table

if TYPE_CHECKING:
    from tests.api.conftest import World

HOUR = 3600.0
TOP = "511825000000"
VILLAGE, OTHER = "tq-chengxiang-xuyu", "tq-chengxiang-wenbi"


@pytest.fixture
def night(lit: "World") -> "World":
    """A village dark with a ticket, another that came back, announced work, a job that failed."""
    dark = lit.loses(lit.now - HOUR, VILLAGE)
    over = lit.loses(lit.now - HOUR, OTHER)
    lit.regains(lit.now - HOUR / 2, over, OTHER)
    lit.journal.flush(lit.now)
    with lit.engine.begin() as connection:
        for step, note in ((Step.ACKNOWLEDGED, ""), (Step.OWNED, "wang"), (Step.TICKET, "TEL-7")):
            outage_notes.record(connection, Note(dark, step, lit.now - 600, "wang", note), lit.now)
        for begins in (2, 30):
            since = lit.now + begins * HOUR
            maintenance.announce(connection, Reach.SITE, VILLAGE, since, since + HOUR, f"in {begins} h", "li", lit.now)
    jobs.declare(lit.engine, TOP, {"backup": lit.now - 60, "bulletin": lit.now + 40 * 24 * HOUR})
    job = jobs.take(lit.engine, TOP, "here", lit.now, 60)
    assert job is not None
    failed = jobs.Run(
        "backup", job.due_at, lit.now, lit.now + 1, jobs.Outcome.FAILED, "first line\nnobody is logged in"
    )
    jobs.finish(lit.engine, job, failed, lit.now + 48 * HOUR)
    lit.refresh(lit.now)
    return lit


def test_a_shift_tells_what_is_broken_who_acts_and_what_comes_tonight(night: "World") -> None:
    told = night.get("/v1/shift")
    (open_one,) = told["open"]
    assert (open_one["site"], open_one["owner"], open_one["ticket"]) == (VILLAGE, "wang", "TEL-7")
    assert (open_one["handling"], open_one["hours"], open_one["sites"]) == ("dispatched", 1.0, 1)
    assert [one["minutes"] for one in told["ended"]] == [30]
    assert [one["reason"] for one in told["work"]] == ["in 2 h"], "tomorrow night is another shift's"
    (work,) = told["work"]
    assert (work["target"], work["name"]) == (VILLAGE, open_one["name"])
    assert told["jobs"] == [
        {"job": "backup", "due": told["jobs"][0]["due"], "failed": True, "said": "nobody is logged in"}
    ]
    assert told["after"] is None


def test_a_shift_passes_from_one_person_to_another_and_the_next_begins_there(night: "World") -> None:
    li, wang = (night.token(name, (Role.NOC_OPERATOR, TOP)) for name in ("li", "wang"))
    given = night.write("/v1/handovers", {"note": "看好徙榆"}, li)
    assert given.status_code == 201, given.text
    id = given.json()["id"]
    assert night.write(f"/v1/handovers/{id}/take", {}, li).status_code == 409, "not from somebody to himself"
    assert night.write("/v1/handovers", {}, wang).status_code == 409, "the last one waits still"
    taken = night.write(f"/v1/handovers/{id}/take", {"note": "好"}, wang)
    assert (taken.status_code, taken.json()["taken_by"]) == (200, "wang")
    assert night.write(f"/v1/handovers/{id}/take", {}, wang).status_code == 409, "once"
    night.refresh(night.now + HOUR)
    told = night.get("/v1/shift")
    assert (told["after"], told["ended"], len(told["open"])) == (id, [], 1)
    (head,) = night.get("/v1/handovers")["data"]
    assert (head["by"], head["taken_by"], head["note"], head["intact"]) == ("li", "wang", "看好徙榆", True)
    with night.engine.connect() as connection:
        assert [one.action for one in audit.entries(connection)][-2:] == ["shift.give", "shift.take"]


def test_what_was_signed_is_not_changed_unseen(night: "World") -> None:
    li = night.token("li", (Role.NOC_OPERATOR, TOP))
    id = night.write("/v1/handovers", {}, li).json()["id"]
    frozen = night.get(f"/v1/handovers/{id}")["shift"]
    night.refresh(night.now + 5 * HOUR)
    assert night.get(f"/v1/handovers/{id}")["shift"] == frozen
    document = shift(night.standing) | {"open": []}
    with night.engine.begin() as connection:
        connection.execute(update(table).where(table.c.id == id).values(document=json.dumps(document)))
    assert night.get(f"/v1/handovers/{id}")["intact"] is False


def test_who_may_not_neither_gives_nor_takes_and_parts_see_nothing(night: "World") -> None:
    reform = night.token("gai", (Role.REFORM_VIEWER, TOP))
    assert night.write("/v1/handovers", {}, reform).status_code == 403
    clerk = night.token("zhen", (Role.TOWNSHIP_CLERK, "511825100000"))
    for path in ("/v1/shift", "/v1/handovers", "/v1/handovers/1"):
        assert night.client.get(path, headers=clerk).status_code in (403, 404), path
    assert night.client.get("/v1/handovers/77", headers=reform).status_code == 404


def test_it_is_kept_on_each_database(ledger_url: str, tmp_path: Path) -> None:
    from ledger.database import open_ledger
    from ledger.errors import LedgerError

    engine = open_ledger(ledger_url)
    with engine.begin() as connection:
        first = handovers.give(connection, TOP, "li", "夜里安静", {"open": []}, 1000.0)
        handovers.take(connection, first.id, "wang", "", 1001.0)
        second = handovers.give(connection, TOP, "wang", "", {"open": [1]}, 2000.0)
        with pytest.raises(LedgerError, match="taken already"):
            handovers.take(connection, first.id, "zhao", "", 1002.0)
    with engine.connect() as connection:
        assert [(one.id, one.taken_by, one.intact) for one in handovers.newest(connection, TOP)] == [
            (second.id, "", True),
            (first.id, "wang", True),
        ]
        with pytest.raises(LedgerError, match="no handover"):
            handovers.find(connection, "110000000000", first.id)
    engine.dispose()
