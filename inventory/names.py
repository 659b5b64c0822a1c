"""Official names of sites, from the operator's templates and the names of the divisions.

A template is text with ``{name}`` (the division as listed, or the unit) and ``{place}`` (the same as people say it:
徙榆居委会 is 徙榆社区, 梅子村委会 is 梅子村, 始阳镇 stays).
"""

from typing import Final

_COMMUNITY: Final = ("社区居民委员会", "社区居委会", "居民委员会", "居委会")
_VILLAGE: Final = ("村民委员会", "村委会", "村委员会", "民委员会")

TEMPLATES: Final = {
    "county_center": "{name}政务服务中心",
    "county_unit": "{name}",
    "township_center": "{name}便民服务中心",
    "township_station": "{name}便民服务站",
    "village_site": "{place}便民服务室",
    "village_point": "{place}便民服务点",
    "kiosk_only": "{place}24小时自助服务区",
    "agency": "{place}代办点",
    "mobile": "{name}流动服务窗口",
}
"""What an operator who says nothing gets (the words of 天全's notice)."""


def place_of(name: str) -> str:
    """A division's name as people say it.

    >>> place_of("徙榆居委会"), place_of("梅子村委会"), place_of("始阳镇"), place_of("西场社区居民委员会")
    ('徙榆社区', '梅子村', '始阳镇', '西场社区')
    """
    for suffix in _COMMUNITY:
        if name.endswith(suffix) and len(name) > len(suffix):
            stem = name[: -len(suffix)]
            return stem if stem.endswith("社区") else f"{stem}社区"
    for suffix in _VILLAGE:
        if name.endswith(suffix) and len(name) > len(suffix):
            stem = name[: -len(suffix)]
            return stem if stem.endswith(("村", "嘎查")) else f"{stem}村"
    return name


def render(template: str, name: str) -> str:
    """The official name of a site of the division or unit ``name``."""
    return template.replace("{name}", name).replace("{place}", place_of(name))


_DROPPED: Final = (*_COMMUNITY, *_VILLAGE, "社区", "街道办事处", "街道", "镇", "乡", "村", "嘎查")


def stem_of(name: str) -> str:
    """The part of a division's name that tells it from its neighbours, for ids.

    >>> stem_of("徙榆居委会"), stem_of("城厢镇"), stem_of("梅子村委会")
    ('徙榆', '城厢', '梅子')
    """
    for suffix in _DROPPED:
        if name.endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return name
