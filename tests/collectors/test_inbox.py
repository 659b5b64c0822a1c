"""Notifications of SNMPv3: sent by net-snmp's own programs and by pysnmp, opened and answered by pysnmp in our bounds.

An inform is a discovery, a time synchronisation and an encrypted message in each direction, each of which the other
side checks.
"""

import asyncio
import contextlib
import itertools
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pysnmp.hlapi.v3arch import asyncio as pysnmp

from collectors import inbox as inbox_module
from collectors.errors import DecodeError
from collectors.inbox import Inbox, engine_id
from collectors.snmp import ber
from collectors.snmp.message import Pdu, encode_varbinds
from collectors.snmp.sealed import open_sealed
from collectors.snmp.traps import LINK_DOWN, Trap
from collectors.snmp.usm import Auth, Priv, Security, User
from collectors.traps import Gate, TrapReceiver, bind

PASSWORDS = ("auth-of-the-village", "priv-of-the-village")
AUTHS = {
    Auth.MD5: ("MD5", pysnmp.USM_AUTH_HMAC96_MD5),
    Auth.SHA: ("SHA", pysnmp.USM_AUTH_HMAC96_SHA),
    Auth.SHA224: ("SHA-224", pysnmp.USM_AUTH_HMAC128_SHA224),
    Auth.SHA256: ("SHA-256", pysnmp.USM_AUTH_HMAC192_SHA256),
    Auth.SHA384: ("SHA-384", pysnmp.USM_AUTH_HMAC256_SHA384),
    Auth.SHA512: ("SHA-512", pysnmp.USM_AUTH_HMAC384_SHA512),
}
PRIVS = {
    Priv.NONE: ("", pysnmp.USM_PRIV_NONE),
    Priv.DES: ("DES", pysnmp.USM_PRIV_CBC56_DES),
    Priv.AES128: ("AES", pysnmp.USM_PRIV_CFB128_AES),
    Priv.AES192: ("AES-192", pysnmp.USM_PRIV_CFB192_AES_BLUMENTHAL),
    Priv.AES256: ("AES-256", pysnmp.USM_PRIV_CFB256_AES_BLUMENTHAL),
}
PAIRS = [(auth, priv) for auth, priv in itertools.product(AUTHS, PRIVS)]
DEVICE_ENGINE = bytes.fromhex("80001f8803aabbccddeeff")
SALT = partial(secrets.randbits, 62)


def user(auth: Auth, priv: Priv, name: str = "watch") -> User:
    return User(name, auth, PASSWORDS[0], priv, PASSWORDS[1])


BEST = user(Auth.SHA256, Priv.AES128)


def inbox(*users: User, met: bool = True) -> tuple[Inbox, Security]:
    polling = Security(users[0], SALT)
    if met:
        polling.stand(DEVICE_ENGINE, 0, 0, 0.0)
    return Inbox("test", 1_800_000_000.0, 0.0, lambda _: users, lambda _: polling, SALT), polling


