"""SNMPv3 with the User-based Security Model: seal and open messages, keys, engines, reports. No sockets, no clock.

RFC 3412 (message), 3414 (USM, MD5, SHA-1, DES), 3826 (AES-128), 7860 (SHA-2); AES-192 and AES-256 as net-snmp and the
vendors do them (draft-blumenthal-aes-usm-04: a short localised key is stretched by hashing itself).

What is dear is done once: a password becomes a master key by hashing a megabyte (once per credential and process),
a master key is localised to an engine once per device. A message then costs one HMAC and one cipher. Who keeps the
localised keys (`Keys`) need not do even that when it starts again.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from collectors.errors import DecodeError, RefusedError
from collectors.snmp import ber
from collectors.snmp.message import Envelope, Pdu, decode_varbinds
from collectors.snmp.sealed import USM, VERSION_3, Sealed, open_scoped

_MAX_SIZE: Final = 65_507
_TIME_WINDOW_S: Final = 150  # RFC 3414 section 2.2.3
_PASSWORD_OCTETS: Final = 1 << 20  # RFC 3414 appendix A.2
_AUTH, _PRIV, _REPORTABLE = 1, 2, 4
AUTH_FLAG, REPORTABLE_FLAG = _AUTH, _REPORTABLE


class Auth(StrEnum):
    """Authentication protocols, by the names that people use."""

    NONE = "none"
    MD5 = "MD5"
    SHA = "SHA"
    SHA224 = "SHA-224"
    SHA256 = "SHA-256"
    SHA384 = "SHA-384"
    SHA512 = "SHA-512"


class Priv(StrEnum):
    """Privacy protocols."""

    NONE = "none"
    DES = "DES"
    AES128 = "AES-128"
    AES192 = "AES-192"
    AES256 = "AES-256"


# hashlib's name, and how many octets of the HMAC are sent.
_HASHES: Final = {
    Auth.MD5: ("md5", 12),
    Auth.SHA: ("sha1", 12),
    Auth.SHA224: ("sha224", 16),
    Auth.SHA256: ("sha256", 24),
    Auth.SHA384: ("sha384", 32),
    Auth.SHA512: ("sha512", 48),
}
_KEY_OCTETS: Final = {Priv.DES: 16, Priv.AES128: 16, Priv.AES192: 24, Priv.AES256: 32}


@dataclass(frozen=True, slots=True)
class User:
    """One credential. Its passwords never appear in its repr.

    Raises:
        ValueError: privacy without authentication, or a password shorter than the eight octets of RFC 3414.
    """

    name: str
    auth: Auth = Auth.NONE
    auth_password: str = field(default="", repr=False)
    priv: Priv = Priv.NONE
    priv_password: str = field(default="", repr=False)
    context: str = ""

    def __post_init__(self) -> None:
        if self.priv is not Priv.NONE and self.auth is Auth.NONE:
            raise ValueError("SNMPv3 has no privacy without authentication: name an auth protocol, too")
        for protocol, password in ((self.auth, self.auth_password), (self.priv, self.priv_password)):
            if protocol != "none" and len(password.encode()) < 8:
                raise ValueError(f"the password for {protocol} has fewer than 8 octets")

    @property
    def fingerprint(self) -> bytes:
        """Tells two credentials apart. Passwords can be guessed from it: it is as secret as they are."""
        parts = (self.name, self.auth, self.auth_password, self.priv, self.priv_password, self.context)
        return hashlib.sha256(
            b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
        ).digest()

    @property
    def flags(self) -> int:
        return (_AUTH if self.auth is not Auth.NONE else 0) | (_PRIV if self.priv is not Priv.NONE else 0)


@lru_cache(maxsize=1024)
def master_key(auth: Auth, password: str) -> bytes:
    """RFC 3414 appendix A.2: a megabyte of the repeated password, hashed. Milliseconds; cached."""
    octets = password.encode()
    repeated = octets * (_PASSWORD_OCTETS // len(octets) + 1)
    return hashlib.new(_HASHES[auth][0], repeated[:_PASSWORD_OCTETS], usedforsecurity=False).digest()


def localise(auth: Auth, master: bytes, engine_id: bytes) -> bytes:
    """The key of one user at one engine."""
    return hashlib.new(_HASHES[auth][0], master + engine_id + master, usedforsecurity=False).digest()


def privacy_key(auth: Auth, priv: Priv, localised: bytes) -> bytes:
    """As many octets as the cipher wants; a short key goes on with the hash of what there is."""
    key = localised
    while len(key) < _KEY_OCTETS[priv]:
        key += hashlib.new(_HASHES[auth][0], key, usedforsecurity=False).digest()
    return key[: _KEY_OCTETS[priv]]


# usmStats of SNMP-USER-BASED-SM-MIB: the last number of the reported object, its name, what a person should check.
_REPORTS: Final = {
    1: ("usmStatsUnsupportedSecLevels", "the device does not offer this security level to this user"),
    2: ("usmStatsNotInTimeWindows", "the device's clock and ours do not meet: its engineBoots may be stuck"),
    3: ("usmStatsUnknownUserNames", "the device does not know this user"),
    4: ("usmStatsUnknownEngineIDs", "the device does not accept the engine ID that it gave"),
    5: ("usmStatsWrongDigests", "the digest is wrong: check the authentication protocol and password"),
    6: ("usmStatsDecryptionErrors", "the device cannot decrypt: check the privacy protocol and password"),
}
_USM_STATS: Final = ber.encode_oid("1.3.6.1.6.3.15.1.1")
_UNKNOWN_ENGINE, _NOT_IN_WINDOW = 4, 2


class Keys(NamedTuple):
    """A user's keys at one engine. Whoever has them can be that user there, without knowing a password."""

    engine_id: bytes
    auth: bytes
    priv: bytes

    def __repr__(self) -> str:
        return f"Keys(engine {self.engine_id.hex()})"


