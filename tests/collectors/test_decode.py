"""From raw values to readings: text, numbers, sentinels, clocks, names, printers."""

import struct
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.decode import Survey, compile_profiles, records, values
from collectors.decode.survey import SYS_DESCR, SYS_NAME, SYS_OBJECT_ID
from collectors.snmp import ber
from collectors.snmp.message import Value
from collectors.snmp.poll import Findings
from health.reading import Printer, Readings, Sensor, Store, Supply
from health.site import faults
from inventory.profiles import Module, Profile, Source, load_profiles

TEXTS = [
    pytest.param(b"GigabitEthernet0/0/1", "GigabitEthernet0/0/1", id="ASCII"),
    pytest.param("始阳镇便民服务中心".encode(), "始阳镇便民服务中心", id="UTF-8"),
    pytest.param("始阳镇便民服务中心".encode("gb18030"), "始阳镇便民服务中心", id="GB18030"),
    pytest.param(b"eth0\x00\x00", "eth0", id="trailing NULs"),
    pytest.param("上联口".encode()[:-1], "上联", id="UTF-8 cut inside a character"),
    pytest.param(b"\xff\xfe\xff", "ÿþÿ", id="neither"),
    pytest.param(b"", "", id="empty"),
    pytest.param(12, "12", id="a number where text should be"),
    pytest.param(None, None, id="nothing"),
]


@pytest.mark.parametrize(("raw", "text"), TEXTS)
def test_text_is_utf_8_then_gb18030(raw: Value, text: str | None) -> None:
    assert values.text(raw) == text


@given(st.binary(max_size=200))
def test_any_octets_become_some_text(raw: bytes) -> None:
    assert isinstance(values.text(raw), str)


CONVERSIONS = [
    pytest.param({}, 7, 7, id="a number"),
    pytest.param({}, b"\x9f\x78\x04\x41\x20\x00\x00", 10.0, id="a float of net-snmp"),
    pytest.param({}, b"9.4", 9.4, id="digits as text"),
    pytest.param({}, b"n/a", None, id="no digits as text"),
    pytest.param({}, b"nan", None, id="not a number"),
    pytest.param({"scale": 0.01}, 57, 0.57, id="percent are exact"),
    pytest.param({"scale": 1024}, 3, 3072, id="whole factors stay whole"),
    pytest.param({"sentinel": [-1, 2147483647]}, 2147483647, None, id="a mark for unknown"),
    pytest.param({"sentinel": [-1]}, 0, 0, id="a measured zero"),
    pytest.param({"plausible": [-40, 150]}, 255, None, id="beyond the plausible"),
    pytest.param({"scale": 0.01, "plausible": [0, 1]}, 100, 1.0, id="the edge of the plausible"),
    pytest.param({"map": {"1": True, "2": False}}, 2, False, id="a state"),
    pytest.param({"map": {"1": True, "2": False}}, 4, None, id="a state that nobody knows"),
    pytest.param({"map": {"0": 1, "other": 0}}, 4, 0, id="whatever is not listed"),
    pytest.param({"map": {"0": 1, "other": 0}}, 0, 1, id="what is listed beside the rest"),
    pytest.param({"as": "text_number"}, b"-87 dBm", -87, id="a number with its unit"),
    pytest.param({"as": "text_number"}, b'"262.355 MB', 262.355, id="a number behind a stray quote"),
    pytest.param({"as": "text_number"}, b"--", None, id="a text without a number"),
    pytest.param(
        {"as": "text_number", "capture": r"([\d.]+) Watt"}, b"3: 41.9 Watt", 41.9, id="the number behind others"
    ),
    pytest.param({"as": "text_number", "capture": "load"}, b"cpu 3", None, id="no such number"),
    pytest.param({"as": "size"}, b'"262.355 MB', 275099156, id="a size with its unit"),
    pytest.param({"as": "size"}, b"memory-total: 8089344kB", 8089344 * 1024, id="a labelled size"),
    pytest.param({"as": "size"}, b"9.9G", 10630044058, id="a size with half a unit"),
    pytest.param({"as": "size"}, b"15 PERCENT", 15, id="a word is no unit"),
    pytest.param({"as": "size"}, b"N/A", None, id="no size"),
    pytest.param({"as": "size"}, 4096, 4096, id="a size as a number"),
    pytest.param({"as": "unsigned"}, -2_009_411_350, 2_285_555_946, id="a count that overflowed its sign"),
    pytest.param({"as": "unsigned"}, 7, 7, id="a count that did not"),
    pytest.param(
        {"as": "text", "capture": r"PF:(v\S+).*AF1:(v\S+)", "join": " / "},
        b"PF:v7.0.8 PN:x AF1:v7.0.8 MN:y",
        "v7.0.8 / v7.0.8",
        id="two parts of a text",
    ),
    pytest.param({"as": "text_number", "dbm_from": "milliwatt"}, b"1.000000", 0.0, id="milliwatts as text"),
    pytest.param({"as": "oid"}, ber.encode_oid("1.3.6.1.2.1.25.2.1.4"), "1.3.6.1.2.1.25.2.1.4", id="an identifier"),
    pytest.param({"as": "text", "capture": r"Version (\S+)"}, b"VRP Version 5.170 (AR)", "5.170", id="a captured part"),
    pytest.param({"as": "text", "capture": r"Version (\S+)"}, b"nothing", None, id="nothing to capture"),
    pytest.param({"dbm_from": "microwatt_or_centidbm"}, 1000, 0.0, id="microwatts"),
    pytest.param({"dbm_from": "microwatt_or_centidbm"}, -849, -8.49, id="hundredths of dBm"),
    pytest.param({"dbm_from": "microwatt_or_centidbm"}, 0, None, id="no light is no number"),
    pytest.param({"as": "bits", "bits": ["low_paper", "no_paper"]}, b"\xc0", ("low_paper", "no_paper"), id="bits"),
    pytest.param(
        {"as": "bits", "bits": ["low_paper", "no_paper"]}, b"\x40\xff", ("no_paper",), id="more octets than names"
    ),
    pytest.param({"as": "bits", "bits": ["low_paper", "no_paper"]}, b"", (), id="no bit set"),
]


