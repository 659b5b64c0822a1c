"""YAML without surprises, and with a line for every complaint.

Strategy: libyaml composes nodes (about 4 µs for one ``key: value``); we turn them into plain values under our own,
smaller rules, because YAML 1.1 reads ``no`` as false, ``12:30`` as 750 and ``010`` as 8. Keys are always text, so a
division code keeps its zeros. A value is null, true, false, a decimal integer, a float with a point, or text.
Anchors, aliases, tags, duplicate keys and tabs are refused: each of them hides something from the reader. Nothing
remembers lines while all is well; `Lines` composes a file again when a complaint needs one.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml
from yaml._yaml import CParser

from inventory.errors import Problem

_NUMBER_START: Final = frozenset("0123456789+-")
_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+]?[0-9]+)?")
_WORDS: Final[dict[str, bool | None]] = {"": None, "null": None, "true": True, "false": False}
_MAX_DEPTH: Final = 40
"""Deeper than any inventory; far below Python's own limit."""


class _Composer(CParser):
    """libyaml's composer without PyYAML's resolver: tags are not used at all."""

    def resolve(self, kind: object, value: object, implicit: object) -> str:
        return "plain"

    def descend_resolver(self, parent: object, index: object) -> None: ...

    def ascend_resolver(self) -> None: ...


class YamlError(Exception):
    """One file that cannot be read; carries its problems. `inventory.loader` gathers them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, problems)))


def parse(file: str, data: bytes) -> Any:
    """The document in ``data`` as dictionaries (text keys), lists and scalars.

    Args:
        file: the name that problems carry.

    Raises:
        YamlError: with every problem that could be told apart.
    """
    _refuse_bytes(file, data)
    node = compose(file, data)
    problems: list[Problem] = []
    value = _build(file, node, "", 0, problems)
    if problems:
        raise YamlError(problems)
    return value


class Lines:
    """Finds the line of a path in one YAML file, composing it on first use."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._root: yaml.Node | None = None

    def of(self, path: Sequence[str | int]) -> int:
        """The 1-based line where the last key of ``path`` stands; of the nearest key above it where it is missing."""
        if self._root is None:
            self._root = compose("", self._data)
        node: Any = self._root
        line: int = node.start_mark.line + 1
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            mark, node = found
            line = mark.line + 1
        return line


def _child(node: Any, step: str | int) -> tuple[Any, Any] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key.start_mark, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step].start_mark, node.value[step]
    return None


def _refuse_bytes(file: str, data: bytes) -> None:
    """Everything that is decided before YAML's grammar: encoding, emptiness, tabs, anchors and tags."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data:
        raise YamlError([Problem(file, 1, "", "this file is not UTF-8 text.", "Save it as UTF-8.")])
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"byte 0x{data[error.start]:02x} is not UTF-8 (the file may be GBK)."
        raise YamlError([Problem(file, line, "", message, "Save it as UTF-8.")]) from None
    if not text.strip("\ufeff \t\r\n"):
        raise YamlError([Problem(file, 0, "", "this file is empty.", "Fill it in or delete it.")])
    if b"\t" in data:
        raise YamlError(
            [
                Problem(file, number, "", "this line holds a tab.", "Use spaces instead.")
                for number, line in enumerate(data.split(b"\n"), 1)
                if b"\t" in line
            ]
        )
    if b"&" in data or b"*" in data or b"!" in data or b"%" in data:
        _refuse_events(file, data)


def _refuse_events(file: str, data: bytes) -> None:
    problems = []
    parser = CParser(data)
    try:
        while (event := parser.get_event()) is not None:
            line = event.start_mark.line + 1 if event.start_mark else 0
            anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
            if isinstance(event, yaml.AliasEvent):
                problems.append(Problem(file, line, "", f"the alias *{anchor} is refused.", _SPELL_OUT))
            elif anchor is not None:
                problems.append(Problem(file, line, "", f"the anchor &{anchor} is refused.", _SPELL_OUT))
            elif tag is not None:
                problems.append(Problem(file, line, "", f"the tag {tag} is refused.", "Write the value alone."))
    except yaml.YAMLError as error:
        problems.append(_grammar(file, error))
    if problems:
        raise YamlError(problems)


_SPELL_OUT: Final = "Write the value out where it is meant, or quote a text that starts with & or *."


def compose(file: str, data: bytes) -> yaml.Node:
    """The nodes of one file with their places, for who needs more than values.

    Raises:
        YamlError: it is no YAML, or holds only comments.
    """
    try:
        node: yaml.Node | None = _Composer(data).get_single_node()
    except yaml.YAMLError as error:
        raise YamlError([_grammar(file, error)]) from None
    if node is None:
        raise YamlError([Problem(file, 0, "", "this file holds only comments.", "Fill it in or delete it.")])
    return node


def _grammar(file: str, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    said = getattr(error, "problem", None) or getattr(error, "reason", None) or "this is not YAML"
    position = getattr(error, "position", None)
    context = getattr(error, "context", None)
    if context:
        said = f"{context}, {said}"
    line = mark.line + 1 if mark else 1 if position is not None else 0
    return Problem(file, line, "", f"{said}.", "Check the indentation, the colons and the quotes around here.")


def _build(file: str, node: Any, path: str, depth: int, problems: list[Problem]) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return scalar_of(node)
    line = node.start_mark.line + 1
    if depth > _MAX_DEPTH:
        problems.append(Problem(file, line, path[:80], "this is nested too deeply.", "Flatten it."))
        return None
    if isinstance(node, yaml.SequenceNode):
        return [_build(file, item, f"{path}[{i}]", depth + 1, problems) for i, item in enumerate(node.value)]
    values: dict[str, Any] = {}
    scalar_node, scalar = yaml.ScalarNode, scalar_of
    for key, value in node.value:
        if not isinstance(key, scalar_node):
            at = key.start_mark.line + 1
            problems.append(Problem(file, at, path, "a key must be a plain word or number.", "Write it as one word."))
            continue
        name = key.value
        if name in values:
            at = key.start_mark.line + 1
            where = f"{path}.{name}" if path else name
            problems.append(Problem(file, at, where, "this key stands here twice.", "Keep one of them."))
            continue
        values[name] = (
            scalar(value)
            if isinstance(value, scalar_node)
            else _build(file, value, f"{path}.{name}" if path else name, depth + 1, problems)
        )
    return values


def scalar_of(node: Any) -> str | int | float | bool | None:
    """The value of a scalar node."""
    text: str = node.value
    if node.style is not None and node.style != "":
        return text
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in _NUMBER_START:
        if _INTEGER.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
    return text


def quote(text: str) -> str:
    """``text`` as one YAML scalar that `parse` reads back as this text."""
    plain = re.fullmatch(r"[\w㐀-鿿（）、·/.《》〔〕()-]+(?: [\w㐀-鿿（）、·/.《》〔〕()-]+)*", text)
    special = text in _WORDS or _INTEGER.fullmatch(text) or _FLOAT.fullmatch(text)
    if plain and not special and text[0] not in "-.":
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t").replace("\n", "\\n")
    return f'"{escaped}"'


def read(folder: Path, file: str) -> bytes:
    """The bytes of one file of an inventory.

    Raises:
        YamlError: it is missing or cannot be read.
    """
    try:
        return (folder / file).read_bytes()
    except FileNotFoundError:
        raise YamlError([Problem(file, 0, "", "this file is missing.", "Create it.")]) from None
    except OSError as error:
        raise YamlError([Problem(file, 0, "", f"cannot be read: {error.strerror}.", "Check its rights.")]) from None
