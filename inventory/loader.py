"""Reads an inventory folder, checks it against every law, and gives an `Inventory` or every problem at once."""

import contextlib
import gc
from collections.abc import Iterator
from pathlib import Path

from inventory import cache as caches
from inventory import laws, lockfile
from inventory.addresses import Lock, PlanFullError, allocate
from inventory.columns import Columns
from inventory.compiling import Compilation
from inventory.county import County
from inventory.declared import validate
from inventory.divisions import Division, Tree, build, full_code, read_csv
from inventory.errors import InventoryError, Problem
from inventory.milestones import MilestoneFile
from inventory.model import Inventory
from inventory.reading_sites import read_sites
from inventory.source import Source

COUNTY = "county.yml"
MILESTONES = "milestones.yml"


def load(folder: Path, *, cache: Path | None = None) -> Inventory:
    """The inventory in ``folder``.

    Args:
        cache: a folder for the compiled form, used and filled; None means no cache.

    Raises:
        InventoryError: with every problem found.
    """
    folder = Path(folder)
    source = Source(folder)
    digest = source.content_hash()
    if cache is not None and not source.problems and caches.knows(cache, digest):
        source.files.clear()  # of a whole country they would take a tenth of the memory, beside the columns
        columns = caches.recall(cache, digest)
        if columns is not None:
            return Inventory(folder, digest, columns)
        source = Source(folder)
        digest = source.content_hash()
    with _no_garbage_collection():
        columns = _compile(source, spend=True)
    del source
    inventory = Inventory(folder, digest, columns)
    if cache is not None:
        caches.keep(cache, digest, columns)
    return inventory


def of_source(source: Source) -> Inventory:
    """The inventory of files that were read already, some of them perhaps as they would become.

    Raises:
        InventoryError: with every problem found.
    """
    with _no_garbage_collection():
        return Inventory(source.folder, source.content_hash(), _compile(source))


@contextlib.contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Reading makes millions of objects and no cycles; looking for cycles meanwhile takes a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def plan_of(folder: Path) -> tuple[bytes, Lock, list[str]]:
    """What the lock file would become: its bytes now, the new lock, and one line for each addition.

    Raises:
        InventoryError: the inventory has problems of its own, or the pools are full.
    """
    source = Source(Path(folder))
    compilation = examine(source)
    try:
        added = allocate(compilation.county.addresses, compilation.demands(), compilation.lock)
    except PlanFullError as full:
        raise InventoryError([_full(source, full)]) from full
    return source.files.get(lockfile.NAME, b""), compilation.lock, added


def examine(source: Source) -> Compilation:
    """Everything that the files declare, held to every law; sites may lack their addresses still.

    Raises:
        InventoryError: with every problem found.
    """
    compilation, milestones = _read(source)
    if compilation is not None:
        laws.check(compilation, milestones)
    if compilation is None or source.problems:
        raise InventoryError(source.problems)
    return compilation


def allocate_missing(folder: Path) -> list[str]:
    """Allocate ids and addresses for every site that lacks them, into the lock file; what was there stays.

    Returns:
        One line for each addition; empty when nothing was missing (the file is then untouched).

    Raises:
        InventoryError: the inventory has problems of its own, or the pools are full.
    """
    before, lock, added = plan_of(folder)
    if added or lockfile.render(lock) != before:
        lockfile.write(folder, lock)
    return added


def _compile(source: Source, *, spend: bool = False) -> Columns:
    compilation, milestones = _read(source, spend=spend)
    if compilation is None:
        raise InventoryError(source.problems)
    laws.check(compilation, milestones)
    missing = compilation.missing()
    if missing:
        _complain_of_missing(source, compilation, missing)
    if source.problems:
        raise InventoryError(source.problems)
    columns = compilation.columns(milestones)
    columns.add_findings(laws.findings(compilation))
    return columns


def _read(source: Source, *, spend: bool = False) -> tuple[Compilation | None, MilestoneFile]:
    """Everything that the files say; None where county.yml or the tree is unusable.

    Args:
        spend: whether ``source`` may lose the files whose lines its problems know without them (list and lock): of a
            whole country they are the largest.
    """
    milestones = MilestoneFile()
    if MILESTONES in source.files and (document := source.yaml(MILESTONES)) is not None:
        declared = validate(MilestoneFile, document, MILESTONES, (), source.locate(MILESTONES), source.problems)
        milestones = declared or milestones
    document = source.yaml(COUNTY)
    county = (
        validate(County, document, COUNTY, (), source.locate(COUNTY), source.problems) if document is not None else None
    )
    tree = _tree(source, county) if county is not None else None
    if spend and county is not None:
        source.files.pop(county.divisions, None)
    lock, problems = lockfile.parse(source.files.get(lockfile.NAME, b""), tree.nodes if tree is not None else None)
    source.problems.extend(problems)
    if county is None or tree is None:
        return None, milestones
    if spend:
        source.files.pop(lockfile.NAME, None)
    return Compilation(source, county, tree, read_sites(source, county, tree.nodes), lock), milestones


def _tree(source: Source, county: County) -> Tree | None:
    data = source.files.get(county.divisions)
    if data is None:
        mend = "Put the operator's division list there, or correct divisions."
        source.complain(COUNTY, ("divisions",), f"{county.divisions} is missing.", mend)
        return None
    rows, problems = read_csv(county.divisions, data)
    source.problems.extend(problems)
    if not rows and problems:
        return None
    own = [
        Division(
            full_code(node.code), node.name, node.level, full_code(node.parent), node.kind, 0,
            since=str(node.since or ""), adopts=tuple(full_code(code) for code in node.adopts),
        )
        for node in county.nodes
    ]  # fmt: skip
    lines = {node.code: source.line(COUNTY, ("nodes", i, "code")) for i, node in enumerate(own)}
    tree, problems = build(county.divisions, rows, own, lines, full_code(county.top))
    source.problems.extend(
        Problem(COUNTY, source.line(COUNTY, ("top",)), p.path, p.message, p.mend) if p.path == "top" else p
        for p in problems
    )
    return tree


def _complain_of_missing(source: Source, compilation: Compilation, missing: list[int]) -> None:
    """One problem for all of them: that the plan is full, or what to run."""
    if source.problems:
        return
    try:
        allocate(compilation.county.addresses, compilation.demands(), compilation.lock)
    except PlanFullError as full:
        source.problems.append(_full(source, full))
        return
    rows = [compilation.rows[i] for i in missing]
    some = ", ".join(f"{compilation.nodes.codes[row.node]} {row.name}" for row in rows[:3])
    more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
    message = f"{len(rows)} sites have no addresses yet: {some}{more}."
    if len(rows) == 1:
        message = f"1 site has no addresses yet: {some}."
    source.problems.append(Problem(lockfile.NAME, 0, "", message, "Run cuntong check DIR --allocate and commit it."))


def _full(source: Source, full: PlanFullError) -> Problem:
    line = source.line(COUNTY, ("addresses",))
    message = f"{full.short} more {full.what} are asked for than {full.pool} holds."
    return Problem(COUNTY, line, "addresses", message, "Add a pool below the others; what is allocated never moves.")
