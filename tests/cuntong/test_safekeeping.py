"""``cuntong dump`` and ``restore``: every word of an instance comes back, or nothing is touched."""

import getpass
import os
import pwd
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine, select, text, update

from cuntong.cli import finish_switch
from cuntong.demo import EXAMPLE
from cuntong.errors import StartError
from cuntong.safekeeping import switching
from inventory.vocabulary import Aspect, Claim, Verdict
from ledger import audit, backups, claims, history, leases, rollouts, staging
from ledger.database import head, open_ledger, sqlite_url
from ledger.errors import FencedError
from ledger.instance_tables import restores
from ledger.journal import Journal, SiteEvent
from ledger.portable import layouts
from ledger.restores import EPOCHS_AHEAD, instance_id
from ledger.rollouts import KeptPlan, RunState
from ledger.settling import UnsettledError
from ledger.tables import leases as lease_table
from ledger.tables import sessions as session_table
from ledger.vault import open_vault

if TYPE_CHECKING:
    from tests.cuntong.conftest import Command, Running

REPO = Path(__file__).parents[2]
COUNTY = "511825000000"
PASSPHRASE = "a mule, a well and four lanterns"  # noqa: S105  of these tests alone
PLAN = KeptPlan("ab" * 32, "wang", "天全县", 1000.0, "{}")
BOOKKEEPING = {"leases", "jobs", "senders", "runs", "device_locks", "restores", "audit", "sessions"}


class Instance:
    """An instance of its own on this machine: state, inventory, secrets, ledger."""

    def __init__(self, place: Path, ledger: str = "") -> None:
        self.place, self.state = place, place / "state" / "cuntong"
        self.inventory, self.secrets = place / "inventory", place / "secrets"
        self.ledger = ledger or sqlite_url(self.state / "ledger.sqlite3")
        self.passphrase = place / "passphrase"
        place.mkdir(parents=True, exist_ok=True)
        self.passphrase.write_text(PASSPHRASE)
        self.environment = {
            "XDG_STATE_HOME": str(place / "state"), "XDG_CACHE_HOME": str(place / "cache"),
            "CUNTONG_INVENTORY": str(self.inventory), "CUNTONG_SECRETS": str(self.secrets),
            "CUNTONG_DUMP_PASSPHRASE": str(self.passphrase), "CUNTONG_LEDGER": self.ledger,
        }  # fmt: skip

    def fill(self) -> None:
        shutil.copytree(EXAMPLE, self.inventory)
        for arguments in (["init"], ["add", "-A"], ["commit", "-m", "the county"]):
            identity = ["-c", "user.name=wang", "-c", "user.email=wang@example.org"]
            subprocess.run(["git", *identity, *arguments], cwd=self.inventory, check=True, capture_output=True)
        (self.secrets / "snmp").mkdir(parents=True)
        secret = self.secrets / "snmp" / "routers"
        secret.write_text("told to nobody")
        secret.chmod(0o600)
        (self.state / "reports").mkdir(parents=True)
        (self.state / "reports" / "bulletin.docx").write_bytes(bytes(range(256)) * 300)
        engine = open_ledger(self.ledger)
        vault = open_vault(self.state / "vault.key")
        lease = leases.acquire(engine, COUNTY, "old-server", "127.0.0.1:9161", 1000.0, 60)
        journal = Journal(engine, lease, lambda: 1000.0, 60)
        for number in range(50):
            journal.add(SiteEvent(1000.0 + number / 3, f"tq-{number}", Aspect.REACHABLE, Verdict.YES))
        journal.flush(1000.0)
        journal.flush(4600.0)
        with engine.begin() as connection:
            claims.record(
                connection, claims.SaidClaim("tq-1", Claim.CONNECTED, date(2021, 6, 10), "办公室", 'a "letter"\n'), 1.5
            )
            backups.keep_backup(connection, vault, "r1", "vrp", "nightly", "sysname r1", "f", "sysname r1", 9.0, True)
            audit.record(connection, 1000.0, "wang", "run.start", "r1")
            rollouts.keep_plan(connection, PLAN)
        rollouts.start(engine, "r1", PLAN.sha256, "wang", "old-server", 1000.0, 15)
        engine.dispose()

    def run(self, *arguments: object) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "cuntong", *map(str, arguments)], env={**os.environ, **self.environment},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        engine = open_ledger(self.ledger)
        try:
            with engine.connect() as connection:
                return {
                    one.table: sorted(
                        tuple(_plain(value) for value in row)
                        for row in connection.execute(text(f'select * from "{one.table}"'))  # noqa: S608
                    )
                    for one in layouts(connection)
                    if one.table not in BOOKKEEPING
                }
        finally:
            engine.dispose()

    def files(self) -> dict[str, tuple[int, bytes]]:
        """What stands where, beside the ledger."""
        found = {}
        for folder in (self.inventory, self.secrets, self.state / "reports"):
            for file in sorted(folder.rglob("*")):
                if file.is_file():
                    found[str(file.relative_to(self.place))] = (file.stat().st_mode, file.read_bytes())
        return found


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Instance:
    """An instance with something of everything; only looked at."""
    instance = Instance(tmp_path_factory.mktemp("full"))
    instance.fill()
    return instance


