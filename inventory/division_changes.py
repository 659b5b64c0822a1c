"""Divisions that merge, split, are renamed or recoded: the list and the sites that follow, and no address moves. Pure.

Changes come as rows ``change,old,new,name,parent,on``:

    rename   old has another name (and parent, where one is written) from that day on
    recode   old goes on under the code new; its site keeps id, history and addresses
    merge    old ends and new takes over; a township's site becomes a station there, a village's a point
    new      new comes into being, from old where one is written (a split), below parent
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, cast

from inventory import lockfile
from inventory.changes import Changes
from inventory.compiling import Compilation
from inventory.device_changes import with_lock
from inventory.divisions import CODE, full_code
from inventory.editing import REMOVED, Anew, Entry, edit, written
from inventory.errors import InventoryError, Problem
from inventory.loader import examine
from inventory.reading_sites import MAIN, Row
from inventory.slugs import pinyin
from inventory.source import Source

KINDS: Final = ("rename", "recode", "merge", "new")
_HEADER: Final = ("change", "old", "new", "name", "parent", "on")
_KEEP: Final = {"township_center": "township_station", "village_site": "village_point"}


@dataclass(frozen=True)
class Change:
    """One row of the changes. Codes have 12 digits or are empty."""

    kind: str
    old: str
    new: str
    name: str
    parent: str
    on: date
    line: int


@dataclass(frozen=True)
class Applied:
    """What would be written, and what became of the sites, one sentence each."""

    changes: Changes
    told: tuple[str, ...]


def read_changes(file: str, data: bytes) -> list[Change]:
    """The rows of a file of changes.

    Raises:
        InventoryError: every row that cannot be read, with its line.
    """
    try:
        rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    except UnicodeDecodeError:
        raise InventoryError([Problem(file, 0, "", "this is not UTF-8.", "Save it as UTF-8.")]) from None
    header = [cell.strip() for cell in rows[0]] if rows else []
    if tuple(header) != _HEADER:
        raise InventoryError([Problem(file, 1, "", "this is no list of changes.", f"Begin with {','.join(_HEADER)}.")])
    changes, problems = [], []
    for line, cells in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in cells):
            continue
        said = dict(zip(_HEADER, (cell.strip() for cell in cells), strict=False))
        codes = {name: full_code(said[name]) if said.get(name) else "" for name in ("old", "new", "parent")}
        wrong = _wrong(said, codes, len(cells))
        if wrong:
            problems.append(Problem(file, line, "", *wrong))
            continue
        on = date.fromisoformat(said["on"])
        changes.append(Change(said["change"], codes["old"], codes["new"], said["name"], codes["parent"], on, line))
    if problems:
        raise InventoryError(problems)
    return changes


def _wrong(said: Mapping[str, str], codes: Mapping[str, str], cells: int) -> tuple[str, str] | None:
    if cells != len(_HEADER):
        return f"{cells} fields stand where {len(_HEADER)} are meant.", "Check the commas."
    kind = said["change"]
    if kind not in KINDS:
        return f"{kind!r} is none of {', '.join(KINDS)}.", "Choose one."
    for name, code in codes.items():
        if code and not CODE.fullmatch(code):
            return f"{name}: {said[name]!r} is no division code.", "A code has 6, 9 or 12 digits."
    needs = {
        "rename": ("old", "name"),
        "recode": ("old", "new"),
        "merge": ("old", "new"),
        "new": ("new", "name", "parent"),
    }
    lacking = [name for name in needs[kind] if not said[name]]
    if lacking:
        return f"a {kind} needs {', '.join(lacking)}.", "Fill it in."
    try:
        date.fromisoformat(said["on"])
    except ValueError:
        return f"{said['on']!r} is no day.", "Write 2020-06-30."
    return None


def apply(source: Source, file: str, changes: Sequence[Change]) -> Applied:
    """The list and the sites after the changes.

    Raises:
        InventoryError: a change that does not fit the list, or laws that would be broken.
    """
    compilation = examine(source)
    listed = compilation.county.divisions
    data = _listed(compilation, source.files[listed], file, changes)
    before: dict[str, bytes] = {listed: source.files[listed]}
    after: dict[str, bytes] = {listed: data}
    moving = _Moving(source, compilation, changes)
    edits = moving.edits()
    for name, change in edits.items():
        old = source.files.get(name)
        if old is None:
            after[name] = written({"division": moving.counties[name], **change}).encode("utf-8")
        else:
            before[name], after[name] = old, edit(name, old, change)
    made = with_lock(source, before, after)
    _nothing_moved(source, made)
    return Applied(made, tuple(moving.told))


def _nothing_moved(source: Source, made: Changes) -> None:
    """Every address that was given is still its site's."""
    old, _ = lockfile.parse(source.files.get(lockfile.NAME, b""))
    new, _ = lockfile.parse(made.after.get(lockfile.NAME, source.files.get(lockfile.NAME, b"")))
    held = {site.id: site for site in new.sites}
    for site in old.sites:
        now = held[site.id]
        same = (site.prefix, site.number) == (now.prefix, now.number) and all(
            now.routers[role][0] == loopback and now.routers[role][1][: len(links)] == links
            for role, (loopback, links) in site.routers.items()
        )
        if not same:
            raise RuntimeError(f"{site.id} would move in the address plan")


