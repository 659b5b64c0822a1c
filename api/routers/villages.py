"""``/v1/villages``: every village and community that is counted, whether it has a site or not."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from api.answers import AvailabilityAnswer, ClaimAnswer, OutageAnswer, SiteAnswer, SiteSummary
from api.auth import PublicViewer, Viewer
from api.formats import LISTED, Formatted, by_suffix, listed
from api.milestones import progress_of
from api.problems import RESPONSES, not_found, refused
from api.routers.context import AsOf, Code, KnownAt, Month, Requirement, moments_of, requirement_of, snapshot_at
from api.routers.outages import outage_answer, outages_of
from api.routers.records import AcceptanceAnswer, FactAnswer
from api.routers.sites import availability_of, cursor_at, place_of, position_of, site_answer, summary_of
from api.standing import Snapshot, Standing, shown
from api.view import View
from health.coverage import State
from health.rollup import STATES
from inventory.vocabulary import Aspect, Verdict
from ledger import acceptance, claims, facts

router = APIRouter(tags=["villages"], responses=RESPONSES)


class VillageAnswer(BaseModel):
    """A village or community. Where ``fields`` were chosen, only those are told.

    ``site`` is its main site, null where it has none; ``evidence_age_seconds`` the age of its last proof.
    """

    code: str | None = None
    name: str | None = None
    kind: str | None = None
    township: str | None = None
    site: str | None = None
    site_name: str | None = None
    requirement: str | None = None
    claim: str | None = None
    state: str | None = None
    reachable: str | None = None
    working: str | None = None
    reason: str | None = None
    last_proof: datetime | None = None
    evidence_age_seconds: float | None = None
    carrier: str | None = None
    link_type: str | None = None
    central: bool | None = None


_FIELDS: Final = tuple(VillageAnswer.model_fields)
_PUBLIC: Final = ("code", "name", "kind", "township", "requirement", "claim", "state", "last_proof", "central")
"""What of a village may be published (G61): no site's own id, no line, no reason that says what stands there."""


class VillageList(BaseModel):
    """``next`` continues the list; it is opaque, and null at the end. ``total`` counts what the filters leave."""

    as_of: datetime
    total: int
    data: Annotated[list[VillageAnswer], Field(max_length=1000)]
    next: str | None


class VillageDetail(VillageAnswer):
    """One village: its figures, its main site in full, and every site that it has."""

    detail: SiteAnswer | None = None
    sites: Annotated[list[SiteSummary], Field(max_length=200)] = []


class ProofAnswer(BaseModel):
    """What was measured of one aspect: the verdict, its reason, since when, and until when somebody was watching."""

    aspect: str
    verdict: str
    reason: str
    since: datetime | None
    last_proof: datetime | None
    watched_until: datetime | None
    window_seconds: float


class SaidAnswer(ClaimAnswer):
    proof_sha256: str | None


class EvidenceAnswer(BaseModel):
    """Claims and evidence side by side: what was measured, and what people said, each with its source and hash."""

    code: str
    site: str | None
    as_of: datetime
    measured: Annotated[list[ProofAnswer], Field(max_length=10)]
    claims: Annotated[list[SaidAnswer], Field(max_length=1000)]
    facts: Annotated[list[FactAnswer], Field(max_length=1000)]
    acceptances: Annotated[list[AcceptanceAnswer], Field(max_length=1000)]


class VillageOutages(BaseModel):
    code: str
    as_of: datetime
    data: Annotated[list[OutageAnswer], Field(max_length=1000)]


Sort = Literal["code", "-code", "name", "-name", "evidence_age", "-evidence_age"]


