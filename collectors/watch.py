"""From finished polls to facts: which device is silent, which site is dark, which outage explains it.

Pure: a finished poll comes in, facts and wishes ("ask these now") go out. The rules:

- A first unanswered poll is a suspicion. The device, its neighbours at the site and the sites above are asked at
  once: what fails together is then judged together, and a cause is only sought once its uplinks were asked again.
- A site that fell dark makes everything beneath it be asked, so that an incident soon shows its whole extent.
- A dark site keeps the outage that explained it first. When the node to blame answers again, its outage ends, and
  what is still dark beneath is asked again and judged afresh.
- A device that is silent while its site answers is an outage of its own, unless it is switched off outside its hours.
  Where all terminals of a site fall together, that is one outage of what they hang on.
- A line that is down beside another that carries the site is an outage of its own, too, and leaves the site as it is.
  Of each of several lines is said whether it is there: before one takes over from another, somebody waits for that.
- A node that comes and goes keeps one outage, until it has been calm for a while.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from collectors.fleet import Fleet
from collectors.incidents import Incidents
from collectors.inquiry import Inquiry, OpenOutage
from collectors.line_outages import LineOutages
from collectors.promises import Promises
from collectors.signs import Signs
from health.device import CONFIRM, DeviceHealth, DeviceState, after_poll
from health.outage import Outage, Scope, place_node
from health.reading import Readings
from health.rootcause import Cause, diagnose
from health.site import Part, faults, line_verdict, lines_down, looked_at, lost_line, peripherals, platform, working
from health.verdict import TOGETHER_S
from inventory.vocabulary import Aspect, Verdict
from ledger.history import SiteVerdict
from ledger.journal import Fact, OutageEvent, SiteEvent

_TERMINALS = 2  # of a site that must fall together before what they hang on is blamed


class Watch:
    """The state of a fleet, and what is said about it.

    Args:
        say: takes each fact as it becomes certain.
        ask: wants these devices polled now.
        new_outage_id: gives an id for the outage whose opening is said next.
        look: a device's newest readings, while there are any; for verdicts on outages.
        hears: whether echoes over the n-th line of a router come back; None where none are sent.
    """

    def __init__(
        self,
        fleet: Fleet,
        say: Callable[[Fact], None],
        ask: Callable[[Iterable[int]], None],
        new_outage_id: Callable[[], str],
        look: Callable[[int], Readings | None] = lambda ordinal: None,
        hears: Callable[[int, int], bool | None] = lambda ordinal, number: None,
    ) -> None:
        self.fleet = fleet
        self.health = [DeviceHealth()] * len(fleet.devices)
        self.promises = Promises(fleet)
        self._signs = Signs(fleet, look)
        self._inquiry = Inquiry(fleet, self.health, self._signs, say)
        self._incidents = Incidents(say, new_outage_id, self._inquiry, self.promises)
        self._lines = LineOutages(fleet, self._incidents, self._inquiry, ask)
        self._say, self._ask = say, ask
        self.hears = hears
        self._said_of_lines: dict[tuple[int, int], tuple[Verdict, str]] = {}  # by us: what was before proves nothing
        self._faults: dict[int, tuple[str, ...]] = {}
        self._looked: dict[int, tuple[str, ...]] = {}  # device: parts that it has looked at
        self._last_answer: dict[int, float] = {}  # site: newest answer of any of its devices
        self._lit_at: dict[int, float] = {}  # site: when it last came back; older silence proves nothing
        self._dark: dict[int, float] = {}  # site: since when
        self._judged_from: dict[int, float] = {}  # dark site: only polls after this time count for its cause
        self._verdicts: dict[tuple[int, Aspect], tuple[Verdict, str]] = {}
        self._outage_of: dict[int, str] = {}  # dark site: the outage that explains it
        self._device_outages: dict[int, str] = {}
        self._excused: set[int] = set()  # silent devices that are outside their hours
        self._lines_down: dict[int, str] = {}  # router: which of its several lines is down
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
            if outage.scope is Scope.LINE:
                if not self._lines.restore(outage):
                    self._say(OutageEvent(outage.since, outage.id, "closed", outage.scope, outage.node, outage.cause))
                continue
            ordinal = ordinals.get(outage.node)
            root = self.fleet.devices[ordinal].site if ordinal is not None else sites.get(outage.node)
            if root is None:  # gone from the inventory: it can never answer again
                self._say(OutageEvent(outage.since, outage.id, "closed", outage.scope, outage.node, outage.cause))
                continue
            self._incidents.restore(outage, root, ordinal)
            members = self.fleet.terminals(root) if outage.scope is Scope.LAN else [ordinal]
            self._device_outages.update((member, outage.id) for member in members if member is not None)
        for verdict in verdicts:
            site = sites.get(verdict.site)
            if site is None:
                continue
            self._verdicts[site, verdict.aspect] = (verdict.verdict, verdict.reason)
            if verdict.proved_at is not None:
                self._proofs[site, verdict.aspect] = verdict.proved_at
            if verdict.outage in self._incidents.open and verdict.verdict is Verdict.NO:
                self._outage_of[site] = verdict.outage
        # Of a site that answers an outage was kept open because it flaps: that explains no silence any more.
        held = self._incidents.hold_all_but(self._outage_of, watched_until)
        self._outage_of = {site: id for site, id in self._outage_of.items() if id not in held}

    @property
    def dark(self) -> Mapping[int, float]:
        """The dark sites and since when."""
        return self._dark

    @property
    def open_outages(self) -> Iterable[OpenOutage]:
        return self._incidents.open.values()

    @property
    def explained(self) -> Mapping[int, str]:
        """For each dark site whose cause is known the id of the outage that explains it."""
        return self._outage_of

    def verdict(self, site: int, aspect: Aspect) -> Verdict:
        return self._verdicts.get((site, aspect), (Verdict.UNKNOWN, ""))[0]

    def last_answer(self, site: int) -> float | None:
        return self._last_answer.get(site)

    def finished(self, ordinal: int, readings: Readings | None, at: float, began: float | None = None) -> None:
        """A poll that ``began`` and ended (``at``) at these Unix times; without readings nothing answered."""
        before = self.health[ordinal]
        site = self.fleet.devices[ordinal].site
        if readings is None and began is not None and began < self._lit_at.get(site, began):
            # Asked before the site came back: that silence is the old one, and says nothing of the device since.
            self._ask([ordinal])
            return
        after = self.health[ordinal] = after_poll(before, readings is not None, at, self._confirm(site))
        if site in self._waiters:
            self._touched |= self._waiters.pop(site)
        if readings is not None:
            self._last_answer[site] = at
            self._signs.note(ordinal, readings, at)
            self._note_lines(ordinal, site, readings, at)
            broken = faults(readings)
            looked = looked_at(readings)
            news = broken != self._faults.get(ordinal, ()) or looked != self._looked.get(ordinal, ())
            if before.state is not DeviceState.UP or news:
                self._faults[ordinal] = broken
                if looked or ordinal in self._looked:
                    self._looked[ordinal] = looked
                self._touched.add(site)
            if before.state is not DeviceState.UP:
                self._excused.discard(ordinal)
                self._came_back(ordinal, site, at, before)
            self._inquiry.polled(site, at)
            return
        self._touched.add(site)
        if after.state is DeviceState.SUSPECT:
            self._suspect(ordinal, site, after.since)
        elif before.state is not DeviceState.SILENT:
            self._faults.pop(ordinal, None)
            if all(self.health[other].state is DeviceState.SILENT for other in self.fleet.at_site[site]):
                self._fell_dark(site, at)
        self._inquiry.polled(site, at)

    def _note_lines(self, ordinal: int, site: int, readings: Readings, at: float) -> None:
        """A site with several lines of which one is down serves on: no outage of the site, but one of the line."""
        ports = self.fleet.devices[ordinal].uplink_ports
        if len(ports) < 2:
            return
        self._lines.polled(ordinal, readings, at)
        for number, down in enumerate(lines_down(readings, ports)):
            said = verdict, reason = line_verdict(down, self.hears(ordinal, number))
            if self._said_of_lines.get((ordinal, number)) != said:
                self._said_of_lines[ordinal, number] = said
                device = self.fleet.devices[ordinal]
                node = place_node(device.id, device.places[number] if device.places else number)
                self._say(SiteEvent(at, node, Aspect.REACHABLE, verdict, reason))
        lost = lost_line(readings, ports)
        if lost != self._lines_down.get(ordinal):
            if lost is None:
                del self._lines_down[ordinal]
            else:
                self._lines_down[ordinal] = lost
            self._say_reachable(site, at)

    def _say_reachable(self, site: int, at: float) -> None:
        """It answers; the reason of this yes names a router that has lost one of its lines."""
        short = next((one for one in self.fleet.at_site[site] if one in self._lines_down), None)
        reason = "" if short is None else f"{self.fleet.devices[short].role}:line_down"
        self._set_verdict(site, Aspect.REACHABLE, Verdict.YES, reason, at)

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

    def _came_back(self, ordinal: int, site: int, at: float, before: DeviceHealth) -> None:
        if (outage := self._device_outages.pop(ordinal, None)) is not None:
            self._end_of_silence(outage, site, at, before)
        was_dark = self._dark.pop(site, None) is not None
        explained = self._outage_of.pop(site, None)
        if was_dark or explained is not None:
            self._lit_at[site] = at
            self._judged_from.pop(site, None)
            self._ask(other for other in self.fleet.at_site[site] if other != ordinal)
            self._ask(device for below in self.fleet.tree.beneath(site) for device in self.fleet.at_site[below])
        if explained is not None and self._incidents.root(explained) == site:
            self._release(explained, at)
        if before.state is DeviceState.SILENT:
            self._inquiry.answered(ordinal, site, before.last_answer)
        self._say_reachable(site, at)

    def _end_of_silence(self, outage: str, site: int, at: float, before: DeviceHealth) -> None:
        """A device that was silent by itself answers. If its whole LAN was, the others are asked and judged afresh."""
        self._incidents.end(outage, at, before.last_answer)
        others = [ordinal for ordinal, id in self._device_outages.items() if id == outage]
        if others:
            self._lit_at[site] = at
            self._ask(others)
            self._touched.add(site)
        for ordinal in others:
            del self._device_outages[ordinal]

    def _release(self, outage: str, at: float) -> None:
        """The node to blame answers: what is still dark beneath needs another cause, from polls after now."""
        self._incidents.end(outage, at)
        for site in [site for site, explained in self._outage_of.items() if explained == outage]:
            del self._outage_of[site]
            self._judged_from[site] = at
            self._touched.add(site)

    def settle(self, at: float) -> None:
        """Judge what the polls so far allow to be judged; call it after each batch of finished polls.

        What cannot be decided yet waits for news of the site or of those above it: a thousand open questions cost
        nothing while nothing happens to them.
        """
        if self.promises.advance(at):
            self._promises_changed(at)
        self._incidents.calm_down(at)
        while self._touched:
            touched, self._touched = self._touched, set()
            unexplained = [site for site in touched if site in self._dark and site not in self._outage_of]
            if unexplained:
                self._explain_dark_sites(unexplained)
            for site in touched:
                if not self._judge_devices(site):
                    self._wait(site)
                self._judge_service(site, at)

    def _promises_changed(self, at: float) -> None:
        """Service hours began or ended, or a maintenance window did."""
        self._touched.update(self.fleet.devices[ordinal].site for ordinal in self._excused)
        self._incidents.promises_changed(at)

    def _wait(self, site: int) -> None:
        for cause in (site, *self.fleet.tree.uplinks[site]):
            self._waiters.setdefault(cause, set()).add(site)

    def _explain_dark_sites(self, unexplained: Sequence[int]) -> None:
        """Find the cause of these; what hangs on their answer is looked at next."""
        unexplained = [site for site in unexplained if not self._is_closed(site)]
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

    def _is_closed(self, site: int) -> bool:
        """Whether every device of a dark site is outside its hours: then that is no outage."""
        devices = self.fleet.at_site[site]
        if any(self.promises.due(ordinal) for ordinal in devices):
            return False
        self._excused.update(devices)
        self._set_verdict(site, Aspect.REACHABLE, Verdict.NO, DeviceState.OFF_HOURS, self._dark[site])
        return True

    def _explain(self, site: int, root: int) -> None:
        since = max(self._dark[site], self._judged_from.get(site, 0.0))
        outage = self._outage_of.get(root)
        if outage is None:
            began = max(self._dark[root], self._judged_from.get(root, 0.0))
            beneath = bool(self.fleet.tree.children(root))
            scope, cause = (Scope.UPLINK, Cause.AGGREGATION) if beneath else (Scope.SITE, Cause.ACCESS)
            outage = self._incidents.start(scope, self.fleet.sites[root], root, cause, began)
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
        alone: dict[int, float] = {}  # since when each is silent by itself
        if any(self.health[device].state is DeviceState.SUSPECT for device in devices):
            return False
        for ordinal in devices:
            health = self.health[ordinal]
            if health.state is not DeviceState.SILENT or ordinal in self._device_outages:
                continue
            # Alone only if the site answered after it fell silent, and it was asked after the site came back; and what
            # else is silent there is known once its neighbours were asked since, which happens at once.
            if (
                health.asked <= self._lit_at.get(site, 0.0)
                or not self._answered_since(site, health.since)
                or any(self._not_asked_since(other, health.since) for other in devices)
            ):
                decided = False
                continue
            if not self.promises.due(ordinal):
                self._excused.add(ordinal)
                continue
            self._excused.discard(ordinal)
            alone[ordinal] = max(health.since, self._lit_at.get(site, 0.0), self.promises.due_since(ordinal))
        if self._are_the_lan(alone, site):
            id = self._incidents.start(Scope.LAN, self.fleet.sites[site], site, Cause.DEVICE, min(alone.values()))
            self._device_outages.update(dict.fromkeys(alone, id))
            return decided
        for ordinal, since in alone.items():
            id = self.fleet.devices[ordinal].id
            self._device_outages[ordinal] = self._incidents.start(Scope.DEVICE, id, site, Cause.DEVICE, since, ordinal)
        return decided

    def _are_the_lan(self, alone: Mapping[int, float], site: int) -> bool:
        """Whether these fell together, and no terminal of the site that should answer does."""
        if len(alone) < _TERMINALS or max(alone.values()) - min(alone.values()) > TOGETHER_S:
            return False
        terminals = self.fleet.terminals(site)
        return alone.keys() <= set(terminals) and all(
            ordinal in alone or ordinal in self._excused or ordinal in self._device_outages for ordinal in terminals
        )

    def _not_asked_since(self, ordinal: int, moment: float) -> bool:
        health = self.health[ordinal]
        return health.state is DeviceState.UP and health.asked < moment

    def state(self, ordinal: int) -> DeviceState:
        """A device's state as people see it: switched off outside its hours is not silent."""
        state = self.health[ordinal].state
        return DeviceState.OFF_HOURS if state is DeviceState.SILENT and ordinal in self._excused else state

    def _judge_service(self, site: int, at: float) -> None:
        devices = self.fleet.at_site[site]
        parts = [
            Part(
                device.role, device.device_class, self.state(ordinal), self._faults.get(ordinal, ()),
                self._looked.get(ordinal, ()),
            )
            for ordinal in devices
            for device in (self.fleet.devices[ordinal],)
        ]  # fmt: skip
        dark = site in self._dark and not all(ordinal in self._excused for ordinal in devices)
        verdict, reason = (Verdict.NO, "dark") if dark else working(parts)
        if verdict is not Verdict.UNKNOWN or reason == DeviceState.OFF_HOURS:
            self._set_verdict(site, Aspect.WORKING, verdict, reason, at)
        for aspect, judged in ((Aspect.PLATFORM, platform), (Aspect.PERIPHERALS, peripherals)):
            known = (site, aspect) in self._verdicts
            verdict, reason = (Verdict.NO, "dark") if dark and known else judged(parts)
            if verdict is not Verdict.UNKNOWN or known:  # where nobody looks any more, the last proof goes on no longer
                self._set_verdict(site, aspect, verdict, reason, at)

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
