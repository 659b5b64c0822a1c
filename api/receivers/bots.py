"""The forms of the chat bots and of a webhook: a notice in, an HTTP request out; an answer in, a judgement out.

Pure: no socket, no clock. Limits and signatures as the makers' pages on group bots have them (WeCom: 4096 bytes of
Markdown; DingTalk: 20,000 bytes, HMAC-SHA256 of the milliseconds and the key, in the address; Feishu: 20 KB, an HMAC
of nothing under seconds and key, in the body).
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from api.receivers.notice import Notice, fitted
from ledger.messages import Outcome

WECOM_BYTES: Final = 4096
DINGTALK_BYTES: Final = 18_000
FEISHU_BYTES: Final = 18_000
"""Somewhat below the makers' 20,000 and 20 KB, which count the JSON around the words."""

_TOO_FAST: Final = {"wecom": {45009, 45033}, "dingtalk": {130101, 410100, 88}, "feishu": {9499, 11232}}
_NOT_NOW: Final = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Request:
    """One POST. The address may hold a key: it is never logged."""

    url: str = field(repr=False)
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def wecom(notice: Notice, address: str) -> Request:
    def form(lines: Sequence[str]) -> str:
        title = f'<font color="warning">{notice.title}</font>' if notice.critical else notice.title
        return "\n".join([f"**{title}**", *(f"> {line}" for line in lines), *_markdown_link(notice)])

    text = fitted(form, notice, WECOM_BYTES)
    return _json(address, {"msgtype": "markdown", "markdown": {"content": text}})


def dingtalk(notice: Notice, address: str, key: str | None, now: float) -> Request:
    """Args: now: Unix time, which is signed where there is a key."""

    def form(lines: Sequence[str]) -> str:
        return "\n\n".join([f"#### {notice.title}", *lines, *_markdown_link(notice)])

    text = fitted(form, notice, DINGTALK_BYTES)
    if key is not None:
        stamp = str(round(now * 1000))
        signed = urlencode({"timestamp": stamp, "sign": _hmac(key, f"{stamp}\n{key}")})
        address = f"{address}{'&' if '?' in address else '?'}{signed}"
    return _json(address, {"msgtype": "markdown", "markdown": {"title": notice.title, "text": text}})


def feishu(notice: Notice, address: str, key: str | None, now: float) -> Request:
    """Args: now: Unix time, which is signed where there is a key."""

    def form(lines: Sequence[str]) -> str:
        content: list[list[dict[str, str]]] = [[{"tag": "text", "text": line}] for line in lines]
        if notice.link is not None:
            content.append([{"tag": "a", "text": notice.link[0], "href": notice.link[1]}])
        post = {"title": notice.title, "content": content}
        language = "zh_cn" if notice.language == "zh" else "en_us"
        return json.dumps({"post": {language: post}}, ensure_ascii=False)

    document: dict[str, Any] = {"msg_type": "post", "content": json.loads(fitted(form, notice, FEISHU_BYTES))}
    if key is not None:
        stamp = str(round(now))
        document = {"timestamp": stamp, "sign": _hmac(f"{stamp}\n{key}", "")} | document
    return _json(address, document)


def webhook(notice: Notice, outages: Sequence[str], url: str, token: str | None) -> Request:
    """Our own form, for programs: the words, and the outages that they are about."""
    document = {
        "title": notice.title,
        "lines": list(notice.lines),
        "critical": notice.critical,
        "language": notice.language,
        "link": None if notice.link is None else notice.link[1],
        "outages": list(outages),
    }
    return _json(url, document, {} if token is None else {"Authorization": f"Bearer {token}"})


def judged(kind: str, status: int, body: bytes) -> tuple[Outcome, str]:
    """What an answer means, with its words; bots answer 200 and say no inside."""
    if status in _NOT_NOW or status >= 500:
        return Outcome.UNREACHABLE, f"HTTP {status}"
    if not 200 <= status < 300:
        return Outcome.REFUSED, f"HTTP {status}"
    if kind == "webhook":
        return Outcome.SENT, ""
    try:
        document = json.loads(body)
        code = document.get("errcode", document.get("code", document.get("StatusCode")))
        said = str(document.get("errmsg", document.get("msg", "")))[:200]
    except (ValueError, AttributeError):
        return Outcome.UNREACHABLE, "the answer is no JSON object: something else answers at this address"
    if code == 0:
        return Outcome.SENT, ""
    outcome = Outcome.UNREACHABLE if code in _TOO_FAST[kind] else Outcome.REFUSED
    return outcome, f"code {code}: {said}"


def _markdown_link(notice: Notice) -> list[str]:
    return [] if notice.link is None else [f"[{notice.link[0]}]({notice.link[1]})"]


def _hmac(key: str, text: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()


def _json(url: str, document: object, headers: Mapping[str, str] | None = None) -> Request:
    body = json.dumps(document, ensure_ascii=False).encode()
    return Request(url, body, {"Content-Type": "application/json; charset=utf-8", **(headers or {})})
