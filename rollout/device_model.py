"""How a device takes configuration-mode lines, as far as we know it: small, and ours.

It enters sections and leaves them, puts a line in the place of the one that it replaces, adds members to sets and
takes them out, refuses what a device refuses, and forgets what a device forgets. Every plan is run through it before
anyone sees it: what it predicts has to be what was asked for, after each line and not only at the end. hier_config's
opinion of the end is asked for besides (``rollout.remediation``).
"""

import re
from collections.abc import Iterable

from rollout.meaning import Meaning, meaning_of
from rollout.one_breath import BUNDLE, OWN, schedule_of, starts_itself, vrrp_refused, without_addresses
from rollout.platform import Platform
from rollout.rules import RULES
from rollout.rules.model import Mode
from rollout.running import opens_literal
from rollout.tree import Item, Items, is_default, merge

_VTY = re.compile(r"§((?:user-interface|line) (?:vty|con|aux|tty|console)) (\d+)(?: (\d+))?$")


class ModelRefusedError(ValueError):
    """The model would not take a line; a device would not either."""


class Device:
    """A device's configuration and the section that the session stands in.

    Attributes:
        root: the configuration; changed in place.
        touched: keys of the root items that the last line reached.
        learned: headers that open sections though no table knows them (they were seen with lines under them).
    """

    def __init__(self, platform: Platform, root: Items, learned: frozenset[str] = frozenset()) -> None:
        self.platform, self.root, self.learned = platform, root, learned
        self._rules = RULES[platform]
        self._stack: list[Item] = []
        self._literal: list[str] = []
        self._end: re.Pattern[str] | None = None
        self.touched: set[str] = set()

    @property
    def view(self) -> tuple[str, ...]:
        """Keys of the sections that the session stands in, from the root."""
        return tuple(item.key for item in self._stack)

    @property
    def here(self) -> Items:
        """The lines of the section that the session stands in."""
        if not self._stack:
            return self.root
        return self._stack[-1].items or self._stack[-1].open()

    @property
    def kind(self) -> str:
        """The kind of that section; empty at the root."""
        return self._stack[-1].kind if self._stack else ""

    def run(self, commands: Iterable[str]) -> None:
        for command in commands:
            self.take(command)

    def take(self, line: str) -> None:
        """One line.

        Raises:
            ModelRefusedError: a device would refuse it.
        """
        if self._end is not None:
            self._literal.append(line)
            if not self._end.search(line):
                return
            line, self._end = "\n".join(self._literal), None
        else:
            line = line.strip()
            if (end := opens_literal(self._rules, line)) is not None:
                self._literal, self._end = [line], end
                return
        if not line:
            return
        self.touched = {self._stack[0].key} if self._stack else set()
        if line in self._rules.exits:
            self._stack = [] if line in ("return", "end") else self._stack[:-1]
            return
        self._obey(line)

    def _obey(self, line: str) -> None:
        meaning = meaning_of(self.platform, self.kind, line)
        if not meaning.negative and meaning.value in self.learned and meaning.section is None:
            meaning = meaning_of(self.platform, self.kind, line, True)
        if not self._stack:
            self.touched = {meaning.key}
        if meaning.negative:
            self._forget(line, meaning)
        elif meaning.section is not None or meaning.key.startswith("§"):
            self._enter(line, meaning)
        else:
            self._set(line, meaning)

    # --- sections ---------------------------------------------------------------------------------------------------

    def _enter(self, line: str, meaning: Meaning) -> None:
        here = self.here
        item = here.get(meaning.key)
        if item is None:
            item = split_range(self.platform, here, meaning) or Item(line, meaning, {})
            if item.kind == "bgp" and (other := _other_bgp(here, item)):
                raise ModelRefusedError(f"{line!r}: {other!r} runs already")
            here[meaning.key] = item
        elif item.items is None:
            item = here[meaning.key] = item.copy()
        if meaning.args and meaning.args != item.args:
            if meaning.section is not None and meaning.section.redo:
                raise ModelRefusedError(f"{line!r}: it exists as {item.args or 'another kind'!r}")
            item.args = meaning.args
        item.open()
        self._stack.append(item)

    # --- lines ------------------------------------------------------------------------------------------------------

    def _set(self, line: str, meaning: Meaning) -> None:
        here, mode = self.here, meaning.line.mode if meaning.line else None
        old = here.get(meaning.key)
        if mode is Mode.SET and old is not None and not old.negative:
            old.members = tuple(dict.fromkeys((*old.members, *meaning.members)))
            return
        if old is not None and not old.negative and old.value == meaning.value:
            here[meaning.key] = said = old.copy()
            said.text = line
            return
        self._may_be_said(line, meaning)
        if mode is Mode.REDO and old is not None:
            raise ModelRefusedError(f"{line!r}: {old.text!r} is in its place")
        if meaning.line is not None and meaning.line.needs:
            self._has_what_it_needs(line, meaning.line.needs)
        if self.kind == "area" and meaning.key.startswith("network "):
            self._only_in_one_area(line, meaning)
        if meaning.line is not None and meaning.line.wipes is not None and not (meaning.line.late and old is None):
            _wipe(here, meaning.line.wipes, meaning.key)
        here.pop(f"{self._rules.negation} {meaning.value}", None)
        item = Item(line, meaning, None)
        if old is not None and old.negative and is_default(self.platform, self.kind, item):
            del here[meaning.key]  # what a device does anyway it does not show
        elif old is not None:
            here[meaning.key] = item
        else:
            merge(here, item)

    def _may_be_said(self, line: str, meaning: Meaning) -> None:
        """What depends on other lines of the same section.

        Raises:
            ModelRefusedError: a test that runs, a group of VRRP outside its network, a bundle's port that is not empty.
        """
        self._rests(line, meaning.key)
        if self.kind != "interface":
            return
        said = [item.value for item in self.here.values() if not item.negative]
        if meaning.value.startswith("vrrp vrid "):
            refused = vrrp_refused(meaning.value, said)
            if refused:
                raise ModelRefusedError(f"{line!r}: {refused}")
        if self.platform is not Platform.VRP:
            return  # Comware and RGOS take such lines, and let them sleep
        member = next((value for value in said if BUNDLE.fullmatch(value)), None)
        if member is not None and OWN.match(meaning.value):
            raise ModelRefusedError(f"{line!r}: the port is a member by {member!r}")
        own = next((value for value in said if OWN.match(value)), None)
        if own is not None and BUNDLE.fullmatch(meaning.value):
            raise ModelRefusedError(f"{line!r}: the port still has {own!r}")

    def _rests(self, line: str, key: str) -> None:
        """A probe that runs takes no line but the one that ends it."""
        test = self._stack[0] if self._stack else None
        if test is None or test.items is None:
            return
        start, schedule = starts_itself(test.items), self.root.get(schedule_of(test.meaning.header))
        if test.kind == "nqa" and start is not None and key != "start":
            raise ModelRefusedError(f"{line!r}: the test runs by {start.text!r}")
        if schedule is not None and not schedule.negative:
            raise ModelRefusedError(f"{line!r}: the test runs by {schedule.text!r}")

    def _has_what_it_needs(self, line: str, needs: str) -> None:
        held = self.here.get(needs)
        # Where such a line stands without it, the device has shown that it can do without.
        if (held is None or held.negative) and not any(
            item.meaning.line is not None and item.meaning.line.needs == needs and not item.negative
            for item in self.here.values()
        ):
            raise ModelRefusedError(f"{line!r}: it needs {needs!r} before it")

    def _only_in_one_area(self, line: str, meaning: Meaning) -> None:
        for area in (self._stack[-2].items or {}).values():
            if area is not self._stack[-1] and meaning.key in (area.items or {}):
                raise ModelRefusedError(f"{line!r}: {area.text!r} holds it")

    def _forget(self, line: str, meaning: Meaning) -> None:
        here = self.here
        body = line[len(self._rules.negation) + 1 :]
        if meaning.section is not None and meaning.key in here:
            self._delete(meaning.key)
            return
        if meaning.line is not None and meaning.line.stored:
            if meaning.line.wipes is not None:
                _wipe(here, meaning.line.wipes, meaning.key)
            here[meaning.key] = Item(line, meaning, None)
            return
        if meaning.line is not None and meaning.line.mode is Mode.SET:
            positive = meaning_of(self.platform, self.kind, body)
            if not self._stack:
                self.touched = {positive.key}
            if (held := here.get(positive.key)) is not None and not held.negative:
                left = tuple(one for one in held.members if one not in positive.members)
                if left == held.members and "trunk" in positive.key:
                    here[meaning.key] = Item(line, meaning, None)
                held.members = left
                if not left:
                    del here[positive.key]
            return
        self._rests(line, meaning.key)
        if not self._remove(here, body, meaning):
            return
        if self.kind == "interface" and body.startswith("vrrp vrid "):
            for key in without_addresses(here):
                del here[key]
        if self.kind == "bgp" and body.startswith(("peer ", "neighbor ", "group ")):
            for family in here.values():
                if family.items is not None:
                    self._remove(family.items, body, meaning)

    def _remove(self, here: Items, body: str, meaning: Meaning) -> bool:
        """Takes out what a negation names: the line itself, all that begin with its words, or its key's line."""
        held = here.get(meaning.key)
        line = meaning.line
        if line is not None and not meaning.object and held is not None and not held.negative:
            named = line.undo != "line" or held.value == meaning.value or held.value.startswith(f"{meaning.value} ")
            gone = [meaning.key] if named else []
        else:
            ways = (f"{meaning.value} ", f"{meaning.value}\n", f"{body} ")
            gone = [
                key
                for key, item in here.items()
                if not item.negative
                and (item.value == meaning.value or item.value.startswith(ways) or item.text.startswith(ways))
            ]
        if not self._stack:
            self.touched |= set(gone)
        for key in gone:
            item = here.pop(key)
            if item.meaning.line is not None and item.mode is Mode.RESET and item.meaning.line.wipes is not None:
                _wipe(here, item.meaning.line.wipes, key)
        return bool(gone)

    def _delete(self, key: str) -> None:
        item = self.here[key]
        if item.meaning.section is not None and not item.meaning.section.removable:
            if item.kind == "family":
                item.items = {}
                return
            raise ModelRefusedError(f"{item.text!r} cannot be deleted")
        if item.kind == "interface" and is_physical(self.platform, item):
            raise ModelRefusedError(f"{item.text!r} is hardware, and cannot be deleted")
        running = starts_itself(item.items or {}) if item.kind == "nqa" else None
        running = running or self.root.get(schedule_of(item.meaning.header))
        if running is not None and not running.negative:
            raise ModelRefusedError(f"{item.text!r}: the test runs by {running.text!r}")
        del self.here[key]
        if item.kind in ("vpn", "vrf") and not self._stack:
            self._forget_vrf(item.meaning.header.split()[-1])

    def _forget_vrf(self, name: str) -> None:
        """A VRF takes its routes along, and what the interfaces in it had by it."""
        for key, item in list(self.root.items()):
            if re.match(rf"ip route(?:-static)? (?:vpn-instance|vrf) {re.escape(name)} ", item.value):
                del self.root[key]
                self.touched.add(key)
            elif item.kind == "interface" and item.items:
                for inner in list(item.items.values()):
                    if inner.meaning.line is not None and inner.mode is Mode.RESET and inner.value.endswith(f" {name}"):
                        del item.items[inner.key]
                        if inner.meaning.line.wipes is not None:
                            _wipe(item.items, inner.meaning.line.wipes, inner.key)
                        self.touched.add(key)


