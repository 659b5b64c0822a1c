"""What is trouble and what is not yet: each threshold from both sides; and what is remembered from poll to poll."""

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from exporter.trends import WINDOW_S, Means, Rates, Recent
from exporter.troubles import FAULTS, of_device, of_echoes, of_line
from health.reading import Extend, Interface, Printer, Readings, Sensor, Store, Supply
from inventory.vocabulary import DeviceClass

if TYPE_CHECKING:
    from tests.exporter.conftest import Stand

KIOSK, PRINTER, ROUTER = DeviceClass.KIOSK, DeviceClass.PRINTER, DeviceClass.ROUTER
SITE = "tq-chengxiang-xuyu"
GB = 10**9


def disk(total: int | None, used: int | None) -> Readings:
    return Readings(storage=(Store("/", total, used, None),))


def app(result: int | None, name: str = "kiosk-app") -> Readings:
    return Readings(extends=(Extend(name, "", result),))


def printer(*faults: str, left: float | None = None) -> Readings:
    return Readings(printer=Printer("idle", faults, (Supply("black", "toner", left),), (), None))


def heat(*celsius: float, kind: str = "temperature") -> Readings:
    return Readings(sensors=tuple(Sensor(kind, f"t{at}", value, "") for at, value in enumerate(celsius)))


@pytest.mark.parametrize(
    ("kind", "readings", "offset", "found"),
    [
        (KIOSK, app(0), None, []),
        (KIOSK, app(2), None, [("kiosk_app", "", 1)]),
        (KIOSK, app(3), None, []),  # nobody has looked yet
        (KIOSK, app(None), None, []),
        (KIOSK, app(1, "screen"), None, [("peripheral", "screen", 1)]),
        (KIOSK, app(1, "backup"), None, []),
        (ROUTER, app(1), None, []),
        (KIOSK, disk(64 * GB, 61 * GB), None, [("disk_full", "/", 3 / 64)]),
        (KIOSK, disk(64 * GB, 60 * GB), None, []),  # 4 GB are left
        (KIOSK, disk(40 * GB, 38 * GB), None, []),  # a twentieth
        (KIOSK, disk(40 * GB, 41 * GB), None, [("disk_full", "/", 0)]),
        (KIOSK, disk(0, 0), None, []),
        (KIOSK, disk(40 * GB, None), None, []),
        (ROUTER, disk(64 * GB, 64 * GB), None, []),
        (PRINTER, printer("jammed", "low_paper"), None, [("printer_fault", "jammed", 1)]),
        (PRINTER, printer(left=0.09), None, [("supply_low", "black", 0.09)]),
        (PRINTER, printer(left=0.1), None, []),
        (PRINTER, printer(left=None), None, []),
        (ROUTER, heat(41, 71.5, 80, 20), None, [("temperature", "", 80)]),
        (ROUTER, heat(70), None, []),
        (ROUTER, heat(99, kind="fan"), None, []),
        (ROUTER, Readings(), -121.0, [("clock", "", 121)]),
        (ROUTER, Readings(), 120.0, []),
        (ROUTER, Readings(), None, []),
    ],
)
def test_a_device_is_in_trouble_beyond_its_thresholds(
    kind: DeviceClass, readings: Readings, offset: float | None, found: list[Any]
) -> None:
    assert list(of_device(kind, readings, offset)) == found


def test_each_fault_that_stops_a_printer_counts_by_itself() -> None:
    assert {part for _, part, _ in of_device(PRINTER, printer(*FAULTS), None)} == FAULTS


@pytest.mark.parametrize(
    ("rates", "speed", "found"),
    [
        ((0, 0, 1.0, 0), 1e6, []),
        ((0, 0, 0, 1.5), None, [("errors", 1.5)]),
        ((950_000, 5, 0, 0), 1e6, [("saturated", 0.95)]),
        ((5, 950_000, None, None), 1e6, [("saturated", 0.95)]),
        ((900_000, 0, 0, 0), 1e6, []),
        ((950_000, 0, 0, 0), None, []),
        ((950_000, 0, 0, 0), 0, []),
        ((100_000, 0, 0, 0), 1e5, []),  # nobody rents so little
        ((None, None, None, None), 1e6, []),
    ],
)
def test_a_line_is_in_trouble_beyond_its_thresholds(rates: Any, speed: float | None, found: list[Any]) -> None:
    assert list(of_line(rates, speed)) == found


