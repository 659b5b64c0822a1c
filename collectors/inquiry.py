"""Finds what failed: a verdict when an outage opens, another when what it darkened has answered again.

Between the two the newest verdict stands. A verdict on what is over waits until the whole site was asked again, since
one device's clock alone does not tell a power cut from a router that was restarted.
"""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from collectors.fleet import Fleet
from collectors.signs import Signs
from health.device import DeviceHealth, DeviceState
from health.outage import Scope, line_of
from health.rootcause import Cause
from health.verdict import COMPANIONS, TOGETHER_S, Blame, Case, Finding, Port, Return, as_text, blame
from ledger.journal import Fact, VerdictEvent


@dataclass(slots=True)
class OpenOutage:
    """An outage that runs since a Unix time.

    Args:
        root: a site; of a device's or LAN's outage its site.
        ordinal: of a device's outage the device, of a line's its router, else None.
        label: the first verdict. It names the outage to Prometheus, where another name would be another alert.
        window: the maintenance window that covers it now.
        over: it ended; its verdict waits for nothing but the clocks of what answers again.
        lit_at: of one that flaps and is kept open: since when its node answers; None while it does not.
    """

    id: str
    scope: Scope
    node: str
    root: int
    cause: Cause
    since: float
    ordinal: int | None = None
    finding: Finding | None = None
    label: Blame = Blame.UNKNOWN
    window: str | None = None
    lit_at: float | None = None
    over: bool = False

    @property
    def darkens(self) -> bool:
        """Whether it makes sites unreachable; behind a LAN's outage the router still answers."""
        return self.scope in (Scope.SITE, Scope.UPLINK)


@dataclass(slots=True)
class _Over:
    """An outage of a site that ended, until the site's devices were asked again."""

    outage: OpenOutage
    at: float
    returns: dict[int, Return] = field(default_factory=dict)


