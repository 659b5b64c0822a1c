"""A small county: a core of two routers, two townships, three villages, one of them with two lines."""

from collections.abc import Callable

import pytest

from simulator.county import County, Graph, Terminal

ROWS = (
    # device, site, class, profile, uplinks
    ("core-a1", "core", "router", "huawei-vrp", ()),
    ("core-a2", "core", "router", "h3c-comware", ()),
    ("east-cpe1", "east", "router", "h3c-comware", ("core-a1", "core-a2")),
    ("east-kiosk1", "east", "kiosk", "linux-kiosk", ("east-cpe1",)),
    ("reed-cpe1", "reed", "router", "ruijie-rgos", ("east-cpe1",)),
    ("reed-kiosk1", "reed", "kiosk", "linux-kiosk", ("reed-cpe1",)),
    ("reed-prt1", "reed", "printer", "printer-mib", ("reed-cpe1",)),
    ("west-cpe1", "west", "router", "linux-router", ("core-a1", "core-a2")),
    ("hill-cpe1", "hill", "router", "huawei-vrp", ("west-cpe1",)),
    ("hill-kiosk1", "hill", "kiosk", "linux-kiosk", ("hill-cpe1",)),
    ("ford-cpe1", "ford", "router", "linux-router", ("east-cpe1", "west-cpe1")),
    ("ford-kiosk1", "ford", "kiosk", "linux-kiosk", ("ford-cpe1",)),
    ("ford-ups1", "ford", "ups", "rfc1628-ups", ("ford-cpe1",)),
)
CODES = {
    "510000000000": "core",
    "510001100000": "east",
    "510001100201": "reed",
    "510001101000": "west",
    "510001101201": "hill",
    "510001101202": "ford",
}


class Clock:
    """A clock that tests turn by hand."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def make_graph() -> Graph:
    ordinals = {device: ordinal for ordinal, (device, *_) in enumerate(ROWS)}
    return Graph(
        [
            Terminal(
                ordinal=ordinals[device],
                device_id=device,
                site_id=site,
                device_class=device_class,
                profile=profile,
                vendor="vendor",
                model="M-1",
                serial="" if ordinals[device] % 2 else f"SN-{device}",
                name=device.upper(),
                uplinks=tuple(ordinals[uplink] for uplink in uplinks),
                place="某村",
            )
            for device, site, device_class, profile, uplinks in ROWS
        ],
        CODES,
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def county(clock: Clock) -> County:
    return County(make_graph(), clock)


@pytest.fixture
def ordinal(county: County) -> Callable[[str], int]:
    return county.graph.devices.__getitem__


@pytest.fixture
def silent_ids(county: County) -> Callable[[], set[str]]:
    """Which devices do not answer now."""
    return lambda: {t.device_id for t in county.graph.terminals if county.silent(t.ordinal)}