@pytest.mark.parametrize(
    ("loss", "rtt", "mobile", "found"),
    [
        (0.05, 0.15, False, []),
        (0.1, 0.16, False, [("packet_loss", 0.1), ("latency", 0.16)]),
        (None, 0.25, True, []),
        (0.0, 0.4, True, [("latency", 0.4)]),
        (1.0, None, False, [("packet_loss", 1.0)]),
    ],
)
def test_echoes_tell_of_trouble_beyond_their_thresholds(
    loss: float | None, rtt: float | None, mobile: bool, found: list[Any]
) -> None:
    assert list(of_echoes(loss, rtt, mobile)) == found


def test_a_rate_is_that_of_the_counters_and_a_restart_is_no_rate() -> None:
    rates = Rates(2)
    readings: list[tuple[tuple[int | None, int | None], float, Any]] = [
        ((1000, None), 100.0, (None, None)),
        ((1600, 5), 160.0, (10.0, None)),
        ((9999, 5), 160.0, (10.0, None)),  # read twice
        ((7, 65), 220.0, (10.0, 1.0)),
        ((None, 65), 220.0 + 100 * WINDOW_S, (None, pytest.approx(0.0, abs=1e-9))),
    ]
    for counts, at, expected in readings:
        rates.take(counts, at)
        assert rates.per_s == expected


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=30), st.floats(1, 600))
def test_a_rate_lies_between_the_slowest_and_the_fastest(steps: list[int], every: float) -> None:
    rates, total = Rates(1), 0
    for n, step in enumerate(steps, 1):
        total += step
        rates.take((total,), n * every)
    (rate,) = rates.per_s
    assert rate is not None
    assert min(steps[1:]) / every - 1e-6 <= rate <= max(steps[1:]) / every * (1 + 1e-9) + 1e-6


def test_a_mean_follows_its_value_and_ends_when_nothing_is_measured() -> None:
    means = Means(2)
    assert means.take(0, None, 1e9) is None
    assert means.take(0, 0.02, 1e9) == 0.02
    after = means.take(0, 0.4, 1e9 + 60)
    assert after is not None
    assert 0.02 < after < 0.15, "one slow echo is no slow line"
    now = 1e9 + 60
    for _ in range(14):
        now += 60
        after = means.take(0, 0.4, now)
    assert after is not None
    assert after > 0.3, "a quarter of an hour of them is"
    assert means.take(0, None, now + WINDOW_S - 1) == after
    assert means.take(0, None, now + WINDOW_S) is None
    assert means.take(1, None, now) is None


def test_events_count_as_long_as_they_are_recent() -> None:
    recent: Recent[str] = Recent(3600.0, 6)
    recent.happened("a", 0.0, 6)
    recent.happened("b", 0.0, 2)
    assert list(recent.often(10.0)) == []
    recent.happened("a", 1800.0)
    assert list(recent.often(1800.0)) == [("a", 7)]
    assert list(recent.often(3600.0)) == []
    recent.happened("b", 5000.0, 10**9)
    assert dict(recent.often(5000.0)) == {"b": 1000}


def port(up: bool = True, octets: int = 0, errors: int = 0) -> Interface:
    return Interface("GigabitEthernet0/0/0", None, None, 1, True, up, GB, octets, 0, errors, 0, 0, 0)


def told(stand: "Stand", metric: str) -> list[tuple[dict[str, str], float]]:
    name = metric.removesuffix("_info")
    return [
        (sample.labels, sample.value)
        for family in text_string_to_metric_families(stand.render())
        if family.name in (metric, name)
        for sample in family.samples
    ]


def troubles(stand: "Stand", metric: str = "cuntong_device_trouble") -> dict[str, float]:
    return {labels["trouble"]: value for labels, value in told(stand, metric)}


def test_a_county_that_is_well_has_no_exceptions(answering: "Stand") -> None:
    assert told(answering, "cuntong_device_trouble") == []
    assert told(answering, "cuntong_link_trouble") == []
    assert told(answering, "cuntong_site_trouble_info") == []


