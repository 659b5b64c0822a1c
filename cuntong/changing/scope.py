"""What a plan is for: a site, a device, a division, or a filter on what routers are."""

from collections.abc import Sequence
from typing import Final

from cuntong.changing.reach import platform_of
from cuntong.errors import UsageError
from inventory.devices import Device
from inventory.model import Inventory

_KEYS: Final = ("vendor", "model", "role", "platform", "type", "link", "carrier", "class", "standard")


def routers_in(inventory: Inventory, scope: str) -> list[Device]:
    """The routers of a scope that we provision, in the order of their ordinals.

    Args:
        scope: a site's or device's id, a division's code (2 to 12 digits), or ``key=value`` pairs joined by commas,
            all of which must hold; a division may be one of them (``division=511825101``).

    Raises:
        UsageError: nothing in the inventory is meant, or nothing of it is a router of ours.
    """
    chosen = [device for device in devices_in(inventory, scope) if platform_of(inventory, device) is not None]
    if not chosen:
        raise UsageError(f"{scope!r} holds no router that we provision.")
    return chosen


def devices_in(inventory: Inventory, scope: str) -> Sequence[Device]:
    """Every device of a scope, in the order of their ordinals; the scope as in `routers_in`.

    Raises:
        UsageError: nothing in the inventory is meant.
    """
    if "=" in scope:
        return _filtered(inventory, scope)
    if scope in inventory.sites.index:
        return inventory.devices.of(inventory.sites.index[scope])
    try:
        return [inventory.devices.find(scope)]
    except KeyError:
        return _of_division(inventory, scope)


def _of_division(inventory: Inventory, code: str) -> list[Device]:
    try:
        low, high = inventory.sites.span(inventory.nodes.find(code))
    except KeyError:
        raise UsageError(
            f"{code!r} is no site, device or division of {inventory.title}. `cuntong show sites` lists them; a filter "
            f"is written as vendor=Huawei,link=pon (keys: division, {', '.join(_KEYS)})."
        ) from None
    return [device for site in range(low, high) for device in inventory.devices.of(site)]


def _filtered(inventory: Inventory, scope: str) -> list[Device]:
    wanted: dict[str, str] = {}
    for part in scope.split(","):
        key, _, value = part.partition("=")
        if key.strip() not in (*_KEYS, "division") or not value.strip():
            raise UsageError(f"{part!r} is no filter. Write key=value; keys are division, {', '.join(_KEYS)}.")
        wanted[key.strip()] = value.strip()
    devices = _of_division(inventory, wanted.pop("division", inventory.top))
    return [device for device in devices if all(_told(inventory, device, key) == wanted[key] for key in wanted)]


def _told(inventory: Inventory, device: Device, key: str) -> str:
    site = device.site
    match key:
        case "vendor":
            return device.vendor
        case "model":
            return device.model
        case "role":
            return device.role.rstrip("0123456789")
        case "platform":
            return str(platform_of(inventory, device) or "")
        case "type":
            return inventory.sites.types[site]
        case "link":
            return inventory.sites.link_types[site]
        case "carrier":
            return inventory.sites.carriers[site]
        case "class":
            return inventory.sites.classes[site]
        case _:
            return inventory.classes[inventory.sites.classes[site]].standard or ""
