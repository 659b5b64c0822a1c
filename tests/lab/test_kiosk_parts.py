"""What a kiosk's role touches, for real: a login without rights and sudo, CUPS and a printer that answers IPP, units.

A county of its own: one village whose kiosk is set up by an account that may do nothing but sudo, and whose printer is
Debian's ippeveprinter at the address that the inventory gave it.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from cuntong.changing.kiosks import Ended, State, Task, run_kiosks
from cuntong.settings import Settings
from inventory.loader import allocate_missing, load
from inventory.model import Inventory
from inventory.vocabulary import DeviceClass
from ledger.accounts import Account, Grant, Role
from ledger.database import open_ledger, sqlite_url
from tests.lab import kiosks as lab

pytestmark = pytest.mark.lab

BASE = Path(__file__).parents[1] / "inventory" / "bad" / "base"
CLERK = Account("wang", "", (Grant(Role.NETWORK_ENGINEER, "511825000000"),), False)
VARIABLES = {"kiosk_service_command": lab.SERVICE, "kiosk_packages": [], "kiosk_confirm_s": 2}


@dataclass
class Village:
    inventory: Inventory
    settings: Settings
    kiosk: lab.Kiosk
    printer: str
    prints: Path

    def go(self, **task: Any) -> Ended:
        engine = open_ledger(self.settings.ledger_url)
        try:
            given = Task(**{"variables": VARIABLES, **task})
            return run_kiosks(self.inventory, self.settings, engine, CLERK, self.kiosk.id, given)
        finally:
            engine.dispose()


def with_printer_and_login(folder: Path) -> Inventory:
    """The lab's county, its villages with a printer, its kiosks entered as `ops`."""
    county = yaml.safe_load((folder / "county.yml").read_text("utf-8"))
    county["models"]["laser"] = {"title": "Laser", "vendor": "generic", "class": "printer", "profile": "printer-mib"}
    county["classes"]["village"]["devices"]["prt1"] = "laser"
    county["kiosks"]["login"]["user"] = "ops"
    (folder / "county.yml").write_text(yaml.safe_dump(county, allow_unicode=True), "utf-8")
    allocate_missing(folder)
    return load(folder)


# Debian's ippeveprinter begins only where it finds Avahi, which gets a bus and a network of its own, without a cable.
PRINTER = """\
set -e
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/dbus /run/avahi-daemon
dbus-daemon --system --fork --nopidfile
unshare --net sh -c 'ip link set lo up; exec avahi-daemon --no-drop-root --no-chroot --no-rlimits --daemonize'
printf '127.0.0.1 localhost\\n{address} laser\\n2001:db8:77::1 laser\\n' > /run/hosts
mount --bind /run/hosts /etc/hosts
exec ippeveprinter -r off -n laser -p 631 -k -d {prints} -f application/pdf,image/pwg-raster,image/urf Village
"""


@contextlib.contextmanager
def printer(address: str, device: str, folder: Path) -> Iterator[Path]:
    """A printer at this address that keeps what it prints."""
    prints = folder / "prints"
    prints.mkdir()
    lab.sh("ip", "addr", "add", f"{address}/32", "dev", device)
    lab.sh("ip", "addr", "add", "2001:db8:77::1/128", "dev", device, "nodad")  # without one of each it gives up
    with (folder / "printer").open("w") as log:
        script = PRINTER.format(address=address, prints=prints)
        process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private", "sh",
             "-c", script],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        try:
            until = time.monotonic() + 20
            while True:
                with contextlib.suppress(OSError), socket.create_connection((address, 631), 1):
                    break
                assert time.monotonic() < until, (folder / "printer").read_text()
                time.sleep(0.1)
            yield prints
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture(scope="module")
def village(program: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Village]:
    if os.geteuid() != 0:
        if os.environ.get("LAB_REQUIRED") == "1":
            pytest.fail("the lab needs root, and LAB_REQUIRED=1 forbids skipping")
        pytest.skip("namespaces need root")
    for name in (
        "sshd",
        "snmpd",
        "nft",
        "ip",
        "nsenter",
        "unshare",
        "cupsd",
        "lpadmin",
        "ippeveprinter",
        "avahi-daemon",
        "sudo",
    ):
        program.path(name)
    place = tmp_path_factory.mktemp("parts")
    lab.lay_out(BASE, place / "inventory", place / "secrets")
    inventory = with_printer_and_login(place / "inventory")
    key = (place / "secrets" / "ssh" / "kiosk.pub").read_text()
    settings = Settings(
        ledger=sqlite_url(place / "ledger.sqlite3"), secrets=place / "secrets", known_hosts=place / "known_hosts",
        vault_key=place / "vault.key",
    )  # fmt: skip
    device = lab.kiosks_of(inventory)[0]
    paper = next(one for one in inventory.devices.of(device.site) if one.device_class is DeviceClass.PRINTER)
    with lab.kiosk(device.id, device.address, 1, place / "kiosk", key) as made:
        (place / "known_hosts").write_text(f"{made.id} {lab.host_key(place / 'kiosk')}\n")
        made.run(
            "useradd -m -s /bin/sh -p '*' ops && true && "
            "echo 'ops ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/ops && chmod 440 /etc/sudoers.d/ops && "
            f"ip route add {paper.address}/32 dev eth0"
        )
        made.run(
            "sed -i 's/PermitRootLogin yes/PermitRootLogin no/' /run/lab/sshd_config; kill -HUP $(cat /run/sshd.pid)"
        )
        with printer(paper.address, "ctkiosk1", place) as prints:
            yield Village(inventory, settings, made, paper.address, prints)


