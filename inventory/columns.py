"""The compiled inventory: nothing but lists of plain values, so that it goes into the cache as JSON and back.

Everything that is looked up by a program is derived from these columns by `inventory.model`.
"""

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from inventory.errors import Problem


@dataclass
class Columns:
    """One position in a ``site_*`` list is one site, in depth-first order of its division.

    Attributes:
        county, milestones: the documents as pydantic dumps them.
        defaults: merged defaults of each file; ``site_defaults`` points here.
        entries: exceptions of the few sites that have any, by position (as text, because JSON wants it).
        site_uplinks: position of the site above in the uplink tree, -1 for none.
        more_uplinks: further ones, for sites with several lines.
        site_hosts: position of the host site (合署), -1 for none.
        mgmt: pools of loopbacks and of p2p networks.
        retired: prefix and routers of sites that are gone, whose addresses stay reserved.
        held: addresses that routers were found with, as the columns of the lock file.
        site_prefixes: in the first zone, empty for none.
        site_routers: as in the lock file.
    """

    county: dict[str, Any]
    milestones: dict[str, Any]
    defaults: list[dict[str, Any]]
    node_codes: list[str]
    node_names: list[str]
    node_levels: list[int]
    node_kinds: list[str]
    node_parents: list[int]
    node_since: list[str]
    former: list[dict[str, Any]]
    pools: dict[str, list[str]]
    ipv6: list[str]
    blocks: list[tuple[str, str]]
    mgmt: dict[str, list[str]]
    retired: list[tuple[str, str]]
    site_ids: list[str] = field(default_factory=list)
    site_names: list[str] = field(default_factory=list)
    site_nodes: list[int] = field(default_factory=list)
    site_types: list[str] = field(default_factory=list)
    site_keys: list[str] = field(default_factory=list)
    site_classes: list[str] = field(default_factory=list)
    site_links: list[str] = field(default_factory=list)
    site_carriers: list[str] = field(default_factory=list)
    site_defaults: list[int] = field(default_factory=list)
    site_uplinks: list[int] = field(default_factory=list)
    site_hosts: list[int] = field(default_factory=list)
    site_prefixes: list[str] = field(default_factory=list)
    site_numbers: list[int] = field(default_factory=list)
    site_routers: list[str] = field(default_factory=list)
    more_uplinks: dict[str, list[int]] = field(default_factory=dict)
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    held: list[list[str]] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Plain values; the lists are shared, not copied."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Raises TypeError where fields are missing or strange, which a cache treats as absent."""
        columns = cls(**value)
        length = len(columns.site_ids)
        for f in fields(columns):
            if f.name.startswith("site_") and len(getattr(columns, f.name)) != length:
                raise TypeError(f"{f.name} has another length")
        return columns

    def add_findings(self, problems: list[Problem]) -> None:
        self.findings += [asdict(problem) for problem in sorted(problems)]
