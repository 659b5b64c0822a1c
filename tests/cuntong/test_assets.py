"""Replacing, moving and retiring as people do it: files, ledger and known hosts together, or none of them."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks import found_county
from cuntong.assets import without_keys
from cuntong.changing.planning import templates_of
from cuntong.secrets import Resolver
from inventory.loader import load
from ledger import audit
from ledger.assets import history_of
from ledger.database import open_ledger, sqlite_url
from ledger.engine_keys import EngineKeys, keep_engine_keys, read_engine_keys
from ledger.vault import open_vault
from simulator.routers.device import Options
from simulator.routers.fleet import Fleet, serving
from simulator.routers.wiring import specs

if TYPE_CHECKING:
    from tests.cuntong.conftest import Command, Said

ROUTER = "tq-chengxiang-wenbi-cpe1"
OTHER = "tq-chengxiang-xuyu"


@dataclass
class Desk:
    call: "Command"
    place: Path
    folder: Path

    def done(self, *words: object) -> "Said":
        said = self.call(*words)
        assert said.code == 0, said.err
        return said

    def files(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.folder)): path.read_bytes() for path in self.folder.rglob("*") if path.is_file()
        }


@pytest.fixture
def desk(cuntong: "Command", home: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    folder = home / "county"
    shutil.copytree(found_county.EXAMPLE, folder)
    for name, value in {
        "CUNTONG_LEDGER": sqlite_url(home / "ledger.sqlite3"), "CUNTONG_INVENTORY": folder,
        "CUNTONG_SECRETS": found_county.secrets(home / "secrets"), "CUNTONG_VAULT_KEY": home / "vault.key",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, str(value))
    found_county.accounts(home, cuntong)
    (folder / "known_hosts").write_text(f"{ROUTER} ssh-ed25519 AAAAold\n{ROUTER},a-b-cpe1 ssh-rsa AAAAtwo\n", "ascii")
    return Desk(cuntong, home, folder)


@pytest.fixture
def fleet(desk: Desk, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    county = load(desk.folder)
    routers = specs(county, templates_of(county), Resolver(home / "secrets").secret)
    with serving(routers, Options()) as fleet:
        monkeypatch.setenv("CUNTONG_SIMULATED_SSH", str(fleet.port))
        yield fleet


def keys_are_kept(desk: Desk, device: str) -> bool:
    engine = open_ledger(sqlite_url(desk.place / "ledger.sqlite3"))
    with engine.connect() as connection:
        kept, _ = read_engine_keys(connection, open_vault(desk.place / "vault.key"))
    engine.dispose()
    return device in kept


def keep_keys(desk: Desk, device: str) -> None:
    engine = open_ledger(sqlite_url(desk.place / "ledger.sqlite3"))
    with engine.begin() as connection:
        keys = EngineKeys(device, b"\x80\x00\x01", b"f", b"auth", b"priv")
        keep_engine_keys(connection, open_vault(desk.place / "vault.key"), [keys], 1.0)
    engine.dispose()


def events(desk: Desk, device: str) -> list[str]:
    engine = open_ledger(sqlite_url(desk.place / "ledger.sqlite3"))
    with engine.connect() as connection:
        told = [str(one.kind) for one in history_of(connection, device)]
        assert audit.first_broken(connection) is None
        audited = [one.action for one in audit.entries(connection) if one.action.startswith("asset.")]
    engine.dispose()
    assert len(audited) >= len(told)
    return told


@pytest.mark.parametrize(
    "words",
    [
        ("replace", ROUTER, "--serial", "S9", "--model", "msr830"),
        ("move", ROUTER, OTHER),
        ("retire", ROUTER),
    ],
)
def test_a_dry_run_shows_the_change_and_writes_nothing(desk: Desk, words: tuple[str, ...]) -> None:
    before = desk.files()
    said = desk.done(*words, "--reason", "storm", "--dry-run")
    assert "+++ b/sites/chengxiang.yml" in said.out
    assert "Nothing was written" in said.out
    assert desk.files() == before
    assert events(desk, ROUTER) == []


def test_another_vendors_box_takes_the_place_and_everything_but_the_box_stays(desk: Desk) -> None:
    keep_keys(desk, ROUTER)
    before = load(desk.folder).devices.find(ROUTER)
    output = desk.place / "boot"
    said = desk.done(
        "replace", ROUTER, "--serial", "H3C-9", "--model", "msr830", "--reason", "storm", "--output", output
    )
    after = load(desk.folder).devices.find(ROUTER)
    assert (after.id, after.address, after.site) == (before.id, before.address, before.site)
    assert (after.serial, after.model, after.installed is not None) == ("H3C-9", "msr830", True)
    bootstrap = output / f"{ROUTER}.bootstrap.cfg"
    assert bootstrap.stat().st_mode & 0o777 == 0o600
    assert "interface GigabitEthernet0/0\n" in bootstrap.read_text("utf-8")
    assert f"cuntong plan {ROUTER} --diff" in said.out
    assert not keys_are_kept(desk, ROUTER)
    assert events(desk, ROUTER) == ["replaced"]


def test_the_new_box_is_met_once_by_its_serial_number_and_its_key_takes_the_old_ones_place(
    desk: Desk, fleet: Fleet
) -> None:
    county = load(desk.folder)
    device = next(one.id for one in county.devices if one.model == "ar651" and one.id.startswith("tq-chengxiang"))
    early = desk.call("replace", device, "--arrived")
    assert (early.code, f"No replacement of {device} is awaited" in early.err) == (2, True)
    serial = fleet[device].fields["serial"]
    wrong = desk.done("replace", device, "--serial", "WRONG", "--reason", "storm", "--output", desk.place)
    assert "--arrived" in wrong.out
    refused = desk.call("replace", device, "--arrived")
    assert (refused.code, "does not show the serial number WRONG" in refused.err) == (1, True)
    assert fleet.host_key(device) not in (desk.folder / "known_hosts").read_text()
    desk.done("replace", device, "--serial", serial, "--reason", "storm", "--output", desk.place)
    met = desk.done("replace", device, "--arrived")
    assert f"with the serial number {serial}" in met.out
    assert f"{device} {fleet.host_key(device)}\n" in (desk.folder / "known_hosts").read_text()
    assert desk.call("replace", device, "--arrived").code == 2  # once
    assert events(desk, device) == ["replaced", "replaced", "arrived"]
    plan = desk.done("plan", device, "--json")
    assert "unreadable" not in json.loads(plan.out)["devices"]


def test_a_moved_box_goes_on_elsewhere_and_its_asset_is_told_from_either_end(desk: Desk) -> None:
    desk.done("replace", ROUTER, "--serial", "S7", "--reason", "storm", "--output", desk.place)
    said = desk.done("move", ROUTER, OTHER, "--reason", "hall closed", "--json")
    told = json.loads(said.out)
    assert told["successor"] == f"{OTHER}-cpe1"  # it takes the place that waits for a box
    assert told["plan"] == [OTHER, "tq-chengxiang"]
    county = load(desk.folder)
    assert county.devices.find(f"{OTHER}-cpe1").serial == "S7"
    assert ROUTER not in [device.id for device in county.devices]
    assert "AAAAold" in (desk.folder / "known_hosts").read_text()
    rows = json.loads(desk.done("asset", f"{OTHER}-cpe1", "--json").out)
    assert {row["at"][-6:] for row in rows} == {"+08:00"}
    assert [(row["device"], row["what"], row["serial"]) for row in rows] == [
        (ROUTER, "replaced", "S7"), (ROUTER, "moved", "S7"),
    ]  # fmt: skip


def test_a_retired_device_is_asked_no_more_its_keys_are_forgotten_and_its_addresses_stay_reserved(desk: Desk) -> None:
    keep_keys(desk, ROUTER)
    address = load(desk.folder).devices.find(ROUTER).address
    desk.done("retire", ROUTER, "--reason", "village merged")
    county = load(desk.folder)
    assert ROUTER not in [device.id for device in county.devices]
    assert f"cpe1:{address}:" in (desk.folder / "addresses.lock").read_text("utf-8")
    assert (desk.folder / "known_hosts").read_text() == "a-b-cpe1 ssh-rsa AAAAtwo\n"
    assert not keys_are_kept(desk, ROUTER)
    assert events(desk, ROUTER) == ["retired"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("replace", ROUTER, "--serial", "S9"), "Say why: --reason"),
        (("replace", ROUTER, "--reason", "x"), "Name the new box: --serial"),
        (("replace", "tq-nowhere-cpe1", "--serial", "S9", "--reason", "x"), "There is no device 'tq-nowhere-cpe1'"),
        (("replace", ROUTER, "--serial", "S9", "--model", "laser-a4", "--reason", "x"), "is no model of a router"),
        (("move", ROUTER, "tq-nowhere", "--reason", "x"), "There is no site 'tq-nowhere'"),
        (("move", ROUTER, "tq-chengxiang-wenbi", "--reason", "x"), "is at tq-chengxiang-wenbi already"),
        (("retire", "tq-chengxiang-agg1", "--reason", "x"), "hang below tq-chengxiang-agg1"),
    ],
)
def test_what_cannot_be_is_one_line_and_nothing_changes(desk: Desk, words: tuple[str, ...], said: str) -> None:
    before = desk.files()
    refused = desk.call(*words)
    assert refused.code == 2
    assert said in refused.err
    assert len(refused.err.strip().splitlines()) == 1
    assert desk.files() == before


def test_keys_of_others_on_the_same_line_stay() -> None:
    assert without_keys("# a\nx ssh-rsa A\nx,y ssh-rsa B\ny ssh-rsa C\n", "x") == "# a\ny ssh-rsa B\ny ssh-rsa C\n"