@router.get(
    "/v1/villages",
    operation_id="villages",
    response_model=VillageList,
    response_model_exclude_unset=True,
    responses=LISTED,
)
@by_suffix(router, "/v1/villages")
def villages(
    request: Request,
    view: PublicViewer,
    wanted: Formatted,
    division: Annotated[
        list[Annotated[str, Query(max_length=12)]] | None, Query(description="In any of them.", max_length=50)
    ] = None,
    state: Annotated[list[State] | None, Query(description="Any of them.", max_length=6)] = None,
    reachable: Annotated[list[Verdict] | None, Query(description="Any of them.", max_length=3)] = None,
    kind: Annotated[
        list[Annotated[str, Query(max_length=20)]] | None, Query(description="village, community ...", max_length=9)
    ] = None,
    reason: Annotated[list[Annotated[str, Query(max_length=64)]] | None, Query(max_length=20)] = None,
    carrier: Annotated[list[Annotated[str, Query(max_length=40)]] | None, Query(max_length=20)] = None,
    link_type: Annotated[list[Annotated[str, Query(max_length=40)]] | None, Query(max_length=20)] = None,
    evidence_older_than: Annotated[
        float | None, Query(ge=0, le=1e9, description="Seconds since the last proof; those never proved, too.")
    ] = None,
    milestone: Annotated[str | None, Query(max_length=40, description="Only those it lacks.")] = None,
    q: Annotated[str | None, Query(description="Part of a name or a code.", max_length=64)] = None,
    fields: Annotated[str | None, Query(description="Comma-separated; all if left out.", max_length=300)] = None,
    sort: Sort = "code",
    requirement: Requirement = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    cursor: Annotated[str | None, Query(description="`next` of the page before.", max_length=64)] = None,
) -> Response:
    """Villages and communities in the order of the tree, or sorted; as a file all that the filters leave."""
    standing = view.standing
    asked = requirement_of(standing, requirement)
    shown_fields = _chosen(view, fields)
    if view.public and any(one is not None for one in (reachable, reason, carrier, link_type, milestone)):
        raise refused("These filters are for who has an account.")
    snapshot = snapshot_at(standing, as_of, known_at)
    start = position_of(standing, cursor)
    behind = None if milestone is None else _behind(standing, snapshot, milestone)
    words = q.lower() if q else None

    def kept() -> list[tuple[int, VillageAnswer]]:
        found = []
        for place, site, code in _subjects(view, snapshot, asked, division):
            if state is not None and code not in state:
                continue
            if behind is not None and site not in behind:
                continue
            one = _village(view, snapshot, asked, place, site, code)
            age = one.evidence_age_seconds
            if (
                (kind is None or one.kind in kind)
                and (reachable is None or one.reachable in reachable)
                and (reason is None or one.reason in reason)
                and (carrier is None or one.carrier in carrier)
                and (link_type is None or one.link_type in link_type)
                and (evidence_older_than is None or age is None or age > evidence_older_than)
                and (words is None or words in (one.code or "") or words in (one.name or "").lower())
            ):
                found.append((place, one))
        return _sorted(found, sort)

    rows = kept()
    # In a sorted list the cursor names the village that comes next; measured anew, it still is somewhere in it.
    first = next((number for number, (place, _) in enumerate(rows) if place == start), 0) if cursor else 0
    if cursor and sort == "code":
        first = next((number for number, (place, _) in enumerate(rows) if place >= start), len(rows))
    told = [_only(one, shown_fields) for _, one in rows]

    def page() -> VillageList:
        last = first + limit
        following = cursor_at(standing, rows[last][0]) if last < len(rows) else None
        return VillageList(as_of=shown(snapshot.at), total=len(rows), data=told[first:last], next=following)

    return listed(request, wanted, "villages", told, page, lambda row: place_of(standing, row.get("site") or ""))


def _chosen(view: View, fields: str | None) -> tuple[str, ...]:
    allowed = _PUBLIC if view.public else _FIELDS
    if fields is None:
        return allowed
    names = tuple(dict.fromkeys(name.strip() for name in fields.split(",") if name.strip()))
    unknown = [name for name in names if name not in allowed]
    if unknown or not names:
        raise refused(f"fields {', '.join(unknown) or 'that are none'}: choose of {', '.join(allowed)}.")
    return names


def _only(one: VillageAnswer, fields: tuple[str, ...]) -> VillageAnswer:
    return VillageAnswer(**{name: getattr(one, name) for name in fields})


