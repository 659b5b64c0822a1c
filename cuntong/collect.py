"""``cuntong collect``: wires inventory, ledger, SNMP and metrics into one running collector."""

import asyncio
import gc
import logging
import os
import secrets
import socket
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from itertools import count
from pathlib import Path

import uvloop
from sqlalchemy import Engine

from collectors.asker import SnmpAsker
from collectors.decode import compile_profiles
from collectors.engine import Collector
from collectors.fleet import Fleet, WatchedDevice
from collectors.inbox import Inbox
from collectors.line_changes import LineChanges
from collectors.ping import Echoes, Pinger
from collectors.reach import PlatformReach, endpoints_of
from collectors.schedule import Schedule
from collectors.snmp.target import Target
from collectors.snmp.transport import SnmpTransport
from collectors.snmp.traps import Trap
from collectors.snmp.usm import Auth, Priv, Security, User
from collectors.traps import IN_TOTAL, PER_SOURCE, Asks, Gate, Limit, TrapReceiver, Trigger, canonical
from collectors.traps import bind as bind_traps
from cuntong import http, signals
from cuntong.engine_keys import KeyKeeper
from cuntong.errors import StartError
from cuntong.following import follow_windows
from cuntong.reloading import Switchover, start_anew
from cuntong.secrets import Credential, Resolver, require_waiver, resolver
from cuntong.settings import Settings
from exporter.http import keep_ready, metrics_app
from exporter.links import Echoed, echoed_over, lines_of, uplink_ports
from exporter.own import CollectorMetrics
from exporter.probe import Prober
from exporter.text import CountyText
from inventory.devices import Device
from inventory.model import Inventory
from inventory.vocabulary import DeviceClass
from ledger import history, leases, spool
from ledger.database import open_ledger
from ledger.errors import FencedError
from ledger.inventories import keep
from ledger.journal import Journal
from ledger.leases import Lease
from ledger.spool import Spool
from simulator.dial import placed

log = logging.getLogger(__name__)

LEASE_S = 60.0
_FOLLOW_S = 5.0
SNMP_PORT = 161
PROBE_TOKEN = "secret://probe"  # noqa: S105  a reference
_IN_FLIGHT = 4096  # more than the collector's own windows: those decide who waits


@dataclass(frozen=True, slots=True)
class Reach:
    """How devices are reached: where each answers, and what opens a reference to its credential."""

    dial: Callable[[Device], tuple[str, int]]
    open: Callable[[str], Credential]
    simulated: bool = False


def in_the_field(settings: Settings) -> Reach:
    """Each device at its own address, with the secrets of this machine."""
    return Reach(lambda device: (device.address, SNMP_PORT), resolver(settings).credential)


def in_the_simulator(port: int, places: Path | None = None) -> Reach:
    """Each device at the loopback address that stands in for it; the simulator has no secrets.

    Args:
        places: as `simulator.dial.placed` takes it.
    """
    address = placed(places)
    return Reach(lambda device: (address(device.id, device.ordinal), port), lambda _: b"public", simulated=True)


def is_asked(device: Device) -> bool:
    """Whether we poll it: not if a partner does, nor if the inventory does not say how it is asked."""
    return device.monitored == "us" and device.credential is not None


def fleet_of(inventory: Inventory) -> Fleet:
    """What the watch needs of an inventory. Devices that nobody asks are in it, and say nothing."""
    names = list(inventory.calendars)
    number: dict[str | None, int] = {None: -1} | {name: n for n, name in enumerate(names)}
    of_site = [number[inventory.calendar_name(site)] for site in range(len(inventory.sites))]
    return Fleet(
        inventory.sites.ids,
        [inventory.site_uplinks(site) for site in range(len(inventory.sites))],
        [
            WatchedDevice(
                device.id,
                device.site,
                device.role,
                str(device.device_class),
                is_asked(device),
                number[device.calendar] if device.calendar or not _serves(device) else of_site[device.site],
                uplink_ports(inventory, device),
                inventory.line_places(device.ordinal),
            )
            for device in inventory.devices
        ],
        list(zip(inventory.sites.carriers, inventory.sites.link_types, strict=True)),
        [inventory.calendars[name] for name in names],
    )


