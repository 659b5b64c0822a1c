"""Traps: decoded as pysnmp and net-snmp write them, kept within limits, and good for nothing but a question."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import encoder as pyasn1_encoder
from pysnmp.proto import api
from pysnmp.proto.proxy import rfc2576
from sqlalchemy import Engine, func, select
from typer.testing import CliRunner

from collectors import traps as traps_module
from collectors.asker import SnmpAsker
from collectors.engine import Collector
from collectors.errors import DecodeError
from collectors.inbox import Inbox
from collectors.schedule import Schedule
from collectors.snmp import ber
from collectors.snmp.message import VERSION_2C, Pdu, decode_message, encode_message, encode_varbinds
from collectors.snmp.transport import SnmpTransport
from collectors.snmp.traps import Trap, decode_trap, kind_of, version_of
from collectors.traps import (
    RESULTS,
    Asks,
    Buckets,
    Gate,
    Limit,
    TrapCounters,
    TrapReceiver,
    Trigger,
    bind,
    canonical,
)
from cuntong import commands
from cuntong.collect import beneath_of, collect, fleet_of, groups_of, in_the_simulator, targets_of, trap_receiver
from cuntong.commands import running
from cuntong.errors import StartError, UsageError
from cuntong.http import DATAGRAM, free_port
from cuntong.settings import Settings
from inventory.loader import load
from inventory.model import Inventory
from inventory.scaffold import write_inventory
from ledger import history, leases
from ledger.database import open_ledger, sqlite_url
from ledger.journal import Journal
from ledger.tables import outage_events, site_events
from simulator.control import request
from simulator.county import County, from_inventory
from simulator.dial import address_of
from simulator.loopback import Listener
from simulator.snmp_agent import Agent

UP_TIME = ber.encode_oid("1.3.6.1.2.1.1.3.0")
TRAP_OID = ber.encode_oid("1.3.6.1.6.3.1.1.4.1.0")
IF_INDEX_2 = "1.3.6.1.2.1.2.2.1.1.2"
LINK_DOWN = "1.3.6.1.6.3.1.1.5.3"
ON_BATTERY = "1.3.6.1.2.1.33.2.1"

arcs = st.integers(0, 2**32 - 1)
enterprises = st.lists(arcs, min_size=1, max_size=20).map(lambda rest: ".".join(map(str, (1, 3, 6, 1, 4, 1, *rest))))


def v1_trap(enterprise: str, generic: int, specific: int, ticks: int = 4200, community: str = "public") -> bytes:
    """A v1 trap, written by pysnmp."""
    v1 = api.PROTOCOL_MODULES[api.SNMP_VERSION_1]
    encoded: bytes = pyasn1_encoder.encode(
        _v1_message(v1, _v1_pdu(v1, enterprise, generic, specific, ticks), community)
    )
    return encoded


def _v1_pdu(v1: Any, enterprise: str, generic: int, specific: int, ticks: int) -> Any:
    pdu = v1.TrapPDU()
    v1.apiTrapPDU.set_defaults(pdu)
    v1.apiTrapPDU.set_enterprise(pdu, v1.ObjectIdentifier(enterprise))
    v1.apiTrapPDU.set_agent_address(pdu, "192.0.2.7")
    v1.apiTrapPDU.set_generic_trap(pdu, generic)
    v1.apiTrapPDU.set_specific_trap(pdu, specific)
    v1.apiTrapPDU.set_timestamp(pdu, ticks)
    v1.apiTrapPDU.set_varbinds(pdu, [(v1.ObjectIdentifier(IF_INDEX_2), v1.Integer(2))])
    return pdu


def _v1_message(module: Any, pdu: Any, community: str) -> Any:
    message = module.Message()
    module.apiMessage.set_defaults(message)
    module.apiMessage.set_community(message, community)
    module.apiMessage.set_pdu(message, pdu)
    return message


def v2c_trap(oid: str, *, inform: bool = False, ticks: int = 4200, community: str = "public") -> bytes:
    """A v2c notification, written by pysnmp."""
    v2c = api.PROTOCOL_MODULES[api.SNMP_VERSION_2C]
    pdu = v2c.InformRequestPDU() if inform else v2c.TrapPDU()
    v2c.apiTrapPDU.set_defaults(pdu)
    v2c.apiTrapPDU.set_varbinds(
        pdu,
        [
            (v2c.ObjectIdentifier("1.3.6.1.2.1.1.3.0"), v2c.TimeTicks(ticks)),
            (v2c.ObjectIdentifier("1.3.6.1.6.3.1.1.4.1.0"), v2c.ObjectIdentifier(oid)),
            (v2c.ObjectIdentifier(IF_INDEX_2), v2c.Integer(2)),
        ],
    )
    encoded: bytes = pyasn1_encoder.encode(_v1_message(v2c, pdu, community))
    return encoded


# ---- decoding


@pytest.mark.parametrize(
    ("data", "oid", "kind"),
    [
        pytest.param(v1_trap("1.3.6.1.4.1.2011.2.224", 0, 0), "1.3.6.1.6.3.1.1.5.1", "cold_start", id="v1 coldStart"),
        pytest.param(v1_trap("1.3.6.1.4.1.2011.2.224", 1, 0), "1.3.6.1.6.3.1.1.5.2", "warm_start", id="v1 warmStart"),
        pytest.param(v1_trap("1.3.6.1.4.1.25506.1", 2, 0), LINK_DOWN, "link_down", id="v1 linkDown"),
        pytest.param(v1_trap("1.3.6.1.4.1.25506.1", 3, 0), "1.3.6.1.6.3.1.1.5.4", "link_up", id="v1 linkUp"),
        pytest.param(
            v1_trap("1.3.6.1.4.1.4881.1", 4, 0),
            "1.3.6.1.6.3.1.1.5.5",
            "authentication_failure",
            id="v1 authenticationFailure",
        ),
        pytest.param(v1_trap("1.3.6.1.4.1.4881.1", 5, 0), "1.3.6.1.6.3.1.1.5.6", "other", id="v1 egpNeighborLoss"),
        pytest.param(
            v1_trap("1.3.6.1.4.1.2011.5.25", 6, 77), "1.3.6.1.4.1.2011.5.25.0.77", "enterprise_2011", id="v1 a vendor's"
        ),
        pytest.param(v1_trap("1.3.6.1.2.1.33.2", 6, 1), "1.3.6.1.2.1.33.2.0.1", "ups_on_battery", id="v1 UPS-MIB"),
        pytest.param(v2c_trap("1.3.6.1.6.3.1.1.5.1"), "1.3.6.1.6.3.1.1.5.1", "cold_start", id="v2c coldStart"),
        pytest.param(v2c_trap(LINK_DOWN), LINK_DOWN, "link_down", id="v2c linkDown"),
        pytest.param(v2c_trap(LINK_DOWN, inform=True), LINK_DOWN, "link_down", id="inform linkDown"),
        pytest.param(v2c_trap(ON_BATTERY), ON_BATTERY, "ups_on_battery", id="v2c UPS-MIB"),
        pytest.param(
            v2c_trap("1.3.6.1.4.1.25506.2.38.1.6.3.0.2"), "1.3.6.1.4.1.25506.2.38.1.6.3.0.2", "enterprise_25506",
            id="v2c a vendor's",
        ),
        pytest.param(v2c_trap("1.3.6.1.2.1.14.16.2.2"), "1.3.6.1.2.1.14.16.2.2", "other", id="v2c a standard's"),
    ],
)  # fmt: skip
def test_a_notification_that_pysnmp_wrote_is_read(data: bytes, oid: str, kind: str) -> None:
    trap = decode_trap(data)
    assert (ber.decode_oid(trap.oid), trap.kind) == (oid, kind)
    assert (trap.community, trap.uptime_s) == (b"public", 42.0)
    assert trap.varbinds == ((ber.encode_oid(IF_INDEX_2), ber.INTEGER, 2),)
    assert trap.agent == (bytes((192, 0, 2, 7)) if trap.version == 0 else None)


@given(enterprises, st.integers(0, 6), st.integers(0, 2**31 - 1), st.integers(0, 2**32 - 1))
def test_a_v1_trap_gets_the_name_that_pysnmp_gives_it(enterprise: str, generic: int, specific: int, ticks: int) -> None:
    v1 = api.PROTOCOL_MODULES[api.SNMP_VERSION_1]
    pdu = _v1_pdu(v1, enterprise, generic, specific, ticks)
    theirs = {str(name): value for name, value in api.v2c.apiPDU.get_varbinds(rfc2576.v1_to_v2(pdu))}
    ours = decode_trap(v1_trap(enterprise, generic, specific, ticks))
    assert ber.decode_oid(ours.oid) == str(theirs["1.3.6.1.6.3.1.1.4.1.0"])
    assert ours.uptime_s == int(theirs["1.3.6.1.2.1.1.3.0"]) / 100


def notification(*varbinds: Any, pdu: int = Pdu.TRAP_V2, version: int = VERSION_2C) -> bytes:
    return encode_message(version, b"public", pdu, 7, encode_varbinds(varbinds))


def test_an_agent_that_mixes_up_the_order_is_understood() -> None:
    oid = ber.encode_oid(LINK_DOWN)
    trap = decode_trap(notification((TRAP_OID, ber.OBJECT_IDENTIFIER, oid), (UP_TIME, ber.TIME_TICKS, 100)))
    assert (trap.kind, trap.uptime_s, trap.varbinds) == ("link_down", 1.0, ())


def test_an_agent_that_does_not_tell_its_uptime_has_none() -> None:
    assert decode_trap(notification((TRAP_OID, ber.OBJECT_IDENTIFIER, ber.encode_oid(LINK_DOWN)))).uptime_s is None


GOOD_V1 = v1_trap("1.3.6.1.4.1.2011", 6, 77)
GOOD_V2C = v2c_trap(LINK_DOWN)
A_NAME = (TRAP_OID, ber.OBJECT_IDENTIFIER, ber.encode_oid(LINK_DOWN))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x30\x00", id="an empty message"),
        pytest.param(b"\x02\x01\x01", id="no sequence"),
        pytest.param(b"\x30\x03\x02\x01\x02", id="version 2"),
        pytest.param(b"\x30\x03\x02\x01\x03", id="version 3"),
        pytest.param(notification((UP_TIME, ber.TIME_TICKS, 1)), id="without a name"),
        pytest.param(notification(A_NAME, pdu=Pdu.GET), id="a question"),
        pytest.param(notification(A_NAME, pdu=Pdu.RESPONSE), id="an answer"),
        pytest.param(notification(A_NAME, version=0), id="a v2 PDU in a v1 message"),
        pytest.param(GOOD_V1.replace(b"\x02\x01\x00", b"\x02\x01\x01", 1), id="a v1 PDU in a v2c message"),
        pytest.param(GOOD_V1.replace(b"\x02\x01\x06", b"\x02\x01\x07", 1), id="generic trap 7"),
        pytest.param(GOOD_V1.replace(b"\x02\x01\x06", b"\x02\x01\xff", 1), id="generic trap -1"),
        pytest.param(GOOD_V1.replace(b"\x02\x01\x4d", b"\x02\x01\xff", 1), id="specific trap -1"),
        pytest.param(
            notification((TRAP_OID, ber.OBJECT_IDENTIFIER, b"\x2b" + b"\xff" * 5 + b"\x7f")), id="a name with 2^42"
        ),
        pytest.param(notification((TRAP_OID, ber.OBJECT_IDENTIFIER, b"\x2b\x86")), id="a name that ends inside"),
        pytest.param(notification((TRAP_OID, ber.OBJECT_IDENTIFIER, b"")), id="an empty name"),
        pytest.param(notification((TRAP_OID, ber.OBJECT_IDENTIFIER, b"\xff" * 60_000 + b"\x7f")), id="a giant name"),
        pytest.param(notification((TRAP_OID, ber.OCTET_STRING, b"linkDown")), id="a name that is text"),
    ],
)
def test_what_is_no_notification_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_trap(data)


@given(
    st.one_of(
        st.binary(max_size=400),
        st.tuples(st.sampled_from([GOOD_V1, GOOD_V2C]), st.integers(0, 200), st.binary(min_size=1, max_size=4)).map(
            lambda cut: cut[0][: cut[1]] + cut[2] + cut[0][cut[1] + len(cut[2]) :]
        ),
        st.tuples(st.sampled_from([GOOD_V1, GOOD_V2C]), st.integers(0, 200)).map(lambda cut: cut[0][: cut[1]]),
    )
)
def test_garbage_raises_a_decode_error_and_nothing_else(data: bytes) -> None:
    with contextlib.suppress(DecodeError):
        version_of(data)
    try:
        trap = decode_trap(data)
    except DecodeError:
        return
    assert ber.decode_oid(trap.oid)
    assert trap.kind


def test_an_inform_is_answered_with_its_number_and_its_variables() -> None:
    data = v2c_trap(LINK_DOWN, inform=True)
    inbox = Inbox("test", 1_800_000_000.0, 0.0, lambda _: (), lambda _: None, lambda: 0)
    opened = inbox.inform(decode_trap(data), data, 0.0)
    assert decode_message(opened.answer or b"") == decode_message(data)._replace(pdu=Pdu.RESPONSE)
    assert opened.trap == decode_trap(data)
    assert decode_trap(data).acknowledged
    assert not decode_trap(v2c_trap(LINK_DOWN)).acknowledged


# ---- limits


@given(
    st.floats(0.1, 1000),
    st.integers(1, 50),
    st.lists(st.tuples(st.floats(0, 3), st.integers(1, 30)), max_size=60),
)
def test_in_no_span_of_time_do_more_pass_than_burst_and_rate_allow(
    rate: float, burst: int, waves: list[tuple[float, int]]
) -> None:
    buckets, now, passed = Buckets(Limit(rate, burst)), 1000.0, []
    for pause_s, many in waves:
        now += pause_s
        passed += [now for _ in range(many) if buckets.take(0, now)]
    for first, since in enumerate(passed):
        for last in range(first, len(passed)):
            assert last - first + 1 <= burst + rate * (passed[last] - since) + 0.001


def test_a_full_bucket_gives_its_burst_and_then_its_rate() -> None:
    buckets = Buckets(Limit(5, 20))
    assert sum(buckets.take(0, 100.0) for _ in range(100)) == 20
    assert [buckets.take(0, 100.0 + tenth / 10) for tenth in range(1, 6)] == [False, True, False, True, False]
    assert sum(buckets.take(0, 200.0) for _ in range(100)) == 20


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_a_limit_that_lets_nothing_through_is_refused(rate: float, burst: int) -> None:
    with pytest.raises(ValueError, match="lets nothing through"):
        Limit(rate, burst)


def test_a_stranger_is_foreign_and_costs_no_memory() -> None:
    gate = Gate({"192.0.2.1": 7})
    for low in range(256):
        assert gate.admit(f"198.51.100.{low}", 1.0) == (None, "foreign")
    assert len(gate._each) == 0
    assert gate.admit("192.0.2.1", 1.0) == (7, "")
    assert len(gate._each) == 1


def test_one_device_s_flood_leaves_room_for_the_others() -> None:
    gate = Gate({"192.0.2.1": 1, "192.0.2.2": 2}, Limit(1, 3), Limit(1, 5))
    said = Counter(gate.admit("192.0.2.1", 1.0) for _ in range(1000))
    assert said == {(1, ""): 3, (None, "limited_source"): 997}
    assert [gate.admit("192.0.2.2", 1.0) for _ in range(3)] == [(2, ""), (2, ""), (None, "limited_global")]


@pytest.mark.parametrize(
    ("written", "read"),
    [("192.0.2.1", "192.0.2.1"), ("2001:DB8::0:1", "2001:db8::1"), ("fe80::1%eth0", "fe80::1")],
)
def test_an_address_is_known_however_it_was_written(written: str, read: str) -> None:
    assert canonical(written) == read


def test_the_kinds_of_a_forger_are_counted_in_bounded_memory() -> None:
    counters = TrapCounters()
    for number in range(10_000):
        counters.accept(kind_of(ber.encode_oid(f"1.3.6.1.4.1.{number}.1")))
    counters.accept("enterprise_5")
    assert len(counters.kinds) == 257
    assert (counters.kinds["enterprise_5"], counters.kinds["other"]) == (2, 10_000 - 256)
    assert counters.received == counters.results["accepted"] == 10_001


# ---- whom a trap makes us ask


def trigger() -> Trigger:
    """0 is the core, 1 a township's router, 2 and 3 village routers beneath it, 4 a kiosk at 2; 5 is a partner's."""
    above = {0: (), 1: (0,), 2: (1,), 3: (1,), 4: (2,), 5: (2,)}
    beneath = {0: (1,), 1: (2, 3), 2: (4, 5)}
    return Trigger(above.__getitem__, lambda device: beneath.get(device, ()), range(5))


@pytest.mark.parametrize(
    ("device", "kind", "asked"),
    [
        pytest.param(4, "enterprise_8072", {4, 2}, id="a kiosk"),
        pytest.param(2, "ups_on_battery", {2, 1}, id="a village"),
        pytest.param(1, "link_down", {1, 0, 2, 3}, id="a port towards a village"),
        pytest.param(2, "link_up", {2, 1, 4}, id="a port towards a kiosk, and a partner's device that is not asked"),
        pytest.param(1, "cold_start", {1, 0, 2, 3}, id="a start"),
        pytest.param(1, "authentication_failure", {1, 0}, id="nothing that cuts anybody off"),
    ],
)
def test_a_trap_asks_the_device_the_routers_above_and_whom_it_may_cut_off(
    device: int, kind: str, asked: set[int]
) -> None:
    assert {when: set(devices) for when, devices in trigger().worth_asking(device, kind, 10.0).items()} == {10.0: asked}


@given(st.lists(st.tuples(st.floats(0, 2), st.integers(0, 4), st.sampled_from(["link_down", "other"])), max_size=80))
def test_no_device_is_asked_twice_within_a_second_and_each_trap_is_followed_by_a_question(
    news: list[tuple[float, int, str]],
) -> None:
    asks, now = trigger(), 50.0
    asked: dict[int, list[float]] = {device: [] for device in range(5)}
    heard: list[tuple[int, float]] = []
    for pause_s, device, kind in news:
        now += pause_s
        heard.append((device, now))
        for at, devices in asks.worth_asking(device, kind, now).items():
            assert 0 <= at - now < 1
            for each in devices:
                asked[each].append(at)
    for times in asked.values():
        assert all(later - earlier >= 0.999_999 for earlier, later in pairwise(times))
    assert all(any(at >= when for at in asked[device]) for device, when in heard)


# ---- the socket


class Post:
    """A receiver for two devices of 127.64.0.0/10; the second speaks v3."""

    def __init__(self, **limits: Limit) -> None:
        self.heard: list[tuple[int, Trap]] = []
        self.socket = bind("127.0.0.1", 0)
        self.port: int = self.socket.getsockname()[1]
        self.receiver = TrapReceiver(
            [self.socket],
            Gate({address_of(0): 0, address_of(1): 1}, **limits),
            [b"public", None].__getitem__,
            lambda device, trap: self.heard.append((device, trap)),
            Inbox("test", 1_800_000_000.0, time.monotonic(), lambda _: (), lambda _: None, lambda: 0),
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

    def send(self, data: bytes, device: int = 0, times: int = 1) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((address_of(device), 0))
            for _ in range(times):
                sock.sendto(data, ("127.0.0.1", self.port))

    @property
    def results(self) -> dict[str, int]:
        return {result: count for result, count in self.receiver.look().results.items() if count}


async def until(holds: Callable[[], bool]) -> None:
    """Wait for it; the deadline is generous, since machines are busy."""
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.01)


async def test_each_datagram_is_counted_by_what_became_of_it() -> None:
    post = Post()
    async with post.running():
        post.send(GOOD_V2C)
        post.send(GOOD_V1)
        post.send(v2c_trap(LINK_DOWN, community="guessed"))
        post.send(b"nonsense")
        post.send(b"")
        post.send(b"\x30\x06\x02\x01\x03\x02\x01\x07")
        post.send(GOOD_V2C, device=1)
        post.send(GOOD_V2C, device=2)
        await until(lambda: post.receiver.counters.received == 8)
    assert post.results == {"accepted": 2, "refused": 2, "garbled": 3, "foreign": 1}
    assert post.receiver.counters.kinds == {"link_down": 1, "enterprise_2011": 1}
    assert [(device, trap.kind) for device, trap in post.heard] == [(0, "link_down"), (0, "enterprise_2011")]


async def test_a_flood_is_taken_in_small_turns_and_cut_down_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traps_module, "_PER_TURN", 10)
    post = Post(per_source=Limit(0.001, 20), in_total=Limit(0.001, 25))
    async with post.running():
        post.send(GOOD_V2C, times=95)
        turns = 0
        while post.receiver.counters.received < 95:
            before = post.receiver.counters.received
            await asyncio.sleep(0)
            taken = post.receiver.counters.received - before
            assert taken <= 10
            turns += taken > 0
        assert turns >= 10
        post.send(v2c_trap(ON_BATTERY), device=1, times=10)
        await until(lambda: post.receiver.counters.received == 105)
    assert post.results == {"accepted": 20, "limited_source": 75, "refused": 5, "limited_global": 5}


async def test_what_the_kernel_dropped_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traps_module, "_RECEIVE_BUFFER", 4096)
    post = Post()
    post.send(GOOD_V2C, times=500)
    async with post.running():
        post.send(GOOD_V2C)
        await until(lambda: sum(post.results.values()) == 501)
        assert post.results["overflowed"] > 0


@pytest.mark.parametrize("version", ["1", "2c"])
async def test_net_snmp_s_snmptrap_is_heard(version: str, program: Any, tmp_path: Path) -> None:
    told = {"1": ["1.3.6.1.4.1.2011", "192.0.2.9", "2", "0", "77"], "2c": ["77", LINK_DOWN]}[version]
    post = Post()
    async with post.running():
        await net_snmp(program.path("snmptrap"), tmp_path, post, version, *told, IF_INDEX_2, "i", "2")
        await until(lambda: bool(post.heard))
    [(device, trap)] = post.heard
    assert (device, trap.kind, trap.uptime_s, trap.version) == (0, "link_down", 0.77, 0 if version == "1" else 1)
    assert trap.varbinds == ((ber.encode_oid(IF_INDEX_2), ber.INTEGER, 2),)


async def test_net_snmp_s_snmpinform_is_content_with_our_answer(program: Any, tmp_path: Path) -> None:
    post = Post()
    async with post.running():
        await net_snmp(program.path("snmpinform"), tmp_path, post, "2c", "77", ON_BATTERY, IF_INDEX_2, "i", "2")
    assert [(device, trap.kind) for device, trap in post.heard] == [(0, "ups_on_battery")]


async def net_snmp(tool: str, folder: Path, post: Post, version: str, *told: str) -> None:
    """Runs one of its tools from the first device's address; fails if the tool does."""
    options = ["-v", version, "-c", "public", "-r", "2", "-t", "5", "-m", "", f"--clientAddr={address_of(0)}"]
    process = await asyncio.create_subprocess_exec(
        tool, *options, f"127.0.0.1:{post.port}", *told, env={**os.environ, "SNMP_PERSISTENT_DIR": str(folder)}
    )
    assert await process.wait() == 0


