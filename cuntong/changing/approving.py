"""``cuntong approve``: a second person agrees to a plan's hash; and what has to hold before a plan may run."""

from sqlalchemy import Connection, Engine

from api.actions.errors import ForbiddenError
from api.actions.grants import Action
from cuntong.changing.planning import require_scope
from inventory.model import Inventory
from ledger import audit, rollouts
from ledger.accounts import Account
from ledger.rollouts import Approval, KeptPlan
from rollout.errors import PlanRefusedError
from rollout.plan import Plan, Readiness, read


def say_of(
    engine: Engine, actor: Account, inventory: Inventory, kept: KeptPlan, verdict: str, reason: str, now: float
) -> None:
    """Approve or reject a plan.

    Raises:
        ForbiddenError: the actor made it, or may not approve for all of its devices.
        PlanRefusedError: it is over, or the reason is missing.
    """
    if actor.name == kept.author:
        raise ForbiddenError(f"{actor.name} made this plan; somebody else has to approve it.")
    plan = read(kept.document)
    devices = [inventory.devices.find(one.device) for one in plan.devices if one.readiness is Readiness.READY]
    require_scope(actor, Action.APPROVE_PLAN, inventory, devices)
    _require_time(plan, kept.sha256, now)
    if not reason.strip():
        raise PlanRefusedError("An approval says why: --reason.")
    with engine.begin() as connection:
        rollouts.approve(connection, kept.sha256, Approval(actor.name, verdict, reason.strip(), now))
        audit.record(connection, now, actor.name, f"plan.{verdict}", kept.sha256, {"reason": reason.strip()})


def require_approved(connection: Connection, kept: KeptPlan, plan: Plan, now: float) -> None:
    """Let through a plan that may run now.

    Raises:
        PlanRefusedError: it is over, its window is not open, nobody else approved it, or somebody rejected it last.
    """
    _require_time(plan, kept.sha256, now)
    terms = plan.terms
    if terms.opens_at is not None and now < terms.opens_at:
        raise PlanRefusedError(f"The change window of plan {kept.sha256[:8]} opens in {_span(terms.opens_at - now)}.")
    if terms.closes_at is not None and now >= terms.closes_at:
        raise PlanRefusedError(f"The change window of plan {kept.sha256[:8]} has closed. Plan again.")
    if plan.reverses:
        _require_way_back(connection, plan)
        return
    said = [one for one in rollouts.approvals_of(connection, kept.sha256) if one.account != kept.author]
    if not said or said[-1].verdict != rollouts.APPROVED:
        why = f"{said[-1].account} rejected it: {said[-1].reason}" if said else "nobody but its author has seen it"
        raise PlanRefusedError(
            f"Plan {kept.sha256[:8]} is not approved: {why}. Another person runs: cuntong approve {kept.sha256[:8]}"
        )


def _require_way_back(connection: Connection, plan: Plan) -> None:
    """The way back was part of what was approved: it needs no second approval, but must be that very way."""
    run = rollouts.find_run(connection, plan.reverses)
    forward = read(rollouts.find_plan(connection, run.plan).document)
    for device in plan.devices:
        try:
            same = forward.device(device.device).rollback == device.commands
        except KeyError:
            same = False
        if not same:
            raise PlanRefusedError(f"{device.device}: this is not the way back that was approved with run {run.id}.")


def _require_time(plan: Plan, sha256: str, now: float) -> None:
    if now >= plan.expires_at:
        raise PlanRefusedError(f"Plan {sha256[:8]} expired {_span(now - plan.expires_at)} ago. Plan again.")


def _span(seconds: float) -> str:
    return f"{seconds / 3600:.1f} hours" if seconds >= 3600 else f"{seconds / 60:.0f} minutes"
