"""Papers on a division that are asked for now and then: evaluation of two dates, readiness, counters, assessment."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from api.bulletins import overdue_tasks, scored_of
from api.divisions import Change, compare
from api.messages import say
from api.milestones import day_at
from api.periods import Period
from api.reports.making import chinese_day
from api.reports.sheet import Cell, Column, Heading, Paragraph, Part, Sheet, Table, shown
from api.sign_offs import sign_offs
from api.standing import Snapshot, Standing
from api.times import midnight
from health.assessment import Score, points_of, total
from health.coverage import State
from health.duedates import Signing
from health.ranking import Scored
from health.rollup import Figures
from inventory.assessment import Assessment
from inventory.vocabulary import Requirement
from ledger import facts

EVALUATION: Final = "evaluation"
READINESS: Final = "readiness"
COUNTERS: Final = "counters"
ASSESSMENT: Final = "assessment"

_NAMED: Final = 2000
"""Rows of names in one paper; the API's lists give all."""
_SITES: Final = ("township_center", "township_station", "village_site")


def evaluation(standing: Standing, earlier: date, later: date, node: int = 0) -> Sheet:
    """A division on two days beside each other (后评估): figures, each change by name.

    Raises:
        ValueError: the days are in the wrong order or to come, or the division was not there on one of them.
    """
    if earlier >= later:
        raise ValueError(f"{earlier} is not before {later}.")
    code = standing.inventory.nodes.codes[node]
    was, now = (standing.at(min(_end(day), standing.now())) for day in (earlier, later))
    if later > day_at(standing.now()):
        raise ValueError(f"{later} is still to come.")
    if code not in was.nodes.index or code not in now.nodes.index:
        raise ValueError(f"{code} was not in the division list of both days.")
    name = now.nodes.names[now.nodes.index[code]]
    requirements = [
        (say("zh", f"requirement.{one}"), *_both(standing, was, now, code, one))
        for one in standing.inventory.coverage_rules.requirements
    ]
    children = []
    for child in now.nodes.children(now.nodes.index[code]):
        at = now.nodes.codes[child]
        before = None
        if at in was.nodes.index:
            before = standing.figures(standing.main_requirement, "default", was.nodes.index[at], was)
        after = standing.figures(standing.main_requirement, "default", child, now)
        if after.denominator or (before is not None and before.denominator):
            children.append((now.nodes.names[child], *_pair(before, after)))
    made = compare(standing, was, now, code, standing.main_requirement)
    changes = [
        (number, one.name, one.code, _state(one.before), _state(one.after))
        for number, one in enumerate(made.changes[:_NAMED], 1)
    ]
    columns = (
        Column("项目", "text", 14), Column(f"应接入 {earlier}", "count", 9), Column(f"应接入 {later}", "count", 9),
        Column(f"覆盖率 {earlier}", "ratio", 9), Column(f"覆盖率 {later}", "ratio", 9), Column("增减", "text", 11),
    )  # fmt: skip
    won, lost = _moves(made.changes, up=True), _moves(made.changes, up=False)
    parts: list[Part] = [
        Paragraph(
            f"{chinese_day(earlier)}与{chinese_day(later)}相比，{name}应接入由{made.before.denominator}个变为"
            f"{made.after.denominator}个，实测接通由{made.before.numerator}个变为{made.after.numerator}个；"
            f"新增接通{won}个，失去{lost}个。"
        ),
        Heading("各项要求"),
        Table("各项要求两日对比", columns, tuple(requirements), "单位：个"),
    ]
    if children:
        parts += [
            Heading("各单位"),
            Table("各单位网络覆盖两日对比", (Column("单位", "text", 14), *columns[1:]), tuple(children), "单位：个"),
        ]
    parts.append(Heading("变化明细"))
    if changes:
        more = f"共{len(made.changes)}处，列出前{len(changes)}处。" if len(made.changes) > len(changes) else ""
        named = (
            Column("序号", "count", 5), Column("单位", "text", 16), Column("区划代码", "code", 13),
            Column(f"{earlier}", "text", 10), Column(f"{later}", "text", 10),
        )  # fmt: skip
        parts.append(Table("状态有变化的村（社区）", named, tuple(changes), f"共{len(made.changes)}个", more))
    else:
        parts.append(Paragraph("两日之间没有变化。"))
    return Sheet((f"{name}网络覆盖评估报告", f"（{earlier}与{later}）"), tuple(parts), facts=_facts(standing))


