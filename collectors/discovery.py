"""Who answers in a prefix: every address is asked for its identity, so many a second and no more.

Only what the inventory declares as its own may be asked, and loopback: a scan of a stranger's network is an attack.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from itertools import count
from typing import Final

from collectors.decode.compile import compile_profiles
from collectors.errors import RefusedError
from collectors.snmp.conversation import Polled
from collectors.snmp.message import VERSION_1, VERSION_2C
from collectors.snmp.poll import Manners
from collectors.snmp.target import Target
from collectors.snmp.transport import SnmpTransport
from collectors.snmp.usm import Security, User
from health.reading import Identity
from inventory.model import Inventory
from inventory.profiles import Profile

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

LOOPBACK: Final[tuple[Network, ...]] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
LARGEST: Final = 1 << 16
"""Addresses of one search: twenty minutes of 50 a second."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Addresses to ask, and how many of the prefix are left alone because somebody else's machines are there."""

    addresses: tuple[str, ...]
    left_alone: int


def scope_of(prefix: str, inventory: Inventory) -> Scope:
    """The addresses of a prefix that may be asked.

    Raises:
        ValueError: no prefix, too large, or not within what the inventory declares.
    """
    try:
        asked: Network = ip_network(prefix, strict=False)
    except ValueError:
        raise ValueError(f"{prefix!r} is no prefix such as 10.125.4.0/24.") from None
    plan = inventory.county.addresses
    own: list[Network] = [*LOOPBACK, *plan.mgmt.loopbacks, *plan.mgmt.p2p]
    own += [pool for pools in plan.zones.values() for pool in pools]
    if plan.ipv6 is not None:
        own.append(plan.ipv6)
    if not any(_within(asked, network) for network in own):
        named = ", ".join(str(network) for network in own[len(LOOPBACK) :])
        raise ValueError(f"{asked} is not ours to ask: choose within {named}, or loopback.")
    if asked.num_addresses > LARGEST:
        raise ValueError(f"{asked} has more than {LARGEST} addresses: ask a part of it.")
    network = inventory.county.network
    spared: list[Network] = [*(network.managers if network else ()), *(taken.prefix for taken in plan.taken)]
    every: list[Address] = list(asked.hosts())
    left = [address for address in every if not any(address in one for one in spared)]
    if not left:
        raise ValueError(f"{asked} belongs to managers or to somebody else (addresses.taken): nothing is asked there.")
    return Scope(tuple(map(str, left)), len(every) - len(left))


def _within(inner: Network, outer: Network) -> bool:
    if isinstance(inner, IPv4Network):
        return isinstance(outer, IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, IPv6Network) and inner.subnet_of(outer)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an address said: who it is, or why it will not say."""

    address: str
    identity: Identity | None
    refused: str = ""


def identity_alone(profiles: Mapping[str, Profile]) -> dict[str, Profile]:
    """The same profiles, asking for nothing but who the device is."""
    return {
        name: profile.model_copy(
            update={"modules": {key: module for key, module in profile.modules.items() if module.gives == "identity"}}
        )
        for name, profile in profiles.items()
    }


async def discover(
    addresses: Sequence[str],
    port: int,
    credentials: Sequence[bytes | User],
    profiles: Mapping[str, Profile],
    *,
    per_second: float = 50.0,
    timeout_s: float = 1.0,
    retries: int = 1,
    old: bool = False,
    progress: Callable[[], None] = lambda: None,
) -> list[Answer]:
    """Asks every address with each credential in turn until one is answered; in the order of the addresses.

    Args:
        per_second: addresses that a round begins to ask each second.
        old: v1 is tried, too, after each community.
        progress: called once for each address in each round.
    """
    catalogue = compile_profiles(identity_alone(profiles))
    loop = asyncio.get_running_loop()
    transport = SnmpTransport(loop, max_in_flight=4096)
    salts = count(secrets.randbits(62))
    answers: dict[str, Answer] = {}
    ways = [
        (credential, version)
        for credential in credentials
        for version in ((VERSION_2C, VERSION_1) if old and isinstance(credential, bytes) else (VERSION_2C,))
    ]

    def target(address: str, credential: bytes | User, version: int) -> Target:
        if isinstance(credential, User):
            return Target((address, port), b"", catalogue, security=Security(credential, partial(next, salts)))
        return Target((address, port), credential, catalogue, Manners(version))

    async def ask(address: str, way: tuple[bytes | User, int]) -> None:
        done: asyncio.Future[Polled] = loop.create_future()
        transport.poll(
            target(address, *way),
            lambda _, polled: done.set_result(polled),
            slow=True,
            timeout_s=timeout_s,
            retries=retries,
            budget_s=20 * timeout_s,
        )
        polled = await done
        progress()
        if polled.readings is not None:
            answers[address] = Answer(address, polled.readings.identity)
        elif isinstance(polled.error, RefusedError):
            answers.setdefault(address, Answer(address, None, str(polled.error)))
        elif polled.error is not None:
            raise polled.error

    try:
        for way in ways:
            left = [address for address in addresses if address not in answers or answers[address].identity is None]
            began = loop.time()
            async with asyncio.TaskGroup() as group:
                for at, address in enumerate(left):
                    await asyncio.sleep(max(0.0, began + at / per_second - loop.time()))
                    group.create_task(ask(address, way))
    finally:
        transport.close()
    return [answers[address] for address in addresses if address in answers]
