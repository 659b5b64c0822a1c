"""One device, asked once: what ``cuntong poll`` and tests need."""

import asyncio
import ipaddress
import secrets
import socket
from collections.abc import Mapping
from functools import partial

from collectors.decode.compile import Catalogue, compile_profiles
from collectors.errors import SilentDeviceError
from collectors.snmp.conversation import Polled
from collectors.snmp.message import VERSION_1, VERSION_2C
from collectors.snmp.poll import Manners
from collectors.snmp.target import Target
from collectors.snmp.transport import SnmpTransport
from collectors.snmp.usm import Security, User
from health.reading import Readings
from inventory.profiles import Profile


async def poll_once(
    address: str,
    port: int,
    credential: str | User,
    profiles: Mapping[str, Profile],
    *,
    timeout_s: float = 2.0,
    retries: int = 2,
    budget_s: float = 60.0,
) -> Readings:
    """Identifies a device and reads everything that its profile knows.

    Args:
        credential: a community (v2c is tried first, then v1 for old printers), or a user of SNMPv3.

    Raises:
        SilentDeviceError: no version was answered.
        RefusedError: the device knows SNMPv3, but not this user or key.
        OSError: the name does not resolve.
    """
    loop = asyncio.get_running_loop()
    host = await numeric(address, port)
    catalogue = compile_profiles(profiles)
    transport = SnmpTransport(loop, max_in_flight=1)
    try:
        for target in ways((host, port), credential, catalogue):
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
        f"{address}:{port} did not answer SNMP {'v3' if isinstance(credential, User) else 'v2c or v1'} within "
        f"{retries + 1} tries of {timeout_s:g} s each. "
        "Check the address, the credential, and that the device allows this machine to ask."
    )


def ways(address: tuple[str, int], credential: str | bytes | User, catalogue: Catalogue) -> list[Target]:
    """How a device may be asked, the likeliest first: SNMPv3 for a user, v2c and then v1 for a community."""
    if isinstance(credential, User):
        return [Target(address, b"", catalogue, security=Security(credential, partial(secrets.randbits, 64)))]
    community = credential.encode() if isinstance(credential, str) else credential
    return [Target(address, community, catalogue, Manners(version)) for version in (VERSION_2C, VERSION_1)]


async def numeric(address: str, port: int) -> str:
    """The address that a name stands for, or the address itself.

    Raises:
        OSError: the name does not resolve.
    """
    loop = asyncio.get_running_loop()
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        found = await loop.getaddrinfo(address, port, type=socket.SOCK_DGRAM)
        return str(found[0][4][0])
