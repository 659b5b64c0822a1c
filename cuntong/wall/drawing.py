"""Panels as HTML: big figures, bars, sentences and lines that can be read from five metres. Pure."""

import json
import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from html import escape
from typing import Final

from api.messages import LANGUAGES, say
from cuntong.wall.asking import Answer, Names, Series
from exporter.dashboards.model import Kind, Panel, Unit

_CHINA: Final = timezone(timedelta(hours=8))
_ROWS: Final = 12
_COLOURS: Final = 6
_WIDTH, _HEIGHT = 600, 160

_THINGS: Final = frozenset({"node", "uplink", "link", "device", "site"})
_MESSAGES: Final = {
    "cause": "blame", "scope": "scope", "type": "type", "fault": "fault", "peripheral": "fault", "lifecycle": "claim",
    "requirement": "requirement", "class": "class", "link_type": "link",
}  # fmt: skip
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "planned": {"yes": "是", "no": "否"},
    "role": {"primary": "主用", "backup": "备用"},
    "severity": {"critical": "紧急", "warning": "警告", "info": "提示"},
    "outcome": {"done": "完成", "stopped": "中止"},
    "result": {
        "answered": "有应答", "silent": "无应答", "refused": "被拒绝", "accepted": "已接受", "foreign": "来源不明",
        "limited_source": "单台超限", "limited_global": "总量超限", "garbled": "无法解读", "introduced": "已告知引擎",
        "overflowed": "内核丢弃",
    },
    "state": {
        "confirmed": "已确认", "rolled_back": "已回退", "lost": "失联", "needs_visit": "需现场处理", "stale": "已过期",
        "failed": "失败", "running": "进行中", "pausing": "正在暂停", "stopping": "正在中止", "abandoned": "控制端失联",
        "up": "正常", "silent": "无应答", "suspect": "复核中", "unknown": "不明",
        "off_hours": "非服务时间",
        "covered": "正常", "degraded": "中断中", "not_built": "未建成", "exempt": "不要求",
    },
}  # fmt: skip


def panel_html(panel: Panel, answer: Answer, names: Names, now: float | None = None) -> str:
    """The inside of a panel.

    Args:
        names: what people call what a label's value stands for.
    """
    at = time.time() if now is None else now
    if answer.problem:
        return f'<p class="problem">{escape(answer.problem)}</p>'
    if not answer.series:
        return f'<p class="calm">{"无" if panel.calm else "没有数据"}</p>'
    draw: Callable[[Panel, Answer, Names, float], str] = {
        Kind.STAT: _stat, Kind.BARS: _bars, Kind.TABLE: _table, Kind.LINES: _lines,
    }[panel.kind]  # fmt: skip
    return draw(panel, answer, names, at)


def is_bad(panel: Panel, value: float) -> bool:
    return (panel.bad_from is not None and value >= panel.bad_from) or (
        panel.bad_to is not None and value <= panel.bad_to
    )


def shown(value: float, unit: Unit, now: float) -> str:
    """A value with its unit, as short as it can be understood."""
    match unit:
        case Unit.RATIO:
            return "100%" if value == 1 else f"{int(value * 1000) / 10:.1f}%"
        case Unit.SINCE:
            return _ago(now - value)
        case Unit.SECONDS:
            return f"{value * 1000:.0f} ms" if abs(value) < 1 else _ago(value)
        case Unit.STATE | Unit.PRESENCE:
            return "正常" if value else "异常"
        case Unit.BITS:
            return f"{_short(value)}bit/s"
        case Unit.BYTES:
            return f"{value / 2**20:.0f} MiB" if abs(value) < 2**30 else f"{value / 2**30:.1f} GiB"
        case Unit.CELSIUS:
            return f"{value:.0f} °C"
        case Unit.DBM:
            return f"{value:.1f} dBm"
        case Unit.COUNT:
            return _short(value)


def _short(value: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (size if letter != 'k' else 1e3):.1f} {letter}"
    return f"{value:.0f}" if value == int(value) else f"{value:.2f}"


