"""``cuntong demo --place``: stages a place in a temporary folder, and proves it or serves it under a frozen clock."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, Final

import uvloop

from api.app import create_app
from api.auth import Access
from api.standing import CHINA, shown
from cuntong import http, signals
from cuntong.demo import PAGE
from cuntong.errors import UsageError
from cuntong.places import ezhou, guangyuan, lists, tianquan, yichuan, yuanping
from cuntong.places.staging import Checks, Place
from cuntong.places.world import World

PLACES: Final = {
    place.name: place for place in (tianquan.PLACE, yuanping.PLACE, ezhou.PLACE, guangyuan.PLACE, yichuan.PLACE)
}


def find(name: str) -> Place:
    """A place by its name on the command line or its Chinese one, with or without its tier.

    Raises:
        UsageError: none of the five.
    """
    for place in PLACES.values():
        if name.lower() == place.name or name.rstrip("县市区") == place.zh:
            return place
    known = ", ".join(f"{place.name} ({place.zh})" for place in PLACES.values())
    raise UsageError(f"{name!r} is none of {known}.")


def day_of(place: Place, text: str | None) -> date:
    """The day to show.

    Raises:
        UsageError: no day, or one before the place can be shown.
    """
    try:
        day = place.usual if text is None else date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no day. Write it as {place.usual}.") from None
    if day < place.earliest:
        raise UsageError(f"{place.zh} can be shown from {place.earliest} on: its list of divisions begins there.")
    return day


@contextmanager
def staged(place: Place, as_of: date, divisions: Path | None) -> Iterator[World]:
    """The place with its ledger, gone afterwards."""
    rows = lists.known_on(lists.history_of(lists.folder_of(divisions), place.name), place.top, as_of)
    with tempfile.TemporaryDirectory(prefix=f"cuntong-{place.name}-") as scratch:
        world = place.stage(Path(scratch), rows, as_of)
        try:
            yield world
        finally:
            world.close()


def prove(place: Place, as_of: date, divisions: Path | None) -> dict[str, Any]:
    """Every point of the place's paragraph: what was expected and what the product computed."""
    checks = Checks([])
    with staged(place, as_of, divisions) as world:
        place.prove(world, as_of, checks)
    rows = [{**asdict(proof), "ok": proof.ok} for proof in checks.proofs]
    missed = [proof.id for proof in checks.proofs if not proof.ok]
    document: dict[str, Any] = {"place": place.name, "as_of": as_of.isoformat(), "acceptance": rows}
    if missed:
        document["failed"] = f"Not as expected: {', '.join(missed)}."
    return document


def serve(world: World, port: int | None, say: Callable[[str], None]) -> None:
    """The page and the API over a staged place, whose clock stands still, until a signal ends them.

    Args:
        port: None for the usual one, or a free one where that is taken.

    Raises:
        StartError: the port is taken.
    """
    if port is None:
        port = PAGE if http.is_free("127.0.0.1", PAGE) else http.free_port()
    sock = http.bind("127.0.0.1", port)
    title, code = world.inventory.title, world.inventory.top[:6].rstrip("0")
    moment = shown(world.now).astimezone(CHINA)
    say(f"{title}: {len(world.inventory.sites)} sites, as they stand at {moment:%Y-%m-%d %H:%M}")
    say(f"http://127.0.0.1:{port}/  http://127.0.0.1:{port}/v1/coverage/{code}  (Ctrl-C ends it)")
    uvloop.run(signals.until_told(http.serve(create_app(world.standing, Access(open_reading=True)), sock)))
