"""Replacing, moving and retiring devices: what the inventory would say, and what the ledger is told.

A device's id is its place (site and role), so a replacement keeps it, and with it its addresses, backups and outages.
A moved box goes on under the id of its new place; the event links the two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from api.times import CHINA
from cuntong.errors import UsageError
from inventory.changes import Changes
from inventory.device_changes import change_devices
from inventory.devices import Device
from inventory.model import Inventory
from inventory.source import Source
from inventory.vocabulary import DeviceClass
from ledger.assets import AssetEvent, AssetKind
from rollout.platform import Platform

_OF_THE_BOX: Final = ("serial", "asset_no", "origin", "owner", "installed")
_SHOWS_SERIAL: Final = {
    Platform.VRP: "display esn",
    Platform.COMWARE: "display device manuinfo",
    Platform.RGOS: "show version",
}
"""What shows a box's serial number (vendor-cli section 1); a Linux box has none that its command line knows."""


@dataclass(frozen=True)
class Moving:
    """A change of the inventory with the event that tells of it, and the scopes to plan afterwards."""

    changes: Changes
    event: AssetEvent
    plan: tuple[str, ...]


def device_of(inventory: Inventory, name: str) -> Device:
    """The device with this id.

    Raises:
        UsageError: there is none.
    """
    try:
        return inventory.devices.find(name)
    except KeyError:
        raise UsageError(
            f"There is no device {name!r} in {inventory.title}. `cuntong show devices` lists them."
        ) from None


def replaced(
    inventory: Inventory,
    device: Device,
    serial: str,
    model: str | None,
    by: str,
    reason: str,
    now: float,
    expires: float,
) -> Moving:
    """Another box in a device's place; its id, its addresses and its history stay.

    Raises:
        UsageError: the serial is the old box's or another device's, or the model is none of this class.
        InventoryError: a law would be broken.
    """
    if device.serial == serial:
        raise UsageError(f"{device.id} has the serial number {serial} already: this is the box that is there.")
    twin = next((one.id for one in inventory.devices if one.serial == serial), None)
    if twin is not None:
        raise UsageError(f"{serial} is {twin}. To use it here, move it: cuntong move {twin} SITE.")
    new = model or device.model
    known = inventory.models.get(new)
    if known is None or known.device_class is not device.device_class:
        choices = [key for key, one in inventory.models.items() if one.device_class is device.device_class]
        raise UsageError(f"{new!r} is no model of a {device.device_class}: {', '.join(choices)}. Add it to county.yml.")
    if device.managed is not None and inventory.profiles[known.profile].platform != _platform(inventory, device):
        raise UsageError(
            f"{device.id} was adopted, and its configuration cannot be said in another vendor's words. Take the "
            f"section network over first (cuntong adopt {device.id} --take network), or replace it by the same vendor."
        )
    told: dict[str, Any] = {} if new == device.model else {"model": new}
    told |= {"serial": serial, "installed": date.fromtimestamp(now)}  # noqa: DTZ012  the day where the engineer stands
    detail = {
        "old_serial": device.serial, "serial": serial, "old_model": device.model, "model": new,
        "site": inventory.sites.ids[device.site],
    }  # fmt: skip
    changes = change_devices(Source(inventory.folder), {_place(inventory, device.site): {device.role: told}})
    event = AssetEvent(device.id, AssetKind.REPLACED, now, by, reason, detail, expires_at=expires)
    return Moving(changes, event, (device.id,))


def moved(inventory: Inventory, device: Device, site: str, by: str, reason: str, now: float) -> Moving:
    """A box at another site: the asset goes along, outages and coverage of the past stay with the old site.

    Raises:
        UsageError: no such site, its own, or others hang below the device.
        InventoryError: a law would be broken.
    """
    target = inventory.sites.index.get(site)
    if target is None:
        raise UsageError(f"There is no site {site!r} in {inventory.title}. `cuntong show sites` lists them.")
    if target == device.site:
        raise UsageError(f"{device.id} is at {site} already.")
    _nothing_below(inventory, device)
    role = _free_role(inventory, device, target)
    model = next((one.model for one in inventory.devices.of(target) if one.role == role), None)
    told: dict[str, Any] = {} if model == device.model else {"model": device.model}
    told |= {name: value for name in _OF_THE_BOX if (value := _own(inventory, device).get(name)) is not None}
    old, new = _place(inventory, device.site), _place(inventory, target)
    changes = change_devices(Source(inventory.folder), {old: {device.role: None}, new: {role: told}})
    successor = f"{site}-{role}"
    detail = {"serial": device.serial, "model": device.model, "from": inventory.sites.ids[device.site], "to": site}
    event = AssetEvent(device.id, AssetKind.MOVED, now, by, reason, detail, successor=successor)
    scopes = [site, *_above(inventory, target), *_above(inventory, device.site)]
    if len(inventory.devices.routers(device.site)) > 1 or device.device_class is not DeviceClass.ROUTER:
        scopes.insert(1, inventory.sites.ids[device.site])
    return Moving(changes, event, tuple(dict.fromkeys(scopes)))


