"""How long a device is waited for: as its round trips tell, within bounds, and never less when it is in doubt."""

import asyncio
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.decode.compile import Catalogue
from collectors.snmp import ber
from collectors.snmp.errand import run
from collectors.snmp.poll import Findings, Manners, ask
from collectors.snmp.target import SHORTEST_S, Target
from collectors.snmp.transport import SnmpTransport

NAMES = [ber.encode_oid("1.3.6.1.2.1.1.3.0")]


def target(port: int = 9) -> Target:
    return Target(("127.0.0.1", port), b"public", Catalogue({}))


@given(st.lists(st.floats(1e-6, 30), min_size=1, max_size=50), st.floats(0.2, 30))
def test_patience_stays_between_its_floor_and_what_is_configured(rtts: list[float], configured: float) -> None:
    one = target()
    assert one.patience_s(configured) == configured
    for rtt_s in rtts:
        one.met(rtt_s)
        assert SHORTEST_S <= one.patience_s(configured) <= configured
    one.missed()
    assert one.patience_s(configured) == configured


def test_it_follows_the_round_trip_as_the_rfc_says() -> None:
    one = target()
    one.met(0.4)
    assert (one.rtt_s, one.rtt_deviation_s) == (0.4, 0.2)
    one.met(0.8)
    assert one.rtt_s == pytest.approx(0.45)
    assert one.rtt_deviation_s == pytest.approx(0.25)
    assert one.patience_s(9.0) == pytest.approx(1.45)


@given(st.floats(0.001, 5))
def test_a_steady_round_trip_is_waited_for_a_little_longer_than_it_takes(rtt_s: float) -> None:
    one = target()
    for _ in range(60):
        one.met(rtt_s)
    assert rtt_s <= one.patience_s(30.0) <= max(SHORTEST_S, 1.01 * rtt_s)


async def test_one_that_was_lost_is_asked_again_with_all_our_patience() -> None:
    """The tries of a question to a silent device, whose round trip was short: the second waits as configured."""
    loop = asyncio.get_running_loop()
    arrived: list[float] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.setblocking(False)

        def hear() -> None:
            silent.recv(2048)
            arrived.append(loop.time())

        loop.add_reader(silent, hear)
        transport = SnmpTransport(loop)
        one = target(silent.getsockname()[1])
        one.met(0.001)
        try:
            for _ in range(2):
                conversation = ask(NAMES, Manners(1), Findings())
                await run(transport, one, conversation, timeout_s=0.6, retries=1, budget_s=20)
        finally:
            transport.close()
            loop.remove_reader(silent)
    first, second, third, fourth = arrived
    assert second - first < third - second  # 0.2 s, then 0.9 s: shortened once
    assert fourth - third > 0.55  # the next round is not shortened
