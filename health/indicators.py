"""The nine indicators of service (I1 to I9): each with its formula, threshold and version, and how it is computed.

An indicator over less than nine tenths of its samples has insufficient data and no value: never 100 %.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from health.availability import Availability

ENOUGH: Final = 0.9
"""The share of a period's samples below which nothing is said about it."""


class Better(StrEnum):
    HIGH = "high"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Indicator:
    """What an indicator is. ``threshold`` is in ``unit``: a ratio (0 to 1), seconds, or hours."""

    id: str
    version: str
    zh: str
    en: str
    formula: str
    unit: str
    threshold: float
    better: Better


INDICATORS: Final = (
    Indicator("I1", "1", "覆盖率", "coverage", "subjects covered / (subjects - exempt)", "ratio", 1.0, Better.HIGH),
    Indicator("I2", "1", "链路可用率", "link availability", "1 - down / watched", "ratio", 0.99, Better.HIGH),
    Indicator("I3", "1", "时延（95 分位）", "latency, p95", "p95 of round trips", "seconds", 0.05, Better.LOW),
    Indicator("I4", "1", "丢包率", "loss", "1 - received / sent", "ratio", 0.01, Better.LOW),
    Indicator("I5", "1", "一体机在线率", "kiosk online", "online / promised service time", "ratio", 0.98, Better.HIGH),
    Indicator("I6", "1", "一体机故障率", "kiosk faults", "kiosks with a fault / kiosks", "ratio", 0.05, Better.LOW),
    Indicator("I7", "1", "一体机使用率", "kiosk usage", "kiosks used that day / kiosks", "ratio", 0.6, Better.HIGH),
    Indicator("I8", "1", "修复时长", "time to repair", "mean of closed - opened", "hours", 8.0, Better.LOW),
    Indicator("I9", "1", "配置合规率", "compliance", "passed / applicable items", "ratio", 0.95, Better.HIGH),
)  # fmt: skip
BY_ID: Final = {one.id: one for one in INDICATORS}


class NoValue(StrEnum):
    INSUFFICIENT_DATA = "insufficient_data"
    NOT_MEASURED = "not_measured"
    NOTHING_TO_COUNT = "nothing_to_count"


@dataclass(frozen=True, slots=True)
class Value:
    """An indicator of one division and period. ``samples`` over ``expected`` is what it rests on.

    Args:
        value: in the indicator's unit; None with a ``reason``.
        raw: the same without exclusions, where exclusions apply.
    """

    indicator: str
    value: float | None
    samples: float
    expected: float
    reason: NoValue | None = None
    raw: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the threshold is kept; None without a value."""
        if self.value is None:
            return None
        one = BY_ID[self.indicator]
        return self.value >= one.threshold if one.better is Better.HIGH else self.value <= one.threshold


def share(indicator: str, part: float, whole: float) -> Value:
    """An indicator that is a part of a whole (I1, I4 as lost of sent, I6, I7, I9)."""
    if not whole:
        return Value(indicator, None, 0, 0, NoValue.NOTHING_TO_COUNT)
    return Value(indicator, part / whole, whole, whole)


def of_time(indicator: str, net: Availability, raw: Availability | None = None) -> Value:
    """An indicator over watched time (I2, I5): without value where too little of it was watched."""
    watched, period = net.up_s + net.down_s, net.up_s + net.down_s + net.unknown_s
    rough = raw.ratio if raw is not None else None
    if not period:
        return Value(indicator, None, 0, 0, NoValue.NOTHING_TO_COUNT)
    if watched / period < ENOUGH:
        return Value(indicator, None, watched, period, NoValue.INSUFFICIENT_DATA)
    return Value(indicator, net.ratio, watched, period, raw=rough)


def percentile(indicator: str, samples: Sequence[float], expected: int, point: float = 95.0) -> Value:
    """A percentile of measured values (I3), in their unit."""
    if not samples:
        return Value(indicator, None, 0, expected, NoValue.NOT_MEASURED)
    if expected and len(samples) / expected < ENOUGH:
        return Value(indicator, None, len(samples), expected, NoValue.INSUFFICIENT_DATA)
    return Value(indicator, float(np.percentile(np.asarray(samples), point)), len(samples), expected)


def mean_hours(indicator: str, seconds: Iterable[float]) -> Value:
    """A mean duration in hours (I8)."""
    every = list(seconds)
    if not every:
        return Value(indicator, None, 0, 0, NoValue.NOTHING_TO_COUNT)
    return Value(indicator, sum(every) / len(every) / 3600.0, len(every), len(every))
