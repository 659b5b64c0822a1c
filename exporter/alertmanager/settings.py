"""``alerting.yml`` beside the inventory: who hears of alerts, over which channels, when the office is open. Strict."""

from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, model_validator

from exporter.alertmanager.channels import Channel, EscalationStep, SecretReference, Url, Word
from inventory.declared import Declared, did_you_mean, validate
from inventory.errors import InventoryError, Problem
from inventory.strict import Lines, YamlError, parse

FILE: Final = "alerting.yml"

County = Annotated[str, Field(pattern=r"^\d{6}$")]
JOBS: Final = ("page", "noc", "county")


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
        channels: to people, each under a name of its own; we send what they hear, not Alertmanager.
        tell: which channels hear what: by ``page``, ``noc``, ``county``, or a county's six digits.
        escalation: who is told of a critical outage that nobody acknowledges, in order of time.
        pages: where people open our pages; messages link there.
        token: the bearer token that Alertmanager shows us, the same as in ``api``'s ``token_file``.
    """

    api: Hook = Hook(url="http://127.0.0.1:8080/v1/alerts")
    deadman: tuple[Hook, ...] = ()
    page: tuple[Hook, ...] = ()
    noc: tuple[Hook, ...] = ()
    county: tuple[Hook, ...] = ()
    counties: dict[County, tuple[Hook, ...]] = Field(default_factory=dict)
    office: str = "office"
    channels: dict[Word, Channel] = Field(default_factory=dict)
    tell: dict[str, tuple[Word, ...]] = Field(default_factory=dict)
    escalation: tuple[EscalationStep, ...] = ()
    pages: Url = "http://127.0.0.1:8080"
    token: SecretReference = "secret://alertmanager"  # noqa: S105  a reference

    @model_validator(mode="after")
    def _names_its_channels(self) -> "Alerting":
        for job in self.tell:
            if job not in JOBS and not (len(job) == 6 and job.isdecimal()):
                raise ValueError(f"tell: {job!r} is none of {', '.join(JOBS)} and no county. | Write six digits.")
        named = [*(name for names in self.tell.values() for name in names)]
        named += [name for step in self.escalation for name in step.channels]
        for name in named:
            if name not in self.channels:
                mend = did_you_mean(name, self.channels, "Declare it under channels.")
                raise ValueError(f"the channel {name!r} is not declared. | {mend}")
        after = [step.after_minutes for step in self.escalation]
        if after != sorted(set(after)):
            raise ValueError("escalation: its steps do not come one after the other. | Order them by after_minutes.")
        return self


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
