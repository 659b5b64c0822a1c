"""Rules, Alertmanager's configuration and Prometheus' own, made ready for one installation and checked on the way."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from exporter.alertmanager.config import render
from exporter.alertmanager.settings import Alerting, read_alerting
from exporter.linting.findings import Finding
from exporter.linting.routes import lint_routes
from exporter.linting.rule_files import RULES, files_of
from exporter.linting.rules import Linted, lint, lint_folder
from inventory.calendars import Calendar
from inventory.model import Inventory

RUNBOOKS: Final = "http://127.0.0.1:8080/runbooks"
DASHBOARDS: Final = "http://127.0.0.1:3000"
"""As the rule files of the project have them: loopback, until an installation says where its pages are."""

_RUNBOOK: Final = re.compile(re.escape(RUNBOOKS) + r"(?=/[A-Z])")
_DASHBOARD: Final = re.compile(re.escape(DASHBOARDS) + r"(?=/d/)")


@dataclass(frozen=True, slots=True)
class Written:
    """What `write` left behind: the files, and what speaks against using them."""

    files: tuple[Path, ...]
    findings: tuple[Finding, ...]


def office(inventory: Inventory, settings: Alerting) -> Calendar | None:
    """The calendar within which digests are sent; None where the inventory has none of that name."""
    return inventory.calendars.get(settings.office)


def findings(inventory: Inventory) -> tuple[Finding, ...]:
    """What is wrong with our rules, and with the routes that this inventory's settings give them.

    Raises:
        InventoryError: the inventory's ``alerting.yml`` cannot be read.
    """
    settings = read_alerting(inventory.folder)
    return _judged(lint_folder(RULES), render(settings, office(inventory, settings)))


def findings_in(folder: Path) -> tuple[Finding, ...]:
    """What is wrong with rule files of an operator's own, which may build on ours."""
    own = files_of(folder)
    names = {file.name for file in own}
    ours = [file for file in files_of(RULES) if file.name not in names]
    return tuple(one for one in lint([*ours, *own]).findings if one.where.file in names)


def write(inventory: Inventory, out: Path, runbooks: str = RUNBOOKS, dashboards: str = DASHBOARDS) -> Written:
    """Write ``rules/*.yml`` and ``alertmanager.yml`` into ``out``, which may hold older ones.

    Args:
        runbooks: where the pages of docs/runbooks are, without a slash at the end.
        dashboards: Grafana's address, the same.

    Raises:
        InventoryError: the inventory's ``alerting.yml`` cannot be read; nothing was written.
    """
    settings = read_alerting(inventory.folder)
    routes = render(settings, office(inventory, settings))
    made = {f"rules/{file.name}": _addressed(file.read_text("utf-8"), runbooks, dashboards) for file in files_of(RULES)}
    made["alertmanager.yml"] = routes
    (out / "rules").mkdir(parents=True, exist_ok=True)
    for name, text in made.items():
        fresh = out / f"{name}.new"
        fresh.write_text(text, "utf-8")
        fresh.replace(out / name)  # Prometheus may reload at any moment: it sees the old file or the new one
    return Written(tuple(out / name for name in made), _judged(lint_folder(out / "rules"), routes))


def _judged(linted: Linted, routes: str) -> tuple[Finding, ...]:
    return (*linted.findings, *lint_routes(routes, "alertmanager.yml", linted.alerts))


def _addressed(text: str, runbooks: str, dashboards: str) -> str:
    text = _RUNBOOK.sub(lambda _: runbooks.rstrip("/"), text)
    return _DASHBOARD.sub(lambda _: dashboards.rstrip("/"), text)
