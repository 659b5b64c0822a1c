"""Who is there and what it runs: SNMP for who it is, SSH for its configuration. Nothing is ever changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from cuntong.changing.reading import paced
from health.reading import Identity
from rollout.errors import SessionError
from rollout.platform import Platform
from rollout.router import Router
from rollout.transaction import read_running
from rollout.transport import shown_host_key

_GUESSES: Final = (Platform.RGOS, Platform.VRP, Platform.COMWARE)
"""As whom a router of an unknown vendor is spoken to: most are like one of these, and reading harms none."""


@dataclass(frozen=True)
class Ask:
    """One router to read.

    Args:
        router: without host keys where none is known; ``device`` is how it is called so far.
        platform: None where its vendor is none that we know.
        accept: take the host key that it shows where none is known.
    """

    router: Router
    platform: Platform | None
    accept: bool


@dataclass(frozen=True)
class Seen:
    """What one address said.

    Args:
        address: at which it was asked.
        device: id of the declared device that this address is; empty where nobody declared it.
        host_key: that it showed and that was accepted for the first time; empty where it was known.
        text: its running configuration; None where it could not be read, and ``said`` why.
        read_as: the command-line family by which an unknown vendor could be read.
    """

    address: str
    device: str
    identity: Identity | None
    platform: Platform | None
    host_key: str = ""
    text: str | None = field(default=None, repr=False)
    said: str = ""
    read_as: Platform | None = None


def read_asked(ask: Ask) -> tuple[str, str | None, str, Platform | None]:
    """The accepted host key, the configuration, what went wrong, and as which platform it was read."""
    key, said = "", ""
    router = ask.router
    try:
        if not router.host_keys and ask.accept:
            key = shown_host_key(router)
            router = replace(router, host_keys=(key,))
        for platform in (ask.platform,) if ask.platform is not None else _GUESSES:
            try:
                return key, read_running(replace(router, platform=platform)), "", platform
            except SessionError as error:
                said = str(error)
    except SessionError as error:
        said = str(error)
    return key, None, said, None


def read_each(
    seen: Sequence[Seen],
    router: Callable[[Seen], Router],
    known: Mapping[str, tuple[str, ...]],
    uplinks: Sequence[str],
    parallel: int,
    per_uplink: int,
    *,
    accept: bool,
    done: Callable[[str], None] = lambda _: None,
) -> list[Seen]:
    """Each with its configuration, in order.

    Args:
        known: host keys by device id or by address.
        uplinks: ids of the routers above, empty where nobody knows.
        accept: take host keys that nobody knows yet.
    """
    asks = []
    for one in seen:
        keys = known.get(one.device, ()) or known.get(one.address, ())
        asks.append(Ask(replace(router(one), host_keys=keys), one.platform, accept))
    found = paced(read_asked, asks, uplinks, parallel, per_uplink, lambda number, _: done(seen[number].address))
    return [
        replace(one, host_key=key, text=text, said=said, read_as=platform)
        for one, (key, text, said, platform) in zip(seen, found, strict=True)
    ]
