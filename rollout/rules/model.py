"""What a vendor is, as data: noise, secrets, sections, how each kind of line behaves.

A configuration is a tree of sections and lines. What differs between vendors is which lines open a section, which
lines replace each other, which are members of a set, and how each is taken back; a `Rules` says it in tables.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from rollout.platform import Platform


class Mode(StrEnum):
    """What a device does with a line that it holds in another form already."""

    SINGLE = "single"
    """The new line takes the old one's place."""
    MEMBER = "member"
    """Both stay: the line is one of a set; options behind its key are replaced in place."""
    SET = "set"
    """One line lists the members of a set: new ones join, `undo` with some takes those out."""
    REDO = "redo"
    """The device refuses the new one until the old one is gone."""
    RESET = "reset"
    """The new line takes the old one's place, and the device forgets the lines that depend on it."""


@dataclass(frozen=True)
class Section:
    """A line that opens a section.

    Attributes:
        kind: our name for it; tables below speak of kinds.
        within: kinds of section that it may stand in; ``""`` is the root.
        match: on the whole header. Group ``id`` is its identity, group ``args`` what may change under it.
        removable: whether the device lets ``undo HEADER`` delete it.
        redo: a change of ``args`` needs it deleted and made again.
        whole: it is deleted by its whole header, arguments included.
        loose: its lines that no table knows replace each other by their first words (that many).
        ordered: the order of its lines means something where they carry no number.
        leave: the word that leaves it, where it is not the platform's usual one.
    """

    kind: str
    within: tuple[str, ...]
    match: re.Pattern[str]
    removable: bool = True
    redo: bool = False
    whole: bool = False
    loose: int = 0
    ordered: bool = False
    leave: str = ""


@dataclass(frozen=True)
class Line:
    """How one kind of line behaves.

    Attributes:
        within: kinds of section it stands in; ``("*",)`` is any.
        match: at the line's start. Its groups (or all of it, where it has none) are the identity.
        undo: what follows `undo`/`no`: ``key`` is the part that matched, ``line`` all of it, else a template of
            the groups.
        stored: its negation is a line of the configuration (the device's default is on), not only an absence.
        object: template of the object that it describes; when no line of it is wanted, the object goes whole.
        wipes: lines of the same section (by their start) that the device forgets when this one changes.
        late: it wipes only where it takes another's place, not where it comes first.
        first: a new form of it comes with the additions, since those need it.
        needs: key of a line of the same section without which the device refuses this one.
        readonly: never changed by us.
        stays: shown for every port, whatever was said of it: that nobody names it is no difference.
        default: the line that takes it back, where the device knows no negation of it.
    """

    within: tuple[str, ...]
    match: re.Pattern[str]
    mode: Mode = Mode.SINGLE
    undo: str = "key"
    stored: bool = False
    object: str = ""
    wipes: re.Pattern[str] | None = None
    late: bool = False
    first: bool = False
    needs: str = ""
    readonly: bool = False
    stays: bool = False
    default: str = ""


@dataclass(frozen=True)
class Literal:
    """Text over several lines that is one line to us: a banner, a public key."""

    start: re.Pattern[str]
    end: str
    """Pattern of the last line; ``{delim}`` is the group ``delim`` of the start."""
    within_line: bool = False
    """The start may hold the end already (a banner on one line)."""


@dataclass(frozen=True)
class Rules:
    """One platform.

    Attributes:
        noise: lines that mean nothing, dropped before anything looks (vendor-cli section 2).
        foreign: lines that only another platform prints; a file with one is not this platform's.
        secrets: group ``secret`` of each is a secret's place.
        swaps: (pattern, replacement) that bring spellings of one thing to one form, for comparison only.
        defaults: (kinds, pattern) of lines that the device has without being told: never a difference.
        order: patterns of root lines, from what is referred to up to what refers to it.
        physical: headers of interfaces that nobody can delete.
    """

    platform: Platform
    negation: str
    leave: str
    noise: tuple[re.Pattern[str], ...]
    foreign: re.Pattern[str]
    secrets: tuple[re.Pattern[str], ...]
    secret_words: re.Pattern[str]
    literals: tuple[Literal, ...]
    swaps: tuple[tuple[re.Pattern[str], str], ...]
    sections: tuple[Section, ...]
    lines: tuple[Line, ...]
    defaults: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]
    order: tuple[re.Pattern[str], ...]
    exits: frozenset[str]
    harmless: re.Pattern[str]
    hidden: tuple[tuple[str, str, str], ...] = ()
    """(root line, kind, first word): while the root line is there, such lines of that section are not shown."""
    blocks: bool = False
    """`#` in the first column ends a block, and root lines are printed with a space before them."""


