"""Alertmanager's matchers, as its configuration writes them."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

_FORM: Final = re.compile(r'\s*([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*"?((?:[^"\\]|\\.)*)"?\s*')


@dataclass(frozen=True, slots=True)
class Matcher:
    """``label op value``; a label that is missing is empty, and patterns match as a whole."""

    label: str
    op: str
    value: str

    def matches(self, labels: Mapping[str, str]) -> bool:
        return self.accepts(labels.get(self.label, ""))

    def accepts(self, value: str) -> bool:
        same = bool(re.fullmatch(self.value, value)) if "~" in self.op else value == self.value
        return same is not self.op.startswith("!")


def matcher(text: str) -> Matcher:
    """One matcher.

    Raises:
        ValueError: the text is none.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(f'{text!r} is no matcher such as scope=~"site|link"')
    return Matcher(found[1], found[2], found[3])


def all_of(texts: Iterable[str]) -> Callable[[Mapping[str, str]], bool]:
    """Whether labels match every one of these."""
    matchers = [matcher(text) for text in texts]
    return lambda labels: all(one.matches(labels) for one in matchers)
