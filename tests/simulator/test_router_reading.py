"""What a configuration means for whoever manages the box: is it still reached, is a login still taken."""

from ipaddress import IPv4Address, IPv4Interface

import pytest

from rollout.platform import Platform
from simulator.routers.editing import Done, Editor, Place
from simulator.routers.language import language
from simulator.routers.reading import Path, Reading
from simulator.routers.tree import Tree

MANAGER = IPv4Address("10.126.12.10")
TARGET = IPv4Address("10.126.0.9")
PEERS = (IPv4Interface("10.9.0.1/30"), IPv4Interface("10.9.0.5/30"))

TEXTS = {
    Platform.VRP: """\
#
acl number 2001
 rule 5 permit source 10.126.12.0 0.0.0.255
#
aaa
 local-user ops password irreversible-cipher Plain@123
 local-user ops service-type ssh
#
interface GigabitEthernet0/0/0
 ip address 10.9.0.2 255.255.255.252
#
interface LoopBack0
 ip address 10.126.0.9 255.255.255.255
#
stelnet server enable
#
ip route-static 0.0.0.0 0.0.0.0 10.9.0.1
#
user-interface vty 0 4
 acl 2001 inbound
 authentication-mode aaa
 protocol inbound ssh
#
""",
    Platform.COMWARE: """\
#
interface GigabitEthernet0/0
 ip address 10.9.0.2 255.255.255.252
#
interface LoopBack0
 ip address 10.126.0.9 255.255.255.255
#
line vty 0 63
 authentication-mode scheme
 protocol inbound ssh
#
 ip route-static 0.0.0.0 0 10.9.0.1
#
 ssh server enable
 ssh server acl 2001
#
acl basic 2001
 rule 5 permit source 10.126.12.0 0.0.0.255
#
local-user ops class manage
 password simple Plain@123
 service-type ssh
#
""",
    Platform.RGOS: """\
!
enable service ssh-server
username ops privilege 15 password Plain@123
!
ip access-list standard 10
 10 permit 10.126.12.0 0.0.0.255
!
interface GigabitEthernet 0/0
 ip address 10.9.0.2 255.255.255.252
!
interface Loopback 0
 ip address 10.126.0.9 255.255.255.255
!
ip route 0.0.0.0 0.0.0.0 10.9.0.1
!
line vty 0 4
 access-class 10 in
 transport input ssh
 login local
!
""",
    Platform.FRR: """\
interface eth0
 ip address 10.9.0.2/30
exit
!
interface lo
 ip address 10.126.0.9/32
exit
!
ip route 0.0.0.0/0 10.9.0.1
!
""",
}
PORT = {
    Platform.VRP: "GigabitEthernet0/0/0",
    Platform.COMWARE: "GigabitEthernet0/0",
    Platform.RGOS: "GigabitEthernet 0/0",
    Platform.FRR: "eth0",
}


def path(platform: Platform, *, ospf: bool = False) -> Path:
    return Path(MANAGER, PEERS, (PORT[platform],), TARGET, ospf)


def read(platform: Platform, lines: str = "", text: str | None = None) -> Reading:
    """The configuration after typing lines; ``<`` goes back to the root."""
    editor = Editor(language(platform))
    tree: Tree = editor.load(TEXTS[platform] if text is None else text)
    place = Place()
    for line in filter(None, (one.strip() for one in lines.split("\n"))):
        if line == "<":
            place = Place()
            continue
        outcome = editor.enter(tree, place, line)
        assert isinstance(outcome, Done), (line, outcome)
        place = outcome.place
    return Reading(language(platform), tree)


@pytest.mark.parametrize("platform", Platform)
def test_a_box_as_it_should_be_is_reached(platform: Platform) -> None:
    assert read(platform).reaches(path(platform))


