"""``/runbooks/<Alert>``: what an alert's link opens. The pages of docs/runbooks, in Chinese, for anybody who is called.

They are part of the program and say nothing of any county, so nobody need log in at three in the morning to read one.
Only the little of Markdown that runbooks use is rendered; every word is escaped first.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from html import escape
from pathlib import Path as FilePath
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from api.problems import not_found

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

# In a wheel they lie beside the package's modules, in a checkout where people write them.
_FOLDERS: Final = (FilePath(__file__).parents[1] / "runbooks", FilePath(__file__).parents[2] / "docs" / "runbooks")

_PAGE: Final = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · 村通</title><link rel="stylesheet" href="/static/style.css"></head>
<body><header class="top"><a class="brand" href="/"><b>村通</b></a>
<nav><a href="/runbooks/">处置手册</a></nav></header>
<main>{body}</main></body></html>
"""

_LINK: Final = re.compile(r"\[([^\]]+)\]\((\w+)\.md\)")
_WORDS: Final = ((re.compile(r"\*\*(.+?)\*\*"), r"<strong>\1</strong>"), (_LINK, r'<a href="/runbooks/\2">\1</a>'))
_CHINESE: Final = re.compile(
    r"(?<=[\u2018-\u201d\u3000-\u9fff\uff00-\uffef]) (?=[\u2018-\u201d\u3000-\u9fff\uff00-\uffef])"
)
"""Where a line ended within Chinese: no space belongs there."""

_BULLET: Final = re.compile(r"( *)(?:-|(\d+)\.) (.*)")


@cache
def runbooks() -> Mapping[str, str]:
    """The text of each, by the name of its alert."""
    folder = next((folder for folder in _FOLDERS if folder.is_dir()), None)
    files = sorted(folder.glob("[A-Z]*.md")) if folder is not None else []
    return {file.stem: file.read_text("utf-8") for file in files}


@router.get("/runbooks/")
def index() -> str:
    """All of them, each with its first sentence."""
    rows = []
    for name, text in runbooks().items():
        first = next((line[2:] for line in text.splitlines() if line.startswith("> ")), "")
        rows.append(f'<li><a href="/runbooks/{name}">{name}</a> <span lang="en">{escape(first)}</span></li>')
    return _PAGE.format(title="处置手册", body=f"<h1>处置手册</h1><ul>{''.join(rows)}</ul>")


@router.get("/runbooks/{alert}")
def runbook(alert: str) -> str:
    """What to do when this alert fires."""
    text = runbooks().get(alert)
    if text is None:
        raise not_found("runbook", alert)
    return _PAGE.format(title=escape(alert), body=html_of(text))


def html_of(text: str) -> str:
    """Headings, paragraphs, quotations, lists (one inside another), code, bold words, links to other runbooks."""
    return "".join(_blocks(text.splitlines()))


def _blocks(lines: Iterable[str]) -> Iterable[str]:
    paragraph: list[str] = []
    lists: list[tuple[int, str]] = []  # those that are open: how far each is indented, and its tag
    fenced: list[str] | None = None

    def end(indent: int = -1) -> Iterable[str]:
        if paragraph:
            yield f"<p>{_inline(_CHINESE.sub('', ' '.join(paragraph)))}</p>"
            paragraph.clear()
        while lists and lists[-1][0] > indent:
            yield f"</li></{lists.pop()[1]}>"

    for line in lines:
        if line.strip().startswith("```"):
            if fenced is None:
                yield from end()
                fenced = []
            else:
                yield f"<pre><code>{escape(chr(10).join(fenced))}</code></pre>"
                fenced = None
        elif fenced is not None:
            fenced.append(line)
        elif heading := re.fullmatch(r"(#{1,3}) (.+)", line):
            yield from end()
            level = len(heading[1])
            yield f"<h{level}>{_inline(heading[2])}</h{level}>"
        elif line.startswith("> "):
            yield from end()
            yield f'<blockquote lang="en">{_inline(line[2:])}</blockquote>'
        elif item := _BULLET.fullmatch(line):
            indent, tag = len(item[1]), "ol" if item[2] else "ul"
            yield from end(indent)
            if lists and lists[-1][0] == indent and lists[-1][1] == tag:
                yield "</li>"
            else:
                if lists and lists[-1][0] == indent:
                    yield from end(indent - 1)
                lists.append((indent, tag))
                # A list that a block of code has interrupted goes on counting.
                yield f"<{tag}>" if item[2] in (None, "1") else f'<{tag} start="{item[2]}">'
            yield f"<li>{_inline(item[3])}"
        elif not line.strip():
            if not lists:
                yield from end()
        elif lists:
            yield f" {_inline(line.strip())}"
        else:
            paragraph.append(line.strip())
    yield from end()


def _inline(text: str) -> str:
    """Code as it stands; bold words and links in what is between."""
    parts = escape(text).split("`")
    if len(parts) % 2 == 0:  # a stray backquote is itself
        parts = ["`".join(parts)]
    for at, part in enumerate(parts):
        if at % 2:
            parts[at] = f"<code>{part}</code>"
            continue
        for pattern, put in _WORDS:
            part = pattern.sub(put, part)
        parts[at] = part
    return "".join(parts)
