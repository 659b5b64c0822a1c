"""Kiosks in namespaces: an own root, an own network behind a cable, a real OpenSSH server, Python and net-snmp.

Each kiosk has a network, mount, UTS, IPC and PID namespace; its root is a copy-on-write layer in memory over this
machine's. There is no systemd in it: a script takes systemctl's words (`kiosk_service_command`) and starts the same
daemons from the same files. Its /sys is made up, so that peripherals can come and go. No display: what stands for the
browser leaves cookies and waits, what stands for the X server's clock reads a file. We reach a kiosk in band, at the
address that the inventory gave it (198.19.0.0/16, RFC 2544); platforms and the operation centre are addresses at our
end of the cables. Killing the outermost process takes everything along.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from inventory.loader import allocate_missing, load
from inventory.model import Inventory

MANAGER, PLATFORM, STRANGER, CLOCK = "198.19.240.1", "198.19.240.2", "198.19.240.3", "198.19.240.4"
PAGE = 8080
SERVICE = "/usr/local/sbin/lab-service"
AUTH, PRIV = "canary-authenticates", "canary-encrypts"
USB = {"reader": "0400:c35a", "camera": "1d6c:0103"}

COUNTY = {
    "kiosks": {
        "login": {"user": "root", "private_key": "secret://ssh/kiosk"},
        "snmp": {
            "user": "noc", "auth": "sha256", "auth_password": "secret://snmp/auth", "priv": "aes128",
            "priv_password": "secret://snmp/priv",
        },
        "home": f"http://{PLATFORM}:{PAGE}/kiosk",
        "rating": f"http://{PLATFORM}:{PAGE}/rating",
        "platforms": {
            "services": {"urls": [f"http://{PLATFORM}:{PAGE}"], "addresses": [f"{PLATFORM}/32"], "ports": [PAGE]}
        },
        "mirror": {"url": f"http://{PLATFORM}:{PAGE}/debian", "suite": "bookworm", "addresses": [f"{PLATFORM}/32"]},
        "peripherals": {
            "reader": {"part": "id-card-reader", "usb": USB["reader"], "port": "1-2"},
            "camera": {"part": "document-camera", "usb": USB["camera"]},
        },
        "fitted": {"kiosk": ["reader", "camera"]},
        "idle_s": 10,
    },
    "network": {
        "managers": [f"{MANAGER}/32"], "manager": MANAGER, "login": {"user": "cuntong", "password": "secret://ssh/x"},
        "snmp": {"user": "noc", "auth_password": "secret://snmp/auth", "priv_password": "secret://snmp/priv"},
        "ntp": [CLOCK, MANAGER], "dns": [CLOCK],
    },
}  # fmt: skip

SITES = """\
division: 511825
center: 天全县
townships:
  511825100:
    is: 城厢镇
    villages:
      511825100002: 徙榆居委会
      511825100004: 文笔居委会
