"""Which site a router stands at: by the people's own list, by what is declared, by codes and names that it carries.

A name counts only where it points to one division. Pinyin is the last resort, and the longest name wins:
``tianquan-chengxiang-wenbi-ar`` is 文笔 and neither 城厢 nor 天全.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from cuntong.errors import UsageError
from inventory.divisions import Nodes, full_code
from inventory.names import stem_of
from inventory.slugs import pinyin

_DIGITS: Final = re.compile(r"(?<!\d)(\d{12}|\d{9}|\d{6})(?!\d)")
_LETTERS: Final = re.compile(r"[^a-z0-9]+")
_SHORTEST: Final = 4


@dataclass(frozen=True, slots=True)
class Place:
    """A division, and by what it was recognised."""

    node: int
    by: str


def read_map(text: str, name: str, nodes: Nodes) -> dict[str, int]:
    """Hostname or address to division, from lines ``NAME,CODE``.

    Raises:
        UsageError: a line is none of these; the line is named.
    """
    found: dict[str, int] = {}
    for number, row in enumerate(csv.reader(io.StringIO(text.lstrip("\ufeff"))), 1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (number == 1 and not cells[-1].isdecimal()):
            continue
        node = nodes.index.get(full_code(cells[1])) if len(cells) == 2 and cells[0] else None
        if node is None:
            raise UsageError(
                f"{name}:{number}: {','.join(row)!r} is no line NAME,CODE with a code of the division list."
            )
        found[cells[0]] = node
    return found


class Gazetteer:
    """Names of divisions in every spelling that hostnames use."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._stems = [stem_of(name) for name in nodes.names]
        self._letters = [pinyin(name) for name in nodes.names]

    def place(self, words: Iterable[str], listed: Mapping[str, int]) -> Place | None:
        """Where a device is that carries these words (hostname, address, descriptions), the surest first."""
        told = [word for word in words if word]
        for word in told:
            if word in listed:
                return Place(listed[word], "list")
        for word in told:
            for code in _DIGITS.findall(word):
                node = self._nodes.index.get(full_code(code))
                if node is not None:
                    return Place(node, "code")
        for word in told:
            if (node := self._by(word, self._stems, 2)) is not None:
                return Place(node, "name")
        for word in told:
            if (node := self._by(_LETTERS.sub("", word.lower()), self._letters, _SHORTEST)) is not None:
                return Place(node, "pinyin")
        return None

    def _by(self, word: str, spellings: list[str], shortest: int) -> int | None:
        """The division whose name is in the word: the deepest; its township's tells those alike apart."""
        nodes = self._nodes
        inside = [i for i, one in enumerate(spellings) if len(one) >= shortest and one in word]
        if not inside:
            return None
        # The name of a division above explains its own letters: what else is there is what is meant.
        villages = [i for i in inside if nodes.levels[i] == 5]
        with_township = [i for i in villages if nodes.parents[i] in inside and self._apart(word, spellings, i)]
        for some in (with_township, self._longest(villages, spellings) if not with_township else []):
            best = self._longest(some, spellings)
            if len(best) == 1 and (some is with_township or self._covers(word, spellings, best[0], inside)):
                return best[0]
            if best:
                return None
        townships = self._longest([i for i in inside if nodes.levels[i] == 4], spellings)
        if len(townships) == 1:
            return townships[0]
        counties = [i for i in inside if nodes.levels[i] <= 3]
        return counties[0] if len(counties) == 1 and not townships else None

    def _apart(self, word: str, spellings: list[str], village: int) -> bool:
        """Whether village and township both stand in the word, not one inside the other."""
        return spellings[village] in word.replace(spellings[self._nodes.parents[village]], "\n", 1)

    def _covers(self, word: str, spellings: list[str], village: int, inside: list[int]) -> bool:
        """Whether no township stands in the word that is not the village's, so that it would be another village."""
        rest = word.replace(spellings[village], "\n", 1)
        others = [i for i in inside if self._nodes.levels[i] == 4 and spellings[i] in rest]
        return not others or self._nodes.parents[village] in others

    @staticmethod
    def _longest(some: list[int], spellings: list[str]) -> list[int]:
        length = max((len(spellings[i]) for i in some), default=0)
        return [i for i in some if len(spellings[i]) == length]