_VIRTUAL = re.compile(
    r"interface (?:vlanif|vlan-interface|vlan|tunnel|loopback|lo|dialer|eth-trunk|route-aggregation|bridge-aggregation|"
    r"aggregateport|bvi|vbdif|virtual-template|virtual-ethernet|null|nve|wg|gre|br|dummy|bond)\W?\d*",
    re.IGNORECASE,
)


def is_physical(platform: Platform, item: Item) -> bool:
    """Whether an interface is hardware (or, under FRR, the kernel's own): it can be emptied, never deleted."""
    name = item.meaning.header
    if platform is Platform.FRR:
        return True
    return _VIRTUAL.match(name) is None and "." not in name


def _wipe(items: Items, pattern: re.Pattern[str], keep: str) -> None:
    for key in [key for key, item in items.items() if key != keep and pattern.match(item.value)]:
        del items[key]


def _other_bgp(here: Items, item: Item) -> str:
    """Another process: a device runs one a VRF."""
    words = item.meaning.header.split()
    where = words.index("bgp") + 1
    for other in here.values():
        theirs = other.meaning.header.split()
        if other.kind == "bgp" and theirs[:where] == words[:where] and theirs[where + 1 :] == words[where + 1 :]:
            return other.text
    return ""


# --- ranges of lines ------------------------------------------------------------------------------------------------


