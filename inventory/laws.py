"""Laws across files: what no single line can show to be wrong, and what is merely worth a look (findings)."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from inventory.compiling import Compilation
from inventory.county import County
from inventory.declared import did_you_mean, none_of
from inventory.divisions import Nodes, full_code
from inventory.entries import TODO, LinkEntry, SiteEntry
from inventory.errors import Problem
from inventory.laws_addresses import check_lock, check_places, check_plan
from inventory.milestones import MilestoneFile
from inventory.reading_sites import MAIN, Row, inherit
from inventory.source import Source
from inventory.vocabulary import KINDS, DeviceClass, Requirement

_COUNTY = "county.yml"
_BUILT_IN = Path(__file__).parent / "profiles"


def check(compilation: Compilation, milestones: MilestoneFile) -> None:
    """Add every broken law to the compilation's problems."""
    source, county = compilation.source, compilation.county
    _check_catalogue(source, county)
    _check_credentials(source, county)
    _check_fitted(source, county)
    _check_milestones(source, county, compilation.nodes, milestones)
    _check_defaults(compilation)
    _check_entries(compilation)
    check_plan(source, county)
    check_lock(source, county, compilation.lock)
    check_places(compilation)


def profile_names(source: Source) -> set[str]:
    """Built-in profiles and those of the inventory's own folder."""
    own = {name[len("profiles/") :] for name in source.files if name.startswith("profiles/")}
    named = {Path(name).stem for name in own if name.endswith(".yml") and "/" not in name}
    return named | {path.stem for path in _BUILT_IN.glob("*.yml")}


def _check_catalogue(source: Source, county: County) -> None:
    profiles = profile_names(source)
    for name, model in county.models.items():
        if model.profile not in profiles:
            path = ("models", name, "profile")
            mend = did_you_mean(model.profile, sorted(profiles), f"Add it as profiles/{model.profile}.yml.")
            source.complain(_COUNTY, path, f"there is no profile {model.profile!r}.", mend)
    if county.service_level is not None and county.service_level not in county.service_levels:
        message = f"the service level {none_of(county.service_level, county.service_levels)}"
        mend = did_you_mean(county.service_level, county.service_levels, "Add it under service_levels.")
        source.complain(_COUNTY, ("service_level",), message, mend)
    for name, site_class in county.classes.items():
        for role, model_name in site_class.devices.items():
            if model_name not in county.models:
                slot = ("classes", name, "devices", role)
                mend = did_you_mean(model_name, county.models, "Add it under models.")
                source.complain(_COUNTY, slot, f"the model {none_of(model_name, county.models)}", mend)
        if site_class.standard is not None and site_class.standard not in county.standards:
            path = ("classes", name, "standard")
            mend = did_you_mean(site_class.standard, county.standards, "Add it under standards.")
            source.complain(_COUNTY, path, f"the standard {none_of(site_class.standard, county.standards)}", mend)
    for name, kinds in county.coverage.denominators.items():
        for i, kind in enumerate(kinds):
            if kind not in KINDS:
                at = ("coverage", "denominators", name, i)
                mend = did_you_mean(kind, KINDS, "Choose one of them.")
                source.complain(_COUNTY, at, f"the kind {none_of(kind, KINDS)}", mend)
    for kind in county.coverage.by_kind:
        if kind not in KINDS:
            mend = did_you_mean(kind, KINDS, "Choose one of them.")
            source.complain(_COUNTY, ("coverage", "by_kind", kind), f"the kind {none_of(kind, KINDS)}", mend)
    for name in county.coverage.needs:
        if name not in county.coverage.requirements:
            mend = did_you_mean(name, county.coverage.requirements, "Add it under requirements.")
            known = none_of(name, county.coverage.requirements)
            source.complain(_COUNTY, ("coverage", "needs", name), f"the requirement {known}", mend)
    for name, aspect in county.coverage.requirements.items():
        if aspect not in county.coverage.windows:
            mend = did_you_mean(aspect, county.coverage.windows, "Choose one of them.")
            path = ("coverage", "requirements", name)
            source.complain(_COUNTY, path, f"the aspect {none_of(aspect, county.coverage.windows)}", mend)


def _check_credentials(source: Source, county: County) -> None:
    """SNMP communities are allowed by waiver only (D19)."""
    waived = {waiver.what for waiver in county.waivers}
    for device_class, reference in county.credentials.items():
        if reference.startswith("community://") and "snmp_v2c" not in waived:
            path = ("credentials", device_class.value)
            mend = "Use a secret:// reference, or add a waiver with what: snmp_v2c."
            source.complain(_COUNTY, path, "an SNMP community needs a waiver.", mend)


