"""A collector that polls nothing: its state is set by hand, as polls would have left it."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import inventory as inventory_package
from collectors.engine import Collector, Done
from collectors.fleet import Fleet, WatchedDevice
from collectors.line_changes import LineChanges
from collectors.ping import Echoes
from collectors.schedule import Schedule
from cuntong.collect import line_ports
from exporter.links import Echoed, echoed_over
from exporter.text import CountyText
from health.reading import Identity, Readings
from inventory.devices import Device
from inventory.loader import load
from inventory.model import Inventory
from ledger import leases
from ledger.database import open_ledger, sqlite_url
from ledger.journal import Journal

EXAMPLE = Path(inventory_package.__file__).parent / "examples" / "tianquan"
NOON = 1_763_600_000.0


class Nobody:
    """An asker that is never asked."""

    def ask(self, ordinal: int, done: Done) -> None:
        raise AssertionError("nothing is polled here")


class Stand:
    """One county's text over a collector whose polls are told."""

    def __init__(self, inventory: Inventory, folder: Path) -> None:
        self.inventory = inventory
        self.now = NOON
        self.engine = open_ledger(sqlite_url(folder / "ledger.sqlite3"))
        lease = leases.acquire(self.engine, inventory.top, "test", "127.0.0.1:9161", NOON, 60)
        fleet = Fleet(
            inventory.sites.ids,
            [inventory.site_uplinks(site) for site in range(len(inventory.sites))],
            [WatchedDevice(d.id, d.site, d.role, str(d.device_class)) for d in inventory.devices],
        )
        count = len(inventory.devices)
        schedule = Schedule([0] * count, 60.0, 8)
        journal = Journal(self.engine, lease, lambda: self.now, 60)
        self.lines = LineChanges(line_ports(inventory))
        self.collector = Collector(fleet, range(count), schedule, Nobody(), journal, lambda: self.now, lines=self.lines)
        self.watch = self.collector.watch
        # Suspects are asked again by whoever runs the polls: here, by the test.
        self.watch._ask = lambda devices: None
        # The first router, and a line of its own for each of a village's two.
        self.echoed = [Echoed(0, "", "192.0.2.1"), *echoed_over(inventory, self.device("tq-fagai-cpe1").ordinal)]
        self.echoes = Echoes(len(self.echoed))
        self.text = CountyText(inventory, self.collector, self.echoes, self.echoed, lambda: self.now)

    def device(self, id: str) -> Device:
        return self.inventory.devices.find(id)

    def polled(self, readings: Readings | None, *ids: str) -> None:
        """One poll of each of these devices ended so; of every device if none is named."""
        ordinals: Sequence[int] = [self.device(id).ordinal for id in ids] or range(len(self.inventory.devices))
        for ordinal in ordinals:
            self.now += 0.001
            self.collector.latest[ordinal].take(readings, self.now)
            if readings is not None:
                self.lines.polled(ordinal, readings, self.now)
            self.watch.finished(ordinal, readings, self.now)
        self.watch.settle(self.now)

    def render(self) -> str:
        return self.text.render().decode()


@pytest.fixture(scope="session")
def example() -> Inventory:
    return load(EXAMPLE)


@pytest.fixture
def make_stand(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[Inventory], Stand]:
    def make(inventory: Inventory) -> Stand:
        stand = Stand(inventory, tmp_path)
        request.addfinalizer(stand.engine.dispose)
        return stand

    return make


@pytest.fixture
def stand(example: Inventory, make_stand: Callable[[Inventory], Stand]) -> Stand:
    return make_stand(example)


@pytest.fixture
def answering(stand: Stand) -> Stand:
    """Every device answered once, with nothing but its name."""
    stand.polled(Readings(identity=Identity(vendor="Huawei", model="AR651", os_version="V300", serial="SN-1")))
    return stand
