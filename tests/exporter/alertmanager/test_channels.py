"""Channels in ``alerting.yml``: what Alertmanager is told of them, and bad files with their lines."""

from pathlib import Path
from typing import Any, Final

import pytest

from exporter.alertmanager.config import configuration
from exporter.alertmanager.settings import FILE, Alerting, Hook, read_alerting
from inventory.errors import InventoryError

DEPLOYED: Final = Path(__file__).resolve().parents[3] / "deploy" / "alertmanager"
BOT: Final = "{kind: wecom, address: secret://duty}"


def hooks(settings: Alerting) -> dict[str, list[str]]:
    config: Any = configuration(settings)
    return {one["name"]: [hook["url"] for hook in one.get("webhook_configs", ())] for one in config["receivers"]}


def test_whoever_has_channels_hears_by_way_of_our_own_receiver() -> None:
    settings = Alerting.model_validate(
        {
            "channels": {"duty": {"kind": "wecom", "address": "secret://duty"}},
            "tell": {"page": ["duty"], "511825": ["duty"], "511826": []},
            "noc": [Hook(url="https://hooks.example/noc")],
            "counties": {"511825": [Hook(url="https://hooks.example/tianquan")]},
        }
    )
    own = "http://127.0.0.1:8080/v1/alerts"
    assert hooks(settings) == {
        "cuntong": [own], "nobody": [], "deadman": [own], "noc-page": [own], "noc": ["https://hooks.example/noc"],
        "county-ops": [], "county-ops-511825": ["https://hooks.example/tianquan", own], "county-ops-511826": [],
    }  # fmt: skip


def test_the_file_that_we_deploy_is_read_whole() -> None:
    settings = read_alerting(DEPLOYED)
    assert {channel.kind for channel in settings.channels.values()} == {
        "wecom", "dingtalk", "feishu", "mail", "webhook"
    }  # fmt: skip
    assert settings.escalation
    assert set(settings.tell) >= {"page", "noc", "county"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("channels: {duty: {kind: wechat, address: secret://a}}", "yml:1: channels.duty.kind: 'wechat' is none of"),
        ("channels:\n  duty: {kind: wecom}", "alerting.yml:2: channels.duty: a channel of kind wecom has no address."),
        (
            "channels:\n  duty: {kind: wecom, address: secret://a, key: secret://b}",
            "alerting.yml:2: channels.duty: a channel of kind wecom has no use for key.",
        ),
        (
            "channels:\n  duty: {kind: wecom, address: 'https://bot.example/send?key=1'}",
            "alerting.yml:2: channels.duty.address:",
        ),
        (
            "channels:\n  m: {kind: mail, host: h, sender: a@b.example, to: [c@d.example], tls: none, user: u, "
            "password: secret://p}",
            "a password would cross the network in the open.",
        ),
        (
            "channels:\n  m: {kind: mail, host: h, sender: a@b.example, to: [c@d.example], user: u}",
            "user and password belong together.",
        ),
        (
            "channels:\n  m: {kind: mail, host: h, sender: a@b.example, to: ['x@y.example, z@y.example']}",
            "alerting.yml:2: channels.m.to[0]:",
        ),
        (f"channels: {{duty: {BOT}}}\ntell: {{page: [dute]}}", "channel 'dute' is not declared. Did you mean duty?"),
        (f"channels: {{duty: {BOT}}}\ntell: {{pager: [duty]}}", "tell: 'pager' is none of page, noc, county"),
        (
            f"channels: {{duty: {BOT}}}\nescalation:\n  - {{after_minutes: 30, channels: [duty]}}\n"
            "  - {after_minutes: 15, channels: [duty]}",
            "escalation: its steps do not come one after the other.",
        ),
        (f"channels: {{duty: {BOT}}}\nescalation: [{{after_minutes: 0, channels: [duty]}}]", "alerting.yml:2:"),
        ("token: plain-text", "alerting.yml:1: token:"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_with_its_line_and_how_to_mend_it(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(text, "utf-8")
    with pytest.raises(InventoryError) as refusal:
        read_alerting(tmp_path)
    assert said in str(refusal.value)
