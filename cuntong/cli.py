"""The command line: reads settings, wires the parts, runs them. The only place that catches `CuntongError`."""

import sys

from cuntong.commands import app
from cuntong.errors import StartError, UsageError
from cuntong.settings import SWITCH, settings, state_folder
from inventory.errors import CuntongError, InventoryError


def main() -> None:
    """Exit codes: 0 done, 1 the run failed, 2 the input is wrong."""
    try:
        finish_switch()
        app(standalone_mode=True)
    except (InventoryError, UsageError) as error:
        sys.exit(_say(error, 2))
    except CuntongError as error:
        sys.exit(_say(error, 1))


def finish_switch() -> None:
    """Do the rest of a restore that was decided and then interrupted, before anything reads half of it."""
    state = state_folder()
    try:
        if not (state / SWITCH).exists():
            return
    except PermissionError:
        raise StartError(
            f"{state} belongs to somebody else. Run this as its owner, give it to this user (chown -R), or set "
            "XDG_STATE_HOME to a folder of this user."
        ) from None
    from cuntong.safekeeping import switching

    with switching.alone(state):
        if switching.pending(state):
            switching.finish(state, settings().ledger_url)


def _say(error: CuntongError, code: int) -> int:
    print(error, file=sys.stderr)  # noqa: T201  what people came to read
    return code
