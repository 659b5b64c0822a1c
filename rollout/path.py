"""What our session to a device depends on, read from its configuration: routes, interfaces, logins, access lists.

`Facts` follows a configuration while it changes (the lint asks it after every line), so it keeps what it read from
each root item and reads again only those that a line touched. Three answers everywhere: yes, no, and None where the
configuration cannot tell (an address by DHCP, a route by OSPF).
"""

import re
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, ip_address

from rollout.interfaces import ROUTE, Address, Interface, Route, interface_of, route_of
from rollout.platform import Platform
from rollout.tree import Item, Items

_PROCESSES = frozenset({"ospf", "ospf6", "bgp", "rip"})
_TRACK = re.compile(r" track (?:nqa (?P<test>\S+ \S+)|(?P<number>\d+))")
_PROBE = re.compile(r"nqa entry (?P<entry>\S+ \S+)|rns (?P<rns>\d+)")
_PROCESSES6 = frozenset({"ospf6", "bgp"})


class Facts:
    """The management path of one configuration, for one manager (None: whatever the default route leads to).

    Attributes:
        version: of IP that the session runs over: the manager's; without one that of the default route, IPv4 first.
    """

    def __init__(self, platform: Platform, root: Items, manager: Address | None) -> None:
        self.platform, self.root, self.manager = platform, root, manager
        self._interfaces: dict[str, Interface] = {}
        self._routes: dict[str, tuple[Route, ...]] = {}
        self._gone: dict[str, tuple[Route, ...]] = {}  # as they were before they changed last
        self._numbers: list[tuple[int, int]] | None = (
            None  # versions and addresses that the way to the manager leads over
        )
        self.learnt, self._vrf, self._first = "", "", ""
        self.refresh(tuple(root))
        self.version = manager.version if manager is not None else self._default_version()
        # What has to be said before IPv6 works at all (VRP) counts only where it was said: elsewhere it is not needed.
        self._says6 = frozenset(one.key for one in self._interfaces.values() if one.enabled6)
        self._root6 = self._has_root6()
        self._find_vrf()
        # Routing protocols count as a way to the manager only where nothing else was one from the start: a static
        # route that goes is a gap, even if OSPF may know the way as well.
        if self.reaches() is False and (processes := list(self._processes())):
            self.learnt = "carried" if any(True for one in processes for _ in self._carried(one)) else "process"

    def twin(self, root: Items) -> "Facts":
        """The facts of a copy of the same configuration, without reading it again."""
        other = Facts.__new__(Facts)
        other.platform, other.root, other.manager = self.platform, root, self.manager
        other._interfaces, other._routes = dict(self._interfaces), dict(self._routes)
        other._gone, other._numbers = {}, None
        other.version, other._says6, other._root6 = self.version, self._says6, self._root6
        other.learnt, other._vrf, other._first = self.learnt, self._vrf, self._first
        return other

    def _default_version(self) -> int:
        versions = {
            route.net.version for routes in self._routes.values() for route in routes if not route.net.prefixlen
        }
        return 6 if versions == {6} else 4

    def _has_root6(self) -> bool:
        item = self.root.get("ipv6")
        return item is not None and not item.negative

    def matters(self, keys: Iterable[str]) -> bool:
        """Whether a change of these root items may change the way to the manager: most routes lead elsewhere."""
        for key in keys:
            routes = (*self._routes.get(key, ()), *self._gone.get(key, ()))
            if not routes or not ROUTE.match(f"{key} "):
                self._numbers = None
                return True
            if any(self._interesting(route) for route in routes):
                self._numbers = None
                return True
        return False

    def _interesting(self, route: Route) -> bool:
        if self._numbers is None:
            wanted = [self.manager, *(one.destination for one in self._interfaces.values())]
            wanted += [other.hop for other in self.matching(self.manager)]
            self._numbers = [(address.version, int(address)) for address in wanted if address is not None]
        return not route.net.prefixlen or any(
            version == route.net.version and route.low <= number <= route.high for version, number in self._numbers
        )

    def refresh(self, keys: Iterable[str]) -> None:
        """Read these root items again; those that are gone are forgotten."""
        for key in keys:
            item = self.root.get(key)
            if key in self._routes:
                self._gone[key] = self._routes[key]
            if item is None or item.negative:
                self._interfaces.pop(key, None)
                self._routes.pop(key, None)
            elif item.kind == "interface":
                self._interfaces[key] = interface_of(self.platform, item)
            elif item.kind == "vrf":
                name = item.meaning.header.split()[-1]
                self._routes[key] = tuple(
                    route for inner in (item.items or {}).values() if (route := route_of(inner, key, name))
                )
            elif (route := route_of(item, key, "")) is not None:
                self._routes[key] = (route,)

    # --- where the manager is ---------------------------------------------------------------------------------------

    def _find_vrf(self) -> None:
        """The VRF that the manager is in: that of the interface that holds it, or of the best route to it."""
        for one in self._interfaces.values():
            if self.manager is not None and one.holds(self.manager):
                self._vrf, self._first = one.vrf, one.key
                return
        if routes := self.matching(self.manager):
            best = routes[0]
            self._vrf = best.vrf
            below = [
                one.key
                for one in self._interfaces.values()
                if one.key == best.exit or (best.hop and one.holds(best.hop) and one.vrf == best.vrf)
            ]
            self._first = below[0] if below else ""

    def reaches(self) -> bool | None:
        """Whether some route leads to the manager, over interfaces that are up; None where it cannot be told."""
        leads = self._leads(self.manager, set(), self._vrf)
        moved = self._interfaces.get(self._first)
        if leads is False and moved is not None and moved.vrf != self._vrf:
            return self._leads(self.manager, set(), moved.vrf)
        return leads

    def _leads(self, target: Address | None, seen: set[str], vrf: str | None) -> bool | None:
        best: bool | None = False
        version = self.version if target is None else target.version
        candidates = [one for one in self._interfaces.values() if vrf is None or one.vrf == vrf]
        for one in candidates:
            if target is not None and one.holds(target):
                return self._is_up(one, seen, version)
        for route in self.matching(target, vrf):
            if route.key in seen:
                continue
            if route.null:
                return best  # nothing shorter is asked any more
            leads = self._usable(route, seen | {route.key})
            if leads:
                return True
            best = None if leads is None else best
        if best is False and any(version in one.learns and self._is_up(one, seen, version) for one in candidates):
            return None
        if best is False and self._dynamic():
            return None
        return best

    def _usable(self, route: Route, seen: set[str]) -> bool | None:
        version = route.net.version
        if route.exit:
            one = self._interfaces.get(route.exit)
            if one is None:
                return False if route.exit.startswith("§") else None
            return self._is_up(one, seen, version)
        if route.hop is None:
            return None
        for one in self._interfaces.values():
            if one.vrf == route.vrf and one.holds(route.hop):
                return self._is_up(one, seen, version)
        if len(seen) > 4:
            return False
        if any(
            version in one.learns and one.vrf == route.vrf and self._is_up(one, seen, version)
            for one in self._interfaces.values()
        ):
            return None
        best: bool | None = False
        for other in self.matching(route.hop, route.vrf):
            if other.null or other.key in seen or not (other.net.prefixlen or route.net.prefixlen):
                continue
            leads = self._usable(other, seen | {other.key})
            if leads:
                return True
            best = None if leads is None else best
        return None if best is False and self._dynamic() else best

    def _is_up(self, one: Interface, seen: set[str], version: int) -> bool | None:
        if not one.up or one.key in seen:
            return False
        if version == 6 and ((one.key in self._says6 and not one.enabled6) or (self._root6 and not self._has_root6())):
            return False
        name = one.key.removeprefix("§interface ")
        if "." in name and (parent := self._interfaces.get("§interface " + name.split(".")[0])) and not parent.up:
            return False
        if (vlan := re.match(r"(?:vlanif|vlan-interface|vlan)(\d+)$", name)) and not self._has_vlan(vlan[1]):
            return False
        if one.bundle:
            dialers = [other for other in self._interfaces.values() if other.dials == one.bundle]
            if dialers and not any(other.up for other in dialers):
                return False
        if one.destination is not None:
            if one.source.startswith("§") and (below := self._interfaces.get(one.source)) and not below.up:
                return False
            return self._leads(one.destination, seen | {one.key}, None if one.vrf else "")
        return True

    def _has_vlan(self, vlan: str) -> bool:
        if vlan == "1" or f"§vlan {vlan}" in self.root:
            return True
        batch = self.root.get("vlan batch")
        # A device that lists no VLAN at all tells nothing about this one.
        lists = batch is not None or any(key.startswith("§vlan ") for key in self.root)
        return not lists or (batch is not None and vlan in batch.members)

    def _dynamic(self) -> bool:
        if not self.learnt:
            return False
        return any(self.learnt == "process" or any(one.up for one in self._carried(item)) for item in self._processes())

    def _processes(self) -> Iterator[Item]:
        """The routing processes that may know the way."""
        kinds = _PROCESSES if self.version == 4 else _PROCESSES6
        return (one for one in self.root.values() if one.kind in kinds and one.items and not one.negative)

    def matching(self, target: Address | None, vrf: str | None = None) -> list[Route]:
        """Routes to the target, the longest first; without a target the default routes."""
        number = -1 if target is None else int(target)
        version = self.version if target is None else target.version
        found = [
            route
            for routes in self._routes.values()
            for route in routes
            if (vrf is None or route.vrf == vrf)
            and route.net.version == version
            and (not route.net.prefixlen if target is None else route.low <= number <= route.high)
        ]
        return sorted(found, key=lambda route: (-route.net.prefixlen, route.null, route.vrf != ""))

    # --- what the path consists of ----------------------------------------------------------------------------------

    def path(self) -> frozenset[str]:
        """Keys of the root items that the session depends on, logins left out (they always do)."""
        keys: set[str] = set()
        self._walk(self.manager, keys, 0)
        for key in list(keys):
            item = self.root.get(key)
            if item is not None and item.items:
                for inner in item.items.values():
                    keys |= self._referred(inner)
            elif item is not None:
                keys |= self._tracked(item.value)
        return frozenset(keys)

    def _tracked(self, line: str) -> set[str]:
        """The probe that a route stands and falls with, and what runs it."""
        found = _TRACK.search(line)
        if found is None:
            return set()
        if found["test"]:
            return {f"§nqa test-instance {found['test']}"}
        keys: set[str] = set()
        for key, item in self.root.items():
            words = item.meaning.header or item.value
            track = re.match(rf"track {found['number']}(?: (.*))?$", words)
            if track is None:
                continue
            keys.add(key)
            said = [track[1] or "", item.args or "", *(line.value for line in (item.items or {}).values())]
            for probe in filter(None, map(_PROBE.search, said)):
                keys |= (
                    {f"§nqa entry {probe['entry']}", f"nqa schedule {probe['entry']}"}
                    if probe["entry"]
                    else {f"§ip rns {probe['rns']}", f"ip rns schedule {probe['rns']}"}
                )
        return keys

    def _walk(self, target: Address | None, keys: set[str], depth: int) -> None:
        if depth > 4:
            return
        for one in self._interfaces.values():
            if target is not None and one.vrf == self._vrf and one.holds(target):
                self._take(one, keys, depth)
                return
        routes = self.matching(target, self._vrf)
        longest = routes[0].net.prefixlen if routes else None
        for route in routes:
            if route.net.prefixlen != longest:
                break
            keys.add(route.root)
            if route.exit in self._interfaces:
                self._take(self._interfaces[route.exit], keys, depth)
            elif route.hop is not None:
                below = [one for one in self._interfaces.values() if one.vrf == route.vrf and one.holds(route.hop)]
                learners = [other for other in self._interfaces.values() if route.net.version in other.learns]
                for carrier in below or learners:
                    self._take(carrier, keys, depth)
        if not routes:
            # Learnt: then every interface that may have learnt it, and what OSPF and BGP run over, belong to it.
            version = self.version if target is None else target.version
            for one in self._interfaces.values():
                if version in one.learns:
                    self._take(one, keys, depth)
            kinds = _PROCESSES if version == 4 else _PROCESSES6
            for key, item in self.root.items():
                if item.kind in kinds and item.items is not None:
                    keys.add(key)
                    for carried in self._carried(item):
                        self._take(carried, keys, depth)

    def _carried(self, process: Item) -> Iterator[Interface]:
        """Interfaces that a routing process has neighbours on."""
        quiet = {
            value.split("-interface ", 1)[1].replace(" ", "").lower()
            for value in _values(process)
            if value.startswith(("passive-interface ", "silent-interface "))
        }
        nets = [net for value in _values(process) if (net := _network(value)) is not None]
        peers = [
            peer
            for value in _values(process)
            if (found := _PEER.match(value)) and (peer := _peer(found[1])) is not None and peer.version == self.version
        ]
        for one in self._interfaces.values():
            name = one.key.removeprefix("§interface ")
            if name.startswith("lo"):  # a loopback carries nothing
                continue
            if name in quiet:
                continue
            item = self.root[one.key]
            runs = _RUNS_OSPF if self.version == 4 else _RUNS_OSPF6
            enabled = any(runs.match(value) for value in _values(item))
            within = any(address.ip in net for net in nets for address in one.addresses)
            peered = any(one.holds(peer) for peer in peers)
            if (process.kind == ("ospf" if self.version == 4 else "ospf6") and (enabled or within)) or peered:
                yield one

    def _take(self, one: Interface, keys: set[str], depth: int) -> None:
        if one.key in keys:
            return
        keys.add(one.key)
        name = one.key.removeprefix("§interface ")
        if "." in name:
            keys.add("§interface " + name.split(".")[0])
        if vlan := re.match(r"(?:vlanif|vlan-interface|vlan)(\d+)$", name):
            keys |= {"vlan batch", f"§vlan {vlan[1]}"}
            keys |= {key for key, item in self.root.items() if item.kind == "interface" and _carries(item, vlan[1])}
        if one.bundle:
            keys |= {other.key for other in self._interfaces.values() if other.dials == one.bundle}
            keys |= {"§dialer-rule"} | {key for key in self.root if key.startswith("dialer-group")}
        if one.source.startswith("§") and (source := self._interfaces.get(one.source)) is not None:
            self._take(source, keys, depth + 1)
        if one.destination is not None:
            self._walk(one.destination, keys, depth + 1)
        if one.vrf:
            keys |= {f"§{word} {one.vrf}" for word in ("ip vpn-instance", "vrf", "vrf definition", "ip vrf")}

    def _referred(self, line: Item) -> set[str]:
        """Root items that a line of a path's interface names: access lists, IPsec and QoS policies, and theirs."""
        keys: set[str] = set()
        if re.match(
            r"(?:ipv6 )?(?:traffic-filter|packet-filter|ip access-group|traffic-policy|qos apply|service-policy|nat )",
            line.value,
        ):
            version = 6 if "ipv6 " in line.value else 4
            keys |= {key for word in line.value.split() if (key := self.acl_key(word, version)) is not None}
        if re.match(r"(?:ipsec|crypto map|tunnel protection)", line.value):
            keys |= {
                key
                for key, item in self.root.items()
                if item.kind in ("ike", "ipsec", "ipsecpolicy", "isakmp", "cmap") or key.startswith("crypto isakmp key")
            }
            for key in list(keys):
                for inner in (self.root[key].items or {}).values():
                    if found := re.match(r"(?:security acl|match address) (?:name )?(\S+)", inner.value):
                        keys |= {acl} if (acl := self.acl_key(found[1])) is not None else set()
        return keys

    def acl_key(self, name: str, version: int = 4) -> str | None:
        """Key of the root item that is this access list, by number or by name; None where there is none."""
        if version == 6:
            keys = [f"§acl ipv6 {word}{name}" for word in ("", "number ", "name ", "basic ", "advanced ")]
            keys += [f"§ipv6 access-list {word}{name}" for word in ("", "extended ", "standard ")]
            return next((key for key in keys if key in self.root), None)
        for key in (
            f"§acl number {name}",
            f"§acl name {name}",
            f"§ip access-list standard {name}",
            f"§ip access-list extended {name}",
        ):
            if key in self.root:
                return key
        for key, item in self.root.items():
            if item.kind == "acl" and (item.args in (name, f"name {name}") or key.endswith(f" name {name}")):
                return key
        return None


