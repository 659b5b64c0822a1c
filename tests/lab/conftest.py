"""A real router in namespaces: FRR, its vtysh and an OpenSSH server, behind a link that tests really cut.

The router has a network, mount, UTS and PID namespace of its own; the folders that its daemons write to are tmpfs.
We stay in the machine's own network and reach it in band, over one veth: 198.18.77.0/30 (RFC 2544's range). Killing
the outermost process takes everything along, mounts included.
"""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rollout.platform import Platform
from rollout.router import OsTimer, Router

SERVER = "/usr/lib/frr"

CONFIGURATION = """\
frr version 8.4.4
frr defaults traditional
hostname {name}
log syslog informational
no ipv6 forwarding
service integrated-vtysh-config
!
ip route 203.0.113.0/24 {manager}
!
interface eth0
 description to-manager
exit
!
interface lo
 ip address 192.0.2.1/32
exit
!
router ospf
 ospf router-id 192.0.2.1
 network 192.0.2.1/32 area 0
exit
!
"""

INIT = """\
set -e
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
hostname {name}
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=750 tmpfs /etc/frr
mount -t tmpfs -o mode=700 tmpfs /root
mount -t tmpfs -o mode=755 tmpfs /var/log/frr
mkdir -p /run/frr /run/sshd /run/lock
cp {folder}/frr.conf /etc/frr/frr.conf
echo 'service integrated-vtysh-config' > /etc/frr/vtysh.conf
echo "PS1='root@{name}:~# '" > ~root/.bashrc
chown -R frr:frr /etc/frr /run/frr
ip link set lo up
ip link set eth0 up
ip addr add {address}/30 dev eth0
sysctl -qw net.ipv4.ip_forward=1
{server}/zebra -d -A 127.0.0.1
{server}/staticd -d -A 127.0.0.1
{server}/ospfd -d -A 127.0.0.1
vtysh -b
/usr/sbin/sshd -f {folder}/sshd_config
touch {folder}/ready
exec sleep infinity
"""

SSHD = """\
Port 22
HostKey {folder}/host_key
PermitRootLogin yes
PasswordAuthentication no
AuthorizedKeysFile {folder}/authorized
StrictModes no
UsePAM no
UseDNS no
PrintMotd no
PidFile /run/sshd.pid
"""


def sh(*words: str, check: bool = True) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(words)}: {done.stdout}{done.stderr}")
    return done.stdout


@dataclass
class Node:
    """One router in namespaces."""

    name: str
    outside: str
    address: str
    router: Router
    pid: int

    def run(self, command: str, check: bool = True) -> str:
        """A command inside, over no network."""
        return sh("nsenter", "-t", str(self.pid), "-m", "-u", "-n", "-p", "sh", "-c", command, check=check)

    def running(self) -> str:
        return self.run("vtysh -c 'show running-config'")

    def saved(self) -> str:
        return self.run("cat /etc/frr/frr.conf")

    def carrier(self, up: bool) -> None:
        """The line's carrier, as a pulled plug loses it."""
        sh("ip", "link", "set", self.outside, "up" if up else "down")

    def drop(self, on: bool) -> None:
        """Everything that arrives at either end is dropped, and the carrier stays: nobody is told."""
        if not on:
            sh("nft", "delete", "table", "netdev", self.outside, check=False)
            self.run("nft delete table netdev cut 2>/dev/null", check=False)
            return
        rule = (
            "table netdev {table} {{ chain in {{ type filter hook ingress device {port} priority 0; policy drop; }}; }}"
        )
        sh("nft", rule.format(table=self.outside, port=self.outside))
        self.run(f"nft '{rule.format(table='cut', port='eth0')}'")

    def heal(self) -> None:
        self.drop(False)
        self.carrier(True)

    def reset(self) -> None:
        """As it was at the beginning, over no network."""
        self.heal()
        self.run(
            "for f in /run/cuntong-deadman.pid; do [ -e $f ] && kill -- -$(cat $f); rm -f $f $f.busy; done", check=False
        )
        self.run(f"ip link set eth0 up; ip addr replace {self.address}/30 dev eth0; cp /run/frr.conf /etc/frr/frr.conf")
        self.run(f"{SERVER}/frr-reload.py --reload /run/frr.conf")


def needed(program: Any) -> None:
    """Root and the real parts, or skip with a reason."""
    if os.geteuid() != 0:
        if os.environ.get("LAB_REQUIRED") == "1":
            pytest.fail("the lab needs root, and LAB_REQUIRED=1 forbids skipping")
        pytest.skip("namespaces need root")
    for name in ("sshd", "vtysh", "nft", "ip", "nsenter", "unshare", "ssh-keygen"):
        program.path(name)


@contextlib.contextmanager
def node(folder: Path, number: int) -> Iterator[Node]:
    """One router, from its cables to its ssh server; gone when the block ends."""
    name, outside = f"ctlab{number}", f"ctlab{number}"
    base = 4 * number
    manager, address = f"198.18.77.{base + 1}", f"198.18.77.{base + 2}"
    (folder / "frr.conf").write_text(CONFIGURATION.format(name=name, manager=manager))
    (folder / "sshd_config").write_text(SSHD.format(folder=folder))
    (folder / "init").write_text(INIT.format(name=name, folder=folder, address=address, server=SERVER))
    for key in ("host_key", "id"):
        sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key))
    (folder / "authorized").write_text((folder / "id.pub").read_text())
    sh("ip", "link", "del", outside, check=False)
    sh("ip", "netns", "del", name, check=False)
    sh("ip", "netns", "add", name)
    sh("ip", "link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", name)
    sh("ip", "addr", "add", f"{manager}/30", "dev", outside)
    sh("ip", "link", "set", outside, "up")
    log = (folder / "log").open("w")
    process = subprocess.Popen(
        ["ip", "netns", "exec", name, "unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc",
         "--propagation", "private", "sh", str(folder / "init")],
        stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
    )  # fmt: skip
    try:
        until = time.monotonic() + 30
        while not (folder / "ready").exists():
            if process.poll() is not None or time.monotonic() > until:
                pytest.fail(f"the router did not start: {(folder / 'log').read_text()}")
            time.sleep(0.05)
        inside = int(sh("pgrep", "-P", str(process.pid)).split()[0])
        router = Router(
            device=f"frr-{number}", platform=Platform.FRR, host=address, username="root",
            private_key=(folder / "id").read_text(), host_keys=((folder / "host_key.pub").read_text(),),
            silence_s=1.5, connect_s=2.0, keepalive_s=1.0, minute_s=5.0, boot_s=8.0, retry_s=0.3,
            os_timer=OsTimer.DETACHED,
        )  # fmt: skip
        made = Node(name, outside, address, router, inside)
        made.run("vtysh -c 'write memory' && cp /etc/frr/frr.conf /run/frr.conf")
        while True:
            with contextlib.suppress(OSError), socket.create_connection((address, 22), 1):
                break
            time.sleep(0.05)
        yield made
    finally:
        sh("nft", "delete", "table", "netdev", outside, check=False)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        log.close()
        sh("ip", "link", "del", outside, check=False)
        sh("ip", "netns", "del", name, check=False)


@pytest.fixture(scope="session")
def frr(program: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A router of the session; tests bring it back with ``reset``."""
    needed(program)
    with node(tmp_path_factory.mktemp("frr"), 1) as made:
        yield made
