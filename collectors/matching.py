"""What answered beside what is declared: who is silent, who is new, who is another; and lines for the new. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, ip_address
from typing import Final

from collectors.discovery import Answer
from health.reading import Identity
from inventory.addresses import OFFSETS
from inventory.county import Model
from inventory.devices import Device
from inventory.model import Inventory
from inventory.profiles import Profile
from inventory.vocabulary import DeviceClass

_ROLES: Final = {
    DeviceClass.SWITCH: "sw",
    DeviceClass.KIOSK: "kiosk",
    DeviceClass.PRINTER: "prt",
    DeviceClass.UPS: "ups",
}


class Finding(StrEnum):
    """What one address turned out to be."""

    AS_DECLARED = "as_declared"
    OTHER = "other"  # another vendor or model than declared
    SILENT = "silent"  # declared, and does not answer
    REFUSED = "refused"  # answers, and does not know our credential
    NOT_DECLARED = "not_declared"


@dataclass(frozen=True, slots=True)
class Row:
    """One address that answered or is declared. ``why`` is a sentence where there is something to say."""

    address: str
    finding: Finding
    device: str | None
    identity: Identity | None
    why: str = ""


def compare(
    asked: Iterable[str], answers: Sequence[Answer], declared: Mapping[str, Device], models: Mapping[str, Model]
) -> list[Row]:
    """A row for each asked address that answered or is declared.

    Args:
        declared: devices by the address at which they should answer.
    """
    answered = {answer.address: answer for answer in answers}
    rows = []
    for address in asked:
        answer, device = answered.get(address), declared.get(address)
        if answer is None:
            if device is not None:
                rows.append(Row(address, Finding.SILENT, device.id, None))
        elif answer.identity is None:
            rows.append(Row(address, Finding.REFUSED, device.id if device else None, None, answer.refused))
        elif device is None:
            rows.append(Row(address, Finding.NOT_DECLARED, None, answer.identity))
        else:
            why = difference(answer.identity, device, models[device.model])
            rows.append(
                Row(address, Finding.OTHER if why else Finding.AS_DECLARED, device.id, answer.identity, why or "")
            )
    return rows


def difference(identity: Identity, device: Device, model: Model) -> str | None:
    """How a device is another than declared; None where nothing says so.

    A model is compared where the catalogue's title names one by a number of two digits or more.
    """
    if identity.profile != device.profile:
        return f"declared as {device.profile}, answers as {identity.profile}"
    vendor, answered = device.vendor.casefold(), (identity.vendor or "").casefold()
    if answered and vendor not in ("", "generic") and vendor not in answered and answered not in vendor:
        return f"declared from {device.vendor}, answers as from {identity.vendor}"
    if identity.model and _names_a_model(model.title) and not fits(identity.model, model):
        return f"declared as {model.title}, answers as {identity.model}"
    return None


def fits(name: str, model: Model) -> bool:
    """Whether a model's own name is the one that the catalogue's title means."""
    title, name = _letters(model.title, model.vendor), _letters(name, model.vendor)
    return bool(name) and (name in title or title in name)


def _names_a_model(title: str) -> bool:
    return re.search(r"\d{2}", title) is not None


def _letters(text: str, vendor: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.casefold().replace(vendor.casefold(), ""))


@dataclass(frozen=True, slots=True)
class Proposal:
    """Lines for the inventory: ``models`` for county.yml, ``devices`` for the files in sites/."""

    models: tuple[str, ...]
    devices: tuple[str, ...]


def propose(rows: Iterable[Row], inventory: Inventory, profiles: Mapping[str, Profile]) -> Proposal:
    """What would declare the devices that nobody declared.

    The site is known where the address lies in its prefix, the role by the address's place there. Where either
    cannot be known, the line says so as a comment.
    """
    models: dict[str, str] = {}
    devices: dict[int, dict[str, str]] = {}
    unplaced: list[str] = []
    spans = _spans(inventory)
    for row in rows:
        if row.finding is not Finding.NOT_DECLARED or row.identity is None:
            continue
        place = _place(row.address, spans)
        device_class = place[1] if place else class_of(row.identity, inventory, profiles)
        key, line = _model(row.identity, device_class, inventory)
        if line:
            models[key] = line
        if place is None:
            unplaced.append(f"# {row.address}: {key} ({row.identity.sys_name or 'no name'}) at no site's place")
            continue
        site, device_class, number = place
        devices.setdefault(site, {})[f"{_role(inventory, site, device_class)}{number}"] = key
    lines = []
    for site, roles in sorted(devices.items()):
        said = ", ".join(f"{role}: {{model: {key}}}" for role, key in roles.items())
        lines.append(f"{_code(inventory, site)}:  # {inventory.sites.names[site]} ({inventory.sites.ids[site]})")
        lines.append(f"  devices: {{{said}}}")
    return Proposal(tuple(models.values()), (*lines, *unplaced))


def class_of(identity: Identity, inventory: Inventory, profiles: Mapping[str, Profile]) -> DeviceClass:
    """What a device is for: as the catalogue says of its profile, else by what its profile can tell."""
    for model in inventory.models.values():
        if model.profile == identity.profile:
            return model.device_class
    gives = {module.gives for module in profiles[identity.profile].modules.values()}
    if gives & {"supplies", "printer"} and identity.profile != "generic":
        return DeviceClass.PRINTER
    return DeviceClass.UPS if "ups" in gives and "interfaces" not in gives else DeviceClass.ROUTER


def _model(identity: Identity, device_class: DeviceClass, inventory: Inventory) -> tuple[str, str | None]:
    """Its key in the catalogue, and the line to add there; None where it stands there already."""
    key, entry = catalogue_entry(identity, device_class, inventory)
    if entry is None:
        return key, None
    title, vendor = _quoted(entry["title"]), _quoted(entry["vendor"])
    return key, f"{key}: {{title: {title}, vendor: {vendor}, class: {device_class}, profile: {identity.profile}}}"


def catalogue_entry(
    identity: Identity, device_class: DeviceClass, inventory: Inventory, declared: str | None = None
) -> tuple[str, dict[str, str] | None]:
    """Its key in the catalogue, and what to add there; None where it stands there already.

    Args:
        declared: the key that is said of it; it stays where the device says nothing else.
    """
    said = inventory.models.get(declared) if declared is not None else None
    if declared is not None and said is not None and said.profile == identity.profile and identity.model is None:
        return declared, None
    alike = [(key, m) for key, m in inventory.models.items() if m.profile == identity.profile]
    for key, model in alike:
        if identity.model and _names_a_model(model.title) and fits(identity.model, model):
            return key, None
    if len(alike) == 1 and not (identity.model and _names_a_model(alike[0][1].title)):
        return alike[0][0], None
    vendor = identity.vendor or "unknown"
    name = identity.model or identity.profile
    key = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:40] or identity.profile
    while key in inventory.models:
        key = f"{key[:37]}-2"
    title = name if name.casefold().startswith(vendor.casefold()) else f"{vendor} {name}"
    return key, {"title": title, "vendor": vendor, "class": str(device_class), "profile": identity.profile}


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _spans(inventory: Inventory) -> list[tuple[int, int, int]]:
    return [
        (int(prefix.network_address), int(prefix.broadcast_address), site)
        for site in range(len(inventory.sites))
        for prefix in inventory.prefixes(site).values()
    ]


def _place(address: str, spans: Iterable[tuple[int, int, int]]) -> tuple[int, DeviceClass, int] | None:
    """Site, class and number of the place in a site's prefix that this address is."""
    parsed = ip_address(address)
    if not isinstance(parsed, IPv4Address):
        return None
    for first, last, site in spans:
        if first <= int(parsed) <= last:
            for device_class, (start, places) in OFFSETS.items():
                if start <= int(parsed) - first < start + places:
                    return site, device_class, int(parsed) - first - start + 1
    return None


def _role(inventory: Inventory, site: int, device_class: DeviceClass) -> str:
    used = [slot.role for slot in inventory.devices.slots(site) if slot.device_class is device_class]
    return used[0].rstrip("0123456789") if used else _ROLES[device_class]


def _code(inventory: Inventory, site: int) -> str:
    return inventory.nodes.codes[int(inventory.sites.nodes[site])]
