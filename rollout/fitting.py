"""What is wanted, in the device's own terms: rule numbers, sets less some members, a rule that holds the door."""

import re
from collections.abc import Iterator
from ipaddress import IPv4Address

from rollout.interfaces import Address
from rollout.meaning import meaning_of
from rollout.platform import Platform
from rollout.rules.model import Mode
from rollout.tree import Item, Items


def less(platform: Platform, running: Items, target: Items) -> None:
    """``undo vlan batch 20`` in what is intended: the set that the device has, less its members."""
    for key, item in list(target.items()):
        if item.negative and item.mode is Mode.SET:
            positive = meaning_of(platform, "", item.text.partition(" ")[2])
            held = running.get(positive.key)
            del target[key]
            if held is not None and positive.key not in target:
                less = held.copy()
                less.members = tuple(one for one in held.members if one not in positive.members)
                target[positive.key] = less


def numbered(platform: Platform, wanted: Items, held: Items) -> Items:
    """Rules of an access list that carry no number get the one that the device gave, or will give, them."""
    bare = {re.sub(r"^rule \d+ ", "rule ", item.value): item for item in held.values()}
    used = [int(found[1]) for one in (wanted, held) for key in one if (found := re.match(r"rule (\d+)$", key))]
    numbered: Items = {}
    for key, item in wanted.items():
        if re.match(r"rule (?:permit|deny)", item.value) and not item.negative:
            same = bare.get(item.value)
            if same is not None:
                number = int(same.key.split()[1])
            else:
                number = (max(used, default=-5) // 5 + 1) * 5
                used.append(number)
            text = item.text.replace("rule ", f"rule {number} ", 1)
            meaning = meaning_of(platform, "acl", text)
            numbered[meaning.key] = Item(text, meaning, None)
        else:
            numbered[key] = item
    return numbered


def bridge(platform: Platform, now: Item, then: Item, manager: Address | None) -> tuple[str, str] | None:
    """A rule that holds the door while an access list changes, and what takes it back; None where there is no room.

    It lets the manager in, or, where nobody said who that is, a little more than the first permitting rule does:
    VRP and Comware refuse the same rule under a second number. For IPv6 there is none: how devices take such rules in
    and out was never seen, so the change is refused.
    """
    if manager is not None and manager.version != 4:
        return None
    rules = {
        int(found[1]): line.value
        for item in (then, now)
        for key, line in (item.items or {}).items()
        if (found := re.match(r"(?:rule )?(\d+)$", key))
    }
    basic = re.search(r"(?:number 2\d\d\d|standard \S+|basic .*|name \S+ 2\d\d\d)$", f"{now.key} {now.args}".strip())
    lowest = 0 if now.kind == "acl" else 1
    values = {line.value for item in (now, then) for line in (item.items or {}).values()}
    number = min(rules, default=lowest + 1) - 1
    if number < lowest:
        # Behind rules that permit there is room as well.
        number = next((n for n in range(lowest, max(rules) + 2) if n not in rules), lowest)
        if any(n < number and "deny" in value for n, value in rules.items()):
            return None
    for source in _sources(values, manager):
        if platform is Platform.RGOS:
            host = f"host {source[:-2]}" if source.endswith(" 0") else source
            text = f"{number} permit {host}" if basic else f"{number} permit ip {host} any"
        else:
            text = f"rule {number} permit {'' if basic else 'ip '}source {source}"
        tail = text.split(" permit ")[1]
        if not any(value.endswith(f"permit {tail}") for value in values):
            return text, text.split(" permit ")[0]
    return None


def _sources(values: set[str], manager: Address | None) -> Iterator[str]:
    """Sources (address and wildcard) that hold the manager, the narrowest first."""
    if manager is not None:
        yield from (f"{manager} {wildcard}" for wildcard in ("0", "0.0.0.1", "0.0.0.3"))
        return
    for value in sorted(values):
        found = re.search(r"permit (?:source )?(?:host )?(\d+\.\d+\.\d+\.\d+)(?: (\d+\.\d+\.\d+\.\d+|0))?$", value)
        if found is not None:
            wild = int(IPv4Address(found[2])) if found[2] and "." in found[2] else 0
            yield f"{found[1]} {IPv4Address(min(wild << 1 | 1, (1 << 32) - 1))}"
