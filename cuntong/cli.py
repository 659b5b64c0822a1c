"""The command line: reads settings, wires the parts, runs them. The only place that catches `CuntongError`."""

import sys

from cuntong.commands import app
from cuntong.errors import UsageError
from inventory.errors import CuntongError, InventoryError


def main() -> None:
    """Exit codes: 0 done, 1 the run failed, 2 the input is wrong."""
    try:
        app(standalone_mode=True)
    except (InventoryError, UsageError) as error:
        sys.exit(_say(error, 2))
    except CuntongError as error:
        sys.exit(_say(error, 1))


def _say(error: CuntongError, code: int) -> int:
    print(error, file=sys.stderr)  # noqa: T201  what people came to read
    return code
