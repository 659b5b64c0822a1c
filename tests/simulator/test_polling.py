"""What a collector reads out of every personality: the whole way over loopback, through profiles to readings."""

import time
from collections.abc import Callable

import pytest

from collectors.errors import SilentDeviceError
from collectors.one_shot import poll_once
from health.reading import Readings
from inventory.profiles import load_profiles
from simulator.county import County, Graph, Terminal
from simulator.dial import address_of
from simulator.faults import Fault, PaperJam, PaperOut, PeripheralFault, Reboot, Silent, TonerLow
from simulator.loopback import Listener
from simulator.personality import personalities
from simulator.snmp_agent import Agent

CLASSES = {"linux-kiosk": "kiosk", "printer-mib": "printer", "ups-mib": "ups"}


async def poll(name: str, *faults: Fault, serial: str = "", model: str = "default") -> Readings:
    """Polls one device, ``d7`` at site ``here``, of the personality with this name."""
    kind = next(kind for kind in personalities() if kind.name == name)
    device_class = CLASSES.get(kind.profile, "router")
    terminals = [
        Terminal(
            o, f"d{o}", "here", device_class, kind.profile, "v", model, serial, f"tq-here-d{o}", place="某村便民服务室"
        )
        for o in range(8)
    ]
    county = County(Graph(terminals), time.time)
    for fault in faults:
        county.inject(fault)
    listener = Listener(Agent(county, kinds=[kind]), 0)
    try:
        return await poll_once(address_of(7), listener.port, "public", load_profiles(), timeout_s=5)
    finally:
        listener.close()


@pytest.mark.parametrize(
    ("name", "model", "identity", "ports", "counts"),
    [
        pytest.param(
            "huawei-vrp", "ar651",
            ("Huawei", "AR651", "VRP", "2150010157CT00000007"),
            ["InLoopBack0", "NULL0", "GigabitEthernet0/0/0", "GigabitEthernet0/0/1", "GigabitEthernet0/0/2",
             "GigabitEthernet0/0/4", "Cellular0/0/0", "Vlanif1"],
            (1, 1, 0, 1), id="huawei",
        ),
        pytest.param(
            "h3c-comware", "msr3610",
            ("H3C", "MSR3610", "Comware", "210235A0CT0000000007"),
            ["GigabitEthernet0/0", "GigabitEthernet0/1", "GigabitEthernet0/2", "Cellular0/0", "NULL0", "InLoopBack0",
             "Vlan-interface1"],
            (1, 1, 0, 1), id="h3c new style",
        ),
        pytest.param(
            "h3c-comware-compatible", "default",
            ("H3C", "MSR30-16", "Comware", "210235A0CT0000000007"),
            ["GigabitEthernet0/0", "GigabitEthernet0/1", "Serial2/0", "NULL0"],
            (1, 1, 0, 2), id="h3c compatible style",
        ),
        pytest.param(
            "ruijie-rgos", "rsr20",
            ("Ruijie", "RSR20-X", "RGOS", "CT00000000007"),
            ["GigabitEthernet 0/0", "GigabitEthernet 0/1", "FastEthernet 1/0", "FastEthernet 1/1", "VLAN 1"],
            (1, 1, 0, 1), id="ruijie",
        ),
        pytest.param(
            "linux-router", "frr-box", ("Linux", "Generic ARM 64-bit", "Linux", None),
            ["lo", "eth0", "eth1", "wwan0"], (2, 4, 1, 0), id="linux router",
        ),
        pytest.param(
            "linux-kiosk", "kiosk-uos", ("Linux", "Generic x86 64-bit", "Linux", None),
            ["lo", "enp2s0"], (2, 6, 2, 0), id="kiosk",
        ),
        pytest.param(
            "printer-mib", "laser-a4", ("HP", "LaserJet MFP M130nw", None, "VNCT000007"),
            ["HP ETHERNET MULTI-ENVIRONMENT"], (0, 1, 0, 0), id="printer",
        ),
        pytest.param("ups-mib", "c3k", ("HUAWEI", "UPS2000-A-3KTTS", None, None), ["eth0"], (0, 0, 0, 1), id="ups"),
        pytest.param("generic", "what", (None, None, None, None), ["eth0"], (0, 0, 0, 0), id="generic"),
    ],
)  # fmt: skip
async def test_a_poll_reads_a_personality_completely(
    name: str,
    model: str,
    identity: tuple[str | None, ...],
    ports: list[str],
    counts: tuple[int, int, int, int],
) -> None:
    readings = await poll(name, model=model)
    found = readings.identity
    assert (found.vendor, found.model, found.os, found.serial) == identity
    temperatures = [sensor for sensor in readings.sensors if sensor.kind == "temperature"]
    assert found.profile == next(kind.profile for kind in personalities() if kind.name == name)
    assert found.sys_name == "tq-here-d7"
    assert [interface.name for interface in readings.interfaces] == ports
    assert (len(readings.processors), len(readings.memory), len(readings.storage), len(temperatures)) == counts
    assert readings.problems == ()
    assert readings.uptime_seconds is not None
    assert readings.uptime_seconds > 86_400
    for processor in readings.processors:
        assert processor.usage_ratio is not None
        assert 0 < processor.usage_ratio < 0.6
    for store in (*readings.memory, *readings.storage):
        assert store.total_bytes is not None
        assert store.used_bytes is not None
        assert store.used_ratio is not None
        assert 0 < store.used_bytes <= store.total_bytes
        assert abs(store.used_bytes / store.total_bytes - store.used_ratio) < 0.02
    for interface in readings.interfaces:
        assert interface.admin_up is not None
        assert interface.oper_up is not None
        assert interface.in_octets is not None
        assert interface.out_errors is not None
        if interface.oper_up and interface.speed_bps and interface.name != "lo":
            assert interface.in_octets > 0
    for sensor in temperatures:
        assert sensor.unit == "celsius"
        assert isinstance(sensor.value, int | float)
        assert 15 < sensor.value < 60


