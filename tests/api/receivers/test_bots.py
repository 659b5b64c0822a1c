"""The forms that the bots are given, and what their answers mean."""

import base64
import hashlib
import hmac
import json
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.receivers import bots
from api.receivers.notice import LINE_LIMIT, TITLE_LIMIT, Notice, tidy
from ledger.messages import Outcome

ADDRESS: Final = "https://bot.example/send?access_token=zq9z"
KEY: Final = "SEC-of-this-test"
NOW: Final = 1_763_600_000.25
NOTICE: Final = Notice(
    "zh", True, "【严重】始阳镇便民服务中心中断", ("原因：汇聚节点故障", "影响：19 个站点"), "……另有 {count} 行",
    ("打开中断页面", "https://cuntong.example/outages?outage=o1"),
)  # fmt: skip


def told(request: bots.Request) -> Any:
    assert request.headers["Content-Type"] == "application/json; charset=utf-8"
    return json.loads(request.body)


def signature(key: str, text: str) -> str:
    return base64.b64encode(hmac.digest(key.encode(), text.encode(), hashlib.sha256)).decode()


def test_wecom_gets_markdown_and_the_address_holds_its_key() -> None:
    request = bots.wecom(NOTICE, ADDRESS)
    assert request.url == ADDRESS
    assert told(request) == {
        "msgtype": "markdown",
        "markdown": {
            "content": '**<font color="warning">【严重】始阳镇便民服务中心中断</font>**\n> 原因：汇聚节点故障\n'
            "> 影响：19 个站点\n[打开中断页面](https://cuntong.example/outages?outage=o1)"
        },
    }


def test_dingtalk_is_signed_in_the_address_with_the_milliseconds() -> None:
    request = bots.dingtalk(NOTICE, ADDRESS, KEY, NOW)
    query = parse_qs(urlsplit(request.url).query)
    assert query["access_token"] == ["zq9z"]
    assert query["timestamp"] == ["1763600000250"]
    assert query["sign"] == [signature(KEY, f"1763600000250\n{KEY}")]
    document = told(request)
    assert document["msgtype"] == "markdown"
    assert document["markdown"]["title"] == NOTICE.title
    assert document["markdown"]["text"].split("\n\n")[1:3] == list(NOTICE.lines)
    assert bots.dingtalk(NOTICE, "https://bot.example/send", None, NOW).url == "https://bot.example/send"


def test_feishu_is_signed_in_the_body_with_the_seconds() -> None:
    document = told(bots.feishu(NOTICE, ADDRESS, KEY, NOW))
    assert (document["timestamp"], document["sign"]) == ("1763600000", signature(f"1763600000\n{KEY}", ""))
    post = document["content"]["post"]["zh_cn"]
    assert post["title"] == NOTICE.title
    assert post["content"] == [
        [{"tag": "text", "text": "原因：汇聚节点故障"}],
        [{"tag": "text", "text": "影响：19 个站点"}],
        [{"tag": "a", "text": "打开中断页面", "href": "https://cuntong.example/outages?outage=o1"}],
    ]
    assert "sign" not in told(bots.feishu(NOTICE, ADDRESS, None, NOW))


def test_a_webhook_gets_everything_and_its_token() -> None:
    request = bots.webhook(NOTICE, ["o1"], "https://tickets.example/in", "zt0t")
    assert request.headers["Authorization"] == "Bearer zt0t"
    assert told(request) == {
        "title": NOTICE.title, "lines": list(NOTICE.lines), "critical": True, "language": "zh",
        "link": "https://cuntong.example/outages?outage=o1", "outages": ["o1"],
    }  # fmt: skip


def test_nobody_reads_an_address_or_a_token_in_a_log() -> None:
    said = repr(bots.webhook(NOTICE, ["o1"], ADDRESS, "zt0t")) + repr(bots.wecom(NOTICE, ADDRESS))
    assert "zq9z" not in said
    assert "zt0t" not in said


lines = st.lists(st.text(max_size=LINE_LIMIT), max_size=60).map(lambda many: tuple(tidy(one) for one in many))


@given(st.text(max_size=TITLE_LIMIT), lines, st.booleans())
def test_no_message_is_longer_than_its_bot_takes_and_each_keeps_title_and_link(
    title: str, lines: tuple[str, ...], critical: bool
) -> None:
    title = tidy(title, TITLE_LIMIT)
    notice = Notice("zh", critical, title, lines, "……另有 {count} 行", NOTICE.link)
    wecom = told(bots.wecom(notice, ADDRESS))["markdown"]["content"]
    assert len(wecom.encode()) <= bots.WECOM_BYTES
    assert title in wecom
    assert wecom.endswith("](https://cuntong.example/outages?outage=o1)")
    kept = [line.removeprefix("> ") for line in wecom.split("\n")[1:-1]]
    if kept != list(lines):  # then it says how many are missing, and the others are the first ones
        assert kept[-1] == f"……另有 {len(lines) - len(kept) + 1} 行"
        assert kept[:-1] == list(lines[: len(kept) - 1])
    assert len(bots.dingtalk(notice, ADDRESS, KEY, NOW).body) <= 20_000
    assert len(bots.feishu(notice, ADDRESS, KEY, NOW).body) <= 20 << 10


@given(st.text(max_size=2 * LINE_LIMIT))
def test_words_from_outside_are_one_line_that_no_chat_takes_for_markup(text: str) -> None:
    plain = tidy(text)
    assert len(plain) <= LINE_LIMIT
    assert not set(plain) & set("<>[]*`#|\n\r\t")


@pytest.mark.parametrize(
    ("kind", "status", "body", "outcome"),
    [
        ("wecom", 200, b'{"errcode":0,"errmsg":"ok"}', Outcome.SENT),
        ("wecom", 200, b'{"errcode":93000,"errmsg":"invalid webhook url"}', Outcome.REFUSED),
        ("wecom", 200, b'{"errcode":45009,"errmsg":"api freq out of limit"}', Outcome.UNREACHABLE),
        ("dingtalk", 200, b'{"errcode":310000,"errmsg":"sign not match"}', Outcome.REFUSED),
        ("dingtalk", 200, b'{"errcode":130101,"errmsg":"send too fast"}', Outcome.UNREACHABLE),
        ("feishu", 200, b'{"code":0,"msg":"success","data":{}}', Outcome.SENT),
        ("feishu", 200, b'{"StatusCode":0,"StatusMessage":"success"}', Outcome.SENT),
        ("feishu", 200, b'{"code":19021,"msg":"sign match fail"}', Outcome.REFUSED),
        ("feishu", 200, b"<html>log in to the wireless network</html>", Outcome.UNREACHABLE),
        ("feishu", 200, b"[]", Outcome.UNREACHABLE),
        ("webhook", 204, b"", Outcome.SENT),
        ("webhook", 302, b"", Outcome.REFUSED),
        ("webhook", 404, b"", Outcome.REFUSED),
        ("webhook", 429, b"", Outcome.UNREACHABLE),
        ("webhook", 503, b"", Outcome.UNREACHABLE),
    ],
)
def test_an_answer_means_sent_not_now_or_no(kind: str, status: int, body: bytes, outcome: Outcome) -> None:
    assert bots.judged(kind, status, body)[0] is outcome


@given(st.binary(max_size=200))
def test_no_answer_breaks_us(body: bytes) -> None:
    assert bots.judged("wecom", 200, body)[0] in Outcome
