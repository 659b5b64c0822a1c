"""What the inventory would say of routers that are there already: sites, devices, models, addresses as they are.

Pure but for reading the folder. An adopted router is observed only (``managed: []``): its intended configuration is
empty, so that nothing is ever sent to it before a person takes a section over.
"""

import copy
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from typing import Any, Final

from collectors.matching import catalogue_entry
from cuntong.adopting.asking import Seen
from cuntong.adopting.places import Gazetteer, Place
from cuntong.changing.reach import PLATFORMS
from cuntong.errors import UsageError
from health.reading import Identity
from inventory import lockfile
from inventory.addresses import Lock, PlanFullError, allocate
from inventory.changes import Changes
from inventory.compiling import Compilation
from inventory.devices import slots_of_class
from inventory.editing import edit
from inventory.entries import TODO
from inventory.held import MGMT, Held, lans, twins
from inventory.loader import COUNTY, examine
from inventory.model import Inventory
from inventory.reading_sites import MAIN
from inventory.sheets.merging import Merging, Target
from inventory.source import Source
from inventory.vocabulary import DeviceClass
from rollout.adoption import Found, FoundAddress, find
from rollout.errors import RolloutError

CLASS: Final = "adopted"
_TITLE: Final = "已接管的现有设备 (found, not set up by us)"
_TYPES: Final = {5: "village_site", 4: "township_center", 3: "county_center", 2: "county_center", 1: "county_center"}
_ROLES: Final = {"county_center": "core", "township_center": "agg"}
KNOWN_HOSTS: Final = "known_hosts"


@dataclass(frozen=True)
class Adopted:
    """One router with its place. ``site`` and ``role`` make its id."""

    seen: Seen
    found: Found
    place: Place
    site: str
    role: str
    model: str

    @property
    def device(self) -> str:
        return f"{self.site}-{self.role}"


@dataclass(frozen=True)
class Proposal:
    """What would be written, and what was left out with the reason.

    Args:
        unknown: routers whose vendor we do not know: kept, and nothing of them is locked.
        unplaced: routers of which nothing tells the site.
        unread: addresses that gave no configuration.
    """

    changes: Changes
    adopted: tuple[Adopted, ...]
    unknown: tuple[Seen, ...]
    unplaced: tuple[tuple[Seen, Found], ...]
    unread: tuple[Seen, ...]


def propose(
    source: Source, inventory: Inventory, seen: Sequence[Seen], listed: Mapping[str, int], *, keep_keys: bool
) -> Proposal:
    """The proposal; nothing is written.

    Args:
        listed: divisions by hostname or address, as people listed them.
        keep_keys: put accepted host keys into ``known_hosts`` of the folder.

    Raises:
        UsageError: two devices claim one address, or the pools are full.
        InventoryError: the inventory would not follow its laws any more; every problem.
    """
    compilation = examine(source)
    gazetteer = Gazetteer(compilation.nodes)
    unknown, unread = [], []
    placed: list[tuple[Seen, Found, Place]] = []
    unplaced: list[tuple[Seen, Found]] = []
    for one in seen:
        if one.platform is None:
            unknown.append(one)
            continue
        try:
            found = find(one.platform, one.text or "")
        except RolloutError as error:
            unread.append(one if one.text is None else replace(one, said=str(error)))
            continue
        place = _declared(inventory, one, found) or gazetteer.place(_words(one, found), listed)
        if place is None:
            unplaced.append((one, found))
        else:
            placed.append((one, found, place))
    merging = Merging(source, compilation, [])
    given = _roles(inventory, compilation, merging, placed)
    models = {key: entry for _, _, key, entry in given.values() if entry is not None}
    for key, entry in models.items():
        ports = Counter(
            one.interface
            for seen_, found, _ in placed
            if given[seen_.address][2] == key
            for one in found.addresses
            if one.kind == "wan" and not one.vpn
        )
        if ports:
            entry["uplink_port"] = ports.most_common(1)[0][0]
    before, after = merging.files()
    county = _county(source, compilation, models, needs_class=any(t.row is None for t in merging.targets.values()))
    if county is not None:
        before[COUNTY], after[COUNTY] = source.files[COUNTY], county
    changed = Source(source.folder)
    changed.files.update(after)
    lock, adopted = _locked(examine(changed), placed, given)
    _one_owner(lock, adopted)
    old_lock, new_lock = source.files.get(lockfile.NAME), lockfile.render(lock)
    if adopted and new_lock != old_lock:
        after[lockfile.NAME] = new_lock
        if old_lock is not None:
            before[lockfile.NAME] = old_lock
    lines = "".join(f"{one.device} {one.seen.host_key}\n" for one in adopted if one.seen.host_key)
    if lines and keep_keys:
        path = source.folder / KNOWN_HOSTS
        if path.exists():
            before[KNOWN_HOSTS] = path.read_bytes()
        after[KNOWN_HOSTS] = before.get(KNOWN_HOSTS, b"") + lines.encode("ascii")
    _lawful(source, after)
    return Proposal(
        Changes(source.folder, before, after), tuple(adopted), tuple(unknown), tuple(unplaced), tuple(unread)
    )