async def test_ipv6_has_a_socket_of_its_own() -> None:
    heard: list[int] = []
    try:
        sock = bind("::1", 0)
    except OSError:
        pytest.skip("this machine has no IPv6")
    receiver = TrapReceiver(
        [sock], Gate({canonical("::1"): 5}), lambda _: b"public", lambda device, _: heard.append(device)
    )
    task = asyncio.create_task(receiver.run())
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender:
        sender.sendto(GOOD_V2C, ("::1", sock.getsockname()[1]))
    await until(lambda: heard == [5])
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


# ---- the collector


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A county of one township and two villages, as ``cuntong init`` writes it."""
    folder = tmp_path_factory.mktemp("county")
    rows = [
        "code,name,level,parent", "990000000000,测试省,1,", "990100000000,测试市,2,990000000000",
        "990101000000,测试县,3,990100000000", "990101100000,东乡镇,4,990101000000",
        "990101100200,苇村村委会,5,990101100000", "990101100201,山村村委会,5,990101100000",
    ]  # fmt: skip
    (folder / "divisions.csv").write_text("\n".join(rows) + "\n", "utf-8")
    write_inventory(folder / "inventory", folder / "divisions.csv", "990101")
    return folder / "inventory"


@pytest.fixture(scope="module")
def county(folder: Path) -> Inventory:
    return load(folder)


def village_and_township(county: Inventory) -> tuple[str, int]:
    """A village's site, and the router above it."""
    village = county.sites.types.index("village_site")
    return county.sites.ids[village], county.devices.routers(county.site_uplinks(village)[0])[0]


