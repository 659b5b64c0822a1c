"""SNMPv3: key vectors of the RFCs, net-snmp's real agent for every combination that it offers, and what goes wrong."""

import itertools
import secrets
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.errors import DecodeError, RefusedError, SilentDeviceError
from collectors.one_shot import poll_once
from collectors.snmp import ber, usm
from collectors.snmp.message import Names, Pdu, encode_varbinds
from collectors.snmp.sealed import Sealed, open_sealed
from collectors.snmp.usm import Auth, Priv, Security, User
from inventory.profiles import load_profiles

AUTH_PASSWORD, PRIV_PASSWORD = "auth-of-the-village", "priv-of-the-village"
NET_SNMP_AUTH = {
    Auth.MD5: "MD5", Auth.SHA: "SHA", Auth.SHA224: "SHA-224", Auth.SHA256: "SHA-256", Auth.SHA384: "SHA-384",
    Auth.SHA512: "SHA-512",
}  # fmt: skip
NET_SNMP_PRIV = {Priv.DES: "DES", Priv.AES128: "AES", Priv.AES192: "AES-192", Priv.AES256: "AES-256"}


def user(auth: Auth, priv: Priv) -> User:
    name = f"u-{auth}-{priv}".replace("-", "").lower()
    return User(name, auth, AUTH_PASSWORD, priv, PRIV_PASSWORD)


USERS = [user(Auth.NONE, Priv.NONE)] + [user(auth, priv) for auth, priv in itertools.product(NET_SNMP_AUTH, Priv)]


def as_net_snmp_wants(one: User) -> tuple[str, str]:
    """Its lines of snmpd.conf: the user, and the access."""
    if one.auth is Auth.NONE:
        return f"createUser {one.name}", f"rouser {one.name} noauth"
    line = f'createUser {one.name} {NET_SNMP_AUTH[one.auth]} "{one.auth_password}"'
    if one.priv is not Priv.NONE:
        line += f' {NET_SNMP_PRIV[one.priv]} "{one.priv_password}"'
    return line, f"rouser {one.name} {'priv' if one.priv is not Priv.NONE else 'auth'}"


@pytest.fixture(scope="module")
def snmpd(tmp_path_factory: pytest.TempPathFactory, start_snmpd: Any) -> Iterator[int]:
    lines = [line for one in USERS for line in as_net_snmp_wants(one)]
    with start_snmpd(tmp_path_factory.mktemp("snmpd"), "\n".join(["sysName v3-gateway", *lines])) as port:
        yield port


@pytest.mark.parametrize("one", USERS, ids=lambda one: f"{one.auth} {one.priv}")
async def test_net_snmp_is_read_with_every_combination_that_it_offers(snmpd: int, one: User) -> None:
    readings = await poll_once("127.0.0.1", snmpd, one, load_profiles(), timeout_s=3)
    assert readings.identity.sys_name == "v3-gateway"
    assert any(port.name == "lo" for port in readings.interfaces)
    assert readings.problems == ()


SHA_AES = user(Auth.SHA256, Priv.AES128)


@pytest.mark.parametrize(
    ("wrong", "report"),
    [
        pytest.param(User("nobody", Auth.SHA256, AUTH_PASSWORD), "usmStatsUnknownUserNames", id="unknown user"),
        pytest.param(User(SHA_AES.name, Auth.SHA256, "not-the-password"), "usmStatsWrongDigests", id="wrong password"),
        pytest.param(
            User(SHA_AES.name, Auth.SHA256, AUTH_PASSWORD, Priv.AES128, "not-the-password"),
            "usmStatsDecryptionErrors",
            id="wrong privacy password",
        ),
        pytest.param(User(USERS[0].name, Auth.SHA, AUTH_PASSWORD), "usmStatsUnsupportedSecLevels", id="level"),
    ],
)
async def test_what_the_device_refuses_is_named(snmpd: int, wrong: User, report: str) -> None:
    # A privacy key that is wrong may also leave octets that the agent drops without a word.
    expected = (RefusedError, SilentDeviceError) if report == "usmStatsDecryptionErrors" else RefusedError
    with pytest.raises(expected) as refusal:
        await poll_once("127.0.0.1", snmpd, wrong, load_profiles(), timeout_s=0.5, retries=1)
    if isinstance(refusal.value, RefusedError):
        assert refusal.value.report == report


