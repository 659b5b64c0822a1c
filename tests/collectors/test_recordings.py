"""Recorded devices, replayed over a real socket, against what well-known systems read out of them.

Each difference is looked at one by one: `EXPLAINED` holds those where we mean something else, with the reason. A
difference that is not there fails, and so does an explanation that explains nothing any more.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from collectors.one_shot import poll_once
from health.reading import Readings
from inventory.profiles import FirstOf, load_profiles
from simulator.walk import serve

WALKS = Path(__file__).resolve().parents[2].parent / "shared" / "walks"
PRINTERS = (
    "brother-nc8300h",
    "canon-lbp6670",
    "dell-s5830dn",
    "epson-eeps2",
    "hp-jetdirect-color",
    "hp-laserjet-m130nw",
    "konica-25e",
    "konica-c3110",
    "oki-9450g",
    "ricoh-mpc3002",
    "samsung-m4080fx",
    "sharp-mx3570n",
    "xerox-altalink-c8045",
)
FAMILIES = ("huawei-*", "h3c-*", "ruijie-*", "linux-*")
PROFILES = {
    "huawei-ups2000": "ups-mib",
    "huawei-*": "huawei-vrp",
    "h3c-*": "h3c-comware",
    "ruijie-*": "ruijie-rgos",
    "linux-cray-centreon": "generic",  # recorded without its sysObjectID and with a masked sysDescr
    "linux-*": "linux-router",
    "*": "printer-mib",
}

EXPLAINED = (
    # folder (or a pattern), difference (a regular expression), why we keep ours
    ("*", r"^supply .*: \[None\], expected 50 %", "level -3: some is left. The peer writes 50 %; we say unknown"),
    ("huawei-ne8000-m8", r"^memory NetEngine 8000 M8 frame", "size -1 means 4 GB or more; the peer reads 2^32 - 1"),
    ("huawei-s5328c-ei", r"^identity model", "S5300 is the series; sysDescr's first word names the model"),
    (
        "huawei-s5720-56c",
        r"\[unlocked\]",
        "no hwPatchVersion in the recording; the peer's GETNEXT ran into another object",
    ),
    ("huawei-s5720-stack-power", r"\[unlocked\]", "the same"),
    (
        "linux-extend-ups-nut",
        r"\.8072\.1\.3\.2\.4\.",
        "lines of the peer's own ups-nut script; a UPS of ours answers UPS-MIB",
    ),
    ("linux-raspberrypi", r"\.8072\.1\.3\.2\.4\.", "lines of the peer's own raspberry script"),
    ("linux-ucd-diskio", r"^identity (model|serial)", "from the peer's own scripts; the serial number is a BIOS date"),
)


def folders() -> list[str]:
    if not WALKS.is_dir():
        return []
    names = {path.name for family in FAMILIES for path in WALKS.glob(family) if path.is_dir()}
    return sorted(names | {name for name in PRINTERS if (WALKS / name).is_dir()})


needs_walks = pytest.mark.skipif(not WALKS.is_dir(), reason="the recordings (../shared/walks) are not on this machine")


async def readings_of(folder: str) -> Readings:
    agent = await serve(WALKS / folder / "walk.snmprec", "127.0.0.1", 0)
    try:
        port = agent.get_extra_info("sockname")[1]
        return await poll_once("127.0.0.1", port, "public", load_profiles())
    finally:
        agent.close()


@needs_walks
@pytest.mark.parametrize("folder", folders())
async def test_a_recorded_device_reads_as_its_peers_read_it(folder: str) -> None:
    readings = await readings_of(folder)
    expected = json.loads((WALKS / folder / "expected.json").read_text("utf-8"))
    found = list(differences(expected, readings, folder))
    explanations = [(pattern, reason) for name, pattern, reason in EXPLAINED if fnmatch(folder, name)]
    unexplained = [d for d in found if not any(re.search(pattern, d) for pattern, _ in explanations)]
    assert not unexplained, "\n".join(unexplained)
    idle = [p for name, p, _ in EXPLAINED if name == folder and not any(re.search(p, d) for d in found)]
    assert not idle, f"explanations that explain nothing: {idle}"


@needs_walks
@pytest.mark.parametrize("folder", folders())
async def test_a_recorded_device_finds_its_profile(folder: str) -> None:
    readings = await readings_of(folder)
    assert readings.identity.profile == next(name for pattern, name in PROFILES.items() if fnmatch(folder, pattern))


@needs_walks
async def test_a_device_of_any_other_family_still_yields_its_standard_tables() -> None:
    others = sorted({path.name for path in WALKS.iterdir() if path.is_dir()} - set(folders()))
    for folder in others:
        readings = await readings_of(folder)
        objects = recorded(folder)
        assert readings.problems == (), folder
        assert bool(readings.interfaces) == any(
            name.startswith(("1.3.6.1.2.1.2.2.1.2.", "1.3.6.1.2.1.2.2.1.8.", "1.3.6.1.2.1.31.1.1.1.1."))
            for name in objects
        ), folder
        if "1.3.6.1.2.1.1.3.0" in objects:
            assert readings.uptime_seconds is not None, folder


@cache
def recorded(folder: str) -> frozenset[str]:
    """The objects that the recording holds; peers write 0 for counters that it lacks."""
    lines = (WALKS / folder / "walk.snmprec").read_text("latin-1").splitlines()
    return frozenset(line.split("|", 1)[0] for line in lines)


@cache
def asked(profile: str) -> tuple[str, ...]:
    """All objects that the profile reads: sensors of other MIBs are no business of this test."""
    columns = [column for module in load_profiles()[profile].modules.values() for column in module.columns.values()]
    sources = [s for column in columns for s in (column.first_of if isinstance(column, FirstOf) else (column,))]
    return tuple(f"{source.oid}." for source in sources if source.oid)


def differences(expected: dict[str, Any], got: Readings, folder: str) -> Iterator[str]:
    """One line for each value of the peer that we do not reproduce."""
    yield from identity_differences(expected.get("system") or {}, got)
    yield from processor_differences(expected, got)
    yield from store_differences("memory", expected.get("memory", ()), got)
    yield from store_differences("storage", expected.get("storage", ()), got)
    yield from port_differences(expected.get("ports", ()), got, recorded(folder))
    yield from sensor_differences(expected.get("sensors", ()), got)
    yield from supply_differences(expected.get("printer_supplies", ()), got)


def identity_differences(system: dict[str, Any], got: Readings) -> Iterator[str]:
    for theirs, ours in (
        ("hardware", "model"),
        ("version", "os_version"),
        ("serial", "serial"),
        ("sysName", "sys_name"),
    ):
        value = system.get(theirs)
        mine = getattr(got.identity, ours)
        if value in (None, ""):
            continue
        if mine != value:
            yield f"identity {ours}: {mine!r}, expected {value!r}"


def processor_differences(expected: dict[str, Any], got: Readings) -> Iterator[str]:
    wanted = [row["usage_percent"] for row in expected.get("processors", ())]
    wanted += [row["hrProcessorLoad"] for row in expected.get("processors_hr", ())]
    vendor = expected.get("vendor", {})
    for column in ("hwEntityCpuUsage", "hh3cEntityExtCpuUsage", "old_h3cEntityExtCpuUsage", "nodeCpu5m"):
        wanted += [value for value in vendor.get(column, {}).values() if isinstance(value, int) and value > 0]
    mine = [None if p.usage_ratio is None else round(p.usage_ratio * 100) for p in got.processors]
    if "vendor" in expected:
        mine = [value for value in mine if value]  # the plain reading does not tell an idle board from no board
    if wanted and Counter(wanted) != Counter(mine):
        yield f"processors: {sorted(map(str, mine))}, expected {sorted(map(str, wanted))}"


def store_differences(what: str, wanted: Any, got: Readings) -> Iterator[str]:
    left = list(getattr(got, what))
    for row in wanted:
        total, used, percent = (
            row.get("total_bytes", row.get("size_bytes")),
            row.get("used_bytes"),
            row.get("used_percent"),
        )
        near = [
            store
            for store in left
            if (store.total_bytes == total or (total == 100 and store.total_bytes is None))
            and (store.used_bytes == used or (total == 100 and store.used_bytes is None))
            and (percent is None or (store.used_ratio is not None and abs(store.used_ratio * 100 - percent) <= 1))
        ]
        if near:
            left.remove(near[0])
        else:
            yield f"{what} {row['descr']}: {total} total, {used} used, {percent} % is not among {left}"


COUNTERS = {
    "in_octets": ("1.3.6.1.2.1.31.1.1.1.6", "1.3.6.1.2.1.2.2.1.10"),
    "out_octets": ("1.3.6.1.2.1.31.1.1.1.10", "1.3.6.1.2.1.2.2.1.16"),
    "in_errors": ("1.3.6.1.2.1.2.2.1.14",),
    "out_errors": ("1.3.6.1.2.1.2.2.1.20",),
    "in_discards": ("1.3.6.1.2.1.2.2.1.13",),
    "out_discards": ("1.3.6.1.2.1.2.2.1.19",),
}


def port_differences(wanted: Any, got: Readings, objects: frozenset[str]) -> Iterator[str]:
    ports = {port.if_index: port for port in got.interfaces}
    indexes = {int(row["ifIndex"]) for row in wanted}
    if wanted and len(indexes) > len(ports):
        yield f"ports: {len(ports)}, expected {len(indexes)}"
    states = {
        "up": True,
        "down": False,
        1: True,
        2: False,
        "lowerLayerDown": False,
        "notPresent": False,
        7: False,
        6: False,
    }
    for row in wanted:
        port = ports.get(int(row["ifIndex"]))
        if port is None:
            yield f"port {row['ifIndex']} {row.get('ifName')}: missing"
            continue
        raw = "ifHCInOctets" in row
        checks = {
            "description": row.get("ifDescr"),
            "oper_up": states.get(row.get("ifOperStatus")),
            "admin_up": states.get(row.get("ifAdminStatus")),
            "in_octets": row.get("ifHCInOctets", row.get("ifInOctets")),
            "out_octets": row.get("ifHCOutOctets", row.get("ifOutOctets")),
            "in_errors": row.get("ifInErrors"),
            "out_errors": row.get("ifOutErrors"),
            "in_discards": row.get("ifInDiscards"),
            "out_discards": row.get("ifOutDiscards"),
            "speed_bps": (row.get("ifSpeed") or None) if not raw else None,  # nothing runs at 0 bit/s: unknown
        }
        for field, value in checks.items():
            columns = COUNTERS.get(field)
            if columns and not any(f"{column}.{row['ifIndex']}" in objects for column in columns):
                continue
            if value is not None and getattr(port, field) != value:
                yield f"port {row['ifIndex']} {field}: {getattr(port, field)!r}, expected {value!r}"
        name = row.get("ifName")
        if name and port.name != name and not port.name.startswith(f"{name} #"):
            yield f"port {row['ifIndex']} name: {port.name!r}, expected {name!r}"


KINDS = {
    "temperature": ("temperature",),
    "voltage": ("voltage",),
    "current": ("current",),
    "dbm": ("optical_rx", "optical_tx"),
    "power": ("power",),
    "percent": ("fan_speed",),
    "fanspeed": ("fan_speed",),
}


def sensor_differences(wanted: Any, got: Readings) -> Iterator[str]:
    for kind, ours in KINDS.items():
        left = [float(s.value) for s in got.sensors if s.kind in ours and not isinstance(s.value, str)]
        for row in wanted:
            oid = row["oid"].lstrip(".")
            if row["class"] != kind or not f"{oid}.".startswith(asked(got.identity.profile)):
                continue
            value = float(row["value"])
            near = [mine for mine in left if abs(mine - value) <= max(0.001 * abs(value), 0.0000005)]
            if near:
                left.remove(near[0])
            else:
                yield f"sensor {kind} {row['descr']} ({row['oid']}): {value} is missing"


def supply_differences(wanted: Any, got: Readings) -> Iterator[str]:
    printer = got.printer
    left = [] if printer is None else [*printer.supplies, *printer.trays]
    for row in wanted:
        same = [s for s in left if s.name == row["descr"]]
        match = next((s for s in same if s.ratio is not None and abs(s.ratio * 100 - row["percent"]) <= 0.51), None)
        if match is not None:
            left.remove(match)
        else:
            mine = [s.ratio for s in same]
            yield f"supply {row['type']} {row['descr']}: {mine}, expected {row['percent']} %"
