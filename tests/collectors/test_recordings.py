"""Recorded devices, replayed over a real socket, against what well-known systems read out of them.

The comparison is `benchmarks.walks`: each expected value is a check, and each difference needs a reason in
``benchmarks/walks-explained.csv``. A difference without one fails, and so does a reason that explains nothing.
"""

import json
import sys
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

from benchmarks import walks
from benchmarks.walks import Outcome, outcome, read_reasons, readings_of
from benchmarks.walks_compare import Check
from health.reading import Readings

WALKS = Path(__file__).resolve().parents[2].parent / "shared" / "walks"
PROFILES = {
    # The first pattern that fits a folder names its profile.
    "apc-*": "apc",
    "bdcom-*": "bdcom",
    "dcn-*": "dcn",
    "delta-*": "delta-ups",
    "eaton-*": "eaton",
    "fiberhome-*": "fiberhome",
    "fortigate-*": "fortinet-fortigate",
    "generex-*": "ups-mib",
    "h3c-*": "h3c-comware",
    "hikvision-cam": "hikvision-cam",
    "hikvision-nvr": "hikvision-nvr",
    "hillstone-*": "hillstone-stoneos",
    "huawei-ups2000": "ups-mib",
    "huawei-*": "huawei-vrp",
    "linux-cray-centreon": "generic",  # recorded without its sysObjectID and with a masked sysDescr
    "linux-*": "linux-router",
    "maipu-*": "maipu-mypower",
    "mikrotik-*": "mikrotik-routeros",
    "netagent2-*": "phoenixtec",
    "netentsec-*": "netentsec",
    "openwrt": "openwrt",
    "phoenixtec-*": "phoenixtec",
    "powerwalker": "powerwalker",
    "raisecom-*": "raisecom",
    "rfc1628-*": "generic",  # recorded without its system group
    "ruijie-*": "ruijie-rgos",
    "sangfor-*": "sangfor",
    "teltonika-*": "teltonika-rutos",
    "tplink-*": "tplink-jetstream",
    "ubiquiti-*": "ubiquiti",
    "venus-*": "venustech",
    "windows-centreon-anon": "generic",  # recorded without its sysObjectID and with a masked sysDescr
    "windows-*": "windows",
    "zte-c320-olt": "zte-zxa10",
    "zte-*": "zte-zxr10",
    "*": "printer-mib",
}


def folders() -> list[str]:
    return [folder.name for folder in walks.folders(WALKS)] if WALKS.is_dir() else []


needs_walks = pytest.mark.skipif(not WALKS.is_dir(), reason="the recordings (../shared/walks) are not on this machine")

_readings: dict[str, Readings] = {}


async def replayed(folder: str) -> Readings:
    if folder not in _readings:
        _readings[folder] = await readings_of(WALKS / folder)
    return _readings[folder]


async def compared(folder: str) -> Outcome:
    return outcome(WALKS / folder, await replayed(folder), read_reasons(), "")


@needs_walks
@pytest.mark.parametrize("folder", folders())
async def test_a_recorded_device_reads_as_its_peers_read_it(folder: str) -> None:
    result = await compared(folder)
    assert not result.unexplained, "\n".join(map(str, result.unexplained))
    assert result.problems == ()


@needs_walks
@pytest.mark.parametrize("folder", folders())
async def test_a_recorded_device_finds_its_profile(folder: str) -> None:
    readings = await replayed(folder)
    assert readings.identity.profile == next(name for pattern, name in PROFILES.items() if fnmatch(folder, pattern))


@needs_walks
async def test_every_reason_explains_a_difference() -> None:
    found = [(folder, check) for folder in folders() for check in (await compared(folder)).checks if not check.same]
    idle = [reason for reason in read_reasons() if not any(reason.covers(*difference) for difference in found)]
    assert not idle


@needs_walks
async def test_numbers_of_people_are_never_read() -> None:
    """IMEI, IMSI and ICCID of the recorded modems stand in no reading."""
    modems = [name for name in folders() if name.startswith(("teltonika-", "mikrotik-ltap"))]
    assert modems
    seen = 0
    for folder in modems:
        private = {
            value
            for oid, value in objects(folder).items()
            if oid.startswith(
                (
                    "1.3.6.1.4.1.48690.2.2.1.3.",
                    "1.3.6.1.4.1.48690.2.2.1.8.",
                    "1.3.6.1.4.1.48690.2.2.1.27.",
                    "1.3.6.1.4.1.14988.1.1.16.1.1.11.",
                    "1.3.6.1.4.1.14988.1.1.16.1.1.12.",
                    "1.3.6.1.4.1.14988.1.1.16.1.1.13.",
                )
            )
        }
        seen += len(private)
        written = json.dumps((await replayed(folder)).as_json(), ensure_ascii=False)
        assert not [value for value in private if value in written], folder
    assert seen > 6


@cache
def objects(folder: str) -> dict[str, str]:
    lines = (WALKS / folder / "walk.snmprec").read_text("latin-1").splitlines()
    return {line.partition("|")[0]: line.rpartition("|")[2] for line in lines}


# ---- another set of recordings, as `make walks` compares it

TINY = """\
1.3.6.1.2.1.1.1.0|4|RouterOS lab
1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.14988.1
1.3.6.1.2.1.1.3.0|67|4200
1.3.6.1.2.1.25.3.3.1.2.1|2|7
"""


def recording(folder: Path, usage_percent: int) -> Path:
    (folder / "mikrotik-lab").mkdir(parents=True)
    (folder / "mikrotik-lab" / "walk.snmprec").write_text(TINY, "utf-8")
    expected = {"system": {"hardware": "lab"}, "processors": [{"descr": "cpu", "usage_percent": usage_percent}]}
    (folder / "mikrotik-lab" / "expected.json").write_text(json.dumps(expected), "utf-8")
    return folder


@pytest.mark.parametrize(("usage_percent", "status"), [(7, 0), (8, 1)])
def test_an_unexplained_difference_in_any_folder_is_an_exit_status(
    usage_percent: int, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["walks.py", str(recording(tmp_path, usage_percent))])
    assert walks.main() == status
    printed = capsys.readouterr().out
    assert ("UNEXPLAINED" in printed) == bool(status)
    assert f"{3 - status} of 3 expected values reproduced" in printed


def test_a_reason_covers_what_its_patterns_name() -> None:
    check = Check("sensors", "voltage sfp-1 (.1.2)", "0", "nothing", same=False)
    assert walks.Reason("mikrotik-*", "sensors", "* sfp-*", "").covers("mikrotik-lab", check)
    assert not walks.Reason("mikrotik-*", "optics", "* sfp-*", "").covers("mikrotik-lab", check)
    assert not walks.Reason("ruijie-*", "*", "*", "").covers("mikrotik-lab", check)
