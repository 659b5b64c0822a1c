"""Opens references to secrets at the moment of use; a reference is all that an inventory holds.

``secret://snmp/routers`` is the file ``snmp/routers`` in the secrets folder. ``community://WORD`` is an SNMP
community written in the open: it is refused unless the inventory carries a dated waiver for SNMP v2c.
"""

import re
import stat
from datetime import date
from pathlib import Path
from typing import Final

from cuntong.errors import StartError
from inventory.model import Inventory

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}(/[A-Za-z0-9][A-Za-z0-9._-]{0,63}){0,3}")  # never a ".."
WAIVER_V2C: Final = "snmp_v2c"


def community(reference: str, folder: Path) -> bytes:
    """The SNMP community that a reference means.

    Raises:
        StartError: no such secret, or others than its owner may read it.
    """
    scheme, _, name = reference.partition("://")
    if scheme == "community":
        return name.encode()
    if scheme != "secret" or not _NAME.fullmatch(name):
        raise StartError(f"{reference!r} is no reference to a secret. Write secret://NAME.")
    path = folder / name
    try:
        mode = path.stat().st_mode
        text = path.read_bytes()
    except OSError as error:
        raise StartError(
            f"The secret {reference} cannot be read ({error.strerror}). Put it into {path}, mode 0600."
        ) from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise StartError(f"Others may read {path}. Run: chmod 600 {path}")
    return text.strip()


def require_waiver(inventory: Inventory, today: date) -> None:
    """SNMP v1 and v2c send their community in the open: only by decision, and not for ever.

    Raises:
        StartError: no waiver for it is in force.
    """
    if any(waiver.what == WAIVER_V2C and waiver.until >= today for waiver in inventory.waivers):
        return
    raise StartError(
        "SNMP v2c is in use without a waiver in force. Add to county.yml under waivers: "
        f"{{what: {WAIVER_V2C}, until: YYYY-MM-DD, reason: ...}}"
    )
