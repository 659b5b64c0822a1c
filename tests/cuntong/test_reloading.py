"""``cuntong reload``: running programs change over to the inventory that was put in force, and to no other."""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from sqlalchemy import Engine

from api.actions.errors import ForbiddenError
from api.actions.inventories import switch
from cuntong import http, up
from cuntong.demo import EXAMPLE
from cuntong.reloading import Switchover
from cuntong.supervise import Supervisor
from inventory.loader import load
from ledger import audit, inventories, leases
from ledger.accounts import Account, Grant, Role
from ledger.database import open_ledger, sqlite_url

if TYPE_CHECKING:
    from tests.cuntong.conftest import Command

TOP = "511825000000"
ENGINEER = Account("wang", "", (Grant(Role.NETWORK_ENGINEER, TOP),), disabled=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A county that one may edit."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "county"))


@pytest.fixture
def engine(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    url = sqlite_url(home / "ledger.sqlite3")
    monkeypatch.setenv("CUNTONG_LEDGER", url)
    engine = open_ledger(url)
    yield engine
    engine.dispose()


def edit(folder: Path) -> None:
    """What an engineer does: a sentence more in a file."""
    with (folder / "county.yml").open("a", encoding="utf-8") as file:
        file.write("# seen by the engineer\n")


@dataclass(frozen=True)
class Programs:
    page: str
    supervisor: Supervisor

    def pids(self) -> list[int]:
        return [program.process.pid for program in self.supervisor.programs if program.process is not None]

    def inventory(self) -> str:
        """The hash of the one from which the API answers; empty while it does not."""
        try:
            answer = httpx.get(f"{self.page}/healthz", timeout=5)
        except httpx.HTTPError:
            return ""
        return str(answer.json()["inventory"])


@pytest.fixture
def programs(folder: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[Programs]:
    monkeypatch.setenv("CUNTONG_OPEN_READING", "true")
    port, metrics = http.free_port(), http.free_port()
    with Supervisor(
        [
            up.collector(folder, "127.0.0.1", metrics, simulated=9, log_file=home / "collector.log"),
            up.server(folder, "127.0.0.1", port, home / "api.log"),
            up.worker(folder, home / "worker.log"),
        ]
    ) as supervisor:
        yield Programs(f"http://127.0.0.1:{port}", supervisor)


def epoch(engine: Engine) -> int:
    return max((lease.epoch for lease in leases.current(engine, time.time())), default=0)


def test_every_program_changes_over_in_its_own_process(
    programs: Programs, folder: Path, engine: Engine, home: Path, until: Callable[..., None]
) -> None:
    before = load(folder)
    until(lambda: programs.inventory() == before.content_hash and epoch(engine) == 1)
    until(lambda: (home / "worker.log").exists())
    pids = programs.pids()
    edit(folder)
    after = load(folder)
    time.sleep(2.5)  # longer than they take to look: what is merely written is not in force
    assert programs.inventory() == before.content_hash
    assert switch(engine, after, ENGINEER, time.time())
    until(lambda: programs.inventory() == after.content_hash and epoch(engine) == 2)
    until(lambda: "changing over" in (home / "worker.log").read_text("utf-8"))
    assert programs.pids() == pids
    assert all(program.alive for program in programs.supervisor.programs)
    with engine.connect() as connection:
        assert audit.first_broken(connection) is None
        assert [entry.action for entry in audit.entries(connection)] == ["switch inventory"]


def test_a_folder_that_holds_something_else_is_not_read(
    folder: Path, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    running = Switchover(engine, load(folder))
    assert not running.look(), "nobody put anything in force"
    edit(folder)
    assert switch(engine, load(folder), ENGINEER, time.time())
    edit(folder)  # and now git brings yet another one
    assert not running.look()
    assert not running.look()
    assert len(caplog.records) == 1, "it is said once"
    assert "wang put inventory" in caplog.text
    assert not running.wanted


def test_only_who_may_puts_an_inventory_in_force_and_twice_is_once(folder: Path, engine: Engine) -> None:
    operator = Account("li", "", (Grant(Role.NOC_OPERATOR, TOP),), disabled=False)
    inventory = load(folder)
    with pytest.raises(ForbiddenError, match="li may not put an inventory in force"):
        switch(engine, inventory, operator, 1.0)
    assert switch(engine, inventory, ENGINEER, 1.0)
    assert not switch(engine, inventory, ENGINEER, 2.0)
    with engine.connect() as connection:
        newest = inventories.newest_switch(connection, TOP)
    assert newest is not None
    assert (newest.content_hash, newest.by, newest.at) == (inventory.content_hash, "wang", 1.0)


def test_the_command_needs_a_login_and_a_sound_inventory(folder: Path, engine: Engine, cuntong: "Command") -> None:
    said = cuntong("reload", folder)
    assert (said.code, "cuntong login" in said.err) == (1, True)
    (folder / "county.yml").write_text("title: ''\n", "utf-8")
    assert cuntong("reload", folder).code == 2
