"""A county's routers out of its inventory, and what their configurations do to the county.

A new router comes as it leaves the bench: with the bootstrap file that our own templates make for it, secrets
included. Until its full configuration is applied it has no SNMP agent and no LAN, so the county does not hear it, nor
the kiosk behind it; transit traffic passes. A configuration that cuts the way to a router silences what is behind.
"""

import re
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Final

from rollout.facts import Facts, Survey
from rollout.intended import Templates
from rollout.platform import Platform
from simulator.county import Configured, County
from simulator.routers.device import RouterSpec, SimulatedRouter
from simulator.routers.fleet import Fleet
from simulator.routers.language import platform_of_profile
from simulator.routers.reading import Path

if TYPE_CHECKING:
    from inventory.devices import Device
    from inventory.model import Inventory

_REFERENCE: Final = re.compile(r"secret://\S+")
_CARRIED: Final = frozenset({"ipsec_inet", "vpdn"})
"""Lines whose addresses are not on the port itself: a tunnel's, or given by the carrier."""


def specs(
    inventory: "Inventory",
    templates: Templates,
    open_secret: Callable[[str], str],
    configurations: FilePath | None = None,
) -> list[RouterSpec]:
    """Every router of an inventory whose platform is simulated.

    Args:
        open_secret: from a reference to the plain secret.
        configurations: a folder of startup configurations, ``DEVICE-ID.cfg``; a router without one is new.

    Raises:
        TemplateError: the inventory does not say what a bootstrap file needs.
    """
    survey = Survey(inventory)
    login = inventory.county.network.login if inventory.county.network is not None else None
    password = open_secret(login.password) if login is not None and login.password is not None else None
    found: list[RouterSpec] = []
    for device in inventory.devices:
        platform = platform_of_profile().get(device.profile)
        if platform is None:
            continue
        facts = survey.facts(device)
        found.append(
            RouterSpec(
                device_id=device.id,
                ordinal=device.ordinal,
                platform=platform,
                text=_text_of(inventory, templates, open_secret, device, platform, configurations),
                model=device.model,
                serial=device.serial or "",
                users={facts.network.login.user: password, "root": password} if password is not None else {},
                path=_path(facts),
                ports=_ports(facts),
            )
        )
    return found


def couple(fleet: Fleet, county: County) -> None:
    """Let the routers' configurations decide who is heard in the county, and the county's faults who is reached.

    Call it once, in the loop's thread, when the fleet has started.
    """
    reboots: dict[str, int] = {}

    def tell(router: SimulatedRouter) -> None:
        spec, reading = router.spec, router.reading
        frr = spec.platform is Platform.FRR
        lines = spec.path.ports if spec.path is not None else ()
        serves = reading.has_lan(lines)
        configured = Configured(
            leads=router.leads,
            # Linux's agent is a daemon that FRR's configuration does not know: it comes with the full configuration.
            answers=reading.has_snmp or (frr and serves),
            serves=serves or not _has_lan(county, spec.ordinal),
        )
        booted = reboots.get(spec.device_id, 0) != router.reboots
        reboots[spec.device_id] = router.reboots
        county.configure(spec.ordinal, configured, booted=booted)

    fleet.outside = county.leads_to
    fleet.on_change = tell
    for device_id in fleet:
        tell(fleet[device_id])
    county.watch(fleet.look)


def _has_lan(county: County, ordinal: int) -> bool:
    """Whether anything but routers hangs below a router."""
    terminals = county.graph.terminals
    site = county.graph.sites[terminals[ordinal].site_id]
    return any(terminals[one].device_class != "router" for one in site)


def _text_of(
    inventory: "Inventory",
    templates: Templates,
    open_secret: Callable[[str], str],
    device: "Device",
    platform: Platform,
    configurations: FilePath | None,
) -> Callable[[], str]:
    def text() -> str:
        if configurations is not None and (file := configurations / f"{device.id}.cfg").is_file():
            told = file.read_text("utf-8")
        else:
            told = templates.render(inventory, device, platform, "bootstrap")
        return _REFERENCE.sub(lambda found: open_secret(found[0]), told)

    return text


def _path(facts: Facts) -> Path | None:
    """How the manager reaches a router: over its lines upward; None for the top of the tree."""
    if not facts.uplinks:
        return None
    carried = any(uplink.link_type in _CARRIED for uplink in facts.uplinks)
    return Path(
        manager=facts.network.manager,
        peers=tuple(IPv4Interface(f"{uplink.peer}/{uplink.prefix.length}") for uplink in facts.uplinks),
        ports=() if carried else tuple(uplink.port for uplink in facts.uplinks),
        target=IPv4Address(facts.loopback),
    )


def _ports(facts: Facts) -> tuple[str, ...]:
    """The ports of this model, as the catalogue names them."""
    ports = facts.ports
    some = (port for port in (ports.downlink, ports.cellular) if port is not None)
    return tuple(dict.fromkeys([*ports.uplinks, *ports.lan, *some, *ports.other]))
