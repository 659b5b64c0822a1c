"""``/v1/indicators``, ``/v1/inspections/daily``, ``/v1/gaps``: what a month, a day and a look at the list show."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from api.auth import PublicViewer, Viewer
from api.daily import daily_report
from api.exclusions import excluded
from api.formats import LISTED, Formatted, by_suffix, listed
from api.gaps import gaps_of, ranges_of
from api.indicators import indicators_of
from api.inventory_counts import site_counts
from api.problems import RESPONSES, refused
from api.routers.context import AsOf, DivisionFilter, KnownAt, Month, moments_of, snapshot_at
from api.standing import shown
from api.view import View
from health.indicators import BY_ID

router = APIRouter(tags=["findings"], responses=RESPONSES)


class IndicatorAnswer(BaseModel):
    """One indicator.

    Its value is null with a ``reason`` where too little was measured (``samples`` of ``expected``). ``met`` says
    whether it keeps its threshold, ``better`` in which direction that lies; ``raw`` is without exclusions.
    """

    id: str
    version: str
    zh: str
    en: str
    formula: str
    unit: str
    threshold: float
    better: str
    value: float | None
    raw: float | None
    samples: float
    expected: float
    reason: str | None
    met: bool | None


class IndicatorList(BaseModel):
    month: str
    code: str
    data: Annotated[list[IndicatorAnswer], Field(max_length=20)]


class DailyAnswer(BaseModel):
    """One site on one day; minutes of the part of the day that is over."""

    site: str
    name: str
    type: str
    code: str
    township: str
    state: str
    reachable: str
    working: str
    reason: str
    dark_minutes: float
    unwatched_minutes: float
    outages: int


class DailyList(BaseModel):
    day: date
    total: int
    data: Annotated[list[DailyAnswer], Field(max_length=1000)]


class GapAnswer(BaseModel):
    """What a site lacks, or (``site`` is empty) what a dissolved division left behind."""

    kind: str
    site: str
    name: str
    code: str
    what: str


class RangeAnswer(BaseModel):
    """A site or division that has fewer or more than a rule allows."""

    rule: str
    code: str
    name: str
    count: int
    low: int
    high: int
    fit: str


class ExcludedAnswer(BaseModel):
    """Divisions that a denominator leaves out or does not require, and why."""

    kind: str
    requirement: str
    reason: str
    count: int
    codes: Annotated[list[str], Field(max_length=1000)]


class TypeAnswer(BaseModel):
    listed: int
    built: int
    open: int
    online: int


class GapList(BaseModel):
    as_of: datetime
    total: int
    data: Annotated[list[GapAnswer], Field(max_length=1000)]
    ranges: Annotated[list[RangeAnswer], Field(max_length=1000)]


class SiteCountsAnswer(BaseModel):
    """How many sites a division has, by type and status, tag, network, origin of their lines; and what is left out."""

    as_of: datetime
    code: str
    by_type: dict[str, TypeAnswer]
    tags: dict[str, int]
    attachments: dict[str, int]
    lines: dict[str, int]
    excluded: Annotated[list[ExcludedAnswer], Field(max_length=100)]


@router.get("/v1/indicators", operation_id="indicators", response_model=IndicatorList, responses=LISTED)
@by_suffix(router, "/v1/indicators")
def indicators(
    request: Request,
    view: PublicViewer,
    wanted: Formatted,
    month: Month,
    division: DivisionFilter = None,
    known_at: KnownAt = None,
) -> Response:
    """The nine indicators (I1 to I9) of a month, with formula, version and threshold."""
    standing = view.standing
    node = view.one(division)
    try:
        values = indicators_of(standing, month, node, moments_of(standing, None, known_at)[1])
    except ValueError as error:
        raise refused(str(error)) from None
    rows = []
    for one in values:
        meant = BY_ID[one.indicator]
        rows.append(
            IndicatorAnswer(
                id=meant.id, version=meant.version, zh=meant.zh, en=meant.en, formula=meant.formula, unit=meant.unit,
                threshold=meant.threshold, better=meant.better, value=one.value, raw=one.raw,
                samples=one.samples, expected=one.expected, reason=one.reason, met=one.met,
            )
        )  # fmt: skip
    code = standing.inventory.nodes.codes[node]
    return listed(request, wanted, "indicators", rows, lambda: IndicatorList(month=month, code=code, data=rows))


@router.get("/v1/inspections/daily", operation_id="daily_inspection", response_model=DailyList, responses=LISTED)
@by_suffix(router, "/v1/inspections/daily")
def daily_inspection(
    request: Request,
    view: Viewer,
    wanted: Formatted,
    day: date,
    division: DivisionFilter = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Response:
    """The daily check (日巡查): a row for every site, whatever its state."""
    node = view.one(division)
    try:
        rows = [
            DailyAnswer(
                site=one.site, name=one.name, type=one.type, code=one.code,
                township=one.township if _sees_township(view, one.code) else "", state=one.state,
                reachable=one.reachable, working=one.working, reason=one.reason, dark_minutes=one.dark_minutes,
                unwatched_minutes=one.unwatched_minutes, outages=one.outages,
            )
            for one in daily_report(view.standing, day, node)
        ]  # fmt: skip
    except (ValueError, OverflowError) as error:
        raise refused(str(error)) from None
    return listed(request, wanted, "daily", rows, lambda: DailyList(day=day, total=len(rows), data=rows[:limit]))


def _sees_township(view: View, code: str) -> bool:
    nodes = view.standing.inventory.nodes
    place = nodes.index[code]
    line = [place, *nodes.ancestors(place)]
    township = next((one for one in line if nodes.levels[one] == 4), None)
    return township is not None and view.sees(nodes, township)


@router.get("/v1/gaps", operation_id="gaps", response_model=GapList, responses=LISTED)
@by_suffix(router, "/v1/gaps")
def gaps(
    request: Request,
    view: Viewer,
    wanted: Formatted,
    division: DivisionFilter = None,
    since: Annotated[date | None, Query(description="Also divisions dissolved after this day, in the whole.")] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> Response:
    """What sites lack, what dissolved divisions left behind, and where there are too few or too many."""
    standing = view.standing
    node = view.one(division)
    snapshot = snapshot_at(standing, as_of, known_at)
    try:
        told = gaps_of(standing, snapshot, node, since if view.whole else None)
    except KeyError:
        raise refused(f"{since}: there is no list of the divisions of that day.") from None
    rows = [GapAnswer(kind=one.kind, site=one.site, name=one.name, code=one.code, what=one.what) for one in told]
    found = [
        RangeAnswer(
            rule=one.rule, code=one.code, name=one.name, count=one.count, low=one.low, high=one.high, fit=one.fit
        )
        for one in ranges_of(standing, snapshot, node)
        if view.sees_code(one.code)
    ]
    return listed(
        request, wanted, "gaps", rows,
        lambda: GapList(as_of=shown(snapshot.at), total=len(rows), data=rows[:limit], ranges=found[:1000]),
    )  # fmt: skip


@router.get("/v1/site-counts", operation_id="site_counts")
def counts(
    view: PublicViewer, division: DivisionFilter = None, as_of: AsOf = None, known_at: KnownAt = None
) -> SiteCountsAnswer:
    """How many sites a division has: listed, built, open, online; and what the denominator leaves out."""
    standing = view.standing
    node = view.one(division)
    snapshot = snapshot_at(standing, as_of, known_at)
    code = standing.inventory.nodes.codes[node]
    made = site_counts(standing, snapshot, node)
    then = snapshot.nodes.index.get(code)
    return SiteCountsAnswer(
        as_of=shown(snapshot.at),
        code=code,
        by_type={
            kind: TypeAnswer(listed=one.listed, built=one.built, open=one.open, online=one.online)
            for kind, one in made.by_type.items()
        },
        tags=dict(made.tags),
        attachments=dict(made.attachments),
        lines=dict(made.lines),
        excluded=[]
        if then is None
        else [
            ExcludedAnswer(
                kind=one.kind,
                requirement=one.requirement,
                reason=one.reason,
                count=one.count,
                codes=[*one.codes][:1000],
            )
            for one in excluded(standing, snapshot, then)
        ],
    )