async def test_the_serial_number_of_the_inventory_is_what_the_device_says() -> None:
    assert (await poll("huawei-vrp", serial="2102-OURS")).identity.serial == "2102-OURS"


@pytest.mark.parametrize(
    ("faults", "status", "errors"),
    [
        pytest.param([], "idle", (), id="well"),
        pytest.param([PaperOut("d7")], "other", ("no_paper",), id="no paper"),
        pytest.param([TonerLow("d7")], "idle", ("low_toner",), id="little toner"),
        pytest.param([PaperJam("d7"), TonerLow("d7")], "other", ("low_toner", "jammed"), id="jam and toner"),
    ],
)
async def test_a_poll_of_a_printer_tells_its_faults(faults: list[Fault], status: str, errors: tuple[str, ...]) -> None:
    printer = (await poll("printer-mib", *faults)).printer
    assert printer is not None
    assert (printer.status, printer.errors) == (status, errors)
    assert [(supply.name, supply.kind) for supply in printer.supplies] == [
        ("Black Cartridge HP CF217A", "toner"), ("Imaging Drum HP CF219A", "drum")
    ]  # fmt: skip
    (toner, _), (tray,) = printer.supplies, printer.trays
    assert toner.ratio is not None
    assert (toner.ratio < 0.1) == (TonerLow("d7") in faults)
    assert (tray.ratio == 0) == (PaperOut("d7") in faults)
    assert printer.pages is not None
    assert printer.pages > 900


@pytest.mark.parametrize(
    ("fault", "broken"),
    [
        (None, set()),
        (PeripheralFault("d7", "camera"), {"document-camera"}),
        (PeripheralFault("d7", "id_reader"), {"id-card-reader"}),
        (PeripheralFault("d7", "printer"), {"printer"}),
        (PeripheralFault("d7", "screen"), {"screen"}),
    ],
    ids=lambda value: getattr(value, "peripheral", None),
)
async def test_a_poll_of_a_kiosk_tells_which_part_is_broken(fault: Fault | None, broken: set[str]) -> None:
    extends = (await poll("linux-kiosk", *filter(None, [fault]))).extends
    assert {extend.name for extend in extends} == {
        "kiosk-app", "screen", "document-camera", "id-card-reader", "printer"
    }  # fmt: skip
    assert {extend.name for extend in extends if extend.result} == broken
    assert {extend.name for extend in extends if extend.output != "ok"} == broken


async def test_a_poll_of_a_ups_reads_its_battery() -> None:
    ups = (await poll("ups-mib")).ups
    assert ups is not None
    assert (ups.battery_status, ups.charge_ratio, ups.source) == ("normal", 1.0, "normal")
    assert ups.load_ratio is not None
    assert 0.1 < ups.load_ratio < 0.4


async def test_a_poll_after_a_reboot_reads_a_young_device() -> None:
    uptime = (await poll("linux-router", Reboot("d7"))).uptime_seconds
    assert uptime is not None
    assert uptime < 86_400


async def test_a_silent_device_is_silent_to_the_poll(county: County, ordinal: Callable[[str], int]) -> None:
    county.inject(Silent("hill/kiosk1"))
    listener = Listener(Agent(county), 0)
    try:
        with pytest.raises(SilentDeviceError):
            await poll_once(
                address_of(ordinal("hill-kiosk1")), listener.port, "public", load_profiles(), timeout_s=0.05, retries=0
            )
    finally:
        listener.close()
