"""The Linux shell around FRR: what a change of ours types there."""

import pytest

from rollout.platform import Platform
from simulator.routers.device import Options, RouterSpec, SimulatedRouter
from simulator.routers.shell import Shell
from simulator.routers.timers import ManualTimers

TEXT = "hostname R\n!\ninterface eth0\n ip address 10.9.0.2/30\nexit\n!\nip route 0.0.0.0/0 10.9.0.1\n!\n"
KEEP = "/etc/frr/keep.conf"


@pytest.fixture
def timers() -> ManualTimers:
    return ManualTimers()


@pytest.fixture
def router(timers: ManualTimers) -> SimulatedRouter:
    return SimulatedRouter(RouterSpec("f1", 0, Platform.FRR, TEXT), Options(), timers)


@pytest.fixture
def shell(router: SimulatedRouter) -> Shell:
    return Shell(router, "root")


def test_a_timer_brings_the_old_configuration_back(shell: Shell, router: SimulatedRouter, timers: ManualTimers) -> None:
    before = router.running
    shell.type(f"umask 077; vtysh -c 'show running-config' > {KEEP}")
    reload = f"/usr/lib/frr/frr-reload.py --reload {KEEP}"
    assert shell.type(f"systemd-run --collect --unit=dm --on-active=120s {reload}").lines[0].endswith("dm.timer")
    assert shell.type("systemctl is-active dm.timer").lines == ["active"]
    shell.type("vtysh -c 'configure terminal' -c 'interface eth0' -c 'shutdown'")
    timers.turn(119)
    assert "shutdown" in router.running
    timers.turn(2)
    assert router.running == before
    assert shell.type("systemctl is-active dm.timer").lines == ["inactive"]


def test_a_stopped_timer_never_fires(shell: Shell, router: SimulatedRouter, timers: ManualTimers) -> None:
    shell.type(f"vtysh -c 'show running-config' > {KEEP}")
    shell.type(f"systemd-run --unit=dm --on-active=2min frr-reload.py --reload {KEEP}")
    shell.type("vtysh -c 'configure terminal' -c 'hostname NEW'")
    shell.type("systemctl stop dm.timer")
    timers.turn(1000)
    assert router.name == "NEW"


def test_interactive_vtysh_has_its_own_prompts_and_saves(shell: Shell, router: SimulatedRouter) -> None:
    prompts = []
    for line in (
        "vtysh",
        "configure terminal",
        "router ospf",
        "ospf router-id 10.0.0.1",
        "end",
        "write memory",
        "exit",
    ):
        shell.type(line)
        prompts.append(shell.prompt)
    assert prompts == ["R# ", "R(config)# ", "R(config-router)# ", "R(config-router)# ", "R# ", "R# ", "root@R:~# "]
    assert "ospf router-id 10.0.0.1" in router.startup


def test_a_file_is_checked_whole_before_anything_of_it_is_done(shell: Shell, router: SimulatedRouter) -> None:
    for line in (f"cat > {KEEP} <<'EOF'", "hostname OTHER", "bogus line", "EOF"):
        shell.type(line)
    said = shell.type(f"frr-reload.py --reload {KEEP}")
    assert shell.code == 1
    assert said.lines[-1] == "line 2: % Unknown command: bogus line"
    assert router.name == "R"


def test_a_test_run_lists_what_would_change_and_changes_nothing(shell: Shell, router: SimulatedRouter) -> None:
    before = router.running
    for line in (f"tee {KEEP} <<EOF", "hostname R", "interface eth0", " ip address 10.9.0.6/30", "EOF"):
        shell.type(line)
    lines = shell.type(f"frr-reload.py --test {KEEP}").lines
    assert "no ip route 0.0.0.0/0 10.9.0.1" in lines[lines.index("Lines To Delete") :]
    assert "interface eth0 / ip address 10.9.0.6/30" in lines[lines.index("Lines To Add") :]
    assert router.running == before


TABLE = [
    ("true && echo yes || echo no", ["yes"], 0),
    ("false && echo yes || echo no", ["no"], 0),
    ("false; echo $?", ["1"], 0),
    ("bogus", ["-bash: bogus: command not found"], 127),
    ("cat /nowhere 2>/dev/null", [], 1),
    ("vtysh -c 'show running-config' | grep -c 'ip route'", ["1"], 0),
    ("vtysh -c 'sh'", ["% Unknown command: sh"], 1),
    ("test -f /etc/frr/frr.conf && echo there", ["there"], 0),
    ("cp /etc/frr/frr.conf /tmp/a && grep -q hostname /tmp/a; echo $?", ["0"], 0),
    ("sudo cat /etc/frr/frr.conf | head -n 1", ["frr version 8.4.4"], 0),
    ("echo 'a", ["-bash: syntax error: No closing quotation"], 2),
]


@pytest.mark.parametrize(("line", "lines", "code"), TABLE, ids=[line for line, *_ in TABLE])
def test_a_command_line_does_what_a_shell_would(shell: Shell, line: str, lines: list[str], code: int) -> None:
    assert (shell.type(line).lines, shell.code) == (lines, code)


def test_a_full_disk_is_said_and_nothing_is_written(shell: Shell, router: SimulatedRouter) -> None:
    router.inject(disk_full=True)
    said = shell.type(f"vtysh -c 'show running-config' > {KEEP}")
    assert said.lines == [f"-bash: {KEEP}: No space left on device"]
    assert KEEP not in router.files
    assert "No space left" in "".join(shell.type("vtysh -c 'write memory'").lines)


def test_a_box_without_systemd_says_so(timers: ManualTimers) -> None:
    spec = RouterSpec("f1", 0, Platform.FRR, TEXT, lacks=frozenset({"systemd"}))
    shell = Shell(SimulatedRouter(spec, Options(), timers), "root")
    shell.type("systemd-run --on-active=60s true")
    assert shell.code == 127
    shell.type("command -v systemd-run")
    assert shell.code == 1
