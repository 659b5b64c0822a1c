"""Commands of the reform office's registers: fact, task, appeal, milestone; each calls what the API calls."""

import json
import time
from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from api.actions import office
from api.actions import tasks as actions
from cuntong import show as shows
from cuntong.commands.common import HERE, InventoryFolder, Json, app, desk, out, print_json, say
from cuntong.commands.common import day as day_of
from cuntong.errors import UsageError
from cuntong.settings import settings
from inventory.divisions import full_code
from inventory.model import Inventory
from ledger import appeals, facts, tasks
from ledger.acceptance import Decision
from ledger.accounts import Account
from ledger.appeals import Ruling
from ledger.facts import Fact, FactValue
from ledger.tasks import Task, TaskStep

if TYPE_CHECKING:
    from api.milestones import MilestoneStanding

_Note = Annotated[str, typer.Option(help="What happened, for who reads it later.")]

fact = typer.Typer(help="What other systems and people told, dated, with its source.", no_args_is_help=True)
task = typer.Typer(help="Who is to mend what by when (督办), until it is struck off.", no_args_is_help=True)
appeal = typer.Typer(help="This figure is wrong: appeals and their rulings.", no_args_is_help=True)
milestone = typer.Typer(help="Dated targets: how far each is met, and decisions on those without a figure.",
                        no_args_is_help=True)  # fmt: skip
for name, group in (("fact", fact), ("task", task), ("appeal", appeal), ("milestone", milestone)):
    app.add_typer(group, name=name, rich_help_panel="People")


def _value(text: str) -> FactValue:
    """``true``, ``false`` and numbers are what they look like, everything else is text."""
    try:
        read = json.loads(text)
    except ValueError:
        return text
    return read if isinstance(read, bool | int | float) and read == read else text


def _table(rows: Sequence[Sequence[object]], *columns: str) -> None:
    table = Table(*columns, box=None)
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    shows.wide(out).print(table)


@fact.command("tell")
def tell(
    subject: Annotated[str, typer.Argument(help="A site's id or a division's 12 digits.")],
    name: Annotated[str, typer.Argument(help="Such as items_listed, open, rating, cases_handled.")],
    value: Annotated[str, typer.Argument(help="true, false, a number, or words.")],
    source: Annotated[str, typer.Option(help="The document or system that says so.")],
    on: Annotated[str | None, typer.Option(help="The day of the value; today if left out.")] = None,
    folder: InventoryFolder = HERE,
) -> None:
    """Keep a dated value; earlier ones stay."""
    with desk(folder) as (inventory, engine, actor, now):
        day = day_of(on, now)
        told = Fact(subject, name, _value(value), day, actor.full_name or actor.name, source)
        office.tell(engine, inventory, actor, [told], day_of(None, now), now)
    say(f"{subject} {name} {told.value!r} on {day}")


@fact.command("list")
def told(
    subject: Annotated[str, typer.Argument(help="A site's id or a division's 12 digits.")],
    name: Annotated[str | None, typer.Argument(help="Only this one.")] = None,
    as_json: Json = False,
    folder: InventoryFolder = HERE,
) -> None:
    """Show every dated value of a site or division."""
    with desk(folder) as (inventory, engine, actor, _):
        _, place = actions.target_of(inventory, subject)
        if not _sees(inventory, actor, inventory.nodes.codes[place]):
            raise UsageError(f"{subject!r} is no site and no division that you may see.")
        with engine.connect() as connection:
            found = [one for _, one in facts.told_since(connection, 0) if one.subject == subject]
    found = sorted((one for one in found if name in (None, one.name)), key=lambda one: (one.name, one.happened_on))
    if as_json:
        print_json([{"name": one.name, "value": one.value, "on": one.happened_on, "by": one.said_by,
                     "source": one.source} for one in found])  # fmt: skip
        return
    _table([(one.name, one.value, one.happened_on, one.said_by, one.source) for one in found],
           "name", "value", "on", "by", "source")  # fmt: skip


