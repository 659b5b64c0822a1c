"""Notifications of SNMPv3: opened and answered. No sockets; the clock is an argument.

Who is *authoritative* decides whose engine a message is sealed for (RFC 3414 section 1.5.1): of a trap the sender, so
its engine must be known from polling it (or from the ledger); of an inform the receiver, so the device first asks who
we are, then what time it is with us, and each time gets a REPORT.

Our engine's time may never run backwards over a restart, or devices refuse what we answer: its boots are the seconds
of the Unix clock at the start.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from collectors.errors import DecodeError
from collectors.snmp import ber
from collectors.snmp.message import Pdu, encode_varbinds
from collectors.snmp.sealed import Sealed, open_sealed
from collectors.snmp.traps import Trap, notification
from collectors.snmp.usm import AUTH_FLAG, REPORTABLE_FLAG, Security, User

_ENTERPRISE: Final = b"\x80\x00\x7e\xd9\x05"  # 32473 (RFC 5612), octets follow (RFC 3411, SnmpEngineID)
_BOOTS_FROM: Final = 1_600_000_000  # so that seconds of Unix time stay below 2^31 for long
_WINDOW_S: Final = 150
_STATS: Final = {name: ber.encode_oid(f"1.3.6.1.6.3.15.1.1.{number}.0") for name, number in (
    ("unsupported_level", 1), ("not_in_window", 2), ("unknown_user", 3), ("unknown_engine", 4), ("wrong_digest", 5),
)}  # fmt: skip


class Opened(NamedTuple):
    """What came of a message: a notification, an answer to send back, or why neither."""

    trap: Trap | None = None
    answer: bytes | None = None
    problem: str = ""


def engine_id(name: str) -> bytes:
    """The engine ID of a receiver with this name; the same after a restart."""
    return _ENTERPRISE + hashlib.sha256(name.encode()).digest()[:12]


class Inbox:
    """Opens what devices send by SNMPv3.

    Args:
        name: of this receiver, such as the machine's; its engine ID follows.
        unix: seconds at the start; ``now`` is the clock of `open` at that moment.
        users: of a device, with the users by which it notifies.
        polling: of a device the security by which it is polled, which knows its engine; None where it is not so asked.
        salt: as of `Security`.
    """

    def __init__(
        self,
        name: str,
        unix: float,
        now: float,
        users: Callable[[int], Sequence[User]],
        polling: Callable[[int], Security | None],
        salt: Callable[[], int],
    ) -> None:
        self.engine_id = engine_id(name)
        self._boots = int(unix) - _BOOTS_FROM
        self._began = now
        self._users, self._polling, self._salt = users, polling, salt
        self._ours: dict[User, Security] = {}
        self._theirs: dict[tuple[int, User], Security] = {}
        self._reports = dict.fromkeys(_STATS, 0)

    def open(self, device: int, data: bytes, now: float) -> Opened:
        """What this device says.

        Raises:
            DecodeError: it cannot be opened, or is no notification.
        """
        sealed = open_sealed(data)
        user = next((one for one in self._users(device) if one.name.encode() == sealed.user), None)
        if sealed.engine_id == self.engine_id:
            return self._inform(sealed, data, user, now)
        polling = self._polling(device)
        if polling is not None and polling.engine_id and sealed.engine_id == polling.engine_id:
            if user is None:
                return Opened(problem="by a user that the inventory does not name")
            return self._trap(self._security_of(device, user, polling, sealed, now), sealed, data, user, now)
        # Somebody who asks who we are; a trap of an engine that we have not met is none of ours, and wants no answer.
        if sealed.flags & REPORTABLE_FLAG:
            return self._report("unknown_engine", sealed, Security(User(""), self._salt), now)
        return Opened(problem="from an engine that was not met yet")

    def _security_of(self, device: int, user: User, polling: Security, sealed: Sealed, now: float) -> Security:
        if user == polling.user:
            return polling
        security = self._theirs.get((device, user))
        if security is None or security.engine_id != polling.engine_id:
            security = self._theirs[device, user] = Security(user, self._salt)
            security.stand(polling.engine_id, 0, 0, now)
        return security

    def _trap(self, security: Security, sealed: Sealed, data: bytes, user: User, now: float) -> Opened:
        if sealed.flags & user.flags != user.flags:
            return Opened(problem="with less security than its user has")
        envelope, body = security.open(sealed, data, now)
        return Opened(notification(envelope, body))

    def _inform(self, sealed: Sealed, data: bytes, user: User | None, now: float) -> Opened:
        nobody = Security(User(""), self._salt)
        if user is None:
            return self._report("unknown_user", sealed, nobody, now)
        if sealed.flags & user.flags != user.flags:
            return self._report("unsupported_level", sealed, nobody, now)
        security = self._ours.setdefault(user, Security(user, self._salt))
        seconds = int(now - self._began)
        security.stand(self.engine_id, self._boots, seconds, now)
        in_window = sealed.boots == self._boots and abs(sealed.time - seconds) <= _WINDOW_S
        if sealed.flags & AUTH_FLAG and not in_window:
            return self._report("not_in_window", sealed, security, now)
        try:
            envelope, body = security.open(sealed, data, now)
        except DecodeError:
            return self._report("wrong_digest", sealed, nobody, now)
        trap = notification(envelope, body)
        if not trap.acknowledged:
            return Opened(trap)
        scoped = body if body is not data else data[sealed.payload : sealed.end]
        return Opened(trap, security.reply(Pdu.RESPONSE, sealed, scoped, trap.request_id, trap.raw_varbinds, now))

    def _report(self, what: str, sealed: Sealed, security: Security, now: float) -> Opened:
        if not sealed.flags & REPORTABLE_FLAG:
            return Opened(problem=what)
        self._reports[what] += 1
        sealed = sealed._replace(flags=sealed.flags & AUTH_FLAG)  # a report is never encrypted (RFC 3414 section 3.2)
        security.stand(self.engine_id, self._boots, int(now - self._began), now)
        varbinds = encode_varbinds([(_STATS[what], ber.COUNTER32, self._reports[what] & 0xFFFFFFFF)])
        return Opened(None, security.reply(Pdu.REPORT, sealed, b"", sealed.message_id, varbinds, now), what)
