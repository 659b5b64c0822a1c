"""Kills dump, restore and upgrade at random moments and looks at what is left: the old state or the new, never between.

Usage: python -m benchmarks.kill_safekeeping [KILLS [SEED [sqlite|postgresql]]]

Each command runs once undisturbed to learn how long it takes; then it is started again and again and killed with
SIGKILL at a moment drawn from that time. Afterwards the next command of Cuntong is run, as an operator would, and the
state is compared with the two that may be: files byte by byte, tables row by row.
"""

import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from benchmarks.postgres import Postgres, postgres_server
from ledger.database import connect, head, migrate, revision, sqlite_url
from ledger.portable import layouts

EXAMPLE = Path(__file__).resolve().parents[1] / "inventory" / "examples" / "tianquan"
ROWS = 60_000


@dataclass
class Place:
    """An instance in a folder, its ledger there, too, or in a database of a server that has its name."""

    path: Path
    server: "Postgres | None" = None

    @property
    def ledger(self) -> str:
        if self.server is not None:
            return self.server.url(self.path.name)
        return sqlite_url(self.path / "state" / "cuntong" / "ledger.sqlite3")

    def copy(self, name: str) -> "Place":
        """The same elsewhere."""
        other = Place(self.path.with_name(name), self.server)
        shutil.copytree(self.path, other.path)
        if self.server is not None:
            self.server.do(f"create database {name} template {self.path.name}")
        return other

    def remove(self) -> None:
        shutil.rmtree(self.path)
        if self.server is not None:
            self.server.do(f"drop database {self.path.name} with (force)")

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "XDG_STATE_HOME": str(self.path / "state"), "CUNTONG_INVENTORY": str(self.path / "inventory"),
            "CUNTONG_SECRETS": str(self.path / "secrets"), "CUNTONG_DUMP_PASSPHRASE": str(self.path / "passphrase"),
            "CUNTONG_LEDGER": self.ledger if self.server is not None else "",
        }  # fmt: skip

    def make(self, version: str, mark: str) -> None:
        shutil.copytree(EXAMPLE, self.path / "inventory")
        for name in ("secrets", "state/cuntong/reports"):
            (self.path / name).mkdir(parents=True)
            for number in range(40):
                (self.path / name / f"{number}").write_text(f"{mark} {number}")
                (self.path / name / f"{number}").chmod(0o600)
        (self.path / "passphrase").write_text("a mule, a well and four lanterns")
        if self.server is not None:
            self.server.do(f"create database {self.path.name}")
        engine = connect(self.ledger)
        migrate(engine, version)
        with engine.begin() as connection:
            insert = (
                "insert into site_events (county, epoch, seq, happened_at, recorded_at, site, aspect, verdict, reason)"
                " values ('511825000000', 1, :n, :n, :n, :mark, 'reachable', 'yes', '')"
            )
            connection.execute(text(insert), [{"n": number, "mark": mark} for number in range(ROWS)])
        engine.dispose()

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "cuntong", *arguments]

    def run(self, *arguments: str) -> None:
        ran = subprocess.run(
            self.command(*arguments), env=self.environment, check=False, capture_output=True, text=True
        )
        if ran.returncode:
            sys.exit(f"cuntong {' '.join(arguments)}: {ran.stderr or ran.stdout}")

    def state(self) -> dict[str, str]:
        """What is there: a hash of each folder and of each table, and the ledger's version."""
        found = {}
        for name in ("inventory", "secrets", "state/cuntong/reports"):
            digest = hashlib.sha256()
            for file in sorted((self.path / name).rglob("*")):
                if file.is_file():
                    digest.update(f"{file.relative_to(self.path)} {file.stat().st_mode}".encode() + file.read_bytes())
            found[name] = digest.hexdigest()
        engine = connect(self.ledger)
        with engine.connect() as connection:
            found["version"] = str(revision(connection))
            for one in layouts(connection):
                if one.table in ("site_events", "instance"):
                    rows = connection.execute(text(f"select * from {one.table} order by 1")).all()  # noqa: S608
                    found[one.table] = hashlib.sha256(repr(rows).encode()).hexdigest()
        engine.dispose()
        return found


def main() -> None:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(10_000)
    database = sys.argv[3] if len(sys.argv) > 3 else "sqlite"
    print(f"seed {seed}, {kills} kills of each, the ledger in {database}", flush=True)
    with postgres_server() if database == "postgresql" else nullcontext() as server:
        campaign(kills, random.Random(seed), server)


def campaign(kills: int, chance: random.Random, server: "Postgres | None") -> None:
    with tempfile.TemporaryDirectory(prefix="cuntong-kill-") as folder:
        place = Path(folder)
        new, old, older = (Place(place / name, server) for name in ("new", "old", "older"))
        new.make(head(), "new")
        old.make(head(), "old")
        older.make("0001", "older")
        new.run("dump", str(place / "night.dump"))
        wrong = kill_dump(new, place, kills, chance)
        arguments = ["restore", str(place / "night.dump"), "--replace", "--adopt-instance"]
        wrong += kill(
            "restore", old, place, kills, chance, arguments,
            lambda: ("jobs", str(EXAMPLE)), new.state(),
        )  # fmt: skip
        wrong += kill("upgrade", older, place, kills, chance, ["upgrade"], lambda: ("upgrade", "--dry-run"), None)
    if wrong:
        sys.exit(f"{wrong} times something between the old and the new state was left")


def kill(
    what: str,
    made: Place,
    place: Path,
    kills: int,
    chance: random.Random,
    arguments: list[str],
    then: Callable[[], tuple[str, ...]],
    wanted: dict[str, str] | None,
) -> int:
    """How often what was left was neither the old nor the new state."""
    before = made.state()
    whole = made.copy("whole")
    began = time.monotonic()
    whole.run(*arguments)
    length = time.monotonic() - began
    after = wanted or whole.state()
    whole.remove()
    came: Counter[str] = Counter()
    for number in range(kills):
        victim = made.copy(f"victim{number}")
        killed_after(victim, arguments, chance.uniform(0, length))
        victim.run(*then())
        left = victim.state()
        # A ledger that was migrated again names its instance anew.
        same_new = all(left.get(key) == value for key, value in after.items() if wanted or key != "instance")
        came["old" if left == before else "new" if same_new else "BETWEEN"] += 1
        victim.remove()
    print(f"{what}: {length:.1f} s undisturbed; left {dict(came)}", flush=True)
    return came["BETWEEN"]


def kill_dump(made: Place, place: Path, kills: int, chance: random.Random) -> int:
    """A dump that was killed is not there, or whole."""
    file = place / "killed.dump"
    began = time.monotonic()
    made.run("dump", str(file))
    length = time.monotonic() - began
    file.unlink()
    came: Counter[str] = Counter()
    for _ in range(kills):
        killed_after(made, ["dump", str(file)], chance.uniform(0, length * 1.1))
        if not file.exists():
            came["none"] += 1
            continue
        verified = subprocess.run(
            made.command("dump", str(file), "--verify"), env=made.environment, capture_output=True, check=False
        )
        came["whole" if verified.returncode == 0 else "BETWEEN"] += 1
        file.unlink()
    print(f"dump: {length:.1f} s undisturbed; left {dict(came)}", flush=True)
    return came["BETWEEN"]


def killed_after(victim: Place, arguments: list[str], seconds: float) -> None:
    process = subprocess.Popen(
        victim.command(*arguments), env=victim.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    time.sleep(seconds)
    process.kill()
    process.wait()


if __name__ == "__main__":
    main()