@pytest.mark.parametrize(("source", "raw", "reading"), CONVERSIONS)
def test_a_raw_value_becomes_a_reading(source: dict[str, Any], raw: Value, reading: object) -> None:
    convert = values.converter(Source.model_validate({"oid": "1.3.6.1.4.1.99.1", **source}))
    assert convert(raw) == reading
    assert convert(None) is None


CLOCKS = [
    pytest.param((100.0, None, None), 100.0, id="one clock"),
    pytest.param((37_219_000.0, 166_068_000.0, None), 166_068_000.0, id="sysUpTime wrapped three times"),
    pytest.param((23_400_000.0, 947_306_093.0, None), 23_400_000.0, id="an engine time of thirty years"),
    pytest.param((500.0, -4.0, None), 500.0, id="a negative engine time"),
    pytest.param((2_082_240.0, 2_082_000.0, 11_179_784.0), 11_179_784.0, id="the agent is younger than the host"),
    pytest.param((None, None, None), None, id="no clock at all"),
]


@pytest.mark.parametrize(("clocks", "uptime"), CLOCKS)
def test_uptime_is_the_largest_plausible_clock(clocks: tuple[Any, Any, Any], uptime: float | None) -> None:
    assert records.uptime(*clocks) == uptime


NAMES = [
    pytest.param([("eth0", "eth0", 1), ("eth1", "eth1", 2)], ["eth0", "eth1"], id="names that differ"),
    pytest.param([(None, "Ethernet 1", 1), (None, None, 2)], ["Ethernet 1", "if2"], id="ifDescr, then the index"),
    pytest.param(
        [("lan", "port 1", 1), ("lan", "port 2", 2)], ["port 1", "port 2"], id="twins that their descriptions part"
    ),
    pytest.param([("wan", "wan", 9), ("wan", "wan", 3)], ["wan #2", "wan"], id="twins in all are counted by index"),
]


@pytest.mark.parametrize(("ports", "names"), NAMES)
def test_every_port_has_a_name_of_its_own(ports: list[tuple[str | None, str | None, int]], names: list[str]) -> None:
    assert records.distinct_names(ports) == names


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from(["a", "c", None]), st.integers(1, 99)),
        unique_by=lambda port: port[2],
    )
)
def test_port_names_never_collide(ports: list[tuple[str | None, str | None, int]]) -> None:
    names = records.distinct_names(ports)
    assert len(set(names)) == len(ports)


