"""What tests of several folders share."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

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
