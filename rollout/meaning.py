"""What one line means where it stands: its identity, its value in one spelling, and what takes it back.

Two lines with the same key cannot stand side by side; two with the same value say the same, however they spell masks,
areas, ciphertexts or secret references. Every answer is remembered: the routers of a county say the same lines.
"""

import contextlib
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from ipaddress import IPv6Address, IPv6Interface

from rollout.platform import Platform
from rollout.rules import RULES
from rollout.rules.model import Line, Mode, Rules, Section, either
from rollout.running import SECRET, mask


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one line is, where it stands.

    Attributes:
        key: its identity among its siblings.
        value: its text in the one form that comparison uses.
        members: of a set-valued line, in the order written.
        taker: what follows ``undo``/``no`` to take it back.
        object: the object that it describes, such as ``peer 10.0.0.1``; empty where none.
    """

    key: str
    value: str
    negative: bool
    line: Line | None
    section: Section | None
    header: str
    args: str
    members: tuple[str, ...]
    taker: str
    object: str


@cache
def _by_word(platform: Platform, kind: str) -> tuple[dict[str, list[Line]], list[Line], list[Section], re.Pattern[str]]:
    """Rows of a kind of section by first word, those that begin with no plain word; its sections, and all in one."""
    rules = RULES[platform]
    words: dict[str, list[Line]] = {}
    rest: list[Line] = []
    index = {id(line): i for i, line in enumerate(rules.lines)}
    for line in rules.lines:
        if kind not in line.within and "*" not in line.within:
            continue
        rest.append(line)
    for line in rest:
        for word in _first_words(line.match.pattern):
            words.setdefault(word, []).append(line)
    loose = words.pop("", [])
    for rows in words.values():
        rows.extend(loose)
        rows.sort(key=lambda row: index[id(row)])
    sections = [one for one in rules.sections if kind in one.within]
    return words, loose, sections, either(one.match for one in sections)


def _first_words(pattern: str) -> list[str]:
    """The plain words that a pattern may begin with; ``[""]`` where it cannot be told."""
    bare = re.sub(r"^(?:\(\?:|\(\?P<\w+>)+", "", pattern)
    plain = re.match(r"[a-z][\w-]*", bare)
    alternatives = (
        pattern.startswith("(?:(?:") or re.match(r"[^()]*\)\?", bare) is not None or "|" in pattern.split(" ")[0]
    )
    return [""] if plain is None or alternatives else [plain[0]]


@lru_cache(maxsize=65536)
def meaning_of(platform: Platform, kind: str, text: str, parent: bool = False) -> Meaning:
    """What ``text`` means in a section of ``kind``; ``parent`` says that lines stand under it."""
    rules = RULES[platform]
    negative = text.startswith(f"{rules.negation} ")
    body = text[len(rules.negation) + 1 :] if negative else text
    value = canonical(platform, body)
    words, loose, sections, opens = _by_word(platform, kind)
    for section in sections if opens.match(value) else ():
        if (found := section.match.match(value)) is not None:
            groups = (section.match.match(body) or found).groupdict()
            key = "§" + _identity(_ids(found.groupdict()))
            args = (groups.get("args") or "").strip()
            header = _ids(groups)
            return Meaning(key, key, negative, None, section, header, args, (), body if section.whole else header, "")
    if parent and not negative and not any(row.match.match(value) for row in words.get(value.partition(" ")[0], loose)):
        return Meaning("§" + value, value, negative, None, None, body, "", (), body, "")
    for line in words.get(value.partition(" ")[0], loose):
        if (found := line.match.match(value)) is not None:
            return _of_line(rules, line, found, body, value, negative)
    guessed = _loose(platform, kind, value)
    if guessed is not None and (found := guessed.match.match(value)) is not None:
        return _of_line(rules, guessed, found, body, value, negative)
    if "\n" in body:
        first = body.split("\n")[0]
        return Meaning(first, value, negative, None, None, first, "", (), first, "")
    return Meaning(value, value, negative, None, None, body, "", (), body, "")


@lru_cache(maxsize=16384)
def _loose(platform: Platform, kind: str, value: str) -> Line | None:
    """In some sections lines that no table knows replace each other by their first words."""
    words = next((section.loose for section in RULES[platform].sections if section.kind == kind and section.loose), 0)
    if not words or not value:
        return None
    return Line((kind,), re.compile(re.escape(" ".join(value.split()[:words])) + r"(?!\S)"))


def _ids(groups: dict[str, str]) -> str:
    return " ".join(part for name in ("id", "id2") if (part := groups.get(name)))


def _of_line(rules: Rules, line: Line, found: re.Match[str], body: str, value: str, negative: bool) -> Meaning:
    groups = found.groupdict()
    parts = [part for name, part in groups.items() if name.startswith("k") and part]
    key = _identity(" ".join(parts) if parts else found[0])
    members: tuple[str, ...] = ()
    if line.mode is Mode.SET:
        members = _members(key, groups["set"])
        if groups.get("tail"):
            key = f"{key} … {groups['tail']}"
        if negative:
            key = f"{rules.negation} {value}"
    elif line.mode is Mode.MEMBER and line.undo == "line" and not parts:
        key = value
    raw = line.match.match(body) or found
    if line.undo == "key":
        taker = raw[0]
    elif line.undo == "line":
        taker = body
    else:
        taker = line.undo.format(**{name: part or "" for name, part in raw.groupdict().items()})
    thing = re.match(line.object, body) if line.object.partition(" ")[2] else None
    return Meaning(key, value, negative, line, None, "", "", members, taker, thing[0] if thing else "")


def _identity(text: str) -> str:
    """Interface names lose the space before their number and their capitals: all spellings are one."""
    if text.startswith(("interface ", "passive-interface ", "silent-interface ")):
        word, name = text.split(" ", 1)
        return f"{word} {re.sub(r'(?<=[A-Za-z]) (?=[0-9])', '', name).lower()}"
    return text


_MASKED = re.compile(
    r"^(ip (?:address|route-static|route)(?: (?:vpn-instance|vrf) \S+)?) (\d+\.\d+\.\d+\.\d+) "
    r"(\d+\.\d+\.\d+\.\d+)(?!\S)"
)


_AREA = re.compile(r"(?<!\S)area (\d+)(?!\S)")


@cache
def _swapped(platform: Platform) -> re.Pattern[str]:
    return either(pattern for pattern, _ in RULES[platform].swaps)


@lru_cache(maxsize=65536)
def canonical(platform: Platform, body: str) -> str:
    """A line in the one form that comparison uses: secrets masked, masks as lengths, areas dotted."""
    rules = RULES[platform]
    value = mask(platform, body)
    if SECRET in value:
        value = rules.secret_words.sub("", value)
    if value.startswith("ip ") and (found := _MASKED.match(value)):
        value = f"{found[1]} {found[2]} {_length(found[3])}{value[found.end() :]}"
    elif value.startswith("ipv6 ") and ":" in value:
        value = _one_spelling(value)
    if "area " in value:
        value = _AREA.sub(lambda one: f"area 0.0.{int(one[1]) >> 8}.{int(one[1]) & 255}", value)
    if _swapped(platform).match(value):
        for pattern, replacement in rules.swaps:
            value = pattern.sub(replacement, value)
    return value


_SPLIT6 = re.compile(r"^(ipv6 (?:address|route-static(?: vpn-instance \S+)?) [0-9a-f:.]+) (\d+)(?!\S)")


def _one_spelling(value: str) -> str:
    """IPv6 addresses in lower case without idle zeros, their lengths behind a slash."""
    words = value.split(" ")
    for place, word in enumerate(words):
        if ":" in word:
            with contextlib.suppress(ValueError):
                words[place] = str(IPv6Interface(word)) if "/" in word else str(IPv6Address(word))
    return _SPLIT6.sub(r"\1/\2", " ".join(words))


@lru_cache(maxsize=4096)
def _length(mask_: str) -> str:
    bits = "".join(f"{int(part):08b}" if part.isdecimal() and int(part) < 256 else "x" for part in mask_.split("."))
    return str(bits.count("1")) if re.fullmatch(r"1*0*", bits) else mask_


def _members(key: str, text: str) -> tuple[str, ...]:
    if "vlan" in key:
        return tuple(str(number) for number in numbers(text)) or tuple(text.split())
    return tuple(text.split())


def numbers(text: str) -> list[int]:
    """``10 20 to 22`` or ``10 20-22`` as numbers, each once; nothing where it is no list of numbers."""
    words = re.sub(r"(?<=\d)-(?=\d)", " to ", text).split()
    found: list[int] = []
    i = 0
    while i < len(words):
        if not words[i].isdecimal():
            return []
        first = last = int(words[i])
        if words[i + 1 : i + 2] == ["to"] and words[i + 2 : i + 3] and words[i + 2].isdecimal():
            last = int(words[i + 2])
            i += 2
        found += range(first, min(last, first + 4095) + 1)
        i += 1
    return list(dict.fromkeys(found))


def listed(members: tuple[str, ...] | list[str]) -> list[str]:
    """The members of a set as a vendor writes them, at most ten to a line: ``10 20 to 22``; addresses one to a line."""
    if any("." in member for member in members):
        return list(members)  # VRP takes back one DNS server or gateway at a time
    if not all(member.isdecimal() for member in members):
        return [" ".join(members)]
    spans: list[tuple[int, int]] = []
    for number in sorted(int(member) for member in members):
        if spans and number == spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], number)
        else:
            spans.append((number, number))
    words = [str(first) if first == last else f"{first} to {last}" for first, last in spans]
    return [" ".join(words[i : i + 10]) for i in range(0, len(words), 10)]
