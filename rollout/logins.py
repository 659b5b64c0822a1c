"""Whether someone can still log in: SSH server, lines (VTY), access lists, users. Yes, no, or None: cannot be told."""

import re
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv6Network

from rollout.interfaces import Address
from rollout.path import Facts
from rollout.platform import Platform
from rollout.tree import Item, Items

_TTYS = ("§user-interface vty", "§line vty", "§line class vty")


def _lines(items: Items | None) -> Iterator[Item]:
    return (item for item in (items or {}).values() if not item.negative)


def ttys(root: Items) -> list[Item]:
    """The sections of remote lines: ``user-interface vty``, ``line vty``."""
    return [item for key, item in root.items() if key.startswith(_TTYS)]


def ssh_serves(platform: Platform, root: Items) -> bool | None:
    """Whether the SSH server is on, as far as the configuration says so."""
    keys = {
        Platform.VRP: ("stelnet server enable", "stelnet ipv4 server enable", "stelnet server"),
        Platform.COMWARE: ("ssh server enable",),
        Platform.RGOS: ("enable service ssh-server",),
        Platform.FRR: (),
    }[platform]
    for key in keys:
        if (item := root.get(key)) is not None:
            return not item.negative
    return None


def lines_take_ssh(remote: Sequence[Item]) -> bool | None:
    """Whether a remote line takes SSH; None where none says what it takes."""
    said = [
        line.value
        for tty in remote
        for line in _lines(tty.items)
        if re.match(r"(?:protocol inbound|transport input)", line.value)
    ]
    if not said:
        return None
    return any(re.search(r"(?:ssh|all)(?!\S)", value) for value in said)


def lines_ask(remote: Sequence[Item]) -> bool | None:
    """Whether a remote line says how it asks for a login; VRP and Comware refuse everybody on one that does not."""
    if not remote:
        return None
    return any(
        re.match(r"authentication-mode (?:aaa|scheme|password|none)|login(?: |$)", line.value)
        for tty in remote
        for line in _lines(tty.items)
    )


_GATES = {
    4: re.compile(r"(?:acl(?: ipv4)?(?: name)?|access-class) (\S+) in(?:bound)?$"),
    6: re.compile(r"(?:acl ipv6(?: name)?|ipv6 access-class) (\S+) in(?:bound)?$"),
}
_SSH_GATES = {4: "ssh server acl ", 6: "ssh server ipv6 acl "}


def gates(root: Items, remote: Sequence[Item] | None = None, version: int = 4) -> list[str]:
    """Names of the access lists that stand before every login over that version of IP."""
    names = [
        found[1]
        for tty in (ttys(root) if remote is None else remote)
        for line in _lines(tty.items)
        if (found := _GATES[version].match(line.value))
    ]
    start = _SSH_GATES[version]
    names += [
        item.value.split()[-1]
        for key, item in root.items()
        if key.startswith("ssh server ") and item.value.startswith(start) and not item.negative
    ]
    return list(dict.fromkeys(names))


def manager_may_enter(facts: Facts, remote: Sequence[Item] | None = None) -> bool | None:
    """Whether every access list before the login lets the manager in; None without a manager or a list."""
    if facts.manager is None:
        return None
    verdicts = [
        permits(item, facts.manager)
        for name in gates(facts.root, remote, facts.version)
        if (key := facts.acl_key(name, facts.version)) is not None and (item := facts.root.get(key)) is not None
    ]
    if not verdicts:
        return None
    return False not in verdicts


def filters_pass(platform: Platform, facts: Facts, path: Iterable[str]) -> bool | None:
    """Whether the packet filters on the path's interfaces let the manager's SSH in; None where there is none."""
    if facts.manager is None:
        return None
    verdict: bool | None = None
    for key in path:
        item = facts.root.get(key)
        for line in _lines(item.items if item is not None else None):
            found = (_FILTER if facts.version == 4 else _FILTER6).match(line.value)
            acl_key = facts.acl_key(found[1] or found[2], facts.version) if found is not None else None
            acl = facts.root.get(acl_key) if acl_key is not None else None
            if acl is None:
                continue
            # What no rule fits passes on VRP and Comware, and is dropped on RGOS.
            if permits(acl, facts.manager, otherwise=platform is not Platform.RGOS) is False:
                return False
            verdict = True
    return verdict


