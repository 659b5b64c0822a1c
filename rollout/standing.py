"""Whether a device stands where a change began, where it should lead, or between the two.

Texts are compared as what they say, not as they are printed: a device shows lines in an order of its own, and a
secret reference is the ciphertext that stands in its place. The old configuration is recognised strictly: every line,
``undo``/``no`` lines included. The new one is also recognised where all that differs is what never is a difference:
defaults that the device shows or hides, and ``undo``/``no`` lines (vendor-cli notes, section 2).
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from rollout.device_model import align
from rollout.difference import Difference
from rollout.errors import UnparsableError
from rollout.platform import Platform
from rollout.tree import Item, Items, parse


class Standing(Enum):
    OLD = "old"
    NEW = "new"
    BETWEEN = "between"


def mark(platform: Platform, text: str) -> str:
    """Hash (hex) of what a configuration says, whatever the order it says it in.

    Raises:
        UnparsableError: it is no configuration.
    """
    said = "\n".join(_said(parse(platform, text), 0))
    return hashlib.sha256(said.encode()).hexdigest()


def _said(items: Items, depth: int) -> Iterator[str]:
    for key in sorted(items):
        item = items[key]
        value = " ".join(sorted(item.members)) if item.members else item.value
        yield f"{depth}{'-' if item.negative else '+'}{key}\t{item.args}\t{value}"
        yield from _said(item.items or {}, depth + 1)


@dataclass(frozen=True)
class Landmarks:
    """The two places where a change may end.

    Attributes:
        before: the configuration that it began on, as the device showed it.
        after: the predicted one.
    """

    platform: Platform
    before: str
    after: str

    @cached_property
    def old(self) -> str:
        """Mark of ``before``."""
        return mark(self.platform, self.before)

    @cached_property
    def new(self) -> str:
        """Mark of ``after``."""
        return mark(self.platform, self.after)

    def of(self, text: str) -> Standing:
        """Where a device stands that shows this. Text that is no configuration stands between."""
        try:
            shown = mark(self.platform, text)
        except UnparsableError:
            return Standing.BETWEEN
        if shown == self.old:
            return Standing.OLD
        return Standing.NEW if shown == self.new or self._says_the_same(text) else Standing.BETWEEN

    def way_back(self, text: str) -> tuple[str, ...]:
        """Lines that lead from a configuration to ``before``, whole: what stands too much there goes as well.

        Raises:
            UnparsableError: it is no configuration.
        """
        here, there = parse(self.platform, text), parse(self.platform, self.before)
        align(self.platform, here, there)
        return tuple(Difference(self.platform, here, there, _everything).commands())

    def _says_the_same(self, text: str) -> bool:
        here, there = _stated(parse(self.platform, text)), _stated(parse(self.platform, self.after))
        return all(
            Difference(self.platform, one, other, _everything).empty for one, other in ((here, there), (there, here))
        )


def _stated(items: Items) -> Items:
    """Without the ``undo``/``no`` lines: a device shows some of those that it was told, and hides others."""
    for key in [key for key, item in items.items() if item.negative]:
        del items[key]
    for item in items.values():
        _stated(item.items or {})
    return items


def _everything(key: str, item: Item) -> bool:
    return True
