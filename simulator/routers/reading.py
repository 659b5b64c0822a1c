"""What a configuration means: who may log in, which addresses are there, whether the manager gets through.

A small network of one box: its ports, the neighbour at the other end of its line, and the manager somewhere behind
that neighbour. Static routes, OSPF towards the neighbour, VRFs, packet filters on the way in. Good enough to know
when a configuration cuts the branch it sits on; no router.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from simulator.routers import ciphers
from simulator.routers.language import Language
from simulator.routers.tree import Tree


@dataclass(frozen=True)
class Path:
    """How the manager reaches a box.

    Args:
        manager: its address.
        peers: the neighbour's addresses on the line, with their prefix lengths: a box reaches the neighbour from an
            address of its own in one of these networks.
        ports: names of the ports that the line may end in; empty for any.
        target: the box's management address, which some interface must have; None where it does not matter.
        ospf: whether the neighbour announces a way to the manager by OSPF.
    """

    manager: IPv4Address
    peers: tuple[IPv4Interface, ...]
    ports: tuple[str, ...] = ()
    target: IPv4Address | None = None
    ospf: bool = False


@dataclass(slots=True)
class Interface:
    name: str
    addresses: list[IPv4Interface] = field(default_factory=list)
    dynamic: bool = False
    down: bool = False
    vrf: str = ""
    filters: list[str] = field(default_factory=list)


class Reading:
    """One configuration, read. The tree must not change while this is in use."""

    def __init__(self, language: Language, tree: Tree) -> None:
        self._facts = language.facts
        self._tree = tree
        self.interfaces = list(self._interfaces())

    @property
    def users(self) -> dict[str, str | None]:
        """Local users to their sealed passwords; None for one that has none."""
        facts, found = self._facts, dict[str, str | None]()
        pattern = _compiled(facts.user)
        for line, below in (*self._tree.items(), *(self._tree.get("aaa") or Tree()).items()):
            match = pattern.match(line)
            if match is None:
                continue
            named = match.groupdict()
            if below is None:
                found[named["name"]] = named.get("secret")
            else:
                secret = next((one.split()[-1] for one in below if one.startswith("password ")), None)
                found[named["name"]] = secret
        return found

    def may_log_in(self, user: str) -> bool:
        """Whether a user of the configuration is allowed SSH."""
        allows = self._facts.user_allows.replace("{name}", re.escape(user))
        for line, below in (*self._tree.items(), *(self._tree.get("aaa") or Tree()).items()):
            match = re.match(self._facts.user, line)
            named = match.groupdict().get("name") if match else None
            if re.match(allows, line) or (named == user and below and any(re.match(allows, one) for one in below)):
                return True
        return False

    def accepts(self, user: str, password: str) -> bool:
        """Whether a login with this password is let in."""
        secret = self.users.get(user)
        if secret is None or not self.may_log_in(user):
            return False
        return (ciphers.opened(secret) or secret) == password

    @property
    def has_snmp(self) -> bool:
        """Whether an agent with a user or community is configured."""
        return any(re.match(self._facts.snmp, line) for line in self._tree)

    def has_lan(self, lines: Iterable[str]) -> bool:
        """Whether an interface that is neither loopback, tunnel nor one of these ports has an address."""
        lines = tuple(lines)
        quiet = _compiled(self._facts.quiet)
        return any(
            one.addresses and not one.down and not quiet.match(one.name) and _base(one.name) not in lines
            for one in self.interfaces
        )

    def serves_ssh(self, manager: IPv4Address | None) -> bool:
        """Whether a new session from the manager would be taken: server on, lines and their ACLs willing."""
        facts = self._facts
        if not any(re.match(facts.ssh, line) for line in self._tree):
            return False
        for line in self._tree:
            if (found := re.match(facts.global_acl, line)) and not self._permits(found[1], manager):
                return False
        lines = [below for line, below in self._tree.items() if below is not None and re.match(facts.vty, line)]
        if not lines:
            return False
        return any(self._takes(below, manager) for below in lines)

    def reaches(self, path: Path) -> bool:
        """Whether packets get from the manager to this box and back."""
        vrf = None
        if path.target is not None:
            owner = next((one for one in self.interfaces if self._has(one, path.target)), None)
            if owner is None:
                return False
            vrf = owner.vrf
        return any(self._leads(one, path) for one in self.interfaces if vrf in (None, one.vrf))

    def routes(self) -> Iterator[tuple[str, IPv4Network, str]]:
        """(VRF, destination, next hop or interface) of the static routes."""
        for line in self._tree:
            match = re.match(self._facts.route, line)
            if match is None:
                continue
            parts = match.groupdict()
            net = parts["net"] if parts.get("mask") is None else f"{parts['net']}/{parts['mask']}"
            try:
                network = IPv4Network(net, strict=False)
            except ValueError:
                continue
            yield parts.get("vrf") or "", network, parts.get("more") or parts["via"]

    def _takes(self, line: Tree, manager: IPv4Address | None) -> bool:
        facts = self._facts
        if any(re.match(facts.vty_refuses, one) for one in line):
            return False
        acls = [found[1] for one in line if (found := re.match(facts.vty_acl, one))]
        return all(self._permits(acl, manager) for acl in acls)

    def _has(self, interface: Interface, address: IPv4Address) -> bool:
        return not interface.down and any(one.ip == address for one in interface.addresses)

    def _leads(self, interface: Interface, path: Path) -> bool:
        if interface.down or not all(self._permits(acl, path.manager) for acl in interface.filters):
            return False
        if not interface.dynamic and path.ports and _base(interface.name) not in path.ports:
            return False
        if interface.dynamic:
            # The other end gives address and way; what carries the dialled line must be up.
            carriers = [one for one in self.interfaces if _base(one.name) in path.ports] if path.ports else []
            return not carriers or any(not one.down for one in carriers)
        base = next((one for one in self.interfaces if one.name == _base(interface.name)), None)
        if base is not None and base.down:
            return False
        for mine in interface.addresses:
            for peer in path.peers:
                if mine.network != peer.network or mine.ip == peer.ip:
                    continue
                if path.manager in mine.network or self._routed(interface, mine, peer, path):
                    return True
        return False

    def _routed(self, interface: Interface, mine: IPv4Interface, peer: IPv4Interface, path: Path) -> bool:
        fitting = [
            (net.prefixlen, via)
            for vrf, net, via in self.routes()
            if vrf == interface.vrf and path.manager in net and self._usable(interface.vrf, via)
        ]
        if fitting:
            longest = max(length for length, _ in fitting)
            return any(via in (str(peer.ip), interface.name) for length, via in fitting if length == longest)
        return path.ospf and self._speaks_ospf(mine)

    def _usable(self, vrf: str, via: str) -> bool:
        """Whether a next hop lies in a network that an interface is in; else the route is not in the table."""
        try:
            hop = IPv4Address(via)
        except ValueError:
            return any(one.name == via and not one.down for one in self.interfaces) or via.startswith(("NULL", "Null"))
        return any(
            hop in a.network for one in self.interfaces if one.vrf == vrf and not one.down for a in one.addresses
        )

    def _speaks_ospf(self, mine: IPv4Interface) -> bool:
        def covers(tree: Tree) -> bool:
            for line, below in tree.items():
                match = re.match(self._facts.network, line)
                if match is not None and _covers(match.groups(), mine.ip):
                    return True
                if below is not None and covers(below):
                    return True
            return False

        return any(
            below is not None and re.match(self._facts.ospf, line) and covers(below)
            for line, below in self._tree.items()
        )

    def _permits(self, acl: str, source: IPv4Address | None) -> bool:
        """Whether an access list lets a source in. A list that does not exist, or without rules, filters nothing."""
        if source is None:
            return True
        pattern = _compiled(self._facts.acl)
        for line, below in self._tree.items():
            found = pattern.match(line)
            if found is None or found[1] != acl or not below:
                continue
            rules = [match for one in below if (match := re.match(self._facts.rule, one))]
            for rule in sorted(rules, key=lambda one: int(one["number"])):
                if _matches(rule["rest"], source):
                    return rule["verb"] == "permit"
            return not rules
        return True

    def _interfaces(self) -> Iterator[Interface]:
        facts = self._facts
        for line, below in self._tree.items():
            found = re.match(facts.interface, line)
            if found is None or below is None:
                continue
            one = Interface(found[1])
            for inside in below:
                if match := re.match(facts.address, inside):
                    mask = match[2] if match.re.groups > 1 else None
                    try:
                        one.addresses.append(IPv4Interface(f"{match[1]}/{mask}" if mask else match[1]))
                    except ValueError:
                        continue
                elif re.match(facts.dynamic, inside):
                    one.dynamic = True
                elif re.match(facts.down, inside):
                    one.down = True
                elif match := re.match(facts.vrf, inside):
                    one.vrf = match[1]
                elif match := re.match(facts.filter, inside):
                    one.filters.append(match[1])
            yield one


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _base(name: str) -> str:
    """The port under a sub-interface."""
    return name.partition(".")[0]


def _covers(words: tuple[str | None, ...], address: IPv4Address) -> bool:
    """Whether ``network A WILDCARD`` or ``network A/LENGTH`` holds an address."""
    try:
        if len(words) == 1 or words[1] is None:
            return address in IPv4Network(words[0] or "", strict=False)
        wildcard = 0 if words[1] == "0" else int(IPv4Address(words[1]))
        return (int(address) ^ int(IPv4Address(words[0] or ""))) & ~wildcard & 0xFFFFFFFF == 0
    except ValueError:
        return False


def _matches(rest: str, source: IPv4Address) -> bool:
    """Whether the rest of a rule (`` source A WILDCARD``, `` A WILDCARD``, `` host A``, `` any``) means a source."""
    words = rest.split()
    if "source" in words:
        words = words[words.index("source") + 1 :]
    elif words and words[0] in ("ip", "tcp", "udp", "icmp"):
        words = words[1:]
        if not words:
            return True
    if not words or words[0] in ("any", "vpn-instance", "time-range", "counting", "logging"):
        return True
    if words[0] == "host":
        words = [*words[1:], "0"]
    if words[0] == "destination":
        return True
    wildcard = words[1] if len(words) > 1 and re.fullmatch(r"[\d.]+", words[1]) else "0"
    return _covers((words[0], wildcard), source)
