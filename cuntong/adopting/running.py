"""The whole of ``cuntong adopt``: ask, read, propose, keep what was read."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from collectors.discovery import Answer, discover, scope_of
from collectors.matching import Proposal as Lines
from collectors.matching import class_of, compare
from collectors.matching import propose as propose_lines
from cuntong.adopting.asking import Seen, read_each
from cuntong.adopting.proposing import Proposal, propose
from cuntong.changing.reach import KNOWN_HOSTS, PLATFORMS, Reach, host_keys, reach
from cuntong.changing.reading import uplink_of
from cuntong.changing.scope import routers_in
from cuntong.errors import UsageError
from cuntong.secrets import Credential
from cuntong.settings import Settings
from inventory.devices import Device
from inventory.model import Inventory
from inventory.source import Source
from inventory.vocabulary import DeviceClass
from ledger import audit
from ledger.accounts import Account
from ledger.backups import keep_backup
from ledger.vault import Vault
from rollout.errors import RolloutError
from rollout.platform import Platform
from rollout.router import Router
from rollout.running import fingerprint, redact

_PLACEHOLDER: Final = Platform.RGOS


@dataclass(frozen=True)
class Asking:
    """How devices are asked.

    Args:
        snmp_port: UDP; ``credentials`` are tried in turn, and none means that SNMP is not asked.
        platform: of routers that SNMP does not tell; None leaves them as unknown.
        accept: take host keys of routers that nobody knows yet.
        but: addresses and device ids to leave out.
    """

    snmp_port: int
    credentials: Sequence[Credential]
    per_second: float
    timeout_s: float
    platform: Platform | None
    accept: bool
    but: frozenset[str]
    parallel: int = 8
    per_uplink: int = 4


@dataclass(frozen=True)
class Looked:
    """What is there: routers, with their configurations where they gave them, and others that nobody declared."""

    routers: list[Seen]
    others: list[Answer]


def look(
    inventory: Inventory, settings: Settings, target: str, asking: Asking, done: Callable[[str], None] = lambda _: None
) -> Looked:
    """Everything in a prefix or a scope.

    Raises:
        UsageError: neither prefix nor scope, or nothing answers there.
        StartError: a secret cannot be opened.
    """
    way = reach(inventory, settings)
    devices: dict[str, Device] = {}
    if "/" in target:
        try:
            addresses = scope_of(target, inventory).addresses
        except ValueError as error:
            raise UsageError(str(error)) from None
        devices = {way.dial(device)[0]: device for device in inventory.devices if device.monitored == "us"}
        devices = {address: device for address, device in devices.items() if address in set(addresses)}
    else:
        devices = {way.dial(device)[0]: device for device in routers_in(inventory, target)}
        addresses = tuple(devices)
    ids = {address: device.id for address, device in devices.items()}
    addresses = tuple(one for one in addresses if one not in asking.but and ids.get(one) not in asking.but)
    answers = _answers(inventory, addresses, asking)
    seen = []
    for address in addresses:
        one = _seen(inventory, way, address, devices.get(address), answers.get(address), asking)
        if one is not None:
            seen.append(one)
    if not seen:
        raise UsageError(
            f"No router answers in {target}: check the credentials, or name --platform for those without SNMP."
        )
    keys = host_keys(settings.known_hosts or inventory.folder / KNOWN_HOSTS)
    uplinks = [uplink_of(inventory, devices[one.address]) if one.address in devices else "" for one in seen]

    def router(one: Seen) -> Router:
        return _router(way, one, settings)

    read = read_each(
        seen, router, keys, uplinks, asking.parallel, asking.per_uplink, accept=asking.accept, done=done
    )  # fmt: skip
    taken = {one.address for one in seen} | set(ids)
    return Looked(read, [answer for address, answer in answers.items() if address not in taken])


def _answers(inventory: Inventory, addresses: Sequence[str], asking: Asking) -> Mapping[str, Answer]:
    if not asking.credentials:
        return {}
    found = asyncio.run(
        discover(
            addresses, asking.snmp_port, asking.credentials, inventory.profiles,
            per_second=asking.per_second, timeout_s=asking.timeout_s,
        )
    )  # fmt: skip
    return {one.address: one for one in found if one.identity is not None}


def _seen(
    inventory: Inventory, way: Reach, address: str, device: Device | None, answer: Answer | None, asking: Asking
) -> Seen | None:
    """None for what is no router, and for silence where nothing is declared and no platform was named."""
    identity = answer.identity if answer is not None else None
    if identity is None:
        platform = way.platform(device) if device is not None and _is_router(device) else asking.platform
        return None if platform is None else Seen(address, device.id if device else "", None, platform)
    if device is not None and not _is_router(device):
        return None
    if class_of(identity, inventory, inventory.profiles) is not DeviceClass.ROUTER:
        return None
    profile = inventory.profiles[identity.profile]
    platform = PLATFORMS.get(profile.platform) if profile.platform else None
    return Seen(address, device.id if device is not None else "", identity, platform)


def _is_router(device: Device) -> bool:
    return device.device_class is DeviceClass.ROUTER


def _router(way: Reach, one: Seen, settings: Settings) -> Router:
    login = way.network.login
    return Router(
        device=one.device or one.address,
        platform=one.platform or _PLACEHOLDER,
        host=one.address,
        port=settings.simulated_ssh or login.port,
        username=login.user,
        password=way.secret(login.password) if login.password else None,
        private_key=way.secret(login.private_key) if login.private_key else None,
        enable=way.secret(login.enable) if login.enable else None,
    )


def others_proposed(inventory: Inventory, others: Sequence[Answer]) -> Lines:
    """Lines that would declare kiosks, printers and the like that answered; their site by its networks."""
    rows = compare([one.address for one in others], others, {}, inventory.models)
    return propose_lines(rows, inventory, inventory.profiles)


def proposal_of(inventory: Inventory, settings: Settings, seen: Sequence[Seen], listed: Mapping[str, int]) -> Proposal:
    """What the inventory would say; see `propose`."""
    return propose(Source(inventory.folder), inventory, seen, listed, keep_keys=settings.known_hosts is None)


def keep(
    engine: Engine, vault: Vault, actor: Account, target: str, proposal: Proposal, now: float, *, written: bool
) -> None:
    """Seal what was read: of adopted routers once they are taken in, of unknown ones in any case; audit the rest."""
    with engine.begin() as connection:
        for one in proposal.adopted if written else ():
            if one.seen.platform is not None and one.seen.text is not None:
                platform, text = one.seen.platform, one.seen.text
                mark = fingerprint(platform, text)
                keep_backup(
                    connection, vault, one.device, platform, "adopt", text, mark, redact(platform, text), now
                )  # fmt: skip
        for seen in proposal.unknown:
            if seen.text is not None and seen.read_as is not None:
                name = f"unknown-{seen.address}"
                try:
                    shown = redact(seen.read_as, seen.text)
                except RolloutError:
                    shown = ""
                keep_backup(connection, vault, name, "unknown", "adopt", seen.text, "", shown, now)
        detail = {"routers": len(proposal.adopted), "unknown": [one.address for one in proposal.unknown]}
        audit.record(connection, now, actor.name, "adopt.write" if written else "adopt.read", target, detail)


def learn_keys(proposal: Proposal, path: Path | None) -> None:
    """Host keys into the operator's own known_hosts, where the settings name one."""
    if path is None:
        return
    lines = "".join(f"{one.device} {one.seen.host_key}\n" for one in proposal.adopted if one.seen.host_key)
    if lines:
        with path.open("a", encoding="ascii") as file:
            file.write(lines)
