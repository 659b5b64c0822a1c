"""The model of grouping and inhibition, beside the real Alertmanager: the same alerts, the same messages."""

import json
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import yaml

from exporter.alertmanager.config import configuration
from exporter.alertmanager.grouping import Alert, Alertmanager
from exporter.alertmanager.settings import Alerting, Hook

PLACE: Final = {"province": "51", "county": "511825"}
Message = tuple[str, tuple[str, ...], tuple[str, ...]]
"""Receiver, names of what fires, names of what is over."""


class Sink:
    """Hears webhooks on loopback: each receiver has its path."""

    def __init__(self) -> None:
        self.heard: list[Message] = []
        heard = self.heard

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                heard.append(message(self.path.strip("/"), told["alerts"]))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def message(receiver: str, alerts: list[dict[str, Any]]) -> Message:
    def names(status: str) -> tuple[str, ...]:
        return tuple(sorted(name_of(one["labels"]) for one in alerts if one["status"] == status))

    return receiver, names("firing"), names("resolved")


def name_of(labels: Any) -> str:
    return f"{labels['alertname']}:{labels.get('device') or labels.get('site') or labels.get('county')}"


def faster(document: Any) -> Any:
    """The same configuration with a minute in a second, and a second in 50 milliseconds."""
    if isinstance(document, dict):
        return {
            key: quick(value) if str(key).endswith(("_wait", "_interval")) else faster(value)
            for key, value in document.items()
        }
    return [faster(one) for one in document] if isinstance(document, list) else document


def quick(text: str) -> str:
    seconds = int(text[:-1]) * {"s": 1, "m": 60, "h": 3600}[text[-1]]
    return f"{max(50, round(seconds * 1000 / 60))}ms"


@pytest.fixture
def alertmanager(program: Any, tmp_path: Path) -> Iterator[Callable[[dict[str, Any]], str]]:
    """Starts Debian's Alertmanager on a configuration; its address."""
    binary = program.path("prometheus-alertmanager")
    running: list[subprocess.Popen[bytes]] = []

    def start(config: dict[str, Any]) -> str:
        file = tmp_path / "alertmanager.yml"
        file.write_text(yaml.safe_dump(config, sort_keys=False), "utf-8")
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            port = sock.getsockname()[1]
        with (tmp_path / "log").open("wb") as log:
            process = subprocess.Popen(
                [
                    binary, f"--config.file={file}", f"--storage.path={tmp_path / 'data'}",
                    f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
                ],
                stdout=log, stderr=log,
            )  # fmt: skip
        running.append(process)
        url = f"http://127.0.0.1:{port}"
        for _ in range(300):
            assert process.poll() is None, (tmp_path / "log").read_text("utf-8")
            try:
                httpx.get(f"{url}/-/ready", timeout=1).raise_for_status()
            except httpx.HTTPError:
                time.sleep(0.1)
            else:
                return url
        raise AssertionError((tmp_path / "log").read_text("utf-8"))

    yield start
    for process in running:
        process.terminate()
        process.wait(30)


def post(url: str, alerts: list[Alert], now: float) -> None:
    def stamp(at: float) -> str:
        return datetime.fromtimestamp(at, UTC).isoformat()

    body = [
        {
            "labels": dict(one.labels),
            "startsAt": stamp(one.since),
            "endsAt": stamp(one.until if one.until is not None and one.until <= now else now + 3600),
        }
        for one in alerts
    ]
    httpx.post(f"{url}/api/v2/alerts", json=body, timeout=5).raise_for_status()


def alert(name: str, since: float, until: float | None = None, /, **labels: str) -> Alert:
    return Alert({"alertname": name, **PLACE, **labels}, since, until)


def site(id: str) -> dict[str, str]:
    return {"site": id, "township": "511825100", "uplink": "t1", "severity": "warning", "notify": "now"}


OTHER: Final = {"township": "511825101", "uplink": "t2"}
NODE: Final = {
    "severity": "critical",
    "scope": "uplink",
    "notify": "now",
    "site": "t1",
    "uplink": "t1",
    "township": "511825100",
}
STORY: Final = [  # seconds of the story are minutes of the field
    # An aggregation node is lost; what hangs on it was already complaining, or complains since.
    alert("UplinkNodeDown", 0, 14, **NODE),
    alert("SiteDown", 1, 13, scope="site", **site("t1-v1")),
    alert("LinkPacketLossHigh", 1, 13, scope="link", link="l", **site("t1-v2")),
    alert("CountyAvailabilityBudgetFast", 2, 13, severity="critical", scope="slo", notify="now", window="1h"),
    # In another township two villages fail by themselves, one of them with its kiosk.
    alert("SiteDown", 1, 20, scope="site", **site("t2-v1") | OTHER),
    alert("KioskDown", 2, 20, scope="kiosk", device="k1", **site("t2-v1") | OTHER),
    alert("SiteDown", 2, None, scope="site", **site("t2-v2") | OTHER),
    # And one thing is only kept.
    alert("LinkSaturated", 1, 9, scope="link", **site("t2-v3") | OTHER | {"severity": "info", "notify": "ledger"}),
]
LENGTH: Final = 40.0


