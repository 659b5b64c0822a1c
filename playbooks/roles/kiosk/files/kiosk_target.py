"""What we do on a kiosk, in one go: sent over SSH, run by the kiosk's own Python, gone afterwards.

A question comes in as JSON on standard input, the answer goes out as one line of JSON on standard output. ``do`` says
what: ``files`` (compare, and unless ``check`` swap), ``settle`` (start anew what changed; the firewall under a timer),
``confirm`` (the new firewall let us in), ``ask`` (read files and run programs for the baseline). What must be started
anew is kept in a file until it was, so that an interrupted run leaves nothing half-done unnoticed.

Standard library only, for Python 3.7 and newer.
"""

# ruff: noqa: S603, S607  programs of the system by name, never through a shell; one spelling for their output

from __future__ import annotations

import base64
import grp
import hashlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

KEEP = Path("/var/lib/cuntong")
PENDING = KEEP / "pending.json"
OLD_RULES = KEEP / "nft.before"
TIMER = Path("/run/cuntong-firewall.pid")
TABLE = ("inet", "cuntong")
STAYS = ("enabled", "static", "alias", "generated")
"""States of a unit's file with which the unit is there after the next start, too."""

SHOWN = 65536
"""Bytes of one file or program that the baseline looks at."""


class RefusedError(Exception):
    """One sentence on why it cannot be done."""


def run(words: list[str], patience_s: float = 60.0, **more: Any) -> tuple[int, str]:
    try:
        ended = subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=patience_s,
            check=False, env={**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}, **more,
        )  # fmt: skip
    except FileNotFoundError:
        return 127, f"{words[0]}: not found"
    except subprocess.TimeoutExpired:
        return 124, f"{words[0]} did not end within {patience_s:g} s"
    return ended.returncode, ended.stdout.decode("utf-8", "replace")


def must(words: list[str], patience_s: float = 60.0) -> str:
    code, said = run(words, patience_s)
    if code:
        last = " ".join(said.strip().splitlines()[-3:])
        raise RefusedError(f"{' '.join(words)} ended with {code}: {last}")
    return said


# -- files ---------------------------------------------------------------------------------------------------------


def current(path: Path) -> dict[str, Any]:
    """What is there now: kind, bytes, mode, owner."""
    try:
        told = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return {"kind": "none"}
    if path.is_symlink():
        return {"kind": "link", "to": os.readlink(str(path))}  # noqa: PTH115  Path.readlink is 3.9's
    if not path.is_file():
        raise RefusedError(f"{path} is no file; look what it is, and move it away")
    owner = f"{name(pwd.getpwuid, told.st_uid)}:{name(grp.getgrgid, told.st_gid)}"
    return {"kind": "file", "data": path.read_bytes(), "mode": told.st_mode & 0o7777, "owner": owner}


def name(find: Any, number: int) -> str:
    try:
        return str(find(number)[0])
    except KeyError:
        return str(number)


def wanted(entry: dict[str, Any]) -> dict[str, Any]:
    if entry["absent"]:
        return {"kind": "none"}
    if entry["link"]:
        return {"kind": "link", "to": entry["link"]}
    return {
        "kind": "file",
        "data": entry["text"].encode("utf-8"),
        "mode": int(entry["mode"], 8),
        "owner": f"{entry['owner']}:{entry['group']}",
    }


