"""Announcing work: who may, where, and what it does to outages and availability."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from api.actions import maintenance as actions
from api.actions.errors import ActionError, ForbiddenError
from health.maintenance import Reach
from health.verdict import Blame, Clue, Sign, as_text
from inventory.model import Inventory
from ledger import audit, maintenance
from ledger.accounts import Account, Grant, Role
from ledger.journal import VerdictEvent

if TYPE_CHECKING:
    from tests.api.conftest import World

HOUR = 3600.0
VILLAGE = "tq-chengxiang-juncheng"
TOWNSHIP = "511825100000"


def account(role: Role, division: str = "511825000000") -> Account:
    return Account("wang", "", (Grant(role, division),), False)


@pytest.mark.parametrize(
    ("target", "reach", "name"),
    [
        (VILLAGE, Reach.SITE, VILLAGE),
        ("511825100", Reach.DIVISION, TOWNSHIP),
        (f"{VILLAGE}-cpe1", Reach.DEVICE, f"{VILLAGE}-cpe1"),
    ],
)
def test_work_is_announced_at_a_device_a_site_or_a_division_and_audited(
    lit: "World", target: str, reach: Reach, name: str
) -> None:
    told = actions.announce(
        lit.engine, lit.inventory, account(Role.NOC_OPERATOR), target, lit.now, lit.now + HOUR, "new router", lit.now
    )
    assert (told.reach, told.target) == (reach, name)
    with lit.engine.connect() as connection:
        assert maintenance.windows(connection) == [told]
        assert [one.action for one in audit.entries(connection)] == ["maintenance.announce"]


def test_only_operators_and_engineers_of_the_division_announce(lit: "World") -> None:
    def announce(actor: Account) -> None:
        actions.announce(lit.engine, lit.inventory, actor, VILLAGE, lit.now, lit.now + HOUR, "work", lit.now)

    with pytest.raises(ForbiddenError, match="may not announce maintenance"):
        announce(account(Role.TOWNSHIP_CLERK))
    with pytest.raises(ForbiddenError, match="in "):
        announce(account(Role.NOC_OPERATOR, "511825101000"))
    announce(account(Role.NETWORK_ENGINEER, TOWNSHIP))


@pytest.mark.parametrize(
    ("target", "since", "until", "reason", "message"),
    [
        pytest.param("nowhere", 0, HOUR, "work", "no device, no site and no division", id="no such place"),
        pytest.param(VILLAGE, HOUR, 0, "work", "ends before it begins", id="backwards"),
        pytest.param(VILLAGE, -2 * HOUR, -HOUR, "work", "nobody plans", id="in the past"),
        pytest.param(VILLAGE, 0, 15 * 24 * HOUR, "work", "longer than 14 days", id="for ever"),
        pytest.param(VILLAGE, 0, HOUR, "  ", "needs a reason", id="without a reason"),
    ],
)
def test_what_is_no_window_is_refused_and_nothing_is_written(
    lit: "World", target: str, since: float, until: float, reason: str, message: str
) -> None:
    with pytest.raises(ActionError, match=message):
        actions.announce(
            lit.engine, lit.inventory, account(Role.NOC_OPERATOR), target,
            lit.now + since, lit.now + until, reason, lit.now,
        )  # fmt: skip
    with lit.engine.connect() as connection:
        assert maintenance.windows(connection) == []


def test_a_window_is_taken_back_once_and_what_it_covered_stays_covered(lit: "World") -> None:
    actor = account(Role.NOC_OPERATOR)
    told = actions.announce(lit.engine, lit.inventory, actor, VILLAGE, lit.now, lit.now + HOUR, "work", lit.now)
    actions.cancel(lit.engine, lit.inventory, actor, told.id, "rain", lit.now + 60)
    with lit.engine.connect() as connection:
        (window,) = maintenance.windows(connection)
    assert window.in_force == (lit.now, lit.now + 60)
    with pytest.raises(ActionError, match="taken back already"):
        actions.cancel(lit.engine, lit.inventory, actor, told.id, "", lit.now + 70)
    with pytest.raises(ActionError, match="no window"):
        actions.cancel(lit.engine, lit.inventory, actor, "m-none", "", lit.now)


def test_planned_outages_and_power_cuts_are_left_out_of_the_second_figure(
    example: Inventory, make_world: "Callable[[Inventory], World]"
) -> None:
    world = make_world(example)
    began = world.now - 30 * 24 * HOUR
    world.lights_up(began)
    planned = world.loses(began + HOUR, VILLAGE)
    world.journal.add(VerdictEvent(began + HOUR, planned, Blame.UNKNOWN, "[]", "m-1"))
    world.regains(began + 2 * HOUR, planned, VILLAGE)
    dark = world.loses(began + 5 * HOUR, VILLAGE)
    clue = Clue(Sign.ON_BATTERY, {"device": f"{VILLAGE}-ups1", "at": began})
    world.journal.add(VerdictEvent(began + 5 * HOUR, dark, Blame.POWER, as_text([clue])))
    world.regains(began + 7 * HOUR, dark, VILLAGE)
    cut = world.loses(began + 9 * HOUR, VILLAGE)
    world.regains(began + 10 * HOUR, cut, VILLAGE)
    world.watched(began, world.now)
    answer = world.get(f"/v1/sites/{VILLAGE}")
    month = 30 * 24
    assert answer["availability_ratio"] == pytest.approx(1 - 4 / month)
    assert answer["net_availability_ratio"] == pytest.approx(1 - 1 / (month - 3))
    assert answer["excluded_seconds"] == 3 * HOUR
    line, power, work = answer["outages"]
    assert (work["planned"], work["window"], work["verdict"]) == (True, "m-1", "unknown")
    assert (power["planned"], power["verdict"]) == (False, "power")
    assert power["evidence"][0]["zh"].startswith(f"失联前 {VILLAGE}-ups1 由电池供电")
    assert (line["verdict"], line["evidence"]) == ("unknown", [])
