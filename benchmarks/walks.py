"""Recorded devices of other people, replayed on loopback: how much of what their peers read do we read too?

Every folder holds a recording (``walk.snmprec``) and what a well-known system made of it (``expected.json``). Each
expected value is one check; the table counts, per family and per kind, how many of them we reproduce. What differs
is listed with its reason from ``walks-explained.csv`` (folder, kind, field: shell patterns); a difference without a
reason is marked and makes the exit status 1.

    python benchmarks/walks.py [FOLDER] [--only PATTERN] [--json]

FOLDER is a set of recordings, by default ``walks`` of the folder ``shared`` beside this checkout.
"""

import argparse
import asyncio
import csv
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from benchmarks.walks_checks import checks
from benchmarks.walks_compare import Check
from collectors.one_shot import poll_once
from health.reading import Readings
from inventory.profiles import load_profiles
from simulator.walk import serve

WALKS: Final = Path(__file__).resolve().parents[1].parent / "shared" / "walks"
REASONS: Final = Path(__file__).with_name("walks-explained.csv")
KINDS: Final = ("identity", "uptime", "processors", "memory", "storage", "interfaces", "sensors", "optics", "states",
                "printer", "ups", "cellular", "wireless", "counts", "extends")  # fmt: skip


@dataclass(frozen=True)
class Reason:
    """Why a difference is no fault of ours. Folder, kind and field are patterns with ``*``."""

    folder: str
    kind: str
    field: str
    reason: str

    def covers(self, folder: str, check: Check) -> bool:
        return (
            fnmatchcase(folder, self.folder)
            and fnmatchcase(check.kind, self.kind)
            and fnmatchcase(check.field, self.field)
        )


@dataclass(frozen=True)
class Outcome:
    """One recording: every check, and the reason of each difference (None: nobody explained it)."""

    folder: str
    family: str
    profile: str
    checks: tuple[Check, ...]
    reasons: tuple[str | None, ...]
    problems: tuple[str, ...]

    @property
    def unexplained(self) -> list[Check]:
        return [c for c, why in zip(self.checks, self.reasons, strict=True) if not c.same and why is None]


def read_reasons(path: Path = REASONS) -> list[Reason]:
    with path.open(encoding="utf-8", newline="") as file:
        return [Reason(row["folder"], row["kind"], row["field"], row["reason"]) for row in csv.DictReader(file)]


def families(walks: Path) -> dict[str, str]:
    """Folder to vendor family, from the set's own index; the first word of the folder's name without one."""
    index = walks / "index.csv"
    if not index.is_file():
        return {}
    with index.open(encoding="utf-8", newline="") as file:
        return {row["folder"]: row["vendor"] for row in csv.DictReader(file)}


def folders(walks: Path, only: str = "*") -> list[Path]:
    return sorted(p for p in walks.iterdir() if (p / "walk.snmprec").is_file() and fnmatchcase(p.name, only))


async def readings_of(folder: Path) -> Readings:
    """What ``cuntong poll`` reads from this recording, over a real socket."""
    agent = await serve(folder / "walk.snmprec", "127.0.0.1", 0)
    try:
        port = agent.get_extra_info("sockname")[1]
        return await poll_once("127.0.0.1", port, "public", load_profiles())
    finally:
        agent.close()


def outcome(folder: Path, readings: Readings, reasons: Sequence[Reason], family: str) -> Outcome:
    """Compares one recording's readings with its expected values."""
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    found = tuple(checks(expected, readings, _objects(folder)))
    why = tuple(
        None if check.same else next((r.reason for r in reasons if r.covers(folder.name, check)), None)
        for check in found
    )
    return Outcome(folder.name, family, readings.identity.profile, found, why, readings.problems)


def _objects(folder: Path) -> dict[str, str]:
    """The recording as text, first occurrence of each object: peers write values for objects that are not in it."""
    objects: dict[str, str] = {}
    for line in (folder / "walk.snmprec").read_text("latin-1").splitlines():
        name, _, rest = line.partition("|")
        objects.setdefault(name, rest.partition("|")[2])
    return objects


async def replay(walks: Path, only: str = "*") -> list[Outcome]:
    reasons, names = read_reasons(), families(walks)
    return [
        outcome(folder, await readings_of(folder), reasons, names.get(folder.name, folder.name.partition("-")[0]))
        for folder in folders(walks, only)
    ]


def table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Family x kind: reproduced / expected."""
    expected: Counter[tuple[str, str]] = Counter()
    same: Counter[tuple[str, str]] = Counter()
    for one in outcomes:
        for check in one.checks:
            for family in (one.family, "all"):
                for kind in (check.kind, "all"):
                    expected[family, kind] += 1
                    same[family, kind] += check.same
    kinds = [kind for kind in (*KINDS, "all") if expected["all", kind]]
    width = max(len(family) for family, _ in expected) if expected else 0
    yield f"{'':{width}} " + " ".join(f"{kind:>11}" for kind in kinds)
    for family in [*sorted({one.family for one in outcomes}), "all"]:
        cells = (f"{same[family, k]}/{expected[family, k]}" if expected[family, k] else "" for k in kinds)
        yield f"{family:{width}} " + " ".join(f"{cell:>11}" for cell in cells)


def differences(outcomes: Sequence[Outcome]) -> Iterator[str]:
    for one in outcomes:
        for check, why in zip(one.checks, one.reasons, strict=True):
            if not check.same:
                yield f"{one.folder}: {check}: {'UNEXPLAINED' if why is None else why}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("walks", type=Path, nargs="?", default=WALKS, help="a folder of recordings")
    parser.add_argument("--only", default="*", help="folders that match this pattern")
    parser.add_argument("--unexplained", action="store_true", help="list only the differences that have no reason")
    parser.add_argument("--json", action="store_true", help="one document instead of text")
    args = parser.parse_args()
    if not args.walks.is_dir():
        print(f"{args.walks}: no such folder. Give the folder of recordings as the first argument.", file=sys.stderr)
        return 2
    began = time.perf_counter()
    outcomes = asyncio.run(replay(args.walks, args.only))
    unexplained = sum(len(one.unexplained) for one in outcomes)
    if args.json:
        print(json.dumps([asdict(one) for one in outcomes], ensure_ascii=False, indent=1))
        return int(unexplained > 0)
    for line in differences(outcomes):
        if not args.unexplained or line.endswith("UNEXPLAINED"):
            print(line)
    for one in outcomes:
        for problem in one.problems:
            print(f"{one.folder}: problem: {problem}")
    print()
    print("\n".join(table(outcomes)))
    total = sum(len(one.checks) for one in outcomes)
    same = sum(check.same for one in outcomes for check in one.checks)
    generic = sum(one.profile == "generic" for one in outcomes)
    print(
        f"\n{len(outcomes)} recordings, {generic} of them read as generic; {same:,} of {total:,} expected values "
        f"reproduced ({same / max(1, total):.2%}); {total - same - unexplained} differences explained, "
        f"{unexplained} unexplained; {time.perf_counter() - began:.1f} s"
    )
    return int(unexplained > 0)


if __name__ == "__main__":
    sys.exit(main())
