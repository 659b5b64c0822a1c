"""Commands that change devices: plan, approve, apply, rollback, runs."""

import os
import socket
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from sqlalchemy import Engine

from api.actions.grants import Action
from cuntong import identity, show_changes
from cuntong import show as shows
from cuntong.commands.common import HERE, InventoryFolder, Json, app, bar, err, load, out, print_json, say
from cuntong.errors import StartError, UsageError
from cuntong.settings import settings, state_folder
from inventory.model import Inventory
from ledger import audit, rollouts
from ledger.accounts import Account
from ledger.rollouts import KeptPlan, Run, RunEvent, RunState
from ledger.vault import open_vault
from rollout.change import ChangeState
from rollout.plan import Plan, Readiness, Terms, canonical, file_text, human_diff, read, read_file, sha256

if TYPE_CHECKING:
    from rollout.planning import Planned  # with it come parsers that no other command needs

PlanName = Annotated[str, typer.Argument(metavar="PLAN", help="A plan's hash (eight digits will do), or its file.")]
Blind = Annotated[bool, typer.Option(help="Go on though no collector measures the sites. Gates then see nothing.")]


@app.command(rich_help_panel="Change devices")
def plan(
    scope: Annotated[
        str, typer.Argument(help="A site, a device, a division's code, or a filter such as vendor=Huawei,link=pon.")
    ],
    folder: InventoryFolder = HERE,
    output: Annotated[
        Path | None, typer.Option(help="Folder for the plan and its diff.", show_default="the state folder's plans")
    ] = None,
    soak: Annotated[float, typer.Option(help="Minutes of watching after each wave.", min=0)] = 10.0,
    parallel: Annotated[int, typer.Option(help="Devices at the same time.", min=1, max=64)] = 8,
    per_uplink: Annotated[int, typer.Option(help="Of them below one router.", min=1, max=64)] = 4,
    window: Annotated[
        str | None, typer.Option(metavar="FROM/UNTIL", help="Change window, local: 2026-11-21T22:00/2026-11-22T05:00.")
    ] = None,
    show_diff: Annotated[bool, typer.Option("--diff", help="Print what would change, line by line.")] = False,
    as_json: Json = False,
) -> None:
    """Read what routers say (nothing is sent to them) and write what would change, in waves, as a hashed plan.

    Exit 1 where not one of them could be read.
    """
    from cuntong.changing.lines import Measure
    from cuntong.changing.planning import templates_of, write_plan
    from cuntong.changing.reach import reach
    from cuntong.changing.scope import routers_in

    inventory = load(folder)
    devices = routers_in(inventory, scope)
    opens, closes = _window(window)
    terms = Terms(parallel, per_uplink, soak * 60.0, opens, closes)
    given = settings()
    with identity.ledger(given) as engine, bar(f"Reading {len(devices)} routers", len(devices)) as (progress, task):

        def done(one: "Planned") -> None:
            progress.update(task, advance=1, description=one.plan.device)

        name, made = write_plan(
            inventory, scope, devices, reach(inventory, given), templates_of(inventory), terms, engine,
            identity.actor(engine), open_vault(given.vault_key_path), done,
            Measure(given.line_proof_s, given.interval_s),
        )  # fmt: skip
    where = output or state_folder() / "plans"
    where.mkdir(parents=True, exist_ok=True)
    file, diff = where / f"plan-{name[:8]}.json", where / f"plan-{name[:8]}.diff"
    file.write_text(file_text(made), "utf-8")
    diff.write_text(human_diff(made), "utf-8")
    if as_json:
        print_json({"sha256": name, "file": str(file), "diff": str(diff), **show_changes.summary(made)})
    else:
        shows.wide(out).print(show_changes.planned(made))
        if show_diff:
            say(human_diff(made))
        ready = any(one.readiness is Readiness.READY for one in made.devices)
        after = f"Another person approves it: cuntong approve {name[:8]} --reason ..." if ready else "Nothing to apply."
        say(f"plan {name}\n  {file}\n  {diff}\n{after}")
    if all(one.readiness is Readiness.UNREADABLE for one in made.devices):
        raise typer.Exit(1)


@app.command(rich_help_panel="Change devices")
def approve(
    name: PlanName,
    reason: Annotated[str, typer.Option(help="Why it may run (or not): ticket, decision.")],
    folder: InventoryFolder = HERE,
    reject: Annotated[bool, typer.Option("--reject", help="Say no instead.")] = False,
) -> None:
    """Agree to a plan that somebody else made; what is approved is its hash."""
    from cuntong.changing.approving import say_of

    inventory = load(folder)
    with identity.ledger(settings()) as engine:
        kept = _plan(engine, name)
        actor, verdict = identity.actor(engine), "reject" if reject else "approve"
        say_of(engine, actor, inventory, kept, verdict, reason, time.time())
    short = kept.sha256[:8]
    after = "" if reject else f"; carry it out: cuntong apply {short}"
    say(f"plan {short} ({kept.title}, by {kept.author}): {verdict.rstrip('e')}ed by {actor.name}{after}")


