"""A county's text: what Prometheus reads, family by family, and what it must never read."""

import re
import subprocess
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.parser import text_string_to_metric_families

import exporter.describing
from collectors.latest import STALE_AFTER, Latest
from exporter.describing import Described
from exporter.fragments import SERIES_PER_DEVICE
from exporter.registry import COUNTY_METRICS, SITE_INFO, escape, series
from health.hours import in_service_hours
from health.reading import (
    Extend,
    Identity,
    Interface,
    Printer,
    Processor,
    Readings,
    Sensor,
    Store,
    Supply,
)
from inventory.loader import load
from inventory.model import Inventory
from inventory.vocabulary import DeviceClass

if TYPE_CHECKING:
    from tests.exporter.conftest import Stand

KIOSK, PRINTER, ROUTER = (f"tq-chengxiang-xuyu-{role}" for role in ("kiosk1", "prt1", "cpe1"))


def port(name: str, **more: Any) -> Interface:
    counters = {"in_octets": 1000, "out_octets": 2000, "in_errors": 3, "out_errors": None}
    counters |= {"in_discards": 0, "out_discards": 5}
    return Interface(name, None, None, 1, True, more.pop("oper_up", True), 10**9, **{**counters, **more})


FULL = Readings(
    identity=Identity(vendor="Huawei", model="AR651", os_version="V300R019", serial="SN-1", profile="huawei-vrp"),
    uptime_seconds=3600.0,
    processors=(Processor("0", 0.25), Processor("1", 0.75), Processor("2", None)),
    memory=(Store("main", 100, 50, 0.5), Store("buffers", None, None, None)),
    storage=(Store("/", 1000, 400, 0.4), Store("/data", 1000, None, None)),
    interfaces=(port("GigabitEthernet0/0/0"), port("GigabitEthernet0/0/1")),
    sensors=(Sensor("temperature", "board", 41.5, "celsius"), Sensor("state", "fan", "ok", "")),
    printer=Printer(
        "idle",
        ("no_paper",),
        (Supply("black", "toner", 0.3), Supply("drum", "opc", None)),
        (Supply("1", "tray", 0.0),),
        77,
    ),
    clock_at=1_763_600_042.0,
    extends=(
        Extend("kiosk-app", "ok", 0),
        Extend("screen", "dead", 2),
        Extend("printer", None, None),
        Extend("document-camera", "nobody has looked yet", 3),
        Extend("backup", "failed", 1),
    ),
)


def families(stand: "Stand") -> dict[str, Family]:
    found = list(text_string_to_metric_families(stand.render()))
    assert len({family.name for family in found}) == len(found), "a family is not in one piece"
    return {family.name: family for family in found}


def samples(stand: "Stand", name: str, **labels: str) -> list[float]:
    """Values of a metric's series with these labels."""
    family = families(stand).get(name.removesuffix("_total")) or families(stand).get(name)
    chosen = family.samples if family else ()
    return [sample.value for sample in chosen if labels.items() <= sample.labels.items()]


def test_every_family_is_declared_with_just_its_type_and_labels(stand: "Stand") -> None:
    stand.polled(FULL)
    stand.polled(None, KIOSK)
    stand.polled(None, KIOSK)
    neighbours = stand.inventory.devices.of(stand.device(KIOSK).site)
    stand.polled(FULL, *(device.id for device in neighbours if device.id != KIOSK))
    stand.echoes.answered(0, stand.echoes.sent(0, 1.0), 1.9)
    unit = stand.inventory.devices.of(stand.inventory.sites.index["tq-fagai"])
    for _ in range(2):
        stand.polled(None, *(device.id for device in unit))
    stand.polled(FULL, *(device.id for device in stand.inventory.devices.of(0)))
    declared = {metric.family: metric for metric in COUNTY_METRICS}
    found = families(stand)
    assert set(found) == set(declared)
    for name, family in found.items():
        metric = declared[name]
        assert (family.type, family.documentation) == (metric.type, metric.help)
        for sample in family.samples:
            assert sample.name == metric.name
            assert tuple(sample.labels) == metric.labels
            assert sample.timestamp is None
        assert len({tuple(sample.labels.items()) for sample in family.samples}) == len(family.samples), name


def test_nothing_repeats_the_labels_of_the_target(answering: "Stand") -> None:
    for family in families(answering).values():
        assert all({"province", "county", "job", "instance"}.isdisjoint(sample.labels) for sample in family.samples)


