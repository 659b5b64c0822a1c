"""Device profiles: a vendor is a file (D14).

A profile says by which identity a device is recognised and which objects give which readings. The language is
closed: instances and columns, ``first_of``, ``scale``, ``map``, ``bits``, ``sentinel``, ``plausible``, text and
numbers in text, ``capture``, ``keep_if``, ``used_from_free``. There are no expressions. Shared parts (IF-MIB,
HOST-RESOURCES-MIB, ...) are files under ``parts/`` that a profile ``uses``.

This module knows the language; `collectors.decode` compiles and runs it.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    model_validator,
)

from inventory import strict
from inventory.errors import InventoryError, Problem
from inventory.profile_fields import FIELDS as FIELDS
from inventory.profile_fields import SENSORS, Kind

BUILT_IN: Final = Path(__file__).parent / "profiles"
GENERIC: Final = "generic"

Scalar = str | bool | int | float


class Declared(BaseModel):
    """Anything read from YAML: immutable, and a misspelt key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _is_oid(text: str) -> str:
    if not re.fullmatch(r"[0-2](\.\d+)+", text):
        raise ValueError("is no object identifier such as 1.3.6.1.2.1.1.1.0")
    return text


def _is_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    return text


Oid = Annotated[str, AfterValidator(_is_oid)]
Pattern = Annotated[str, AfterValidator(_is_pattern)]


_M = TypeVar("_M", bound=Declared)


class Source(Declared):
    """Where one value comes from and how its raw form becomes ours. Steps are applied in the order of the fields."""

    oid: Oid | None = None
    at: str | None = None
    """A fixed index below the column, the same for every row: for values that all rows share."""
    by: Literal["first", "last"] | None = None
    """The column is read at this one number of the row's index: names of ports in a table by port and lane."""
    index: Literal["number", "text", "next_text", "dotted", "first"] | None = None
    """The value is the row's own index: its last number, a length-prefixed text, the one after it, all numbers, or
    the first number."""
    value: Scalar | None = None
    """A constant."""
    as_: Annotated[
        Literal["number", "unsigned", "text", "text_number", "size", "oid", "bits", "date_and_time"], Field(alias="as")
    ] = "number"
    bits: tuple[str, ...] = ()
    """Names of the bits of a bit string, the first being 0x80 of its first octet (SMIv2 BITS)."""
    sentinel: tuple[Scalar, ...] = ()
    """Raw values by which agents say that they do not know."""
    capture: Pattern | None = None
    """Of a text, the first group of this expression that matched; no match is no value. Before any number is read."""
    join: str | None = None
    """All the groups that matched, with this text between them."""
    map: dict[int | str, Scalar] | None = None
    """Raw value to reading; what is not listed is what ``other`` names, else unknown."""
    scale: float | None = None
    dbm_from: Literal["milliwatt", "microwatt", "microwatt_or_centidbm"] | None = None
    """Optical power. Huawei sends positive microwatts or negative hundredths of dBm in the same column."""
    plausible: tuple[float, float] | None = None
    """Bounds, both included, in the reading's own unit; beyond them the value is unknown."""
    prefix: str = ""
    slow: bool = False
    """Asked in surveys only: names, sizes, what seldom moves."""

    @model_validator(mode="before")
    @classmethod
    def _number_the_map(cls, data: Any) -> Any:
        # Keys of our YAML are text; raw numbers are numbers.
        if isinstance(data, dict) and isinstance(data.get("map"), dict) and data.get("as", "number") == "number":
            keys = data["map"]
            return {**data, "map": {int(k) if re.fullmatch(r"-?\d+", str(k)) else k: v for k, v in keys.items()}}
        return data

    @model_validator(mode="after")
    def _has_one_origin(self) -> Self:
        if sum(origin is not None for origin in (self.oid, self.index, self.value)) != 1:
            raise ValueError("needs just one of oid, index, value")
        if (self.as_ == "bits") != bool(self.bits):
            raise ValueError("bits need 'as: bits' and the other way round")
        if self.by is not None and (self.oid is None or self.at is not None):
            raise ValueError("by needs an oid, and no at")
        if self.join is not None and self.capture is None:
            raise ValueError("join needs a capture")
        return self


class FirstOf(Declared):
    """The first of several sources that knows something, row by row."""

    first_of: tuple[Source, ...] = Field(min_length=1)


