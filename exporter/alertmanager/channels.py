"""Channels to people, as ``alerting.yml`` declares them: chat bots that Chinese offices use, mail, a webhook.

A chat bot's address holds its key, so it is a secret as a whole; nothing here is one, only references to them.
"""

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from inventory.declared import Declared

Url = Annotated[str, Field(pattern=r"^https?://[^\s/]+(/\S*)?$")]
SecretReference = Annotated[str, Field(pattern=r"^secret://[A-Za-z0-9][A-Za-z0-9._/-]*$")]
Word = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,47}$")]
Address = Annotated[str, Field(pattern=r"^[^@\s,;<>]+@[^@\s,;<>]+$")]
Kind = Literal["wecom", "dingtalk", "feishu", "mail", "webhook"]

_KEYS: Final[dict[str, tuple[frozenset[str], frozenset[str]]]] = {
    "wecom": (frozenset({"address"}), frozenset()),
    "dingtalk": (frozenset({"address"}), frozenset({"key"})),
    "feishu": (frozenset({"address"}), frozenset({"key"})),
    "mail": (frozenset({"host", "sender", "to"}), frozenset({"port", "tls", "user", "password", "ca_file"})),
    "webhook": (frozenset({"url"}), frozenset({"token"})),
}
"""Which keys each kind must have, and which it may have, beside those that all have."""
_ALL: Final = frozenset({"kind", "language", "per_minute", "severities"})


class Channel(Declared):
    """One way to somebody.

    Attributes:
        kind: a bot of WeCom, DingTalk or Feishu; mail over SMTP; or JSON to a webhook of your own.
        language: of its messages.
        per_minute: messages in any minute; the bots close their ear for a while beyond 20.
        severities: only alerts of these; all if left out.
        address: of a bot, a reference to the secret that holds its whole address.
        key: of a bot, the key that signs its messages.
        url: of a webhook.
        token: of a webhook, sent as bearer token.
        host: of the mail relay, with ``port`` (587, or 465 with ``tls: tls``).
        tls: ``starttls`` (default), ``tls`` from the first byte, or ``none``, over which no password is sent.
        ca_file: certificates to trust instead of the machine's, for a relay with a CA of its own.
    """

    kind: Kind
    language: Literal["zh", "en"] = "zh"
    per_minute: Annotated[int, Field(ge=1, le=600)] = 20
    severities: tuple[Literal["critical", "warning", "info"], ...] = ()
    address: SecretReference | None = None
    key: SecretReference | None = None
    url: Url | None = None
    token: SecretReference | None = None
    host: str | None = None
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    tls: Literal["starttls", "tls", "none"] | None = None
    sender: Address | None = None
    to: tuple[Address, ...] = ()
    user: str | None = None
    password: SecretReference | None = None
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _has_the_keys_of_its_kind(self) -> "Channel":
        needed, allowed = _KEYS[self.kind]
        given = {name for name in self.model_fields_set if getattr(self, name) not in (None, ())}
        if missing := sorted(needed - given):
            raise ValueError(f"a channel of kind {self.kind} has no {' and no '.join(missing)}. | Add it.")
        if strange := sorted(given - needed - allowed - _ALL):
            raise ValueError(f"a channel of kind {self.kind} has no use for {', '.join(strange)}. | Take it out.")
        if self.tls == "none" and self.user is not None:
            raise ValueError("a password would cross the network in the open. | Write tls: starttls, or no user.")
        if (self.user is None) is not (self.password is None):
            raise ValueError("user and password belong together. | Write both, or neither.")
        return self


class EscalationStep(Declared):
    """Whom to tell when a critical outage was acknowledged by nobody within so many minutes of its first alert."""

    after_minutes: Annotated[int, Field(ge=1, le=24 * 60)]
    channels: Annotated[tuple[Word, ...], Field(min_length=1)]
