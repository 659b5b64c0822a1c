"""deploy/ is used as it lies there: the real programs read every file, and what is written arrives."""

import json
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from exporter.linting.rule_files import RULES

DEPLOY = Path(__file__).parents[1] / "deploy"
PROMETHEUS = sorted((DEPLOY / "prometheus").glob("*.yml"))
UNITS = sorted((DEPLOY / "systemd").glob("*.service")) + sorted((DEPLOY / "systemd").glob("*.timer"))
PAGE = b"""\
# TYPE cuntong_sites gauge
cuntong_sites{township="511825101",uplink="u",schedule="always",state="up"} 19
# TYPE cuntong_schedule_active gauge
cuntong_schedule_active{schedule="always"} 1
"""


@pytest.mark.parametrize("file", PROMETHEUS, ids=lambda file: file.stem)
def test_promtool_accepts_each_configuration(file: Path, program: Any, tmp_path: Path) -> None:
    shutil.copytree(RULES, tmp_path / "rules")
    shutil.copy(file, tmp_path / file.name)
    agent = ["--agent"] if file.stem == "agent" else []
    ran = subprocess.run(
        [program.path("promtool"), "check", "config", *agent, str(tmp_path / file.name)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    if not agent:
        assert ran.stdout.count("rules found") == len(list(RULES.glob("*.yml")))


def test_the_two_prometheus_share_the_counties_and_differ_in_nothing_else() -> None:
    text = {name: (DEPLOY / f"prometheus/prometheus-{name}.yml").read_text("utf-8") for name in "ab"}
    jobs = {name: {job["job_name"]: job for job in yaml.safe_load(one)["scrape_configs"]} for name, one in text.items()}
    for job in ("cuntong-collector", "cuntong-process"):
        urls = [jobs[name][job].pop("http_sd_configs")[0]["url"] for name in "ab"]
        assert [urllib.parse.parse_qs(urllib.parse.urlsplit(url).query) for url in urls] == [
            {"shard": ["0"], "of": ["2"]},
            {"shard": ["1"], "of": ["2"]},
        ]
        assert jobs["a"][job] == jobs["b"][job]
    assert jobs["a"].keys() - jobs["b"].keys() == {"cuntong-api", "alertmanager"}


@pytest.mark.parametrize("name", ["collect", "serve", "up", "work"])
def test_each_service_of_an_instance_reads_its_settings(name: str) -> None:
    """One file says which ledger, and for whom dumps are sealed: of two services that disagree one is wrong."""
    text = (DEPLOY / "systemd" / f"cuntong-{name}.service").read_text("utf-8")
    assert "\nEnvironmentFile=-/etc/cuntong/cuntong.env\n" in text


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_understands_each_unit(unit: Path, tmp_path: Path) -> None:
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("systemd is not installed")
    # Its programs need not be installed where the tests run: any other stands for them.
    for other in UNITS:
        text = re.sub(r"(?m)^(Exec\w+=)/\S+", r"\1/bin/true", other.read_text("utf-8"))
        (tmp_path / other.name).write_text(text, "utf-8")
    name = unit.name.replace("@.", "@a.")
    if name != unit.name:
        (tmp_path / name).write_text((tmp_path / unit.name).read_text("utf-8"), "utf-8")
    ran = subprocess.run(
        [verify, "verify", str(tmp_path / name)], capture_output=True, text=True, timeout=60, check=False
    )
    complaints = [line for line in ran.stderr.splitlines() if str(tmp_path) in line or unit.name in line]
    assert complaints == []
    assert ran.returncode == 0, ran.stderr


def test_nothing_listens_beyond_loopback_unless_somebody_writes_so() -> None:
    texts = {path: path.read_text("utf-8") for path in [*UNITS, *DEPLOY.rglob("*.yml")]}
    for path, text in texts.items():
        for found in re.findall(r"\b\d+\.\d+\.\d+\.\d+\b", text):
            assert found.startswith("127."), path
        for listening in re.findall(r"(?:listen-address|httpListenAddr|--host|HTTP_ADDR:)[= ]([^\s,}\"]*)", text):
            assert listening.startswith(("127.0.0.1", "${LISTEN")) or listening == "", (path, listening)


def test_grafana_is_told_of_dashboards_that_exist_and_compose_mounts_what_is_there() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yml").read_text("utf-8"))
    for name, service in compose["services"].items():
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            if source.startswith("."):
                assert (DEPLOY / source).exists(), (name, source)
            elif not source.startswith(("/", "$")):
                assert source in compose["volumes"], (name, source)
        for option in service.get("command", ()):
            for given in re.findall(r"--config.file=/etc/prometheus/(\S+)", option):
                assert given == "alertmanager.yml" or (DEPLOY / "prometheus" / given).is_file()
    provider = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/cuntong.yml").read_text("utf-8"))
    path = provider["providers"][0]["options"]["path"]
    mounted = dict(volume.split(":")[:2] for volume in compose["services"]["grafana"]["volumes"] if volume[0] == ".")
    (source,) = [source for source, target in mounted.items() if target == path]
    boards = sorted((DEPLOY / source).glob("*.json"))
    assert len(boards) == 8
    sources = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/cuntong.yml").read_text("utf-8"))[
        "datasources"
    ]
    assert [one["type"] for one in sources if one.get("isDefault")] == ["prometheus"]


def _free() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Starts programs with their own folders, and ends those."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*command: str) -> None:
        log = (tmp_path / f"log{len(started)}").open("wb")
        with log:
            started.append(subprocess.Popen(command, stdout=log, stderr=log))

    yield start
    for process in started:
        process.kill()  # their folders are thrown away, and a polite end would wait for what is not written yet
        process.wait(30)


@pytest.fixture
def collector() -> Iterator[int]:
    """A collector's page on loopback, and an API that names it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            target = self.headers["Host"]
            found = [{"targets": [target], "labels": {"province": "51", "county": "511825"}}]
            here = "/v1/sd/" in self.path
            self.send_response(200)
            self.send_header("Content-Type", "application/json" if here else "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(json.dumps(found).encode() if here else PAGE)

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def _until(url: str, query: str) -> list[Any]:
    """The answer to a query once there is one."""
    address = f"{url}/api/v1/query?" + urllib.parse.urlencode({"query": query})
    for _ in range(240):
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310  our own address
                found: list[Any] = json.loads(answer.read())["data"]["result"]
            if found:
                return found
        except (urllib.error.URLError, ConnectionError):
            pass
        time.sleep(0.25)
    raise AssertionError(f"{query} has no answer")


def _quick(file: Path, folder: Path, ports: dict[str, int]) -> Path:
    """A configuration of deploy/ with other ports, and seconds for minutes."""
    text = file.read_text("utf-8")
    for usual, port in ports.items():
        text = text.replace(f"127.0.0.1:{usual}", f"127.0.0.1:{port}")
    text = re.sub(r"(scrape_interval|evaluation_interval|refresh_interval): \d+s", r"\1: 1s", text)
    text = text.replace("scrape_timeout: 30s", "scrape_timeout: 1s")
    made = folder / file.name
    made.write_text(text, "utf-8")
    return made


def test_an_agents_series_reach_prometheus_and_only_sums_go_on_to_victoria_metrics(
    running: Callable[..., None], collector: int, tmp_path: Path, program: Any
) -> None:
    prometheus, store = program.path("prometheus"), program.path("victoria-metrics")
    centre, agent, above = _free(), _free(), _free()
    ports = {"9090": centre, "8428": above, "9161": collector, "8080": collector, "9093": _free()}
    (tmp_path / "rules").mkdir()
    for file in RULES.glob("10-*.yml"):
        quick = re.sub(r"interval: \w+", "interval: 1s", file.read_text("utf-8"))
        (tmp_path / "rules" / file.name).write_text(quick, "utf-8")
    running(store, f"-storageDataPath={tmp_path / 'vm'}", f"-httpListenAddr=127.0.0.1:{above}", "-retentionPeriod=1")
    running(
        prometheus, f"--config.file={_quick(DEPLOY / 'prometheus/prometheus-b.yml', tmp_path, ports)}",
        f"--storage.tsdb.path={tmp_path / 'a'}", f"--web.listen-address=127.0.0.1:{centre}",
        "--web.enable-remote-write-receiver",
    )  # fmt: skip
    running(
        prometheus, f"--config.file={_quick(DEPLOY / 'prometheus/agent.yml', tmp_path, ports)}",
        "--enable-feature=agent", f"--storage.agent.path={tmp_path / 'agent'}",
        f"--web.listen-address=127.0.0.1:{agent}",
    )  # fmt: skip
    (pushed,) = _until(f"http://127.0.0.1:{centre}", 'cuntong_sites{collector="tianquan", job="cuntong-collector"}')
    assert pushed["metric"]["county"] == "511825"
    (total,) = _until(f"http://127.0.0.1:{above}", "county:cuntong_sites_monitored:count")
    assert (total["metric"]["county"], total["metric"]["prometheus"], total["value"][1]) == ("511825", "b", "19")
    with urllib.request.urlopen(f"http://127.0.0.1:{above}/api/v1/label/__name__/values", timeout=5) as answer:
        names = json.loads(answer.read())["data"]
    assert names
    assert all(name.startswith(("county:", "province:")) for name in names), names
