"""The five tables that people fill in, as data: their columns, what belongs into a cell, and its list of words."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from inventory.county import County
from inventory.sheets import words


class Kind(StrEnum):
    """What a cell holds."""

    CODE = "code"
    TEXT = "text"
    WORD = "word"
    COUNT = "count"
    DAY = "day"
    FLAG = "flag"
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Args:
        field: the field of the YAML entry that it becomes.
        title: the Chinese header; ``also`` are headers that people write instead.
        choices: the name of its list (see `choices_of`), of a word.
        note: what the template says of it, in Chinese.
    """

    field: str
    title: str
    kind: Kind = Kind.TEXT
    required: bool = False
    choices: str = ""
    also: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One template: ``name`` for the command line, ``title`` is the sheet's."""

    name: str
    title: str
    columns: tuple[Column, ...]


_CODE: Final = Column(
    "code", "区划代码", Kind.CODE, True, also=("代码", "行政区划代码", "统计用区划代码", "code"),
    note="12位统计用区划代码，请设为文本格式；也可写6位（县）或9位（乡镇）。",
)  # fmt: skip
_NAME: Final = Column(
    "name", "区划名称", also=("名称", "村（社区）", "村名", "name"),
    note="与区划表一致；填写后用来核对代码，可留空。",
)  # fmt: skip
_KEY: Final = Column(
    "key", "站点键", also=("键", "key"), note="县直单位和附设站点的英文短名，例如 fagai；区划自身的站点留空。"
)
_SERIAL: Final = Column("serial", "序列号", also=("设备序列号", "SN"))
_CREDENTIAL: Final = Column(
    "credential", "凭据名称", also=("凭据", "SNMP凭据"),
    note="仅与同类设备不同时填写，例如 snmp/old-routers；密码本身不要写在表里，用 cuntong secret set 保存。",
)  # fmt: skip