@app.command(rich_help_panel="Change devices")
def apply(
    name: Annotated[str | None, typer.Argument(metavar="PLAN", help="An approved plan's hash or file.")] = None,
    folder: InventoryFolder = HERE,
    resume: Annotated[
        str | None, typer.Option(metavar="RUN", help="Go on with a run whose controller is gone.")
    ] = None,
    blind: Blind = False,
    as_json: Json = False,
) -> None:
    """Carry out an approved plan, wave by wave. Ctrl-C starts nothing new; armed devices come to their end."""
    from cuntong.changing.applying import LEASE_S, new_run_id
    from cuntong.changing.approving import require_approved
    from cuntong.changing.gates import require_watch
    from cuntong.changing.lines import Measure, require_lines
    from cuntong.changing.planning import require_scope

    if (name is None) == (resume is None):
        raise UsageError("Give a plan, or --resume RUN.")
    inventory, now = load(folder), time.time()
    given = settings()
    with identity.ledger(given) as engine:
        actor = identity.actor(engine)
        if not blind:
            require_watch(engine, given.interval_s, now)
        if resume is not None:
            run, kept = _taken_over(engine, resume, actor)
            made = read(kept.document)
        else:
            kept = _plan(engine, str(name))
            made = read(kept.document)
            ready = [inventory.devices.find(one.device) for one in made.devices if one.readiness is Readiness.READY]
            require_scope(actor, Action.RUN_PLAN, inventory, ready)
            with engine.connect() as connection:
                require_approved(connection, kept, made, now)
                require_lines(connection, inventory, made, Measure(given.line_proof_s, given.interval_s), now)
            run = rollouts.start(engine, new_run_id(now), kept.sha256, actor.name, _holder(), now, LEASE_S)
            with engine.begin() as connection:
                audit.record(connection, now, actor.name, "run.start", run.id, {"plan": kept.sha256})
        _lead(inventory, engine, made, run, blind=blind, as_json=as_json)


@app.command(rich_help_panel="Change devices")
def rollback(
    name: Annotated[str, typer.Argument(metavar="RUN", help="The run to undo.")],
    folder: InventoryFolder = HERE,
    blind: Blind = False,
    as_json: Json = False,
) -> None:
    """Undo a run: the rollback commands that were approved with it, wave by wave, on what it left behind."""
    from cuntong.changing.applying import LEASE_S, new_run_id
    from cuntong.changing.approving import require_approved
    from cuntong.changing.gates import require_watch
    from cuntong.changing.lines import Measure, require_lines
    from cuntong.changing.outcomes import outcomes
    from cuntong.changing.planning import require_scope
    from cuntong.changing.returning import way_back

    inventory, now = load(folder), time.time()
    given = settings()
    with identity.ledger(given) as engine:
        actor = identity.actor(engine)
        with engine.connect() as connection:
            undone = rollouts.find_run(connection, name)
            forward = read(rollouts.find_plan(connection, undone.plan).document)
            done = outcomes(rollouts.events(connection, name, kinds=["device"]))
        if not blind:
            require_watch(engine, given.interval_s, now)
        if undone.state is not RunState.ENDED:
            _require_led(undone, now)
            raise UsageError(f"Run {name} has not ended. `cuntong runs {name} --stop` ends it.")
        back = way_back(undone, forward, done, actor.name, now)
        if not back.devices:
            raise UsageError(f"Run {name} left nothing changed: there is nothing to undo.")
        require_scope(actor, Action.RUN_PLAN, inventory, [inventory.devices.find(one.device) for one in back.devices])
        with engine.connect() as connection:
            require_lines(connection, inventory, back, Measure(given.line_proof_s, given.interval_s), now)
        document = canonical(back)
        kept = KeptPlan(sha256(document), actor.name, back.title, now, document)
        with engine.begin() as connection:
            rollouts.keep_plan(connection, kept)
            require_approved(connection, kept, back, now)
            audit.record(connection, now, actor.name, "run.rollback", name, {"plan": kept.sha256})
        run = rollouts.start(engine, new_run_id(now), kept.sha256, actor.name, _holder(), now, LEASE_S)
        _lead(inventory, engine, back, run, blind=blind, as_json=as_json)


