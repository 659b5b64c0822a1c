"""No answer tells of what lies outside the reader's grant: every route, for any grant."""

import json
import re
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.actions import maintenance, office, tasks
from api.auth import Access
from api.bulletins import BULLETIN, bulletin_of
from inventory.model import Inventory
from inventory.vocabulary import Claim
from ledger import facts, outage_notes
from ledger.acceptance import Acceptance
from ledger.accounts import Account, Grant, Role
from ledger.facts import Fact
from ledger.outage_notes import Note, Step
from ledger.spot_checks import Visit

if TYPE_CHECKING:
    from tests.api.conftest import World

TOP: Final = "511825000000"
HOUR: Final = 3600.0
EVERYTHING: Final = Account("office", "Office", (Grant(Role.REFORM_VIEWER, TOP), Grant(Role.NOC_OPERATOR, TOP)), False)
NEVER_ENDS: Final = {"/v1/events"}
"""A stream of events without an end; it carries times and no names."""
_OUTAGE: Final = re.compile(r"\d{12}-\d+-\d+")
"""An outage's id begins with its county's code, which every village's code begins with, too."""


@pytest.fixture(scope="module")
def full(example: Inventory, tmp_path_factory: pytest.TempPathFactory) -> "Iterator[World]":
    """A county in which everything that can be told was told, of places all over it."""
    from tests.api.conftest import NOON, World

    world = World(example, tmp_path_factory.mktemp("full"), Access())
    began = NOON - 2 * HOUR
    low, high = example.sites.span(example.nodes.find("511825101"))
    world.lights_up(began)
    cut = world.loses(began + 900, *example.sites.ids[low:high])
    world.loses(began + 600, "tq-chengxiang-juncheng")
    world.loses_device(began + 1200, "tq-chengxiang-xuyu-kiosk2")
    world.watched(began, NOON)
    world.claims("tq-labahe", Claim.PLANNED, date(2026, 11, 1))
    standing, engine, now, today = world.standing, world.engine, NOON, date(2026, 11, 20)
    villages = [id for id in example.sites.ids if example.sites.types[example.sites.index[id]] == "village_site"][::7]
    with engine.begin() as connection:
        facts.record(connection, [Fact(id, "online", True, today, "office", "list 3") for id in villages], now)
        outage_notes.record(connection, Note(cut, Step.NOTED, now, "noc", "seen"), now)
    for id in villages:
        tasks.open_task(engine, example, EVERYTHING, "mend it", id, "somebody", today, today, now)
        office.appeal(engine, example, EVERYTHING, id, "coverage", "it works", "photograph", today, now)
        passed = Acceptance(id, "county", "passed", False, today, "office", "minutes")
        office.accept(engine, example, EVERYTHING, passed, now)
        maintenance.announce(engine, example, EVERYTHING, id, now + 60, now + 120, "new cable", now)
    draw = office.draw(standing, engine, EVERYTHING, TOP, "2026-W47", 20, now)
    for id in draw.sites[:10]:
        office.record_visit(engine, example, EVERYTHING, Visit(draw.id, id, "passed", {}, now, "office"), now)
    for place in (0, example.nodes.find("511825100")):
        made = bulletin_of(standing, "2026-11", place)
        code, document = example.nodes.codes[place], made.document()
        office.publish(engine, example, EVERYTHING, BULLETIN, "2026-11", code, document, made.as_of, now)
    standing.refresh()
    yield world
    world.close()


def addresses(world: "World", code: str, site: str, outage: str) -> Iterator[str]:
    """Every readable address of the contract, about one division, one site and one outage; lists as files, too."""
    document = world.app.openapi()
    values = {
        "code": code, "site_id": site, "id": outage, "month": "2026-11", "kind": "docx", "name": "readiness",
    }  # fmt: skip
    needed = {
        "month": "2026-11", "day": "2026-11-20", "since": "2019-01-01", "codes": code,
    }  # fmt: skip
    for path, operations in document["paths"].items():
        operation = operations.get("get")
        if operation is None or path in NEVER_ENDS:
            continue
        ids = [outage]
        if path.startswith("/v1/milestones/{id}"):
            ids = [one.id for one in world.inventory.milestones]
        query = [
            f"{one['name']}={needed[one['name']]}"
            for one in operation.get("parameters", ())
            if one["in"] == "query" and one.get("required") and one["name"] in needed
        ]
        if path == "/v1/coverage:compare":
            query.append("as_of=2026-11-19&as_of=2026-11-20")
        if path == "/v1/rankings":
            query.append("month=2026-11")
        named = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}
        for id in ids:
            filled = path.format(**{**values, "id": id})
            yield filled + ("?" + "&".join(query) if query else "")
            if "division" in named:
                yield filled + "?" + "&".join([*query, f"division={code}"])
            if operation["responses"]["200"]["content"].get("text/csv"):
                yield filled + ".csv" + ("?" + "&".join(query) if query else "")
                yield filled + ".ndjson" + ("?" + "&".join(query) if query else "")


