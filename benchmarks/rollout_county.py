"""Planning and changing the demo county's 143 routers over SSH; planning 5,000; beside a plain Ansible playbook.

The routers are simulated, in a process of their own. Apply is measured from bare boxes to confirmed ones, blind (the
gate's wait for a polling interval would measure the interval) and with a soak of nothing. CPU is the controller's with
all its children: planners, ansible-playbook, its workers; what a program costs to start is shared by the routers of a
run, on both sides, and their number is printed. The peers send the same lines by a playbook of eight named tasks:

- what an engineer writes for routers, `ansible.netcommon.cli_config` over `network_cli`: to RGOS, which it takes for
  cisco.ios. VRP has no such dialect but CloudEngine's (`ce_config` of community.network), so there it is `cli_command`,
  a line at a time, or it loses its place. Those collections come with the PyPI package `ansible`, up to 11;
  BENCH_NETWORK_ANSIBLE names the ansible-playbook of a virtual environment that has it (`pip install 'ansible<12'
  paramiko ansible-pylibssh`); without it these peers are left out.
- `ansible.builtin.command` that calls ssh from the controller, to Linux routers.
- `ansible.builtin.raw` to Linux routers, over connections that stay open: nothing is compared, kept or looked at.

BENCH_ROUTERS changes the 5,000, BENCH_NETWORK_ROUTERS the 8 of cli_config; BENCH_PART=county, plain, network_cli or
many runs one part.
"""

import ctypes
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from cuntong.changing import rehearsal
from cuntong.changing.planning import read_all, tasks_for, templates_of
from cuntong.changing.reach import platform_of, reach
from cuntong.secrets import Resolver
from cuntong.settings import Settings
from inventory.loader import load
from inventory.model import Inventory
from ledger.database import sqlite_url
from rollout.device_model import Device, ModelRefusedError
from rollout.plan import Readiness, Terms
from rollout.planning import Task
from rollout.platform import Platform
from rollout.rules import RULES
from simulator.dial import address_of

EXAMPLE = Path(__file__).resolve().parent.parent / "inventory" / "examples" / "tianquan"
ROUTERS = int(os.environ.get("BENCH_ROUTERS", "5000"))
PART = os.environ.get("BENCH_PART", "")
FLEET = """
import json, sys, time
from pathlib import Path
from cuntong.changing.planning import templates_of
from cuntong.secrets import Resolver
from inventory.loader import load
from simulator.routers.device import Options
from simulator.routers.fleet import serving
from simulator.routers.wiring import specs
from dataclasses import replace

place, count, key = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
county = load(Path(sys.argv[4]))
made = specs(county, templates_of(county), Resolver(place / "secrets").secret)
if key:
    made = [replace(one, keys={"cuntong": key}) for one in made]
if count:  # the same boxes under other names, as many as are asked for
    made = [replace(made[n % len(made)], device_id=f"r{n}", ordinal=n) for n in range(count)]
with serving(made, Options(minute_s=1.0, boot_s=2.0)) as fleet:
    keys = "".join(f"{one} {fleet.host_key(one)}\\n" for one in fleet)
    (place / "known_hosts").write_text(keys)
    print(fleet.port, flush=True)
    sys.stdin.read()
"""
# What network_cli is tried on: platform, module of the eight tasks, how many routers, and what Ansible takes them for.
_NETWORK = (
    (Platform.RGOS, "cli_config", int(os.environ.get("BENCH_NETWORK_ROUTERS", "8")), "cisco.ios.ios"),
    (Platform.VRP, "cli_command", 2, "community.network.ce"),
)
_CHILD_SUBREAPER = 36  # prctl(2)
_REFERENCE = re.compile(r"secret://\S+")
PLAIN = """
- hosts: all
  gather_facts: false
  tasks:
"""


@dataclass
class Spent:
    """Wall and CPU seconds of this process and its children, and the most memory (MB) of all of them together."""

    wall_s: float
    cpu_s: float


