"""The running county and the channel to play with it."""

import asyncio
import contextlib
import socket
import stat
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from simulator.control import open_channel, perform, request
from simulator.county import County
from simulator.errors import SimulationError
from simulator.scenario import Scenario, parse
from simulator.serve import serve


@asynccontextmanager
async def running(county: County, path: Path | None, scenario: Scenario | None = None) -> AsyncIterator[int]:
    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(county, 0, scenario, path, ready.set_result))
    either: set[asyncio.Future[Any]] = {task, ready}
    done, _ = await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if task in done:
        task.result()
    try:
        yield ready.result()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_a_fault_can_be_put_in_and_taken_out_while_the_county_runs(
    county: County, tmp_path: Path, silent_ids: Callable[[], set[str]]
) -> None:
    path = tmp_path / "control"
    fault = {"fault": "power_cut", "target": "510001101201"}
    async with running(county, path) as port:
        assert await request(path, {"do": "ping"}) == {"ok": True, "devices": 13, "port": port}
        assert await request(path, {"do": "inject", "fault": fault}) == {"ok": True, "devices": 2}
        assert silent_ids() == {"hill-cpe1", "hill-kiosk1"}
        assert await request(path, {"do": "list"}) == {"ok": True, "faults": [fault]}
        assert await request(path, {"do": "clear", "target": "hill"}) == {"ok": True, "cleared": [fault]}
        assert silent_ids() == set()
    assert not path.exists()


async def test_only_the_owner_may_open_the_channel(county: County, tmp_path: Path) -> None:
    path = tmp_path / "control"
    async with running(county, path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_the_scenario_has_begun_when_the_county_is_ready_and_goes_on(
    tmp_path: Path, county: County, silent_ids: Callable[[], set[str]]
) -> None:
    county.clock = time.monotonic
    scenario = parse(
        "t",
        [
            {"fault": "power_cut", "target": "hill", "until": 0.05},
            {"at": 0.05, "fault": "silent", "target": "reed/prt1"},
        ],
    )
    async with running(county, None, scenario):
        assert silent_ids() == {"hill-cpe1", "hill-kiosk1"}
        async with asyncio.timeout(10):
            while silent_ids() != {"reed-prt1"}:
                await asyncio.sleep(0.01)


async def test_a_county_that_cannot_start_leaves_nothing_behind(county: County, tmp_path: Path) -> None:
    path = tmp_path / "control"
    with pytest.raises(SimulationError, match="scenario t, step 1"):
        async with running(county, path, parse("t", [{"fault": "silent", "target": "nowhere"}])):
            pass
    path.write_text("a letter")
    with pytest.raises(SimulationError, match="control: there is a file of that name"):
        async with running(county, path):
            pass
    assert path.read_text() == "a letter"


async def test_a_second_county_does_not_take_the_channel_of_the_first(county: County, tmp_path: Path) -> None:
    path = tmp_path / "control"
    async with running(county, path):
        with pytest.raises(SimulationError, match="another county runs there"):
            await open_channel(county, path)
        assert (await request(path, {"do": "ping"}))["ok"]


async def test_a_socket_that_a_killed_program_left_is_replaced(county: County, tmp_path: Path) -> None:
    path = tmp_path / "control"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    async with running(county, path):
        assert (await request(path, {"do": "ping"}))["ok"]


async def test_a_client_that_stays_does_not_keep_the_county_from_ending(county: County, tmp_path: Path) -> None:
    path = tmp_path / "control"
    async with running(county, path):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"nonsense\n")
        assert await reader.readline() == b'{"ok": false, "error": "not JSON"}\n'
    async with asyncio.timeout(10):
        assert await reader.read() == b""
    writer.close()


async def test_asking_where_nothing_runs_says_so(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match="no county runs behind control"):
        await request(tmp_path / "control", {"do": "ping"})


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ([], "a message is an object"),
        ({"do": "dance"}, "cannot do 'dance'; only inject, clear, list, ping"),
        ({"do": "inject"}, '"fault" is an object'),
        ({"do": "inject", "fault": {"fault": "silent", "target": "hil"}}, "Did you mean"),
        ({"do": "clear", "target": "hill"}, "nothing to clear"),
    ],
)
def test_what_cannot_be_done_is_answered_with_the_reason(county: County, message: object, error: str) -> None:
    answer = perform(county, message)
    assert answer["ok"] is False
    assert error in answer["error"]
