"""``milestones.yml``: dated targets, and what a site must show to meet them."""

from datetime import date
from typing import Annotated, Self

from pydantic import Field, model_validator

from inventory.declared import Declared
from inventory.vocabulary import Condition, SiteType


class Scope(Declared):
    """Which sites a milestone asks. Empty lists ask nothing about that property."""

    site_types: tuple[SiteType, ...] = ()
    kinds: tuple[str, ...] = ()
    denominator: str | None = None
    central: bool | None = None
    divisions: tuple[str, ...] = ()
    except_divisions: tuple[str, ...] = ()


class Quota(Declared):
    """How many sites a division is to have, such as pilots: exactly ``count``."""

    division: str
    count: Annotated[int, Field(ge=0)]


class Stage(Declared):
    """One step of a plan: its days, and the share (0 to 1) that is to be reached by its end."""

    title: str
    since: date
    due: date
    ratio: Annotated[float, Field(ge=0, le=1)] | None = None


class Milestone(Declared):
    """One target.

    Attributes:
        due: the last day that counts.
        conditions: all must hold at a site for it to count.
        target_ratio: 0 to 1; None for a target without a figure, which is then ``qualitative``.
        stages: the plan on the way there, in order.
        quotas: pilots to be named in each division; such a milestone counts pilots and needs no ``target_ratio``.
        tasks, circuits: what is linked to it: tasks of the register, lines by circuit number.
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
    title: str
    since: date | None = None
    due: date
    owner: str | None = None
    responsible: str | None = None
    cooperating: tuple[str, ...] = ()
    scope: Scope = Scope()
    conditions: tuple[Condition, ...] = ()
    target_ratio: Annotated[float, Field(gt=0, le=1)] | None = None
    qualitative: bool = False
    stages: tuple[Stage, ...] = ()
    quotas: tuple[Quota, ...] = ()
    tasks: tuple[str, ...] = ()
    circuits: tuple[str, ...] = ()
    source: str = ""

    @model_validator(mode="after")
    def _has_a_measure(self) -> Self:
        if self.since and self.since > self.due:
            raise ValueError(f"{self.id} begins after it is due. | Swap since and due.")
        if not self.qualitative and not self.quotas and (self.target_ratio is None or not self.conditions):
            raise ValueError(
                f"{self.id} cannot be measured. | Give it conditions and target_ratio, or write qualitative: true."
            )
        return self


class MilestoneFile(Declared):
    milestones: tuple[Milestone, ...] = ()
