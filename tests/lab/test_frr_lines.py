"""Every kind of line that we would take back or change, said to a real FRR: it obeys, and the rest stays as it was.

`vtysh` answers a negation that it does not know, or obeys one without a word and keeps the line: no model of ours can
tell. The daemons run in a network namespace of their own, without a kernel route to anywhere.
"""

import contextlib
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from rollout.platform import Platform
from rollout.remediation import remediate
from tests.lab.conftest import SERVER

DAEMONS: Final = ("zebra", "staticd", "bgpd", "ospfd", "ospf6d", "bfdd", "vrrpd")
ROUNDS: Final = 4
"""Lines are taken four by four apart: what stands beside a line that goes is there to be lost."""

_ENDS: Final = re.compile(r"exit|exit-\S+|end|!|$")
_CARRIES_OTHERS: Final = re.compile(
    r"(?:interface|router|route-map|vrf|line vty|address-family|bfd$|peer|profile|frr|hostname|service|log )|"
    r"ip forwarding|no |vrrp 10$|neighbor \S+ (?:remote-as|peer-group)|ip address 10\.60\.1\.2"
)
"""Headers, the path, defaults that are switched off (never a difference), and what other lines hang on."""
_TALKS: Final = re.compile(
    r"Graceful restart configuration changed|% OSPF: Reference bandwidth|\s+Please ensure|"
    r"Static Route to \S+ not installed|The route-map '\w+' does not exist|$"
)
_NUMBER: Final = re.compile(
    r"( (?:description \D+|metric|cost|priority|tag|weight|hello-interval|dead-interval|local-preference|"
    r"maximum-prefix|maximum-paths|detect-multiplier|receive-interval|transmit-interval|advertisement-interval|"
    r"connect|ra-interval|reference-bandwidth|default-metric|bandwidth) )(\d+)$"
)


class Frr:
    """The daemons in their namespace, and one vtysh after the other."""

    def __init__(self, folder: Path, program: Any) -> None:
        self.folder = folder
        self._vtysh = program.path("vtysh")
        inner = "; ".join(
            [
                "ip link set lo up",
                *(
                    f"ip link add {name} type veth peer name p{name}; ip link set {name} up"
                    for name in ("eth0", "eth1")
                ),
                *(self._daemon(name) for name in DAEMONS),
                "echo ready",
                "exec sleep infinity",
            ]
        )
        self._process = subprocess.Popen(
            ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "-c", inner],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"
        deadline = time.monotonic() + 20
        while not all((folder / f"{name}.vty").exists() for name in DAEMONS):
            assert time.monotonic() < deadline, "a daemon of FRR did not come up"
            time.sleep(0.05)

    def _daemon(self, name: str) -> str:
        sockets = f"--vty_socket {self.folder} -z {self.folder}/zserv.api -i {self.folder}/{name}.pid"
        return f"{SERVER}/{name} -d -P 0 {sockets}" + (" -p 0" if name == "bgpd" else "")

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _run(self, *arguments: str) -> str:
        command = [self._vtysh, "--vty_socket", str(self.folder), *arguments]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return ended.stdout + ended.stderr

    def load(self, file: Path) -> None:
        self._run("-f", str(file))

    def running(self) -> str:
        said = self._run("-c", "show running-config")
        return said[said.index("frr version") :]

    def say(self, commands: tuple[str, ...]) -> list[str]:
        """What it answers, less what it tells of a line that it took."""
        words = ["-c", "configure terminal"]
        for command in commands:
            words += ["-c", command]
        return [line for line in self._run(*words).splitlines() if not _TALKS.match(line)]


@contextlib.contextmanager
def started(program: Any, folders: pytest.TempPathFactory, configuration: str) -> Iterator[Frr]:
    folder = folders.mktemp("frr-lines")
    # The daemons run as frr, and have to get through what pytest made for root alone; nothing else is touched.
    for place in folder.parents:
        if place.stat().st_mode & 0o7777 == 0o700 and place != Path.home():
            place.chmod(0o711)
    folder.chmod(0o777)
    made = Frr(folder, program)
    try:
        (folder / "start.conf").write_text(configuration, "utf-8")
        made.load(folder / "start.conf")
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def frr(program: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Frr]:
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    with started(program, tmp_path_factory, Path(__file__).with_name("frr-lines.conf").read_text("utf-8")) as made:
        yield made


def gone(line: str) -> list[str]:
    return []


def other(line: str) -> list[str]:
    return [_NUMBER.sub(lambda found: f"{found[1]}{int(found[2]) + 1}", line)]


@pytest.mark.parametrize("change", [gone, other], ids=["taken back", "changed"])
@pytest.mark.parametrize("part", range(ROUNDS))
def test_frr_does_what_it_is_told_and_nothing_else(frr: Frr, change: Callable[[str], list[str]], part: int) -> None:
    base = frr.running()
    lines = base.splitlines()
    chosen = [
        at
        for at, line in enumerate(lines)
        if not _ENDS.fullmatch(line.strip()) and not _CARRIES_OTHERS.match(line.strip()) and change(line) != [line]
    ][part::ROUNDS]
    assert len(chosen) > (5 if change is other else 20)
    intended = [new for at, line in enumerate(lines) for new in (change(line) if at in chosen else [line])]
    wanted = said("\n".join(intended))
    # A family of root lines of which nothing is left is named by its absence.
    heads = {" ".join(line.split()[:2]) for line in intended if not line.startswith(" ")}
    intended += [
        f"no {lines[at]}"
        for at in chosen
        if not lines[at].startswith(" ") and " ".join(lines[at].split()[:2]) not in heads
    ]
    answer = remediate(Platform.FRR, base, "\n".join(intended) + "\n", manager="10.126.12.5")
    assert not answer.refused, answer.hazards
    try:
        assert frr.say(answer.commands) == []
        assert sorted(said(frr.running())) == sorted(wanted)
    finally:
        back = frr.say(answer.rollback)
    assert back == []
    assert sorted(said(frr.running())) == sorted(said(base))


def said(text: str) -> list[str]:
    """Lines that say something; `exit` lines and sections that are empty are FRR's own affair."""
    return [
        line for line in text.splitlines() if not _ENDS.fullmatch(line.strip()) and line not in ("line vty", "vrf GOV")
    ]


BARE: Final = """\
hostname xc
log syslog informational
ip forwarding
ip route 0.0.0.0/0 10.60.1.1
interface eth0
 ip address 10.60.1.2/30
exit
"""


def test_everything_is_built_on_a_bare_router_and_taken_away_again(
    frr: Frr, program: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    full = frr.running()
    with started(program, tmp_path_factory, BARE) as fresh:
        bare = fresh.running()
        answer = remediate(Platform.FRR, bare, full, manager="10.126.12.5")
        assert not answer.refused, answer.hazards
        assert fresh.say(answer.commands) == []
        assert sorted(said(fresh.running())) == sorted(said(full))
        assert fresh.say(answer.rollback) == []
        left = [line for line in said(fresh.running()) if not line.startswith("interface ")]
        assert sorted(left) == sorted(line for line in said(bare) if not line.startswith("interface "))
