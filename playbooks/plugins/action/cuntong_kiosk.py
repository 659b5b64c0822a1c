"""Ansible's door to a kiosk's files. What they are stands in the role; how they get there, in cuntong/changing/."""

from typing import Any

from ansible.plugins.action import ActionBase

# At the top, so that Ansible's parent process imports it once and every worker inherits it.
from cuntong.changing import kiosk_task
from inventory.errors import CuntongError

DOCUMENTATION = """
module: cuntong_kiosk
short_description: Put every file of a kiosk in its place, in one session
description:
  - Compares all files at once, and swaps each one in whole. In check mode nothing is changed, and the answer is true.
  - No secret is among the arguments or in the result; they are opened inside, from references.
options:
  files:
    description: The files; see roles/kiosk/defaults/main.yml.
    type: list
    elements: dict
  packages:
    description: Packages that must be there.
    type: list
    elements: str
  units:
    description: Units that are enabled and run.
    type: list
    elements: str
  service_command:
    description: The program that starts units, with systemctl's words.
    type: str
"""


class ActionModule(ActionBase):
    """Sets up one kiosk, or says what would change."""

    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        device = (task_vars or {})["inventory_hostname"]
        check, diff = bool(self._task.check_mode), bool(self._task.diff)
        try:
            told = kiosk_task.put_files(kiosk_task.runs_on(self), device, self._task.args, check=check, diff=diff)
        except CuntongError as error:
            return {**result, "failed": True, "msg": str(error)}
        return {**result, **told}
