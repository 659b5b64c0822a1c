"""The command about weak settings: waive."""

from datetime import date, timedelta
from typing import Annotated, Final

import typer

from cuntong.commands.adopting import show_diff
from cuntong.commands.common import HERE, DryRun, InventoryFolder, app, say
from cuntong.errors import UsageError
from cuntong.own_history import commit
from cuntong.secrets import WAIVER_V2C

_KNOWN: Final = (WAIVER_V2C,)
_LONGEST_DAYS: Final = 366


@app.command(rich_help_panel="Declare")
def waive(
    what: Annotated[str, typer.Argument(help=f"The weak setting: {', '.join(_KNOWN)}.")],
    until: Annotated[str, typer.Option(help="Last day on which it is excused, a year from now at most.")],
    reason: Annotated[str, typer.Option(help="Why; it is shown on the page.")],
    folder: InventoryFolder = HERE,
    dry_run: DryRun = False,
) -> None:
    """Excuse a weak setting by decision, with an end and a reason; afterwards nothing starts with it any more."""
    from inventory.waiving import waive as change

    if what not in _KNOWN:
        raise UsageError(f"{what!r} is no weak setting that can be waived: {', '.join(_KNOWN)}.")
    if not reason.strip():
        raise UsageError("Give the reason.")
    try:
        day = date.fromisoformat(until)
    except ValueError:
        raise UsageError(f"{until!r} is no day. Write it as 2026-11-20.") from None
    today = date.today()  # noqa: DTZ011  a waiver ends at midnight where it was written
    if not today <= day <= today + timedelta(days=_LONGEST_DAYS):
        raise UsageError(f"{day} is not within a year from today: a waiver is for a while.")
    changes = change(folder, what, day, reason.strip())
    show_diff(changes.diff())
    if dry_run:
        say("Nothing was written (--dry-run).")
        return
    changes.write()
    commit(folder, f"豁免 / Waive {what} until {day}")
    say(f"{what} is excused until {day}; cuntong check reminds of it, and the page shows it.")
