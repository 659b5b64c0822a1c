"""What tests of several folders share."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from benchmarks.postgres import Postgres, postgres_server, programs
from ledger.database import sqlite_url

# Properties are about what holds, not about how fast this machine finds examples while others use it.
settings.register_profile("cuntong", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("cuntong")

_LOOK_AT_THE_COUNTY: Final = frozenset(
    f"tests/{name}.py"
    for name in (
        "cuntong/test_demo", "cuntong/test_doctor", "cuntong/test_manuals", "cuntong/test_rules",
        "cuntong/test_safekeeping", "cuntong/test_wall", "test_deploy",
    )
)  # fmt: skip
REPO = Path(__file__).resolve().parent.parent
SHARED = REPO.parent / "shared"


def required(what: str, present: bool) -> None:
    """Skip where a real part is missing; in CI (``LAB_REQUIRED=1``) its absence is a failure."""
    if present:
        return
    if os.environ.get("LAB_REQUIRED") == "1":
        pytest.fail(f"{what} is missing, and LAB_REQUIRED=1 forbids skipping")
    pytest.skip(f"{what} is not installed: run 'make debian' as root")


class ByRoom(LoadScopeScheduling):  # type: ignore[misc]
    """A file is a worker's, so that what it shares is made once.

    Files that look at the demo county share one. All of the lab's are one worker's: their namespaces have names.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if file.startswith("tests/lab/"):
            return "lab"
        return "county" if file in _LOOK_AT_THE_COUNTY else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByRoom:
    return ByRoom(config, log)


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


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server for this run of the tests."""
    required("postgresql", programs() is not None)
    with postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new ledger, in each database that we run on."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "ledger.sqlite3")
    server: Postgres = request.getfixturevalue("postgres")
    return server.ledger()
