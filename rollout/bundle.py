"""The files of a kiosk: which ones stand in the role's defaults, filled in here with the kiosk's facts.

Two kinds of words never meet: a template that is not marked ``secret`` cannot name a secret, since StrictUndefined
knows none there.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateNotFound
from jinja2.exceptions import TemplateError as JinjaError
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rollout.errors import TemplateError
from rollout.kiosk_facts import KioskFacts

Mode = Annotated[str, Field(pattern=r"^0[0-7]{3}$")]
AbsolutePath = Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._-]+)+$")]


class File(BaseModel):
    """One file that is ours. Exactly one of ``template``, ``copy``, ``link`` and ``absent`` says what it is.

    Attributes:
        needs: the name of a fact; where that is empty, the file is removed.
        units: what is started anew when the file changed.
        boots: a unit that is enabled when the file changed, and starts with the machine.
        first: placed before packages are installed.
        secret: it holds one; its text is in no difference.
        guarded: a firewall: loaded under a timer, placed when a new login has proved it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: AbsolutePath
    template: str | None = None
    source: str | None = Field(default=None, alias="copy")
    link: AbsolutePath | None = None
    absent: bool = False
    mode: Mode = "0644"
    owner: str = "root"
    group: str = "root"
    needs: str | None = None
    units: tuple[str, ...] = ()
    boots: str | None = None
    first: bool = False
    secret: bool = False
    guarded: bool = False

    @model_validator(mode="after")
    def _one_kind(self) -> "File":
        given = [self.template is not None, self.source is not None, self.link is not None, self.absent]
        if sum(given) != 1:
            raise ValueError(f"{self.path}: give one of template, copy, link and absent")
        if self.secret and self.mode[-2:] != "00":
            raise ValueError(f"{self.path}: a secret is its owner's alone (mode 0600)")
        return self


_NAMES: Final = {"sha": "SHA", "sha256": "SHA-256", "aes128": "AES", "aes256": "AES-256"}
"""Protocols as net-snmp spells them (snmpd.conf(5), createUser)."""


def read_files(given: Any) -> tuple[File, ...]:
    """The list of a role's defaults.

    Raises:
        TemplateError: it is none.
    """
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise TemplateError("kiosk_files is no list.")
    try:
        return tuple(File.model_validate(dict(one)) for one in given)
    except (ValidationError, TypeError, ValueError) as error:
        raise TemplateError(f"kiosk_files: {error}") from None


def fill(role: Path, files: Sequence[File], facts: KioskFacts, secrets: Mapping[str, str]) -> list[dict[str, Any]]:
    """Each file as what is sent to the kiosk: plain words, JSON's own types.

    Args:
        role: the folder with ``templates/`` and ``files/``.
        secrets: words that only files marked ``secret`` may name.

    Raises:
        TemplateError: a template is missing, misspelt, or names what there is not.
    """
    environment = Environment(
        loader=FileSystemLoader(role / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  files of a system, no pages
    )
    # Policies and our own settings are read by people, in Chinese.
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "sort_keys": False}
    words = words_of(facts)
    return [_filled(environment, role, file, {**words, **secrets} if file.secret else words, words) for file in files]


def words_of(facts: KioskFacts) -> dict[str, Any]:
    """What templates are told: the facts, and each in the spelling that a program wants."""
    return {
        **{name: getattr(facts, name) for name in facts.__dataclass_fields__},
        "queues": [asdict(one) for one in facts.queues],
        "usb": [{"part": one.part, "usb": one.usb} for one in facts.peripherals],
        "ups": "ups" in facts.parts,
        "allowlist": [allowed(url) for url in facts.urls],
        "mirror_host": urlsplit(facts.mirror.url).hostname or "",
        "auth_name": _NAMES[facts.snmp.auth],
        "priv_name": _NAMES[facts.snmp.priv],
    }


def allowed(url: str) -> str:
    """A URL as Chromium's filters write it: a dot before the host keeps its subdomains out (URL blocklist format)."""
    parts = urlsplit(url)
    try:
        ipaddress.ip_address(parts.hostname or "")
    except ValueError:
        return f"{parts.scheme}://.{parts.netloc}{parts.path}"
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def _filled(
    environment: Environment, role: Path, file: File, words: Mapping[str, Any], known: Mapping[str, Any]
) -> dict[str, Any]:
    absent = file.absent
    if file.needs is not None:
        if file.needs not in known:
            raise TemplateError(f"{file.path}: needs: there is no fact {file.needs!r} of kiosks.")
        absent = absent or not known[file.needs]
    text = ""
    try:
        if file.template is not None and not absent:
            text = environment.get_template(file.template).render(**words)
        elif file.source is not None:
            text = (role / "files" / file.source).read_text("utf-8")
    except TemplateNotFound as error:
        raise TemplateError(f"There is no template {error.name} in {role / 'templates'}.") from None
    except (JinjaError, TypeError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise TemplateError(f"{role / 'templates' / str(file.template)}{f':{line}' if line else ''}: {error}") from None
    except OSError as error:
        raise TemplateError(f"{file.path}: {error.filename} cannot be read ({error.strerror}).") from None
    return {**file.model_dump(exclude={"template", "source", "needs"}), "text": text, "absent": absent}
