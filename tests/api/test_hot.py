"""Answers that stand ready: the same bytes as the usual way gives, and never to somebody else or for longer."""

from typing import TYPE_CHECKING

import pytest

from inventory.vocabulary import Verdict
from ledger import sessions
from ledger.accounts import Role

if TYPE_CHECKING:
    from tests.api.conftest import World

TOP = "511825000000"
TOWN = "511825100000"


@pytest.mark.parametrize("query", ["", "?children=true", "?requirement=open&counted=villages", "?level=4"])
def test_the_second_answer_is_the_first_one(lit: "World", query: str) -> None:
    first, second = (lit.client.get(f"/v1/coverage/511825{query}") for _ in range(2))
    assert first.status_code == second.status_code == 200
    assert second.content == first.content
    assert dict(second.headers) == dict(first.headers)
    assert "content-security-policy" in second.headers
    again = lit.client.get(f"/v1/coverage/511825{query}", headers={"If-None-Match": second.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_what_changed_shows_in_the_next_answer(lit: "World") -> None:
    for _ in range(2):
        assert lit.coverage()["works_now"]["numerator"] == 96
    lit.says(lit.now + 30, "tq-chengxiang-meizi", Verdict.NO, "down", proved_at=lit.now)
    lit.watched(lit.now + 31, lit.now + 40)
    for _ in range(2):
        assert lit.coverage()["works_now"]["numerator"] == 95


def test_an_answer_stays_ready_while_only_others_change_and_for_a_few_seconds(lit: "World") -> None:
    def told(code: str) -> str:
        return str(lit.coverage(code)["as_of"])

    town, other = "511825101", "511825100"
    first, second = told(town), told(other)
    lit.says(lit.now + 1, "tq-chengxiang-meizi", Verdict.NO, "down", proved_at=lit.now)
    lit.watched(lit.now + 1, lit.now + 1.5)
    assert told(town) == first
    assert told(other) != second
    lit.refresh(lit.now + 12)
    assert told(town) != first


def test_the_plain_answer_is_the_one_that_the_usual_way_gives(lit: "World") -> None:
    lit.loses(lit.now - 60, "tq-chengxiang-juncheng")
    lit.watched(lit.now, lit.now)
    for code in ("51", "5118", "511825", TOWN, "511825100002", "nope", "511826"):
        plain = lit.client.get(f"/v1/coverage/{code}")
        usual = lit.client.get(f"/v1/coverage/{code}", headers={"X-Unusual": "1"})
        assert (plain.status_code, dict(plain.headers)) == (usual.status_code, dict(usual.headers))
        if plain.status_code == 200:
            assert plain.content == usual.content


def test_nobody_is_answered_with_what_another_may_see(closed: "World") -> None:
    whole = closed.token("zhao", (Role.REFORM_VIEWER, TOP))
    town = closed.token("wang", (Role.REFORM_VIEWER, TOWN))
    for _ in range(3):
        assert closed.client.get("/v1/coverage/511825", headers=whole).status_code == 200
        assert closed.client.get("/v1/coverage/511825", headers=town).status_code == 404
        assert closed.client.get("/v1/coverage/511825").status_code == 401
        assert closed.client.get("/v1/coverage/511825", headers={"Authorization": "Basic x"}).status_code == 401
        mine, theirs = (closed.client.get("/v1/coverage/511825100", headers=one).json() for one in (town, whole))
        assert [one["name"] for one in mine["path"]] == ["城厢镇"]
        assert [one["name"] for one in theirs["path"]] == ["天全县", "城厢镇"]


def test_a_token_that_was_revoked_is_not_answered_from_memory(closed: "World") -> None:
    headers = closed.token("zhao", (Role.REFORM_VIEWER, TOP))
    for _ in range(2):
        assert closed.client.get("/v1/coverage/511825", headers=headers).status_code == 200
    with closed.engine.begin() as connection:
        token = headers["Authorization"].removeprefix("Bearer ")
        sessions.close_session(connection, token, closed.now)
    closed.now += 3  # a token is believed for two seconds
    assert closed.client.get("/v1/coverage/511825", headers=headers).status_code == 401
