"""Who stands beside a transaction: told of each step before it acts, and able to say stop.

The ledger, the vault, leases and the operator's Ctrl-C are all behind this protocol, so that the transaction knows
none of them.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from rollout.drivers import DRIVERS
from rollout.errors import RefusedLineError
from rollout.platform import Platform
from rollout.session import Session

Check = Callable[[Session], str | None]
"""A service check: None when the service is there, else one sentence. Asked before the change and after it."""


class Watchman(Protocol):
    """What the transaction needs of its caller."""

    def lock(self) -> AbstractContextManager[None]:
        """The device's lease, for as long as the block runs.

        Raises:
            LockHeldError: another run changes this device.
        """

    def step(self, name: str, detail: Mapping[str, str]) -> None:
        """A step is about to act. Durable when it returns; the detail holds no secret."""

    def may_start(self) -> None:
        """Asked before the device is touched, and once more before the first thing is sent that changes it.

        Raises:
            FencedError: another controller took over, or this run was stopped or paused.
        """

    def may_go_on(self) -> None:
        """Asked before every send. A stop by the operator does not count any more: an armed device resolves.

        Raises:
            FencedError: another controller took over.
        """

    def keep_backup(self, text: str) -> None:
        """Keep the raw running configuration, sealed.

        Raises:
            OSError: it cannot be kept.
        """

    def kept_backup(self) -> str | None:
        """What `keep_backup` kept for this change; None where it did not get that far."""

    def recorded(self) -> Sequence[tuple[str, Mapping[str, str]]]:
        """Every step recorded for this change, in order."""

    def open_secret(self, reference: str) -> str:
        """The plain text behind ``secret://...``.

        Raises:
            CuntongError: no such secret, or it cannot be opened.
        """

    @property
    def checks(self) -> Sequence[Check]: ...


def ping_check(platform: Platform, target: str, source: str | None = None) -> Check:
    """The device reaches a target (the hub, a name server) from one of its own addresses, such as its LAN's."""
    driver = DRIVERS[platform]
    command = driver.ping_plain.format(target=target)
    if source is not None:
        command = driver.ping.format(target=target, source=source)

    def check(session: Session) -> str | None:
        try:
            said = session.ask(command)
        except RefusedLineError as error:
            return str(error)
        return None if driver.ping_good.search(said) else f"it does not reach {target} ({command!r})."

    return check


def default_route_check(platform: Platform) -> Check:
    """A default route is in use, not only in the configuration."""
    command, present = DRIVERS[platform].default_route

    def check(session: Session) -> str | None:
        try:
            said = session.ask(command)
        except RefusedLineError:  # FRR's word for "no such route"
            said = ""
        return None if present.search(said) else "it has no default route."

    return check
