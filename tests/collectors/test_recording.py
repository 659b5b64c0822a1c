"""Recordings that can be given away: nothing of the operator is in them, and they read as the device itself."""

import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.masking import Knowledge, Masker
from collectors.one_shot import poll_once
from collectors.recording import document, left_out
from collectors.snmp import ber
from collectors.snmp.message import Value, Varbind
from collectors.walking import walk_device
from inventory.profiles import Source, load_profiles
from simulator.walk import RecordedAgent, serve

WALKS = Path(__file__).resolve().parents[2].parent / "shared" / "walks"
PROFILES = load_profiles()
KNOWLEDGE = Knowledge.of(PROFILES.values())
ALIAS, PHYS, PRODUCT = "1.3.6.1.2.1.31.1.1.1.18.1", "1.3.6.1.2.1.2.2.1.6.1", "1.3.6.1.4.1.32473.1.0"


def row(name: str, value: Value, tag: int = ber.OCTET_STRING) -> Varbind:
    return ber.encode_oid(name), tag, value


def masked(*rows: Varbind, secrets: tuple[str, ...] = ()) -> dict[str, Value]:
    done = Masker(KNOWLEDGE, b"salt", secrets).mask(rows)
    return {ber.decode_oid(oid): value for oid, _, value in done}


def text(value: str, name: str = PRODUCT) -> str:
    [(_, said)] = masked(row(name, value.encode())).items()
    assert isinstance(said, bytes)
    return said.decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("ask li.wei@county.example.com", "ask user1@host.example", id="an e-mail address"),
        pytest.param("tel 13800000001, 0830-1234567", "tel 00000000000, 0000-0000000", id="telephones"),
        pytest.param("peer 10.20.30.40 and 10.20.30.40", "peer 198.18.0.1 and 198.18.0.1", id="an address, twice"),
        pytest.param("mask 255.255.255.0 via 0.0.0.0", "mask 255.255.255.0 via 0.0.0.0", id="masks name nobody"),
        pytest.param("from fd00:12::9 to ::1", "from 2001:db8::1 to ::1", id="IPv6"),
        pytest.param("00e0-fc12-3456", "0200-0000-0001", id="a MAC address as Huawei writes it"),
        pytest.param("AA:BB:CC:DD:EE:FF", "02:00:00:00:00:01", id="a MAC address"),
        pytest.param("log to syslog.county.example.com", "log to host1.example", id="a name of the network"),
        pytest.param("Version 5.170.1.20 is new", "Version 5.170.1.20 is new", id="a version is no address"),
        pytest.param("GigabitEthernet0/0/1", "GigabitEthernet0/0/1", id="a port"),
        pytest.param("12:30:45", "12:30:45", id="a time"),
    ],
)
def test_texts_lose_what_names_people_and_places(before: str, after: str) -> None:
    assert text(before) == after


def test_what_people_wrote_is_gone_and_what_is_empty_stays_empty() -> None:
    said = masked(
        row("1.3.6.1.2.1.1.4.0", "李伟 13800000001".encode()),
        row("1.3.6.1.2.1.1.6.0", "天全县机房".encode("gb18030")),
        row(ALIAS, b"to Li Wei's house"),
        row("1.3.6.1.2.1.31.1.1.1.18.2", b""),
    )
    assert list(said.values()) == [b"masked", b"masked", b"masked", b""]


def test_a_host_name_is_replaced_wherever_it_stands() -> None:
    said = masked(
        row("1.3.6.1.2.1.1.1.0", b"Linux tq-gw-01 6.1.0 #1 SMP x86_64"),
        row("1.3.6.1.2.1.1.5.0", b"tq-gw-01"),
        row(PRODUCT, b"uplink of tq-gw-01"),
    )
    assert list(said.values()) == [b"Linux host-1 6.1.0 #1 SMP x86_64", b"host-1", b"uplink of host-1"]


def test_a_host_name_that_is_the_products_own_stays_in_its_description() -> None:
    said = masked(row("1.3.6.1.2.1.1.1.0", b"S5720-36C Huawei"), row("1.3.6.1.2.1.1.5.0", b"S5720-36C"))
    assert said["1.3.6.1.2.1.1.1.0"] == b"S5720-36C Huawei"
    assert said["1.3.6.1.2.1.1.5.0"] == b"host-1"


