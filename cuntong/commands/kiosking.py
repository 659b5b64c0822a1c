"""The command that sets up kiosks and judges them: kiosks."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from cuntong import identity
from cuntong import show as shows
from cuntong.commands.common import HERE, InventoryFolder, Json, app, bar, load, out, print_json, say
from cuntong.errors import StartError, UsageError
from cuntong.settings import settings

if TYPE_CHECKING:
    from cuntong.changing.kiosks import Ended, KioskOutcome  # with it comes Ansible, which no other command needs


@app.command(rich_help_panel="Change devices")
def kiosks(
    scope: Annotated[
        str, typer.Argument(help="A site, a device, a division's code, or a filter such as type=village_site.")
    ],
    folder: InventoryFolder = HERE,
    check: Annotated[bool, typer.Option("--check", help="Say what would change; nothing is.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Print each file's difference.")] = False,
    audit: Annotated[
        bool, typer.Option("--audit", help="Judge them by the baseline B30 to B45; nothing changes.")
    ] = False,
    forks: Annotated[int, typer.Option(help="Kiosks at the same time.", min=1, max=64)] = 10,
    as_json: Json = False,
) -> None:
    """Set up the kiosks of a scope, a canary site first; what the inventory says is what they become."""
    from cuntong.changing.kiosks import Task, kiosks_in, run_kiosks

    if audit and (check or diff):
        raise UsageError("--audit changes nothing: it takes neither --check nor --diff.")
    inventory, given = load(folder), settings()
    devices, skipped = kiosks_in(inventory, scope)
    task = Task("kiosk_audit.yml" if audit else "kiosk.yml", check, diff, forks)
    total = len(devices) + len(skipped)
    with identity.ledger(given) as engine, bar(f"{total} kiosks", total) as (progress, bar_of):

        def tell(one: "KioskOutcome") -> None:
            progress.update(bar_of, advance=1, description=one.kiosk)

        ended = run_kiosks(inventory, given, engine, identity.actor(engine), scope, task, tell)
    if as_json:
        print_json(
            {
                "run": ended.run,
                "waves": ended.waves,
                "stopped": ended.stopped,
                "kiosks": [one.as_json() for one in ended.outcomes],
            }
        )
    else:
        _show(ended, diff=diff, audit=audit)
    if not ended.ok:
        raise StartError(f"Run {ended.run}: {ended.stopped or 'not every kiosk came to a good end.'}")


def _show(ended: "Ended", *, diff: bool, audit: bool) -> None:
    rows: list[dict[str, object]] = [
        {
            "kiosk": one.kiosk,
            "state": str(one.state),
            "files": len(one.files),
            "says": one.reason or ", ".join(one.done),
        }
        for one in ended.outcomes
    ]
    if audit:
        rows = [_judged(one) for one in ended.outcomes]
    shows.wide(out).print(shows.Table(rows).drawn())
    if audit:
        for one in ended.outcomes:
            for row in one.results:
                if row["mark"] == "fail":
                    say(f"{one.kiosk} {row['item']} {row['title']}: {row['evidence']}")
    if diff:
        say("".join(one.diff for one in ended.outcomes))
    counted = Counter(str(one.state) for one in ended.outcomes)
    say(f"run {ended.run}: {', '.join(f'{count} {state}' for state, count in counted.items())}")


def _judged(one: "KioskOutcome") -> dict[str, object]:
    marks = Counter(row["mark"] for row in one.results)
    return {
        "kiosk": one.kiosk,
        "state": str(one.state),
        **{mark: marks[mark] for mark in ("pass", "fail", "n/a")},
        "says": one.reason,
    }
