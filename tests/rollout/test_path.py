"""The management path over IPv6: the same questions as over IPv4, asked of the four platforms."""

from ipaddress import ip_address

import pytest

from rollout.errors import UnparsableError
from rollout.hazards import Lint, of_lines
from rollout.logins import fits, manager_may_enter
from rollout.path import Facts
from rollout.platform import Platform
from rollout.remediation import remediate
from rollout.tree import parse

MANAGER = ip_address("2001:db8:1::23")
RUNNING = {
    Platform.VRP: """\
sysname r1
ipv6
acl ipv6 number 2001
 rule 5 permit source 2001:DB8:1::/48
 rule 100 deny
interface GigabitEthernet0/0/0
 ip address 10.9.0.2 255.255.255.252
 ipv6 enable
 ipv6 address 2001:DB8:9::2/64
interface Vlanif10
 ipv6 enable
 ipv6 address 2001:DB8:10:: 64 eui-64
ip route-static 0.0.0.0 0.0.0.0 10.9.0.1
ipv6 route-static :: 0 2001:DB8:9::1
ipv6 route-static 2001:DB8:50:: 48 NULL0
user-interface vty 0 4
 acl ipv6 2001 inbound
 authentication-mode aaa
 protocol inbound ssh
""",
    Platform.COMWARE: """\
sysname r1
interface GigabitEthernet0/0
 ip address 10.9.0.2 255.255.255.252
 ipv6 address 2001:DB8:9::2/64
interface Vlan-interface10
 ipv6 address 2001:DB8:10::1/64
ip route-static 0.0.0.0 0 10.9.0.1
ipv6 route-static :: 0 2001:DB8:9::1
ipv6 route-static 2001:DB8:50:: 48 NULL0
""",
    Platform.RGOS: """\
hostname r1
interface GigabitEthernet 0/0
 ip address 10.9.0.2 255.255.255.252
 ipv6 enable
 ipv6 address 2001:db8:9::2/64
interface VLAN 10
 ipv6 address 2001:db8:10::1/64
ip route 0.0.0.0 0.0.0.0 10.9.0.1
ipv6 route ::/0 GigabitEthernet 0/0 fe80::1
ipv6 route 2001:db8:50::/48 Null 0
""",
    Platform.FRR: """\
hostname r1
interface eth0
 ip address 10.9.0.2/30
 ipv6 address 2001:db8:9::2/64
interface eth1
 ipv6 address 2001:db8:10::1/64
ip route 0.0.0.0/0 10.9.0.1
ipv6 route ::/0 2001:db8:9::1
ipv6 route 2001:db8:50::/48 Null0
""",
}
WAN = {
    Platform.VRP: "GigabitEthernet0/0/0", Platform.COMWARE: "GigabitEthernet0/0", Platform.RGOS: "GigabitEthernet 0/0",
    Platform.FRR: "eth0",
}  # fmt: skip
DEFAULT = {
    Platform.VRP: "ipv6 route-static :: 0 2001:DB8:9::1",
    Platform.COMWARE: "ipv6 route-static :: 0 2001:DB8:9::1",
    Platform.RGOS: "ipv6 route ::/0 GigabitEthernet 0/0 fe80::1",
    Platform.FRR: "ipv6 route ::/0 2001:db8:9::1",
}
every = pytest.mark.parametrize("platform", list(Platform))


def no(platform: Platform) -> str:
    return "undo" if platform in (Platform.VRP, Platform.COMWARE) else "no"


def facts(platform: Platform, running: str, manager: str | None = str(MANAGER)) -> Facts:
    return Facts(platform, parse(platform, running), None if manager is None else ip_address(manager))


def linted(platform: Platform, *commands: str, manager: str = str(MANAGER)) -> set[str]:
    found = facts(platform, RUNNING[platform], manager)
    lint = Lint(platform, found.root, found, frozenset())
    lint.run(commands)
    return {hazard.id for hazard in lint.hazards if hazard.fatal}


@every
def test_the_path_to_an_ipv6_manager_is_its_route_and_the_interface_below(platform: Platform) -> None:
    found = facts(platform, RUNNING[platform])
    assert found.reaches()
    assert f"§interface {WAN[platform].replace(' ', '').lower()}" in found.path()
    assert any(key.startswith("ipv6 route") for key in found.path())
    assert not any(key.startswith("ip route") or "10" in key for key in found.path())


@every
def test_a_route_is_a_route_however_its_address_is_spelt(platform: Platform) -> None:
    spelt = RUNNING[platform].replace("2001:DB8:9::", "2001:db8:9:0::").replace("2001:db8:9::", "2001:DB8:0009::")
    assert remediate(platform, RUNNING[platform], spelt, manager=str(MANAGER)).commands == ()


@every
@pytest.mark.parametrize(
    ("commands", "hazard"),
    [
        (["{no} {default}"], "path-route-gap"),
        (["interface {wan}", "shutdown"], "shutdown-of-path"),
        (["{null}"], "path-route-gap"),
    ],
    ids=["the default route goes", "the interface goes down", "a null route swallows the manager"],
)
def test_what_cuts_an_ipv6_session_is_fatal(platform: Platform, commands: list[str], hazard: str) -> None:
    null = "ipv6 route-static 2001:DB8:1:: 48 NULL0" if no(platform) == "undo" else "ipv6 route 2001:db8:1::/48 Null0"
    said = [line.format(no=no(platform), default=DEFAULT[platform], wan=WAN[platform], null=null) for line in commands]
    assert linted(platform, *said) == {hazard}


