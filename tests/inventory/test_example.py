"""The demo county: the numbers that the acceptance of the whole project rests on."""

import shutil
from collections import Counter
from datetime import date, timedelta
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

import inventory
from inventory.loader import allocate_missing, load
from inventory.model import Inventory
from inventory.utilisation import connection_modes, utilisation
from inventory.vocabulary import Claim, DeviceClass

FOLDER = Path(inventory.__file__).parent / "examples" / "tianquan"
REPO = Path(inventory.__file__).parents[1]


@pytest.fixture(scope="module")
def county() -> Inventory:
    return load(FOLDER)


def test_it_has_142_sites_and_375_devices(county: Inventory) -> None:
    assert Counter(county.sites.types) == {
        "county_center": 1, "county_unit": 35, "township_center": 10, "village_site": 96,
    }  # fmt: skip
    assert Counter(device.device_class for device in county.devices) == {
        DeviceClass.ROUTER: 143, DeviceClass.KIOSK: 126, DeviceClass.PRINTER: 106,
    }  # fmt: skip
    assert len(county.devices) == 375


def test_its_routers_are_2_core_10_township_96_village_and_35_unit(county: Inventory) -> None:
    routers = [device for device in county.devices if device.device_class is DeviceClass.ROUTER]
    at = Counter(county.sites.types[device.site] for device in routers)
    assert at == {"county_center": 2, "township_center": 10, "village_site": 96, "county_unit": 35}
    assert {device.vendor for device in routers} == {"Huawei", "H3C", "Ruijie", "Linux"}


def test_every_township_centre_and_village_has_one_or_two_kiosks(county: Inventory) -> None:
    counts = Counter(
        sum(device.device_class is DeviceClass.KIOSK for device in county.devices.of(i))
        for i, site_type in enumerate(county.sites.types)
        if site_type in ("township_center", "village_site")
    )
    assert counts == {1: 86, 2: 20}


def test_its_96_villages_are_79_villages_and_17_communities(county: Inventory) -> None:
    kinds = Counter(county.nodes.kinds[county.sites.nodes[i]] for i, t in enumerate(county.sites.types) if "vill" in t)
    assert kinds == {"village": 79, "community": 17}


def test_the_names_are_those_of_the_public_list(county: Inventory) -> None:
    source = REPO.parent / "shared" / "divisions" / "tianquan.csv"
    if not source.exists():
        pytest.skip("../shared/divisions is not on this machine")
    public = [line.split(",")[:5] for line in source.read_text("utf-8").splitlines()]
    ours = [line.split(",")[:5] for line in (FOLDER / "divisions.csv").read_text("utf-8").splitlines()]
    assert ours == public


def test_shiyang_holds_its_centre_and_18_villages_all_behind_one_uplink(county: Inventory) -> None:
    node = county.nodes.find("511825101")
    low, high = county.sites.span(node)
    assert high - low == 19
    centre = county.sites.own(node)[0]
    assert county.sites.names[centre] == "始阳镇便民服务中心"
    assert [i for i in range(len(county.sites)) if county.site_uplinks(i) == (centre,)] == list(range(low + 1, high))


def test_routers_hang_on_routers_and_the_rest_on_the_routers_of_their_site(county: Inventory) -> None:
    cores = county.devices.routers(county.sites.index["tq-center"])
    for device in county.devices:
        above = [county.devices[ordinal] for ordinal in device.uplinks]
        if device.device_class is not DeviceClass.ROUTER:
            assert device.uplinks == county.devices.routers(device.site)
        elif county.sites.types[device.site] == "county_center":
            assert above == []
        elif county.sites.types[device.site] == "village_site":
            assert [one.role for one in above] == ["agg1"]
        else:
            assert device.uplinks == cores


def test_every_device_has_its_own_private_address_and_is_found_by_its_id(county: Inventory) -> None:
    addresses = [IPv4Address(device.address) for device in county.devices]
    assert len(set(addresses)) == 375
    assert all(address in IPv4Network("10.0.0.0/8") for address in addresses)
    for ordinal, device in enumerate(county.devices):
        assert county.devices[ordinal] == county.devices.find(device.id) == device
        assert device.ordinal == ordinal
        assert ordinal in county.devices.ordinals(device.site)


@pytest.mark.parametrize("unknown", ["tq-center-core9", "tq-nowhere-cpe1", "tq-center", ""])
def test_a_device_that_does_not_exist_is_a_key_error(county: Inventory, unknown: str) -> None:
    with pytest.raises(KeyError):
        county.devices.find(unknown)


def test_ordinals_outside_are_index_errors_and_slices_are_lists(county: Inventory) -> None:
    with pytest.raises(IndexError):
        county.devices[375]
    assert county.devices[-1] == county.devices[374]
    assert [device.ordinal for device in county.devices[3:6]] == [3, 4, 5]


def test_kiosks_and_printers_stand_at_their_places_in_the_prefix_of_the_site(county: Inventory) -> None:
    site = county.sites.index["tq-chengxiang-xuyu"]
    base = county.prefixes(site)["gov_public"].network_address
    assert {device.role: IPv4Address(device.address) for device in county.devices.of(site)[1:]} == {
        "kiosk1": base + 8, "prt1": base + 16, "kiosk2": base + 9,
    }  # fmt: skip


def test_both_zones_run_in_parallel(county: Inventory) -> None:
    for i in range(len(county.sites)):
        public, internet = county.prefixes(i)["gov_public"], county.prefixes(i)["gov_internet"]
        assert int(internet.network_address) - int(public.network_address) == 1 << 15