def place(path: Path, state: dict[str, Any]) -> None:
    """Swap in whole: at no moment is there half a file, nor one that others may read for a while."""
    if state["kind"] == "none":
        path.unlink()
        return
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.cuntong")
    if fresh.is_symlink() or fresh.exists():
        fresh.unlink()
    if state["kind"] == "link":
        fresh.symlink_to(state["to"])
    else:
        handle = os.open(str(fresh), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(state["data"])
            owner, _, group = state["owner"].partition(":")
            try:
                shutil.chown(str(fresh), owner, group)
            except LookupError as error:
                fresh.unlink()
                raise RefusedError(f"{path}: {error}") from None
            os.fchmod(handle, state["mode"])
            file.flush()
            os.fsync(handle)
    fresh.replace(path)


def shown(state: dict[str, Any], secret: bool) -> str:
    """A file's text for a difference."""
    if state["kind"] != "file":
        return f"-> {state['to']}\n" if state["kind"] == "link" else ""
    if secret:
        return f"(not shown, {state['owner']} {state['mode']:04o})\n"
    return str(state["data"].decode("utf-8", "replace"))


def compare(entry: dict[str, Any], told: dict[str, Any]) -> dict[str, Any] | None:
    """One row for a file that is not as it should be; None for one that is."""
    path = Path(entry["path"])
    before, after = current(path), wanted(entry)
    if before == after:
        return None
    row: dict[str, Any] = {"path": entry["path"], "was": before["kind"]}
    if before["kind"] == after["kind"] == "file" and before["data"] == after["data"]:
        row["attributes"] = f"{before['owner']} {before['mode']:04o} -> {after['owner']} {after['mode']:04o}"
    if told["diff"]:
        row["before"], row["after"] = shown(before, entry["secret"]), shown(after, entry["secret"])
        if entry["secret"] and row["before"] == row["after"]:
            row["after"] = row["after"].replace("not shown", "not shown, changed")
    return row


def files(told: dict[str, Any]) -> dict[str, Any]:
    check, rows, done = told["check"], [], []
    pending = waiting()
    if pending["guarded"] is not None:
        # Rules of an earlier run that nobody confirmed are not to be loaded again: this run brings its own, or none.
        pending["units"] = {unit: path for unit, path in pending["units"].items() if path != pending["guarded"]["path"]}
        pending["guarded"] = None
    if not check:
        KEEP.mkdir(mode=0o700, parents=True, exist_ok=True)
        note(pending)
    for first in (True, False):
        for entry in [one for one in told["files"] if one["first"] is first]:
            row = compare(entry, told)
            if row is None:
                continue
            rows.append(row)
            if check:
                continue
            # What is to be started anew is written down before it changes: whoever dies here leaves a note.
            for unit in entry["units"]:
                pending["units"].setdefault(unit, entry["path"])
            if entry["path"].startswith("/etc/systemd/system"):
                pending["reload"] = True
            if entry["boots"]:
                pending["boots"] = sorted({*pending["boots"], entry["boots"]})
            if entry["guarded"]:
                pending["guarded"] = {"path": entry["path"], **wanted_text(entry)}
            note(pending)
            if not entry["guarded"]:
                place(Path(entry["path"]), wanted(entry))
        if first:
            done = packages(told) + users(told)
    idle = not_running(told)
    return {
        "changed": bool(rows or done or idle or pending["units"]),
        "files": rows,
        "done": done,
        "units": sorted({*pending["units"], *idle}),
    }


def wanted_text(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: entry[name] for name in ("text", "mode", "owner", "group", "link", "absent")}


def packages(told: dict[str, Any]) -> list[str]:
    """What was missing, installed from the mirror; in check mode only named."""
    if not told["packages"]:
        return []
    _, said = run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *told["packages"]])
    there = {line.split()[0] for line in said.splitlines() if line.endswith(" installed")}
    missing = [one for one in told["packages"] if one not in there]
    if missing and not told["check"]:
        must(["apt-get", "update", "-q"], 600)
        options = ["-q", "-y", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold"]
        must(["apt-get", "install", *options, *missing], 1800)
    return [f"package {one}" for one in missing]


def users(told: dict[str, Any]) -> list[str]:
    try:
        pwd.getpwnam(told["user"])
        return []
    except KeyError:
        pass
    if not told["check"]:
        home = ["--home-dir", "/run/cuntong-kiosk/home", "--no-create-home"]
        must(["useradd", "--system", "--user-group", *home, "--shell", "/usr/sbin/nologin", told["user"]])
    return [f"user {told['user']}"]


def not_running(told: dict[str, Any]) -> list[str]:
    """Units that should be enabled and running and are not; none where the program for it is not there yet."""
    if not told["units"] or shutil.which(told["service_command"]) is None:
        return []
    _, said = run([told["service_command"], "show", "--property=UnitFileState,ActiveState", *told["units"]])
    lacking = []
    for unit, block in zip(told["units"], [*said.strip().split("\n\n"), *[""] * len(told["units"])]):  # noqa: B905  3.10's
        state = dict(line.partition("=")[::2] for line in block.splitlines())
        if state.get("ActiveState") not in ("active", "activating") or state.get("UnitFileState") not in STAYS:
            lacking.append(unit)
    return lacking


# -- what is to be started anew -----------------------------------------------------------------------------------


def waiting() -> dict[str, Any]:
    empty: dict[str, Any] = {"units": {}, "reload": False, "boots": [], "guarded": None}
    try:
        return {**empty, **json.loads(PENDING.read_text("utf-8"))}
    except (OSError, ValueError):
        return empty


def note(pending: dict[str, Any]) -> None:
    if PENDING.exists() and waiting() == pending:
        return
    place(PENDING, {"kind": "file", "data": json.dumps(pending).encode(), "mode": 0o600, "owner": "root:root"})


def settle(told: dict[str, Any]) -> dict[str, Any]:
    """Start anew what changed. The firewall comes last, under a timer; the note stays until `confirm`."""
    pending, command, done = waiting(), told["service_command"], []
    if pending["reload"]:
        must([command, "daemon-reload"])
        if Path("/run/systemd/system").is_dir():
            must([command, "daemon-reexec"])  # the hardware watchdog is the manager's own setting
        done.append("daemon-reload")
    guarded = pending["guarded"]
    skipped = set(pending_units_of(guarded, pending))
    lacking = not_running(told)
    enabled = [unit for unit in [*told["units"], *pending["boots"]] if unit in lacking or unit in pending["boots"]]
    if enabled:
        must([command, "enable", *enabled])
    for unit in sorted({*pending["units"], *lacking} - skipped):
        must([command, "restart", unit], 120)
        done.append(f"restart {unit}")
    if guarded is not None:
        arm(guarded, told["confirm_s"])
        done.append(f"load {guarded['path']}")
    else:
        note({"units": {}, "reload": False, "boots": [], "guarded": None})
    return {"changed": bool(done), "done": done, "to_confirm": guarded is not None}


def pending_units_of(guarded: dict[str, Any] | None, pending: dict[str, Any]) -> list[str]:
    """Units that only the guarded file waits for: they start once it is in its place."""
    return [unit for unit, path in pending["units"].items() if guarded is not None and path == guarded["path"]]


def arm(guarded: dict[str, Any], confirm_s: float) -> None:
    """Load the new rules; a process of its own brings the old ones back unless somebody confirms in time."""
    staged = KEEP / "nft.staged"
    place(staged, {"kind": "file", "data": guarded["text"].encode(), "mode": 0o600, "owner": "root:root"})
    must(["nft", "-c", "-f", str(staged)])
    disarm()
    code, rules = run(["nft", "list", "table", *TABLE])
    before = f"table {' '.join(TABLE)}\ndelete table {' '.join(TABLE)}\n" + (rules if code == 0 else "")
    place(OLD_RULES, {"kind": "file", "data": before.encode(), "mode": 0o600, "owner": "root:root"})
    pid = os.fork()
    if pid == 0:
        # Our standard output is the SSH session's: as long as anybody holds it, the session does not end.
        os.setsid()
        quiet = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(quiet, number)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        time.sleep(confirm_s)
        subprocess.run(["nft", "-f", str(OLD_RULES)], check=False)
        os._exit(0)
    TIMER.write_text(f"{pid}\n")
    must(["nft", "-f", str(staged)])


def disarm() -> bool:
    """End the timer; False where it has already run out or never was."""
    try:
        pid = int(TIMER.read_text())
        TIMER.unlink()
        if "kiosk_target" not in Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace"):
            return False
        os.kill(pid, signal.SIGKILL)
    except (OSError, ValueError):
        return False
    return True


def confirm(told: dict[str, Any]) -> dict[str, Any]:
    """We are in, through the new rules: they stay, from the next start on as well."""
    pending = waiting()
    guarded = pending["guarded"]
    if guarded is None:
        return {"changed": False, "done": []}
    if not disarm():
        raise RefusedError("The new firewall was not confirmed in time, and the old one is back.")
    place(Path(guarded["path"]), wanted(guarded))
    done = []
    for unit in pending_units_of(guarded, pending):
        must([told["service_command"], "restart", unit])
        done.append(f"restart {unit}")
    note({"units": {}, "reload": False, "boots": [], "guarded": None})
    return {"changed": True, "done": done}


# -- the baseline's questions -------------------------------------------------------------------------------------


def ask(told: dict[str, Any]) -> dict[str, Any]:
    """Files as ``{path: text}``, programs as ``{words: [code, text]}``; a file that is not there is None."""
    read: dict[str, str | None] = {}
    for pattern in told["paths"]:
        # A pattern without a match is one file that is not there.
        found = sorted(Path("/").glob(pattern.lstrip("/"))) or [Path(pattern)]
        for path in found:
            try:
                with path.open("rb") as file:
                    read[str(path)] = file.read(SHOWN).decode("utf-8", "replace")
            except OSError:
                read[str(path)] = None
    ran = {" ".join(words): run(words, 20) for words in told["commands"]}
    modes = {}
    for path in told["modes"]:
        state = current(Path(path))
        modes[path] = f"{state['owner']} {state['mode']:04o}" if state["kind"] == "file" else state.get("to", "")
    disk = os.statvfs("/")
    return {
        "files": read,
        "commands": {words: [code, said[:SHOWN]] for words, (code, said) in ran.items()},
        "modes": modes,
        "disk_ratio": 1.0 - disk.f_bavail / disk.f_blocks if disk.f_blocks else 0.0,
    }


def main(text: str) -> str:
    told = json.loads(text)
    does = {"files": files, "settle": settle, "confirm": confirm, "ask": ask}[told["do"]]
    try:
        answer = does(told)
    except RefusedError as refused:
        answer = {"failed": True, "msg": str(refused)}
    except OSError as error:
        answer = {"failed": True, "msg": f"{error.filename or 'the kiosk'}: {error.strerror}"}
    # In letters that pass any terminal, with the length's hash: what a login script prints is told from it.
    data = base64.b64encode(json.dumps(answer).encode()).decode()
    return f"cuntong:{hashlib.sha256(data.encode()).hexdigest()[:16]}:{data}"


if __name__ == "__main__":
    sys.stdout.write(main(sys.stdin.read()) + "\n")
