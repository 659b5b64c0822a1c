"""Platforms from the centre: what is asked, and what accepts a connection."""

import asyncio
import contextlib
import socket

from collectors.reach import Endpoint, PlatformReach, endpoints_of
from cuntong.demo import EXAMPLE
from inventory.loader import load


def test_the_platforms_pages_are_what_is_asked() -> None:
    assert endpoints_of(load(EXAMPLE).county.kiosks) == (
        Endpoint("insurance", "si.example", 443),
        Endpoint("services", "zwfw.example", 443),
    )
    assert endpoints_of(None) == ()


async def test_one_that_listens_is_told_from_one_that_does_not() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        up, down = (
            Endpoint("any", "127.0.0.1", port) for port in (server.sockets[0].getsockname()[1], deaf.getsockname()[1])
        )
        reach = PlatformReach([up, down], interval_s=0.05)
        task = asyncio.create_task(reach.run())
        try:
            async with asyncio.timeout(20):
                while len(reach.accepted) < 2:
                    await asyncio.sleep(0.01)
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    assert reach.accepted == {up: True, down: False}
    server.close()
    await server.wait_closed()
