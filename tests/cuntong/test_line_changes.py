"""A village's line changes without a break, on simulated routers over real SSH: beside, carries, alone.

What the collector says of the lines is said by the collector's own watch, of the ports that the routers have by their
running configuration; only the polls themselves are left out.
"""

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from collectors.ping import Echoes
from collectors.watch import Watch
from cuntong.changing import rehearsal
from cuntong.changing.planning import templates_of
from cuntong.changing.returning import reversed_diff
from cuntong.collect import fleet_of, hearing
from cuntong.demo import EXAMPLE
from cuntong.secrets import Resolver
from exporter.links import Echoed
from health.reading import Interface, Readings
from inventory.circuit_change import NewCircuit, line_beside
from inventory.circuits import circuits
from inventory.loader import load
from ledger import leases, rollouts
from ledger.database import open_ledger, sqlite_url
from ledger.journal import Journal
from simulator.routers.device import Options
from simulator.routers.fleet import Fleet, serving
from simulator.routers.wiring import specs

if TYPE_CHECKING:
    from tests.cuntong.conftest import Command, Said

VRP, COMWARE, FRR = "tq-chengxiang-wenbi", "tq-chengxiang-longwan", "tq-chengxiang-maxi"
RGOS = "tq-chengxiang-juncheng"
TOWN = "tq-chengxiang"
PASSWORD = "Long-enough-9"  # noqa: S105  of accounts that live as long as a test
PROOF_S = 600.0
NEW = NewCircuit("MOB-7", date(2026, 12, 1), "mobile", "fiber_p2p", 200)


@dataclass
class Desk:
    call: "Command"
    place: Path
    folder: Path
    fleet: Fleet

    def log_in(self, name: str) -> None:
        assert self.call("login", name, "--password-file", self.place / "pw").code == 0

    def plan(self, scope: str) -> dict[str, Any]:
        self.log_in("wang")
        said = self.call("plan", scope, "--soak", "0", "--json")
        assert said.code == 0, said.err
        told: dict[str, Any] = json.loads(said.out)
        return told

    def approve(self, plan: dict[str, Any]) -> str:
        name = str(plan["sha256"])[:8]
        self.log_in("li")
        said = self.call("approve", name, "--reason", "ticket 7")
        assert said.code == 0, said.err
        return name

    def carry_out(self, scope: str) -> str:
        """Plan, approve and apply; the run's id."""
        plan = self.plan(scope)
        assert plan["devices"] == {"ready": 1}, Path(plan["diff"]).read_text("utf-8")
        said = self.call("apply", self.approve(plan), "--blind")
        assert said.code == 0, said.err
        assert self.plan(scope)["devices"] == {"in_sync": 1}
        return str(json.loads(self.call("runs", "--json").out)[0]["run"])

    def advance(self, site: str) -> "Said":
        return self.call("circuit", "advance", site, self.folder)

    def watched(self, site: str, for_s: float, cut: tuple[str, ...] = (), heard: bool | None = None) -> None:
        """A collector has polled a site's router for so long, and polls it now.

        Args:
            cut: ports without light.
            heard: what came of echoes over the new line.
        """
        inventory, now = load(self.folder), time.time()
        fleet = fleet_of(inventory)
        ordinal = inventory.devices.find(f"{site}-cpe1").ordinal
        engine = open_ledger(sqlite_url(self.place / "ledger.sqlite3"))
        lease = leases.acquire(engine, inventory.top, "a", "127.0.0.1:9161", now - for_s, 1.0)
        journal = Journal(engine, lease, lambda: now, 60.0)
        watch = Watch(
            fleet, journal.add, lambda _: None, journal.new_outage_id,
            hears=lambda router, number: heard if inventory.line_places(router)[number] else None,
        )  # fmt: skip
        named = inventory.models[inventory.devices[ordinal].model].ports
        assert named is not None
        down = {one.name: one.down for one in self.fleet[f"{site}-cpe1"].reading.interfaces}
        ports = tuple(
            Interface(name, None, None, n, not down.get(name, True), not down.get(name, True) and name not in cut,
                      None, None, None, None, None, None, None)
            for n, name in enumerate(named.uplinks)
        )  # fmt: skip
        watch.finished(ordinal, Readings(interfaces=ports), now - for_s)
        journal.flush(now - for_s)
        journal.flush(now)
        leases.release(engine, lease, now)
        engine.dispose()

    def lines(self, site: str) -> list[tuple[str | None, str, str | None]]:
        inventory = load(self.folder)
        at = inventory.sites.index[site]
        return [(one.circuit, one.role, one.change) for one in inventory.links(at)]

    def ends(self, site: str) -> list[str]:
        """The site's ends of both lines, that of the old one first."""
        inventory = load(self.folder)
        networks = inventory.line_networks(inventory.devices.find(f"{site}-cpe1"))
        return [str(network.network_address + 2) for network in networks]


