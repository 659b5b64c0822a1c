"""Rows of spreadsheets against the sites that are declared: what differs, as changes of files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from inventory.compiling import Compilation
from inventory.declared import path_text
from inventory.editing import Added, Entry, edit, written
from inventory.errors import Problem
from inventory.reading_sites import MAIN, Row, inherit
from inventory.sheets.faults import Fault
from inventory.sheets.placing import Places
from inventory.sheets.reading import SheetRow
from inventory.source import Source

_TYPE_OF_LEVEL: Final = {
    5: "village_site",
    4: "township_center",
    3: "county_center",
    2: "county_center",
    1: "county_center",
}
_WORD_FIELDS: Final = ("class", "link_type", "carrier")
_SITE_FIELDS: Final = (
    "site_name", "central", "open", "online", "opened", "requirement", "reason", "calendar", "responsible", "tags",
    "note",
)  # fmt: skip
_SHARED: Final = frozenset({"open", "online", "opened", "requirement", "reason", "calendar", "responsible", "tags"})
_LINK_FIELDS: Final = (
    "circuit", "bandwidth_mbps", "origin", "original_owner", "conformance", "contract_since", "contract_until",
    "hotline",
)  # fmt: skip
_DEVICE_FIELDS: Final = (
    "serial", "asset_no", "installed", "owner", "monitored", "calendar", "themes", "credential",
)  # fmt: skip


@dataclass
class Target:
    """One site that rows speak of, and what they change of it."""

    node: int
    key: str
    row: Row | None
    site_type: str
    name: str = ""
    words: dict[str, str] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)
    devices: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    sources: list[SheetRow] = field(default_factory=list)


class Merging:
    def __init__(self, source: Source, compilation: Compilation, faults: list[Fault]) -> None:
        self.source, self.compilation, self.faults = source, compilation, faults
        self.county, self.nodes = compilation.county, compilation.nodes
        self.rows: dict[tuple[int, str], Row] = {(row.node, row.key): row for row in compilation.rows}
        self.targets: dict[tuple[int, str], Target] = {}
        self.seen: dict[tuple[object, ...], SheetRow] = {}
        self.new_sites = 0
        self.paths: list[tuple[str, str, SheetRow]] = []
        self.places = Places(source, self.nodes, self.rows)

    def take(self, row: SheetRow) -> None:
        node = self._node(row)
        if node is None:
            return
        key = row.values.get("key", MAIN)
        target = self.targets.get((node, key)) or self._found(row, node, key)
        if target is None:
            return
        self.targets[node, key] = target
        target.sources.append(row)
        match row.table.name:
            case "sites":
                self._site(row, target)
            case "circuits":
                self._circuit(row, target)
            case "kiosks" | "devices":
                self._device(row, target)
            case _:
                self._claim(row, target)

    def _complain(self, row: SheetRow, field: str | None, zh: str, en: str) -> None:
        self.faults.append(row.fault(field, zh, en))

    def _node(self, row: SheetRow) -> int | None:
        code, name = row.values["code"], row.values.get("name")
        at = self.nodes.index.get(code)
        if at is None:
            same = [self.nodes.codes[i] for i, known in enumerate(self.nodes.names) if name and _same(known, name)]
            zh = f"{code} 不在区划表里" + (f"，“{name}”的代码是 {same[0]}。" if len(same) == 1 else "。")
            en = f"{code} is not in the division list." + (
                f" {name} is {same[0]}." if len(same) == 1 else " Correct it."
            )
            self._complain(row, "code", zh, en)
            return None
        if name is not None and not _same(self.nodes.names[at], name):
            real = self.nodes.names[at]
            self._complain(
                row, "name", f"{code} 是“{real}”，不是“{name}”，请核对代码或名称。",
                f"{code} is {real}, not {name}. Correct the code or the name.",
            )  # fmt: skip
            return None
        return at

    def _found(self, row: SheetRow, node: int, key: str) -> Target | None:
        """The site that a row speaks of; only the table of sites may name one that is not there yet."""
        known = self.rows.get((node, key))
        if known is not None:
            return Target(node, key, known, known.site_type, known.name)
        if row.table.name != "sites":
            what = self.nodes.names[node] + ("" if key == MAIN else f" {key}")
            self._complain(
                row, "code" if key == MAIN else "key", f"“{what}”还没有站点，请先在站点表里填写。",
                f"{what} has no site yet. Fill it in under 站点 first.",
            )  # fmt: skip
            return None
        usual = _TYPE_OF_LEVEL[self.nodes.levels[node]] if key == MAIN else None
        site_type = row.values.get("site_type", usual if usual else "county_unit" if self._is_county(node) else None)
        if site_type is None:
            self._complain(row, "site_type", "附设站点要填写站点类型。", "a further site needs its type.")
            return None
        name = self.nodes.names[node] if key == MAIN else row.values.get("title")
        if name is None:
            self._complain(row, "title", "新的附设站点要填写单位名称。", "a new further site needs its name.")
            return None
        return Target(node, key, None, site_type, name.replace(" ", ""))

    def _is_county(self, node: int) -> bool:
        return self.nodes.levels[node] <= 3

    def _twice(self, row: SheetRow, *key: object) -> bool:
        first = self.seen.setdefault((row.table.name, row.values["code"], row.values.get("key", MAIN), *key), row)
        if first is row:
            return False
        where = f"{first.sheet} {first.number}"
        self._complain(
            row, "code", f"与第{first.number}行重复，请只保留一行。", f"the same stands in row {where}. Keep one."
        )
        return True

    def _site(self, row: SheetRow, target: Target) -> None:
        if self._twice(row):
            return
        values = row.values
        if "site_type" in values and values["site_type"] != target.site_type:
            self._complain(
                row, "site_type", f"该站点的类型是 {target.site_type}，不能改。",
                f"this site is a {target.site_type}: a site's type is part of its identity.",
            )  # fmt: skip
        if target.row is None:
            self.new_sites += 1
        for name in _WORD_FIELDS:
            self._word(target, name, values.get(name))
        for name in _SITE_FIELDS:
            self._set(target, name, values.get(name))
        windows = {name: values[name] for name in ("general", "agent") if name in values}
        entry = target.row.entry if target.row else None
        held = dict(entry.windows) if entry else {}
        different = {name: count for name, count in windows.items() if held.get(name) != count}
        if different:
            target.fields["windows"] = different

    def _word(self, target: Target, name: str, value: str | None) -> None:
        """One of the three words of the scalar, where it is not what stands there already."""
        if value is None:
            return
        now = None
        if target.row is not None:
            now = {"class": target.row.site_class, "link_type": target.row.link_type, "carrier": target.row.carrier}[
                name
            ]
        if value != now:
            target.words[name] = value

    def _set(self, target: Target, name: str, value: Any) -> None:
        if value is None:
            return
        row = target.row
        now: Any = None
        if row is not None and name in _SHARED:
            now = inherit(row.entry, self.compilation.declared.defaults[row.defaults], name)
        elif row is not None and row.entry is not None:
            now = getattr(row.entry, name)
        unsaid = now is None and value is False  # nobody said yes: writing no would only be noise
        if value != now and not unsaid:
            target.fields[name] = list(value) if isinstance(value, tuple) else value

    def _circuit(self, row: SheetRow, target: Target) -> None:
        values = row.values
        told = {name: values[name] for name in _LINK_FIELDS if name in values}
        if values.get("role", "primary") == "primary":
            if self._twice(row, "primary"):
                return
            entry = target.row.entry if target.row else None
            link = entry.link if entry else None
            for name, word in (("link_type", "type"), ("carrier", "carrier")):
                if name in values and link is not None and getattr(link, name) is not None:
                    told[word] = values[name]
                else:
                    self._word(target, name, values.get(name))
            known = (
                link.model_dump() | {"type": link.link_type}
                if link
                else {"origin": "new", "conformance": "not_checked"}
            )
            different = {name: value for name, value in told.items() if known.get(name) != value}
            if different:
                target.fields["link"] = different
            return
        if "link_type" not in values:
            self._complain(row, "link_type", "备用线路要填写线路类型。", "a backup line needs its type.")
            return
        if self._twice(row, "backup", values.get("circuit")):
            return
        more = {"type": values["link_type"], "carrier": values.get("carrier"), "role": "backup", **told}
        more = {name: value for name, value in more.items() if value is not None}
        entry = target.row.entry if target.row else None
        for i, link in enumerate(entry.more_links if entry else ()):
            same = link.circuit == values.get("circuit") and (link.circuit or link.link_type == values["link_type"])
            if same and link.role == "backup":
                known = link.model_dump() | {"type": link.link_type}
                different = {name: value for name, value in more.items() if known.get(name) != value}
                if different:
                    target.fields.setdefault("more_links", {})[i] = different
                return
        held = target.fields.get("more_links")
        if isinstance(held, dict):
            self._complain(
                row, None, "请分两次导入：先修改已有备用线路，再新增。", "change known backup lines first, then add."
            )
            return
        target.fields["more_links"] = Added([*(held.items if held else ()), more])

    def _device(self, row: SheetRow, target: Target) -> None:
        entry = target.row.entry if target.row else None
        site_class = target.words.get("class") or (target.row.site_class if target.row else "")
        usual = self.county.classes[site_class].devices if site_class in self.county.classes else {}
        devices: dict[str, str | None] = {str(role): model for role, model in usual.items()}
        own = dict(entry.devices) if entry else {}
        for name, said in own.items():
            devices[name] = None if said is None else said.model or devices.get(name)
        kiosks = [
            place for place, model in devices.items()
            if model is not None and model in self.county.models and self.county.models[model].device_class == "kiosk"
        ]  # fmt: skip
        role = row.values.get("role")
        if role is None:
            role = self._next_role(row, target, kiosks, own)
        if self._twice(row, "role", role):
            return
        if role in target.devices:
            self._complain(
                row, "role", f"{role} 在“设备”表中已经填写，请只保留一行。",
                f"{role} stands under 设备 already. Keep one row.",
            )  # fmt: skip
            return
        known = own.get(role)
        told = {name: row.values[name] for name in _DEVICE_FIELDS if name in row.values}
        if "credential" in told and "://" not in told["credential"]:
            told["credential"] = f"secret://{told['credential']}"
        if known is not None:
            told = {name: value for name, value in told.items() if getattr(known, name) != value}
        told = {name: list(value) if isinstance(value, tuple) else value for name, value in told.items()}
        model = row.values.get("model")
        if model is not None and devices.get(role) != model:
            told["model"] = model
        if devices.get(role) is None and "model" not in told:
            models = [name for name, one in self.county.models.items() if one.device_class == "kiosk"]
            if len(models) != 1 or row.table.name != "kiosks":
                self._complain(
                    row, "model", f"设备位 {role} 是新的，要填写型号。", f"{role} is new: it needs its model."
                )
                return
            told["model"] = models[0]
        if told:
            target.devices[role] = told

    def _next_role(self, row: SheetRow, target: Target, kiosks: Sequence[str], own: Mapping[str, Any]) -> str:
        """The place of a kiosk whose row names none: that of its serial number, else the first without one."""
        serial = row.values.get("serial")
        for role, said in own.items():
            if serial is not None and said is not None and said.serial == serial:
                return role
        taken = {
            key[4] for key in self.seen if key[:3] == ("kiosks", row.values["code"], target.key) and key[3] == "role"
        }
        for role in kiosks:
            said = own.get(role)
            if role not in taken and (said is None or said.serial is None):
                return role
        number = 1
        while f"kiosk{number}" in taken or f"kiosk{number}" in kiosks:
            number += 1
        return f"kiosk{number}"

    def _claim(self, row: SheetRow, target: Target) -> None:
        values = row.values
        if self._twice(row, values["claim"], values["on"], values["by"]):
            return
        said = {name: values[name] for name in ("claim", "on", "by", "proof")}
        own = target.row.entry.claims if target.row and target.row.entry else None
        inherited = None
        if target.row is not None and own is None:
            inherited = self.compilation.declared.defaults[target.row.defaults].claims
        known = [one.model_dump() for one in (own or inherited or ())]
        if said in known:
            return
        held = target.fields.get("claims")
        before = held.items if held else [dict(one) for one in known] if own is None else []
        target.fields["claims"] = Added([*before, said])

    # From here on: the targets as changes of files.

    def files(self) -> tuple[dict[str, bytes], dict[str, bytes]]:
        """The files that change, before and after."""
        changes: dict[str, dict[str, Any]] = {}
        for target in self.targets.values():
            if target.row is None and target.sources and not any(row.table.name == "sites" for row in target.sources):
                continue
            entry = self._entry(target)
            if entry is None:
                continue
            file, path = self.places.place(target.node, target.key, target.site_type == "county_unit", target.row)
            self.paths += [(file, path_text(path), row) for row in target.sources]
            _lay(changes.setdefault(file, {}), path, entry)
        before: dict[str, bytes] = {}
        after: dict[str, bytes] = {}
        for file, change in changes.items():
            old = self.source.files.get(file)
            if old is None:
                after[file] = written({"division": self.places.counties[file], **change}).encode("utf-8")
                continue
            new = edit(file, old, change)
            if new != old:
                before[file], after[file] = old, new
        return before, after

    def _entry(self, target: Target) -> Entry | None:
        fields = dict(target.fields)
        if target.devices:
            fields["devices"] = {
                role: None
                if told is None
                else Entry(told.get("model"), {name: one for name, one in told.items() if name != "model"}, "model")
                for role, told in target.devices.items()
            }
        if target.row is not None:
            if not fields and not target.words:
                return None
            return Entry(self._words(target) if target.words else None, fields)
        if target.key != MAIN and not self._unit(target):
            fields = {"type": target.site_type, **fields}
        return Entry(self._words(target), fields)

    def _unit(self, target: Target) -> bool:
        return target.site_type == "county_unit"

    def _words(self, target: Target) -> str:
        """``NAME class link carrier`` with what was there, what is new, and nothing that the defaults say."""
        said = dict.fromkeys(_WORD_FIELDS, "-")
        if target.row is not None:
            tail = self.places.scalar(target.row)[len(target.row.name) :].split()
            said |= dict(zip(_WORD_FIELDS, tail, strict=False))
        said |= target.words
        words = [said[name] for name in _WORD_FIELDS]
        while words and words[-1] == "-":
            words.pop()
        return " ".join([target.name, *words])

    def blame(self, problem: Problem) -> Fault:
        """A broken law as a fault of the row that changed its place; of the whole import where none did."""
        best: tuple[int, SheetRow] | None = None
        for file, path, row in self.paths:
            inside = problem.path == path or problem.path.startswith((f"{path}.", f"{path}["))
            if file == problem.file and inside and (best is None or len(path) > best[0]):
                best = (len(path), row)
        zh = f"导入后不符合清单规则：{problem.message}"
        en = f"{problem.message} {problem.mend}"
        if best is None:
            return Fault(problem.file, 0, "", "", zh, f"{problem.path}: {en}" if problem.path else en)
        last = problem.path.rpartition(".")[2].partition("[")[0]
        field = next((name for name in best[1].columns if name == last), None)
        return best[1].fault(field, zh, en)


def _lay(changes: dict[str, Any], path: Sequence[str | int], entry: Entry) -> None:
    """Put an entry at its path among other changes of the file; a township may hold changes below it already."""
    step, *rest = path
    name = str(step)
    held = changes.get(name)
    if not rest:
        inner = dict(held.fields) if isinstance(held, Entry) else {}
        changes[name] = Entry(entry.words, {**entry.fields, **inner})
        return
    if name in ("townships", "villages", "units", "more"):
        _lay(changes.setdefault(name, {}), rest, entry)
        return
    below = dict(held.fields) if isinstance(held, Entry) else {}
    _lay(below, rest, entry)
    changes[name] = Entry(held.words if isinstance(held, Entry) else None, below)


def _same(known: str, given: str) -> bool:
    """Whether two names are one but for spaces and width."""
    import unicodedata

    def folded(text: str) -> str:
        return "".join(unicodedata.normalize("NFKC", text).split())

    return folded(known) == folded(given)