def _listed(compilation: Compilation, data: bytes, file: str, changes: Sequence[Change]) -> bytes:
    """The division list with ended rows and new ones; what stood there keeps its words and its order."""
    if data[:1] == b"\xfd":
        mend = "Unpack it (xz -d), and name the .csv in county.yml."
        raise InventoryError([Problem(compilation.county.divisions, 0, "", "this list is compressed.", mend)])
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    columns = list(rows[0]) if rows else ["code", "name", "level", "parent"]
    told = any(row.get("until") for row in rows)
    if "since" in columns and not told:
        # Until now the tree stood for every day: dates of codes must not begin to change answers about the past.
        columns[columns.index("since")] = "code_since"
        for row in rows:
            row["code_since"] = row.pop("since")
    columns += [name for name in ("since", "until", "successor") if name not in columns]
    alive = {full_code(row["code"]): row for row in rows if not row.get("until")}
    problems: list[Problem] = []
    ended: dict[int, dict[str, str]] = {}
    for one in changes:  # first what ends, as its code may be handed out again
        found = alive.get(one.old) if one.old else None
        if one.old and found is None:
            problems.append(Problem(file, one.line, "", f"{one.old} is not in the list (any more).", "Check the code."))
        elif found is not None and one.kind != "new":
            found |= {"until": one.on.isoformat(), "successor": one.old if one.kind == "rename" else one.new}
            ended[one.line] = alive.pop(one.old)
    for one in changes:
        fresh = one.old if one.kind == "rename" else one.new
        if one.kind == "merge" or (one.old and one.kind != "new" and one.line not in ended):
            continue
        if fresh in alive:
            text = f"{fresh} is {alive[fresh]['name']} already."
            problems.append(Problem(file, one.line, "", text, "Correct the code, or say what becomes of that one."))
            continue
        like = ended.get(one.line, {})
        level = like.get("level") or str(int(alive[one.parent]["level"]) + 1 if one.parent in alive else 5)
        alive[fresh] = dict.fromkeys(columns, "") | {
            "code": fresh, "name": one.name or like.get("name", ""), "level": level,
            "parent": one.parent or like.get("parent", ""), "since": one.on.isoformat(),
        }  # fmt: skip
        if "kind" in columns and one.kind == "rename":
            alive[fresh]["kind"] = like.get("kind", "")
        rows.append(alive[fresh])
    for one in changes:
        if one.kind == "merge" and one.new not in alive:
            mend = "Write it with change new, or correct the code."
            problems.append(Problem(file, one.line, "", f"{one.new} is not in the list.", mend))
    for code, row in alive.items():
        parent = full_code(row["parent"]) if row["parent"] else ""
        gone = any(full_code(one["code"]) == parent and one.get("until") for one in rows)
        if parent and parent not in alive and gone:
            text = f"{code} {row['name']} still hangs below {parent}, which ends."
            problems.append(
                Problem(file, 0, "", text, "Say what becomes of it: recode, merge, or rename with its parent.")
            )
    if problems:
        raise InventoryError(problems)
    told_text = io.StringIO()
    writer = csv.DictWriter(told_text, columns, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return told_text.getvalue().encode("utf-8")


class _Moving:
    """Sites of divisions that change: out of their place in the files, into another."""

    def __init__(self, source: Source, compilation: Compilation, changes: Sequence[Change]) -> None:
        self.source, self.compilation = source, compilation
        self.counties: dict[str, str] = {}
        self.told: list[str] = []
        self._edits: dict[str, dict[str, Any]] = {}
        nodes = compilation.nodes
        self._names = {code: nodes.names[i] for i, code in enumerate(nodes.codes)}
        self._parents = {
            code: nodes.codes[p] if (p := nodes.parents[i]) >= 0 else "" for i, code in enumerate(nodes.codes)
        }
        self._levels = dict(zip(nodes.codes, nodes.levels, strict=True))
        self._ended: dict[str, Change] = {}
        for one in changes:
            if one.kind in ("rename", "recode", "merge"):
                self._ended[one.old] = one
            code = one.old if one.kind == "rename" else one.new
            if one.kind != "merge" or code not in self._names:
                old = one.old or ""
                self._names[code] = one.name or self._names.get(code) or self._names.get(old, "")
                self._parents[code] = one.parent or self._parents.get(old) or self._parents.get(code, "")
                self._levels[code] = self._levels.get(old) or self._levels.get(one.parent, 4) + 1
        self._documents = {row.file: source.yaml(row.file) for row in compilation.rows}
        self._sites: dict[str, list[tuple[int, Row]]] = {}
        for i, row in enumerate(compilation.rows):
            self._sites.setdefault(nodes.codes[row.node], []).append((i, row))
        self._occupied = {
            code
            for code, some in self._sites.items()
            if any(row.key == MAIN for _, row in some) and code not in self._ended
        }

    def edits(self) -> dict[str, dict[str, Any]]:
        order = sorted(
            self._ended.values(), key=lambda one: (self._levels.get(one.old, 5), one.kind == "merge", one.line)
        )
        for one in order:
            for i, row in self._sites.get(one.old, ()):
                self._move(one, i, row)
        return self._edits

    def _move(self, one: Change, i: int, row: Row) -> None:
        code = one.old if one.kind == "rename" else one.new
        site = self.compilation.locked[i]
        id = site.id if site is not None else ""
        name = self._names[code]
        stays = one.kind == "rename" and not one.parent
        if row.key != MAIN:
            if not stays:
                self._take_out(row)
                fields = self._fields(row) | {"type": row.site_type} | ({"id": id} if id else {})
                self._put(code, self._key(row.name), Entry(self._words(row, row.name), fields))
            return
        if stays:
            self._lay(row.file, row.path, Entry(self._words(row, name), {}))
            self.told.append(f"{id}: {row.name} is called {name}")
            return
        heir = code not in self._occupied
        self._take_out(row)
        fields = self._fields(row) | ({"id": id} if id else {})
        if heir:
            self._occupied.add(code)
            self._put(code, MAIN, Entry(self._words(row, name), fields))
            self.told.append(f"{id}: {row.name} goes on as {name} ({code})")
            return
        kind = _KEEP.get(row.site_type, row.site_type)
        fields = {"type": kind, **fields, "formerly": one.old}
        self._put(code, self._key(row.name, one.old), Entry(self._words(row, row.name), fields))
        self.told.append(f"{id}: {row.name} becomes a {kind.replace('_', ' ')} of {name} ({code})")

    def _value(self, row: Row) -> Any:
        value = self._documents[row.file]
        for step in row.path:
            value = value[step]
        return value

    def _fields(self, row: Row) -> dict[str, Any]:
        value = self._value(row)
        return (
            {key: one for key, one in value.items() if key not in ("is", "id", "type", "more", "villages")}
            if isinstance(value, dict)
            else {}
        )

    def _words(self, row: Row, name: str) -> str:
        """Class, line and carrier are written out: the defaults where it goes may be others."""
        words = [row.site_class, row.link_type, row.carrier]
        while words and words[-1] == "-":
            words.pop()
        return " ".join([name.replace(" ", ""), *words])

    def _key(self, name: str, code: str = "") -> str:
        return f"{pinyin(name)[:11]}{code[4:] if code else ''}"[:20]

    def _take_out(self, row: Row) -> None:
        self._lay(row.file, row.path, REMOVED)

    def _put(self, code: str, key: str, entry: Entry) -> None:
        file, path = self._place(code)
        self._lay(file, path if key == MAIN else (*path, "more", key), entry)

    def _place(self, code: str) -> tuple[str, tuple[str, ...]]:
        if self._levels[code] <= 3:
            return next(iter(self._documents)), ()
        township = code if self._levels[code] == 4 else self._parents[code]
        for file, document in self._documents.items():
            for written_as in document.get("townships") or {}:
                if full_code(written_as) == township:
                    path = ("townships", str(written_as))
                    return file, path if code == township else (
                        *path,
                        "villages",
                        self._as_written(document, path, code),
                    )
        origin = next((one.old for one in self._ended.values() if one.new == township and one.old in self._sites), None)
        file = self._sites[origin][0][1].file if origin is not None else f"sites/{township[:9]}.yml"
        if file not in self._documents:
            self.counties[file] = self._parents[township]
        path = ("townships", township)
        return file, path if code == township else (*path, "villages", code)

    def _as_written(self, document: Any, path: tuple[str, ...], code: str) -> str:
        villages = (document["townships"][path[1]] or {}) if isinstance(document["townships"][path[1]], dict) else {}
        return next((str(one) for one in villages.get("villages") or {} if full_code(str(one)) == code), code)

    def _lay(self, file: str, path: Sequence[str | int], entry: Any) -> None:
        """Put a change at its path among the others of its file."""
        here = self._edits.setdefault(file, {})
        *steps, last = [str(step) for step in path]
        for step in steps:
            if step in ("townships", "villages", "units", "more"):
                here = here.setdefault(step, {})
                continue
            held = here.get(step)
            if held is REMOVED:
                if entry is REMOVED:
                    return  # it goes with what is above it
                held = here[step] = Anew(Entry(None, {}))
            elif held is None:
                held = here[step] = Entry(None, {})
            inner = held.entry if isinstance(held, Anew) else held
            here = cast("dict[str, Any]", inner.fields)
        held = here.get(last)
        if entry is REMOVED:
            here.setdefault(last, REMOVED)
        elif held is REMOVED:
            here[last] = Anew(entry)
        elif held is None:
            here[last] = entry
        else:
            inner = held.entry if isinstance(held, Anew) else held
            whole = Entry(inner.words if entry.words is None else entry.words, {**entry.fields, **inner.fields})
            here[last] = Anew(whole) if isinstance(held, Anew) else whole