@task.command("open")
def open_task(
    target: Annotated[str, typer.Argument(help="A site's id or a division's code.")],
    title: Annotated[str, typer.Argument(help="What is to be mended.")],
    owner: Annotated[str, typer.Option(help="Who is to do it (责任单位).")],
    due: Annotated[str, typer.Option(help="By when, such as 2026-11-30.")],
    cooperating: Annotated[list[str] | None, typer.Option(help="配合单位; several times for several.")] = None,
    origin: Annotated[tasks.Origin, typer.Option(help="Where it comes from.")] = tasks.Origin.BY_HAND,
    reference: Annotated[str, typer.Option(help="Of its origin: the outage's id, the gap, the draw.")] = "",
    folder: InventoryFolder = HERE,
) -> None:
    """Open a task."""
    with desk(folder) as (inventory, engine, actor, now):
        made = actions.open_task(
            engine, inventory, actor, title, target, owner, day_of(due, now), day_of(None, now), now,
            cooperating=cooperating or (), origin=origin, reference=reference,
        )  # fmt: skip
    say(f"{made.id}: {made.assignment.title}, {owner}, due {made.due_on}")


class Word(StrEnum):
    """What can be said of a task."""

    ACKNOWLEDGED = "acknowledged"
    VISITED = "visited"
    PROGRESS = "progress"
    RECTIFIED = "rectified"
    CLOSED = "closed"
    REOPENED = "reopened"
    EXTENDED = "extended"


@task.command("step")
def step(
    id: Annotated[str, typer.Argument(help="The task's id.")],
    word: Annotated[Word, typer.Argument(help="The owner's first four, the assigner's last three.")],
    note: _Note = "",
    due: Annotated[str | None, typer.Option(help="Of an extension: until when.")] = None,
    folder: InventoryFolder = HERE,
) -> None:
    """Say how a task goes on: acknowledged, visited, progress, rectified; closed, reopened, extended."""
    said = TaskStep(word)
    with desk(folder) as (inventory, engine, actor, now):
        if said in (TaskStep.CLOSED, TaskStep.REOPENED, TaskStep.EXTENDED):
            day = None if due is None else day_of(due, now)
            made = actions.rule(engine, inventory, actor, id, said, note, now, day)
        else:
            made = actions.report(engine, inventory, actor, id, said, note, now)
    say(f"{made.id}: {made.state}, due {made.due_on}")


@task.command("list")
def every_task(
    all_: Annotated[bool, typer.Option("--all", help="Also those that are struck off.")] = False,
    as_json: Json = False,
    folder: InventoryFolder = HERE,
) -> None:
    """List tasks of your divisions, what is overdue marked."""
    with desk(folder) as (inventory, engine, actor, now):
        today = day_of(None, now)
        with engine.connect() as connection:
            found = [one for one in tasks.every(connection) if _sees(inventory, actor, one.assignment.division)]
    found = [one for one in found if all_ or one.state is not tasks.TaskState.CLOSED]
    if as_json:
        print_json([_plain(one, today) for one in found])
        return
    _table(
        [
            (one.id, one.state, "overdue" if one.overdue(today) else "", one.due_on, one.assignment.owner,
             one.assignment.site or one.assignment.division, one.assignment.title)
            for one in found
        ],
        "task", "state", "", "due", "owner", "about", "title",
    )  # fmt: skip


def _plain(one: Task, today: date) -> dict[str, object]:
    return {
        "id": one.id, "state": one.state, "overdue": one.overdue(today), "due_on": one.due_on,
        "title": one.assignment.title, "division": one.assignment.division, "site": one.assignment.site or None,
        "owner": one.assignment.owner, "assigner": one.assignment.assigner, "origin": one.assignment.origin,
    }  # fmt: skip


def _sees(inventory: Inventory, actor: Account, division: str) -> bool:
    nodes = inventory.nodes
    place = nodes.index.get(division)
    held = [nodes.index[grant.division] for grant in actor.grants if grant.division in nodes.index]
    return place is not None and any(low <= place < nodes.ends[low] for low in held)


@appeal.command("lodge")
def lodge(
    site: Annotated[str, typer.Argument(help="The site's id.")],
    what: Annotated[str, typer.Argument(help="Which figure: coverage, availability, outage.")],
    claim: Annotated[str, typer.Option(help="What it should be.")],
    evidence: Annotated[str, typer.Option(help="What shows it: a document's name.")],
    folder: InventoryFolder = HERE,
) -> None:
    """Say that a figure of a site is wrong, and on what evidence."""
    with desk(folder) as (inventory, engine, actor, now):
        id = office.appeal(engine, inventory, actor, site, what, claim, evidence, day_of(None, now), now)
    say(f"{id}: {site} {what}, to be decided within {office.APPEAL_DAYS} days")