def test_keys_are_those_of_the_rfcs() -> None:
    engine = bytes.fromhex("000000000000000000000002")
    # RFC 3414 A.3.1 and A.3.2
    md5 = usm.master_key(Auth.MD5, "maplesyrup")
    assert md5.hex() == "9faf3283884e92834ebc9847d8edd963"
    assert usm.localise(Auth.MD5, md5, engine).hex() == "526f5eed9fcce26f8964c2930787d82b"
    sha = usm.master_key(Auth.SHA, "maplesyrup")
    assert sha.hex() == "9fb5cc0381497b3793528939ff788d5d79145211"
    assert usm.localise(Auth.SHA, sha, engine).hex() == "6695febc9288e36282235fc7151f128497b38f3f"


def test_passwords_do_not_show() -> None:
    assert "village" not in repr(SHA_AES)
    assert "village" not in repr(Security(SHA_AES, partial(secrets.randbits, 64)))


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"priv": Priv.AES128, "priv_password": PRIV_PASSWORD}, id="privacy without authentication"),
        pytest.param({"auth": Auth.SHA, "auth_password": "short"}, id="a short password"),
    ],
)
def test_a_credential_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"octets|authentication"):
        User("u", **wrong)


NAMES = Names.of([ber.encode_oid("1.3.6.1.2.1.1.3.0")])


def pair(one: User, boots: int = 7, seconds: int = 1000) -> tuple[Security, Security]:
    """A manager and, as if it were an agent, a twin that knows the same keys, met at clock 0."""
    both = []
    for _ in range(2):
        security = Security(one, partial(secrets.randbits, 64))
        security._meet(Sealed(1, 0, b"\x80\x00\x1f\x88engine", boots, seconds, b"", 0, b"", b"", 0, 0), 0.0)
        both.append(security)
    return both[0], both[1]


users = st.sampled_from(USERS)


@given(
    users, st.integers(1, 2**31 - 1), st.binary(max_size=40).map(lambda text: ber.encode_tlv(ber.OCTET_STRING, text))
)
def test_what_one_seals_the_other_opens(one: User, number: int, value: bytes) -> None:
    manager, agent = pair(one)
    varbind = ber.encode_tlv(ber.SEQUENCE, ber.encode_tlv(ber.OBJECT_IDENTIFIER, NAMES.oids[0]) + value)
    sealed = manager.seal(Pdu.GET, number, ber.encode_tlv(ber.SEQUENCE, varbind), 0, 5.0)
    envelope, body = agent.open(open_sealed(sealed), sealed, 5.0)
    assert (envelope.pdu, envelope.request_id) == (Pdu.GET, number)
    assert body[envelope.start : envelope.end] == varbind


@given(st.sampled_from([one for one in USERS if one.auth is not Auth.NONE]), st.data())
def test_an_altered_message_is_not_opened(one: User, data: st.DataObject) -> None:
    manager, agent = pair(one)
    sealed = bytearray(manager.seal(Pdu.GET, 77, NAMES.encoded, 0, 5.0))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(DecodeError):
        agent.open(open_sealed(bytes(sealed)), bytes(sealed), 5.0)


@given(st.binary(max_size=300) | st.binary(max_size=120).map(lambda tail: b"\x30\x82\x01\x00\x02\x01\x03" + tail))
def test_random_octets_raise_nothing_but_a_decode_error(octets: bytes) -> None:
    _, agent = pair(SHA_AES)
    try:
        agent.open(open_sealed(octets), octets, 5.0)
    except DecodeError:
        return
    pytest.fail("random octets were taken for a message")


def test_a_replayed_message_is_outside_the_time_window() -> None:
    manager, agent = pair(SHA_AES)
    sealed = manager.seal(Pdu.GET, 77, NAMES.encoded, 0, 0.0)
    agent.open(open_sealed(sealed), sealed, 100.0)
    with pytest.raises(DecodeError, match="time window"):
        agent.open(open_sealed(sealed), sealed, 400.0)


def test_an_unsigned_report_cannot_move_the_clock_of_an_engine_that_we_know() -> None:
    manager, _ = pair(SHA_AES)
    stats = ber.encode_oid("1.3.6.1.6.3.15.1.1.2.0")
    varbinds = encode_varbinds([(stats, ber.COUNTER32, 1)])
    forger = Security(User(SHA_AES.name), partial(secrets.randbits, 64))
    forger._meet(Sealed(1, 0, manager.engine_id, 99, 99, b"", 0, b"", b"", 0, 0), 0.0)
    forged = forger.seal(Pdu.REPORT, 77, varbinds, 0, 0.0)
    envelope, body = manager.open(open_sealed(forged), forged, 0.0)
    with pytest.raises(RefusedError, match="NotInTimeWindows"):
        manager.report(envelope, open_sealed(forged), body, 0.0)
