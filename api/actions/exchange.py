"""Exchanging signed files: a district tells, a city takes in what a trusted key signed for its own part of the tree."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError
from sqlalchemy import Engine

from api.actions.errors import ActionError
from api.actions.grants import Action, require
from api.exchange.document import SCHEMA, District, ToldSite, district_of, read_district
from api.exchange.signing import Signer, Trust, key_id, open_sealed, seal
from api.standing import Standing
from api.told import keep_newer
from inventory.divisions import full_code
from inventory.model import Inventory
from inventory.vocabulary import Aspect
from ledger import audit, claims, exchanges, facts, history, leases
from ledger.accounts import Account
from ledger.claims import SaidClaim
from ledger.errors import LedgerError
from ledger.exchanges import Exchange
from ledger.facts import Fact
from ledger.history import SiteVerdict
from ledger.journal import Journal, SiteEvent

_AHEAD_S: Final = 300.0
"""By how much the sender's clock may be ahead of ours."""
_LEASE_S: Final = 1.0
_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Taken:
    """What a file brought: sites that are declared here and those that are not, and what was new of them."""

    district: District
    sha256: str
    sites: int
    unmatched: tuple[str, ...]
    verdicts: int
    claims: int
    facts: int


def export(
    standing: Standing, engine: Engine, actor: Account, division: str, instance: str, signer: Signer, now: float
) -> bytes:
    """The signed file of a division.

    Raises:
        ActionError: the actor may not there.
    """
    inventory = standing.inventory
    node = inventory.nodes.find(division)
    require(actor, Action.EXCHANGE, inventory.nodes, [node])
    text = district_of(standing, node, instance, now)
    data = seal(text, signer)
    with engine.begin() as connection:
        told = {"instance": instance, "key": key_id(signer.public), "bytes": len(data)}
        audit.record(connection, now, actor.name, "exchange.export", inventory.nodes.codes[node], told)
    return data


def take(
    engine: Engine,
    inventory: Inventory,
    actor: Account,
    data: bytes,
    trust: Trust,
    now: float,
    *,
    dry_run: bool = False,
) -> Taken:
    """Take in a signed file: what it says of sites that are declared here becomes evidence, claims and facts.

    Args:
        dry_run: check everything and say what would be new, but write nothing.

    Raises:
        ActionError: nobody trusts the file, it speaks of what is not its own, it was taken before or is older than
            one that was, or the actor may not there.
    """
    opened = open_sealed(data, trust)
    try:
        told = read_district(opened.text)
    except (ValidationError, ValueError, RecursionError):
        raise ActionError("What is signed there is no district that this version can read.") from None
    if told.schema_version != SCHEMA:
        raise ActionError(
            f"The file has version {told.schema_version}; this program reads {SCHEMA}. Upgrade the older."
        )
    _check_place(inventory, actor, told, full_code(opened.trusted.division))
    if told.instance != opened.trusted.instance:
        raise ActionError(f"The key is trusted as {opened.trusted.instance!r}, and the file says {told.instance!r}.")
    if max(told.made_at, told.as_of, told.watched_until or 0.0) > now + _AHEAD_S:
        raise ActionError("The file is from the future. Compare the clocks of both machines.")
    matched, unmatched = _match(inventory, told)
    with engine.connect() as connection:
        if exchanges.taken(connection, opened.sha256):
            raise ActionError("This file was taken in before.")
        newest = exchanges.newest_of(connection, told.instance, told.division)
        if newest is not None and told.made_at <= newest:
            raise ActionError("A newer file of this division was taken in before: this one would turn back time.")
        verdicts = {(one.site, one.aspect): one for one in history.newest_verdicts(connection)}
        said = {one.site: one for _, one in claims.said_since(connection, 0)}
        known: dict[tuple[str, str], Fact] = {}
        for _, fact in facts.told_since(connection, 0):
            keep_newer(known, fact)
    events = _events(matched, verdicts)
    new_claims = _claims(inventory, matched, said)
    ids = {one.id: site for site, one in matched.items()}
    new_facts = _facts(told, ids, known)
    made = Taken(told, opened.sha256, len(matched), unmatched, len(events), len(new_claims), len(new_facts))
    if dry_run:
        return made
    _write_evidence(engine, told, events, now)
    with engine.begin() as connection:
        for claim in new_claims:
            claims.record(connection, claim, now)
        facts.record(connection, new_facts, now)
        key = key_id(opened.trusted.key)
        exchanges.record(
            connection,
            Exchange(
                opened.sha256, told.instance, key, told.division, told.snapshot, told.made_at, now, actor.name,
                len(matched), len(unmatched),
            ),
        )  # fmt: skip
        detail = {"instance": told.instance, "key": key, "sha256": opened.sha256, "sites": len(matched)}
        audit.record(connection, now, actor.name, "exchange.import", told.division, detail)
    return made


