"""A real Prometheus reads a county: what goes stale when a device falls silent, and what does not."""

import asyncio
import json
import socket
import subprocess
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from collectors.latest import STALE_AFTER
from cuntong import http
from exporter.http import metrics_app
from exporter.own import CollectorMetrics
from tests.exporter.test_text import FULL, KIOSK

if TYPE_CHECKING:
    from tests.exporter.conftest import Stand

CONFIG = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: cuntong-collector
    metrics_path: /metrics/511825
    static_configs: [{{targets: ["{address}"], labels: {{province: "51", county: "511825"}}}}]
  - job_name: cuntong-process
    static_configs: [{{targets: ["{address}"], labels: {{province: "51", county: "511825"}}}}]
"""


@dataclass(frozen=True)
class Prometheus:
    url: str

    async def get(self, path: str, **parameters: str) -> Any:
        query = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"

        def read() -> Any:
            with urllib.request.urlopen(query, timeout=10) as answer:  # noqa: S310  our own address
                return json.loads(answer.read())["data"]

        return await asyncio.to_thread(read)

    async def value(self, expression: str) -> float | None:
        """Of the only series; None where there is none."""
        found = (await self.get("query", query=expression))["result"]
        assert len(found) <= 1, expression
        return float(found[0]["value"][1]) if found else None

    async def until(self, expression: str, expected: float | None, patience: int = 120) -> None:
        """Wait until an expression has this value."""
        found = None
        for _ in range(patience):
            try:
                found = await self.value(expression)
            except OSError:
                found = None
            else:
                if found == expected:
                    return
            await asyncio.sleep(0.25)
        raise AssertionError(f"{expression} is {found}, not {expected}")


@pytest.fixture
async def prometheus(stand: "Stand", tmp_path: Path, program: Any) -> AsyncIterator[Prometheus]:
    """Debian's, scraping the stand's county each second."""
    stand.polled(FULL)
    own = CollectorMetrics(stand.collector, [str(d.device_class) for d in stand.inventory.devices], dict)
    sock: socket.socket = http.bind("127.0.0.1", 0)
    address = http.address_of(sock)
    serving = asyncio.create_task(http.serve(metrics_app({stand.inventory.top: stand.text}, own), sock))
    (tmp_path / "prometheus.yml").write_text(CONFIG.format(address=address), "utf-8")
    port = http.free_port()
    options = {
        "config.file": tmp_path / "prometheus.yml",
        "storage.tsdb.path": tmp_path / "data",
        "web.listen-address": f"127.0.0.1:{port}",
    }
    command = [program.path("prometheus"), *(f"--{name}={value}" for name, value in options.items())]
    with (tmp_path / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield Prometheus(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        await process.wait()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


def of(device: str, metric: str) -> str:
    return f'{metric}{{device="{device}"}}'


async def test_a_silent_device_goes_stale_and_is_still_said_to_be_down(stand: "Stand", prometheus: Prometheus) -> None:
    await prometheus.until('sum(up{county="511825"})', 2.0)
    await prometheus.until("sum(cuntong_device_up)", float(len(stand.inventory.devices)))
    assert await prometheus.value(of(KIOSK, "cuntong_device_memory_usage_ratio")) == 0.5
    for _ in range(STALE_AFTER):
        stand.polled(None, KIOSK)
    await prometheus.until(of(KIOSK, "cuntong_device_up"), 0.0)
    for metric in (
        "cuntong_device_memory_usage_ratio",
        "cuntong_kiosk_app_up",
        "cuntong_device_boot_timestamp_seconds",
    ):
        await prometheus.until(of(KIOSK, metric), None)
    assert await prometheus.value(of(KIOSK, "cuntong_device_info")) == 1.0
    assert await prometheus.value("sum(cuntong_device_up)") == len(stand.inventory.devices) - 1
    stand.polled(FULL, KIOSK)
    await prometheus.until(of(KIOSK, "cuntong_device_memory_usage_ratio"), 0.5)


async def test_it_takes_every_sample_and_knows_our_units(stand: "Stand", prometheus: Prometheus) -> None:
    await prometheus.until('sum(up{county="511825"})', 2.0)
    lines = [line for line in stand.render().splitlines() if not line.startswith("#")]
    await prometheus.until('scrape_samples_scraped{job="cuntong-collector"}', float(len(lines)))
    metadata = await prometheus.get("metadata")
    (described,) = metadata["cuntong_device_memory_usage_ratio"]
    assert described["unit"] == "ratio", "only OpenMetrics tells units"
