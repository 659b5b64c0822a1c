"""What one Ansible task does for one device. Everything that the worker process needs is found here, once a process."""

import os
import time
from functools import cache
from pathlib import Path

from rollout.remediation import predict
from sqlalchemy import Engine

from cuntong.changing.approving import require_approved
from cuntong.changing.outcomes import outcomes
from cuntong.changing.planning import tasks_for, templates_of
from cuntong.changing.reach import Reach, reach
from cuntong.changing.worker import change_device
from cuntong.errors import StartError
from cuntong.settings import Settings, settings
from inventory.cache import default_folder
from inventory.loader import load
from inventory.model import Inventory
from ledger import rollouts
from ledger.database import open_ledger
from ledger.errors import LedgerError
from ledger.rollouts import KeptPlan, RunState
from ledger.vault import open_vault
from rollout.change import Outcome
from rollout.errors import PlanRefusedError
from rollout.plan import DevicePlan, Plan, Readiness, read
from rollout.planning import plan_device
from rollout.running import redact
from rollout.transaction import read_running

_DIRECT_S = 3600.0
"""The lease of a run that Ansible by hand leads: no controller renews it, each worker does."""


@cache
def _wired() -> tuple[Settings, Inventory, Reach]:
    given = settings()
    folder = os.environ.get("CUNTONG_INVENTORY")
    if not folder:
        raise StartError("CUNTONG_INVENTORY does not say which inventory; set it to the folder.")
    inventory = load(Path(folder), cache=default_folder())
    return given, inventory, reach(inventory, given)


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


def change_one(device_id: str, run: str, epoch: int, plan_start: str) -> Outcome | None:
    """Change a device as its run says; None where the plan changes nothing on it.

    Args:
        run: of a controller, with its epoch; empty where Ansible was started by hand with an approved plan.

    Raises:
        CuntongError: it may not be changed now, or not like this.
    """
    given, inventory, way = _wired()
    engine = open_ledger(given.ledger_url)
    try:
        if run:
            with engine.connect() as connection:
                kept = rollouts.find_plan(connection, rollouts.find_run(connection, run).plan)
            plan = read(kept.document)
        else:
            run, epoch, kept, plan = _direct(engine, plan_start, device_id)
        if not any(device.device == device_id and device.readiness is Readiness.READY for device in plan.devices):
            return None
        vault = open_vault(given.vault_key_path)
        return change_device(inventory, way, engine, vault, plan, kept.sha256, run, epoch, device_id)
    finally:
        engine.dispose()


def _direct(engine: Engine, plan_start: str, device_id: str) -> tuple[str, int, KeptPlan, Plan]:
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
    with engine.connect() as connection:
        kept = rollouts.find_plan(connection, plan_start)
        plan = read(kept.document)
        require_approved(connection, kept, plan, now)
    id = f"ansible-{kept.sha256[:12]}"
    try:
        run = rollouts.start(engine, id, kept.sha256, kept.author, "ansible", now, _DIRECT_S)
    except LedgerError:
        with engine.connect() as connection:
            run = rollouts.find_run(connection, id)
    wave = plan.wave_of(device_id)
    with engine.begin() as connection:
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
