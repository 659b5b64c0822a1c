"""From one configuration to another: what has to be said, in which order.

Every difference becomes an `Op` in one of three phases: additions, swaps, deletions. Inside a phase the platform's
order of things decides (what is referred to before what refers to it; deletions the other way round). What a device
wants in one breath (undo and redo of a rule, a peer with all its lines, an interface that changes its VRF) is one op
of several steps.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache

from rollout.device_model import is_physical
from rollout.meaning import canonical, listed
from rollout.one_breath import (
    Section,
    as_a_port,
    schedule_of,
    starts_itself,
    while_stopped,
    while_unscheduled,
    with_its_network,
)
from rollout.ordering import ADD, DELETE, SWAP, Op, Where, in_order, said
from rollout.platform import Platform
from rollout.rules import RULES
from rollout.rules.model import Mode, first_of
from rollout.running import SECRET, secrets_of
from rollout.tree import Item, Items, header_of, is_default, set_lines

Owned = Callable[[str, Item], bool]


class Difference:
    """The way from ``current`` to ``target``; only what is ``owned`` counts at the root, and all of it below."""

    def __init__(self, platform: Platform, current: Items, target: Items, owned: Owned, *, back: bool = False) -> None:
        self.platform, self._rules = platform, RULES[platform]
        self.ops: list[Op] = []
        self._hidden = {(kind, word) for line, kind, word in self._rules.hidden if line in current}
        self._current, self._target, self._owned = current, target, owned
        self._back = back  # then even a negation that the target lacks is a difference: we said it ourselves
        self._root, self._rank = "", 0
        self._done: set[int] = set()  # items (by identity) that an op deals with together with others
        alike = {key for key, item in target.items() if key in current and current[key].identical(item)}
        self._stays_said = {_thing(target[key]) for key in alike}
        mine = {key: item for key, item in current.items() if key not in alike and owned(key, item)}
        self._walk((), "", mine, {key: item for key, item in target.items() if key not in alike})

    @property
    def empty(self) -> bool:
        return not self.ops

    def commands(self) -> list[str]:
        """The lines in order, sections entered and left."""
        return list(said(self._once(in_order(self.ops))))

    def _once(self, ops: list[Op]) -> Iterator[Op]:
        """Without what is taken back at the root a second time: an absence that was asked for, of what goes anyway."""
        gone: set[tuple[Where, str]] = set()
        for op in ops:
            if len(op.steps) == 1 and not op.steps[0][0] and op.steps[0] in gone:
                continue
            gone |= {step for step in op.steps if step[1].startswith(f"{self._rules.negation} ")}
            yield op

    # --- the walk ---------------------------------------------------------------------------------------------------

    def _add(self, phase: int, *steps: tuple[Where, str]) -> Op:
        op = Op(phase, self._rank, list(steps), self._root)
        self.ops.append(op)
        return op

    def _undo(self, what: str) -> str:
        return f"{self._rules.negation} {what}"

    def _walk(self, where: Where, kind: str, current: Items, target: Items) -> None:
        self._objects(where, current, target)
        self._resets(where, current, target)
        self._named_by_their_start(where, current, target)
        if kind == "nacl":
            self._in_order(where, current, target)
        self._loose(where, kind, current, target)
        for key, wanted in self._bases_first(where, target):
            if id(wanted) in self._done:
                continue
            if not where:
                self._enter_root(key, wanted)
            self._towards(where, kind, current.get(key), wanted)
        for key, held in reversed(self._bases_first(where, current)):
            if id(held) in self._done or key in target:
                continue
            if not where:
                self._enter_root(key, held)
            self._away(where, kind, held)

    def _bases_first(self, where: Where, items: Items) -> list[tuple[str, Item]]:
        """The lines of a section, those in front whose loss would take others along: they come first and go last."""
        lines = list(items.items())
        if where:
            lines.sort(key=lambda one: -self._breadth(one[1]))
        return lines

    def _enter_root(self, key: str, item: Item) -> None:
        self._root = key
        self._rank = _rank(self.platform, canonical(self.platform, item.meaning.header or item.value))

    def _towards(self, where: Where, kind: str, held: Item | None, wanted: Item) -> None:
        if wanted.negative:
            self._towards_absence(where, held, wanted)
        elif wanted.items is not None:
            self._section(where, held, wanted)
        elif held is None or held.negative:
            if (held is None and self.is_default(kind, wanted)) or self._readonly(wanted):
                return
            if held is None and (kind, wanted.key.split()[0]) in self._hidden:
                return  # a user that is new gets it with its section
            if held is not None and held.meaning.line is not None and held.meaning.line.mode is Mode.SET:
                held = None
            # Shutting something takes it away: it comes when what takes its place is there.
            phase = DELETE if wanted.key == "shutdown" else ADD if held is None else SWAP
            op = self._add(phase, *((where, line) for line in self._lines(wanted)))
            op.takes |= self._exclusive(kind, where, wanted)
        else:
            self._change(where, kind, held, wanted)

    def _towards_absence(self, where: Where, held: Item | None, wanted: Item) -> None:
        if held is not None and not held.negative:
            if wanted.meaning.section is not None:
                if self.removable(held):
                    self._add(DELETE, *self._gone(where, held))
                else:
                    # Said as it was asked for: the lint refuses it by name.
                    self._add(DELETE, (where, wanted.text))
            elif not self._readonly(held) and id(held) not in self._done:
                # At the root something may still refer to it; inside a section it makes room.
                phase = SWAP if where else DELETE
                self._add(phase, (where, wanted.text)).frees |= self._exclusive("", where, held)
        elif held is None and wanted.mode is Mode.SET:
            self._add(DELETE, (where, wanted.text))  # such as a trunk's VLAN 1, which is there without being told
        elif held is None and wanted.meaning.line is not None and wanted.meaning.line.stored:
            self._add(ADD, (where, wanted.text))

    def _change(self, where: Where, kind: str, held: Item, wanted: Item) -> None:
        if self.equal(held, wanted) or self._readonly(wanted):
            return
        mode = wanted.mode
        if mode is Mode.SET:
            missing = [one for one in wanted.members if one not in held.members]
            extra = [one for one in held.members if one not in wanted.members]
            if missing:
                self._add(ADD, *((where, line) for line in set_lines(wanted, missing)))
            if extra:
                self._add(DELETE, *((where, self._undo(line)) for line in self._without(held, extra)))
            return
        if mode is Mode.REDO or (mode is None and "\n" in wanted.text):
            op = self._add(SWAP, (where, self._undo(held.meaning.taker)), (where, wanted.text))
        else:
            phase = ADD if wanted.meaning.line is not None and wanted.meaning.line.first else SWAP
            op = self._add(phase, *((where, line) for line in self._lines(wanted)))
        op.frees |= self._exclusive(kind, where, held)
        op.takes |= self._exclusive(kind, where, wanted)

    def _away(self, where: Where, kind: str, held: Item) -> None:
        """A line that is not wanted: taken back, but for what is never a difference."""
        if held.negative and self._back and held.meaning.line is not None and held.meaning.line.stored:
            self._add(SWAP, (where, self._taken_back(held)))
            return
        if (
            held.negative
            or (not held.items and self.is_default(kind, held))
            or self._readonly(held)
            or (self._stays(held) and not self._back)
        ):
            return
        if held.items is not None:
            if self.removable(held):
                op = self._add(DELETE, *self._gone(where, held))
                for line in held.items.values():
                    op.frees |= self._exclusive(held.kind, (*where, self._step(held)), line)
            else:
                inside = (*where, self._step(held))
                self._walk(inside, held.kind, held.items, {})
            return
        if (self._ciphered(held) and not self._back) or (held.meaning.object and held.text == held.meaning.object):
            return  # of an object that stays (one that goes, goes whole): its secret, or the line that makes it
        if held.members:
            lines = [self._undo(line) for line in self._without(held, held.members)]
        elif held.meaning.line is not None and held.meaning.line.default:
            lines = [held.meaning.line.default]
        else:
            lines = [self._undo(held.meaning.taker)]
        # Opening something brings it: it is there before what it replaces goes.
        phase = SWAP if held.key == "shutdown" else DELETE
        self._add(phase, *((where, line) for line in lines)).frees |= self._exclusive(kind, where, held)

    def _gone(self, where: Where, held: Item) -> list[tuple[Where, str]]:
        """A section that goes; a test that runs ends first."""
        runs = held.kind == "nqa" and starts_itself(held.items or {}) is not None
        stop = [((*where, self._step(held)), self._undo("start"))] if runs else []
        return [*stop, (where, self._undo(held.meaning.taker))]

    def _section(self, where: Where, held: Item | None, wanted: Item) -> None:
        if held is not None and held.items is None:
            held = None
        if held is not None and held.identical(wanted):
            return
        args_differ = held is not None and held.args != wanted.args and wanted.args != ""
        redo = wanted.meaning.section is not None and wanted.meaning.section.redo
        if held is None or (args_differ and redo):
            phase = ADD if held is None else SWAP
            steps: list[tuple[Where, str]] = []
            if held is not None:
                steps.append((where, self._undo(held.meaning.taker)))
            inside = (*where, self._step(wanted))
            steps += self._whole(inside, wanted) or [(inside, "")]
            op = self._add(phase, *steps)
            for line in (wanted.items or {}).values():
                op.takes |= self._exclusive(wanted.kind, inside, line)
            return
        header = held.meaning.header if args_differ or held.args != held.meaning.args else held.text
        step = (header, self._leave(held))
        if args_differ:
            self._add(SWAP, ((*where, (header_of(wanted), step[1])), ""))
        found = len(self.ops)
        self._walk((*where, step), held.kind, held.open(), wanted.open())
        self.ops[found:] = self._in_one_breath((*where, step), held, wanted, self.ops[found:])

    def _in_one_breath(self, where: Where, held: Item, wanted: Item, ops: list[Op]) -> list[Op]:
        """The ops of a section as the device takes them."""
        section = Section(self._rules.negation, where, held.open(), wanted.open())
        if not ops:
            return ops
        if held.kind == "interface":
            return as_a_port(section, with_its_network(section, ops))
        ops = while_stopped(section, ops)
        key = schedule_of(held.meaning.header)
        runs = self._current.get(key)
        if len(where) > 1 or runs is None or runs.negative or not self._owned(key, runs):
            return ops  # it rests, or what runs it is not ours: then the model refuses, as the device would
        again = self._target.get(key)
        self._done |= {id(item) for item in (runs, again) if item is not None}
        self.ops = [op for op in self.ops if op.root != key]
        return while_unscheduled(self._rules.negation, runs, again, ops)

    def _whole(self, where: Where, section: Item) -> list[tuple[Where, str]]:
        """Every line of a new section, sections inside it included."""
        steps: list[tuple[Where, str]] = []
        # What makes a device forget others comes first: nothing is there yet that it could forget.
        for line in sorted((section.items or {}).values(), key=lambda line: -self._breadth(line)):
            if line.items is not None and not line.negative:
                inside = (*where, self._step(line))
                steps += self._whole(inside, line) or [(inside, "")]
            else:
                steps += [(where, text) for text in self._lines(line)]
        return steps

    # --- what belongs together --------------------------------------------------------------------------------------

    def _objects(self, where: Where, current: Items, target: Items) -> None:
        """A user or a peer of which nothing is wanted goes whole; a peer that changes its AS comes again whole."""
        wanted = {_thing(item) for item in target.values() if not item.negative}
        if not where:
            wanted |= self._stays_said
        gone: dict[str, list[Item]] = {}
        for key, item in current.items():
            thing = _thing(item)
            if thing and thing not in wanted and not item.negative:
                gone.setdefault(thing, []).append(item)
            new = target.get(key)
            renewed = item.mode is Mode.REDO and new is not None and not new.negative and item.value != new.value
            if renewed and thing.startswith("peer "):
                self._peer_again(where, thing, current, target)
        for thing, lines in gone.items():
            named = next((line.meaning.object for line in lines if line.meaning.object), "")
            if not named:
                continue
            if not where:
                self._enter_root(lines[0].key, lines[0])
            steps: list[tuple[Where, str]] = []
            for inside, line in self._in_families(where, current, thing):
                if not line.negative:
                    steps.append((inside, self._undo(line.meaning.taker)))
                self._done.add(id(line))
            self._add(DELETE, *steps, (where, self._undo(named)))
            self._done |= {id(line) for line in lines}

    def _peer_again(self, where: Where, peer: str, current: Items, target: Items) -> None:
        """VRP and Comware change a peer's AS only by deleting it, and with it all that was said of it."""
        steps: list[tuple[Where, str]] = []
        wanted = {line.key for _, line in self._in_families(where, target, peer)}
        for inside, line in self._in_families(where, current, peer):
            if line.key not in wanted and not line.negative:
                steps.append((inside, self._undo(line.meaning.taker)))
            self._done.add(id(line))
        steps.append((where, self._undo(peer)))
        for item in target.values():
            if item.items is None and item.value.startswith(f"{peer} "):
                steps.append((where, item.text))
                self._done.add(id(item))
        # Its password is not ours to lose: the device takes its own ciphertext back.
        kept = [item for key, item in current.items() if key not in target and self._ciphered(item)]
        steps += [(where, item.text) for item in kept if item.value.startswith(f"{peer} ")]
        for inside, line in self._in_families(where, target, peer, current):
            steps.append((inside, line.text))
            self._done.add(id(line))
        self._done |= {id(item) for item in current.values() if item.value.startswith(f"{peer} ")}
        self._add(SWAP, *steps)

    def _in_families(
        self, where: Where, items: Items, thing: str, shown: Items | None = None
    ) -> Iterator[tuple[Where, Item]]:
        """What a process's families say of a peer; ``shown`` spells the families' headers."""
        if not thing.startswith(("peer ", "neighbor ")):
            return
        for family in items.values():
            inside = (*where, self._step((shown or {}).get(family.key, family)))
            for line in (family.items or {}).values():
                if line.value.startswith(f"{thing} "):
                    yield inside, line

    def _resets(self, where: Where, current: Items, target: Items) -> None:
        """A line that makes the device forget others: they are said again right behind it."""
        keys = [*current, *(key for key in target if key not in current)]
        # What makes the device forget most comes first, and takes the others along.
        for key in sorted(keys, key=lambda key: -self._breadth(current.get(key) or target[key])):
            held, wanted = current.get(key), target.get(key)
            line = (wanted or held).meaning.line  # type: ignore[union-attr]
            if line is None or line.wipes is None or not self._resetting(held, wanted):
                continue
            if any(item is not None and id(item) in self._done for item in (held, wanted)):
                continue
            wipes = line.wipes
            lost = [item for item in current.values() if item.key != key and wipes.match(item.value)]
            again = [item for item in target.values() if item.key != key and wipes.match(item.value)]
            if not (lost or again) and line.stored is False and held is not None and wanted is not None:
                continue  # nothing depends on it: an ordinary swap
            steps = [
                (where, self._undo(text))
                for item in reversed(lost)
                if item.key not in target and not item.negative
                for text in (self._without(item, item.members) if item.members else [item.meaning.taker])
            ]
            steps.append((where, wanted.text if wanted is not None else self._taken_back(held)))  # type: ignore[arg-type]
            steps += [(where, text) for item in again for text in self._lines(item) if not self._only_absent(item)]
            op = self._add(SWAP, *steps)
            for item in lost:
                op.frees |= self._exclusive("interface", where, item)
            for item in again:
                op.takes |= self._exclusive("interface", where, item)
            self._done |= {id(item) for item in (held, wanted, *lost, *again) if item is not None}

    def _taken_back(self, held: Item) -> str:
        return held.text[len(self._rules.negation) + 1 :] if held.negative else self._undo(held.meaning.taker)

    @staticmethod
    def _breadth(item: Item) -> int:
        line = item.meaning.line
        return 0 if line is None or line.wipes is None else 1 + line.stored + ("(?!" in line.wipes.pattern)

    def _only_absent(self, item: Item) -> bool:
        return item.negative and not (item.meaning.line is not None and item.meaning.line.stored)

    def _resetting(self, held: Item | None, wanted: Item | None) -> bool:
        if wanted is None:
            if held is None:
                return False
            if held.negative:
                return self._back and held.meaning.line is not None and held.meaning.line.stored
            if self._stays(held) and not self._back:
                return False
            return not self.is_default("interface", held)
        if held is None and wanted.meaning.line is not None and wanted.meaning.line.late:
            return False
        if held is None:
            if wanted.negative:
                return wanted.meaning.line is not None and wanted.meaning.line.stored
            return not self.is_default("interface", wanted)
        return held.negative != wanted.negative or (held.value != wanted.value and not held.negative)

    def _loose(self, where: Where, kind: str, current: Items, target: Items) -> None:
        """Lines that no table knows may replace each other or stand together: the old ones go just before the new.

        Either way the end is right; only what a table knows is changed in place.
        """
        words = 1 if where else 2
        groups: dict[str, tuple[list[Item], list[Item]]] = {}
        for key, item in current.items():
            if (
                id(item) not in self._done
                and key not in target
                and self._unknown(item)
                and not self.is_default(kind, item)
            ):
                groups.setdefault(_stem(item, words), ([], []))[0].append(item)
        for key, item in target.items():
            pair = groups.get(_stem(item, words))
            if pair is not None and id(item) not in self._done and key not in current and self._unknown(item):
                pair[1].append(item)
        for old, new in groups.values():
            if not new or any(self._ciphered(item) for item in old):
                continue
            if not where:
                self._enter_root(new[0].key, new[0])
            steps = [(where, self._undo(item.meaning.taker)) for item in old] + [(where, item.text) for item in new]
            self._add(SWAP, *steps)
            self._done |= {id(item) for item in (*old, *new)}

    def _named_by_their_start(self, where: Where, current: Items, target: Items) -> None:
        """An absence that is asked for may name lines by how they begin: ``undo ip address``."""
        for key, wanted in target.items():
            if not wanted.negative or key in current or wanted.items is not None or wanted.mode is Mode.SET:
                continue
            if wanted.meaning.line is not None and wanted.meaning.line.stored:
                continue
            named = [
                item
                for one, item in current.items()
                if one not in target and not item.negative and item.value.startswith(f"{wanted.value} ")
            ]
            if named:
                if not where:
                    self._enter_root(key, wanted)
                self._add(DELETE, (where, wanted.text))
                self._done |= {id(item) for item in (*named, wanted)}

    def _in_order(self, where: Where, current: Items, target: Items) -> None:
        """Entries without a number hold their place by when they came: those behind a newcomer are said again."""
        want = [item for item in target.values() if re.match(r"(?:permit|deny|remark) ", item.value)]
        keys = [item.key for item in want]
        stays = [key for key in current if key in keys]
        same = 0
        while same < len(stays) and stays[same] == keys[same]:
            same += 1
        if not stays[same:]:
            return
        steps = [(where, self._undo(current[key].meaning.taker)) for key in reversed(stays[same:])]
        steps += [(where, item.text) for item in want[same:]]
        self._add(SWAP, *steps)
        self._done |= {id(item) for item in want[same:]} | {id(current[key]) for key in stays[same:]}

    # --- small questions --------------------------------------------------------------------------------------------

    def equal(self, held: Item, wanted: Item) -> bool:
        """Whether two lines say the same; a reference or a ciphertext is equal to any secret in its place."""
        if held.members or wanted.members:
            return set(held.members) == set(wanted.members)
        if held.value != wanted.value:
            return False
        if self.platform is not Platform.FRR or SECRET not in held.value:
            return True
        mine, theirs = secrets_of(self.platform, held.text), secrets_of(self.platform, wanted.text)
        return mine == theirs or any(one.startswith("secret://") for one in (*mine, *theirs))

    def is_default(self, kind: str, item: Item) -> bool:
        return is_default(self.platform, kind, item)

    def _ciphered(self, item: Item) -> bool:
        """FRR shows its secrets as they are: there they are lines like others."""
        return SECRET in item.value and self.platform is not Platform.FRR

    def _readonly(self, item: Item) -> bool:
        return item.meaning.line is not None and item.meaning.line.readonly

    def _stays(self, item: Item) -> bool:
        return item.meaning.line is not None and item.meaning.line.stays

    def _unknown(self, item: Item) -> bool:
        return item.meaning.line is None and item.items is None and not item.negative and "\n" not in item.text

    def removable(self, item: Item) -> bool:
        if item.kind == "interface" and is_physical(self.platform, item):
            return False
        return item.meaning.section is None or item.meaning.section.removable

    def _step(self, item: Item) -> tuple[str, str]:
        return header_of(item), self._leave(item)

    def _leave(self, item: Item) -> str:
        section = item.meaning.section
        return section.leave if section is not None and section.leave else self._rules.leave

    def _lines(self, item: Item) -> list[str]:
        return set_lines(item, item.members) if item.members and not item.negative else [item.text]

    def _without(self, item: Item, members: Iterable[str]) -> list[str]:
        key = item.key.partition(" … ")[0]
        return [f"{key} {words}" for words in listed(tuple(members))]

    def _exclusive(self, kind: str, where: Where, item: Item) -> set[str]:
        """What only one section may hold: a network in one OSPF area, an address on one interface."""
        if kind == "area" and item.value.startswith("network "):
            return {f"{where[0][0]} {item.value}"}
        if self.platform is not Platform.FRR and item.value.startswith("ip address ") and not item.negative:
            words = item.value.split()
            if len(words) > 3 and words[2][:1].isdigit():
                return {f"ip {words[2]}/{words[3]}"}
        return set()


@lru_cache(maxsize=65536)
def _rank(platform: Platform, text: str) -> int:
    found = _order(platform).match(text)
    return int(found.lastgroup[1:]) if found and found.lastgroup else len(RULES[platform].order) // 2


@cache
def _order(platform: Platform) -> re.Pattern[str]:
    return first_of(RULES[platform].order)


def _thing(item: Item) -> str:
    """The object that a line is about, by its words: ``peer 10.0.0.1``, ``local-user ops``."""
    if item.meaning.object:
        return item.meaning.object
    words = item.value.split(" ", 2)
    return f"{words[0]} {words[1]}" if words[0] in ("peer", "neighbor") and len(words) > 1 else ""


def _stem(item: Item, words: int) -> str:
    return " ".join(item.value.split(" ", words)[:words])
