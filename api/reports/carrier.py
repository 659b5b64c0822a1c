"""The month of a carrier: each circuit against its contract, each interruption with whose fault it was and the proof.

A document for two parties that may not agree. So it names what was measured and when, leaves out what no carrier
answers for and says so, gives no verdict where too little was watched, and fills no gap by guessing.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from api.clues import sentence
from api.handling import Progress, handling_of
from api.messages import say
from api.outage_facts import circuit_line
from api.periods import Period, midnight, month_span
from api.reports.making import chinese_day
from api.reports.sheet import Cell, Column, Heading, Paragraph, Part, Sheet, Table
from api.standing import CHINA, Standing
from health.contract import Cut, Kept, Promise, kept
from health.outage import Outage, Scope
from health.verdict import Blame
from inventory.circuits import Circuit, ServiceLevel, circuits
from ledger import outage_notes

CARRIER: Final = "carrier"
_VERDICTS: Final = {
    Promise.KEPT: "达标", Promise.BROKEN: "未达标", Promise.INSUFFICIENT_DATA: "数据不足", Promise.NONE: "合同未约定",
}  # fmt: skip
_WHOLE: Final = (Scope.SITE, Scope.UPLINK)


@dataclass(frozen=True, slots=True)
class Rates:
    """The 95th percentile of a line's traffic in each direction, in Mbit/s: as the router's own counters told it."""

    received_mbps: float
    sent_mbps: float


@dataclass(frozen=True, slots=True)
class _Row:
    """One circuit in its part of the month."""

    circuit: Circuit
    span: tuple[float, float]
    kept: Kept
    level: ServiceLevel | None
    outages: Sequence[Outage]

    @property
    def verdict(self) -> Promise:
        return self.kept.against(self.level.availability if self.level else None)


def carrier(
    standing: Standing, month: str, name: str, node: int = 0, measured: Mapping[tuple[int, int], Rates] | None = None
) -> Sheet:
    """A carrier's month in a division (运营商线路月度服务报告).

    Args:
        name: of the carrier, as in county.yml.
        measured: by site and line; None: nobody measured traffic.

    Raises:
        ValueError: no such month or carrier, or the month has not begun.
    """
    inventory = standing.inventory
    if name not in inventory.county.carriers:
        raise ValueError(f"{name!r} is no carrier. Known: {', '.join(inventory.county.carriers)}.")
    first, end = month_span(month)
    since, until = midnight(first), min(midnight(end), standing.now())
    if since >= until:
        raise ValueError(f"{month} has not begun.")
    period = Period(standing, since, until)
    rows = _rows(standing, period, name, node, (first, end))
    with standing.query() as connection:
        notes = {one.id: outage_notes.of_outage(connection, one.id) for row in rows for one in row.outages}
    progress = {
        one.id: handling_of(one, [note for note in notes[one.id] if note.happened_at < until])
        for row in rows
        for one in row.outages
    }
    title, place = inventory.county.carriers[name], inventory.nodes.names[node]
    parts: list[Part] = [Paragraph(_opening(rows, title, place, first, until, midnight(end)))]
    parts += [Heading("各电路服务情况"), _circuits(standing, rows, measured or {})]
    parts.append(Heading("中断与判定"))
    numbered = [(row, one) for row in rows for one in row.outages]
    if numbered:
        parts += [_outages(standing, numbered, until), _proof(numbered, inventory.county.carriers), Heading("处置时间")]
        parts.append(_handling(numbered, progress, until))
    else:
        parts.append(Paragraph("本月没有测得中断。"))
    parts += [Heading("统计说明"), *(Paragraph(text) for text in _METHOD)]
    if measured is None:
        parts.append(Paragraph("本报告未取得流量数据，“实测流量”一栏空缺，不作推断。"))
    return Sheet(
        (f"{place}{title}线路服务报告", f"（{first.year}年{first.month}月）"),
        tuple(parts),
        facts=(
            ("数据截至", f"{datetime.fromtimestamp(until, CHINA):%Y-%m-%d %H:%M}"),
            ("清单", inventory.content_hash[:12]),
            ("统计口径", "线路服务1"),
        ),
        forms=("建设单位（盖章）：", f"{title}（盖章）：", "日期："),
    )


_METHOD: Final = (
    "可用率（责任）＝1－运营商线路中断时长÷（监测时长－扣除时长）。经公告的检修和判定为站点停电的时段从分子、分母中同时扣除。",
    "可用率（用户）＝1－全部中断时长÷监测时长，不扣除任何时段，反映该站点实际感受。",
    "无人监测的时段既不算通也不算断；监测时长不足应测时长九成的电路不下结论。",
    "中断由轮询确认：连续两次无应答，并在上联节点复查之后记入；判定依据为上联路由器端口状态及时间、失联前收光与信号、"
    "设备恢复后的开机时间，逐条列出。",
    "响应时长自报修起至到场止，修复时长自报修起至修复止（未登记修复的以恢复应答为准）。未登记报修的不计。",
    "双线路站点的单条线路中断按路由器端口状态记入该条电路的中断和可用率（责任）；此时站点由另一条线路承载，不计入可用率（用户）。",
    "端口正常而电路不通的，本报告不记入，见监测系统的线路探测。",
)  # fmt: skip


def _rows(standing: Standing, period: Period, name: str, node: int, days: tuple[date, date]) -> list[_Row]:
    inventory = standing.inventory
    low, high = inventory.sites.span(node)
    rows = []
    of_lines: dict[tuple[int, int], list[Outage]] = defaultdict(list)
    for one in reversed(period.outages):
        if (place := circuit_line(inventory, one)) is not None:
            of_lines[place].append(one)
    for circuit in circuits(inventory):
        used = circuit.days_in(*days) if circuit.carrier == name and low <= circuit.site < high else None
        if used is None:
            continue
        span = (max(period.since, midnight(used[0])), min(period.until, midnight(used[1])))
        if span[0] >= span[1]:
            continue
        # What failed higher up is that node's own line, and in its own row.
        id = inventory.sites.ids[circuit.site]
        whole = [one for one in period.outages_of(id) if one.node == id and one.scope in _WHOLE]
        outages = [
            one
            for one in (*whole, *of_lines[circuit.site, circuit.line])
            if one.since < span[1] and _end(one, period.until) > span[0]
        ]
        outages.sort(key=lambda one: one.since)
        cuts = [Cut(one.since, _end(one, period.until), _blame(one), one.scope is Scope.LINE) for one in outages]
        made = kept(span, period.watched_of(circuit.site), period.excluded_of(circuit.site), cuts)
        level = inventory.county.service_levels.get(circuit.service_level or "")
        rows.append(_Row(circuit, span, made, level, outages))
    return rows


def _opening(rows: Sequence[_Row], title: str, place: str, first: date, until: float, end: float) -> str:
    counts = {verdict: sum(row.verdict is verdict for row in rows) for verdict in Promise}
    line_cuts = sum(_blame(one) is Blame.LINE for row in rows for one in row.outages)
    line_s = sum(row.kept.line_s for row in rows)
    said = [
        f"{first.year}年{first.month}月，{title}在{place}承担{len(rows)}条电路",
        f"其中达标{counts[Promise.KEPT]}条、未达标{counts[Promise.BROKEN]}条、数据不足"
        f"{counts[Promise.INSUFFICIENT_DATA]}条、合同未约定{counts[Promise.NONE]}条",
        f"判定为运营商线路的中断{line_cuts}次，扣除后共{line_s / 60:.0f}分钟",
    ]
    text = "；".join(said) + "。"
    if until < end:
        text += f"本月尚未结束，数据截至{chinese_day(datetime.fromtimestamp(until, CHINA).date())}。"
    return text


def _circuits(standing: Standing, rows: Sequence[_Row], measured: Mapping[tuple[int, int], Rates]) -> Table:
    columns = (
        Column("序号", "count", 4), Column("站点", "text", 13), Column("电路编号", "text", 12),
        Column("带宽", "count", 5), Column("实测流量", "code", 9), Column("承诺", "code", 6),
        Column("可用率（责任）", "code", 8), Column("可用率（用户）", "code", 8), Column("中断次数", "count", 5),
        Column("线路中断分钟", "minutes", 6), Column("扣除分钟", "minutes", 6), Column("结论", "code", 8),
    )  # fmt: skip
    names = standing.inventory.sites.names
    told: list[tuple[Cell, ...]] = []
    for number, row in enumerate(rows, 1):
        circuit = row.circuit
        rates = measured.get((circuit.site, circuit.line)) if circuit.until is None else None
        told.append(
            (
                number, names[circuit.site], _number(circuit), circuit.bandwidth_mbps,
                f"{rates.received_mbps:.1f}/{rates.sent_mbps:.1f}" if rates else None,
                f"{row.level.availability * 100:g}%" if row.level else None, _percent(row.kept.availability),
                _percent(row.kept.raw), len(row.outages), row.kept.line_s / 60, row.kept.excluded_s / 60,
                _VERDICTS[row.verdict],
            )
        )  # fmt: skip
    return Table("电路逐条对照表", columns, tuple(told), "带宽、流量单位：Mbit/s", "实测流量为收/发的95分位值。")


def _outages(standing: Standing, numbered: Sequence[tuple[_Row, Outage]], until: float) -> Table:
    columns = (
        Column("序号", "count", 4), Column("站点", "text", 14), Column("电路编号", "text", 12),
        Column("起", "code", 10), Column("止", "code", 10), Column("分钟", "minutes", 6),
        Column("判定", "text", 12), Column("扣除原因", "text", 9),
    )  # fmt: skip
    names = standing.inventory.sites.names
    rows: list[tuple[Cell, ...]] = []
    for number, (row, one) in enumerate(numbered, 1):
        blame = _blame(one)
        why = "计划检修" if one.window is not None else "站点停电" if blame is Blame.POWER else ""
        rows.append(
            (
                number, names[row.circuit.site], _number(row.circuit), _clock(one.since), _clock(one.until),
                (_end(one, until) - one.since) / 60, _verdict(one), why,
            )
        )  # fmt: skip
    return Table("中断逐次判定表", columns, tuple(rows), "时间为北京时间", "“止”为空表示统计时仍未恢复。")


def _verdict(outage: Outage) -> str:
    told = say("zh", f"blame.{_blame(outage)}")
    return f"{told}（单条线路，站点正常）" if outage.scope is Scope.LINE else told


def _proof(numbered: Sequence[tuple[_Row, Outage]], carriers: Mapping[str, str]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for number, (_, one) in enumerate(numbered, 1):
        clues = one.finding.clues if one.finding else ()
        told = "；".join(sentence("zh", clue, carriers) for clue in clues)
        rows.append((number, one.id, told or "没有可资判断的测量"))
    columns = (Column("序号", "count", 4), Column("中断编号", "text", 16), Column("测得的依据", "text", 50))
    return Table("判定依据表", columns, tuple(rows))


def _handling(numbered: Sequence[tuple[_Row, Outage]], progress: Mapping[str, Progress], until: float) -> Table:
    columns = (
        Column("序号", "count", 4), Column("工单号", "text", 12), Column("报修", "code", 10),
        Column("到场", "code", 10), Column("修复", "code", 10), Column("响应小时", "code", 7),
        Column("修复小时", "code", 7), Column("是否超时", "code", 10),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for number, (row, one) in enumerate(numbered, 1):
        told = progress[one.id]
        repaired = told.repaired_at if told.repaired_at is not None else one.until
        respond, repair = _hours(told.reported_at, told.on_site_at), _hours(told.reported_at, repaired)
        rows.append(
            (
                number, told.ticket, _clock(told.reported_at), _clock(told.on_site_at), _clock(repaired),
                None if respond is None else f"{respond:.1f}", None if repair is None else f"{repair:.1f}",
                _late(row.level, told, respond, repair, until) if _blame(one) is Blame.LINE else "不适用",
            )
        )  # fmt: skip
    return Table("处置时间表", columns, tuple(rows), "", "只对判定为运营商线路的中断考核时限。")


def _late(level: ServiceLevel | None, told: Progress, respond: float | None, repair: float | None, until: float) -> str:
    if level is None or (level.respond_hours is None and level.repair_hours is None):
        return _VERDICTS[Promise.NONE]
    if told.reported_at is None:
        return "未登记报修"
    waited = (until - told.reported_at) / 3600
    late = []
    if level.respond_hours is not None and (waited if respond is None else respond) > level.respond_hours:
        late.append("响应超时")
    if level.repair_hours is not None and (waited if repair is None else repair) > level.repair_hours:
        late.append("修复超时")
    return "、".join(late) or "未超时"


def _hours(since: float | None, until: float | None) -> float | None:
    return None if since is None or until is None else max(0.0, until - since) / 3600


def _blame(outage: Outage) -> Blame:
    return outage.finding.blame if outage.finding else Blame.UNKNOWN


def _end(outage: Outage, until: float) -> float:
    return until if outage.until is None else min(outage.until, until)


def _number(circuit: Circuit) -> str:
    shown = circuit.number or "未登记"
    return f"{shown}（至{circuit.until}）" if circuit.until is not None else shown


def _percent(ratio: float | None) -> str | None:
    """Three decimals, never rounded up: 99.9994 % is not 100 %."""
    return None if ratio is None else "100%" if ratio >= 1 else f"{int(ratio * 100_000) / 1000:.3f}%"


def _clock(at: float | None) -> str | None:
    return None if at is None else f"{datetime.fromtimestamp(at, CHINA):%m-%d %H:%M}"
