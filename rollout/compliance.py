"""The baseline: each item judged on what a router says, with the evidence (extranet.md section 6, B1 to B19).

What to look for is data, one document a standard, named and versioned; every result names both. An item that a
platform's rules do not cover, or that does not apply to a router, is n/a with its reason: never a silent pass.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rollout.errors import TemplateError
from rollout.facts import Facts
from rollout.platform import Platform
from rollout.running import redact

BUILT_IN: Final = Path(__file__).parent / "baseline" / "extranet.yml"
_DAY_S: Final = 86_400.0
_SEPARATOR: Final = " / "


class Mark(StrEnum):
    PASS = "pass"  # noqa: S105  a mark, not a secret
    FAIL = "fail"
    NOT_APPLICABLE = "n/a"


@dataclass(frozen=True, slots=True)
class Result:
    """One item on one router. ``evidence`` is the line that decided, or what is missing."""

    item: str
    title: str
    mark: Mark
    evidence: str


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a router besides its text.

    Attributes:
        saved: whether the saved configuration is the running one; None where the platform does not show it.
        backup_age_s: of its newest backup; None without any.
        version: of its software, as it says; None where it does not.
        approved: versions approved for its model; None where nothing was approved at all.
    """

    saved: bool | None
    backup_age_s: float | None
    version: str | None
    approved: Sequence[str] | None


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AtLeast(_Strict):
    count: Annotated[int, Field(gt=0)]
    of: str


class Sections(_Strict):
    heading: str
    hold: tuple[str, ...]


class Rule(_Strict):
    """What a platform's configuration must hold, and must not; ``cannot`` is why there is nothing to judge."""

    cannot: str | None = None
    all: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    at_least: AtLeast | None = None
    sections: Sections | None = None


class Item(_Strict):
    title: str
    zh: str
    vrp: Rule | None = None
    comware: Rule | None = None
    rgos: Rule | None = None
    frr: Rule | None = None
    computed: str | None = None
    needs: Literal["lan", "uplinks"] | None = None


class Baseline(_Strict):
    """One document: its name and version stand in every report."""

    name: str
    version: str
    title: str
    items: dict[str, Item]


def load_baseline(path: Path = BUILT_IN) -> Baseline:
    """A baseline document.

    Raises:
        TemplateError: it cannot be read or is none.
    """
    try:
        return Baseline.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise TemplateError(f"{path} is no baseline: {error}") from None


def judge(baseline: Baseline, platform: Platform, running: str, facts: Facts, known: Known) -> list[Result]:
    """Every item of the baseline on one router, in the document's order."""
    text = _Text(platform, running, facts)
    return [Result(name, item.title, *_judged(item, text, known)) for name, item in baseline.items.items()]


def _judged(item: Item, text: "_Text", known: Known) -> tuple[Mark, str]:
    if item.needs == "lan" and not text.facts.zones:
        return Mark.NOT_APPLICABLE, "no network of the site's own"
    if item.needs == "uplinks" and not text.facts.uplinks:
        return Mark.NOT_APPLICABLE, "no line upward"
    return _computed(item.computed, text, known) if item.computed else _ruled(item, text)


class _Text:
    """A configuration as lines with the path of sections before them; headings of uplinks are marked."""

    def __init__(self, platform: Platform, running: str, facts: Facts) -> None:
        self.platform, self.facts = platform, facts
        uplinks = {f"interface {uplink.port}" for uplink in facts.uplinks}
        self.sections: list[tuple[str, list[str]]] = []
        self.lines: list[str] = []
        path: list[tuple[int, str]] = []
        for line in redact(platform, running).splitlines():
            indent = len(line) - len(line.lstrip())
            path = [(depth, heading) for depth, heading in path if depth < indent]
            self.lines.append(_SEPARATOR.join([*(heading for _, heading in path), line.strip()]))
            path.append((indent, line.strip()))
            if not indent:
                self.sections.append((f"{line} (uplink)" if line in uplinks else line, []))
            elif self.sections:
                self.sections[-1][1].append(line.strip())

    def pattern(self, told: str) -> re.Pattern[str]:
        facts = self.facts
        words = {
            "hostname": facts.hostname,
            "location": facts.location,
            "user": facts.network.login.user,
            "manager_address": facts.managers[0].address,
            "manager_wildcard": facts.managers[0].wildcard,
        }
        for name, word in words.items():
            told = told.replace(f"{{{name}}}", re.escape(word))
        return re.compile(told)

    def first(self, told: str) -> str | None:
        pattern = self.pattern(told)
        return next((line for line in self.lines if pattern.fullmatch(line)), None)

    def bodies(self, told: str) -> Iterator[tuple[str, list[str]]]:
        pattern = self.pattern(told)
        return ((heading, body) for heading, body in self.sections if pattern.fullmatch(heading))


