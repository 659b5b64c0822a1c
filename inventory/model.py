"""The inventory as programs see it: columns for many, views for one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from inventory import addresses
from inventory.calendars import Calendar
from inventory.circuits import FormerCircuit
from inventory.columns import Columns
from inventory.county import County, CoverageRules, Model, SiteClass, Standard, Waiver
from inventory.devices import Device, Devices
from inventory.division_history import History
from inventory.divisions import Division, Nodes, full_code
from inventory.entries import Defaults, InitialClaim, LinkEntry, Pilot, SiteEntry
from inventory.errors import Problem
from inventory.held import Held, lans, lines, of_columns
from inventory.milestones import Milestone, MilestoneFile
from inventory.reading_sites import inherit
from inventory.uplinks import places
from inventory.vocabulary import Claim as ClaimWord
from inventory.vocabulary import Requirement

if TYPE_CHECKING:
    from inventory.profiles import Profile


@dataclass(frozen=True, slots=True)
class Claim:
    """What was said of a site before the ledger began."""

    claim: ClaimWord
    on: date
    by: str
    proof: str


@dataclass(frozen=True, slots=True)
class Link:
    """A line of the e-government extranet from a site to the one above."""

    link_type: str
    carrier: str
    role: str
    circuit: str | None
    bandwidth_mbps: int | None
    origin: str
    original_owner: str | None
    conformance: str
    contract_since: date | None
    contract_until: date | None
    hotline: str | None
    service_level: str | None
    formerly: tuple[FormerCircuit, ...]
    uplink: int | None
    change: str | None


@dataclass(frozen=True, slots=True)
class Site:
    """Everything that the inventory says of one site. ``name`` is the official one, ``division`` as listed."""

    index: int
    id: str
    code: str
    division: str
    kind: str
    name: str
    label: str | None
    sign: str | None
    aliases: tuple[str, ...]
    type: str
    key: str
    site_class: str
    requirement: Requirement
    exempt_reason: str | None
    responsible: str | None
    cooperating: tuple[str, ...]
    contact: str | None
    windows: Mapping[str, int]
    tags: tuple[str, ...]
    service_calendar: str | None
    attachments: tuple[str, ...]
    opened: date | None
    open: bool | None
    online: bool | None
    central: bool
    central_since: date | None
    pilot: Pilot | None
    demonstration: bool
    formerly: str | None
    seal_no: str | None
    note: str | None
    host_site: str | None
    link: Link | None
    links: tuple[Link, ...]
    claims: tuple[Claim, ...]
    prefixes: Mapping[str, IPv4Network]
    number: int


class Sites:
    """Columns of the sites; position is depth-first order of their divisions."""

    def __init__(self, columns: Columns, nodes: Nodes) -> None:
        self.ids = columns.site_ids
        self.names = columns.site_names
        self.types = columns.site_types
        self.keys = columns.site_keys
        self.classes = columns.site_classes
        self.carriers = columns.site_carriers
        self.link_types = columns.site_links
        self.nodes: npt.NDArray[np.int32] = np.asarray(columns.site_nodes, dtype=np.int32)
        self.hosts: npt.NDArray[np.int32] = np.asarray(columns.site_hosts, dtype=np.int32)
        self.index = {site_id: i for i, site_id in enumerate(self.ids)}
        self._bounds: npt.NDArray[np.int64] = np.searchsorted(self.nodes, np.arange(len(nodes) + 1))
        self._ends = nodes.ends

    def __len__(self) -> int:
        return len(self.ids)

    def span(self, node: int) -> tuple[int, int]:
        """``[first, last)`` positions of the sites of a division and everything below it."""
        return int(self._bounds[node]), int(self._bounds[self._ends[node]])

    def between(self, start: int, end: int) -> tuple[int, int]:
        """``[first, last)`` positions of the sites of the divisions ``[start, end)``."""
        return int(self._bounds[start]), int(self._bounds[end])

    def own(self, node: int) -> range:
        """The positions of the sites that hang on this very division."""
        return range(int(self._bounds[node]), int(self._bounds[node + 1]))


class Inventory:
    """What should exist. Made by `inventory.loader.load`; never changed."""

    def __init__(self, folder: Path, content_hash: str, columns: Columns) -> None:
        self.folder = folder
        self.content_hash = content_hash
        self._columns = columns
        self.county = County.model_validate(columns.county)
        self.title = self.county.title
        self.nodes = Nodes(
            columns.node_codes, columns.node_names, columns.node_levels, columns.node_kinds, columns.node_parents,
            columns.node_since,
        )  # fmt: skip
        self.top = self.nodes.codes[0]
        self.sites = Sites(columns, self.nodes)
        self.devices = Devices(columns, self.county, self.sites.index)
        self._defaults = [Defaults.model_validate(one) for one in columns.defaults]
        self._default_claims = [_claims(one.claims) for one in self._defaults]
        self._entries: dict[int, SiteEntry] = {}
        self._kind_rules = self.county.coverage.by_kind
        self._bandwidth = {str(link_type): mbps for link_type, mbps in self.county.bandwidth_mbps.items()}

    @property
    def coverage_rules(self) -> CoverageRules:
        return self.county.coverage

    @property
    def waivers(self) -> tuple[Waiver, ...]:
        return self.county.waivers

    @property
    def calendars(self) -> dict[str, Calendar]:
        return self.county.calendars

    @property
    def standards(self) -> dict[str, Standard]:
        return self.county.standards

    @property
    def classes(self) -> dict[str, SiteClass]:
        return self.county.classes

    @property
    def models(self) -> dict[str, Model]:
        return self.county.models

    @cached_property
    def milestones(self) -> tuple[Milestone, ...]:
        return MilestoneFile.model_validate(self._columns.milestones).milestones

    @cached_property
    def former(self) -> tuple[Division, ...]:
        """Divisions that ended, with their successors."""
        return tuple(Division(**{**row, "adopts": ()}) for row in self._columns.former)

    @cached_property
    def history(self) -> History:
        """The division tree of any day, as far as the list tells it."""
        nodes = self.nodes
        above = ["" if parent < 0 else nodes.codes[parent] for parent in nodes.parents]
        columns = zip(nodes.codes, nodes.names, nodes.levels, above, nodes.kinds, nodes.since, strict=True)
        today = [
            Division(code, name, level, parent, kind, 0, since) for code, name, level, parent, kind, since in columns
        ]
        return History(self.county.divisions, (*today, *self.former), (), self.top)

    @cached_property
    def findings(self) -> tuple[Problem, ...]:
        """What is worth a look and no error, such as a name that does not follow the operator's template."""
        return tuple(Problem(**finding) for finding in self._columns.findings)

    @cached_property
    def profiles(self) -> "dict[str, Profile]":
        """Device profiles: the built-in ones, overridden by ``profiles/`` of the inventory."""
        # Read on first use: checking and coverage never need them.
        from inventory.profiles import load_profiles

        own = self.folder / "profiles"
        return load_profiles(own if own.is_dir() else None)

    def _entry(self, i: int) -> SiteEntry | None:
        raw = self._columns.entries.get(str(i)) if self._columns.entries else None
        if raw is None:
            return None
        entry = self._entries.get(i)
        if entry is None:
            entry = self._entries[i] = SiteEntry.model_validate(raw)
        return entry

    def _shared(self, i: int) -> tuple[SiteEntry | None, Defaults]:
        return self._entry(i), self._defaults[self._columns.site_defaults[i]]

    def requirement(self, i: int) -> Requirement:
        """Whether site ``i`` must be covered: by its own word, its file's, or that of the rules on its division."""
        said: Requirement | None = inherit(*self._shared(i), "requirement")
        if said is not None:
            return said
        rule = self._kind_rules.get(self.nodes.kinds[self._columns.site_nodes[i]])
        return Requirement.REQUIRED if rule is None else rule.requirement

    def exempt_reason(self, i: int) -> str | None:
        """Why site ``i`` is exempt or optional, in the words of whoever said so."""
        entry, defaults = self._shared(i)
        reason: str | None = inherit(entry, defaults, "reason")
        rule = self._kind_rules.get(self.nodes.kinds[self._columns.site_nodes[i]])
        return reason if reason is not None or rule is None else rule.reason

    def openness(self, i: int) -> tuple[bool | None, date | None]:
        """Whether site ``i`` is declared open to the public (None: not said), and since when."""
        shared = self._shared(i)
        return inherit(*shared, "open"), inherit(*shared, "opened")

    def calendar_name(self, i: int) -> str | None:
        """The service calendar of site ``i``; None where none is promised."""
        name: str | None = inherit(*self._shared(i), "calendar")
        return name

    def central(self, i: int) -> bool:
        """Whether site ``i`` is flagged as a central village (中心村)."""
        entry = self._entry(i)
        return entry is not None and entry.central

    def pilot(self, i: int) -> Pilot | None:
        """Whose pilot (试点) site ``i`` is; None where it is nobody's."""
        entry = self._entry(i)
        return entry.pilot if entry is not None else None

    def pilots(self) -> dict[int, Pilot]:
        """The sites that are flagged as pilots (试点)."""
        flagged = ((int(i), self._entry(int(i))) for i, raw in self._columns.entries.items() if raw.get("pilot"))
        return {i: entry.pilot for i, entry in flagged if entry is not None and entry.pilot is not None}

    def formerly(self) -> dict[str, int]:
        """Division of the past to the site that stands for it: a station of a township, a point of a village."""
        told = self._columns.entries.items()
        return {full_code(str(raw["formerly"])): int(i) for i, raw in told if raw.get("formerly")}

    def claims(self, i: int) -> tuple[Claim, ...]:
        """Initial claims of site ``i``, in the order written."""
        entry = self._entry(i)
        if entry is not None and entry.claims is not None:
            return _claims(entry.claims)
        return self._default_claims[self._columns.site_defaults[i]]

    def site_uplinks(self, i: int) -> tuple[int, ...]:
        """Positions of the sites above site ``i`` in the uplink tree; a guest's is its host."""
        host = self._columns.site_hosts[i]
        return (host,) if host >= 0 else self.devices.site_uplinks(i)

    def link(self, i: int) -> Link | None:
        """The main line of site ``i``; None for a guest (the host's line is counted once) or without equipment."""
        links = self.links(i)
        return links[0] if links else None

    def links(self, i: int) -> tuple[Link, ...]:
        """Every line of site ``i``, the main one first."""
        columns = self._columns
        if columns.site_hosts[i] >= 0 or columns.site_links[i] == "-":
            return ()
        entry = self._entry(i)
        above = self.devices.site_uplinks(i)
        own = entry.link if entry is not None and entry.link is not None else LinkEntry()
        more = entry.more_links if entry is not None else ()
        return tuple(self._link(i, one, above[n] if n < len(above) else None) for n, one in enumerate((own, *more)))

    def _link(self, i: int, own: LinkEntry, uplink: int | None) -> Link:
        link_type = own.link_type or self._columns.site_links[i]
        return Link(
            link_type=link_type,
            carrier=own.carrier or self._columns.site_carriers[i],
            role=own.role,
            circuit=own.circuit,
            bandwidth_mbps=own.bandwidth_mbps or self._bandwidth.get(link_type),
            origin=own.origin,
            original_owner=own.original_owner,
            conformance=own.conformance,
            contract_since=own.contract_since,
            contract_until=own.contract_until,
            hotline=own.hotline,
            service_level=own.service_level or self.county.service_level,
            formerly=own.formerly,
            uplink=uplink,
            change=own.change,
        )

    def prefixes(self, i: int) -> dict[str, IPv4Network]:
        """The prefix of site ``i`` in each zone; empty without equipment of its own."""
        pools, prefix = self._columns.pools, self._columns.site_prefixes[i]
        as_found = lans(self.held(i))
        if as_found:
            parallel = {zone: addresses.zone_prefix(pools, prefix, zone) for zone in pools}
            return {zone: net for zone in pools if (net := as_found.get(zone) or parallel[zone]) is not None}
        found = ((zone, addresses.zone_prefix(pools, prefix, zone)) for zone in pools)
        return {zone: prefix for zone, prefix in found if prefix is not None}

    @cached_property
    def _held(self) -> Mapping[str, tuple[Held, ...]]:
        found: dict[str, tuple[Held, ...]] = {}
        for one in self._columns.held:
            found[one[0]] = (*found.get(one[0], ()), of_columns(one))
        return found

    def held(self, i: int) -> tuple[Held, ...]:
        """The addresses that the routers of site ``i`` were found with; empty where none was adopted."""
        return self._held.get(self._columns.site_ids[i], ()) if self._columns.held else ()

    def prefixes6(self, i: int) -> dict[tuple[str, str], IPv6Network]:
        """The /64 of each zone and VLAN of site ``i``; empty where the plan has no IPv6."""
        number = self._columns.site_numbers[i]
        if not self._columns.ipv6 or number < 0:
            return {}
        prefix = IPv6Network(self._columns.ipv6[0])
        return {
            (zone, vlan): addresses.subnet6(prefix, n, number, tag)
            for n, zone in enumerate(self._columns.pools, 1)
            for vlan, tag in addresses.VLANS.items()
        }

    @property
    def columns(self) -> Columns:
        """The compiled columns, for modules of this package that count over all of them."""
        return self._columns

    def p2p(self, ordinal: int) -> tuple[tuple[int, IPv4Network], ...]:
        """For a router: each router above it and the /30 between the two, the main line's first."""
        device = self.devices[ordinal]
        networks = self.line_networks(device)
        pairs = zip(device.uplinks, self.line_places(ordinal), strict=False)  # a terminal has no lines
        return tuple((above, networks[place]) for above, place in pairs if place < len(networks))

    def line_networks(self, device: Device) -> tuple[IPv4Network, ...]:
        """The /30 of each place that a router has or had a line at, those that are free now among them."""
        as_found = self.held(device.site)
        if as_found and any(one.role == device.role for one in as_found):
            return lines(as_found, device.role)
        held = addresses.parse_routers(self._columns.site_routers[device.site]).get(device.role)
        networks = held[1] if held else ()
        return tuple(IPv4Network(f"{network}/{addresses.P2P_LENGTH}") for network in networks)

    def line_places(self, ordinal: int) -> tuple[int, ...]:
        """For a router and each router above it: at which of its ports for lines upward the line is, from 0."""
        site = self.devices.site_of(ordinal)
        if ordinal not in self.devices.routers(site):
            return ()
        entry = self._entry(site)
        told = () if entry is None else (entry.link, *entry.more_links)
        widths = [len(self.devices.routers(above)) for above in self.devices.site_uplinks(site)]
        starts = [None if n >= len(told) or (one := told[n]) is None else one.place for n in range(len(widths))]
        return places(starts, widths)

    def site(self, i: int) -> Site:
        """Everything about site ``i``."""
        columns = self._columns
        entry, defaults = self._shared(i)
        node = columns.site_nodes[i]
        own = entry or SiteEntry()
        links = self.links(i)
        host = columns.site_hosts[i]
        return Site(
            index=i,
            id=columns.site_ids[i],
            code=self.nodes.codes[node],
            division=self.nodes.names[node],
            kind=self.nodes.kinds[node],
            name=columns.site_names[i],
            label=own.label,
            sign=own.sign,
            aliases=own.aliases,
            type=columns.site_types[i],
            key=columns.site_keys[i],
            site_class=columns.site_classes[i],
            requirement=self.requirement(i),
            exempt_reason=self.exempt_reason(i),
            responsible=inherit(entry, defaults, "responsible"),
            cooperating=inherit(entry, defaults, "cooperating") or (),
            contact=inherit(entry, defaults, "contact"),
            windows=own.windows,
            tags=inherit(entry, defaults, "tags") or (),
            service_calendar=self.calendar_name(i),
            attachments=inherit(entry, defaults, "attachments") or (),
            opened=inherit(entry, defaults, "opened"),
            open=inherit(entry, defaults, "open"),
            online=inherit(entry, defaults, "online"),
            central=own.central,
            central_since=own.central_since,
            pilot=own.pilot,
            demonstration=own.demonstration,
            formerly=full_code(own.formerly) if own.formerly else None,
            seal_no=own.seal_no,
            note=own.note,
            host_site=columns.site_ids[host] if host >= 0 else None,
            link=links[0] if links else None,
            links=links,
            claims=self.claims(i),
            prefixes=self.prefixes(i),
            number=columns.site_numbers[i],
        )


def _claims(entries: tuple[InitialClaim, ...] | None) -> tuple[Claim, ...]:
    return tuple(Claim(one.claim, one.on, one.by, one.proof) for one in entries or ())
