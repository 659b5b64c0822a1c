"""``cuntong plan``: reads the running configurations of a scope in parallel and writes what would change, in waves."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from api.actions.grants import Action, require
from cuntong.changing.lines import Measure, held_back
from cuntong.changing.reach import Reach
from cuntong.changing.reading import paced, uplink_of
from inventory.devices import Device
from inventory.model import Inventory
from inventory.vocabulary import DeviceClass
from ledger import audit, rollouts
from ledger.accounts import Account
from ledger.backups import keep_backup
from ledger.rollouts import KeptPlan
from ledger.vault import Vault
from rollout.intended import Templates
from rollout.plan import FORMAT, DevicePlan, Plan, PlannedWave, Readiness, Terms, canonical, sha256
from rollout.planning import Planned, Task, plan_device
from rollout.running import redact
from rollout.transaction import read_running
from rollout.waves import Node, plan_waves

PLAYBOOKS: Final = Path(__file__).resolve().parents[2] / "playbooks"
EXPIRES_S: Final = 7 * 86_400.0


def tasks_for(inventory: Inventory, devices: Sequence[Device], reach: Reach, templates: Templates) -> list[Task]:
    """One task a router, with its intended configuration rendered.

    Raises:
        TemplateError: a template cannot be rendered, as file:line.
        StartError: a secret cannot be opened.
    """
    parents = {above for device in inventory.devices for above in device.uplinks if _is_router(device)}
    return [
        Task(
            router=reach.router(device),
            intended=templates.render(inventory, device, reach.platform(device)),
            site=inventory.sites.ids[device.site],
            model=device.model,
            uplink=uplink_of(inventory, device),
            manager=str(reach.network.manager),
            children=device.ordinal in parents,
            standard=standard_of(inventory, device),
        )
        for device in devices
    ]


def templates_of(inventory: Inventory) -> Templates:
    """Our templates, and before them the inventory's own."""
    return Templates(PLAYBOOKS / "templates", inventory.folder / "templates")


def standard_of(inventory: Inventory, device: Device) -> str:
    """Name and version of the standard that a device's site follows; empty where none is named."""
    key = inventory.classes[inventory.sites.classes[device.site]].standard
    return f"{key} {inventory.standards[key].version}" if key else ""


def read_all(
    tasks: Sequence[Task], parallel: int, per_uplink: int, done: Callable[[Planned], None] = lambda _: None
) -> list[Planned]:
    """Plan every task, at most ``parallel`` at a time and ``per_uplink`` below one router, in the order of the tasks.

    Args:
        done: told of each device as it is ready.
    """
    uplinks = [task.uplink for task in tasks]
    return paced(read_and_plan, tasks, uplinks, parallel, per_uplink, lambda _, planned: done(planned))


def read_and_plan(task: Task) -> Planned:
    return plan_device(task, read_running)


def make_plan(
    inventory: Inventory,
    scope: str,
    devices: Sequence[Device],
    planned: Sequence[Planned],
    author: str,
    templates_hash: str,
    terms: Terms,
    now: float,
) -> Plan:
    """Put the devices' plans into waves and terms."""
    plans = tuple(one.plan for one in planned)
    waves = plan_waves(nodes_of(inventory, devices, plans))
    return Plan(
        format=FORMAT,
        title=f"{inventory.title}: {scope}",
        scope=scope,
        author=author,
        made_at=now,
        expires_at=now + EXPIRES_S,
        inventory=inventory.content_hash,
        templates=templates_hash,
        reverses="",
        terms=terms,
        waves=tuple(PlannedWave(wave.title, wave.devices) for wave in waves),
        devices=plans,
    )


def nodes_of(inventory: Inventory, devices: Sequence[Device], plans: Sequence[DevicePlan]) -> list[Node]:
    """The uplink tree of the routers that change, with the routers above them."""
    ready = {plan.device for plan in plans if plan.readiness is Readiness.READY}
    needed: dict[int, Device] = {}
    trail = [device for device in devices if device.id in ready]
    while trail:
        device = trail.pop()
        if device.ordinal not in needed:
            needed[device.ordinal] = device
            trail += [inventory.devices[above] for above in device.uplinks]
    return [_node(inventory, needed[ordinal], needed[ordinal].id in ready) for ordinal in sorted(needed)]


def _node(inventory: Inventory, device: Device, changes: bool) -> Node:
    nodes, own = inventory.nodes, int(inventory.sites.nodes[device.site])
    county = township = own
    trail = own
    while trail >= 0:
        if nodes.levels[trail] == 4:
            township = trail
        if nodes.levels[trail] == 3:
            county = trail
        trail = nodes.parents[trail]
    in_township = nodes.levels[own] >= 4
    return Node(
        id=device.id,
        uplinks=tuple(inventory.devices[above].id for above in device.uplinks),
        county=nodes.codes[county],
        branch=nodes.codes[township if in_township else county],
        # A village with one kiosk is spared more easily than one with two, and that more easily than a centre.
        weight=len(inventory.devices.ordinals(device.site)) + (10 if inventory.central(device.site) else 0),
        model=device.model,
        changes=changes,
    )


def keep(engine: Engine, actor: Account, plan: Plan, planned: Sequence[Planned], vault: Vault, now: float) -> str:
    """Store a plan, and what was read of devices that say no configuration; its hash.

    Raises:
        ForbiddenError: the actor may not write plans for each of these devices' divisions.
    """
    document = canonical(plan)
    name = sha256(document)
    with engine.begin() as connection:
        rollouts.keep_plan(connection, KeptPlan(name, actor.name, plan.title, now, document))
        for one in planned:
            if one.plan.readiness is Readiness.UNREADABLE and one.running is not None:
                platform = one.plan.platform
                keep_backup(
                    connection, vault, one.plan.device, platform, "unreadable", one.running, "",
                    redact(platform, one.running), now,
                )  # fmt: skip
        audit.record(connection, now, actor.name, "plan.make", name, {"title": plan.title, "scope": plan.scope})
    return name


def require_scope(actor: Account, action: Action, inventory: Inventory, devices: Sequence[Device]) -> None:
    """Let through who may act on each of these devices.

    Raises:
        ForbiddenError: somebody else's.
    """
    require(actor, action, inventory.nodes, {int(inventory.sites.nodes[device.site]) for device in devices})


def write_plan(
    inventory: Inventory,
    scope: str,
    devices: Sequence[Device],
    reach: Reach,
    templates: Templates,
    terms: Terms,
    engine: Engine,
    actor: Account,
    vault: Vault,
    done: Callable[[Planned], None] = lambda _: None,
    measure: Measure | None = None,
) -> tuple[str, Plan]:
    """Read, compare, order and keep: the whole of ``cuntong plan``. The hash and the plan.

    Args:
        measure: what is asked of a line before another goes; None asks nothing.

    Raises:
        ForbiddenError: not by this account.
        TemplateError: an intended configuration cannot be rendered.
    """
    require_scope(actor, Action.AUTHOR_PLAN, inventory, devices)
    tasks = tasks_for(inventory, devices, reach, templates)
    planned = read_all(tasks, terms.parallel, terms.per_uplink, done)
    now = time.time()
    if measure is not None:
        with engine.connect() as connection:
            planned = held_back(connection, inventory, planned, measure, now)
    plan = make_plan(inventory, scope, devices, planned, actor.name, templates.content_hash, terms, now)
    return keep(engine, actor, plan, planned, vault, now), plan


def _is_router(device: Device) -> bool:
    return device.device_class is DeviceClass.ROUTER
