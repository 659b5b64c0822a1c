"""What tests of several folders share."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine, text

from ledger.database import open_ledger, sqlite_url

# Properties are about what holds, not about how fast this machine finds examples while others use it.
settings.register_profile("cuntong", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("cuntong")

REPO = Path(__file__).resolve().parent.parent
SHARED = REPO.parent / "shared"


def required(what: str, present: bool) -> None:
    """Skip where a real part is missing; in CI (``LAB_REQUIRED=1``) its absence is a failure."""
    if present:
        return
    if os.environ.get("LAB_REQUIRED") == "1":
        pytest.fail(f"{what} is missing, and LAB_REQUIRED=1 forbids skipping")
    pytest.skip(f"{what} is not installed: run 'make debian' as root")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file is a worker's, so that what it shares is made once; files that look at the demo county share one county."""
    looking = {item.path for item in items if "running" in getattr(item, "fixturenames", ())}
    for item in items:
        item.add_marker(pytest.mark.xdist_group("county" if item.path in looking else item.path.stem))


@pytest.fixture(scope="session")
def need() -> Callable[[str, bool], None]:
    """Skips, or in CI fails, where a part is missing."""
    return required


@pytest.fixture(scope="session")
def shared() -> Path:
    """Recordings and lists that are not part of the project."""
    if not SHARED.is_dir():
        pytest.skip("the recordings and division lists beside the project are not here")
    return SHARED


@pytest.fixture(scope="session")
def program() -> "type[Programs]":
    return Programs


class Programs:
    """Finds the real parts that tests run."""

    @staticmethod
    def path(name: str) -> str:
        found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
        required(name, found is not None)
        assert found is not None
        return found


class Postgres:
    """Debian's PostgreSQL on a socket in a folder of its own: nothing listens on a port, and nothing is kept.

    Each ledger is a copy of one that was migrated once.
    """

    def __init__(self, bin: Path, place: Path, owner: str | None) -> None:
        self._bin, self._place, self._owner, self._number = bin, place, owner, count(1)
        self._run("initdb", "-D", f"{place}/data", "-U", "cuntong", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses= -c unix_socket_directories={place} -c fsync=off -c full_page_writes=off"
        options += " -c synchronous_commit=off -c max_connections=200"
        self._run("pg_ctl", "-D", f"{place}/data", "-l", f"{place}/log", "-w", "-o", options, "start")
        self._admin = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        self._do("create database migrated")
        open_ledger(self.url("migrated")).dispose()

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://cuntong@/{name}?host={self._place}"

    def ledger(self) -> str:
        """The URL of a ledger that nobody wrote to yet."""
        name = f"ledger{next(self._number)}"
        self._do(f"create database {name} template migrated")
        return self.url(name)

    def empty(self) -> str:
        """The URL of a database without any table."""
        name = f"empty{next(self._number)}"
        self._do(f"create database {name}")
        return self.url(name)

    def stop(self) -> None:
        self._admin.dispose()
        self._run("pg_ctl", "-D", f"{self._place}/data", "-m", "immediate", "-w", "stop")

    def _do(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(statement))

    def _run(self, program: str, *arguments: str) -> None:
        ran = subprocess.run(
            [self._bin / program, *arguments], user=self._owner, cwd=self._place,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT, timeout=120, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, (ran.stdout or b"").decode() or (self._place / "log").read_text()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server for this run of the tests."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    required("postgresql", bool(found))
    # It refuses to run as root; and root's temporary folders are closed to others.
    place = Path(tempfile.mkdtemp(prefix="cuntong-postgres-"))
    owner = None
    if os.getuid() == 0:
        owner = next(name for name in ("postgres", "nobody") if _is_user(name))
        shutil.chown(place, owner)
    server = Postgres(found[-1].parent, place, owner)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(place)


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new ledger, in each database that we run on."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "ledger.sqlite3")
    server: Postgres = request.getfixturevalue("postgres")
    return server.ledger()