STORES = [
    pytest.param((None, 100, 30, None, None, None, None), (100, 30, 0.3), id="bytes"),
    pytest.param((4096, 10, 5, None, None, None, None), (40960, 20480, 0.5), id="units"),
    pytest.param((1024, 100, 90, None, 10, 30, None), (102400, 51200, 0.5), id="buffers and cache are not use"),
    pytest.param((None, 1000, None, None, None, None, 0.58), (1000, 580, 0.58), id="a share of a known size"),
    pytest.param((None, None, None, None, None, None, 0.13), (None, None, 0.13), id="only a share"),
    pytest.param((None, 0, 0, None, None, None, None), (None, 0, None), id="a size of nothing is no size"),
]


@pytest.mark.parametrize(("given_fields", "expected"), STORES)
def test_a_store_says_what_follows_and_no_more(given_fields: tuple[Any, ...], expected: tuple[Any, ...]) -> None:
    assert records.store("ram", *given_fields) == Store("ram", *expected)


SUPPLIES = [
    pytest.param((100, 54, None), 0.54, id="level of capacity"),
    pytest.param((None, None, None), None, id="some is left, nobody knows how much"),
    pytest.param((12_000, 11_501, 7), 11_501 / 12_000, id="pages of a drum"),
    pytest.param((None, 70, 19), 0.7, id="percent without a maximum"),
    pytest.param((None, 70, 7), None, id="pages without a maximum"),
    pytest.param((100, 130, None), 1.0, id="fuller than full"),
    pytest.param((15_000, 3_000, 7), 0.2, id="the room that is left in a waste box"),
    pytest.param((100, 0, 19), 0.0, id="an empty cartridge is measured"),
]


@pytest.mark.parametrize(("supply", "ratio"), SUPPLIES)
def test_a_supply_has_a_ratio_only_where_one_follows(supply: tuple[Any, Any, Any], ratio: float | None) -> None:
    assert records.supply("toner", "toner", *supply) == Supply("toner", "toner", ratio)


def test_a_device_status_alone_makes_no_printer() -> None:
    assert records.printer(("running", None, None, None), [], []) is None
    assert records.printer(("warning", None, ("no_paper",), None), [], []) == Printer("warning", ("no_paper",), (), ())


# ---- surveys and plans


def survey_of(profiles: dict[str, Profile], objects: dict[str, Value]) -> tuple[Any, Findings]:
    """Plays an agent that holds these instances, by hand: GETs and walks answered from a dictionary."""
    held = {ber.encode_oid(oid): value for oid, value in objects.items()}
    survey, found = Survey(compile_profiles(profiles)), Findings(answered=True)
    rounds = 0
    while True:
        names, groups = survey.choose(found)
        if not names and not groups:
            return survey.result(found), found
        rounds += 1
        assert rounds < 20
        found.scalars.update({name: held[name] for name in names if name in held})
        for column in (column for group in groups for column in group):
            rows = {oid[len(column) :]: value for oid, value in held.items() if oid.startswith(column)}
            found.columns[column] = rows


COMMON: dict[str, Value] = {
    "1.3.6.1.2.1.1.1.0": b"Some maker's device",
    "1.3.6.1.2.1.1.2.0": ber.encode_oid("1.3.6.1.4.1.99999.1"),
    "1.3.6.1.2.1.1.3.0": 100,
    "1.3.6.1.2.1.1.5.0": b"unknown-device",
}


def test_an_unknown_model_yields_the_standard_tables_and_says_so() -> None:
    surveyed, _ = survey_of(load_profiles(), {**COMMON, "1.3.6.1.2.1.2.2.1.2.4": b"port 4", "1.3.6.1.2.1.2.2.1.8.4": 7})
    assert surveyed.readings.identity.profile == "generic"
    assert surveyed.readings.identity.sys_name == "unknown-device"
    assert [(port.name, port.if_index, port.oper_up) for port in surveyed.readings.interfaces] == [("port 4", 4, False)]