class Security:
    """One user at one device: what its engine said of itself, and the keys that follow from it.

    Args:
        salt: gives a number that never repeats, for the ciphers' initialisation vectors.
    """

    __slots__ = ("_at", "_auth_key", "_boots", "_on_keys", "_priv_key", "_salt", "_time", "engine_id", "user")

    def __init__(self, user: User, salt: Callable[[], int]) -> None:
        self.user = user
        self.engine_id = b""
        self._salt = salt
        self._on_keys: Callable[[Keys], None] | None = None
        self._boots = self._time = 0
        self._at = 0.0
        self._auth_key = self._priv_key = b""

    @property
    def keys(self) -> Keys:
        """As they are; without an engine ID before the device was met."""
        return Keys(self.engine_id, self._auth_key, self._priv_key)

    def recall(self, keys: Keys | None, on_keys: Callable[[Keys], None]) -> None:
        """Begin with keys of an earlier life: nothing is discovered nor derived.

        Where the device has another engine by now it says so, and all is made anew.

        Args:
            on_keys: called whenever keys are derived, to be kept for the next life.
        """
        self._on_keys = on_keys
        if keys is not None:
            self.engine_id, self._auth_key, self._priv_key = keys

    def __repr__(self) -> str:
        return f"Security({self.user.name!r}, engine {self.engine_id.hex() or 'unknown'})"

    def stand(self, engine_id: bytes, boots: int, seconds: int, now: float) -> None:
        """Take this engine and its clock as told: of a device whose notifications come, or our own."""
        if engine_id != self.engine_id:
            self._meet(Sealed(0, 0, engine_id, boots, seconds, b"", 0, b"", b"", 0, 0), now)
        self._boots, self._time, self._at = boots, seconds, now

    def seal(self, pdu: Pdu, request_id: int, varbinds: bytes, repetitions: int, now: float) -> bytes:
        """A request; the discovery of the engine while that is unknown.

        Args:
            request_id: also the message's id.
            varbinds: as ``Names.encoded``.
            now: seconds of any steady clock.
        """
        if not self.engine_id:
            nothing = ber.encode_tlv(ber.SEQUENCE, b"")
            return self._message(request_id, _REPORTABLE, b"", self._scoped(Pdu.GET, request_id, nothing, 0), now)
        scoped = self._scoped(pdu, request_id, varbinds, repetitions)
        return self._message(request_id, self.user.flags | _REPORTABLE, self.user.name.encode(), scoped, now)

    def _scoped(self, pdu: Pdu, request_id: int, varbinds: bytes, repetitions: int) -> bytes:
        body = ber.encode_integer(request_id) + ber.encode_integer(0) + ber.encode_integer(repetitions) + varbinds
        context = ber.encode_tlv(ber.OCTET_STRING, self.user.context.encode())
        inside = ber.encode_tlv(ber.OCTET_STRING, self.engine_id) + context
        return ber.encode_tlv(ber.SEQUENCE, inside + ber.encode_tlv(pdu, body))

    def _message(self, message_id: int, flags: int, user: bytes, scoped: bytes, now: float) -> bytes:
        time = self._time + int(now - self._at) if self.engine_id else 0
        salt = b""
        if flags & _PRIV:
            salt = self._next_salt()
            scoped = ber.encode_tlv(ber.OCTET_STRING, self._cipher(salt, time, scoped, encrypt=True))
        digest = bytes(_HASHES[self.user.auth][1]) if flags & _AUTH else b""
        before = (
            ber.encode_tlv(ber.OCTET_STRING, self.engine_id)
            + ber.encode_integer(self._boots)
            + ber.encode_integer(time)
            + ber.encode_tlv(ber.OCTET_STRING, user)
        )
        after = ber.encode_tlv(ber.OCTET_STRING, salt)
        parameters = ber.encode_tlv(ber.SEQUENCE, before + ber.encode_tlv(ber.OCTET_STRING, digest) + after)
        header = (
            ber.encode_integer(message_id)
            + ber.encode_integer(_MAX_SIZE)
            + ber.encode_tlv(ber.OCTET_STRING, bytes((flags,)))
            + ber.encode_integer(USM)
        )
        message = ber.encode_tlv(
            ber.SEQUENCE,
            ber.encode_integer(VERSION_3)
            + ber.encode_tlv(ber.SEQUENCE, header)
            + ber.encode_tlv(ber.OCTET_STRING, parameters)
            + scoped,
        )
        if not digest:
            return message
        at = len(message) - len(scoped) - len(after) - len(digest)
        return message[:at] + self._digest(message) + message[at + len(digest) :]

    def open(self, sealed: Sealed, data: bytes, now: float) -> tuple[Envelope, bytes]:
        """The PDU of a message for us, and the octets in which its variables lie.

        Raises:
            DecodeError: not from this user's engine, altered, too old, or not decipherable.
        """
        if sealed.flags & _AUTH:
            self._authenticate(sealed, data, now)
        elif self.user.flags & _AUTH and not self._may_be_open(sealed, data):
            raise DecodeError("an answer without the authentication that was asked for")
        if not sealed.flags & _PRIV:
            return open_scoped(data, sealed.payload, sealed.end), data
        if not self._priv_key:
            raise DecodeError("encrypted, and we have no key")
        tag, start, end = ber.read_header(data, sealed.payload)
        if tag != ber.OCTET_STRING or len(sealed.salt) != 8:
            raise DecodeError("no encrypted payload")
        plain = self._cipher(sealed.salt, sealed.time, data[start:end], encrypt=False, boots=sealed.boots)
        return open_scoped(plain, 0, len(plain)), plain

    def _may_be_open(self, sealed: Sealed, data: bytes) -> bool:
        """Only a report may come unauthenticated: who cannot read us cannot sign for us."""
        return not sealed.flags & _PRIV and open_scoped(data, sealed.payload, sealed.end).pdu == Pdu.REPORT

    def _authenticate(self, sealed: Sealed, data: bytes, now: float) -> None:
        if not self._auth_key or sealed.engine_id != self.engine_id or sealed.user != self.user.name.encode():
            raise DecodeError("signed by another engine or for another user")
        if len(sealed.digest) != _HASHES[self.user.auth][1]:
            raise DecodeError(f"a digest of {len(sealed.digest)} octets")
        blank = data[: sealed.digest_at] + bytes(len(sealed.digest)) + data[sealed.digest_at + len(sealed.digest) :]
        if not hmac.compare_digest(self._digest(blank), sealed.digest):
            raise DecodeError("the digest is wrong: altered, or another key")
        self.stay_in_window(sealed, now)

    def stay_in_window(self, sealed: Sealed, now: float) -> None:
        """Go on with the clock of a message whose digest is right.

        Raises:
            DecodeError: it is older than what was heard before.
        """
        expected = self._time + int(now - self._at)
        if sealed.boots < self._boots or (sealed.boots == self._boots and sealed.time < expected - _TIME_WINDOW_S):
            raise DecodeError("a message from outside the time window: replayed, or very late")
        if sealed.boots > self._boots or sealed.time > expected:
            self._boots, self._time, self._at = sealed.boots, sealed.time, now

    def report(self, envelope: Envelope, sealed: Sealed, body: bytes, now: float) -> None:
        """Learn from a REPORT; returns where the request is worth sending again.

        Raises:
            RefusedError: it is not; says why.
            DecodeError: no report of USM.
        """
        numbers = [
            ber.decode_arcs(oid[len(_USM_STATS) :])[:1]
            for oid, _, _ in decode_varbinds(body, envelope.start, envelope.end)
            if oid.startswith(_USM_STATS)
        ]
        if not numbers or not numbers[0]:
            raise DecodeError("a report of something else than USM")
        number = numbers[0][0]
        if number == _UNKNOWN_ENGINE and sealed.engine_id:
            if sealed.engine_id != self.engine_id:  # else another question of ours has met it in the meantime
                self._meet(sealed, now)
            return
        # A report without a digest can be forged: it may introduce an engine, but not move the clock of a known one.
        if number == _NOT_IN_WINDOW and (sealed.flags & _AUTH or not self._boots):
            self._meet(sealed, now)
            return
        name, text = _REPORTS.get(number, (f"usmStats.{number}", "the device refused the message"))
        raise RefusedError(name, text)

    def _meet(self, sealed: Sealed, now: float) -> None:
        user = self.user
        self._boots, self._time, self._at = sealed.boots, sealed.time, now
        if sealed.engine_id == self.engine_id:
            return
        self.engine_id = sealed.engine_id
        if user.auth is not Auth.NONE:
            self._auth_key = localise(user.auth, master_key(user.auth, user.auth_password), self.engine_id)
        if user.priv is not Priv.NONE:
            short = localise(user.auth, master_key(user.auth, user.priv_password), self.engine_id)
            self._priv_key = privacy_key(user.auth, user.priv, short)
        if self._on_keys is not None:
            self._on_keys(self.keys)

    def _digest(self, message: bytes) -> bytes:
        name, octets = _HASHES[self.user.auth]
        return hmac.digest(self._auth_key, message, name)[:octets]

    def _next_salt(self) -> bytes:
        number = self._salt()
        if self.user.priv is Priv.DES:
            return (self._boots & 0xFFFFFFFF).to_bytes(4, "big") + (number & 0xFFFFFFFF).to_bytes(4, "big")
        return (number & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "big")

    def _cipher(self, salt: bytes, time: int, text: bytes, *, encrypt: bool, boots: int | None = None) -> bytes:
        if self.user.priv is Priv.DES:
            key, pre_vector = self._priv_key[:8], self._priv_key[8:16]
            vector = bytes(left ^ right for left, right in zip(pre_vector, salt, strict=True))
            if encrypt:
                text += bytes(-len(text) % 8)
            elif len(text) % 8 or not text:
                raise DecodeError("encrypted text that is no multiple of eight octets")
            # Single DES is triple DES with one key; the devices that still want it leave no other choice.
            cipher: Cipher[CBC | CFB] = Cipher(TripleDES(key * 3), CBC(vector))
        else:
            boots = self._boots if boots is None else boots
            try:
                vector = boots.to_bytes(4, "big") + time.to_bytes(4, "big") + salt
            except OverflowError:
                raise DecodeError("engine boots or time that cannot be") from None
            cipher = Cipher(AES(self._priv_key), CFB(vector))
        worker = cipher.encryptor() if encrypt else cipher.decryptor()
        done: bytes = worker.update(text) + worker.finalize()
        return done
