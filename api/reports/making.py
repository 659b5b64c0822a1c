"""The reports by name: each is made of what the API's other parts found out, as a `Sheet`.

A published bulletin is made of its frozen document alone, so that the file of a published month is the same for ever;
before that it is a draft and says so.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from api.daily import DailyRow
from api.messages import say
from api.milestones import day_at
from api.reports.sheet import DASH, Cell, Column, Heading, Paragraph, Part, Sheet, Table, shown
from api.sign_offs import SignOffs
from api.standing import CHINA, Standing
from health.duedates import Signing, month_of
from health.ranking import Ranked
from ledger.reports import Frozen, Signature
from ledger.spot_checks import Draw

_BANDS: Final = {"very_high": "很高", "high": "高", "medium": "中", "low": "低"}
_RANKING: Final = (
    Column("名次", "count", 5), Column("单位", "text", 13), Column("应接入", "count", 7), Column("覆盖率", "ratio", 8),
    Column("可用率", "ratio", 8), Column("终端服务率", "ratio", 10), Column("逾期督办", "count", 8),
    Column("档次", "text", 5),
)  # fmt: skip
_SIGNING: Final = {
    Signing.ON_TIME: "按时", Signing.LATE: "逾期签字", Signing.MISSING: "未签字", Signing.PENDING: "未到期",
}  # fmt: skip


def chinese_day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _chinese_month(month: str) -> str:
    year, number = month_of(month)
    return f"{year}年{number}月"


def bulletin(
    document: Mapping[str, Any], *, issuer: str, frozen: Frozen | None = None, before: Mapping[str, Any] | None = None
) -> Sheet:
    """The month's bulletin (月通报).

    Args:
        document: as `api.bulletins.Bulletin.document` gives it, frozen or fresh.
        frozen: the edition that was published; None for a draft.
        before: the document of the month before, for the change against it.
    """
    whole = document["whole"]
    as_of = datetime.fromisoformat(document["as_of"]).astimezone(CHINA)
    last = (
        as_of.date() if as_of.time().replace(microsecond=0).isoformat() != "00:00:00" else day_at(as_of.timestamp() - 1)
    )
    month = _chinese_month(document["month"])
    title = [f"{document['name']}便民服务站点网络覆盖情况通报", f"（{month}）" if frozen else f"（{month}，草稿）"]
    if frozen is not None and frozen.edition > 1:
        title.append(f"（第{frozen.edition}版，更正）")
    rows = [_ranking_row(row["place"], row, row["band"]) for row in document["ranking"]]
    behind = [row for row in document["ranking"] if row["coverage"] is not None and row["coverage"] < 1]
    late = [row for row in document["ranking"] if row["overdue_tasks"]]
    parts: list[Part] = [
        Paragraph(_opening(document["name"], chinese_day(last), whole, before["whole"] if before else None)),
        Heading("总体情况"),
        Paragraph(
            f"本月站点可用率{shown(whole['availability'], 'ratio')}（已扣除计划维护和停电），"
            f"自助终端在服务时间内的可服务率{shown(whole['kiosk_online'], 'ratio')}，"
            f"逾期未办结的督办事项{whole['overdue_tasks']}项。"
        ),
        Heading("各单位情况"),
        Table("各单位网络覆盖与运行情况", _RANKING, tuple(rows), "单位：个", "名次相同者并列；“—”为没有监测数据。"),
        Heading("需要关注"),
        Paragraph(
            "覆盖未达100%的单位："
            + "、".join(f"{row['name']}（{shown(row['coverage'], 'ratio')}）" for row in behind)
            + "。"
            if behind
            else "各单位应接入的村（社区）均已实测接通。"
        ),
        Paragraph(
            "有逾期督办事项的单位：" + "、".join(f"{row['name']}（{row['overdue_tasks']}项）" for row in late) + "。"
            if late
            else "没有逾期的督办事项。"
        ),
    ]
    if frozen is not None and frozen.reason:
        parts += [Heading("更正说明"), Paragraph(frozen.reason)]
    facts = [
        ("统计口径", f"覆盖规则{document['rule_version']}，排名规则{document['ranking_version']}"),
        ("数据截至", f"{chinese_day(last)}24时" if last != as_of.date() else f"{as_of:%Y-%m-%d %H:%M}"),
    ]
    if frozen is not None:
        facts += [
            ("版次", str(frozen.edition)),
            ("数据指纹（SHA-256）", frozen.sha256),
            ("清单", frozen.inventory[:12]),
        ]
    issued = datetime.fromtimestamp(frozen.frozen_at, CHINA).date() if frozen else None
    return Sheet(tuple(title), tuple(parts), issuer, chinese_day(issued) if issued else "", tuple(facts))


def _opening(name: str, day: str, whole: Mapping[str, Any], before: Mapping[str, Any] | None) -> str:
    subjects, ratio = whole["subjects"], whole["coverage"]
    if not subjects or ratio is None:
        return f"截至{day}24时，{name}没有应接入的村（社区）。"
    connected = round(ratio * subjects)
    text = f"截至{day}24时，{name}应接入{subjects}个村（社区），实测已接通{connected}个，覆盖率{shown(ratio, 'ratio')}"
    if before is None or before["coverage"] is None:
        return text + "。"
    change = connected - round(before["coverage"] * before["subjects"])
    if change == 0:
        return text + "，与上月持平。"
    return text + f"，较上月{'增加' if change > 0 else '减少'}{abs(change)}个。"


def _ranking_row(place: int | None, row: Mapping[str, Any], band: str | None) -> tuple[Cell, ...]:
    return (
        place, row["name"], row["subjects"], row["coverage"], row["availability"], row["kiosk_online"],
        row["overdue_tasks"], _BANDS.get(band or "", DASH),
    )  # fmt: skip


def ranking(name: str, year: int, ranked: Sequence[Ranked], issuer: str) -> Sheet:
    """The year's ranking (年评比), from twelve frozen months."""
    rows = tuple(
        _ranking_row(
            one.place,
            {
                "name": one.scored.name, "subjects": one.scored.subjects, "coverage": one.scored.coverage,
                "availability": one.scored.availability, "kiosk_online": one.scored.kiosk_online,
                "overdue_tasks": one.scored.overdue_tasks,
            },
            one.band,
        )
        for one in ranked
    )  # fmt: skip
    table = Table(
        f"{name}{year}年度评比", _RANKING, rows, "单位：个", f"依据{year}年十二期已发布的月通报；名次相同者并列。"
    )
    return Sheet((f"{name}便民服务站点网络", f"{year}年度评比结果"), (table,), issuer)