def test_64_bit_counters_are_preferred_row_by_row() -> None:
    objects: dict[str, Value] = {**COMMON}
    for index in (1, 2):
        objects[f"1.3.6.1.2.1.2.2.1.2.{index}"] = f"eth{index}".encode()
        objects[f"1.3.6.1.2.1.2.2.1.8.{index}"] = 1
        objects[f"1.3.6.1.2.1.2.2.1.10.{index}"] = 5
    objects["1.3.6.1.2.1.31.1.1.1.6.1"] = 2**40 + 5
    surveyed, _ = survey_of(load_profiles(), objects)
    assert [port.in_octets for port in surveyed.readings.interfaces] == [2**40 + 5, 5]
    asked = {ber.decode_oid(oid) for names in surveyed.plan.requests for oid in names.oids}
    assert {"1.3.6.1.2.1.31.1.1.1.6.1", "1.3.6.1.2.1.2.2.1.10.2"} <= asked
    assert not {"1.3.6.1.2.1.2.2.1.10.1", "1.3.6.1.2.1.31.1.1.1.6.2"} & asked


SPEEDS = [
    pytest.param(1_000_000_000, 1000, 1_000_000_000, id="both agree"),
    pytest.param(4_294_967_295, 10_000, 10_000_000_000, id="too fast for 32 bits"),
    pytest.param(2_048_000, 2, 2_048_000, id="a slow line that megabits would round"),
    pytest.param(64_000, 0, 64_000, id="slower than a megabit"),
    pytest.param(0, 0, None, id="no speed is unknown"),
    pytest.param(None, 6, 6_000_000, id="megabits only"),
]


@pytest.mark.parametrize(("if_speed", "if_high_speed", "speed_bps"), SPEEDS)
def test_speed_comes_from_whichever_object_can_say_it(
    if_speed: int | None, if_high_speed: int, speed_bps: int | None
) -> None:
    objects: dict[str, Value] = {**COMMON, "1.3.6.1.2.1.2.2.1.2.1": b"wan", "1.3.6.1.2.1.2.2.1.8.1": 1}
    objects["1.3.6.1.2.1.31.1.1.1.15.1"] = if_high_speed
    if if_speed is not None:
        objects["1.3.6.1.2.1.2.2.1.5.1"] = if_speed
    surveyed, _ = survey_of(load_profiles(), objects)
    assert surveyed.readings.interfaces[0].speed_bps == speed_bps


def test_a_table_that_the_device_lacks_costs_one_column() -> None:
    profiles = load_profiles()
    survey, found = Survey(compile_profiles(profiles)), Findings(answered=True)
    survey.choose(found)
    found.scalars.update(
        {SYS_DESCR: b"VRP (R) software", SYS_OBJECT_ID: ber.encode_oid("1.3.6.1.4.1.2011.2.224.62"), SYS_NAME: b"r"}
    )
    asked: list[bytes] = []
    while True:
        names, groups = survey.choose(found)
        if not names and not groups:
            break
        asked += [column for group in groups for column in group]
        found.columns.update({column: {} for column in asked if column not in found.columns})
    assert ber.encode_oid("1.3.6.1.2.1.47.1.1.1.1.7") not in asked, "names of boards that are not there"
    assert len(asked) == len(set(asked)), "no column is asked twice"


def test_a_steady_poll_reads_as_the_survey_did_and_its_vanished_values_are_unknown() -> None:
    objects: dict[str, Value] = {**COMMON, "1.3.6.1.2.1.2.2.1.2.1": b"wan", "1.3.6.1.2.1.2.2.1.8.1": 1}
    surveyed, _ = survey_of(load_profiles(), objects)
    held = {ber.encode_oid(oid): value for oid, value in objects.items()}
    row = [held[oid] for names in surveyed.plan.requests for oid in names.oids]
    assert surveyed.plan.decode(row, surveyed.base) == surveyed.readings
    empty = surveyed.plan.decode([], surveyed.base)
    assert (empty.uptime_seconds, empty.interfaces[0].name, empty.interfaces[0].oper_up) == (None, "wan", None)


