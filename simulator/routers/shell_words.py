"""How a shell takes a line apart: joints, pipes, redirections, and the options of ``systemd-run``."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

_CONTROL: Final = (";", "&&", "||", "&", "\n")


@dataclass(slots=True)
class Result:
    """What a command leaves: its output, its exit code, its errors."""

    lines: list[str] = field(default_factory=list)
    code: int = 0
    errors: list[str] = field(default_factory=list)


def split(line: str) -> list[tuple[str, list[str]]]:
    """(joint before it, pieces) of each pipeline of a line."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|<>")
    lexer.whitespace_split = True
    found: list[tuple[str, list[str]]] = [(";", [])]
    for piece in lexer:
        if piece in _CONTROL:
            found.append((piece, []))
        else:
            found[-1][1].append(piece)
    return [(joint, pieces) for joint, pieces in found if pieces]


def redirected(words: Sequence[str]) -> tuple[list[str], str | None, bool, bool, bool]:
    """(words, file for the output, whether to append, errors dropped, errors into the output)."""
    plain: list[str] = []
    target: str | None = None
    append = quiet = merged = False
    at = 0
    while at < len(words):
        word = words[at]
        if word in (">", ">>", ">&", "<") and at + 1 < len(words):
            stream = plain.pop() if plain and plain[-1] in ("1", "2") else "1"
            to = words[at + 1]
            if word == ">&":
                merged = stream == "2"
            elif word == "<":
                plain.append(to)
            elif stream == "2":
                quiet = True
            else:
                target, append = to, word == ">>"
            at += 2
            continue
        plain.append(word)
        at += 1
    return plain, target, append, quiet, merged


def option(word: str) -> tuple[str, str]:
    name, _, value = word.partition("=")
    return name, value


def seconds(text: str) -> float | None:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|sec|m|min|h|)", text)
    if found is None:
        return None
    return float(found[1]) * {"m": 60, "min": 60, "h": 3600}.get(found[2], 1)
