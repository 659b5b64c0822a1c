"""``assessment.yml`` beside the inventory: the operator's scoring sheet of the annual assessment (考核评分表).

The notices' own sheets are not public, so none is built in: who is assessed writes down the one that was handed out.
"""

from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from inventory.declared import Declared, validate
from inventory.errors import InventoryError, Problem
from inventory.strict import Lines, YamlError, parse

FILE: Final = "assessment.yml"
_PLAIN: Final = "coverage|availability|kiosk_online|overdue_tasks|ledger_on_time|manual"
_MEASURE: Final = rf"^({_PLAIN}|(requirement|fact):[a-z0-9_]{{1,48}})$"


class Item(Declared):
    """One line of the sheet.

    Attributes:
        points: the most that it can bring.
        measure: ``coverage``, ``availability``, ``kiosk_online``, ``ledger_on_time`` (shares of the year's end or of
            the year), ``overdue_tasks`` (how many), ``requirement:NAME`` (its covered share), ``fact:NAME`` (an
            imported number), or ``manual``: people give the points.
        full: the value that brings all points; ``none`` the one that brings nothing. In between it is in proportion.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,39}$")]
    title: Annotated[str, Field(min_length=1, max_length=200)]
    points: Annotated[float, Field(gt=0, le=1000)]
    measure: Annotated[str, Field(pattern=_MEASURE)] = "manual"
    full: float = 1.0
    none: float = 0.0

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.full == self.none:
            raise ValueError("full and none are the same value. | Write which value brings all points and which none.")
        return self


class Assessment(Declared):
    """The whole sheet. ``version`` stands in every report that is made of it."""

    title: str
    version: str
    source: str = ""
    items: Annotated[tuple[Item, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _once(self) -> Self:
        ids = [item.id for item in self.items]
        twice = sorted({id for id in ids if ids.count(id) > 1})
        if twice:
            raise ValueError(f"the item {twice[0]} stands here twice. | Keep one of them.")
        return self


def read_assessment(folder: Path) -> Assessment | None:
    """The sheet of an inventory; None where there is none.

    Raises:
        InventoryError: it is not usable.
    """
    path = Path(folder) / FILE
    if not path.exists():
        return None
    problems: list[Problem] = []
    try:
        data = path.read_bytes()
        found = validate(Assessment, parse(FILE, data), FILE, (), Lines(data).of, problems)
    except YamlError as error:
        raise InventoryError(error.problems) from None
    if found is None:
        raise InventoryError(problems)
    return found
