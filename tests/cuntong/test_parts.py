"""Secrets, waivers, wiring and supervision: the small parts of ``cuntong/``."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from cuntong import http
from cuntong import show as shows
from cuntong.collect import fleet_of, groups_of, in_the_field, in_the_simulator, is_asked, targets_of
from cuntong.errors import StartError, UsageError
from cuntong.secrets import Resolver, require_waiver
from cuntong.settings import Settings, settings
from cuntong.signals import until_told
from cuntong.supervise import Program, Supervisor
from inventory.model import Inventory
from simulator.dial import write_places

Until = Callable[..., None]


def secret(folder: Path, name: str, content: bytes = b"kept\n", mode: int = 0o600) -> Path:
    path = folder / name
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_a_secret_is_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    secret(tmp_path, "routers")
    assert Resolver(tmp_path).credential("secret://routers") == b"kept"


def test_a_community_in_the_open_is_what_it_says(tmp_path: Path) -> None:
    assert Resolver(tmp_path).credential("community://public") == b"public"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_secret_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    path = secret(tmp_path, "routers", mode=mode)
    with pytest.raises(StartError, match=f"Run: chmod 600 {path}"):
        Resolver(tmp_path).credential("secret://routers")


def test_a_secret_that_is_not_there_is_refused_with_the_place_for_it(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"Put it into .*/routers, mode 0600"):
        Resolver(tmp_path).credential("secret://routers")


def test_an_empty_secret_is_refused(tmp_path: Path) -> None:
    secret(tmp_path, "routers", b" \n")
    with pytest.raises(StartError, match="is empty"):
        Resolver(tmp_path).credential("secret://routers")


@pytest.mark.parametrize("name", ["", "../routers", "/etc/passwd", ".hidden", "a b", "a/../b", "a//b", "x" * 65, "a\n"])
def test_a_name_that_leads_elsewhere_is_no_secret(tmp_path: Path, name: str) -> None:
    with pytest.raises(StartError, match="is no reference to a secret"):
        Resolver(tmp_path).credential(f"secret://{name}")


@pytest.mark.parametrize("reference", ["public", "vault://routers", ""])
def test_what_is_no_reference_is_refused(tmp_path: Path, reference: str) -> None:
    with pytest.raises(StartError, match="is no reference to a secret"):
        Resolver(tmp_path).credential(reference)


def test_snmp_in_the_open_needs_a_waiver_that_is_in_force(example: Inventory) -> None:
    (waiver,) = example.waivers
    require_waiver(example, waiver.until)
    with pytest.raises(StartError, match="cuntong waive snmp_v2c --until"):
        require_waiver(example, date(waiver.until.year + 1, 1, 1))


class Changed:
    """An inventory whose devices were changed."""

    def __init__(self, inventory: Inventory, change: Callable[[Any], Any]) -> None:
        self._inventory = inventory
        self.devices = Devices([change(device) for device in inventory.devices], inventory)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inventory, name)


class Devices(list[Any]):
    def __init__(self, devices: list[Any], inventory: Inventory) -> None:
        super().__init__(devices)
        self.ordinals = inventory.devices.ordinals


def test_only_what_can_be_asked_is_asked_and_judged(example: Inventory) -> None:
    def change(device: Any) -> Any:
        if device.id == "tq-fagai-cpe1":
            return replace(device, credential=None)
        if device.id == "tq-chengxiang-xuyu-kiosk2":
            return replace(device, monitored="partner")
        return device

    inventory: Any = Changed(example, change)
    fleet = fleet_of(inventory)
    targets = targets_of(inventory, in_the_simulator(16100))
    asked = [is_asked(device) for device in inventory.devices]
    assert [target is not None for target in targets] == asked
    assert [device.asked for device in fleet.devices] == asked
    assert asked.count(False) == 2
    assert fleet.at_site[example.sites.index["tq-fagai"]] == ()


def test_devices_are_dialled_at_their_own_address_or_at_the_simulators(example: Inventory) -> None:
    device = example.devices[0]
    assert in_the_field(Settings()).dial(device) == (device.address, 161)
    assert in_the_simulator(16100).dial(example.devices[374]) == ("127.64.1.119", 16100)


def test_a_device_that_left_moves_no_other_one_in_the_simulator(example: Inventory, tmp_path: Path) -> None:
    ids = [device.id for device in example.devices]
    write_places(tmp_path / "devices", ids)
    dial = in_the_simulator(16100, tmp_path / "devices").dial
    last = example.devices[374]
    assert dial(replace(last, ordinal=373)) == dial(last) == ("127.64.1.119", 16100)
    new = replace(last, id="tq-center-kiosk9", ordinal=12)
    assert dial(new) not in {dial(device) for device in example.devices}, "nobody has built it"


def test_devices_share_pacing_with_those_behind_the_same_uplink(example: Inventory) -> None:
    groups = groups_of(example)
    assert len(groups) == len(example.devices)
    township = example.sites.index["tq-shiyang"]
    low, high = example.sites.span(example.nodes.find("511825101"))
    villages = {groups[ordinal] for site in range(low + 1, high) for ordinal in example.devices.ordinals(site)}
    assert villages == {township}


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", "127.0.0.1:{}"), ("0.0.0.0", f"{socket.gethostname()}:{{}}"), ("::1", "[::1]:{}")],
)
def test_a_collector_says_where_others_find_it(host: str, expected: str) -> None:
    with http.bind(host, 0) as sock:
        assert http.address_of(sock) == expected.format(sock.getsockname()[1])


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUNTONG_INTERVAL_S", "30")
    monkeypatch.setenv("CUNTONG_RETRIES", "")
    assert (settings().interval_s, settings().retries) == (30.0, 2)
    monkeypatch.setenv("CUNTONG_TIMEOUT_S", "-1")
    monkeypatch.setenv("CUNTONG_RETRIES", "many")
    with pytest.raises(UsageError) as refusal:
        settings()
    assert [line.partition(":")[0] for line in str(refusal.value).splitlines()] == [
        "CUNTONG_TIMEOUT_S",
        "CUNTONG_RETRIES",
    ]


async def test_a_signal_ends_every_program() -> None:
    ended: list[str] = []

    async def program(name: str) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(name)

    asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(until_told(program("a"), program("b")), 10)
    assert sorted(ended) == ["a", "b"]


async def test_a_program_that_fails_ends_the_others_and_is_heard() -> None:
    async def good() -> None:
        await asyncio.sleep(60)

    async def bad() -> None:
        raise StartError("no")

    with pytest.raises(StartError, match="no"):
        await asyncio.wait_for(until_told(good(), bad()), 10)


def replay(walk: Path, log: Path) -> Program:
    return Program("replay", ["simulate", "walk", str(walk), "--listen", "127.0.0.1:0"], log)


def test_what_dies_is_started_again_and_everything_ends_together(walk: Path, tmp_path: Path, until: Until) -> None:
    program = replay(walk, tmp_path / "replay.log")
    with Supervisor([program]) as supervisor:
        assert program.process is not None
        first = program.process.pid
        until(lambda: "answers on" in program.log.read_text() if program.log else False)
        os.kill(first, signal.SIGKILL)
        until(lambda: supervisor.restart_the_dead() == [program])
        assert (program.restarts, program.process.pid == first) == (1, False)
        assert supervisor.restart_the_dead() == []
        process = program.process
    assert process.poll() is not None


def test_what_dies_at_once_is_started_again_more_and_more_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    starts: list[float] = []

    class Stillborn(Program):
        def start(self) -> None:
            self.started = now
            starts.append(now)

    supervisor = Supervisor([Stillborn("stillborn", [])])
    supervisor.programs[0].start()
    while now < 120:
        now += 0.5
        supervisor.restart_the_dead()
    pauses = [later - sooner for sooner, later in pairwise(starts)]
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def test_children_do_not_outlive_a_parent_that_is_killed(walk: Path, tmp_path: Path, until: Until) -> None:
    log = tmp_path / "replay.log"
    code = f"""
