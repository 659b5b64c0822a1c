"""What a site or a division lacks, by kind: the gap lists that people work off."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class Gap(StrEnum):
    NAME = "nonconforming_name"
    PHYSICAL_HALF = "physical_half_missing"  # on the online platform, but no site that is open
    ONLINE_HALF = "online_half_missing"  # open, but not on the online platform
    NO_RATING = "open_without_rating"  # 政务服务延伸到哪里，好差评就跟进到哪里
    EQUIPMENT = "equipment_missing"
    LINE = "line_not_conforming"  # a reused line that fails an item of the network's standard
    NO_STATION = "dissolved_township_without_station"
    NO_POINT = "dissolved_village_without_point"


@dataclass(frozen=True, slots=True)
class SiteCard:
    """What the gap lists ask of one site.

    Args:
        open: serves the public, which is more than being built.
        online: has its page on the online platform (网上服务点); None where nobody said.
        rating: citizens can rate the service there.
        owed: classes of devices that a site of its type is to have; ``has`` those that it has.
        official_name: what the operator's template gives; empty where a name is free.
        failing_items: of the network's standard, that its line fails.
    """

    site: int
    name: str
    official_name: str
    open: bool
    online: bool | None
    rating: bool
    owed: Collection[str]
    has: Collection[str]
    failing_items: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Missing:
    """One gap: of a site (its number), or of a division that is gone (``site`` is None, ``division`` its code)."""

    kind: Gap
    site: int | None
    division: str
    what: str


def of_sites(cards: Iterable[SiteCard]) -> Iterator[Missing]:
    """Every gap of every site, site by site. What nobody said about the online half is no gap."""
    for card in cards:
        if card.official_name and card.name != card.official_name:
            yield Missing(Gap.NAME, card.site, "", card.official_name)
        if card.online and not card.open:
            yield Missing(Gap.PHYSICAL_HALF, card.site, "", "")
        if card.open and card.online is False:
            yield Missing(Gap.ONLINE_HALF, card.site, "", "")
        if card.open and not card.rating:
            yield Missing(Gap.NO_RATING, card.site, "", "")
        for item in card.owed:
            if item not in card.has:
                yield Missing(Gap.EQUIPMENT, card.site, "", item)
        for item in card.failing_items:
            yield Missing(Gap.LINE, card.site, "", item)


def of_dissolved(level: int, ended: Iterable[tuple[str, str]], kept: Collection[str]) -> list[Missing]:
    """Townships (level 4) or villages (5) that are gone and left no station or point.

    Args:
        ended: code and name of each.
        kept: codes of the past that some site stands for.
    """
    kind = Gap.NO_STATION if level == 4 else Gap.NO_POINT
    return [Missing(kind, None, code, name) for code, name in ended if code not in kept]
