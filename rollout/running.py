"""A running configuration as text: its noise off, its secrets masked, its fingerprint.

The raw text is what a device can be restored from and is sealed elsewhere; everything that compares, shows or hashes
a configuration goes through here first (vendor-cli section 2).
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from functools import cache, lru_cache

from rollout.platform import Platform
from rollout.rules import RULES
from rollout.rules.model import Literal, Rules, either

SECRET = "<secret>"  # noqa: S105  the mask, not a secret
REFERENCE = re.compile(r"secret://\S+")

# What a terminal adds to the text: escape sequences, a character and the backspace over it, bells, NULs.
_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[^\n]\x08|[\x00\x07\x08]")
_INDENT = re.compile(r"[ \t]*")


def normalise(platform: Platform, text: str) -> str:
    r"""A configuration without its noise: every root line at the first column, ``\n`` line ends.

    Lines inside a banner or a public key stay as they are. VRP and Comware print root lines with a space before
    them and tell blocks apart by ``#``; once that is gone, only the indentation can tell, so root lines move left.
    """
    rules = RULES[platform]
    lines = _TERMINAL.sub("", text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff")).split("\n")
    kept: list[str] = []
    block: list[str] = []
    for line, verbatim in _literally(rules, lines):
        if not verbatim and rules.blocks and line.rstrip() == "#":
            kept += _at_root(block)
            block = []
        elif verbatim:
            block.append(line)
        elif (bare := line.rstrip().expandtabs(8)) and not _is_noise(rules, bare):
            block.append(bare)
    kept += _at_root(block) if rules.blocks else block
    if platform is Platform.FRR:  # vtysh prints the hostname twice
        first = next((i for i, line in enumerate(kept) if line.startswith("hostname ")), len(kept))
        kept = [line for i, line in enumerate(kept) if i <= first or line != kept[first]]
    return "\n".join(kept) + "\n" if kept else ""


def redact(platform: Platform, text: str) -> str:
    """The normalised text with every secret and ciphertext as ``<secret>``: for people, searches and hashes."""
    return "".join(f"{mask(platform, line)}\n" for line in normalise(platform, text).splitlines())


def fingerprint(platform: Platform, text: str) -> str:
    """sha256 (hex) of the redacted text: the same for two readings between which nothing changed.

    Ciphertexts are left out because VRP prints some of them anew at every display.
    """
    return hashlib.sha256(redact(platform, text).encode()).hexdigest()


def mask(platform: Platform, line: str) -> str:
    """One line with its secrets as ``<secret>``."""
    return _masked(platform, line)


@lru_cache(maxsize=4096)
def _masked(platform: Platform, line: str) -> str:
    if "secret://" in line:
        line = REFERENCE.sub(SECRET, line)
    for pattern in RULES[platform].secrets:
        if found := pattern.search(line):
            line = _replace(pattern, line) if found else line
    return line


def _replace(pattern: re.Pattern[str], line: str) -> str:
    def masked(found: re.Match[str]) -> str:
        at = found.start("secret") - found.start()
        return found[0][:at] + SECRET + found[0][at + len(found["secret"]) :]

    return pattern.sub(masked, line)


def replace_secrets(platform: Platform, line: str, by: Callable[[str], str]) -> str:
    """A line with each secret, ciphertext and reference replaced; masked where they cannot be told apart."""
    masked = mask(platform, line)
    parts = masked.split(SECRET)
    if len(parts) == 1:
        return line
    found = re.fullmatch("(.+?)".join(map(re.escape, parts)), line)
    if found is None:
        return masked
    return "".join(
        part + (by(secret) if secret else "") for part, secret in zip(parts, (*found.groups(), ""), strict=True)
    )


def secrets_of(platform: Platform, line: str) -> tuple[str, ...]:
    """The secrets, ciphertexts and references that a line carries, in order."""
    found: list[tuple[int, str]] = [(one.start(), one[0]) for one in REFERENCE.finditer(line)]
    for pattern in RULES[platform].secrets:
        found += [(one.start("secret"), one["secret"]) for one in pattern.finditer(line)]
    return tuple(dict.fromkeys(text for _, text in sorted(found)))


def _is_noise(rules: Rules, line: str) -> bool:
    return _noise(rules.platform).match(line) is not None


def _literally(rules: Rules, lines: list[str]) -> Iterator[tuple[str, bool]]:
    """Each line, and whether it lies inside a literal (its first line does not count)."""
    end: re.Pattern[str] | None = None
    for line in lines:
        if end is not None:
            yield line, True
            if end.search(line):
                end = None
            continue
        end = opens_literal(rules, line)
        yield line, False


def opens_literal(rules: Rules, line: str) -> re.Pattern[str] | None:
    """The pattern that ends the literal which a line begins; None where it begins none."""
    if (line[:1] == " " and "certificate" not in line) or not _starts(rules.platform).match(line):
        return None
    for literal in rules.literals:
        if found := literal.start.match(line):
            return _end(literal, found, line)
    return None


@cache
def _starts(platform: Platform) -> re.Pattern[str]:
    return either(literal.start for literal in RULES[platform].literals)


@cache
def _noise(platform: Platform) -> re.Pattern[str]:
    return either(RULES[platform].noise)


def _end(literal: Literal, found: re.Match[str], line: str) -> re.Pattern[str] | None:
    delim = found.groupdict().get("delim") or ""
    end = re.compile(literal.end.replace("{delim}", re.escape(delim)))
    if literal.within_line and end.search(line[found.end() :]):
        return None
    return end


def _at_root(block: list[str]) -> list[str]:
    """A block of VRP or Comware with its root lines at the first column.

    Lines before the first one that stands at the first column already are root lines, printed with a space; what
    is deeper than they are hangs below them.
    """
    first = next((i for i, line in enumerate(block) if line[:1] not in (" ", "\t")), len(block))
    if not first:
        return block
    base = min(len(_INDENT.match(line)[0]) for line in block[:first])  # type: ignore[index]
    return [line[base:] for line in block[:first]] + block[first:]
