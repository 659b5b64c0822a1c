"""The command line as people call it, and one running demo for every test that only looks."""

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from cuntong import cli, demo, http
from cuntong.watching import County
from exporter.linting.rule_files import RULES
from inventory.loader import load
from inventory.model import Inventory

WALK = """\
1.3.6.1.2.1.1.1.0|4|Linux gate 6.1.0 #1 SMP x86_64
1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.8072.3.2.10
1.3.6.1.2.1.1.3.0|67|360000
1.3.6.1.2.1.1.5.0|4|village-gate
1.3.6.1.2.1.2.2.1.1.1|2|1
1.3.6.1.2.1.2.2.1.2.1|4|eth0
1.3.6.1.2.1.2.2.1.7.1|2|1
1.3.6.1.2.1.2.2.1.8.1|2|1
1.3.6.1.2.1.31.1.1.1.1.1|4|eth0
1.3.6.1.2.1.31.1.1.1.6.1|70|123456789012
"""


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str


Command = Callable[..., Said]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user of its own: nothing of the real one's state is read or written."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("CUNTONG_LEDGER", "CUNTONG_INVENTORY", "CUNTONG_COMMUNITY", "CUNTONG_SECRETS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def cuntong(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs ``cuntong ...`` in this process."""

    def run(*arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["cuntong", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        said = capsys.readouterr()
        code = end.value.code
        return Said(code if isinstance(code, int) else 0, said.out, said.err)

    return run


def wait_until(holds: Callable[[], object], seconds: float = 30.0, every: float = 0.1) -> None:
    """Wait for it; the deadline is generous, since machines are busy."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(every)


@pytest.fixture(scope="session")
def until() -> Callable[..., None]:
    return wait_until


@pytest.fixture(scope="session")
def example() -> Inventory:
    return load(demo.EXAMPLE)


@dataclass(frozen=True)
class Running:
    stage: demo.Stage
    county: County


@pytest.fixture(scope="session")
def running(example: Inventory) -> Iterator[Running]:
    """The demo county, calm. To be looked at; what is broken must be mended again."""
    with demo.stage(demo.EXAMPLE, http.free_port(), "calm", interval_s=2.0) as stage:
        county = County(example, stage.page, stage.metrics)
        demo.wait_for_sweep(stage, county)
        yield Running(stage, county)


@dataclass(frozen=True)
class Scraper:
    """A Prometheus that scrapes the county with our rules."""

    url: str

    def ask(self, path: str, **query: str) -> Any:
        return httpx.get(f"{self.url}/api/v1/{path}", params=query, timeout=10).json()["data"]

    def count(self, expression: str) -> int:
        """How many series an expression has; 0 while Prometheus does not answer."""
        try:
            return len(self.ask("query", query=expression)["result"])
        except (httpx.HTTPError, ValueError, KeyError):
            return 0


@contextmanager
def _scraping(page: str, folder: Path, binary: str) -> Iterator[Scraper]:
    config = yaml.safe_load(httpx.get(f"{page}/v1/sd/scrape-config", timeout=10).text)
    for job in config["scrape_configs"]:
        job |= {"scrape_interval": "1s", "scrape_timeout": "1s"}
        for found in job.get("http_sd_configs", ()):
            found["refresh_interval"] = "1s"
    config |= {"global": {"evaluation_interval": "1s"}, "rule_files": [str(folder / "*-rules.yml")]}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config), "utf-8")
    for file in RULES.glob("*.yml"):
        quick = re.sub(r"interval: \w+", "interval: 1s", file.read_text("utf-8"))
        (folder / f"{file.stem}-rules.yml").write_text(quick, "utf-8")
    port = http.free_port()
    command = [
        binary, f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield Scraper(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="session")
def scraping(program: Any) -> Callable[[str, Path], AbstractContextManager[Scraper]]:
    """Starts a real Prometheus over a page's jobs in a folder, every interval a second."""
    return lambda page, folder: _scraping(page, folder, program.path("prometheus"))


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    path = tmp_path / "gate.snmprec"
    path.write_text(WALK, "utf-8")
    return path


@pytest.fixture
def replayed(walk: Path, home: Path) -> Iterator[str]:
    """``ADDRESS:PORT`` of a recording that ``cuntong simulate walk`` answers for."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cuntong", "simulate", "walk", str(walk), "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    try:
        assert line.startswith("gate.snmprec answers on 127.0.0.1:"), line
        yield line.split()[3]
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()
