"""``cuntong kiosks``: leads a playbook through the kiosks of a scope, a canary site first.

Each wave is one ansible-runner run. What a kiosk came to is read from Ansible's own events; the controller sends
nothing to kiosks. A kiosk that we do not set up (Windows, a partner's) is listed with its reason.
"""

import json
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import ansible_runner
from sqlalchemy import Engine

from api.actions.grants import Action
from cuntong.changing.applying import envvars, new_run_id, private_folder
from cuntong.changing.planning import PLAYBOOKS, require_scope
from cuntong.changing.reach import KNOWN_HOSTS
from cuntong.changing.scope import devices_in
from cuntong.errors import StartError, UsageError
from cuntong.secrets import resolver
from cuntong.settings import Settings
from inventory.devices import Device
from inventory.model import Inventory
from inventory.vocabulary import DeviceClass
from ledger import audit
from ledger.accounts import Account
from rollout.kiosk_facts import why_not

SITES_A_WAVE: Final = 25
FAILED_RATIO: Final = 0.2
"""Of a wave after the canary; a larger share than this stops the run."""

_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")


class State(StrEnum):
    """What a kiosk came to."""

    OK = "ok"
    CHANGED = "changed"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    SKIPPED = "skipped"
    NOT_REACHED = "not_reached"


@dataclass(frozen=True)
class KioskOutcome:
    """One kiosk. ``files`` are those that changed (or would); ``results`` the baseline's, of an audit."""

    kiosk: str
    state: State
    reason: str = ""
    files: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    diff: str = ""
    results: tuple[Mapping[str, str], ...] = ()

    def as_json(self) -> dict[str, Any]:
        told = {"kiosk": self.kiosk, "state": str(self.state), "reason": self.reason}
        results = {"results": [dict(one) for one in self.results]} if self.results else {}
        return {**told, "files": list(self.files), "done": list(self.done), **results}


@dataclass(frozen=True)
class Task:
    """What the playbook is run for. ``variables`` are role variables, never secrets."""

    playbook: str = "kiosk.yml"
    check: bool = False
    diff: bool = False
    forks: int = 10
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ended:
    """A run. ``stopped`` is one sentence, empty where every wave went through."""

    run: str
    waves: tuple[tuple[str, ...], ...]
    outcomes: tuple[KioskOutcome, ...]
    stopped: str

    @property
    def ok(self) -> bool:
        return not self.stopped and all(one.state in (State.OK, State.CHANGED, State.SKIPPED) for one in self.outcomes)


def kiosks_in(inventory: Inventory, scope: str) -> tuple[list[Device], list[KioskOutcome]]:
    """The kiosks of a scope that we set up, and those that we do not, each with the reason.

    Raises:
        UsageError: nothing in the inventory is meant, or nothing of it is a kiosk.
    """
    kiosks = [device for device in devices_in(inventory, scope) if device.device_class is DeviceClass.KIOSK]
    if not kiosks:
        raise UsageError(f"{scope!r} holds no kiosk.")
    reasons = {device.id: why_not(inventory, device) for device in kiosks}
    skipped = [KioskOutcome(id, State.SKIPPED, reason) for id, reason in reasons.items() if reason]
    return [device for device in kiosks if not reasons[device.id]], skipped


def waves_of(devices: Sequence[Device]) -> list[list[Device]]:
    """A canary site, then the rest, some sites at a time. The kiosks of a site go together, one site is never split."""
    sites = list(dict.fromkeys(device.site for device in devices))
    first, rest = sites[:1], sites[1:]
    chosen = [first, *(rest[n : n + SITES_A_WAVE] for n in range(0, len(rest), SITES_A_WAVE))]
    return [[device for device in devices if device.site in wave] for wave in chosen if wave]