def _which(column: Any) -> str:
    # Told beforehand, so that a mistake in one is not reported as a lack of the other.
    several = "first_of" in column if isinstance(column, dict) else isinstance(column, FirstOf)
    return "FirstOf" if several else "Source"


Column = Annotated[
    Annotated[Source, Tag("Source")] | Annotated[FirstOf, Tag("FirstOf")],
    Discriminator(_which),
]


class Condition(Declared):
    """A test of one column's value. All the given tests must hold."""

    above: float | None = None
    below: float | None = None
    among: tuple[Scalar, ...] | None = None
    none_of: tuple[Scalar, ...] | None = None
    matches: Pattern | None = None
    differs: Pattern | None = None
    known: bool | None = None


class Module(Declared):
    """One table, or one record made of scalars, that gives one kind of reading."""

    gives: Kind
    rows: tuple[str, ...] = ()
    """The columns whose instances make the rows. Absent: a single record of scalars."""
    columns: dict[str, Column]
    keep_if: tuple[dict[str, Condition], ...] = ()
    """A row is kept when every condition of any one of these holds."""
    used_from_free: bool = False
    """Used is what is not free."""
    unless: bool | tuple[str, ...] = False
    """Only where no earlier module gave a reading of this kind; or none of these modules, each named before."""
    sensor: str | None = None
    """The quantity of these sensors; their kind and unit follow (`SENSORS`), where no column says them."""
    last: bool = False
    """Behind the modules of the used parts: what is only asked where the standard tables gave nothing (`unless`)."""
    slow: bool = False

    @model_validator(mode="before")
    @classmethod
    def _spell_out_the_sensor(cls, data: Any) -> Any:
        if not isinstance(data, dict) or not isinstance(data.get("columns"), dict):
            return data
        quantity = data.get("sensor")
        if quantity is None:
            return data
        if data.get("gives") != "sensors":
            raise ValueError("sensor is a word for modules that give sensors")
        if quantity not in SENSORS:
            raise ValueError(f"sensor {quantity!r} is none of {', '.join(SENSORS)}")
        columns = {"kind": {"value": quantity}, "unit": {"value": SENSORS[quantity]}, **data["columns"]}
        return {**data, "columns": columns}

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        if missing := [name for name in self.rows if name not in self.columns]:
            raise ValueError(f"rows names {missing[0]!r}, which is no column")
        for test in self.keep_if:
            if missing := [name for name in test if name not in self.columns]:
                raise ValueError(f"keep_if names {missing[0]!r}, which is no column")
        if not self.rows and self.gives in ("identity", "uptime"):
            unknown = [name for name in self.columns if name not in FIELDS[self.gives]]
            if unknown:
                raise ValueError(f"{self.gives} knows no {unknown[0]!r}")
        return self


class Match(Declared):
    """A way to recognise a device; all that is given must hold."""

    object_id: Oid | None = None
    """Prefix of sysObjectID.0, whole numbers."""
    descr: Pattern | None = None
    """Found somewhere in sysDescr.0."""
    extend: Pattern | None = None
    """The name of one of its ``extend`` scripts (NET-SNMP-EXTEND-MIB) matches."""
    has: Oid | None = None
    """It holds this instance. Alone, it is tried on devices only that no sysObjectID told."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.object_id is None and self.descr is None and self.has is None:
            raise ValueError("needs object_id, descr or has")
        return self


class Part(Declared):
    """Modules that several profiles share. Named by its file."""

    modules: dict[str, Module]


class Profile(Declared):
    """A family of devices, named by its file. ``modules`` holds those of its parts too, its own first."""

    vendor: str | None = None
    os: str | None = None
    platform: str | None = None
    """Netmiko's name for its command line, where it has one."""
    matches: tuple[Match, ...] = ()
    uses: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    """Modules of the used parts that this family answers wrongly."""
    modules: dict[str, Module] = {}


def load_profiles(folder: Path | None = None) -> dict[str, Profile]:
    """The built-in profiles, overridden file by file by those in ``folder`` (and its ``parts/``).

    Raises:
        InventoryError: with every problem of every file.
    """
    built_in = _read(BUILT_IN, {})
    return built_in[0] if folder is None or not folder.is_dir() else _read(folder, built_in[1])[0]


@lru_cache(maxsize=1)
def _built_in_cache() -> tuple[dict[str, Profile], dict[str, Part]]:
    return _read_folder(BUILT_IN, {}, {})


