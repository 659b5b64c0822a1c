"""The routers of a county: from the inventory, with our own templates, and what their configurations do to it."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from inventory.loader import load
from inventory.model import Inventory
from rollout.compliance import Known, Mark, judge, load_baseline
from rollout.facts import Survey
from rollout.intended import Templates
from rollout.platform import Platform
from rollout.running import fingerprint, normalise, redact
from simulator.control import perform
from simulator.county import County, from_inventory
from simulator.faults import UplinkCut
from simulator.routers.console import Console
from simulator.routers.device import Options, RouterSpec, SimulatedRouter
from simulator.routers.fleet import Fleet
from simulator.routers.timers import ManualTimers
from simulator.routers.wiring import couple, specs

REPO = Path(__file__).resolve().parents[2]
VILLAGE = "tq-chengxiang-xuyu"
CPE = f"{VILLAGE}-cpe1"


def open_secret(reference: str) -> str:
    return "Example-" + re.sub(r"\W", "-", reference.removeprefix("secret://")) + "1"


@pytest.fixture(scope="module")
def inventory() -> Inventory:
    return load(REPO / "inventory" / "examples" / "tianquan")


@pytest.fixture(scope="module")
def templates() -> Templates:
    return Templates(REPO / "playbooks" / "templates")


@pytest.fixture(scope="module")
def routers(inventory: Inventory, templates: Templates) -> list[RouterSpec]:
    return specs(inventory, templates, open_secret)


def type_in(router: SimulatedRouter, text: str) -> list[str]:
    """Type a configuration by its indentation, questions answered by yes; the lines that were refused."""
    console = Console(router, "cuntong", enabled=True)
    undo, stepwise = router.language.negation == "undo", router.spec.platform is not Platform.FRR
    console.type("system-view" if undo else "configure terminal")
    refused = []
    for line in text.splitlines():
        if line.strip() in ("#", "!", "", "return", "end"):
            continue
        depth = len(line) - len(line.lstrip())
        while stepwise and console.place is not None and len(console.place.path) > depth:
            console.type("quit" if undo else "exit")
        reply = console.type(line)
        while reply.ask is not None:
            reply = console.type("Y")
        if any(re.search(r"Error|^\s*%|\^$", one) for one in reply.lines):
            refused.append(f"{line}: {reply.lines[-1]}")
    return refused


def test_every_router_of_the_demo_takes_the_configuration_that_our_templates_make(
    inventory: Inventory, templates: Templates, routers: list[RouterSpec]
) -> None:
    assert len(routers) == 143
    baseline, survey = load_baseline(), Survey(inventory)
    for spec in routers:
        router = SimulatedRouter(spec, Options(), ManualTimers())
        intended = templates.render(inventory, inventory.devices[spec.ordinal], spec.platform)
        intended = re.sub(r"secret://\S+", lambda found: open_secret(found[0]), intended)
        assert type_in(router, intended) == [], spec.device_id
        assert router.leads, spec.device_id
        assert "Example-" not in router.running or spec.platform is Platform.FRR
        saved = router.running
        facts = survey.facts(inventory.devices[spec.ordinal])
        failed = [
            one
            for one in judge(baseline, spec.platform, saved, facts, Known(True, 60.0, None, None))
            if one.mark is Mark.FAIL and one.item != "B19"  # these models have no SM4
        ]
        assert failed == [], spec.device_id
        again = SimulatedRouter(
            RouterSpec(spec.device_id, 0, spec.platform, saved, ports=spec.ports), Options(), ManualTimers()
        )
        assert normalise(spec.platform, again.running) == normalise(spec.platform, saved), spec.device_id


def test_ciphers_that_change_on_each_read_are_no_change(routers: list[RouterSpec]) -> None:
    for spec in routers[:40]:
        router = SimulatedRouter(spec, Options(restless=True), ManualTimers())
        first, second = router.running, router.running
        assert fingerprint(spec.platform, first) == fingerprint(spec.platform, second)
        assert "$1a$" not in redact(spec.platform, first)
        if spec.platform is not Platform.FRR:
            assert first != second


async def coupled(inventory: Inventory, routers: list[RouterSpec], act: Callable[[Fleet, County], None]) -> None:
    county = County(from_inventory(inventory), lambda: 1_000_000.0)
    fleet = Fleet(routers, Options(minute_s=0.01, boot_s=0.01))
    await fleet.start(0)
    try:
        couple(fleet, county)
        act(fleet, county)
        await asyncio.sleep(0)
    finally:
        await fleet.close()


def heard(county: County) -> set[str]:
    return {t.device_id for t in county.graph.terminals if not county.silent(t.ordinal)}


async def test_new_boxes_are_not_heard_nor_what_is_behind_them_until_they_are_configured(
    inventory: Inventory, templates: Templates, routers: list[RouterSpec]
) -> None:
    def act(fleet: Fleet, county: County) -> None:
        assert heard(county) == set()
        assert all(router.takes_sessions for router in map(fleet.router, fleet))
        router = fleet.router(CPE)
        intended = templates.render(inventory, inventory.devices.find(CPE), router.spec.platform)
        assert type_in(router, re.sub(r"secret://\S+", lambda found: open_secret(found[0]), intended)) == []
        assert heard(county) == {d for d in county.graph.devices if d.startswith(f"{VILLAGE}-")}

    await coupled(inventory, routers, act)


async def test_a_configuration_that_cuts_the_way_silences_what_is_behind(
    inventory: Inventory, routers: list[RouterSpec]
) -> None:
    def act(fleet: Fleet, county: County) -> None:
        agg, cpe = fleet.router("tq-chengxiang-agg1"), fleet.router(CPE)
        agg.inject(cut=True)
        assert (agg.reachable, cpe.reachable) == (False, False)
        agg.clear()
        assert (agg.reachable, cpe.reachable) == (True, True)
        county.inject(UplinkCut(VILLAGE))
        assert (agg.reachable, cpe.reachable) == (True, False)

    await coupled(inventory, routers, act)


async def test_people_can_look_at_routers_and_break_them_while_the_county_runs(
    inventory: Inventory, routers: list[RouterSpec]
) -> None:
    def act(fleet: Fleet, county: County) -> None:
        def ask(**message: object) -> dict[str, object]:
            return perform(county, message, fleet=fleet)

        listed = ask(do="routers")
        assert (listed["ok"], listed["ssh_port"], len(fleet)) == (True, fleet.port, 143)
        found = ask(do="router", device=CPE)
        assert "sysname" in str(found["running"])
        assert ask(do="break_router", device=CPE, faults={"save_fails": True}) == {
            "ok": True,
            "faults": {"save_fails": True},
        }
        assert ask(do="mend_router", device=CPE) == {"ok": True, "faults": {}}
        assert ask(do="reboot_router", device=CPE) == {"ok": True}
        assert not fleet.router(CPE).up
        assert "router fault 'x' is none of" in str(ask(do="break_router", device=CPE, faults={"x": 1})["error"])
        assert "Did you mean" in str(ask(do="router", device=CPE + "x")["error"])
        assert ask(do="host_keys")["ok"]

    await coupled(inventory, routers, act)


def test_without_routers_the_channel_knows_no_router_deeds(county: County) -> None:
    assert perform(county, {"do": "routers"})["ok"] is False


def test_a_router_can_be_given_its_configuration_in_a_file(
    inventory: Inventory, templates: Templates, tmp_path: Path
) -> None:
    (tmp_path / f"{CPE}.cfg").write_text("#\n sysname FROM-FILE\n#\n")
    found = {spec.device_id: spec for spec in specs(inventory, templates, open_secret, tmp_path)}
    assert SimulatedRouter(found[CPE], Options(), ManualTimers()).name == "FROM-FILE"
