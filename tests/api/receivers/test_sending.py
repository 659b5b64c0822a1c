"""Sending for real, to local fakes: a web server that checks what it gets, and a mail relay with STARTTLS."""

import base64
import datetime
import email
import email.header
import email.policy
import hashlib
import hmac
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from api.receivers.notice import Notice
from api.receivers.sending import send
from cuntong.errors import StartError
from exporter.alertmanager.channels import Channel
from ledger.messages import Outcome

NOTICE: Final = Notice(
    "zh",
    True,
    "【严重】始阳镇便民服务中心中断",
    ("原因：汇聚节点故障",),
    "{count}",
    ("看", "https://c.example/outages"),
)
KEY: Final = "SEC-of-this-test"
TOKEN: Final = "token-of-this-test"  # noqa: S105


class Office:
    """Three bots and a webhook, as strict as the makers': a wrong signature or shape is refused."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, Any]] = []
        office = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                path = urlsplit(self.path)
                if path.path == "/moved":
                    self.send_response(302)
                    self.send_header("Location", f"{office.url}/wecom?key=k1")
                    self.end_headers()
                    return
                answer = office.judge(path.path, parse_qs(path.query), body, self.headers.get("Authorization"))
                if answer.get("errcode", answer.get("code")) == 0:
                    office.taken.append((path.path, body))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def judge(self, path: str, query: dict[str, list[str]], body: Any, token: str | None) -> dict[str, Any]:
        if path == "/wecom":
            good = query.get("key") == ["k1"] and 0 < len(body["markdown"]["content"].encode()) <= 4096
            return {"errcode": 0 if good else 93000, "errmsg": "ok" if good else "invalid webhook url"}
        if path == "/dingtalk":
            stamp = query["timestamp"][0]
            fresh = abs(time.time() * 1000 - int(stamp)) < 3_600_000
            good = fresh and query["sign"] == [signed(KEY, f"{stamp}\n{KEY}")] and bool(body["markdown"]["title"])
            return {"errcode": 0 if good else 310000, "errmsg": "ok" if good else "sign not match"}
        if path == "/feishu":
            good = body["sign"] == signed(f"{body['timestamp']}\n{KEY}", "") and body["msg_type"] == "post"
            return {"code": 0 if good else 19021, "msg": "success" if good else "sign match fail"}
        return {"errcode": 0 if token == f"Bearer {TOKEN}" else 1}


def signed(key: str, text: str) -> str:
    return base64.b64encode(hmac.digest(key.encode(), text.encode(), hashlib.sha256)).decode()


@pytest.fixture
def office() -> Iterator[Office]:
    office = Office()
    yield office
    office.server.shutdown()
    office.server.server_close()


def post(channel: dict[str, Any], **secrets: str) -> tuple[Outcome, str]:
    def open_secret(reference: str) -> str:
        try:
            return secrets[reference.removeprefix("secret://")]
        except KeyError:
            raise StartError(f"The secret {reference} cannot be read.") from None

    return send(Channel.model_validate(channel), NOTICE, ["o1"], open_secret, time.time())


@pytest.mark.parametrize("kind", ["wecom", "dingtalk", "feishu"])
def test_a_bot_takes_what_is_signed_with_its_key_and_nothing_else(kind: str, office: Office) -> None:
    channel = {"kind": kind, "address": "secret://a"} | ({} if kind == "wecom" else {"key": "secret://k"})
    assert post(channel, a=f"{office.url}/{kind}?key=k1", k=KEY) == (Outcome.SENT, "")
    outcome, detail = post(channel, a=f"{office.url}/{kind}?key=wrong", k="another")
    assert outcome is Outcome.REFUSED
    assert detail.startswith("code ")
    assert [path for path, _ in office.taken] == [f"/{kind}"]


def test_a_webhook_is_shown_its_token(office: Office) -> None:
    channel = {"kind": "webhook", "url": f"{office.url}/in", "token": "secret://t"}
    assert post(channel, t=TOKEN)[0] is Outcome.SENT
    assert office.taken[0][1]["outages"] == ["o1"]


def test_a_key_is_never_taken_to_another_address(office: Office) -> None:
    assert post({"kind": "wecom", "address": "secret://a"}, a=f"{office.url}/moved") == (Outcome.REFUSED, "HTTP 302")
    assert office.taken == []


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:9/send?key=hidden", "ftp://127.0.0.1/hidden", "http://[hidden", "hidden"]
)
def test_who_is_not_there_is_unreachable_and_his_address_stays_secret(address: str) -> None:
    outcome, detail = post({"kind": "wecom", "address": "secret://a"}, a=address)
    assert outcome is Outcome.UNREACHABLE
    assert detail
    assert "hidden" not in detail


def test_a_secret_that_is_not_there_yet_is_waited_for() -> None:
    assert post({"kind": "wecom", "address": "secret://a"}) == (
        Outcome.UNREACHABLE,
        "The secret secret://a cannot be read.",
    )


class Relay:
    """A mail relay: one thread, one mail at a time, a certificate of its own, AUTH PLAIN after STARTTLS alone."""

    def __init__(self, folder: Path) -> None:
        self.mails: list[bytes] = []
        self.secured: list[bool] = []
        self.refuses = False
        self.certificate = folder / "relay.pem"
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        _certify(self.certificate)
        self._context.load_cert_chain(self.certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            try:
                self._talk(sock)
            except (OSError, ValueError):
                continue

    def _talk(self, sock: socket.socket) -> None:
        secure, known = False, False
        with sock:
            sock.sendall(b"220 relay.example\r\n")
            file = sock.makefile("rb")
            while line := file.readline():
                verb = line.split()[0].upper() if line.split() else b""
                if verb == b"EHLO":
                    sock.sendall(b"250-relay.example\r\n" + (b"250 AUTH PLAIN\r\n" if secure else b"250 STARTTLS\r\n"))
                elif verb == b"STARTTLS":
                    sock.sendall(b"220 go\r\n")
                    sock = self._context.wrap_socket(sock, server_side=True)
                    file, secure = sock.makefile("rb"), True
                elif verb == b"AUTH":
                    known = base64.b64decode(line.split()[2]) == b"\0ops\0word"
                    sock.sendall(b"235 ok\r\n" if known else b"535 no\r\n")
                elif verb == b"RCPT" and self.refuses:
                    sock.sendall(b"550 nobody here\r\n")
                elif verb == b"DATA":
                    sock.sendall(b"354 go\r\n")
                    mail = b""
                    while (part := file.readline()) != b".\r\n":
                        mail += part
                    self.mails.append(mail)
                    self.secured.append(secure and known)
                    sock.sendall(b"250 ok\r\n")
                elif verb == b"QUIT":
                    sock.sendall(b"221 bye\r\n")
                    sock.close()
                    return
                else:
                    sock.sendall(b"250 ok\r\n")


def _certify(file: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relay of this test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[Relay]:
    relay = Relay(tmp_path)
    yield relay
    relay.close()


@pytest.fixture
def mail(relay: Relay) -> Callable[..., dict[str, Any]]:
    def channel(**more: Any) -> dict[str, Any]:
        return {
            "kind": "mail", "host": "127.0.0.1", "port": relay.port, "sender": "noc@cuntong.example",
            "to": ["duty@county.example", "chief@county.example"], "user": "ops", "password": "secret://mail",
            "ca_file": str(relay.certificate),
        } | more  # fmt: skip

    return channel


def test_a_mail_goes_over_tls_with_a_chinese_subject_that_old_programs_read(
    relay: Relay, mail: Callable[..., dict[str, Any]]
) -> None:
    assert post(mail(), mail="word") == (Outcome.SENT, "")
    (raw,) = relay.mails
    assert relay.secured == [True]
    head = raw.partition(b"\r\n\r\n")[0]
    assert head.isascii()
    assert b"=?utf-8?" in head
    read = email.message_from_bytes(raw, policy=email.policy.default)
    assert read["Subject"] == NOTICE.title
    assert (read["To"], read["Auto-Submitted"], read["Importance"]) == (
        "duty@county.example, chief@county.example", "auto-generated", "high"
    )  # fmt: skip
    body = read.get_body()
    assert body is not None
    assert body.get_content().splitlines() == ["原因：汇聚节点故障", "", "看: https://c.example/outages"]


def test_a_relay_whose_certificate_nobody_trusts_gets_no_password(
    relay: Relay, mail: Callable[..., dict[str, Any]]
) -> None:
    outcome, detail = post(mail(ca_file=None), mail="word")
    assert outcome is Outcome.UNREACHABLE
    assert detail
    assert relay.mails == []


def test_a_wrong_password_and_an_unknown_recipient_are_refused(
    relay: Relay, mail: Callable[..., dict[str, Any]]
) -> None:
    outcome, detail = post(mail(), mail="wrong")
    assert (outcome, detail) == (Outcome.REFUSED, "SMTP 535: no")
    relay.refuses = True
    assert post(mail(), mail="word") == (Outcome.REFUSED, "the relay takes none of 2 recipients")
    assert relay.mails == []


def test_a_relay_that_is_not_there_is_waited_for(relay: Relay, mail: Callable[..., dict[str, Any]]) -> None:
    assert post(mail(port=9), mail="word")[0] is Outcome.UNREACHABLE
