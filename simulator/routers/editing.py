"""What a configuration line does to a configuration: replace, merge, undo, or a refusal that points at a word.

Pure: a line and a tree in, an outcome out, the tree changed. Lines are kept as the box would show them: masks in
its form, secrets as ciphertext, in its order whatever the order of entering, so that a way there and back ends with
the same text.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Network
from typing import Final

from simulator.routers import ciphers
from simulator.routers.language import Language, Section
from simulator.routers.shape import Fit, Shape, Verdict, furthest
from simulator.routers.tree import Tree, natural, outline

ROOT: Final = "system"
_MOST_KEYS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a session is in the configuration: the headers of the open sections, their views and labels."""

    path: tuple[str, ...] = ()
    views: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def view(self) -> str:
        return self.views[-1] if self.views else ROOT

    def up(self) -> "Place":
        return Place(self.path[:-1], self.views[:-1], self.labels[:-1])

    def into(self, header: str, section: Section) -> "Place":
        words = header.split()
        label = section.label.format(*words, rest=" ".join(words[1:]), name="".join(words[1:]))
        return Place((*self.path, header), (*self.views, section.view), (*self.labels, label))


@dataclass(frozen=True, slots=True)
class Done:
    """Taken; ``place`` is where the session is now, ``says`` what the box says to it."""

    place: Place
    says: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """Not understood: a verdict and a word; or understood and refused, in the box's words."""

    fit: Fit
    says: str = ""


