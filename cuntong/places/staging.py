"""What the five places have in common: how one is declared, its usual plan, and the words of its rules."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from cuntong.places.world import MONTHS, World, began_before, days_between, end_of
from cuntong.proving import Proof
from health.rollup import Figures
from inventory.divisions import Division
from inventory.model import Inventory
from inventory.vocabulary import Claim

_CALM_DAYS: Final = 8
"""Days before the shown one in which nothing happens by chance: what is amiss then is the script's."""

NAMES: Final = {
    "county_center": "{name}政务服务中心",
    "township_center": "{name}便民服务中心",
    "village_site": "{place}便民服务室",
}
RULES: Final[Mapping[str, Any]] = {
    "version": "2021-1",
    "windows": {"reachable": "24h", "working": "7d", "used": "30d"},
    "denominators": {
        "default": ["village", "community", "quasi_village", "quasi_community"],
        "villages": ["village", "quasi_village"],
        "communities": ["community", "quasi_community"],
    },
    "requirements": {"extranet": "reachable", "kiosk": "working"},
}


@dataclass
class Checks:
    """The points of a place's paragraph, one after another."""

    proofs: list[Proof]

    def expect(self, id: str, expected: Any, actual: Any) -> None:
        self.proofs.append(Proof(id, expected, actual))


@dataclass(frozen=True)
class Place:
    """One place.

    Args:
        name: as on the command line, and of its list.
        zh: its Chinese name.
        usual: the day that is shown where none is named; ``earliest`` the first that can be.
        stage: writes its inventory below a folder and plays its months up to the end of a day.
        prove: holds what can be read on that day against the notice.
    """

    name: str
    zh: str
    top: str
    usual: date
    earliest: date
    stage: Callable[[Path, Sequence[Division], date], World]
    prove: Callable[[World, date, Checks], None]


def share(figures: Figures) -> str:
    return f"{figures.numerator}/{figures.denominator}"


def sites_of(inventory: Inventory, *types: str) -> list[int]:
    return [site for site, kind in enumerate(inventory.sites.types) if kind in types]


def usual_months(world: World, as_of: date, late: Sequence[int] = (), proof: str = "接通确认单") -> None:
    """Thirteen months: centres first, villages over nine months, mishaps, a frozen bulletin each month.

    Args:
        late: sites that the script connects itself, or never.
    """
    inventory, began = world.inventory, began_before(as_of)
    left_out = set(late)
    world.connect(site for site in sites_of(inventory, "county_center") if site not in left_out)
    centers = [
        s for s in sites_of(inventory, "county_unit", "township_center", "township_station") if s not in left_out
    ]
    villages = [s for s in sites_of(inventory, "village_site", "village_point") if s not in left_out]
    world.claim_all(sites_of(inventory, "county_center"), Claim.IN_SERVICE, began, proof)
    world.build_up(centers, days_between(began + timedelta(days=3), began + timedelta(days=40), 12), proof)
    span = timedelta(days=30 * (MONTHS - 4))
    world.build_up(villages, days_between(began + timedelta(days=41), began + span, 40), proof)
    world.misfortunes(as_of - timedelta(days=_CALM_DAYS))
    world.freeze_bulletins(as_of)


def play_to(world: World, as_of: date) -> World:
    world.play(end_of(as_of))
    return world
