"""A board as Grafana's classic dashboard JSON, for Grafana 11 to 13, by grafana-foundation-sdk.

The kit leaves out what Grafana's editor would fill in: ids of panels and targets, reductions, the data source of each
panel. They are set here, so that the JSON is whole and always the same.
"""

import json
import warnings
from collections.abc import Iterator
from typing import Any, Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from exporter.dashboards.model import Board, Kind, Panel, Unit, Variable

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # the classic form is what Grafana 11 reads
    from grafana_foundation_sdk.builders import bargauge, stat, table, timeseries
    from grafana_foundation_sdk.builders.common import VizLegendOptions
    from grafana_foundation_sdk.builders.dashboard import (
        Dashboard,
        DashboardLink,
        DatasourceVariable,
        QueryVariable,
        Row,
        ThresholdsConfig,
    )
    from grafana_foundation_sdk.builders.prometheus import Dataquery

from grafana_foundation_sdk.models.common import BarGaugeDisplayMode, LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import (
    DashboardLinkType,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    VariableRefresh,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

_SOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")
_UNITS: Final = {
    Unit.COUNT: "short", Unit.RATIO: "percentunit", Unit.SECONDS: "s", Unit.SINCE: "dateTimeFromNow",
    Unit.BITS: "bps", Unit.BYTES: "bytes", Unit.DBM: "dBm", Unit.CELSIUS: "celsius", Unit.STATE: "none",
    Unit.PRESENCE: "none",
}  # fmt: skip
_GOOD, _BAD, _PLAIN = "green", "red", "text"
_TAG: Final = "cuntong"


def as_json(board: Board) -> str:
    """The dashboard's file: sorted keys, two spaces, a line end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        plain = json.loads(JSONEncoder(sort_keys=True).encode(_dashboard(board).build()))
    return json.dumps(plain, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _dashboard(board: Board) -> Any:
    made = (
        Dashboard(board.title)
        .uid(board.uid)
        .description(board.question)
        .tags([_TAG])
        .readonly()
        .refresh("1m")
        .time("now-6h", "now")
        .timezone("Asia/Shanghai")
        .link(DashboardLink("村通").type(DashboardLinkType.DASHBOARDS).tags([_TAG]).as_dropdown(True).keep_time(True))
        .with_variable(DatasourceVariable("datasource").label("数据源").type("prometheus"))
    )
    for variable in board.variables:
        made = made.with_variable(_variable(variable))
    number, y = 0, 0
    for row in board.rows:
        number += 1
        made = made.with_row(Row(row.title).id(number).grid_pos(_at(0, y, 24, 1)))
        y += 1
        for panel, x, down in _placed(row.panels):
            number += 1
            made = made.with_panel(_panel(panel, number).grid_pos(_at(x, y + down, panel.width, panel.height)))
        y += _height(row.panels)
    return made


def _at(x: int, y: int, width: int, height: int) -> Any:
    from grafana_foundation_sdk.models.dashboard import GridPos

    return GridPos(h=height, w=width, x=x, y=y)


def _placed(panels: tuple[Panel, ...]) -> Iterator[tuple[Panel, int, int]]:
    """Each panel with its place in the row's own grid: left to right, a new line where the next does not fit."""
    x = y = tallest = 0
    for panel in panels:
        if x + panel.width > 24:
            x, y, tallest = 0, y + tallest, 0
        yield panel, x, y
        x += panel.width
        tallest = max(tallest, panel.height)


def _height(panels: tuple[Panel, ...]) -> int:
    return max(down + panel.height for panel, _, down in _placed(panels))


def _variable(variable: Variable) -> Any:
    return (
        QueryVariable(variable.name)
        .label(variable.title)
        .datasource(_SOURCE)
        .query(variable.query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .include_all(variable.everything)
    )


def _panel(panel: Panel, number: int) -> Any:
    match panel.kind:
        case Kind.STAT:
            made: Any = stat.Panel().reduce_options(_last())
        case Kind.BARS:
            made = bargauge.Panel().reduce_options(_last()).display_mode(BarGaugeDisplayMode.BASIC)
        case Kind.TABLE:
            made = table.Panel()
        case Kind.LINES:
            legend = VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM)
            made = timeseries.Panel().legend(legend.show_legend(True)).min(0).span_nulls(False)
    made = (
        made.id(number)
        .title(panel.title)
        .description(panel.what)
        .unit("dateTimeAsIso" if panel.unit is Unit.SINCE and panel.kind is Kind.LINES else _UNITS[panel.unit])
        .datasource(_SOURCE)
        .interval("60s")
        .thresholds(_thresholds(panel))
    )
    for letter, query in zip("ABCDEFGH", panel.queries, strict=False):
        target = Dataquery().ref_id(letter).datasource(_SOURCE).expr(query.expr).legend_format(query.legend)
        if panel.kind is Kind.LINES:
            target = target.range()
        else:
            target = target.instant()
            if panel.kind is Kind.TABLE:
                target = target.format(PromQueryFormat.TABLE)
        made = made.with_target(target)
    return made if panel.kind is not Kind.TABLE else _columns(made, panel)


def _last() -> Any:
    from grafana_foundation_sdk.builders.common import ReduceDataOptions

    return ReduceDataOptions().calcs(["lastNotNull"]).values(False)


def _thresholds(panel: Panel) -> Any:
    """Only what is bad is coloured; what has no bound stays as the text is."""
    steps = [Threshold(value=None, color=_PLAIN)]
    if panel.bad_from is not None:
        steps = [Threshold(value=None, color=_GOOD), Threshold(value=panel.bad_from, color=_BAD)]
    elif panel.bad_to is not None:
        above = panel.bad_to + (1e-9 if panel.bad_to == 0 else 0)
        steps = [Threshold(value=None, color=_BAD), Threshold(value=above, color=_GOOD)]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def _columns(made: Any, panel: Panel) -> Any:
    """Of a table: the named labels in their order under their Chinese titles, then the value; nothing else."""
    from grafana_foundation_sdk.models.dashboard import DataTransformerConfig

    names = [label for label, _ in panel.columns]
    values = [] if panel.unit is Unit.PRESENCE else ["Value"]
    title = {Unit.SINCE: "起始", Unit.STATE: "状态", Unit.RATIO: "比例", Unit.COUNT: "数量"}.get(panel.unit, "数值")
    return made.transformations([
        DataTransformerConfig(id_val="filterFieldsByName", options={"include": {"names": [*names, *values]}}),
        DataTransformerConfig(
            id_val="organize",
            options={
                "indexByName": {name: at for at, name in enumerate([*names, *values])},
                "renameByName": {**dict(panel.columns), "Value": title},
            },
        ),
    ])  # fmt: skip