def test_the_compatible_mib_style_of_comware_is_read_as_the_new_one() -> None:
    readings = []
    for enterprise in ("25506.2", "2011.10.2"):
        objects: dict[str, Value] = {
            **COMMON,
            "1.3.6.1.2.1.1.2.0": ber.encode_oid("1.3.6.1.4.1.25506.1.578"),
            "1.3.6.1.2.1.47.1.1.1.1.5.30": 9,
            "1.3.6.1.2.1.47.1.1.1.1.7.30": b"Board 1",
            f"1.3.6.1.4.1.{enterprise}.6.1.1.1.1.6.30": 12,
            f"1.3.6.1.4.1.{enterprise}.6.1.1.1.1.8.30": 55,
            f"1.3.6.1.4.1.{enterprise}.6.1.1.1.1.10.30": 1000,
        }
        surveyed, _ = survey_of(load_profiles(), objects)
        readings.append(surveyed.readings)
    assert readings[0] == readings[1]
    assert [(p.name, p.usage_ratio) for p in readings[0].processors] == [("Board 1", 0.12)]
    assert readings[0].memory == (Store("Board 1", 1000, 550, 0.55),)


def test_a_module_that_failed_is_named_while_the_others_come() -> None:
    profile = Profile(
        modules={
            "clock": Module.model_validate({"gives": "uptime", "columns": {"agent": {"oid": "1.3.6.1.2.1.1.3.0"}}}),
            "scripts": Module.model_validate(
                {
                    "gives": "extends",
                    "rows": ["output"],
                    "columns": {"name": {"index": "text"}, "output": {"oid": "1.3.6.1.4.1.99.1", "as": "text"}},
                }
            ),
        }
    )
    survey, found = Survey(compile_profiles({"generic": profile})), Findings(answered=True)
    survey.choose(found)
    found.scalars[ber.encode_oid("1.3.6.1.2.1.1.3.0")] = 9
    survey.choose(found)
    found.note("no reply inside column 1.3.6.1.4.1.99.1", ber.encode_oid("1.3.6.1.4.1.99.1"))
    readings: Readings = survey.result(found).readings
    assert readings.uptime_seconds == 9
    assert readings.problems == ("no reply inside column 1.3.6.1.4.1.99.1", "scripts: incomplete")


def test_every_reading_can_be_written_as_json() -> None:
    surveyed, _ = survey_of(load_profiles(), COMMON)
    assert set(surveyed.readings.as_json()) == {field.name for field in fields(Readings)}


# ---- words of the language that concern whole tables


def profile_of(modules: dict[str, dict[str, Any]], **more: Any) -> dict[str, Profile]:
    return {"generic": Profile.model_validate({"modules": modules, **more})}


def test_negative_volumes_overflowed_their_sign_and_are_large() -> None:
    """HOST-RESOURCES-MIB counts in 32 signed bits: a volume of 12 TB in units of 4 KB is below zero."""
    row = "1.3.6.1.2.1.25.2.3.1"
    objects: dict[str, Value] = {
        **COMMON,
        f"{row}.2.1": ber.encode_oid("1.3.6.1.2.1.25.2.1.4"),
        f"{row}.3.1": b"D:\\",
        f"{row}.4.1": 4096,
        f"{row}.5.1": 3_000_000_000 - 2**32,
        f"{row}.6.1": 1_000_000_000,
    }
    surveyed, _ = survey_of(load_profiles(), objects)
    assert surveyed.readings.storage == (Store("D:\\", 3_000_000_000 * 4096, 1_000_000_000 * 4096, 1 / 3),)


def test_a_sensor_names_its_quantity_once() -> None:
    modules = {
        "heat": {
            "gives": "sensors",
            "sensor": "temperature",
            "columns": {"name": {"value": "board"}, "value": {"oid": "1.3.6.1.4.1.99.1.0"}},
        }
    }
    surveyed, _ = survey_of(profile_of(modules), {**COMMON, "1.3.6.1.4.1.99.1.0": 41})
    assert surveyed.readings.sensors == (Sensor("temperature", "board", 41, "celsius"),)


@pytest.mark.parametrize("held", [(), ("1",), ("2",), ("1", "2")])
def test_a_module_may_stand_back_behind_named_others(held: tuple[str, ...]) -> None:
    def sensor(arc: str, **more: Any) -> dict[str, Any]:
        columns = {"name": {"value": f"from {arc}"}, "value": {"oid": f"1.3.6.1.4.1.99.{arc}.0"}}
        return {"gives": "sensors", "sensor": "voltage", "columns": columns, **more}

    modules = {"first": sensor("1"), "other": sensor("3"), "fallback": sensor("2", unless=["first"])}
    objects: dict[str, Value] = {f"1.3.6.1.4.1.99.{arc}.0": 5 for arc in (*held, "3")}
    surveyed, found = survey_of(profile_of(modules), {**COMMON, **objects})
    names = {sensor.name for sensor in surveyed.readings.sensors}
    assert names == {"from 3", *(["from 1"] if "1" in held else ["from 2"] if "2" in held else [])}
    if "1" in held:
        assert ber.encode_oid("1.3.6.1.4.1.99.2.0") not in found.scalars