def _check_fitted(source: Source, county: County) -> None:
    """Peripherals are fitted to kiosks of the catalogue."""
    kiosks = [name for name, model in county.models.items() if model.device_class is DeviceClass.KIOSK]
    for name in county.kiosks.fitted if county.kiosks is not None else ():
        if name not in kiosks:
            message = f"the kiosk model {none_of(name, kiosks)}"
            mend = did_you_mean(name, kiosks, "Name a kiosk of the catalogue.")
            source.complain(_COUNTY, ("kiosks", "fitted", name), message, mend)


def _check_milestones(source: Source, county: County, nodes: Nodes, milestones: MilestoneFile) -> None:
    file, seen = "milestones.yml", dict[str, int]()
    for i, milestone in enumerate(milestones.milestones):
        if milestone.id in seen:
            path = ("milestones", i, "id")
            source.complain(file, path, f"{milestone.id!r} is the id of two milestones.", "Rename one of them.")
        seen[milestone.id] = i
        scope, at = milestone.scope, ("milestones", i, "scope")
        denominators = county.coverage.denominators
        if scope.denominator is not None and scope.denominator not in denominators:
            mend = did_you_mean(scope.denominator, denominators, "Add it under coverage.denominators.")
            message = f"the denominator {none_of(scope.denominator, denominators)}"
            source.complain(file, (*at, "denominator"), message, mend)
        for n, kind in enumerate(scope.kinds):
            if kind not in KINDS:
                mend = did_you_mean(kind, KINDS, "Choose one of them.")
                source.complain(file, (*at, "kinds", n), f"the kind {none_of(kind, KINDS)}", mend)
        for n, quota in enumerate(milestone.quotas):
            if full_code(quota.division) not in nodes.index:
                at_quota = ("milestones", i, "quotas", n, "division")
                source.complain(file, at_quota, f"{quota.division} is not in the division list.", "Correct the code.")
        for name, codes in (("divisions", scope.divisions), ("except_divisions", scope.except_divisions)):
            for n, code in enumerate(codes):
                if full_code(code) not in nodes.index:
                    message = f"{code} is not in the division list."
                    source.complain(file, (*at, name, n), message, "Correct the code.")


def _check_defaults(compilation: Compilation) -> None:
    source, county = compilation.source, compilation.county
    documents = [(_COUNTY, county.defaults), *compilation.declared.own_defaults]
    for file, defaults in documents:
        if defaults.calendar is not None and defaults.calendar not in county.calendars:
            mend = did_you_mean(defaults.calendar, county.calendars, "Add it under calendars.")
            message = f"the calendar {none_of(defaults.calendar, county.calendars)}"
            source.complain(file, ("defaults", "calendar"), message, mend)
        if defaults.requirement is Requirement.EXEMPT and defaults.reason is None:
            path = ("defaults", "requirement")
            source.complain(file, path, "exempt sites need a reason.", "Add reason: in the same place.")


def _check_entries(compilation: Compilation) -> None:
    """Exceptions: what they refer to, and what must be unique in the county."""
    marks: dict[str, dict[str, tuple[Row, tuple[str | int, ...]]]] = {"serial": {}, "asset_no": {}, "circuit": {}}
    ids: dict[str, Row] = {}
    for at, row in enumerate(compilation.rows):
        entry = row.entry
        if entry is None:
            continue
        _check_references(compilation, row, entry)
        if entry.id is not None and ids.setdefault(entry.id, row) is not row:
            message = f"{entry.id!r} is the id of two sites, first at {_place(compilation, ids[entry.id])}."
            compilation.source.complain(row.file, (*row.path, "id"), message, "Give one of them another id.")
        for role, device in entry.devices.items():
            for what in ("serial", "asset_no"):
                value = getattr(device, what) if device is not None else None
                _unique(compilation, marks[what], what, value, row, (*row.path, "devices", role, what))
            if device is not None and device.second_path is not None and role not in compilation.wiring.roles_of[at]:
                path = (*row.path, "devices", role, "second_path")
                message = f"{role} is no router of {row.name}."
                compilation.source.complain(row.file, path, message, "Only routers have a second path: take it out.")
        if entry.link is not None:
            _unique(compilation, marks["circuit"], "circuit", entry.link.circuit, row, (*row.path, "link", "circuit"))
        for n, link in enumerate(entry.more_links):
            path = (*row.path, "more_links", n, "circuit")
            _unique(compilation, marks["circuit"], "circuit", link.circuit, row, path)


