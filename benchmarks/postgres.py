"""A PostgreSQL of Debian's package for one run of the tests or of a benchmark."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from sqlalchemy import create_engine, text

from ledger.database import open_ledger


def programs() -> Path | None:
    """Where the newest server's programs are; None where it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


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
        self.do("create database migrated")
        open_ledger(self.url("migrated")).dispose()

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://cuntong@/{name}?host={self._place}"

    def ledger(self) -> str:
        """The URL of a ledger that nobody wrote to yet."""
        name = f"ledger{next(self._number)}"
        self.do(f"create database {name} template migrated")
        return self.url(name)

    def empty(self) -> str:
        """The URL of a database without any table."""
        name = f"empty{next(self._number)}"
        self.do(f"create database {name}")
        return self.url(name)

    def stop(self) -> None:
        self._admin.dispose()
        self._run("pg_ctl", "-D", f"{self._place}/data", "-m", "immediate", "-w", "stop")

    def do(self, statement: str) -> None:
        """Run a statement as the server's administrator."""
        with self._admin.connect() as connection:
            connection.execute(text(statement))

    def _run(self, program: str, *arguments: str) -> None:
        ran = subprocess.run(
            [self._bin / program, *arguments], user=self._owner, cwd=self._place,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT, timeout=120, check=False,
        )  # fmt: skip
        if ran.returncode:
            raise RuntimeError((ran.stdout or b"").decode() or (self._place / "log").read_text())


@contextmanager
def postgres_server() -> Iterator[Postgres]:
    """A server in a folder of its own, gone afterwards.

    Raises:
        FileNotFoundError: it is not installed.
    """
    found = programs()
    if found is None:
        raise FileNotFoundError("postgresql is not installed: run 'make debian' as root")
    # It refuses to run as root; and root's temporary folders are closed to others.
    place = Path(tempfile.mkdtemp(prefix="cuntong-postgres-"))
    owner = None
    if os.getuid() == 0:
        owner = next(name for name in ("postgres", "nobody") if _is_user(name))
        shutil.chown(place, owner)
    server = Postgres(found, place, owner)
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