def test_a_router_s_ports_carry_its_site_and_the_routers_beneath(county: Inventory) -> None:
    _, township = village_and_township(county)
    site = county.devices.site_of(township)
    beneath = set(beneath_of(county)(township))
    villages = [other for other in range(len(county.sites)) if site in county.site_uplinks(other)]
    assert len(villages) == 2
    assert beneath == {*county.devices.ordinals(site), *(county.devices.routers(other)[0] for other in villages)}
    kiosk = next(device for device in county.devices if device.device_class == "kiosk")
    assert set(beneath_of(county)(kiosk.ordinal)) == set()


@asynccontextmanager
async def collecting(
    county: Inventory, ledger: Engine, sock: socket.socket
) -> AsyncIterator[tuple[Collector, TrapReceiver]]:
    """The simulated county, asked twice a second, whose traps are heard."""
    listener = Listener(Agent(County(from_inventory(county), time.time)), 0)
    transport = SnmpTransport(asyncio.get_running_loop())
    try:
        targets = targets_of(county, in_the_simulator(listener.port))
        polled = [ordinal for ordinal, target in enumerate(targets) if target is not None]
        lease = leases.acquire(ledger, county.top, "test", "127.0.0.1:1", time.time(), 60)
        journal = Journal(ledger, lease, time.time, 60)
        schedule = Schedule(groups_of(county), 0.5, 8)
        asker = SnmpAsker(transport, targets, 5, 2, 15)
        collector = Collector(fleet_of(county), polled, schedule, asker, journal, time.time)
        receiver = trap_receiver(county, targets, collector, [sock])
        tasks = [asyncio.create_task(collector.run()), asyncio.create_task(receiver.run())]
        try:
            yield collector, receiver
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        transport.close()
        listener.close()
        sock.close()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Engine]:
    engine = open_ledger(sqlite_url(tmp_path / "ledger.sqlite3"))
    yield engine
    engine.dispose()