@pytest.fixture(scope="module")
def applied(village: Village) -> Ended:
    return village.go()


def test_an_account_without_rights_sets_a_kiosk_up_through_sudo(village: Village, applied: Ended) -> None:
    assert [(one.state, one.reason) for one in applied.outcomes] == [(State.CHANGED, "")]
    assert village.kiosk.run("stat -c '%U %a' /etc/snmp/snmpd.local.conf").strip() == "root 600"
    assert "ops" in village.kiosk.run("grep -h sudo /var/log/auth.log /var/log/sudo* 2>/dev/null; id ops")
    assert [one.state for one in village.go().outcomes] == [State.OK]


@pytest.mark.usefixtures("applied")
def test_without_sudo_s_leave_the_run_fails_by_name_and_changes_nothing(village: Village) -> None:
    village.kiosk.run(
        "chmod 000 /etc/sudoers.d/ops; mv /etc/sudoers.d/ops /var/lib/ops.kept; echo '# own' >> /etc/chrony/chrony.conf"
    )
    try:
        (one,) = village.go().outcomes
        assert one.state is State.FAILED
        assert "sudo" in one.reason
        assert village.kiosk.run("tail -n1 /etc/chrony/chrony.conf").strip() == "# own"
    finally:
        village.kiosk.run("mv /var/lib/ops.kept /etc/sudoers.d/ops; chmod 440 /etc/sudoers.d/ops")
    assert [one.state for one in village.go().outcomes] == [State.CHANGED]


@pytest.mark.usefixtures("applied")
def test_the_queue_of_the_role_prints_on_a_printer_that_answers_ipp(village: Village) -> None:
    kiosk = village.kiosk
    assert kiosk.run("lpstat -v").strip() == f"device for prt1: ipp://{village.printer}/ipp/print"
    assert "enabled" in kiosk.run("lpstat -p prt1")
    kiosk.run("printf '%%PDF-1.4\\n1 0 obj<</Type/Catalog>>endobj\\n' > /tmp/form.pdf; lp -d prt1 -o raw /tmp/form.pdf")
    until = time.monotonic() + 30
    while not list(village.prints.iterdir()):
        assert time.monotonic() < until, kiosk.run("lpstat -t; cat /var/log/cups/error_log", check=False)[-2000:]
        time.sleep(0.2)
    (page,) = village.prints.iterdir()
    assert page.read_bytes().startswith(b"%PDF-1.4")
    # A queue that nobody declared goes, and one that was stopped runs again.
    kiosk.run(f"lpadmin -p other -E -v ipp://{village.printer}/ipp/print -m raw; cupsdisable prt1")
    kiosk.run("/usr/lib/cuntong/kiosk-queues")
    assert kiosk.run("lpstat -v | wc -l").strip() == "1"
    assert "enabled" in kiosk.run("lpstat -p prt1")


@pytest.mark.usefixtures("applied")
def test_systemd_takes_every_unit_of_ours(program: Any, village: Village, tmp_path: Path) -> None:
    verify = [program.path("systemd-analyze"), "verify", "--man=no"]
    names = village.kiosk.run("cd /etc/systemd/system && ls cuntong-* tmp.mount").split()
    assert {"cuntong-kiosk.service", "cuntong-health.timer", "cuntong-queues.service"} <= set(names)
    for name in names:
        text = village.kiosk.run(f"cat /etc/systemd/system/{name}")
        for line in text.splitlines():
            if line.startswith("ExecStart=/usr/lib/cuntong/"):
                own = line.partition("=")[2].split()[0]
                assert village.kiosk.run(f"test -x {own} && head -c 2 {own}") == "#!"
                text = text.replace(own, shutil.which("true") or "/bin/true")
        (tmp_path / name).write_text(text.replace("/usr/bin/xinit", shutil.which("true") or "/bin/true"))
    said = subprocess.run(
        [*map(str, verify), *(str(tmp_path / name) for name in names)], capture_output=True, text=True, check=False
    )
    ours = [line for line in said.stderr.splitlines() if any(name in line for name in names)]
    assert ours == [], said.stderr