def run_kiosks(
    inventory: Inventory,
    settings: Settings,
    engine: Engine,
    actor: Account,
    scope: str,
    task: Task,
    tell: Callable[[KioskOutcome], None] = lambda _: None,
    keep: Path | None = None,
) -> Ended:
    """Run the playbook through the waves, and write into the audit chain what came of it.

    Args:
        tell: hears each kiosk's outcome as it ends.
        keep: a folder in which what ansible-runner wrote stays; otherwise it is gone with the run.

    Raises:
        ForbiddenError: the actor may not.
        StartError: the inventory does not say how kiosks are set up.
        UsageError: the scope means nothing.
    """
    if inventory.county.kiosks is None:
        raise StartError(f"{inventory.folder / 'county.yml'} has no `kiosks`: nothing says how kiosks are set up.")
    devices, skipped = kiosks_in(inventory, scope)
    require_scope(actor, Action.RUN_PLAN, inventory, devices)
    for one in skipped:
        tell(one)
    run = new_run_id(time.time())
    detail = {"scope": scope, "playbook": task.playbook, "check": task.check, "kiosks": len(devices)}
    with engine.begin() as connection:
        audit.record(connection, time.time(), actor.name, "kiosks.start", run, detail)
    waves, done, stopped = waves_of(devices), dict[str, KioskOutcome](), ""
    try:
        for number, wave in enumerate(waves, 1):
            hosts = [device.id for device in wave]
            came = _Wave(inventory, settings, task, f"{run}-{number}", hosts, tell).go(keep)
            done |= came
            stopped = _judge(number, list(came.values()))
            if stopped:
                break
    finally:
        counted = {state: sum(one.state is state for one in done.values()) for state in State}
        told = {str(state): count for state, count in counted.items() if count} | {"why": stopped}
        with engine.begin() as connection:
            audit.record(connection, time.time(), actor.name, "kiosks.end", run, told)
    missed = KioskOutcome("", State.NOT_REACHED, "its wave was not begun")
    outcomes = [done.get(device.id, _named(missed, device.id)) for device in devices]
    return Ended(run, tuple(tuple(device.id for device in wave) for wave in waves), (*outcomes, *skipped), stopped)


def _named(outcome: KioskOutcome, kiosk: str) -> KioskOutcome:
    return KioskOutcome(kiosk, outcome.state, outcome.reason)


def _judge(number: int, came: Sequence[KioskOutcome]) -> str:
    """Why the next wave may not begin; empty where it may."""
    bad = [one for one in came if one.state not in (State.OK, State.CHANGED)]
    if not bad or (number > 1 and len(bad) <= FAILED_RATIO * len(came)):
        return ""
    wave = "The canary site failed" if number == 1 else f"{len(bad)} of {len(came)} kiosks of wave {number} failed"
    return f"{wave}: {bad[0].kiosk}: {bad[0].reason}"


