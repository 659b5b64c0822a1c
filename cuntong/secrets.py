"""Opens references to secrets at the moment of use; a reference is all that an inventory holds.

``secret://snmp/routers`` is the file ``snmp/routers`` in the secrets folder. ``community://WORD`` is an SNMP
community written in the open. A secret of one line is a community; one with keys is a user of SNMPv3. Communities,
secret or not, need a dated waiver in the inventory: SNMP v1 and v2c send them in clear text.
"""

import re
import stat
from datetime import date
from pathlib import Path
from typing import Final

import yaml

from collectors.snmp.usm import Auth, Priv, User
from cuntong.errors import StartError
from inventory.model import Inventory

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}(/[A-Za-z0-9][A-Za-z0-9._-]{0,63}){0,3}")  # never a ".."
WAIVER_V2C: Final = "snmp_v2c"


Credential = bytes | User
"""An SNMP community, or a user of SNMPv3."""


def credential(reference: str, folder: Path) -> Credential:
    """What a reference means.

    Raises:
        StartError: no such secret, others than its owner may read it, or it is neither a community nor a user.
    """
    scheme, _, name = reference.partition("://")
    if scheme == "community":
        return name.encode()
    text = secret(reference, folder)
    if ":" not in text:
        return text.encode()
    try:
        return user_from(yaml.safe_load(text))
    except (yaml.YAMLError, ValueError, TypeError) as error:
        # The text of a YAML error quotes the line, and the line is the secret.
        said = "it is no YAML" if isinstance(error, yaml.YAMLError) else str(error)
        raise StartError(
            f"The secret {reference} is no user of SNMPv3: {said}. Write user, auth, auth_password, priv and "
            f"priv_password; auth is one of {', '.join(Auth)}; priv is one of {', '.join(Priv)}."
        ) from None


def secret(reference: str, folder: Path) -> str:
    """The text of a secret.

    Raises:
        StartError: this is no reference, there is no such secret, or others than its owner may read it.
    """
    scheme, _, name = reference.partition("://")
    if scheme != "secret" or not _NAME.fullmatch(name):
        raise StartError(f"{reference!r} is no reference to a secret. Write secret://NAME.")
    path = folder / name
    try:
        mode = path.stat().st_mode
        text = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise StartError(f"The secret {reference} cannot be read ({reason}). Put it into {path}, mode 0600.") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise StartError(f"Others may read {path}. Run: chmod 600 {path}")
    if not text:
        raise StartError(f"The secret {reference} is empty. Write it into {path}.")
    return text


def user_from(plain: object) -> User:
    """A user of SNMPv3 from plain keys and values.

    Raises:
        ValueError: an unknown key or protocol, or a password that is too short.
    """
    known = {"user", "auth", "auth_password", "priv", "priv_password", "context"}
    if not isinstance(plain, dict) or "user" not in plain or not set(plain) <= known:
        raise ValueError(f"its keys are not among {', '.join(sorted(known))}")
    words = {str(key): str(value) for key, value in plain.items()}
    try:
        auth, priv = Auth(words.get("auth", "none")), Priv(words.get("priv", "none"))
    except ValueError:
        raise ValueError("it names a protocol that we do not know") from None
    return User(
        words["user"],
        auth,
        words.get("auth_password", ""),
        priv,
        words.get("priv_password", ""),
        words.get("context", ""),
    )


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