def _serves(device: Device) -> bool:
    """Whether people use it, so that it keeps the hours of its site; what carries others runs day and night."""
    return device.device_class in (DeviceClass.KIOSK, DeviceClass.PRINTER)


def line_ports(inventory: Inventory) -> list[tuple[str | None, ...]]:
    """By ordinal the ports of a device's lines, by ifName."""
    ports: list[tuple[str | None, ...]] = [()] * len(inventory.devices)
    for site in range(len(inventory.sites)):
        for line in lines_of(inventory, site):
            ports[line.router] += (line.port,)
    return ports


def probe_token(opener: Resolver) -> str | None:
    """What opens ``/probe``: the secret ``secret://probe``; None, and nobody may, where there is none.

    Raises:
        StartError: there is one, and it is open to others or empty.
    """
    return opener.secret(PROBE_TOKEN) if opener.holds(PROBE_TOKEN) else None


def groups_of(inventory: Inventory) -> list[int]:
    """For each device the uplink that its packets share with others: the site above its own."""
    groups = []
    for site in range(len(inventory.sites)):
        above = inventory.site_uplinks(site)
        groups += [above[0] if above else site] * len(inventory.devices.ordinals(site))
    return groups


def targets_of(inventory: Inventory, reach: Reach) -> list[Target | None]:
    """One for each device, in order; None for those that are not ours to ask.

    Raises:
        StartError: a credential cannot be opened, or is a community without a waiver.
    """
    catalogue = compile_profiles(inventory.profiles)
    opened: dict[str, Credential] = {}
    salts = count(secrets.randbits(62))  # one for all: no two messages of this process share an initialisation vector
    targets: list[Target | None] = []
    for device in inventory.devices:
        if not is_asked(device) or device.credential is None:
            targets.append(None)
            continue
        known = opened.get(device.credential)
        if known is None:
            known = opened[device.credential] = reach.open(device.credential)
        if isinstance(known, User):
            targets.append(Target(reach.dial(device), b"", catalogue, security=Security(known, partial(next, salts))))
        else:
            targets.append(Target(reach.dial(device), known, catalogue))
    if not reach.simulated and any(not isinstance(known, User) for known in opened.values()):
        require_waiver(inventory, date.today())  # noqa: DTZ011  a waiver ends at midnight where it was written
    return targets


def keys_of(
    inventory: Inventory, targets: Sequence[Target | None], engine: Engine, vault_key: Path
) -> KeyKeeper | None:
    """Gives the targets of SNMPv3 the keys that the ledger keeps, and has it keep new ones; None without such targets.

    Raises:
        LedgerError: the vault's key file cannot be used.
    """
    if not any(target is not None and target.security is not None for target in targets):
        return None
    keeper = KeyKeeper(engine, vault_key)
    for device, target in zip(inventory.devices, targets, strict=True):
        if target is not None and (security := target.security) is not None:
            security.recall(keeper.known(device.id, security.user), keeper.keep(device.id, security.user))
    return keeper


def hearing(echoed: Sequence[Echoed], echoes: Echoes) -> Callable[[int, int], bool | None]:
    """Whether any of the last echoes over the n-th line of a router came back; None where none was waited for yet."""
    counts: dict[int, int] = {}
    targets: dict[tuple[int, int], int] = {}
    for target, line in enumerate(echoed):
        number = counts[line.router] = counts.get(line.router, -1) + 1
        targets[line.router, number] = target

    def heard(router: int, number: int) -> bool | None:
        target = targets.get((router, number))
        lost = None if target is None else echoes.loss_ratio(target)
        return None if lost is None else lost < 1.0

    return heard


def lines_to_echo(
    inventory: Inventory, targets: Sequence[Target | None], reach: Reach, interval_s: float
) -> list[Echoed]:
    """The lines of every router that we ask, to send echoes over.

    None of them in the simulator: on loopback every address answers echoes.
    """
    if reach.simulated or not interval_s:
        return []
    routers = [ordinal for site in range(len(inventory.sites)) for ordinal in inventory.devices.routers(site)]
    return [line for router in routers if targets[router] is not None for line in echoed_over(inventory, router)]