class Post:
    """A receiver on loopback, for one device there that is polled as the first of these users."""

    def __init__(self, *users: User) -> None:
        self.heard: list[Trap] = []
        self.socket = bind("127.0.0.1", 0)
        self.where = f"127.0.0.1:{self.socket.getsockname()[1]}"
        opener, _ = inbox(*users)
        self.receiver = TrapReceiver(
            [self.socket], Gate({"127.0.0.1": 0}), lambda _: None, lambda _, trap: self.heard.append(trap), opener
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.receiver.run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    @property
    def results(self) -> dict[str, int]:
        return {result: count for result, count in self.receiver.look().results.items() if count}


async def send(program: str, folder: Path, one: User, where: str, *more: str) -> tuple[int, str]:
    """net-snmp's program sends linkDown of port 7; its exit code and what it said."""
    level = "noAuthNoPriv"
    words: list[str] = []
    if one.auth is not Auth.NONE:
        level, words = "authNoPriv", ["-a", AUTHS[one.auth][0], "-A", one.auth_password]
    if one.priv is not Priv.NONE:
        level, words = "authPriv", [*words, "-x", PRIVS[one.priv][0], "-X", one.priv_password]
    process = await asyncio.create_subprocess_exec(
        program, "-v3", "-u", one.name, "-l", level, *words, *more, "-r", "2", "-t", "2", where,
        "100", "1.3.6.1.6.3.1.1.5.3", "1.3.6.1.2.1.2.2.1.1.7", "i", "7",
        env={**os.environ, "SNMP_PERSISTENT_DIR": str(folder), "SNMPCONFPATH": str(folder), "MIBS": ""},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


@pytest.mark.parametrize(("auth", "priv"), PAIRS, ids=lambda one: str(one))
async def test_net_snmps_informs_are_taken_and_answered(auth: Auth, priv: Priv, program: Any, tmp_path: Path) -> None:
    one = user(auth, priv)
    post = Post(one)
    async with post.running():
        ended = await send(program.path("snmpinform"), tmp_path, one, post.where)
    assert ended[0] == 0, ended[1]  # snmpinform waits for the answer, and fails without
    [trap] = post.heard
    assert (trap.kind, trap.acknowledged, trap.version) == (LINK_DOWN, True, 3)
    assert trap.varbinds == ((ber.encode_oid("1.3.6.1.2.1.2.2.1.1.7"), ber.INTEGER, 7),)
    assert post.results["accepted"] == 1
    assert post.results["introduced"] >= 1


@pytest.mark.parametrize(("auth", "priv"), PAIRS, ids=lambda one: str(one))
async def test_net_snmps_traps_are_taken(auth: Auth, priv: Priv, program: Any, tmp_path: Path) -> None:
    one = user(auth, priv)
    post = Post(one)
    async with post.running():
        await send(program.path("snmptrap"), tmp_path, one, post.where, "-e", f"0x{DEVICE_ENGINE.hex()}", "-Z", "3,99")
        async with asyncio.timeout(20):
            while not post.receiver.counters.received:
                await asyncio.sleep(0.01)
    assert [(trap.kind, trap.acknowledged) for trap in post.heard] == [(LINK_DOWN, False)]
    assert post.results == {"accepted": 1}


@pytest.mark.parametrize(("auth", "priv"), PAIRS, ids=lambda one: str(one))
async def test_pysnmps_informs_are_taken_and_answered(auth: Auth, priv: Priv) -> None:
    one = user(auth, priv)
    post = Post(one)
    engine = pysnmp.SnmpEngine()
    words = {} if priv is Priv.NONE else {"privKey": one.priv_password, "privProtocol": PRIVS[priv][1]}
    notification = pysnmp.NotificationType(pysnmp.ObjectIdentity("1.3.6.1.6.3.1.1.5.3"))
    try:
        async with post.running():
            host, _, port = post.where.partition(":")
            error, status, _, _ = await pysnmp.send_notification(
                engine,
                pysnmp.UsmUserData(one.name, one.auth_password, authProtocol=AUTHS[auth][1], **words),
                await pysnmp.UdpTransportTarget.create((host, int(port)), timeout=3, retries=2),
                pysnmp.ContextData(),
                "inform",
                notification,
            )
    finally:
        engine.close_dispatcher()
    assert (error, int(status)) == (None, 0)
    assert [trap.kind for trap in post.heard] == [LINK_DOWN]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        pytest.param(user(Auth.SHA256, Priv.AES128, "other"), "Unknown user name", id="an unknown user"),
        pytest.param(
            User("watch", Auth.SHA256, "another password", Priv.AES128, PASSWORDS[1]), "", id="another password"
        ),
        pytest.param(user(Auth.SHA256, Priv.NONE), "Unsupported security level", id="less than was agreed"),
    ],
)
async def test_what_may_not_be_heard_is_refused_and_told(wrong: User, says: str, program: Any, tmp_path: Path) -> None:
    post = Post(BEST)
    async with post.running():
        code, said = await send(program.path("snmpinform"), tmp_path, wrong, post.where)
    assert code != 0
    assert says in said
    assert post.heard == []
    assert "accepted" not in post.results


def trap_of(one: User, engine: bytes, boots: int, seconds: int, pdu: Pdu = Pdu.TRAP_V2) -> bytes:
    """A notification as a device seals it."""
    sender = Security(one, SALT)
    sender.stand(engine, boots, seconds, 0.0)
    varbinds = encode_varbinds(
        [
            (ber.encode_oid("1.3.6.1.2.1.1.3.0"), ber.TIME_TICKS, 100),
            (ber.encode_oid("1.3.6.1.6.3.1.1.4.1.0"), ber.OBJECT_IDENTIFIER, ber.encode_oid("1.3.6.1.6.3.1.1.5.3")),
        ]
    )
    return sender.seal(pdu, 77, varbinds, 0, 0.0)


def test_a_second_user_of_the_same_device_is_heard() -> None:
    other = user(Auth.SHA, Priv.AES256, "routers")
    opener, _ = inbox(BEST, other)
    for one in (BEST, other):
        trap = opener.open(0, trap_of(one, DEVICE_ENGINE, 4, 1000), 0.0).trap
        assert trap is not None
        assert trap.kind == LINK_DOWN