@contextmanager
def routers(place: Path, count: int = 0, key: str = "") -> Iterator[int]:
    """Simulated routers in a process of their own; the port."""
    command = [sys.executable, "-c", FLEET, str(place), str(count), key, str(EXAMPLE)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdout is None or process.stdin is None:
            raise RuntimeError("pipes were asked for")
        yield int(process.stdout.readline())
        process.stdin.close()


def _cpu() -> float:
    """CPU seconds of this process, of the children that ended and of those that live, with theirs."""
    told = os.times()
    spent = told.user + told.system + told.children_user + told.children_system
    for child in psutil.Process().children(recursive=True):
        if str(EXAMPLE) in _words(child):
            continue  # the simulated routers are not ours to pay for
        times = child.cpu_times()
        spent += times.user + times.system + times.children_user + times.children_system
    return spent


def _words(child: psutil.Process) -> list[str]:
    try:
        return [str(word) for word in child.cmdline()]
    except psutil.ZombieProcess:
        return []


@contextmanager
def measured() -> Iterator[Spent]:
    spent, start, before = Spent(0.0, 0.0), time.monotonic(), _cpu()
    yield spent
    spent.wall_s, spent.cpu_s = time.monotonic() - start, _cpu() - before


def settings_for(place: Path, port: int, told: dict[str, str]) -> Settings:
    given = {name.removeprefix("CUNTONG_").lower(): value for name, value in told.items()}
    return Settings.model_validate(
        {**given, "ledger": sqlite_url(place / "ledger.sqlite3"), "simulated_ssh": port, "minute_s": 1.0}
    )


def county(inventory: Inventory, place: Path) -> float:
    """Plan and apply the whole county; CPU seconds for one device change."""
    told = rehearsal.lay_out(inventory, place, list(inventory.devices))
    with routers(place) as port:
        given = settings_for(place, port, told)
        devices = [device for device in inventory.devices if platform_of(inventory, device) is not None]
        tasks = tasks_for(inventory, devices, reach(inventory, given), templates_of(inventory))
        with measured() as planning:
            planned = read_all(tasks, 8, 4)
        ready = sum(one.plan.readiness is Readiness.READY for one in planned)
        print(f"plan of {len(devices)} routers: {planning.wall_s:.1f} s (limit 60), {ready} ready, "
              f"{planning.cpu_s / len(devices) * 1000:.0f} ms of CPU each")  # fmt: skip
        with measured() as applying:
            plan, result = rehearsal.perform(
                inventory, given, inventory.top, devices, Terms(soak_s=0.0), lambda _: None, blind=True
            )
        done = sum(one.state == "confirmed" for one in result.outcomes.values())
        print(f"plan and apply: {done} of {len(devices)} confirmed in {len(plan.waves)} waves, 8 at a time: "
              f"{applying.wall_s:.0f} s (limit 240, soak excluded) {result.stopped}")  # fmt: skip
        each = (applying.cpu_s - planning.cpu_s) / max(1, done)
        print(f"  {each * 1000:.0f} ms of CPU a device change, Ansible and its workers included")
        return each


def plain(inventory: Inventory, place: Path) -> dict[str, float]:
    """Eight named tasks with the same lines, on the county's Linux routers; CPU seconds a device by each way."""
    told = rehearsal.lay_out(inventory, place, list(inventory.devices))
    key = place / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    with routers(place, key=(place / "key.pub").read_text().strip()) as port:
        given = settings_for(place, port, told)
        devices = [one for one in inventory.devices if platform_of(inventory, one) is Platform.FRR]
        tasks = tasks_for(inventory, devices, reach(inventory, given), templates_of(inventory))
        planned = [one.plan for one in read_all(tasks, 8, 4)]
        hosts = {
            one.id: {"ansible_host": address_of(one.ordinal), "lines": _vtysh(list(plan.commands))}
            for one, plan in zip(devices, planned, strict=True)
        }
        (place / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}))
        ssh = f"ssh -i {key} -p {port} -o StrictHostKeyChecking=no -o LogLevel=ERROR"
        open_all_the_time = f"-u cuntong --private-key {key} -e ansible_port={port}".split()
        return {
            "raw": _run_plain(place, "raw", len(devices), open_all_the_time),
            "command": _run_plain(place, "command", len(devices), ["-c", "local", "-e", f"ssh={json.dumps(ssh)}"]),
        }