def _check_place(inventory: Inventory, actor: Account, told: District, trusted: str) -> None:
    """The file speaks of nothing but what its key may speak of, by our own tree."""
    nodes = inventory.nodes
    top, place = nodes.index.get(trusted), nodes.index.get(told.division)
    if top is None:
        raise ActionError(f"The key is trusted for {trusted}, which is not in the division list here.")
    named = {told.division, *told.codes, *(one.code for one in told.sites)}
    ids = {one.id for one in told.sites}
    subjects = {one.subject for one in told.facts} - ids
    outside = sorted(code for code in named | subjects if not top <= nodes.index.get(code, -1) < nodes.ends[top])
    if outside or place is None:
        more = f" and {len(outside) - _NAMED} more" if len(outside) > _NAMED else ""
        raise ActionError(
            f"The file speaks of {', '.join(outside[:_NAMED])}{more}, outside {trusted} as the list here has it. "
            "Nothing was taken in. Bring both division lists to the same day, or ask who sent it."
        )
    require(actor, Action.EXCHANGE, nodes, [place])


def _match(inventory: Inventory, told: District) -> tuple[dict[str, ToldSite], tuple[str, ...]]:
    """The sites by our own ids; those that are not declared here by the sender's."""
    sites, nodes = inventory.sites, inventory.nodes
    ours = {
        (nodes.codes[int(sites.nodes[site])], sites.types[site], sites.keys[site]): sites.ids[site]
        for site in range(*sites.span(nodes.index[told.division]))
    }
    matched: dict[str, ToldSite] = {}
    unmatched: list[str] = []
    for one in told.sites:
        id = ours.get((one.code, one.type, one.key))
        if id is None or id in matched:
            unmatched.append(one.id)
        else:
            matched[id] = one
    return matched, tuple(unmatched)


def _events(matched: Mapping[str, ToldSite], known: Mapping[tuple[str, Aspect], SiteVerdict]) -> list[SiteEvent]:
    """What the district measured and we do not have, oldest first; nothing that is older than what we have."""
    events = []
    for site, one in matched.items():
        for aspect, said in one.measured.items():
            have = known.get((site, aspect))
            same = have is not None and (have.verdict, have.reason, have.since) == (
                said.verdict,
                said.reason,
                said.since,
            )
            if same or (have is not None and have.since > said.since):
                continue
            events.append(SiteEvent(said.since, site, aspect, said.verdict, said.reason, said.proved_at))
    return sorted(events, key=lambda event: event.happened_at)


def _claims(inventory: Inventory, matched: Mapping[str, ToldSite], said: Mapping[str, SaidClaim]) -> list[SaidClaim]:
    found = []
    for site, one in matched.items():
        told = one.claim
        if told is None:
            continue
        have = said.get(site)
        if have is not None and (have.claim, have.happened_on, have.proof) == (told.claim, told.on, told.proof):
            continue
        declared = inventory.claims(inventory.sites.index[site])
        if have is None and any((c.claim, c.on, c.proof) == (told.claim, told.on, told.proof) for c in declared):
            continue
        found.append(SaidClaim(site, told.claim, told.on, told.by, told.proof))
    return found


def _facts(told: District, ids: Mapping[str, str], known: Mapping[tuple[str, str], Fact]) -> list[Fact]:
    found = []
    for one in told.facts:
        fact = Fact(ids.get(one.subject, one.subject), one.name, one.value, one.on, one.by, one.source)
        have = known.get((fact.subject, fact.name))
        if have is None or (have.value, have.happened_on) != (fact.value, fact.happened_on):
            found.append(fact)
    return found


def _write_evidence(engine: Engine, told: District, events: list[SiteEvent], now: float) -> None:
    """As a collector of that division would, under its lease: whoever polls it here is not written over.

    Cut off half way, the file is simply taken in again: what is there already is not new.
    """
    try:
        lease = leases.acquire(engine, told.division, f"exchange:{told.instance}"[:64], "", now, _LEASE_S)
        journal = Journal(engine, lease, lambda: now, 0.0)
        for event in events:
            journal.add(event)
        journal.flush(told.watched_until)
    except LedgerError as error:
        raise ActionError(f"{error} What is polled here is not taken from a file.") from None