async def test_a_flood_from_one_device_keeps_nobody_from_being_asked_and_says_nothing(
    county: Inventory, ledger: Engine
) -> None:
    _, township = village_and_township(county)
    last = len(county.devices) - 1
    sock = bind("127.0.0.1", 0)
    port = sock.getsockname()[1]
    async with collecting(county, ledger, sock) as (collector, receiver):
        await until(lambda: collector.sweep.cycles >= 1 and not collector.journal.pending)
        said = facts(ledger)
        asked_before = sum(collector.sweep.polls.values())
        with flooding(township, port) as flood, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind((address_of(last), 0))

            def heard_beside_it() -> bool:
                other.sendto(v2c_trap(ON_BATTERY), ("127.0.0.1", port))
                return receiver.counters.kinds["ups_on_battery"] > 0

            await until(heard_beside_it)
            cycles = collector.sweep.cycles
            await until(lambda: collector.sweep.cycles >= cycles + 3 and flood.sent >= 5000)
        assert collector.sweep.polls["silent"] == 0
        assert sum(collector.sweep.polls.values()) - asked_before >= 3 * len(county.devices)
        assert receiver.counters.results["limited_source"] > receiver.counters.results["accepted"]
    assert facts(ledger) == said


def facts(ledger: Engine) -> int:
    """How many the ledger holds."""
    with ledger.connect() as connection:
        return sum(
            connection.scalar(select(func.count()).select_from(table)) or 0 for table in (site_events, outage_events)
        )


