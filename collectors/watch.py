"""From finished polls to facts: which device is silent, which site is dark, which outage explains it.

Pure: a finished poll comes in, facts and wishes ("ask these now") go out. The rules:

- A first unanswered poll is a suspicion. The device, its neighbours at the site and the sites above are asked at
  once: what fails together is then judged together, and a cause is only sought once its uplinks were asked again.
- A site that fell dark makes everything beneath it be asked, so that an incident soon shows its whole extent.
- A dark site keeps the outage that explained it first. When the node to blame answers again, its outage ends, and
  what is still dark beneath is asked again and judged afresh.
- A device that is silent while its site answers is an outage of its own.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from health.device import CONFIRM, DeviceHealth, DeviceState, after_poll
from health.outage import Outage, Scope
from health.reading import Readings
from health.rootcause import Cause, UplinkTree, diagnose
from health.site import Part, faults, working
from inventory.vocabulary import Aspect, Verdict
from ledger.history import SiteVerdict
from ledger.journal import Fact, OutageEvent, SiteEvent


@dataclass(frozen=True, slots=True)
class WatchedDevice:
    """What the watch needs to know of a device.

    Args:
        site: a position in the fleet's sites.
        asked: False for a device that somebody else watches; it then says nothing about its site.
    """

    id: str
    site: int
    role: str
    device_class: str
    asked: bool = True


class Fleet:
    """Everything that one collector watches.

    Args:
        sites: their ids.
        uplinks: for each site, the sites above it.
        devices: by ordinal.
    """

    def __init__(
        self, sites: Sequence[str], uplinks: Sequence[Sequence[int]], devices: Sequence[WatchedDevice]
    ) -> None:
        self.sites = sites
        self.devices = devices
        asked: list[list[int]] = [[] for _ in sites]
        for ordinal, device in enumerate(devices):
            if device.asked:
                asked[device.site].append(ordinal)
        self.at_site: Sequence[Sequence[int]] = [tuple(ordinals) for ordinals in asked]
        self.tree = UplinkTree([self._watched_above(site, uplinks) for site in range(len(sites))])

    def _watched_above(self, site: int, uplinks: Sequence[Sequence[int]]) -> tuple[int, ...]:
        """The nearest sites above that can be asked: one without devices of ours can neither answer nor fail."""
        above: dict[int, None] = {}
        waiting, seen = list(uplinks[site]), {site}
        while waiting:
            uplink = waiting.pop(0)
            if uplink in seen:
                continue
            seen.add(uplink)
            if self.at_site[uplink]:
                above[uplink] = None
            else:
                waiting += uplinks[uplink]
        return tuple(above)


@dataclass(slots=True)
class OpenOutage:
    """An outage that runs since a Unix time. ``root`` is a site; of a device's outage its site."""

    id: str
    scope: Scope
    node: str
    root: int
    cause: Cause
    since: float


