"""``cuntong upgrade``: a ledger of every earlier version, with rows in it, on both databases."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from cuntong.demo import EXAMPLE
from ledger.database import connect, head, migrate, revision

if TYPE_CHECKING:
    from tests.cuntong.conftest import Command

PASSPHRASE = "a mule, a well and four lanterns"  # noqa: S105  of these tests alone


def older(url: str, version: str) -> None:
    """A ledger as an earlier program left it."""
    engine = connect(url)
    migrate(engine, version)
    with engine.begin() as connection:
        for number in range(200):
            connection.execute(
                text(
                    "insert into site_events"
                    " (county, epoch, seq, happened_at, recorded_at, site, aspect, verdict, reason)"
                    " values ('511825000000', 1, :n, :n, :n, 'tq-1', 'reachable', 'yes', '')"
                ),
                {"n": number},
            )
        connection.execute(text("insert into watch_intervals values ('511825000000', 1, 0, 900, 15)"))
    engine.dispose()


def found(url: str) -> tuple[str | None, int]:
    engine = connect(url)
    try:
        with engine.connect() as connection:
            return revision(connection), int(connection.scalar(text("select count(*) from site_events")) or 0)
    finally:
        engine.dispose()


@pytest.fixture
def settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (home / "passphrase").write_text(PASSPHRASE)
    monkeypatch.setenv("CUNTONG_DUMP_PASSPHRASE", str(home / "passphrase"))
    monkeypatch.setenv("CUNTONG_SECRETS", str(home / "secrets"))
    monkeypatch.setenv("CUNTONG_INVENTORY", str(EXAMPLE))
    return home


@pytest.mark.parametrize("version", ["0001", "0006", "0011"])
def test_a_ledger_of_an_earlier_version_is_dumped_and_migrated_and_nothing_is_lost(
    version: str, settings: Path, monkeypatch: pytest.MonkeyPatch, cuntong: "Command"
) -> None:
    url = f"sqlite:///{settings / 'ledger.sqlite3'}"
    monkeypatch.setenv("CUNTONG_LEDGER", url)
    older(url, version)
    assert f"from version {version} to {head()}" in cuntong("upgrade", "--dry-run").out
    assert found(url) == (version, 200)
    done = cuntong("upgrade")
    assert done.code == 0, done.err
    assert found(url) == (head(), 200)
    assert "nothing to do" in cuntong("upgrade").out
    (dump,) = (settings / "state" / "cuntong" / "dumps").glob(f"before-upgrade-{version}-*.dump")
    assert f"ledger {version} with " in cuntong("dump", dump, "--verify").out
    # A dump of an earlier version comes back as one of this version.
    monkeypatch.setenv("CUNTONG_LEDGER", f"sqlite:///{settings / 'other.sqlite3'}")
    monkeypatch.setenv("CUNTONG_INVENTORY", str(settings / "restored"))
    done = cuntong("restore", dump)
    assert done.code == 0, done.err
    assert found(f"sqlite:///{settings / 'other.sqlite3'}") == (head(), 200)


def test_postgresql_is_upgraded_the_same_way(
    settings: Path, monkeypatch: pytest.MonkeyPatch, cuntong: "Command", postgres: "object"
) -> None:
    url = postgres.empty()  # type: ignore[attr-defined]
    monkeypatch.setenv("CUNTONG_LEDGER", url)
    older(url, "0010")
    done = cuntong("upgrade")
    assert done.code == 0, done.err
    assert found(url) == (head(), 200)


def test_without_a_ledger_there_is_nothing_to_upgrade_and_none_is_made(settings: Path, cuntong: "Command") -> None:
    for told in (cuntong("upgrade", "--dry-run"), cuntong("upgrade")):
        assert (told.code, "There is no ledger at" in told.err, "XDG_STATE_HOME" in told.err) == (1, True, True)
    assert not list(settings.rglob("ledger.sqlite3"))


def test_without_a_way_to_seal_the_dump_nothing_is_migrated(
    settings: Path, monkeypatch: pytest.MonkeyPatch, cuntong: "Command"
) -> None:
    url = f"sqlite:///{settings / 'ledger.sqlite3'}"
    monkeypatch.setenv("CUNTONG_LEDGER", url)
    monkeypatch.delenv("CUNTONG_DUMP_PASSPHRASE")
    older(url, "0010")
    said = cuntong("upgrade")
    assert (said.code, "How is the dump sealed?" in said.err) == (1, True)
    assert found(url) == ("0010", 200)


def test_an_upgrade_that_is_killed_leaves_the_old_or_the_new(
    settings: Path, monkeypatch: pytest.MonkeyPatch, cuntong: "Command"
) -> None:
    for number in range(3):
        url = f"sqlite:///{settings / f'{number}.sqlite3'}"
        older(url, "0001")
        environment = {**os.environ, "CUNTONG_LEDGER": url}
        command = [sys.executable, "-m", "cuntong", "upgrade"]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0.8, 3.0))
        process.kill()
        process.wait()
        version, rows = found(url)
        assert (version in ("0001", head()), rows) == (True, 200)
        monkeypatch.setenv("CUNTONG_LEDGER", url)
        assert cuntong("upgrade").code == 0
        assert found(url) == (head(), 200)
