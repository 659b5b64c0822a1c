"""The inventory as Ansible sees it: hosts, groups and variables. The county's truth stays in its YAML.

A host is a device, named by its id. Groups answer "which of them": by class, platform, vendor, role, site type,
division, carrier, link type, the router that they hang on (``below_...``), and by *tier*, the distance from the top of
the uplink tree: whoever changes devices tier by tier never touches a parent together with its children (D17). No secret
and no reference to one is among the variables.

A device that a partner watches is in ``partner`` and in its division, and in no other group: it can be looked at,
but no play that names a class, a platform or a tier reaches it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from inventory.devices import Device
from inventory.divisions import Nodes
from inventory.model import Inventory, Link
from inventory.vocabulary import DeviceClass

Value = str | int | None | list[str] | dict[str, str | int | None]
"""Plain data only: Ansible's own types know nothing of our enumerations."""

PARTNER: Final = "partner"
CLASSES: Final[Mapping[DeviceClass, str]] = {
    DeviceClass.ROUTER: "routers",
    DeviceClass.SWITCH: "switches",
    DeviceClass.KIOSK: "kiosks",
    DeviceClass.PRINTER: "printers",
    DeviceClass.UPS: "ups",
}
NETWORK_OS: Final[Mapping[str, str]] = {
    # Netmiko's word to Ansible's, for the platforms that have a cliconf plugin in Ansible 12. There is none for VRP on
    # AR routers (community.network.ce is CloudEngine's), Comware or RGOS, and Linux is no network OS.
    "arista_eos": "arista.eos.eos",
    "cisco_ios": "cisco.ios.ios",
    "cisco_nxos": "cisco.nxos.nxos",
    "cisco_xe": "cisco.ios.ios",
    "cisco_xr": "cisco.iosxr.iosxr",
    "juniper_junos": "junipernetworks.junos.junos",
    "mikrotik_routeros": "community.routeros.routeros",
    "vyos": "vyos.vyos.vyos",
}

_TOWNSHIP: Final = 4
"""The lowest level that is a group: a village has a handful of devices, which are chosen by name."""
_CUTS: Final = (2, 4, 6, 9)
_NO_PLATFORM: Final = "none"


@dataclass(frozen=True, slots=True)
class Group:
    """Who is in a group by himself, and which groups are inside it."""

    hosts: tuple[str, ...]
    children: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class View:
    """Variables by host, in order of ordinals; groups by name, a division before those inside it."""

    hosts: Mapping[str, Mapping[str, Value]]
    groups: Mapping[str, Group]


def view(inventory: Inventory, division: str | None = None) -> View:
    """What Ansible is told.

    Args:
        inventory: the whole deployment: tiers are counted over all of it, so that a subtree's are the same.
        division: code of 2, 4, 6, 9 or 12 characters; only the devices of sites in this subtree. None means all.

    Raises:
        KeyError: there is no such division.
        InventoryError: the profiles in the inventory's folder cannot be used.
    """
    nodes = inventory.nodes
    root = 0 if division is None else nodes.find(division)
    divisions = _division_groups(nodes, root)

    members: dict[str, list[str]] = {name: [] for name in (*CLASSES.values(), PARTNER, *divisions.values())}
    children: dict[str, list[str]] = {}
    for node, name in divisions.items():
        if node != root and name != (above := divisions[nodes.parents[node]]):
            children.setdefault(above, []).append(name)
    platforms = _names("platform", (one.platform or _NO_PLATFORM for one in inventory.profiles.values()))
    vendors = _names("vendor", (model.vendor.lower() for model in inventory.models.values()))
    below = _names("below", (inventory.devices[above].id for above in _routers_above(inventory)))
    carriers = _names("carrier", inventory.county.carriers)

    hosts: dict[str, dict[str, Value]] = {}
    first, last = inventory.sites.span(root)
    for site, tier in zip(range(first, last), _tiers(inventory, range(first, last)), strict=True):
        devices = inventory.devices.of(site)
        if not devices:
            continue
        link = inventory.link(site)
        at_site = [f"type_{inventory.sites.types[site]}"]
        if link is not None:
            at_site += [carriers[link.carrier], f"link_{link.link_type}"]
        shared, here = _site_variables(inventory, site, link), divisions[int(inventory.sites.nodes[site])]
        has_router = bool(inventory.devices.routers(site))
        for device in devices:
            platform = inventory.profiles[device.profile].platform
            hosts[device.id] = {**_device_variables(inventory, device, platform), **shared}
            groups = [PARTNER]
            if device.monitored != PARTNER:
                own_tier = tier + (has_router and device.device_class is not DeviceClass.ROUTER)
                by_platform = platforms[platform or _NO_PLATFORM]
                groups = [CLASSES[device.device_class], by_platform, f"tier_{own_tier}", *at_site]
                groups += [vendors[device.vendor.lower()], f"role_{device.role.rstrip('0123456789')}"]
                groups += [below[inventory.devices[above].id] for above in device.uplinks]
            for name in (here, *groups):
                members.setdefault(name, []).append(device.id)
    return View(hosts, {name: Group(tuple(them), tuple(children.get(name, ()))) for name, them in members.items()})


