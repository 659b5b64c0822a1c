"""Changes to one YAML file that leave every other line, comment and blank as it is.

Strategy: libyaml composes the file once and tells where each node stands; a nested mapping of changes is laid over
the nodes, and every difference becomes a replacement of some characters. They are applied from the end. What is new
inside a site stands in flow style on one line, as people write exceptions here; sites themselves stand in blocks.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from inventory.strict import compose, quote, scalar_of

_BREAK: Final = re.compile("\r\n|[\r\n\u0085\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that is one scalar until it has an exception: a site (``is``) or a device (``model``).

    Args:
        words: the scalar; None keeps what is there.
        key: under which the scalar stands once there are fields.
    """

    words: str | None
    fields: Mapping[str, Any] = field(default_factory=dict)
    key: str = "is"


@dataclass(frozen=True, slots=True)
class Added:
    """Items behind those of a list."""

    items: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Removed:
    """A key that goes, with everything below it."""


REMOVED: Final = Removed()


@dataclass(frozen=True, slots=True)
class Anew:
    """Something else under a key that goes: nothing of what stood there stays."""

    entry: Any


def edit(file: str, data: bytes, changes: Mapping[str, Any]) -> bytes:
    """The file with ``changes`` laid over it, by key; numbers address the items of a list.

    Args:
        file: the name that problems carry.

    Raises:
        YamlError: the file is no YAML.
    """
    bom, text = (b"\xef\xbb\xbf", data[3:]) if data.startswith(b"\xef\xbb\xbf") else (b"", data)
    editor = _Editor(text.decode("utf-8"))
    editor.merge(compose(file, text), changes)
    return bom + editor.result().encode("utf-8")


def written(changes: Mapping[str, Any]) -> str:
    """A new file of nothing but ``changes``."""
    return "\n".join(_block(changes, 0)) + "\n"


