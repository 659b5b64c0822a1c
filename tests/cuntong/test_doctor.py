"""``cuntong doctor``: a well instance, and one with each thing broken."""

import json
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Connection, insert, text

from cuntong.demo import EXAMPLE
from cuntong.doctor import machine
from cuntong.doctor.findings import State
from cuntong.secret_uses import uses
from ledger import audit, backups, jobs, leases
from ledger.database import open_ledger, sqlite_url
from ledger.tables import site_events
from ledger.vault import open_vault
from ledger.work_tables import job_runs

if TYPE_CHECKING:
    from tests.cuntong.conftest import Command, Running

COUNTY = "511825000000"
NOW = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture
def well(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An instance in order, as far as a machine without a time service and a Prometheus can be."""
    state = home / "state" / "cuntong"
    state.mkdir(parents=True)
    shutil.copytree(EXAMPLE, home / "inventory")
    monkeypatch.setenv("CUNTONG_INVENTORY", str(home / "inventory"))
    for name in uses(EXAMPLE):
        file = home / "secrets" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("told to nobody")
        file.chmod(0o600)
    monkeypatch.setenv("CUNTONG_SECRETS", str(home / "secrets"))
    engine = open_ledger(sqlite_url(state / "ledger.sqlite3"))
    now = time.time()
    with engine.begin() as connection:
        audit.record(connection, now, "os:cuntong", "system.dump", "x")
        vault = open_vault(state / "vault.key")
        backups.keep_backup(connection, vault, "r1", "vrp", "nightly", "sysname r1", "f", "sysname r1", 9.0)
    jobs.declare(engine, COUNTY, {"inspection": now + 3600})
    leases.acquire(engine, COUNTY, "server-1", "127.0.0.1:9161", now, 600)
    engine.dispose()
    return home


def findings(cuntong: "Command", *more: object) -> dict[str, list[tuple[str, str, str]]]:
    said = cuntong("doctor", "--json", *(more or ("--no-ask",)))
    found: dict[str, list[tuple[str, str, str]]] = {}
    for one in json.loads(said.out):
        found.setdefault(one["check"], []).append((one["state"], one["said"], one["mend"]))
    failed = any(state == "fail" for many in found.values() for state, _, _ in many)
    assert said.code == (1 if failed else 0)
    return found


def test_an_instance_in_order_has_nothing_to_mend(well: Path, cuntong: "Command") -> None:
    found = findings(cuntong)
    assert not [one for many in found.values() for one in many if one[0] == "fail"]
    for check in ("ledger", "audit", "vault", "inventory", "jobs", "collector", "dump", "secrets", "python", "disk"):
        assert {state for state, _, _ in found[check]} == {"ok"}, found[check]
    assert "in order" in cuntong("doctor", "--no-ask").out


def changed(home: Path, change: Callable[[Connection], object]) -> None:
    engine = open_ledger(sqlite_url(home / "state" / "cuntong" / "ledger.sqlite3"))
    with engine.begin() as connection:
        change(connection)
    engine.dispose()


def _open_secret(home: Path) -> None:
    (home / "secrets" / "leftover").write_text("public")
    (home / "secrets" / "leftover").chmod(0o644)


def _other_key(home: Path) -> None:
    (home / "state" / "cuntong" / "vault.key").write_text("ab" * 32)


def _no_key(home: Path) -> None:
    (home / "state" / "cuntong" / "vault.key").unlink()


def _bad_inventory(home: Path) -> None:
    county = home / "inventory" / "county.yml"
    county.write_text(county.read_text("utf-8") + "surprise: yes\n", "utf-8")


def _late_job(home: Path) -> None:
    changed(home, lambda connection: connection.execute(text("update jobs set due_at = 1000")))


def _failed_job(home: Path) -> None:
    row = {
        "county": COUNTY, "job": "inspection", "due_at": 1.0, "began_at": 1.0, "ended_at": 2.0, "outcome": "failed",
        "said": "one\nno room on the disk",
    }  # fmt: skip
    changed(home, lambda connection: connection.execute(insert(job_runs).values(row)))


def _altered_audit(home: Path) -> None:
    changed(home, lambda connection: connection.execute(text("update audit set actor = 'somebody'")))


def _nobody_collects(home: Path) -> None:
    changed(home, lambda connection: connection.execute(text("update leases set expires_at = 0")))


def _clock_back(home: Path) -> None:
    row = {
        "county": COUNTY, "epoch": 1, "seq": 1, "happened_at": 1.0, "recorded_at": time.time() + 7200, "site": "x",
        "aspect": "reachable", "verdict": "yes", "reason": "",
    }  # fmt: skip
    changed(home, lambda connection: connection.execute(insert(site_events).values(row)))


def _damaged(home: Path) -> None:
    file = home / "state" / "cuntong" / "ledger.sqlite3"
    data = bytearray(file.read_bytes())
    data[-40_000:-20_000] = bytes(20_000)
    file.write_bytes(data)


@pytest.mark.parametrize(
    ("breaks", "check", "says"),
    [
        (_open_secret, "secrets", "others may read"),
        (_other_key, "vault", "another key, or damaged"),
        (_no_key, "vault", "it seals r1's configuration"),
        (_bad_inventory, "inventory", "surprise"),
        (_late_job, "jobs", "inspection is due since"),
        (_failed_job, "jobs", "no room on the disk"),
        (_altered_audit, "audit", "entry 1 does not follow"),
        (_nobody_collects, "collector", "nobody collects 511825000000"),
        (_clock_back, "clock", "a jump back"),
        (_damaged, "ledger", "damaged"),
    ],
)
def test_what_is_broken_is_named_with_what_mends_it(
    breaks: Callable[[Path], None], check: str, says: str, well: Path, cuntong: "Command"
) -> None:
    breaks(well)
    failed = [one for one in findings(cuntong)[check] if one[0] == "fail"]
    assert [says in said for _, said, _ in failed] == [True]
    assert all(mend for _, _, mend in failed)
    assert not (well / "state" / "cuntong" / "vault.key").exists() or breaks is not _no_key, "it makes no key"


@pytest.mark.parametrize(("days", "state"), [(200, State.FINE), (20, State.WARNING), (-1, State.FAILURE)])
def test_a_certificate_that_ends_is_named_in_time(days: int, state: State, tmp_path: Path) -> None:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    ends = NOW + timedelta(days=days)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(NOW - timedelta(days=400)).not_valid_after(ends)
    file = tmp_path / "server.pem"
    file.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    assert [one.state for one in machine.certificates([file], NOW.timestamp())] == [state]
    file.write_text("nothing")
    assert [one.state for one in machine.certificates([file], NOW.timestamp())] == [State.FAILURE]


@pytest.mark.parametrize(
    ("synchronised", "wrong_by_s", "state"),
    [(True, 0.01, State.FINE), (True, 2.0, State.WARNING), (False, 0.0, State.WARNING)],
)
def test_a_clock_that_nobody_keeps_is_a_warning(synchronised: bool, wrong_by_s: float, state: State) -> None:
    (found,) = machine.judge_clock(synchronised=synchronised, wrong_by_s=wrong_by_s, estimated_s=0.0)
    assert found.state is state


def test_the_kernel_is_asked_for_its_clock() -> None:
    assert [one.check for one in machine.clock()] == ["clock"]


def test_devices_are_asked_by_each_credential(
    running: "Running", well: Path, cuntong: "Command", monkeypatch: pytest.MonkeyPatch
) -> None:
    port = next(
        int(part[-1])
        for program in running.stage.supervisor.programs
        if "--simulated" in (part := list(program.arguments))
    )
    found = findings(cuntong, EXAMPLE, "--simulated", port)
    assert {state for state, _, _ in found["credentials"]} == {"ok"}
    monkeypatch.setenv("CUNTONG_TIMEOUT_S", "0.05")
    monkeypatch.setenv("CUNTONG_RETRIES", "0")
    silent = findings(cuntong, EXAMPLE, "--simulated", 9)
    assert all(state == "fail" and "none of" in said for state, said, _ in silent["credentials"])