def _routers_above(inventory: Inventory) -> set[int]:
    """Every router that something hangs on."""
    return {above for device in inventory.devices for above in device.uplinks}


def division_group(code: str) -> str:
    """``d_511825101`` for ``511825101000``: the code as short as it can be told, behind a letter."""
    cut = next((cut for cut in _CUTS if not code[cut:].strip("0")), len(code))
    return f"d_{code[:cut]}"


def _division_groups(nodes: Nodes, root: int) -> dict[int, str]:
    """For each division from ``root`` down the group of its devices: its own, or below townships that of the parent."""
    found: dict[int, str] = {}
    for node in range(root, nodes.ends[root]):
        own = node == root or nodes.levels[node] <= _TOWNSHIP
        found[node] = division_group(nodes.codes[node]) if own else found[nodes.parents[node]]
    return found


def _device_variables(inventory: Inventory, device: Device, platform: str | None) -> dict[str, Value]:
    # A kiosk alone, without a router of its site, hangs on the routers that its line leads to.
    above = device.uplinks or [
        router for uplink in inventory.site_uplinks(device.site) for router in inventory.devices.routers(uplink)
    ]
    variables: dict[str, Value] = {
        "cuntong_role": device.role,
        "cuntong_class": device.device_class.value,
        "cuntong_model": device.model,
        "cuntong_vendor": device.vendor,
        "cuntong_profile": device.profile,
        "cuntong_uplinks": [inventory.devices[ordinal].id for ordinal in above],
    }
    if device.address:
        variables["ansible_host"] = device.address
    if platform is not None and platform in NETWORK_OS:
        variables["ansible_network_os"] = NETWORK_OS[platform]
    kiosks = inventory.county.kiosks
    if device.device_class is DeviceClass.KIOSK and kiosks is not None:
        variables |= {"ansible_user": kiosks.login.user, "ansible_port": kiosks.login.port}
    return variables


def _site_variables(inventory: Inventory, site: int, link: Link | None) -> dict[str, Value]:
    return {
        "cuntong_site": inventory.sites.ids[site],
        "cuntong_site_name": inventory.sites.names[site],
        "cuntong_code": inventory.nodes.codes[int(inventory.sites.nodes[site])],
        "cuntong_lan": {zone: str(prefix) for zone, prefix in inventory.prefixes(site).items()},
        "cuntong_lan6": {f"{zone}_{vlan}": str(prefix) for (zone, vlan), prefix in inventory.prefixes6(site).items()},
        "cuntong_link": None
        if link is None
        else {
            "type": link.link_type,
            "carrier": link.carrier,
            "bandwidth_mbps": link.bandwidth_mbps,
            "circuit": link.circuit,
        },
    }


def _tiers(inventory: Inventory, sites: Iterable[int]) -> Iterator[int]:
    """The tier of each site's routers: 0 without a site above, else one more than the deepest above.

    The deepest and not the nearest: a site with two lines must come after both ends.
    """
    known: dict[int, int] = {}
    for site in sites:
        trail = [site]
        while trail:  # the laws refuse circles, so that this ends
            above = inventory.site_uplinks(trail[-1])
            unknown = [one for one in above if one not in known]
            if unknown:
                trail += unknown
            else:
                known[trail.pop()] = 1 + max((known[one] for one in above), default=-1)
        yield known[site]


def _legal(name: str) -> str:
    return re.sub(r"\W", "_", name, flags=re.ASCII)


def _names(kind: str, words: Iterable[str]) -> dict[str, str]:
    """A legal group name for each word; words that differ never share one, be it ``a-b`` and ``a_b``."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for word in sorted(set(words), key=lambda word: (_legal(word) != word, word)):
        name = stem = _legal(f"{kind}_{word}")
        again = 1
        while name in taken:
            again += 1
            name = f"{stem}_{again}"
        taken.add(name)
        names[word] = name
    return names