class Watch:
    """The state of a fleet, and what is said about it.

    Args:
        say: takes each fact as it becomes certain.
        ask: wants these devices polled now.
        new_outage_id: gives an id for the outage whose opening is said next.
    """

    def __init__(
        self,
        fleet: Fleet,
        say: Callable[[Fact], None],
        ask: Callable[[Iterable[int]], None],
        new_outage_id: Callable[[], str],
    ) -> None:
        self.fleet = fleet
        self.health = [DeviceHealth()] * len(fleet.devices)
        self._say, self._ask, self._new_outage_id = say, ask, new_outage_id
        self._faults: dict[int, tuple[str, ...]] = {}
        self._last_answer: dict[int, float] = {}  # site: newest answer of any of its devices
        self._lit_at: dict[int, float] = {}  # site: when it last came back; older silence proves nothing
        self._dark: dict[int, float] = {}  # site: since when
        self._judged_from: dict[int, float] = {}  # dark site: only polls after this time count for its cause
        self._verdicts: dict[tuple[int, Aspect], tuple[Verdict, str]] = {}
        self._outage_of: dict[int, str] = {}  # dark site: the outage that explains it
        self._open: dict[str, OpenOutage] = {}
        self._device_outages: dict[int, str] = {}
        self._proofs: dict[tuple[int, Aspect], float] = {}  # of what is not so now: when it last was
        self._proved_until: float | None = None  # by the collector before us
        self._touched: set[int] = set()  # sites with news, to be looked at in `settle`
        self._waiters: dict[int, set[int]] = {}  # site: undecided sites that news of it may decide

    def restore(
        self,
        verdicts: Iterable[SiteVerdict],
        open_outages: Iterable[Outage],
        watched_until: float | None = None,
    ) -> None:
        """Take up where the last collector stopped: nothing that it said is said again.

        Args:
            watched_until: Unix time at which it stopped; what it had seen answering was proved until then.
        """
        self._proved_until = watched_until
        sites = {id: site for site, id in enumerate(self.fleet.sites)}
        ordinals = {device.id: ordinal for ordinal, device in enumerate(self.fleet.devices)}
        for outage in open_outages:
            ordinal = ordinals.get(outage.node)
            root = self.fleet.devices[ordinal].site if ordinal is not None else sites.get(outage.node)
            if root is None:  # gone from the inventory: it can never answer again
                self._say(OutageEvent(outage.since, outage.id, "closed", outage.scope, outage.node, outage.cause))
                continue
            self._open[outage.id] = OpenOutage(outage.id, outage.scope, outage.node, root, outage.cause, outage.since)
            if ordinal is not None:
                self._device_outages[ordinal] = outage.id
        for verdict in verdicts:
            site = sites.get(verdict.site)
            if site is None:
                continue
            self._verdicts[site, verdict.aspect] = (verdict.verdict, verdict.reason)
            if verdict.proved_at is not None:
                self._proofs[site, verdict.aspect] = verdict.proved_at
            if verdict.outage in self._open and verdict.verdict is Verdict.NO:
                self._outage_of[site] = verdict.outage

    @property
    def dark(self) -> Mapping[int, float]:
        """The dark sites and since when."""
        return self._dark

    @property
    def open_outages(self) -> Iterable[OpenOutage]:
        return self._open.values()

    def verdict(self, site: int, aspect: Aspect) -> Verdict:
        return self._verdicts.get((site, aspect), (Verdict.UNKNOWN, ""))[0]

    def last_answer(self, site: int) -> float | None:
        return self._last_answer.get(site)

    def finished(self, ordinal: int, readings: Readings | None, at: float) -> None:
        """A poll ended at Unix time ``at``; without readings nothing answered."""
        before = self.health[ordinal]
        site = self.fleet.devices[ordinal].site
        after = self.health[ordinal] = after_poll(before, readings is not None, at, self._confirm(site))
        if site in self._waiters:
            self._touched |= self._waiters.pop(site)
        if readings is not None:
            self._last_answer[site] = at
            broken = faults(readings)
            if before.state is not DeviceState.UP or broken != self._faults.get(ordinal, ()):
                self._faults[ordinal] = broken
                self._touched.add(site)
            if before.state is not DeviceState.UP:
                self._came_back(ordinal, site, at)
            return
        self._touched.add(site)
        if after.state is DeviceState.SUSPECT:
            self._suspect(ordinal, site, after.since)
        elif before.state is not DeviceState.SILENT:
            self._faults.pop(ordinal, None)
            if all(self.health[other].state is DeviceState.SILENT for other in self.fleet.at_site[site]):
                self._fell_dark(site, at)

    def _confirm(self, site: int) -> int:
        """Unanswered polls that make silence: one beneath uplinks that are dark already, which confirm it."""
        uplinks = self.fleet.tree.uplinks[site]
        return 1 if uplinks and all(uplink in self._dark for uplink in uplinks) else CONFIRM

    def _suspect(self, ordinal: int, site: int, since: float) -> None:
        """Ask the device again, its neighbours, and the sites above, unless they were asked since."""
        self._ask([ordinal])
        for other_site in (site, *self.fleet.tree.uplinks[site]):
            self._ask(
                other
                for other in self.fleet.at_site[other_site]
                if self.health[other].asked < since and self.health[other].state is not DeviceState.SILENT
            )

    def _fell_dark(self, site: int, at: float) -> None:
        devices = self.fleet.at_site[site]
        last_answer = self._last_answer.get(site, 0.0)
        firsts = [self.health[device].since for device in devices]
        self._dark[site] = min((since for since in firsts if since >= last_answer), default=at)
        for below in self.fleet.tree.beneath(site):
            if below not in self._dark:
                self._ask(self.fleet.at_site[below])

    def _came_back(self, ordinal: int, site: int, at: float) -> None:
        if (outage := self._device_outages.pop(ordinal, None)) is not None:
            self._close(outage, at)
        was_dark = self._dark.pop(site, None) is not None
        explained = self._outage_of.pop(site, None)
        if was_dark or explained is not None:
            self._lit_at[site] = at
            self._judged_from.pop(site, None)
            self._ask(other for other in self.fleet.at_site[site] if other != ordinal)
            self._ask(device for below in self.fleet.tree.beneath(site) for device in self.fleet.at_site[below])
        if explained is not None and explained in self._open and self._open[explained].root == site:
            self._release(explained, at)
        self._set_verdict(site, Aspect.REACHABLE, Verdict.YES, "", at)

    def _release(self, outage: str, at: float) -> None:
        """The node to blame answers: what is still dark beneath needs another cause, from polls after now."""
        self._close(outage, at)
        for site in [site for site, explained in self._outage_of.items() if explained == outage]:
            del self._outage_of[site]
            self._judged_from[site] = at
            self._touched.add(site)

    def settle(self, at: float) -> None:
        """Judge what the polls so far allow to be judged; call it after each batch of finished polls.

        What cannot be decided yet waits for news of the site or of those above it: a thousand open questions cost
        nothing while nothing happens to them.
        """
        while self._touched:
            touched, self._touched = self._touched, set()
            unexplained = [site for site in touched if site in self._dark and site not in self._outage_of]
            if unexplained:
                self._explain_dark_sites(unexplained)
            for site in touched:
                if not self._judge_devices(site):
                    self._wait(site)
                self._judge_service(site, at)

    def _wait(self, site: int) -> None:
        for cause in (site, *self.fleet.tree.uplinks[site]):
            self._waiters.setdefault(cause, set()).add(site)

    def _explain_dark_sites(self, unexplained: Sequence[int]) -> None:
        """Find the cause of these; what hangs on their answer is looked at next."""
        tree = self.fleet.tree
        concerned: dict[int, float] = {}  # they, and the dark sites above them: the others have their answer
        row: Iterable[int] = unexplained
        while row := [site for site in row if site in self._dark and site not in concerned]:
            concerned.update((site, self._dark[site]) for site in row)
            row = [uplink for site in row for uplink in tree.uplinks[site]]
        impaired = {
            uplink
            for site in concerned
            for uplink in tree.uplinks[site]
            if uplink not in concerned
            and any(self.health[device].state is DeviceState.SUSPECT for device in self.fleet.at_site[uplink])
        }
        diagnosis = diagnose(tree, concerned, self._answered_since, impaired)
        for incident in diagnosis.incidents:
            for site in incident.affected:
                if site in self._outage_of:
                    continue
                if self._asked_afresh(site) and self._asked_afresh(incident.root):
                    self._explain(site, incident.root)
                    self._touched |= self._waiters.pop(site, set())
                else:
                    self._wait(site)
        for site in diagnosis.undecided:
            if site not in self._outage_of:
                self._wait(site)

    def _explain(self, site: int, root: int) -> None:
        since = max(self._dark[site], self._judged_from.get(site, 0.0))
        outage = self._outage_of.get(root)
        if outage is None:
            began = max(self._dark[root], self._judged_from.get(root, 0.0))
            beneath = bool(self.fleet.tree.children(root))
            scope, cause = (Scope.UPLINK, Cause.AGGREGATION) if beneath else (Scope.SITE, Cause.ACCESS)
            outage = self._start(scope, self.fleet.sites[root], root, cause, began)
            if root != site:
                self._outage_of[root] = outage
                self._set_verdict(root, Aspect.REACHABLE, Verdict.NO, "down", began, outage)
        self._outage_of[site] = outage
        self._judged_from.pop(site, None)
        reason = "down" if root == site else "unreachable"
        self._set_verdict(site, Aspect.REACHABLE, Verdict.NO, reason, since, outage)

    def _judge_devices(self, site: int) -> bool:
        """Open outages of single devices; False while a suspicion at the site or an old silence forbids it."""
        if site in self._dark:
            return site in self._outage_of
        devices = self.fleet.at_site[site]
        decided = True
        if any(self.health[device].state is DeviceState.SUSPECT for device in devices):
            return False
        for ordinal in devices:
            health = self.health[ordinal]
            if health.state is not DeviceState.SILENT or ordinal in self._device_outages:
                continue
            # Alone only if the site answered after it fell silent, and it was asked after the site came back.
            if health.asked <= self._lit_at.get(site, 0.0) or not self._answered_since(site, health.since):
                decided = False
                continue
            since = max(health.since, self._lit_at.get(site, 0.0))
            device = self.fleet.devices[ordinal]
            self._device_outages[ordinal] = self._start(Scope.DEVICE, device.id, site, Cause.DEVICE, since)
        return decided

    def _judge_service(self, site: int, at: float) -> None:
        if site in self._dark:
            verdict, reason = Verdict.NO, "dark"
        else:
            parts = (
                Part(device.role, device.device_class, self.health[ordinal].state, self._faults.get(ordinal, ()))
                for ordinal in self.fleet.at_site[site]
                for device in (self.fleet.devices[ordinal],)
            )
            verdict, reason = working(parts)
        if verdict is not Verdict.UNKNOWN:
            self._set_verdict(site, Aspect.WORKING, verdict, reason, at)

    def _asked_afresh(self, site: int) -> bool:
        """Whether every device was asked after the outage ended that explained the site's silence so far."""
        moment = self._judged_from.get(site, 0.0)
        return all(self.health[device].asked > moment for device in self.fleet.at_site[site])

    def _answered_since(self, site: int, moment: float) -> bool:
        return self._last_answer.get(site, 0.0) >= moment

    def _set_verdict(
        self, site: int, aspect: Aspect, verdict: Verdict, reason: str, since: float, outage: str | None = None
    ) -> None:
        known = self._verdicts.get((site, aspect))
        if known == (verdict, reason) and outage is None:
            return
        proved_at = self._proofs.pop((site, aspect), None)
        if verdict is Verdict.YES:
            proved_at = None
        elif known is not None and known[0] is Verdict.YES:
            proved_at = self._proof_before(site, aspect, since)
        if proved_at is not None:  # a no that follows a no for another reason has the same proof before it
            self._proofs[site, aspect] = proved_at
        self._verdicts[site, aspect] = (verdict, reason)
        self._say(SiteEvent(since, self.fleet.sites[site], aspect, verdict, reason, proved_at, outage))

    def _proof_before(self, site: int, aspect: Aspect, since: float) -> float:
        """When a yes that ends now was last seen to be true: by us, else by the collector before us."""
        last_answer = self._last_answer.get(site)
        if last_answer is None:
            return since if self._proved_until is None else min(since, self._proved_until)
        return last_answer if aspect is Aspect.REACHABLE else since

    def _start(self, scope: Scope, node: str, root: int, cause: Cause, since: float) -> str:
        outage = self._new_outage_id()
        self._open[outage] = OpenOutage(outage, scope, node, root, cause, since)
        self._say(OutageEvent(since, outage, "opened", scope, node, cause))
        return outage

    def _close(self, outage: str, at: float) -> None:
        ended = self._open.pop(outage, None)
        if ended is not None:
            self._say(OutageEvent(at, outage, "closed", ended.scope, ended.node, ended.cause))