_PEER = re.compile(r"(?:peer|neighbor) (\d+\.\d+\.\d+\.\d+|[0-9a-fA-F]*:[0-9a-fA-F:.]+) ")
_RUNS_OSPF = re.compile(r"(?:ip )?ospf (?:enable|\d+ area|area)")
_RUNS_OSPF6 = re.compile(r"ospfv3 \d+ area|ipv6 ospf6? (?:\d+ )?area")


def _peer(word: str) -> Address | None:
    try:
        return ip_address(word)
    except ValueError:
        return None


def _values(item: Item) -> Iterator[str]:
    for inner in (item.items or {}).values():
        if inner.negative:
            continue
        yield inner.value
        yield from _values(inner)


def _network(value: str) -> IPv4Network | None:
    found = re.match(r"network (\d+\.\d+\.\d+\.\d+)(?:/(\d+)| (\d+\.\d+\.\d+\.\d+|0))?(?!\S)", value)
    if found is None:
        return None
    try:
        return IPv4Network(f"{found[1]}/{found[2] or ('32' if found[3] in ('0', None) else found[3])}", strict=False)
    except ValueError:
        return None


def _carries(item: Item, vlan: str) -> bool:
    for line in (item.items or {}).values():
        if line.negative or "vlan" not in line.value:
            continue
        if vlan in line.members or re.search(rf"(?:default|access|pvid|native)(?: vlan)? {vlan}$", line.value):
            return True
        if re.search(rf"allowed vlan.*(?<!\d){vlan}(?!\d)", line.value):
            return True
    return False