def network_cli(inventory: Inventory, place: Path) -> dict[str, float]:
    """Eight named tasks with the same lines over network_cli, on some of the county's routers; CPU s a device."""
    playbook = os.environ.get("BENCH_NETWORK_ANSIBLE")
    if not playbook:
        print("network_cli: left out; BENCH_NETWORK_ANSIBLE names no ansible-playbook with its collections")
        return {}
    # Its connections outlive the playbook's processes: their parent is gone, and they become ours to count.
    ctypes.CDLL(None, use_errno=True).prctl(_CHILD_SUBREAPER, 1, 0, 0, 0)
    told = rehearsal.lay_out(inventory, place, list(inventory.devices))
    network = inventory.county.network
    if network is None or network.login.password is None:
        raise RuntimeError("the example county has a login")
    spent: dict[str, float] = {}
    with routers(place) as port:
        given = settings_for(place, port, told)
        for platform, way, most, system in _NETWORK:
            devices = [one for one in inventory.devices if platform_of(inventory, one) is platform][-most:]
            tasks = tasks_for(inventory, devices, reach(inventory, given), templates_of(inventory))
            planned = [one.plan for one in read_all(tasks, 8, 4)]
            hosts = {
                one.id: {"ansible_host": address_of(one.ordinal), "lines": _shares(place, platform, plan.commands)}
                for one, plan in zip(devices, planned, strict=True)
            }
            known = {
                "ansible_connection": "ansible.netcommon.network_cli", "ansible_network_os": system,
                "ansible_port": port, "ansible_user": network.login.user,
                "ansible_password": Resolver(place / "secrets").secret(network.login.password),
            }  # fmt: skip
            if network.login.enable is not None and platform is Platform.RGOS:
                known |= {
                    "ansible_become": True, "ansible_become_method": "ansible.netcommon.enable",
                    "ansible_become_password": Resolver(place / "secrets").secret(network.login.enable),
                }  # fmt: skip
            (place / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts, "vars": known}}))
            lines = sum(len(plan.commands) for plan in planned) / len(planned)
            spent[way] = _run_plain(place, way, len(hosts), [], playbook)
            print(f"  {lines:.0f} lines a device, over network_cli to {platform} as {system}")
    return spent


