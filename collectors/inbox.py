"""Notifications that want keys or an answer, those of SNMPv3 and informs: opened and answered by pysnmp. No sockets.

pysnmp's engine does what it is good at, a message at a time: authenticate, decipher, decode, acknowledge, report. What
it leaves open is decided here, before and after:

- Its table of users knows one user of a name for each engine, and two devices may share a name and not its passwords.
  So each credential has an engine of its own; all say the same engine ID, boots and time, for they are one receiver.
- It believes any engine. Of a trap the sender is *authoritative* (RFC 3414 section 1.5.1), so its engine must be known
  from polling it (or from the ledger), and its keys are those by which we poll. Of an inform the receiver is: the
  device first asks who we are, then what time it is with us, and each time gets a REPORT.
- It takes a trap's own word for the time. The window of the poll's conversation decides: what is replayed is refused.
- It takes a trap that is sealed less than its user should, and reports to messages that want no report.

Our engine's time may never run backwards over a restart, or devices refuse what we answer: its boots are the seconds
of the Unix clock at the start.
"""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.carrier.base import AbstractTransportDispatcher
from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.entity.rfc3413.ntfrcv import NotificationReceiver
from pysnmp.proto import rfc1902
from pysnmp.proto.api import v2c

from collectors.by_pysnmp import AUTHS, PRIVS, octet, varbind
from collectors.errors import DecodeError
from collectors.snmp.message import Pdu, Varbind
from collectors.snmp.sealed import VERSION_3, Sealed, open_sealed
from collectors.snmp.traps import Trap, notification_of
from collectors.snmp.usm import AUTH_FLAG, REPORTABLE_FLAG, Keys, Security, User

_ENTERPRISE: Final = b"\x80\x00\x7e\xd9\x05"  # 32473 (RFC 5612), octets follow (RFC 3411, SnmpEngineID)
_BOOTS_FROM: Final = 1_600_000_000  # so that seconds of Unix time stay below 2^31 for long
_MOST_ENGINES: Final = 64  # credentials in use at once; one takes about 1.5 MB and 60 ms to make
_MOST_KEYS: Final = 512  # devices whose keys an engine holds; one more takes 3 ms
_FROM: Final = ("127.0.0.1", 0)  # pysnmp asks whom to answer; the receiver knows
_TICKS_TO_FORGET: Final = 10.0  # with one tick a second, what pysnmp notes of a message is gone after 30


class Opened(NamedTuple):
    """What came of a message: a notification, an answer to send back, or why neither."""

    trap: Trap | None = None
    answer: bytes | None = None
    problem: str = ""


def engine_id(name: str) -> bytes:
    """The engine ID of a receiver with this name; the same after a restart."""
    return _ENTERPRISE + hashlib.sha256(name.encode()).digest()[:12]


class _Taken(NamedTuple):
    """What pysnmp made of a message: a PDU and its rows, an answer, and whether it came at the wrong time."""

    said: tuple[int, list[Varbind]] | None
    answer: bytes | None
    out_of_window: bool


class _Outbox(AbstractTransportDispatcher):  # type: ignore[misc]
    """Where pysnmp leaves what it would send."""

    def __init__(self) -> None:
        super().__init__()
        self.left: list[bytes] = []

    def send_message(self, outgoingMessage: Any, *_: Any) -> None:  # noqa: N803 - pysnmp calls it so
        self.left.append(bytes(outgoingMessage))

    def get_timer_resolution(self) -> float:
        return _TICKS_TO_FORGET


