"""Who gets in, with what, for how long, and what is refused: tokens, sessions, the public, forged writes."""

import re
from typing import TYPE_CHECKING, Any, Final

import pytest
from sqlalchemy import inspect, text

from api.auth import COOKIE, HEADER, Access
from inventory.model import Inventory
from ledger import accounts, audit, sessions
from ledger.accounts import Role
from ledger.sessions import Scope

if TYPE_CHECKING:
    from tests.api.conftest import World

TOP: Final = "511825000000"
TOWNSHIP: Final = "511825100000"
VILLAGE: Final = "tq-chengxiang-juncheng"
ELSEWHERE: Final = "tq-shiyang"
OURS: Final = {"Origin": "http://county", HEADER: "1"}
OPEN_TO_ALL: Final = {"/healthz"}


def log_in(world: "World", password: str = "Long-enough-9", **headers: str) -> Any:  # noqa: S107
    return world.client.post("/v1/session", {"name": "wang", "password": password}, {**OURS, **headers})


@pytest.fixture
def wang(closed: "World") -> "World":
    """A township's clerk."""
    closed.token("wang", (Role.TOWNSHIP_CLERK, TOWNSHIP))
    return closed


def test_nothing_is_read_without_an_account(closed: "World") -> None:
    document = closed.app.openapi()
    for path, operations in document["paths"].items():
        if "get" not in operations or path in OPEN_TO_ALL:
            continue
        filled = path.format(code=TOP, site_id=VILLAGE, id="1", month="2026-10", kind="docx", name="readiness")
        answer = closed.client.get(filled, {"month": "2026-10", "day": "2026-11-20", "since": "2020-01-01"})
        assert answer.status_code == 401, path
        assert answer.json()["type"] == "urn:cuntong:problem:not-logged-in"


@pytest.mark.parametrize("path", ["/", f"/d/{TOWNSHIP}", f"/s/{VILLAGE}"])
def test_a_browser_without_a_session_is_led_to_the_login_and_back(wang: "World", path: str) -> None:
    answer = wang.client.get(path, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["location"][:12]) == (303, "/login?next=")
    form = wang.client.get(answer.headers["location"])
    assert form.status_code == 200
    assert form.headers["referrer-policy"] == "same-origin"  # else the browser would call its origin null
    sent = wang.client.post(
        answer.headers["location"], None, {"Origin": "http://county"},
        content=b"name=wang&password=Long-enough-9",
    )  # fmt: skip
    assert (sent.status_code, sent.headers["location"]) == (303, path)


def test_the_login_sends_nobody_to_another_site(wang: "World") -> None:
    for place in ("https://evil.example/", "//evil.example/", "/\\evil.example"):
        sent = wang.client.post(
            f"/login?next={place}", None, {"Origin": "http://county"}, content=b"name=wang&password=Long-enough-9"
        )
        assert sent.headers["location"] == "/"


def test_a_session_is_a_cookie_that_scripts_and_foreign_pages_do_not_get(wang: "World") -> None:
    answer = log_in(wang)
    assert answer.status_code == 200
    assert answer.json()["divisions"] == [TOWNSHIP]
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=ct_")
    assert {"httponly", "samesite=strict", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
    assert answer.json()["name"] == "wang"
    assert wang.client.get("/v1/me").json()["grants"][0]["role"] == "township_clerk"
    assert wang.client.get(f"/v1/sites/{VILLAGE}").status_code == 200
    assert wang.client.get(f"/v1/sites/{ELSEWHERE}").status_code == 404


def test_a_session_ends_when_it_is_ended(wang: "World") -> None:
    cookie = log_in(wang).cookies[COOKIE]
    assert wang.client.delete("/v1/session", OURS).status_code == 204
    assert wang.client.get("/v1/me", headers={"Cookie": f"{COOKIE}={cookie}"}).status_code == 401


@pytest.mark.parametrize("seconds", [sessions.IDLE_S + 60, 13 * 3600], ids=["idle", "over"])
def test_a_session_ends_by_itself(wang: "World", seconds: float) -> None:
    log_in(wang)
    assert wang.client.get("/v1/me").status_code == 200
    wang.now += seconds
    assert wang.client.get("/v1/me").status_code == 401


def test_a_session_in_use_does_not_end_for_idleness(wang: "World") -> None:
    log_in(wang)
    for _ in range(5):
        wang.now += sessions.IDLE_S - 60
        assert wang.client.get("/v1/me").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://county"},
        {HEADER: "1"},
        {"Origin": "https://evil.example", HEADER: "1"},
        {"Origin": "null", HEADER: "1"},
    ],
    ids=["nothing", "no header", "no origin", "foreign", "null"],
)
def test_a_write_that_a_foreign_page_may_have_sent_is_refused(wang: "World", headers: dict[str, str]) -> None:
    log_in(wang)
    body = {"site": VILLAGE, "claim": "connected", "on": "2026-11-20", "proof": "minutes 3"}
    answer = wang.write("/v1/claims", body, headers)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:cuntong:problem:foreign-page")
    assert wang.write("/v1/claims", body, OURS).status_code == 201


