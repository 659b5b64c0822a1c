"""One line of a platform's grammar, matched word by word, so that a refusal can point at the word.

    "ip address {ip} {mask} [sub]"     literals, typed words, optional parts
    "description ..."                   anything further, at least one word
    "display version|clock"             one of these words

Types: ip, mask (dotted, or a length 0-32), wildcard, prefix (address/length), word, and n, or n:1-4094, a number.
``{interface}`` is one word, or two where a name and its number stand apart.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Final


class Verdict(Enum):
    """How a line fits a shape."""

    FITS = "fits"
    UNKNOWN = "unknown"
    """A word that is no keyword here."""
    WRONG = "wrong"
    """A word of the wrong type."""
    INCOMPLETE = "incomplete"
    MANY = "many"
    """More words than the shape takes."""


@dataclass(frozen=True, slots=True)
class Fit:
    """The outcome for one line.

    Args:
        at: number of the word that does not fit, or of words where the line ends too early.
    """

    verdict: Verdict
    at: int


_OCTET: Final = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_IP: Final = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")
_MASKS: Final = frozenset(
    ".".join(str(((0xFFFFFFFF << (32 - length)) & 0xFFFFFFFF) >> shift & 255) for shift in (24, 16, 8, 0))
    for length in range(33)
)


def _is_length(word: str) -> bool:
    return word.isdecimal() and len(word) <= 2 and int(word) <= 32


def _is_prefix(word: str) -> bool:
    address, _, length = word.partition("/")
    return bool(_IP.fullmatch(address)) and _is_length(length)


_TYPES: Final[dict[str, Callable[[str], bool]]] = {
    "ip": lambda word: bool(_IP.fullmatch(word)),
    "mask": lambda word: word in _MASKS or _is_length(word),
    "wildcard": lambda word: bool(_IP.fullmatch(word)) or word == "0",
    "prefix": _is_prefix,
    "word": lambda word: True,
    "interface": lambda word: bool(re.fullmatch(r"[A-Za-z][\w-]*\d[\d/.:]*|[a-z][\w.-]*", word)),
}
_NUMBERED: Final = re.compile(r"[A-Za-z][A-Za-z-]*")
_NUMBER: Final = re.compile(r"\d[\d/.:]*")


@dataclass(frozen=True, slots=True)
class _Literal:
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Typed:
    kind: str
    test: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class _Optional:
    items: tuple["_Item", ...]


@dataclass(frozen=True, slots=True)
class _Rest:
    least: int


_Item = _Literal | _Typed | _Optional | _Rest
_TOKEN: Final = re.compile(r"\[|\]|[^\s\[\]]+")


class Shape:
    """A compiled shape; `shape` makes one and keeps it."""

    __slots__ = ("firsts", "items", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        pieces = _TOKEN.findall(text)
        self.items, left = _parse(pieces)
        if left:
            raise ValueError(f"{text!r}: a bracket closes that never opened")
        first = self.items[0] if self.items else None
        self.firsts: frozenset[str] | None = first.words if isinstance(first, _Literal) else None
        """The words that it can begin with; None for any."""

    def fit(self, words: Sequence[str]) -> Fit:
        """How these words fit; of several readings the one that goes furthest."""
        return max(_fit(self.items, words, 0), key=_rank)

    def begins(self, words: Sequence[str]) -> bool:
        """Whether the words fit, or are the beginning of a line that would."""
        return self.fit(words).verdict in (Verdict.FITS, Verdict.INCOMPLETE)


def _rank(fit: Fit) -> tuple[bool, int, bool]:
    return fit.verdict is Verdict.FITS, fit.at, fit.verdict is not Verdict.UNKNOWN


@cache
def shape(text: str) -> Shape:
    """The shape of a text.

    Raises:
        ValueError: brackets that do not match, or an unknown type.
    """
    return Shape(text)


def furthest(shapes: Sequence[Shape], words: Sequence[str]) -> tuple[Shape | None, Fit]:
    """The shape that the words fit, or how far the best one got."""
    best = Fit(Verdict.UNKNOWN, 0)
    for one in shapes:
        if one.firsts is not None and words[0] not in one.firsts:
            continue
        found = one.fit(words)
        if found.verdict is Verdict.FITS:
            return one, found
        if _rank(found) > _rank(best):
            best = found
    return None, best


def _parse(pieces: list[str]) -> tuple[tuple[_Item, ...], list[str]]:
    items: list[_Item] = []
    while pieces:
        piece = pieces.pop(0)
        if piece == "]":
            return tuple(items), [piece, *pieces]
        if piece == "[":
            inner, rest = _parse(pieces)
            if not rest:
                raise ValueError("a bracket opens that never closes")
            pieces[:] = rest[1:]
            items.append(_Optional(inner))
        elif piece == "...":
            items.append(_Rest(1))
        elif piece.startswith("{"):
            items.append(_typed(piece[1:-1]))
        else:
            items.append(_Literal(frozenset(piece.split("|"))))
    return tuple(items), pieces


def _typed(kind: str) -> _Typed:
    if kind in _TYPES:
        return _Typed(kind, _TYPES[kind])
    name, _, bounds = kind.partition(":")
    if name != "n":
        raise ValueError(f"no type {kind!r}")
    low, _, high = (bounds or "0-4294967295").partition("-")
    return _Typed(kind, lambda word: word.isdecimal() and len(word) < 11 and int(low) <= int(word) <= int(high))


def _fit(items: tuple[_Item, ...], words: Sequence[str], at: int) -> list[Fit]:
    if not items:
        return [Fit(Verdict.FITS if at == len(words) else Verdict.MANY, at)]
    item, rest = items[0], items[1:]
    if isinstance(item, _Optional):
        return _fit(item.items + rest, words, at) + _fit(rest, words, at)
    if at == len(words):
        return [Fit(Verdict.INCOMPLETE, at)]
    if isinstance(item, _Rest):
        return [Fit(Verdict.FITS, len(words))]
    if isinstance(item, _Literal):
        return _fit(rest, words, at + 1) if words[at] in item.words else [Fit(Verdict.UNKNOWN, at)]
    apart = item.kind == "interface" and at + 1 < len(words) and _NUMBERED.fullmatch(words[at])
    if apart and _NUMBER.fullmatch(words[at + 1]):  # "GigabitEthernet 0/0" is one name; so are "eth0" and "Tunnel1"
        return _fit(rest, words, at + 2)
    return _fit(rest, words, at + 1) if item.test(words[at]) else [Fit(Verdict.WRONG, at)]
