"""A platform's command line as data: its words, views, questions and refusals, read from ``personalities/*.yml``.

Everything that differs between vendors and needs no algorithm stands there; `simulator.routers.console` and
`simulator.routers.editing` are the same for all.
"""

import re
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Final

import yaml
from pydantic import AfterValidator, Field, ValidationError

from rollout.platform import Platform
from simulator.errors import SimulationError
from simulator.routers.shape import Shape, shape
from simulator.values import Declared

FOLDER: Final = Path(__file__).parent / "personalities"


def _regex(text: str) -> str:
    re.compile(text)
    return text


def _shape(text: str) -> str:
    shape(text)
    return text


Pattern = Annotated[str, AfterValidator(_regex)]
ShapeText = Annotated[str, AfterValidator(_shape)]


class Section(Declared):
    """Lines that open a view.

    Args:
        inside: the views that it opens from.
        label: its part of the prompt; ``{0}``, ``{1}`` are the line's words, ``{rest}`` all but the first.
        key: how many words tell one section from another; 0: all. What follows them is an argument.
        keeps: headers that cannot be taken away, such as a port's.
    """

    inside: list[str]
    line: ShapeText
    view: str
    label: str
    key: int = 0
    keeps: Pattern | None = None


class Question(Declared):
    """What the box asks before it does something.

    Args:
        on: of the whole line.
        ask: the last line stays open for the answer.
    """

    line: Pattern
    ask: str


class SecretQuestion(Declared):
    """Secrets that are typed after the line, unseen, instead of in it."""

    line: Pattern
    prompts: list[str]
    becomes: str


class Rule(Declared):
    """When a line like ``line`` is entered: what goes, and what the box says."""

    line: Pattern
    view: str = ""
    removes: list[Pattern] = Field(default_factory=list)
    says: str = ""


class Need(Declared):
    """A line like ``line`` is refused, and forgotten, where the section has none that begins with ``needs``."""

    line: Pattern
    view: str
    needs: str
    says: str


class Rewrite(Declared):
    """A line is kept in another form.

    Args:
        becomes: a replacement; ``<form:N>`` is group N as ciphertext, ``<mask:N>`` a length as dotted mask and
            ``<length:N>`` the other way round.
    """

    find: Pattern
    becomes: str


class Prompts(Declared):
    user: str
    system: str
    view: str
    plain: str = ""
    """Before ``enable``, where there is such a thing."""


class Refusals(Declared):
    unknown: str
    wrong: str
    incomplete: str
    many: str
    caret: bool = True
    no_answer: str = ""
    """After a wrong answer to a question."""
    rejected: str = ""
    """What an injected refusal says; empty: ``wrong``."""


class Facts(Declared):
    """How to read a configuration; see `simulator.routers.reading`."""

    interface: Pattern
    port: Pattern
    """Names of ports that a cable can be in."""
    quiet: Pattern
    """Names of interfaces that are no LAN: loopbacks, tunnels."""
    address: Pattern
    dynamic: Pattern
    bundle: Pattern
    down: Pattern
    vrf: Pattern
    route: Pattern
    filter: Pattern
    acl: Pattern
    rule: Pattern
    ospf: Pattern
    network: Pattern
    ssh: Pattern
    vty: Pattern
    vty_acl: Pattern
    global_acl: Pattern
    vty_refuses: Pattern
    user: Pattern
    user_allows: Pattern
    snmp: Pattern


class Words(Declared):
    """Sentences that commands say; ``{name}`` and so on are filled in by the command."""

    entered: str = ""
    saved: str = ""
    save_asks: list[str] = Field(default_factory=list)
    save_failed: str = ""
    disk_full: str = ""
    disturbs: str = ""
    """An unasked log line."""