def _lawful(source: Source, after: Mapping[str, bytes]) -> None:
    changed = Source(source.folder)
    changed.files.update({name: data for name, data in after.items() if name != KNOWN_HOSTS})
    examine(changed)


def _declared(inventory: Inventory, seen: Seen, found: Found) -> Place | None:
    """The site of a device that is declared already: by its address, its name or its serial number."""
    serial = seen.identity.serial if seen.identity is not None else None
    for name in (seen.device, found.hostname):
        try:
            return Place(int(inventory.sites.nodes[inventory.devices.find(name).site]), "declared") if name else None
        except KeyError:
            continue
    for device in inventory.devices if serial else ():
        if device.serial == serial:
            return Place(int(inventory.sites.nodes[device.site]), "serial")
    return None


def _words(seen: Seen, found: Found) -> list[str]:
    name = seen.identity.sys_name if seen.identity is not None else None
    said = [one.description for one in found.addresses if one.kind in ("lan", "loopback")]
    heads = [head for head in found.heads if " location " in head]
    return [seen.address, found.hostname, name or "", *said, *heads]


_Given = dict[str, tuple[str, str, str, dict[str, str] | None]]
"""By address: key of the site, role, model, and what the catalogue lacks of the model."""


def _roles(
    inventory: Inventory, compilation: Compilation, merging: Merging, placed: Iterable[tuple[Seen, Found, Place]]
) -> _Given:
    """A role and a model for each router, and the site's entry with both."""
    nodes, given = compilation.nodes, _Given()
    taken: dict[tuple[int, str], set[str]] = {}
    for seen, found, place in placed:
        key = _key_of(inventory, seen)
        row = merging.rows.get((place.node, key))
        target = merging.targets.setdefault(
            (place.node, key),
            Target(place.node, key, row, row.site_type if row else _TYPES[nodes.levels[place.node]],
                   row.name if row else nodes.names[place.node]),
        )  # fmt: skip
        if row is None and "class" not in target.words:
            target.words["class"] = CLASS
            _line_of(target, found, compilation)
        own = (
            {role: entry.model_dump() if entry else None for role, entry in row.entry.devices.items()}
            if (row is not None and row.entry is not None)
            else {}
        )
        slots = slots_of_class(compilation.county, row.site_class, own) if row is not None else ()
        used = taken.setdefault((place.node, key), set())
        declared = [slot.role for slot in slots if slot.device_class is DeviceClass.ROUTER]
        wanted = seen.device.rpartition("-")[2] if seen.device else ""
        stem = _ROLES.get(target.site_type, "cpe")
        free = [
            role for role in (wanted, *declared, *(f"{stem}{n}" for n in range(1, 10))) if role and role not in used
        ]
        role = free[0]
        used.add(role)
        profile = seen.identity.profile if seen.identity is not None else ""
        identity = seen.identity or Identity(profile=_profile_of(inventory, seen))
        if profile == "generic":
            identity = replace(identity, profile=_profile_of(inventory, seen))
        if identity.vendor is None:
            identity = replace(identity, vendor=inventory.profiles[identity.profile].vendor)
        now = next((slot.model for slot in slots if slot.role == role), None)
        model, entry = catalogue_entry(identity, DeviceClass.ROUTER, inventory, now)
        fields: dict[str, Any] = {} if now == model else {"model": model}
        if identity.serial and (own.get(role) or {}).get("serial") != identity.serial:
            fields["serial"] = identity.serial
        if (own.get(role) or {}).get("managed") is None:
            fields["managed"] = []
        if fields:
            target.devices[role] = fields
        given[seen.address] = (key, role, model, entry)
    return given


def _line_of(target: Target, found: Found, compilation: Compilation) -> None:
    """Link type and carrier of a new site where its router tells them; else the defaults' words, and a TODO."""
    known = {"link_type": found.link_type, "carrier": carrier_in(found.upward, compilation.county.carriers)}
    target.words |= {name: value for name, value in known.items() if value is not None}
    missing = [name for name, value in known.items() if value is None]
    if missing:
        target.fields["note"] = f"{TODO} {', '.join(missing)}: the router does not tell; the defaults stand here"


def carrier_in(said: Iterable[str], carriers: Mapping[str, str]) -> str | None:
    """The one carrier whose key or name (with or without 中国) stands in what was written at a line."""
    text = " ".join(said).lower()
    named = [
        key for key, title in carriers.items() if any(word in text for word in (key, title, title.removeprefix("中国")))
    ]
    return named[0] if len(named) == 1 else None


def _key_of(inventory: Inventory, seen: Seen) -> str:
    if not seen.device:
        return MAIN
    return inventory.sites.keys[inventory.devices.find(seen.device).site]