def test_a_serial_number_keeps_its_shape_and_is_replaced_everywhere() -> None:
    said = masked(row("1.3.6.1.2.1.47.1.1.1.1.11.1", b"2102359562W0F7000410"), row(PRODUCT, b"SN 2102359562W0F7000410"))
    serial, elsewhere = said.values()
    assert isinstance(serial, bytes)
    assert isinstance(elsewhere, bytes)
    assert serial != b"2102359562W0F7000410"
    assert re.fullmatch(rb"2102\d{6}[A-Z]\d[A-Z]\d{7}", serial)
    assert elsewhere == b"SN " + serial


def test_addresses_are_the_same_stand_in_as_value_and_inside_a_name() -> None:
    said = masked(
        row("1.3.6.1.2.1.4.20.1.1.10.20.30.40", bytes((10, 20, 30, 40)), ber.IP_ADDRESS),
        row("1.3.6.1.2.1.4.20.1.2.10.20.30.40", 3, ber.INTEGER),
        row("1.3.6.1.2.1.4.34.1.3.1.4.10.20.30.41", 3, ber.INTEGER),
        row("1.3.6.1.2.1.4.20.1.3.10.20.30.40", bytes((255, 255, 255, 0)), ber.IP_ADDRESS),
    )
    assert said == {
        "1.3.6.1.2.1.4.20.1.1.198.18.0.1": bytes((198, 18, 0, 1)),
        "1.3.6.1.2.1.4.20.1.2.198.18.0.1": 3,
        "1.3.6.1.2.1.4.34.1.3.1.4.198.18.0.2": 3,
        "1.3.6.1.2.1.4.20.1.3.198.18.0.1": bytes((255, 255, 255, 0)),
    }


def test_a_mac_address_is_replaced_though_it_could_be_read_as_text() -> None:
    said = masked(row(PHYS, b"tianqu"), row(f"1.3.6.1.2.1.17.4.3.1.2.{'.'.join(map(str, b'tianqu'))}", 7, ber.INTEGER))
    assert said == {PHYS: b"\x02\x00\x00\x00\x00\x01", "1.3.6.1.2.1.17.4.3.1.2.2.0.0.0.0.1": 7}


def test_the_community_is_replaced_wherever_it_stands() -> None:
    assert masked(row(PRODUCT, b"ro s3cr3t-word"), secrets=("s3cr3t-word",)) == {PRODUCT: b"ro public"}


def test_what_profiles_read_as_numbers_is_not_touched() -> None:
    # hwEntityTemperature and mtxrHlVoltage are read as numbers; octets that look like an address are none there.
    numbers = [row(f"{ber.decode_oid(oid)}.9", b"\x0a\x14\x1e\x28") for oid in KNOWLEDGE.numbers]
    assert Masker(KNOWLEDGE, b"salt").mask(numbers) == numbers


def test_secrets_are_never_recorded_and_clients_only_when_asked() -> None:
    community = ber.encode_oid("1.3.6.1.6.3.18.1.1.1.2.1")
    arp = ber.encode_oid("1.3.6.1.2.1.4.22.1.2.1.10.20.30.40")
    for everything in (False, True):
        skipped = left_out(everything)
        assert any(community.startswith(one) for one in skipped)
        assert any(arp.startswith(one) for one in skipped) is not everything


def test_nothing_that_a_profile_reads_is_left_out() -> None:
    skipped = left_out(False)
    for profile in PROFILES.values():
        for module in profile.modules.values():
            for column in module.columns.values():
                for source in (column,) if isinstance(column, Source) else column.first_of:
                    if source.oid is not None:
                        assert not any(ber.encode_oid(source.oid).startswith(one) for one in skipped), source.oid


