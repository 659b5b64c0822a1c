"""``/manual/``: the manuals of docs/manual, one chapter for each kind of user, in Chinese and English.

They are part of the program and say nothing of any county, so nobody need log in to read one.
"""

import re
from collections.abc import Mapping
from functools import cache
from html import escape
from pathlib import Path as FilePath
from typing import Final, Literal

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from api.problems import not_found
from api.routers.runbooks import html_of

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

Language = Literal["zh", "en"]

# In a wheel they lie beside the package's modules, in a checkout where people write them.
_FOLDERS: Final = (FilePath(__file__).parents[1] / "manual", FilePath(__file__).parents[2] / "docs" / "manual")
_ORDER: Final = ("clerk", "noc", "office", "engineer")
_TITLE: Final = {"zh": "使用手册", "en": "Manuals"}
_SPOKEN: Final = {"zh": "zh-CN", "en": "en"}
_OTHER: Final[dict[Language, Language]] = {"zh": "en", "en": "zh"}

_PAGE: Final = """<!doctype html>
<html lang="{spoken}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · 村通</title><link rel="stylesheet" href="/static/style.css"></head>
<body><header class="top"><a class="brand" href="/"><b>村通</b></a>
<nav><a href="/manual/?lang={language}">{manuals}</a> &emsp; <a href="{there}">{other}</a></nav></header>
<main>{body}</main></body></html>
"""
_PATH: Final = re.compile(r"<code>(/[a-z]*(?:/[a-z]*)?)</code>")


@cache
def chapters(language: Language) -> Mapping[str, str]:
    """The text of each chapter, by its name, for those first who know least of the program."""
    folder = next((folder for folder in _FOLDERS if folder.is_dir()), None)
    files = {file.stem: file for file in (folder / language).glob("*.md")} if folder is not None else {}
    return {name: files[name].read_text("utf-8") for name in _ORDER if name in files}


@router.get("/manual/")
def index(lang: Language = "zh") -> str:
    """All chapters."""
    rows = []
    for name, text in chapters(lang).items():
        title = text.splitlines()[0].removeprefix("# ")
        rows.append(f'<li><a href="/manual/{lang}/{name}">{escape(title)}</a></li>')
    return _page(lang, _TITLE[lang], f"<h1>{_TITLE[lang]}</h1><ul>{''.join(rows)}</ul>", "/manual/?lang={}")


@router.get("/manual/{language}/{chapter}")
def chapter(language: Language, chapter: str) -> str:
    """One chapter; pages of ours that it names are links."""
    text = chapters(language).get(chapter)
    if text is None:
        raise not_found("chapter", chapter)
    shown = "\n".join(line for line in text.splitlines() if not line.startswith("> "))
    query = "" if language == "zh" else "?lang=en"
    body = _PATH.sub(rf'<a href="\1{query}"><code>\1</code></a>', html_of(shown))
    return _page(language, escape(text.splitlines()[0].removeprefix("# ")), body, f"/manual/{{}}/{chapter}")


def _page(language: Language, title: str, body: str, there: str) -> str:
    other = _OTHER[language]
    return _PAGE.format(
        spoken=_SPOKEN[language], language=language, title=title, manuals=_TITLE[language], body=body,
        there=there.format(other), other={"zh": "中文", "en": "English"}[other],
    )  # fmt: skip
