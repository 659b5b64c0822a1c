"""``/v1/claims``, ``/v1/facts``, ``/v1/acceptances``, ``/v1/standards``: what people say, each with its proof."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from api.actions import office
from api.actions.claims import claim
from api.auth import Acting, Actor, Viewer
from api.formats import LISTED, Formatted, by_suffix, listed
from api.milestones import day_at
from api.problems import RESPONSES, WRITING
from api.routers.context import DivisionFilter
from api.writing import IdempotencyKey, OnceOnly, refusals
from inventory.divisions import full_code
from inventory.vocabulary import Claim
from ledger import acceptance, facts, standards
from ledger.acceptance import Acceptance
from ledger.claims import SaidClaim
from ledger.facts import Fact
from ledger.standards import Edition

router = APIRouter(tags=["records"], responses=RESPONSES, route_class=OnceOnly)

Hash = Annotated[str | None, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the proof's file.")]


class ClaimBody(BaseModel):
    """How far a site is, since which day, and the document that shows it."""

    site: Annotated[str, Field(min_length=1, max_length=64)]
    claim: Claim
    on: date
    proof: Annotated[str, Field(min_length=1, max_length=500)]
    proof_sha256: Hash = None


class ClaimSaid(BaseModel):
    site: str
    claim: str
    on: date
    by: str
    proof: str
    proof_sha256: str | None


class FactBody(BaseModel):
    """One dated value of a site (its id) or a division (its code), and the document or system that says so."""

    subject: Annotated[str, Field(min_length=2, max_length=64)]
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
    value: bool | float | Annotated[str, Field(max_length=500)]
    on: date
    source: Annotated[str, Field(min_length=1, max_length=500)]
    proof_sha256: Hash = None


class FactsBody(BaseModel):
    data: Annotated[list[FactBody], Field(min_length=1, max_length=1000)]


class FactAnswer(BaseModel):
    subject: str
    name: str
    value: bool | float | str
    on: date
    by: str
    source: str
    proof_sha256: str | None


class FactList(BaseModel):
    total: int
    data: Annotated[list[FactAnswer], Field(max_length=1000)]


class AcceptanceBody(BaseModel):
    """``tier`` came to look: township, county, city, province; ``demonstration`` names it a 示范 site with it."""

    site: Annotated[str, Field(min_length=1, max_length=64)]
    tier: Annotated[str, Field(pattern="^(township|county|city|province)$")]
    result: Annotated[str, Field(pattern="^(passed|failed)$")]
    demonstration: bool = False
    on: date
    proof: Annotated[str, Field(min_length=1, max_length=500)]
    proof_sha256: Hash = None


class AcceptanceAnswer(BaseModel):
    site: str
    tier: str
    result: str
    demonstration: bool
    on: date
    by: str
    proof: str
    proof_sha256: str | None


class AcceptanceList(BaseModel):
    total: int
    data: Annotated[list[AcceptanceAnswer], Field(max_length=1000)]


class StandardBody(BaseModel):
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
    version: Annotated[str, Field(min_length=1, max_length=24)]
    title: Annotated[str, Field(min_length=1, max_length=200)]
    document_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    effective_on: date


class StandardAnswer(StandardBody):
    by: str


class StandardList(BaseModel):
    data: Annotated[list[StandardAnswer], Field(max_length=1000)]


@router.post("/v1/claims", operation_id="claim", status_code=201, responses=WRITING)
def say_claim(view: Acting, actor: Actor, body: ClaimBody, key: IdempotencyKey) -> ClaimSaid:
    """Say how far a site is; measured evidence stands beside it and is never changed by it."""
    standing = view.standing
    view.site(body.site)
    now = standing.now()
    said = SaidClaim(body.site, body.claim, body.on, actor.name, body.proof, body.proof_sha256)
    with refusals():
        claim(standing.engine, standing.inventory, actor, said, day_at(now), now)
    return ClaimSaid(
        site=said.site, claim=said.claim, on=said.happened_on, by=said.said_by, proof=said.proof,
        proof_sha256=said.proof_sha256,
    )  # fmt: skip


@router.get("/v1/facts", operation_id="facts", response_model=FactList, responses=LISTED)
@by_suffix(router, "/v1/facts")
def fact_list(
    request: Request,
    view: Viewer,
    wanted: Formatted,
    division: DivisionFilter = None,
    name: Annotated[str | None, Query(pattern=r"^[a-z][a-z0-9_]{0,47}$")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Response:
    """Every dated value that was imported, the newest first: two dates of one counter stand beside each other."""
    standing = view.standing
    inventory = standing.inventory
    spans = [(place, inventory.nodes.ends[place]) for place in ([view.one(division)] if division else view.roots())]

    def seen(subject: str) -> bool:
        site = inventory.sites.index.get(subject)
        place = inventory.nodes.index.get(subject) if site is None else int(inventory.sites.nodes[site])
        return place is not None and any(low <= place < high for low, high in spans)

    with standing.query() as connection:
        every = facts.told_since(connection, 0)
    rows = [
        FactAnswer(
            subject=one.subject, name=one.name, value=one.value, on=one.happened_on, by=one.said_by, source=one.source,
            proof_sha256=one.proof_sha256,
        )
        for _, one in reversed(every)
        if seen(one.subject) and (name is None or one.name == name)
    ]  # fmt: skip
    return listed(request, wanted, "facts", rows, lambda: FactList(total=len(rows), data=rows[:limit]))


@router.post("/v1/facts", operation_id="tell_facts", status_code=201, responses=WRITING)
def tell_facts(view: Acting, actor: Actor, body: FactsBody, key: IdempotencyKey) -> FactList:
    """Import facts, all or none."""
    standing = view.standing
    index = standing.inventory.sites.index
    told = []
    for one in body.data:
        view.target(one.subject)
        subject = one.subject if one.subject in index else full_code(one.subject)
        told.append(Fact(subject, one.name, one.value, one.on, actor.name, one.source, one.proof_sha256))
    now = standing.now()
    with refusals():
        office.tell(standing.engine, standing.inventory, actor, told, day_at(now), now)
    rows = [
        FactAnswer(
            subject=one.subject, name=one.name, value=one.value, on=one.happened_on, by=one.said_by, source=one.source,
            proof_sha256=one.proof_sha256,
        )
        for one in told
    ]  # fmt: skip
    return FactList(total=len(rows), data=rows)


@router.get("/v1/acceptances", operation_id="acceptances", response_model=AcceptanceList, responses=LISTED)
@by_suffix(router, "/v1/acceptances")
def acceptance_list(
    request: Request,
    view: Viewer,
    wanted: Formatted,
    division: DivisionFilter = None,
    site: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Response:
    """Who came to look at which site, and whether it passed; the newest first."""
    standing = view.standing
    index = standing.inventory.sites.index
    spans = view.site_spans(division)
    if site is not None:
        view.site(site)
    with standing.query() as connection:
        every = acceptance.acceptances_of(connection, site)
    rows = [
        _acceptance(one)
        for one in reversed(every)
        if (place := index.get(one.site)) is not None and any(low <= place < high for low, high in spans)
    ]
    return listed(request, wanted, "acceptances", rows, lambda: AcceptanceList(total=len(rows), data=rows[:limit]))


def _acceptance(one: Acceptance) -> AcceptanceAnswer:
    return AcceptanceAnswer(
        site=one.site, tier=one.tier, result=one.result, demonstration=one.demonstration, on=one.happened_on,
        by=one.said_by, proof=one.proof, proof_sha256=one.proof_sha256,
    )  # fmt: skip


@router.post("/v1/acceptances", operation_id="accept_site", status_code=201, responses=WRITING)
def accept_site(view: Acting, actor: Actor, body: AcceptanceBody, key: IdempotencyKey) -> AcceptanceAnswer:
    """Keep that somebody looked at a site and passed or failed it."""
    standing = view.standing
    view.site(body.site)
    made = Acceptance(
        body.site, body.tier, body.result, body.demonstration, body.on, actor.name, body.proof, body.proof_sha256
    )
    with refusals():
        office.accept(standing.engine, standing.inventory, actor, made, standing.now())
    return _acceptance(made)


@router.get("/v1/standards", operation_id="standards")
def standard_list(view: Viewer) -> StandardList:
    """Every version of every published standard: they hold for the whole deployment, and everybody reads them."""
    with view.standing.query() as connection:
        return StandardList(data=[_standard(one) for one in standards.every(connection)][-1000:])


def _standard(one: Edition) -> StandardAnswer:
    return StandardAnswer(
        name=one.name, version=one.version, title=one.title, document_sha256=one.document_sha256,
        effective_on=one.effective_on, by=one.said_by,
    )  # fmt: skip


@router.post("/v1/standards", operation_id="publish_standard", status_code=201, responses=WRITING)
def publish_standard(view: Acting, actor: Actor, body: StandardBody, key: IdempotencyKey) -> StandardAnswer:
    """Publish a version of a standard: only the top division's people may."""
    standing = view.standing
    edition = Edition(body.name, body.version, body.title, body.document_sha256, body.effective_on, actor.name)
    with refusals():
        office.publish_standard(standing.engine, standing.inventory, actor, edition, standing.now())
    return _standard(edition)