def _unique(
    compilation: Compilation,
    seen: dict[str, tuple[Row, tuple[str | int, ...]]],
    what: str,
    value: str | None,
    row: Row,
    path: tuple[str | int, ...],
) -> None:
    if value is None:
        return
    first = seen.setdefault(value, (row, path))
    if first[1] != path or first[0] is not row:
        at = f"{first[0].file}:{compilation.source.line(first[0].file, first[1])}"
        message = f"{what} {value!r} stands here a second time, first at {at}."
        compilation.source.complain(row.file, path, message, "Correct one of them.")


def _place(compilation: Compilation, row: Row) -> str:
    return f"{row.file}:{compilation.source.line(row.file, row.path)}"


def _check_references(compilation: Compilation, row: Row, entry: SiteEntry) -> None:
    source, county = compilation.source, compilation.county

    def known(word: str | None, choices: Iterable[str], what: str, path: tuple[str | int, ...], where: str) -> None:
        if word is not None and word not in choices:
            mend = did_you_mean(word, choices, f"Add it under {where} in county.yml.")
            source.complain(row.file, path, f"the {what} {none_of(word, choices)}", mend)

    known(entry.calendar, county.calendars, "calendar", (*row.path, "calendar"), "calendars")
    for role, device in entry.devices.items():
        path = (*row.path, "devices", role)
        has = county.classes[row.site_class].devices
        if device is None:
            if role not in has:
                source.complain(row.file, path, f"{row.site_class} has no {role} to drop.", "Remove this line.")
            continue
        known(device.model, county.models, "model", (*path, "model"), "models")
        known(device.calendar, county.calendars, "calendar", (*path, "calendar"), "calendars")
        if device.model is None and role not in has:
            mend = did_you_mean(role, has, "Write model: below it.")
            source.complain(row.file, path, f"{row.site_class} has no {role}, and no model is given.", mend)
    links = [(entry.link, (*row.path, "link"))] if entry.link is not None else []
    links += [(link, (*row.path, "more_links", n)) for n, link in enumerate(entry.more_links)]
    for link, path in links:
        known(link.carrier, county.carriers, "carrier", (*path, "carrier"), "carriers")
        known(link.service_level, county.service_levels, "service level", (*path, "service_level"), "service_levels")
        if link.contract_since and link.contract_until and link.contract_since > link.contract_until:
            source.complain(row.file, path, "the contract ends before it begins.", "Swap the two dates.")
        _check_former(compilation, row, link, path)
        if path[-1] != "link" and link.link_type is None:
            source.complain(row.file, path, "a further line needs its type.", "Add type:.")
    defaults = compilation.declared.defaults[row.defaults]
    if entry.requirement is Requirement.EXEMPT and inherit(entry, defaults, "reason") is None:
        source.complain(row.file, (*row.path, "requirement"), "an exempt site needs a reason.", "Add reason:.")


def _check_former(compilation: Compilation, row: Row, link: LinkEntry, path: tuple[str | int, ...]) -> None:
    """One line has one circuit at a time, so that each outage belongs to one contract."""
    source, county = compilation.source, compilation.county
    ended: date | None = None
    for n, one in enumerate(link.formerly):
        at = (*path, "formerly", n)
        if one.carrier not in county.carriers:
            mend = did_you_mean(one.carrier, county.carriers, "Add it under carriers.")
            source.complain(row.file, (*at, "carrier"), f"the carrier {none_of(one.carrier, county.carriers)}", mend)
        if one.service_level is not None and one.service_level not in county.service_levels:
            message = f"the service level {none_of(one.service_level, county.service_levels)}"
            mend = did_you_mean(one.service_level, county.service_levels, "Add it under service_levels.")
            source.complain(row.file, (*at, "service_level"), message, mend)
        if ended is not None and (one.contract_since is None or one.contract_since < ended):
            message = f"{one.circuit} begins before the circuit above it ended on {ended}."
            source.complain(row.file, at, message, "Write them in order, each from the day on which the last ended.")
        ended = one.contract_until
    if ended is not None and link.contract_since is not None and link.contract_since < ended:
        message = f"the contract begins before the former circuit ended on {ended}."
        source.complain(row.file, (*path, "contract_since"), message, "Correct one of the two dates.")


def findings(compilation: Compilation) -> list[Problem]:
    """Names outside the template, villages without a site, ranges and quotas missed, plans that ended."""
    found: list[Problem] = []
    _find_names(compilation, found)
    _find_todos(compilation, found)
    _find_gaps(compilation, found)
    _find_ranges(compilation, found)
    sites = compilation.lock.sites
    matched = bytearray(max((site.line for site in sites), default=0) + 1)
    for locked in compilation.locked:
        if locked is not None:
            matched[locked.line] = True
    gone = [site for site in sites if not site.retired and not matched[site.line]]
    for site in gone:
        mend = "If it is gone for good, run cuntong check DIR --allocate, which retires it."
        found.append(Problem("addresses.lock", site.line, "", f"{site.id} {site.name} is in no file of sites/.", mend))
    return found


