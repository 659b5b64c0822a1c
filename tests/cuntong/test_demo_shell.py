"""The shell that the demo gives to whoever wants to change its routers by hand."""

import subprocess
from pathlib import Path

from cuntong.changing import rehearsal
from cuntong.demo import EXAMPLE
from inventory.loader import load
from ledger.database import sqlite_url


def test_it_is_the_engineers_and_after_as_approver_the_second_persons(tmp_path: Path) -> None:
    inventory, url = load(EXAMPLE), sqlite_url(tmp_path / "ledger.sqlite3")
    secrets = str(tmp_path / "a folder of 'secrets'")
    shell = rehearsal.write_shell(tmp_path, inventory, url, {"CUNTONG_LEDGER": url, "CUNTONG_SECRETS": secrets})
    assert shell.stat().st_mode & 0o777 == 0o600
    script = f'. {shell}; cuntong whoami; as_approver cuntong whoami; echo "$CUNTONG_SECRETS"; cuntong check'
    done = subprocess.run(
        ["/bin/bash", "-c", script], capture_output=True, text=True, check=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    )  # fmt: skip
    engineer, approver, told, *_ = done.stdout.splitlines()
    assert engineer.startswith("demo-engineer")
    assert approver.startswith("demo-approver")
    assert told == secrets
    assert (tmp_path / "inventory" / "county.yml").read_bytes() == (EXAMPLE / "county.yml").read_bytes()
