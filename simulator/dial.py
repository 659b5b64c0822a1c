"""Where a make-believe device answers: its ordinal, mapped into 127.64.0.0/10, which is loopback on Linux."""

from ipaddress import IPv4Address, IPv4Network
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


def ordinal_of(address: int) -> int | None:
    """The device behind an IPv4 address given as a number; None outside the network."""
    ordinal = address - _FIRST
    return ordinal if 0 <= ordinal < CAPACITY else None
