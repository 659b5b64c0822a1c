"""Who signed a file: Ed25519 over the exact bytes of its text, and the keys that this instance trusts."""

import base64
import binascii
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from pydantic import Field, field_validator

from api.actions.errors import ActionError
from inventory.county import Code
from inventory.declared import Declared, validate
from inventory.errors import InventoryError
from inventory.strict import Lines, YamlError, parse

FILE: Final = "exchange.yml"
"""Beside the inventory: whose files are taken in, and for which part of the tree."""
FORMAT: Final = "cuntong-exchange/1"
_MOST_BYTES: Final = 256 * 2**20


class Trusted(Declared):
    """One key. It speaks for its division and what is below, and for nothing else.

    Attributes:
        instance: what people call the instance that holds the private half.
        key: the public half, 32 bytes in base64, as `cuntong exchange key` prints it.
    """

    instance: Annotated[str, Field(min_length=1, max_length=80)]
    key: str
    division: Code

    @field_validator("key")
    @classmethod
    def _is_a_key(cls, given: str) -> str:
        try:
            raw = base64.b64decode(given, validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        if len(raw) != 32:
            raise ValueError(
                f"{given!r} is no key. | Write the 44 characters that `cuntong exchange key` prints there."
            )
        return given


class Trust(Declared):
    """The whole of exchange.yml."""

    trusts: tuple[Trusted, ...] = ()


def read_trust(folder: Path) -> Trust:
    """The keys that the instance of this inventory trusts; none where it says nothing.

    Raises:
        InventoryError: the file is not usable.
    """
    path = Path(folder) / FILE
    if not path.exists():
        return Trust()
    try:
        data = path.read_bytes()
        document = parse(FILE, data)
    except YamlError as error:
        raise InventoryError(error.problems) from None
    problems: list[Any] = []
    found = validate(Trust, document, FILE, (), Lines(data).of, problems)
    if found is None:
        raise InventoryError(problems)
    return found


@dataclass(frozen=True, slots=True)
class Signer:
    """The private half of this instance's key."""

    private: Ed25519PrivateKey

    @property
    def public(self) -> str:
        raw = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return base64.b64encode(raw).decode("ascii")


def key_at(path: Path) -> Signer:
    """The key in a file that its owner alone may read; made where there is none.

    Raises:
        ActionError: the file is no such key, or others may read it.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        private = Ed25519PrivateKey.generate()
        data = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
    except OSError as error:
        raise ActionError(f"The key {path} cannot be read: {error.strerror}.") from None
    if path.stat().st_mode & 0o077:
        raise ActionError(f"Others may read the key {path}. Run chmod 600 on it, or make another.")
    try:
        found = load_pem_private_key(data, None)
    except (ValueError, TypeError):
        found = None
    if not isinstance(found, Ed25519PrivateKey):
        raise ActionError(f"{path} holds no Ed25519 key.")
    return Signer(found)


def key_id(public: str) -> str:
    """Sixteen digits by which people compare a key."""
    return hashlib.sha256(base64.b64decode(public)).hexdigest()[:16]


def seal(text: str, signer: Signer) -> bytes:
    """A file of ``text``: it stands inside as it is, so that what was signed is what is read."""
    signature = base64.b64encode(signer.private.sign(text.encode("utf-8"))).decode("ascii")
    document = {"format": FORMAT, "key": signer.public, "signature": signature, "payload": text}
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


@dataclass(frozen=True, slots=True)
class Opened:
    """What a trusted key signed. ``sha256`` is of the text: the file's identity."""

    trusted: Trusted
    text: str
    sha256: str


def open_sealed(data: bytes, trust: Trust) -> Opened:
    """The text of a file that a trusted key signed.

    Raises:
        ActionError: it is no such file, nobody trusts its key, or the signature is not of this text.
    """
    if len(data) > _MOST_BYTES:
        raise ActionError("This file is larger than any district's.")
    try:
        document = json.loads(data)
        text, key = document["payload"], document["key"]
        if document["format"] != FORMAT or not isinstance(text, str):
            raise ValueError
        signature = base64.b64decode(document["signature"], validate=True)
        raw = base64.b64decode(key, validate=True)
        public = Ed25519PublicKey.from_public_bytes(raw)
        bytes_ = text.encode("utf-8")
    except (ValueError, KeyError, TypeError, RecursionError, UnicodeError):
        raise ActionError(f"This is no file of {FORMAT}.") from None
    trusted = next((one for one in trust.trusts if base64.b64decode(one.key) == raw), None)
    if trusted is None:
        raise ActionError(
            f"Nobody here trusts the key {key_id(key)} that signed this. "
            "Compare it with who sent the file, then `cuntong exchange trust`."
        )
    try:
        public.verify(signature, bytes_)
    except InvalidSignature:
        raise ActionError("The signature is not of this text: the file was changed after it was signed.") from None
    return Opened(trusted, text, hashlib.sha256(bytes_).hexdigest())