def test_each_site_and_each_device_is_there_once(answering: "Stand") -> None:
    found = families(answering)
    assert {s.labels["site"] for s in found["cuntong_site_up"].samples} == set(answering.inventory.sites.ids)
    assert {s.labels["device"] for s in found["cuntong_device_up"].samples} == {
        device.id for device in answering.inventory.devices
    }
    assert {sample.value for sample in found["cuntong_site_up"].samples} == {1.0}
    townships = Counter(sample.labels["township"] for sample in found["cuntong_site_up"].samples)
    assert (townships[""], townships["511825101"]) == (36, 19)


def test_before_the_first_poll_there_is_identity_and_no_measurement(stand: "Stand") -> None:
    found = families(stand)
    assert set(found) == {
        "cuntong_county_info",
        "cuntong_township_info",
        "cuntong_carrier_info",
        "cuntong_site_info",
        "cuntong_site_maintenance",
        "cuntong_sites",  # all of them unknown
        "cuntong_link_info",
        "cuntong_link_speed_bytes",
        "cuntong_link_contract_end_timestamp_seconds",
        "cuntong_device_info",
        "cuntong_device_service_promised",
        "cuntong_schedule_active",
    }


def test_codes_have_the_names_that_people_know(stand: "Stand") -> None:
    found = {
        name.removesuffix("_info").rpartition("_")[2]: [tuple(sample.labels.values()) for sample in family.samples]
        for name, family in families(stand).items()
        if name in ("cuntong_county_info", "cuntong_township_info", "cuntong_carrier_info")
    }
    assert found["county"] == [("天全县",)]
    assert ("telecom", "中国电信") in found["carrier"]
    assert ("511825101", "始阳镇") in found["township"]
    assert len(found["township"]) == 10


def test_a_reading_becomes_its_series_in_base_units(stand: "Stand") -> None:
    stand.polled(FULL, ROUTER, KIOSK, PRINTER)
    here = {"site": "tq-chengxiang-xuyu"}
    assert samples(stand, "cuntong_device_cpu_usage_ratio", device=ROUTER) == [0.75]
    assert samples(stand, "cuntong_device_memory_usage_ratio", device=ROUTER) == [0.5]
    assert samples(stand, "cuntong_device_temperature_celsius", device=ROUTER, sensor="board") == [41.5]
    (boot,) = samples(stand, "cuntong_device_boot_timestamp_seconds", device=ROUTER)
    assert boot == pytest.approx(stand.now - 3600, abs=1)
    assert samples(stand, "cuntong_link_up", **here) == [1.0]
    assert samples(stand, "cuntong_link_receive_bytes_total", link=ROUTER) == [1000.0]
    assert samples(stand, "cuntong_link_errors_total", link=ROUTER) == [3.0]
    assert samples(stand, "cuntong_link_discards_total", link=ROUTER) == [0.0, 5.0]
    assert samples(stand, "cuntong_link_speed_bytes", link=ROUTER) == [12_500_000.0]
    assert samples(stand, "cuntong_kiosk_app_up", device=KIOSK) == [1.0]
    assert samples(stand, "cuntong_peripheral_up", device=KIOSK) == [0.0]
    assert samples(stand, "cuntong_kiosk_filesystem_avail_bytes", device=KIOSK) == [600.0]
    assert samples(stand, "cuntong_peripheral_fault", device=PRINTER, fault="no_paper") == [1.0]
    assert samples(stand, "cuntong_printer_supply_ratio", device=PRINTER) == [0.3]
    assert samples(stand, "cuntong_printer_paper_ratio", device=PRINTER) == [0.0]
    assert samples(stand, "cuntong_printer_pages_total", device=PRINTER) == [77.0]


def test_a_port_that_is_shut_or_unknown_says_nothing_of_the_line(stand: "Stand") -> None:
    other = Readings(interfaces=(port("GigabitEthernet0/0/1"),))
    stand.polled(other, ROUTER)
    assert samples(stand, "cuntong_link_up") == []
    stand.polled(Readings(interfaces=(port("GigabitEthernet0/0/0", oper_up=None),)), ROUTER)
    assert samples(stand, "cuntong_link_up") == []
    stand.polled(Readings(interfaces=(port("GigabitEthernet0/0/0", oper_up=False),)), ROUTER)
    assert samples(stand, "cuntong_link_up") == [0.0]