def _profile_of(inventory: Inventory, seen: Seen) -> str:
    """A profile for a router that SNMP did not tell: the catalogue's of this platform, else the first that has it."""
    names = [model.profile for model in inventory.models.values()] + list(inventory.profiles)
    for name in names:
        profile = inventory.profiles.get(name)
        if profile is not None and profile.platform and PLATFORMS.get(profile.platform) is seen.platform:
            return name
    return "generic"


def _county(
    source: Source, compilation: Compilation, models: Mapping[str, Mapping[str, str]], *, needs_class: bool
) -> bytes | None:
    """county.yml with the class and the models that are new; None where nothing is."""
    changes: dict[str, Any] = {}
    if models:
        changes["models"] = {key: dict(entry) for key, entry in models.items()}
    if needs_class and CLASS not in compilation.county.classes:
        changes["classes"] = {CLASS: {"title": _TITLE, "devices": {}}}
    return edit(COUNTY, source.files[COUNTY], changes) if changes else None


def _locked(
    compilation: Compilation, placed: Sequence[tuple[Seen, Found, Place]], given: _Given
) -> tuple[Lock, list[Adopted]]:
    """The lock with ids for new sites, and for each router its addresses as they are."""
    lock, nodes = copy.deepcopy(compilation.lock), compilation.nodes
    demands = compilation.demands()
    adopting = {(nodes.codes[place.node], given[seen.address][0]) for seen, _, place in placed}
    plain = [
        replace(one, length=0, routers=()) if (one.code, one.key) in adopting else one for one in demands
    ]  # fmt: skip
    try:
        # First the ids alone: what is found must not cost the pools anything.
        allocate(compilation.county.addresses, plain, lock)
        by_place = {(site.code, site.key): site for site in lock.sites if not site.retired}
        adopted: list[Adopted] = []
        for seen, found, place in placed:
            key, role, model, _ = given[seen.address]
            site = by_place[nodes.codes[place.node], key]
            lock.held = [one for one in lock.held if (one.site, one.role) != (site.id, role)]
            lock.held += _held(compilation, site.id, role, found)
            at = seen.address if not IPv4Address(seen.address).is_loopback else found.management
            site.give(role, at, ())
            adopted.append(Adopted(seen, found, place, site.id, role, model))
        _prefixes(lock, adopted)
        allocate(compilation.county.addresses, demands, lock)
    except PlanFullError as full:
        raise UsageError(f"{full}: add a pool to county.yml, then adopt again.") from None
    return lock, adopted


def _prefixes(lock: Lock, adopted: Iterable[Adopted]) -> None:
    sites = {one.site for one in adopted}
    own: dict[str, list[Held]] = {}
    for held in lock.held:
        own.setdefault(held.site, []).append(held)
    for site in lock.sites:
        if site.id in sites and (network := lans(own.get(site.id, ())).get(lock.first_zone)) is not None:
            site.prefix = str(network)


def _held(compilation: Compilation, site: str, role: str, found: Found) -> list[Held]:
    held = [
        Held(site, role, one.kind, _vrf(compilation, found, one), str(one.address), one.hop, one.interface)
        for one in found.addresses
    ]
    return list(dict.fromkeys(held))


def _vrf(compilation: Compilation, found: Found, one: FoundAddress) -> str:
    """The zone of a VRF by its name, its route distinguisher, or the VLAN of the plan; else its own name."""
    plan = compilation.county.addresses
    if not one.vpn:
        return next(iter(plan.zones)) if one.kind == "lan" else MGMT
    if one.vpn in plan.zones:
        return one.vpn
    network = compilation.county.network
    for zone, vpn in network.vpns.items() if network is not None else ():
        if zone in plan.zones and (found.vpns.get(one.vpn) == vpn.rd or (one.vlan == vpn.vlan)):
            return zone
    return f"vrf:{one.vpn}"


def _one_owner(lock: Lock, adopted: Sequence[Adopted]) -> None:
    """Refuse two devices with one address, in one line for each pair."""
    named = {one.device: one for one in adopted}
    said: dict[frozenset[str], str] = {}
    for first, second in twins(lock.held):
        pair = frozenset((first.device, second.device))
        told = " and ".join(
            f"{held.device} ({one.found.hostname} at {one.seen.address}, {held.interface})"
            if (one := named.get(held.device)) is not None
            else f"{held.device} ({held.interface}, in addresses.lock)"
            for held in (first, second)
        )
        address = second.address.partition("/")[0]
        said.setdefault(
            pair, f"{address} in the VRF {second.vrf} is claimed by {told}. Look at both, or leave one out: --except."
        )
    loopbacks: dict[str, str] = {}
    for site in lock.sites:
        for role, (address, _) in site.routers.items():
            owner = f"{site.id}-{role}"
            other = loopbacks.setdefault(address, owner)
            pair = frozenset((owner, other))
            if other != owner and pair not in said:
                said[pair] = f"{address} is the management address of {other} and of {owner}. Leave one out: --except."
    if said:
        raise UsageError("\n".join(said.values()))
