"""Planning one device: read what it says (read-only), compare it with what it should say, decide how it may change."""

import difflib
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rollout.change import DeadMan
from rollout.errors import RolloutError, SessionError
from rollout.managed import whole
from rollout.plan import DevicePlan, PlannedHazard, Readiness
from rollout.platform import PathClass, Platform
from rollout.remediation import predict, remediate
from rollout.router import Router
from rollout.running import fingerprint, mask, redact, replace_secrets
from rollout.tree import parse

_LINES_A_MINUTE: Final = 30  # a line of 64 kbit/s and 600 ms takes some 2 s a command, echo and prompt included
_LEAST_MINUTES: Final = 5
_KEPT: Final = "secret://kept/"


@dataclass(frozen=True)
class Task:
    """One device to plan.

    Attributes:
        intended: the sections that it should have, rendered.
        children: other sites hang below it.
        uplink: id of the router above; empty at the top.
    """

    router: Router
    intended: str
    site: str
    model: str
    uplink: str
    manager: str
    children: bool
    standard: str


@dataclass(frozen=True)
class Planned:
    """A device's plan, and the text that it rests on: None where it could not be read."""

    plan: DevicePlan
    running: str | None


def plan_device(task: Task, read_running: Callable[[Router], str]) -> Planned:
    """Plan one device; whatever goes wrong with it is in its plan and not raised."""
    try:
        running = read_running(task.router)
    except SessionError as error:
        return Planned(_plan(task, Readiness.UNREADABLE, str(error)), None)
    try:
        return Planned(plan_text(task, running), running)
    except RolloutError as error:
        return Planned(_plan(task, Readiness.UNREADABLE, str(error)), running)


def plan_text(task: Task, running: str) -> DevicePlan:
    """The plan on a running configuration that is at hand.

    Raises:
        RolloutError: this is no configuration of its platform.
    """
    platform = task.router.platform
    if not task.intended.strip():  # adopted, and nothing of it is ours yet
        heads = tuple(mask(platform, item.text) for item in parse(platform, running, "running").values())
        observed = _plan(task, Readiness.IN_SYNC, "")
        return replace(observed, fingerprint=fingerprint(platform, running), unmanaged=heads)
    intended = whole(platform, running, task.intended)
    found = remediate(platform, running, intended, manager=task.manager, children=task.children)
    hazards = tuple(PlannedHazard(one.id, one.line, one.why, one.fatal) for one in found.hazards)
    fatal = next((one for one in hazards if one.fatal), None)
    base = replace(
        _plan(task, Readiness.IN_SYNC, ""),
        fingerprint=fingerprint(platform, running),
        hazards=hazards,
        unmanaged=tuple(found.unmanaged),
        path_class=found.path_class,
    )
    if fatal is not None:
        return replace(base, readiness=Readiness.REFUSED, reason=f"{fatal.id}: {fatal.why}")
    if not found.commands:
        return replace(base, path_class=PathClass.NONE)
    dead_man = dead_man_for(platform, found.path_class)
    readiness, reason = Readiness.READY, ""
    on_the_path = found.path_class in (PathClass.PATH, PathClass.SHARED)
    if on_the_path and dead_man is DeadMan.NONE and task.router.second_path is None:
        readiness = Readiness.NEEDS_VISIT
        reason = (
            f"This changes the path, and nothing on {platform} would bring the device back. Tell `second_path` at the "
            "device (4G, a management port), or have somebody stand beside it and type these lines."
        )
    after = predict(platform, running, found.commands)
    return replace(
        base,
        readiness=readiness,
        reason=reason,
        dead_man=dead_man,
        minutes=minutes_for(found.commands) if dead_man is not DeadMan.NONE else 0,
        commands=tuple(found.commands),
        # What the way back restores may be a ciphertext that anybody can read: the plan names it, the backup holds it.
        rollback=tuple(replace_secrets(platform, line, kept_reference) for line in found.rollback),
        diff=text_diff(redact(platform, running), redact(platform, after)),
    )


def kept_reference(secret: str) -> str:
    """How a plan names a ciphertext of the running configuration; `kept_secret` finds it again."""
    if secret.startswith("secret://"):
        return secret
    return f"{_KEPT}{hashlib.sha256(secret.encode()).hexdigest()[:32]}"


def kept_secret(reference: str, platform: Platform, texts: Iterable[str]) -> str | None:
    """The ciphertext that a plan names, out of the kept configurations of the device; None where none holds it.

    Args:
        reference: as `kept_reference` gave it.
    """
    for text in texts:
        found: list[str] = []

        def look(secret: str, found: list[str] = found) -> str:
            if kept_reference(secret) == reference:
                found.append(secret)
            return secret

        for line in text.splitlines():
            replace_secrets(platform, line.strip(), look)
            if found:
                return found[0]
    return None


def is_kept(reference: str) -> bool:
    return reference.startswith(_KEPT)


def dead_man_for(platform: Platform, path_class: PathClass) -> DeadMan:
    """What is armed for a change of this class.

    Where arming costs nothing it is always armed, as the class is computed and may be wrong. A scheduled reboot
    costs a village minutes if it fires, so that a change which cannot cut the path goes without.
    """
    match platform:
        case Platform.COMWARE:
            return DeadMan.COMMIT_DELAY  # the transaction falls back to a timed replace where the release has none
        case Platform.FRR:
            return DeadMan.OS_TIMER
        case Platform.VRP if path_class in (PathClass.PATH, PathClass.SHARED):
            return DeadMan.REBOOT
        case _:
            return DeadMan.NONE


def minutes_for(commands: Sequence[str]) -> int:
    """Minutes until a dead-man fires: time to send, to read back, to log in anew and to check, on a thin line."""
    return _LEAST_MINUTES + -(-len(commands) // _LINES_A_MINUTE)


def text_diff(before: str, after: str) -> str:
    """A unified diff with three lines around each change; empty where nothing differs."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "running", "planned", lineterm="")
    return "".join(f"{line}\n" for line in lines)


def _plan(task: Task, readiness: Readiness, reason: str) -> DevicePlan:
    """A plan by which nothing is sent."""
    router = task.router
    return DevicePlan(
        router.device, task.site, router.platform, task.model, router.host, task.uplink, readiness, reason,
        "", PathClass.NONE, DeadMan.NONE, 0, (), (), (), (), "", task.standard,
    )  # fmt: skip