def test_a_trap_that_is_replayed_late_is_not_opened() -> None:
    opener, _ = inbox(BEST)
    data = trap_of(BEST, DEVICE_ENGINE, 4, 1000)
    assert opener.open(0, data, 0.0).trap is not None
    with pytest.raises(DecodeError, match="time window"):
        opener.open(0, data, 400.0)


def test_a_device_that_was_not_met_is_told_who_we_are_and_not_believed() -> None:
    opener, _ = inbox(BEST, met=False)
    opened = opener.open(0, trap_of(BEST, DEVICE_ENGINE, 4, 1000), 0.0)
    assert opened.trap is None
    assert opened.answer is not None
    assert open_sealed(opened.answer).engine_id == engine_id("test")


def test_our_engine_is_the_same_after_a_restart_and_its_clock_never_runs_back() -> None:
    first, _ = inbox(BEST)
    later = Inbox("test", 1_800_000_001.0, 50.0, lambda _: (BEST,), lambda _: None, SALT)
    told = [open_sealed(one.open(0, trap_of(BEST, one.engine_id, 0, 0), 60.0).answer or b"") for one in (first, later)]
    assert told[0].engine_id == told[1].engine_id
    assert told[0].boots < told[1].boots
    assert (told[0].time, told[1].time) == (60, 10)


@given(st.binary(max_size=300) | st.integers(0, 150).map(lambda cut: trap_of(BEST, DEVICE_ENGINE, 4, 1000)[:cut]))
def test_octets_of_any_kind_raise_nothing_but_a_decode_error(octets: bytes) -> None:
    opener, _ = inbox(BEST)
    with contextlib.suppress(DecodeError):
        opener.open(0, octets, 0.0)


def test_a_receiver_that_knows_no_users_refuses() -> None:
    opener = Inbox("test", 1_800_000_000.0, 0.0, lambda _: (), lambda _: None, SALT)
    assert opener.open(0, trap_of(BEST, opener.engine_id, 1, 1), 0.0).problem == "unknown_user"


def test_two_devices_of_one_user_name_and_two_passwords_are_both_heard() -> None:
    """Which one engine of pysnmp cannot: of a name it knows one user."""
    here, there = BEST, User("watch", Auth.SHA256, "another-auth-password", Priv.AES128, "another-priv-password")
    keys = [Security(one, SALT) for one in (here, there)]
    for number, one in enumerate(keys):
        one.stand(DEVICE_ENGINE[:-1] + bytes((number,)), 0, 0, 0.0)
    opener = Inbox("test", 1_800_000_000.0, 0.0, lambda device: (keys[device].user,), keys.__getitem__, SALT)
    for device, one in enumerate(keys):
        for sender_engine, boots in ((one.engine_id, 4), (opener.engine_id, 200_000_000)):
            pdu = Pdu.INFORM if sender_engine == opener.engine_id else Pdu.TRAP_V2
            opened = opener.open(device, trap_of(one.user, sender_engine, boots, 0, pdu), 0.0)
            assert opened.trap is not None, opened
            assert (opened.answer is not None) == opened.trap.acknowledged
    wrong = opener.open(1, trap_of(here, keys[1].engine_id, 4, 0), 0.0)
    assert wrong.trap is None
    assert wrong.answer is None


def test_a_trap_that_wants_no_report_gets_none() -> None:
    opener, _ = inbox(BEST)
    data = trap_of(BEST, DEVICE_ENGINE, 4, 1000)
    opened = opener.open(0, data[:-1] + bytes((data[-1] ^ 1,)), 0.0)
    assert (opened.trap, opened.answer) == (None, None)


def test_what_is_remembered_of_devices_and_messages_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "_MOST_KEYS", 3)
    monkeypatch.setattr(inbox_module, "_MOST_ENGINES", 2)
    users = [user(Auth.SHA, Priv.NONE, f"watch-{number}") for number in range(4)]
    keys = [Security(users[number % 4], SALT) for number in range(12)]
    for number, one in enumerate(keys):
        one.stand(DEVICE_ENGINE[:-1] + bytes((number,)), 0, 0, 0.0)
    opener = Inbox("test", 1_800_000_000.0, 0.0, lambda device: (keys[device].user,), keys.__getitem__, SALT)
    for _ in range(2):  # who was forgotten is met again
        for device, one in enumerate(keys):
            assert opener.open(device, trap_of(one.user, one.engine_id, 4, 1000), 0.0).trap is not None
    assert len(opener._receivers) == 2
    assert all(len(receiver._users) <= 3 for receiver in opener._receivers.values())