def test_every_site_has_ipv6_networks_that_nobody_else_has(county: Inventory) -> None:
    networks = [network for i in range(len(county.sites)) for network in county.prefixes6(i).values()]
    assert len(set(networks)) == len(networks) == 142 * 2 * 4
    assert {network.prefixlen for network in networks} == {64}


def test_each_line_between_routers_has_its_own_30(county: Inventory) -> None:
    links = [network for ordinal in range(375) for _, network in county.p2p(ordinal)]
    assert len(set(links)) == len(links) == 96 + 45 * 2


def test_every_village_is_claimed_in_service_since_the_notice_with_proof(county: Inventory) -> None:
    for i in range(len(county.sites)):
        (claim,) = county.claims(i)
        assert (claim.claim, claim.on) == (Claim.IN_SERVICE, date(2021, 6, 10))
        assert claim.by
        assert claim.proof


def test_lines_are_mixed_and_some_are_reused(county: Inventory) -> None:
    links = [county.link(i) for i in range(len(county.sites))]
    assert {link.link_type for link in links if link} == {"pon", "mstp", "fiber_p2p", "vpdn", "ipsec_inet"}
    assert {link.carrier for link in links if link} == {"telecom", "unicom", "mobile"}
    reused = [link for link in links if link and link.origin != "new"]
    assert {link.origin for link in reused} == {"reused:employment", "reused:distance_education"}
    assert all(link.original_owner for link in reused)


def test_every_kind_of_line_has_a_bandwidth(county: Inventory) -> None:
    assert all(link.bandwidth_mbps for i in range(142) for link in county.links(i))


def test_each_township_has_two_or_three_central_villages(county: Inventory) -> None:
    central = Counter(
        county.nodes.parents[county.sites.nodes[i]] for i in range(len(county.sites)) if county.central(i)
    )
    assert len(central) == 10
    assert set(central.values()) <= {2, 3}


def test_it_has_no_findings(county: Inventory) -> None:
    assert county.findings == ()


def test_its_only_weak_setting_is_waived_in_writing(county: Inventory) -> None:
    assert [waiver.what for waiver in county.waivers] == ["snmp_v2c"]
    assert {device.credential for device in county.devices} == {"community://public"}


def test_its_rules_windows_and_milestones_are_those_of_the_notices(county: Inventory) -> None:
    assert county.coverage_rules.windows == {
        "reachable": timedelta(hours=24), "working": timedelta(days=7), "used": timedelta(days=30),
        "peripherals": timedelta(days=7), "platform": timedelta(days=7), "open": timedelta(days=366),
    }  # fmt: skip
    assert county.coverage_rules.denominators["default"] == ("village", "community")
    milestones = {milestone.id: milestone for milestone in county.milestones}
    assert milestones["g50-centres"].due == date(2021, 12, 10)
    assert milestones["g50-centres"].conditions == ("built", "connected", "in_service", "kiosk")
    assert milestones["g51-central"].target_ratio == 0.7
    assert milestones["g51-items"].qualitative


def test_every_profile_of_the_catalogue_loads(county: Inventory) -> None:
    assert {model.profile for model in county.models.values()} <= set(county.profiles)


def test_allocating_again_adds_nothing(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    assert allocate_missing(tmp_path) == []
    assert (tmp_path / "addresses.lock").read_bytes() == (FOLDER / "addresses.lock").read_bytes()


def test_utilisation_counts_what_sites_hold(county: Inventory) -> None:
    uses = utilisation(county)
    blocks = [use for use in uses if use.kind == "block" and use.vrf == "gov_public"]
    assert sum(use.used for use in blocks) == 11 * 256 + (96 + 35) * 64
    pool = next(use for use in uses if use.kind == "pool" and use.vrf == "gov_internet")
    assert pool.used == sum(use.total for use in blocks)
    loopbacks = next(use for use in uses if use.kind == "loopbacks")
    assert (loopbacks.used, loopbacks.total) == (143, 1024)


def test_connection_modes_are_counted_per_tier(county: Inventory) -> None:
    modes = connection_modes(county)
    assert {tier: sum(counts.values()) for tier, counts in modes.items()} == {
        "county": 36, "township": 10, "village": 96,
    }  # fmt: skip


def test_the_site_view_says_everything_at_once(county: Inventory) -> None:
    site = county.site(county.sites.index["tq-chengxiang"])
    assert (site.code, site.division, site.kind, site.name) == (
        "511825100000", "城厢镇", "town", "城厢镇便民服务中心",
    )  # fmt: skip
    assert site.aliases == ("城厢镇便民服务大厅",)
    assert site.windows == {"general": 4, "agent": 1}
    assert site.responsible == "天全县政务服务和大数据管理局"
    assert site.service_calendar == "office"
    assert site.link is not None
    assert (site.link.circuit, site.link.bandwidth_mbps, site.link.uplink) == ("TQ-1000", 500, 0)


@pytest.mark.parametrize("code", ["51", "5118", "511825999", "5118251", ""])
def test_codes_outside_the_county_are_key_errors(county: Inventory, code: str) -> None:
    with pytest.raises(KeyError):
        county.nodes.find(code)


def test_codes_may_be_cut_at_a_tier(county: Inventory) -> None:
    assert county.nodes.find("511825") == county.nodes.find("511825000") == county.nodes.find("511825000000") == 0