class Flood:
    sent = 0


@contextmanager
def flooding(device: int, port: int) -> Iterator[Flood]:
    """A thread that sends a device's traps, a hundred at once, until the block ends."""
    flood, ended = Flood(), threading.Event()

    def run() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((address_of(device), 0))
            while not ended.wait(0.005):
                for _ in range(100):
                    sock.sendto(GOOD_V2C, ("127.0.0.1", port))
                flood.sent += 100

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield flood
    finally:
        ended.set()
        thread.join()


async def test_questions_that_come_too_soon_are_asked_when_their_second_is_over() -> None:
    asked: list[tuple[int, ...]] = []
    asks = Asks(
        Trigger(lambda _: (), lambda _: (), range(5), every_s=0.05), lambda devices: asked.append(tuple(devices))
    )
    trap = decode_trap(GOOD_V2C)
    for _ in range(10):
        asks.on_trap(3, trap)
    assert asked == []
    await asyncio.sleep(0)
    assert asked == [(3,)]
    await until(lambda: asked == [(3,), (3,)])


async def test_a_trap_of_the_router_above_finds_a_cut_line_long_before_its_turn(
    folder: Path, county: Inventory, tmp_path: Path, ledger: Engine
) -> None:
    village, township = village_and_township(county)
    snmp, heard, metrics = free_port(kind=DATAGRAM), free_port(kind=DATAGRAM), free_port()
    control, ledger_url = tmp_path / "control.sock", sqlite_url(tmp_path / "ledger.sqlite3")
    environment = {
        **os.environ, "CUNTONG_LEDGER": ledger_url, "CUNTONG_INTERVAL_S": "3600", "CUNTONG_TIMEOUT_S": "0.3",
        "CUNTONG_RETRIES": "1",
        "XDG_CACHE_HOME": str(tmp_path),
    }  # fmt: skip
    simulator = ["simulate", "county", str(folder), "--port", str(snmp), "--control", str(control)]
    collector = ["collect", str(folder), "--simulated", str(snmp), "--port", str(metrics)]
    with ExitStack() as programs:
        programs.enter_context(program_of(simulator, environment, tmp_path))
        await until(control.exists)
        heard_at = f"127.0.0.1:{heard}"
        programs.enter_context(program_of([*collector, "--traps", heard_at], environment, tmp_path))
        await until(lambda: "cuntong_collector_first_sweep_seconds " in own_metrics(metrics))

        def outages() -> list[tuple[str, bool]]:
            with ledger.connect() as connection:
                return [(outage.node, outage.until is not None) for outage in history.outages(connection)]

        def tell(kind: str) -> None:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.bind((address_of(township), 0))
                sock.sendto(v2c_trap(kind), ("127.0.0.1", heard))

        cut = {"fault": "uplink_cut", "target": village}
        assert (await request(control, {"do": "inject", "fault": cut}))["ok"]
        assert outages() == []
        tell(LINK_DOWN)
        await until(lambda: outages() == [(village, False)])
        assert 'cuntong_collector_trap_kinds_total{kind="link_down"} 1\n' in own_metrics(metrics)
        assert (await request(control, {"do": "clear", "target": village}))["ok"]
        tell("1.3.6.1.6.3.1.1.5.4")
        await until(lambda: outages() == [(village, True)])
        text = own_metrics(metrics)
        assert 'cuntong_collector_traps_total{result="accepted"} 2\n' in text
        assert all(f'cuntong_collector_traps_total{{result="{result}"}}' in text for result in RESULTS)


