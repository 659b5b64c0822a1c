"""The page with scripts: what the browser is given to begin with, and the addresses that only it has.

The server's own pages stand at ``/``, ``/d/...`` and ``/s/...`` and are whole without scripts. Where the browser's
program was built (``web/``), each page names it and carries what it needs to begin: the language, the messages, the
top of the division tree. Its other views get the same page with a sentence for those who run no scripts.
"""

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from api.actions.grants import allowed
from api.messages import LANGUAGES
from api.milestones import day_at
from api.view import View
from inventory.assessment import FILE as ASSESSMENT

BUILT: Final = Path(__file__).parent / "static" / "app"
_ENTRY: Final = "src/main.ts"
_FIRST: Final = ("src/views/OverviewView.vue", "src/components/ChartBox.vue")

PUBLISHED: Final = ("/milestones", "/bulletins", "/notes")
"""Views of what may be published: where figures are public, nobody needs an account for them."""
VIEWS: Final = ("/villages", "/network", "/outages", "/shift", "/today", *PUBLISHED, "/tasks", "/clerk")
"""Addresses that only the browser's program answers; the same as in web/src/app/router.ts."""


class Built(NamedTuple):
    """A program as the browser asks for it: addresses; empty where nothing was built.

    Args:
        first: the parts that it needs next; a browser that knows them fetches them at once, and not one by one.
    """

    scripts: list[str]
    styles: list[str]
    first: list[str]


@cache
def built(entry: str, first: tuple[str, ...] = ()) -> Built:
    """A program of ``web/`` by its source file, with the parts named by theirs that it needs next."""
    try:
        manifest: dict[str, dict[str, Any]] = json.loads((BUILT / "manifest.json").read_text("utf-8"))
    except FileNotFoundError:
        return Built([], [], [])
    told = manifest[entry]
    return Built(
        [f"/static/app/{told['file']}"],
        [f"/static/app/{style}" for style in told.get("css", ())],
        [f"/static/app/{manifest[one]['file']}" for one in sorted(_needed(manifest, first) - {entry})],
    )


def program() -> Built:
    """The page's own."""
    return built(_ENTRY, _FIRST)


def _needed(manifest: dict[str, dict[str, Any]], names: Iterable[str]) -> set[str]:
    """Parts of the program and what they import, by their names in the manifest."""
    found: set[str] = set()
    asked = list(names)
    while asked:
        name = asked.pop()
        if name not in found and name in manifest:
            found.add(name)
            asked += manifest[name].get("imports", ())
    return found


def beginning(view: View, language: str, top: int = 0, *, mapped: bool = False) -> str:
    """What the program reads first, as JSON that may stand inside HTML.

    Args:
        top: the place of the division at which the reader begins.
        mapped: whether the operator supplied boundaries.
    """
    inventory, account = view.standing.inventory, view.account
    told = {
        "language": language,
        "title": inventory.nodes.names[top] if top else inventory.title,
        "top": inventory.nodes.codes[top],
        "version": inventory.content_hash[:12],
        "today": str(day_at(view.standing.now())),
        "waivers": [
            {"what": waiver.what, "until": str(waiver.until), "reason": waiver.reason} for waiver in inventory.waivers
        ],
        "requirements": {name: str(aspect) for name, aspect in inventory.coverage_rules.requirements.items()},
        "public": view.public,
        "mapped": mapped,
        "assessed": not view.public and (inventory.folder / ASSESSMENT).exists(),
        "user": None
        if account is None
        else {
            "account": account.name,
            "name": account.full_name or account.name,
            "roles": sorted({str(grant.role) for grant in account.grants}),
            # What he may do nowhere is not shown; where he may, the API says.
            "may": sorted(action.name.lower() for action in allowed(account)),
        },
        "messages": LANGUAGES[language]
        | {f"carrier.{name}": title for name, title in inventory.county.carriers.items()}
        | {f"calendar.{name}": calendar.title for name, calendar in inventory.calendars.items()},
    }
    # A closing tag or a comment inside a text would end the element; JSON may write any of these as escapes.
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
