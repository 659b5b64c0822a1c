"""``cuntong maintenance``: announcing work from the command line, and the collector that follows it."""

import asyncio
import contextlib
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from collectors.promises import Promises
from cuntong.collect import fleet_of
from cuntong.demo import EXAMPLE
from cuntong.following import covered_of, follow_windows
from health.maintenance import Reach, Window
from inventory.loader import load
from ledger import maintenance
from ledger.database import open_ledger, sqlite_url

if TYPE_CHECKING:
    from tests.cuntong.conftest import Command

PASSWORD = "Long-enough-9"  # noqa: S105  of accounts in a ledger of this test
VILLAGE = "tq-chengxiang-juncheng"


@pytest.fixture
def call(cuntong: "Command", home: Path, monkeypatch: pytest.MonkeyPatch) -> "Command":
    """The command line of a NOC operator of one township."""
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
    cuntong("user", "grant", "wang", "noc_operator", "511825100")
    cuntong("login", "wang", "--password-file", home / "pw")
    return cuntong


def until(hours: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() + hours * 3600))


def test_work_is_announced_listed_and_taken_back(call: "Command") -> None:
    said = call("maintenance", "add", VILLAGE, "--until", until(2), "--reason", "new router")
    assert said.code == 0, said.err
    (row,) = json.loads(call("maintenance", "list", "--json").out)
    assert said.out.startswith(row["window"])
    assert (row["state"], row["reach"], row["target"], row["reason"], row["by"]) == (
        "running", "site", VILLAGE, "new router", "wang",
    )  # fmt: skip
    assert call("maintenance", "cancel", row["window"], "--reason", "rain").code == 0
    assert json.loads(call("maintenance", "list", "--json").out) == []
    (row,) = json.loads(call("maintenance", "list", "--all", "--json").out)
    assert row["state"] == "cancelled"
    assert "cancelled" in call("maintenance", "list", "--all").out


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        pytest.param(["511825101", "--until", until(2)], 1, "may not announce maintenance in", id="another township"),
        pytest.param(["nowhere", "--until", until(2)], 1, "no device, no site and no division", id="no such place"),
        pytest.param([VILLAGE, "--until", "soon"], 2, "is no time", id="no time"),
        pytest.param([VILLAGE, "--until", until(-2)], 1, "nobody plans an outage afterwards", id="in the past"),
    ],
)
def test_what_may_not_be_announced_is_refused(call: "Command", words: list[str], code: int, says: str) -> None:
    said = call("maintenance", "add", *words, "--reason", "work")
    assert (said.code, says in said.err) == (code, True), said.err


def test_nobody_announces_without_a_login(cuntong: "Command") -> None:
    said = cuntong("maintenance", "add", VILLAGE, "--until", until(1), "--reason", "x", "--inventory", EXAMPLE)
    assert said.code == 1
    assert "cuntong login" in said.err


async def test_the_collector_follows_what_is_announced(tmp_path: Path) -> None:
    inventory, engine = load(EXAMPLE), open_ledger(sqlite_url(tmp_path / "ledger.sqlite3"))
    promises = Promises(fleet_of(inventory))
    following = asyncio.ensure_future(follow_windows(inventory, engine, promises, 0.01))
    village = inventory.sites.index[VILLAGE]
    now = time.time()
    try:
        promises.advance(now)
        assert promises.window(village) is None
        with engine.begin() as connection:
            id = maintenance.announce(connection, Reach.DIVISION, "511825100000", now, now + 60, "x", "noc", now)
        async with asyncio.timeout(10):
            while promises.window(village) != id:
                await asyncio.sleep(0.01)
                promises.advance(now + 1)
        assert promises.window(inventory.sites.index["tq-shiyang"]) is None
    finally:
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following
        engine.dispose()


def test_a_window_covers_a_device_a_site_or_all_below_a_division_and_nothing_that_is_gone() -> None:
    inventory = load(EXAMPLE)

    def window(reach: Reach, target: str) -> Window:
        return Window("m", reach, target, 0, 1, "", "noc", 0)

    targets = [(Reach.DEVICE, f"{VILLAGE}-cpe1"), (Reach.SITE, VILLAGE), (Reach.DIVISION, "511825000000")]
    device, site, county = covered_of(inventory, [window(*one) for one in targets])
    assert list(device.devices) == [inventory.devices.find(f"{VILLAGE}-cpe1").ordinal]
    assert list(site.sites) == [inventory.sites.index[VILLAGE]]
    assert len(county.sites) == len(inventory.sites)
    gone = [window(Reach.DEVICE, "gone-cpe1"), window(Reach.SITE, "gone"), window(Reach.DIVISION, "999999000000")]
    assert covered_of(inventory, gone) == []


def test_terminals_keep_their_sites_hours_and_routers_run_day_and_night() -> None:
    inventory = load(EXAMPLE)
    fleet = fleet_of(inventory)
    names = list(inventory.calendars)
    kept = {names[one.calendar] if one.calendar >= 0 else None: one.device_class for one in fleet.devices}
    assert {one.device_class for one in fleet.devices if one.calendar < 0} >= {"router"}
    assert kept["office"] in ("kiosk", "printer")
    market = [device.id for device in fleet.devices if device.calendar >= 0 and names[device.calendar] == "market"]
    assert market
    assert not any(id.endswith("-cpe1") for id in market)
