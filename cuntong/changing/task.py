"""What one Ansible task does for one device. Everything that the worker process needs is found here, once a process."""

import gc
import os
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine

from api.actions.grants import Action
from cuntong import identity
from cuntong.changing.approving import require_approved
from cuntong.changing.keeping import back_up, baseline
from cuntong.changing.lines import Measure, barred
from cuntong.changing.outcomes import begun, outcomes
from cuntong.changing.planning import require_scope, tasks_for, templates_of
from cuntong.changing.reach import Reach, platform_of, reach
from cuntong.changing.reading import read_each
from cuntong.changing.returning import way_back
from cuntong.changing.worker import change_device
from cuntong.errors import StartError
from cuntong.settings import Settings, settings
from inventory.cache import default_folder
from inventory.errors import CuntongError
from inventory.loader import load
from inventory.model import Inventory
from ledger import rollouts
from ledger.database import open_ledger
from ledger.errors import LedgerError
from ledger.rollouts import KeptPlan, RunState
from ledger.settling import UnsettledError
from ledger.vault import open_vault
from rollout.change import Outcome
from rollout.compliance import load_baseline
from rollout.errors import PlanRefusedError
from rollout.plan import DevicePlan, Plan, Readiness, canonical, read, sha256
from rollout.planning import plan_device
from rollout.platform import Platform
from rollout.remediation import predict, remediate
from rollout.running import redact
from rollout.transaction import read_running

_DIRECT: Final = "ansible-"
_DIRECT_S: Final = 3600.0
"""The lease of a run that Ansible by hand leads: no controller renews it, each worker does."""


@cache
def _wired() -> tuple[Settings, Inventory, Reach]:
    given = settings()
    folder = os.environ.get("CUNTONG_INVENTORY")
    if not folder:
        raise StartError("CUNTONG_INVENTORY does not say which inventory; set it to the folder.")
    inventory = load(Path(folder), cache=default_folder())
    return given, inventory, reach(inventory, given)


@cache
def _plan_of(ledger_url: str, run: str) -> tuple[KeptPlan, Plan]:
    """The plan of a controller's run; it is known by its hash and never changes."""
    engine = open_ledger(ledger_url)
    try:
        with engine.connect() as connection:
            kept = rollouts.find_plan(connection, rollouts.find_run(connection, run).plan)
    finally:
        engine.dispose()
    return kept, read(kept.document)


def warm() -> None:
    """Do in Ansible's parent process what every worker would do again: each is a fork that lives for one device.

    The inventory and its profiles are read, and one device of each platform is planned on its own bootstrap file, so
    that patterns and tables are compiled; the plan of the run that is under way is read once for all of its devices.
    Then the garbage collector is told to leave all of it alone: a worker that walked over it would copy the memory that
    it shares with its parent. What is wrong with the inventory is told by the first task, as of one device.
    """
    with suppress(CuntongError, OSError):
        given, inventory, way = _wired()
        templates = templates_of(inventory)
        seen: set[Platform] = set()
        for device in inventory.devices:
            platform = platform_of(inventory, device)
            if platform is not None and platform not in seen:
                seen.add(platform)
                running = templates.render(inventory, device, platform, "bootstrap")
                intended = templates.render(inventory, device, platform)
                remediate(platform, running, intended, manager=str(way.network.manager))
        if run := os.environ.get("CUNTONG_RUN"):
            _plan_of(given.ledger_url, run)
        open_ledger(given.ledger_url).dispose()
    gc.collect()
    gc.freeze()


def plan_one(device_id: str) -> tuple[DevicePlan, str, str]:
    """What would change on a device, read anew; its configuration before and after, secrets masked."""
    _, inventory, way = _wired()
    (task,) = tasks_for(inventory, [inventory.devices.find(device_id)], way, templates_of(inventory))
    planned = plan_device(task, read_running)
    platform = planned.plan.platform
    if planned.running is None:
        return planned.plan, "", ""
    before = redact(platform, planned.running)
    after = redact(platform, predict(platform, planned.running, planned.plan.commands))
    return planned.plan, before, after if planned.plan.commands else before


def back_up_one(device_id: str, *, keep: bool) -> dict[str, Any]:
    """Read a device and keep what it says; what Ansible is told of it.

    Raises:
        CuntongError: it cannot be read, or this person may not.
    """
    given, inventory, way = _wired()
    devices = [inventory.devices.find(device_id)]
    engine = open_ledger(given.ledger_url)
    try:
        actor = identity.actor(engine)
        if not keep:
            require_scope(actor, Action.TAKE_BACKUP, inventory, devices)
            (read,) = read_each(inventory, devices, way, 1, 1)
            if read.text is None:
                raise StartError(read.said)
            return {"changed": False}
        (taken,) = back_up(inventory, devices, way, engine, open_vault(given.vault_key_path), actor, 1, 1)
    finally:
        engine.dispose()
    if taken.said:
        raise StartError(taken.said)
    return {"changed": taken.changed, "cuntong_fingerprint": taken.fingerprint}


