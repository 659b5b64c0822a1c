"""A configuration as nested lines, and as text."""

import re
from collections.abc import Iterable, Iterator
from typing import Final


class Tree(dict[str, "Tree | None"]):
    """Lines in the order in which they are shown; a section holds a tree, a plain line holds None."""

    def copy_deep(self) -> "Tree":
        return Tree({line: None if below is None else below.copy_deep() for line, below in self.items()})

    def section(self, *path: str) -> "Tree | None":
        """The section with this path of lines; None where there is none."""
        here: Tree | None = self
        for line in path:
            here = here.get(line) if here is not None else None
        return here


def walk(tree: Tree, depth: int = 0) -> Iterator[tuple[int, str]]:
    """(depth, line) of everything, sections before what they hold."""
    for line, below in tree.items():
        yield depth, line
        if below is not None:
            yield from walk(below, depth + 1)


_SPLIT: Final = re.compile(r"(\d+)")


def natural(line: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key by which ``rule 10`` comes after ``rule 5``."""
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in _SPLIT.split(line) if part)


def outline(text: str, breaks: Iterable[str] = ()) -> list[tuple[int, str]]:
    """(spaces in front, line) of every line that says something.

    Args:
        breaks: lines such as ``#`` that end whatever was open; they come out as (-1, line).
    """
    ends = frozenset(breaks)
    found: list[tuple[int, str]] = []
    for raw in text.replace("\r", "").split("\n"):
        line = raw.strip()
        if not line:
            continue
        if line in ends:
            found.append((-1, line))
        else:
            found.append((len(raw) - len(raw.lstrip()), " ".join(line.split())))
    return found
