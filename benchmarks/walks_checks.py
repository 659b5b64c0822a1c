"""One recording's expected values, each turned into a check against our readings.

Peers and we shape things differently: they say percent, minutes and numbered states; we say ratios, seconds and
words. Values are brought to one unit and then looked for among ours of the same quantity, each of ours used once.
Plain decodings (origin ``derived``) are checked where the
raw number has one meaning.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from benchmarks.walks_compare import Check, Expected, folded, near, shown, take
from benchmarks.walks_sensors import sensors, wireless
from health.reading import Readings, Store


def checks(expected: Expected, got: Readings, objects: Mapping[str, str]) -> Iterator[Check]:
    """Every check of one recording; ``objects`` is the recording itself."""
    yield from _identity(expected, got)
    yield from _uptime(got, objects)
    yield from _processors(expected, got)
    yield from _stores(expected, got)
    yield from _ports(expected, got, objects)
    yield from sensors(expected, got)
    yield from _supplies(expected, got)
    yield from wireless(expected, got)
    yield from _plain_ups(expected, got)
    yield from _thola(expected, got)
    yield from _centreon(expected, got)


# ---- identity and uptime


def _identity(expected: Expected, got: Readings) -> Iterator[Check]:
    system = dict(expected.get("system") or {})
    found = (expected.get("expectations") or {}).get("identify", {}).get("properties") or {}
    system.setdefault("hardware", found.get("model"))
    system.setdefault("version", found.get("os_version"))
    for theirs, ours in (
        ("hardware", "model"),
        ("version", "os_version"),
        ("serial", "serial"),
        ("sysName", "sys_name"),
    ):
        value = system.get(theirs)
        if value in (None, "", "<private>"):
            continue
        mine = getattr(got.identity, ours)
        yield Check("identity", ours, repr(value), repr(mine), folded(mine) == folded(value))


_CLOCKS: Final = (
    ("1.3.6.1.2.1.1.3.0", 100),
    ("1.3.6.1.6.3.10.2.1.3.0", 1),
    ("1.3.6.1.2.1.25.1.1.0", 100),
)
_LONGEST_S: Final = 15 * 365 * 86_400


def _uptime(got: Readings, objects: Mapping[str, str]) -> Iterator[Check]:
    """No peer publishes one, so: the largest clock that is no nonsense."""
    raw = {oid: objects[oid] for oid, _ in _CLOCKS if re.fullmatch(r"-?\d+", objects.get(oid, ""))}
    clocks = [int(raw[oid]) / per_s for oid, per_s in _CLOCKS if oid in raw]
    clocks = [clock for clock in clocks if 0 <= clock <= _LONGEST_S]
    if clocks:
        mine = got.uptime_seconds
        yield Check("uptime", "seconds", f"{max(clocks):.2f}", repr(mine), mine is not None and mine == max(clocks))


# ---- processors, memory, volumes


def _processors(expected: Expected, got: Readings) -> Iterator[Check]:
    left = [p.usage_ratio * 100 for p in got.processors if p.usage_ratio is not None]
    wanted = [(str(row.get("descr")), row["usage_percent"]) for row in expected.get("processors", ())]
    wanted += [(str(row["index"]), row["hrProcessorLoad"]) for row in expected.get("processors_hr", ())]
    vendor = expected.get("vendor", {})
    for column in ("hwEntityCpuUsage", "hh3cEntityExtCpuUsage", "old_h3cEntityExtCpuUsage", "nodeCpu5m"):
        # A plain reading does not tell an idle board from no board.
        wanted += [(f"{column} {i}", v) for i, v in vendor.get(column, {}).items() if isinstance(v, int) and v > 0]
    for name, value in wanted:
        yield Check("processors", name, f"{value} %", shown(left), take(left, float(value), least=0.51))


_RAM: Final = "1.3.6.1.2.1.25.2.1.2"
_DISK: Final = "1.3.6.1.2.1.25.2.1.4"


def _stores(expected: Expected, got: Readings) -> Iterator[Check]:
    memory, storage = list(got.memory), list(got.storage)
    for kind, left in (("memory", memory), ("storage", storage)):
        rows = expected.get(kind, ())
        names = frozenset(folded(row["descr"]) for row in rows)
        for row in rows:
            yield _store(kind, row, left, names)
    for row in expected.get("storage_hr", ()):
        if row["type"] == _DISK and row["size_bytes"] > 0 and not row["descr"].startswith("/dev/"):
            yield _store("storage", {**row, "used_percent": None}, storage, frozenset())
        elif row["type"] == _RAM and row["size_bytes"] > 0:
            total = [store for store in memory if store.total_bytes == row["size_bytes"]]
            yield Check(
                "memory",
                f"{row['descr']} size",
                str(row["size_bytes"]),
                shown(s.total_bytes for s in memory),
                bool(total),
            )


def _store(kind: str, row: Mapping[str, Any], left: list[Store], names: frozenset[str]) -> Check:
    """By name where both sides know it, else by size among those that no other row names."""
    total = row.get("total_bytes", row.get("size_bytes"))
    used, percent = row.get("used_bytes"), row.get("used_percent")
    share_only = total == 100  # the peer's way to say that only a percentage is known
    same = [
        store
        for store in left
        if (share_only or store.total_bytes == total)
        and (
            share_only
            or used is None
            or (store.used_bytes is not None and abs(store.used_bytes - used) <= 1 + (total or 0) // 1000)
        )
        and (percent is None or (store.used_ratio is not None and abs(store.used_ratio * 100 - percent) <= 1))
    ]
    named = [store for store in left if folded(store.name) == folded(row["descr"])]
    same = [s for s in same if (s in named if named else folded(s.name) not in names)]
    if same:
        left.remove(same[0])
    ours = shown(f"{s.name} {s.total_bytes}/{s.used_bytes}" for s in left)
    return Check(kind, str(row["descr"]), f"{used} of {total}, {percent} %", ours, bool(same))


# ---- ports

_COUNTERS: Final = {
    "in_octets": ("1.3.6.1.2.1.31.1.1.1.6", "1.3.6.1.2.1.2.2.1.10"),
    "out_octets": ("1.3.6.1.2.1.31.1.1.1.10", "1.3.6.1.2.1.2.2.1.16"),
    "in_errors": ("1.3.6.1.2.1.2.2.1.14",),
    "out_errors": ("1.3.6.1.2.1.2.2.1.20",),
    "in_discards": ("1.3.6.1.2.1.2.2.1.13",),
    "out_discards": ("1.3.6.1.2.1.2.2.1.19",),
}
_STATES: Final = {"up": True, 1: True, "down": False, 2: False, "lowerLayerDown": False, "notPresent": False,
                  "dormant": False, 5: False, 6: False, 7: False}  # fmt: skip


def _ports(expected: Expected, got: Readings, objects: Mapping[str, str]) -> Iterator[Check]:
    ports = {port.if_index: port for port in got.interfaces}
    for row in expected.get("ports", ()):
        index = int(row["ifIndex"])
        port = ports.get(index)
        raw = "ifHCInOctets" in row or expected.get("origin") != "peer"
        wanted: dict[str, object] = {
            "name": row.get("ifName"),
            "description": row.get("ifDescr"),
            "oper_up": _STATES.get(row.get("ifOperStatus")),
            "admin_up": _STATES.get(row.get("ifAdminStatus")),
            "in_octets": row.get("ifHCInOctets", row.get("ifInOctets")),
            "out_octets": row.get("ifHCOutOctets", row.get("ifOutOctets")),
            "in_errors": row.get("ifInErrors"),
            "out_errors": row.get("ifOutErrors"),
            "in_discards": row.get("ifInDiscards"),
            "out_discards": row.get("ifOutDiscards"),
            "speed_bps": None if raw else row.get("ifSpeed") or None,  # nothing runs at 0 bit/s: unknown
        }
        for field, value in wanted.items():
            columns = _COUNTERS.get(field)
            if value is None or (columns and not any(f"{column}.{index}" in objects for column in columns)):
                continue
            mine = None if port is None else getattr(port, field)
            same = mine == value or (
                # The peer cuts and repeats names; ours stays distinct.
                field in ("name", "description")
                and isinstance(mine, str)
                and folded(re.sub(r" #\d+$", "", mine)) in (folded(value), folded(row.get("ifDescr")))
            )
            yield Check("interfaces", f"{index} {field}", repr(value), repr(mine), same)


# ---- printers


def _supplies(expected: Expected, got: Readings) -> Iterator[Check]:
    left = [] if got.printer is None else [*got.printer.supplies, *got.printer.trays]
    for row in expected.get("printer_supplies", ()):
        same = [s for s in left if folded(s.name) == folded(row["descr"])]
        match = next((s for s in same if s.ratio is not None and abs(s.ratio * 100 - row["percent"]) <= 0.51), None)
        if match is not None:
            left.remove(match)
        field, ours = f"{row['type']} {row['descr']}", shown(s.ratio for s in same)
        yield Check("printer", field, f"{row['percent']} %", ours, match is not None)


# ---- plain decodings and other peers


def _plain_ups(expected: Expected, got: Readings) -> Iterator[Check]:
    objects = expected.get("ups_mib")
    if not objects:
        return
    number: Callable[[str], int | None] = lambda arc: next(  # noqa: E731 - a word for three lines
        (int(v) for k, v in objects.items() if k.removeprefix("1.3.6.1.2.1.33.1.") == arc and str(v).isdigit()), None
    )
    charge, minutes = number("2.4.0"), number("2.3.0")
    ups = got.ups
    if charge is not None:
        mine = None if ups is None or ups.charge_ratio is None else ups.charge_ratio * 100
        yield Check("ups", "charge", f"{charge} %", repr(mine), mine is not None and near(mine, charge))
    if minutes is not None:
        mine = None if ups is None or ups.runtime_seconds is None else ups.runtime_seconds / 60
        yield Check("ups", "runtime", f"{minutes} min", repr(mine), mine is not None and near(mine, minutes))


_METRICS: Final = {
    "error_counter_in": "in_errors",
    "error_counter_out": "out_errors",
    "traffic_counter_in": "in_octets",
    "traffic_counter_out": "out_octets",
    "packet_counter_discard_in": "in_discards",
    "packet_counter_discard_out": "out_discards",
    "interface_maxspeed_in": "speed_bps",
    "interface_oper_status": "oper_up",
    "interface_admin_status": "admin_up",
}


def _thola(expected: Expected, got: Readings) -> Iterator[Check]:
    expectations = expected.get("expectations") or {}
    count = (expectations.get("readCountInterfaces") or {}).get("count")
    if count is not None:
        yield Check("interfaces", "count", str(count), str(len(got.interfaces)), len(got.interfaces) == count)
    ports = {port.name: port for port in got.interfaces}
    for row in (expectations.get("checkInterfaceMetrics") or {}).get("performance_data", ()):
        field = _METRICS.get(row["metric"])
        if field is None:
            continue
        port = ports.get(row.get("label"))
        mine = None if port is None else getattr(port, field)
        value = row["value"]
        if field.endswith("_up"):
            value = _STATES.get(value)
        elif field == "speed_bps":
            value = value or None
        yield Check("interfaces", f"{row.get('label')} {field}", repr(value), repr(mine), mine == value)


_PERFDATA: Final = re.compile(r"'([^']+)'=(-?[\d.]+)([A-Za-z%]*)")


def _centreon(expected: Expected, got: Readings) -> Iterator[Check]:
    """Each value once, of the modes that have a counterpart here."""
    seen: set[tuple[str, str, str]] = set()
    ports = {(s.kind, round(float(s.value), 2)) for s in got.sensors if not isinstance(s.value, str)}
    for result in expected.get("results", ()):
        mode = result["mode"]
        for name, number, unit in _PERFDATA.findall(result["expected"]):
            if (mode, name, number) in seen:
                continue
            seen.add((mode, name, number))
            value = float(number)
            if mode == "input-lines":
                quantity = {"hertz": "frequency", "volt": "voltage", "ampere": "current", "watt": "power"}
                found = next((q for word, q in quantity.items() if name.endswith(word)), None)
                if found is not None:
                    yield Check(
                        "sensors",
                        name,
                        number,
                        shown(sorted(v for k, v in ports if k == found)),
                        (found, value) in ports,
                    )
            elif mode in ("storage", "disk-usage") and name.startswith("used_") and unit == "B":
                volumes = [*got.storage, *got.memory]
                yield Check(
                    "storage",
                    f"{mode} {name}",
                    number,
                    shown(v.used_bytes for v in volumes),
                    any(v.used_bytes == value for v in volumes),
                )
            elif mode == "memory" and name == "used":
                yield Check(
                    "memory",
                    name,
                    number,
                    shown(m.used_bytes for m in got.memory),
                    any(m.used_bytes == value for m in got.memory),
                )
            elif mode == "cpu" and re.fullmatch(r"cpu_\d+", name):
                mine = [p.usage_ratio * 100 for p in got.processors if p.usage_ratio is not None]
                yield Check("processors", name, f"{number} %", shown(mine), any(near(m, value) for m in mine))
            elif mode == "uptime" and name == "uptime" and unit == "s":
                uptime = got.uptime_seconds
                yield Check(
                    "uptime", "seconds (centreon)", number, repr(uptime), uptime is not None and int(uptime) == value
                )
