"""Finding devices: who may be asked, how fast, and what is said beside what is declared."""

import time
from ipaddress import IPv4Address

import pytest

from collectors.discovery import Answer, discover, scope_of
from collectors.matching import Finding, Row, catalogue_entry, compare, propose
from cuntong.demo import EXAMPLE
from health.reading import Identity
from inventory.devices import Device
from inventory.loader import load
from inventory.model import Inventory
from inventory.profiles import load_profiles
from inventory.vocabulary import DeviceClass
from simulator.county import County, from_inventory
from simulator.dial import address_of
from simulator.faults import Silent
from simulator.loopback import Listener
from simulator.snmp_agent import Agent

PROFILES = load_profiles()


@pytest.fixture(scope="module")
def inventory() -> Inventory:
    return load(EXAMPLE)


@pytest.mark.parametrize(
    ("prefix", "addresses", "left_alone"),
    [
        ("10.125.0.0/28", 14, 0),
        ("10.126.0.7/32", 1, 0),
        ("127.64.0.0/29", 6, 0),
        ("2001:db8:1825:1:2::/120", 255, 0),
        ("::1", 1, 0),
    ],
)
def test_what_the_inventory_declares_may_be_asked(
    inventory: Inventory, prefix: str, addresses: int, left_alone: int
) -> None:
    scope = scope_of(prefix, inventory)
    assert (len(scope.addresses), scope.left_alone) == (addresses, left_alone)


@pytest.mark.parametrize(
    ("prefix", "why"),
    [
        ("10.99.0.0/24", "is not ours to ask: choose within 10.126.0.0/22, "),
        ("10.126.12.0/24", "is not ours to ask"),  # the managers
        ("10.124.0.0/15", "is not ours to ask"),
        ("127.0.0.0/8", "has more than 65536 addresses: ask a part of it"),
        ("2001:db8::/64", "is not ours to ask"),
        ("nowhere", "is no prefix such as"),
    ],
)
def test_everything_else_is_refused_in_one_line(inventory: Inventory, prefix: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as refusal:
        scope_of(prefix, inventory)
    assert "\n" not in str(refusal.value)


async def test_a_simulated_prefix_is_found_as_it_is_declared(inventory: Inventory) -> None:
    county = County(from_inventory(inventory), time.time)
    silent = inventory.devices[9]
    county.inject(Silent(silent.id))
    listener = Listener(Agent(county), 0)
    asked = [address_of(ordinal) for ordinal in range(375, 385)] + [address_of(ordinal) for ordinal in range(20)]
    try:
        answers = await discover(
            asked, listener.port, [b"wrong-one", b"public"], PROFILES, per_second=1000, timeout_s=0.5, retries=0
        )
    finally:
        listener.close()
    declared = {address_of(device.ordinal): device for device in inventory.devices}
    rows = compare(asked, answers, declared, inventory.models)
    assert [(row.device, row.finding) for row in rows] == [
        (inventory.devices[n].id, Finding.SILENT if n == silent.ordinal else Finding.AS_DECLARED) for n in range(20)
    ]
    assert propose(rows, inventory, PROFILES).devices == ()


async def test_no_more_are_asked_each_second_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("collectors.discovery.asyncio.sleep", sleep)
    asked = [f"127.64.0.{n}" for n in range(1, 101)]
    await discover(asked, 9, [b"public"], PROFILES, per_second=5, timeout_s=0.05, retries=0)
    assert waits == pytest.approx([n / 5 for n in range(100)], abs=5)  # the hundredth begins twenty seconds later


def device(inventory: Inventory, model: str) -> Device:
    return next(device for device in inventory.devices if device.model == model)


@pytest.mark.parametrize(
    ("model", "identity", "why"),
    [
        pytest.param("ar651", Identity("Huawei", "AR651C", profile="huawei-vrp"), "", id="a variant is the same"),
        pytest.param("msr830", Identity("H3C", "MSR830-6BHI-WiNet", profile="h3c-comware"), "", id="spelt together"),
        pytest.param("kiosk-uos", Identity("Linux", "Generic x86 64-bit", profile="linux-kiosk"), "", id="no number"),
        pytest.param("laser-a4", Identity("HP", "LaserJet M130", profile="printer-mib"), "", id="any printer"),
        pytest.param(
            "ar651", Identity("Huawei", "AR2220", profile="huawei-vrp"),
            "declared as Huawei AR651, answers as AR2220", id="another model",
        ),
        pytest.param(
            "ar651", Identity("H3C", "MSR830", profile="h3c-comware"),
            "declared as huawei-vrp, answers as h3c-comware", id="another vendor",
        ),
        pytest.param(
            "ar651", Identity("Ruijie", "AR651", profile="huawei-vrp"),
            "declared from Huawei, answers as from Ruijie", id="another name on it",
        ),
    ],
)  # fmt: skip
def test_another_device_than_declared_is_named(inventory: Inventory, model: str, identity: Identity, why: str) -> None:
    declared = device(inventory, model)
    [row] = compare(["a"], [Answer("a", identity)], {"a": declared}, inventory.models)
    assert (row.finding, row.why) == (Finding.OTHER if why else Finding.AS_DECLARED, why)


def test_one_that_answers_and_refuses_is_no_silence(inventory: Inventory) -> None:
    [row] = compare(["a"], [Answer("a", None, "the device does not know this user")], {}, inventory.models)
    assert (row.finding, row.device, row.why) == (Finding.REFUSED, None, "the device does not know this user")


def test_lines_are_proposed_where_the_address_tells_the_place(inventory: Inventory) -> None:
    site = inventory.sites.index["tq-chengxiang-xuyu"]
    prefix = inventory.prefixes(site)["gov_public"]
    kiosk, printer, elsewhere = (str(IPv4Address(int(prefix.network_address) + n)) for n in (10, 17, 2))
    found = [
        (kiosk, Identity("Linux", "Generic x86 64-bit", profile="linux-kiosk")),
        (printer, Identity("Ricoh", "MP C3002", profile="printer-mib")),
        (elsewhere, Identity("Maipu", 'MP "7500"', sys_name="spare", profile="maipu-mypower")),
    ]
    rows = [Row(address, Finding.NOT_DECLARED, None, identity) for address, identity in found]
    proposal = propose(rows, inventory, PROFILES)
    assert proposal.models == (
        'mp-7500: {title: "Maipu MP \\"7500\\"", vendor: "Maipu", class: router, profile: maipu-mypower}',
    )
    assert proposal.devices == (
        "511825100002:  # 徙榆社区便民服务室 (tq-chengxiang-xuyu)",
        "  devices: {kiosk3: {model: kiosk-uos}, prt2: {model: laser-a4}}",
        f"# {elsewhere}: mp-7500 (spare) at no site's place",
    )


def test_a_device_that_does_not_tell_its_model_keeps_the_one_that_is_declared() -> None:
    inventory = load(EXAMPLE)
    for declared in ("ar651", "ar1220"):
        told = catalogue_entry(Identity(profile="huawei-vrp"), DeviceClass.ROUTER, inventory, declared)
        assert told == (declared, None)
    named = Identity(profile="huawei-vrp", model="AR1220C-S")
    assert catalogue_entry(named, DeviceClass.ROUTER, inventory, "ar651")[0] == "ar1220"
    other = catalogue_entry(Identity(profile="linux-router"), DeviceClass.ROUTER, inventory, "ar651")
    assert other == ("frr-box", None)