def _ago(seconds: float) -> str:
    minutes = int(max(0.0, seconds)) // 60
    if minutes < 1:
        return f"{int(max(0.0, seconds))} 秒"
    if minutes < 60:
        return f"{minutes} 分钟"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} 小时 {minutes} 分" if hours < 48 else f"{hours // 24} 天"


def _stat(panel: Panel, answer: Answer, names: Names, now: float) -> str:
    parts = []
    for one in answer.series[:4]:
        bad = " bad" if is_bad(panel, one.value) else ""
        small = f"<small>{escape(_legend(one, names))}</small>" if one.legend else ""
        parts.append(f'<div class="big{bad}">{escape(shown(one.value, panel.unit, now))}{small}</div>')
    return "".join(parts)


def _bars(panel: Panel, answer: Answer, names: Names, now: float) -> str:
    oldest = panel.unit is Unit.SINCE
    rows = sorted(answer.series, key=lambda one: one.value, reverse=not oldest and panel.bad_to is None)[:_ROWS]
    lengths = [now - one.value if oldest else one.value for one in rows]
    longest = 1.0 if panel.unit is Unit.RATIO else max([*lengths, 1e-9])
    html = []
    for one, length in zip(rows, lengths, strict=True):
        bad = " bad" if is_bad(panel, one.value) else ""
        share = max(0.0, min(1.0, length / longest))
        html.append(
            f'<tr class="row{bad}"><th>{escape(_legend(one, names)) or "全部"}</th>'
            '<td><svg viewBox="0 0 100 10" preserveAspectRatio="none">'
            f'<rect width="{100 * share:.1f}" height="10"/></svg></td>'
            f'<td class="num">{escape(shown(one.value, panel.unit, now))}</td></tr>'
        )
    return f'<table class="bars">{"".join(html)}</table>{_rest(answer)}'


def _table(panel: Panel, answer: Answer, names: Names, now: float) -> str:
    rows = sorted(answer.series, key=lambda one: one.value)[:_ROWS]
    head = "".join(f"<th>{escape(title)}</th>" for _, title in panel.columns)
    last = {Unit.SINCE: "已持续", Unit.STATE: "状态", Unit.RATIO: "比例"}.get(panel.unit, "数量")
    told = panel.unit is not Unit.PRESENCE
    head += f'<th class="num">{last}</th>' if told else ""
    html = []
    for one in rows:
        cells = "".join(f"<td>{escape(_cell(name, one.labels.get(name, ''), names))}</td>" for name, _ in panel.columns)
        bad = " bad" if is_bad(panel, one.value) else ""
        value = f'<td class="num">{escape(shown(one.value, panel.unit, now))}</td>' if told else ""
        html.append(f'<tr class="row{bad}">{cells}{value}</tr>')
    return f"<table><tr>{head}</tr>{''.join(html)}</table>{_rest(answer)}"


def _rest(answer: Answer) -> str:
    more = len(answer.series) - _ROWS
    return f'<p class="rest">另有 {more} 项</p>' if more > 0 else ""


def _legend(one: Series, names: Names) -> str:
    return re.sub(
        r"\{\{(\w+)\}\}", lambda found: _cell(found[1], one.labels.get(found[1], ""), names), one.legend
    ).strip()


def _cell(label: str, value: str, names: Names) -> str:
    """A label's value as people say it."""
    if value in names.get(label, ()):
        return names[label][value]
    if value in _WORDS.get(label, ()):
        return _WORDS[label][value]
    if label in _MESSAGES:
        key = f"{_MESSAGES[label]}.{value}"
        return value if key not in LANGUAGES["zh"] else say("zh", key)
    return _thing(value, names["site"]) if label in _THINGS and "site" in names else value


def _thing(id: str, sites: Mapping[str, str]) -> str:
    """A site by its name, a device or line by its site's name and its role."""
    if id in sites:
        return sites[id]
    site, dash, role = id.rpartition("-")
    return f"{sites[site]} {role}" if dash and site in sites else id


def _lines(panel: Panel, answer: Answer, names: Names, now: float) -> str:
    rows = sorted(answer.series, key=lambda one: one.value, reverse=True)[:_COLOURS]
    first = min(one.points[0][0] for one in rows)
    last = max(one.points[-1][0] for one in rows)
    values = [value for one in rows for _, value in one.points]
    top, bottom = max(0.0, *values), min(0.0, *values)
    wide, high = max(last - first, 1.0), (top - bottom) or 1.0

    def place(point: tuple[float, float]) -> str:
        x, y = (point[0] - first) / wide * _WIDTH, _HEIGHT - (point[1] - bottom) / high * (_HEIGHT - 8) - 4
        return f"{x:.1f},{y:.1f}"

    lines = "".join(
        f'<polyline class="line c{number}" points="{" ".join(map(place, one.points))}"/>'
        for number, one in enumerate(rows)
    )
    begin, end = (datetime.fromtimestamp(at, _CHINA).strftime("%H:%M") for at in (first, last))
    keys = "".join(
        f'<li><i class="c{number}"></i>{escape(_legend(one, names)) or "全部"} '
        f"<b>{escape(shown(one.value, panel.unit, now))}</b></li>"
        for number, one in enumerate(rows)
    )
    drawn = {
        "unit": panel.unit,
        "bad_from": panel.bad_from,
        "bad_to": panel.bad_to,
        "lines": [{"name": _legend(one, names) or "全部", "points": one.points} for one in rows],
    }
    told = escape(json.dumps(drawn, ensure_ascii=False, separators=(",", ":")))
    return (
        f'<div class="lines" data-lines="{told}">'
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" role="img">{lines}</svg>'
        f'<p class="axis"><span>{begin}</span><span>最高 {escape(shown(top, panel.unit, now))}</span>'
        f"<span>{end}</span></p></div>"
        f'<ul class="keys">{keys}</ul>'
    )


def sentences(outages: Answer, names: Names, now: float) -> list[str]:
    """Open outages as one sentence each, the longest first; announced ones last."""
    rows = sorted(outages.series, key=lambda one: (one.labels.get("planned") == "yes", one.value))
    return [_sentence(one, names, now) for one in rows]


def _sentence(one: Series, names: Names, now: float) -> str:
    who = _cell("node", one.labels.get("node", ""), names)
    why = _cell("cause", one.labels.get("cause", "unknown"), names)
    planned = "（计划内）" if one.labels.get("planned") == "yes" else ""
    return f"{who}：{why}，已 {_ago(now - one.value)}{planned}"
