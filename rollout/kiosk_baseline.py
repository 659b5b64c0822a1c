"""The baseline of kiosks (extranet.md section 6, B30 to B45): what to ask a kiosk, and what its answer means.

The document is data, named and versioned. The kiosk only reads files and runs the programs that the document names;
what that means is decided here, in a function without a network.
"""

import fnmatch
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rollout.bundle import words_of
from rollout.compliance import Mark, Result
from rollout.errors import TemplateError
from rollout.kiosk_facts import KioskFacts

BUILT_IN: Final = Path(__file__).parent / "baseline" / "kiosk.yml"
_LONG: Final = 160

Value = str | int | bool


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Check(_Strict):
    """One look; see the head of ``baseline/kiosk.yml``."""

    file: str | None = None
    json_file: str | None = Field(default=None, alias="json")
    run: tuple[str, ...] | None = None
    mode: str | None = None
    link: str | None = None
    absent: str | None = None
    disk: Annotated[float, Field(gt=0, le=1)] | None = None
    any_of: "tuple[Check, ...] | None" = None
    all: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    each: tuple[str, ...] = ()
    values: dict[str, Value] = Field(default_factory=dict)
    holds: dict[str, Value] = Field(default_factory=dict)
    at_most: dict[str, int] = Field(default_factory=dict)
    is_: str | None = Field(default=None, alias="is")
    to: str | None = None

    @model_validator(mode="after")
    def _can_fail(self) -> "Check":
        kinds = (self.file, self.json_file, self.run, self.mode, self.link, self.absent, self.disk, self.any_of)
        if sum(kind is not None for kind in kinds) != 1:
            raise ValueError("give one of file, json, run, mode, link, absent, disk and any_of")
        looks = {
            "file": bool(self.all or self.none or self.only or self.each),
            "run": bool(self.all or self.none or self.only or self.each),
            "json_file": bool(self.values or self.holds or self.at_most),
            "mode": self.is_ is not None,
            "link": self.to is not None,
        }
        for kind, tells in looks.items():
            if getattr(self, kind) is not None and not tells:
                raise ValueError(f"nothing is asked of {getattr(self, kind)}")
        return self


class Item(_Strict):
    """``people``: why no program can check it."""

    title: str
    zh: str
    checks: tuple[Check, ...] = ()
    when: str | None = None
    unless: str = ""
    people: str = ""

    @model_validator(mode="after")
    def _checked(self) -> "Item":
        if bool(self.checks) == bool(self.people):
            raise ValueError("give checks, or say in `people` why there are none")
        return self


class KioskBaseline(_Strict):
    """One document: its name and version stand in every report."""

    name: str
    version: str
    title: str
    items: dict[str, Item]


def load_kiosk_baseline(path: Path = BUILT_IN) -> KioskBaseline:
    """A baseline document.

    Raises:
        TemplateError: it cannot be read or is none.
    """
    try:
        return KioskBaseline.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise TemplateError(f"{path} is no baseline: {error}") from None


@dataclass(frozen=True, slots=True)
class Question:
    """What one session has to bring back: everything that any item looks at, each once."""

    paths: tuple[str, ...]
    commands: tuple[tuple[str, ...], ...]
    modes: tuple[str, ...]

    @classmethod
    def of(cls, baseline: KioskBaseline, facts: KioskFacts) -> "Question":
        words = _words(facts)
        looks = [look for item in baseline.items.values() for check in item.checks for look in _leaves(check)]
        paths = {look.file or look.json_file or look.absent for look in looks} - {None}
        commands = {_command(look, words) for look in looks if look.run is not None}
        modes = {look.mode or look.link for look in looks} - {None}
        return cls(tuple(sorted(map(str, paths))), tuple(sorted(commands)), tuple(sorted(map(str, modes))))

    def as_json(self) -> dict[str, Any]:
        return {"paths": self.paths, "commands": self.commands, "modes": self.modes}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a kiosk said: texts by path (None: not there), code and text by program, owner and mode or target."""

    files: Mapping[str, str | None]
    commands: Mapping[str, tuple[int, str]]
    modes: Mapping[str, str]
    disk_ratio: float

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Answer":
        commands = {words: (int(code), str(text)) for words, (code, text) in told["commands"].items()}
        return cls(told["files"], commands, told["modes"], float(told["disk_ratio"]))


def judge_kiosk(baseline: KioskBaseline, facts: KioskFacts, answer: Answer) -> list[Result]:
    """Every item on one kiosk, in the document's order."""
    words = _words(facts)
    return [Result(name, item.title, *_item(item, words, answer)) for name, item in baseline.items.items()]


def _words(facts: KioskFacts) -> dict[str, Any]:
    rules = [f"allow id {one.usb}" + (f' via-port "{one.port}"' if one.port else "") for one in facts.peripherals]
    more = {"snmp_user": facts.snmp.user, "mirror_url": facts.mirror.url, "usb_rules": rules}
    return {**words_of(facts), **more}


