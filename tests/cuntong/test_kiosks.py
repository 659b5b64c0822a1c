"""``cuntong kiosks`` as people call it, without a kiosk."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cuntong.changing.kiosks import KioskOutcome, State, kiosks_in, waves_of
from cuntong.errors import UsageError
from inventory.loader import load
from ledger.database import sqlite_url

if TYPE_CHECKING:
    from tests.cuntong.conftest import Command

EXAMPLE = Path(__file__).resolve().parents[2] / "inventory" / "examples" / "tianquan"
PASSWORD = "Long-enough-9"  # noqa: S105  of accounts that live as long as a test


@pytest.fixture
def call(cuntong: "Command", home: Path, monkeypatch: pytest.MonkeyPatch) -> "Command":
    """The command line of an engineer of the example county."""
    monkeypatch.setenv("CUNTONG_LEDGER", sqlite_url(home / "ledger.sqlite3"))
    monkeypatch.setenv("CUNTONG_INVENTORY", str(EXAMPLE))
    (home / "pw").write_text(PASSWORD + "\n")
    for name in ("root", "sec", "wang"):
        assert cuntong("user", "add", name, "--password-file", home / "pw").code == 0
        if name == "root":
            cuntong("user", "grant", "root", "sys_admin", "511825")
            cuntong("login", "root", "--password-file", home / "pw")
    cuntong("user", "grant", "sec", "sec_admin", "511825")
    cuntong("login", "sec", "--password-file", home / "pw")
    cuntong("user", "grant", "wang", "network_engineer", "511825")
    cuntong("login", "wang", "--password-file", home / "pw")
    return cuntong


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["kiosks", "tq-chengxiang-xuyu-cpe1"], 2, "holds no kiosk"),
        (["kiosks", "nowhere"], 2, "is no site, device or division"),
        (["kiosks", "511825", "--audit", "--check"], 2, "it takes neither --check nor --diff"),
    ],
)
def test_a_request_that_means_nothing_is_refused(cuntong: "Command", words: list[str], code: int, says: str) -> None:
    said = cuntong(*words, "--inventory", EXAMPLE)
    assert (said.code, says in said.err) == (code, True), said.err


def test_nobody_who_is_not_logged_in_sets_up_kiosks(cuntong: "Command") -> None:
    said = cuntong("kiosks", "511825", "--inventory", EXAMPLE)
    assert said.code == 1
    assert "cuntong login" in said.err


def test_a_county_that_says_nothing_of_kiosks_sets_none_up(call: "Command", tmp_path: Path) -> None:
    base = EXAMPLE.parents[2] / "tests" / "inventory" / "bad" / "base"
    said = call("kiosks", "511825", "--inventory", base)
    assert said.code == 1
    assert "has no `kiosks`" in said.err


def test_a_kiosk_without_an_accepted_host_key_is_not_talked_to(call: "Command") -> None:
    # Nothing answers at this address, and nothing is sent there: the route of documentation ranges ends here.
    said = call("kiosks", "tq-chengxiang-xuyu-kiosk1", "--json", "--check")
    told = json.loads(said.out)
    assert said.code == 1
    assert [(one["kiosk"], one["state"]) for one in told["kiosks"]] == [("tq-chengxiang-xuyu-kiosk1", "failed")]
    assert "secret://" in told["kiosks"][0]["reason"]
    assert told["stopped"].startswith("The canary site failed: ")


def test_a_canary_site_is_whole_and_alone_and_no_site_is_split() -> None:
    inventory = load(EXAMPLE)
    devices, skipped = kiosks_in(inventory, "511825")
    assert skipped == []
    waves = waves_of(devices)
    assert {device.id for wave in waves for device in wave} == {device.id for device in devices}
    sites = [{device.site for device in wave} for wave in waves]
    assert len(sites[0]) == 1
    assert sum(map(len, sites)) == len(set().union(*sites))
    assert waves_of([]) == []


def test_an_outcome_says_the_same_to_programs() -> None:
    one = KioskOutcome("k", State.CHANGED, "", ("/etc/x",), ("restart x",))
    assert one.as_json() == {"kiosk": "k", "state": "changed", "reason": "", "files": ["/etc/x"], "done": ["restart x"]}


def test_a_scope_without_kiosks_is_named() -> None:
    with pytest.raises(UsageError, match="holds no kiosk"):
        kiosks_in(load(EXAMPLE), "vendor=Huawei,type=county_unit")
