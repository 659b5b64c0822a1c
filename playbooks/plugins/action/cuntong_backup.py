"""Ansible's door to a backup of one router."""

from typing import Any

from ansible.plugins.action import ActionBase

from cuntong.changing import task
from inventory.errors import CuntongError

DOCUMENTATION = """
module: cuntong_backup
short_description: Read one router (read-only) and keep what it says, sealed and redacted
"""

task.warm()  # here, in Ansible's parent process, once for all of its workers


class ActionModule(ActionBase):
    """Backs up one host. In check mode it reads and keeps nothing."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        try:
            told = task.back_up_one((task_vars or {})["inventory_hostname"], keep=not self._task.check_mode)
        except CuntongError as error:
            return {**result, "failed": True, "msg": str(error)}
        return {**result, **told}
