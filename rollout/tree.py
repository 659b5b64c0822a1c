"""A configuration as a tree of items that know what they are: the one shape that difference, model and lint share.

Indentation says what stands under what; every line gets its identity from the platform's table, so that "the same
thing with another value" is one look-up. Spellings of one thing (masks, areas, ciphertexts, secret references) meet
in an item's ``value``; its ``text`` stays as it was written. hier_config reads the same tree, which a test holds us
to; its own opinion of every plan is asked for in `rollout.opinion`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache, lru_cache

from rollout.errors import UnparsableError
from rollout.meaning import Meaning, listed, meaning_of, numbers
from rollout.platform import Platform
from rollout.rules import RULES
from rollout.rules.model import Mode, Rules, either
from rollout.running import normalise, opens_literal

# A literal (a banner, a key) goes through the tree as one line, its spaces kept.
_NEWLINE, _SPACE = "\ue000", "\ue001"

Node = tuple[str, "list[Node]"]
"""A line, and the lines under it."""


class Item:
    """A line, and the lines under it where it opens a section (``items`` is None where it does not)."""

    __slots__ = ("args", "items", "meaning", "members", "negative", "text", "value")

    def __init__(self, text: str, meaning: Meaning, items: "dict[str, Item] | None") -> None:
        self.text, self.meaning, self.items = text, meaning, items
        self.value, self.negative = meaning.value, meaning.negative
        self.args, self.members = meaning.args, meaning.members

    @property
    def key(self) -> str:
        return self.meaning.key

    @property
    def kind(self) -> str:
        """The kind of section that it opens; ``?`` where no table knows it."""
        return self.meaning.section.kind if self.meaning.section else "?"

    @property
    def mode(self) -> Mode | None:
        return self.meaning.line.mode if self.meaning.line else None

    def open(self) -> "dict[str, Item]":
        """The lines under it; from now on it is a section."""
        if self.items is None:
            self.items = {}
        return self.items

    def copy(self) -> "Item":
        """A twin to change: own sections and sets; single lines below are shared, replaced rather than changed."""
        twin = Item.__new__(Item)
        twin.text, twin.meaning, twin.value = self.text, self.meaning, self.value
        twin.negative, twin.args, twin.members = self.negative, self.args, self.members
        twin.items = None if self.items is None else {key: item.own() for key, item in self.items.items()}
        return twin

    def own(self) -> "Item":
        """A copy where somebody could change it in place, itself where nobody does."""
        return self if self.items is None and self.mode is not Mode.SET else self.copy()

    def identical(self, other: "Item") -> bool:
        """Whether both are written alike, children included."""
        if self is other:
            return True
        if self.text != other.text or self.args != other.args or self.members != other.members:
            return False
        mine, theirs = self.items, other.items
        if not mine or not theirs:
            return not mine and not theirs
        if mine.keys() != theirs.keys():
            return False
        for key, item in mine.items():  # noqa: SIM110  asked of every line several times: a generator costs more
            if not item.identical(theirs[key]):
                return False
        return True

    def same(self, other: "Item") -> bool:
        """Whether both say the same, children included; the order of numbered things means nothing."""
        if self.negative != other.negative or self.args != other.args:
            return False
        if set(self.members) != set(other.members) or (not self.members and self.value != other.value):
            return False
        mine, theirs = self.items or {}, other.items or {}
        return mine.keys() == theirs.keys() and all(item.same(theirs[key]) for key, item in mine.items())


Items = dict[str, Item]


def parse(platform: Platform, text: str, what: str = "configuration") -> Items:
    """Reads a configuration as the device prints it, or as a template renders it.

    Raises:
        UnparsableError: empty, cut off, another platform's, or not a configuration at all.
    """
    rules = RULES[platform]
    _refuse(rules, text, what)
    lines = _literals_as_lines(rules, normalise(platform, text).splitlines(), what)
    if stranger := next((line for line in lines if rules.foreign.match(line)), None):
        raise UnparsableError(f"The {what} is no {rules.platform} configuration: it holds {stranger[:60]!r}.")
    if not lines:
        raise UnparsableError(f"The {what} holds no line of configuration.")
    items = _items(rules, "", nested(lines), what)
    known = any(
        item.meaning.line
        or item.meaning.section
        or item.negative
        or "\n" in item.text
        or is_default(platform, "", item)
        for item in items.values()
    )
    if what.startswith("running") and not known:
        strange = next(iter(items.values())).text.split("\n")[0][:60]
        raise UnparsableError(f"The {what} holds no line that {rules.platform} knows: it begins with {strange!r}.")
    _expand(rules, items)
    return items


def nested(lines: Iterable[str]) -> "list[Node]":
    """Lines under lines by their indentation; what stands between two depths belongs to the outer one."""
    here: list[Node] = []
    root = here
    depth, last = -1, -1  # of the section that lines go to, and of the line before
    above: list[tuple[int, list[Node]]] = []
    for line in lines:
        words = line.split()
        if not words:
            continue
        indent = len(line) - len(line.lstrip())
        while indent <= depth:
            depth, here = above.pop()
        if indent > last and here:
            above.append((depth, here))
            depth, here = last, here[-1][1]
        here.append((" ".join(words), []))
        last = indent
    return root


_PAGED = re.compile(r"-{2,4} ?More ?-{2,4}")
_REFUSED = re.compile(
    r"^\s*(?:Error ?:|% ?(?:Error|Unrecognized|Unknown|Invalid input|Incomplete|Ambiguous|Too many|Wrong param))",
    re.MULTILINE,
)


def _refuse(rules: Rules, text: str, what: str) -> None:
    if found := _PAGED.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise UnparsableError(
            f"The {what} was cut by paging at line {line} ({found[0]}): turn paging off and read it again."
        )
    if found := _REFUSED.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise UnparsableError(f"The {what} holds an error of the device at line {line}: {found[0].strip()!r}.")
    if found := re.search(r"[\x01-\x02\x04-\x06\x0e-\x1a\x1c-\x1f]", text):
        line = text.count("\n", 0, found.start()) + 1
        raise UnparsableError(f"The {what} holds a control character (0x{ord(found[0]):02x}) at line {line}.")


def _literals_as_lines(rules: Rules, lines: list[str], what: str) -> list[str]:
    out: list[str] = []
    block: list[str] = []
    end: re.Pattern[str] | None = None
    for line in lines:
        if end is None:
            end = opens_literal(rules, line)
            if end is None:
                if line.strip() not in rules.exits:
                    # A banner of one line keeps its spaces, too.
                    out.append(line.replace(" ", _SPACE) if line.startswith("banner ") else line)
                continue
            block = [line]
        else:
            block.append(line)
            if end.search(line):
                out.append(_NEWLINE.join(one.replace(" ", _SPACE) for one in block))
                end = None
    if end is not None:
        raise UnparsableError(f"The {what} ends inside {block[0]!r}: it was cut off.")
    return out


def _items(rules: Rules, kind: str, nodes: "list[Node]", what: str) -> Items:
    items: Items = {}
    for text, children in nodes:
        if _SPACE in text or _NEWLINE in text:
            text = text.replace(_NEWLINE, "\n").replace(_SPACE, " ")
        meaning = meaning_of(rules.platform, kind, text, bool(children))
        if children and meaning.line is not None and not meaning.negative:
            raise UnparsableError(
                f"The {what} has {children[0][0]!r} under {text!r}, which opens no section: it is cut or damaged."
            )
        item = Item(text, meaning, None)
        if meaning.section is not None or children:
            item.items = _items(rules, item.kind, children, what)
        if item.meaning.key in items:
            merge(items, item)
        else:
            items[item.meaning.key] = item
    return items


def merge(items: Items, item: Item) -> None:
    """Put an item among its siblings as the text says it: a second mention adds to the first."""
    known = items.get(item.key)
    if known is None or known.negative != item.negative:
        items[item.key] = item
    elif known.items is not None and item.items is not None:
        known.args = item.args or known.args
        for child in item.items.values():
            merge(known.items, child)
    elif item.members:
        known.members = tuple(dict.fromkeys((*known.members, *item.members)))
    elif known.value == item.value or item.negative:
        items[item.key] = item
    else:
        # The table takes them for one setting, the device shows both: the device is right, and both stay.
        item.meaning = replace(item.meaning, key=f"{item.key} … {item.value}")
        items[item.key] = item


def _expand(rules: Rules, items: Items) -> None:
    """One identity for what may be written in bulk: Comware's ``vlan 2 to 5``, RGOS's ``vlan range 2,4-5``."""
    for key, item in list(items.items()):
        if item.items is not None or item.negative or not key.startswith("vlan "):
            continue
        found = re.match(r"vlan (?:range )?((?:\d[\d,\- ]*|\d+ to \d+)+)$", item.value)
        if found is None:
            continue
        del items[key]
        for number in numbers(found[1].replace(",", " ")):
            text = f"vlan {number}"
            items.setdefault((meaning := meaning_of(rules.platform, "", text, False)).key, Item(text, meaning, {}))


@lru_cache(maxsize=65536)
def _default(platform: Platform, kind: str, text: str) -> bool:
    return _defaults(platform, kind).match(text) is not None


@cache
def _defaults(platform: Platform, kind: str) -> re.Pattern[str]:
    return either(pattern for kinds, pattern in RULES[platform].defaults if kind in kinds)


def is_default(platform: Platform, kind: str, item: Item) -> bool:
    """Whether a device in a section of ``kind`` does what the item says without being told."""
    return _default(
        platform, kind, f"{RULES[platform].negation} {item.value}" if item.negative else item.value.removeprefix("§")
    )


def is_section(item: Item) -> bool:
    """Whether an item opens a section, lines in it or not."""
    return item.items is not None or item.meaning.section is not None or item.key.startswith("§")


# --- back into text -------------------------------------------------------------------------------------------------


def header_of(item: Item) -> str:
    """A section's opening line with its arguments; as it was written where they did not change."""
    section = item.meaning.section
    if section is None or item.args == item.meaning.args:
        return item.text
    if "id2" in section.match.groupindex:
        found = section.match.match(item.text)
        return f"{found['id']} {item.args} {found['id2']}" if found is not None else item.text
    return f"{item.meaning.header} {item.args}".strip()


def set_lines(item: Item, members: tuple[str, ...] | list[str]) -> list[str]:
    """The lines that name some members of a set-valued item."""
    key, _, tail = item.key.partition(" … ")
    return [f"{key} {words} {tail}".rstrip() for words in listed(members)]


def text_of(items: Items, depth: int = 0) -> Iterator[str]:
    """The tree as the device would print it, without noise."""
    pad = " " * depth
    for item in items.values():
        if item.items is not None:
            yield pad + header_of(item)
            yield from text_of(item.items, depth + 1)
        elif item.members and not item.negative:
            for line in set_lines(item, item.members):
                yield pad + line
        else:
            yield pad + item.text
