"""net-snmp's real agent, asked by our poller."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collectors.errors import SilentDeviceError
from collectors.one_shot import poll_once
from health.reading import Readings
from inventory.profiles import load_profiles

CONFIG = """
rocommunity secret-of-the-village 127.0.0.1
sysName township-gateway
sysLocation 便民服务中心
extend kiosk-page /bin/echo ok
extend kiosk-printer /bin/sh -c "echo 'no paper'; exit 1"
"""


@pytest.fixture(scope="module")
def snmpd(tmp_path_factory: pytest.TempPathFactory, start_snmpd: Any) -> Iterator[int]:
    with start_snmpd(tmp_path_factory.mktemp("snmpd"), CONFIG) as port:
        yield port


@pytest.fixture
async def readings(snmpd: int) -> Readings:
    return await poll_once("127.0.0.1", snmpd, "secret-of-the-village", load_profiles(), timeout_s=3)


def test_snmpd_with_kiosk_scripts_is_a_kiosk(readings: Readings) -> None:
    identity = readings.identity
    assert (identity.profile, identity.sys_name, identity.os) == ("linux-kiosk", "township-gateway", "Linux")
    assert identity.os_version == os.uname().release


def test_the_scripts_results_arrive(readings: Readings) -> None:
    assert {(each.name, each.output, each.result) for each in readings.extends} == {
        ("kiosk-page", "ok", 0),
        ("kiosk-printer", "no paper", 1),
    }


def test_the_machine_is_read_as_the_kernel_tells_it(readings: Readings) -> None:
    total_kb = int(Path("/proc/meminfo").read_text().split("MemTotal:")[1].split()[0])
    physical = next(store for store in readings.memory if store.name == "Physical memory")
    assert physical.total_bytes == total_kb * 1024
    assert physical.used_bytes is not None
    assert 0 < physical.used_bytes < total_kb * 1024
    kernel = {path.name for path in Path("/sys/class/net").iterdir() if path.is_dir()}
    assert {port.name for port in readings.interfaces} >= kernel & {"lo", "eth0"}
    loopback = next(port for port in readings.interfaces if port.name == "lo")
    assert loopback.oper_up
    assert loopback.in_octets is not None
    assert readings.uptime_seconds is not None
    assert readings.uptime_seconds <= float(Path("/proc/uptime").read_text().split()[0]) + 5
    assert readings.problems == ()


async def test_the_wrong_community_is_silence(snmpd: int) -> None:
    with pytest.raises(SilentDeviceError):
        await poll_once("127.0.0.1", snmpd, "guessed", load_profiles(), timeout_s=0.1, retries=0)
