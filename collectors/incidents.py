"""The outages that run: opened, closed, and kept open over a node that comes and goes.

A node that flaps keeps one incident; whatever falls silent or answers in between is still said of the site itself, so
that no dark second is lost. The incident ends once the node has been calm, as of its last return.
"""

from collections.abc import Callable, Mapping

from collectors.inquiry import Inquiry, OpenOutage
from collectors.promises import Promises
from health.flapping import CALM, Flap, after_change, after_time
from health.outage import Outage, Scope
from health.rootcause import Cause
from ledger.journal import Fact, OutageEvent

_What = tuple[bool, str]
"""A node, and whether it is its LAN that comes and goes: a site's own silence and its terminals' are two things."""

_LOOK_S = 5.0  # how often those that were flapping are looked at: they are kept for half an hour anyway


class Incidents:
    """Keeps the open outages of one fleet.

    Args:
        new_outage_id: gives an id for the outage whose opening is said next.
    """

    def __init__(
        self, say: Callable[[Fact], None], new_outage_id: Callable[[], str], inquiry: Inquiry, promises: Promises
    ) -> None:
        self.open: dict[str, OpenOutage] = {}
        self._say, self._new_outage_id, self._inquiry, self._promises = say, new_outage_id, inquiry, promises
        self._flaps: dict[_What, Flap] = {}  # its changes of late
        self._held: dict[_What, str] = {}  # what flaps and answers: the outage that is kept open over it
        self._look_at = 0.0

    def root(self, id: str) -> int | None:
        """The site to blame in an open outage; None where it is over."""
        outage = self.open.get(id)
        return None if outage is None else outage.root

    def restore(self, outage: Outage, root: int, ordinal: int | None) -> None:
        """Take an open outage over from the collector before us."""
        known = OpenOutage(outage.id, outage.scope, outage.node, root, outage.cause, outage.since, ordinal)
        if outage.finding is not None:
            known.finding, known.label, known.window = outage.finding, outage.finding.blame, outage.window
        self.open[outage.id] = known

    def hold_all_but(self, explained: Mapping[int, str], lit_at: float | None) -> set[str]:
        """Of the outages taken over, hold those whose own site is not dark by them; their ids."""
        for outage in self.open.values():
            if outage.darkens and explained.get(outage.root) != outage.id:
                outage.lit_at = outage.since if lit_at is None else lit_at
                self._held[_what(outage.scope, outage.node)] = outage.id
        return set(self._held.values())

    def start(self, scope: Scope, node: str, root: int, cause: Cause, since: float, ordinal: int | None = None) -> str:
        """A node fell silent: a new outage, or one more relapse of the one that is kept open; its id."""
        what = _what(scope, node)
        flap = self._flaps[what] = after_change(self._flaps.get(what, CALM), since)
        held = self._held.pop(what, None)
        if held is not None:
            again = self.open[held]
            again.lit_at = None
            self._flaps[what] = Flap(flap.changes, flapping=True)
            self._say(OutageEvent(since, held, "relapsed", again.scope, node, again.cause))
            return held
        id = self._new_outage_id()
        outage = self.open[id] = OpenOutage(id, scope, node, root, cause, since, ordinal)
        outage.window = self._promises.window(root, ordinal)
        if ordinal is None:
            self._inquiry.forget(root)
        self._say(OutageEvent(since, id, "opened", scope, node, cause))
        self._inquiry.opened(outage, since)
        return id

    def end(self, id: str, at: float, last_answer: float | None = None) -> None:
        """The node of an outage answers again; the outage ends, unless the node comes and goes.

        Args:
            last_answer: of a device's outage: when the device had last answered before.
        """
        outage = self.open.get(id)
        if outage is None:
            return
        what = _what(outage.scope, outage.node)
        flap = self._flaps[what] = after_change(self._flaps.get(what, CALM), at)
        if flap.flapping:
            outage.lit_at = at
            self._held[what] = id
            self._say(OutageEvent(at, id, "flapping", outage.scope, outage.node, outage.cause))
        else:
            self._close(id, at, last_answer)

    def promises_changed(self, at: float) -> None:
        """A maintenance window may have begun or ended: say which outages are planned now."""
        for outage in self.open.values():
            window = self._promises.window(outage.root, outage.ordinal)
            if window != outage.window:
                outage.window = window
                self._inquiry.tell(outage, at)

    def calm_down(self, at: float) -> None:
        """End the outages of nodes that no longer flap: they were over when the node answered last."""
        if self._look_at - _LOOK_S <= at < self._look_at:
            return
        self._look_at = at + _LOOK_S
        for what, flap in list(self._flaps.items()):
            flap = self._flaps[what] = after_time(flap, at)
            if not flap.changes:
                del self._flaps[what]
        for what, id in list(self._held.items()):
            if not self._flaps.get(what, CALM).flapping:
                del self._held[what]
                outage = self.open[id]
                self._close(id, at if outage.lit_at is None else outage.lit_at)

    def _close(self, id: str, at: float, last_answer: float | None = None) -> None:
        ended = self.open.pop(id)
        self._say(OutageEvent(at, id, "closed", ended.scope, ended.node, ended.cause))
        self._inquiry.closed(ended, at, last_answer)


def _what(scope: Scope, node: str) -> _What:
    return scope is Scope.LAN, node
