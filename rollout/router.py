"""How one router is reached: address, credential, the host keys we accept, and how patient to be."""

from dataclasses import dataclass, field
from enum import StrEnum

from rollout.platform import Platform


class OsTimer(StrEnum):
    """What wakes up on a Linux router to bring the old configuration back."""

    SYSTEMD = "systemd"
    """A transient unit; survives everything but a reboot, and a reboot brings the saved file back by itself."""
    DETACHED = "detached"
    """A process of its own, for machines without systemd (the namespace lab)."""


@dataclass(frozen=True)
class Router:
    """One device and the ways to it.

    Attributes:
        password: plain; opened from the vault by the caller just before. Never part of ``repr``.
        private_key: an OpenSSH private key as text. Either this or the password is needed.
        enable: secret of the privileged mode (RGOS); None where login is privileged already.
        host_keys: lines ``ssh-ed25519 AAAA...`` or whole lines of a known_hosts file (their host names are not
            read: the keys are this device's). A key that is not here is refused, the first one too.
        silence_s: the longest silence within one exchange. Each byte that arrives starts it anew, so a thin line
            may be slow, only not silent.
        connect_s: limit of the TCP connection and of the login, each.
        minute_s: seconds in a minute of the device's own timers; 60 but for simulated devices.
        boot_s: how long a device may take to come back after its dead-man's deadline.
        retry_s: pause between attempts to reach a device that we lost.
        controller: a word that only this controller has; by it a session of ours that a cut line left on the device is
            told from somebody else's. Empty: none is.
        second_path: host and port of another way to the same device (4G, console server).
    """

    device: str
    platform: Platform
    host: str
    username: str
    port: int = 22
    password: str | None = field(default=None, repr=False)
    private_key: str | None = field(default=None, repr=False)
    enable: str | None = field(default=None, repr=False)
    host_keys: tuple[str, ...] = ()
    silence_s: float = 30.0
    connect_s: float = 20.0
    keepalive_s: float = 15.0
    minute_s: float = 60.0
    boot_s: float = 300.0
    retry_s: float = 5.0
    os_timer: OsTimer = OsTimer.SYSTEMD
    controller: str = ""
    second_path: tuple[str, int] | None = None