class _Wave:
    """One ansible-runner run, heard event by event."""

    def __init__(
        self,
        inventory: Inventory,
        settings: Settings,
        task: Task,
        ident: str,
        hosts: Sequence[str],
        tell: Callable[[KioskOutcome], None],
    ) -> None:
        self._inventory, self._settings, self._task, self._ident = inventory, settings, task, ident
        self._hosts, self._tell = hosts, tell
        self._results: dict[str, list[tuple[str, Mapping[str, Any]]]] = {host: [] for host in hosts}

    def go(self, keep: Path | None) -> dict[str, KioskOutcome]:
        with private_folder() as folder:
            private = keep or folder
            private.mkdir(mode=0o700, parents=True, exist_ok=True)
            limit, source = folder / "kiosks", folder / "county.cuntong.yml"
            limit.write_text("\n".join(self._hosts) + "\n", "utf-8")
            county = json.dumps(str(self._inventory.folder.resolve()))
            source.write_text(f"plugin: cuntong\nfolder: {county}\n", "utf-8")
            try:
                ssh = self._ssh(folder)
            except StartError as error:
                return self._told({host: KioskOutcome(host, State.FAILED, str(error)) for host in self._hosts})
            flags = [flag for flag, on in (("--check", self._task.check), ("--diff", self._task.diff)) if on]
            ended = ansible_runner.run(
                private_data_dir=str(private),
                project_dir=str(PLAYBOOKS),
                ident=self._ident,
                playbook=self._task.playbook,
                inventory=str(source),
                limit=f"@{limit}",
                forks=self._task.forks,
                extravars=dict(self._task.variables),
                envvars={**envvars(self._settings, self._inventory.folder, folder), **ssh},
                cmdline=" ".join(flags) or None,
                event_handler=self._hear,
                suppress_env_files=True,
                quiet=True,
            )
            with ended.stdout as written:
                said = _COLOURS.sub("", written.read()).strip().splitlines()
        words = " ".join(said[-3:]) if ended.status != "successful" else "Ansible said nothing of it"
        return self._told({host: _outcome(host, self._results[host], words) for host in self._hosts})

    def _told(self, came: dict[str, KioskOutcome]) -> dict[str, KioskOutcome]:
        for one in came.values():
            self._tell(one)
        return came

    def _ssh(self, folder: Path) -> dict[str, str]:
        """How Ansible's ssh finds our keys: the kiosks' in our known_hosts, our own beside what this run writes.

        Raises:
            StartError: our own cannot be opened.
        """
        kiosks = self._inventory.county.kiosks
        known = self._settings.known_hosts or self._inventory.folder / KNOWN_HOSTS
        reference = kiosks.login.private_key if kiosks is not None else None
        key = folder / "key"
        if reference is not None:
            with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write(resolver(self._settings).secret(reference) + "\n")
        options = [
            "ControlMaster=auto",
            "ControlPersist=15s",
            f"UserKnownHostsFile={known}",
            "IdentitiesOnly=yes",
            # First word wins in ssh: ansible-runner by itself would let every host key pass.
            "StrictHostKeyChecking=yes",
            # A kiosk whose session is gone without a word is given up after half a minute, not waited for.
            "ServerAliveInterval=6",
            "ServerAliveCountMax=5",
        ]
        return {
            "ANSIBLE_PRIVATE_KEY_FILE": str(key),
            # Never this user's own keys or settings: what may be reached stands in the inventory alone.
            "ANSIBLE_SSH_ARGS": "-F none " + " ".join(f"-o {option}" for option in options),
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder / "cp"),
            "ANSIBLE_TIMEOUT": "60",
        }

    def _hear(self, event: Mapping[str, Any]) -> bool:
        """True keeps the event, which ansible-runner counts by."""
        kind, data = str(event.get("event", "")), event.get("event_data", {})
        if kind.startswith("runner_on_") and kind != "runner_on_start" and data.get("host") in self._results:
            self._results[data["host"]].append((kind.removeprefix("runner_on_"), data.get("res") or {}))
        return True


def _outcome(host: str, results: Sequence[tuple[str, Mapping[str, Any]]], words: str) -> KioskOutcome:
    """What a kiosk's tasks came to together."""
    if not results:
        return KioskOutcome(host, State.FAILED, f"Ansible did not get as far as this kiosk: {words}")
    files = tuple(_each(results, "cuntong_files"))
    done = tuple(_each(results, "cuntong_done"))
    diff = "".join(_diffs(results))
    rows = tuple(_each(results, "results"))
    for kind, result in results:
        if kind in ("failed", "unreachable"):
            state = State.FAILED if kind == "failed" else State.UNREACHABLE
            return KioskOutcome(host, state, " ".join(str(result.get("msg", "")).split()), files, done, diff, rows)
    changed = any(result.get("changed") for _, result in results)
    return KioskOutcome(host, State.CHANGED if changed else State.OK, "", files, done, diff, rows)


def _each(results: Iterable[tuple[str, Mapping[str, Any]]], key: str) -> Iterator[Any]:
    for _, result in results:
        yield from result.get(key) or ()


def _diffs(results: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[str]:
    import difflib

    for one in _each(results, "diff"):
        yield from difflib.unified_diff(
            str(one.get("before", "")).splitlines(keepends=True),
            str(one.get("after", "")).splitlines(keepends=True),
            str(one.get("before_header", "")),
            str(one.get("after_header", "")),
        )
