"""Taking sections of adopted routers over, one after the other: from then on a plan brings them to what we say."""

from collections.abc import Sequence
from typing import Any, Final

from cuntong.errors import UsageError
from inventory.changes import Changes
from inventory.device_changes import change_devices
from inventory.devices import Device
from inventory.model import Inventory
from inventory.source import Source
from inventory.vocabulary import SECTIONS

NEEDS: Final = {"snmp": "access"}
"""The group of SNMPv3 names the access list that `access` makes."""


def take(source: Source, inventory: Inventory, devices: Sequence[Device], sections: Sequence[str]) -> Changes:
    """The change of the inventory by which these sections of adopted routers become ours.

    Raises:
        UsageError: no such section, or it needs another; nothing here is adopted.
        InventoryError: the inventory has problems of its own.
    """
    for section in sections:
        if section not in SECTIONS:
            raise UsageError(f"{section!r} is none of {', '.join(SECTIONS)}.")
    adopted = [device for device in devices if device.managed is not None]
    if not adopted:
        raise UsageError("Nothing here is adopted: what is not adopted is managed whole already.")
    told: dict[tuple[int, str], dict[str, dict[str, Any]]] = {}
    for device in adopted:
        held = device.managed or ()
        wanted = [one for one in SECTIONS if one in held or one in sections]
        lacking = [NEEDS[one] for one in wanted if one in NEEDS and NEEDS[one] not in wanted]
        if lacking:
            raise UsageError(f"{device.id}: snmp needs access, whose access list it names. Take both.")
        if tuple(wanted) != tuple(held):
            place = int(inventory.sites.nodes[device.site]), inventory.sites.keys[device.site]
            told.setdefault(place, {})[device.role] = {"managed": wanted}
    return change_devices(source, told)