def _ruled(item: Item, text: _Text) -> tuple[Mark, str]:
    rule: Rule | None = getattr(item, text.platform.value)
    if rule is None:
        return Mark.NOT_APPLICABLE, f"no rule for {text.platform}"
    if rule.cannot is not None:
        return Mark.NOT_APPLICABLE, rule.cannot
    evidence = ""
    for told in rule.none:
        found = text.first(told)
        if found is not None:
            return Mark.FAIL, found
    for told in rule.all:
        found = text.first(told)
        if found is None:
            return Mark.FAIL, f"missing: {told}"
        evidence = evidence or found
    if rule.at_least is not None:
        pattern = text.pattern(rule.at_least.of)
        found_lines = [line for line in text.lines if pattern.fullmatch(line)]
        if len(found_lines) < rule.at_least.count:
            return Mark.FAIL, f"{len(found_lines)} of {rule.at_least.count}: {rule.at_least.of}"
        evidence = evidence or found_lines[0]
    if rule.sections is not None:
        bodies = list(text.bodies(rule.sections.heading))
        if not bodies:
            return Mark.FAIL, f"no section: {rule.sections.heading}"
        for heading, body in bodies:
            for told in rule.sections.hold:
                pattern = text.pattern(told)
                held = next((line for line in body if pattern.fullmatch(line)), None)
                if held is None:
                    return Mark.FAIL, f"{heading}: missing: {told}"
                evidence = evidence or f"{heading}{_SEPARATOR}{held}"
    return Mark.PASS, evidence


def _computed(name: str, text: _Text, known: Known) -> tuple[Mark, str]:
    check = _COMPUTED.get(name)
    if check is None:
        return Mark.NOT_APPLICABLE, f"this program has no check {name!r}"
    return check(text, known)


def _backup(_text: _Text, known: Known) -> tuple[Mark, str]:
    if known.backup_age_s is None:
        return Mark.FAIL, "no backup was ever taken"
    hours = f"the backup is {known.backup_age_s / 3600:.1f} hours old"
    if known.backup_age_s > _DAY_S:
        return Mark.FAIL, hours
    if known.saved is False:
        return Mark.FAIL, "saved and running configuration differ"
    return Mark.PASS, hours if known.saved else f"{hours}; this platform does not show what is saved"


def _firmware(_text: _Text, known: Known) -> tuple[Mark, str]:
    if known.approved is None:
        return Mark.NOT_APPLICABLE, "county.yml approves no versions for this model (network.firmware)"
    if known.version is None:
        return Mark.FAIL, "it does not say its version"
    approved = known.version in known.approved
    return (Mark.PASS if approved else Mark.FAIL), f"{known.version}; approved: {', '.join(known.approved)}"


def _unused_ports(text: _Text, _known: Known) -> tuple[Mark, str]:
    facts = text.facts
    used = {uplink.port for uplink in facts.uplinks} | set(facts.ports.lan)
    if facts.downlinks and facts.ports.downlink:
        used.add(facts.ports.downlink)
    closed = ("shutdown",)
    idle = []
    for heading, body in text.bodies(r"interface (?!lo|Loop|NULL|Vlan|VLAN|Tunnel|Dialer|Virtual).*"):
        port = heading.removeprefix("interface ").removesuffix(" (uplink)")
        if "." in port or port in used:
            continue
        if not any(line in closed for line in body):
            idle.append(port)
    return (Mark.FAIL, f"open though unused: {', '.join(idle)}") if idle else (Mark.PASS, "every other port is shut")


def _zones(text: _Text, _known: Known) -> tuple[Mark, str]:
    if text.platform is Platform.FRR:
        return Mark.NOT_APPLICABLE, "one routing table"
    if not text.facts.zones:
        return Mark.NOT_APPLICABLE, "no zones at this site"
    words = {"rgos": "ip vrf forwarding"}.get(text.platform.value, "ip binding vpn-instance")
    address_of = {zone.address: zone for zone in text.facts.zones}
    bound: set[str] = set()
    for heading, body in text.bodies("interface .*"):
        for line in body:
            parts = line.split()
            if parts[:2] == ["ip", "address"] and len(parts) > 2 and parts[2] in address_of:
                zone = address_of[parts[2]]
                if f"{words} {zone.name}" not in body:
                    return Mark.FAIL, f"{heading}: not bound to {zone.name}"
                bound.add(zone.name)
    missing = [zone.name for zone in text.facts.zones if zone.name not in bound]
    if missing:
        return Mark.FAIL, f"no interface has the address of {', '.join(missing)}"
    own = {zone.rd for zone in text.facts.zones}
    leak = re.compile(r".*(?:vpn-target|route-target) (?P<rts>[0-9: ]+)(?:import-extcommunity|both)?.*")
    for line in text.lines:
        found = leak.fullmatch(line)
        if found and any(rt not in own for rt in found["rts"].split()):
            return Mark.FAIL, line
    return Mark.PASS, ", ".join(sorted(bound))


