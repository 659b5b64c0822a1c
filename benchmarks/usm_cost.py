"""What SNMPv3 costs: the same steady poll of net-snmp's snmpd with v2c and with authPriv, in turn; CPU of our side."""

import asyncio
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from itertools import count
from pathlib import Path

import uvloop

from collectors.decode import compile_profiles
from collectors.snmp.conversation import Polled
from collectors.snmp.target import Target
from collectors.snmp.transport import SnmpTransport
from collectors.snmp.usm import Auth, Priv, Security, User
from inventory.profiles import load_profiles

_POLLS, _ROUNDS, _AT_ONCE = 400, 5, 8
_USERS = (
    User("sha", Auth.SHA, "auth-of-the-village", Priv.AES128, "priv-of-the-village"),
    User("sha256", Auth.SHA256, "auth-of-the-village", Priv.AES128, "priv-of-the-village"),
)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def _polls(transport: SnmpTransport, target: Target) -> float:
    """CPU seconds of one steady poll, the mean of many."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    left, started = _POLLS, 0

    def finished(_: Target, polled: Polled) -> None:
        nonlocal left
        if polled.readings is None:
            done.set_exception(RuntimeError(f"no answer: {polled.error}"))
            return
        left -= 1
        if not left:
            done.set_result(None)
        elif started < _POLLS:
            begin()

    def begin() -> None:
        nonlocal started
        started += 1
        transport.poll(target, finished, timeout_s=5)

    before = _cpu_s()
    for _ in range(_AT_ONCE):
        begin()
    await done
    return (_cpu_s() - before) / _POLLS


async def _measure(port: int) -> dict[str, list[float]]:
    catalogue = compile_profiles(load_profiles())
    transport = SnmpTransport(asyncio.get_running_loop())
    address = ("127.0.0.1", port)
    targets = {"v2c": Target(address, b"public", catalogue)}
    for user in _USERS:
        security = Security(user, partial(next, count(int.from_bytes(os.urandom(7), "big"))))
        targets[f"v3 {user.auth}/{user.priv}"] = Target(address, b"", catalogue, security=security)
    figures: dict[str, list[float]] = {name: [] for name in targets}
    for turn in range(_ROUNDS + 1):
        for name, target in targets.items():
            cost = await _polls(transport, target)
            if turn:  # the first surveys and warms up
                figures[name].append(cost)
    values = {name: target.plan.size for name, target in targets.items() if target.plan is not None}
    print(f"steady poll of snmpd, {values['v2c']} values; CPU of the poller, median of {_ROUNDS} rounds")
    transport.close()
    return figures


def main() -> int:
    snmpd = shutil.which("snmpd", path=f"{os.environ['PATH']}:/usr/sbin")
    if snmpd is None:
        print("snmpd is not installed: run 'make debian' as root")
        return 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
    with tempfile.TemporaryDirectory() as scratch:
        config = Path(scratch) / "snmpd.conf"
        lines = [f"agentaddress udp:127.0.0.1:{port}", "rocommunity public 127.0.0.1"]
        for user in _USERS:
            lines.append(f'createUser {user.name} {user.auth} "{user.auth_password}" AES "{user.priv_password}"')
            lines.append(f"rouser {user.name} priv")
        config.write_text("\n".join(lines) + "\n")
        process = subprocess.Popen(
            [snmpd, "-f", "-Ln", "-C", "-c", str(config), "-r"],
            env={**os.environ, "SNMP_PERSISTENT_DIR": scratch, "SNMPCONFPATH": scratch},
        )
        try:
            time.sleep(2)
            figures = uvloop.run(_measure(port))
        finally:
            process.terminate()
            process.wait()
    base = statistics.median(figures["v2c"])
    for name, costs in figures.items():
        median = statistics.median(costs)
        spread = f"({min(costs) * 1000:.3f}..{max(costs) * 1000:.3f})"
        print(f"{name:24} {median * 1000:7.3f} ms {spread}  {median / base:5.2f} x v2c")
    return 0


if __name__ == "__main__":
    sys.exit(main())
