"""Adopting as an engineer does it: routers that people configured by hand in four styles, alive over SNMP and SSH."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import found_county
from cuntong.adopting.asking import Seen
from inventory.loader import load
from inventory.lockfile import parse
from ledger.backups import newest_backups, open_backup
from ledger.database import open_ledger, sqlite_url
from ledger.vault import open_vault
from simulator.dial import address_of

if TYPE_CHECKING:
    from tests.cuntong.conftest import Command, Said

ROUTERS = 16
PREFIX = "127.64.0.0/26"
SITE_FILES = ("sites/511825100.yml", "sites/511825101.yml")


@dataclass
class Desk:
    """A folder that knows nothing of what is out there, and the command line of an engineer."""

    call: "Command"
    place: Path
    folder: Path
    live: found_county.Live

    def adopt(self, target: str = PREFIX, *options: object) -> "Said":
        return self.call("adopt", target, "--port", self.live.snmp, "--accept-host-keys", *options)

    def told(self, target: str = PREFIX, *options: object) -> dict[str, Any]:
        said = self.adopt(target, "--json", *options)
        assert said.code == 0, said.err
        document: dict[str, Any] = json.loads(said.out)
        return document

    def files(self) -> dict[str, bytes]:
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[found_county.Live]:
    """To be read only: adopting changes nothing on a router."""
    inventory = found_county.truth(tmp_path_factory.mktemp("truth"), ROUTERS)
    with found_county.alive(inventory) as live:
        yield live


@pytest.fixture
def desk(cuntong: "Command", home: Path, monkeypatch: pytest.MonkeyPatch, live: found_county.Live) -> Desk:
    return seated(cuntong, home, monkeypatch, live)


def seated(call: "Command", home: Path, monkeypatch: pytest.MonkeyPatch, live: found_county.Live) -> Desk:
    folder = found_county.empty(home / "county")
    for name, value in {
        "CUNTONG_LEDGER": sqlite_url(home / "ledger.sqlite3"), "CUNTONG_INVENTORY": folder,
        "CUNTONG_SECRETS": found_county.secrets(home / "secrets"), "CUNTONG_VAULT_KEY": home / "vault.key",
        "CUNTONG_SIMULATED_SSH": live.fleet.port,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, str(value))
    found_county.accounts(home, call)
    return Desk(call, home, folder, live)


def test_what_is_proposed_is_written_on_demand_and_the_first_plan_is_empty(desk: Desk) -> None:
    before, running = desk.files(), {id: router.running for id, router in desk.live.fleet.items()}
    proposed = desk.told()
    assert desk.files() == before
    assert len(proposed["adopted"]) == ROUTERS
    assert proposed["others"] == {"models": [], "devices": []}
    assert (proposed["unknown"], proposed["unplaced"], proposed["unread"]) == ([], [], [])
    assert proposed["files"] == ["addresses.lock", "county.yml", "known_hosts", *SITE_FILES]
    written = desk.told(PREFIX, "--write")
    assert written["diff"] == proposed["diff"]
    inventory = load(desk.folder)
    assert [site.code for site in map(inventory.site, range(ROUTERS))] == [
        site.code for site in map(desk.live.inventory.site, range(ROUTERS))
    ]
    _addresses_are_as_they_were(desk, written)
    todo = [one for one in inventory.findings if one.path.endswith(".note")]
    assert len(todo) == ROUTERS, "a port of Ethernet does not tell whose line it is"
    assert all(one.message.startswith("TODO link_type") for one in todo)
    assert "TODO link_type, carrier" in desk.call("check", desk.folder).out
    said = desk.call("plan", "511825", "--json")
    assert said.code == 0, said.err
    plan = json.loads(said.out)
    assert plan["devices"] == {"in_sync": ROUTERS}
    assert plan["waves"] == []
    assert {id: router.running for id, router in desk.live.fleet.items()} == running
    assert not any(router.unsaved for router in desk.live.fleet.values())


def _addresses_are_as_they_were(desk: Desk, told: dict[str, Any]) -> None:
    lock, problems = parse((desk.folder / "addresses.lock").read_bytes())
    assert problems == []
    held = {(one.device, one.address) for one in lock.held}
    assert held == {(one["device"], address["address"]) for one in told["adopted"] for address in one["addresses"]}
    assert lock.blocks == []  # nothing of the pools was spent on what has its own addresses
    assert not any(links for site in lock.sites for _, links in site.routers.values())


def test_kiosks_and_printers_that_answer_are_proposed_beside_the_routers(
    cuntong: "Command", home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    there = found_county.truth(tmp_path / "truth", 2, terminals=", kiosk1: kiosk-uos, prt1: laser-a4")
    with found_county.alive(there) as live:
        desk = seated(cuntong, home, monkeypatch, live)
        told = desk.told(PREFIX)
        assert len(told["adopted"]) == 2
        said = "\n".join(told["others"]["devices"])
        others = [address_of(device.ordinal) for device in there.devices if device.role != "cpe1"]
        assert len(others) == 4
        assert all(address in said for address in others)
        assert "Lines for the files in sites/:" in desk.adopt(PREFIX).out


def test_adopting_twice_changes_nothing_more(desk: Desk) -> None:
    desk.told(PREFIX, "--write")
    before = desk.files()
    again = desk.told("511825", "--write")
    assert len(again["adopted"]) == ROUTERS
    assert again["files"] == []
    assert desk.files() == before


def test_a_section_is_taken_over_alone_and_the_plan_changes_that_alone(desk: Desk) -> None:
    desk.told(PREFIX, "--write")
    device = load(desk.folder).devices[0].id
    refused = desk.call("adopt", device, "--take", "snmp", "--write")
    assert (refused.code, "snmp needs access" in refused.err) == (2, True)
    said = desk.call("adopt", device, "--take", "time", "--write")
    assert said.code == 0, said.err
    assert f"cuntong plan {device} --diff" in said.out
    assert load(desk.folder).devices.find(device).managed == ("time",)
    made = desk.call("plan", device, "--json")
    assert made.code == 0, made.err
    plan = json.loads(made.out)
    assert plan["devices"] == {"ready": 1}
    diff = Path(plan["diff"]).read_text("utf-8")
    assert {line[1:].split()[0] for line in diff.splitlines() if re.match(r"[+-](?![+-])", line)} == {"ntp-service"}


def test_without_leave_to_take_host_keys_nothing_is_read(desk: Desk) -> None:
    said = desk.call("adopt", PREFIX, "--port", desk.live.snmp, "--json")
    document = json.loads(said.out)
    assert document["adopted"] == []
    assert all("shows the host key" in one["said"] for one in document["unread"])
    assert len(document["unread"]) == ROUTERS


def test_two_routers_that_claim_one_address_are_one_line_and_nothing_changes(
    cuntong: "Command", home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    inventory = found_county.truth(tmp_path / "truth", 8)
    with found_county.alive(inventory, change={"10.60.0.5": "10.60.0.1"}) as live:
        desk = seated(cuntong, home, monkeypatch, live)
        before = desk.files()
        said = desk.adopt(PREFIX, "--write")
        assert said.code == 2
        (line,) = said.err.strip().splitlines()
        assert line.startswith("10.60.0.1 in the VRF mgmt is claimed by ")
        assert line.endswith("Look at both, or leave one out: --except.")
        assert desk.files() == before
        left = desk.told(PREFIX, "--except", live.fleet.address(inventory.devices[4].id))
        assert len(left["adopted"]) == 7


def test_a_router_of_an_unknown_vendor_is_kept_sealed_and_listed_and_nothing_of_it_is_locked(
    cuntong: "Command", home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = found_county.empty(tmp_path / "truth")
    county = place / "county.yml"
    stranger = "\n  strange: {title: Router, vendor: Nobody, class: router, profile: generic}\nclasses:"
    county.write_text(county.read_text("utf-8").replace("\nclasses:", stranger, 1), "utf-8")
    inventory = found_county.truth(place, 4, ("ar651", "strange"), keep=True)
    strangers = [device.id for device in inventory.devices if device.model == "strange"]
    with found_county.alive(inventory, foreign=strangers) as live:
        desk = seated(cuntong, home, monkeypatch, live)
        told = desk.told(PREFIX, "--write")
        shown = desk.adopt(PREFIX)
        assert [one["kept"] for one in told["unknown"]] == [True, True]
        assert "Nothing of it is locked." in shown.out
        lock, _ = parse((desk.folder / "addresses.lock").read_bytes())
        assert len(lock.sites) == len(told["adopted"]) == 2
        engine = open_ledger(sqlite_url(home / "ledger.sqlite3"))
        with engine.connect() as connection:
            names = [f"unknown-{one['address']}" for one in told["unknown"]]
            assert set(names) <= set(newest_backups(connection))
            assert found_county.PASSWORD not in newest_backups(connection)[names[0]].redacted
            assert "hostname" in str(open_backup(connection, open_vault(home / "vault.key"), names[0], reason="adopt"))
        engine.dispose()


def test_what_an_address_said_keeps_its_configuration_out_of_every_log() -> None:
    assert "hush" not in repr(Seen("192.0.2.1", "", None, None, text="password hush"))