@pytest.fixture
def desk(
    cuntong: "Command", home: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Desk]:
    folder, later = home / "county", home / "later"
    shutil.copytree(EXAMPLE, folder)
    told_site = getattr(request.node, "callspec", None)
    site = told_site.params["site"] if told_site else VRP
    if site == RGOS:
        with_second_path(folder)
    inventory = load(folder)
    told = rehearsal.lay_out(inventory, home, ())
    told |= {"CUNTONG_LEDGER": sqlite_url(home / "ledger.sqlite3"), "CUNTONG_INVENTORY": str(folder)}
    told |= {"CUNTONG_MINUTE_S": "0.5", "CUNTONG_LINE_PROOF_S": str(PROOF_S)}
    # The county's network has the far end of the new line, whatever the routers know of it yet.
    shutil.copytree(folder, later)
    line_beside(later, site, NEW).write()
    after = load(later)
    routers = specs(after, templates_of(after), Resolver(home / "secrets").secret, home / "configurations")
    (home / "pw").write_text(PASSWORD + "\n")
    with serving(routers, Options(minute_s=0.5, boot_s=1.0)) as fleet:
        (home / "known_hosts").write_text("".join(f"{id} {fleet.host_key(id)}\n" for id in fleet))
        for name, value in {**told, "CUNTONG_SIMULATED_SSH": str(fleet.port)}.items():
            monkeypatch.setenv(name, value)
        made = Desk(cuntong, home, folder, fleet)
        for name in ("root", "sec", "wang", "li"):
            assert cuntong("user", "add", name, "--password-file", home / "pw").code == 0
            if name == "root":
                cuntong("user", "grant", "root", "sys_admin", "511825")
                made.log_in("root")
        cuntong("user", "grant", "sec", "sec_admin", "511825")
        made.log_in("sec")
        for name in ("wang", "li"):
            cuntong("user", "grant", name, "network_engineer", "511825")
        yield made


def with_second_path(folder: Path) -> None:
    file = folder / "sites" / "chengxiang.yml"
    told = "is: 军城居委会 v-rg\n"
    text = file.read_text("utf-8")
    assert told in text
    file.write_text(text.replace(told, f"{told}        devices: {{cpe1: {{second_path: 10.99.0.7}}}}\n"), "utf-8")


def _peer(end: str) -> str:
    return str(IPv4Address(end) - 1)


def begin(desk: Desk, site: str) -> "Said":
    said = desk.call(
        "circuit", "change", site, desk.folder, "--circuit", NEW.number, "--carrier", "mobile", "--type", "fiber_p2p",
        "--bandwidth", "200", "--since", "2026-12-01", "--until", "2029-12-01",
    )  # fmt: skip
    assert said.code == 0, said.err
    return said


