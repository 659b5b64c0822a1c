"""The Chinese words of the templates for the closed lists of `inventory.vocabulary`, as docs/glossary.md pairs them."""

from collections.abc import Mapping
from typing import Final

SITE_TYPES: Final = {
    "county_center": "政务服务中心",
    "county_unit": "县直单位",
    "township_center": "便民服务中心",
    "township_station": "便民服务站",
    "village_site": "便民服务室",
    "village_point": "便民服务点",
    "kiosk_only": "24小时自助点",
    "agency": "合作网点",
    "mobile": "流动服务",
}
LINK_TYPES: Final = {
    "fiber_p2p": "裸光纤",
    "mstp": "MSTP专线",
    "ptn": "PTN专线",
    "mpls_vpn": "MPLS VPN",
    "pon": "PON",
    "ipsec_inet": "互联网IPSec",
    "sslvpn": "SSL VPN",
    "vpdn": "VPDN",
    "sdwan": "SD-WAN",
}
CLAIMS: Final = {
    "planned": "已规划",
    "built": "已建成",
    "connected": "已接通",
    "accepted": "已验收",
    "in_service": "投入使用",
    "retired": "已停用",
}
REQUIREMENTS: Final = {"required": "应覆盖", "optional": "可选", "exempt": "免考核"}
ORIGINS: Final = {"new": "新建", "reused:employment": "利旧：就业系统", "reused:distance_education": "利旧：远程教育"}
CONFORMANCE: Final = {"not_checked": "未检查", "failing": "不合规", "conforming": "合规"}
ROLES: Final = {"primary": "主用", "backup": "备用"}
OWNERS: Final = {"own": "自有", "bank": "银行", "post": "邮政"}
MONITORED: Final = {"us": "我方", "partner": "合作方"}
YES_NO: Final = {"true": "是", "false": "否"}

ALSO: Final[Mapping[str, str]] = {
    "村便民服务室": "village_site",
    "便民服务大厅": "township_center",
    "综合便民服务中心": "township_center",
    "裸纤": "fiber_p2p",
    "光纤直连": "fiber_p2p",
    "mstp": "mstp",
    "ptn": "ptn",
    "已接入": "connected",
    "已连通": "connected",
    "已使用": "in_service",
    "在用": "in_service",
    "利旧就业系统": "reused:employment",
    "利旧远程教育": "reused:distance_education",
    "y": "true",
    "yes": "true",
    "有": "true",
    "1": "true",
    "√": "true",
    "n": "false",
    "no": "false",
    "无": "false",
    "0": "false",
    "×": "false",
}
"""What people also write; compared without spaces and in small letters."""