@every
def test_ipv4_routes_and_addresses_do_not_carry_an_ipv6_session_nor_the_other_way_round(platform: Platform) -> None:
    four = next(line for line in RUNNING[platform].splitlines() if line.startswith("ip route"))
    assert linted(platform, f"{no(platform)} {four}") == set()
    assert linted(platform, f"{no(platform)} {DEFAULT[platform]}", manager="10.1.2.3") == set()
    assert linted(platform, f"{no(platform)} {four}", manager="10.1.2.3") == {"path-route-gap"}


@pytest.mark.parametrize(
    ("platform", "address"),
    [
        (Platform.VRP, "2001:DB8:9::2/64"),
        (Platform.COMWARE, "2001:DB8:9::2/64"),
        (Platform.FRR, "2001:db8:9::2/64"),
    ],
)
def test_the_address_below_the_next_hop_is_part_of_the_path(platform: Platform, address: str) -> None:
    assert linted(platform, f"interface {WAN[platform]}", f"{no(platform)} ipv6 address {address}") == {
        "path-route-gap"
    }


@pytest.mark.parametrize(
    "commands", [["undo ipv6"], ["interface GigabitEthernet0/0/0", "undo ipv6 enable"]], ids=["box", "interface"]
)
def test_vrp_without_ipv6_has_no_ipv6_path(commands: list[str]) -> None:
    assert linted(Platform.VRP, *commands) == {"path-route-gap"}
    assert linted(Platform.VRP, *commands, manager="10.1.2.3") == set()


def test_an_address_takes_another_s_place_while_ipv6_stays_enabled() -> None:
    intended = "interface Vlanif10\n ipv6 enable\n ipv6 address 2001:DB8:11::1/64\n"
    assert remediate(Platform.VRP, RUNNING[Platform.VRP], intended, manager=str(MANAGER)).commands == (
        "interface Vlanif10", "ipv6 address 2001:DB8:11::1/64", "undo ipv6 address 2001:DB8:10:: 64 eui-64", "quit",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("manager", "enters"),
    [("2001:db8:1::23", True), ("2001:db8:2::23", False), ("10.1.2.3", None)],
    ids=["permitted", "denied", "another version's list"],
)
def test_the_list_before_the_login_is_that_of_the_session_s_version(manager: str, enters: bool | None) -> None:
    assert manager_may_enter(facts(Platform.VRP, RUNNING[Platform.VRP], manager)) is enters


def test_a_list_that_shuts_an_ipv6_manager_out_is_fatal() -> None:
    assert linted(Platform.VRP, "acl ipv6 number 2001", "undo rule 5") == {"acl-denies-manager"}
    assert linted(Platform.VRP, "undo acl ipv6 number 2001") == {"vty-lockout"}


@pytest.mark.parametrize(
    ("rest", "fitting"),
    [
        ("source 2001:DB8:1::/48", True),
        ("ipv6 source 2001:DB8:1:: 48", True),
        ("source 2001:DB8:2:: 48", False),
        ("tcp source 2001:DB8:1::23/128 destination-port eq 22", True),
        ("tcp 2001:db8:1::/48 any eq 22", True),
        ("ipv6 host 2001:0db8:1::23 any", True),
        ("ipv6 host 2001:db8:1::24 any", False),
        ("ipv6 any any", True),
        ("source 10.1.0.0 0.0.255.255", False),
        ("udp source 2001:DB8:1:: 48", False),
    ],
)
def test_a_rule_fits_an_ipv6_manager_or_not(rest: str, fitting: bool) -> None:
    assert fits(rest, MANAGER) is fitting


def test_an_ipv4_manager_fits_no_ipv6_rule() -> None:
    assert not fits("source 2001:DB8:1::/48", ip_address("10.1.2.3"))


@every
def test_a_change_of_the_ipv6_default_route_is_of_the_path_for_an_ipv6_manager_only(platform: Platform) -> None:
    longer = DEFAULT[platform].replace("::1", "::9")
    running = RUNNING[platform]
    intended = "".join(f"{line}\n" for line in running.splitlines() if line.startswith("ipv6 route"))
    intended = intended.replace(DEFAULT[platform], longer)
    over6 = remediate(platform, running, intended, manager=str(MANAGER))
    over4 = remediate(platform, running, intended, manager="10.1.2.3")
    assert (over6.path_class, over4.path_class) == ("path", "local")
    assert over6.commands == (longer, f"{no(platform)} {DEFAULT[platform]}")


@every
def test_without_a_manager_the_default_route_decides_ipv4_first(platform: Platform) -> None:
    running = RUNNING[platform]
    assert facts(platform, running, None).version == 4
    only6 = "".join(f"{line}\n" for line in running.splitlines() if not line.startswith("ip route"))
    assert facts(platform, only6, None).version == 6
    assert facts(platform, only6, None).reaches()


@pytest.mark.parametrize(
    ("line", "bad"),
    [
        ("ipv6 route ::/0 2001:db8:9::g", True),
        ("ipv6 address 2001:db8:9::2/129", True),
        ("ipv6 route 2001:db8::/48 2001:db8:9::1 eth0", False),
        ("ipv6 route-static :: 0 GigabitEthernet0/0/0 FE80::1", False),
        ("ipv6 address auto link-local", False),
    ],
)
def test_a_word_that_is_no_ipv6_address_is_never_sent(line: str, bad: bool) -> None:
    assert [one.id for one in of_lines(Platform.FRR, [line])] == ["bad-address"] * bad


@pytest.mark.parametrize(("manager", "words"), [("fe80::1", "link-local"), ("2001:db8::g", "no address")])
def test_a_manager_that_nobody_can_route_to_is_refused(manager: str, words: str) -> None:
    with pytest.raises(UnparsableError, match=words):
        remediate(Platform.FRR, RUNNING[Platform.FRR], "hostname r2\n", manager=manager)