def test_what_a_kiosk_said_stays_while_it_is_switched_off_and_goes_when_it_is_well(answering: "Stand") -> None:
    kiosk = f"{SITE}-kiosk1"
    answering.polled(app(2), kiosk)
    ((labels, _),) = told(answering, "cuntong_device_trouble")
    assert (labels["device"], labels["trouble"], labels["answers"]) == (kiosk, "kiosk_app", "yes")
    for _ in range(4):
        answering.polled(None, kiosk)
    ((labels, _),) = told(answering, "cuntong_device_trouble")
    assert (labels["trouble"], labels["answers"]) == ("kiosk_app", "no")
    ((site, _),) = told(answering, "cuntong_site_trouble_info")
    assert (site["site"], site["dark"], site["maintenance"]) == (SITE, "no", "no")
    answering.polled(app(0), kiosk)
    assert told(answering, "cuntong_device_trouble") == []


def test_only_what_carries_others_restarts_too_often(answering: "Stand") -> None:
    for n in range(6):
        answering.now += 300
        answering.polled(Readings(uptime_seconds=60.0), f"{SITE}-cpe1", f"{SITE}-kiosk1")
        answering.render()
        assert ("restarts" in troubles(answering)) == (n > 3), n
    ((labels, times),) = told(answering, "cuntong_device_trouble")
    assert (labels["device"], labels["class"], times) == (f"{SITE}-cpe1", "router", 5)
    answering.now += 6 * 3600
    assert troubles(answering) == {}


def test_a_line_that_comes_and_goes_flaps_for_an_hour(answering: "Stand") -> None:
    for n in range(8):
        answering.now += 60
        answering.polled(Readings(interfaces=(port(up=n % 2 == 0),)), f"{SITE}-cpe1")
        found = troubles(answering, "cuntong_link_trouble")
        assert ("primary_down" in found) == (n % 2 == 1)
    assert troubles(answering, "cuntong_link_trouble") == {"primary_down": 1, "flapping": 7}
    answering.now += 3600
    answering.polled(Readings(interfaces=(port(),)), f"{SITE}-cpe1")
    answering.now += 3600
    assert troubles(answering, "cuntong_link_trouble") == {}
    assert told(answering, "cuntong_site_trouble_info") == []


def test_a_line_that_is_full_or_spoils_frames_says_how_much(answering: "Stand") -> None:
    for n in range(3):
        answering.now += 60
        # 100 Mbit/s are rented here: 12.5 MB a second.
        answering.polled(Readings(interfaces=(port(octets=n * 60 * 12_000_000, errors=n * 120),)), f"{SITE}-cpe1")
        answering.render()
    found = troubles(answering, "cuntong_link_trouble")
    assert found == {"errors": pytest.approx(2, rel=0.01), "saturated": pytest.approx(0.96, rel=0.01)}


def test_echoes_of_a_dark_site_are_its_outages_business(answering: "Stand") -> None:
    answering.echoes.answered(0, answering.echoes.sent(0, 1.0), 1.9)
    assert troubles(answering, "cuntong_link_trouble") == {"latency": pytest.approx(0.9)}
    answering.echoes.lost(0, answering.echoes.sent(0, 2.0))
    assert troubles(answering, "cuntong_link_trouble")["packet_loss"] == 0.5
    answering.polled(None, *(device.id for device in answering.inventory.devices.of(0)))
    answering.polled(None, *(device.id for device in answering.inventory.devices.of(0)))
    assert 0 in answering.watch.dark
    assert troubles(answering, "cuntong_link_trouble") == {}


def test_sites_are_counted_by_state_and_lines_by_operator(answering: "Stand") -> None:
    states = told(answering, "cuntong_sites")
    assert {labels["state"] for labels, _ in states} == {"up"}
    assert sum(value for _, value in states) == len(answering.inventory.sites)
    lines = sum(value for _, value in told(answering, "cuntong_lines"))
    primary = [labels for labels, _ in told(answering, "cuntong_link_info") if labels["role"] == "primary"]
    assert lines == len([labels for labels in primary if labels["carrier"]])


def test_sites_that_nobody_heard_of_are_unknown(stand: "Stand") -> None:
    assert {labels["state"] for labels, _ in told(stand, "cuntong_sites")} == {"unknown"}
    assert told(stand, "cuntong_lines") == []
