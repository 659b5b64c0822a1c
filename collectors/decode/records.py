"""Rows of readings to the records of `health.reading`, one function per kind of record."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from health.reading import (
    Cellular,
    Extend,
    Identity,
    Interface,
    Printer,
    Processor,
    Sensor,
    Store,
    Supply,
    Ups,
)

Row = Sequence[Any]
"""The fields of one record in the order of ``inventory.profiles.FIELDS``, each converted already or None."""

LONGEST_UPTIME_S: Final = 15 * 365 * 86400
"""An agent that claims more has a broken clock (seen: 30 years on a switch, negative on another)."""

_PERCENT: Final = 19  # PrtMarkerSuppliesSupplyUnitTC


def processor(name: Any, usage_ratio: Any, idle_ratio: Any) -> Processor | None:
    if usage_ratio is None and idle_ratio is not None:
        usage_ratio = round(1 - idle_ratio, 4)
    return None if usage_ratio is None else Processor(name or "processor", usage_ratio)


def store(
    name: Any, unit: Any, total: Any, used: Any, free: Any, buffers: Any, cached: Any, ratio: Any
) -> Store | None:
    """A memory pool or volume; what the agent did not say follows from what it did, where that is exact."""
    if used is not None and (buffers or cached):
        # Buffers and cache are given back on demand. Agents that report an inconsistent moment keep their figure.
        used = max(0, used - (buffers or 0) - (cached or 0))
    if unit is not None and unit > 0:
        total = None if total is None else total * unit
        used = None if used is None else used * unit
        free = None if free is None else free * unit
    if total is not None and total <= 0:
        total = None
    if total is None and used is not None and free is not None:
        total = used + free
    if total is not None and used is None:
        if free is not None:
            used = max(0, total - free)
        elif ratio is not None:
            used = round(total * ratio)
    if ratio is None and total and used is not None:
        ratio = min(1.0, used / total)
    return None if total is None and used is None and ratio is None else Store(name or "memory", total, used, ratio)


def store_from_free(
    name: Any, unit: Any, total: Any, used: Any, free: Any, buffers: Any, cached: Any, ratio: Any
) -> Store | None:
    """As `store`, where used is what is not free (nor lent to buffers and cache)."""
    if total is None or free is None:
        return None
    return store(name, unit, total, total - free, None, buffers, cached, ratio)


def interface(name: Any, description: Any, alias: Any, if_index: Any, *rest: Any) -> Interface:
    return Interface(name or description or f"if{if_index}", description, alias, if_index, *rest)


def sensor(kind: Any, name: Any, value: Any, unit: Any, exponent: Any, precision: Any) -> Sensor | None:
    if value is None or kind is None:
        return None
    shift = (exponent or 0) - (precision or 0)
    if shift and isinstance(value, int | float):
        value = value * 10**shift if shift > 0 else value / 10**-shift
    return Sensor(kind, name or kind, value, unit or "")


def supply(name: Any, kind: Any, capacity: Any, level: Any, unit: Any) -> Supply:
    ratio = None
    if capacity and level is not None:
        ratio = min(1.0, max(0.0, level / capacity))
    elif level is not None and unit in (None, _PERCENT) and 0 <= level <= 100:
        # Without a maximum a level is a percentage if the agent says so; and if it names no unit, what else.
        ratio = level / 100
    return Supply(name or "supply", kind or "unknown", ratio)


def tray(name: Any, kind: Any, capacity: Any, level: Any) -> Supply:
    return supply(name or "tray", kind or "input", capacity, level, None)


def ups(*fields: Any) -> Ups | None:
    battery, charge, runtime, on_battery, load, source = fields
    if battery is None and charge is None and source is None:
        return None
    return Ups(battery, charge, runtime, on_battery, load, source)


def cellular(
    interface: Any,
    rssi: Any,
    rsrp: Any,
    rsrq: Any,
    sinr: Any,
    operator: Any = None,
    technology: Any = None,
    cell: Any = None,
) -> Cellular | None:
    if rssi is None and rsrp is None and rsrq is None and sinr is None:
        return None
    return Cellular(interface or "", rssi, rsrp, rsrq, sinr, operator, technology, cell)


def extend(name: Any, output: Any, result: Any) -> Extend:
    return Extend(name or "", output, result)


MAKERS: Final[Mapping[str, Callable[..., Any]]] = {
    "processors": processor,
    "memory": store,
    "storage": store,
    "interfaces": interface,
    "sensors": sensor,
    "supplies": supply,
    "trays": tray,
    "ups": ups,
    "cellular": cellular,
    "extends": extend,
}


def printer(state: Row | None, supplies: Sequence[Supply], trays: Sequence[Supply]) -> Printer | None:
    """None where nothing says that this is a printer: hrDeviceStatus alone is any device's."""
    device_status, status, errors, pages = state or (None, None, None, None)
    if status is None and errors is None and not supplies and not trays:
        return None
    return Printer(status or device_status, errors or (), tuple(supplies), tuple(trays), pages)


def uptime(agent: Any, engine: Any, host: Any, *_: Any) -> float | None:
    """The largest plausible clock: agents restart, and sysUpTime wraps at 497 days."""
    clocks = [float(clock) for clock in (agent, engine, host) if clock is not None and 0 <= clock <= LONGEST_UPTIME_S]
    return max(clocks, default=None)


def identity(rows: Iterable[Mapping[str, Any]], vendor: str | None, os: str | None, profile: str) -> Identity:
    """Of each field the first that any row knows; the profile's own words where the device says nothing."""
    known: dict[str, Any] = {}
    for row in rows:
        for name, value in row.items():
            if value is not None and value != "":
                known.setdefault(name, value)
    version = known.get("os_version")
    if version and (release := known.get("release")):
        version = f"{version} ({release})"
    if version and (patch := known.get("patch")):
        version = f"{version} [{patch}]"
    if version and (agent := known.get("agent")):
        version = f"{version}, {agent}"
    model = known.get("model")
    if model and (variant := known.get("variant")) and variant not in model:
        model = f"{model} {variant}"
    return Identity(
        vendor=known.get("vendor") or vendor,
        model=model,
        os=known.get("os") or os,
        os_version=version,
        serial=known.get("serial"),
        sys_name=known.get("sys_name"),
        profile=profile,
        os_release=known.get("os_release"),
    )


def distinct_names(rows: Sequence[tuple[str | None, str | None, int]]) -> list[str]:
    """One stable name for each port, of (name, description, index): ifName, else ifDescr, else the n-th of its kind.

    Filter drivers, bridges and firewalls repeat names. Where the description tells the twins apart, it is used;
    the rest are counted in the order of their indexes, which is the order of their creation.
    """
    names = [name or description or f"if{index}" for name, description, index in rows]
    often = Counter(names)
    names = [
        description if often[name] > 1 and description else name
        for name, (_, description, _) in zip(names, rows, strict=True)
    ]
    seen: Counter[str] = Counter()
    often = Counter(names)
    order = sorted(range(len(rows)), key=lambda at: rows[at][2])
    for at in order:
        name = names[at]
        seen[name] += 1
        if often[name] > 1 and seen[name] > 1:
            names[at] = f"{name} #{seen[name]}"
    return names
