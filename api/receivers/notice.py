"""What one message says, before a channel gives it its form; and how a form is kept within a channel's limit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

TITLE_LIMIT: Final = 100
LINE_LIMIT: Final = 300
"""Characters; a Chinese one takes three bytes."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One message: plain words, no mark-up.

    Args:
        language: ``zh`` or ``en``.
        more: what is said for lines that had to be left out, with ``{count}`` in it.
        link: an address with its words; None where there is nothing to open.
    """

    language: str
    critical: bool
    title: str
    lines: tuple[str, ...]
    more: str
    link: tuple[str, str] | None = None

    def as_plain(self) -> dict[str, Any]:
        return {
            "language": self.language,
            "critical": self.critical,
            "title": self.title,
            "lines": list(self.lines),
            "more": self.more,
            "link": None if self.link is None else list(self.link),
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Notice":
        """What `as_plain` gave."""
        link = plain["link"]
        return cls(
            plain["language"],
            plain["critical"],
            plain["title"],
            tuple(plain["lines"]),
            plain["more"],
            None if link is None else (link[0], link[1]),
        )


def tidy(text: str, limit: int = LINE_LIMIT) -> str:
    """One line of words that no channel takes for mark-up: labels come from outside, and chats read Markdown."""
    plain = "".join(_HARMLESS.get(one, one) for one in text if one.isprintable() or one in "\n\t")
    plain = " ".join(plain.split())
    return plain if len(plain) <= limit else f"{plain[: limit - 1]}…"


_HARMLESS: Final = {"<": "＜", ">": "＞", "[": "［", "]": "］", "*": "＊", "`": "＇", "#": "＃", "|": "｜"}


def fitted(form: Callable[[Sequence[str]], str], notice: Notice, limit: int) -> str:
    """The form of a notice with as many of its lines as fit, in order.

    Args:
        form: of title, link and these lines; without lines it must fit.
        limit: bytes of UTF-8.
    """
    whole = form(notice.lines)
    if _size(whole) <= limit:
        return whole
    for kept in range(len(notice.lines) - 1, -1, -1):
        rest = notice.more.format(count=len(notice.lines) - kept)
        text = form([*notice.lines[:kept], rest])
        if _size(text) <= limit:
            return text
    return form([])


def _size(text: str) -> int:
    return len(text.encode())
