"""Adopting a county of 100 live routers that people configured by hand in four styles; the first plan after it.

The routers answer SNMP and SSH in a process of their own, which is not ours to pay for. Prints wall time beside the
limit of five minutes, CPU of the command with its children, and how many devices the first plan would change.

BENCH_ROUTERS changes the 100.
"""

import ctypes
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

from benchmarks import found_county
from ledger.database import sqlite_url

ROUTERS = int(os.environ.get("BENCH_ROUTERS", "100"))
LIMIT_S = 300
_CHILD_SUBREAPER = 36  # prctl(2)
FLEET = """
import sys
from pathlib import Path
from benchmarks import found_county
inventory = found_county.truth(Path(sys.argv[1]), int(sys.argv[2]))
with found_county.alive(inventory) as live:
    print(live.snmp, live.fleet.port, flush=True)
    sys.stdin.read()
"""


def command(fleet: int, *words: object) -> tuple[str, float, float]:
    """What ``cuntong`` printed, and its wall and CPU seconds, children included.

    Args:
        fleet: pid of the routers, which is not ours to pay for.
    """
    before, began = os.times(), time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-m", "cuntong", *map(str, words)], stdout=subprocess.PIPE, text=True, check=True, timeout=900
    )
    wall_s = time.monotonic() - began
    with suppress(ChildProcessError):  # the server that forked its readers comes to us when the command has ended
        while any(one.pid != fleet for one in psutil.Process().children()):
            os.waitpid(-1, os.WNOHANG)
            time.sleep(0.01)
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return ran.stdout, wall_s, spent


def main() -> None:
    ctypes.CDLL(None).prctl(_CHILD_SUBREAPER, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        county = found_county.empty(place / "county")
        fleet = subprocess.Popen(
            [sys.executable, "-c", FLEET, str(place / "truth"), str(ROUTERS)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        if fleet.stdout is None or fleet.stdin is None:
            raise RuntimeError("pipes were asked for")
        snmp, ssh = fleet.stdout.readline().split()
        os.environ |= {
            "CUNTONG_LEDGER": sqlite_url(place / "ledger.sqlite3"), "CUNTONG_INVENTORY": str(county),
            "CUNTONG_SECRETS": str(found_county.secrets(place / "secrets")), "CUNTONG_SIMULATED_SSH": ssh,
            "CUNTONG_VAULT_KEY": str(place / "vault.key"), "XDG_STATE_HOME": str(place / "state"),
            "XDG_CACHE_HOME": str(place / "cache"),
        }  # fmt: skip
        try:
            found_county.accounts(place, lambda *words: command(fleet.pid, *words))
            options = ("--port", snmp, "--accept-host-keys", "--json")
            said, wall_s, cpu_s = command(fleet.pid, "adopt", "127.64.0.0/24", *options, "--write")
            told = json.loads(said)
            adopted = len(told["adopted"])
            print(
                f"adopt of {adopted} of {ROUTERS} routers: {wall_s:.1f} s (limit {LIMIT_S}, "
                f"{LIMIT_S / wall_s:.1f} times quicker), {cpu_s:.1f} s of CPU, {cpu_s / adopted * 1000:.0f} ms each; "
                f"{len(told['unplaced'])} without a site, {len(told['unread'])} not read"
            )
            said, wall_s, cpu_s = command(fleet.pid, "plan", "511825", "--json")
            plan = json.loads(said)
            print(
                f"the first plan: {wall_s:.1f} s, {cpu_s:.1f} s of CPU, {plan['devices']}, {len(plan['waves'])} waves"
            )
        finally:
            fleet.stdin.close()
            fleet.wait(30)


if __name__ == "__main__":
    main()