def _behind(standing: Standing, snapshot: Snapshot, id: str) -> set[int]:
    milestone = next((one for one in standing.inventory.milestones if one.id == id), None)
    if milestone is None:
        raise not_found("milestone", id)
    if milestone.qualitative or milestone.target_ratio is None:
        raise refused(f"{id} has no figure: people decide it, or its quotas are counted.")
    return set(progress_of(standing, snapshot, milestone).missing)


def _subjects(
    view: View, snapshot: Snapshot, requirement: str, divisions: list[str] | None
) -> Iterator[tuple[int, int, State]]:
    """Place, site (-1 for none) and state of every village that may be seen, in the order of the tree."""
    nodes = snapshot.nodes
    if divisions is None:
        spans = view.spans(nodes)
    else:
        spans = [(place, nodes.ends[place]) for place in sorted({view.node(code, snapshot) for code in divisions})]
    positions, sites = snapshot.subjects["default"]
    rollup = snapshot.rollups[requirement, "default"]
    site_of = dict(zip(positions.tolist(), sites.tolist(), strict=True))
    done = -1
    for low, high in spans:
        for place, code in rollup.states(max(low, done), high):
            yield place, site_of[place], STATES[code]
        done = max(done, high)


def _village(view: View, snapshot: Snapshot, requirement: str, place: int, site: int, state: State) -> VillageAnswer:
    standing, nodes = view.standing, snapshot.nodes
    above = next((one for one in nodes.ancestors(place) if nodes.levels[one] == 4), None)
    township = nodes.names[above] if above is not None and view.sees(nodes, above) else None
    head = {"code": nodes.codes[place], "name": nodes.names[place], "kind": nodes.kinds[place], "township": township}
    if site < 0:
        return VillageAnswer(**head, state=state)
    seen: Any = summary_of(standing, snapshot, site, requirement)
    age = None if seen.last_proof is None else round(max(0.0, snapshot.at - seen.last_proof.timestamp()), 3)
    return VillageAnswer(
        **head,
        site=seen.id,
        site_name=seen.name,
        requirement=seen.requirement,
        claim=seen.claim,
        state=state,
        reachable=seen.reachable,
        working=seen.working,
        reason=seen.reason,
        last_proof=seen.last_proof,
        evidence_age_seconds=age,
        carrier=seen.carrier,
        link_type=seen.link_type,
        central=standing.inventory.central(site),
    )


def _sorted(rows: list[tuple[int, VillageAnswer]], sort: str) -> list[tuple[int, VillageAnswer]]:
    name = sort.removeprefix("-")
    backwards = sort.startswith("-")
    if name == "name":
        return sorted(rows, key=lambda row: (row[1].name or "", row[0]), reverse=backwards)
    if name == "evidence_age":  # never proved is older than anything
        return sorted(
            rows,
            key=lambda row: (
                float("inf") if row[1].evidence_age_seconds is None else row[1].evidence_age_seconds,
                row[0],
            ),
            reverse=backwards,
        )
    return rows[::-1] if backwards else rows


def _find(view: View, snapshot: Snapshot, code: str, requirement: str) -> tuple[int, int, State]:
    place = view.node(code, snapshot)
    found = next((one for one in _subjects(view, snapshot, requirement, [code]) if one[0] == place), None)
    if found is None:
        raise not_found("village", code)
    return found


@router.get("/v1/villages/{code}", operation_id="village", response_model_exclude_unset=True)
def village(
    view: PublicViewer, code: Code, requirement: Requirement = None, as_of: AsOf = None, known_at: KnownAt = None
) -> VillageDetail:
    """One village or community: how it stands, and everything of its sites that may be shown."""
    standing = view.standing
    asked = requirement_of(standing, requirement)
    snapshot = snapshot_at(standing, as_of, known_at)
    place, site, state = _find(view, snapshot, code, asked)
    told = _only(_village(view, snapshot, asked, place, site, state), _PUBLIC if view.public else _FIELDS)
    if view.public:
        return VillageDetail(**told.model_dump(exclude_unset=True))
    here = [one for one in range(len(snapshot.site_nodes)) if snapshot.site_nodes[one] == place]
    return VillageDetail(
        **told.model_dump(),
        detail=site_answer(standing, snapshot, site, view) if site >= 0 and view.sees_site(site) else None,
        sites=[summary_of(standing, snapshot, one, asked) for one in here[:200] if view.sees_site(one)],
    )


