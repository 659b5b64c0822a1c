"""Ansible's door to a transaction. What is sent, in which order and under which net stands in rollout/."""

import ctypes
import signal
from typing import Any, Final

from ansible.plugins.action import ActionBase

# At the top, so that Ansible's parent process imports them once and every worker inherits them.
from cuntong.changing import task
from inventory.errors import CuntongError
from rollout.change import ChangeState
from rollout.plan import Readiness

DOCUMENTATION = """
module: cuntong_apply
short_description: Bring one router to its intended configuration, in one transaction
description:
  - In check mode plans the device anew (read-only) and gives the difference in Ansible's form.
  - Otherwise changes it as the approved plan of a run says; see C(cuntong plan), C(cuntong approve).
  - No secret is among the arguments or in the result; they are opened inside, from references.
options:
  run:
    description: A run that a controller leads; C(cuntong apply) gives it.
    type: str
  epoch:
    description: The controller's epoch of that run.
    type: int
  plan:
    description: Hash of an approved plan, where Ansible is started by hand.
    type: str
  reverses:
    description: A run whose changes are to be undone, where Ansible is started by hand.
    type: str
"""

_PR_SET_PDEATHSIG: Final = 1

task.warm()  # here, in Ansible's parent process, once for all of its workers


class ActionModule(ActionBase):
    """Changes one host, or says what would change."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        # Without its parent this worker would be nobody's: it dies with it, and the device's dead-man settles the rest.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        device = (task_vars or {})["inventory_hostname"]
        arguments = self._task.args
        try:
            if self._task.check_mode:
                return {**result, **_planned(device)}
            words = (str(arguments.get(key) or "") for key in ("run", "epoch", "plan", "reverses"))
            return {**result, **_changed(device, *words)}
        except CuntongError as error:
            return {**result, "failed": True, "msg": str(error)}


def _planned(device: str) -> dict[str, Any]:
    plan, before, after = task.plan_one(device)
    told: dict[str, Any] = {
        "changed": plan.readiness is not Readiness.IN_SYNC,
        "cuntong_readiness": str(plan.readiness),
        "cuntong_commands": list(plan.commands),
        "diff": [{"before": before, "after": after, "before_header": "running", "after_header": "planned"}],
    }
    if plan.readiness not in (Readiness.READY, Readiness.IN_SYNC):
        told |= {"failed": True, "changed": False, "msg": f"{plan.readiness}: {plan.reason}"}
    return told


def _changed(device: str, run: str, epoch: str, plan: str, reverses: str) -> dict[str, Any]:
    outcome = task.change_one(device, run, int(epoch or 0), plan, reverses)
    if outcome is None:
        return {"changed": False, "skipped": True, "msg": "the plan changes nothing here"}
    told: dict[str, Any] = {
        "changed": outcome.state is ChangeState.CONFIRMED,
        "cuntong_state": str(outcome.state),
        "cuntong_reason": outcome.reason,
        "cuntong_steps": [[name, round(seconds, 3)] for name, seconds in outcome.steps],
    }
    if outcome.state is not ChangeState.CONFIRMED:
        told |= {"failed": True, "msg": f"{outcome.state}: {outcome.reason}"}
    return told