def test_a_silent_device_is_down_and_its_old_values_are_gone(answering: "Stand") -> None:
    answering.polled(FULL, KIOSK)
    assert samples(answering, "cuntong_kiosk_app_up", device=KIOSK) == [1.0]
    for _ in range(STALE_AFTER):
        answering.polled(None, KIOSK)
    assert samples(answering, "cuntong_device_up", device=KIOSK) == [0.0]
    stays = {"up", "info", "last_poll_timestamp_seconds", "service_promised"}
    for name, family in families(answering).items():
        if name.removeprefix("cuntong_device_") not in stays:
            of_it = [sample for sample in family.samples if sample.labels.get("device") == KIOSK]
            # What was wrong when it fell silent is remembered, and marked as such.
            assert all(sample.labels.get("answers") == "no" for sample in of_it), name
    answering.polled(FULL, KIOSK)
    assert samples(answering, "cuntong_device_up", device=KIOSK) == [1.0]
    assert samples(answering, "cuntong_kiosk_app_up", device=KIOSK) == [1.0]


def test_a_single_missed_poll_is_neither_up_nor_down(answering: "Stand") -> None:
    answering.polled(None, KIOSK)
    assert samples(answering, "cuntong_device_up", device=KIOSK) == []
    assert samples(answering, "cuntong_site_up", site="tq-chengxiang-xuyu") == [1.0]


def test_a_dark_site_is_down_with_its_cause_and_one_that_nobody_asked_is_absent(stand: "Stand") -> None:
    (unit,) = stand.inventory.devices.of(stand.inventory.sites.index["tq-fagai"])
    stand.polled(Readings(), *(device.id for device in stand.inventory.devices.of(0)))
    stand.polled(None, unit.id)
    assert samples(stand, "cuntong_site_up", site="tq-fagai") == []
    stand.polled(None, unit.id)
    stand.polled(Readings(), *(device.id for device in stand.inventory.devices.of(0)))
    assert samples(stand, "cuntong_site_up", site="tq-fagai") == [0.0]
    assert samples(stand, "cuntong_site_working", site="tq-fagai") == [0.0]
    assert len(samples(stand, "cuntong_site_up")) == 2
    labels = {"scope": "site", "node": "tq-fagai", "cause": "unknown"}
    assert samples(stand, "cuntong_outage_open_timestamp_seconds", **labels) == [pytest.approx(stand.now, abs=1)]
    (promised,) = families(stand)["cuntong_outage_service_promised"].samples
    assert promised.labels == {"scope": "site", "node": "tq-fagai", "class": ""}


def test_what_has_no_changed_poll_is_not_rendered_again(answering: "Stand", monkeypatch: pytest.MonkeyPatch) -> None:
    answering.render()
    asked: list[int] = []
    real = exporter.describing.describe

    def describe(kind: DeviceClass, latest: Latest, *rest: Any) -> Described:
        asked.extend(at for at, one in enumerate(answering.collector.latest) if one is latest)
        return real(kind, latest, *rest)

    monkeypatch.setattr("exporter.text.describe", describe)
    answering.polled(FULL, KIOSK)
    answering.render()
    assert asked == [answering.device(KIOSK).ordinal]


def test_a_device_that_reports_too_much_is_cut_off(stand: "Stand") -> None:
    many = Readings(sensors=tuple(Sensor("temperature", f"t{n}", 20.0, "celsius") for n in range(1000)))
    stand.polled(many, ROUTER)
    lines = [line for line in stand.render().splitlines() if f'device="{ROUTER}"' in line]
    assert len(lines) == SERIES_PER_DEVICE
    assert samples(stand, "cuntong_device_up", device=ROUTER) == [1.0]


