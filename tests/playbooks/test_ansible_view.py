"""The county as Ansible is told of it, without Ansible."""

import csv
import re
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import inventory
from inventory import ansible_view
from inventory.ansible_view import View, division_group, view
from inventory.errors import InventoryError
from inventory.loader import allocate_missing, load
from inventory.model import Inventory
from inventory.scaffold import write_inventory

EXAMPLE = Path(inventory.__file__).parent / "examples" / "tianquan"
SMALL = Path(__file__).parents[1] / "inventory" / "bad" / "base"


@pytest.fixture(scope="module")
def county() -> Inventory:
    return load(EXAMPLE)


@pytest.fixture(scope="module")
def seen(county: Inventory) -> View:
    return view(county)


def everybody_in(seen: View, name: str) -> list[str]:
    """The hosts of a group and of the groups inside it, as Ansible counts."""
    group = seen.groups[name]
    return [*group.hosts, *(host for child in group.children for host in everybody_in(seen, child))]


def groups_of(seen: View, host: str, prefix: str) -> list[str]:
    return [name for name, group in seen.groups.items() if name.startswith(prefix) and host in group.hosts]


def tier(seen: View, host: str) -> int:
    (name,) = groups_of(seen, host, "tier_")
    return int(name.removeprefix("tier_"))


def changed(folder: Path, *replacements: tuple[str, str], sites: str = "") -> Inventory:
    """The small county with texts of its county.yml replaced, or with another sites file."""
    shutil.copytree(SMALL, folder, dirs_exist_ok=True)
    text = (folder / "county.yml").read_text("utf-8")
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    (folder / "county.yml").write_text(text, "utf-8")
    if sites:
        (folder / "sites" / "county.yml").write_text(sites, "utf-8")
    allocate_missing(folder)
    return load(folder)


def test_the_example_has_375_hosts_named_by_their_device_ids(county: Inventory, seen: View) -> None:
    assert list(seen.hosts) == [device.id for device in county.devices]
    assert len(seen.hosts) == 375


@pytest.mark.parametrize("prefix", ["platform_", "tier_", "type_", "carrier_", "link_", "d_"])
def test_each_host_is_in_exactly_one_group_of_a_kind(seen: View, prefix: str) -> None:
    counted = Counter(host for name, group in seen.groups.items() if name.startswith(prefix) for host in group.hosts)
    assert counted == dict.fromkeys(seen.hosts, 1)


def test_the_classes_platforms_and_tiers_of_the_example_are_as_declared(seen: View) -> None:
    sizes = {name: len(group.hosts) for name, group in seen.groups.items()}
    assert {name: sizes[name] for name in ("routers", "switches", "kiosks", "printers", "ups", "partner")} == {
        "routers": 143, "switches": 0, "kiosks": 126, "printers": 106, "ups": 0, "partner": 0,
    }  # fmt: skip
    assert sizes["platform_none"] == sizes["printers"]
    assert seen.groups["tier_0"].hosts == ("tq-center-core1", "tq-center-core2")
    assert [sizes[f"tier_{n}"] for n in range(4)] == [2, 35 + 10, 96 + 3 * 10, 375 - 2 - 45 - 126]


def test_everything_above_a_device_is_in_an_earlier_tier(county: Inventory, seen: View) -> None:
    tiers = {host: n for n in range(4) for host in seen.groups[f"tier_{n}"].hosts}
    for device in county.devices:
        above = [county.devices[ordinal].id for ordinal in device.uplinks]
        assert seen.hosts[device.id]["cuntong_uplinks"] == above
        assert tiers[device.id] == (1 + max(tiers[one] for one in above) if above else 0)


def test_a_county_holds_its_townships_and_its_own_units(seen: View) -> None:
    assert sorted(everybody_in(seen, "d_511825")) == sorted(seen.hosts)
    assert len(seen.groups["d_511825"].children) == 10
    assert "tq-fagai-cpe1" in seen.groups["d_511825"].hosts
    assert all(host.startswith("tq-shiyang-") for host in seen.groups["d_511825101"].hosts)


def test_a_township_alone_keeps_the_tiers_and_uplinks_that_it_has_in_the_county(county: Inventory, seen: View) -> None:
    part = view(county, "511825101")
    assert sorted(part.hosts) == sorted(seen.groups["d_511825101"].hosts)
    assert all(part.hosts[host] == seen.hosts[host] for host in part.hosts)
    assert part.groups["tier_1"].hosts == ("tq-shiyang-agg1",)
    assert [name for name in part.groups if name.startswith("d_")] == ["d_511825101"]


