"""From a cut line to a chat message and back: simulated county, Prometheus, Alertmanager, our webhook, a fake bot."""

import asyncio
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from cuntong import demo, http, rule_files
from cuntong.watching import County
from inventory.loader import load
from simulator.control import request

VILLAGE: Final = "tq-chengxiang-wenbi"
TOKEN: Final = "token-of-this-test"  # noqa: S105
ALERTING: Final = """\
api: {{url: "http://127.0.0.1:{port}/v1/alerts", token_file: {secrets}/alertmanager}}
channels:
  duty: {{kind: wecom, address: secret://duty}}
tell: {{page: [duty], county: [duty]}}
pages: https://cuntong.example
"""
PROMETHEUS: Final = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ["127.0.0.1:{alertmanager}"]}}]}}]}}
scrape_configs:
  - job_name: cuntong-collector
    http_sd_configs: [{{url: "{page}/v1/sd/collectors", refresh_interval: 1s}}]
"""


class Bot:
    """A WeCom bot on loopback that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        told = self.told

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                told.append(body["markdown"]["content"])
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b'{"errcode": 0, "errmsg": "ok"}')

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/send?key=of-this-test"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def quickened(folder: Path) -> Path:
    """The rules on outages and the heartbeat, which wait seconds where the field's wait minutes."""
    rules = folder / "10-topology.yml"
    document = yaml.safe_load(rules.read_text("utf-8"))
    own = yaml.safe_load((folder / "70-self.yml").read_text("utf-8"))
    heartbeat = [rule for group in own["groups"] for rule in group["rules"] if rule.get("alert") == "Watchdog"]
    for group in document["groups"]:
        group["interval"] = "1s"
        for rule in group["rules"]:
            rule["expr"] = re.sub(r"> 60\b", "> 3", rule["expr"])
            if "alert" in rule:
                rule["for"] = "4s"
                rule["keep_firing_for"] = "1s"
    document["groups"].append({"name": "heartbeat", "interval": "1s", "rules": heartbeat})
    rules.write_text(yaml.safe_dump(document, allow_unicode=True, width=1000), "utf-8")
    return rules


def faster(document: Any) -> Any:
    """Alertmanager's configuration with a minute in a tenth of a second, but nothing below half a second."""
    if isinstance(document, dict):
        return {
            key: quick(value) if str(key).endswith(("_wait", "_interval")) else faster(value)
            for key, value in document.items()
        }
    return [faster(one) for one in document] if isinstance(document, list) else document


def quick(text: str) -> str:
    seconds = int(text[:-1]) * {"s": 1, "m": 60, "h": 3600}[text[-1]]
    return f"{max(500, round(seconds / 600 * 1000))}ms"


@pytest.fixture
def bot() -> Iterator[Bot]:
    bot = Bot()
    yield bot
    bot.server.shutdown()
    bot.server.server_close()


@pytest.fixture
def chain(bot: Bot, home: Path, program: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[demo.Stage, County]]:
    """The demo county, calm, with Debian's Prometheus and Alertmanager over it."""
    secrets, folder, port = home / "secrets", home / "county", http.free_port()
    secrets.mkdir()
    for name, text in (("alertmanager", TOKEN), ("duty", bot.url)):
        (secrets / name).write_text(text + "\n", "utf-8")
        (secrets / name).chmod(0o600)
    shutil.copytree(demo.EXAMPLE, folder)
    declared = (folder / "county.yml").read_text("utf-8")
    # Nobody misses a hall on a Sunday, and tests run on Sundays, too.
    open_always = re.sub(r"weekly: \{mon-fri.*\}", "weekly: {mon-sun: [00:00-24:00]}}", declared)
    (folder / "county.yml").write_text(open_always, "utf-8")
    (folder / "alerting.yml").write_text(ALERTING.format(port=port, secrets=secrets), "utf-8")
    monkeypatch.setenv("CUNTONG_SECRETS", str(secrets))
    inventory = load(folder)
    out = home / "out"
    assert rule_files.write(inventory, out).findings == ()
    rules = quickened(out / "rules")
    routes = out / "alertmanager.yml"
    routes.write_text(yaml.safe_dump(faster(yaml.safe_load(routes.read_text("utf-8")))), "utf-8")
    with demo.stage(folder, port, "calm", interval_s=1.0) as stage:
        county = County(inventory, stage.page, stage.metrics)
        demo.wait_for_sweep(stage, county)
        alertmanager, prometheus = http.free_port(), http.free_port()
        (out / "prometheus.yml").write_text(PROMETHEUS.format(rules=rules, alertmanager=alertmanager, page=stage.page))
        commands = [
            [
                program.path("prometheus-alertmanager"), f"--config.file={routes}",
                f"--storage.path={out / 'alerts'}", f"--web.listen-address=127.0.0.1:{alertmanager}",
                "--cluster.listen-address=",
            ],
            [
                program.path("prometheus"), f"--config.file={out / 'prometheus.yml'}",
                f"--storage.tsdb.path={out / 'samples'}", f"--web.listen-address=127.0.0.1:{prometheus}",
                "--rules.alert.resend-delay=1s",  # the first heartbeat finds no Alertmanager yet
            ],
        ]  # fmt: skip
        with (out / "log").open("wb") as log:
            running = [subprocess.Popen(command, stdout=log, stderr=log) for command in commands]
        yield stage, county
        for process in running:
            process.terminate()
        for process in running:
            process.wait(30)


def play(stage: demo.Stage, do: str, **more: Any) -> None:
    answer = asyncio.run(request(stage.control, {"do": do, **more}))
    assert answer["ok"], answer


def test_a_cut_line_is_one_message_with_cause_and_impact_and_its_end_another(
    chain: tuple[demo.Stage, County], bot: Bot, until: Callable[..., None]
) -> None:
    stage, county = chain
    fault = {"fault": "uplink_cut", "target": VILLAGE}
    play(stage, "inject", fault=fault)
    until(lambda: bot.told, 60)
    (outage,) = county.get("/v1/outages?open=true")["data"]
    detail = county.get(f"/v1/outages/{outage['id']}")
    assert (detail["node"], detail["verdict"], detail["handling"]) == (VILLAGE, "line", "open")
    receivers = {(alert["receiver"], alert["alertname"], alert["status"]) for alert in detail["alerts"]}
    assert receivers == {("cuntong", "SiteDown", "firing"), ("county-ops", "SiteDown", "firing")}
    (message,) = bot.told
    assert message.startswith("**【告警】文笔社区便民服务室中断**")
    for words in ("原因：运营商线路中断", "影响：1 个站点", "责任：运营商 中国", f"/outages?outage={outage['id']}"):
        assert words in message
    notified = [event for event in detail["timeline"] if event["step"] == "notified"]
    assert [(event["by"], event["note"]) for event in notified] == [("cuntong", "duty")]
    told = county.get("/v1/notifications")
    assert told["alerting"] == "alive"
    assert [(one["channel"], one["state"], one["outages"]) for one in told["messages"]] == [
        ("duty", "sent", [outage["id"]])
    ]

    play(stage, "clear", fault=fault)
    until(lambda: len(bot.told) > 1, 60)
    assert bot.told[1].startswith("**【恢复】文笔社区便民服务室中断**")
    assert "历时" in bot.told[1]
    over = county.get(f"/v1/outages/{outage['id']}")
    assert over["until"] is not None
    assert over["handling"] == "verified"
    assert {alert["status"] for alert in over["alerts"]} == {"firing", "resolved"}
    assert len(bot.told) == 2