class _Receiver:
    """An engine of pysnmp for one credential: a datagram in, a notification and an answer out."""

    def __init__(self, own_id: bytes, boots: int, credential: bytes | User) -> None:
        self.credential = credential
        self._engine = engine = SnmpEngine()
        self._own, self._boots, self._time = engine.get_mib_builder().import_symbols(
            "__SNMP-FRAMEWORK-MIB", "snmpEngineID", "snmpEngineBoots", "snmpEngineTime"
        )
        (self._out_of_window,) = engine.get_mib_builder().import_symbols(
            "__SNMP-USER-BASED-SM-MIB", "usmStatsNotInTimeWindows"
        )
        # Given to the constructor it would be written, with the boots, to a folder that anybody may have made before.
        self._own.syntax = engine.snmpEngineID = self._own.syntax.clone(own_id)
        self._boots.syntax = self._boots.syntax.clone(boots)
        self._outbox = _Outbox()
        engine.register_transport_dispatcher(self._outbox)
        engine.observer.register_observer(self._note, "rfc3412.receiveMessage:request")
        NotificationReceiver(engine, lambda *_: None)
        self._users: OrderedDict[bytes, Keys] = OrderedDict()
        self._said: tuple[int, list[Varbind]] | None = None
        self._ticked = 0.0
        if isinstance(credential, bytes):
            config.add_v1_system(engine, "device", rfc1902.OctetString(credential))

    def know(self, keys: Keys) -> None:
        """The user's keys at an engine: ours, of which it informs, or a device's own."""
        held = self._users.pop(keys.engine_id, None)
        self._users[keys.engine_id] = keys
        user = self.credential
        if held == keys or isinstance(user, bytes):
            return
        config.add_v3_user(
            self._engine,
            user.name,
            AUTHS[user.auth],
            keys.auth or None,
            PRIVS[user.priv],
            keys.priv or None,
            securityEngineId=rfc1902.OctetString(keys.engine_id),
            authKeyType=config.USM_KEY_TYPE_LOCALIZED,
            privKeyType=config.USM_KEY_TYPE_LOCALIZED,
        )
        if len(self._users) > _MOST_KEYS:
            oldest, _ = self._users.popitem(last=False)
            config.delete_v3_user(self._engine, user.name, rfc1902.OctetString(oldest))

    def take(self, data: bytes, seconds: float, now: float) -> _Taken:
        """What pysnmp makes of it.

        Args:
            seconds: since the start, our engine's time.

        Raises:
            DecodeError: pysnmp choked on it.
        """
        if now - self._ticked >= 1:
            self._ticked = now
            self._outbox.handle_timer_tick(now)
        self._time.syntax = self._time.syntax.clone(int(time.time() - seconds))  # it counts from then on
        self._said, late = None, int(self._out_of_window.syntax)
        self._outbox.left.clear()
        try:
            self._engine.message_dispatcher.receive_message(self._engine, udp.DOMAIN_NAME, _FROM, data)
        except Exception as error:  # foreign octets in foreign code: what it raises is not told by its documentation
            raise DecodeError(f"pysnmp cannot read it: {type(error).__name__}") from error
        answer = self._outbox.left[-1] if self._outbox.left else None
        return _Taken(self._said, answer, int(self._out_of_window.syntax) > late)

    def _note(self, _engine: Any, _point: Any, variables: Any, _context: Any) -> None:
        """Called by pysnmp between opening a message and what follows from it."""
        pdu = variables["pdu"]
        self._said = octet(pdu), [varbind(*row) for row in v2c.apiPDU.get_varbinds(pdu)]


class Inbox:
    """Opens what devices send by SNMPv3, and informs.

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
        self._receivers: OrderedDict[bytes | User, _Receiver] = OrderedDict()
        self._theirs: dict[tuple[int, User], Security] = {}

    def inform(self, trap: Trap, data: bytes, now: float) -> Opened:
        """An inform of v2c, whose community is the device's, with its answer.

        Raises:
            DecodeError: pysnmp cannot read it.
        """
        answer = self._receiver(trap.community).take(data, now - self._began, now).answer
        return Opened(trap, answer) if answer is not None else Opened(problem="refused by pysnmp")

    def open(self, device: int, data: bytes, now: float) -> Opened:
        """What this device says by v3.

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
            return self._introduce(sealed, now)
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
        receiver = self._receiver(user)
        receiver.know(security.keys)
        said = receiver.take(data, now - self._began, now).said
        if said is None:
            return Opened(problem="not opened: another key, or altered")
        if sealed.flags & AUTH_FLAG:
            security.stay_in_window(sealed, now)
        return Opened(notification_of(VERSION_3, b"", *said))

    def _inform(self, sealed: Sealed, data: bytes, user: User | None, now: float) -> Opened:
        # Nobody's receiver has no users, so it says that this one is unknown.
        receiver = self._receiver(b"" if user is None else user)
        if user is not None:
            ours = Security(user, self._salt)
            ours.stand(self.engine_id, self._boots, 0, now)
            receiver.know(ours.keys)
        said, answer, out_of_window = receiver.take(data, now - self._began, now)
        if said is not None and user is not None and sealed.flags & user.flags == user.flags:
            return Opened(notification_of(VERSION_3, b"", *said), answer)
        wanted = answer if sealed.flags & REPORTABLE_FLAG else None
        problem = "unknown_user" if user is None else "not_in_window" if out_of_window else "refused by pysnmp"
        return Opened(None, wanted, problem)

    def _introduce(self, sealed: Sealed, now: float) -> Opened:
        """Who we are; pysnmp tells it to whoever names no engine, but not to one who names another."""
        question = Security(User(""), self._salt).seal(Pdu.GET, sealed.message_id, b"\x30\x00", 0, now)
        return Opened(None, self._receiver(b"").take(question, now - self._began, now).answer, "unknown_engine")

    def _receiver(self, credential: bytes | User) -> _Receiver:
        receiver = self._receivers.pop(credential, None) or _Receiver(self.engine_id, self._boots, credential)
        self._receivers[credential] = receiver
        if len(self._receivers) > _MOST_ENGINES:
            self._receivers.popitem(last=False)
        return receiver
