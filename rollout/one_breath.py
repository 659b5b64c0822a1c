"""What a device wants in one breath: a running test that is stopped, VRRP that moves with its network, a bundle's port.

The ops of one section, as the difference found them line by line, come back as the device takes them.

- A probe (NQA, RNS) that runs takes no parameters: it is stopped, changed, and started as it was.
- A group of VRRP has addresses of its interface's network only, and goes with its last one: it leaves with the old
  network and comes whole with the new one.
- A port joins a bundle empty, and takes nothing of its own before it has left one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Interface, ip_address
from typing import Final

from rollout.ordering import ADD, DELETE, SWAP, Op, Where, in_order
from rollout.tree import Item, Items

PRIMARY: Final = "ip address"
BUNDLE: Final = re.compile(r"(?:eth-trunk|port link-aggregation group|port-group|aggregateport) \d+")
OWN: Final = re.compile(
    r"(?:ip|ipv6) address|ip (?:binding|vrf)|vrf forwarding|vrrp |dhcp (?:select|server|relay)|nat |ospf |dot1q |"
    r"traffic-(?:filter|policy)|packet-filter|ipsec|crypto map|pppoe-client|dialer"
)
"""What a port has of its own, and a member of a bundle has not."""
_VIP: Final = re.compile(r"vrrp vrid (\d+) virtual-ip (\S+)")
_GROUP: Final = re.compile(r"vrrp vrid (\d+) ")
_ADDRESS: Final = re.compile(r"ip address (\d+\.\d+\.\d+\.\d+) (\d+\.\d+\.\d+\.\d+|\d+)(?: sub)?$")
_ENTRY: Final = re.compile(r"(?P<a>nqa) entry (?P<id>.+)|(?P<b>ip rns) (?P<number>\d+)$")


@dataclass(frozen=True, slots=True)
class Section:
    """A section that changes: where its lines stand, and its lines before and after."""

    negation: str
    where: Where
    held: Items
    wanted: Items


def schedule_of(header: str) -> str:
    """The key of the root line that runs a probe; empty for a section that is none, or that starts itself."""
    found = _ENTRY.match(header)
    if found is None:
        return ""
    return f"nqa schedule {found['id']}" if found["a"] else f"ip rns schedule {found['number']}"


def starts_itself(items: Items) -> Item | None:
    """VRP's line in a test that runs it; None where the test rests."""
    start = items.get("start")
    return start if start is not None and not start.negative else None


def while_stopped(section: Section, ops: Sequence[Op]) -> list[Op]:
    """Ops on a test that starts itself, with a stop before and the start behind."""
    start = starts_itself(section.held)
    if start is None or not ops:
        return list(ops)
    stop, again = (section.where, f"{section.negation} start"), starts_itself(section.wanted)
    restart = [(section.where, again.text)] if again is not None else []
    steps = [step for op in in_order(ops) for step in op.steps if step != stop and step not in restart]
    return [Op(SWAP, ops[0].rank, [stop, *steps, *restart], ops[0].root)]


def while_unscheduled(negation: str, held: Item, wanted: Item | None, ops: Sequence[Op]) -> list[Op]:
    """Ops on a test that a root line runs: the line goes before, and comes behind (None: it does not come back)."""
    steps = [step for op in in_order(ops) for step in op.steps]
    back: list[tuple[Where, str]] = [((), wanted.text)] if wanted is not None and not wanted.negative else []
    return [Op(SWAP, ops[0].rank, [((), f"{negation} {held.meaning.taker}"), *steps, *back], ops[0].root)]