_FILTER = re.compile(
    r"(?:traffic-filter inbound acl (?:name )?(\S+)|(?:packet-filter|ip access-group) (?:name )?(\S+) in(?:bound)?)"
)


_FILTER6 = re.compile(
    r"(?:traffic-filter inbound ipv6 acl (?:name )?(\S+)|(?:packet-filter ipv6|ipv6 traffic-filter) (?:name )?(\S+) "
    r"in(?:bound)?)"
)


def permits(acl: Item, source: Address, *, otherwise: bool = False) -> bool | None:
    """What an access list says of SSH from an address: the first rule that fits decides, and at the end ``otherwise``.

    None where it has no rule at all: devices differ in what that means.
    """
    rules = sorted(_rules(acl), key=lambda rule: rule[0])
    if not rules:
        return None
    for _, action, rest in rules:
        if fits(rest, source):
            return action == "permit"
    return otherwise


def _rules(acl: Item) -> Iterator[tuple[int, str, str]]:
    for place, line in enumerate(_lines(acl.items)):
        found = re.match(r"(?:rule )?(?:(\d+) )?(?:name \S+ )?(permit|deny)(?: (.*))?$", line.value)
        if found is not None:
            yield int(found[1]) if found[1] else 1 << 20 | place, found[2], found[3] or ""


_NOT_TCP = frozenset({"udp", "icmp", "ospf", "gre", "esp", "ah", "igmp", "pim", "17", "1", "2", "47", "50", "51", "89"})


def fits(rest: str, source: Address) -> bool:
    """Whether a rule's condition holds for SSH from an address; one with a time range never does."""
    words = rest.split()
    if "time-range" in words or (words and words[0] in _NOT_TCP):
        return False
    port = re.search(r"(?:destination-port eq|\beq) (\S+)(?: established)?$", rest)
    if port is not None and "source-port" not in rest and port[1] not in ("22", "ssh"):
        return False
    if words and words[0] in ("ip", "ipv6", "tcp", "6"):
        words = words[1:]
    if "source" in words:
        words = words[words.index("source") + 1 :]
    elif words and words[0] not in ("any", "host") and not re.match(r"\d+\.|[\da-fA-F]*:", words[0]):
        return True  # it says nothing of the source
    if not words or words[0] == "any":
        return True
    if words[0] == "host":
        return len(words) > 1 and _within(words[1], "0" if source.version == 4 else "128", source)
    return _within(words[0], words[1] if len(words) > 1 else "0", source)


def _within(net: str, wildcard: str, source: Address) -> bool:
    """Whether the source is in ``10.1.0.0 0.0.255.255``, or in ``2001:db8::/32``, or in ``2001:db8:: 32``."""
    try:
        if ":" in net:
            length = "" if "/" in net else f"/{wildcard}" if wildcard.isdecimal() else "/128"
            return source in IPv6Network(f"{net}{length}", strict=False)
        if source.version != 4:
            return False
        base = int(IPv4Address(net))
        wild = int(IPv4Address(wildcard)) if "." in wildcard else 0
    except ValueError:
        return False
    return (int(source) | wild) == (base | wild)


_LOWEST_VRP_ADMIN = 3
_LOWEST_RGOS_ADMIN = 15
_READERS = re.compile(r"(?:network-operator|guest-manager|security-audit|level-(?:\d|1[0-4]))$")
_KEY_ONLY = re.compile(r"ssh user (\S+) .*?authentication-type (?!all|any|password$)\S+")