def test_the_wrong_password_and_the_wrong_name_answer_alike(wang: "World") -> None:
    wrong = log_in(wang, "Wrong-enough-9")
    nobody = wang.client.post("/v1/session", {"name": "nobody", "password": "Wrong-enough-9"}, OURS)
    assert wrong.status_code == nobody.status_code == 401
    assert wrong.json()["detail"] == nobody.json()["detail"]


def test_wrong_passwords_lock_the_account_and_bar_the_address(wang: "World") -> None:
    for _ in range(accounts.FAILURES):
        assert log_in(wang, "Wrong-enough-9").status_code == 401
    assert "locked" in log_in(wang).json()["detail"]
    for number in range(sessions.FAILURES_PER_ADDRESS):
        wang.client.post("/v1/session", {"name": f"nobody{number}", "password": "x"}, OURS)
    barred = log_in(wang)
    assert (barred.status_code, int(barred.headers["retry-after"]) > 0) == (429, True)
    wang.now += max(sessions.WINDOW_S, accounts.LOCKED_S) + 1
    assert log_in(wang).status_code == 200


@pytest.mark.parametrize("shown", ["ct_nothing", "x", "ct_" + "a" * 500])
def test_what_is_no_token_is_refused_even_where_reading_is_open(
    example: Inventory, make_world: Any, shown: str
) -> None:
    world = make_world(example)
    answer = world.client.get("/v1/coverage/511825", headers={"Authorization": f"Bearer {shown}"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_does_what_it_is_for_and_no_more(closed: "World") -> None:
    body = {"site": VILLAGE, "claim": "connected", "on": "2026-11-20", "proof": "minutes 3"}
    reads = closed.token("li", (Role.TOWNSHIP_CLERK, TOP), scopes=(Scope.READ,))
    writes = closed.token("li", scopes=(Scope.WRITE,))
    assert closed.client.get("/v1/me", headers=reads).json()["scopes"] == ["read"]
    assert closed.write("/v1/claims", body, reads).status_code == 403
    assert closed.client.get("/v1/sites", headers=writes).status_code == 403
    assert closed.write("/v1/claims", body, writes).status_code == 201


def test_a_token_for_a_part_sees_and_does_nothing_elsewhere(closed: "World") -> None:
    part = closed.token("li", (Role.TOWNSHIP_CLERK, TOP), division=TOWNSHIP)
    assert closed.client.get(f"/v1/sites/{VILLAGE}", headers=part).status_code == 200
    assert closed.client.get(f"/v1/sites/{ELSEWHERE}", headers=part).status_code == 404
    body = {"site": ELSEWHERE, "claim": "connected", "on": "2026-11-20", "proof": "minutes 3"}
    assert closed.write("/v1/claims", body, part).status_code == 404


def test_a_revoked_token_is_over_at_once_and_its_last_use_is_known(wang: "World") -> None:
    headers = wang.token("wang")
    log_in(wang)
    assert wang.client.get("/v1/sites", headers=headers).status_code == 200
    listed = wang.client.get("/v1/tokens").json()["data"]
    used = [one for one in listed if one["kind"] == "token" and one["last_used_at"]]
    assert len(used) == 1
    assert wang.client.delete(f"/v1/tokens/{used[0]['id']}", OURS).status_code == 204
    assert wang.client.get("/v1/sites", headers=headers).status_code == 401


def test_a_token_is_made_over_a_session_and_by_no_token(wang: "World") -> None:
    assert wang.client.post("/v1/tokens", {"title": "map"}, wang.token("wang")).status_code == 403
    log_in(wang)
    made = wang.client.post("/v1/tokens", {"title": "map", "days": 7}, OURS)
    assert made.status_code == 201
    wang.client.forget_cookies()
    headers = {"Authorization": f"Bearer {made.json()['token']}"}
    assert wang.client.get("/v1/me", headers=headers).json()["kind"] == "token"
    wang.now += 8 * 86_400
    assert wang.client.get("/v1/me", headers=headers).status_code == 401


def test_no_token_and_no_password_stands_in_the_ledger(wang: "World") -> None:
    log_in(wang)
    made = wang.client.post("/v1/tokens", {"title": "map"}, {**OURS, "Idempotency-Key": "12345678"}).json()["token"]
    with wang.engine.connect() as connection:
        tables = inspect(connection).get_table_names()
        everything = str([connection.execute(text(f'select * from "{name}"')).all() for name in tables])  # noqa: S608
    assert made not in everything
    assert "Long-enough-9" not in everything


def test_the_public_reads_what_may_be_published_and_nothing_else(example: Inventory, tmp_path: Any) -> None:
    from tests.api.conftest import NOON, World

    world = World(example, tmp_path, Access(public=True))
    world.lights_up(NOON - 3600)
    world.loses(NOON - 1800, VILLAGE)
    world.watched(NOON - 3600, NOON)
    found = world.get("/v1/coverage/511825")
    assert (found["denominator"], found["contradicted"], found["contradictions"]) == (96, 1, [])
    village = world.get("/v1/villages", limit=1)["data"][0]
    assert set(village) == {
        "code", "name", "kind", "township", "requirement", "claim", "state", "last_proof", "central",
    }  # fmt: skip
    assert world.get("/v1/villages/511825100002")["name"] == "徙榆居委会"
    assert all(one["responsible"] is None for one in world.get("/v1/milestones")["data"])
    for path in (
        "/v1/sites",
        f"/v1/sites/{VILLAGE}",
        "/v1/outages",
        "/v1/tasks",
        "/v1/network",
        "/metrics",
        "/v1/facts",
    ):
        world.refused(path, 401)
    world.refused("/v1/villages", 422, carrier="telecom")
    world.refused("/v1/bulletins/2026-11", 404)  # a draft is not published
    for path in ("/", "/d/511825100000"):
        page = world.client.get(path, headers={"Accept": "text/html"}).text
        assert "处填报与实测不符" in page  # a figure; which site it is, is not told
        assert "/s/" not in page.partition("<script")[0]
        assert VILLAGE not in page
    for path in ("/milestones", "/bulletins", "/notes"):
        assert world.client.get(path, headers={"Accept": "text/html"}).status_code == 200
    for path in ("/villages", "/outages?lang=en", f"/s/{VILLAGE}"):
        answer = world.client.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login?next=")
    world.close()


def test_a_write_is_done_once_for_each_key(wang: "World") -> None:
    headers = wang.token("wang")
    body = {"site": VILLAGE, "what": "coverage", "claim": "it works", "evidence": "photograph"}
    first, again = (wang.write("/v1/appeals", body, headers, "key-number-1") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    other = wang.write("/v1/appeals", {**body, "claim": "else"}, headers, "key-number-1")
    assert (other.status_code, other.json()["type"]) == (422, "urn:cuntong:problem:key-used")
    assert wang.client.get("/v1/appeals", headers=headers).json()["total"] == 1
    assert wang.client.post("/v1/appeals", body, headers).status_code == 422  # without a key nothing is written


def test_a_refused_write_frees_its_key(wang: "World") -> None:
    headers = wang.token("wang")
    body = {"site": VILLAGE, "claim": "connected", "on": "2099-01-01", "proof": "minutes"}
    assert wang.write("/v1/claims", body, headers, "key-number-2").status_code == 409
    assert wang.write("/v1/claims", {**body, "on": "2026-11-20"}, headers, "key-number-2").status_code == 201


def test_writes_are_audited_by_name(wang: "World") -> None:
    body = {"site": VILLAGE, "claim": "connected", "on": "2026-11-20", "proof": "minutes"}
    assert wang.write("/v1/claims", body, wang.token("wang")).status_code == 201
    with wang.engine.connect() as connection:
        last = list(audit.entries(connection))[-1]
        assert audit.first_broken(connection) is None
    assert (last.actor, last.action, last.object) == ("wang", "site.claim", VILLAGE)


def test_only_the_top_edits_the_standard(closed: "World") -> None:
    body = {
        "name": "network", "version": "2", "title": "网络技术规范", "document_sha256": "0" * 64,
        "effective_on": "2026-12-01",
    }  # fmt: skip
    below = closed.token("below", (Role.REFORM_VIEWER, TOWNSHIP))
    answer = closed.write("/v1/standards", body, below)
    assert answer.status_code == 403
    assert "天全县" not in answer.text
    assert closed.write("/v1/standards", body, closed.token("top", (Role.REFORM_VIEWER, TOP))).status_code == 201
    assert closed.client.get("/v1/standards", headers=below).json()["data"][0]["version"] == "2"


@pytest.mark.parametrize(
    ("language", "title"), [("zh-CN,zh;q=0.9", "没有找到"), ("en", "Not Found"), ("fr", "Not Found")]
)
def test_problems_speak_the_readers_language(closed: "World", language: str, title: str) -> None:
    headers = {**closed.token("li", (Role.REFORM_VIEWER, TOP)), "Accept-Language": language}
    answer = closed.client.get("/v1/sites/nowhere", headers=headers)
    assert answer.json()["title"] == title
    assert ("站点" in answer.json()["detail"]) == (language != "en" and language != "fr")


def test_nothing_that_the_public_is_told_names_a_device_a_line_an_address_or_a_person(
    example: Inventory, tmp_path: Any
) -> None:
    """Every question of the contract, asked by nobody: refused, or figures only (G61)."""
    from tests.api.conftest import NOON, World

    world = World(example, tmp_path, Access(public=True))
    world.lights_up(NOON - 3600)
    world.loses(NOON - 1800, VILLAGE)
    world.watched(NOON - 3600, NOON)
    sites, nodes = example.sites, example.nodes
    private = {*sites.ids, *(device.id for device in example.devices), "TQ-1000", "telecom", "中国电信"}
    filled = {"code": "511825100", "month": "2026-11", "id": example.milestones[0].id, "site_id": VILLAGE}
    answered = []
    for path, verbs in world.app.openapi()["paths"].items():
        if "get" not in verbs or path == "/v1/events":
            continue
        needed = [one for one in verbs["get"].get("parameters", []) if one["in"] == "path"]
        values = {one["name"]: filled.get(one["name"], "evaluation") for one in needed}
        if path.startswith("/v1/villages/"):
            values["code"] = nodes.codes[int(sites.nodes[sites.index[VILLAGE]])]
        query = {"codes": "511825", "as_of": "2026-11-19", "month": "2026-11", "children": "true"}
        asked = {one["name"] for one in verbs["get"].get("parameters", []) if one["in"] == "query"} & query.keys()
        answer = world.client.get(path.format(**values), {name: query[name] for name in asked})
        if answer.status_code != 200 or not answer.headers["content-type"].startswith("application/"):
            continue
        answered.append(path)
        words = set(re.findall(r"[\w-]+", answer.text))
        assert words.isdisjoint(private), (path, sorted(words & private)[:5])
        assert not re.search(r"\b(?:\d{1,3}\.){3}\d{1,3}\b", answer.text), path
    assert {"/v1/coverage/{code}", "/v1/villages", "/v1/villages/{code}", "/v1/milestones"} <= set(answered)
    world.close()
