"""The problems' words in Chinese: a pattern over the English sentence for each kind that people meet often.

Actions and routers say in one language what is wrong; here the sentence is said again for who reads Chinese. What no
pattern knows stays in English, under a Chinese title.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

_TITLES: Final = {
    400: "请求不完整", 401: "需要登录", 403: "没有权限", 404: "没有找到", 405: "不支持这种操作", 406: "没有这种格式",
    409: "现在不能这样做", 410: "已经过期", 413: "内容太大",
    415: "内容类型不支持",
    422: "参数不正确",
    429: "尝试次数太多", 500: "程序出错", 503: "暂时不可用",
}  # fmt: skip

_THINGS: Final = {
    "division": "区划", "site": "站点", "task": "督办事项", "appeal": "申诉", "outage": "中断",
    "milestone": "里程碑", "token": "令牌", "bulletin": "通报", "draw": "抽查", "window": "维护时段",
    "village": "村（社区）", "ledger": "台账", "report": "报告", "format": "格式", "target": "对象",
}  # fmt: skip

_SENTENCES: Final = tuple(
    (re.compile(pattern), chinese)
    for pattern, chinese in (
        (r"There is no (\w+) '(.*)' in this inventory\.", "没有{0}“{1}”。"),
        (r"There is no (\w+) '?([^']*?)'?\.", "没有{0}“{1}”。"),
        (r"'(.*)' is no site and no division of .*", "“{0}”既不是站点，也不是区划。"),
        (r"This needs an account\..*", "请先登录，或者在请求中带上令牌（Authorization: Bearer ct_…）。"),
        (r"Nobody is logged in.*", "没有登录，或者登录已经结束。"),
        (r"The token is unknown, over or revoked.*", "令牌不存在、已过期、已收回，或者登录已经结束。"),
        (r"The name or the password is wrong\.", "用户名或密码不正确。"),
        (r"'(.*)' is locked for another (\d+) minutes\.", "用户“{0}”已锁定，请 {1} 分钟后再试。"),
        (r"The account '(.*)' is disabled\.", "用户“{0}”已停用。"),
        (
            r"Too many wrong passwords came from here\. Try again in (\d+) minutes\.",
            "密码错误次数太多，请 {0} 分钟后再试。",
        ),
        (r"(\S+) may not (.+?)(:| in ).*", "用户“{0}”没有这项权限（{1}）。"),
        (r"This token reads and does not write\.", "这个令牌只能读取，不能写入。"),
        (r"This token may not read\.", "这个令牌不能读取。"),
        (r"A browser writes from our own pages only.*", "只接受本系统页面发出的写入请求。"),
        (r"This speaks of the whole deployment.*", "这里涉及全部区划，您的权限只包括其中一部分。"),
        (r"Name one division: (.*)\.", "请指明一个区划：{0}。"),
        (r"(.*) is in the future: nothing is measured there yet\.", "{0} 还没有到，没有数据。"),
        (r"(.*) has not begun\.", "{0} 还没有开始。"),
        (r"A write needs the header Idempotency-Key.*", "写入请求需要 Idempotency-Key 请求头，每次写入用一个新的值。"),
        (r"This Idempotency-Key was used for another request\.", "这个 Idempotency-Key 已经用于另一个请求。"),
        (r"(\S+) was acknowledged already\.", "{0} 已经有人认领。"),
        (r"(\S+) is struck off\. Reopen it first\.", "{0} 已经销号，请先重新打开。"),
        (r"(\S+) is not rectified yet.*", "{0} 还没有整改，不能销号。"),
        (r"An appeal says what is right, and on what evidence\.", "申诉要写明正确的情况和依据。"),
        (r"A task needs a title and an owner.*", "督办事项要有名称和责任单位。"),
        (r"The cursor is not one that this list gave\.", "翻页参数不是本列表给出的。"),
        (r"The program failed; its log says why\.", "程序出错，原因见日志。"),
        (r"Not Found", "没有这个地址。"),
        (r"Method Not Allowed", "这个地址不支持这种操作。"),
        (r"a year's ranking takes twelve frozen months; missing: (.*)", "年评比取十二个月已发布的通报，还缺：{0}。"),
        (
            r"There is no assessment\.yml beside the inventory.*",
            "年度考核按本地评分表计分；还没有评分表（assessment.yml）。",
        ),
        (r"This instance exchanges no files\.", "本系统没有开通签名文件交换。"),
        (r"This file was taken in before\.", "这份文件已经收过。"),
        (r"A newer file of this division was taken in before.*", "已收过这个区划更新的文件，不再收更早的。"),
        (r"Nobody here trusts the key (\S+) that signed this\..*", "签名的密钥 {0} 不在信任之列，请先与对方核对。"),
        (r"This is no file of (\S+)\.", "这不是 {0} 格式的签名文件。"),
        (r"Work needs a reason.*", "维护要写明做什么、由谁做。"),
        (r"A claim needs a proof.*", "填报要有依据。"),
        (r"A decision is reached or missed, and names its proof\.", "认定要写明结果和依据。"),
        (r"A ruling is upheld or rejected, and gives its reason\.", "裁定要写明结论和原因。"),
        (r"Nobody rules on an appeal of his own\.", "不能裁定自己提出的申诉。"),
        (r"The appeal (\S+) is decided already\.", "申诉 {0} 已经裁定。"),
        (r"An acceptance names its proof.*", "验收要写明依据。"),
        (r"An extension names its new day, and nothing else does\.", "延期要写明新期限。"),
        (r"(\S+) is due on (\S+) already\. An extension.*", "{0} 的期限已是 {1}，延期要更晚。"),
        (r"(\S+) is over\. Give the task a day that is still to come\.", "{0} 已经过去，请填今后的日期。"),
        (
            r"It cannot have happened before the outage began, nor in the future\.",
            "时间须在中断开始之后、现在之前。",
        ),
        (r"Say why: whoever is called should know\.", "请写明升级原因。"),
        (r"The note is empty\.", "请填写说明。"),
        (r"The window ends before it begins, or before now.*", "维护的结束时间早于开始或早于现在，维护须事先登记。"),
        (r"alerting\.yml declares no escalation.*", "没有配置升级对象（alerting.yml），请联系管理员。"),
        (r"(\S+) is closed\.", "{0} 已经关闭。"),
        (r"(\S+) is over\.", "{0} 已经结束。"),
        (r"(\S+) is over or was taken back already\.", "{0} 已经结束或已经取消。"),
        (r"(\S+) was escalated to them this moment\.", "{0} 刚刚已经升级。"),
        (r"(\S+) is still to come: a claim speaks of what is\.", "{0} 还没有到，填报只写已发生的情况。"),
        (r"(\d+) of (\d+) sites cannot be drawn\.", "共 {1} 个站点，抽不出 {0} 个。"),
        (r"(\S+) is the assigner's word\.", "这一步由交办人办理。"),
        (r"(\S+) is the owner's word\.", "这一步由责任单位办理。"),
        (
            r"This account reads no division\..*",
            "这个账号不看业务数据。它的工作在终端里做：cuntong user、cuntong audit；要看页面，请安全管理员另授角色。",
        ),
        (r"'(.*)' is no milestone that people decide on.*", "“{0}”由数据判定，不由人认定。"),
        (r"(\S+) (\S+) of (\S+) is published\. A correction needs its reason\.", "{1} 已经发布，更正要写明原因。"),
    )
)


_FIELDS: Final = {
    "missing": "请填写",
    "string_too_short": "请填写，至少 {min_length} 个字",
    "string_too_long": "太长，最多 {max_length} 个字",
    "string_pattern_mismatch": "格式不对",
    "literal_error": "只能是 {expected}",
    "enum": "只能是 {expected}",
    "date_from_datetime_parsing": "不是日期，应写成 2026-11-30",
    "date_parsing": "不是日期，应写成 2026-11-30",
    "date_type": "不是日期，应写成 2026-11-30",
    "datetime_from_date_parsing": "不是时间",
    "datetime_parsing": "不是时间",
    "timezone_aware": "时间缺少时区，例如 +08:00",
    "int_parsing": "应为整数",
    "float_parsing": "应为数字",
    "greater_than_equal": "不能小于 {ge}",
    "less_than_equal": "不能大于 {le}",
    "too_short": "至少 {min_length} 项",
    "too_long": "最多 {max_length} 项",
}
"""Pydantic's kinds of complaints about a field, for who reads Chinese."""


def field_in(language: str, kind: str, context: Mapping[str, object], message: str) -> str:
    """What is wrong with one field of a request."""
    if language != "zh" or kind not in _FIELDS:
        return message
    return _FIELDS[kind].format_map({name: str(value) for name, value in context.items()})


def title_in(language: str, status: HTTPStatus) -> str:
    """A status in words."""
    return _TITLES.get(status, status.phrase) if language == "zh" else status.phrase


def detail_in(language: str, detail: str) -> str:
    """A sentence in the reader's language, where we have it."""
    if language != "zh":
        return detail
    for pattern, chinese in _SENTENCES:
        match = pattern.fullmatch(detail)
        if match:
            return chinese.format(*(_THINGS.get(word, word) for word in match.groups()))
    return detail
