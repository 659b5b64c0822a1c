"""The pages are held to the code: what they link to, name and promise exists."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Final, Literal, get_args, get_origin

import pytest
import typer

from api.messages import ZH
from cuntong.commands import app
from exporter.registry import METRICS
from health import coverage, device, outage, rootcause
from inventory import vocabulary

REPO: Final = Path(__file__).resolve().parents[2]
DOCS: Final = REPO / "docs"
GLOSSARY: Final = DOCS / "glossary.md"
DECISIONS: Final = sorted((DOCS / "decisions").glob("[0-9]*.md"))
PAGES: Final = [REPO / "README.md", *sorted(DOCS.rglob("*.md"))]
PACKAGES: Final = ("inventory", "health", "ledger", "collectors", "exporter", "api", "simulator", "cuntong")
FOLDERS: Final = frozenset(path.name for path in REPO.iterdir() if path.is_dir() and path.name[0] != ".") | {".ci"}

_FENCE: Final = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_SPAN: Final = re.compile(r"`([^`\n]+)`")
_LINK: Final = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING: Final = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_PATH: Final = re.compile(r"(?<![\w./~:-])([\w.-]+)/[\w./*-]*")
_COMMAND: Final = re.compile(r"(?:^|(?<=[\s(\"'])|bin/)cuntong ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?", re.MULTILINE)
_METRIC: Final = re.compile(r"\bcuntong_[a-z_]+\b")

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPO).as_posix())


@cache
def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", page.read_text("utf-8"))


@cache
def code(page: Path) -> tuple[str, ...]:
    """Everything on a page that is set as code: fenced blocks and spans."""
    return (*_FENCE.findall(page.read_text("utf-8")), *_SPAN.findall(prose(page)))


def anchors(page: Path) -> set[str]:
    """What GitHub makes of a page's headings."""
    found: set[str] = set()
    for heading in _HEADING.findall(prose(page)):
        slug = re.sub(r"[^\w\- ]", "", _LINK.sub("", heading).lower()).replace(" ", "-")
        repeated = sum(one == slug or one.startswith(f"{slug}-") for one in found)
        found.add(f"{slug}-{repeated}" if slug in found else slug)
    return found


@pages
def test_every_relative_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    broken = []
    for target in _LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name) if name else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert not broken


@pages
def test_every_path_that_is_named_exists(page: Path) -> None:
    missing = []
    for text in code(page):
        for match in _PATH.finditer(text):
            path = match[0].rstrip(".")
            if match[1] in FOLDERS and not (any(REPO.glob(path)) if "*" in path else (REPO / path).exists()):
                missing.append(path)
    assert not missing


def subcommands(group: typer.Typer) -> dict[str, set[str]]:
    """Each command's name, with the names of the commands below it."""
    found: dict[str, set[str]] = {
        command.name or command.callback.__name__.replace("_", "-"): set()
        for command in group.registered_commands
        if command.callback is not None
    }
    for below in group.registered_groups:
        if below.name and below.typer_instance is not None:
            found[str(below.name)] = set(subcommands(below.typer_instance))
    return found


@pages
def test_every_command_that_is_named_exists(page: Path) -> None:
    known = subcommands(app)
    named = [match.groups() for text in code(page) for match in _COMMAND.finditer(text)]
    unknown = [
        (command, below)
        for command, below in named
        if command not in known or (below and known[command] and below not in known[command])
    ]
    assert not unknown


@pages
def test_every_metric_that_is_named_is_exported(page: Path) -> None:
    known = set(METRICS)
    named = {name for text in code(page) for name in _METRIC.findall(text) if not name.endswith("_")}
    assert named <= known


@cache
def glossary() -> dict[str, list[str]]:
    """Each identifier with the Chinese column and the meaning of its rows, joined."""
    rows = defaultdict(list)
    for line in GLOSSARY.read_text("utf-8").splitlines():
        if match := re.match(r"\| `([^`]+)` \| (.+) \|$", line):
            rows[match[1]].append(match[2])
    return rows


def words_of(*modules: ModuleType) -> Iterator[str]:
    """Every word of the modules' closed lists, be they enumerations, literals or tuples of text."""
    for module in modules:
        for thing in vars(module).values():
            if isinstance(thing, type) and issubclass(thing, StrEnum) and thing.__module__ == module.__name__:
                yield from thing
            elif get_origin(thing) is Literal:
                yield from get_args(thing)


def test_the_glossary_has_every_word_of_the_vocabulary() -> None:
    words: Iterable[str] = (*words_of(vocabulary), *vocabulary.KINDS, *vocabulary.LEVELS)
    assert sorted(set(map(str, words)) - glossary().keys()) == []


def test_the_glossary_has_every_state_cause_scope_and_reason() -> None:
    words = set(map(str, words_of(coverage, device, outage, rootcause)))
    assert {"degraded", "aggregation", "uplink", "suspect", "stale"} <= words
    assert sorted(words - glossary().keys()) == []


def test_the_glossary_names_nothing_that_the_code_does_not_use() -> None:
    files = [file for package in PACKAGES for kind in ("py", "yml") for file in (REPO / package).rglob(f"*.{kind}")]
    text = "\n".join(file.read_text("utf-8") for file in files)
    used = set(re.findall(r"[A-Za-z][\w:-]*", text)) | set(re.findall(r"\w+", text))
    assert sorted(glossary().keys() - used) == []


_SHOWN: Final = ("state", "scope", "cause", "verdict", "aspect", "device", "claim", "reason", "kind", "type", "owner",
                 "origin", "fault")  # fmt: skip


@pytest.mark.parametrize("key", [key for key in ZH if key.partition(".")[0] in _SHOWN and "." in key])
def test_the_glossary_and_the_pages_use_the_same_chinese(key: str) -> None:
    assert ZH[key] in "\n".join(glossary()[key.partition(".")[2]])


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_gives_its_context_its_choice_and_its_cost(page: Path) -> None:
    text = page.read_text("utf-8")
    assert text.startswith(f"# {int(page.stem[:4])}. ")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Choice", "What it costs"]


def test_the_list_of_decisions_is_complete() -> None:
    listed = _LINK.findall((DOCS / "decisions" / "README.md").read_text("utf-8"))
    assert listed == [page.name for page in DECISIONS]
