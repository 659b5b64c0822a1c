"""``POST /v1/alerts``: who is heard, what is kept beside which outage, and what people are told of it."""

from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.receivers import hearing
from api.receivers.escalation import SILENT_S
from exporter.alertmanager.settings import Alerting
from health.verdict import Blame, Clue, Sign, as_text
from ledger import outage_notes
from ledger.journal import VerdictEvent
from ledger.outage_notes import Step
from tests.api.desk import TOKEN, Desk, alert

if TYPE_CHECKING:
    from tests.api.conftest import World

VILLAGE = "tq-chengxiang-juncheng"
HOUR = 3600.0


@pytest.fixture
def desk(lit: "World") -> Desk:
    return Desk(lit)


def lost(desk: Desk, root: str = VILLAGE, *beneath: str, ago: float = 600.0) -> str:
    """A site that fell silent, whose line is to blame."""
    world = desk.world
    outage = world.loses(world.now - ago, root, *beneath)
    clues = as_text([Clue(Sign.PORT_DOWN, {"device": "tq-chengxiang-agg1", "port": "GE0/0/2", "at": world.now - 590})])
    world.journal.add(VerdictEvent(world.now - 580, outage, Blame.LINE, clues, None))
    world.journal.flush(world.now)
    world.refresh(world.now)
    return outage


def site_down(desk: Desk, until: float | None = None, **more: Any) -> dict[str, Any]:
    since = more.pop("since", desk.world.now - 300)
    labels = {"severity": "warning", "scope": "site", "site": VILLAGE, "node": VILLAGE, "township": "511825100"}
    return alert("SiteDown", since, until, **(labels | more))


def test_nobody_without_the_token_is_heard(desk: Desk) -> None:
    wrong = "wrong"
    for answer in (desk.hear(token=wrong), desk.ask("POST", "/v1/alerts", json={}), desk.hear(token=TOKEN + "x")):
        assert answer.status_code == 401
        assert TOKEN not in answer.text
    del desk.secrets["secret://alertmanager"]
    assert desk.hear().status_code == 503
    assert desk.get("/v1/notifications")["alerts"] == []


def test_an_account_s_token_does_not_open_the_webhook(desk: Desk) -> None:
    from ledger.accounts import Role

    desk.account("wang", Role.NOC_OPERATOR)
    assert desk.hear(token=desk.tokens["wang"]).status_code == 401


def test_an_alert_is_kept_once_beside_the_outage_of_its_node(desk: Desk) -> None:
    outage = lost(desk)
    assert desk.kept(site_down(desk)) == (1, 0, 0)
    assert desk.kept(site_down(desk)) == (0, 1, 0)
    (kept,) = desk.get(f"/v1/outages/{outage}")["alerts"]
    assert (kept["alertname"], kept["status"], kept["outage"], kept["node"]) == ("SiteDown", "firing", outage, VILLAGE)


def test_a_resolved_alert_belongs_to_the_outage_that_is_over_and_not_to_a_newer_one(desk: Desk) -> None:
    world = desk.world
    old = lost(desk)
    began = world.now - 300
    world.regains(world.now - 60, old, VILLAGE)
    world.watched(world.now, world.now + 1)
    lost(desk, ago=5)
    assert desk.kept(site_down(desk, world.now - 55, since=began)) == (1, 0, 0)
    (kept,) = desk.get("/v1/notifications")["alerts"]
    assert (kept["status"], kept["outage"]) == ("resolved", old)


def test_what_no_outage_explains_is_kept_by_its_name(desk: Desk) -> None:
    lost(desk)
    strange = alert("CountyCoreDown", desk.world.now, severity="critical", scope="county", fingerprint="f9")
    other = site_down(desk, site="tq-fagai", node="tq-fagai", fingerprint="f8")
    assert desk.kept(strange, other) == (2, 0, 0)
    kept = desk.get("/v1/notifications")["alerts"]
    assert {(one["alertname"], one["outage"]) for one in kept} == {("CountyCoreDown", None), ("SiteDown", None)}