def test_a_village_alone_is_its_own_group(county: Inventory) -> None:
    part = view(county, "511825100002")
    assert part.groups["d_511825100002"].hosts == tuple(part.hosts)
    assert {county.devices.find(host).site for host in part.hosts} == {county.sites.index["tq-chengxiang-xuyu"]}


def test_a_division_that_does_not_exist_is_a_key_error(county: Inventory) -> None:
    with pytest.raises(KeyError):
        view(county, "519999")


def test_a_host_knows_its_site_its_line_and_its_lan(seen: View) -> None:
    assert seen.hosts["tq-shiyang-agg1"] == {
        "ansible_host": "10.126.0.53",
        "cuntong_class": "router",
        "cuntong_code": "511825101000",
        "cuntong_lan": {"gov_public": "10.125.24.0/24", "gov_internet": "10.125.152.0/24"},
        "cuntong_lan6": {
            f"{zone}_{vlan}": f"2001:db8:1825:{subnet + tag:x}::/64"
            for zone, subnet in (("gov_public", 0x4330), ("gov_internet", 0x8330))
            for vlan, tag in (("kiosk", 1), ("office", 2), ("peripherals", 3), ("mgmt", 15))
        },
        "cuntong_link": {"type": "fiber_p2p", "carrier": "telecom", "bandwidth_mbps": 500, "circuit": "TQ-1001"},
        "cuntong_model": "msr3610",
        "cuntong_profile": "h3c-comware",
        "cuntong_role": "agg1",
        "cuntong_site": "tq-shiyang",
        "cuntong_site_name": "始阳镇便民服务中心",
        "cuntong_uplinks": ["tq-center-core1", "tq-center-core2"],
        "cuntong_vendor": "H3C",
    }


def plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(type(key) is str and plain(one) for key, one in value.items())
    if isinstance(value, list):
        return all(map(plain, value))
    return value is None or type(value) in (str, int)


def test_variables_are_plain_data_and_hold_no_credential(county: Inventory, seen: View) -> None:
    assert {device.credential for device in county.devices} == {"community://public"}
    for variables in seen.hosts.values():
        assert all(map(plain, variables.values()))
        assert "://" not in repr(variables)
        assert not {name for name in variables if re.search(r"cred|secret|pass|communi|key", name)}


def test_a_secret_reference_stays_out_of_the_view(tmp_path: Path) -> None:
    everything = repr(view(changed(tmp_path, ("secret://snmp/routers", "secret://snmp/q7canary"))))
    assert "q7canary" not in everything


def assert_names_are_legal(seen: View) -> None:
    for name in seen.groups:
        assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name), name
    assert not seen.groups.keys() & seen.hosts.keys()
    assert not seen.groups.keys() & {"all", "ungrouped"}


def test_group_names_are_what_ansible_allows(seen: View) -> None:
    assert_names_are_legal(seen)


@given(st.sets(st.text("ab_2.-", min_size=1, max_size=5)))
def test_words_that_differ_never_share_a_group(words: set[str]) -> None:
    names = ansible_view._names("carrier", words)
    assert names.keys() == words
    assert len(set(names.values())) == len(words)
    assert all(re.fullmatch(r"carrier_\w+", name, re.ASCII) for name in names.values())
    assert all(names[word] == f"carrier_{word}" for word in words if word.isidentifier())


@pytest.mark.parametrize(
    ("code", "group"),
    [
        ("510000000000", "d_51"),
        ("511800000000", "d_5118"),
        ("511825000000", "d_511825"),
        ("511825101000", "d_511825101"),
        ("511825101202", "d_511825101202"),
        ("51182510A000", "d_51182510A"),
    ],
)
def test_a_division_s_group_is_its_code_as_people_say_it(code: str, group: str) -> None:
    assert division_group(code) == group


ODD = """\
division: 511825
center: 天全县
units:
  fagai: 发展和改革局 - - chinanet-sc
townships:
  511825100:
    is: 城厢镇
    villages:
      511825100002:
        is: 徙榆居委会
        devices: {kiosk2: {model: kiosk, owner: bank, monitored: partner}}
      511825100004:
        is: 文笔居委会
        more_links: [{type: pon, carrier: unicom, uplink: 511825101002}]
      511825100208:
        is: 梅子村委会
        more: {lobby: {type: kiosk_only, is: 梅子村自助服务区 alone vpdn unicom}}
  511825101:
    is: 始阳镇
    villages:
      511825101002: 乐坝居委会
      511825101202: 瓦坪村委会 none
"""


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> View:
    carrier = ("carriers: {", "carriers: {chinanet-sc: 中国电信四川, ")
    site_class = ("  none: {}", "  none: {}\n  alone: {devices: {kiosk1: kiosk}}")
    return view(changed(tmp_path_factory.mktemp("odd"), carrier, site_class, sites=ODD))