@pytest.fixture(scope="module")
def dumped(full: Instance) -> Path:
    file = full.place / "night.dump"
    said = full.run("dump", file)
    assert said.returncode == 0, said.stderr
    assert "read back whole" in said.stdout
    return file


def _plain(value: Any) -> Any:
    """A day is a text on the one database and a date on the other, when no type is asked for."""
    return value.isoformat() if isinstance(value, date) else int(value) if isinstance(value, bool) else value


def use(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in instance.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> Instance:
    instance = Instance(tmp_path / "bare")
    use(instance, monkeypatch)
    return instance


def restored(bare: Instance, file: Path, cuntong: "Command", *more: object) -> Iterator[Engine]:
    done = cuntong("restore", file, *more)
    assert done.code == 0, done.err
    engine = open_ledger(bare.ledger)
    yield engine
    engine.dispose()


def test_a_bare_machine_becomes_the_one_that_burnt(
    full: Instance, dumped: Path, bare: Instance, cuntong: "Command"
) -> None:
    done = cuntong("restore", dumped)
    assert done.code == 0, done.err
    assert bare.rows() == full.rows()
    assert bare.files() == full.files()
    log = ["git", "-C", str(bare.inventory), "log", "--format=%s"]
    assert subprocess.run(log, capture_output=True, text=True, check=True).stdout == "the county\n"
    engine = open_ledger(bare.ledger)
    with engine.connect() as connection:
        assert backups.open_backup(connection, open_vault(bare.state / "vault.key"), "r1", id=1) == "sysname r1"
        assert audit.first_broken(connection) is None
    engine.dispose()
    for said in ("cuntong apply --resume r1", "cuntong login", "counts as no outage"):
        assert said in done.out
    assert cuntong("check").code == 0


@pytest.mark.parametrize("way", ["sqlite to postgresql", "postgresql to sqlite"])
def test_a_dump_of_one_database_restores_into_the_other(
    way: str, full: Instance, dumped: Path, bare: Instance, postgres: Any, tmp_path: Path
) -> None:
    other = Instance(tmp_path / "other", postgres.empty())
    assert other.run("restore", dumped).returncode == 0
    assert other.rows() == full.rows()
    if way == "postgresql to sqlite":
        again = tmp_path / "again.dump"
        said = other.run("dump", again)
        assert said.returncode == 0, said.stderr
        assert bare.run("restore", again).returncode == 0
        assert bare.rows() == full.rows()
        return
    # It counts on from the rows that were loaded.
    engine = open_ledger(other.ledger)
    lease = leases.acquire(engine, COUNTY, "new-server", "127.0.0.1:9161", 9000.0, 60)
    journal = Journal(engine, lease, lambda: 9000.0, 60)
    journal.add(SiteEvent(9000.0, "tq-1", Aspect.REACHABLE, Verdict.NO))
    journal.flush(9000.0)
    engine.dispose()
    # And again over it: what was there goes to a schema of its own.
    assert "--replace" in other.run("restore", dumped).stderr
    said = other.run("restore", dumped, "--replace")
    assert said.returncode == 0, said.stderr
    assert "schema before_restore_" in said.stdout
    assert other.rows() == full.rows()


def test_what_is_left_of_the_old_server_is_fenced(
    full: Instance, dumped: Path, bare: Instance, cuntong: "Command"
) -> None:
    for engine in restored(bare, dumped, cuntong):
        old = leases.Lease(COUNTY, 5, "old-server", "127.0.0.1:9161", 1e12)
        zombie = Journal(engine, old, time.time, 60)
        zombie.add(SiteEvent(2000.0, "tq-1", Aspect.REACHABLE, Verdict.NO))
        with pytest.raises(FencedError):
            zombie.flush(2000.0)
        lease = leases.acquire(engine, COUNTY, "new-server", "127.0.0.1:9161", time.time(), 60)
        assert lease.epoch == 1 + EPOCHS_AHEAD + 1
        with pytest.raises(FencedError), engine.connect() as connection:
            rollouts.may_send(connection, "r1", 1, time.time())


def test_the_time_between_is_unknown_and_no_outage(
    full: Instance, dumped: Path, bare: Instance, cuntong: "Command"
) -> None:
    for engine in restored(bare, dumped, cuntong):
        lease = leases.acquire(engine, COUNTY, "new-server", "127.0.0.1:9161", 20_000.0, 60)
        journal = Journal(engine, lease, lambda: 20_000.0, 60)
        journal.flush(20_000.0)
        journal.flush(20_600.0)
        with engine.connect() as connection:
            assert list(history.outages(connection)) == []
            spans = history.watched(connection, COUNTY)
        assert [(span[0], span[1]) for span in spans] == [(1000.0, 4600.0), (20_000.0, 20_600.0)]


def test_nothing_is_sent_to_routers_before_those_of_before_are_settled(
    full: Instance, dumped: Path, bare: Instance, cuntong: "Command"
) -> None:
    for engine in restored(bare, dumped, cuntong):
        now = time.time()
        with pytest.raises(UnsettledError, match=r"fall back by themselves for another 3\d\d\d s"):
            rollouts.take_over(engine, "r1", "new-server", now, 15)
        later = now + 3700
        with pytest.raises(UnsettledError, match="First `cuntong apply --resume r1`"):
            rollouts.start(engine, "r2", "cd" * 32, "wang", "new-server", later, 15)
        run = rollouts.take_over(engine, "r1", "new-server", later, 15)
        assert run.epoch == 1 + EPOCHS_AHEAD + 1
        with engine.begin() as connection:
            rollouts.steer(connection, "r1", RunState.ENDED)
        assert rollouts.start(engine, "r2", "cd" * 32, "wang", "new-server", later, 15).id == "r2"


def test_timers_count_from_when_the_old_server_is_known_to_be_off(
    full: Instance, dumped: Path, bare: Instance, cuntong: "Command"
) -> None:
    for engine in restored(bare, dumped, cuntong, "--off-since", "2020-01-01T00:00"):
        assert rollouts.take_over(engine, "r1", "new-server", time.time(), 15)


def test_logins_end_with_the_old_server(full: Instance, bare: Instance, cuntong: "Command", tmp_path: Path) -> None:
    place = Instance(tmp_path / "with-logins")
    shutil.copytree(full.place / "state", place.place / "state")
    shutil.copytree(EXAMPLE, place.inventory)
    engine = open_ledger(place.ledger)
    with engine.begin() as connection:
        for kind in ("session", "web", "token"):
            connection.execute(
                session_table.insert().values(
                    token_sha256=kind, account="wang", kind=kind, title="", scopes="read", division="",
                    created_at=1.0, expires_at=1e12,
                )
            )  # fmt: skip
    engine.dispose()
    assert place.run("dump", tmp_path / "x.dump").returncode == 0
    for engine in restored(bare, tmp_path / "x.dump", cuntong):
        with engine.connect() as connection:
            left = select(session_table.c.kind).where(session_table.c.revoked_at.is_(None))
            assert list(connection.scalars(left)) == ["token"]


REFUSED = {
    "cut off in the middle": lambda data: data[: len(data) // 2],
    "cut off by a byte": lambda data: data[:-1],
    "cut off in the header": lambda data: data[:40],
    "one bit turned": lambda data: (
        data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 4]) + data[len(data) // 2 + 1 :]
    ),
    "one bit of the header turned": lambda data: data[:60] + bytes([data[60] ^ 1]) + data[61:],
    "something added": lambda data: data + b"x",
    "no dump": lambda data: b"PK" + data,
    "of a newer program": lambda data: data.replace(b"DUMP 1", b"DUMP 2", 1),
}


@pytest.mark.parametrize("damage", REFUSED)
def test_a_dump_that_is_not_what_was_written_is_refused_in_one_line_and_nothing_is_changed(
    damage: str, dumped: Path, bare: Instance, cuntong: "Command", tmp_path: Path
) -> None:
    file = tmp_path / "bad.dump"
    file.write_bytes(REFUSED[damage](dumped.read_bytes()))
    before = sorted(bare.place.rglob("*"))
    for command in (["restore", file], ["dump", file, "--verify"]):
        said = cuntong(*command)
        assert said.code == 1
        assert said.err.startswith("bad.dump") or str(file) in said.err
        assert said.err.count("\n") == 1
    left = [path for path in sorted(bare.place.rglob("*")) if path not in before]
    assert [path.name for path in left if path.name not in ("state", "cuntong")] == ["switch.lock"]


def test_the_wrong_passphrase_opens_nothing(dumped: Path, bare: Instance, cuntong: "Command") -> None:
    bare.passphrase.write_text("another sentence altogether")
    assert "another passphrase or key" in cuntong("restore", dumped).err


def test_a_dump_for_a_recipient_is_opened_by_the_private_key_alone(
    full: Instance, bare: Instance, cuntong: "Command", tmp_path: Path
) -> None:
    key = tmp_path / "dumps.key"
    public = cuntong("dump-key", key).out.strip().removeprefix("CUNTONG_DUMP_RECIPIENT=")
    assert key.stat().st_mode & 0o777 == 0o600
    said = full.run("dump", tmp_path / "for.dump", "--recipient", public)
    assert said.returncode == 0, said.stderr
    assert "private key of its recipient" in cuntong("dump", tmp_path / "for.dump", "--verify").err
    assert cuntong("restore", tmp_path / "for.dump", "--key", key).code == 0
    assert bare.rows() == full.rows()


def test_a_dump_of_another_instance_or_over_something_wants_its_words(
    dumped: Path, bare: Instance, cuntong: "Command", tmp_path: Path
) -> None:
    bare.state.mkdir(parents=True)
    open_ledger(bare.ledger).dispose()
    said = cuntong("restore", dumped)
    assert (said.code, "--adopt-instance" in said.err) == (2, True)
    said = cuntong("restore", dumped, "--adopt-instance")
    assert (said.code, "--replace" in said.err) == (2, True)
    (bare.state / "vault.key").write_text("the other instance's")
    assert cuntong("restore", dumped, "--adopt-instance", "--replace").code == 0
    (aside,) = bare.state.glob("vault.key.before-restore-*")
    assert aside.read_text() == "the other instance's"


def test_a_ledger_that_is_in_use_is_not_replaced(dumped: Path, bare: Instance, cuntong: "Command") -> None:
    assert cuntong("restore", dumped).code == 0
    code = f"import sqlite3,time; c=sqlite3.connect({str(bare.state / 'ledger.sqlite3')!r}); "
    code += "c.execute('select 1 from alembic_version').fetchall(); print('open', flush=True); time.sleep(60)"
    user = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        assert user.stdout is not None
        user.stdout.readline()
        assert f"Process {user.pid} still use" in cuntong("restore", dumped, "--replace").err
    finally:
        user.kill()
        user.wait()
        assert user.stdout is not None
        user.stdout.close()
    engine = open_ledger(bare.ledger)
    with engine.begin() as connection:
        connection.execute(update(lease_table).values(holder="collector-1", expires_at=time.time() + 60))
    engine.dispose()
    assert "collector-1 still collects" in cuntong("restore", dumped, "--replace").err


def test_a_dump_of_a_newer_program_is_refused(
    full: Instance, bare: Instance, cuntong: "Command", tmp_path: Path
) -> None:
    newer = Instance(tmp_path / "newer")
    shutil.copytree(full.place / "state", newer.place / "state")
    shutil.copytree(EXAMPLE, newer.inventory)
    engine = open_ledger(newer.ledger)
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    engine.dispose()
    assert newer.run("dump", tmp_path / "newer.dump").returncode == 0  # rows are rows, whatever they mean
    said = cuntong("restore", tmp_path / "newer.dump")
    assert said.code == 1
    assert "version 9999, which this program does not know" in said.err
    # The same where the program is older than the ledger that it is started on.
    for command in (["jobs", EXAMPLE], ["runs"]):
        old = newer.run(*command)
        assert (old.returncode, old.stderr.count("\n")) == (1, 1)
        assert "a newer program wrote it. Upgrade this one." in old.stderr


def test_a_county_is_dumped_while_it_is_collected(running: "Running", tmp_path: Path, until: Any) -> None:
    ledger = running.stage.settings.ledger_url
    environment = {**os.environ, "CUNTONG_LEDGER": ledger, "XDG_STATE_HOME": str(tmp_path)}
    file, passphrase = tmp_path / "running.dump", tmp_path / "passphrase"
    passphrase.write_text(PASSPHRASE)
    engine = open_ledger(ledger)

    def watched() -> list[tuple[float, int]]:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text("select until, cycles from watch_intervals"))]

    before = watched()
    dump = [sys.executable, "-m", "cuntong", "dump", str(file)]
    dump += ["--passphrase-file", str(passphrase), "--inventory", str(EXAMPLE)]
    done = subprocess.run(dump, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    until(lambda: watched()[-1][1] > before[-1][1])
    assert len(watched()) == len(before), "the time that is watched has no gap"
    engine.dispose()


@pytest.mark.parametrize("at", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_restore_that_is_killed_leaves_the_old_or_the_new(
    at: float, dumped: Path, full: Instance, tmp_path: Path
) -> None:
    target = Instance(tmp_path / "target")
    target.fill()
    (target.inventory / "county.yml").write_text(
        (EXAMPLE / "county.yml").read_text("utf-8") + "# the old one\n", "utf-8"
    )
    engine = open_ledger(target.ledger)
    with engine.begin() as connection:
        old = instance_id(connection)
    engine.dispose()
    command = [sys.executable, "-m", "cuntong", "restore", str(dumped), "--replace", "--adopt-instance"]
    environment = {**os.environ, **target.environment}
    began = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(random.uniform(at, at + 0.2) * 2.2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert time.monotonic() - began < 60
    assert target.run("jobs").returncode == 0  # any command finishes what was decided
    assert not switching.pending(target.state)
    engine = open_ledger(target.ledger)
    with engine.connect() as connection:
        new = instance_id(connection) != old
        assert bool(connection.scalar(select(restores.c.id))) is new
    engine.dispose()
    assert ("# the old one" not in (target.inventory / "county.yml").read_text("utf-8")) is new
    if new:
        assert target.rows() == full.rows()


def test_a_restore_that_is_killed_between_two_moves_is_finished_by_the_next_command(
    dumped: Path, full: Instance, bare: Instance, cuntong: "Command", monkeypatch: pytest.MonkeyPatch
) -> None:
    bare.fill()
    done: list[switching.Move] = []
    move = switching._move

    def killed(one: switching.Move) -> None:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(one)
        move(one)

    monkeypatch.setattr(switching, "_move", killed)
    cuntong("restore", dumped, "--replace", "--adopt-instance")
    assert switching.pending(bare.state)
    monkeypatch.setattr(switching, "_move", move)
    assert cuntong("jobs").code == 0
    assert not switching.pending(bare.state)
    assert bare.rows() == full.rows()
    assert bare.files() == full.files()


def test_a_restore_into_postgresql_that_is_killed_before_its_tables_move_is_finished_by_the_next_command(
    dumped: Path, full: Instance, tmp_path: Path, postgres: Any, cuntong: "Command", monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Instance(tmp_path / "other", postgres.empty())
    use(other, monkeypatch)
    open_ledger(other.ledger).dispose()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(staging, "switch", killed)
        cuntong("restore", dumped, "--replace", "--adopt-instance")
    assert switching.pending(other.state)
    # With another ledger in the settings it is not finished into that one.
    monkeypatch.setenv("CUNTONG_LEDGER", sqlite_url(tmp_path / "wrong.sqlite3"))
    said = cuntong("jobs")
    assert (said.code, "CUNTONG_LEDGER is another ledger now" in said.err) == (1, True)
    monkeypatch.setenv("CUNTONG_LEDGER", other.ledger)
    assert cuntong("jobs").code == 0
    assert not switching.pending(other.state)
    assert other.rows() == full.rows()


def test_a_dump_that_is_killed_leaves_no_file_of_its_name(full: Instance, tmp_path: Path) -> None:
    for at in (0.9, 1.1, 1.3, 1.5):
        file = tmp_path / "killed.dump"
        command = [sys.executable, "-m", "cuntong", "dump", str(file)]
        environment = {**os.environ, **full.environment}
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(at, at + 0.3))
        process.kill()
        process.wait()
        if file.exists():
            assert full.run("dump", file, "--verify").returncode == 0
            file.unlink()
    assert full.run("dump", tmp_path / "killed.dump").returncode == 0  # what was left is no hindrance
    assert not list(tmp_path.glob(".*.partial"))


def test_of_old_dumps_the_newest_are_left(full: Instance, tmp_path: Path) -> None:
    for number in range(3):
        old = tmp_path / f"{number}.dump"
        old.write_bytes(b"x")
        os.utime(old, (number, number))
    assert full.run("dump", tmp_path / "now.dump", "--keep", "2").returncode == 0
    assert sorted(path.name for path in tmp_path.glob("*.dump")) == ["2.dump", "now.dump"]


def test_the_newest_version_is_the_one_that_is_written(full: Instance) -> None:
    engine = open_ledger(full.ledger)
    with engine.connect() as connection:
        assert connection.scalar(text("select version_num from alembic_version")) == head()
    engine.dispose()


def test_the_commands_for_the_day_the_server_burns_do_what_the_manual_says(
    full: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chapter = (
        (REPO / "docs" / "operations.md").read_text("utf-8").partition("## The server burns")[2].partition("\n## ")[0]
    )
    before, after = re.findall(r"^```sh\n(.*?)^```", chapter, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    del full.environment["CUNTONG_DUMP_PASSPHRASE"]
    other = Instance(tmp_path / "new-server")
    del other.environment["CUNTONG_DUMP_PASSPHRASE"]
    other.environment["CUNTONG_INVENTORY"] = str(tmp_path / "nowhere")

    def type_in(instance: Instance, text: str) -> list[str]:
        said = []
        for line in text.splitlines():
            words = shlex.split(line, comments=True)
            if words[0] != "cuntong":
                assert words[0] in {"sha256sum", "export", "useradd", "cp", "systemctl"}, line
                continue
            places = {"/srv/cuntong/inventory": str(instance.inventory), "/srv/dumps/today.dump": "today.dump"}
            owner = {"cuntong": getpass.getuser()} if "--owner" in words else {}
            done = instance.run(*({**places, **owner}.get(word, word) for word in words[1:]))
            assert done.returncode == 0, (line, done.stderr)
            said.append(done.stdout)
            if words[1] == "dump-key":
                name, _, public = done.stdout.strip().partition("=")
                instance.environment[name] = public
        return said

    type_in(full, before)
    restored, *_ = type_in(other, after)
    assert "What must be done, in this order:" in restored
    assert other.rows() == full.rows()
    assert other.files() == full.files()
    full.environment["CUNTONG_DUMP_PASSPHRASE"] = str(full.passphrase)
    del full.environment["CUNTONG_DUMP_RECIPIENT"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_who_owns_what_was_restored_can_work_with_it(dumped: Path, bare: Instance) -> None:
    said = bare.run("restore", str(dumped), "--owner", "nobody")
    assert said.returncode == 0, said.stderr
    nobody = pwd.getpwnam("nobody").pw_uid
    assert {path.stat().st_uid for path in (bare.state, *bare.state.rglob("*"))} == {nobody}


def test_a_state_folder_of_somebody_else_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_path: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", refused)
    with pytest.raises(StartError, match=r"belongs to somebody else\. Run this as its owner"):
        finish_switch()


def test_a_folder_that_is_no_inventory_is_neither_dumped_nor_moved_aside(
    dumped: Path, bare: Instance, cuntong: "Command", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    somebodys = tmp_path / "home"
    somebodys.mkdir()
    (somebodys / "letter").write_text("dear")
    monkeypatch.setenv("CUNTONG_INVENTORY", str(somebodys))
    for command in (["restore", dumped, "--replace"], ["dump", tmp_path / "x.dump"]):
        said = cuntong(*command)
        assert (said.code, "is no inventory" in said.err) == (2, True)
    assert (somebodys / "letter").read_text() == "dear"
    monkeypatch.setenv("CUNTONG_INVENTORY", str(tmp_path / "nowhere"))
    said = cuntong("dump", tmp_path / "x.dump")
    assert (said.code, "There is no inventory" in said.err) == (2, True)
