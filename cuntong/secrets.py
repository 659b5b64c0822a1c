"""Opens references to secrets at the moment of use; a reference is all that an inventory holds.

``secret://snmp/routers`` is what `cuntong secret set snmp/routers` sealed in the vault, or else the file
``snmp/routers`` in the folder of secrets. ``community://WORD`` is an SNMP community written in the open. A secret of
one line is a community; one with keys is a user of SNMPv3. Communities, secret or not, need a dated waiver in the
inventory: SNMP v1 and v2c send them in clear text.
"""

import re
import stat
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import yaml
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from collectors.snmp.usm import Auth, Priv, User
from cuntong.errors import StartError
from cuntong.settings import Settings
from inventory.model import Inventory
from ledger.database import connect, shown
from ledger.errors import LedgerError
from ledger.kept_secrets import open_secret, sealed_secret
from ledger.vault import open_vault

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}(/[A-Za-z0-9][A-Za-z0-9._-]{0,63}){0,3}")  # never a ".."
WAIVER_V2C: Final = "snmp_v2c"


Credential = bytes | User
"""An SNMP community, or a user of SNMPv3."""


@dataclass(frozen=True, slots=True)
class Resolver:
    """Opens references on this machine: the vault in the ledger first, then the folder of files.

    Nothing is kept in between: what was set a moment ago is what the next use opens.

    Attributes:
        folder: one file for each secret.
        ledger: SQLAlchemy's URL; empty where there are only files.
        vault_key: file with the key of what is sealed in the ledger.
    """

    folder: Path
    ledger: str = ""
    vault_key: Path = Path()

    def credential(self, reference: str) -> Credential:
        """What a device is asked with.

        Raises:
            StartError: no such secret, it cannot be opened, or it is neither a community nor a user.
        """
        scheme, _, name = reference.partition("://")
        if scheme == "community":
            return name.encode()
        text = self.secret(reference)
        try:
            return credential_from(text)
        except ValueError as error:
            raise StartError(f"The secret {reference} is no user of SNMPv3: {error}") from None

    def secret(self, reference: str) -> str:
        """The text of a secret, from the vault or else from its file.

        Raises:
            StartError: this is no reference, there is no such secret, or it cannot be opened.
        """
        name = name_in(reference)
        kept = self._kept(name)
        return _in_file(reference, self.folder / name, self.folder) if kept is None else kept

    def holds(self, reference: str) -> bool:
        """Whether there is such a secret, readable or not.

        Raises:
            StartError: this is no reference, or the ledger does not answer.
        """
        name = name_in(reference)
        return self._sealed(name) is not None or (self.folder / name).exists()

    def knows(self, reference: str) -> bool:
        """Whether a reference to a credential can be opened: a community in the open, or a secret that is held."""
        return reference.startswith("community://") or self.holds(reference)

    def _kept(self, name: str) -> str | None:
        sealed = self._sealed(name)
        if sealed is None:
            return None
        if not self.vault_key.exists():  # opening would make a new one, which fits nothing
            raise StartError(
                f"secret://{name} is sealed in the vault, and its key {self.vault_key} is not there. "
                "It is in every dump of this instance."
            )
        try:
            return open_secret(open_vault(self.vault_key), name, sealed)
        except LedgerError as error:
            raise StartError(f"secret://{name}: {error} Set it anew: cuntong secret set {name}") from None

    def _sealed(self, name: str) -> bytes | None:
        if not self.ledger:
            return None
        file = make_url(self.ledger).database if self.ledger.startswith("sqlite") else None
        if file is not None and not Path(file).exists():
            return None  # looking would make an empty ledger
        try:
            engine = connect(self.ledger)
            try:
                with engine.connect() as connection:
                    return sealed_secret(connection, name)
            finally:
                engine.dispose()
        except LedgerError as error:
            raise StartError(f"The vault cannot be looked into for secret://{name}: {error}") from None
        except DBAPIError as error:
            raise StartError(
                f"The vault in {shown(self.ledger)} cannot be looked into for secret://{name}: {error.orig}"
            ) from None


def resolver(settings: Settings) -> Resolver:
    """What opens references as the settings say."""
    return Resolver(settings.secrets, settings.ledger_url, settings.vault_key_path)


def name_in(reference: str) -> str:
    """The name of a secret in a reference to it.

    Raises:
        StartError: this is no reference.
    """
    scheme, _, name = reference.partition("://")
    if scheme != "secret" or not is_name(name):
        raise StartError(f"{reference!r} is no reference to a secret. Write secret://NAME.")
    return name


def is_name(name: str) -> bool:
    """Up to four words, a slash between two of them; letters, digits, dots, dashes and underscores."""
    return _NAME.fullmatch(name) is not None


def credential_from(text: str) -> Credential:
    """A community, or where there are keys a user of SNMPv3.

    Raises:
        ValueError: it has keys, and makes no user; the message does not quote it.
    """
    if ":" not in text:
        return text.encode()
    try:
        return user_from(yaml.safe_load(text))
    except (yaml.YAMLError, ValueError, TypeError) as error:
        # The text of a YAML error quotes the line, and the line is the secret.
        said = "it is no YAML" if isinstance(error, yaml.YAMLError) else str(error)
        raise ValueError(
            f"{said}. Write user, auth, auth_password, priv and priv_password; auth is one of {', '.join(Auth)}; "
            f"priv is one of {', '.join(Priv)}."
        ) from None


def _in_file(reference: str, path: Path, folder: Path) -> str:
    try:
        mode = path.stat().st_mode
        text = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        name = path.relative_to(folder)
        raise StartError(
            f"The secret {reference} is not in the vault, and no file can be read ({reason}). Put it into the vault, "
            f"cuntong secret set {name}, or into {path}, mode 0600."
        ) from None
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
        "SNMP v2c is in use without a waiver in force. Decide: "
        f"cuntong waive {WAIVER_V2C} --until YYYY-MM-DD --reason WHY"
    )