def _note(compilation: Compilation, found: list[Problem], row: Row, step: str, message: str, mend: str) -> None:
    path = (*row.path, step) if step else row.path
    where = ".".join(map(str, path))
    found.append(Problem(row.file, compilation.source.line(row.file, path), where, message, mend))


def _find_names(compilation: Compilation, found: list[Problem]) -> None:
    for row in compilation.rows:
        if row.entry is None or (row.key != MAIN and row.rank == 2):
            continue
        name = row.entry.site_name
        official = compilation.template_name(row)
        if name is not None and name != official:
            message = f"{name!r} does not follow the template, which gives {official!r}."
            _note(compilation, found, row, "site_name", message, "Rename the site, or keep it as a local name.")


def _find_todos(compilation: Compilation, found: list[Problem]) -> None:
    """What a proposal could not tell."""
    for row in compilation.rows:
        if row.entry is not None and row.entry.note is not None and row.entry.note.startswith(TODO):
            _note(compilation, found, row, "note", row.entry.note + ".", "Write what is so, and remove the note.")


def _find_gaps(compilation: Compilation, found: list[Problem]) -> None:
    """Divisions without a site: they count in the denominator and can never be covered."""
    nodes, county = compilation.nodes, compilation.county
    counted = {kind for kinds in county.coverage.denominators.values() for kind in kinds}
    served = bytearray(len(nodes))
    for row in compilation.rows:
        if row.key == MAIN:
            served[row.node] = True
    lone = [i for i in range(len(nodes)) if nodes.levels[i] == 5 and nodes.kinds[i] in counted and not served[i]]
    for i in lone[:100]:
        message = f"{nodes.codes[i]} {nodes.names[i]} has no site; it counts as not built."
        found.append(Problem(county.divisions, 0, "", message, "Declare it under sites/, or exempt it with a reason."))
    if len(lone) > 100:
        message = f"{len(lone) - 100} further villages have no site."
        found.append(Problem(county.divisions, 0, "", message, "Declare them under sites/."))
    former_rows = compilation.tree.former
    held = {site.code for site in compilation.lock.sites if not site.retired} if former_rows else set()
    for former in former_rows:
        if former.level >= 4 and not former.successor and former.code not in nodes.index and former.code not in held:
            message = f"{former.code} {former.name} ended {former.until} without a successor."
            found.append(Problem(county.divisions, former.line, "successor", message, "Name the code that took over."))


def _find_ranges(compilation: Compilation, found: list[Problem]) -> None:
    rules, nodes = compilation.county.coverage, compilation.nodes
    kiosks = {str(site_type): span for site_type, span in rules.kiosks_per_site.items()}
    windows = {str(site_type): span for site_type, span in rules.windows_per_site.items()}
    central: Counter[int] = Counter()
    for i, row in enumerate(compilation.rows):
        if row.entry is not None and row.entry.central:
            central[nodes.parents[row.node]] += 1
        if row.site_type in kiosks and (row.entry is None or row.entry.host_site is None):
            count = sum(slot.device_class == "kiosk" for slot in compilation.wiring.slots_of[i])
            low, high = kiosks[row.site_type]
            exempt = row.entry is not None and row.entry.requirement is Requirement.EXEMPT
            if not low <= count <= high and not exempt:
                message = f"{count} kiosks, where {low} to {high} are meant."
                _note(compilation, found, row, "", message, "Add or move kiosks.")
        if row.entry is not None and row.entry.windows and row.site_type in windows:
            count, (low, high) = sum(row.entry.windows.values()), windows[row.site_type]
            if not low <= count <= high:
                message = f"{count} windows, where {low} to {high} are meant."
                _note(compilation, found, row, "windows", message, "Add or close windows.")
    if rules.central_per_township is not None:
        low, high = rules.central_per_township
        for node in range(len(nodes)):
            if nodes.levels[node] == 4 and not low <= central[node] <= high and nodes.children(node):
                message = f"{nodes.names[node]} has {central[node]} central villages, where {low} to {high} are meant."
                found.append(Problem("county.yml", 0, "coverage.central_per_township", message, "Flag or unflag some."))


def expired(county: County, today: date) -> list[str]:
    """Waivers whose time is over, for people to renew or to mend what they cover."""
    return [f"the waiver {waiver.what} ended on {waiver.until}" for waiver in county.waivers if waiver.until < today]
