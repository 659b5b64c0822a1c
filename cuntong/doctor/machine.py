"""The machine: its clock, its disk, its packages, the rights of files with secrets, certificates."""

import ctypes
import importlib.metadata
import re
import shutil
import stat
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509

from cuntong.doctor.findings import Findings, failure, fine, warning

_UNSYNCHRONISED: Final = 0x0040  # STA_UNSYNC of adjtimex(2)
_FAR_S: Final = 0.5
_ENDING_DAYS: Final = 30
_PINNED: Final = re.compile(r"([A-Za-z0-9._-]+)==([^\s;\\]+)")


class _Timex(ctypes.Structure):
    """struct timex of adjtimex(2), as far as it is read; the rest is room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def clock() -> Findings:
    """What the kernel knows of the clock: whether something disciplines it, and how far off it may be."""
    told = _Timex()
    if ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(told)) < 0:
        yield warning("clock", "the kernel does not tell of it", "Look with: chronyc tracking")
        return
    yield from judge_clock(
        synchronised=not told.status & _UNSYNCHRONISED, wrong_by_s=told.maxerror / 1e6, estimated_s=told.esterror / 1e6
    )


def judge_clock(*, synchronised: bool, wrong_by_s: float, estimated_s: float) -> Findings:
    mend = "Start a time service with a server that it reaches: apt-get install chrony; then chronyc sources."
    if not synchronised:
        yield warning("clock", "nothing keeps the clock: service hours, SNMPv3 and proofs depend on it", mend)
    elif wrong_by_s > _FAR_S:
        yield warning("clock", f"the clock may be wrong by {wrong_by_s:.1f} s", mend)
    else:
        yield fine("clock", f"kept by a time service, wrong by {wrong_by_s:.3f} s at most, {estimated_s:.6f} s likely")


def disk(places: Mapping[str, Path], growth_bytes_a_day: float | None) -> Findings:
    """Free space where we write.

    Args:
        growth_bytes_a_day: of the ledger, in the mean; None where nobody knows.
    """
    for name, place in places.items():
        there = next(path for path in (place, *place.parents) if path.exists())
        usage = shutil.disk_usage(there)
        said = f"{name}: {usage.free / 1e9:,.1f} GB of {usage.total / 1e9:,.1f} GB are free in {there}"
        days = usage.free / growth_bytes_a_day if growth_bytes_a_day else None
        if name == "ledger" and days is not None and days < 3650:
            said += f"; at {growth_bytes_a_day / 1e6:,.1f} MB a day that is enough for {days:,.0f} days"  # type: ignore[operator]
        mend = f"Make room in {there}, or move it to a larger disk."
        if usage.free < 0.02 * usage.total or usage.free < 200e6:
            yield failure("disk", said, mend)
        elif usage.free < 0.1 * usage.total or (days is not None and name == "ledger" and days < 60):
            yield warning("disk", said, mend)
        else:
            yield fine("disk", said)


def packages(lock: Path) -> Findings:
    """This Python, and whether the packages are those of the lock.

    Args:
        lock: requirements.lock of the checkout; in a wheel there is none.
    """
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < (3, 11):  # noqa: UP036  the environment may be another than that of the installation
        yield failure("python", f"Python {version}", "Install Python 3.11 or newer, then: make setup")
    else:
        yield fine("python", f"Python {version}, Cuntong {importlib.metadata.version('cuntong')}")
    if not lock.exists():
        yield fine("packages", "no lock beside the program; it was installed as a wheel")
        return
    wanted: dict[str, set[str]] = defaultdict(set)  # several where the version of Python decides
    for name, number in _PINNED.findall(lock.read_text("utf-8")):
        wanted[name.lower().replace("_", "-")].add(number)
    installed = {
        one.metadata["Name"].lower().replace("_", "-"): one.version.removeprefix("v")
        for one in importlib.metadata.distributions()
    }
    other = [
        f"{name} {installed[name]} instead of {' or '.join(sorted(numbers))}"
        for name, numbers in sorted(wanted.items())
        if name in installed and installed[name] not in numbers
    ]
    if other:
        yield warning("packages", f"not those of the lock: {', '.join(other)}", "Run: make setup")
    else:
        yield fine("packages", f"{len(wanted.keys() & installed.keys())} packages, each as locked")


def private(paths: Iterable[Path]) -> Findings:
    """Files that nobody but their owner may read."""
    looked = 0
    for path in paths:
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if not file.is_file():
                continue
            looked += 1
            if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                yield failure("secrets", f"others may read {file}", f"chmod 600 {file}")
    yield fine("secrets", f"{looked} files with secrets looked at")


def certificates(files: Iterable[Path], now: float) -> Findings:
    """Until when certificates are valid (the first of each file: a server's own)."""
    for file in files:
        try:
            ends = x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc
        except (OSError, ValueError) as error:
            yield failure("certificate", f"{file} is not readable ({error})", "Name a file in PEM format.")
            continue
        left = (ends - datetime.fromtimestamp(now, UTC)).days
        said = f"{file} is valid until {ends:%Y-%m-%d}"
        if left < 0:
            yield failure("certificate", f"{file} ended on {ends:%Y-%m-%d}", "Renew it now.")
        elif left < _ENDING_DAYS:
            yield warning("certificate", f"{said}, {left} days", "Renew it.")
        else:
            yield fine("certificate", said)