WAN = "interface GigabitEthernet0/0/0\n"
CUTS = [
    (Platform.VRP, WAN + "shutdown", False),
    (Platform.VRP, WAN + "undo ip address", False),
    (Platform.VRP, WAN + "ip address 10.9.0.6 30", False),  # the route still points to the old neighbour
    (Platform.VRP, WAN + "ip address 10.9.0.6 30\n<\nip route-static 0.0.0.0 0 10.9.0.5", True),
    (Platform.VRP, WAN + "ip address 10.9.9.2 30\n<\nip route-static 0.0.0.0 0 10.9.9.1", False),  # nobody is there
    (Platform.VRP, WAN + "ip address 10.9.0.2 24", False),
    (Platform.VRP, "undo ip route-static 0.0.0.0 0.0.0.0", False),
    (Platform.VRP, "undo ip route-static 0.0.0.0 0.0.0.0\nip route-static 10.126.12.0 24 10.9.0.1", True),
    (Platform.VRP, "ip route-static 10.126.12.0 24 10.9.0.1", True),
    (Platform.VRP, "ip route-static 10.126.12.0 24 NULL0", False),  # the longer route wins, and leads nowhere
    (Platform.VRP, "ip route-static 10.126.12.0 24 10.77.0.1", True),  # its next hop is unknown, so it is not used
    (Platform.VRP, WAN + "ip binding vpn-instance gov", False),
    (Platform.VRP, "undo interface LoopBack0", False),
    (Platform.VRP, "acl number 3001\nrule 5 deny ip\n<\n" + WAN + "traffic-filter inbound acl 3001", False),
    (
        Platform.VRP,
        "acl number 3001\nrule 5 permit ip source 10.126.12.10 0\nrule 10 deny ip\n<\n"
        + WAN
        + "traffic-filter inbound acl 3001",
        True,
    ),
    (Platform.VRP, "interface GigabitEthernet0/0/2\nip address 10.9.0.6 30", True),
    (Platform.VRP, "undo stelnet server enable", True),  # the way stands; only a login fails
    (Platform.COMWARE, "undo ip route-static 0.0.0.0 0 10.9.0.1", False),
    (Platform.COMWARE, "interface GigabitEthernet0/0\nshutdown", False),
    (Platform.RGOS, "no ip route 0.0.0.0 0.0.0.0 10.9.0.1", False),
    (Platform.RGOS, "interface GigabitEthernet 0/0\nip vrf forwarding gov", False),
    (Platform.FRR, "interface eth0\nshutdown", False),
    (Platform.FRR, "no ip route 0.0.0.0/0 10.9.0.1", False),
    (Platform.FRR, "ip route 0.0.0.0/0 10.9.0.1 20", True),
]


@pytest.mark.parametrize(("platform", "lines", "reached"), CUTS, ids=[f"{p}: {lines!r}" for p, lines, _ in CUTS])
def test_a_box_knows_when_its_configuration_cuts_the_way(platform: Platform, lines: str, reached: bool) -> None:
    assert read(platform, lines).reaches(path(platform)) is reached


def test_ospf_may_stand_in_for_a_route_where_the_neighbour_speaks_it() -> None:
    lines = "undo ip route-static 0.0.0.0 0.0.0.0\nospf 1\narea 0.0.0.1\nnetwork 10.9.0.0 0.0.0.3"
    assert read(Platform.VRP, lines).reaches(path(Platform.VRP, ospf=True))
    assert not read(Platform.VRP, lines).reaches(path(Platform.VRP))


LOGINS = [
    (Platform.VRP, "", True, True),
    (Platform.VRP, "undo stelnet server enable", False, True),
    (Platform.VRP, "acl number 2001\nundo rule 5\nrule 5 permit source 10.1.0.0 0.0.255.255", False, True),
    (Platform.VRP, "user-interface vty 0 4\nprotocol inbound telnet", False, True),
    (Platform.VRP, "aaa\nundo local-user ops", True, False),
    (Platform.VRP, "aaa\nlocal-user ops service-type telnet", True, False),
    (Platform.VRP, "aaa\nlocal-user ops password irreversible-cipher Other@123", True, False),
    (Platform.COMWARE, "", True, True),
    (Platform.COMWARE, "acl basic 2001\nundo rule 5\nrule 5 deny", False, True),
    (Platform.COMWARE, "undo ssh server enable", False, True),
    (Platform.COMWARE, "undo local-user ops class manage", True, False),
    (Platform.RGOS, "", True, True),
    (Platform.RGOS, "no enable service ssh-server", False, True),
    (Platform.RGOS, "line vty 0 4\ntransport input telnet", False, True),
    (Platform.RGOS, "ip access-list standard 10\nno 10\n10 deny any", False, True),
    (Platform.RGOS, "no username ops", True, False),
]


@pytest.mark.parametrize(("platform", "lines", "serves", "lets_in"), LOGINS, ids=[f"{p}: {x!r}" for p, x, *_ in LOGINS])
def test_a_login_needs_the_server_the_list_and_the_user(
    platform: Platform, lines: str, serves: bool, lets_in: bool
) -> None:
    reading = read(platform, lines)
    assert reading.serves_ssh(MANAGER) is serves
    assert reading.accepts("ops", "Plain@123") is lets_in
    assert not reading.accepts("ops", "plain@123")
    assert not reading.accepts("nobody", "")


def test_a_dialled_line_needs_the_port_that_carries_it() -> None:
    lines = (
        "interface Dialer1\nip address ppp-negotiate\n<\n" + WAN + "undo ip address\npppoe-client dial-bundle-number 1"
    )
    assert read(Platform.VRP, lines).reaches(path(Platform.VRP))
    assert not read(Platform.VRP, lines + "\nshutdown").reaches(path(Platform.VRP))


@pytest.mark.parametrize("platform", [Platform.VRP, Platform.COMWARE, Platform.RGOS])
def test_a_new_box_has_neither_agent_nor_lan(platform: Platform) -> None:
    reading = read(platform)
    assert not reading.has_snmp
    assert not reading.has_lan([PORT[platform]])
