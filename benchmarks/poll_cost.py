"""CPU per device of 68 values: our poller beside Debian's prometheus-snmp-exporter and pysnmp, in one run.

One poll is 20 scalars, 8 interface columns of 4 rows and 4 storage columns of 4 rows. Every client asks the same
agent on loopback; what counts is user and system time of the client alone, in milliseconds per device, the median of
the rounds, after a warm-up. Rounds take turns, so that a busy machine hurts all alike.

    python benchmarks/poll_cost.py [--devices 2000] [--rounds 5] [--json]
"""

import argparse
import asyncio
import contextlib
import gc
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import psutil
import uvloop

from collectors.decode import compile_profiles
from collectors.decode.plan import Plan
from collectors.snmp.conversation import Polled
from collectors.snmp.target import Target
from collectors.snmp.transport import SnmpTransport
from inventory.profiles import GENERIC, Module, Profile

C_AGENT: Final = Path(__file__).resolve().parents[1].parent / "shared" / "bench" / "snmpsim.c"
SCALARS: Final = (
    *(f"1.3.6.1.2.1.1.{arc}.0" for arc in (1, 2, 3, 4, 5, 6, 7)),  # system
    "1.3.6.1.2.1.25.1.1.0",  # hrSystemUptime
    "1.3.6.1.2.1.25.1.5.0",  # hrSystemNumUsers
    "1.3.6.1.2.1.25.1.6.0",  # hrSystemProcesses
    *(f"1.3.6.1.4.1.2021.4.{arc}.0" for arc in (3, 4, 5, 6)),  # memory
    *(f"1.3.6.1.4.1.2021.10.1.5.{row}" for row in (1, 2, 3)),  # laLoadInt
    *(f"1.3.6.1.4.1.2021.11.{arc}.0" for arc in (9, 10, 11)),  # ssCpuUser, ssCpuSystem, ssCpuIdle
)
PORTS: Final = {
    "admin_up": "1.3.6.1.2.1.2.2.1.7",
    "oper_up": "1.3.6.1.2.1.2.2.1.8",
    "in_octets": "1.3.6.1.2.1.31.1.1.1.6",
    "out_octets": "1.3.6.1.2.1.31.1.1.1.10",
    "in_errors": "1.3.6.1.2.1.2.2.1.14",
    "out_errors": "1.3.6.1.2.1.2.2.1.20",
    "in_discards": "1.3.6.1.2.1.2.2.1.13",
    "out_discards": "1.3.6.1.2.1.2.2.1.19",
}
STORES: Final = {
    "name": "1.3.6.1.2.1.25.2.3.1.3",
    "unit_bytes": "1.3.6.1.2.1.25.2.3.1.4",
    "total_bytes": "1.3.6.1.2.1.25.2.3.1.5",
    "used_bytes": "1.3.6.1.2.1.25.2.3.1.6",
}
VALUES: Final = 68


def bench_profile() -> Profile:
    """A profile that asks just the 68 values, all of them in every poll."""
    state = {"1": True, "2": False}
    ports: dict[str, Any] = {
        name: {"oid": oid, "map": state} if name.endswith("_up") else {"oid": oid} for name, oid in PORTS.items()
    }
    modules: dict[str, Any] = {
        "clocks": {
            "gives": "uptime",
            "columns": {"agent": {"oid": SCALARS[2], "scale": 0.01}, "host": {"oid": SCALARS[7], "scale": 0.01}},
        },
        "interfaces": {
            "gives": "interfaces",
            "rows": ["oper_up"],
            "columns": {
                "if_index": {"index": "number"},
                "name": {"index": "dotted"},
                "description": {"index": "dotted"},
                **ports,
            },
        },
        "storage": {
            "gives": "storage",
            "rows": ["used_bytes"],
            "columns": {
                name: {"oid": oid, "as": "text" if name == "name" else "number"} for name, oid in STORES.items()
            },
        },
    }
    for at, oid in enumerate(SCALARS):
        if at not in (2, 7):
            value = {"oid": oid, "as": "text" if at in (0, 3, 4, 5) else "oid" if at == 1 else "number"}
            columns = {"kind": {"value": "scalar"}, "name": {"value": str(at)}, "value": value}
            modules[f"scalar-{at}"] = {"gives": "sensors", "columns": columns}
    return Profile(modules={name: Module.model_validate(each) for name, each in modules.items()})


# ---- the agent


