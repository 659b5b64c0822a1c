"""MIB files of an operator's folder, as text: what each module defines. Nothing is executed.

Read are object types, identities and textual conventions; what else a file says is left alone, so that a vendor's
faulty file, or one whose imports are not in the folder, still gives its objects. pysnmp's compiler gives up on both,
and makes programs of the files' text, which it runs. What is read here, `collectors.mib_names` hands to pysnmp.
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

_TEXT: Final = re.compile(r'(?:\b(DISPLAY-HINT|UNITS)\s*)?"([^"]*)"')
_COMMENT: Final = re.compile(r"--.*?(?:--|$)", re.MULTILINE)
_MODULE: Final = re.compile(r"\b([A-Z][A-Za-z0-9-]*) (?:\{[^{}]*\} )?DEFINITIONS ::= BEGIN\b")
_ASSIGNED: Final = re.compile(
    r"\b([a-z][A-Za-z0-9-]*) "
    r"(OBJECT IDENTIFIER|(?:OBJECT-TYPE|OBJECT-IDENTITY|MODULE-IDENTITY|NOTIFICATION-TYPE|OBJECT-GROUP)\b)"
    r"((?:(?!::=).)*?)"
    r" ?::= ?\{([^{}]*)\}"
)
_KIND: Final = (
    r"(SEQUENCE OF [A-Z][A-Za-z0-9-]*|OCTET STRING|OBJECT IDENTIFIER|[A-Z][A-Za-z0-9-]*)"
    r"(?: ?\{([^{}]*)\})?(?: ?\( ?SIZE ?\( ?(\d{1,5}) ?\) ?\))?"
)
_SYNTAX: Final = re.compile(r"\bSYNTAX " + _KIND)
_TYPE: Final = re.compile(
    r"\b([A-Z][A-Za-z0-9-]*) ::= (?:TEXTUAL-CONVENTION\b((?:(?!::=).)*?)\bSYNTAX )?(?!SEQUENCE|CHOICE|MACRO)" + _KIND
)
_HINT: Final = re.compile(r'\bDISPLAY-HINT "([^"]*)"')
_UNITS: Final = re.compile(r'\bUNITS "([^"]*)"')
_GOOD_HINT: Final = re.compile(r"d(?:-\d)?|[xob]|(?:\*?[1-9]\d{0,2}[xdoat][^\d*]{0,2})+")
_INDEX: Final = re.compile(r"\bINDEX ?\{([^{}]*)\}")
_AUGMENTS: Final = re.compile(r"\bAUGMENTS ?\{ ?([a-z][A-Za-z0-9-]*) ?\}")
_WORD: Final = re.compile(r"([A-Za-z][A-Za-z0-9-]*) ?\( ?(-?\d{1,10}) ?\)")
_STEP: Final = re.compile(r"(?:([A-Za-z][A-Za-z0-9-]*)(?: ?\( ?(\d+) ?\))?|(\d+))")
_LARGEST_FILE: Final = 8 << 20
_LONGEST_UNIT: Final = 40
_DEEPEST_TYPE: Final = 20

_Steps = Sequence[tuple[str | None, str | None, str | None]]


class Kind(StrEnum):
    """What stands at an object identifier."""

    NODE = "node"
    SCALAR = "scalar"
    TABLE = "table"
    ROW = "row"
    COLUMN = "column"


class Syntax(NamedTuple):
    """A type, with what its conventions say.

    Args:
        base: of ASN.1 and the SMI, such as ``INTEGER``, ``OCTET STRING``, ``Gauge32``, or a convention of an RFC.
        words: what numbers (of ``BITS``: positions) mean.
        hint: how a value is written (RFC 2579, DISPLAY-HINT); empty where none is said, or none that can be obeyed.
        size: octets, where each value has as many.
    """

    base: str
    words: Mapping[int, str] = {}
    hint: str = ""
    size: int | None = None


class MibObject(NamedTuple):
    """An object of a module.

    Args:
        oid: dotted.
        indexes: of a row, the names of what numbers its rows; True where the last has no length before it (IMPLIED).
        augments: of a row, another row that numbers it.
    """

    module: str
    name: str
    oid: str
    kind: Kind
    syntax: Syntax | None = None
    units: str = ""
    indexes: tuple[tuple[bool, str], ...] = ()
    augments: str | None = None


class _Said(NamedTuple):
    """An assignment as it stands in a file."""

    what: str
    clauses: str
    place: _Steps


class _Type(NamedTuple):
    """A type assignment as it stands in a file."""

    clauses: str
    base: str
    words: str
    size: str


def read_mibs(folder: Path, known: Mapping[str, str]) -> list[MibObject]:
    """All objects of a folder's MIB files; those without a known parent are left out.

    Args:
        known: dotted object identifiers by name, of what the files need not say.

    Raises:
        OSError: the folder cannot be read.
    """
    said: dict[tuple[str, str], _Said] = {}
    types: dict[str, _Type] = {}
    for file in sorted(folder.iterdir()):
        if file.is_file() and file.stat().st_size <= _LARGEST_FILE:
            for module, text in _modules(file.read_text("utf-8", "replace"), file.stem):
                for name, clauses, base, words, size in _TYPE.findall(text):
                    types.setdefault(name, _Type(clauses, base, words, size))
                for name, what, clauses, place in _ASSIGNED.findall(text):
                    steps = [(a or None, b or None, c or None) for a, b, c in _STEP.findall(place)]
                    said.setdefault((module, name), _Said(what, clauses, steps))
    oids = _placed(said, known)
    rows = {oids[key] for key, one in said.items() if key in oids and _is_row(one)}
    return [_object(*key, said[key], oid, rows, types) for key, oid in oids.items()]


def _modules(text: str, stem: str) -> list[tuple[str, str]]:
    """The modules of a file with their texts, without comments and descriptions, on one line each."""
    # A comment may hold a quotation mark and a text two hyphens: whichever begins first wins.
    plain = re.sub(rf"{_TEXT.pattern}|{_COMMENT.pattern}", _without_prose, text, flags=re.MULTILINE)
    plain = re.sub(r"\s+", " ", plain)
    begins = list(_MODULE.finditer(plain))
    if not begins:
        return [(stem, plain)]
    ends = [match.start() for match in begins[1:]] + [len(plain)]
    return [(match[1], plain[match.end() : end]) for match, end in zip(begins, ends, strict=True)]


def _without_prose(found: re.Match[str]) -> str:
    clause, text = found[1], found[2]
    if clause == "DISPLAY-HINT" and _GOOD_HINT.fullmatch(text):
        return found[0]
    if clause == "UNITS" and text.isprintable() and len(text) <= _LONGEST_UNIT:
        return found[0]
    return ' "" ' if text is not None else " "


def _placed(said: Mapping[tuple[str, str], _Said], known: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """The object identifiers of what was said, by module and name. A module's own names come before another's."""
    places: dict[tuple[str, str], str] = {}
    names = {"iso": "1"} | dict(known)
    waiting = dict(said)
    while waiting:
        solved: dict[tuple[str, str], str] = {}
        for (module, name), one in waiting.items():
            first = one.place[0][0] if one.place else None
            if first and (module, first) in waiting and first != name:
                continue
            own = places.get((module, first)) if first else None
            if (oid := _place(one.place, own or names.get(first or ""))) is not None:
                solved[module, name] = oid
        if not solved:
            break
        places |= solved
        for (_, name), oid in solved.items():
            names.setdefault(name, oid)
        waiting = {key: one for key, one in waiting.items() if key not in solved}
    return places


def _place(steps: _Steps, parent: str | None) -> str | None:
    """The object identifier of ``{ parent 1 name(2) 3 }``; None while its parent is not known."""
    if not steps:
        return None
    _, number, bare = steps[0]
    # { iso org(3) ... } begins with a name; { 1 3 6 } and { ccitt(0) 1 } with a number.
    first = bare or parent or (number if len(steps) > 1 else None)
    if first is None:
        return None
    rest = [number or bare for _, number, bare in steps[1:]]
    if any(arc is None for arc in rest):
        return None
    oid = ".".join([first, *(arc for arc in rest if arc is not None)])
    return oid if re.fullmatch(r"[0-2](\.\d{1,10})*", oid) else None


def _is_row(one: _Said) -> bool:
    return one.what == "OBJECT-TYPE" and bool(_INDEX.search(one.clauses) or _AUGMENTS.search(one.clauses))


def _object(module: str, name: str, one: _Said, oid: str, rows: set[str], types: Mapping[str, _Type]) -> MibObject:
    if one.what != "OBJECT-TYPE":
        return MibObject(module, name, oid, Kind.NODE)
    found = _SYNTAX.search(one.clauses)
    if _is_row(one):
        index = _INDEX.search(one.clauses)
        augments = _AUGMENTS.search(one.clauses)
        parts = [part.split() for part in (index[1] if index else "").split(",")]
        names = tuple((part[0] == "IMPLIED", part[-1]) for part in parts if part)
        return MibObject(module, name, oid, Kind.ROW, indexes=names, augments=augments[1] if augments else None)
    if found and found[1].startswith("SEQUENCE"):
        return MibObject(module, name, oid, Kind.TABLE)
    units = _UNITS.search(one.clauses)
    return MibObject(
        module,
        name,
        oid,
        Kind.COLUMN if oid.rpartition(".")[0] in rows else Kind.SCALAR,
        _syntax(_Type("", found[1], found[2] or "", found[3] or ""), types) if found else None,
        units[1] if units else "",
    )


def _syntax(said: _Type, types: Mapping[str, _Type]) -> Syntax:
    """A type down to what no file of the folder defines; what is said nearest to the object wins."""
    words: dict[int, str] = {}
    hint, size = "", None
    for _ in range(_DEEPEST_TYPE):
        words = words or {int(number): word for word, number in _WORD.findall(said.words)}
        size = int(said.size) if size is None and said.size else size
        found = _HINT.search(said.clauses)
        hint = hint or (found[1] if found else "")
        if said.base not in types:
            break
        said = types[said.base]
    return Syntax(said.base, words, hint, size)
