"""The transport over real sockets on loopback, against agents that misbehave on purpose."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import pairwise

import pytest
import uvloop

from collectors.decode import compile_profiles
from collectors.decode.compile import Catalogue
from collectors.errors import SilentDeviceError
from collectors.one_shot import poll_once
from collectors.snmp import ber
from collectors.snmp.conversation import Polled
from collectors.snmp.layouts import Layout
from collectors.snmp.message import VERSION_2C, Pdu, decode_message, encode_message, encode_varbinds
from collectors.snmp.target import Target
from collectors.snmp.transport import SnmpTransport
from inventory.profiles import load_profiles
from simulator.walk import RecordedAgent

Misbehave = Callable[[bytes], list[bytes]]
"""From a good reply to the datagrams that are sent instead, in order."""

ROWS: dict[str, tuple[int, int | bytes]] = {
    "1.3.6.1.2.1.1.1.0": (4, b"Linux gateway 6.1.0 #1 SMP x86_64"),
    "1.3.6.1.2.1.1.2.0": (6, ber.encode_oid("1.3.6.1.4.1.8072.3.2.10")),
    "1.3.6.1.2.1.1.3.0": (67, 8_640_000),
    "1.3.6.1.2.1.1.5.0": (4, b"gateway"),
    "1.3.6.1.2.1.2.2.1.2.1": (4, b"eth0"),
    "1.3.6.1.2.1.2.2.1.8.1": (2, 1),
    "1.3.6.1.2.1.31.1.1.1.1.1": (4, b"eth0"),
    "1.3.6.1.2.1.31.1.1.1.6.1": (70, 2**40),
}


def recorded_agent() -> RecordedAgent:
    return RecordedAgent({ber.decode_arcs(ber.encode_oid(oid)): row for oid, row in ROWS.items()})


class Agent(asyncio.DatagramProtocol):
    """Answers well, then lets ``misbehave`` have its way."""

    def __init__(self, misbehave: Misbehave | None = None, silent_for: int = 0) -> None:
        self.requests = 0
        self._agent = recorded_agent()
        self._misbehave = misbehave
        self._silent_for = silent_for
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.requests += 1
        if self.requests <= self._silent_for:
            return
        reply = self._agent.answer(data)
        assert self._transport is not None
        for datagram in self._misbehave(reply) if reply and self._misbehave else [reply] if reply else []:
            self._transport.sendto(datagram, addr)


@asynccontextmanager
async def serving(agent: Agent) -> AsyncIterator[int]:
    endpoint, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: agent, local_addr=("127.0.0.1", 0))
    try:
        yield endpoint.get_extra_info("sockname")[1]
    finally:
        endpoint.close()


@contextmanager
def transport_of(max_in_flight: int = 64) -> Iterator[SnmpTransport]:
    transport = SnmpTransport(asyncio.get_running_loop(), max_in_flight=max_in_flight)
    try:
        yield transport
    finally:
        transport.close()


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return compile_profiles(load_profiles())


async def poll(
    transport: SnmpTransport,
    target: Target,
    *,
    slow: bool = False,
    timeout_s: float = 0.3,
    retries: int = 2,
    budget_s: float = 20.0,
) -> Polled:
    done: asyncio.Future[Polled] = asyncio.get_running_loop().create_future()
    transport.poll(
        target,
        lambda _, polled: done.set_result(polled),
        slow=slow,
        timeout_s=timeout_s,
        retries=retries,
        budget_s=budget_s,
    )
    polled = await asyncio.wait_for(done, 20)
    assert polled.error is None
    return polled


def foreign_community(reply: bytes) -> bytes:
    message = decode_message(reply)
    return encode_message(VERSION_2C, b"other", Pdu.RESPONSE, message.request_id, encode_varbinds(message.varbinds))


def foreign_id(reply: bytes) -> bytes:
    message = decode_message(reply)
    return encode_message(VERSION_2C, b"public", Pdu.RESPONSE, 77, encode_varbinds(message.varbinds))


NOISE = [
    pytest.param(lambda reply: [reply], {}, id="a good agent"),
    pytest.param(lambda reply: [b"\x30\x84", reply], {"garbled"}, id="garbage before the reply"),
    pytest.param(lambda reply: [reply[: len(reply) // 2], reply], {"garbled"}, id="a truncated reply before it"),
    pytest.param(lambda reply: [reply, reply], {"late"}, id="every reply twice"),
    pytest.param(lambda reply: [foreign_id(reply), reply], {"late"}, id="a reply to nobody before it"),
    pytest.param(lambda reply: [foreign_community(reply), reply], {"foreign"}, id="another community before it"),
    pytest.param(
        lambda reply: [reply.replace(b"\xa2", b"\xa0", 1), reply], {"foreign"}, id="a request where a reply should be"
    ),
]


@pytest.mark.parametrize(("misbehave", "counted"), NOISE)
async def test_noise_is_counted_and_ignored(misbehave: Misbehave, counted: set[str], catalogue: Catalogue) -> None:
    async with serving(Agent(misbehave)) as port:
        with transport_of() as transport:
            target = Target(("127.0.0.1", port), b"public", catalogue)
            survey = await poll(transport, target)
            steady = await poll(transport, target)
            await asyncio.sleep(0.05)
            counters = transport.counters
    for polled in (survey, steady):
        assert polled.readings is not None
        assert polled.readings.uptime_seconds == 86_400
        assert [(port.name, port.oper_up, port.in_octets) for port in polled.readings.interfaces] == [
            ("eth0", True, 2**40)
        ]
    assert counters.timeouts == counters.retried == 0
    for name in ("garbled", "late", "foreign"):
        assert bool(getattr(counters, name)) == (name in counted), name


async def test_a_silent_device_is_none_after_its_tries(catalogue: Catalogue) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf, transport_of() as transport:
        deaf.bind(("127.0.0.1", 0))
        polled = await poll(transport, Target(deaf.getsockname(), b"public", catalogue), timeout_s=0.05, retries=2)
        assert polled.readings is None
        assert (polled.requests, polled.retries, polled.rtt_s) == (3, 2, None)
        assert transport.counters.timeouts == 1
        assert transport.in_flight == 0


async def test_a_lost_request_is_sent_again(catalogue: Catalogue) -> None:
    async with serving(Agent(silent_for=1)) as port:
        with transport_of() as transport:
            polled = await poll(transport, Target(("127.0.0.1", port), b"public", catalogue), timeout_s=0.1)
    assert polled.readings is not None
    assert polled.retries == 1


async def test_a_closed_port_is_silence_and_harms_nobody(catalogue: Catalogue) -> None:
    async with serving(Agent()) as port:
        with transport_of() as transport:
            closed = Target(("127.0.0.1", 1), b"public", catalogue)
            good = Target(("127.0.0.1", port), b"public", catalogue)
            nobody, somebody = await asyncio.gather(
                poll(transport, closed, timeout_s=0.1, retries=1), poll(transport, good)
            )
    assert nobody.readings is None
    assert somebody.readings is not None


async def test_the_budget_of_a_poll_ends_it_whatever_tries_are_left(catalogue: Catalogue) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf, transport_of() as transport:
        deaf.bind(("127.0.0.1", 0))
        target = Target(deaf.getsockname(), b"public", catalogue)
        polled = await poll(transport, target, timeout_s=60, retries=9, budget_s=0.1)
        assert polled.readings is None
        assert polled.requests == 1


async def test_a_reply_from_another_address_is_believed_once_the_right_one_stays_silent(catalogue: Catalogue) -> None:
    loop = asyncio.get_running_loop()
    agent = recorded_agent()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
        transport_of() as transport,
    ):
        asked.setblocking(False)
        asked.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.2", 0))

        def answer() -> None:
            data, source = asked.recvfrom(65535)
            reply = agent.answer(data)
            if reply:
                other.sendto(reply, source)

        loop.add_reader(asked, answer)
        target = Target(asked.getsockname(), b"public", catalogue)
        polled = await poll(transport, target, timeout_s=0.1)
        loop.remove_reader(asked)
    assert polled.readings is not None
    assert target.any_source
    assert polled.retries == 1, "only the first request had to be repeated"
    assert transport.counters.foreign == 1


async def test_more_polls_than_the_window_wait_their_turn(catalogue: Catalogue) -> None:
    async with serving(Agent()) as port:
        with transport_of(max_in_flight=2) as transport:
            targets = [Target(("127.0.0.1", port), b"public", catalogue) for _ in range(20)]
            results = [asyncio.ensure_future(poll(transport, target)) for target in targets]
            await asyncio.sleep(0)
            assert transport.in_flight == 2
            assert transport.waiting == 18
            polled = await asyncio.gather(*results)
            assert all(each.readings is not None for each in polled)
            assert transport.in_flight == transport.waiting == 0


async def test_devices_of_one_kind_share_one_plan(catalogue: Catalogue) -> None:
    async with serving(Agent()) as port:
        with transport_of() as transport:
            targets = [Target(("127.0.0.1", port), b"public", catalogue) for _ in range(3)]
            for target in targets:
                await poll(transport, target)
    assert targets[0].plan is not None
    assert all(target.plan is targets[0].plan for target in targets)


async def test_steady_polls_learn_what_the_replies_look_like_and_read_the_same(catalogue: Catalogue) -> None:
    async with serving(Agent()) as port:
        with transport_of() as transport:
            target = Target(("127.0.0.1", port), b"public", catalogue)
            polls = [await poll(transport, target) for _ in range(4)]
    assert target.plan is not None
    assert [type(target.layouts[names]) for names in target.plan.requests] == [Layout] * len(target.plan.requests)
    assert set(target.layouts) == set(target.plan.requests), "nothing is remembered of a survey's questions"
    steady = [each.readings for each in polls[1:]]
    assert steady[0] == steady[1] == steady[2]
    assert steady[0] is not None


async def test_an_agent_that_restarted_is_surveyed_anew(catalogue: Catalogue) -> None:
    agent = Agent()
    async with serving(agent) as port:
        with transport_of() as transport:
            target = Target(("127.0.0.1", port), b"public", catalogue)
            await poll(transport, target)
            stale = [target.stale]
            target.uptime_seconds = 1e9
            restarted = await poll(transport, target)
            stale.append(target.stale)
            before = agent.requests
            await poll(transport, target)
            stale.append(target.stale)
            assert agent.requests - before > 2, "a survey"
            assert stale == [False, True, False]
            assert restarted.readings is not None
            assert restarted.readings.interfaces == (), "they may be numbered anew"
            assert restarted.readings.problems == ("the agent restarted; ports follow in the next poll",)


async def test_a_fault_of_ours_is_handed_over_and_stops_nobody(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(Agent()) as port:
        with transport_of() as transport:
            target = Target(("127.0.0.1", port), b"public", catalogue)
            monkeypatch.setattr("collectors.snmp.target.Survey.result", lambda *_: 1 / 0)
            done: asyncio.Future[Polled] = asyncio.get_running_loop().create_future()
            transport.poll(target, lambda _, polled: done.set_result(polled))
            polled = await asyncio.wait_for(done, 5)
            assert isinstance(polled.error, ZeroDivisionError)
            assert transport.in_flight == 0


async def test_one_shot_says_what_to_check_when_nobody_answers() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        port = deaf.getsockname()[1]
        with pytest.raises(SilentDeviceError, match=r"did not answer .* Check the address, the credential"):
            await poll_once("127.0.0.1", port, "public", load_profiles(), timeout_s=0.02, retries=0)


def test_it_runs_on_uvloop_and_over_ipv6(catalogue: Catalogue) -> None:
    async def scenario() -> Polled:
        endpoint, _ = await asyncio.get_running_loop().create_datagram_endpoint(Agent, local_addr=("::1", 0))
        with transport_of() as transport:
            target = Target(endpoint.get_extra_info("sockname")[:2], b"public", catalogue)
            polled = await poll(transport, target)
        endpoint.close()
        return polled

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        polled = runner.run(scenario())
    assert polled.readings is not None
    assert polled.readings.identity.profile == "linux-router"


def test_request_ids_are_secret_and_do_not_repeat_while_pending() -> None:
    async def ids(count: int) -> list[int]:
        with transport_of() as transport:
            return [transport._next_id() for _ in range(count)]

    first, second = asyncio.run(ids(20_000)), asyncio.run(ids(20_000))
    assert len(set(first)) == len(first)
    assert all(2**24 <= each < 2**31 for each in first)
    assert first[:10] != second[:10]
    steps = {b - a for a, b in pairwise(first)}
    assert len(steps) > 1_000, "no constant step from one id to the next"
