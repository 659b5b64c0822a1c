"""ICMP echo: the messages by tables, the counting by properties, real silence in a network namespace."""

import asyncio
import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.ping import ROUNDS, Echoes, Pinger, checksum, open_socket, reply, request

REPO = Path(__file__).resolve().parents[2]
SECRET = b"8 octets"
V4, V6 = socket.AF_INET, socket.AF_INET6
IP_HEADER = bytes.fromhex("45000034000040004001000000000000" + "00000000")


def answer(family: int, data: bytes) -> bytes:
    """A request as its answer comes back."""
    return bytes((0 if family == V4 else 129,)) + data[1:]


def test_a_sum_is_that_of_the_rfc() -> None:
    # RFC 1071 section 3: the words 0001 f203 f4f5 f6f7 sum to ddf2.
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xFFFF - 0xDDF2


@given(st.binary(min_size=8, max_size=8), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_a_request_of_ipv4_sums_to_nothing_and_its_answer_is_known(secret: bytes, target: int, number: int) -> None:
    data = request(V4, secret, target, number)
    assert checksum(data) == 0
    assert reply(V4, secret, answer(V4, data)) == (target, number)


@pytest.mark.parametrize(
    ("family", "data", "known"),
    [
        pytest.param(V4, answer(V4, request(V4, SECRET, 7, 3)), (7, 3), id="IPv4"),
        pytest.param(V4, IP_HEADER + answer(V4, request(V4, SECRET, 7, 3)), (7, 3), id="IPv4 behind its header"),
        pytest.param(V6, answer(V6, request(V6, SECRET, 7, 70_000)), (7, 70_000), id="IPv6, after many rounds"),
        pytest.param(V4, request(V4, SECRET, 7, 3), None, id="our own request"),
        pytest.param(V4, answer(V4, request(V4, b"another!", 7, 3)), None, id="another process's"),
        pytest.param(V4, answer(V4, request(V4, SECRET, 7, 3))[:-1], None, id="cut short"),
        pytest.param(V4, b"\x03\x01" + bytes(40), None, id="host unreachable"),
        pytest.param(V4, b"", None, id="nothing"),
    ],
)
def test_only_answers_to_our_own_are_known(family: int, data: bytes, known: tuple[int, int] | None) -> None:
    assert reply(family, SECRET, data) == known


@given(st.lists(st.booleans(), max_size=60))
def test_loss_is_counted_over_the_last_rounds(answered: list[bool]) -> None:
    echoes = Echoes(3)
    for at, came in enumerate(answered):
        number = echoes.sent(1, at + 1.0)
        if came:
            assert echoes.answered(1, number, at + 1.25)
        else:
            echoes.lost(1, number)
    last = answered[-ROUNDS:]
    assert echoes.loss_ratio(1) == (last.count(False) / len(last) if last else None)
    assert echoes.rtt_s(1) == (0.25 if answered and answered[-1] else None)
    assert echoes.loss_ratio(0) is None


def test_late_doubled_and_forged_answers_change_nothing() -> None:
    echoes = Echoes(2)
    first = echoes.sent(0, 1.0)
    second = echoes.sent(0, 61.0)  # the first one is lost by now
    assert not echoes.answered(0, first, 61.5)
    assert not echoes.answered(5, 1, 61.5)
    assert echoes.answered(0, second, 61.5)
    assert not echoes.answered(0, second, 61.6)
    echoes.lost(0, second)
    assert (echoes.loss_ratio(0), echoes.rtt_s(0)) == (0.5, 0.5)


async def test_where_no_socket_is_permitted_it_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    def refused(family: int) -> socket.socket:
        raise PermissionError(1, "Operation not permitted")

    pinger = Pinger(["192.0.2.1", None, "192.0.2.3"], 0.05, opener=refused)
    with contextlib.suppress(TimeoutError), caplog.at_level(logging.WARNING):
        async with asyncio.timeout(0.3):
            await pinger.run()
    assert [record.getMessage().partition(". ")[0] for record in caplog.records] == [
        "no ICMP echo over IPv4: Operation not permitted"
    ]
    assert pinger.echoes.loss_ratio(0) is None


def permitted() -> bool:
    try:
        open_socket(V4).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not permitted(), reason="this user may not send ICMP echoes")
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_loopback_answers(address: str) -> None:
    pinger = Pinger([None, address], 0.1)
    task = asyncio.create_task(pinger.run())
    try:
        async with asyncio.timeout(20):
            while pinger.echoes.rtt_s(1) is None:
                await asyncio.sleep(0.01)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert 0 < (pinger.echoes.rtt_s(1) or 0) < 2


IN_NAMESPACE = """
import asyncio, json, subprocess
from collectors.ping import Pinger
for command in ("link set lo up", "link add v0 type veth peer name v1",
                "addr add 198.18.78.1/24 dev v0", "link set v0 up", "link set v1 up"):
    subprocess.run(["ip", *command.split()], check=True)
addresses = ["198.18.78.1"] + [f"198.18.78.{n}" for n in range(100, 200)]
pinger = Pinger(addresses, 1.0, timeout_s=0.3)
async def run():
    task = asyncio.create_task(pinger.run())
    await asyncio.sleep(2.6)
    task.cancel()
asyncio.run(run())
print(json.dumps([pinger.echoes.loss_ratio(target) for target in range(len(addresses))]))
"""


@pytest.mark.lab
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_silence_is_silence_in_a_network_of_its_own() -> None:
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-c", IN_NAMESPACE], capture_output=True, text=True, cwd=REPO, timeout=60
    )
    assert done.returncode == 0, done.stderr
    [answers, *silent] = json.loads(done.stdout)
    assert answers == 0.0
    assert silent == [1.0] * 100
