"""What a NOC has around the system, for the demo on loopback: Prometheus with our rules, Alertmanager, the wall."""

import secrets
import shutil
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from cuntong import http, rule_files
from cuntong.errors import StartError, UsageError
from cuntong.supervise import Program
from exporter.alertmanager.settings import FILE
from inventory.model import Inventory

PROGRAMS: Final = ("prometheus", "prometheus-alertmanager")
"""As Debian's packages of the same names call them."""
WALL: Final = 8090
_EVERY: Final = "5s"  # devices are polled as often in the demo
_SECRET: Final = "alertmanager"  # noqa: S105  a name


@dataclass(frozen=True, slots=True)
class Room:
    """Where its parts answer."""

    prometheus: str
    alertmanager: str
    wall: str
    programs: Sequence[Program]


@contextmanager
def told_alone(folder: Path, page: int) -> Iterator[Path]:
    """A copy of an inventory whose alerts reach the demo's own page and nobody else, whomever the original tells.

    Args:
        page: the port of the API and its page.

    Raises:
        UsageError: Prometheus or Alertmanager is not installed.
    """
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        raise UsageError(f"--noc needs {' and '.join(missing)}. As root: apt-get install {' '.join(missing)}")
    with tempfile.TemporaryDirectory(prefix="cuntong-noc-") as scratch:
        copy = Path(scratch) / folder.resolve().name
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns(".git"))
        token = Path(scratch) / "secrets" / _SECRET
        token.parent.mkdir(mode=0o700)
        token.touch(mode=0o600)
        token.write_text(secrets.token_urlsafe(18) + "\n", "ascii")
        own = f"http://127.0.0.1:{page}"
        settings = {"api": {"url": f"{own}/v1/alerts", "token_file": str(token)}, "pages": own}
        (copy / FILE).write_text(yaml.safe_dump(settings), "utf-8")
        yield copy


def furnish(inventory: Inventory, place: Path, page: int, secret_files: Path) -> Room:
    """The room's programs, to be started after the API.

    Args:
        inventory: of a folder that `told_alone` gave.
        place: an empty folder for what they keep.
        secret_files: where the API looks for its secrets; Alertmanager's token is laid there.

    Raises:
        StartError: our rules and this inventory's routes do not fit each other.
    """
    findings = rule_files.write(inventory, place, f"http://127.0.0.1:{page}/runbooks").findings
    if findings:
        raise StartError("\n".join(map(str, findings)))
    secret_files.mkdir(mode=0o700, exist_ok=True)
    shutil.copy2(inventory.folder.parent / "secrets" / _SECRET, secret_files / _SECRET)
    prometheus, alertmanager = http.free_port(), http.free_port()
    wall = WALL if http.is_free("127.0.0.1", WALL) else http.free_port()
    config = place / "prometheus.yml"
    config.write_text(yaml.safe_dump(_scraping(page, prometheus, alertmanager), sort_keys=False), "utf-8")
    address = f"http://127.0.0.1:{prometheus}"
    programs = [
        Program(
            "Alertmanager",
            [
                f"--config.file={place / 'alertmanager.yml'}", f"--storage.path={place / 'alerts'}",
                f"--web.listen-address=127.0.0.1:{alertmanager}", "--cluster.listen-address=",
            ],
            place / "alertmanager.log",
            command=(PROGRAMS[1],),
            ready=_ready(f"http://127.0.0.1:{alertmanager}"),
        ),
        Program(
            "Prometheus",
            [
                f"--config.file={config}", f"--storage.tsdb.path={place / 'samples'}",
                f"--web.listen-address=127.0.0.1:{prometheus}",
            ],
            place / "prometheus.log",
            command=(PROGRAMS[0],),
            ready=_ready(address),
        ),
        Program("wall", ["noc", "--prometheus", address, "--port", str(wall), "--refresh", "5"], place / "wall.log"),
    ]  # fmt: skip
    return Room(f"{address}/alerts", f"http://127.0.0.1:{alertmanager}/", f"http://127.0.0.1:{wall}/", programs)


def _scraping(page: int, prometheus: int, alertmanager: int) -> dict[str, Any]:
    """The jobs of deploy/prometheus/prometheus.yml, at the demo's pace."""

    def found(what: str) -> dict[str, Any]:
        return {"http_sd_configs": [{"url": f"http://127.0.0.1:{page}/v1/sd/{what}", "refresh_interval": _EVERY}]}

    def at(port: int) -> dict[str, Any]:
        return {"static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}

    jobs = {
        "cuntong-collector": found("collectors"), "cuntong-process": found("processes"), "cuntong-api": at(page),
        "prometheus": at(prometheus), "alertmanager": at(alertmanager),
    }  # fmt: skip
    return {
        "global": {"scrape_interval": _EVERY, "scrape_timeout": _EVERY, "evaluation_interval": _EVERY},
        "rule_files": ["rules/*.yml"],
        "alerting": {"alertmanagers": [at(alertmanager)]},
        "scrape_configs": [{"job_name": name, **rest} for name, rest in jobs.items()],
    }


def _ready(address: str) -> Callable[[], bool]:
    def ask() -> bool:
        try:
            with urllib.request.urlopen(f"{address}/-/ready", timeout=1) as answer:  # noqa: S310  our own address
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    return ask