def own_metrics(port: int) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            body: bytes = answer.read()
    except OSError:
        return ""
    return body.decode()


@contextmanager
def program_of(arguments: list[str], environment: dict[str, str], folder: Path) -> Iterator[None]:
    """A command of ours, ended with the block; its log is shown if the block fails."""
    path = folder / f"{arguments[0]}.log"
    with path.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "cuntong", *arguments], env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            yield
            assert process.poll() is None, path.read_text()
        except BaseException:
            sys.stderr.write(path.read_text())
            raise
        finally:
            process.terminate()
            process.wait()


def test_an_address_that_cannot_be_heard_is_said(county: Inventory) -> None:
    where = [("127.0.0.1", 0), ("192.0.2.1", 162)]  # the first is closed again
    with pytest.raises(StartError, match=r"Cannot hear traps on 192\.0\.2\.1, UDP port 162: .+ Choose another"):
        collect(county, Settings(), in_the_simulator(1), "127.0.0.1", 0, where)


def test_an_address_that_is_none_is_wrong_input(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "log", lambda: None)
    ended = CliRunner().invoke(commands.app, ["collect", str(folder), "--traps", "127.0.0.1:what"])
    assert isinstance(ended.exception, UsageError)
    assert str(ended.exception) == "'127.0.0.1:what' is no ADDRESS:PORT."