def test_every_line_of_a_router_has_its_own_series(stand: "Stand") -> None:
    township = "tq-chengxiang-agg1"
    device = stand.device(township)
    ports = stand.inventory.models[device.model].ports
    assert ports is not None
    first, second = ports.uplinks[:2]
    stand.polled(Readings(interfaces=(port(first), port(second, oper_up=False, in_octets=7))), township)
    assert samples(stand, "cuntong_link_up", link=township, role="primary") == [1.0]
    assert samples(stand, "cuntong_link_up", link=f"{township}-line2", role="backup") == [0.0]
    assert samples(stand, "cuntong_link_receive_bytes_total", link=f"{township}-line2") == [7.0]
    stand.polled(Readings(interfaces=(port(first), port(second))), township)
    assert samples(stand, "cuntong_link_state_changes_total", link=township) == [0.0]
    assert samples(stand, "cuntong_link_state_changes_total", link=f"{township}-line2") == [1.0]
    declared = {sample.labels["link"] for sample in families(stand)["cuntong_link_info"].samples}
    assert township in declared
    assert f"{township}-line2" not in declared, "the inventory declares one circuit"


def test_a_clock_is_off_by_what_it_shows_more_than_ours(stand: "Stand") -> None:
    stand.polled(Readings(clock_at=stand.now - 120), KIOSK)
    (offset,) = samples(stand, "cuntong_device_clock_offset_seconds", device=KIOSK)
    assert offset == pytest.approx(-120, abs=1)
    stand.polled(Readings(), KIOSK)
    assert samples(stand, "cuntong_device_clock_offset_seconds") == []


def test_an_outage_tells_its_place_and_how_many_sites_it_darkens(answering: "Stand") -> None:
    inventory, fleet = answering.inventory, answering.watch.fleet
    root = inventory.sites.index["tq-shiyang"]
    beneath = [site for site in range(len(inventory.sites)) if fleet.tree.uplinks[site] == (root,)]
    for _ in range(3):
        answering.polled(Readings(), *(device.id for device in inventory.devices.of(0)))
        for site in (root, *beneath):
            answering.polled(None, *(device.id for device in inventory.devices.of(site)))
        answering.polled(Readings(), *(device.id for device in inventory.devices.of(0)))
    found = families(answering)
    (opened,) = found["cuntong_outage_open_timestamp_seconds"].samples
    assert opened.labels == {
        "scope": "uplink",
        "node": "tq-shiyang",
        "cause": "aggregation",
        "site": "tq-shiyang",
        "township": "511825101",
        "planned": "no",
    }
    (dark,) = found["cuntong_outage_sites"].samples
    assert dark.labels == {"scope": "uplink", "node": "tq-shiyang"}
    assert dark.value == 1 + len(beneath)
    assert len(beneath) > 3


@pytest.mark.parametrize("open_terminal", [None, "kiosk2"])
def test_an_outage_says_whether_anybody_would_miss_it_now(
    stand: "Stand", monkeypatch: pytest.MonkeyPatch, open_terminal: str | None
) -> None:
    """A site is missed while one of its terminals promises service; without terminals by its calendar, here always."""
    inventory = stand.inventory
    village = inventory.devices.of(inventory.sites.index["tq-chengxiang-xuyu"])
    (unit,) = inventory.devices.of(inventory.sites.index["tq-fagai"])
    (other,) = (one for one in inventory.devices.of(village[0].site + 1) if one.role == "kiosk1")
    stand.polled(Readings())
    for _ in range(2):
        stand.polled(None, unit.id, other.id, *(device.id for device in village))
    beside = [device.id for device in inventory.devices.of(other.site) if device.id != other.id]
    above = [one.id for site in inventory.site_uplinks(other.site) for one in inventory.devices.of(site)]
    stand.polled(Readings(), *beside, *above, *(device.id for device in inventory.devices.of(0)))
    monkeypatch.setattr(
        stand.watch.promises, "in_hours", lambda ordinal: inventory.devices[ordinal].role in (open_terminal, "cpe1")
    )
    found = {
        (sample.labels["node"], sample.labels["class"]): sample.value
        for sample in families(stand)["cuntong_outage_service_promised"].samples
    }
    assert found == {
        ("tq-fagai", ""): 1.0,
        (other.id, "kiosk"): 0.0,
        ("tq-chengxiang-xuyu", ""): float(open_terminal is not None),
    }


def test_a_schedule_is_active_in_its_hours(example: Inventory, make_stand: "Callable[[Inventory], Stand]") -> None:
    stand = make_stand(example)
    at = datetime(2026, 11, 18, 10, tzinfo=timezone(timedelta(hours=8)))  # a Wednesday morning
    active = {}
    for hours in (0, 12):
        stand.now = (at + timedelta(hours=hours)).timestamp()
        active[hours] = {s.labels["schedule"]: s.value for s in families(stand)["cuntong_schedule_active"].samples}
    assert set(active[0]) == {"always", *example.calendars}
    for name, calendar in example.calendars.items():
        for hours, found in active.items():
            assert found[name] == in_service_hours(calendar, at.timestamp() + hours * 3600)
    assert active[12]["always"] == 1.0
    assert set(active[0].values()) | set(active[12].values()) == {0.0, 1.0}
    used = {sample.labels["schedule"] for sample in families(stand)["cuntong_site_info"].samples}
    assert used <= set(active[0])