def test_a_partner_s_device_is_in_its_division_and_in_no_group_for_changes(odd: View) -> None:
    name = "tq-chengxiang-xiyu-kiosk2"
    assert [group for group in odd.groups if name in odd.groups[group].hosts] == ["partner", "d_511825100"]
    assert odd.groups["partner"].hosts == (name,)
    assert "ansible_host" in odd.hosts[name]


def test_with_two_lines_the_longer_way_to_the_core_counts(odd: View) -> None:
    assert tier(odd, "tq-shiyang-leba-cpe1") == 2
    assert tier(odd, "tq-chengxiang-wenbi-cpe1") == 3
    assert odd.hosts["tq-chengxiang-wenbi-cpe1"]["cuntong_uplinks"] == ["tq-chengxiang-agg1", "tq-shiyang-leba-cpe1"]
    assert groups_of(odd, "tq-chengxiang-wenbi-cpe1", "carrier_") == ["carrier_telecom"]


def test_a_kiosk_without_a_router_of_its_own_hangs_on_the_routers_above(odd: View) -> None:
    (alone,) = odd.groups["type_kiosk_only"].hosts
    assert odd.hosts[alone]["cuntong_uplinks"] == ["tq-chengxiang-meizi-cpe1"]
    assert tier(odd, alone) == tier(odd, "tq-chengxiang-meizi-cpe1") + 1


def test_a_carrier_with_a_hyphen_has_a_legal_group(odd: View) -> None:
    assert odd.groups["carrier_chinanet_sc"].hosts == ("tq-fagai-cpe1", "tq-fagai-kiosk1")
    assert_names_are_legal(odd)


def test_a_site_without_equipment_has_no_hosts(odd: View) -> None:
    assert not [host for host in odd.hosts if "waping" in host]


@pytest.mark.parametrize(("platform", "network_os"), [("cisco_ios", "cisco.ios.ios"), ("linux", None)])
def test_network_os_is_given_only_where_ansible_has_one(platform: str, network_os: str | None, tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "own.yml").write_text(f"vendor: Own\nplatform: {platform}\n", "utf-8")
    seen = view(changed(tmp_path, ("profile: huawei-vrp", "profile: own")))
    assert {variables.get("ansible_network_os") for host, variables in seen.hosts.items() if "-cpe" in host} == {
        network_os
    }
    assert seen.groups[f"platform_{platform}"].hosts


def test_a_profile_that_cannot_be_used_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "own.yml").write_text("vendor: Own\nplatfrom: linux\n", "utf-8")
    with pytest.raises(InventoryError, match=r"own\.yml:2"):
        view(changed(tmp_path))


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=5), st.booleans())
def test_any_scaffolded_county_is_parted_by_tiers_platforms_and_divisions(townships: list[int], unit: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "divisions.csv").open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerows([("code", "name", "level", "parent"), ("410329000000", "伊川县", 3, "410300000000")])
            for n, villages in enumerate(townships):
                code = f"410329{100 + n}000"
                rows.writerow((code, f"第{n}镇", 4, "410329000000"))
                rows.writerows((f"{code[:9]}{200 + v}", f"第{v}村委会", 5, code) for v in range(villages))
        units = [("fagai", "发展和改革委员会")] if unit else []
        write_inventory(folder / "new", folder / "divisions.csv", "410329", units=units)
        county = load(folder / "new")
        seen = view(county)
    assert list(seen.hosts) == [device.id for device in county.devices]
    for prefix in ("platform_", "tier_", "type_", "d_"):
        counted = Counter(host for at, group in seen.groups.items() if at.startswith(prefix) for host in group.hosts)
        assert counted == dict.fromkeys(seen.hosts, 1)
    assert sorted(everybody_in(seen, "d_410329")) == sorted(seen.hosts)
    tiers = {host: tier(seen, host) for host in seen.hosts}
    for host, variables in seen.hosts.items():
        above = variables["cuntong_uplinks"]
        assert isinstance(above, list)
        assert all(tiers[one] < tiers[host] for one in above)
        assert bool(above) == (tiers[host] > 0)
    assert len({variables["ansible_host"] for variables in seen.hosts.values()}) == len(seen.hosts)
    assert_names_are_legal(seen)