@pytest.mark.parametrize("site", [VRP, COMWARE, FRR, RGOS])
def test_the_old_line_goes_only_when_the_new_one_was_measured(desk: Desk, site: str) -> None:
    router = desk.fleet[f"{site}-cpe1"]
    level = next(one.service_level for one in load(desk.folder).links(load(desk.folder).sites.index[site]))
    begin(desk, site)
    old, new = desk.ends(site)
    assert desk.call("check", desk.folder).code == 0
    desk.carry_out(site)
    desk.carry_out(TOWN)
    assert (old in router.running, new in router.running) == (True, True)

    early = desk.advance(site)
    assert (early.code, "no collector measures it" in early.err) == (1, True), early.err
    desk.watched(site, PROOF_S / 2)
    early = desk.advance(site)
    assert (early.code, "5 of 10 minutes" in early.err) == (1, True), early.err
    desk.watched(site, PROOF_S)
    assert desk.advance(site).code == 0
    assert [(role, change) for _, role, change in desk.lines(site)] == [("primary", None), ("backup", "leaving")]
    desk.carry_out(site)
    desk.carry_out(TOWN)
    assert (old in router.running, new in router.running) == (True, True)

    desk.watched(site, PROOF_S)
    assert desk.advance(site).code == 0
    assert desk.lines(site) == [(NEW.number, "primary", None)]
    assert desk.ends(site) == [old, new]
    desk.carry_out(site)
    desk.carry_out(TOWN)
    port = load(desk.folder).models[load(desk.folder).devices.find(f"{site}-cpe1").model].ports
    assert port is not None
    old_port, new_port = (
        next(one for one in router.reading.interfaces if one.name == name) for name in port.uplinks[:2]
    )
    assert (old_port.down, old_port.addresses) == (True, [])
    assert [str(one.ip) for one in new_port.addresses] == [new]
    assert {via for _, network, via in router.reading.routes() if not network.prefixlen} == {_peer(new)}
    above = desk.fleet[f"{TOWN}-agg1"].reading
    assert not [via for _, _, via in above.routes() if via == old]
    assert [via for _, _, via in above.routes() if via == new]
    assert router.reboots == 0
    inventory = load(desk.folder)
    at = inventory.sites.index[site]
    told = [(one.number, one.service_level) for one in circuits(inventory) if one.site == at]
    assert [number for number, _ in told][1:] == [NEW.number]
    assert {one for _, one in told if one is not None} == {level}


def test_a_ruijie_without_a_second_path_is_not_begun_and_says_what_would_help(desk: Desk) -> None:
    said = begin(desk, RGOS)
    assert f"{RGOS}-cpe1: nothing would bring it back by itself" in said.out
    assert "second_path" in said.out
    plan = desk.plan(RGOS)
    assert plan["devices"] == {"needs_visit": 1}
    assert "Tell `second_path` at the device" in Path(plan["diff"]).read_text("utf-8")


def test_a_plan_and_a_run_are_refused_while_the_new_line_is_not_there(desk: Desk) -> None:
    begin(desk, VRP)
    desk.carry_out(VRP)
    desk.watched(VRP, PROOF_S)
    assert desk.advance(VRP).code == 0
    plan = desk.plan(VRP)
    assert plan["devices"] == {"ready": 1}
    name = desk.approve(plan)
    before = desk.fleet[f"{VRP}-cpe1"].running
    desk.watched(VRP, PROOF_S, cut=("GigabitEthernet0/0/1",))
    refused = desk.call("apply", name, "--blind")
    assert (refused.code, "line_down" in refused.err, "Nothing was begun" in refused.err) == (1, True, True)
    assert len(refused.err.strip().splitlines()) == 1
    desk.watched(VRP, PROOF_S, heard=False)
    refused = desk.call("apply", name, "--blind")
    assert (refused.code, "no_echo" in refused.err) == (1, True), refused.err
    again = desk.plan(VRP)
    assert again["devices"] == {"refused": 1}
    assert desk.fleet[f"{VRP}-cpe1"].running == before
    files = {path: path.read_bytes() for path in desk.folder.rglob("*.yml")}
    stopped = desk.advance(VRP)
    assert (stopped.code, "cpe1-port2 is not there" in stopped.err) == (1, True), stopped.err
    assert {path: path.read_bytes() for path in desk.folder.rglob("*.yml")} == files


def test_the_old_line_does_not_go_before_the_new_one_is_the_main_one_on_the_router(desk: Desk) -> None:
    begin(desk, VRP)
    desk.carry_out(VRP)
    for _ in range(2):  # the step between is declared, and its plan was never applied
        desk.watched(VRP, PROOF_S)
        assert desk.advance(VRP).code == 0
    plan = desk.plan(VRP)
    assert plan["devices"] == {"refused": 1}
    assert "not the main one yet" in Path(plan["diff"]).read_text("utf-8")


