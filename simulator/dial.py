"""Where a make-believe device answers: its ordinal, mapped into 127.64.0.0/10, which is loopback on Linux."""

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Final

NETWORK: Final = IPv4Network("127.64.0.0/10")
_FIRST: Final = int(NETWORK.network_address) + 1
CAPACITY: Final = NETWORK.num_addresses - 2
"""Devices that one simulated county can hold: about four million."""


def address_of(ordinal: int) -> str:
    """The loopback address of the device with this ordinal.

    Raises:
        ValueError: beyond `CAPACITY`.
    """
    if not 0 <= ordinal < CAPACITY:
        raise ValueError(f"device {ordinal} does not fit into {NETWORK}")
    return str(IPv4Address(_FIRST + ordinal))


def write_places(path: Path, ids: Iterable[str]) -> None:
    """Keep who is simulated where, for `placed`: ids in the order of their ordinals."""
    path.write_text("".join(f"{id}\n" for id in ids), "utf-8")


def placed(path: Path | None) -> Callable[[str, int], str]:
    """The loopback address of a declared device, by its id and ordinal.

    A simulator builds its county once; the inventory goes on, and with each device that leaves it the ordinals behind
    it fall by one. What came after the simulator began is nowhere, and silent.

    Args:
        path: of `write_places` when the simulator began; None: ordinals are still what they were.
    """
    if path is None:
        return lambda _, ordinal: address_of(ordinal)
    places = {id: at for at, id in enumerate(path.read_text("utf-8").split())}
    return lambda id, ordinal: address_of(places.get(id, CAPACITY - 1 - ordinal))


def ordinal_of(address: int) -> int | None:
    """The device behind an IPv4 address given as a number; None outside the network."""
    ordinal = address - _FIRST
    return ordinal if 0 <= ordinal < CAPACITY else None