def admins(platform: Platform, root: Items) -> frozenset[str]:
    """Local users who may log in over SSH by their password and change the configuration, as far as it tells."""
    found: set[str] = set()
    if platform is Platform.VRP:
        services: dict[str, str] = {}
        weak: set[str] = set()
        aaa = root.get("§aaa")
        for line in _lines(aaa.items if aaa else None):
            if user := re.match(r"local-user (\S+) (?:service-type (.*)|password)", line.value):
                services[user[1]] = user[2] or services.get(user[1], "")
            if blocked := re.match(r"local-user (\S+) state block", line.value):
                weak.add(blocked[1])
            level = re.match(r"local-user (\S+) privilege level (\d+)", line.value)
            if level and int(level[2]) < _LOWEST_VRP_ADMIN:
                weak.add(level[1])
        found = {user for user, service in services.items() if "ssh" in service.split()} - weak
    elif platform is Platform.COMWARE:
        for key, item in root.items():
            service = (item.items or {}).get("service-type") if key.startswith("§local-user ") else None
            if service is not None and "ssh" in service.members and _administers(item):
                found.add(item.meaning.header.split()[1])
    elif platform is Platform.RGOS:
        enables = any(key.startswith("enable ") and not item.negative for key, item in root.items())
        for key, item in root.items():
            if (user := re.match(r"username (\S+)", key)) and not item.negative:
                level = re.search(r" privilege (\d+)", item.value)
                # Whoever logs in low goes on by `enable`, where that has a password.
                if enables or level is None or int(level[1]) >= _LOWEST_RGOS_ADMIN:
                    found.add(user[1])
    keyed = {user[1] for value in _ssh_lines(root) if (user := _KEY_ONLY.match(value))}
    return frozenset(found - keyed)


def _ssh_lines(root: Items) -> list[str]:
    return [item.value for key, item in root.items() if key.startswith("ssh ") and not item.negative]


def _administers(user: Item) -> bool:
    """Whether a Comware user is active and has a role that may change something; one of no known role may."""
    lines = [line.value for line in _lines(user.items)]
    if "state block" in lines:
        return False
    roles = [line.split()[-1] for line in lines if line.startswith("authorization-attribute user-role ")]
    return not roles or not all(map(_READERS.match, roles))


def asks_a_server_alone(platform: Platform, root: Items) -> str | None:
    """What of the configuration sends every login to a RADIUS or TACACS server and never asks the device itself."""
    if platform is Platform.VRP:
        aaa = (root["§aaa"].items if "§aaa" in root else None) or {}
        domain = aaa.get("§domain default_admin") or aaa.get("§domain default")
        chosen = [line.value.split()[-1] for line in _lines(domain.items if domain else None)
                  if line.value.startswith("authentication-scheme ")]  # fmt: skip
        scheme = aaa.get(f"§authentication-scheme {chosen[0] if chosen else 'default'}")
        asked = [line.value for line in _lines(scheme.items if scheme else None)]
    elif platform is Platform.COMWARE:
        chosen = [item.value.split()[-1] for item in _lines(root) if item.value.startswith("domain default enable ")]
        domain = root.get(f"§domain {chosen[0] if chosen else 'system'}")
        asked = [line.value for line in _lines(domain.items if domain else None)]
        asked = [one for one in asked if one.startswith("authentication login ")] or [
            one for one in asked if one.startswith("authentication default ")
        ]
    elif platform is Platform.RGOS:
        lists = {"default"} | {
            line.value.split()[-1] for tty in ttys(root) for line in _lines(tty.items)
            if line.value.startswith("login authentication ")
        }  # fmt: skip
        asked = [
            item.value for item in _lines(root)
            if (one := re.match(r"aaa authentication login (\S+) ", item.value)) and one[1] in lists
        ]  # fmt: skip
    else:
        asked = []
    serving = re.compile(r"(?:authentication-mode|authentication (?:login|default)|aaa authentication login \S+) (.*)")
    for line in asked:
        if (found := serving.match(line)) and not {"local", "none", "enable", "line"} & set(found[1].split()):
            return line
    return None


_FROM = re.compile(r"ssh server permit interface (.+)|ssh server-source -i (.+)")


def ssh_stays_away(root: Items, path: Iterable[str]) -> str | None:
    """The line that keeps the SSH server off the interfaces of our session; None where it answers there."""
    ways = {re.sub(r"\s", "", key.removeprefix("§interface ")).casefold() for key in path}
    limits = [(value, found) for value in _ssh_lines(root) if (found := _FROM.match(value))]
    if not ways or not limits:
        return None
    for _, found in limits:
        named = re.sub(r"\s", "", found[1] or found[2]).casefold()
        if named == "all" or named.startswith("loopback") or named in ways:
            return None
    return limits[0][0]