@contextlib.contextmanager
def agent() -> Iterator[tuple[int, str]]:
    """An agent that is any device of 127.0.0.0/8, and what it is; its port is free for UDP."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        compiler = shutil.which("gcc")
        if compiler and C_AGENT.is_file():
            program = Path(folder) / "agent"
            subprocess.run([compiler, "-O2", "-w", "-o", str(program), str(C_AGENT)], check=True)
            command = [str(program), "-p", str(port)]
            kind = "the C agent"
        else:
            recording = Path(folder) / "bench.snmprec"
            recording.write_text(recorded())
            command = [sys.executable, __file__, "--serve", str(recording), str(port)]
            kind = "our own agent, in Python (no gcc, or no ../shared)"
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            time.sleep(0.5)
            yield port, kind
        finally:
            process.terminate()
            process.wait()


def recorded() -> str:
    rows = {oid: ("2", "76") for oid in SCALARS}
    rows.update(
        {SCALARS[0]: ("4", "Linux"), SCALARS[1]: ("6", "1.3.6.1.4.1.8072.3.2.10"), SCALARS[2]: ("67", "12345678")}
    )
    rows.update({SCALARS[at]: ("4", "village") for at in (3, 4, 5)})
    for name, oid in (PORTS | STORES).items():
        kind = ("70", "98765432109") if "octets" in name else ("4", "/mnt") if name == "name" else ("2", "1")
        rows.update({f"{oid}.{row}": kind for row in range(1, 5)})
    return "".join(f"{oid}|{tag}|{value}\n" for oid, (tag, value) in rows.items())


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def address(ordinal: int) -> str:
    return f"127.{65 + (ordinal >> 16)}.{ordinal >> 8 & 255}.{ordinal & 255}"


# ---- the clients: each returns CPU seconds for its devices


class Ours:
    """Steady polls on uvloop: machine, codec, timers and socket.

    Args:
        decode: every reading is made, too.
        forget: no reply looks like the one before, as if the lengths of a device's values changed in every poll.
    """

    def __init__(self, port: int, devices: int, *, decode: bool = False, forget: bool = False) -> None:
        self._forget = forget
        self.loop = uvloop.new_event_loop()
        self.transport = SnmpTransport(self.loop, max_in_flight=256)
        catalogue = compile_profiles({GENERIC: bench_profile()})
        self.targets = [Target((address(at + 1), port), b"public", catalogue) for at in range(devices)]
        self.answered = 0
        self._left = 0
        for _ in range(3):  # a survey, and two polls that learn what replies look like
            self.run()
        sizes = {target.plan.size if target.plan else 0 for target in self.targets}
        if sizes != {VALUES} or self.answered != devices:
            raise SystemExit(f"the survey found {sizes} values on {self.answered} of {devices} devices")
        if not decode:
            for target in self.targets:
                if target.plan is not None:
                    target.plan = Plan(target.plan.requests, ())

    def run(self) -> float:
        """One sweep; CPU seconds."""
        self.answered, self._left = 0, len(self.targets)
        done = self.loop.create_future()

        def polled(_: Target, result: Polled) -> None:
            self.answered += result.readings is not None
            self._left -= 1
            if not self._left:
                done.set_result(None)

        if self._forget:
            for target in self.targets:
                target.layouts.clear()
        gc.collect()
        before = time.process_time()
        for target in self.targets:
            self.transport.poll(target, polled, timeout_s=5.0)
        self.loop.run_until_complete(done)
        return time.process_time() - before


class Exporter:
    """Debian's prometheus-snmp-exporter, scraped over HTTP; the scraper's own time does not count."""

    def __init__(self, program: str, port: int, folder: Path) -> None:
        config = folder / "snmp.yml"
        config.write_text(self._config())
        self._port = port
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            self._http = sock.getsockname()[1]
        self.process = subprocess.Popen(
            [program, f"--config.file={config}", f"--web.listen-address=127.0.0.1:{self._http}"],
            env={**os.environ, "GOMAXPROCS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(100):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{self._http}/", timeout=1).close()
                break
            time.sleep(0.1)

    @staticmethod
    def _config() -> str:
        columns = [*PORTS.values(), *STORES.values()]
        metrics: list[dict[str, object]] = []
        for oid in SCALARS:
            text = oid in {SCALARS[at] for at in (0, 1, 3, 4, 5)}
            metrics.append(
                {
                    "name": f"scalar_{len(metrics)}",
                    "oid": oid,
                    "type": "DisplayString" if text else "gauge",
                    "help": "x",
                }
            )
        for oid in columns:
            metrics.append(
                {
                    "name": f"column_{len(metrics)}",
                    "oid": oid,
                    "type": "DisplayString" if oid == STORES["name"] else "gauge",
                    "help": "x",
                    "indexes": [{"labelname": "row", "type": "gauge"}],
                }
            )
        module = {
            "walk": columns,
            "get": list(SCALARS),
            "metrics": metrics,
            "version": 2,
            "max_repetitions": 25,
            "auth": {"community": "public"},
        }
        return json.dumps({"bench": module})  # JSON is YAML

    def run(self, devices: int) -> float:
        process = psutil.Process(self.process.pid)
        before = process.cpu_times()
        for at in range(devices):
            url = f"http://127.0.0.1:{self._http}/snmp?module=bench&target={address(at + 1)}:{self._port}"
            with urllib.request.urlopen(url, timeout=20) as answer:
                page = answer.read().decode()
            got = sum(line.startswith(("scalar_", "column_")) for line in page.splitlines())
            if got != VALUES:
                raise SystemExit(f"the exporter gave {got} of {VALUES} values: {page[:500]}")
        after = process.cpu_times()
        return float(after.user + after.system - before.user - before.system)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()


class Pysnmp:
    """pysnmp's lighter API (v1arch, no MIB lookups), three GETs of known instances, eight devices at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        names = [*SCALARS, *(f"{oid}.{row}" for oid in (*PORTS.values(), *STORES.values()) for row in range(1, 5))]
        self._chunks = [names[at : at + 23] for at in range(0, len(names), 23)]

    def run(self, devices: int) -> float:
        return asyncio.run(self._run(devices))

    async def _run(self, devices: int) -> float:
        from pysnmp.hlapi.v1arch.asyncio import (
            CommunityData,
            ObjectIdentity,
            ObjectType,
            SnmpDispatcher,
            UdpTransportTarget,
            get_cmd,
        )

        dispatcher = SnmpDispatcher()
        limit = asyncio.Semaphore(8)
        community = CommunityData("public", mpModel=1)  # noqa: S508 - v2c on loopback is what is compared

        async def one(at: int) -> int:
            async with limit:
                target = await UdpTransportTarget.create((address(at + 1), self._port), timeout=10, retries=0)
                got = 0
                for chunk in self._chunks:
                    objects = [ObjectType(ObjectIdentity(oid)) for oid in chunk]
                    error, status, _, varbinds = await get_cmd(dispatcher, community, target, *objects, lookupMib=False)
                    if error or status:
                        raise SystemExit(f"pysnmp: {error or status}")
                    got += len(varbinds)
                return got

        await one(0)
        before = time.process_time()
        got = await asyncio.gather(*(one(at) for at in range(devices)))
        spent = time.process_time() - before
        dispatcher.transport_dispatcher.close_dispatcher()
        if set(got) != {VALUES}:
            raise SystemExit(f"pysnmp gave {set(got)} values")
        return spent


