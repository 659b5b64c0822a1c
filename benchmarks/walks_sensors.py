"""The sensors of one recording against ours: peers number states, say percent and minutes; we use words and seconds.

A value is looked for among ours of the same quantity, each of ours used once. A state counts as read when one of ours
says the same word, or else has its severity.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from benchmarks.walks_compare import Check, Expected, shown, take
from health.reading import Readings

# ---- sensors

_QUANTITIES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    # The peer's class: our kind of check, and the kinds of our sensors that may hold it.
    "temperature": ("sensors", ("temperature",)),
    "voltage": ("sensors", ("voltage",)),
    "current": ("sensors", ("current",)),
    "power": ("sensors", ("power",)),
    "frequency": ("sensors", ("frequency",)),
    "humidity": ("sensors", ("humidity",)),
    "fanspeed": ("sensors", ("fan_speed",)),
    "percent": ("sensors", ("fan_speed", "percent")),
    "delay": ("sensors", ("delay",)),
    "dbm": ("optics", ("optical_rx", "optical_tx")),
    "count": ("counts", ("count",)),
}
_UPS_TIMES_S: Final = 60


def sensors(expected: Expected, got: Readings) -> Iterator[Check]:
    rows = list(expected.get("sensors", ()))
    maps = expected.get("state_maps", {})
    for peers_class, (kind, ours) in _QUANTITIES.items():
        left = [float(s.value) for s in got.sensors if s.kind in ours and not isinstance(s.value, str)]
        if peers_class == "dbm":
            left += [level for modem in got.cellular for level in (modem.rssi_dbm, modem.rsrp_dbm) if level is not None]
        if peers_class == "count":
            left += [float(modem.cell) for modem in got.cellular if modem.cell is not None and modem.cell.isdigit()]
        if peers_class == "count" and got.printer is not None and got.printer.pages is not None:
            left.append(float(got.printer.pages))
        for row in rows:
            if row["class"] == peers_class:
                value = float(row["value"])
                yield Check(
                    kind, f"{peers_class} {row['descr']} ({row['oid']})", f"{value:g}", shown(left), take(left, value)
                )
    yield from _ups(rows, got)
    levels = [level for m in got.cellular for level in (m.rssi_dbm, m.rsrp_dbm, m.rsrq_db) if level is not None]
    noise = [m.sinr_db for m in got.cellular if m.sinr_db is not None]
    for row in rows:
        if row["class"] in ("signal", "snr"):
            left = levels if row["class"] == "signal" else noise
            value = float(row["value"])
            yield Check("cellular", f"{row['class']} {row['descr']}", f"{value:g}", shown(left), take(left, value))
    yield from _states([row for row in rows if row["class"] == "state"], maps, got)


def _ups(rows: list[dict[str, Any]], got: Readings) -> Iterator[Check]:
    ups = got.ups
    ours: dict[str, list[float]] = {
        "charge": [s.value for s in got.sensors if s.kind == "charge" and not isinstance(s.value, str)],
        "load": [s.value for s in got.sensors if s.kind == "load" and not isinstance(s.value, str)],
        # The peer's minutes.
        "runtime": [s.value / 60 for s in got.sensors if s.kind == "duration" and not isinstance(s.value, str)],
    }
    if ups is not None:
        ours["charge"] += [] if ups.charge_ratio is None else [ups.charge_ratio * 100]
        ours["load"] += [] if ups.load_ratio is None else [ups.load_ratio * 100]
        ours["runtime"] += [s / _UPS_TIMES_S for s in (ups.runtime_seconds, ups.on_battery_seconds) if s is not None]
    for row in rows:
        left = ours.get(row["class"])
        if left is not None:
            value = float(row["value"])
            same = take(left, value, least=0.06)
            yield Check("ups", f"{row['class']} {row['descr']} ({row['oid']})", f"{value:g}", shown(left), same)


_OK: Final = frozenset(
    [
        "ok",
        "normal",
        "running",
        "up",
        "on",
        "online",
        "active",
        "enabled",
        "idle",
        "printing",
        "enough",
        "good",
        "full",
        "low_speed",
        "charged",
        "charging",
        "connected",
        "registered",
        "ready",
        "high_speed",
        "resting",
        "floating",
    ]
)
_WARNING: Final = frozenset(
    [
        "warning",
        "testing",
        "low",
        "degraded",
        "bypass",
        "other",
        "boost",
        "buck",
        "trim",
        "booster",
        "reducer",
        "warmup",
    ]
)


def _letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.casefold())


def _severities(word: str) -> frozenset[str]:
    if word in _OK:
        return frozenset({"ok"})
    if word in _WARNING:
        return frozenset({"warning", "unknown", "ok"})
    return frozenset({"warning", "critical", "unknown"})


def _states(rows: list[dict[str, Any]], maps: Mapping[str, Any], got: Readings) -> Iterator[Check]:
    words = [str(s.value) for s in got.sensors if s.kind == "state"]
    if got.ups is not None:
        words += [word for word in (got.ups.battery_status, got.ups.source) if word is not None]
    printer = got.printer
    for row in rows:
        meaning = maps.get(str(row.get("state_name") or row.get("type")), {}).get(str(row["value"]).split(".")[0], {})
        name, severity = str(meaning.get("descr", row["value"])), str(meaning.get("severity", "unknown"))
        state = str(row.get("state_name") or row.get("type"))
        kind, field = "states", f"{state} {row['descr']} ({row['oid']})"
        if state in ("hrPrinterDetectedErrorState", "hrDeviceStatus", "hrPrinterStatus"):
            known = printer is not None and (state.endswith("ErrorState") or printer.status is not None)
            calm = known and printer is not None and not printer.errors
            same = known and (state != "hrPrinterDetectedErrorState" or calm == (severity == "ok"))
            ours = "nothing" if printer is None else f"{printer.status} {printer.errors}"
            yield Check("printer", field, f"{name} ({severity})", ours, same)
            continue
        fit = [w for w in words if _letters(w) == _letters(name)]
        fit = fit or [word for word in words if severity in _severities(word)]
        if fit:
            words.remove(fit[0])
        yield Check(kind, field, f"{name} ({severity})", shown(words), bool(fit))


# ---- radio

_CELLULAR: Final = {"rssi": "rssi_dbm", "rsrp": "rsrp_dbm", "rsrq": "rsrq_db", "sinr": "sinr_db"}


def wireless(expected: Expected, got: Readings) -> Iterator[Check]:
    left: dict[str, list[float]] = {}
    for sensor in got.sensors:
        if sensor.kind.startswith("wireless_") and not isinstance(sensor.value, str):
            left.setdefault(sensor.kind.removeprefix("wireless_"), []).append(sensor.value)
    for modem in got.cellular:
        for theirs, ours in _CELLULAR.items():
            if (level := getattr(modem, ours)) is not None:
                left.setdefault(theirs, []).append(level)
        if modem.cell is not None and modem.cell.isdigit():
            left.setdefault("cell", []).append(float(modem.cell))
    for row in expected.get("wireless_sensors", ()):
        quantity = row["class"].replace("-", "_")
        mine = left.setdefault(quantity, [])
        kind = "cellular" if quantity in (*_CELLULAR, "cell") else "wireless"
        value = float(row["value"])
        yield Check(kind, f"{quantity} {row['descr']}", f"{value:g}", shown(mine), take(mine, value))