def _both(standing: Standing, was: Snapshot, now: Snapshot, code: str, requirement: str) -> tuple[Cell, ...]:
    before, after = (standing.figures(requirement, "default", one.nodes.index[code], one) for one in (was, now))
    return _pair(before, after)


def _pair(before: Figures | None, after: Figures) -> tuple[Cell, ...]:
    old = None if before is None else before.ratio
    moved = "" if old is None or after.ratio is None else _moved(after.ratio - old)
    return None if before is None else before.denominator, after.denominator, old, after.ratio, moved


def _moved(change: float) -> str:
    return "持平" if abs(change) < 0.0005 else f"{'升' if change > 0 else '降'}{abs(change) * 100:.1f}个百分点"


def _state(state: State | None) -> str:
    return "不在统计内" if state is None else say("zh", f"state.{state}")


def _moves(changes: Iterable[Change], *, up: bool) -> int:
    """How many came to be covered, or ceased to be."""
    covered = (State.COVERED, State.DEGRADED)
    pairs = ((one.before, one.after) if up else (one.after, one.before) for one in changes)
    return sum(there in covered and here not in covered for here, there in pairs)


_MEASURES: Final = {
    "coverage": "实测覆盖率", "availability": "站点可用率", "kiosk_online": "终端可服务率",
    "overdue_tasks": "逾期督办数", "ledger_on_time": "台账按时率", "manual": "人工评定",
}  # fmt: skip
_PRECONDITIONS: Final = (
    ("ready_place", "场所"), ("ready_items", "事项"), ("ready_guidance", "指导"), ("ready_finance", "经费"),
)  # fmt: skip


def readiness(standing: Standing, node: int = 0) -> Sheet:
    """The five preconditions of each site (场所、事项、网络、指导、经费): the network computed, the others as told."""
    inventory, snapshot = standing.inventory, standing.snapshot
    sites, nodes = inventory.sites, inventory.nodes
    rows: list[tuple[Cell, ...]] = []
    counts = dict.fromkeys(("场所", "事项", "网络", "指导", "经费"), 0)
    whole = 0
    for site in range(*sites.span(node)):
        if sites.types[site] not in _SITES or inventory.requirement(site) is not Requirement.REQUIRED:
            continue
        told = {title: standing.told(site, name, snapshot) for name, title in _PRECONDITIONS}
        judged = standing.judgement(site, standing.main_requirement, snapshot)
        ready: dict[str, bool | None] = {title: None if value is None else bool(value) for title, value in told.items()}
        ready["网络"] = None if judged.state is State.UNKNOWN else judged.state in (State.COVERED, State.DEGRADED)
        for title in counts:
            counts[title] += ready[title] is True
        whole += all(ready[title] is True for title in counts)
        why = say("zh", f"state.{judged.state}") if ready["网络"] is not True else ""
        code = nodes.codes[int(sites.nodes[site])]
        rows.append((len(rows) + 1, sites.names[site], code, *(_mark(ready[title]) for title in counts), why))
    columns = (
        Column("序号", "count", 5), Column("站点", "text", 20), Column("区划代码", "code", 13),
        *(Column(title, "code", 6) for title in counts), Column("网络说明", "text", 12),
    )  # fmt: skip
    name = nodes.names[node]
    day = day_at(snapshot.at)
    each = "，".join(f"{title}{count}个" for title, count in counts.items())
    opening = f"截至{chinese_day(day)}，应建{len(rows)}个站点中，五项条件齐备{whole}个。其中：{each}。"
    return Sheet(
        (f"{name}站点建设条件清单", f"（{chinese_day(day)}）"),
        (
            Paragraph(opening + "网络一列由系统实测得出，其余四列由各单位填报。"),
            Table(f"{name}站点建设条件清单", columns, tuple(rows), "单位：个", "√ 具备，× 不具备，— 未填报或未监测"),
        ),
        facts=_facts(standing),
        forms=(f"填报单位：{name}", "制表人：", f"日期：{day}"),
    )  # fmt: skip


