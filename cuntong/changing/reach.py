"""How routers are reached over SSH: address, credential and the host keys that we accept."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from cuntong.errors import StartError
from cuntong.secrets import resolver
from cuntong.settings import Settings
from inventory.devices import Device
from inventory.model import Inventory
from inventory.network import Network
from inventory.vocabulary import DeviceClass
from rollout.platform import Platform
from rollout.router import OsTimer, Router
from simulator.dial import placed

KNOWN_HOSTS: Final = "known_hosts"
PLATFORMS: Final[Mapping[str, Platform]] = {
    # netmiko's names, as profiles carry them
    "huawei": Platform.VRP,
    "huawei_vrp": Platform.VRP,
    "h3c_comware": Platform.COMWARE,
    "hp_comware": Platform.COMWARE,
    "ruijie_os": Platform.RGOS,
    "linux": Platform.FRR,
}


@dataclass(frozen=True)
class Reach:
    """The way to every router of an inventory.

    Attributes:
        secret: opens a reference to its text.
        host_keys: accepted keys by device, as lines of a known_hosts file.
    """

    inventory: Inventory
    network: Network
    dial: Callable[[Device], tuple[str, int]]
    secret: Callable[[str], str]
    host_keys: Mapping[str, tuple[str, ...]]
    minute_s: float = 60.0
    boot_s: float = 300.0
    retry_s: float = 5.0

    def router(self, device: Device) -> Router:
        """One device with all that a session needs.

        Raises:
            StartError: a secret cannot be opened, or it is no device that we provision.
        """
        platform = self.platform(device)
        host, port = self.dial(device)
        login = self.network.login
        return Router(
            device=device.id,
            platform=platform,
            host=host,
            port=port,
            second_path=None if device.second_path is None else self.dial(replace(device, address=device.second_path)),
            username=login.user,
            password=self.secret(login.password) if login.password else None,
            private_key=self.secret(login.private_key) if login.private_key else None,
            enable=self.secret(login.enable) if login.enable else None,
            host_keys=self.host_keys.get(device.id, ()),
            minute_s=self.minute_s,
            boot_s=self.boot_s,
            retry_s=self.retry_s,
            os_timer=OsTimer.SYSTEMD,
        )

    def platform(self, device: Device) -> Platform:
        """The command-line family of a router.

        Raises:
            StartError: it is no device that we provision.
        """
        platform = platform_of(self.inventory, device)
        if platform is None:
            raise StartError(f"{device.id} is no router that this program can change.")
        return platform


def reach(inventory: Inventory, settings: Settings) -> Reach:
    """The way to the routers, as the settings say: in the field, or to the simulated county.

    Raises:
        StartError: the inventory says nothing of how routers are managed, or its known_hosts cannot be read.
    """
    network = inventory.county.network
    if network is None:
        raise StartError(f"{inventory.folder / 'county.yml'} has no `network`: nothing says how routers are managed.")
    keys = host_keys(settings.known_hosts or inventory.folder / KNOWN_HOSTS)
    port = settings.simulated_ssh
    scaled = {"minute_s": settings.minute_s}
    if port:
        scaled |= {"boot_s": settings.minute_s * 5, "retry_s": min(1.0, settings.minute_s / 10)}

    address = placed(settings.simulated_devices)

    def dial(device: Device) -> tuple[str, int]:
        return (address(device.id, device.ordinal), port) if port else (device.address, network.login.port)

    return Reach(inventory, network, dial, resolver(settings).secret, keys, **scaled)


def platform_of(inventory: Inventory, device: Device) -> Platform | None:
    """The command-line family of a router that we provision; None for everything else."""
    if device.device_class is not DeviceClass.ROUTER or device.monitored != "us":
        return None
    profile = inventory.profiles.get(device.profile)
    return PLATFORMS.get(profile.platform) if profile is not None and profile.platform else None


def host_keys(path: Path) -> dict[str, tuple[str, ...]]:
    """The keys of a known_hosts file whose names are device ids; empty where there is no such file.

    Raises:
        StartError: it cannot be read, or a line is none of such a file.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"{path} cannot be read ({error}).") from None
    found: dict[str, list[str]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) < 3:
            raise StartError(f"{path}:{number}: this is no line of a known_hosts file: DEVICE TYPE KEY.")
        for name in words[0].split(","):
            found.setdefault(name, []).append(" ".join(words[1:3]))
    return {device: tuple(keys) for device, keys in found.items()}


def environment(settings: Settings, folder: Path) -> dict[str, str]:
    """What a child process needs to find the same inventory, ledger, secrets and devices."""
    told = {
        "CUNTONG_INVENTORY": str(folder.resolve()),
        "CUNTONG_LEDGER": settings.ledger_url,
        "CUNTONG_SECRETS": str(settings.secrets),
        "CUNTONG_SIMULATED_SSH": str(settings.simulated_ssh),
        "CUNTONG_MINUTE_S": str(settings.minute_s),
        "CUNTONG_VAULT_KEY": str(settings.vault_key_path),
    }
    if settings.known_hosts:
        told["CUNTONG_KNOWN_HOSTS"] = str(settings.known_hosts)
    if settings.simulated_devices:
        told["CUNTONG_SIMULATED_DEVICES"] = str(settings.simulated_devices)
    return {**os.environ, **told}