VALUES = st.one_of(
    st.tuples(st.just(ber.INTEGER), st.integers(-(2**31), 2**31 - 1)),
    st.tuples(st.just(ber.COUNTER64), st.integers(0, 2**64 - 1)),
    st.tuples(st.just(ber.TIME_TICKS), st.integers(0, 2**32 - 1)),
    st.tuples(st.just(ber.OCTET_STRING), st.binary(max_size=40)),
    st.tuples(st.just(ber.OCTET_STRING), st.text(max_size=20).map(str.encode)),
    st.tuples(st.just(ber.IP_ADDRESS), st.binary(min_size=4, max_size=4)),
    st.tuples(st.just(ber.OBJECT_IDENTIFIER), st.just(ber.encode_oid("1.3.6.1.4.1.2011"))),
    st.tuples(st.just(ber.OPAQUE), st.binary(max_size=12)),
)
ROWS = st.dictionaries(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=9).map(tuple), VALUES, max_size=20)


@given(ROWS)
def test_what_is_written_is_what_is_replayed(tmp_path_factory: pytest.TempPathFactory, rows: Any) -> None:
    varbinds = [
        (ber.encode_oid(".".join(map(str, (1, 3, 6, 1, 4, 1, *arcs)))), tag, value)
        for arcs, (tag, value) in rows.items()
    ]
    path = tmp_path_factory.mktemp("written") / "any.snmprec"
    path.write_text(document(varbinds), "utf-8")
    agent = RecordedAgent.read(path)
    for varbind in varbinds:
        assert agent._get(varbind[0]) == varbind


@given(ROWS)
def test_masking_never_fails_and_keeps_every_row_and_type(rows: Any) -> None:
    varbinds = [
        (ber.encode_oid(".".join(map(str, (1, 3, 6, 1, 2, 1, *arcs)))), tag, value)
        for arcs, (tag, value) in rows.items()
    ]
    done = Masker(KNOWLEDGE, b"salt").mask(varbinds)
    assert [tag for _, tag, _ in done] == [tag for _, tag, _ in varbinds]
    assert [isinstance(value, bytes) for _, _, value in done] == [isinstance(v, bytes) for _, _, v in varbinds]


FAMILIES = [
    "huawei-ar169f", "h3c-hpe-5700", "ruijie-s6220", "zte-zxr10-5928", "maipu-s3220", "mikrotik-router",
    "teltonika-trb500-5g", "openwrt", "linux-slackware-full", "linux-extend-ups-nut", "windows-xp-full",
    "hp-laserjet-m130nw", "xerox-altalink-c8045", "apc-smart1500", "hikvision-cam", "fortigate-60f",
]  # fmt: skip


def differences(one: Any, other: Any, path: str = "") -> Iterator[str]:
    if isinstance(one, dict):
        for key in one:
            yield from differences(one[key], other[key], f"{path}.{key}")
    elif isinstance(one, list | tuple) and len(one) == len(other):
        for at, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from differences(left, right, f"{path}[{at}]")
    elif one != other:
        yield path


@pytest.mark.parametrize("family", FAMILIES)
async def test_a_masked_recording_is_read_as_the_device_itself(family: str, tmp_path: Path) -> None:
    """Only names, aliases and serial numbers differ: profile, versions, ports, sensors and supplies are the same."""
    if not WALKS.is_dir():
        pytest.skip("the recordings (../shared/walks) are not on this machine")
    device = await serve(WALKS / family / "walk.snmprec", "127.0.0.1", 0)
    port = device.get_extra_info("sockname")[1]
    try:
        itself = await poll_once("127.0.0.1", port, "public", PROFILES, timeout_s=10)
        walked = await walk_device(
            "127.0.0.1", port, b"public", [ber.encode_oid("1.3")], limit=100_000, skip=left_out(False), timeout_s=10
        )
    finally:
        device.close()
    assert walked.problems == []
    path = tmp_path / "masked.snmprec"
    path.write_text(document(Masker(KNOWLEDGE, b"salt").mask(walked.rows)), "utf-8")
    copy = await serve(path, "127.0.0.1", 0)
    try:
        port = copy.get_extra_info("sockname")[1]
        again = await poll_once("127.0.0.1", port, "public", PROFILES, timeout_s=10)
    finally:
        copy.close()
    moved = {
        path
        for path in differences(asdict(itself), asdict(again))
        if not re.fullmatch(r"\.identity\.(sys_name|serial)|\.interfaces\[\d+\]\.alias|\.uptime_seconds", path)
    }
    assert moved == set()