_DAILY: Final = (
    Column("序号", "count", 5), Column("站点", "text", 20), Column("乡镇", "text", 9), Column("类型", "text", 12),
    Column("区划代码", "code", 12), Column("状态", "text", 8), Column("可达", "text", 5), Column("能办事", "text", 6),
    Column("原因", "text", 14), Column("不通（分钟）", "minutes", 8), Column("未监测（分钟）", "minutes", 9),
    Column("中断次数", "count", 6), Column("处置情况", "text", 12),
)  # fmt: skip


def daily(name: str, day: date, rows: Sequence[DailyRow]) -> Sheet:
    """The daily check (日巡查): one row for every site, and a column for what was done."""
    told = tuple(
        (
            number, row.name, row.township, say("zh", f"type.{row.type}"), row.code, say("zh", f"state.{row.state}"),
            say("zh", f"verdict.{row.reachable}"), say("zh", f"verdict.{row.working}"),
            say("zh", f"reason.{row.reason}") if row.reason else "", row.dark_minutes, row.unwatched_minutes,
            row.outages, "",
        )
        for number, row in enumerate(rows, 1)
    )  # fmt: skip
    return Sheet(
        (f"{name}日巡查表", f"（{chinese_day(day)}）"),
        (Table(f"{name}日巡查表（{day}）", _DAILY, told, f"共{len(rows)}个站点"),),
        forms=(f"填报单位：{name}", "制表人：", "审核人：", f"日期：{day}"),
    )


_VISIT: Final = (
    Column("序号", "count", 5), Column("站点", "text", 20), Column("区划代码", "code", 12), Column("开门", "text", 6),
    Column("外网可用", "text", 8), Column("终端可用", "text", 8), Column("打印机", "text", 7),
    Column("高拍仪", "text", 7),
    Column("好差评", "text", 7), Column("结论", "text", 8), Column("备注", "text", 16), Column("检查人", "text", 8),
)  # fmt: skip


def spot_check(standing: Standing, draw: Draw) -> Sheet:
    """The form of a week's unannounced check (周暗访): the sites in the order drawn, to be filled in at the door."""
    sites, nodes = standing.inventory.sites, standing.inventory.nodes
    name = nodes.names[nodes.index[draw.division]] if draw.division in nodes.index else draw.division
    rows: list[tuple[Cell, ...]] = []
    for number, id in enumerate(draw.sites, 1):
        site = sites.index.get(id)
        shown_name, code = (id, "") if site is None else (sites.names[site], nodes.codes[int(sites.nodes[site])])
        rows.append((number, shown_name, code, *([""] * 9)))
    return Sheet(
        (f"{name}暗访检查表", f"（{draw.period}）"),
        (
            Table(
                f"{name}暗访检查表（{draw.period}）", _VISIT, tuple(rows), f"抽取{draw.size}个",
                "结论：合格、不合格、未开门",
            ),
        ),
        facts=(
            ("抽取人", draw.drawn_by), ("种子", draw.seed.hex()),
            ("抽取时间", f"{datetime.fromtimestamp(draw.drawn_at, CHINA):%Y-%m-%d %H:%M:%S}"),
        ),
    )  # fmt: skip


def ledger(standing: Standing, owed: SignOffs, signed: Sequence[Signature]) -> Sheet:
    """The month's ledger (台账): who signed, when, what they wrote into the manual columns, and who is late.

    Args:
        owed: every township that owes the month's ledger; ``signed`` what each of them signed.
    """
    nodes = standing.inventory.nodes
    by_code = {one.division: one for one in signed}
    names = {one.division: nodes.names[nodes.index[one.division]] for one in owed.rows}
    extra = sorted({name for one in signed for name in one.columns})
    columns = (
        Column("序号", "count", 5), Column("单位", "text", 14), Column("区划代码", "code", 13),
        Column("签字", "text", 8), Column("签字日期", "code", 10), Column("签字人", "text", 10),
        *(Column(name, "text", 14) for name in extra),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for number, one in enumerate(owed.rows, 1):
        by = by_code.get(one.division)
        written = [by.columns.get(name, "") if by else "" for name in extra]
        on = str(one.on or "")
        signer = by.signed_by if by else ""
        rows.append((number, names[one.division], one.division, _SIGNING[one.state], on, signer, *written))
    name, month = nodes.names[0], _chinese_month(owed.month)
    told = f"应签{len(owed.rows)}家，已签{owed.signed}家，截止{chinese_day(owed.due)}。"
    late = "、".join(names[code] for code in owed.late)
    return Sheet(
        (f"{name}便民服务站点台账", f"（{month}）"),
        (
            Paragraph(told + (f"逾期：{late}。" if late else "没有逾期。")),
            Table(f"{name}{month}台账", columns, tuple(rows), "单位：家"),
        ),
        forms=(f"填报单位：{name}", "制表人："),
    )
