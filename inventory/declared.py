"""What every piece of YAML that people write has in common, and how a refusal is said.

`explain` turns pydantic's errors into problems with a line, the words to choose from, and a guess at what was meant.
"""

import difflib
import types
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from inventory.errors import Problem


class Declared(BaseModel):
    """Anything read from YAML: immutable, and a misspelt key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)


_NEAR: Final = 0.6
"""How alike two words must be (0 to 1) for a guess."""

Locate = Callable[[Sequence[str | int]], int]
"""The line of a path in the file at hand."""


_T = TypeVar("_T", bound=BaseModel)


def validate(
    model: type[_T], value: Any, file: str, at: Sequence[str | int], locate: Locate, problems: list[Problem]
) -> _T | None:
    """``value`` as a ``model``, or None after adding to ``problems``; ``at`` is the value's path in the file."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problems.extend(explain(error, model, file, at, locate))
        return None


def explain(
    error: ValidationError, model: type[BaseModel], file: str, at: Sequence[str | int], locate: Locate
) -> list[Problem]:
    """One problem for each thing that pydantic refused."""
    problems = []
    for item in error.errors(include_url=False):
        loc = _in_file(model, item["loc"])
        path = (*at, *loc)
        message, mend = _say(item, model, loc)
        problems.append(Problem(file, locate(path), path_text(path), message, mend))
    return problems


def path_text(path: Iterable[str | int]) -> str:
    """``links[0].link_type`` for ``("links", 0, "link_type")``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def did_you_mean(word: str, choices: Iterable[str], otherwise: str) -> str:
    """A guess, where one is near; else ``otherwise``."""

    def likeness(choice: str) -> float:
        """To the whole word, or nearly as good to its beginning: fibre is near fiber_p2p."""
        head = choice.partition("_")[0]
        matcher.set_seq1(choice)
        whole = matcher.ratio()
        matcher.set_seq1(head)
        return max(whole, 0.9 * matcher.ratio())

    matcher = difflib.SequenceMatcher(b=word.lower())
    best = max(choices, key=likeness, default=None)
    return f"Did you mean {best}?" if best is not None and likeness(best) >= _NEAR else otherwise


def none_of(word: object, choices: Iterable[str]) -> str:
    """The sentence for a word outside its list."""
    named = ", ".join(choices)
    return f"{word!r} is none of {named}." if named else f"{word!r} is not declared."


def _say(item: Any, model: type[BaseModel], loc: Sequence[str | int]) -> tuple[str, str]:
    kind, given, context = item["type"], item["input"], item.get("ctx", {})
    if kind == "extra_forbidden":
        fields = _fields_at(model, loc[:-1])
        mend = did_you_mean(str(loc[-1]), fields, f"The keys here are {', '.join(fields)}.")
        return "this key is not known.", mend
    if kind == "missing":
        return f"{loc[-1]!r} is missing.", "Add it."
    if kind in ("literal_error", "enum"):
        choices = _choices(context["expected"])
        return none_of(given, choices), did_you_mean(str(given), choices, "Choose one of them.")
    if kind in _RANGES:
        bound = context[_RANGES[kind][0]]
        return f"{given!r} is out of range.", f"Write a number {_RANGES[kind][1]} {bound}."
    if kind == "value_error":
        text = str(context.get("error", item["msg"]))
        message, _, mend = text.partition(" | ")
        return message, mend or "Mend it."
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return f"{_short(given)} stands where keys and values are meant.", "Write indented keys below."
    if kind in ("tuple_type", "list_type"):
        return f"{_short(given)} stands where a list is meant.", "Write [ ... ] or lines that start with a dash."
    wanted = _WANTED.get(kind)
    if wanted:
        return f"{_short(given)} is not {wanted[0]}.", wanted[1]
    return f"{_short(given)} is refused: {item['msg'].lower()}.", "Mend it."


_RANGES: Final = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "of at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "of at most"),
}
_TEXT: Final = ("text", "Write words, in quotes if need be.")
_DATE: Final = ("a date", "Write it as 2021-06-10.")
_NUMBER: Final = ("a number", "Write digits only.")
_WANTED: Final = {
    "string_type": _TEXT,
    "date_type": _DATE,
    "date_parsing": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_from_datetime_inexact": _DATE,
    "int_type": _NUMBER,
    "int_parsing": _NUMBER,
    "int_from_float": ("a whole number", "Write digits only."),
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "bool_type": ("true or false", "Write true or false."),
    "bool_parsing": ("true or false", "Write true or false."),
    "ip_v4_network": ("an IPv4 prefix", "Write it as 10.125.0.0/17."),
    "ip_v6_network": ("an IPv6 prefix", "Write it as 2001:db8:1825::/48."),
    "ip_v4_address": ("an IPv4 address", "Write it as 10.125.0.1."),
    "string_pattern_mismatch": ("written as it must be", "See the table of fields in inventory/README.md."),
    "string_too_short": ("long enough", "Write at least one character."),
}


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _choices(expected: str) -> list[str]:
    return [word.strip().strip("'") for word in expected.replace(" or ", ", ").split(",")]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Union, types.UnionType, list, tuple, dict) or get_args(annotation):
        return [found for part in get_args(annotation) for found in _models_in(part)]
    return []


def _fields_at(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """The keys that are known at ``loc`` below ``model``."""
    for step in loc:
        field = model.model_fields.get(str(step))
        if field is None:  # the key of a dictionary or the index of a list: the model stays
            continue
        inside = _models_in(field.annotation)
        if not inside:
            return []
        model = inside[0]
    return [field.alias or name for name, field in model.model_fields.items()]


def _in_file(model: type[BaseModel], loc: Sequence[str | int]) -> tuple[str | int, ...]:
    """Pydantic's path without the names that it adds itself for the members of a union or for a dictionary's key."""
    return tuple(step for step in loc if not (isinstance(step, str) and (step == "[key]" or "[" in step)))
