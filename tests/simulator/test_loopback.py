"""The socket, asked by net-snmp's own tools where they are installed."""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from collectors.snmp import ber
from collectors.snmp.message import VERSION_2C, Names, Pdu, decode_message, encode_message
from simulator.county import County
from simulator.dial import address_of
from simulator.errors import SimulationError
from simulator.faults import PowerCut, Slow
from simulator.loopback import Listener
from simulator.snmp_agent import Agent

NAME = ber.encode_oid("1.3.6.1.2.1.1.5.0")
REQUEST = encode_message(VERSION_2C, b"public", Pdu.GET, 9, Names.of([NAME]).encoded)


@asynccontextmanager
async def listening(county: County) -> AsyncIterator[Listener]:
    listener = Listener(Agent(county), 0)
    try:
        yield listener
    finally:
        listener.close()


async def tool(name: str, *arguments: str) -> tuple[int | None, str]:
    """Run a program of net-snmp's; its exit code and all that it printed."""
    if shutil.which(name) is None:
        if os.environ.get("LAB_REQUIRED") == "1":
            pytest.fail(f"{name} is missing; install Debian's package snmp")
        pytest.skip(f"{name} is not installed (Debian's package snmp)")
    process = await asyncio.create_subprocess_exec(
        name, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def ask(address: str, port: int, *, wait_s: float = 0.3) -> tuple[bytes, tuple[str, int]] | None:
    """One datagram there; the answer and who sent it."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.setblocking(False)
        asker.bind(("127.0.0.1", 0))
        await loop.sock_sendto(asker, REQUEST, (address, port))
        try:
            async with asyncio.timeout(wait_s):
                return await loop.sock_recvfrom(asker, 65_535)
        except TimeoutError:
            return None


async def test_every_device_answers_from_its_own_address(county: County) -> None:
    async with listening(county) as listener:
        for terminal in county.graph.terminals:
            found = await ask(address_of(terminal.ordinal), listener.port, wait_s=5)
            assert found is not None
            answer, source = found
            assert source == (address_of(terminal.ordinal), listener.port)
            assert decode_message(answer).varbinds == [(NAME, ber.OCTET_STRING, terminal.name.encode())]


@pytest.mark.parametrize("address", ["127.0.0.1", "127.64.0.0", "127.64.0.99", "127.200.1.1"])
async def test_nobody_answers_where_no_device_is(county: County, address: str) -> None:
    async with listening(county) as listener:
        assert await ask(address, listener.port) is None
        assert listener.outsiders == 1


async def test_a_dark_site_is_silent_and_comes_back(county: County, ordinal: Callable[[str], int]) -> None:
    kiosk = address_of(ordinal("hill-kiosk1"))
    async with listening(county) as listener:
        county.inject(PowerCut("hill"))
        assert await ask(kiosk, listener.port) is None
        county.clear("hill")
        assert await ask(kiosk, listener.port, wait_s=5) is not None


async def test_a_slow_device_answers_late_and_holds_up_nobody_else(
    county: County, ordinal: Callable[[str], int]
) -> None:
    county.inject(Slow("hill-kiosk1", 20))
    county.inject(Slow("hill-cpe1", 600_000))
    async with listening(county) as listener:
        never = asyncio.create_task(ask(address_of(ordinal("hill-cpe1")), listener.port, wait_s=600))
        await asyncio.sleep(0)
        assert await ask(address_of(ordinal("hill-kiosk1")), listener.port, wait_s=5) is not None
        assert await ask(address_of(ordinal("reed-cpe1")), listener.port, wait_s=5) is not None
        assert not never.done()
        never.cancel()


async def test_garbage_on_the_wire_is_counted_and_the_next_request_answered(county: County) -> None:
    async with listening(county) as listener:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            for junk in (b"", b"\x30", b"\x30\x84\xff\xff\xff\xff", b"GET / HTTP/1.1\r\n\r\n"):
                asker.sendto(junk, (address_of(0), listener.port))
            assert await ask(address_of(0), listener.port, wait_s=5) is not None
        assert listener.agent.counts.malformed == 4


async def test_a_taken_port_is_named(county: County) -> None:
    async with listening(county) as listener:
        with pytest.raises(SimulationError, match=f"UDP port {listener.port}: Address already in use"):
            Listener(Agent(county), listener.port)


async def test_net_snmp_walks_every_device_to_its_end(county: County) -> None:
    async with listening(county) as listener:
        for terminal in county.graph.terminals:
            agent = f"{address_of(terminal.ordinal)}:{listener.port}"
            code, output = await tool("snmpbulkwalk", "-v2c", "-c", "public", "-On", "-t5", "-r1", agent, ".1.3")
            assert code == 0, output
            rows = [line for line in output.splitlines() if line.startswith(".1.3.")]
            assert "No more variables left" in rows.pop()
            mib = listener.agent.personality(terminal.ordinal).mib
            assert [row.split(" = ")[0].lstrip(".") for row in rows] == [ber.decode_oid(oid) for oid in mib.oids]


async def test_net_snmp_gets_a_value_and_v1_walks_too(county: County) -> None:
    async with listening(county) as listener:
        agent = f"{address_of(0)}:{listener.port}"
        code, output = await tool("snmpget", "-v2c", "-c", "public", "-Oqv", agent, ".1.3.6.1.2.1.1.5.0")
        assert (code, output.strip().strip('"')) == (0, "CORE-A1")
        code, output = await tool("snmpwalk", "-v1", "-c", "public", "-On", agent, ".1.3")
        assert code == 0, output
        assert "Counter64" not in output
        assert len(output.splitlines()) > 200


async def test_net_snmp_with_another_community_waits_in_vain(county: County) -> None:
    async with listening(county) as listener:
        code, output = await tool(
            "snmpget", "-v2c", "-c", "guess", "-t0.2", "-r0", f"{address_of(0)}:{listener.port}", ".1.3.6.1.2.1.1.5.0"
        )
        assert code == 1
        assert "Timeout" in output
