"""``cuntong serve``: wires inventory, ledger and API into one running program."""

import asyncio
import gc
import logging
import os
import socket
import sys
import time
from ipaddress import ip_address

import uvloop
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from api.app import create_app
from api.auth import Access
from api.exchange.signing import key_at, read_trust
from api.exposition import ApiMetrics
from api.receivers.delivery import Delivery
from api.receivers.escalation import Escalation
from api.receivers.hearing import Notifications
from api.routers.exchange import Exchanging
from api.standing import Standing
from cuntong import http, signals
from cuntong.errors import UsageError
from cuntong.reloading import Switchover, start_anew
from cuntong.secrets import resolver
from cuntong.settings import Settings
from exporter.alertmanager.settings import read_alerting
from inventory.boundaries import read_boundaries
from inventory.model import Inventory
from ledger.database import open_ledger
from ledger.inventories import keep

log = logging.getLogger(__name__)

_FOLLOW_S = 0.5
_ROLL_UP_S = 5.0
_MEASURE_S = 15.0
_TURN_S = 0.0005


def serve(inventory: Inventory, settings: Settings, host: str, port: int) -> None:
    """Run the API and its pages until a signal ends them.

    Raises:
        CuntongError: it cannot start.
    """
    if settings.open_reading and not _is_loopback(host):
        raise UsageError(
            f"CUNTONG_OPEN_READING lets everybody read everything, and {host} is not loopback. Make accounts "
            "(cuntong user add), or publish what may be published (CUNTONG_PUBLIC=true)."
        )
    sock = http.bind(host, port)
    engine = open_ledger(settings.ledger_url)
    switchover = Switchover(engine, inventory)
    try:
        uvloop.run(_run(inventory, settings, engine, sock, switchover))
    finally:
        engine.dispose()
    if switchover.wanted:
        start_anew()


async def _run(
    inventory: Inventory, settings: Settings, engine: Engine, sock: socket.socket, switchover: Switchover
) -> None:
    keep(engine, inventory, time.time())
    # Three missed polls and the time to notice: after that a verdict no longer speaks of now.
    standing = Standing(inventory, engine, time.time, stale_after_s=3 * settings.interval_s + 30)
    await asyncio.to_thread(standing.refresh)
    log.info("serving %s on http://%s/", inventory.title, http.address_of(sock))
    notifications = Notifications(read_alerting(inventory.folder), resolver(settings).secret, time.time)
    access = Access(open_reading=settings.open_reading, public=settings.public)
    exchanging = Exchanging(
        settings.instance or inventory.title,
        lambda: key_at(settings.exchange_key_path),
        lambda: read_trust(inventory.folder),
    )
    app = create_app(standing, access, notifications, read_boundaries(inventory.folder), exchanging)
    keep_for_good()
    take_short_turns()
    holder = f"{socket.gethostname()}:{os.getpid()}"[:64]
    await signals.until_told(
        follow(standing),
        _keep_measuring(app.state.metrics),
        Delivery(engine, notifications, holder).run(),
        Escalation(engine, inventory, notifications).run(),
        http.serve(app, sock),
        switchover.run(),
    )


def keep_for_good() -> None:
    """Spare the collector of garbage what lives as long as the process: a whole country's inventory is many objects.

    Going through them again and again would make answers wait for a tenth of a second.
    """
    gc.collect()
    gc.freeze()


def take_short_turns() -> None:
    """Let answers have the interpreter soon while a thread counts a province: not only after Python's usual 5 ms."""
    sys.setswitchinterval(_TURN_S)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def follow(standing: Standing) -> None:
    """Keep the standing fresh: at once when the ledger learnt something, and now and then because time passes."""
    rolled_up = 0.0
    while True:
        try:
            if await asyncio.to_thread(standing.has_news) or time.monotonic() - rolled_up >= _ROLL_UP_S:
                await asyncio.to_thread(standing.refresh)
                rolled_up = time.monotonic()
        except DBAPIError as error:
            log.warning("the ledger does not answer: %s", error.orig)
        await asyncio.sleep(_FOLLOW_S)


async def _keep_measuring(metrics: ApiMetrics) -> None:
    """Work out what scrapes should not wait for; while the ledger is away, the newest result stands."""
    while True:
        began = time.monotonic()
        try:
            await asyncio.to_thread(metrics.refresh)
        except DBAPIError as error:
            log.warning("the ledger does not tell of changes: %s", error.orig)
        # What takes long, for a whole country, is not begun again at once.
        await asyncio.sleep(max(_MEASURE_S, 4 * (time.monotonic() - began)))