@app.command(rich_help_panel="Change devices")
def runs(
    name: Annotated[str | None, typer.Argument(metavar="RUN", help="Show this one.")] = None,
    pause: Annotated[bool, typer.Option("--pause", help="Start nothing new until it is continued.")] = False,
    go_on: Annotated[bool, typer.Option("--continue", help="Let a paused run go on.")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Start nothing new and end.")] = False,
    as_json: Json = False,
) -> None:
    """List runs, show one, or steer it: pause, continue, stop."""
    with identity.ledger(settings()) as engine:
        if name is None:
            with engine.connect() as connection:
                rows = show_changes.run_rows(rollouts.every_run(connection), time.time())
            print_json(rows) if as_json else shows.wide(out).print(shows.Table(rows).drawn())
            return
        if sum((pause, go_on, stop)) > 1:
            raise UsageError("Give one of --pause, --continue and --stop.")
        if pause or go_on or stop:
            state = RunState.PAUSING if pause else RunState.STOPPING if stop else RunState.RUNNING
            actor = identity.actor(engine)
            with engine.begin() as connection:
                _require_led(rollouts.find_run(connection, name), time.time())
                rollouts.steer(connection, name, state)
                audit.record(connection, time.time(), actor.name, f"run.{state}", name)
        with engine.connect() as connection:
            run = rollouts.find_run(connection, name)
            events = rollouts.events(connection, name)
            made = read(rollouts.find_plan(connection, run.plan).document)
    if as_json:
        print_json(show_changes.run_json(run, made, events))
    else:
        shows.wide(out).print(show_changes.run_shown(run, made, events))


def _plan(engine: Engine, name: str) -> KeptPlan:
    """A plan by its hash, or by its file: the file must be what was kept, to the letter."""
    path = Path(name)
    if path.is_file():
        with suppress(UnicodeDecodeError):
            name, _ = read_file(path.read_text("utf-8"), path.name)
    with engine.connect() as connection:
        return rollouts.find_plan(connection, name)


def _require_led(run: Run, now: float) -> None:
    """Only a controller that lives can pause or end its run: what it began on routers has to be settled."""
    if run.state is not RunState.ENDED and run.expires_at <= now:
        raise StartError(
            f"Nobody leads run {run.id} any more: its controller is gone. `cuntong apply --resume {run.id}` looks at "
            "each router that it began with, and goes on; Ctrl-C then ends it."
        )


def _taken_over(engine: Engine, name: str, actor: Account) -> tuple[Run, KeptPlan]:
    """Lead a run on: the epoch rises, and devices that a worker of the old one may still hold are waited for."""
    from cuntong.changing.applying import LEASE_S

    with engine.connect() as connection:
        before = rollouts.find_run(connection, name)
    left = before.expires_at - time.time()
    if before.state is not RunState.ENDED and left > 0:
        # A controller that was killed left its lease behind; one that lives renews it, and keeps its run.
        with err.status(f"Waiting {left:.0f} s for the lease of {before.holder}, which led the run ..."):
            time.sleep(left + 0.1)
    run = rollouts.take_over(engine, name, _holder(), time.time(), LEASE_S)
    with engine.begin() as connection:
        event = RunEvent(time.time(), "resumed", 0, "", f"epoch {run.epoch}", actor.name)
        rollouts.tell(connection, run.id, run.epoch, event)
        audit.record(connection, time.time(), actor.name, "run.resume", run.id, {"epoch": run.epoch})
    with err.status("Waiting for the workers of the earlier controller ..."):
        while True:
            with engine.begin() as connection:
                rollouts.renew(connection, run, time.time(), LEASE_S)
                left = rollouts.held_until(connection, run.id, time.time()) - time.time()
            if left <= 0:
                break
            time.sleep(min(left, 2.0))
    with engine.connect() as connection:
        return run, rollouts.find_plan(connection, run.plan)


def _lead(inventory: Inventory, engine: Engine, made: Plan, run: Run, *, blind: bool, as_json: bool) -> None:
    from cuntong.changing.applying import Controller

    total = sum(len(wave.devices) for wave in made.waves)
    if not as_json:
        say(f"run {run.id}: {total} device{'s' * (total != 1)} in {len(made.waves)} wave{'s' * (len(made.waves) != 1)}")
    with bar("", total) as (progress, task):

        def tell(event: RunEvent) -> None:
            if event.kind == "device":
                progress.update(task, advance=1)
            line = show_changes.told(event, len(made.waves))
            if line and not as_json:
                progress.console.print(line, markup=False, highlight=False, soft_wrap=True)

        result = Controller(inventory, settings(), engine, made, run, tell, blind=blind).lead()
    if as_json:
        with engine.connect() as connection:
            events = rollouts.events(connection, run.id)
            print_json(show_changes.run_json(rollouts.find_run(connection, run.id), made, events))
    if not result.ok:
        changed = any(one.state is ChangeState.CONFIRMED for one in result.outcomes.values())
        undone = f"; `cuntong rollback {run.id}` undoes what was changed" if changed else ". Nothing was changed"
        raise StartError(
            f"Run {run.id}: {result.stopped or 'not every device was changed.'} `cuntong runs {run.id}` shows each "
            f"device{undone}."
        )
    if not as_json:
        say(f"run {run.id}: {len(result.outcomes)} of {total} devices confirmed")


def _window(text: str | None) -> tuple[float | None, float | None]:
    if text is None:
        return None, None
    first, slash, last = text.partition("/")
    try:
        opens, closes = (datetime.fromisoformat(one).astimezone().timestamp() for one in (first, last))
    except ValueError:
        opens = closes = 0.0
    if not slash or closes <= opens:
        raise UsageError(f"{text!r} is no window. Write FROM/UNTIL, as 2026-11-21T22:00/2026-11-22T05:00.")
    return opens, closes


def _holder() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"[:64]