class _Editor:
    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0, *(match.end() for match in _BREAK.finditer(text))]
        match = _BREAK.search(text)
        self.newline = match.group() if match else "\n"
        self.edits: list[tuple[int, int, str]] = []

    def result(self) -> str:
        parts, at = [], 0
        for start, end, new in sorted(self.edits, key=lambda one: one[0]):  # stable: what stands deeper comes first
            parts += [self.text[at:start], new]
            at = max(at, end)
        return "".join([*parts, self.text[at:]])

    def merge(self, node: Any, change: Any, column: int = 0) -> None:
        """Lay ``change`` over a node; ``column`` is where its key stands."""
        if isinstance(change, Entry):
            self._entry(node, change, column)
        elif isinstance(change, Mapping):
            if isinstance(node, yaml.MappingNode):
                self._mapping(node, change)
            elif isinstance(node, yaml.SequenceNode):
                for step, inner in change.items():
                    self.merge(node.value[step], inner, column)
            elif any(isinstance(value, (Entry, Mapping)) for value in change.values()) and not _in_flow(change):
                self._after_line(node, _block(change, column + 2))
            else:
                self._replace(node, _flow(change))
        elif isinstance(change, Added):
            self._append(node, change)
        elif not (isinstance(node, yaml.ScalarNode) and scalar_of(node) == _plain(change)):
            self._replace(node, _flow(change))

    def _entry(self, node: Any, change: Entry, column: int) -> None:
        if isinstance(node, yaml.MappingNode):
            words = {} if change.words is None else {change.key: change.words}
            self._mapping(node, words | dict(change.fields))
        elif not change.fields:
            if change.words is not None:
                self.merge(node, change.words, column)
        else:
            whole = {change.key: node.value if change.words is None else change.words, **change.fields}
            if change.key == "is":
                self._replace(node, "")
                self._lines(self._line_end(node.end_mark.line), _block(whole, column + 2))
            else:
                self._replace(node, _flow(whole))

    def _mapping(self, node: Any, change: Mapping[str, Any]) -> None:
        held = {key.value: (key, value) for key, value in node.value}
        new: dict[str, Any] = {}
        change, gone = self._without(node, change, held)
        for name, inner in change.items():
            if name in held and name not in gone:
                key, value = held[name]
                self.merge(value, inner, key.start_mark.column)
            else:
                new[name] = inner
        if not new:
            return
        if node.flow_style or not node.value:
            at = self._at(node.end_mark) - 1
            text = _flow(new)[1:-1]
            self.edits.append((at, at, f", {text}" if node.value else text))
            return
        column = node.value[0][0].start_mark.column
        codes = all(key.value.isdigit() for key, _ in node.value)
        for name, inner in new.items():
            alive = [pair for pair in node.value if pair[0].value not in gone]
            before = [pair for pair in alive if not codes or pair[0].value.ljust(12, "0") < name.ljust(12, "0")]
            lines = _block({name: inner}, column)
            if before:
                self._lines(self._line_end(self._last_line(*before[-1])), lines)
            else:
                at = self.starts[node.value[0][0].start_mark.line]
                self.edits.append((at, at, "".join(line + self.newline for line in lines)))

    def _without(
        self, node: Any, change: Mapping[str, Any], held: Mapping[str, Any]
    ) -> tuple[Mapping[str, Any], list[str]]:
        """Take out what is to go; what is left to change, and the keys that went."""
        gone = [name for name, one in change.items() if (one is REMOVED or isinstance(one, Anew)) and name in held]
        rest = {
            name: inner.entry if isinstance(inner, Anew) else inner
            for name, inner in change.items()
            if inner is not REMOVED
        }
        for name in gone:
            key, value = held[name]
            if node.flow_style:
                raise ValueError(f"{name}: what is removed must stand on lines of its own")
            first, last = key.start_mark.line, self._last_line(key, value)
            end = self.starts[last + 1] if last + 1 < len(self.starts) else len(self.text)
            stays = any(name not in gone for name in held) or any(name not in held or name in gone for name in rest)
            empty = "" if stays or name != gone[0] else f"{' ' * key.start_mark.column}{{}}{self.newline}"
            self.edits.append((self.starts[first], end, empty))
        return rest, gone

    def _append(self, node: Any, change: Added) -> None:
        items = [_flow(item) for item in change.items]
        if not isinstance(node, yaml.SequenceNode):
            self._replace(node, f"[{', '.join(items)}]")
        elif node.flow_style or not node.value:
            at = self._at(node.end_mark) - 1
            self.edits.append((at, at, (", " if node.value else "") + ", ".join(items)))
        else:
            dash = self.text.rfind("-", 0, self._at(node.value[0].start_mark))
            indent = dash - max(start for start in self.starts if start <= dash)
            self._lines(self._line_end(self._end_line(node.value[-1])), [f"{' ' * indent}- {item}" for item in items])

    def _replace(self, node: Any, text: str) -> None:
        start, end = self._at(node.start_mark), self._at(node.end_mark)
        if start == end and text:
            text = f" {text}"
        elif not text:
            start = len(self.text[:start].rstrip(" "))
        self.edits.append((start, end, text))

    def _after_line(self, node: Any, lines: Sequence[str]) -> None:
        self._lines(self._line_end(node.end_mark.line), lines)

    def _lines(self, at: int, lines: Sequence[str]) -> None:
        self.edits.append((at, at, "".join(self.newline + line for line in lines)))

    def _at(self, mark: Any) -> int:
        line, column = int(mark.line), int(mark.column)
        return self.starts[line] + column

    def _line_end(self, line: int) -> int:
        start = self.starts[line]
        found = _BREAK.search(self.text, start)
        return found.start() if found else len(self.text)

    def _last_line(self, key: Any, value: Any) -> int:
        line: int = key.end_mark.line
        empty = isinstance(value, yaml.ScalarNode) and not value.value and not value.style
        return line if empty else self._end_line(value)

    def _end_line(self, node: Any) -> int:
        if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
            return self._last_line(*node.value[-1])
        if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
            return self._end_line(node.value[-1])
        line: int = node.end_mark.line
        if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):  # its mark stands behind the blank lines
            line -= 1 if line < len(self.starts) - 1 or not self.text[self.starts[line] :].strip() else 0
            while line > node.start_mark.line and not self.text[self.starts[line] : self._line_end(line)].strip():
                line -= 1
        return line


def _in_flow(change: Mapping[str, Any]) -> bool:
    return any(isinstance(value, Entry) and value.key != "is" for value in change.values())


def _block(change: Mapping[str, Any], column: int) -> list[str]:
    """Lines of a mapping at a column: sites in blocks, everything else in flow style."""
    indent, lines = " " * column, []
    for name, value in change.items():
        key = f"{indent}{name}:"
        if isinstance(value, Entry) and value.key == "is":
            if value.fields:
                words = {} if value.words is None else {"is": value.words}
                lines += [key, *_block({**words, **value.fields}, column + 2)]
            else:
                lines.append(f"{key} {quote(value.words or '')}")
        elif isinstance(value, Mapping) and any(isinstance(one, Entry) and one.key == "is" for one in value.values()):
            lines += [key, *_block(value, column + 2)]
        else:
            lines.append(f"{key} {_flow(value)}")
    return lines


def _flow(value: Any) -> str:
    if isinstance(value, Entry):
        words = {} if value.words is None else {value.key: value.words}
        return _flow({**words, **value.fields} if value.fields else value.words)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_flow(one)}" for name, one in value.items()) + "}"
    if isinstance(value, Added):
        return _flow(list(value.items))
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_flow, value)) + "]"
    plain = _plain(value)
    if plain is None:
        return "null"
    if isinstance(plain, bool):
        return "true" if plain else "false"
    return quote(plain) if isinstance(plain, str) else str(plain)


def _plain(value: Any) -> str | int | float | bool | None:
    return value if value is None or isinstance(value, (bool, int, float)) else str(value)
