"""The demo county as a whole: first sweep, time to its end, and what collector and API hold in memory.

Prints figures; judges nothing. Limits that the README names stand beside them.
"""

import json
import subprocess
import sys
import threading
import time
from typing import Any

import psutil

_SAMPLE_S = 0.2


def _role(process: psutil.Process) -> str | None:
    words = process.cmdline()
    return next((word for word in ("collect", "serve", "simulate") if word in words), None)


def run() -> tuple[dict[str, Any], float, dict[str, int], dict[str, float]]:
    """One ``cuntong demo --check``: its report, wall seconds, peak resident bytes and CPU seconds of each part."""
    began = time.monotonic()
    demo = subprocess.Popen([sys.executable, "-m", "cuntong", "demo", "--check"], stdout=subprocess.PIPE, text=True)
    peaks: dict[str, int] = {}
    spent: dict[str, float] = {}
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(_SAMPLE_S):
            try:
                children = psutil.Process(demo.pid).children()
            except psutil.NoSuchProcess:
                return
            for child in children:
                try:
                    role = _role(child)
                    if role is not None:
                        peaks[role] = max(peaks.get(role, 0), child.memory_info().rss)
                        times = child.cpu_times()
                        spent[role] = times.user + times.system
                except psutil.Error:
                    continue

    watcher = threading.Thread(target=look)
    watcher.start()
    output, _ = demo.communicate(timeout=300)
    ended.set()
    watcher.join()
    return json.loads(output), time.monotonic() - began, peaks, spent


def main() -> int:
    report, wall_s, peaks, spent = run()
    memory = (peaks["collect"] + peaks["serve"]) / 1e6
    rows = [
        ("devices", str(report["devices"]), ""),
        ("of them answer", str(report["devices_up"]), ""),
        ("first sweep", f"{report['first_sweep_seconds']:.2f} s", "2 s"),
        ("demo --check, start to end", f"{wall_s:.1f} s", "30 s"),
        ("resident memory, collector", f"{peaks['collect'] / 1e6:.0f} MB", ""),
        ("resident memory, API", f"{peaks['serve'] / 1e6:.0f} MB", ""),
        ("both", f"{memory:.0f} MB", "250 MB"),
        (
            "CPU, collector / API / simulator",
            " / ".join(f"{spent[role]:.1f} s" for role in ("collect", "serve", "simulate")),
            "",
        ),
    ]
    for name, value, limit in rows:
        print(f"{name:34} {value:>22}   {'limit ' + limit if limit else ''}".rstrip())
    failed = [proof["id"] for proof in report["acceptance"] if not proof["ok"]]
    if failed:
        print(f"not as expected: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
