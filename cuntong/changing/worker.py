"""Changes one device within a run: what Ansible's action plugin calls, in a process of its own.

Everything that decides whether it may go on stands in the ledger: the run's epoch, its controller's lease, the
device's lock. A worker that outlives its controller therefore sends nothing more, wherever it runs.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Final

from sqlalchemy import Engine

from cuntong.changing.outcomes import outcomes
from cuntong.changing.reach import Reach
from cuntong.errors import StartError
from inventory.model import Inventory
from ledger import audit, rollouts
from ledger.backups import backups_of, keep_backup, open_backup
from ledger.errors import FencedError, LedgerError
from ledger.restores import instance_id
from ledger.rollouts import RunEvent, RunState
from ledger.vault import Vault
from rollout.change import ChangeState, Outcome
from rollout.errors import LockHeldError
from rollout.plan import DevicePlan, Plan
from rollout.planning import is_kept, kept_secret
from rollout.running import fingerprint, redact
from rollout.transaction import resolve, touched, transact
from rollout.watch import Check, default_route_check, ping_check

HOLD_S: Final = 120.0
"""How long a device stays locked after its worker's last step."""
_WAIT_S: Final = 0.3


class LedgerWatchman:
    """Stands beside one transaction with the ledger in hand."""

    def __init__(
        self,
        engine: Engine,
        vault: Vault,
        reach: Reach,
        run: str,
        epoch: int,
        wave: int,
        device: DevicePlan,
        per_uplink: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine, self._vault, self._reach = engine, vault, reach
        self._run, self._epoch, self._wave = run, epoch, wave
        self._device, self._per_uplink, self._clock = device, per_uplink, clock
        self._hold_until = 0.0
        # Asked before every line: one connection that stays, and no transaction around a single read.
        self._look = engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def lock(self) -> AbstractContextManager[None]:
        return self._locked()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        device = self._device.device
        try:
            while not rollouts.lock_device(
                self._engine, device, self._device.uplink, self._run, self._epoch, self._clock(), HOLD_S,
                self._per_uplink,
            ):  # fmt: skip
                self.may_start()
                time.sleep(_WAIT_S)
        except FencedError:
            raise
        except LedgerError as error:
            raise LockHeldError(str(error)) from None
        try:
            yield
        finally:
            with self._engine.begin() as connection:
                rollouts.release_device(connection, device, self._run, self._epoch)

    def step(self, name: str, detail: Mapping[str, str]) -> None:
        now = self._clock()
        deadline = float(detail.get("deadline", 0.0))
        # While a timer runs on the device nobody else may touch it, though this process may die at any moment.
        self._hold_until = max(self._hold_until, deadline + HOLD_S, now + HOLD_S)
        with self._engine.begin() as connection:
            if name != "lock":
                left = self._hold_until - now
                rollouts.hold_device(connection, self._device.device, self._run, self._epoch, now, left)
            told = RunEvent(now, "step", self._wave, self._device.device, name, json.dumps(dict(detail)))
            rollouts.tell(connection, self._run, self._epoch, told)

    def may_start(self) -> None:
        if self._state() is not RunState.RUNNING:
            raise FencedError(f"Run {self._run} starts nothing new.")

    def may_go_on(self) -> None:
        self._state()

    def _state(self) -> RunState:
        return rollouts.may_send(self._look, self._run, self._epoch, self._clock())

    def close(self) -> None:
        self._look.close()

    def keep_backup(self, text: str) -> None:
        platform = self._device.platform
        with self._engine.begin() as connection:
            keep_backup(
                connection, self._vault, self._device.device, platform, self._run, text,
                fingerprint(platform, text), redact(platform, text), self._clock(),
            )  # fmt: skip

    def kept_backup(self) -> str | None:
        with self._engine.connect() as connection:
            return open_backup(connection, self._vault, self._device.device, reason=self._run)

    def recorded(self) -> Sequence[tuple[str, Mapping[str, str]]]:
        with self._engine.connect() as connection:
            steps = rollouts.events(connection, self._run, kinds=["step"], device=self._device.device)
        return [(one.what, json.loads(one.detail)) for _, one in steps]

    def open_secret(self, reference: str) -> str:
        if not is_kept(reference):
            return self._reach.secret(reference)
        device = self._device.device
        with self._engine.connect() as connection:
            rows = backups_of(connection, device)
            texts = [open_backup(connection, self._vault, device, id=one.id) or "" for one in rows]
        found = kept_secret(reference, self._device.platform, texts)
        if found is None:
            raise StartError(f"{device}: no backup holds the ciphertext that its way back restores.")
        return found

    @property
    def checks(self) -> Sequence[Check]:
        """The device must still know the way out (a core router has none to know) and reach what the operator names."""
        platform = self._device.platform
        out = (default_route_check(platform),) if self._device.uplink else ()
        return (*out, *(ping_check(platform, str(target)) for target in self._reach.network.reaches))


def change_device(
    inventory: Inventory,
    reach: Reach,
    engine: Engine,
    vault: Vault,
    plan: Plan,
    plan_hash: str,
    run: str,
    epoch: int,
    device_id: str,
) -> Outcome:
    """Bring one device of a run to an end, however far an earlier attempt of this run got.

    Raises:
        FencedError: this run has another controller now, or starts nothing new.
        KeyError: the device is not in the plan.
    """
    device = plan.device(device_id)
    wave = plan.wave_of(device_id)
    done = outcome_of(engine, run, device_id)
    if done is not None:
        return done
    watchman = LedgerWatchman(engine, vault, reach, run, epoch, wave, device, plan.terms.per_uplink)
    with engine.connect() as connection:
        router = replace(reach.router(inventory.devices.find(device_id)), controller=instance_id(connection))
    act = resolve if touched(watchman.recorded()) else transact
    try:
        outcome = act(device.change(), router, watchman)
    finally:
        watchman.close()
    _write(engine, plan, plan_hash, run, epoch, wave, device, outcome)
    return outcome


def _write(
    engine: Engine, plan: Plan, plan_hash: str, run: str, epoch: int, wave: int, device: DevicePlan, outcome: Outcome
) -> None:
    now = time.time()
    detail = {"reason": outcome.reason, "fingerprint": outcome.fingerprint, "steps": list(outcome.steps)}
    with engine.begin() as connection:
        told = RunEvent(now, "device", wave, device.device, outcome.state, json.dumps(detail, ensure_ascii=False))
        rollouts.tell(connection, run, epoch, told)
        if outcome.state is ChangeState.CONFIRMED:
            rollouts.note_applied(
                connection, device.device, run, plan_hash, outcome.fingerprint, plan.templates, device.standard, now
            )
        audit.record(
            connection, now, f"run {run}", "device.change", device.device,
            {"state": outcome.state, "plan": plan_hash, "lines": len(device.commands), "reason": outcome.reason},
        )  # fmt: skip


def outcome_of(engine: Engine, run: str, device: str) -> Outcome | None:
    """What came of a device in a run; None while nothing has."""
    with engine.connect() as connection:
        return outcomes(rollouts.events(connection, run, kinds=["device"], device=device)).get(device)