def main() -> None:
    """Runs all clients in turns and prints milliseconds per device and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--devices", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve_recording(Path(arguments.serve[0]), int(arguments.serve[1]))
        return
    devices, rounds = arguments.devices, arguments.rounds
    few = max(20, devices // 10)
    spent: dict[str, list[float]] = {}
    with agent() as (port, kind), tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        clients: dict[str, tuple[Callable[[], float], int]] = {}
        poll, pipeline, strange = (
            Ours(port, devices),
            Ours(port, devices, decode=True),
            Ours(port, devices, forget=True),
        )
        clients["cuntong poll"] = (poll.run, devices)
        clients["cuntong poll, lengths all new"] = (strange.run, devices)
        clients["cuntong poll, readings decoded"] = (pipeline.run, devices)
        program = shutil.which("prometheus-snmp-exporter")
        if program:
            exporter = Exporter(program, port, Path(folder))
            stack.callback(exporter.close)
            # The kernel tells another process' time in hundredths of a second: many devices make that a few percent.
            clients["prometheus-snmp-exporter"] = (lambda: exporter.run(few * 4), few * 4)
        else:
            print(
                "prometheus-snmp-exporter is not installed: apt-get install prometheus-snmp-exporter", file=sys.stderr
            )
        pysnmp = Pysnmp(port)
        clients["pysnmp"] = (lambda: pysnmp.run(few // 5), few // 5)
        for warm in (True, *(False,) * rounds):
            for name, (run, count) in clients.items():
                cost = run() / count * 1000
                if not warm:
                    spent.setdefault(name, []).append(cost)
        for ours in (poll, pipeline, strange):
            if ours.answered != devices:
                raise SystemExit(f"only {ours.answered} of {devices} devices answered")
            ours.transport.close()
            ours.loop.close()
    report(spent, kind, arguments.json)


def report(spent: dict[str, list[float]], kind: str, as_json: bool) -> None:
    middle = {name: statistics.median(costs) for name, costs in spent.items()}
    ours = middle["cuntong poll"]
    if as_json:
        print(json.dumps({name: {"cpu_ms_per_device": cost, "ratio": cost / ours} for name, cost in middle.items()}))
        return
    print(f"CPU per device of {VALUES} values, against {kind}; median of {len(spent['cuntong poll'])} rounds")
    for name, cost in middle.items():
        low, high = min(spent[name]), max(spent[name])
        print(f"{name:34} {cost:8.3f} ms ({low:.3f}..{high:.3f})   {cost / ours:7.1f} x ours")


def serve_recording(path: Path, port: int) -> None:
    from simulator.walk import RecordedAgent

    agent = RecordedAgent.read(path)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        # Replies must come from the address that was asked: IP_PKTINFO tells it, and sets it.
        sock.setsockopt(socket.IPPROTO_IP, 8, 1)
        sock.bind(("0.0.0.0", port))  # noqa: S104 - all of 127.0.0.0/8 are the devices
        while True:
            data, ancillary, _, source = sock.recvmsg(65535, 64)
            info = bytearray(ancillary[0][2])
            info[4:8] = info[8:12]
            info[0:4] = b"\0\0\0\0"
            reply = agent.answer(data)
            if reply is not None:
                sock.sendmsg([reply], [(socket.IPPROTO_IP, 8, bytes(info))], 0, source)


if __name__ == "__main__":
    main()