def split_range(platform: Platform, here: Items, meaning: Meaning) -> Item | None:
    """Cuts the range that holds ``vty 0 2`` out of ``vty 0 4``, as devices do; None where no range holds it."""
    wanted = _VTY.match(meaning.key)
    if wanted is None:
        return None
    first, last = int(wanted[2]), int(wanted[3] or wanted[2])
    for key, item in list(here.items()):
        held = _VTY.match(key)
        if held is None or held[1] != wanted[1]:
            continue
        low, high = int(held[2]), int(held[3] or held[2])
        if not low <= first <= last <= high:
            continue
        pieces = [(a, b) for a, b in ((low, first - 1), (first, last), (last + 1, high)) if a <= b]
        return _cut(platform, here, item, held[1], pieces)[(first, last)]
    return None


def _cut(
    platform: Platform, here: Items, item: Item, word: str, pieces: list[tuple[int, int]]
) -> dict[tuple[int, int], Item]:
    made: dict[tuple[int, int], Item] = {}
    rebuilt: Items = {}
    for key, other in here.items():
        if other is not item:
            rebuilt[key] = other
            continue
        for a, b in pieces:
            text = f"{word} {a}" if a == b else f"{word} {a} {b}"
            meaning = meaning_of(platform, "", text)
            children = {one: inner.copy() for one, inner in (item.items or {}).items()}
            made[a, b] = rebuilt[meaning.key] = Item(text, meaning, children)
    here.clear()
    here.update(rebuilt)
    return made


def align(platform: Platform, one: Items, other: Items) -> None:
    """Cuts both configurations' ranges of lines (``vty 0 4``) at each other's ends, so that like meets like."""
    words = {found[1] for items in (one, other) for key in items if (found := _VTY.match(key))}
    for word in words:
        ends = {
            end
            for items in (one, other)
            for key in items
            if (found := _VTY.match(key)) and found[1] == word
            for end in (int(found[2]), int(found[3] or found[2]) + 1)
        }
        for items in (one, other):
            for key, item in list(items.items()):
                if not (found := _VTY.match(key)) or found[1] != word:
                    continue
                low, high = int(found[2]), int(found[3] or found[2])
                cuts = sorted(end for end in ends if low < end <= high)
                if cuts:
                    starts = [low, *cuts]
                    _cut(
                        platform,
                        items,
                        item,
                        word,
                        [(a, b - 1) for a, b in zip(starts, [*cuts, high + 1], strict=True)],
                    )