def test_a_node_that_fell_long_after_the_alert_began_is_another_story(desk: Desk) -> None:
    lost(desk, ago=10)
    desk.kept(site_down(desk, since=desk.world.now - HOUR))
    (kept,) = desk.get("/v1/notifications")["alerts"]
    assert kept["outage"] is None


def test_people_of_a_receiver_are_told_in_their_words_and_nobody_else(desk: Desk) -> None:
    outage = lost(desk)
    assert desk.kept(site_down(desk), receiver="county-ops") == (1, 0, 1)
    assert desk.kept(site_down(desk), receiver="county-ops") == (0, 1, 0), "Alertmanager tried again"
    (told,) = desk.queued("county")
    document = told.document
    assert document["title"] == "【告警】军城社区便民服务室中断"
    assert document["lines"][0].startswith("原因：运营商线路中断（上联路由器 tq-chengxiang-agg1 的端口 GE0/0/2 已断开")
    assert document["lines"][1] == "影响：1 个站点：军城社区便民服务室"
    assert document["lines"][2].endswith("已持续 10 分钟")
    assert document["lines"][3].startswith("责任：运营商 中国")
    assert document["link"] == ["打开中断页面", f"https://cuntong.example/outages?outage={outage}"]
    assert told.outages == (outage,)
    assert desk.queued("duty") == desk.queued("boss") == []


def test_a_county_with_people_of_its_own_and_severities_that_nobody_wants(desk: Desk) -> None:
    lost(desk)
    assert desk.kept(site_down(desk), receiver="county-ops-511826") == (1, 0, 1)
    (told,) = desk.queued("boss")
    assert told.document["title"].startswith("Warning: ")
    assert told.document["lines"][0].startswith("Cause: ")
    info = alert("PrinterSupplyLow", desk.world.now, severity="info", fingerprint="f5")
    assert desk.kept(info, receiver="county-ops") == (1, 0, 0)


def test_several_alerts_are_a_digest_of_their_township_with_a_line_each(desk: Desk) -> None:
    lost(desk)
    others = [
        alert(
            "PeripheralDown", desk.world.now - 900 * n, severity="warning", township="511825100", fingerprint=f"a{n}",
            site=f"s{n}",
        )
        for n in range(1, 4)
    ]  # fmt: skip
    over = site_down(desk, desk.world.now, fingerprint="b1", since=desk.world.now - 7200, node="x", site="x")
    desk.kept(*others, site_down(desk), over, receiver="county-ops")
    (told,) = desk.queued("county")
    assert told.document["title"] == "【告警】城厢镇：4 条告警，1 条恢复"
    lines = told.document["lines"]
    assert len(lines) == 5
    assert sum("军城社区便民服务室中断；运营商线路中断" in line for line in lines) == 1
    assert lines[-1].startswith("恢复 · ")
    assert "历时 2 小时 0 分钟" in lines[-1]


def test_a_repair_that_is_only_said_is_named_as_such(desk: Desk) -> None:
    outage = lost(desk)
    with desk.world.engine.begin() as connection:
        said = outage_notes.Note(outage, Step.REPAIRED, desk.world.now, "li")
        outage_notes.record(connection, said, desk.world.now)
    desk.kept(site_down(desk), receiver="county-ops")
    (told,) = desk.queued("county")
    assert "现场报告已修复，但仍测不通" in told.document["lines"]


def test_unknown_fields_are_left_alone_and_a_wrong_payload_is_refused_with_its_place(desk: Desk) -> None:
    fresh = site_down(desk) | {"silenceURL": "x", "values": {"A": 1}}
    assert desk.kept(fresh, truncatedAlerts=0, notificationReason="new", commonLabels={"x": "y"}) == (1, 0, 0)
    for payload, place in (
        ({"version": "3"}, "version"),
        ({"alerts": [{"status": "perhaps"}]}, "alerts/0/status"),
        ({"alerts": [site_down(desk) | {"fingerprint": "'; drop"}]}, "alerts/0/fingerprint"),
        ({"alerts": [site_down(desk) | {"labels": {f"l{n}": "" for n in range(65)}}]}, "alerts/0/labels"),
        ({"alerts": [site_down(desk) | {"labels": {"alertname": "x" * 1025}}]}, "alerts/0/labels/alertname"),
        ({"alerts": [site_down(desk)] * (hearing.MOST_ALERTS + 1)}, "alerts"),
    ):
        answer = desk.hear(**payload)
        assert answer.status_code == 422, payload
        assert place in answer.json()["detail"]
        assert "drop" not in answer.json()["detail"]


