"""Files that only a passphrase or a private key opens, written and read as a stream.

After a line that names the format stands a line of JSON (how the key is derived) and its HMAC, so that a wrong key is
told from a damaged file. Then come chunks sealed with AES-256-GCM. A chunk's nonce is its number and whether it is the
last (the STREAM construction: Hoang, Reyhanitabar, Rogaway and Vizár 2015): chunks that are exchanged, left out or cut
off at the end do not authenticate. The header is bound into every chunk.
"""

import hashlib
import hmac
import json
import os
import secrets
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from ledger.errors import LedgerError

MAGIC: Final = b"CUNTONG DUMP 1\n"
_ANY_VERSION: Final = b"CUNTONG DUMP "
_CHUNK: Final = 1 << 20
_TAG: Final = 16
_HEADER: Final = 4096
_N: Final = 1 << 17  # scrypt: 128 MB and a third of a second for each guess
_PUBLIC: Final = "cuntong-dump-"


class SealedFileError(LedgerError):
    """It is no such file, another key sealed it, or it was altered or cut off."""


@dataclass(frozen=True, slots=True)
class Passphrase:
    text: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who may open it: a public key, as `public_key` writes it."""

    key: str


@dataclass(frozen=True, slots=True)
class PrivateKey:
    raw: bytes


Locking = Passphrase | Recipient
Unlocking = Passphrase | PrivateKey


def make_key(path: Path) -> str:
    """Write a new private key into a file of its owner's alone; its public half.

    Raises:
        OSError: the file exists, or cannot be written.
    """
    key = X25519PrivateKey.generate()
    raw = key.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(raw.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return _PUBLIC + _raw(key.public_key()).hex()


def read_key(path: Path) -> PrivateKey:
    """A private key that `make_key` wrote.

    Raises:
        LedgerError: the file holds none.
    """
    try:
        raw = bytes.fromhex(path.read_text("ascii").strip())
        X25519PrivateKey.from_private_bytes(raw)
    except (OSError, ValueError) as error:
        raise LedgerError(
            f"{path} holds no private key of dumps ({error}). `cuntong dump-key FILE` makes one."
        ) from None
    return PrivateKey(raw)


def recipient(text: str) -> Recipient:
    """A public key that somebody wrote.

    Raises:
        LedgerError: it is none.
    """
    try:
        X25519PublicKey.from_public_bytes(bytes.fromhex(text.removeprefix(_PUBLIC)))
    except ValueError:
        raise LedgerError(
            f"{text[:24]!r} is no recipient of dumps: write what `cuntong dump-key FILE` printed."
        ) from None
    return Recipient(text)


def _raw(key: X25519PublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def _shared(secret: bytes, ephemeral: bytes, public: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, ephemeral + public, b"cuntong dump").derive(secret)


def _nonce(number: int, *, last: bool) -> bytes:
    return struct.pack(">7xIB", number, last)


class SealedWriter:
    """Seals what is written to it. Nothing is complete before `close`.

    Attributes:
        key: opens the file again for whoever has just written it.
    """

    def __init__(self, file: IO[bytes], lock: Locking) -> None:
        header: dict[str, Any]
        if isinstance(lock, Passphrase):
            salt = secrets.token_bytes(16)
            header = {"kdf": "scrypt", "n": _N, "r": 8, "p": 1, "salt": salt.hex()}
            self.key = Scrypt(salt, 32, _N, 8, 1).derive(lock.text.encode())
        else:
            public = bytes.fromhex(lock.key.removeprefix(_PUBLIC))
            own = X25519PrivateKey.generate()
            ephemeral = _raw(own.public_key())
            header = {"kdf": "x25519", "recipient": public.hex(), "ephemeral": ephemeral.hex()}
            self.key = _shared(own.exchange(X25519PublicKey.from_public_bytes(public)), ephemeral, public)
        line = MAGIC + json.dumps(header).encode() + b"\n"
        file.write(line + _check(self.key, line))
        self._file, self._about = file, hashlib.sha256(line).digest()
        self._cipher, self._number, self._waiting = AESGCM(self.key), 0, bytearray()

    def write(self, data: bytes) -> int:
        self._waiting += data
        while len(self._waiting) > _CHUNK:
            self._seal(bytes(self._waiting[:_CHUNK]), last=False)
            del self._waiting[:_CHUNK]
        return len(data)

    def close(self) -> None:
        self._seal(bytes(self._waiting), last=True)
        self._waiting.clear()

    def _seal(self, chunk: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number, last=last), chunk, self._about))
        self._number += 1


class SealedReader:
    """Opens a sealed file chunk by chunk; what was read is authentic, what comes later is not known yet.

    Args:
        key: what unlocks it, or the very key of the writer.

    Raises:
        SealedFileError: it is no such file, or of a newer format, or sealed for another key.
    """

    def __init__(self, file: IO[bytes], key: Unlocking | bytes, name: str) -> None:
        self._name, self._file = name, file
        start = file.read(len(MAGIC))
        if start != MAGIC:
            newer = start.startswith(_ANY_VERSION)
            said = "was written by a newer program: upgrade this one" if newer else "is no dump of Cuntong"
            raise SealedFileError(f"{name} {said}.")
        line = file.readline(_HEADER)
        check = file.read(32)
        try:
            header = json.loads(line)
            derived = key if isinstance(key, bytes) else _derive(header, key)
        except (ValueError, KeyError, TypeError):
            raise SealedFileError(f"{name}: its header is not readable: cut off or altered.") from None
        if derived is None:
            wants = "the private key of its recipient" if header["kdf"] == "x25519" else "a passphrase"
            raise SealedFileError(f"{name} is sealed for {wants}; give that.")
        if not hmac.compare_digest(check, _check(derived, MAGIC + line)):
            raise SealedFileError(f"{name} does not open: another passphrase or key, or its header was altered.")
        self._about = hashlib.sha256(MAGIC + line).digest()
        self._cipher, self._number, self._ready, self._ended = AESGCM(derived), 0, b"", False
        self._ahead = file.read(_CHUNK + _TAG)

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes; empty at the authentic end.

        Raises:
            SealedFileError: what comes next was altered, or the end is missing.
        """
        if not self._ready and not self._ended:
            self._ready = self._open()
        given, self._ready = self._ready[:size], self._ready[size:]
        return given

    def _open(self) -> bytes:
        chunk, self._ahead = self._ahead, self._file.read(_CHUNK + _TAG)
        self._ended = not self._ahead
        try:
            plain = self._cipher.decrypt(_nonce(self._number, last=self._ended), chunk, self._about)
        except (InvalidTag, ValueError):
            at = self._file.tell() - len(self._ahead) - len(chunk)
            what = "ends too early, or its end was altered" if self._ended else "was altered"
            raise SealedFileError(f"{self._name} {what} (at byte {at:,}).") from None
        self._number += 1
        return plain


def _check(key: bytes, line: bytes) -> bytes:
    return hmac.digest(key, line, "sha256")


def _derive(header: dict[str, Any], key: Unlocking) -> bytes | None:
    """None: another kind of key is wanted."""
    if header["kdf"] == "scrypt" and isinstance(key, Passphrase):
        # Unauthenticated until now: whoever wrote it must not choose how much memory we spend.
        if (header["n"], header["r"], header["p"]) != (_N, 8, 1):
            raise ValueError("other parameters")
        return Scrypt(bytes.fromhex(header["salt"]), 32, _N, 8, 1).derive(key.text.encode())
    if header["kdf"] == "x25519" and isinstance(key, PrivateKey):
        own = X25519PrivateKey.from_private_bytes(key.raw)
        ephemeral = bytes.fromhex(header["ephemeral"])
        shared = own.exchange(X25519PublicKey.from_public_bytes(ephemeral))
        return _shared(shared, ephemeral, _raw(own.public_key()))
    if header["kdf"] in ("scrypt", "x25519"):
        return None
    raise ValueError("another derivation")