class Language(Declared):
    """One personality.

    Args:
        profile: the device profile (inventory) that it stands for.
        name: the line that names the box, and ``unnamed`` what an unnamed box is called.
        breaks: lines that stand between sections.
        indented: root lines that are shown with a blank in front.
        ports: that every box of this kind has.
        climbs: whether a line of the root is understood inside a section.
        views: view to the shapes of its lines.
        commands: where to what to do: ``user``, ``config`` (every configuration view) and ``any``; ``plain`` before
            ``enable``. Shape to the name of an action of `simulator.routers.console`.
        single: view to lines (from their beginning) of which a section has one; a new one replaces it.
        sets: lines whose last words are members.
        negations_kept: negated lines that are kept and shown.
        fresh: lines whose ciphertext is written anew on each display.
        order: how lines are sorted when shown; those that nothing matches come last.
        head: lines before the configuration.
        bare: the configuration of a new box after its day-0 file.
    """

    platform: Platform
    profile: str
    negation: str
    name: str
    unnamed: str
    breaks: list[str]
    last: str
    noise: list[Pattern] = Field(default_factory=list)
    closing: list[Rewrite] | None = None
    """What is shown after a section, by its header: ``exit`` where nothing here matches. None: nothing."""
    indented: Pattern = r"(?!)"
    prompts: Prompts
    refusals: Refusals
    words: Words
    more: str = ""
    spaced_interfaces: bool = False
    interface_types: list[str]
    ports: list[str]
    climbs: bool = False
    sections: list[Section]
    views: dict[str, list[ShapeText]]
    commands: dict[str, dict[ShapeText, str]]
    questions: list[Question] = Field(default_factory=list)
    secret_questions: list[SecretQuestion] = Field(default_factory=list)
    rewrites: list[Rewrite] = Field(default_factory=list)
    single: dict[str, list[Pattern]] = Field(default_factory=dict)
    sets: list[str] = Field(default_factory=list)
    negations_kept: list[Pattern] = Field(default_factory=list)
    defaults: list[Pattern] = Field(default_factory=list)
    conflicts: list[Rule] = Field(default_factory=list)
    clears: list[Rule] = Field(default_factory=list)
    needs: list[Need] = Field(default_factory=list)
    absent: list[Rule] = Field(default_factory=list)
    undo_by_key: list[Pattern] = Field(default_factory=list)
    numbered: dict[str, int] = Field(default_factory=dict)
    """View to the step in which unnumbered rules get numbers."""
    fresh: list[Pattern] = Field(default_factory=list)
    order: list[Pattern]
    head: list[str]
    facts: Facts
    models: dict[str, dict[str, str]]
    version: list[str]
    startup_file: str
    bare: str

    @cached_property
    def shapes(self) -> Mapping[str, tuple[Shape, ...]]:
        """View to the compiled shapes of its lines."""
        return {view: tuple(map(shape, lines)) for view, lines in self.views.items()}

    @cached_property
    def openers(self) -> Mapping[str, tuple[tuple[Shape, Section], ...]]:
        """View to the sections that open from it."""
        found: dict[str, list[tuple[Shape, Section]]] = {}
        for section in self.sections:
            for view in section.inside:
                found.setdefault(view, []).append((shape(section.line), section))
        return {view: tuple(pairs) for view, pairs in found.items()}

    @cached_property
    def actions(self) -> Mapping[str, tuple[tuple[Shape, str], ...]]:
        return {where: tuple((shape(text), do) for text, do in told.items()) for where, told in self.commands.items()}

    @cached_property
    def interface_name(self) -> tuple[re.Pattern[str], re.Pattern[str]]:
        """A name and its number, apart or not: as written, and in any case of letters."""
        text = rf"\b({'|'.join(self.interface_types)})\s*(\d[\d/.:]*)\b"
        return re.compile(text), re.compile(text, re.IGNORECASE)

    @cached_property
    def spellings(self) -> Mapping[str, str]:
        return {name.lower(): name for name in self.interface_types}

    @cached_property
    def _ranks(self) -> re.Pattern[str]:
        return re.compile("|".join(f"(?P<r{at}>{one})" for at, one in enumerate(self.order)))

    def rank(self, line: str) -> int:
        """Place of a line among its neighbours."""
        found = self._ranks.match(line)
        return int((found.lastgroup or "r0")[1:]) if found else len(self.order)


@cache
def language(platform: Platform) -> Language:
    """The built-in personality of a platform.

    Raises:
        SimulationError: its file is wrong.
    """
    return load_language(FOLDER / f"{platform.value}.yml")


def load_language(path: Path) -> Language:
    """A personality from a file.

    Raises:
        SimulationError: the file is wrong.
    """
    try:
        return Language.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        raise SimulationError(f"{path.name}: {error}") from error


@cache
def platform_of_profile() -> Mapping[str, Platform]:
    """Device profile (``huawei-vrp``) to the platform that its routers speak."""
    return {language(platform).profile: platform for platform in Platform}
