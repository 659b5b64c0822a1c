"""``alerting.yml`` beside the inventory: where notifications go, and when the office is open. Optional; strict."""

from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from inventory.declared import Declared, validate
from inventory.errors import InventoryError, Problem
from inventory.strict import Lines, YamlError, parse

FILE: Final = "alerting.yml"

Url = Annotated[str, Field(pattern=r"^https?://[^\s/]+(/\S*)?$")]


class Hook(Declared):
    """One webhook.

    Attributes:
        token_file: file on Alertmanager's machine whose content is sent as bearer token; a secret is never in here.
    """

    url: Url
    token_file: Path | None = None


class Alerting(Declared):
    """Receivers by the job that they do. One without hooks is silent: its alerts are only in the ledger.

    Attributes:
        api: our own receiver; it hears everything first and keeps it beside the outage.
        deadman: hears the heartbeat each minute, and calls somebody when it stops.
        page: wakes the NOC at any hour.
        noc: the NOC's inbox.
        county: those who look after the sites, unless ``counties`` names others for a county's six digits.
        office: calendar of the inventory within which digests are sent.
    """

    api: Hook = Hook(url="http://127.0.0.1:8080/v1/notifications")
    deadman: tuple[Hook, ...] = ()
    page: tuple[Hook, ...] = ()
    noc: tuple[Hook, ...] = ()
    county: tuple[Hook, ...] = ()
    counties: dict[Annotated[str, Field(pattern=r"^\d{6}$")], tuple[Hook, ...]] = Field(default_factory=dict)
    office: str = "office"


def read_alerting(folder: Path) -> Alerting:
    """The settings of an inventory's folder; the defaults where it has no such file.

    Raises:
        InventoryError: with every problem, by line.
    """
    file = folder / FILE
    if not file.is_file():
        return Alerting()
    data = file.read_bytes()
    try:
        value = parse(FILE, data)
    except YamlError as error:
        raise InventoryError(error.problems) from None
    problems: list[Problem] = []
    found = validate(Alerting, value or {}, FILE, (), Lines(data).of, problems)
    if found is None:
        raise InventoryError(problems)
    return found
