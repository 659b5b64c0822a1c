"""Backups, drift, baseline and day-0 files: what is kept of routers and judged on them between changes."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine

from api.actions.grants import Action
from cuntong.changing.planning import require_scope, standard_of, tasks_for, templates_of
from cuntong.changing.reach import Reach
from cuntong.changing.reading import read_each, read_with_saved
from cuntong.errors import StartError
from inventory.devices import Device
from inventory.model import Inventory
from ledger import audit, rollouts
from ledger.accounts import Account
from ledger.backups import Backup, keep_backup, newest_backups, open_backup
from ledger.vault import Vault
from rollout.compliance import Baseline, Known, Mark, Result, judge, version_of
from rollout.errors import RolloutError
from rollout.facts import Survey
from rollout.intended import Templates
from rollout.planning import plan_text
from rollout.running import fingerprint, redact

_REFERENCE: Final = re.compile(r"secret://\S+")


@dataclass(frozen=True)
class Taken:
    """What became of one device's backup. ``said`` is why there is none; ``changed`` against the backup before."""

    device: str
    fingerprint: str
    changed: bool
    said: str


def back_up(
    inventory: Inventory,
    devices: Sequence[Device],
    reach: Reach,
    engine: Engine,
    vault: Vault,
    actor: Account,
    parallel: int,
    per_uplink: int,
    done: Callable[[str], None] = lambda _: None,
) -> list[Taken]:
    """Read every device once (read-only) and keep the raw text sealed, the redacted one to read.

    Raises:
        ForbiddenError: the actor may not.
    """
    require_scope(actor, Action.TAKE_BACKUP, inventory, devices)
    with engine.connect() as connection:
        before = newest_backups(connection)
    taken = []
    said = read_each(inventory, devices, reach, parallel, per_uplink, done, read_with_saved)
    for device, read in zip(devices, said, strict=True):
        if read.text is None:
            taken.append(Taken(device.id, "", False, read.said))
            continue
        platform = reach.platform(device)
        mark, now = fingerprint(platform, read.text), time.time()
        with engine.begin() as connection:
            keep_backup(
                connection, vault, device.id, platform, "backup", read.text, mark, redact(platform, read.text), now,
                read.saved,
            )  # fmt: skip
        old = before.get(device.id)
        taken.append(Taken(device.id, mark, old is not None and old.fingerprint != mark, ""))
    with engine.begin() as connection:
        good = sum(not one.said for one in taken)
        audit.record(connection, time.time(), actor.name, "backup", inventory.top, {"asked": len(taken), "kept": good})
    return taken