def judge_one(device_id: str) -> dict[str, Any]:
    """A device's newest backup by the baseline."""
    given, inventory, way = _wired()
    engine = open_ledger(given.ledger_url)
    try:
        identity.actor(engine)
        vault = open_vault(given.vault_key_path)
        (row,) = baseline(inventory, [inventory.devices.find(device_id)], way, load_baseline(), engine, vault)
    finally:
        engine.dispose()
    return row


def change_one(device_id: str, run: str, epoch: int, plan_start: str, reverses: str) -> Outcome | None:
    """Change a device as its run says; None where the plan changes nothing on it.

    Args:
        run: of a controller, with its epoch; empty where Ansible was started by hand with an approved plan, or to
            undo a run.

    Raises:
        CuntongError: it may not be changed now, or not like this.
    """
    given, inventory, way = _wired()
    engine = open_ledger(given.ledger_url)
    try:
        if run:
            kept, plan = _plan_of(given.ledger_url, run)
        else:
            name = _way_back(engine, reverses) if reverses else plan_start
            run, epoch, kept, plan = _direct(engine, inventory, name, device_id)
        if not any(device.device == device_id and device.readiness is Readiness.READY for device in plan.devices):
            return None
        vault = open_vault(given.vault_key_path)
        return change_device(inventory, way, engine, vault, plan, kept.sha256, run, epoch, device_id)
    finally:
        engine.dispose()


def _way_back(engine: Engine, reverses: str) -> str:
    """The hash of the plan that undoes a run; every worker comes to the same one."""
    with engine.begin() as connection:
        undone = rollouts.find_run(connection, reverses)
        if undone.state is not RunState.ENDED and not undone.id.startswith(_DIRECT):
            raise PlanRefusedError(f"Run {reverses} has not ended.")
        events = rollouts.events(connection, reverses, kinds=["device"])
        if not events:
            raise PlanRefusedError(f"Run {reverses} left nothing changed: there is nothing to undo.")
        forward = read(rollouts.find_plan(connection, undone.plan).document)
        back = way_back(undone, forward, outcomes(events), undone.started_by, events[-1][1].at)
        document = canonical(back)
        name = sha256(document)
        rollouts.keep_plan(connection, KeptPlan(name, undone.started_by, back.title, back.made_at, document))
        return name


def _direct(engine: Engine, inventory: Inventory, plan_start: str, device_id: str) -> tuple[str, int, KeptPlan, Plan]:
    """Join, or begin, the run by which Ansible carries out a plan without our controller.

    Raises:
        PlanRefusedError: no approved plan is named, or an earlier wave has not ended.
    """
    if not plan_start:
        raise PlanRefusedError(
            "Nothing is changed without an approved plan: `cuntong plan`, `cuntong approve`, then either "
            "`cuntong apply` or -e cuntong_plan=HASH. With --check this shows what would change."
        )
    now = time.time()
    require_scope(identity.actor(engine), Action.RUN_PLAN, inventory, [inventory.devices.find(device_id)])
    with engine.connect() as connection:
        kept = rollouts.find_plan(connection, plan_start)
        plan = read(kept.document)
        require_approved(connection, kept, plan, now)
    id = f"{_DIRECT}{kept.sha256[:12]}"
    try:
        run = rollouts.start(engine, id, kept.sha256, kept.author, "ansible", now, _DIRECT_S)
    except UnsettledError:
        raise
    except LedgerError:
        with engine.connect() as connection:
            run = rollouts.find_run(connection, id)
    wave = plan.wave_of(device_id)
    measure = Measure(settings().line_proof_s, settings().interval_s)
    with engine.begin() as connection:
        if not begun(connection, id, device_id):
            for why in barred(connection, inventory, plan, [device_id], measure, now).values():
                raise PlanRefusedError(f"{why} Nothing was sent to it.")
        if run.state is RunState.ENDED or rollouts.renew(connection, run, now, _DIRECT_S) is not RunState.RUNNING:
            raise PlanRefusedError(f"Run {id} does not go on. `cuntong runs {id}` shows why.")
        done = outcomes(rollouts.events(connection, id, kinds=["device"]))
    earlier = [device for one in plan.waves[: max(0, wave - 1)] for device in one.devices if device not in done]
    if earlier:
        raise PlanRefusedError(
            f"{device_id} is in wave {wave}, and {len(earlier)} of earlier waves are not done ({earlier[0]}). "
            "`cuntong apply` keeps the order by itself."
        )
    return run.id, run.epoch, kept, plan
