"""Rows and lock into columns: order, ids, addresses, uplinks. What is missing in the lock becomes a demand."""

from collections.abc import Mapping, Sequence
from functools import cache, partial

from inventory.addresses import CENTER_LENGTH, SITE_LENGTH, Demand, Lock, LockedSite
from inventory.columns import Columns
from inventory.county import County
from inventory.divisions import Tree
from inventory.entries import SiteEntry
from inventory.milestones import MilestoneFile
from inventory.names import TEMPLATES, render
from inventory.reading_sites import MAIN, Row, Rows
from inventory.source import Source
from inventory.uplinks import Wiring

_NOT_OF_A_SITE = {"more", "villages", "site_type"}


class Compilation:
    """One inventory between its files and its columns."""

    def __init__(self, source: Source, county: County, tree: Tree, declared: Rows, lock: Lock) -> None:
        self.source, self.county, self.tree, self.lock = source, county, tree, lock
        self.nodes = tree.nodes
        self._templates = TEMPLATES | {str(site_type): text for site_type, text in county.names.items()}
        self.declared = declared
        self.rows = sorted(declared.rows, key=lambda row: row.node << 2 | row.rank)
        self._drop_twins()
        self.locked = self._match_lock()
        self.wiring = Wiring(source, county, tree.nodes, self.rows, cache(partial(_ids, self.rows, self.locked)))

    def _drop_twins(self) -> None:
        """A site declared twice is a problem; the first stays."""
        first: dict[tuple[str, str], Row] = {}  # of one division: the rows are in order
        node = -1
        kept: list[Row] = []
        for row in self.rows:
            if row.node != node:
                node = row.node
                first.clear()
            twin = first.setdefault((row.site_type, row.key), row)
            if twin is row:
                kept.append(row)
                continue
            code = f"{self.nodes.codes[row.node]} {row.name}"
            at = f"{twin.file}:{self.source.line(twin.file, twin.path)}"
            self.source.complain(row.file, row.path, f"{code} is declared twice, first at {at}.", "Keep one of them.")
        self.rows = kept

    def _match_lock(self) -> list[LockedSite | None]:
        by_code: dict[str, LockedSite] = {}
        further: dict[tuple[str, str, str], LockedSite] = {}  # most divisions have one site, and need no such key
        for site in self.lock.sites:
            if not site.retired and by_code.setdefault(site.code, site) is not site:
                further.setdefault(site.identity, site)
        by_id = {site.id: site for site in self.lock.sites} if any(r.entry and r.entry.id for r in self.rows) else {}
        codes = self.nodes.codes
        matched: list[LockedSite | None] = []
        for row in self.rows:
            identity = (codes[row.node], row.site_type, row.key)
            if row.entry is not None and row.entry.id is not None:
                named = by_id.get(row.entry.id)
                fits = named is not None and named.identity == identity and not named.retired
                matched.append(named if fits else None)
            else:
                found = by_code.get(identity[0])
                matched.append(found if found is not None and found.identity == identity else further.get(identity))
        return matched

    def missing(self) -> list[int]:
        """Positions that the lock does not serve: no line, no prefix, or a router without its addresses."""
        found = []
        as_found = {(one.site, one.role) for one in self.lock.held}
        for i, site in enumerate(self.locked):
            if site is None:
                found.append(i)
                continue
            if not self.wiring.slots_of[i]:
                continue
            if site.prefix in ("", "-"):
                found.append(i)
                continue
            roles = self.wiring.roles_of[i]
            if roles:
                links = self.wiring.routers_above(i)
                for role in roles:
                    held = site.routers.get(role)
                    if held is not None and (site.id, role) in as_found:
                        continue
                    if held is None or len(held[1]) < links:
                        found.append(i)
                        break
        return found

    def demands(self) -> list[Demand]:
        """What every site needs, in order."""
        return [self._demand(i) for i in range(len(self.rows))]

    def _demand(self, i: int) -> Demand:
        row, nodes = self.rows[i], self.nodes
        center = row.site_type in ("county_center", "township_center")
        length = (CENTER_LENGTH if center else SITE_LENGTH) if self.wiring.slots_of[i] else 0
        links = self.wiring.routers_above(i)
        block = row.node
        while nodes.levels[block] == 5:
            block = nodes.parents[block]
        return Demand(
            nodes.codes[row.node], row.site_type, row.key, row.name, self._id_parts(row),
            row.entry.id if row.entry else None, nodes.codes[block], length,
            tuple((role, links) for role in self.wiring.roles_of[i]),
        )  # fmt: skip

    def _id_parts(self, row: Row) -> tuple[str, ...]:
        """County slug, then township and village in pinyin, then the key."""
        # Only an allocation needs pinyin.
        from inventory.slugs import pinyin

        nodes = self.nodes
        line = [row.node, *nodes.ancestors(row.node)]
        county = next((n for n in line if nodes.levels[n] <= 3), line[-1])
        below = [pinyin(nodes.names[n]) for n in reversed(line) if nodes.levels[n] > 3 and n != county]
        key = () if row.key == MAIN else (row.key,)
        if row.site_type == "county_center" and not below:
            key = ("center",)
        return (self.slug_of(county), *below, *key)

    def slug_of(self, node: int) -> str:
        """The prefix of ids of a county: written for the top, written in its file, or its name's initials."""
        from inventory.slugs import initials

        if node == 0:
            return self.county.slug
        return self.declared.slugs.get(node) or initials(self.nodes.names[node])

    def columns(self, milestones: MilestoneFile) -> Columns:
        """Everything, once nothing is missing."""
        nodes, rows = self.nodes, self.rows
        columns = Columns(
            county=self.county.model_dump(mode="json", by_alias=True, exclude_unset=True),
            milestones=milestones.model_dump(mode="json", exclude_unset=True),
            defaults=[one.model_dump(mode="json", exclude_unset=True) for one in self.declared.defaults],
            node_codes=nodes.codes,
            node_names=nodes.names,
            node_levels=nodes.levels,
            node_kinds=nodes.kinds,
            node_parents=nodes.parents,
            node_since=nodes.since,
            former=[row._asdict() for row in self.tree.former],
            pools=self.lock.pools,
            ipv6=self.lock.ipv6,
            blocks=self.lock.blocks,
            mgmt={"loopbacks": self.lock.loopbacks, "p2p": self.lock.p2p},
            retired=[(s.prefix, s.column) for s in self.lock.sites if s.retired],
        )
        columns.held = [list(one[:7]) for one in self.lock.held]
        columns.site_nodes = [row.node for row in rows]
        columns.site_types = [row.site_type for row in rows]
        columns.site_keys = [row.key for row in rows]
        columns.site_classes = [row.site_class for row in rows]
        columns.site_links = [row.link_type for row in rows]
        columns.site_carriers = [row.carrier for row in rows]
        columns.site_defaults = [row.defaults for row in rows]
        columns.site_uplinks = self.wiring.uplinks
        columns.site_hosts = self.wiring.hosts
        columns.more_uplinks = {str(i): list(more) for i, more in self.wiring.more.items()}
        columns.site_names = [self.official_name(row) for row in rows]
        columns.entries = {str(i): dump_entry(row.entry) for i, row in enumerate(rows) if row.entry is not None}
        locked: Sequence[LockedSite] = [site for site in self.locked if site is not None]
        columns.site_ids = [site.id for site in locked]
        columns.site_prefixes = ["" if site.prefix == "-" else site.prefix for site in locked]
        columns.site_numbers = [site.number for site in locked]
        columns.site_routers = [site.column for site in locked]
        return columns

    def official_name(self, row: Row) -> str:
        """What people wrote, else what the operator's template gives; a further site is called as written."""
        if row.entry is not None and row.entry.site_name is not None:
            return row.entry.site_name
        return row.name if row.rank == 2 else self.template_name(row)

    def template_name(self, row: Row) -> str:
        return render(self._templates[row.site_type], row.name)


def _ids(rows: Sequence[Row], locked: Sequence[LockedSite | None]) -> Mapping[str, int]:
    """Positions by the ids of the lock, and by those that people write."""
    ids = {site.id: i for i, site in enumerate(locked) if site is not None}
    return ids | {row.entry.id: i for i, row in enumerate(rows) if row.entry is not None and row.entry.id}


def dump_entry(entry: SiteEntry) -> dict[str, object]:
    """An exception as the cache keeps it: only what was written."""
    return entry.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude=_NOT_OF_A_SITE)