def _item(item: Item, words: Mapping[str, Any], answer: Answer) -> tuple[Mark, str]:
    if item.people:
        return Mark.NOT_APPLICABLE, item.people
    if item.when is not None and not words[item.when]:
        return Mark.NOT_APPLICABLE, item.unless
    evidence = ""
    for check in item.checks:
        good, said = _check(check, words, answer)
        if not good:
            return Mark.FAIL, said
        evidence = evidence or said
    return Mark.PASS, evidence


def _check(check: Check, words: Mapping[str, Any], answer: Answer) -> tuple[bool, str]:
    if check.any_of is not None:
        said = [_check(one, words, answer) for one in check.any_of]
        return next((one for one in said if one[0]), (False, "; ".join(one[1] for one in said)))
    if check.disk is not None:
        return answer.disk_ratio <= check.disk, f"/ is {answer.disk_ratio:.0%} full, {check.disk:.0%} allowed"
    if check.absent is not None:
        there = answer.files.get(check.absent) is not None
        return not there, f"{check.absent}: {'there' if there else 'not there'}"
    if check.mode is not None:
        found = answer.modes.get(check.mode, "") or "not there"
        return found == check.is_, f"{check.mode}: {found}"
    if check.link is not None:
        found = answer.modes.get(check.link, "") or "not there"
        return found == check.to, f"{check.link} -> {found}"
    if check.run is not None:
        command = " ".join(_command(check, words))
        code, text = answer.commands.get(command, (127, "not asked"))
        if code:
            return False, _short(f"{command} ended with {code}: {' '.join(text.split())}")
        return _lines(command, text, check, words)
    if check.json_file is not None:
        return _json(check.json_file, answer.files.get(check.json_file), check, words)
    return _files(str(check.file), check, words, answer)


def _files(pattern: str, check: Check, words: Mapping[str, Any], answer: Answer) -> tuple[bool, str]:
    texts = [(path, text) for path, text in answer.files.items() if fnmatch.fnmatchcase(path, pattern)]
    said = (False, f"{pattern}: not there")
    for path, text in texts:
        if text is not None and (said := _lines(path, text, check, words))[0]:
            break
    return said


def _lines(where: str, text: str, check: Check, words: Mapping[str, Any]) -> tuple[bool, str]:
    lines, evidence = text.splitlines(), ""
    for told in check.none:
        for pattern in _patterns(told, words):
            found = next((line for line in lines if pattern.fullmatch(line)), None)
            if found is not None:
                return False, _short(f"{where}: {found.strip()}")
    for told in (*check.all, *check.each):
        for pattern in _patterns(told, words):
            found = next((line for line in lines if pattern.fullmatch(line)), None)
            if found is None:
                return False, _short(f"{where}: missing: {pattern.pattern}")
            evidence = evidence or f"{where}: {found.strip()}"
    if check.only:
        allowed = [pattern for told in check.only for pattern in _patterns(told, words)]
        for line in lines:
            if not any(pattern.fullmatch(line) for pattern in allowed):
                return False, _short(f"{where}: {line.strip()}")
    return True, _short(evidence or f"{where}: {len(lines)} lines, none against it")


def _json(path: str, text: str | None, check: Check, words: Mapping[str, Any]) -> tuple[bool, str]:
    if text is None:
        return False, f"{path}: not there"
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        return False, f"{path}: no JSON object"
    for key, value in check.values.items():
        wanted = _value(value, words)
        if told.get(key) != wanted:
            return False, _short(f"{path}: {key} is {told.get(key)!r}, not {wanted!r}")
    for key, value in check.holds.items():
        if _value(value, words) not in (told.get(key) or ()):
            return False, _short(f"{path}: {key} lacks {value!r}")
    for key, most in check.at_most.items():
        number = told.get(key)
        if not isinstance(number, int) or number > most:
            return False, _short(f"{path}: {key} is {number!r}, {most} at most")
    first = next(iter([*check.values, *check.holds, *check.at_most]))
    return True, _short(f"{path}: {first} = {json.dumps(told[first], ensure_ascii=False)}")


def _value(value: Value, words: Mapping[str, Any]) -> Any:
    """A value as it stands, or the fact that it names."""
    named = re.fullmatch(r"\{(\w+)\}", value) if isinstance(value, str) else None
    return words[named[1]] if named else value


def _command(check: Check, words: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(_value(word, words)) for word in check.run or ())


def _patterns(told: str, words: Mapping[str, Any]) -> Iterator[re.Pattern[str]]:
    """The pattern with facts filled in: one for each value of the fact that is a list, all else being the same."""
    named = dict.fromkeys(re.findall(r"\{([a-z]\w*)\}", told))
    many: Sequence[Any] = next((words[name] for name in named if isinstance(words[name], list | tuple)), (None,))
    for one in many:
        filled = told
        for name in named:
            value = one if isinstance(words[name], list | tuple) else words[name]
            filled = filled.replace(f"{{{name}}}", re.escape(str(value)))
        yield re.compile(filled)


def _leaves(check: Check) -> Iterator[Check]:
    if check.any_of is None:
        yield check
        return
    for one in check.any_of:
        yield from _leaves(one)


def _short(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[: _LONG - 3]}..."
