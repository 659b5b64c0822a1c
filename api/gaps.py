"""Gap lists and range findings of one division: what its sites lack, and what dissolved divisions left behind."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from api.milestones import facts_of
from api.standing import Snapshot, Standing
from health.gaps import Gap, Missing, SiteCard, of_dissolved, of_sites
from health.ranges import Fit, Range, RangeFinding, outside
from inventory.division_history import Became, Match, match
from inventory.model import Inventory
from inventory.names import TEMPLATES, render
from inventory.reading_sites import MAIN
from inventory.vocabulary import Requirement

_OWED: Final = {
    "township_center": ("router", "kiosk", "printer"),
    "township_station": ("router", "kiosk", "printer"),
    "village_site": ("router", "kiosk"),
}
"""Classes of devices that a site of a type is to have, unless the rules ask for none of a kind."""


@dataclass(frozen=True, slots=True)
class GapAnswer:
    """One gap: of a site by id and name, or of a division of the past (``site`` is empty then)."""

    kind: Gap
    site: str
    name: str
    code: str
    what: str


@dataclass(frozen=True, slots=True)
class RangeAnswer:
    """One division or site that has too few or too many of what a rule counts."""

    rule: str
    code: str
    name: str
    count: int
    low: int
    high: int
    fit: Fit


@dataclass(frozen=True, slots=True)
class RangeCounts:
    """How many sites are below, within and above a range."""

    short: int
    within: int
    over: int


def gaps_of(standing: Standing, snapshot: Snapshot, node: int = 0, since: date | None = None) -> list[GapAnswer]:
    """Every gap below a division of today.

    Args:
        since: also divisions that were dissolved after this day; None leaves them out.
    """
    inventory = standing.inventory
    low, high = inventory.sites.span(node)
    found: list[Missing] = list(of_sites(_card(standing, snapshot, site) for site in range(low, high)))
    if since is not None and node == 0:
        found += dissolved(inventory, since)
    return [_answer(standing, one) for one in found]


def dissolved(inventory: Inventory, since: date) -> list[Missing]:
    """Townships and villages that were there on ``since``, are dissolved today, and left no station or point."""
    ended = [one for one in matched_since(inventory, since) if one.became in (Became.MERGED, Became.NO_MATCH)]
    kept = set(inventory.formerly())
    return [
        gap
        for level in (4, 5)
        for gap in of_dissolved(level, ((one.old or "", one.old_name) for one in ended if one.level == level), kept)
    ]


def matched_since(inventory: Inventory, since: date) -> list[Match]:
    """What became of each township and village since a day: also the report of codes that do not match."""
    return match(inventory.history.nodes_on(since), inventory.nodes)


def _card(standing: Standing, snapshot: Snapshot, site: int) -> SiteCard:
    inventory = standing.inventory
    sites = inventory.sites
    facts = facts_of(standing, snapshot, site)
    kind = sites.types[site]
    main = sites.keys[site] == MAIN
    template = inventory.county.names.get(kind, TEMPLATES[kind])  # type: ignore[call-overload]
    division = inventory.nodes.names[int(sites.nodes[site])]
    online = standing.told(site, "online", snapshot)
    declared = inventory.site(site)
    items = standing.told(site, "failing_items", snapshot)
    required = inventory.requirement(site) is Requirement.REQUIRED
    return SiteCard(
        site=site,
        name=sites.names[site],
        official_name=render(template, division) if main else "",
        open=facts.open,
        online=declared.online if online is None else bool(online),
        rating="rating" in facts.told or "rating" in declared.tags or not required,
        owed=_OWED.get(kind, ()) if required and declared.host_site is None else (),
        has=facts.classes,
        failing_items=str(items).split(",") if items else (),
    )


def _answer(standing: Standing, one: Missing) -> GapAnswer:
    sites, nodes = standing.inventory.sites, standing.inventory.nodes
    if one.site is None:
        return GapAnswer(one.kind, "", one.what, one.division, "")
    code = nodes.codes[int(sites.nodes[one.site])]
    return GapAnswer(one.kind, sites.ids[one.site], sites.names[one.site], code, one.what)


def ranges_of(standing: Standing, snapshot: Snapshot, node: int = 0) -> list[RangeAnswer]:
    """Findings of the rules that are ranges: kiosks and windows per site, central villages per township."""
    rules, inventory = standing.inventory.coverage_rules, standing.inventory
    sites, nodes = inventory.sites, inventory.nodes
    found: list[RangeAnswer] = []

    def of_site(findings: Iterable[RangeFinding]) -> None:
        for one in findings:
            code = nodes.codes[int(sites.nodes[one.subject])]
            allowed = one.allowed
            found.append(
                RangeAnswer(one.rule, code, sites.names[one.subject], one.count, allowed.low, allowed.high, one.fit)
            )

    for kind, span in rules.kiosks_per_site.items():
        of_site(outside("kiosks", Range(*span), _kiosks(standing, node, kind)))
    for kind, span in rules.windows_per_site.items():
        of_site(outside("windows", Range(*span), _windows(standing, node, kind)))
    if rules.central_per_township is not None:
        allowed = Range(*rules.central_per_township)
        for one in outside("central_villages", allowed, central_counts(standing, snapshot, node)):
            place = one.subject
            found.append(
                RangeAnswer(
                    one.rule, nodes.codes[place], nodes.names[place], one.count, allowed.low, allowed.high, one.fit
                )
            )
    return found


def kiosk_fit(standing: Standing, node: int = 0) -> RangeCounts:
    """How many sites that owe kiosks have too few, as many as meant, and too many."""
    fits = Counter(
        Range(*span).fit(count)
        for kind, span in standing.inventory.coverage_rules.kiosks_per_site.items()
        for _, count in _kiosks(standing, node, kind)
    )
    return RangeCounts(fits[Fit.SHORT], fits[Fit.WITHIN], fits[Fit.OVER])


def _kiosks(standing: Standing, node: int, kind: str) -> list[tuple[int, int]]:
    """Site and number of kiosks, of every site of a type that must be covered and has its own equipment."""
    inventory = standing.inventory
    return [
        (site, sum(slot.device_class == "kiosk" for slot in inventory.devices.slots(site)))
        for site in range(*inventory.sites.span(node))
        if inventory.sites.types[site] == kind
        and inventory.sites.hosts[site] < 0
        and inventory.requirement(site) is Requirement.REQUIRED
    ]


def _windows(standing: Standing, node: int, kind: str) -> list[tuple[int, int]]:
    inventory = standing.inventory
    told = (
        (site, sum(inventory.site(site).windows.values()))
        for site in range(*inventory.sites.span(node))
        if inventory.sites.types[site] == kind
    )
    return [(site, count) for site, count in told if count]


def central_counts(standing: Standing, snapshot: Snapshot, node: int = 0) -> list[tuple[int, int]]:
    """Place in the tree of today and number of central villages, of every township that has villages."""
    nodes = standing.inventory.nodes
    sites = standing.inventory.sites
    counts = Counter(nodes.parents[int(sites.nodes[site])] for site in snapshot.subjects["central"][1].tolist())
    towns = (place for place in range(node, nodes.ends[node]) if nodes.levels[place] == 4)
    return [(place, counts[place]) for place in towns if nodes.children(place)]
