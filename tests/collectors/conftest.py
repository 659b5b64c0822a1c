"""net-snmp's real agent for the tests that ask it."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

StartSnmpd = Callable[[Path, str], AbstractContextManager[int]]


@pytest.fixture(scope="session")
def start_snmpd(program: Any) -> StartSnmpd:
    """Runs snmpd in a folder with a configuration, on a port of its own, until the block ends."""
    binary = program.path("snmpd")

    @contextlib.contextmanager
    def start(folder: Path, configuration: str) -> Iterator[int]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("127.0.0.1", 0))
            port: int = sock.getsockname()[1]
        config, log = folder / "snmpd.conf", folder / "log"
        config.write_text(f"agentaddress udp:127.0.0.1:{port}\n{configuration}\n", "utf-8")
        process = subprocess.Popen(
            [binary, "-f", "-Lf", str(log), "-C", "-c", str(config), "-p", str(folder / "pid"), "-r"],
            env={**os.environ, "SNMP_PERSISTENT_DIR": str(folder), "SNMPCONFPATH": str(folder)},
        )
        try:
            deadline = time.monotonic() + 20
            while not log.exists() or "NET-SNMP version" not in log.read_text():
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"snmpd did not start: {log.read_text() if log.exists() else ''}")
                time.sleep(0.05)
            yield port
        finally:
            process.terminate()
            process.wait()

    return start