"""

INIT = r"""
set -e
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
hostname {name}
mkdir -p {folder}/layer
mount -t tmpfs -o mode=755 tmpfs {folder}/layer
cd {folder}/layer
mkdir up work root
mount -t overlay overlay -o lowerdir=/,upperdir=$PWD/up,workdir=$PWD/work root
cd root
mount -t proc proc proc
mount --rbind /dev dev
for dir in run tmp sys root var/log; do mount -t tmpfs -o mode=755 tmpfs $dir; done
chmod 1777 tmp
mkdir -p run/lab run/sshd run/lock run/cups mnt/old
mount --bind {folder} run/lab
pivot_root . mnt/old
umount -l /mnt/old
mkdir -p /sys/class/drm/card0-HDMI-A-1 /sys/module/apparmor/parameters /sys/class/watchdog/watchdog0 /var/log/usbguard
echo connected > /sys/class/drm/card0-HDMI-A-1/status
echo Y > /sys/module/apparmor/parameters/enabled
echo 'Software of the lab' > /sys/class/watchdog/watchdog0/identity
rm -rf /var/lib/snmp/* /etc/cuntong /var/lib/cuntong
install -m 755 /run/lab/lab-service {service}
install -m 755 /run/lab/browser /usr/local/bin/chromium
install -m 755 /run/lab/clock /usr/local/bin/xprintidle
echo 0 > /run/idle
ip link set lo up
ip link set eth0 up
ip addr add {address}/32 dev eth0
ip route add 198.19.240.0/24 dev eth0
/usr/sbin/sshd -f /run/lab/sshd_config
touch /run/lab/ready
exec sleep infinity
"""

SSHD = """\
Port 22
HostKey /run/lab/host_key
PermitRootLogin yes
PasswordAuthentication no
AuthorizedKeysFile /run/lab/authorized
StrictModes no
UsePAM no
UseDNS no
PrintMotd no
PidFile /run/sshd.pid
"""

# systemctl's words, for the units that this lab can run for real; each start is written down.
LAB_SERVICE = r"""#!/bin/bash
verb=$1; shift
state=/run/lab-units; mkdir -p $state
again() {
  [ -e "$1" ] || return 0
  pid=$(cat "$1"); kill "$pid" 2>/dev/null
  for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
  rm -f "$1"
}
case $verb in
show)
  shift
  for unit; do
    file=; [ -e $state/$unit.enabled ] && file=enabled
    active=inactive; [ -e $state/$unit.active ] && active=active
    printf 'ActiveState=%s\nUnitFileState=%s\n\n' $active "$file"
  done ;;
enable) for unit; do touch $state/$unit.enabled; done ;;
daemon-reload) echo daemon-reload >> $state/log ;;
restart)
  unit=$1; echo "restart $unit" >> $state/log
  case $unit in
  snmpd.service)
    again /run/snmpd.pid
    sed -n 's/^ExecStartPre=-//p' /etc/systemd/system/snmpd.service.d/cuntong.conf | sh
    MIBS= /usr/sbin/snmpd -Lf /run/snmpd.log -p /run/snmpd.pid >/dev/null 2>&1 </dev/null || exit 1 ;;
  cups.service)
    again /run/cupsd.pid
    (echo $BASHPID > /run/cupsd.pid; exec /usr/sbin/cupsd -f -c /etc/cups/cupsd.conf) >/run/cupsd.log 2>&1 </dev/null &
    for _ in 1 2 3 4 5 6 7 8 9 10; do [ -S /run/cups/cups.sock ] && break; sleep 0.5; done ;;
  cuntong-queues.service)
    [ -S /run/cups/cups.sock ] || "$0" restart cups.service  # Requires= and After=
    sed -n 's/^ExecStart=//p' /etc/systemd/system/cuntong-queues.service | sh || exit 1 ;;
  nftables.service) nft -f /etc/nftables.conf || exit 1 ;;
  systemd-sysctl.service)
    sed -n 's/^kernel.sysrq = //p' /etc/sysctl.d/60-cuntong.conf > /run/sysrq
    mount --bind /run/sysrq /proc/sys/kernel/sysrq ;;
  cuntong-health.timer)
    again /run/health.pid
    (echo $BASHPID > /run/health.pid
     while :; do /usr/lib/cuntong/kiosk-health; sleep 0.5; done) >/dev/null 2>&1 </dev/null & ;;
  cuntong-kiosk.service)
    again /run/session.pid
    install -d -o kiosk -m 755 /run/cuntong-kiosk
    (echo $BASHPID > /run/session.pid; export HOME=/run/cuntong-kiosk/home
     exec setpriv --reuid kiosk --regid kiosk --clear-groups \
       /usr/lib/cuntong/kiosk-session) >/run/session.log 2>&1 </dev/null & ;;
  esac
  touch $state/$unit.active ;;
*) exit 1 ;;
esac
"""

BROWSER = """#!/bin/sh
for word; do case $word in --user-data-dir=*) profile=${word#*=} ;; esac; done
mkdir -p "$profile" "$HOME/downloads"
exec sleep infinity
"""

CLOCK_FILE = "#!/bin/sh\ncat /run/idle\n"


def sh(*words: str, check: bool = True) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(words)}: {done.stdout}{done.stderr}")
    return done.stdout


@dataclass
class Kiosk:
    """One kiosk in namespaces."""

    id: str
    address: str
    pid: int

    def run(self, command: str, check: bool = True) -> str:
        """A command inside, over no network."""
        return sh("nsenter", "-t", str(self.pid), "-m", "-u", "-i", "-n", "-p", "sh", "-c", command, check=check)

    def file(self, path: str, text: str) -> None:
        self.run(f"mkdir -p $(dirname {path}) && printf %s '{text}' > {path}")

    def plug(self, name: str, port: str) -> None:
        """Plug a peripheral in."""
        vendor, _, product = USB[name].partition(":")
        self.file(f"/sys/bus/usb/devices/{port}/idVendor", f"{vendor}\n")
        self.file(f"/sys/bus/usb/devices/{port}/idProduct", f"{product}\n")

    def unplug(self, port: str) -> None:
        self.run(f"rm -r /sys/bus/usb/devices/{port}")

    def started(self) -> list[str]:
        """What was started by the role, so far."""
        return self.run("cat /run/lab-units/log 2>/dev/null", check=False).splitlines()


def lay_out(base: Path, folder: Path, secrets: Path) -> Inventory:
    """A county of a township with a Windows kiosk and two villages with a kiosk on Linux each."""
    county = yaml.safe_load((base / "county.yml").read_text("utf-8"))
    county["addresses"] = {
        "zones": {"gov_public": "198.19.0.0/20", "gov_internet": "198.19.128.0/20"},
        "mgmt": {"loopbacks": "198.19.64.0/24", "p2p": "198.19.80.0/22"},
    }
    county["models"]["kiosk-win"] = {"title": "Kiosk", "vendor": "Microsoft", "class": "kiosk", "profile": "windows"}
    county["classes"]["town"] = {"devices": {"agg1": "ar", "kiosk1": "kiosk-win"}}
    folder.mkdir()
    (folder / "sites").mkdir()
    (folder / "county.yml").write_text(yaml.safe_dump({**county, **COUNTY}, allow_unicode=True), "utf-8")
    (folder / "divisions.csv").write_text((base / "divisions.csv").read_text("utf-8"), "utf-8")
    (folder / "sites" / "county.yml").write_text(SITES, "utf-8")
    allocate_missing(folder)
    for name, text in (("snmp/auth", AUTH), ("snmp/priv", PRIV)):
        path = secrets / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
        path.chmod(0o600)
    (secrets / "ssh").mkdir()
    sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(secrets / "ssh" / "kiosk"))
    return load(folder)


@contextlib.contextmanager
def kiosk(id: str, address: str, number: int, folder: Path, key: str) -> Iterator[Kiosk]:
    """One kiosk, from its cable to its ssh server; gone when the block ends."""
    space = f"ctkiosk{number}"
    folder.mkdir()
    texts = {
        "sshd_config": SSHD, "lab-service": LAB_SERVICE, "browser": BROWSER, "clock": CLOCK_FILE, "authorized": key,
        "init": INIT.format(name=f"kiosk{number}", folder=folder, address=address, service=SERVICE),
    }  # fmt: skip
    for name, text in texts.items():
        (folder / name).write_text(text)
    sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "host_key"))
    sh("ip", "link", "del", space, check=False)
    sh("ip", "netns", "del", space, check=False)
    sh("ip", "netns", "add", space)
    sh("ip", "link", "add", space, "type", "veth", "peer", "name", "eth0", "netns", space)
    if number == 1:
        for own in (MANAGER, PLATFORM, STRANGER, CLOCK):
            sh("ip", "addr", "add", f"{own}/32", "dev", space)
    sh("ip", "link", "set", space, "up")
    sh("ip", "route", "add", f"{address}/32", "dev", space, "src", MANAGER)
    log = (folder / "log").open("w")
    process = subprocess.Popen(
        ["ip", "netns", "exec", space, "unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child",
         "--propagation", "private", "sh", str(folder / "init")],
        stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
    )  # fmt: skip
    try:
        until = time.monotonic() + 30
        while not (folder / "ready").exists():
            if process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"the kiosk did not start: {(folder / 'log').read_text()}")
            time.sleep(0.05)
        yield Kiosk(id, address, int(sh("pgrep", "-P", str(process.pid)).split()[0]))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        log.close()
        sh("ip", "link", "del", space, check=False)
        sh("ip", "netns", "del", space, check=False)


def host_key(folder: Path) -> str:
    return " ".join((folder / "host_key.pub").read_text().split()[:2])


def kiosks_of(inventory: Inventory) -> list[Any]:
    """The kiosks on Linux, in the inventory's order."""
    return [device for device in inventory.devices if device.model == "kiosk"]
