"""The plan: an immutable document that says for each device what will be sent, on what it rests, and in which order.

Its name is the SHA-256 of its canonical JSON. Who approves it approves that hash; whoever edits the file afterwards
has another plan, which nobody approved.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from rollout.change import Change, DeadMan
from rollout.errors import PlanRefusedError
from rollout.platform import PathClass, Platform

FORMAT: Final = 1


class Readiness(StrEnum):
    """Whether a device can be changed by this plan."""

    READY = "ready"
    IN_SYNC = "in_sync"
    """It says already what it should."""
    REFUSED = "refused"
    """A hazard that no order of commands avoids; nothing will be sent."""
    NEEDS_VISIT = "needs_visit"
    """The change touches the path, and this device has nothing that would bring it back."""
    UNREADABLE = "unreadable"
    """It could not be read, or what it said is no configuration: kept, reported, never applied over."""


@dataclass(frozen=True)
class PlannedHazard:
    id: str
    line: str
    why: str
    fatal: bool


@dataclass(frozen=True)
class DevicePlan:
    """What is planned for one device.

    Attributes:
        uplink: id of the router above; empty at the top.
        readiness: and ``reason``, one sentence, where it is not ready.
        fingerprint: of the running configuration that was read; empty where it was not.
        unmanaged: headings and lines that are not ours and will not be touched.
        diff: for people, unified, secrets masked.
        standard: name and version of the document that the templates follow.
    """

    device: str
    site: str
    platform: Platform
    model: str
    address: str
    uplink: str
    readiness: Readiness
    reason: str
    fingerprint: str
    path_class: PathClass
    dead_man: DeadMan
    minutes: int
    commands: tuple[str, ...]
    rollback: tuple[str, ...]
    hazards: tuple[PlannedHazard, ...]
    unmanaged: tuple[str, ...]
    diff: str
    standard: str

    def change(self) -> Change:
        """What the transaction needs of it."""
        return Change(
            self.device, self.platform, self.fingerprint, self.commands, self.rollback, self.path_class,
            self.dead_man, self.minutes,
        )  # fmt: skip


@dataclass(frozen=True)
class PlannedWave:
    title: str
    devices: tuple[str, ...]


@dataclass(frozen=True)
class StopRules:
    """When a run ends by itself; whichever comes first.

    Attributes:
        lost: devices that did not come back.
        rolled_back: devices of one wave that went back, and the same as a share of a wave of at least ``sample``.
        worse: sites that were reachable before the wave and are not after it.
    """

    lost: int = 1
    rolled_back: int = 2
    rolled_back_ratio: float = 0.02
    sample: int = 5
    worse: int = 1


@dataclass(frozen=True)
class Terms:
    """How a plan is carried out.

    Attributes:
        parallel: devices under way at the same time; ``per_uplink`` of them below one router.
        soak_s: after each wave, before the next may start.
        opens_at, closes_at: the change window, Unix time; None is no limit.
    """

    parallel: int = 8
    per_uplink: int = 4
    soak_s: float = 600.0
    opens_at: float | None = None
    closes_at: float | None = None
    stop: StopRules = StopRules()


@dataclass(frozen=True)
class Plan:
    """The whole document. Times are Unix seconds (UTC)."""

    format: int
    title: str
    scope: str
    author: str
    made_at: float
    expires_at: float
    inventory: str
    templates: str
    reverses: str
    terms: Terms
    waves: tuple[PlannedWave, ...]
    devices: tuple[DevicePlan, ...]

    def device(self, id: str) -> DevicePlan:
        """The plan of one device.

        Raises:
            KeyError: it is not in this plan.
        """
        return self._by_id()[id]

    def wave_of(self, id: str) -> int:
        """The number of a device's wave, from 1; 0 where it is in none."""
        return next((n for n, wave in enumerate(self.waves, 1) if id in wave.devices), 0)

    def counts(self) -> Mapping[Readiness, int]:
        return {one: sum(device.readiness is one for device in self.devices) for one in Readiness}

    def _by_id(self) -> Mapping[str, DevicePlan]:
        found: Mapping[str, DevicePlan] | None = self.__dict__.get("_found")
        if found is None:
            found = {device.device: device for device in self.devices}
            self.__dict__["_found"] = found  # a cache beside the fields of a frozen value
        return found


_PLAN: Final = TypeAdapter(Plan)


def canonical(plan: Plan) -> str:
    """The one text of a plan: sorted keys, no spaces."""
    return json.dumps(asdict(plan), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def sha256(document: str) -> str:
    return hashlib.sha256(document.encode()).hexdigest()


def read(document: str) -> Plan:
    """The plan of a canonical text.

    Raises:
        PlanRefusedError: it is none, or of another format.
    """
    try:
        plan = _PLAN.validate_json(document)
    except ValidationError as error:
        raise PlanRefusedError(f"This is no plan: {error.errors()[0]['msg']}.") from None
    if plan.format != FORMAT:
        raise PlanRefusedError(f"This plan has format {plan.format}; this program reads {FORMAT}. Plan again.")
    return plan


def file_text(plan: Plan) -> str:
    """A plan as a file: its hash beside it, indented, for people to read."""
    document = canonical(plan)
    told: dict[str, Any] = {"sha256": sha256(document), "plan": json.loads(document)}
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


def read_file(text: str, name: str) -> tuple[str, Plan]:
    """The hash and the plan of a plan file.

    Raises:
        PlanRefusedError: it is no plan, or was edited after it was made.
    """
    try:
        told = json.loads(text)
        claimed, document = told["sha256"], json.dumps(
            told["plan"], ensure_ascii=False, sort_keys=True, separators=(",", ":")
        )  # fmt: skip
    except (ValueError, KeyError, TypeError):
        raise PlanRefusedError(f"{name} is no plan file. `cuntong plan` writes them.") from None
    if sha256(document) != claimed:
        raise PlanRefusedError(f"{name} was edited after it was made: its hash does not fit. Plan again.")
    return claimed, read(document)


def human_diff(plan: Plan) -> str:
    """What will change, device by device, in the order of the waves."""
    parts = []
    for number, wave in enumerate(plan.waves, 1):
        parts.append(f"=== wave {number} of {len(plan.waves)}: {wave.title} ({len(wave.devices)})\n")
        for id in wave.devices:
            device = plan.device(id)
            net = f"{device.dead_man}, {device.minutes} min" if device.minutes else "no dead-man"
            parts.append(f"--- {id} {device.address} ({device.platform}, path {device.path_class}, {net})\n")
            parts.append(device.diff.rstrip("\n") + "\n")
            parts += [f"  ! {hazard.id}: {hazard.line}: {hazard.why}\n" for hazard in device.hazards]
    for device in plan.devices:
        if device.readiness not in (Readiness.READY, Readiness.IN_SYNC):
            parts.append(f"=== {device.device}: {device.readiness}: {device.reason}\n")
            parts += [f"  ! {hazard.id}: {hazard.line}: {hazard.why}\n" for hazard in device.hazards]
    return "".join(parts)
