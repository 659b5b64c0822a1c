"""Whole stories: what happens in a county, what the rules make of it, and how often a person's telephone rings."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

import pytest

from exporter.alertmanager.config import configuration
from exporter.alertmanager.grouping import Alert, Alertmanager, Notification
from exporter.alertmanager.settings import Alerting

if TYPE_CHECKING:
    from tests.exporter.rules.conftest import World

Fired = Callable[["World"], list[Alert]]

MORNING: Final = 1_763_600_400.0  # Thursday, 20 November 2025, 09:00 in China
EVENING: Final = MORNING + 9 * 3600
SILENT: Final = frozenset({"cuntong", "nobody", "deadman"})


def rings(alerts: Iterable[Alert], began: float = MORNING, hours: float = 30) -> list[Notification]:
    """What people are told: messages with something that fires, to anybody but the ledger."""
    moved = [Alert(one.labels, one.since + began, None if one.until is None else one.until + began) for one in alerts]
    model = Alertmanager(configuration(Alerting()))
    sent = model.send(moved, began + hours * 3600)
    return [one for one in sent if one.receiver not in SILENT and one.firing]


def names(alerts: Iterable[Alert]) -> Counter[str]:
    """Alerts that are for people, by name; what is only kept is not counted."""
    return Counter(alert.labels["alertname"] for alert in alerts if alert.labels["notify"] != "ledger")


def well(world: "World") -> "World":
    world.put("up", 1, job="cuntong-api", instance="127.0.0.1:8080")
    return world


def lose(world: "World", node: str, first: int, last: int, planned: str = "no") -> None:
    world.outage("uplink", node, first, last, "aggregation", planned=planned, sites=9)
    world.up(node, (first, last, 0))
    for number in range(1, 9):
        world.up(f"{node}-v{number}", (first, last, 0))


def test_an_aggregation_node_that_is_lost_rings_once(county: type["World"], fired: Fired) -> None:
    world = well(county(200, 1))
    lose(world, "t1", 30, 120)
    alerts = fired(world)
    told = rings(alerts)
    assert [(one.receiver, len(one.firing)) for one in told] == [("noc-page", 1)]
    assert told[0].firing[0].labels["site"] == "t1"
    assert told[0].at - MORNING < (30 + 4) * 60


def test_a_county_that_is_lost_rings_once(county: type["World"], fired: Fired) -> None:
    world = well(county(240))
    world.outage("uplink", "core", 30, 120, "aggregation", sites=19)
    world.up("core", (30, 120, 0))
    for node in ("t1", "t2"):
        world.up(node, (30, 120, 0))
        for number in range(1, 9):
            world.up(f"{node}-v{number}", (30, 120, 0))
    alerts = fired(world)
    assert [one.firing[0].labels["alertname"] for one in rings(alerts)] == ["CountyCoreDown"]
    # The same hour in every county of a province: one message that names them all.
    province = [
        Alert({**alert.labels, "county": f"{511800 + number}"}, alert.since + number % 3 * 10, alert.until)
        for number in range(40)
        for alert in alerts
    ]
    told = rings(province)
    assert [(one.receiver, len(one.firing)) for one in told] == [("noc-page", 40)]


def test_a_usual_night_rings_nobody(county: type["World"], fired: Fired) -> None:
    """Halls close: kiosks are switched off, and some pull the main switch, router and all."""
    world = well(county(900, 5))
    world.closed(30, 840)
    for number in range(1, 9):
        world.put(
            "cuntong_device_up",
            1,
            (40, 850, 0),
            site=f"t1-v{number}",
            device=f"t1-v{number}-kiosk",
            **{"class": "kiosk"},
        )
    for site in ("t1-v2", "t2-v5"):
        world.dark(site, 45, 835, "unknown")
    alerts = fired(world)
    assert rings(alerts, EVENING, 15) == []
    assert names(alerts) == Counter()


def test_a_kiosk_that_never_closes_rings_at_night(county: type["World"], fired: Fired) -> None:
    world = well(county(300))
    world.closed(0, 300)
    world.device("t1-v1", "kiosk", name="t1-v1-kiosk24")
    world.outage("device", "t1-v1-kiosk24", 60, 200, "device", site="t1-v1")
    (told,) = rings(fired(world), EVENING, 6)
    assert (told.receiver, told.firing[0].labels["device"]) == ("county-ops", "t1-v1-kiosk24")


def test_closing_time_neither_mends_nor_repeats(county: type["World"], fired: Fired) -> None:
    """A village is dark from the afternoon until the next noon: one message, and one when it is back."""
    world = well(county(1500, 5))
    world.closed(300, 900)
    world.dark("t1-v1", 60, 1200, "line")
    alerts = [alert for alert in fired(world) if alert.labels["notify"] == "now"]
    assert names(alerts) == Counter({"SiteDown": 1})
    assert len(rings(alerts, MORNING, 25)) == 1


@pytest.mark.parametrize("mended", [850, 1100], ids=["well in the morning", "mended later"])
def test_a_kiosk_that_is_switched_off_with_its_trouble_rings_once(
    county: type["World"], fired: Fired, mended: int
) -> None:
    world = well(county(1300, 5))
    world.closed(300, 840)
    kiosk = {"site": "t1-v1", "device": "t1-v1-kiosk"}
    world.put("cuntong_device_up", 1, (310, 850, 0), **kiosk, **{"class": "kiosk"})
    world.trouble("kiosk_app", "t1-v1", "kiosk", 60, mended)
    (alert,) = [one for one in fired(world) if one.labels["alertname"] == "KioskAppDown"]
    assert alert.since == pytest.approx(75 * 60, abs=600)
    assert alert.until == pytest.approx((mended + 10) * 60, abs=900)
    assert len(rings([alert], MORNING, 20)) == 1


def test_a_node_that_comes_and_goes_rings_once(county: type["World"], fired: Fired) -> None:
    """Health keeps one outage open over it; the line's own changes say that it flaps, beneath it."""
    world = well(county(300))
    world.outage("site", "t1-v1", 30, 150, "line")
    world.up("t1-v1", *((n, n + 4, 0) for n in range(30, 150, 10)))
    world.bad_line("flapping", "t1-v1", 66, 180, 12)
    alerts = fired(world)
    assert names(alerts) == Counter({"SiteDown": 1, "LinkFlapping": 1})
    told = rings(alerts, hours=2.4)
    assert [one.firing[0].labels["alertname"] for one in told] == ["SiteDown"]