def test_a_last_module_comes_behind_those_of_the_parts() -> None:
    profile = load_profiles()["sangfor"]
    order = list(profile.modules)
    assert order.index("sangfor-cpu") > order.index("hr-processors")
    assert order.index("sangfor-identity") < order.index("hr-processors")


def test_a_column_may_be_read_at_one_number_of_the_index() -> None:
    """Optics by port and quantity: the port's name stands at the first number."""
    modules = {
        "optics": {
            "gives": "sensors",
            "sensor": "optical_rx",
            "rows": ["value"],
            "columns": {
                "what": {"index": "number"},
                "name": {"oid": "1.3.6.1.2.1.2.2.1.2", "by": "first", "as": "text", "slow": True},
                "value": {"oid": "1.3.6.1.4.1.99.1", "scale": 0.001},
            },
            "keep_if": [{"what": {"among": [4]}}],
        }
    }
    objects: dict[str, Value] = {
        **COMMON,
        "1.3.6.1.2.1.2.2.1.2.272637955": b"uplink",
        "1.3.6.1.4.1.99.1.272637955.1": 36_125,
        "1.3.6.1.4.1.99.1.272637955.4": -2_716,
    }
    surveyed, _ = survey_of(profile_of(modules), objects)
    assert surveyed.readings.sensors == (Sensor("optical_rx", "uplink", -2.716, "dbm"),)


def test_a_router_behind_everybodys_number_is_told_by_an_object_of_its_own() -> None:
    objects: dict[str, Value] = {
        **COMMON,
        "1.3.6.1.2.1.1.1.0": b"Linux gateway 5.4.259 #0 mips",
        "1.3.6.1.2.1.1.2.0": ber.encode_oid("1.3.6.1.4.1.8072.3.2.10"),
        "1.3.6.1.4.1.48690.1.1.0": b"0000000000",
        "1.3.6.1.4.1.48690.1.3.0": b"RUT240000XXX",
        "1.3.6.1.4.1.48690.2.2.1.12.1": b"-71",
        "1.3.6.1.4.1.48690.2.2.1.16.1": b"LTE",
    }
    surveyed, _ = survey_of(load_profiles(), objects)
    identity, (modem,) = surveyed.readings.identity, surveyed.readings.cellular
    assert (identity.profile, identity.vendor, identity.model) == ("teltonika-rutos", "Teltonika", "RUT240")
    assert (modem.interface, modem.rssi_dbm, modem.rsrp_dbm, modem.technology) == ("modem 1", -71, None, "LTE")


def test_optics_without_diagnostics_measure_nothing() -> None:
    """RouterOS sends 0 for every quantity of a module that has no diagnostics; 0 dBm would be a milliwatt."""
    row = "1.3.6.1.4.1.14988.1.1.19.1.1"
    objects: dict[str, Value] = {**COMMON, "1.3.6.1.2.1.1.2.0": ber.encode_oid("1.3.6.1.4.1.14988.1")}
    for port, supply, power in ((1, 3302, -5673), (2, 0, 0)):
        objects |= {f"{row}.2.{port}": f"sfp{port}".encode(), f"{row}.7.{port}": supply, f"{row}.10.{port}": power}
    surveyed, _ = survey_of(load_profiles(), objects)
    assert [(s.name, s.value) for s in surveyed.readings.sensors if s.kind == "optical_rx"] == [("sfp1", -5.673)]


FREQUENCIES = [(500, 50.0), (50, 50), (5000, 50.0), (0, 0), (2147483647, None)]


@pytest.mark.parametrize(("raw", "hertz"), FREQUENCIES)
def test_a_frequency_is_what_a_mains_line_can_have(raw: int, hertz: float | None) -> None:
    objects: dict[str, Value] = {**COMMON, "1.3.6.1.2.1.33.1.2.1.0": 2, "1.3.6.1.2.1.33.1.4.2.0": raw}
    surveyed, _ = survey_of(load_profiles(), objects)
    assert [s.value for s in surveyed.readings.sensors] == ([] if hertz is None else [hertz])