def write_history(engine: Engine, folder: Path, devices: Sequence[Device]) -> bool:
    """Bring the redacted copies into a git history of their own; False where nothing is new.

    Raises:
        StartError: git is missing or refuses.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (folder / ".git").is_dir():
        _git(folder, "init", "--quiet")
    with engine.connect() as connection:
        newest = newest_backups(connection)
    for device in devices:
        backup = newest.get(device.id)
        if backup is not None:
            (folder / f"{device.id}.cfg").write_text(backup.redacted, "utf-8")
    _git(folder, "add", "--all")
    if not _git(folder, "status", "--porcelain").strip():
        return False
    _git(folder, "-c", "user.name=cuntong", "-c", "user.email=cuntong@localhost", "commit", "--quiet", "-m", "Backups")
    return True


def _git(folder: Path, *words: str) -> str:
    try:
        ended = subprocess.run(  # noqa: S603  fixed words; the folder is the operator's
            ["git", "-C", str(folder), *words],  # noqa: S607  the system's own git
            capture_output=True, text=True, check=False, env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull},
        )  # fmt: skip
    except FileNotFoundError:
        raise StartError("git is not installed: the history of redacted copies needs it (apt install git).") from None
    if ended.returncode:
        raise StartError(f"git {words[0]} in {folder}: {ended.stderr.strip() or ended.stdout.strip()}")
    return ended.stdout


def drift(
    inventory: Inventory, devices: Sequence[Device], reach: Reach, templates: Templates, engine: Engine, vault: Vault
) -> list[dict[str, Any]]:
    """For each device: does its newest backup say what we left it with, and what it should say?

    Raises:
        TemplateError: an intended configuration cannot be rendered.
    """
    with engine.connect() as connection:
        applied, newest = rollouts.last_applied(connection), newest_backups(connection)
        texts = {
            device.id: open_backup(connection, vault, device.id, id=newest[device.id].id)
            for device in devices
            if device.id in newest
        }
    rows = []
    for task in tasks_for(inventory, devices, reach, templates):
        device, text = task.router.device, texts.get(task.router.device)
        backup: Backup | None = newest.get(device)
        left = applied.get(device)
        row: dict[str, Any] = {"device": device, "since_applied": "", "against_intended": "", "lines": 0, "said": ""}
        if backup is None or text is None:
            row["said"] = "never backed up: cuntong backup"
        else:
            row["since_applied"] = _told(left is None, backup.fingerprint == left, "never changed by us")
            try:
                plan = plan_text(task, text)
            except RolloutError as error:
                row["said"] = str(error)
            else:
                row["against_intended"] = str(plan.readiness)
                row["lines"] = len(plan.commands)
                row["said"] = plan.reason
        rows.append(row)
    return rows


def _told(unknown: bool, same: bool, words: str) -> str:
    return words if unknown else "same" if same else "changed"


def baseline(
    inventory: Inventory, devices: Sequence[Device], reach: Reach, document: Baseline, engine: Engine, vault: Vault
) -> list[dict[str, Any]]:
    """Every item of the baseline on the newest backup of each device; new and reused equipment told apart."""
    network, survey = reach.network, Survey(inventory)
    with engine.connect() as connection:
        newest = newest_backups(connection)
        saved = _saved(connection, newest)
        texts = {id: open_backup(connection, vault, id, id=one.id) for id, one in newest.items()}
    now, rows = time.time(), []
    for device in devices:
        backup, text = newest.get(device.id), texts.get(device.id)
        link = inventory.link(device.site)
        row: dict[str, Any] = {
            "device": device.id,
            "baseline": f"{document.name} {document.version}",
            "standard": standard_of(inventory, device),
            "origin": device.origin if device.origin != "new" or link is None else link.origin,
            "results": [],
            "said": "" if backup else "never backed up: cuntong backup",
        }
        if backup is not None and text is not None:
            platform = reach.platform(device)
            approved = network.firmware.get(device.model)
            known = Known(saved.get(device.id), now - backup.taken_at, version_of(platform, text), approved)
            results = judge(document, platform, text, survey.facts(device), known)
            row["results"] = [_row(one) for one in results]
            row["conforms"] = all(one.mark is not Mark.FAIL for one in results)
        rows.append(row)
    return rows


def _row(result: Result) -> dict[str, str]:
    return {"item": result.item, "title": result.title, "mark": str(result.mark), "evidence": result.evidence}


def _saved(connection: Any, newest: Mapping[str, Backup]) -> dict[str, bool]:
    """Saved as it runs: as the newest backup saw it, else of what a transaction of ours verified and saved."""
    applied = rollouts.last_applied(connection)
    ours = {id: True for id, one in newest.items() if applied.get(id) == one.fingerprint}
    return ours | {id: one.saved for id, one in newest.items() if one.saved is not None}


def write_bootstrap(
    inventory: Inventory,
    devices: Sequence[Device],
    reach: Reach,
    folder: Path,
    engine: Engine,
    actor: Account,
    *,
    references: bool,
) -> list[Path]:
    """The file that each router is started with, readable by its owner alone, as it holds secrets.

    Args:
        references: leave ``secret://`` references in it instead of opening them.

    Raises:
        ForbiddenError: the actor may not.
        TemplateError: it cannot be rendered.
        StartError: a secret cannot be opened.
    """
    require_scope(actor, Action.AUTHOR_PLAN, inventory, devices)
    templates = templates_of(inventory)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for device in devices:
        text = templates.render(inventory, device, reach.platform(device), "bootstrap")
        if not references:
            text = _REFERENCE.sub(lambda found: reach.secret(found[0]), text)
        path = folder / f"{device.id}.bootstrap.cfg"
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        written.append(path)
    with engine.begin() as connection:
        for device in devices:
            detail = {"secrets": "references" if references else "opened"}
            audit.record(connection, time.time(), actor.name, "bootstrap", device.id, detail)
    return written