def words(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from words(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from words(inner)
    elif isinstance(value, str):
        yield value


def told(text: str) -> set[str]:
    """Everything that an answer says, piece by piece: values of JSON, cells of lists."""
    text = _OUTAGE.sub("", text)
    found = set(re.findall(r"[0-9]{12}", text)) | set(re.findall(r"[a-z]{2,}(?:-[a-z0-9]+)+", text))
    try:
        found |= set(words(json.loads(text)))
    except ValueError:
        found |= {cell.strip('"\t\ufeff ') for cell in re.split(r"[,;\r\n]", text)}
    return found


@given(data=st.data())
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_answer_holds_a_code_an_id_or_a_name_outside_the_grant(full: "World", data: st.DataObject) -> None:
    nodes, sites = full.inventory.nodes, full.inventory.sites
    granted = data.draw(st.lists(st.integers(1, len(nodes) - 1), min_size=1, max_size=3, unique=True), label="granted")
    role = data.draw(st.sampled_from([Role.REFORM_VIEWER, Role.TOWNSHIP_CLERK, Role.NOC_OPERATOR]), label="role")
    asked = data.draw(st.integers(0, len(nodes) - 1), label="asked")
    site = data.draw(st.sampled_from(sites.ids), label="site")
    headers = full.token("-".join(map(str, granted)) + role, *((role, nodes.codes[one]) for one in granted))
    inside = {place for one in granted for place in range(one, nodes.ends[one])}
    mine = {nodes.names[place] for place in inside}
    mine |= {sites.names[one] for one in range(len(sites)) if int(sites.nodes[one]) in inside}
    # A unit that a target or a site of mine names as responsible is named to me, whether or not it has a site itself.
    for target in full.inventory.milestones:
        mine |= {target.owner or "", target.responsible or "", *target.cooperating}
    for one in range(len(sites)):
        if int(sites.nodes[one]) in inside:
            declared = full.inventory.site(one)
            mine |= {declared.responsible or "", *declared.cooperating}
    foreign = {nodes.codes[place] for place in range(len(nodes)) if place not in inside}
    foreign |= {sites.ids[one] for one in range(len(sites)) if int(sites.nodes[one]) not in inside}
    foreign |= {nodes.names[place] for place in range(len(nodes)) if place not in inside} - mine
    foreign |= {sites.names[one] for one in range(len(sites)) if int(sites.nodes[one]) not in inside} - mine
    outage = data.draw(st.sampled_from([one.id for one in full.standing.snapshot.outages]), label="outage")
    echoed = {nodes.codes[asked], site}  # a refusal says what was asked for; that it exists it does not say
    for path in addresses(full, nodes.codes[asked], site, outage):
        answer = full.client.get(path, headers=headers)
        assert answer.status_code in (200, 403, 404, 406, 409, 422), (path, answer.text)
        leaked = told(answer.text) & foreign
        if answer.status_code != 200:
            leaked -= echoed
        assert not leaked, (path, answer.status_code, leaked)


def test_what_is_outside_and_what_does_not_exist_answer_alike(full: "World") -> None:
    headers = full.token("alike", (Role.TOWNSHIP_CLERK, "511825100000"))
    for there, nowhere in (
        ("/v1/coverage/511825101", "/v1/coverage/511825199"),
        ("/v1/sites/tq-shiyang", "/v1/sites/tq-nowhere"),
        ("/v1/villages/511825101202", "/v1/villages/511825101299"),
        ("/v1/milestones?division=511825101", "/v1/milestones?division=511825199"),
    ):
        answers = [full.client.get(path, headers=headers) for path in (there, nowhere)]
        assert [one.status_code for one in answers] == [404, 404], there
        kinds = [{key: one.json()[key] for key in ("type", "title")} for one in answers]
        assert kinds[0] == kinds[1]


def test_who_has_the_whole_sees_everything(full: "World") -> None:
    headers = full.token("whole", (Role.REFORM_VIEWER, TOP))
    answer = full.client.get("/v1/sites", {"limit": 1000}, headers)
    assert {one["id"] for one in answer.json()["data"]} == set(full.inventory.sites.ids)


def test_a_village_agent_sees_that_the_line_above_failed_but_not_whose(full: "World") -> None:
    nodes, sites = full.inventory.nodes, full.inventory.sites
    low, high = sites.span(nodes.find("511825101"))
    village = next(one for one in range(low, high) if sites.types[one] == "village_site")
    headers = full.token("agent", (Role.VILLAGE_AGENT, nodes.codes[int(sites.nodes[village])]))
    (outage,) = full.client.get("/v1/outages", {"open": True}, headers).json()["data"]
    assert (outage["site"], outage["node"], outage["name"]) == (None, "", "")
    assert outage["sites"] == [sites.ids[village]]
    assert outage["scope"] == "uplink"
