"""What the reform office does: facts, acceptance, decisions, spot checks, appeals, signatures, reports, standards."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import Engine

from api.actions.errors import ActionError
from api.actions.grants import Action, require
from api.actions.tasks import target_of
from api.standing import Standing
from inventory.model import Inventory
from ledger import acceptance, appeals, audit, facts, reports, spot_checks, standards
from ledger.acceptance import Acceptance, Decision
from ledger.accounts import Account
from ledger.appeals import Ruling
from ledger.errors import LedgerError
from ledger.facts import Fact
from ledger.reports import Frozen, Signature
from ledger.spot_checks import Draw, Visit
from ledger.standards import Edition

APPEAL_DAYS: Final = 15
"""How long the office may take to rule on an appeal."""
_SEED_BYTES: Final = 32


def tell(engine: Engine, inventory: Inventory, actor: Account, told: Sequence[Fact], today: date, now: float) -> None:
    """Import facts on sites and divisions, all or none.

    Raises:
        ActionError: the actor may not on one of them, one is of nobody here, has no source, or lies in the future.
    """
    places = [target_of(inventory, one.subject)[1] for one in told]
    require(actor, Action.TELL_FACT, inventory.nodes, places)
    for one in told:
        if not one.source.strip():
            raise ActionError(f"{one.name} of {one.subject} needs its source: the document or system that says so.")
        if one.happened_on > today:
            raise ActionError(f"{one.name} of {one.subject} is dated {one.happened_on}, which is still to come.")
    with engine.begin() as connection:
        facts.record(connection, told, now)
        names = sorted({one.name for one in told})
        audit.record(connection, now, actor.name, "facts.tell", ",".join(names), {"count": len(told)})


def accept(engine: Engine, inventory: Inventory, actor: Account, found: Acceptance, now: float) -> None:
    """Keep that somebody looked at a site and passed or failed it.

    Raises:
        ActionError: the actor may not there, there is no such site, or no proof is named.
    """
    _, node = target_of(inventory, found.site)
    require(actor, Action.ACCEPT, inventory.nodes, [node])
    if found.result not in ("passed", "failed") or found.tier not in ("township", "county", "city", "province"):
        raise ActionError("An acceptance has a tier (township, county, city, province) and passed or failed.")
    if not found.proof.strip():
        raise ActionError("An acceptance names its proof: the minutes or the form.")
    with engine.begin() as connection:
        acceptance.accept(connection, found, now)
        audit.record(connection, now, actor.name, "site.accept", found.site, {"result": found.result})


def decide(engine: Engine, inventory: Inventory, actor: Account, decision: Decision, now: float) -> None:
    """Say of a target without a figure whether it is reached, and by which proof.

    Raises:
        ActionError: the actor may not there, there is no such milestone, it has a figure, or no proof is named.
    """
    _, node = target_of(inventory, decision.division)
    require(actor, Action.DECIDE, inventory.nodes, [node])
    milestone = next((one for one in inventory.milestones if one.id == decision.milestone), None)
    if milestone is None or not milestone.qualitative:
        raise ActionError(f"{decision.milestone!r} is no milestone that people decide on: figures decide the others.")
    if decision.result not in ("reached", "missed") or not decision.proof.strip():
        raise ActionError("A decision is reached or missed, and names its proof.")
    with engine.begin() as connection:
        acceptance.decide(connection, decision, now)
        audit.record(connection, now, actor.name, "milestone.decide", decision.milestone, {"result": decision.result})


def draw(
    standing: Standing,
    engine: Engine,
    actor: Account,
    division: str,
    period: str,
    size: int,
    now: float,
    seed: bytes | None = None,
) -> Draw:
    """Draw the sites of a week's unannounced check; from now on, and not before, anybody can draw them again.

    Args:
        seed: only for a simulation that must repeat; the operating system's randomness otherwise.

    Raises:
        ActionError: the actor may not there, there was a draw already, or nothing to draw from.
    """
    inventory = standing.inventory
    _, node = target_of(inventory, division)
    require(actor, Action.DRAW_SPOT_CHECK, inventory.nodes, [node])
    low, high = inventory.sites.span(node)
    population = tuple(sorted(inventory.sites.ids[low:high]))
    if not 1 <= size <= len(population):
        raise ActionError(f"{size} of {len(population)} sites cannot be drawn.")
    code = inventory.nodes.codes[node]
    made = Draw(
        spot_checks.new_id(), code, period, seed or secrets.token_bytes(_SEED_BYTES), population, size, actor.name, now
    )
    with engine.begin() as connection:
        try:
            spot_checks.record_draw(connection, made)
        except LedgerError as error:
            raise ActionError(str(error)) from None
        audit.record(connection, now, actor.name, "spot_check.draw", made.id, {"period": period, "size": size})
    return made


def drawn(standing: Standing, division: str, period: str, at: float | None = None) -> Sequence[str]:
    """Ids of the sites of a week's check, drawn again from seed and population; empty before the draw.

    Args:
        at: Unix time up to which draws are known; None for now.
    """
    _, node = target_of(standing.inventory, division)
    with standing.query() as connection:
        made = spot_checks.find_draw(connection, standing.inventory.nodes.codes[node], period, at)
    return () if made is None else made.sites


def record_visit(engine: Engine, inventory: Inventory, actor: Account, visit: Visit, now: float) -> None:
    """Keep what was found at a site.

    Raises:
        ActionError: the actor may not there, or there is no such site.
    """
    _, node = target_of(inventory, visit.site)
    require(actor, Action.RECORD_VISIT, inventory.nodes, [node])
    if visit.result not in ("passed", "failed", "closed"):
        raise ActionError("A visit finds passed, failed or closed.")
    with engine.begin() as connection:
        spot_checks.record_visit(connection, visit, now)
        audit.record(connection, now, actor.name, "spot_check.visit", visit.site, {"result": visit.result})


def appeal(
    engine: Engine,
    inventory: Inventory,
    actor: Account,
    site: str,
    what: str,
    claim: str,
    evidence: str,
    today: date,
    now: float,
) -> str:
    """Say that a figure of a site is wrong, and on what evidence; the appeal's id.

    Raises:
        ActionError: the actor may not there, there is no such site, or claim or evidence is missing.
    """
    _, node = target_of(inventory, site)
    require(actor, Action.APPEAL, inventory.nodes, [node])
    if not claim.strip() or not evidence.strip():
        raise ActionError("An appeal says what is right, and on what evidence.")
    due = today + timedelta(days=APPEAL_DAYS)
    with engine.begin() as connection:
        id = appeals.lodge(connection, site, what, claim.strip(), evidence.strip(), actor.name, due, now)
        audit.record(connection, now, actor.name, "appeal.lodge", id, {"site": site, "what": what})
    return id


def rule_on_appeal(engine: Engine, inventory: Inventory, actor: Account, id: str, ruling: Ruling, now: float) -> None:
    """Uphold or reject an appeal, with the reason; frozen reports stay, and the next one shows it.

    Raises:
        ActionError: the actor may not there, there is no such appeal, or it is decided.
    """
    with engine.begin() as connection:
        found = next((one for one in appeals.every(connection) if one.id == id), None)
        if found is None:
            raise ActionError(f"There is no appeal {id!r}.")
        require(actor, Action.RULE_ON_APPEAL, inventory.nodes, [target_of(inventory, found.site)[1]])
        if found.said_by == actor.name:
            raise ActionError("Nobody rules on an appeal of his own.")
        if ruling.result not in ("upheld", "rejected") or not ruling.reason.strip():
            raise ActionError("A ruling is upheld or rejected, and gives its reason.")
        try:
            appeals.rule(connection, id, ruling)
        except LedgerError as error:
            raise ActionError(str(error)) from None
        audit.record(connection, now, actor.name, "appeal.rule", id, {"result": ruling.result})


def sign(engine: Engine, inventory: Inventory, actor: Account, signature: Signature, now: float) -> None:
    """Sign a division's report of a period (台账 by the 25th).

    Raises:
        ActionError: the actor may not there, or it is signed already.
    """
    _, node = target_of(inventory, signature.division)
    require(actor, Action.SIGN, inventory.nodes, [node])
    with engine.begin() as connection:
        try:
            reports.sign(connection, signature, now)
        except LedgerError as error:
            raise ActionError(str(error)) from None
        subject = f"{signature.report} {signature.period} {signature.division}"
        audit.record(connection, now, actor.name, "report.sign", subject)


def publish(
    engine: Engine,
    inventory: Inventory,
    actor: Account,
    report: str,
    period: str,
    division: str,
    document: Mapping[str, Any],
    as_of: float,
    now: float,
    reason: str = "",
) -> Frozen:
    """Freeze a report; a correction of a published one is another edition and gives its reason.

    Raises:
        ActionError: the actor may not there, or it is published and no reason is given.
    """
    _, node = target_of(inventory, division)
    require(actor, Action.PUBLISH, inventory.nodes, [node])
    code = inventory.nodes.codes[node]
    with engine.begin() as connection:
        try:
            frozen = reports.freeze(
                connection, report, period, code, document, as_of=as_of, inventory=inventory.content_hash,
                by=actor.name, now=now, reason=reason,
            )  # fmt: skip
        except LedgerError as error:
            raise ActionError(str(error)) from None
        told = {"sha256": frozen.sha256, "edition": frozen.edition}
        audit.record(connection, now, actor.name, "report.publish", f"{report} {period} {code}", told)
    return frozen


def publish_standard(engine: Engine, inventory: Inventory, actor: Account, edition: Edition, now: float) -> None:
    """Publish a version of a standard that holds for the whole deployment: only the top node's people may.

    Raises:
        ActionError: the actor may not, or this version is published already.
    """
    require(actor, Action.EDIT_STANDARD, inventory.nodes, [0])
    with engine.begin() as connection:
        try:
            standards.publish(connection, edition, now)
        except LedgerError as error:
            raise ActionError(str(error)) from None
        subject = f"{edition.name} {edition.version}"
        audit.record(connection, now, actor.name, "standard.publish", subject, {"sha256": edition.document_sha256})