def _main_site(view: View, code: str) -> int:
    """The main site of a village of today.

    Raises:
        ProblemError: 404, there is no such village, or it has no site.
    """
    snapshot = view.standing.snapshot
    _, site, _ = _find(view, snapshot, code, view.standing.main_requirement)
    if site < 0 or not view.sees_site(site):
        raise not_found("site", code)
    return site


@router.get("/v1/villages/{code}/evidence", operation_id="village_evidence")
def evidence(view: Viewer, code: Code) -> EvidenceAnswer:
    """What was measured of a village beside what was said of it, each with source, time and hash."""
    standing = view.standing
    site, snapshot = _main_site(view, code), standing.snapshot
    inventory = standing.inventory
    id = inventory.sites.ids[site]
    node = int(inventory.sites.nodes[site])
    with standing.query() as connection:
        said = [one for _, one in claims.said_since(connection, 0) if one.site == id]
        told = [one for _, one in facts.told_since(connection, 0) if one.subject in (id, inventory.nodes.codes[node])]
        accepted = acceptance.acceptances_of(connection, id)
    measured = []
    for aspect in Aspect:
        known = standing.evidence(site, aspect, snapshot)
        measured.append(
            ProofAnswer(
                aspect=aspect, verdict=known.verdict, reason=known.reason, since=shown(known.since),
                last_proof=shown(known.proved_at), watched_until=shown(known.watched_until),
                window_seconds=standing.window_s(aspect),
            )
        )  # fmt: skip
    return EvidenceAnswer(
        code=inventory.nodes.codes[node],
        site=id,
        as_of=shown(snapshot.at),
        measured=measured,
        claims=[
            *(
                SaidAnswer(claim=one.claim, on=one.on, by=one.by, proof=one.proof, proof_sha256=None)
                for one in inventory.site(site).claims
            ),
            *(
                SaidAnswer(
                    claim=one.claim, on=one.happened_on, by=one.said_by, proof=one.proof,
                    proof_sha256=one.proof_sha256,
                )
                for one in said[-900:]
            ),
        ],
        facts=[
            FactAnswer(
                subject=one.subject, name=one.name, value=one.value, on=one.happened_on, by=one.said_by,
                source=one.source, proof_sha256=one.proof_sha256,
            )
            for one in told[-1000:]
        ],
        acceptances=[
            AcceptanceAnswer(
                site=one.site, tier=one.tier, result=one.result, demonstration=one.demonstration,
                on=one.happened_on, by=one.said_by, proof=one.proof, proof_sha256=one.proof_sha256,
            )
            for one in accepted[-1000:]
        ],
    )  # fmt: skip


@router.get("/v1/villages/{code}/outages", operation_id="village_outages")
def village_outages(
    view: Viewer,
    code: Code,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    as_of: AsOf = None,
    known_at: KnownAt = None,
) -> VillageOutages:
    """Outages that darkened a village, the newest first."""
    standing = view.standing
    site = _main_site(view, code)
    host = int(standing.inventory.sites.hosts[site])
    then, known = moments_of(standing, as_of, known_at)
    with standing.query() as connection:
        found = outages_of(standing, connection, host if host >= 0 else site, limit, at=then, known_at=known)
    at = standing.snapshot.at if then is None else then
    return VillageOutages(
        code=standing.inventory.nodes.codes[int(standing.inventory.sites.nodes[site])],
        as_of=shown(at),
        data=[outage_answer(standing, outage, at, view) for outage in found],
    )


@router.get("/v1/villages/{code}/availability", operation_id="village_availability")
def village_availability(view: Viewer, code: Code, month: Month, known_at: KnownAt = None) -> AvailabilityAnswer:
    """How long a village could be reached in a month: raw, without what is excluded, within its service hours."""
    return availability_of(view, _main_site(view, code), month, known_at)