def _shares(place: Path, platform: Platform, lines: Sequence[str]) -> list[list[str]]:
    """The lines in eight shares, sections whole, secrets opened, in the way that each module wants them.

    cli_command (VRP) enters the system view and leaves it; cli_config (RGOS) compares with what the router shows and
    sends the rest, so it wants the router's indentation and no words that leave a section.
    """
    model = Device(platform, {})
    sections: list[list[str]] = [[]]
    for line in lines:
        opened = _REFERENCE.sub(lambda found: Resolver(place / "secrets").secret(found[0]), line).strip()
        depth = len(model.view)
        with suppress(ModelRefusedError):
            model.take(line)
        if platform is Platform.VRP:
            sections[-1].append(opened)
        elif opened not in RULES[platform].exits:
            sections[-1].append(" " * depth + opened)
        if not model.view:
            sections.append([])
    shares: list[list[str]] = [[] for _ in range(8)]
    for number, section in enumerate(sections):
        shares[number * 8 // len(sections)] += section
    return [["system-view", *share, "return"] for share in shares] if platform is Platform.VRP else shares


def _run_plain(place: Path, way: str, hosts: int, more: list[str], playbook: str = "") -> float:
    said = (
        '"{{ lines[%d] }}"'
        if way == "raw"
        else "{ argv: \"{{ ssh.split() + ['cuntong@' ~ ansible_host, lines[%d]] }}\" }"
    )
    tasks = [f"    - name: Share {n + 1} of the lines\n      ansible.builtin.{way}: {said % n}\n" for n in range(8)]
    if way == "cli_command":
        tasks = [
            f"    - name: Share {n + 1} of the lines\n"
            '      ansible.netcommon.cli_command: { command: "{{ item }}" }\n'
            f'      loop: "{{{{ lines[{n}] }}}}"\n'
            for n in range(8)
        ]
    if way == "cli_config":
        tasks = [
            f"    - name: Share {n + 1} of the lines\n"
            f"      ansible.netcommon.cli_config: {{ config: \"{{{{ lines[{n}] | join('\\n') }}}}\" }}\n"
            for n in range(8)
        ]
    (place / "plain.yml").write_text(PLAIN + "".join(tasks))
    environment = {
        **os.environ,
        "ANSIBLE_HOST_KEY_CHECKING": "False",
        "ANSIBLE_HOME": str(place / "home"),
        "ANSIBLE_PIPELINING": "True",
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "ANSIBLE_PERSISTENT_CONNECT_TIMEOUT": "30",
        "ANSIBLE_PARAMIKO_LOOK_FOR_KEYS": "False",
        "LC_ALL": "C.UTF-8",
    }
    playbook = playbook or str(Path(sys.executable).parent / "ansible-playbook")
    command = [playbook, "-i", str(place / "hosts.json"), "-f", "8", *more, str(place / "plain.yml")]
    with measured() as spent:
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if ended.returncode or "ok=8" not in ended.stdout:
        sys.exit(f"the plain playbook failed: {ended.stdout[-2000:]}{ended.stderr[-500:]}")
    each = spent.cpu_s / hosts
    print(f"a plain playbook of eight {way} tasks on {hosts} routers: {each * 1000:.0f} ms of CPU a device "
          f"(no backup, no net, no proof), {spent.wall_s:.0f} s")  # fmt: skip
    return each


def _vtysh(lines: list[str]) -> list[str]:
    """The lines in eight shares, sections whole, each share one vtysh call that stands by itself."""
    sections: list[list[str]] = []
    inside = False
    for line in lines:
        if inside:
            sections[-1].append(line.strip())
        else:
            sections.append([line.strip()])
        inside = line.strip() != "exit" and (inside or line.startswith(("interface ", "router ")))
    shares: list[list[str]] = [["configure terminal"] for _ in range(8)]
    for number, section in enumerate(sections):
        shares[number % 8] += section
    return ["vtysh " + " ".join(f"-c '{line}'" for line in share) for share in shares]


def many(inventory: Inventory, place: Path) -> None:
    """Plan as many routers as are asked for; memory halfway and at the end."""
    told = rehearsal.lay_out(inventory, place, list(inventory.devices))
    with routers(place, ROUTERS) as port:
        given = settings_for(place, port, told)
        devices = [one for one in inventory.devices if platform_of(inventory, one) is not None]
        few = tasks_for(inventory, devices, reach(inventory, given), templates_of(inventory))
        keys = dict(line.split(" ", 1) for line in (place / "known_hosts").read_text().splitlines())
        tasks = [_another(few[n % len(few)], n, keys[f"r{n}"]) for n in range(ROUTERS)]
        memory: list[float] = []

        def look(_: Any) -> None:
            memory.append(0.0)
            if len(memory) in (ROUTERS // 2, ROUTERS):
                memory[-1] = _tree_mb()

        with measured() as spent:
            planned = read_all(tasks, 16, 64, look)
    ready = sum(one.plan.readiness is Readiness.READY for one in planned)
    print(f"plan of {ROUTERS:,} routers: {spent.wall_s:.0f} s (limit 600 for 5,000), {ready:,} ready, "
          f"{spent.cpu_s / ROUTERS * 1000:.0f} ms of CPU each; memory of all processes "
          f"{memory[ROUTERS // 2 - 1]:.0f} MB halfway, {memory[-1]:.0f} MB at the end")  # fmt: skip


def _another(task: Task, number: int, key: str) -> Task:
    router = replace(task.router, device=f"r{number}", host=address_of(number), host_keys=(key,))
    return replace(task, router=router, uplink=f"u{number // 64}")


def _tree_mb() -> float:
    me = psutil.Process()
    return float(sum(one.memory_info().rss for one in (me, *me.children(recursive=True))) / 2**20)


def main() -> None:
    inventory = load(EXAMPLE)
    ours = 0.0
    theirs: dict[str, float] = {}
    for name in ("county", "plain", "network_cli", "many"):
        if PART not in ("", name):
            continue
        place = Path(tempfile.mkdtemp(prefix="cuntong-bench-"))
        try:
            if name == "county":
                ours = county(inventory, place)
            elif name == "plain":
                theirs |= plain(inventory, place)
            elif name == "network_cli":
                theirs |= network_cli(inventory, place)
            else:
                many(inventory, place)
        finally:
            shutil.rmtree(place, ignore_errors=True)
    for way, cpu_s in theirs.items():
        if ours and cpu_s:
            print(f"eight {way} tasks cost {cpu_s / ours:.1f} times the CPU of a device change of ours (aim: 5)")


if __name__ == "__main__":
    main()
