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
    4: re.compile(r"(?:acl(?: ipv4)?|access-class) (\S+) in(?:bound)?$"),
    6: re.compile(r"(?:acl ipv6|ipv6 access-class) (\S+) in(?:bound)?$"),
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


def admins(platform: Platform, root: Items) -> frozenset[str]:
    """Local users who may log in over SSH, as far as the configuration tells."""
    found: set[str] = set()
    if platform is Platform.VRP:
        services: dict[str, str] = {}
        aaa = root.get("§aaa")
        for line in _lines(aaa.items if aaa else None):
            if user := re.match(r"local-user (\S+) (?:service-type (.*)|password)", line.value):
                services[user[1]] = user[2] or services.get(user[1], "")
        found = {user for user, service in services.items() if "ssh" in service.split()}
    elif platform is Platform.COMWARE:
        for key, item in root.items():
            service = (item.items or {}).get("service-type") if key.startswith("§local-user ") else None
            if service is not None and "ssh" in service.members:
                found.add(item.meaning.header.split()[1])
    elif platform is Platform.RGOS:
        found = {
            user[1] for key, item in root.items() if (user := re.match(r"username (\S+)", key)) and not item.negative
        }
    return frozenset(found)