class Result(StrEnum):
    UPHELD = "upheld"
    REJECTED = "rejected"


@appeal.command("rule")
def rule(
    id: Annotated[str, typer.Argument(help="The appeal's id.")],
    result: Annotated[Result, typer.Argument(help="Whether it is right.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    takes_effect: Annotated[str, typer.Option(help="The period whose report first shows it, such as 2026-12.")],
    folder: InventoryFolder = HERE,
) -> None:
    """Decide on an appeal; frozen reports stay, the next one shows it."""
    with desk(folder) as (inventory, engine, actor, now):
        office.rule_on_appeal(engine, inventory, actor, id, Ruling(result, reason, takes_effect, actor.name, now), now)
    say(f"{id}: {result}")


@appeal.command("list")
def every_appeal(as_json: Json = False, folder: InventoryFolder = HERE) -> None:
    """List appeals of your divisions, the undecided first."""
    with desk(folder) as (inventory, engine, actor, _):
        sites = inventory.sites
        places = {id: inventory.nodes.codes[int(sites.nodes[site])] for id, site in sites.index.items()}
        with engine.connect() as connection:
            found = [one for one in appeals.every(connection) if _sees(inventory, actor, places.get(one.site, ""))]
    found.sort(key=lambda one: (one.ruling is not None, one.due_on))
    if as_json:
        print_json([{"id": one.id, "site": one.site, "what": one.what, "claim": one.claim, "due_on": one.due_on,
                     "result": one.ruling.result if one.ruling else None} for one in found])  # fmt: skip
        return
    _table([(one.id, one.ruling.result if one.ruling else "open", one.due_on, one.site, one.what, one.claim)
            for one in found], "appeal", "result", "due", "site", "figure", "claim")  # fmt: skip


@milestone.command("list")
def milestones(
    division: Annotated[str | None, typer.Option(help="A division's code; the deployment's own if left out.")] = None,
    as_json: Json = False,
    folder: InventoryFolder = HERE,
) -> None:
    """Show how far every dated target is met."""
    from api.milestones import milestones_of
    from api.standing import Standing

    with desk(folder) as (inventory, engine, actor, _):
        code = inventory.top if division is None else full_code(division)
        if not _sees(inventory, actor, code):
            raise UsageError(f"{code} is no division that you may see: name yours with --division.")
        node = inventory.nodes.index[code]
        standing = Standing(inventory, engine, time.time, stale_after_s=3 * settings().interval_s + 30)
        found = milestones_of(standing, standing.refresh(), node)
    if as_json:
        print_json([_milestone(one) for one in found])
        return
    _table(
        [
            (one.milestone.id, one.milestone.due, "overdue" if one.overdue else "", _met(one), one.milestone.title)
            for one in found
        ],
        "milestone", "due", "", "met", "title",
    )  # fmt: skip


def _milestone(one: "MilestoneStanding") -> dict[str, object]:
    made = one.progress
    return {
        "id": one.milestone.id, "title": one.milestone.title, "due": one.milestone.due, "overdue": one.overdue,
        "met": made.met if made else None, "asked": made.asked if made else None,
        "target_ratio": one.milestone.target_ratio, "failing": dict(one.failing),
        "decision": one.decision.result if one.decision else None,
    }  # fmt: skip


def _met(one: "MilestoneStanding") -> str:
    if one.progress is not None:
        return f"{one.progress.met}/{one.progress.asked}"
    return one.decision.result if one.decision else "-"


class Reached(StrEnum):
    REACHED = "reached"
    MISSED = "missed"


@milestone.command("decide")
def decide(
    id: Annotated[str, typer.Argument(help="A milestone without a figure.")],
    result: Annotated[Reached, typer.Argument(help="What was decided.")],
    proof: Annotated[str, typer.Option(help="The document that says so.")],
    division: Annotated[str | None, typer.Option(help="Of which division; the deployment's own if left out.")] = None,
    on: Annotated[str | None, typer.Option(help="When; today if left out.")] = None,
    folder: InventoryFolder = HERE,
) -> None:
    """Say of a target without a figure whether it is reached, and by which proof."""
    with desk(folder) as (inventory, engine, actor, now):
        code = inventory.top if division is None else full_code(division)
        said = Decision(id, code, result, day_of(on, now), actor.name, proof)
        office.decide(engine, inventory, actor, said, now)
    say(f"{id}: {result}")
