"""Everything that ``cuntong doctor`` looks at, in order. What cannot be looked at is a finding, too."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from cuntong.collect import Reach
from cuntong.doctor import field, machine, records
from cuntong.doctor.findings import Finding, Findings, failure, fine, warning
from cuntong.settings import Settings, state_folder
from inventory.errors import InventoryError
from inventory.loader import load
from inventory.model import Inventory
from ledger.database import open_ledger
from ledger.errors import LedgerError

LOCK: Final = Path(__file__).parents[2] / "requirements.lock"
_WAIVER_DAYS: Final = 30 * 86400.0


def examine(settings: Settings, folder: Path, reach: Reach | None, now: float, *, every: bool) -> Iterator[Finding]:
    """Look at an instance.

    Args:
        reach: how devices are asked; None: they are not.
        every: ask all devices instead of a sample.
    """
    yield from machine.clock()
    yield from machine.packages(LOCK)
    yield from machine.private([settings.secrets, settings.vault_key_path, settings.exchange_key_path])
    yield from machine.certificates([Path(one) for one in settings.certificates.split(":") if one], now)
    inventory = None
    try:
        inventory = load(folder)
    except InventoryError as error:
        first = str(error.problems[0])
        said = f"{len(error.problems)} problems in {folder}, the first: {first}"
        yield failure("inventory", said, "cuntong check names each with file and line.")
    else:
        yield from _inventory(inventory, now)
    try:
        engine = open_ledger(settings.ledger_url)
    except LedgerError as error:
        yield failure("ledger", str(error), "Mend what it says; a ledger that is lost comes back with cuntong restore.")
        return
    try:
        yield from _ledger(engine, settings, folder, inventory, now)
    finally:
        engine.dispose()
    if inventory is not None and reach is not None:
        yield from field.credentials(inventory, reach, settings.timeout_s, settings.retries, every=every)


def _inventory(inventory: Inventory, now: float) -> Findings:
    said = f"{inventory.title}: {len(inventory.sites):,} sites, {len(inventory.devices):,} devices, no law is broken"
    yield fine("inventory", said)
    for waiver in inventory.waivers:
        left = (waiver.until.toordinal() - 719163) * 86400.0 - now  # days since 1970
        if left < _WAIVER_DAYS:
            mend = "Replace what it excuses, or decide anew, in county.yml under waivers."
            yield warning("inventory", f"the waiver for {waiver.what} ends on {waiver.until}", mend)


def _ledger(engine: Engine, settings: Settings, folder: Path, inventory: Inventory | None, now: float) -> Findings:
    url = make_url(settings.ledger_url)
    file = Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None
    yield from records.database(engine, file)
    with engine.connect() as connection:
        grows = records.growth(connection, file.stat().st_size, now) if file is not None else None
        places = {"state": state_folder()} | ({"ledger": file.parent} if file is not None else {})
        yield from machine.disk(places, grows)
        yield from records.time_of(connection, now)
        yield from records.chain(connection)
        yield from records.vault(connection, settings.vault_key_path)
        yield from records.held_secrets(connection, settings.secrets, folder)
        yield from records.dumps(connection, now)
        yield from records.heartbeat(connection, now)
        yield from records.settled(connection, now)
        if inventory is not None:
            yield from records.work(connection, inventory.top, now)
    if inventory is not None:
        yield from records.collectors(engine, inventory.top, now)