def settings_to(sink: str) -> Alerting:
    paths = (("page", "noc-page"), ("noc", "noc"), ("county", "county-ops"))
    hooks = {name: (Hook(url=f"{sink}/{path}"),) for name, path in paths}
    return Alerting(api=Hook(url=f"{sink}/cuntong"), **hooks)


def test_the_model_sends_what_the_real_one_sends(alertmanager: Callable[[dict[str, Any]], str]) -> None:
    sink = Sink()
    config = faster(configuration(settings_to(sink.url)))
    url = alertmanager(config)
    began = time.time() + 0.5
    story = [Alert(one.labels, began + one.since, None if one.until is None else began + one.until) for one in STORY]
    moments = sorted({moment for one in story for moment in (one.since, one.until) if moment is not None})
    for moment in moments:
        time.sleep(max(0.0, moment - time.time()))
        post(url, [one for one in story if moment in (one.since, one.until)], moment)
    time.sleep(max(0.0, began + LENGTH - time.time()))
    sink.server.shutdown()
    sink.server.server_close()
    model = Alertmanager(config).send(story, began + LENGTH)
    modelled = [
        (
            one.receiver,
            tuple(sorted(name_of(alert.labels) for alert in one.firing)),
            tuple(sorted(name_of(alert.labels) for alert in one.resolved)),
        )
        for one in model
        if one.receiver not in ("deadman", "nobody")
    ]
    people = [one for one in sink.heard if one[0] != "cuntong"]
    # One message for the lost node, one for the township with two villages, and their ends: nothing else rings.
    assert [one for one in people if one[1]] == [one for one in modelled if one[0] != "cuntong" and one[1]]
    assert sorted(people) == sorted(one for one in modelled if one[0] != "cuntong")
    assert [one for one in people if "UplinkNodeDown:t1" in one[1]] == [("noc-page", ("UplinkNodeDown:t1",), ())]

    # The ledger hears of everything that is not inhibited, the silent one included.
    def told(messages: list[Message]) -> set[str]:
        return {name for receiver, firing, _ in messages if receiver == "cuntong" for name in firing}

    assert told(sink.heard) == told(modelled) >= {"LinkSaturated:t2-v3", "UplinkNodeDown:t1"}
    assert "LinkPacketLossHigh:t1-v2" not in told(sink.heard) | {name for one in people for name in one[1]}


def send(alerts: list[Alert], hours: float) -> list[tuple[float, str, int, int]]:
    """Messages to the NOC's pager: minute, receiver, how many fire, how many are over."""
    sent = Alertmanager(configuration(Alerting())).send(alerts, hours * 3600)
    return [
        (one.at / 60, one.receiver, len(one.firing), len(one.resolved)) for one in sent if one.receiver == "noc-page"
    ]


def test_a_group_waits_repeats_and_ends() -> None:
    assert send([alert("UplinkNodeDown", 0, 6 * 3600, **NODE)], 9) == [
        (0.5, "noc-page", 1, 0),
        (245.5, "noc-page", 1, 0),  # the first look after four hours: looks are five minutes apart
        (360.5, "noc-page", 0, 1),
    ]


def test_what_comes_back_before_its_end_was_told_is_nothing_new() -> None:
    again = [alert("UplinkNodeDown", 0, 60, **NODE), alert("UplinkNodeDown", 200, None, **NODE)]
    assert send(again, 1) == [(0.5, "noc-page", 1, 0)]


def test_a_second_alert_of_a_group_waits_for_the_next_look() -> None:
    core = {"severity": "critical", "scope": "county", "notify": "now", "site": "c"}
    both = [alert("CountyCoreDown", 0, **core), alert("CountyCoreDown", 90, **core | {"county": "511826"})]
    assert send(both, 0.5) == [(1.0, "noc-page", 1, 0), (6.0, "noc-page", 2, 0)]


def test_what_is_over_before_the_first_look_is_never_told() -> None:
    assert send([alert("UplinkNodeDown", 0, 20, **NODE)], 1) == []


def test_what_was_inhibited_is_told_when_its_cause_is_gone() -> None:
    sent = Alertmanager(configuration(Alerting())).send(
        [alert("UplinkNodeDown", 0, 3600, **NODE), alert("SiteDown", 60, None, scope="site", **site("t1-v1"))], 3 * 3600
    )
    told = [(one.at / 60, name_of(one.firing[0].labels)) for one in sent if one.receiver == "county-ops"]
    assert told == [(66.0, "SiteDown:t1-v1")]