def test_a_way_back_does_not_take_the_line_over_which_a_site_is_reached(desk: Desk) -> None:
    old, new = "GigabitEthernet0/0/0", "GigabitEthernet0/0/1"
    begin(desk, VRP)
    beside = desk.carry_out(VRP)
    router = desk.fleet[f"{VRP}-cpe1"]

    def refused(run: str, takes: str) -> None:
        before = router.running
        said = desk.call("rollback", run, "--blind")
        assert (said.code, router.running) == (1, before)
        assert f"it is reached over {VRP}-cpe1-{takes}, which the way back takes from it" in said.err
        assert len(said.err.strip().splitlines()) == 1
        assert run == json.loads(desk.call("runs", "--json").out)[0]["run"]

    desk.watched(VRP, PROOF_S, cut=(old,))  # the old line failed meanwhile, and the new one stands in
    refused(beside, "port2")
    desk.watched(VRP, PROOF_S)
    assert desk.advance(VRP).code == 0
    carries = desk.carry_out(VRP)
    desk.watched(VRP, PROOF_S, cut=(old,))
    refused(carries, "port2")
    desk.watched(VRP, 60.0, cut=(new,))  # the new one fails as soon as it carries: back at once
    back = desk.call("rollback", carries, "--blind")
    assert back.code == 0, back.err
    assert f"ip route-static 0.0.0.0 0.0.0.0 {_peer(desk.ends(VRP)[1])} preference 80" in router.running


def test_a_run_that_is_led_on_sends_nothing_once_the_new_line_is_gone(desk: Desk) -> None:
    begin(desk, VRP)
    desk.carry_out(VRP)
    desk.watched(VRP, PROOF_S)
    assert desk.advance(VRP).code == 0
    name = str(desk.plan(VRP)["sha256"])
    desk.approve({"sha256": name})
    engine = open_ledger(sqlite_url(desk.place / "ledger.sqlite3"))
    rollouts.start(engine, "20261201-0001-dead", name, "li", "gone:1", time.time() - 60.0, 1.0)
    engine.dispose()
    before = desk.fleet[f"{VRP}-cpe1"].running
    desk.watched(VRP, PROOF_S, cut=("GigabitEthernet0/0/1",))
    on = desk.call("apply", "--resume", "20261201-0001-dead", "--blind")
    assert (on.code, "line_down" in on.err, "Nothing was changed" in on.err) == (1, True, True), on.err
    assert desk.fleet[f"{VRP}-cpe1"].running == before


def test_a_diff_is_read_backwards() -> None:
    forward = "--- running\n+++ planned\n@@ -1,3 +1,2 @@\n a\n-b\n-c\n+d\n"
    back = "--- running\n+++ planned\n@@ -1,2 +1,3 @@\n a\n-d\n+b\n+c\n"
    assert reversed_diff(forward) == back
    assert reversed_diff(back) == forward


def test_a_change_is_refused_where_no_port_is_free_or_one_is_under_way(desk: Desk) -> None:
    files = {path: path.read_bytes() for path in desk.folder.rglob("*.yml")}
    full = desk.call("circuit", "change", "tq-fagai", desk.folder, "--circuit", "X-9")
    assert (full.code, "--in-place" in full.err) == (2, True), full.err
    idle = desk.advance(VRP)
    assert (idle.code, "no change" in idle.err) == (2, True), idle.err
    assert {path: path.read_bytes() for path in desk.folder.rglob("*.yml")} == files
    begin(desk, VRP)
    twice = desk.call("circuit", "change", VRP, desk.folder, "--circuit", "X-9", "--until", "2030-01-01")
    assert (twice.code, "under way" in twice.err) == (2, True), twice.err


def test_a_line_is_heard_while_any_of_its_last_echoes_came_back() -> None:
    echoes = Echoes(3)
    heard = hearing([Echoed(7, "", "192.0.2.2"), Echoed(7, "-line2", "192.0.2.6"), Echoed(9, "", "192.0.2.10")], echoes)
    assert (heard(7, 0), heard(7, 1), heard(9, 0), heard(9, 1)) == (None, None, None, None)
    echoes.answered(1, echoes.sent(1, 1.0), 1.1)
    echoes.lost(2, echoes.sent(2, 1.0))
    assert (heard(7, 0), heard(7, 1), heard(9, 0)) == (None, True, False)
    echoes.lost(1, echoes.sent(1, 2.0))
    assert heard(7, 1) is True
