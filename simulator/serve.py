"""Runs the make-believe county: agent, scenario and control channel, until cancelled."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from simulator.control import open_channel
from simulator.county import County
from simulator.loopback import Listener
from simulator.scenario import Player, Scenario
from simulator.snmp_agent import Agent


async def serve(
    county: County,
    port: int,
    scenario: Scenario | None = None,
    control_path: Path | None = None,
    ready: Callable[[int], None] | None = None,
    *,
    community: bytes = b"public",
) -> None:
    """Serve until cancelled, then leave nothing behind.

    Args:
        port: UDP port of every device; 0 lets the kernel choose.
        control_path: of the control channel's Unix socket; None for none.
        ready: called once with the port, after the scenario's events of second 0 have happened.

    Raises:
        SimulationError: the port or the socket is taken, or the scenario names what the county does not have.
    """
    player = Player(scenario or Scenario("calm"), county)
    listener = Listener(Agent(county, community=community), port)
    channel = None
    try:
        if control_path is not None:
            channel = await open_channel(county, control_path, port=listener.port)
        begun = county.clock()
        due_s = player.advance(0.0)
        if ready is not None:
            ready(listener.port)
        while due_s is not None:
            await asyncio.sleep(max(0.0, due_s - (county.clock() - begun)))
            due_s = player.advance(county.clock() - begun)
        await asyncio.get_running_loop().create_future()
    finally:
        listener.close()
        if channel is not None:
            await channel.close()
