"""Ansible's door to a declared county. What a host, a group or a variable is stands in inventory/ansible_view.py."""

from pathlib import Path
from typing import Any, Final

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin

from inventory import ansible_view
from inventory.cache import default_folder
from inventory.errors import InventoryError
from inventory.loader import load

DOCUMENTATION = """
name: cuntong
short_description: The devices of a county, as declared in a Cuntong inventory
description:
  - Reads an inventory folder of Cuntong, checks it against every law, and gives each device as a host.
  - Groups are by class (C(routers), C(kiosks), C(printers), C(switches), C(ups)), platform (C(platform_huawei_vrp)),
    vendor (C(vendor_huawei)), role (C(role_cpe)), site type (C(type_village_site)), the router above
    (C(below_tq_chengxiang_agg1)), division (C(d_511825101)), distance in the uplink tree (C(tier_0) is the core),
    carrier (C(carrier_telecom)) and link type (C(link_pon)).
  - A device that a partner watches is in C(partner) and in its division only.
  - Nothing secret is among the variables.
options:
  plugin:
    description: Marks the file as one for this plugin.
    required: true
    choices: [cuntong]
  folder:
    description: The inventory's folder, relative to the file that names it.
    required: true
    type: str
  division:
    description: Code (2, 4, 6, 9 or 12 characters) of a division. Only devices in it become hosts.
    type: str
"""

EXAMPLES = """
# county.cuntong.yml
plugin: cuntong
folder: ../inventory/examples/tianquan
division: 511825101
"""

SUFFIX: Final = ".cuntong.yml"


class InventoryModule(BaseInventoryPlugin):
    """Hosts from ``*.cuntong.yml``. Names of places stay text: Ansible is never told to trust them as templates."""

    NAME = "cuntong"

    def verify_file(self, path: str) -> bool:
        return bool(super().verify_file(path)) and path.endswith(SUFFIX)

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Fill Ansible's inventory.

        Raises:
            AnsibleParserError: with every problem of the declared inventory, as ``file:line``.
        """
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        folder = Path(path).parent / Path(self.get_option("folder")).expanduser()
        division = self.get_option("division")
        try:
            declared = load(folder, cache=default_folder())
            seen = ansible_view.view(declared, division)
        except InventoryError as error:
            raise AnsibleParserError(f"the inventory in {folder} cannot be used.\n{error}") from None
        except KeyError:
            mend = f"Write a code of 2, 4, 6, 9 or 12 characters at or below {declared.top}, or leave division out."
            raise AnsibleParserError(f"{path}: division: there is no {division} in {declared.title}. {mend}") from None
        for name in seen.groups:
            inventory.add_group(name)
        for host, variables in seen.hosts.items():
            inventory.add_host(host)
            for name, value in variables.items():
                inventory.set_variable(host, name, value)
        for name, group in seen.groups.items():
            for member in (*group.children, *group.hosts):
                inventory.add_child(name, member)
