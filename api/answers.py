"""The shapes of the API's answers. Field names are a promise: they may be added to, never changed."""

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, Field

Ratio = Annotated[float, Field(ge=0, le=1)]


class Claimed(BaseModel):
    """What people say: subjects whose claim says connected, measured or not."""

    numerator: int
    denominator: int


class WorksNow(BaseModel):
    """What answers at this moment, apart from the window in which a proof counts."""

    numerator: int
    denominator: int
    unknown: int


class EvidenceAge(BaseModel):
    """How old the proofs are that the figure rests on."""

    oldest: datetime | None
    newest: datetime | None
    median_age_seconds: float | None


class ContradictionAnswer(BaseModel):
    site: str
    name: str
    kind: str
    claim: str | None
    claimed_on: date | None
    claimed_by: str | None
    proof: str | None
    measured: str
    reason: str
    since: datetime | None
    last_proof: datetime | None
    state: str


class Counts(BaseModel):
    """One division's figures. ``ratio`` counts unknown as not covered, ``ratio_max`` as covered."""

    code: str
    name: str
    level: int
    numerator: int
    denominator: int
    unknown: int
    ratio: Ratio | None
    ratio_max: Ratio | None
    states: dict[str, int]
    claimed: Claimed
    works_now: WorksNow


class DivisionName(BaseModel):
    code: str
    name: str


class Coverage(Counts):
    """How far a division is covered: by which rule, of what, on what evidence.

    ``numerator`` counts what was proved within the rule's window before ``as_of``; ``villages`` and ``communities``
    say what the denominator is made of. ``path`` leads down to the division itself, from where the reader's grant
    begins. ``contradicted`` counts all contradictions, of which the first thousand are named.
    """

    requirement: str
    counted: str
    rule_version: str
    window_seconds: float
    as_of: datetime
    generated_at: datetime
    inventory: str
    villages: int
    communities: int
    evidence: EvidenceAge
    contradicted: int
    contradictions: Annotated[list[ContradictionAnswer], Field(max_length=1000)]
    children: Annotated[list[Counts], Field(max_length=100_000)] | None = None
    path: Annotated[list[DivisionName], Field(max_length=20)]


class CoveragePoint(BaseModel):
    """One division's figures on one day, as of its end; in a series without a ratio where nobody watched anything."""

    day: date
    as_of: datetime
    numerator: int
    denominator: int
    unknown: int
    ratio: Ratio | None
    ratio_max: Ratio | None
    states: dict[str, int]
    claimed: Claimed
    works_now: WorksNow


class CoverageSeries(BaseModel):
    code: str
    requirement: str
    counted: str
    granularity: str
    data: Annotated[list[CoveragePoint], Field(max_length=400)]


class CoverageChange(BaseModel):
    """A subject that counts otherwise at the later moment; null where it was not counted."""

    code: str
    name: str
    before: str | None
    after: str | None


class CoverageComparison(BaseModel):
    """Two moments of one division. ``changed`` counts all changes, ``changes`` names the first thousand."""

    code: str
    name: str
    before: CoveragePoint
    after: CoveragePoint
    changed: int
    changes: Annotated[list[CoverageChange], Field(max_length=1000)]


class DeviceAnswer(BaseModel):
    id: str
    role: str
    device_class: str
    vendor: str
    model: str
    profile: str
    origin: str
    owner: str
    monitored: str
    state: str


class AspectAnswer(BaseModel):
    """What is measured of a site: yes, no or unknown, since when, and when it was last proved.

    A yes is ``degraded`` where its ``reason`` names what is out of order all the same, such as a second line.
    """

    verdict: str
    reason: str
    since: datetime | None
    last_proof: datetime | None
    degraded: bool


class ClaimAnswer(BaseModel):
    claim: str
    on: date
    by: str
    proof: str


class LinkAnswer(BaseModel):
    link_type: str
    carrier: str
    role: str
    circuit: str | None
    bandwidth_mbps: int | None
    origin: str
    conformance: str
    contract_until: date | None
    uplink: str | None


class SiteSummary(BaseModel):
    """``pilot`` is the level whose pilot it is: province, city or county."""

    id: str
    name: str
    code: str
    division: str
    type: str
    site_class: str
    carrier: str
    link_type: str
    requirement: str
    claim: str | None
    state: str
    reachable: str
    working: str
    reason: str
    last_proof: datetime | None
    pilot: str | None