def retired(inventory: Inventory, device: Device, by: str, reason: str, now: float) -> Moving:
    """A device that is gone: no longer declared, so no longer asked; its addresses stay reserved in the lock.

    Raises:
        UsageError: others hang below it.
        InventoryError: a law would be broken.
    """
    _nothing_below(inventory, device)
    changes = change_devices(Source(inventory.folder), {_place(inventory, device.site): {device.role: None}})
    detail = {
        "serial": device.serial, "model": device.model, "site": inventory.sites.ids[device.site],
        "address": device.address,
    }  # fmt: skip
    event = AssetEvent(device.id, AssetKind.RETIRED, now, by, reason, detail)
    return Moving(changes, event, tuple(_above(inventory, device.site)))


def _platform(inventory: Inventory, device: Device) -> str | None:
    return inventory.profiles[device.profile].platform


def _place(inventory: Inventory, site: int) -> tuple[int, str]:
    return int(inventory.sites.nodes[site]), inventory.sites.keys[site]


def _own(inventory: Inventory, device: Device) -> Mapping[str, Any]:
    entry = inventory.columns.entries.get(str(device.site)) or {}
    return (entry.get("devices") or {}).get(device.role) or {}


def _above(inventory: Inventory, site: int) -> list[str]:
    return [inventory.sites.ids[one] for one in inventory.site_uplinks(site)]


def _free_role(inventory: Inventory, device: Device, site: int) -> str:
    """The place that waits for such a box (declared, no serial number yet), else the next number."""
    stem = device.role.rstrip("0123456789")
    there = {one.role: one for one in inventory.devices.of(site)}
    for one in there.values():
        if one.device_class is device.device_class and one.serial is None and device.serial is not None:
            return one.role
    return next(f"{stem}{n}" for n in range(1, 100) if f"{stem}{n}" not in there)


def _nothing_below(inventory: Inventory, device: Device) -> None:
    if device.device_class is not DeviceClass.ROUTER or len(inventory.devices.routers(device.site)) > 1:
        return
    below = [
        inventory.sites.ids[site]
        for site in range(len(inventory.sites))
        if site != device.site and device.site in inventory.site_uplinks(site)
    ]
    if below:
        some = ", ".join(below[:3]) + (f" and {len(below) - 3} more" if len(below) > 3 else "")
        raise UsageError(f"{some} hang below {device.id}: replace it, or give them another uplink first.")


def serial_command(platform: Platform) -> str | None:
    """What is typed to see a box's serial number; None where none is known."""
    return _SHOWS_SERIAL.get(platform)


def without_keys(text: str, device: str) -> str:
    """A known_hosts file without the keys of a device; lines that name others keep those."""
    kept = []
    for line in text.splitlines(keepends=True):
        names, _, rest = line.partition(" ")
        others = [name for name in names.split(",") if name != device]
        if line.lstrip().startswith("#") or device not in names.split(","):
            kept.append(line)
        elif others:
            kept.append(f"{','.join(others)} {rest}")
    return "".join(kept)


def rewrite(path: Path, text: str) -> None:
    """Put a file in place at once."""
    half = path.with_name(f".{path.name}.half")
    half.write_text(text, "ascii")
    half.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
    half.replace(path)


def shown(events: Sequence[AssetEvent]) -> list[dict[str, Any]]:
    """Events as rows."""
    return [
        {
            "at": datetime.fromtimestamp(one.happened_at, CHINA).isoformat(timespec="minutes"), "device": one.device,
            "what": str(one.kind), "goes on as": one.successor or None, "serial": one.detail.get("serial"),
            "by": one.said_by, "reason": one.reason,
        }
        for one in events
    ]  # fmt: skip
