"""The ledger: does it hold together, is it written to, is it kept elsewhere, does its key fit."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import DBAPIError

from cuntong.doctor.findings import Finding, Findings, failure, fine, warning
from cuntong.secret_uses import held, uses
from inventory.timetable import CHINA
from ledger import jobs, leases
from ledger.alert_tables import alerts
from ledger.audit import first_broken
from ledger.database import revision
from ledger.errors import LedgerError
from ledger.kept_secrets import every_secret, unopened
from ledger.settling import UnsettledError, require_settled
from ledger.tables import audit, backups, engine_keys, site_events, watch_intervals
from ledger.vault import open_vault
from ledger.work_tables import job_runs

_LATE_S: Final = 2 * 3600.0
_FUTURE_S: Final = 60.0
_OLD_DUMP_S: Final = 2 * 86400.0
_LARGE_WAL: Final = 256e6
_BEAT_S: Final = 300.0


def database(engine: Engine, file: Path | None) -> Findings:
    """Whether what is stored is readable, and how large it is.

    Args:
        file: of a ledger in SQLite.
    """
    with engine.connect() as connection:
        version = revision(connection)
        if file is None:
            server = connection.exec_driver_sql("show server_version").scalar()
            size = connection.exec_driver_sql("select pg_database_size(current_database())").scalar() or 0
            yield fine("ledger", f"version {version} in PostgreSQL {server}, {size / 1e6:,.1f} MB")
            return
        try:
            said = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
        except DBAPIError as error:
            said = str(error.orig)
        if said != "ok":
            yield failure("ledger", f"{file} is damaged: {said}", "cuntong restore of the newest dump, with --replace.")
        else:
            yield fine("ledger", f"version {version} in {file}, {file.stat().st_size / 1e6:,.1f} MB, holds together")
    log = file.with_name(f"{file.name}-wal")
    size = log.stat().st_size if log.exists() else 0
    if size > _LARGE_WAL:
        mend = "Somebody reads since long: end what uses the ledger beside Cuntong; a restart of Cuntong folds it in."
        yield warning("ledger", f"its write-ahead log has {size / 1e6:,.0f} MB", mend)


def growth(connection: Connection, size: float, now: float) -> float | None:
    """Bytes a day in the mean since the first fact; None in the first week."""
    first: float | None = connection.scalar(select(func.min(site_events.c.recorded_at)))
    if first is None or now - first < 7 * 86400:
        return None
    return size / ((now - first) / 86400)


def time_of(connection: Connection, now: float) -> Findings:
    """Whether the clock has jumped back: what is recorded lies in the past."""
    newest = max(
        connection.scalar(select(func.max(column))) or 0.0
        for column in (site_events.c.recorded_at, watch_intervals.c.until, audit.c.at)
    )
    if newest > now + _FUTURE_S:
        mend = "Set the clock right before anything else is written; collectors go on when it is past that time."
        yield failure("clock", f"the ledger knows of {_told(newest)}, which is in the future: a jump back", mend)


def chain(connection: Connection) -> Findings:
    broken = first_broken(connection)
    count = connection.scalar(select(func.count()).select_from(audit)) or 0
    if broken is None:
        yield fine("audit", f"the chain of {count:,} entries holds")
    else:
        mend = "Keep the ledger as it is, compare with a dump, tell whoever is responsible for security."
        yield failure("audit", f"entry {broken} does not follow from the one before: it was changed", mend)


def vault(connection: Connection, key: Path) -> Findings:
    """Whether the vault's key opens what is sealed."""
    mend = f"Put the right key into {key}: it is in every dump of this instance."
    backup = connection.execute(
        select(backups.c.device, backups.c.sealed).order_by(backups.c.id.desc()).limit(1)
    ).one_or_none()
    secrets = every_secret(connection)
    if backup is None and not secrets:
        keys = connection.scalar(select(func.count()).select_from(engine_keys)) or 0
        yield fine("vault", "no configuration is sealed yet" + (f"; {keys} SNMPv3 keys are" if keys else ""))
        return
    what = [f"{backup.device}'s configuration"] if backup is not None else []
    what += [f"{len(secrets)} secrets"] if secrets else []
    if not key.exists():  # opening would make a new one, which fits nothing
        yield failure("vault", f"there is no {key}, and it seals {' and '.join(what)}", mend)
        return
    try:
        opened = open_vault(key)
        if backup is not None:
            opened.open(backup.sealed, backup.device)
        closed = unopened(connection, opened)
    except LedgerError as error:
        yield failure("vault", str(error), mend)
        return
    if closed:
        again = f"{mend} Or set them anew: cuntong secret set NAME"
        yield failure("vault", f"sealed with another key are the secrets {', '.join(closed)}", again)
    else:
        yield fine("vault", f"the key opens what is sealed: {' and '.join(what)}")


