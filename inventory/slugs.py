"""Permanent ids, made once from the pinyin of names when a site is allocated, then kept in the lock file (D3)."""

import re
from collections.abc import Container
from functools import lru_cache
from typing import Final

from pypinyin import Style, lazy_pinyin

from inventory.names import stem_of

LONGEST: Final = 40
_OUTSIDE: Final = re.compile(r"[^a-z0-9]+")


@lru_cache(maxsize=200_000)
def pinyin(name: str) -> str:
    """A division's name without its suffix, in pinyin letters: 徙榆居委会 is ``xiyu``; ``x`` where nothing is left."""
    syllables = lazy_pinyin(stem_of(name), style=Style.NORMAL, v_to_u=False, errors="default")
    return _OUTSIDE.sub("", "".join(syllables).lower()) or "x"


@lru_cache(maxsize=10_000)
def initials(name: str) -> str:
    """天全县 is ``tqx``: the prefix of a county inside a larger inventory."""
    letters = lazy_pinyin(name, style=Style.FIRST_LETTER, errors="default")
    text = _OUTSIDE.sub("", "".join(letters).lower())[:6] or "x"
    return text if text[0].isalpha() else f"x{text}"


def site_id(parts: tuple[str, ...], taken: Container[str]) -> str:
    """An id of these parts that is not taken: shortened to `LONGEST`, with a digit where two would be alike.

    >>> site_id(("tq", "chengxiang", "xuyu"), {"tq-chengxiang-xuyu"})
    'tq-chengxiang-xuyu2'
    """
    base = "-".join(parts)
    room = LONGEST - 3  # a digit or three for those alike
    if len(base) > room:
        share = max(4, (room - len(parts[0]) - len(parts)) // max(1, len(parts) - 1))
        base = "-".join((parts[0], *(part[:share] for part in parts[1:])))[:room].rstrip("-")
    found, number = base, 2
    while found in taken:
        found, number = f"{base}{number}", number + 1
    return found
