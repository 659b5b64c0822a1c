"""The manuals cannot rot: what they say to type is typed, and what they say to open is opened."""

import re
import shlex
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
import typer

from cuntong.commands import app
from cuntong.demo import EXAMPLE
from inventory.timetable import CHINA
from ledger.database import sqlite_url

if TYPE_CHECKING:
    from tests.cuntong.conftest import Command, Running

MANUAL = Path(__file__).parents[2] / "docs" / "manual"
CHAPTERS = sorted(MANUAL.rglob("*.md"))
PASSWORD = "Four lanterns on hill 4"  # noqa: S105  of these tests alone
ROLES = {"engineer": "network_engineer", "noc": "noc_operator", "office": "reform_viewer", "clerk": "township_clerk"}
_BLOCK = re.compile(r"^```(sh[^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
_SPAN = re.compile(r"`([^`\n]+)`")

chapters = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda file: file.relative_to(MANUAL).as_posix())


def blocks(chapter: Path) -> Iterator[tuple[str, list[str]]]:
    for kind, text in _BLOCK.findall(chapter.read_text("utf-8")):
        yield kind, text.strip().splitlines()


def test_every_user_has_a_chapter_in_both_languages_with_the_same_commands_and_pages() -> None:
    assert {file.stem for file in CHAPTERS} == set(ROLES)
    for name in ROLES:
        told = []
        for language in ("zh", "en"):
            chapter = MANUAL / language / f"{name}.md"
            words = [shlex.split(line)[:3] for _, lines in blocks(chapter) for line in lines]
            told.append((words, sorted(set(pages(chapter)))))
        assert [[one[:2] for one in words] for words, _ in told[:1]] == [
            [one[:2] for one in words] for words, _ in told[1:]
        ]
        assert told[0][1] == told[1][1]


def pages(chapter: Path) -> list[str]:
    return [span for span in _SPAN.findall(chapter.read_text("utf-8")) if re.fullmatch(r"/[a-z/]*", span)]


@chapters
def test_every_command_exists_with_its_options(chapter: Path) -> None:
    lines = [line for _, told in blocks(chapter) for line in told]
    lines += [span for span in _SPAN.findall(chapter.read_text("utf-8")) if span.startswith("cuntong ")]
    for line in lines:
        words = shlex.split(line)
        assert words.pop(0) == "cuntong", line
        command = typer.main.get_command(app)
        while words and (inner := getattr(command, "commands", {}).get(words[0])) is not None:
            command = inner
            words.pop(0)
        # A group that takes something else than a command, as import takes a file, has the options of what is below it.
        below = [command, *getattr(command, "commands", {}).values()]
        known = {
            option
            for one in below
            for parameter in one.params
            for option in (*parameter.opts, *parameter.secondary_opts)
        }
        assert {word for word in words if word.startswith("-")} <= known, line


@chapters
def test_the_commands_that_are_marked_for_it_run(
    chapter: Path, home: Path, cuntong: "Command", monkeypatch: pytest.MonkeyPatch
) -> None:
    if not any("run" in kind for kind, _ in blocks(chapter)):
        assert chapter.stem == "clerk", "a clerk needs a browser and nothing else"
        return
    monkeypatch.setenv("CUNTONG_LEDGER", sqlite_url(home / "ledger.sqlite3"))
    shutil.copytree(EXAMPLE, home / "inventory")
    monkeypatch.chdir(home / "inventory")
    (home / "pw").write_text(PASSWORD + "\n")
    for name in ("root", "sec", "li"):
        assert cuntong("user", "add", name, "--password-file", home / "pw").code == 0
        if name == "root":
            cuntong("user", "grant", "root", "sys_admin", "511825")
            cuntong("login", "root", "--password-file", home / "pw")
    for name, role in (("sec", "sec_admin"), ("li", ROLES[chapter.stem])):
        assert cuntong("user", "grant", name, role, "511825").code == 0
        assert cuntong("login", name, "--password-file", home / "pw").code == 0
    ran, tomorrow = 0, f"{datetime.now(CHINA) + timedelta(days=1):%Y-%m-%dT06:00}"
    for kind, lines in blocks(chapter):
        if "run" not in kind.split():
            continue
        for line in lines:
            said = cuntong(*shlex.split(_MOMENT.sub(tomorrow, line))[1:])
            assert said.code == 0 or ("may-fail" in kind and said.code == 1 and said.out), f"{line}: {said.err}"
            ran += 1
    assert ran


@chapters
def test_every_page_opens(chapter: Path, running: "Running") -> None:
    found = pages(chapter)
    assert found
    for page in found:
        query = "?lang=en" if "/en/" in chapter.as_posix() and page != "/healthz" else ""
        assert httpx.get(f"{running.stage.page}{page}{query}", timeout=30).status_code == 200, page


@chapters
def test_a_chapter_is_served_to_everybody_with_its_pages_as_links(chapter: Path, running: "Running") -> None:
    language = chapter.parent.name
    answer = httpx.get(f"{running.stage.page}/manual/{language}/{chapter.stem}", timeout=30)
    assert answer.status_code == 200
    for page in pages(chapter):
        assert f'<a href="{page}{"" if language == "zh" else "?lang=en"}"><code>' in answer.text, page
    assert "<script" not in answer.text
    assert (
        f'href="/manual/{language}/{chapter.stem}"' in httpx.get(f"{running.stage.page}/manual/?lang={language}").text
    )
    assert httpx.get(f"{running.stage.page}/manual/{language}/nothing").status_code == 404