def beneath_of(inventory: Inventory) -> Callable[[int], Iterable[int]]:
    """For a router its site's other devices and the routers of the sites beneath: whom its ports carry."""
    children: dict[int, list[int]] = defaultdict(list)
    for site in range(len(inventory.sites)):
        for above in inventory.site_uplinks(site):
            children[above].append(site)
    devices = inventory.devices

    def beneath(ordinal: int) -> Iterable[int]:
        site = devices.site_of(ordinal)
        if ordinal not in devices.routers(site):
            return
        yield from devices.ordinals(site)
        for child in children.get(site, ()):
            yield from devices.routers(child) or devices.ordinals(child)

    return beneath


def trap_receiver(
    inventory: Inventory,
    targets: Sequence[Target | None],
    collector: Collector,
    sockets: Sequence[socket.socket],
    limits: tuple[Limit, Limit] = (PER_SOURCE, IN_TOTAL),
    also: User | None = None,
) -> TrapReceiver:
    """Hears the devices that are asked, at the addresses where they are; what they send makes the collector ask."""
    sources: dict[str, int] = {}
    communities: dict[int, bytes | None] = {}
    for ordinal, target in enumerate(targets):
        if target is not None:
            sources.setdefault(canonical(target.address[0]), ordinal)
            communities[ordinal] = target.community if target.security is None else None
    trigger = Trigger(inventory.devices.uplinks_of, beneath_of(inventory), communities)
    asks = Asks(trigger, collector.poll_now)

    def on_trap(device: int, trap: Trap) -> None:
        if collector.lines is not None:
            collector.lines.told(device, trap, time.time())
        asks.on_trap(device, trap)

    inbox = _inbox(targets, also)
    return TrapReceiver(sockets, Gate(sources, *limits), communities.__getitem__, on_trap, inbox)


def _inbox(targets: Sequence[Target | None], also: User | None) -> Inbox:
    """Opens what devices send by v3: as the user by which each is asked, and as the one that routers are given."""

    def polling(ordinal: int) -> Security | None:
        target = targets[ordinal]
        return None if target is None else target.security

    def users(ordinal: int) -> list[User]:
        security = polling(ordinal)
        known = [security.user] if security is not None else []
        return [*known, also] if also is not None and also not in known else known

    salts = count(secrets.randbits(62))
    return Inbox(socket.gethostname(), time.time(), time.monotonic(), users, polling, partial(next, salts))


def notifying_user(inventory: Inventory, opener: Resolver) -> User | None:
    """The user of ``network.snmp``, by which routers may notify; None where its secrets are not on this machine."""
    network = inventory.county.network
    if network is None:
        return None
    told = network.snmp
    try:
        return User(
            told.user,
            {"sha": Auth.SHA, "sha256": Auth.SHA256}[told.auth],
            opener.secret(told.auth_password),
            {"aes128": Priv.AES128, "aes256": Priv.AES256}[told.priv],
            opener.secret(told.priv_password),
        )
    except (StartError, ValueError) as error:
        log.info("notifications of the user %s are not opened: %s", told.user, error)
        return None


def _listen_for_traps(addresses: Iterable[tuple[str, int]]) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    for host, port in addresses:
        try:
            sockets.append(bind_traps(host, port))
        except OSError as error:
            for sock in sockets:
                sock.close()
            raise StartError(
                f"Cannot hear traps on {host}, UDP port {port}: {error.strerror}. Choose another with --traps."
            ) from None
    return sockets


def collect(
    inventory: Inventory,
    settings: Settings,
    reach: Reach,
    host: str,
    port: int,
    traps: Iterable[tuple[str, int]] = (),
) -> None:
    """Run the collector until a signal ends it.

    Args:
        traps: UDP addresses on which to hear traps.

    Raises:
        CuntongError: it cannot start, or another collector took the county over.
    """
    targets = targets_of(inventory, reach)
    listening = _listen_for_traps(traps)
    try:
        sock = http.bind(host, port)
        engine = open_ledger(settings.ledger_url)
        switchover = Switchover(engine, inventory)
        try:
            uvloop.run(_run(inventory, settings, reach, targets, engine, sock, listening, switchover))
        finally:
            engine.dispose()
    finally:
        for each in listening:
            each.close()
    if switchover.wanted:
        start_anew()


