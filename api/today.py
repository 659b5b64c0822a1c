"""What waits for one person today, by what he may do: each a number, a few names, and where to go."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from api import outage_facts
from api.actions.grants import Action, allowed
from api.bulletins import BULLETIN
from api.handling import Handling, handling_of
from api.periods import months_before
from api.sign_offs import LEDGER, sign_offs
from api.standing import CHINA
from api.view import View
from health.duedates import Signing
from health.outage import Outage
from inventory.circuits import ending
from ledger import appeals, handovers, history, jobs, outage_notes, reports, rollouts, run_figures, tasks
from ledger.accounts import Account, Role
from ledger.rollouts import RunState
from ledger.tasks import TaskState

NAMES: Final = 5
"""How many are named; the view behind the link has them all."""
_AHEAD: Final = timedelta(days=5)  # a signature that is due so soon is worth a word


_AT_THE_PAGE: Final = frozenset({Role.TOWNSHIP_CLERK, Role.VILLAGE_AGENT})
"""Who has no terminal, and is told no command."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that waits. ``link`` is an address of the page, ``command`` what one types; either may be empty."""

    kind: str
    count: int
    urgent: bool
    names: Sequence[str]
    link: str = ""
    command: str = ""


class Today:
    """The working day of one account."""

    def __init__(self, view: View, account: Account) -> None:
        self._view, self._account = view, account
        self._standing = view.standing
        self._today: date = datetime.fromtimestamp(self._standing.now(), CHINA).date()

    def items(self) -> list[Item]:
        """Everything that waits, the urgent first; what does not wait is not there."""
        may = allowed(self._account)
        found: list[Item] = []
        with self._standing.query() as connection:
            for action, look in self._looks().items():
                if action in may:
                    found += [item for item in look(connection) if item.count]
        if {grant.role for grant in self._account.grants} <= _AT_THE_PAGE:
            found = [replace(item, command="") if item.link else item for item in found]
        return sorted(found, key=lambda item: not item.urgent)

    def _looks(self) -> dict[Action, Callable[[Connection], Iterator[Item]]]:
        return {
            Action.ACKNOWLEDGE: self._outages,
            Action.HAND_OVER: self._shift,
            Action.APPROVE_PLAN: self._plans_to_approve,
            Action.RUN_PLAN: self._plans_to_run,
            Action.AUTHOR_PLAN: self._network,
            Action.TAKE_BACKUP: self._jobs,
            Action.WORK_ON_TASK: self._tasks_due,
            Action.CLOSE_TASK: self._tasks_to_close,
            Action.RULE_ON_APPEAL: self._appeals,
            Action.SIGN: self._ledger,
            Action.PUBLISH: self._bulletin,
            Action.CLAIM: self._contradictions,
        }

    def _outages(self, connection: Connection) -> Iterator[Item]:
        seen = [one for one in history.outages(connection, open_only=True) if self._sees(one)]
        handling = {one.id: handling_of(one, outage_notes.of_outage(connection, one.id)).state for one in seen}
        waiting = [one for one in seen if handling[one.id] is Handling.OPEN and one.window is None]
        yield Item(
            "outages_open", len(waiting), True, self._names(waiting), "/outages?handling=open", "cuntong outage list"
        )
        rest = [one for one in seen if one not in waiting]
        yield Item("outages_running", len(rest), False, self._names(rest), "/outages", "cuntong outage list")

    def _sees(self, one: Outage) -> bool:
        site, _ = outage_facts.name_of(self._standing.inventory, one)
        return any(self._view.sees_id(id) for id in ((site,) if site else ()) + one.sites)

    def _names(self, outages: Sequence[Outage]) -> list[str]:
        return [self._name(one) for one in outages[:NAMES]]

    def _name(self, one: Outage) -> str:
        """The failed node; where that is somebody else's, the first of one's own sites that it darkens."""
        inventory = self._standing.inventory
        site, name = outage_facts.name_of(inventory, one)
        if site is not None and self._view.sees_id(site):
            return name
        mine = self._view.seen_ids(one.sites)
        return inventory.sites.names[inventory.sites.index[mine[0]]] if mine else ""

    def _shift(self, connection: Connection) -> Iterator[Item]:
        (newest, *_) = [*handovers.newest(connection, self._standing.inventory.top, 1), None]
        waits = newest is not None and not newest.taken_by and newest.by != self._account.name
        yield Item("handover_waiting", int(waits), True, [newest.by] if newest and waits else [], "/shift")

    def _plans_to_approve(self, connection: Connection) -> Iterator[Item]:
        found = [
            one
            for one in rollouts.waiting_plans(connection, self._standing.now())
            if not one.approved and one.author != self._account.name
        ]
        yield Item(
            "plans_to_approve", len(found), False, [f"{one.sha256[:8]} {one.title}" for one in found[:NAMES]],
            command="cuntong approve HASH",
        )  # fmt: skip

    def _plans_to_run(self, connection: Connection) -> Iterator[Item]:
        found = [one for one in rollouts.waiting_plans(connection, self._standing.now()) if one.approved]
        names = [f"{one.sha256[:8]} {one.title}" for one in found[:NAMES]]
        yield Item("plans_to_run", len(found), False, names, command="cuntong apply HASH")
        runs = [one for one in rollouts.every_run(connection) if one.state is not RunState.ENDED]
        yield Item("runs_open", len(runs), True, [one.id for one in runs[:NAMES]], command="cuntong runs")

    def _network(self, connection: Connection) -> Iterator[Item]:
        drifted = sorted(id for id, kept in run_figures.newest_kept(connection).items() if kept.drifted)
        yield Item("drifted", len(drifted), False, drifted[:NAMES], command="cuntong drift")
        inventory = self._standing.inventory
        soon = ending(inventory, self._today)
        names = [f"{one.number or inventory.sites.names[one.site]} {one.contract_until}" for one in soon[:NAMES]]
        yield Item("contracts_ending", len(soon), False, names, command="cuntong circuit list --ending")

    def _jobs(self, connection: Connection) -> Iterator[Item]:
        county = self._standing.inventory.top
        failed = sorted(
            name for name, run in jobs.newest_runs(connection, county).items() if run.outcome is jobs.Outcome.FAILED
        )
        yield Item("work_failed", len(failed), True, failed[:NAMES], command="cuntong jobs")

    def _tasks_due(self, connection: Connection) -> Iterator[Item]:
        found = [one for one in self._tasks(connection) if one.state is TaskState.OPEN and one.due_on <= self._today]
        late = any(one.overdue(self._today) for one in found)
        yield Item("tasks_due", len(found), late, [one.assignment.title for one in found[:NAMES]], "/tasks")

    def _tasks_to_close(self, connection: Connection) -> Iterator[Item]:
        found = [one for one in self._tasks(connection) if one.state is TaskState.RECTIFIED]
        yield Item("tasks_to_close", len(found), False, [one.assignment.title for one in found[:NAMES]], "/tasks")

    def _tasks(self, connection: Connection) -> list[tasks.Task]:
        return [one for one in tasks.every(connection) if self._view.sees_code(one.assignment.division)]

    def _appeals(self, connection: Connection) -> Iterator[Item]:
        found = [one for one in appeals.every(connection) if one.ruling is None and self._view.sees_id(one.site)]
        late = any(one.due_on <= self._today for one in found)
        yield Item("appeals_to_rule", len(found), late, [one.what for one in found[:NAMES]], "/tasks")

    def _ledger(self, _: Connection) -> Iterator[Item]:
        month = f"{self._today:%Y-%m}"
        owed = sign_offs(self._standing, month)
        nodes = self._standing.inventory.nodes
        unsigned = [
            one.division
            for one in owed.rows
            if one.state in (Signing.PENDING, Signing.MISSING) and self._view.sees_code(one.division)
        ]
        if self._today < owed.due - _AHEAD:
            return
        names = [nodes.names[nodes.index[code]] for code in unsigned[:NAMES]]
        command = f"cuntong report sign {month} CODE"
        yield Item(f"{LEDGER}_unsigned", len(unsigned), self._today > owed.due, names, "/bulletins", command)

    def _bulletin(self, connection: Connection) -> Iterator[Item]:
        (month,) = months_before(self._today, 1)
        nodes = self._standing.inventory.nodes
        missing = [
            nodes.names[place]
            for place in self._view.roots()
            if reports.fetch(connection, BULLETIN, month, nodes.codes[place]) is None
        ]
        yield Item("bulletin_unpublished", len(missing), False, [month], "/bulletins")

    def _contradictions(self, _: Connection) -> Iterator[Item]:
        snapshot, inventory = self._standing.snapshot, self._standing.inventory
        found = [
            site
            for site in snapshot.contradicting[self._standing.main_requirement].tolist()
            if self._view.sees_site(site)
        ]
        yield Item("contradictions", len(found), False, [inventory.sites.names[site] for site in found[:NAMES]], "/")