def _read(folder: Path, parts: Mapping[str, Part]) -> tuple[dict[str, Profile], dict[str, Part]]:
    known, known_parts = _built_in_cache()
    if folder == BUILT_IN:
        return dict(known), dict(known_parts)
    return _read_folder(folder, known, parts)


def _read_folder(
    folder: Path, known: Mapping[str, Profile], known_parts: Mapping[str, Part]
) -> tuple[dict[str, Profile], dict[str, Part]]:
    problems: list[Problem] = []
    parts = dict(known_parts)
    for file in sorted(folder.glob("parts/*.yml")):
        part = _parse(file, folder, Part, problems)
        if part is not None:
            parts[file.stem] = part
    profiles = dict(known)
    for file in sorted(folder.glob("*.yml")):
        profile = _parse(file, folder, Profile, problems)
        if profile is None:
            continue
        lines = strict.Lines(file.read_bytes())
        for at, name in enumerate(profile.uses):
            if name not in parts:
                where = file.relative_to(folder.parent).as_posix()
                known_names = ", ".join(sorted(parts))
                problem = f"there is no part {name!r}."
                problems.append(
                    Problem(where, lines.of(("uses", at)), f"uses[{at}]", problem, f"Parts are {known_names}.")
                )
        profiles[file.stem] = profile.model_copy(update={"modules": _joined(profile, parts)})
    if problems:
        raise InventoryError(problems)
    return profiles, parts


def _joined(profile: Profile, parts: Mapping[str, Part]) -> dict[str, Module]:
    modules = {key: module for key, module in profile.modules.items() if not module.last}
    last = {key: module for key, module in profile.modules.items() if module.last}
    for name in profile.uses:
        for key, module in parts[name].modules.items() if name in parts else ():
            if key not in profile.without and key not in last:
                modules.setdefault(key, module)
    return {**modules, **last}


def _parse(file: Path, folder: Path, model: type[_M], problems: list[Problem]) -> _M | None:
    where = file.relative_to(folder.parent).as_posix()
    data = file.read_bytes()
    try:
        return model.model_validate(strict.parse(where, data))
    except strict.YamlError as error:
        problems.extend(error.problems)
    except ValidationError as error:
        lines = strict.Lines(data)
        for detail in error.errors():
            # Where a column may be one source or several, pydantic names the alternative: no step of the document.
            path = tuple(step for step in detail["loc"] if step not in ("Source", "FirstOf"))
            shown = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
            problems.append(
                Problem(where, lines.of(path), shown, f"{detail['msg']}.", "See inventory/profiles/README.md.")
            )
    return None


def candidates(profiles: Mapping[str, Profile], object_id: str, descr: str) -> list[tuple[str, Match]]:
    """The ways in which this identity fits a profile, the most specific first.

    A match by sysObjectID counts its length; one by sysDescr alone counts less than any sysObjectID. Of two that are
    equal so far, the longer expression is the more specific.
    """
    ranked = [
        (rank, name, match)
        for name, profile in profiles.items()
        for match in profile.matches
        if (rank := _rank(match, object_id, descr)) is not None
    ]
    if any(rank[0] for rank, _, _ in ranked):
        # Its maker is known: nobody else's objects are asked for. Weak agents die of questions.
        ranked = [way for way in ranked if way[0][0] or way[2].descr is not None]
    return [(name, match) for _, name, match in sorted(ranked, key=lambda way: way[0], reverse=True)]


def _rank(match: Match, object_id: str, descr: str) -> tuple[int, bool, int] | None:
    depth = 0
    if match.object_id is not None:
        if not f"{object_id}.".startswith(f"{match.object_id}."):
            return None
        depth = match.object_id.count(".") + 1
    if match.descr is not None and not re.search(match.descr, descr):
        return None
    return depth, match.extend is not None or match.has is not None, len(match.descr or "")


def identify(
    profiles: Mapping[str, Profile],
    object_id: str,
    descr: str,
    extends: Iterable[str] | None = None,
    held: Iterable[str] = (),
) -> str:
    """Name of the profile for a device with this sysObjectID.0 (dotted) and sysDescr.0; ``generic`` at least.

    Args:
        extends: the names of its ``extend`` scripts, as far as known.
        held: instances that it answered, of those that `candidates` want.
    """
    scripts, objects = tuple(extends or ()), frozenset(held)
    for name, match in candidates(profiles, object_id, descr):
        if match.has is not None and match.has not in objects:
            continue
        if match.extend is None or any(re.search(match.extend, script) for script in scripts):
            return name
    return GENERIC
