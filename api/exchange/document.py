"""What a district tells: of every site what is claimed, measured and told, and the figures that follow from it."""

import json
from datetime import date
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from api.standing import Standing
from inventory.vocabulary import Aspect, Claim, Verdict
from ledger.reports import canonical

SCHEMA: Final = 1
_Text = Annotated[str, Field(max_length=2000)]
_Code = Annotated[str, Field(pattern=r"^[0-9]{2}[0-9A-Z]{10}$")]
_Time = Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ToldClaim(_Part):
    claim: Claim
    on: date
    by: _Text
    proof: _Text


class ToldVerdict(_Part):
    """The newest verdict on one aspect; times are Unix seconds."""

    verdict: Verdict
    reason: Annotated[str, Field(max_length=64)]
    since: _Time
    proved_at: _Time | None


class ToldFact(_Part):
    subject: Annotated[str, Field(max_length=64)]
    name: Annotated[str, Field(max_length=48)]
    value: bool | float | str
    on: date
    by: _Text
    source: _Text


class ToldSite(_Part):
    """A site by what both instances know of it: its division, type and key; ``id`` is only for people."""

    code: _Code
    type: Annotated[str, Field(max_length=24)]
    key: Annotated[str, Field(max_length=40)]
    id: Annotated[str, Field(max_length=64)]
    claim: ToldClaim | None
    measured: dict[Aspect, ToldVerdict]


class ToldFigure(_Part):
    requirement: Annotated[str, Field(max_length=40)]
    counted: Annotated[str, Field(max_length=40)]
    numerator: int
    denominator: int
    unknown: int


class District(_Part):
    """The signed text.

    Args:
        made_at, as_of, watched_until: Unix seconds.
        snapshot: hash of the inventory and of what the ledger had learnt: which state of affairs this is.
    """

    schema_version: int
    instance: _Text
    division: _Code
    name: _Text
    made_at: _Time
    as_of: _Time
    watched_until: _Time | None
    snapshot: Annotated[str, Field(max_length=160)]
    inventory: Annotated[str, Field(max_length=64)]
    rule_version: _Text
    codes: list[_Code]
    sites: list[ToldSite]
    facts: list[ToldFact]
    figures: list[ToldFigure]


def district_of(standing: Standing, node: int, instance: str, now: float) -> str:
    """The text of one division (its place in the tree of today), as it is signed."""
    inventory, snapshot = standing.inventory, standing.snapshot
    nodes, sites = inventory.nodes, inventory.sites
    low, high = sites.span(node)
    told_sites = []
    for site in range(low, high):
        claim = snapshot.claims[site]
        measured = {}
        for aspect in Aspect:
            known = standing.evidence(site, aspect, snapshot)
            if aspect is not Aspect.OPEN and known.since is not None:
                proved = None if known.verdict is Verdict.YES else known.proved_at
                measured[aspect] = ToldVerdict(
                    verdict=known.verdict, reason=known.reason, since=known.since, proved_at=proved
                )
        told_sites.append(
            ToldSite(
                code=nodes.codes[int(sites.nodes[site])], type=sites.types[site], key=sites.keys[site],
                id=sites.ids[site], measured=measured,
                claim=None
                if claim is None
                else ToldClaim(claim=claim.claim, on=claim.on, by=claim.by, proof=claim.proof),
            )
        )  # fmt: skip
    inside = {*sites.ids[low:high], *nodes.codes[node : nodes.ends[node]]}
    watched = [float(until) for until in snapshot.watched_until[low:high] if until == until]
    made = District(
        schema_version=SCHEMA,
        instance=instance,
        division=nodes.codes[node],
        name=nodes.names[node],
        made_at=now,
        as_of=snapshot.at,
        watched_until=max(watched, default=None),
        snapshot="-".join(map(str, (inventory.content_hash[:16], *standing.version))),
        inventory=inventory.content_hash,
        rule_version=inventory.coverage_rules.version,
        codes=nodes.codes[node : nodes.ends[node]],
        sites=told_sites,
        facts=[
            ToldFact(
                subject=fact.subject, name=fact.name, value=fact.value, on=fact.happened_on, by=fact.said_by,
                source=fact.source,
            )
            for fact in snapshot.told.values()
            if fact.subject in inside
        ],
        figures=[
            ToldFigure(
                requirement=requirement, counted=counted, numerator=one.numerator, denominator=one.denominator,
                unknown=one.unknown,
            )
            for requirement, counted in snapshot.rollups
            for one in (standing.figures(requirement, counted, node, snapshot),)
        ],
    )  # fmt: skip
    return canonical(made.model_dump(mode="json"))


def read_district(text: str) -> District:
    """The signed text as values.

    Raises:
        ValueError: it is none (pydantic's ValidationError is one).
    """
    return District.model_validate(json.loads(text))
