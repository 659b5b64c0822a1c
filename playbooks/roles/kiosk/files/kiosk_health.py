#!/usr/bin/env python3
"""Looks once whether what a citizen touches works, and writes one file a part, which snmpd then tells (kiosk-say).

A file's first line is "0" or "1", its second "ok" or the reason. Parts and reasons name machines, never people or
what they did. Not run by snmpd itself: a page that hangs must not make the agent silent. Standard library only, for
Python 3.7 and newer.
"""

# ruff: noqa: S603  programs of the system by name, never through a shell; one spelling for their output

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

CONFIG = Path("/etc/cuntong/kiosk.json")
STATE = Path("/run/cuntong-kiosk")
HEALTH = Path("/run/cuntong-health")
USB = Path("/sys/bus/usb/devices")
SCREENS = Path("/sys/class/drm")
PATIENCE_S = 5.0
SESSION_S = 60.0
WAITING = 10
"""So many jobs waiting are a queue that does not move: a citizen prints one or two pages."""


def age_s(name: str) -> float:
    """Seconds since the session wrote this file; infinite without it."""
    try:
        return time.time() - float((STATE / name).read_text())
    except (OSError, ValueError):
        return float("inf")


def app(_config: Any) -> str:
    return "no session runs" if age_s("alive") > SESSION_S else ""


def page(name: str) -> Callable[[Any], str]:
    """Whether a page answers, as this kiosk reaches it: what the operation centre reaches is no evidence of service."""

    def look(config: Any) -> str:
        try:
            with urllib.request.urlopen(config[name], timeout=PATIENCE_S) as answer:  # noqa: S310  http(s) only
                return "" if answer.status < 400 else f"the page answers {answer.status}"
        except urllib.error.HTTPError as error:
            return f"the page answers {error.code}"
        except (OSError, ValueError) as error:
            return f"the page does not answer: {getattr(error, 'reason', error)}"

    return look


def screen(_config: Any) -> str:
    states = [path.read_text().strip() for path in SCREENS.glob("card*-*/status")]
    return "" if "connected" in states else "no screen is connected"


def session_reset(_config: Any) -> str:
    if age_s("alive") > SESSION_S:
        return "no session runs"
    return "" if age_s("reset") < float("inf") else "what citizens leave was never wiped"


def on_usb() -> list[str]:
    found = []
    for path in USB.glob("*/idVendor"):
        try:
            found.append(f"{path.read_text().strip()}:{(path.parent / 'idProduct').read_text().strip()}".lower())
        except OSError:  # unplugged while we looked
            continue
    return found


def usb(part: str) -> Callable[[Any], str]:
    def look(config: Any) -> str:
        there = on_usb()
        missing = [one["usb"] for one in config["peripherals"] if one["part"] == part and one["usb"] not in there]
        return f"{', '.join(missing)} is not plugged in" if missing else ""

    return look


def printer(config: Any) -> str:
    said = usb("printer")(config)
    for queue in config["queues"]:
        to = urlsplit(queue["uri"])
        try:
            socket.create_connection((to.hostname, to.port or 631), PATIENCE_S).close()
        except OSError:
            said = said or f"{queue['name']} does not answer"
    return said


def asked(*words: str) -> str:
    """What a program says; nothing where it is missing or hangs."""
    try:
        ended = subprocess.run(
            words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=PATIENCE_S, check=False,
            env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return ended.stdout.decode("utf-8", "replace")


def print_queue(config: Any) -> str:
    for queue in config["queues"]:
        told = asked("lpstat", "-l", "-p", queue["name"])
        if not told:
            return f"{queue['name']}: no such queue"
        if "disabled" in told.splitlines()[0]:
            return f"{queue['name']} is disabled"
        alerts = next((line.split(":", 1)[1].strip() for line in told.splitlines() if "Alerts:" in line), "none")
        if alerts not in ("", "none"):
            return f"{queue['name']}: {alerts}"
        waiting = len(asked("lpstat", "-o", queue["name"]).splitlines())
        if waiting > WAITING:
            return f"{queue['name']}: {waiting} jobs wait"
    return ""


def ups(_config: Any) -> str:
    status = asked("upsc", "kiosk@localhost", "ups.status").split()
    if not status:
        return "the UPS does not answer"
    return "" if "OL" in status else f"on battery ({' '.join(status)})"


LOOKS: dict[str, Callable[[Any], str]] = {
    "kiosk-app": app,
    "platform": page("home"),
    "rating": page("rating"),
    "screen": screen,
    "document-camera": usb("document-camera"),
    "id-card-reader": usb("id-card-reader"),
    "printer": printer,
    "print-queue": print_queue,
    "ups": ups,
    "session-reset": session_reset,
}


def main() -> int:
    config = json.loads(CONFIG.read_text("utf-8"))
    HEALTH.mkdir(mode=0o755, parents=True, exist_ok=True)
    for part in config["parts"]:
        reason = LOOKS[part](config)
        fresh = HEALTH / f".{part}"
        fresh.write_text(f"{1 if reason else 0}\n{reason or 'ok'}\n", "utf-8")
        fresh.replace(HEALTH / part)
    return 0


if __name__ == "__main__":
    sys.exit(main())
