"""Ansible's door to what a kiosk has to start anew, and to its firewall's dead-man."""

from typing import Any

from ansible.plugins.action import ActionBase

from cuntong.changing import kiosk_task
from inventory.errors import CuntongError

DOCUMENTATION = """
module: cuntong_kiosk_settle
short_description: Start anew what changed on a kiosk; a new firewall stays only if a new login comes through it
options:
  units:
    description: Units that are enabled and run.
    type: list
    elements: str
  service_command:
    description: The program that starts units, with systemctl's words.
    type: str
  confirm_s:
    description: Seconds after which the old firewall comes back unless the new one was proved.
    type: int
"""


class ActionModule(ActionBase):
    """Settles one kiosk. It is a handler: in check mode it is not called, since nothing changed."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        if self._task.check_mode:
            return {**result, "changed": True}
        try:
            return {**result, **kiosk_task.settle(kiosk_task.runs_on(self), self._connection.reset, self._task.args)}
        except CuntongError as error:
            return {**result, "failed": True, "msg": str(error)}
