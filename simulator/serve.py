"""Runs the make-believe county: agent, routers, scenario and control channel, until cancelled."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from simulator.control import open_channel
from simulator.county import County
from simulator.loopback import Listener
from simulator.routers.fleet import Fleet
from simulator.routers.wiring import couple
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
    fleet: Fleet | None = None,
    ssh_port: int = 0,
) -> None:
    """Serve until cancelled, then leave nothing behind.

    Args:
        port: UDP port of every device; 0 lets the kernel choose.
        control_path: of the control channel's Unix socket; None for none.
        ready: called once with the port, after the scenario's events of second 0 have happened.
        fleet: the county's routers, not yet started, to answer SSH; their configurations then decide who is heard.
        ssh_port: TCP port of every router; 0 lets the kernel choose (see `Fleet.port`).

    Raises:
        SimulationError: the port or the socket is taken, or the scenario names what the county does not have.
    """
    player = Player(scenario or Scenario("calm"), county)
    listener = Listener(Agent(county, community=community), port)
    channel = None
    try:
        if fleet is not None:
            await fleet.start(ssh_port)
            couple(fleet, county)
        if control_path is not None:
            channel = await open_channel(county, control_path, port=listener.port, fleet=fleet)
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
        if fleet is not None:
            await fleet.close()
