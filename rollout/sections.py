"""The parts of an intended configuration that can be taken over one by one on an adopted router.

A template says ``!! section NAME`` where a part begins; a part may come in several pieces. What stands before the
first mark belongs to ``network``, the largest part: a template of an operator without marks is all or nothing.
"""

from collections.abc import Collection
from typing import Final

from inventory.vocabulary import SECTIONS
from rollout.errors import TemplateError

_MARK: Final = "!! section "
_UNMARKED: Final = "network"


def chosen(text: str, managed: Collection[str] | None, name: str) -> str:
    """What a template rendered, without marks: all of it, or the sections that we manage on this router.

    Args:
        managed: None for a router of which everything is ours.
        name: of the template, for the error.

    Raises:
        TemplateError: a mark names no section.
    """
    if _MARK not in text and managed is None:
        return text
    kept: list[str] = []
    section = _UNMARKED
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        if line.startswith(_MARK):
            section = line.removeprefix(_MARK).strip()
            if section not in SECTIONS:
                raise TemplateError(f"{name}: line {number} of what it renders: no section {section!r} is known.")
        elif managed is None or section in managed:
            kept.append(line)
    return "".join(kept)