class Editor:
    """Edits the configurations of one platform; stateless, shared by all its boxes."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._not = f"{language.negation} "
        self._keys: dict[str, tuple[object, ...]] = {}
        self._singles = {
            view: tuple(re.compile(rf"(?:{one})(?= |$)") for one in (*told, *language.single.get("*", ())))
            for view, told in (("*", ()), *language.single.items())
        }

    def spelled(self, line: str) -> str:
        """The line with single blanks and interface names as the box writes them."""
        line = " ".join(line.split())
        if line.removeprefix(self._not).startswith(("description ", "remark ")):
            return line
        gap = " " if self.language.spaced_interfaces else ""
        names = self.language.spellings
        exactly, loosely = self.language.interface_name
        # "vlan 10" is no "VLAN 10": only where an interface must follow may its name be written anyhow.
        pattern = loosely if line.removeprefix(self._not).lower().startswith("interface ") else exactly
        return pattern.sub(lambda found: f"{names[found[1].lower()]}{gap}{found[2]}", line)

    def enter(self, tree: Tree, place: Place, line: str, ports: Iterable[str] = ()) -> Done | Refused:
        """Apply one line at a place; the tree is changed in place.

        Args:
            ports: names of the box's physical interfaces, the only ones of their kind that can be entered.
        """
        line = self.spelled(line)
        best = Fit(Verdict.UNKNOWN, 0)
        here = place
        while True:
            outcome = self._enter_at(tree, here, line, ports)
            if isinstance(outcome, Done):
                return outcome
            if outcome.says or (outcome.fit.at, here is place) > (best.at, False):
                best = outcome.fit
                if outcome.says:
                    return outcome
            if not here.path or not self.language.climbs:
                return Refused(best)
            here = here.up()

    def load(self, text: str, ports: Iterable[str] = ()) -> Tree:
        """The tree of a configuration file; lines are believed, and kept in the box's form."""
        language = self.language
        tree = Tree()
        noise = [re.compile(one) for one in language.noise]
        stack: list[tuple[int, Tree, str]] = []
        for depth, line in outline(text, language.breaks):
            if depth < 0:
                stack.clear()
                continue
            if line == language.last or any(one.match(line) for one in noise):
                continue
            while stack and stack[-1][0] >= depth:
                stack.pop()
            node, view = (stack[-1][1], stack[-1][2]) if stack else (tree, ROOT)
            line = self.spelled(line)
            _, section = self._opener(view, line.split())
            root = self._opener(ROOT, line.split())[1]
            if section is None and stack and not self._known(view, line) and (root or self._known(ROOT, line)):
                # A root line shown with a blank in front, right under a section that has ended.
                stack.clear()
                node, view, section = tree, ROOT, root
            if section is not None:
                header = self._kept(line)
                below = node.setdefault(header, Tree())
                stack.append((depth, below if below is not None else Tree(), section.view))
            else:
                self._put(node, view, line)
        for port in ports:
            tree.setdefault(f"interface {port}", Tree())
        self._sort_all(tree)
        return tree

    def show(self, tree: Tree) -> list[str]:
        """The tree as the box prints it, without its head and last line."""
        language = self.language
        stop = language.breaks[0]
        indented = re.compile(language.indented)
        lines: list[str] = []
        group: str | None = None
        for line, below in tree.items():
            first = line.split()[0] if line.split()[0] != language.negation else line.split()[1]
            if below is not None or first != group:
                lines.append(stop)
            group = first if below is None else None
            lines.append(f" {line}" if below is None and indented.match(line) else line)
            if below is not None:
                lines.extend(self._below(below, 1))
                lines.extend(self._closing(line, 0))
        lines.append(stop)
        return lines

    def sealed(self, line: str) -> str:
        """The line as the box keeps it, secrets as ciphertext."""
        return self._kept(self.spelled(line))

    def same(self, line: str, view: str) -> str:
        """What tells a line from its neighbours: a new line with the same replaces the old one."""
        for pattern in self._singles.get(view, self._singles["*"]):
            if found := pattern.match(line):
                return found[0]
        return line

    def _below(self, tree: Tree, depth: int) -> Iterable[str]:
        for line, below in tree.items():
            yield " " * depth + line
            if below is not None:
                yield from self._below(below, depth + 1)
                yield from self._closing(line, depth)

    def _closing(self, header: str, depth: int) -> Iterable[str]:
        if self.language.closing is not None:
            closes = (one.becomes for one in self.language.closing if re.match(one.find, header))
            yield " " * depth + next(closes, "exit")

    def _enter_at(self, tree: Tree, place: Place, line: str, ports: Iterable[str]) -> Done | Refused:
        node = tree.section(*place.path)
        if node is None:  # somebody took the section away under this session
            return Refused(Fit(Verdict.UNKNOWN, 0))
        if line.startswith(self._not):
            return self._undo(tree, node, place, line.removeprefix(self._not))
        words = line.split()
        shape, section = self._opener(place.view, words)
        if section is not None:
            return self._open(tree, node, place, section, line, ports)
        shape, fit = furthest(self.language.shapes.get(place.view, ()), words)
        if shape is None:
            openers = [one for one, _ in self.language.openers.get(place.view, ())]
            _, other = furthest(openers, words)
            return Refused(max(fit, other, key=lambda one: one.at))
        return self._set(node, place, line)

    def _opener(self, view: str, words: list[str]) -> tuple[Shape | None, Section | None]:
        for shape, section in self.language.openers.get(view, ()):
            if (shape.firsts is None or words[0] in shape.firsts) and shape.fit(words).verdict is Verdict.FITS:
                return shape, section
        return None, None

    def _known(self, view: str, line: str) -> bool:
        words = line.removeprefix(self._not).split()
        return any(one.begins(words) for one in self.language.shapes.get(view, ()))

    def _open(
        self, tree: Tree, node: Tree, place: Place, section: Section, line: str, ports: Iterable[str]
    ) -> Done | Refused:
        header = self._kept(line)
        if header.startswith("interface ") and not self._may_exist(header.removeprefix("interface "), ports):
            return Refused(Fit(Verdict.WRONG, 1))
        if place.view not in ("", ROOT) and place.path and section.view == place.view and ROOT in section.inside:
            node, place = tree, Place()  # from one section straight into its neighbour
        words = header.split()
        if section.key:
            start = " ".join(words[: section.key])
            old = next((one for one in node if one == start or one.startswith(f"{start} ")), None)
            if old is not None and old != header:
                if len(words) > section.key:
                    kept = node.pop(old)
                    node[header] = kept
                    self._sort(node)
                else:
                    header = old
        if header not in node:
            node[header] = Tree()
            self._sort(node)
        return Done(place.into(header, section))

    def _may_exist(self, name: str, ports: Iterable[str]) -> bool:
        known = set(ports)
        if not known or name in known or not re.fullmatch(self.language.facts.port, name):
            return True
        base, dot, _ = name.partition(".")
        return bool(dot) and base in known

    def _set(self, node: Tree, place: Place, line: str) -> Done | Refused:
        language, view = self.language, place.view
        line = self._kept(line)
        if step := language.numbered.get(view):
            line = _numbered(line, node, step)
        for rule in language.conflicts:
            if rule.view in ("", view) and re.match(rule.line, line):
                key = self.same(line, view)
                if any(one != line and self.same(one, view) == key for one in node):
                    old = next(one for one in node if self.same(one, view) == key)
                    return Refused(Fit(Verdict.WRONG, 0), rule.says.format(old=old, old_last=old.split()[-1]))
        for need in language.needs:
            if need.view == view and re.match(need.line, line) and not _holds(node, need.needs):
                return Refused(Fit(Verdict.WRONG, 0), need.says)
        says = ""
        for rule in language.clears:
            if rule.view in ("", view) and re.match(rule.line, line) and line not in node:
                gone = [one for one in node if any(re.match(pattern, one) for pattern in rule.removes)]
                for one in gone:
                    del node[one]
                says = rule.says if gone else says
        self._put(node, view, line)
        self._sort(node)
        return Done(place, says)

    def _put(self, node: Tree, view: str, line: str) -> None:
        language = self.language
        line = self._kept(line)
        negated = line.startswith(self._not)
        node.pop(line.removeprefix(self._not) if negated else self._not + line, None)
        for start in language.sets:
            if line.startswith(f"{start} "):
                merge(node, start, line.removeprefix(f"{start} "))
                return
        key = self.same(line, view)
        for one in [one for one in node if one != line and node[one] is None and self.same(one, view) == key]:
            del node[one]
        if any(re.fullmatch(pattern, line) for pattern in language.defaults):
            node.pop(line, None)
            return
        node.setdefault(line, None)

    def _undo(self, tree: Tree, node: Tree, place: Place, rest: str) -> Done | Refused:
        language, view = self.language, place.view
        words = rest.split()
        if not words:
            return Refused(Fit(Verdict.INCOMPLETE, 1))
        openers = [(one, section) for one, section in language.openers.get(view, ()) if one.begins(words)]
        known = any(one.begins(words) for one in language.shapes.get(view, ()))
        if not openers and not known:
            shapes = (*language.shapes.get(view, ()), *(one for one, _ in language.openers.get(view, ())))
            _, fit = furthest(shapes, words)
            return Refused(Fit(fit.verdict, fit.at + 1))
        if openers and not known and place.path and ROOT in openers[0][1].inside:
            node, view = tree, ROOT  # "undo interface X" from inside an interface
        for start in language.sets:
            if rest.startswith(f"{start} "):
                remove(node, start, rest.removeprefix(f"{start} "))
                self._sort(node)
                return Done(place)
        gone = self._meant(node, view, rest)
        for header in gone:
            for _, section in openers:
                if section.keeps and re.fullmatch(section.keeps, header):
                    return Refused(Fit(Verdict.WRONG, len(header.split())))
        for one in gone:
            del node[one]
        for need in language.needs:
            if need.view == view and any(one.startswith(need.needs) for one in gone) and not _holds(node, need.needs):
                for one in [one for one in node if re.match(need.line, one)]:
                    del node[one]
        if any(re.fullmatch(pattern, self._not + rest) for pattern in language.negations_kept):
            node[self._not + rest] = None
            self._sort(node)
        elif not gone:
            for rule in language.absent:
                if rule.view in ("", view) and re.match(rule.line, rest):
                    return Refused(Fit(Verdict.WRONG, 0), rule.says)
        return Done(place)

    def _meant(self, node: Tree, view: str, rest: str) -> list[str]:
        """The lines that a negation takes away."""
        kept = self._kept(rest)
        wanted = {rest, kept, _plainly(kept)}
        found = [
            one
            for one in node
            if any(form == want or form.startswith(f"{want} ") for want in wanted for form in (one, _plainly(one)))
        ]
        if not found and any(re.match(pattern, rest) for pattern in self.language.undo_by_key):
            key = self.same(kept, view)
            found = [one for one in node if self.same(one, view) == key]
        return found

    def _kept(self, line: str) -> str:
        for rewrite in self.language.rewrites:
            line = _pattern(rewrite.find).sub(lambda found, to=rewrite.becomes: _filled(to, found), line)  # type: ignore[misc]
        return line

    def _sort(self, node: Tree) -> None:
        lines = sorted(node.items(), key=lambda item: self._key(item[0]))
        node.clear()
        node.update(lines)

    def _key(self, line: str) -> tuple[object, ...]:
        """Where a line stands among its neighbours; boxes share most of their lines, so it is kept."""
        key = self._keys.get(line)
        if key is None:
            if len(self._keys) >= _MOST_KEYS:
                self._keys.clear()
            key = self._keys[line] = (self.language.rank(line), natural(line))
        return key

    def _sort_all(self, node: Tree) -> None:
        self._sort(node)
        for below in node.values():
            if below is not None:
                self._sort_all(below)


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


