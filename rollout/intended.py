"""What a router should say: the templates of its platform, filled with its facts.

A name that a template misspells, or that the inventory does not give, is an error with file and line and never an
empty word in a configuration. Secrets stay references until the moment at which they are sent.
"""

import hashlib
import re
from pathlib import Path
from typing import Any, Final

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, TemplateNotFound
from jinja2.exceptions import TemplateError as JinjaError
from jinja2.exceptions import TemplateSyntaxError

from inventory.devices import Device
from inventory.model import Inventory
from rollout.errors import TemplateError
from rollout.facts import Survey
from rollout.platform import Platform
from rollout.sections import chosen

_FORBIDDEN: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f?]")
"""Control characters, and the question mark by which every vendor's command line asks for help."""


class Templates:
    """The templates of a folder, one folder a platform; an operator's own ones come first.

    Args:
        folder: ``playbooks/templates``.
        own: the inventory's ``templates`` folder, which may hold some of the files or none.
    """

    def __init__(self, folder: Path, own: Path | None = None) -> None:
        self._folders = [path for path in (own, folder) if path is not None and path.is_dir()]
        self._environment = Environment(
            loader=ChoiceLoader([FileSystemLoader(path) for path in self._folders]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,  # noqa: S701  router configurations; every word in them is checked by its own type
        )
        self._survey: Survey | None = None

    @property
    def content_hash(self) -> str:
        """SHA-256 over names and bytes of every template: two plans of one hash come from the same words."""
        told = hashlib.sha256()
        for folder in self._folders:
            for path in sorted(folder.rglob("*.j2")):
                told.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
        return told.hexdigest()

    def render(self, inventory: Inventory, device: Device, platform: Platform, what: str = "router") -> str:
        """The sections that a router should have; nothing for an adopted one of which we manage nothing yet.

        Args:
            what: ``router``, or ``bootstrap`` for the file that a new one is started with.

        Raises:
            TemplateError: a template is missing, misspelt, or told something that cannot stand in a configuration.
        """
        managed = device.managed if what == "router" else None
        if managed is not None and not managed:
            return ""
        if self._survey is None or self._survey.inventory is not inventory:
            self._survey = Survey(inventory)
        facts = self._survey.facts(device, lines=managed is None or "network" in managed)
        name = f"{platform}/{what}.j2"
        try:
            text = chosen(self._environment.get_template(name).render(**_words(facts)), managed, name)
        except TemplateNotFound as error:
            raise TemplateError(f"There is no template {error.name} in {self._folders[-1]}.") from None
        except TemplateSyntaxError as error:
            raise TemplateError(f"{error.filename}:{error.lineno}: {error.message}") from None
        except (JinjaError, TypeError, ValueError) as error:
            raise TemplateError(f"{_where(error, self._folders)}: {device.id}: {error}") from None
        bad = _FORBIDDEN.search(text)
        if bad:
            line = text.count("\n", 0, bad.start()) + 1
            raise TemplateError(f"{name}: {device.id}: line {line} of what it renders holds {bad.group()!r}.")
        return text


def _words(facts: Any) -> dict[str, Any]:
    return {name: getattr(facts, name) for name in facts.__dataclass_fields__}


def _where(error: BaseException, folders: list[Path]) -> str:
    """The template's own file and line, from the traceback that Jinja rewrites."""
    found = "templates"
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if any(Path(file).is_relative_to(folder) for folder in folders):
            found = f"{file}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found
