"""``cuntong up``: collector, API and worker on one machine and one ledger, restarted when they die."""

import logging
import signal
import threading
from pathlib import Path

from cuntong.supervise import Program, Supervisor

log = logging.getLogger(__name__)

_LOOK_S = 0.5


def collector(
    folder: Path, host: str, port: int, simulated: int | None = None, log_file: Path | None = None
) -> Program:
    arguments = ["collect", str(folder), "--host", host, "--port", str(port)]
    if simulated is not None:
        arguments += ["--simulated", str(simulated)]
    return Program("collector", arguments, log_file)


def server(folder: Path, host: str, port: int, log_file: Path | None = None) -> Program:
    return Program("api", ["serve", str(folder), "--host", host, "--port", str(port)], log_file)


def worker(folder: Path, log_file: Path | None = None) -> Program:
    return Program("worker", ["work", str(folder)], log_file)


def told_to_stop() -> threading.Event:
    """Set by SIGINT or SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def run(folder: Path, host: str, port: int, metrics_port: int) -> None:
    """Until a signal ends it."""
    stop = told_to_stop()
    programs = [collector(folder, host, metrics_port), server(folder, host, port), worker(folder)]
    with Supervisor(programs) as supervisor:
        log.info("page on http://%s:%d/", host, port)
        while not stop.wait(_LOOK_S):
            for program in supervisor.restart_the_dead():
                log.warning("%s had died and was started again (%d times so far)", program.name, program.restarts)