_FILL: Final = re.compile(r"<(\w+):(\d)>|\\(\d)")


def _filled(to: str, found: "re.Match[str]") -> str:
    def one(what: "re.Match[str]") -> str:
        if what[3]:
            return found[int(what[3])] or ""
        form, word = what[1], found[int(what[2])]
        if form == "mask":
            return str(IPv4Network(f"0.0.0.0/{word}").netmask)
        if form == "length":
            return str(IPv4Network(f"0.0.0.0/{word}").prefixlen)
        return word if ciphers.is_sealed(word) else ciphers.seal(form, word)

    return _FILL.sub(one, to)


def _plainly(line: str) -> str:
    return ciphers.plainly(line)


def _numbered(line: str, node: Tree, step: int) -> str:
    """A rule that came without a number gets the next one."""
    found = re.match(r"(rule )?(?=permit|deny)", line)
    if found is None:
        return line
    start = found[1] or ""
    used = [int(number[1]) for one in node if (number := re.match(rf"{start}(\d+) ", one))]
    after = (max(used) // step + 1) * step if used else step
    return f"{start}{after} {line[found.end() :]}"


def _holds(node: Tree, start: str) -> bool:
    return any(one == start or one.startswith(f"{start} ") for one in node)


def merge(node: Tree, start: str, members: str) -> None:
    """Add members (``10 20 to 22``) to a line that is a set."""
    _rewrite_set(node, start, _members(node, start) | _numbers(members))


def remove(node: Tree, start: str, members: str) -> None:
    _rewrite_set(node, start, _members(node, start) - _numbers(members))


def _members(node: Tree, start: str) -> set[int]:
    found: set[int] = set()
    for one in node:
        if one.startswith(f"{start} "):
            found |= _numbers(one.removeprefix(f"{start} "))
    return found


def _numbers(text: str) -> set[int]:
    found: set[int] = set()
    words = text.replace(",", " ").split()
    for at, word in enumerate(words):
        if word == "to" and 0 < at < len(words) - 1:
            found |= set(range(int(words[at - 1]), int(words[at + 1]) + 1))
        elif word.isdecimal():
            found.add(int(word))
    return found


def _rewrite_set(node: Tree, start: str, members: set[int]) -> None:
    for one in [one for one in node if one.startswith(f"{start} ")]:
        del node[one]
    if members:
        node[f"{start} {_ranges(sorted(members))}"] = None


def _ranges(members: list[int]) -> str:
    """``10 to 12 20``: three or more in a row are a range."""
    runs: list[list[int]] = []
    for member in members:
        if runs and member == runs[-1][-1] + 1:
            runs[-1].append(member)
        else:
            runs.append([member])
    parts: list[str] = []
    for run in runs:
        parts += [f"{run[0]} to {run[-1]}"] if len(run) > 2 else map(str, run)
    return " ".join(parts)