TABLES: Final[Mapping[str, Table]] = {
    table.name: table
    for table in (
        Table(
            "sites",
            "站点",
            (
                _CODE,
                _NAME,
                _KEY,
                Column("title", "单位名称", also=("站点简称",), note="仅县直单位和附设站点填写，例如 发展和改革局。"),
                Column("site_type", "站点类型", Kind.WORD, choices="site_types", note="留空时按区划级别确定。"),
                Column("class", "配置级别", Kind.WORD, choices="classes", also=("级别", "class")),
                Column("link_type", "线路类型", Kind.WORD, choices="link_types", also=("接入方式",)),
                Column("carrier", "运营商", Kind.WORD, choices="carriers", also=("承建运营商",)),
                Column("site_name", "站点名称", also=("标准名称",), note="与命名规则不同时才填写。"),
                Column("central", "中心村", Kind.FLAG, choices="yes_no", also=("是否中心村",)),
                Column("open", "对外开放", Kind.FLAG, choices="yes_no", also=("是否对外开放", "是否对外办公")),
                Column("online", "线上站点", Kind.FLAG, choices="yes_no", also=("网上服务点",)),
                Column("opened", "开放日期", Kind.DAY, also=("启用日期",), note="例如 2021-06-10。"),
                Column("requirement", "覆盖要求", Kind.WORD, choices="requirements"),
                Column("reason", "理由", also=("免考核理由",), note="免考核时必填。"),
                Column("general", "综合窗口数", Kind.COUNT, also=("窗口数",)),
                Column("agent", "帮办窗口数", Kind.COUNT, also=("帮办代办窗口数",)),
                Column("calendar", "服务时间", Kind.WORD, choices="calendars"),
                Column("responsible", "责任单位"),
                Column("tags", "标签", Kind.WORDS, note="多个用顿号或逗号分开。"),
                Column("note", "备注"),
            ),
        ),
        Table(
            "claims",
            "建设状态",
            (
                _CODE,
                _NAME,
                _KEY,
                Column("claim", "状态", Kind.WORD, True, choices="claims", also=("建设状态",)),
                Column("on", "日期", Kind.DAY, True, also=("状态日期", "起始日期")),
                Column("by", "填报单位", required=True, also=("单位", "报告单位")),
                Column("proof", "依据", required=True, also=("佐证", "佐证材料"), note="文件名或文号。"),
            ),
        ),
        Table(
            "kiosks",
            "一体机",
            (
                _CODE,
                _NAME,
                _KEY,
                Column("role", "设备位", also=("编号",), note="例如 kiosk1；留空时按序列号或顺序确定。"),
                Column("model", "型号", Kind.WORD, choices="kiosk_models", also=("设备型号",)),
                _SERIAL,
                Column("asset_no", "资产编号", also=("固定资产编号",)),
                Column("installed", "安装日期", Kind.DAY),
                Column("owner", "产权", Kind.WORD, choices="owners", also=("资金来源",)),
                Column("monitored", "监测方", Kind.WORD, choices="monitored"),
                Column("calendar", "服务时间", Kind.WORD, choices="calendars"),
                Column("themes", "服务事项", Kind.WORDS, note="多个用顿号或逗号分开。"),
                _CREDENTIAL,
            ),
        ),
        Table(
            "devices",
            "设备",
            (
                _CODE,
                _NAME,
                _KEY,
                Column("role", "设备位", required=True, also=("编号",), note="例如 cpe1、agg1、prt1。"),
                Column("model", "型号", Kind.WORD, choices="models", also=("设备型号",), note="留空时按配置级别确定。"),
                _SERIAL,
                Column("asset_no", "资产编号", also=("固定资产编号",)),
                Column("installed", "安装日期", Kind.DAY),
                _CREDENTIAL,
            ),
        ),
        Table(
            "circuits",
            "线路",
            (
                _CODE,
                _NAME,
                _KEY,
                Column("role", "主备", Kind.WORD, choices="link_roles", also=("线路角色",), note="留空为主用。"),
                Column("link_type", "线路类型", Kind.WORD, choices="link_types", also=("接入方式",)),
                Column("carrier", "运营商", Kind.WORD, choices="carriers"),
                Column("circuit", "电路编号", also=("线路编号", "专线号")),
                Column("bandwidth_mbps", "带宽Mbps", Kind.COUNT, also=("带宽", "带宽（Mbps）", "带宽(Mbps)")),
                Column("origin", "线路来源", Kind.WORD, choices="origins"),
                Column("original_owner", "原权属", also=("原权属单位",), note="利旧线路填写。"),
                Column("conformance", "规范符合", Kind.WORD, choices="conformance", also=("是否合规",)),
                Column("contract_since", "合同开始", Kind.DAY, also=("合同起",)),
                Column("contract_until", "合同结束", Kind.DAY, also=("合同止",)),
                Column("hotline", "报修电话"),
            ),
        ),
    )
}


def choices_of(county: County) -> dict[str, dict[str, str]]:
    """Every list to choose from: the project's word to what people read."""
    return {
        "site_types": words.SITE_TYPES,
        "link_types": words.LINK_TYPES,
        "claims": words.CLAIMS,
        "requirements": words.REQUIREMENTS,
        "origins": words.ORIGINS,
        "conformance": words.CONFORMANCE,
        "link_roles": words.ROLES,
        "owners": words.OWNERS,
        "monitored": words.MONITORED,
        "yes_no": words.YES_NO,
        "carriers": {str(key): title for key, title in county.carriers.items()},
        "classes": {str(key): one.title or str(key) for key, one in county.classes.items()},
        "calendars": {str(key): one.title or str(key) for key, one in county.calendars.items()},
        "models": {str(key): one.title for key, one in county.models.items()},
        "kiosk_models": {str(key): one.title for key, one in county.models.items() if one.device_class == "kiosk"},
    }


TITLES_REPEAT: Final = frozenset({"classes", "models", "kiosk_models", "calendars"})
"""Lists whose titles people may have given twice, so that the key is what stands in the template."""