def test_a_pool_of_used_and_free_has_a_size() -> None:
    assert records.store("io", None, None, 30, 70, None, None, None) == Store("io", 100, 30, 0.3)


def test_the_parts_of_an_identity_are_joined() -> None:
    rows = [{"model": "5PX", "variant": "3000", "os_version": "FW: 1", "agent": "NMC: 2"}]
    identity = records.identity(rows, None, None, "p")
    assert (identity.model, identity.os_version) == ("5PX 3000", "FW: 1, NMC: 2")
    assert records.identity([{"model": "5PX 3000", "variant": "3000"}], None, None, "p").model == "5PX 3000"


@given(st.integers(-20_000_000_000, 70_000_000_000), st.integers(-12 * 4, 14 * 4))
def test_a_date_with_its_zone_is_a_moment(tenths: int, quarters: int) -> None:
    local = datetime.fromtimestamp(tenths // 10, timezone(timedelta(minutes=15 * quarters)))
    ahead = abs(quarters) * 15
    zone = (b"+" if quarters >= 0 else b"-", ahead // 60, ahead % 60)
    clock = (local.month, local.day, local.hour, local.minute, local.second, tenths % 10)
    told = values.date_and_time(struct.pack(">H6Bc2B", local.year, *clock, *zone))
    assert told == pytest.approx(tenths / 10, abs=1e-3)


@pytest.mark.parametrize(
    "raw",
    [
        None,
        5,
        b"",
        bytes.fromhex("07ea0b160807310a"),  # no zone: whose time is it
        bytes.fromhex("07ea0b160807310a200800"),  # neither east nor west
        bytes.fromhex("07ea0d160807310a2b0800"),  # a thirteenth month
        bytes.fromhex("00000000000000002b0000"),
    ],
)
def test_a_date_that_is_none_says_nothing(raw: Value) -> None:
    assert values.date_and_time(raw) is None


def test_a_leap_second_is_still_a_time() -> None:
    told = values.date_and_time(bytes.fromhex("07e00c1f173b3c002b0000"))
    assert told == datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()


def _named(*texts: str) -> str:
    """An index of texts, each behind its length."""
    return "".join(f".{len(text)}" + "".join(f".{octet}" for octet in text.encode()) for text in texts)


def test_a_routers_own_probes_are_the_sites_look_at_the_platform() -> None:
    """DISMAN-PING-MIB as an H3C answers it: one test is answered, one is not, one was never started."""
    objects: dict[str, Value] = {**COMMON, "1.3.6.1.2.1.1.2.0": ber.encode_oid("1.3.6.1.4.1.25506.1.578")}
    for test, sent, answers in (("platform", 5, 0), ("rating", 5, 5), ("idle", 0, 0)):
        for column, value in ((6, 12), (7, answers), (8, sent)):
            objects[f"1.3.6.1.2.1.80.1.3.1.{column}{_named('cuntong', test)}"] = value
    readings = survey_of(load_profiles(), objects)[0].readings
    assert {(probe.name, probe.result) for probe in readings.extends} == {("platform", 1), ("rating", 0)}
    assert {probe.output for probe in readings.extends} == {"average round trip in ms: 12"}
    assert faults(readings) == ("platform",)


def test_of_a_huaweis_nqa_results_the_newest_counts() -> None:
    objects: dict[str, Value] = {
        **COMMON,
        "1.3.6.1.2.1.1.1.0": b"Huawei AR651 Huawei Versatile Routing Platform Software",
        "1.3.6.1.2.1.1.2.0": ber.encode_oid("1.3.6.1.4.1.2011.2.224.62"),
    }
    for number, completion in ((41, 2), (42, 2), (43, 1)):  # success is 1, failure 2
        objects[f"1.3.6.1.4.1.2011.5.25.111.4.1.1.3{_named('cuntong', 'platform')}.{number}.1"] = completion
        objects[f"1.3.6.1.4.1.2011.5.25.111.4.1.1.26{_named('cuntong', 'platform')}.{number}.1"] = 9
    readings = survey_of(load_profiles(), objects)[0].readings
    assert [probe.result for probe in readings.extends] == [1, 1, 0]
    assert faults(readings) == ()
