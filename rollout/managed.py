"""Managed sections: how much of a section or of a family of lines a template owns.

*Exact* is the rule: what the intended configuration names is owned whole, and lines that it lacks go. After a line
``!! merge`` the template only adds and changes: what a person wrote into the same section stays; ``!! exact`` ends
that. *Absent* needs no mark: ``undo LINE`` or ``no LINE`` owns just what it names, and has it gone.
"""

from collections.abc import Iterator
from typing import Final

from rollout.errors import TemplateError
from rollout.platform import Platform
from rollout.remediation import predict
from rollout.rules import RULES
from rollout.tree import Item, Items, parse, text_of

_MARK: Final = "!!"
_MODES: Final = ("merge", "exact")


def whole(platform: Platform, running: str, intended: str) -> str:
    """The intended configuration without marks: merged parts filled up with what the device has there already.

    Raises:
        TemplateError: a mark that is none of ours.
        UnparsableError: one of the texts is no configuration, or the device would refuse a merged line.
    """
    exact, merged = _split(intended)
    if not merged.strip():
        return exact
    asked = parse(platform, merged)
    reached = parse(platform, predict(platform, running, list(_commands(platform, asked))))
    families = {_family(item) for item in asked.values() if item.items is None}
    kept: Items = {
        key: item for key, item in reached.items() if key in asked or (item.items is None and _family(item) in families)
    }
    return exact + "".join(f"{line}\n" for line in text_of(kept))


def _split(intended: str) -> tuple[str, str]:
    texts: dict[str, list[str]] = {mode: [] for mode in _MODES}
    mode = "exact"
    for number, line in enumerate(intended.splitlines(), 1):
        if line.startswith(_MARK):
            mode = line.removeprefix(_MARK).strip()
            if mode not in _MODES:
                raise TemplateError(
                    f"line {number} of what a template renders: {line!r} is none of !! merge, !! exact."
                )
            continue
        texts[mode].append(line)
    return tuple("".join(f"{line}\n" for line in texts[mode]) for mode in ("exact", "merge"))  # type: ignore[return-value]


def _commands(platform: Platform, items: Items) -> Iterator[str]:
    for item in items.values():
        yield item.text
        if item.items is not None:
            yield from _commands(platform, item.items)
            yield (
                item.meaning.section.leave
                if item.meaning.section and item.meaning.section.leave
                else RULES[platform].leave
            )


def _family(item: Item) -> str:
    return " ".join(item.text.split()[:2])