def with_its_network(section: Section, ops: Sequence[Op]) -> list[Op]:
    """Where an interface gets another network, the groups of VRRP whose addresses change go and come with it."""
    now, then = section.held.get(PRIMARY), section.wanted.get(PRIMARY)
    if now is None or then is None or now.negative or then.negative or now.value == then.value:
        return list(ops)
    before, after = _addresses(section.held), _addresses(section.wanted)
    moved = {group for group in before if before[group] != after.get(group, ())}
    if not moved:
        return list(ops)
    whole = {group for group in moved if not set(before[group]) & set(after.get(group, ()))}
    mine = [op for op in ops if all(_is_of(line, section.negation, moved) for _, line in op.steps)]
    if not any((section.where, then.text) in op.steps for op in mine):
        return list(ops)  # the address is part of something larger, such as another VRF, that brings all again
    steps = [
        (section.where, f"{section.negation} vrrp vrid {group} virtual-ip {address}")
        for group in sorted(moved, key=int)
        for address in before[group]
        if address not in after.get(group, ())
    ]
    steps.append((section.where, then.text))
    steps += [
        (section.where, item.text)
        for item in section.wanted.values()
        if not item.negative
        and (found := _GROUP.match(item.value))
        and found[1] in moved
        and (found[1] in whole or item.key not in section.held or section.held[item.key].value != item.value)
    ]
    kept = [step for op in mine for step in op.steps if _away_from(step[1], section.negation, whole, steps)]
    together = Op(SWAP, mine[0].rank, [*steps, *(step for step in kept if step not in steps)], mine[0].root)
    for op in mine:
        together.frees |= op.frees
        together.takes |= op.takes
    return [*(op for op in ops if op not in mine), together]


def as_a_port(section: Section, ops: Sequence[Op]) -> list[Op]:
    """Joining a bundle comes behind everything that empties the port; leaving one before everything that fills it."""
    joins = [op for op in ops if any(BUNDLE.fullmatch(line) for _, line in op.steps)]
    leaves = [op for op in ops if any(_undone(line, section.negation) for _, line in op.steps)]
    for op in joins:
        if any(other.phase == DELETE for other in ops if other is not op):
            op.phase = DELETE
    for op in leaves:
        if op not in joins and any(other.phase != DELETE for other in ops):
            op.phase = ADD
    rest = [op for op in ops if op not in joins and op not in leaves]
    return [*(op for op in leaves if op not in joins), *rest, *joins]


def vrrp_refused(line: str, said: Sequence[str]) -> str:
    """Why an interface that says ``said`` does not take a line of VRRP; empty where it does."""
    vip, group = _VIP.match(line), _GROUP.match(line)
    if vip is not None:
        nets = [IPv4Interface("/".join(found.groups())).network for one in said if (found := _ADDRESS.match(one))]
        if nets and not any(ip_address(vip[2]) in net for net in nets):
            return "its address lies outside the interface's networks"
    elif group is not None and not any(line.startswith(f"vrrp vrid {group[1]} virtual-ip") for line in said):
        return "the group has no address yet"
    return ""


def without_addresses(items: Items) -> list[str]:
    """Keys of lines of groups whose last address has gone: the group goes with it."""
    there = _addresses(items)
    return [key for key, item in items.items() if (group := _GROUP.match(item.value)) and group[1] not in there]


def _undone(line: str, negation: str) -> bool:
    words = line.removeprefix(f"{negation} ")
    return words != line and (BUNDLE.fullmatch(words) is not None or BUNDLE.fullmatch(f"{words} 0") is not None)


def _addresses(items: Items) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for item in items.values():
        if not item.negative and (vip := _VIP.match(item.value)):
            found[vip[1]] = (*found.get(vip[1], ()), vip[2])
    return found


def _is_of(line: str, negation: str, groups: set[str]) -> bool:
    words = line.removeprefix(f"{negation} ")
    group = _GROUP.match(f"{words} ")
    return (words.startswith(f"{PRIMARY} ") and not words.endswith(" sub")) or (
        group is not None and group[1] in groups
    )


def _away_from(line: str, negation: str, whole: set[str], steps: Sequence[tuple[Where, str]]) -> bool:
    """Lines of a group that stays which are taken back; those of one that goes whole go with it."""
    words = line.removeprefix(f"{negation} ")
    group = _GROUP.match(f"{words} ")
    return words != line and group is not None and group[1] not in whole and all(line != said for _, said in steps)
