"""Sends one notice over one channel: the only module here that touches the network. Blocking; run it in a thread."""

import smtplib
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Any, Final

from api.receivers import bots
from api.receivers.bots import Request
from api.receivers.notice import Notice
from api.standing import shown
from exporter.alertmanager.channels import Channel
from inventory.errors import CuntongError
from ledger.messages import Outcome

TIMEOUT_S: Final = 8.0
_ANSWER_BYTES: Final = 64 << 10

OpenSecret = Callable[[str], str]
"""A reference to its secret; a `CuntongError` says why not."""


def send(
    channel: Channel, notice: Notice, outages: Sequence[str], open_secret: OpenSecret, now: float
) -> tuple[Outcome, str]:
    """What became of it, with a sentence where it was not sent. Never raises for what the other side does."""
    try:
        if channel.kind == "mail":
            return _mail(channel, notice, open_secret, now)
        return _post(channel.kind, request_of(channel, notice, outages, open_secret, now))
    except CuntongError as error:  # a secret that is not there yet
        return Outcome.UNREACHABLE, str(error)


def request_of(
    channel: Channel, notice: Notice, outages: Sequence[str], open_secret: OpenSecret, now: float
) -> Request:
    """The request that carries a notice to a bot or a webhook."""
    if channel.kind == "webhook":
        token = None if channel.token is None else open_secret(channel.token)
        return bots.webhook(notice, outages, str(channel.url), token)
    address = open_secret(str(channel.address))
    key = None if channel.key is None else open_secret(channel.key)
    if channel.kind == "wecom":
        return bots.wecom(notice, address)
    return (bots.dingtalk if channel.kind == "dingtalk" else bots.feishu)(notice, address, key, now)


class _StayHere(urllib.request.HTTPRedirectHandler):
    """A key goes to the address that was declared, and nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _post(kind: str, request: Request) -> tuple[Outcome, str]:
    if not request.url.startswith(("https://", "http://")):
        return Outcome.UNREACHABLE, "the secret holds no address that begins with https://"
    try:
        asked = urllib.request.Request(  # noqa: S310  the scheme was looked at
            request.url, request.body, dict(request.headers), method="POST"
        )
        opener = urllib.request.build_opener(_StayHere())
        with opener.open(asked, timeout=TIMEOUT_S) as answer:
            return bots.judged(kind, answer.status, answer.read(_ANSWER_BYTES))
    except urllib.error.HTTPError as error:
        with error:
            return bots.judged(kind, error.code, b"")
    except urllib.error.URLError as error:
        return Outcome.UNREACHABLE, _reason(error.reason)
    except OSError as error:
        return Outcome.UNREACHABLE, _reason(error)
    except ValueError:  # its text would quote the address, and the address is the secret
        return Outcome.UNREACHABLE, "the address cannot be used"


def _reason(error: object) -> str:
    if isinstance(error, OSError):
        return (error.strerror or type(error).__name__)[:200]
    return str(error)[:200]


def mail_of(channel: Channel, notice: Notice, now: float) -> EmailMessage:
    """The mail that carries a notice; a Chinese subject is encoded as RFC 2047 wants it."""
    mail = EmailMessage()
    mail["Subject"] = notice.title
    mail["From"] = str(channel.sender)
    mail["To"] = ", ".join(channel.to)
    mail["Date"] = format_datetime(shown(now))
    mail["Message-ID"] = make_msgid(domain=str(channel.sender).rpartition("@")[2])
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers to a machine
    if notice.critical:
        mail["Importance"] = "high"
    link = [] if notice.link is None else ["", f"{notice.link[0]}: {notice.link[1]}"]
    mail.set_content("\n".join([*notice.lines, *link]) + "\n", charset="utf-8")
    return mail


def _mail(channel: Channel, notice: Notice, open_secret: OpenSecret, now: float) -> tuple[Outcome, str]:
    password = None if channel.password is None else open_secret(channel.password)
    tls = channel.tls or "starttls"
    host, port = str(channel.host), channel.port or (465 if tls == "tls" else 587)
    try:
        trusted = ssl.create_default_context(cafile=None if channel.ca_file is None else str(channel.ca_file))
        with (
            smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=trusted)
            if tls == "tls"
            else smtplib.SMTP(host, port, timeout=TIMEOUT_S)
        ) as relay:
            if tls == "starttls":
                relay.starttls(context=trusted)
            if channel.user is not None and password is not None:
                relay.login(channel.user, password)
            not_taken = relay.send_message(mail_of(channel, notice, now))
    except smtplib.SMTPRecipientsRefused as error:
        return Outcome.REFUSED, f"the relay takes none of {len(error.recipients)} recipients"
    except smtplib.SMTPResponseException as error:
        said = error.smtp_error if isinstance(error.smtp_error, str) else error.smtp_error.decode("utf-8", "replace")
        outcome = Outcome.REFUSED if 500 <= error.smtp_code < 600 else Outcome.UNREACHABLE
        return outcome, f"SMTP {error.smtp_code}: {said[:200]}"
    except smtplib.SMTPException as error:
        return Outcome.UNREACHABLE, f"{type(error).__name__}: {error}"[:200]
    except OSError as error:  # certificates that are not trusted as well
        return Outcome.UNREACHABLE, _reason(error)
    if not_taken:
        return Outcome.SENT, f"the relay did not take {', '.join(sorted(not_taken))}"[:200]
    return Outcome.SENT, ""
