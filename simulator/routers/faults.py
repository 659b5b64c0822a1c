"""What can be wrong with a simulated router's command line, as data. What it does is the console's business."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from simulator.errors import SimulationError


@dataclass(frozen=True, slots=True)
class RouterFaults:
    """Everything that can be wrong at once; the defaults are a healthy box. Patterns are searched in a line.

    Args:
        reject: lines that the box refuses although they are right.
        ask: lines at which it asks a question that no manual knows, and does nothing before the answer is ``Y``.
        drop_after: the connection breaks at the n-th line of a session.
        cut: nothing gets through to the box or back; sessions go silent and stay open.
        cut_before: such a cut begins when a line like this arrives: it is lost.
        cut_after: the same, but the line is done and its answer is lost.
        cut_at: such a cut begins at the n-th line that arrives from now on, over all sessions; the line is lost.
        cut_for_s: seconds after which a cut heals; 0 for never.
        save_fails: saving says so, and the old file stays.
        disk_full: nothing can be written to flash.
        slow_s: seconds before each answer.
        banner: printed at login.
        noise: a log line in the middle of every answer.
        password_expired: asks at login whether to change the password.
        offers_save: asks whether to save before a reboot is scheduled.
        unanswered: addresses that no ping reaches, whatever the routes.
        forgets_timer: a scheduled reboot or rollback never happens.
    """

    reject: str = ""
    ask: str = ""
    drop_after: int = 0
    cut: bool = False
    cut_before: str = ""
    cut_after: str = ""
    cut_at: int = 0
    cut_for_s: float = 0.0
    save_fails: bool = False
    disk_full: bool = False
    slow_s: float = 0.0
    banner: str = ""
    noise: bool = False
    password_expired: bool = False
    offers_save: bool = False
    unanswered: str = ""
    forgets_timer: bool = False

    def with_faults(self, told: Mapping[str, object]) -> "RouterFaults":
        """These and some more.

        Raises:
            SimulationError: there is no such fault, or the value does not fit it.
        """
        known: dict[str, type] = {name: type(value) for name, value in asdict(RouterFaults()).items()}
        given: dict[str, Any] = {}
        for name, value in told.items():
            if name not in known:
                raise SimulationError(f"router fault {name!r} is none of {', '.join(known)}")
            kind = known[name]
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not (isinstance(value, kind) or (kind is float and number)) or (kind is int and not number):
                raise SimulationError(f"router fault {name}: {value!r} is no {kind.__name__}")
            if kind is str and name != "banner":
                try:
                    re.compile(str(value))
                except re.error as error:
                    raise SimulationError(f"router fault {name}: {value!r}: {error}") from error
            given[name] = kind(value)
        return replace(self, **given)

    def without(self, *names: str) -> "RouterFaults":
        """These but for some; without names, none.

        Raises:
            SimulationError: there is no such fault.
        """
        healthy = RouterFaults()
        if not names:
            return healthy
        if wrong := next((name for name in names if name not in self.__slots__), None):
            raise SimulationError(f"router fault {wrong!r} is none of {', '.join(self.__slots__)}")
        return replace(self, **{name: getattr(healthy, name) for name in names})

    def as_plain(self) -> dict[str, object]:
        """Those that are in force."""
        healthy = asdict(RouterFaults())
        return {name: value for name, value in asdict(self).items() if value != healthy[name]}
