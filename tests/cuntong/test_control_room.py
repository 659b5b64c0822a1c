"""`cuntong demo --noc`: Debian's Prometheus and Alertmanager and the wall, around a county that lives."""

import json
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from cuntong import control_room, demo, http
from cuntong.errors import UsageError
from cuntong.watching import County
from exporter.alertmanager.settings import read_alerting
from inventory.loader import load

if TYPE_CHECKING:
    from tests.cuntong.conftest import Command


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  our own addresses
        return str(answer.read().decode())


@pytest.fixture
def staged(home: Path, program: Any) -> Iterator[demo.Stage]:
    for name in control_room.PROGRAMS:
        program.path(name)
    port = http.free_port()
    with control_room.told_alone(demo.EXAMPLE, port) as copy:
        inventory = load(copy)
        with demo.stage(copy, port, "calm", noc=inventory) as stage:
            demo.wait_for_sweep(stage, County(inventory, stage.page, stage.metrics))
            yield stage


def test_prometheus_reads_everything_its_heartbeat_comes_through_and_the_wall_shows_the_county(
    staged: demo.Stage, until: Callable[..., None]
) -> None:
    assert staged.room is not None
    prometheus = staged.room.prometheus.removesuffix("/alerts")

    def targets() -> dict[str, str]:
        active = json.loads(get(f"{prometheus}/api/v1/targets"))["data"]["activeTargets"]
        return {target["labels"]["job"]: target["health"] for target in active}

    jobs = dict.fromkeys(("cuntong-collector", "cuntong-process", "cuntong-api", "prometheus", "alertmanager"), "up")
    until(lambda: targets() == jobs, 60)
    rules = json.loads(get(f"{prometheus}/api/v1/rules?type=alert"))["data"]["groups"]
    assert {rule["name"] for group in rules for rule in group["rules"]} >= {"SiteDown", "UplinkNodeDown", "Watchdog"}
    until(lambda: json.loads(get(f"{staged.page}/v1/notifications"))["alerting"] == "alive", 90)
    until(lambda: "天全县" in get(staged.room.wall), 30)


def test_a_demo_tells_nobody_whom_the_inventory_tells(home: Path, program: Any) -> None:
    for name in control_room.PROGRAMS:
        program.path(name)
    real = home / "county"
    shutil.copytree(demo.EXAMPLE, real)
    duty = {"channels": {"duty": {"kind": "wecom", "address": "secret://duty"}}, "tell": {"page": ["duty"]}}
    (real / "alerting.yml").write_text(yaml.safe_dump(duty), "utf-8")
    assert read_alerting(real).channels
    with control_room.told_alone(real, 8080) as copy:
        settings = read_alerting(copy)
        assert (settings.channels, settings.tell) == ({}, {})
        assert settings.api.token_file is not None
        assert settings.api.token_file.stat().st_mode & 0o077 == 0
    assert not copy.exists()


def test_without_prometheus_the_packages_are_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(home))
    with pytest.raises(UsageError) as said, control_room.told_alone(demo.EXAMPLE, 8080):
        pass
    assert str(said.value) == (
        "--noc needs prometheus and prometheus-alertmanager. "
        "As root: apt-get install prometheus prometheus-alertmanager"
    )


@pytest.mark.parametrize("other", [("--check",), ("--place", "天全")])
def test_noc_goes_with_devices_and_with_people(cuntong: "Command", other: tuple[str, ...]) -> None:
    said = cuntong("demo", "--noc", *other)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("--noc ")
