#!/usr/bin/env python3
"""Brings CUPS to the queues that the inventory lists: adds, points elsewhere, removes, enables.

Standard library only, for Python 3.7 and newer.
"""

# ruff: noqa: S603, S607, UP022  programs of the system by name, never through a shell; one spelling for their output

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

CONFIG = Path("/etc/cuntong/kiosk.json")


def run(*words: str) -> str:
    ended = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=60)
    if ended.returncode:
        raise SystemExit(f"{' '.join(words)}: {ended.stderr.decode('utf-8', 'replace').strip()}")
    return ended.stdout.decode("utf-8", "replace")


def present() -> dict[str, str]:
    """Queues that are there, with where they lead."""
    ended = subprocess.run(
        ["lpstat", "-v"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False, env={"LC_ALL": "C"}
    )
    found = {}
    for line in ended.stdout.decode("utf-8", "replace").splitlines():
        if line.startswith("device for "):
            name, _, uri = line[len("device for ") :].partition(": ")
            found[name] = uri
    return found


def main() -> int:
    wanted = {one["name"]: one["uri"] for one in json.loads(CONFIG.read_text("utf-8"))["queues"]}
    there = present()
    for name in there:
        if name not in wanted:
            run("lpadmin", "-x", name)
    for name, uri in wanted.items():
        if there.get(name) != uri:
            # "everywhere" asks the printer itself what it can do: no driver is needed, but the printer must answer.
            run("lpadmin", "-p", name, "-v", uri, "-m", "everywhere", "-o", "printer-error-policy=retry-current-job")
        run("cupsaccept", name)
        run("cupsenable", name)
    if wanted:
        run("lpadmin", "-d", next(iter(wanted)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
