"""What a board is made of. Pure: no Grafana, no HTML."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    STAT = "stat"  # one figure, or one for each legend
    BARS = "bars"  # one bar for each legend, longest first
    TABLE = "table"  # a row for each series; the labels named by `columns`, and the value
    LINES = "lines"  # over time


class Unit(StrEnum):
    COUNT = "count"
    RATIO = "ratio"
    SECONDS = "seconds"
    SINCE = "since"  # a Unix time, shown as how long ago
    BITS = "bits"  # per second
    BYTES = "bytes"
    DBM = "dbm"
    CELSIUS = "celsius"
    STATE = "state"  # 1 in order, 0 not
    PRESENCE = "presence"  # of a table: that there is a row says everything


@dataclass(frozen=True, slots=True)
class Query:
    """``legend`` is Grafana's form: ``{{label}}``."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel.

    Args:
        what: the English description: what is shown, and what to do about it.
        width: of 24; ``height`` in rows of 30 pixels.
        columns: of a table: label and Chinese title, in order; the value's title is the panel's unit.
        bad_from, bad_to: from (or down to) where the value is bad: the only thing that is coloured.
        calm: why it may rightly show nothing while all is well; empty where it always has data.
    """

    title: str
    what: str
    kind: Kind
    unit: Unit
    queries: tuple[Query, ...]
    width: int = 6
    height: int = 6
    columns: tuple[tuple[str, str], ...] = ()
    bad_from: float | None = None
    bad_to: float | None = None
    calm: str = ""


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice above the board; ``query`` is Grafana's ``label_values(...)``."""

    name: str
    title: str
    query: str
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """One question. ``uid`` is a promise: alerts and other boards link to it."""

    uid: str
    title: str
    question: str
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...] = ()

    @property
    def panels(self) -> tuple[Panel, ...]:
        return tuple(panel for row in self.rows for panel in row.panels)