def test_an_endless_body_is_cut_off(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.routers.alerts.MOST_BYTES", 1000)
    answer = desk.hear(site_down(desk, summary="x" * 1000))
    assert answer.status_code == 413


def test_words_in_labels_cannot_become_markup(desk: Desk) -> None:
    evil = alert("Own", desk.world.now, severity="warning", fingerprint="e1")
    evil["annotations"]["summary"] = "[请点这里](http://192.0.2.1)\n# **紧急** <font>"
    desk.kept(evil, receiver="county-ops")
    (told,) = desk.queued("county")
    assert told.document["title"] == "【告警】［请点这里］(http://192.0.2.1) ＃ ＊＊紧急＊＊ ＜font＞"


def samples(desk: Desk) -> dict[tuple[str, ...], float]:
    desk.app.state.metrics.refresh()
    desk.app.state.metrics_page._made_at = None
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(desk.ask("GET", "/metrics").text)
        for sample in family.samples
    }


def test_the_gap_is_visible_in_metrics_and_in_the_list(desk: Desk) -> None:
    before = samples(desk)
    assert before["cuntong_notifications_total", "duty", "sent"] == 0
    assert before["cuntong_alerts_heard_total", "firing", "yes"] == 0
    assert ("cuntong_alerting_heartbeat_timestamp_seconds",) not in before
    lost(desk)
    desk.kept(site_down(desk), receiver="county-ops")
    assert desk.hear(alert("Watchdog", 0.0), receiver="deadman").json()["recorded"] == 0
    after = samples(desk)
    assert after["cuntong_alerts_heard_total", "firing", "yes"] == 1
    assert after["cuntong_notifications_waiting", "county"] == 1
    assert after["cuntong_notifications_oldest_timestamp_seconds", "county"] == desk.world.now
    assert after["cuntong_alerting_heartbeat_timestamp_seconds",] == desk.world.now
    told = desk.get("/v1/notifications")
    assert told["alerting"] == "alive"
    assert {one["channel"]: one["waiting"] for one in told["channels"]} == {
        "boss": 0, "chief": 0, "county": 1, "duty": 0
    }  # fmt: skip
    desk.world.now += SILENT_S + 1
    assert desk.get("/v1/notifications")["alerting"] == "silent"


def test_a_silent_alerting_chain_is_told_once_and_so_is_its_return(desk: Desk) -> None:
    desk.escalation.look()
    assert desk.queued("duty") == [], "it was never there"
    desk.hear(receiver="deadman")
    for _ in range(3):
        desk.escalation.look()
    assert desk.queued("duty") == []
    desk.world.now += SILENT_S + 60
    for _ in range(3):
        desk.escalation.look()
    desk.hear(receiver="deadman")
    for _ in range(3):
        desk.escalation.look()
    assert [one.document["title"] for one in desk.queued("duty")] == ["告警链路无心跳", "告警链路已恢复"]


def test_without_an_alerting_yml_the_webhook_is_closed_and_nobody_is_told(lit: "World") -> None:
    assert lit.client.post("/v1/alerts").status_code == 503
    assert Alerting().channels == {}


def test_a_province_s_worth_of_alerts_is_one_digest_that_says_how_many_it_leaves_out(desk: Desk) -> None:
    many = [
        alert("SiteDown", desk.world.now, severity="warning", fingerprint=f"{n:x}", site=f"s{n}") for n in range(1500)
    ]
    assert desk.kept(*many, many[0], receiver="county-ops") == (1500, 1, 1)
    assert desk.kept(*many[:700], receiver="county-ops") == (0, 700, 1)
    first, _ = desk.queued("county")
    assert first.document["title"] == "【告警】天全县：1501 条告警"
    assert len(first.document["lines"]) == 101
    assert first.document["lines"][-1] == "……另有 1401 行，见页面"
