"""What a profile's modules can give: the kinds of records, the columns of each, the quantities of sensors."""

from collections.abc import Mapping
from typing import Final, Literal

Kind = Literal[
    "identity",
    "uptime",
    "processors",
    "memory",
    "storage",
    "interfaces",
    "sensors",
    "printer",
    "supplies",
    "trays",
    "ups",
    "cellular",
    "extends",
]

_STORE: Final = (
    "name",
    "unit_bytes",
    "total_bytes",
    "used_bytes",
    "free_bytes",
    "buffers_bytes",
    "cached_bytes",
    "used_ratio",
)

FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    # What each kind of record understands; any other column of a table is a helper for keep_if.
    "identity": (
        "vendor",
        "model",
        "variant",
        "os",
        "os_version",
        "os_release",
        "release",
        "patch",
        "agent",
        "serial",
        "sys_name",
    ),
    # Seconds of sysUpTime, snmpEngineTime and hrSystemUptime; Unix time of hrSystemDate.
    "uptime": ("agent", "engine", "host", "date"),
    "processors": ("name", "usage_ratio", "idle_ratio"),
    "memory": _STORE,
    "storage": _STORE,
    "interfaces": (
        "name",
        "description",
        "alias",
        "if_index",
        "admin_up",
        "oper_up",
        "speed_bps",
        "in_octets",
        "out_octets",
        "in_errors",
        "out_errors",
        "in_discards",
        "out_discards",
    ),
    "sensors": ("kind", "name", "value", "unit", "exponent", "precision"),
    "printer": ("device_status", "status", "errors", "pages"),
    "supplies": ("name", "kind", "capacity", "level", "unit"),
    "trays": ("name", "kind", "capacity", "level"),
    "ups": ("battery_status", "charge_ratio", "runtime_seconds", "on_battery_seconds", "load_ratio", "source"),
    "cellular": ("interface", "rssi_dbm", "rsrp_dbm", "rsrq_db", "sinr_db", "operator", "technology", "cell"),
    "extends": ("name", "output", "result"),
}

SENSORS: Final[Mapping[str, str]] = {
    # What ``sensor`` of a module stands for: the kind of its sensors, and their unit.
    "temperature": "celsius",
    "voltage": "volt",
    "current": "ampere",
    "power": "watt",
    "frequency": "hertz",
    "humidity": "percent",
    "fan_speed": "rpm",
    "percent": "percent",
    "charge": "percent",
    "load": "percent",
    "duration": "second",
    "delay": "second",
    "optical_rx": "dbm",
    "optical_tx": "dbm",
    "count": "",
    "state": "",
    "wireless_clients": "",
    "wireless_ccq": "percent",
    "wireless_quality": "percent",
    "wireless_frequency": "megahertz",
    "wireless_noise_floor": "dbm",
    "wireless_rssi": "dbm",
    "wireless_snr": "decibel",
    "wireless_rate": "bit_per_second",
    "wireless_ap_count": "",
}