def settle_memory() -> None:
    """Leave what was built out of the garbage collector's rounds, and have it make fewer of them.

    A sweep makes few cycles and many objects that live on. By Python's own thresholds looking at them again and again
    is a quarter of a sweep's CPU at 10,000 devices, and more at 100,000.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def spool_of(engine: Engine, settings: Settings, lease: Lease) -> Spool | None:
    """Where facts wait for a ledger on another machine; a SQLite file is on this one's disk already."""
    if engine.dialect.name == "sqlite":
        return None
    return Spool(settings.spool_folder / f"{lease.county}.jsonl", lease)


def _deliver(engine: Engine, path: Path, lease: Lease) -> None:
    try:
        delivered = spool.deliver(engine, path, lease, time.time())
    except FencedError as error:
        log.warning("%s", error)
    else:
        if delivered:
            log.info("%d facts of the collector before us are in the ledger now", delivered)


async def _run(
    inventory: Inventory,
    settings: Settings,
    reach: Reach,
    targets: list[Target | None],
    engine: Engine,
    sock: socket.socket,
    listening: Sequence[socket.socket],
    switchover: Switchover,
) -> None:
    address = http.address_of(sock)
    keep(engine, inventory, time.time())
    # The holder is the machine, so that a collector that died can be started again at once.
    lease = leases.acquire(engine, inventory.top, socket.gethostname(), address, time.time(), LEASE_S)
    waiting = spool_of(engine, settings, lease)
    if waiting is not None:
        _deliver(engine, waiting.path, lease)
    journal = Journal(engine, lease, time.time, LEASE_S, waiting)
    keeper = keys_of(inventory, targets, engine, settings.vault_key_path)
    transport = SnmpTransport(asyncio.get_running_loop(), max_in_flight=_IN_FLIGHT)
    asker = SnmpAsker(transport, targets, settings.timeout_s, settings.retries, settings.timeout_s * 10)
    polled = [ordinal for ordinal, target in enumerate(targets) if target is not None]
    schedule = Schedule(groups_of(inventory), settings.interval_s, settings.per_uplink)
    lines = LineChanges(line_ports(inventory))
    collector = Collector(fleet_of(inventory), polled, schedule, asker, journal, time.time, lines=lines)
    with engine.connect() as connection:
        collector.watch.restore(
            history.newest_verdicts(connection),
            [outage for outage in history.outages(connection, open_only=True) if outage.county == inventory.top],
            history.watched_until(connection).get(inventory.top),
        )
    platforms = PlatformReach(() if reach.simulated else endpoints_of(inventory.county.kiosks))
    echoed = lines_to_echo(inventory, targets, reach, settings.ping_interval_s)
    pinger = Pinger([line.address for line in echoed], settings.ping_interval_s) if echoed else None
    if pinger is not None:
        collector.watch.hears = hearing(echoed, pinger.echoes)
    text = CountyText(inventory, collector, pinger.echoes if pinger else None, echoed)
    classes = [str(device.device_class) for device in inventory.devices]
    receiver = None
    if listening:
        also = notifying_user(inventory, resolver(settings))
        receiver = trap_receiver(inventory, targets, collector, listening, settings.trap_limits, also)
    heard = receiver.look if receiver else None
    own = CollectorMetrics(
        collector,
        classes,
        lambda: asdict(transport.counters),
        heard,
        asker.patience_s,
        platforms.accepted,
        platforms.statuses,
        lambda: asker.refusals,
    )
    token = probe_token(resolver(settings))
    prober = Prober(inventory, collector, text, asker.survey_next, lambda device: targets[device] is not None, token)
    settle_memory()
    log.info("collecting %s: %d devices, metrics on %s (pid %d)", inventory.title, len(polled), address, os.getpid())
    try:
        follow_s = min(settings.interval_s, _FOLLOW_S)
        following = follow_windows(inventory, engine, collector.watch.promises, follow_s)
        app = metrics_app({inventory.top: text}, own, prober)
        programs = [collector.run(), following, http.serve(app, sock), keep_ready([text]), switchover.run()]
        if keeper is not None:
            programs.append(keeper.run())
        if pinger is not None:
            programs.append(pinger.run())
        if not reach.simulated:
            programs.append(platforms.run())
        if receiver is not None:
            log.info("traps are heard on %s", ", ".join(http.address_of(each) for each in listening))
            programs.append(receiver.run())
        await signals.until_told(*programs)
    finally:
        transport.close()
        if keeper is not None:
            keeper.flush()
        leases.release(engine, lease, time.time())