class Inquiry:
    """Says the verdicts on one fleet's outages.

    Args:
        health: of the devices, by ordinal; read, never written.
    """

    def __init__(self, fleet: Fleet, health: list[DeviceHealth], signs: Signs, say: Callable[[Fact], None]) -> None:
        self._fleet, self._health, self._signs, self._say = fleet, health, signs, say
        self._fallen: deque[tuple[float, OpenOutage]] = deque()  # those of sites within the last moments
        self._carriers: Counter[str] = Counter()  # of these
        self._over: dict[int, _Over] = {}  # by site

    def opened(self, outage: OpenOutage, at: float) -> None:
        """Judge an outage that has just been opened; others may have been its companions."""
        company_changed = outage.darkens and self._fell(outage, at)
        self.judge(outage, at)
        outage.label = outage.finding.blame if outage.finding else Blame.UNKNOWN
        if company_changed:  # those before were judged without knowing of this one
            for _, other in self._fallen:
                if other is not outage and not other.over:
                    self.judge(other, at)

    def judge(self, outage: OpenOutage, at: float) -> None:
        """Say a fresh verdict on a running outage."""
        outage.finding = blame(self._case(outage))
        self.tell(outage, at)

    def closed(self, outage: OpenOutage, at: float, last_answer: float | None) -> None:
        """An outage ended. Of a device's the device's own clock decides, of a site's all its devices' clocks.

        Args:
            last_answer: of a device's outage: when the device had last answered before.
        """
        outage.over = True
        if outage.scope is Scope.LINE:
            return  # that it came back says nothing of why it was away
        if outage.ordinal is None:
            self._over[outage.root] = _Over(outage, at)
            return
        found = self._signs.returned(outage.ordinal, outage.since if last_answer is None else last_answer)
        if found is not None:
            case = self._case(outage, (found,), at - outage.since)
            outage.finding = blame(case)
            self.tell(outage, at)

    def answered(self, ordinal: int, site: int, last_answer: float | None) -> None:
        """A device that was silent answers again; its last answer before that was at ``last_answer``."""
        over = self._over.get(site)
        if over is not None:
            found = self._signs.returned(ordinal, over.outage.since if last_answer is None else last_answer)
            if found is not None:
                over.returns[ordinal] = found

    def polled(self, site: int, at: float) -> None:
        """A poll at the site ended: once each device was asked after the outage, say what they prove together."""
        over = self._over.get(site)
        if over is None or not all(self._settled(ordinal, over.at) for ordinal in self._fleet.at_site[site]):
            return
        del self._over[site]
        if over.returns:
            over.outage.finding = blame(
                self._case(over.outage, tuple(over.returns.values()), over.at - over.outage.since)
            )
            self.tell(over.outage, at)

    def forget(self, site: int) -> None:
        """The site fell dark again before its return was understood."""
        self._over.pop(site, None)

    def _settled(self, ordinal: int, at: float) -> bool:
        health = self._health[ordinal]
        return health.asked >= at and health.state is not DeviceState.SUSPECT

    def tell(self, outage: OpenOutage, at: float) -> None:
        """Say the verdict that stands, with the maintenance window in which the outage lies now."""
        found = outage.finding
        if found is not None:
            self._say(VerdictEvent(at, outage.id, found.blame, as_text(found.clues), outage.window))

    def _case(self, outage: OpenOutage, returned: tuple[Return, ...] = (), silent_s: float = 0.0) -> Case:
        fleet, health, signs, site = self._fleet, self._health, self._signs, outage.root
        if outage.scope is Scope.LINE:
            return self._case_of_line(outage)
        if outage.ordinal is not None:
            router = fleet.devices[outage.ordinal].device_class == "router"
            others = [other for other in fleet.terminals(site) if other != outage.ordinal]
            silent = sum(health[other].state is DeviceState.SILENT for other in others)
            return Case(
                outage.scope, router=router, neighbours=len(others), silent_neighbours=silent,
                returned=returned, silent_s=silent_s,
            )  # fmt: skip
        if outage.scope is Scope.LAN:
            silent = sum(health[other].state is DeviceState.SILENT for other in fleet.terminals(site))
            return Case(outage.scope, silent_neighbours=silent, returned=returned, silent_s=silent_s)
        if returned:  # what it is like now proves nothing about the time before
            return Case(outage.scope, returned=returned, silent_s=silent_s, opening=outage.finding)
        carrier, link_type = fleet.line(site)
        return Case(
            outage.scope,
            link_type=link_type,
            port=signs.port(site, health, outage.since),
            battery=signs.battery(site, health, outage.since),
            light=signs.light(site),
            signal=signs.signal(site),
            carrier=carrier,
            companions=self._companions(outage),
            beneath=len(fleet.tree.beneath(site)) if outage.scope is Scope.UPLINK else 0,
        )

    def _case_of_line(self, outage: OpenOutage) -> Case:
        fleet, site = self._fleet, outage.root
        router, number = fleet.devices[outage.ordinal or 0], (line_of(outage.node) or ("", 0))[1]
        uplinks = fleet.tree.uplinks[site]
        # Where there are as many lines as sites above, each leads to its own.
        ends = uplinks[number : number + 1] if len(uplinks) == len(router.uplink_ports) else None
        dark = [end for end in ends or () if not any(self._answers(one) for one in fleet.at_site[end])]
        return Case(
            outage.scope,
            own_port=Port(router.id, router.uplink_ports[number], False, outage.since),
            above=fleet.sites[dark[0]] if dark else "",
            port=self._signs.port(site, self._health, outage.since, ends),
            light=self._signs.light(site) if number == 0 else None,
            link_type=fleet.line(site)[1] if number == 0 else "",
        )

    def _answers(self, ordinal: int) -> bool:
        return self._health[ordinal].state is not DeviceState.SILENT

    def _fell(self, outage: OpenOutage, at: float) -> bool:
        """Count it among those of the last moments; whether this tells something new about the others."""
        while self._fallen and self._fallen[0][0] < at - TOGETHER_S:
            _, gone = self._fallen.popleft()
            self._carriers[self._carrier(gone)] -= 1
        self._carriers = +self._carriers
        self._fallen.append((at, outage))
        before = len(self._carriers)
        self._carriers[self._carrier(outage)] += 1
        if len(self._carriers) > 1:
            return before == 1 and len(self._fallen) > COMPANIONS
        return len(self._fallen) == COMPANIONS

    def _carrier(self, outage: OpenOutage) -> str:
        return self._fleet.line(outage.root)[0]

    def _companions(self, outage: OpenOutage) -> int:
        """Sites of its carrier that fell with it, itself included; 0 where another carrier's fell as well."""
        alone = len(self._carriers) == 1 and self._carrier(outage) in self._carriers
        return len(self._fallen) if alone and self._carrier(outage) else 0