def held_secrets(connection: Connection, files: Path, inventory: Path) -> Findings:
    """Whether what the inventory refers to is kept, and nothing twice."""
    for one in held({kept.name: kept for kept in every_secret(connection)}, files, uses(inventory)):
        if one.vault is None and one.file is None:
            said = f"secret://{one.name} is kept nowhere, and meant in {', '.join(one.uses[:3])}"
            yield warning("secrets", said, f"cuntong secret set {one.name}")
        elif one.vault is not None and one.file is not None:
            path = files / one.name
            yield warning("secrets", f"{one.name} is in the vault, and {path} is not read any more", f"rm {path}")


def work(connection: Connection, county: str, now: float) -> Findings:
    """Whether timed work is done."""
    every = jobs.of_county(connection, county)
    if not every:
        yield warning("jobs", "no worker has declared timed work", "Start one: cuntong work, or cuntong up.")
        return
    runs = jobs.newest_runs(connection, county)
    wrong: list[Finding] = []
    for job in every:
        last = runs.get(job.name)
        if now - job.due_at > _LATE_S and job.expires_at < now:
            wrong.append(
                failure("jobs", f"{job.name} is due since {_told(job.due_at)}", "Start a worker: cuntong work.")
            )
        elif last is not None and last.outcome is jobs.Outcome.FAILED:
            said = last.said.rpartition("\n")[2]
            wrong.append(
                failure("jobs", f"{job.name} failed: {said}", f"Mend that, then: cuntong jobs --run {job.name}")
            )
    yield from wrong
    if not wrong:
        done = connection.scalar(select(func.max(job_runs.c.ended_at)).where(job_runs.c.county == county))
        yield fine("jobs", f"{len(every)} jobs, none late" + (f", the last at {_told(done)}" if done else ""))


def collectors(engine: Engine, county: str, now: float) -> Findings:
    held = [lease for lease in leases.current(engine, now) if lease.county == county]
    if held:
        yield fine("collector", f"{held[0].holder} collects {county}, metrics on {held[0].address}")
    else:
        yield failure(
            "collector", f"nobody collects {county}: it is unknown", "Start it: cuntong up, or cuntong collect."
        )


def dumps(connection: Connection, now: float) -> Findings:
    last = connection.scalar(select(func.max(audit.c.at)).where(audit.c.action == "system.dump"))
    mend = "cuntong dump FILE now; each night: work: {dump: '01:30'} in county.yml with CUNTONG_DUMP_RECIPIENT set."
    if last is None:
        yield warning("dump", "this instance was never dumped", mend)
    elif now - last > _OLD_DUMP_S:
        yield warning("dump", f"the newest dump is of {_told(last)}", mend)
    else:
        yield fine("dump", f"the newest is of {_told(last)}")


def settled(connection: Connection, now: float) -> Findings:
    try:
        require_settled(connection, now)
    except UnsettledError as error:
        yield failure("restore", str(error), "cuntong runs shows what was under way.")


def heartbeat(connection: Connection, now: float) -> Findings:
    """Whether Alertmanager's heartbeat reaches us: then its way to the outside watchdog is alive, too."""
    last = connection.scalar(select(func.max(alerts.c.recorded_at)).where(alerts.c.alertname == "Watchdog"))
    mend = "Look at Prometheus and Alertmanager (docs/runbooks/Watchdog.md), and let deploy/watchdog run elsewhere."
    if last is None:
        yield warning("watchdog", "no heartbeat of Alertmanager was ever heard", mend)
    elif now - last > _BEAT_S:
        yield failure("watchdog", f"the last heartbeat of Alertmanager is of {_told(last)}", mend)
    else:
        yield fine("watchdog", "Alertmanager's heartbeat is heard")


def _told(at: Any) -> str:
    return datetime.fromtimestamp(float(at), CHINA).isoformat(" ", "minutes")[:16]


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    order = ("fail", "warn", "ok")
    return sorted(findings, key=lambda one: order.index(one.state))
