"""Ansible's door to the baseline."""

from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

from cuntong.changing import task
from inventory.errors import CuntongError

DOCUMENTATION = """
module: cuntong_baseline
short_description: Judge one router's newest backup by the baseline, item by item with evidence
options:
  strict:
    description: An item that fails makes the task fail.
    type: bool
"""

task.warm()  # here, in Ansible's parent process, once for all of its workers


class ActionModule(ActionBase):
    """Judges one host; nothing is asked of it."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        try:
            told = task.judge_one((task_vars or {})["inventory_hostname"])
        except CuntongError as error:
            return {**result, "failed": True, "msg": str(error)}
        missed = [one["item"] for one in told["results"] if one["mark"] == "fail"]
        if told["said"] or (missed and boolean(self._task.args.get("strict", False))):
            return {**result, "failed": True, "msg": told["said"] or f"does not pass {', '.join(missed)}", **told}
        return {**result, "changed": False, **told}
