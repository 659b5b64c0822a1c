"""Ansible's door to the baseline of kiosks."""

from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

from cuntong.changing import kiosk_task
from inventory.errors import CuntongError

DOCUMENTATION = """
module: cuntong_kiosk_audit
short_description: Judge one kiosk by the baseline B30 to B45, item by item with evidence; nothing is changed
options:
  strict:
    description: An item that fails makes the task fail.
    type: bool
"""


class ActionModule(ActionBase):
    """Judges one kiosk by what its files and programs say."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        try:
            told = kiosk_task.audit(kiosk_task.runs_on(self), (task_vars or {})["inventory_hostname"])
        except CuntongError as error:
            return {**result, "failed": True, "msg": str(error)}
        broken = [row["item"] for row in told.get("results", ()) if row["mark"] == "fail"]
        if broken and boolean(self._task.args.get("strict", False)):
            told |= {"failed": True, "msg": f"does not conform: {', '.join(broken)}"}
        return {**result, **told}