class SiteList(BaseModel):
    """``next`` continues the list; it is opaque and absent at the end. ``total`` counts what the filters leave."""

    as_of: datetime
    total: int
    data: list[SiteSummary]
    next: str | None


class ClueAnswer(BaseModel):
    """One thing that was measured around an outage: its sign, its values (times as Unix seconds), and a sentence."""

    sign: str
    values: dict[str, str | float | int]
    zh: str
    en: str


class OutageAnswer(BaseModel):
    """An interval without service; ``until`` is null while it is open. ``sites`` are dark because of it.

    ``node`` is a site's id, or a device's; ``site`` is then that device's site, and null once it left the inventory.
    ``cause`` says where the silence begins, ``verdict`` what failed there, by the ``evidence``; it may be refined when
    the outage is over. ``planned`` ones lie in the maintenance ``window``. While ``flapping`` an outage stays open
    although its node answers now and then; it went away again ``relapses`` times.
    """

    id: str
    scope: str
    node: str
    site: str | None
    name: str
    cause: str
    since: datetime
    until: datetime | None
    seconds: float
    sites_affected: int
    sites: list[str]
    verdict: str
    evidence: list[ClueAnswer]
    planned: bool
    window: str | None
    flapping: bool
    relapses: int


class OutageEntry(OutageAnswer):
    """An outage in a list: also whose line it is on, and how far people are with it (``handling``)."""

    carrier: str
    handling: str
    owner: str
    ticket: str
    acknowledged_at: datetime | None
    repaired_at: datetime | None
    contradiction: bool


class OutageList(BaseModel):
    as_of: datetime
    total: int
    data: list[OutageEntry]


class SiteAnswer(SiteSummary):
    """Everything about one site that may be shown: no addresses, no serial numbers, no personal data.

    ``availability_ratio`` speaks of the last 30 days; it is null where less than nine tenths of them were watched.
    ``net_availability_ratio`` leaves out announced maintenance and the site's own power cuts (``excluded_seconds``);
    ``service_availability_ratio`` is that within the service hours of the site's calendar.
    """

    kind: str
    aliases: list[str]
    label: str | None
    sign: str | None
    path: list[str]
    host_site: str | None
    uplinks: list[str]
    uplink_names: dict[str, str]
    attachments: list[str]
    responsible: str | None
    cooperating: list[str]
    windows: dict[str, int]
    tags: list[str]
    service_calendar: str | None
    opened: date | None
    central: bool
    exempt_reason: str | None
    links: list[LinkAnswer]
    devices: list[DeviceAnswer]
    measured: dict[str, AspectAnswer]
    claims: list[ClaimAnswer]
    contradiction: str | None
    availability_ratio: Ratio | None
    net_availability_ratio: Ratio | None
    service_availability_ratio: Ratio | None
    excluded_seconds: float
    watched_ratio: Ratio | None
    outages: list[OutageAnswer]


class MeasuredTime(BaseModel):
    """Seconds of a period; ``ratio`` is up of what was watched, ``watched_ratio`` the share that was."""

    up_seconds: float
    down_seconds: float
    unknown_seconds: float
    ratio: Ratio | None
    watched_ratio: Ratio | None


class SpanAnswer(BaseModel):
    since: datetime
    until: datetime


class AvailabilityAnswer(BaseModel):
    """How long a site could be reached.

    ``raw`` is over all the time, ``net`` without announced work and power cuts (``excluded``), ``service`` of that
    within the service hours.
    """

    site: str
    month: str
    since: datetime
    until: datetime
    raw: MeasuredTime
    net: MeasuredTime
    service: MeasuredTime
    excluded: Annotated[list[SpanAnswer], Field(max_length=1000)]
    outages: Annotated[list[OutageAnswer], Field(max_length=1000)]


class Health(BaseModel):
    status: str
    inventory: str
    snapshot_age_seconds: float
    counties_watched: int


class TargetGroup(BaseModel):
    """One group of Prometheus' HTTP service discovery."""

    targets: list[str]
    labels: dict[str, str]