def test_two_things_of_one_name_are_one_series(stand: "Stand") -> None:
    twins = Readings(
        sensors=(Sensor("temperature", "cpu", 40.0, "celsius"), Sensor("temperature", "cpu", 50.0, "celsius"))
    )
    stand.polled(twins, ROUTER)
    assert samples(stand, "cuntong_device_temperature_celsius") == [40.0]


def test_large_counters_keep_their_octets(stand: "Stand") -> None:
    stand.polled(Readings(interfaces=(port("GigabitEthernet0/0/0", in_octets=123_456_789_012_345),)), ROUTER)
    assert samples(stand, "cuntong_link_receive_bytes_total") == [123_456_789_012_345.0]


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(names)
def test_a_label_value_comes_back_as_it_went(name: str) -> None:
    text = SITE_INFO.head() + series(SITE_INFO, *("x",) * (len(SITE_INFO.labels) - 1), name) + "1\n"
    (family,) = text_string_to_metric_families(text)
    assert family.samples[0].labels["name"] == name


def test_a_lost_echo_is_loss_without_a_round_trip(stand: "Stand") -> None:
    stand.echoes.answered(0, stand.echoes.sent(0, 1.0), 1.004)
    stand.echoes.lost(1, stand.echoes.sent(1, 1.0))
    first, second = stand.inventory.devices[0].id, "tq-fagai-cpe1"
    found = families(stand)
    loss = {sample.labels["link"]: sample.value for sample in found["cuntong_link_probe_loss_ratio"].samples}
    rtt = {sample.labels["link"]: sample.value for sample in found["cuntong_link_probe_rtt_seconds"].samples}
    assert loss == {first: 0.0, second: 1.0}
    assert rtt == {first: 0.004}


def test_escaping_is_that_of_the_format() -> None:
    assert escape('a\\b"c\nd') == 'a\\\\b\\"c\\nd'


def test_a_series_needs_a_value_for_each_label() -> None:
    with pytest.raises(ValueError, match="zip"):
        series(SITE_INFO, "too", "few")


def test_hostile_words_of_a_device_stay_its_own_label(stand: "Stand") -> None:
    words = ["\x00", "\x01", "\x02", "%s", "%", '"} 1\n', "\\"]
    hot = Readings(
        sensors=tuple(Sensor("temperature", f"{word}{at}", 20.0, "celsius") for at, word in enumerate(words))
    )
    stand.polled(hot, ROUTER)
    found = families(stand)["cuntong_device_temperature_celsius"].samples
    expected = [re.sub("[\x00-\x02]", "\ufffd", f"{word}{at}") for at, word in enumerate(words)]
    assert [sample.labels["sensor"] for sample in found] == expected
    assert {sample.labels["device"] for sample in found} == {ROUTER}


def test_a_hostile_name_stays_one_label(
    example: Inventory, make_stand: "Callable[[Inventory], Stand]", tmp_path: Path
) -> None:
    import shutil

    folder = tmp_path / "county"
    shutil.copytree(example.folder, folder)
    file = folder / "county.yml"
    text = file.read_text("utf-8")
    old = '  village_site: "{place}便民服务室"'
    assert text.count(old) == 1
    file.write_text(text.replace(old, "  village_site: '{place}\"} 1 \\'"), "utf-8")
    stand = make_stand(load(folder))
    names = {s.labels["name"] for s in families(stand)["cuntong_site_info"].samples}
    assert len(names) == 142
    assert len([name for name in names if name.endswith('"} 1 \\')]) == 96


def test_promtool_accepts_the_text(stand: "Stand", program: Any) -> None:
    promtool = program.path("promtool")
    stand.polled(FULL)
    stand.polled(None, KIOSK)
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=stand.text.render(), capture_output=True, timeout=60, check=False
    )
    assert (checked.returncode, checked.stderr.decode()) == (0, "")