import time
from pathlib import Path
from cuntong.supervise import Program, Supervisor
program = Program("replay", ["simulate", "walk", {str(walk)!r}, "--listen", "127.0.0.1:0"], Path({str(log)!r}))
with Supervisor([program]):
    print(program.process.pid, flush=True)
    time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    until(lambda: log.exists() and "answers on" in log.read_text())
    parent.kill()
    parent.wait()
    parent.stdout.close()

    def gone() -> bool:
        with suppress(OSError):
            return Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        return True

    until(gone)


@pytest.mark.parametrize(("today", "told"), [(date(2027, 12, 31), False), (date(2028, 1, 1), True)])
def test_a_check_names_the_waivers_whose_time_is_over(example: Inventory, today: date, told: bool) -> None:
    text = str(shows.checked(example, [], today))
    assert ("the waiver snmp_v2c ended on 2027-12-31" in text) == told


async def test_a_stream_that_never_ends_does_not_keep_a_server_from_leaving(caplog: pytest.LogCaptureFixture) -> None:
    """As of pages that listen for news: the server tells them to leave, and nothing is logged as an error."""

    async def news(request: Request) -> StreamingResponse:
        async def told() -> AsyncIterator[bytes]:
            while not getattr(request.app.state, "leaving", False):
                yield b"news\n"
                await asyncio.sleep(0.01)

        return StreamingResponse(told())

    sock = http.bind("127.0.0.1", 0)
    address = http.address_of(sock)
    serving = asyncio.create_task(http.serve(Starlette(routes=[Route("/", news)]), sock))
    async with httpx.AsyncClient(timeout=20) as client, client.stream("GET", f"http://{address}/") as answer:
        async for part in answer.aiter_bytes():  # until the server ends it
            assert set(part.split()) == {b"news"}
            serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")] == []
