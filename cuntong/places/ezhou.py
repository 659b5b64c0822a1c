"""鄂州: a node of the operator's own (葛店), a district's token, and one incident from its cut to its closing."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from api.actions import incidents, office
from api.actions import tasks as actions
from api.actions.errors import ActionError
from api.problems import ProblemError
from api.view import View, refusal
from cuntong.places.staging import NAMES, RULES, Checks, Place, play_to, usual_months
from cuntong.places.world import World, began_before
from cuntong.places.writing import Draft
from health.verdict import Blame
from inventory.divisions import Division
from ledger import history, outage_notes, sessions, tasks
from ledger.accounts import Role
from ledger.outage_notes import Step
from ledger.sessions import Kind
from ledger.standards import Edition
from ledger.tasks import Origin, TaskState, TaskStep

_TOP: Final = "420700000000"
_GEDIAN: Final = "4207G0000000"
_DISTRICTS: Final = {"梁子湖": "420702", "华容": "420703", "葛店": "4207G0", "鄂城": "420704"}
_TAIHE: Final = "420702100000"
_TOKEN_S: Final = 86_400.0


def stage(folder: Path, rows: Sequence[Division], as_of: date) -> World:
    """The city with its development zone as a node beside the districts."""
    draft = Draft(
        title="鄂州市电子政务外网",
        top=_TOP,
        slug="ez",
        rows=rows,
        coverage=RULES,
        names={**NAMES, "township_center": "{name}便民服务大厅"},
        own=[
            {
                "code": _GEDIAN,
                "name": "葛店经济技术开发区",
                "parent": _TOP,
                "level": 3,
                "adopts": ["420703101000", "420703400000"],
            }
        ],
        responsible="鄂州市政务服务和大数据管理局",
    )
    world = World(draft.write(folder / "inventory"), folder, began_before(as_of), f"ezhou {as_of}")
    usual_months(world, as_of)
    return play_to(world, as_of)


def prove(world: World, as_of: date, checks: Checks) -> None:
    """The points of the paragraph on 鄂州."""
    inventory, standing = world.inventory, world.standing
    snapshot = standing.snapshot
    nodes = inventory.nodes
    checks.expect("divisions", [28, 358], [nodes.levels.count(level) for level in (4, 5)])

    def denominator(code: str) -> int:
        return standing.figures("extranet", "default", nodes.find(code), snapshot).denominator

    checks.expect("denominator without virtual", 356, denominator(_TOP))
    parts = {"梁子湖": 87, "华容": 78, "葛店": 21, "鄂城": 170}
    checks.expect("districts with the operator's node", parts, {n: denominator(c) for n, c in _DISTRICTS.items()})
    _prove_token(world, as_of, checks)
    _prove_incident(world, as_of, checks)


def _prove_token(world: World, as_of: date, checks: Checks) -> None:
    world.account("liangzihu", Role.NETWORK_ENGINEER, "420702000000")
    with world.engine.begin() as connection:
        token = sessions.open_session(connection, "liangzihu", Kind.TOKEN, "梁子湖区", world.now, _TOKEN_S)
    with world.engine.connect() as connection:
        found = sessions.of_token(connection, token, world.now)
    if found is None:
        checks.expect("token is known", True, False)
        return
    account = found[1]
    view = View(world.standing, account)
    seen = {"townships": len(view.codes(4)), "villages": view.counted("default")}
    checks.expect("token of 梁子湖 sees", {"townships": 6, "villages": 87}, seen)
    answers = {"华容": _status(lambda: view.node("420703")), "梁子湖": _status(lambda: view.node("420702"))}
    checks.expect("token of 梁子湖 asks", {"华容": 404, "梁子湖": 200}, answers)
    edition = Edition(
        "network", f"{as_of.year}", "电子政务外网技术规范", sha256(b"text").hexdigest(), as_of, account.name
    )

    def edit() -> None:
        try:
            office.publish_standard(world.engine, world.inventory, account, edition, world.now)
        except ActionError as error:
            raise refusal(error) from None

    checks.expect("token of 梁子湖 edits the standard", 403, _status(edit))


def _status(ask: Callable[[], Any]) -> int:
    """The HTTP status that the answer would have."""
    try:
        ask()
    except ProblemError as problem:
        return int(problem.status)
    return 200


def _prove_incident(world: World, as_of: date, checks: Checks) -> None:
    """A cut above a township, told once, acknowledged, assigned, mended, struck off: all in the ledger."""
    inventory = world.inventory
    noc = world.account("noc", Role.NOC_OPERATOR, _TOP)
    center = inventory.sites.span(inventory.nodes.index[_TAIHE])[0]
    world.cut(center, Blame.LINE)
    world.settle()
    with world.standing.query() as connection:
        running = history.outages(connection, open_only=True)
    checks.expect("太和镇 cut", {"incidents": 1, "sites": [23]},
                  {"incidents": len(running), "sites": [len(one.sites) for one in running]})  # fmt: skip
    outage = running[0].id if running else ""
    delivered = 0
    for _ in range(3):  # an alert is delivered again and again while it fires
        world.settle()
        with world.engine.begin() as connection:
            delivered += incidents.notify(connection, outage, "alertmanager", world.now, world.now, "值班电话")
    world.settle(300)
    incidents.acknowledge(world.engine, inventory, noc, outage, "已联系运营商", world.now)
    world.settle(300)
    due = as_of + timedelta(days=2)
    task = actions.open_task(
        world.engine, inventory, noc, "太和镇上联中断", _TAIHE, "太和镇党政办公室", due, as_of, world.now,
        origin=Origin.OUTAGE, reference=outage, cooperating=["中国电信鄂州分公司"],
    )  # fmt: skip
    world.settle(3600)
    world.mend(center)
    world.settle()
    actions.report(world.engine, inventory, noc, task.id, TaskStep.RECTIFIED, "光缆已熔接", world.now)
    world.settle(600)
    actions.rule(world.engine, inventory, noc, task.id, TaskStep.CLOSED, "已核实恢复", world.now)
    with world.engine.connect() as connection:
        notes = outage_notes.of_outage(connection, outage)
        ended = tasks.find(connection, task.id)
        closed = history.outages(connection, ids=[outage])
    told = [str(one.step) for one in notes]
    checks.expect("one notification", [1, 1], [delivered, told.count(Step.NOTIFIED)])
    checks.expect("acknowledged, task, closed", ["notified", "acknowledged", "assigned", "closed"], told)
    times = [one.happened_at for one in notes]
    checks.expect("with times, one after another", True, all(a < b for a, b in pairwise(times)))
    states = [TaskState.CLOSED, True, True]
    seen = [ended.state, ended.closed_at is not None, bool(closed) and closed[0].until is not None]
    checks.expect("task and outage are closed", states, seen)


PLACE: Final = Place("ezhou", "鄂州", _TOP, date(2023, 12, 10), date(2023, 7, 1), stage, prove)