def _mark(holds: bool | None) -> Cell:
    return None if holds is None else "√" if holds else "×"


def counters(standing: Standing, node: int = 0, name: str | None = None) -> Sheet:
    """Every dated value of every imported counter: a later value stands beside an earlier one, and replaces none."""
    inventory = standing.inventory
    nodes, sites = inventory.nodes, inventory.sites
    inside = {nodes.codes[place]: (place, -1) for place in range(node, nodes.ends[node])}
    inside |= {sites.ids[site]: (int(sites.nodes[site]), site) for site in range(*sites.span(node))}
    with standing.query() as connection:
        found = [
            (inside[one.subject], one)
            for _, one in facts.told_since(connection, 0)
            if one.subject in inside
            and (name is None or one.name == name)
            and isinstance(one.value, int | float)
            and not isinstance(one.value, bool)
        ]
    found.sort(key=lambda pair: (pair[0], pair[1].name, pair[1].happened_on))
    rows: list[tuple[Cell, ...]] = []
    for (place, site), one in found:
        value = int(one.value) if isinstance(one.value, float) and one.value.is_integer() else one.value
        subject = nodes.names[place] if site < 0 else sites.names[site]
        rows.append((len(rows) + 1, subject, one.subject if site < 0 else nodes.codes[place], one.name,
                     str(one.happened_on), str(value), one.source, one.said_by))  # fmt: skip
    columns = (
        Column("序号", "count", 6), Column("单位", "text", 14), Column("区划代码", "code", 16),
        Column("指标", "text", 13), Column("日期", "code", 14), Column("数值", "code", 9),
        Column("来源", "text", 16), Column("填报", "text", 9),
    )  # fmt: skip
    title = nodes.names[node]
    day = day_at(standing.snapshot.at)
    return Sheet(
        (f"{title}填报数据台账", f"（{chinese_day(day)}）"),
        (
            Table(
                f"{title}填报数据", columns, tuple(rows), f"共{len(rows)}条",
                "由其他系统或单位提供，本系统不作计算；同一指标按日期并列，不覆盖。",
            ),
        ),
        facts=_facts(standing),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Year:
    """What is measured of one division over a year, by the names of the sheet's measures."""

    standing: Standing
    snapshot: Snapshot
    node: int
    scored: Scored
    on_time: float | None

    def value(self, measure: str, item: str) -> float | None:
        code = self.standing.inventory.nodes.codes[self.node]
        kind, _, name = measure.partition(":")
        match kind:
            case "coverage":
                return self.scored.coverage
            case "availability":
                return self.scored.availability
            case "kiosk_online":
                return self.scored.kiosk_online
            case "overdue_tasks":
                return float(self.scored.overdue_tasks)
            case "ledger_on_time":
                return self.on_time
            case "requirement":
                then = self.snapshot.nodes.index.get(code)
                if then is None or name not in self.standing.inventory.coverage_rules.requirements:
                    return None
                return self.standing.figures(name, "default", then, self.snapshot).ratio
        told = self.snapshot.told.get((code, name if kind == "fact" else f"assessment_{item}"))
        return float(told.value) if told is not None and not isinstance(told.value, str) else None


def assessment(standing: Standing, sheet: Assessment, year: int, node: int = 0) -> Sheet:
    """The annual assessment (年度考核) by the operator's own scoring sheet, of a division and of each below.

    Raises:
        ValueError: the year has not begun.
    """
    since, until = midnight(date(year, 1, 1)), min(midnight(date(year + 1, 1, 1)), standing.now())
    if until <= since:
        raise ValueError(f"{year} has not begun.")
    inventory = standing.inventory
    nodes = inventory.nodes
    snapshot, period = standing.at(until), Period(standing, since, until)
    with standing.query() as connection:
        late = overdue_tasks(standing, connection, until)
    last = day_at(until)
    months = [f"{year}-{month:02d}" for month in range(1, last.month + 1)]
    signed = [sign_offs(standing, month, node) for month in months]
    places = [node, *nodes.children(node)]
    columns = [Column("单位", "text", 14)]
    columns += [Column(f"{item.title}（{item.points:g}分）", "code", 9) for item in sheet.items]
    columns += [Column("得分", "code", 7), Column("可评分", "code", 7)]
    rows: list[tuple[Cell, ...]] = []
    detail: list[tuple[Cell, ...]] = []
    for place in places:
        scored = scored_of(standing, snapshot, period, late, place)
        if not scored.subjects:
            continue
        below = {nodes.codes[one] for one in range(place, nodes.ends[place])}
        every = (row for month in signed for row in month.rows if row.division in below)
        owed = [row for row in every if row.state is not Signing.PENDING]
        on_time = sum(row.state is Signing.ON_TIME for row in owed) / len(owed) if owed else None
        year_of = _Year(standing, snapshot, place, scored, on_time)
        scores: list[tuple[Score, float]] = []
        for item in sheet.items:
            value = year_of.value(item.measure, item.id)
            if item.measure == "manual":
                score = Score(value, None if value is None else min(max(value, 0.0), item.points))
            else:
                score = points_of(value, item.points, item.full, item.none)
            scores.append((score, item.points))
            if place == node:
                detail.append(
                    (item.title, _measure(item.measure), f"{item.points:g}", _value(value, item.measure),
                     None if score.points is None else f"{score.points:g}")
                )  # fmt: skip
        given, possible = total(scores)
        told = [None if score.points is None else f"{score.points:g}" for score, _ in scores]
        name = scored.name if place != node else f"{scored.name}（合计）"
        rows.append((name, *told, f"{given:g}", f"{possible:g}"))
    name = nodes.names[node]
    items = (
        Column("考核项目", "text", 22), Column("计算依据", "text", 14), Column("分值", "code", 6),
        Column("数值", "code", 9), Column("得分", "code", 6),
    )  # fmt: skip
    return Sheet(
        (f"{name}{year}年度考核数据", f"（{sheet.title}）"),
        (
            Paragraph(
                f"本表依据{sheet.title}（{sheet.version}）计算，数据截至{chinese_day(last)}24时。"
                "没有数据的项目不计入可评分，由考核单位评定。"
            ),
            Heading("各项得分"),
            Table(f"{name}各项得分", items, tuple(detail), "单位：分", sheet.source),
            Heading("各单位得分"),
            Table("各单位得分", tuple(columns), tuple(rows), "单位：分", "“—”为没有数据或待人工评定。"),
        ),
        facts=(*_facts(standing, snapshot), ("评分表", f"{sheet.title} {sheet.version}")),
    )  # fmt: skip


def _measure(measure: str) -> str:
    """What an item is computed from, in words."""
    kind, _, name = measure.partition(":")
    if kind == "requirement":
        return f"{say('zh', f'requirement.{name}')}（实测）"
    return f"填报：{name}" if kind == "fact" else _MEASURES[kind]


def _value(value: float | None, measure: str) -> Cell:
    if value is None:
        return None
    share = measure.partition(":")[0] in ("coverage", "availability", "kiosk_online", "ledger_on_time", "requirement")
    return shown(value, "ratio") if share else f"{value:g}"


def _end(day: date) -> float:
    return midnight(day + timedelta(days=1))


def _facts(standing: Standing, snapshot: Snapshot | None = None) -> Sequence[tuple[str, str]]:
    inventory = standing.inventory
    at = (snapshot or standing.snapshot).at
    return (
        ("统计口径", f"覆盖规则{inventory.coverage_rules.version}"),
        ("数据截至", str(day_at(at))),
        ("清单", inventory.content_hash[:12]),
    )