def _edge(text: _Text, _known: Known) -> tuple[Mark, str]:
    """Every line upward filters what comes in by a list that ends in a denial of everything."""
    if text.platform is Platform.FRR:
        return Mark.NOT_APPLICABLE, "its packet filter is the system's"
    evidence = ""
    for uplink in text.facts.uplinks:
        heading = f"interface {uplink.port}"
        body = next((body for told, body in text.sections if told == f"{heading} (uplink)"), None)
        if body is None:
            return Mark.FAIL, f"no section: {heading}"
        bound = next((found for line in body if (found := _FILTER.fullmatch(line))), None)
        if bound is None:
            return Mark.FAIL, f"{heading}: nothing filters what comes in"
        name = bound["vrp"] or bound["comware"] or bound["rgos"]
        rules = next((body for told, body in text.sections if _names(told, name)), [])
        last = next((line for line in reversed(rules) if _PACKETS.match(line)), None)
        if last is None:  # a list that is not there, or empty, filters nothing
            return Mark.FAIL, f"{heading}: access list {name} has no rule"
        if not _DENIES_ALL.fullmatch(last):
            return Mark.FAIL, f"{heading}: access list {name} ends in: {last}"
        evidence = evidence or f"{heading}{_SEPARATOR}{bound[0]}: {last}"
    return Mark.PASS, evidence


_FILTER: Final = re.compile(
    r"traffic-filter inbound acl (?:name )?(?P<vrp>\S+)|packet-filter (?:name )?(?P<comware>\S+) inbound"
    r"|ip access-group (?P<rgos>\S+) in"
)
_PACKETS: Final = re.compile(r"(?:rule )?\d+ (?:permit|deny)")
_DENIES_ALL: Final = re.compile(
    r"(?:rule )?\d+ deny(?: ip)?(?: source any| any any| any)?(?: (?:logging|counting|log))*"
)


def _names(heading: str, name: str) -> bool:
    return heading.startswith(("acl ", "ip access-list ")) and name in heading.split()


def _second_default(text: _Text, _known: Known) -> tuple[Mark, str]:
    own = {uplink.peer for uplink in text.facts.uplinks}
    internet = any(uplink.link_type == "ipsec_inet" for uplink in text.facts.uplinks)
    default = re.compile(
        r"ip route(?:-static)? (?:(?:vpn-instance|vrf) \S+ )?0\.0\.0\.0(?:/0| 0\.0\.0\.0| 0) (?P<via>\S+).*"
    )
    for line in text.lines:
        found = default.fullmatch(line)
        if found and found["via"] not in own:
            return Mark.FAIL, line
        if not internet and re.fullmatch(
            r"interface .* / ip address (?:dhcp-alloc|dhcp|ppp-negotiate|negotiated)", line
        ):
            return Mark.FAIL, line
    return Mark.PASS, "every default route leads to an uplink of ours"


def _ipsec(text: _Text, _known: Known) -> tuple[Mark, str]:
    if not any(uplink.link_type == "ipsec_inet" for uplink in text.facts.uplinks):
        return Mark.NOT_APPLICABLE, "no line over the Internet"
    strong = next((line for line in text.lines if re.search(r"\bsm[234]\b", line)), None)
    if strong is None:
        return Mark.FAIL, "no SM2, SM3 or SM4 in its IPsec proposals"
    return Mark.PASS, strong


_COMPUTED: Final[Mapping[str, Callable[[_Text, Known], tuple[Mark, str]]]] = {
    "backup": _backup,
    "firmware": _firmware,
    "unused_ports": _unused_ports,
    "zones": _zones,
    "edge": _edge,
    "second_default": _second_default,
    "ipsec": _ipsec,
}


def version_of(platform: Platform, raw: str) -> str | None:
    """The software's version, from the head of a raw running configuration; None where it does not say.

    Sources: vendor-cli section 2, the lines that are noise to everybody else.
    """
    found = _VERSION[platform].search(raw)
    return found["version"].strip() if found else None


_VERSION: Final[Mapping[Platform, re.Pattern[str]]] = {
    Platform.VRP: re.compile(r"^\s*(?:\[|!Software Version )(?P<version>V\d{3}R\d{3}C\d+\w*)", re.MULTILINE),
    Platform.COMWARE: re.compile(r"^\s*version (?P<version>\d[\w.]*, (?:Release|ESS|Feature) \w+)", re.MULTILINE),
    Platform.RGOS: re.compile(r"^version (?P<version>.+)$", re.MULTILINE),
    Platform.FRR: re.compile(r"^frr version (?P<version>\S+)", re.MULTILINE),
}