def table(within: str, rows: str) -> tuple[Line, ...]:
    """Lines of one or more kinds of section (``within``, words; ``root`` is the root, ``*`` any), one a row.

    A row is ``MODE UNDO PATTERN``, and behind ``||`` what is special: ``stored``, ``readonly``, ``object=...``,
    ``wipes=PATTERN``, ``needs=KEY``. The pattern stands at the start of the line and ends where a word ends.
    """
    places = kinds(within)
    lines = []
    for row in _rows(rows):
        mode, undo, rest = row.split(maxsplit=2)
        pattern, *special = (part.strip() for part in rest.split("||"))
        options = dict(part.partition("=")[::2] for part in special)
        lines.append(
            Line(
                places,
                re.compile(pattern if pattern.endswith("$") else rf"(?:{pattern})(?!\S)"),
                Mode(mode),
                undo.replace("~", " "),
                stored="stored" in options,
                object=options.get("object", ""),
                wipes=re.compile(options["wipes"]) if "wipes" in options else None,
                late="late" in options,
                first="first" in options,
                needs=options.get("needs", ""),
                readonly="readonly" in options,
                stays="stays" in options,
                default=options.get("default", ""),
            )
        )
    return tuple(lines)


def sections(rows: str) -> tuple[Section, ...]:
    """Sections, one a row: ``KIND WITHIN PATTERN``, and behind ``||`` what is special."""
    found = []
    for row in _rows(rows):
        kind, within, rest = row.split(maxsplit=2)
        pattern, *special = (part.strip() for part in rest.split("||"))
        options = dict(part.partition("=")[::2] for part in special)
        found.append(
            Section(
                kind,
                kinds(within.replace(",", " ")),
                re.compile(pattern if pattern.endswith("$") else pattern + "$"),
                removable="permanent" not in options,
                redo="redo" in options,
                whole="whole" in options,
                loose=int(options.get("loose", 0)),
                ordered="ordered" in options,
                leave=options.get("leave", ""),
            )
        )
    return tuple(found)


def _rows(rows: str) -> list[str]:
    """The rows of a table; one that begins with ``+`` goes on where the row before it ended."""
    return re.sub(r"\n\s*\+ ", "", rows.strip()).splitlines()


def kinds(words: str) -> tuple[str, ...]:
    """Kinds of section out of words; ``root`` is the root."""
    return tuple("" if word == "root" else word for word in words.split())


def patterns(rows: str) -> tuple[re.Pattern[str], ...]:
    """Patterns, one a row."""
    return tuple(re.compile(row.strip()) for row in rows.strip().splitlines())


def swaps(rows: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """``^PATTERN => REPLACEMENT``, one a row: each stands at the start of its line."""
    pairs = (row.split("=>") for row in rows.strip().splitlines())
    return tuple((re.compile(left.strip()), right.strip()) for left, right in pairs)


def either(patterns: Iterable[re.Pattern[str]]) -> re.Pattern[str]:
    """Many patterns in one, without their groups, for a quick no: every line of every configuration is asked."""
    return re.compile("|".join(f"(?:{_unnamed(pattern)})" for pattern in patterns) or "(?!)")


def first_of(patterns: Iterable[re.Pattern[str]]) -> re.Pattern[str]:
    """Many patterns in one, whose ``lastgroup`` says which of them matched first: ``n0``, ``n1`` and so on."""
    return re.compile("|".join(f"(?P<n{n}>{_unnamed(pattern)})" for n, pattern in enumerate(patterns)) or "(?!)")


def _unnamed(pattern: re.Pattern[str]) -> str:
    return re.sub(r"\(\?P<\w+>", "(?:", pattern.pattern)