def test_a_dead_collector_rings_once_and_its_old_values_say_nothing(county: type["World"], fired: Fired) -> None:
    world = well(county(300))
    world.dark("t1-v1", 20, 60)
    for key, (value, spans) in list(world._lines.items()):
        if dict(key[1])["job"] == "cuntong-collector":
            world._lines[key] = (value, [(60, 240, 0.0 if key[0] == "up" else None), *spans])
    told = rings(fired(world))
    assert Counter(alert.labels["alertname"] for one in told for alert in one.firing) == {
        "SiteDown": 1,
        "CollectorDown": 1,
    }


def test_a_site_that_nobody_ever_heard_of_is_told_in_office_hours(county: type["World"], fired: Fired) -> None:
    world = well(county(300))
    world.up("t1-v1", (0, 300, None))
    alerts = fired(world)
    (told,) = rings(alerts, EVENING, 24)
    assert (told.receiver, told.firing[0].labels["alertname"]) == ("county-ops", "SiteUnknown")
    assert 15 * 3600 <= told.at - EVENING <= 16 * 3600 + 1, "the next morning at nine, or within the hour after"


def test_announced_work_rings_nobody(county: type["World"], fired: Fired) -> None:
    world = well(county(240))
    lose(world, "t1", 30, 120, planned="yes")
    for site in ("t1", *(f"t1-v{number}" for number in range(1, 9))):
        world.put("cuntong_site_maintenance", 0, (25, 125, 1), site=site)
    assert names(fired(world)) == Counter()


@pytest.mark.parametrize(("promised", "expected"), [(0.0, []), (1.0, ["SiteDown"])], ids=["holiday", "make-up day"])
def test_a_holiday_is_silent_and_a_make_up_day_is_not(
    county: type["World"], fired: Fired, promised: float, expected: list[str]
) -> None:
    """Health reads the calendar, 调休 included; here only what it says of the day counts, whatever the weekday."""
    world = well(county(240))
    if not promised:
        world.closed(0, 240)
    world.dark("t1-v1", 30, 200)
    alerts: list[Any] = fired(world)
    assert sorted(names(alerts)) == expected


def test_a_switch_that_is_pulled_is_one_message_and_not_one_for_each_terminal(
    county: type["World"], fired: Fired
) -> None:
    world = well(county(240))
    world.outage("lan", "t1-v1", 30, 150, "lan")
    for kind in ("kiosk", "printer"):
        world.put("cuntong_device_up", 1, (30, 150, 0), site="t1-v1", device=f"t1-v1-{kind}", **{"class": kind})
    (told,) = rings(fired(world))
    (alert,) = told.firing
    assert (told.receiver, alert.labels["alertname"], alert.labels["site"]) == ("county-ops", "SiteLanDown", "t1-v1")


def test_two_villages_of_one_township_are_one_message(county: type["World"], fired: Fired) -> None:
    world = well(county(240))
    world.dark("t1-v1", 30, 200)
    world.dark("t1-v2", 32, 200, "power")
    (told,) = rings(fired(world))
    assert sorted(alert.labels["site"] for alert in told.firing) == ["t1-v1", "t1-v2"]


def test_many_villages_of_one_township_are_the_townships_message(county: type["World"], fired: Fired) -> None:
    world = well(county(240))
    for number in range(1, 6):
        world.dark(f"t1-v{number}", 30, 200, "line" if number % 2 else "power")
    told = rings(fired(world))
    assert [one.firing[0].labels["alertname"] for one in told] == ["TownshipSitesDownMany"]
