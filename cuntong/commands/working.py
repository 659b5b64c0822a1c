"""Commands of running programs: work does things at their hour, jobs tells of it, reload changes the inventory."""

import time
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from cuntong import identity
from cuntong import show as shows
from cuntong.commands.common import HERE, Folder, Json, app, load, log, out, print_json, say
from cuntong.errors import UsageError
from cuntong.settings import settings, state_folder

Papers = Annotated[
    Path | None, typer.Option(help="Folder for what it writes.", show_default="reports in the state folder")
]


@app.command(rich_help_panel="Run")
def work(folder: Folder = HERE, papers: Papers = None) -> None:
    """Do at its hour what county.yml names under work: backups, the daily check, drafts of bulletins, the ledger."""
    from cuntong.reloading import start_anew
    from cuntong.up import told_to_stop
    from cuntong.work import Worker

    log()
    inventory, given = load(folder), settings()
    stop = told_to_stop()
    with identity.ledger(given) as engine:
        environment = {"CUNTONG_INVENTORY": str(folder.resolve())}
        worker = Worker(engine, inventory, (papers or state_folder() / "reports").resolve(), environment)
        worker.run(stop)
    if worker.switchover.wanted:
        start_anew()


@app.command(rich_help_panel="Run")
def reload(folder: Folder = HERE) -> None:
    """Check an inventory and put it in force: collectors, API and workers change over within seconds."""
    from api.actions.inventories import switch

    inventory = load(folder)
    with identity.ledger(settings()) as engine:
        told = switch(engine, inventory, identity.actor(engine), time.time())
    say(
        f"{inventory.title}: {inventory.content_hash[:12]} is in force; programs change over within seconds."
        if told
        else f"{inventory.title}: {inventory.content_hash[:12]} is in force already."
    )


@app.command("jobs", rich_help_panel="Run")
def jobs_(
    folder: Folder = HERE,
    run: Annotated[str | None, typer.Option(metavar="JOB", help="Make this one due now; a worker does it.")] = None,
    as_json: Json = False,
) -> None:
    """Show timed work: what is due when, who does it, and how it ended last."""
    from inventory.timetable import CHINA
    from ledger import jobs

    def told(at: float | None) -> str | None:
        return None if at is None else datetime.fromtimestamp(at, CHINA).isoformat(" ", "minutes")[:16]

    inventory = load(folder)
    with identity.ledger(settings()) as engine:
        if run is not None and not jobs.bring_forward(engine, inventory.top, run, time.time()):
            raise UsageError(f"{run!r} is no job of {inventory.title}. See them: cuntong jobs. A worker declares them.")
        with engine.connect() as connection:
            every = jobs.of_county(connection, inventory.top)
            newest, done = jobs.newest_runs(connection, inventory.top), jobs.newest_done(connection, inventory.top)
    rows = []
    for job in every:
        last, good = newest.get(job.name), done.get(job.name)
        rows.append(
            {
                "job": job.name,
                "due": told(job.due_at),
                "by": job.holder if job.expires_at > time.time() else None,
                "last": told(last.ended_at) if last else None,
                "outcome": str(last.outcome) if last else None,
                "done": told(good.ended_at) if good else None,
                "said": (last.said if as_json else last.said.rpartition("\n")[2]) if last else None,
            }
        )
    if as_json:
        print_json(rows)
    elif rows:
        shows.wide(out).print(shows.Table(rows).drawn())
    else:
        say("No worker has declared anything yet. Start one: cuntong work, or cuntong up.")
