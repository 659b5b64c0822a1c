"""MIB files of an operator's folder: names, their places, and what their numbers mean. Text in, nothing is executed.

``name OBJECT-TYPE SYNTAX INTEGER { up(1), down(2) } ... ::= { parent 3 }`` is all that is read; what else a file says
is left alone, so that a vendor's faulty file, or one whose imports are not in the folder, still gives its names.
pysnmp's compiler gives up on both, and makes programs of the files' text, which it runs.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

_COMMENT: Final = re.compile(r"--.*?(?:--|$)", re.MULTILINE)
_TEXT: Final = re.compile(r'"[^"]*"')
_ASSIGNED: Final = re.compile(
    r"\b([a-z][A-Za-z0-9-]*)\s+"
    r"(?:OBJECT\s+IDENTIFIER|(?:OBJECT-TYPE|OBJECT-IDENTITY|MODULE-IDENTITY|NOTIFICATION-TYPE|OBJECT-GROUP)\b"
    r"((?:(?!::=).)*?))"
    r"\s*::=\s*\{([^{}]*)\}",
    re.DOTALL,
)
_SYNTAX: Final = re.compile(r"\bSYNTAX\s+(?:INTEGER\s*\{([^{}]*)\}|([A-Z][A-Za-z0-9-]*))")
_TYPE: Final = re.compile(
    r"\b([A-Z][A-Za-z0-9-]*)\s*::=\s*(?:TEXTUAL-CONVENTION\b(?:(?!::=).)*?\bSYNTAX\s+)?INTEGER\s*\{([^{}]*)\}",
    re.DOTALL,
)
_WORD: Final = re.compile(r"([a-z][A-Za-z0-9-]*)\s*\(\s*(-?\d{1,10})\s*\)")
_STEP: Final = re.compile(r"(?:([A-Za-z][A-Za-z0-9-]*)\s*(?:\(\s*(\d+)\s*\))?|(\d+))")
_LARGEST_FILE: Final = 8 << 20

_Steps = list[tuple[str | None, str | None, str | None]]


class Mibs(NamedTuple):
    """What a folder of MIB files says.

    Args:
        oids: dotted object identifiers by name.
        words: of a name in ``oids``, what its numbers mean.
    """

    oids: Mapping[str, str]
    words: Mapping[str, Mapping[int, str]]


def read_mibs(folder: Path, known: Mapping[str, str]) -> Mibs:
    """All MIB files of a folder; names without a known parent are left out.

    Args:
        known: dotted object identifiers by name, of what the files need not say.

    Raises:
        OSError: the folder cannot be read.
    """
    steps: dict[str, _Steps] = {}
    syntaxes: dict[str, tuple[str, str]] = {}
    types: dict[str, str] = {}
    for file in sorted(folder.iterdir()):
        if file.is_file() and file.stat().st_size <= _LARGEST_FILE:
            text = _TEXT.sub('""', _COMMENT.sub("", file.read_text("utf-8", "replace")))
            types |= dict(_TYPE.findall(text))
            for name, clauses, place in _ASSIGNED.findall(text):
                steps.setdefault(name, [(a or None, b or None, c or None) for a, b, c in _STEP.findall(place)])
                if syntax := _SYNTAX.search(clauses):
                    syntaxes.setdefault(name, (syntax[1] or "", syntax[2] or ""))
    found = {"iso": "1"} | {name: oid for name, oid in known.items() if name not in steps}
    waiting = dict(steps)
    while waiting:
        solved = {name: oid for name, place in waiting.items() if (oid := _place(place, found)) is not None}
        if not solved:
            break
        found.update(solved)
        waiting = {name: place for name, place in waiting.items() if name not in solved}
    oids = {name: oid for name, oid in found.items() if name in steps}
    words = {
        name: {int(number): word for word, number in _WORD.findall(own or types.get(named, ""))}
        for name, (own, named) in syntaxes.items()
        if name in oids
    }
    return Mibs(oids, {name: meant for name, meant in words.items() if meant})


def _place(steps: list[tuple[str | None, str | None, str | None]], known: Mapping[str, str]) -> str | None:
    """The object identifier of ``{ parent 1 name(2) 3 }``; None while its parent is not known."""
    if not steps:
        return None
    name, number, bare = steps[0]
    first = known.get(name) if name else bare
    if first is None:
        first = number if len(steps) > 1 else None  # { iso org(3) ... } begins with a name; { 1 3 6 } with a number
    if first is None:
        return None
    rest = [number or bare for _, number, bare in steps[1:]]
    if any(arc is None for arc in rest):
        return None
    oid = ".".join([first, *(arc for arc in rest if arc is not None)])
    return oid if re.fullmatch(r"[0-2](\.\d+)*", oid) else None
