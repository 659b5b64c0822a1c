"""Sealing what must not be read without the key: raw configurations, localised keys (AES-256-GCM).

The key stands in a file of its own, outside the database: a stolen ledger gives nothing away.
"""

import os
import secrets
import stat
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger.errors import LedgerError

_NONCE: Final = 12
_KEY: Final = 32
_MARK: Final = b"CTv1"


class Vault:
    """Seals and opens with one key."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, plain: bytes, about: str) -> bytes:
        """``about`` is bound in: what was sealed for one device does not open as another's."""
        nonce = secrets.token_bytes(_NONCE)
        return _MARK + nonce + self._cipher.encrypt(nonce, plain, about.encode())

    def open(self, sealed: bytes, about: str) -> bytes:
        """What was sealed.

        Raises:
            LedgerError: sealed with another key, for something else, or damaged.
        """
        head = len(_MARK)
        try:
            if not sealed.startswith(_MARK):
                raise InvalidTag
            return self._cipher.decrypt(sealed[head : head + _NONCE], sealed[head + _NONCE :], about.encode())
        except (InvalidTag, ValueError):
            raise LedgerError(f"What is sealed for {about} does not open: another key, or damaged.") from None

    def opens(self, sealed: bytes, about: str) -> bool:
        """Whether this key opens it."""
        try:
            self.open(sealed, about)
        except LedgerError:
            return False
        return True


def open_vault(path: Path) -> Vault:
    """The vault of a key file; a missing one is made, readable by its owner alone.

    Raises:
        LedgerError: others may read the file, or it holds no key.
    """
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass  # another process has just made it
        else:
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_hex(_KEY) + "\n")
                file.flush()
                os.fsync(file.fileno())
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise LedgerError(f"Others may read the vault's key. Run: chmod 600 {path}")
        key = bytes.fromhex(path.read_text("ascii").strip())
    except (OSError, ValueError) as error:
        raise LedgerError(f"{path} holds no key of the vault ({error}).") from None
    if len(key) != _KEY:
        raise LedgerError(f"{path} holds no key of the vault: it has {len(key)} bytes and not {_KEY}.")
    return Vault(key)
