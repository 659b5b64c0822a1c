"""One device, asked once: what ``cuntong poll`` and tests need."""

import asyncio
import ipaddress
import socket
from collections.abc import Mapping

from collectors.decode.compile import compile_profiles
from collectors.errors import SilentDeviceError
from collectors.snmp.message import VERSION_1, VERSION_2C
from collectors.snmp.poll import Manners
from collectors.snmp.target import Target
from collectors.snmp.transport import Polled, SnmpTransport
from health.reading import Readings
from inventory.profiles import Profile


async def poll_once(
    address: str,
    port: int,
    community: str,
    profiles: Mapping[str, Profile],
    *,
    timeout_s: float = 2.0,
    retries: int = 2,
    budget_s: float = 60.0,
) -> Readings:
    """Identifies a device and reads everything that its profile knows; v2c first, then v1 for old printers.

    Raises:
        SilentDeviceError: neither version was answered.
        OSError: the name does not resolve.
    """
    loop = asyncio.get_running_loop()
    host = await _numeric(loop, address, port)
    catalogue = compile_profiles(profiles)
    transport = SnmpTransport(loop, max_in_flight=1)
    try:
        for version in (VERSION_2C, VERSION_1):
            target = Target((host, port), community.encode(), catalogue, Manners(version))
            done: asyncio.Future[Polled] = loop.create_future()
            transport.poll(
                target,
                lambda _, polled, done=done: done.set_result(polled),  # type: ignore[misc]
                slow=True,
                timeout_s=timeout_s,
                retries=retries,
                budget_s=budget_s,
            )
            polled = await done
            if polled.error is not None:
                raise polled.error
            if polled.readings is not None:
                return polled.readings
    finally:
        transport.close()
    raise SilentDeviceError(
        f"{address}:{port} did not answer SNMP v2c or v1 within {retries + 1} tries of {timeout_s:g} s each. "
        "Check the address, the community, and that the device allows this machine to ask."
    )


async def _numeric(loop: asyncio.AbstractEventLoop, address: str, port: int) -> str:
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        found = await loop.getaddrinfo(address, port, type=socket.SOCK_DGRAM)
        return str(found[0][4][0])
