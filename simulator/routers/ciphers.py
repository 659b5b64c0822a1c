"""Secrets as the vendors show them.

The real boxes' ciphers are their own; these only look alike, and are made so that a make-believe box can check a
password and write the same secret anew: salt, and the secret under a key stream of the salt. No protection at all,
and none is needed: the secrets of a simulator are examples.
"""

import base64
import hashlib
import re
import secrets
from typing import Final

_FORMS: Final[dict[str, tuple[str, str]]] = {
    "percent": ("%^%#", "%^%#"),  # VRP, what can be read back by the box
    "1a": ("$1a$", "$"),  # VRP, irreversible
    "c3": ("$c$3$", ""),  # Comware, what can be read back
    "h6": ("$h$6$", ""),  # Comware, irreversible
    "seven": ("7 ", ""),  # RGOS
    "five": ("5 $1$", ""),  # RGOS, enable secret
}
_BODY: Final = r"[A-Za-z0-9.,]{10,}"
_SEALED: Final = re.compile("|".join(f"(?:{re.escape(a)}({_BODY}){re.escape(b)})" for a, b in _FORMS.values()))
_SALT: Final = 6
_MARK: Final = b"\x5a"


def _stream(salt: bytes, length: int) -> bytes:
    return hashlib.shake_128(b"cuntong make-believe" + salt).digest(length)


def _mix(salt: bytes, data: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(data, _stream(salt, len(data)), strict=True))


def seal(form: str, plain: str, salt: bytes | None = None) -> str:
    """The plain secret as ciphertext, another one each time.

    Raises:
        KeyError: no such form.
    """
    before, after = _FORMS[form]
    salt = secrets.token_bytes(_SALT) if salt is None else salt
    raw = salt + _mix(salt, _MARK + plain.encode())
    body = raw.hex().upper() if form == "seven" else base64.b64encode(raw, b".,").decode().rstrip("=")
    return f"{before}{body}{after}"


def opened(sealed: str) -> str | None:
    """The plain secret of a ciphertext; None where this box did not make it."""
    found = _SEALED.fullmatch(sealed)
    if found is None:
        return None
    body = next(group for group in found.groups() if group is not None)
    try:
        seven = sealed.startswith(_FORMS["seven"][0])
        raw = bytes.fromhex(body) if seven else base64.b64decode(body + "=" * (-len(body) % 4), b".,", validate=True)
        mixed = _mix(raw[:_SALT], raw[_SALT:])
        return mixed[1:].decode() if mixed[:1] == _MARK else None
    except ValueError:
        return None


def is_sealed(word: str) -> bool:
    """Whether a word is already ciphertext, ours or a real box's."""
    return bool(re.match(r"%\^%#|%@%@|\$1[ac]\$|\$c\$3\$|\$h\$6\$|\$1\$", word))


def again(line: str) -> str:
    """The line with every ciphertext of ours written anew, as boxes do that salt on each display."""

    def renew(found: "re.Match[str]") -> str:
        plain = opened(found[0])
        if plain is None:
            return found[0]
        form = next(name for (name, (before, _)) in _FORMS.items() if found[0].startswith(before))
        return seal(form, plain)

    return _SEALED.sub(renew, line)


def plainly(line: str) -> str:
    """The line with every ciphertext of ours opened: for comparisons inside a box, never to be shown."""
    return _SEALED.sub(lambda found: opened(found[0]) or found[0], line)
