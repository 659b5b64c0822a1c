"""How a device takes lines: each row is what it held, what it was told, and what it holds then."""

import pytest

from rollout.device_model import Device, ModelRefusedError
from rollout.errors import UnparsableError
from rollout.platform import Platform
from rollout.remediation import predict
from rollout.tree import parse, text_of

VRP, COMWARE, RGOS, FRR = Platform.VRP, Platform.COMWARE, Platform.RGOS, Platform.FRR

ROWS = [
    pytest.param(VRP, "sysname a\n", ["sysname b"], "sysname b\n", id="a single value is replaced"),
    pytest.param(VRP, "vlan batch 10 20\n", ["vlan batch 30", "undo vlan batch 20"], "vlan batch 10 30\n", id="a set"),
    pytest.param(
        VRP,
        "interface Vlanif1\n description x\n undo shutdown\n",
        ["interface Vlanif1", "undo description", "shutdown", "quit"],
        "interface Vlanif1\n shutdown\n",
        id="undo by the first words, and a switch",
    ),
    pytest.param(
        VRP,
        "ospf 1 router-id 1.1.1.1\n area 0\n  network 10.0.0.0 0.0.0.3\n",
        ["ospf 1", "area 0.0.0.0", "undo network 10.0.0.0 0.0.0.3", "quit", "quit", "ospf 1 router-id 2.2.2.2", "quit"],
        "ospf 1 router-id 2.2.2.2\n area 0\n",
        id="a header's argument",
    ),
    pytest.param(
        VRP,
        "bgp 1\n peer 10.0.0.1 as-number 2\n peer 10.0.0.1 description d\n"
        " ipv4-family unicast\n  peer 10.0.0.1 enable\n",
        ["bgp 1", "undo peer 10.0.0.1", "quit"],
        "bgp 1\n ipv4-family unicast\n",
        id="a peer takes its family lines along",
    ),
    pytest.param(
        VRP,
        "interface Vlanif1\n ip address 10.0.0.1 255.255.255.0\n mtu 1400\n",
        ["interface Vlanif1", "ip binding vpn-instance v", "quit"],
        "interface Vlanif1\n mtu 1400\n ip binding vpn-instance v\n",
        id="binding to a VRF wipes addresses",
    ),
    pytest.param(
        VRP,
        "ip vpn-instance v\ninterface Vlanif1\n ip binding vpn-instance v\n ip address 10.0.0.1 255.255.255.0\n"
        "ip route-static vpn-instance v 0.0.0.0 0.0.0.0 10.0.0.2\n",
        ["undo ip vpn-instance v"],
        "interface Vlanif1\n",
        id="a VRF takes everything in it along",
    ),
    pytest.param(
        VRP,
        "user-interface vty 0 4\n protocol inbound ssh\n",
        ["user-interface vty 0 1", "protocol inbound all", "quit"],
        "user-interface vty 0 1\n protocol inbound all\nuser-interface vty 2 4\n protocol inbound ssh\n",
        id="a range of lines is cut",
    ),
    pytest.param(
        VRP,
        "sysname a\n",
        ['header login information "two', 'lines"'],
        'sysname a\nheader login information "two\nlines"\n',
        id="a banner over two lines",
    ),
    pytest.param(
        FRR,
        "ip route 0.0.0.0/0 10.0.0.1 20\n",
        ["ip route 0.0.0.0/0 10.0.0.1 30"],
        "ip route 0.0.0.0/0 10.0.0.1 30\n",
        id="a distance is replaced in place",
    ),
    pytest.param(
        FRR,
        "ip route 0.0.0.0/0 10.0.0.1 20\nip route 10.0.0.0/8 10.0.0.1\n",
        ["no ip route 0.0.0.0/0 10.0.0.1 99"],
        "ip route 10.0.0.0/8 10.0.0.1\n",
        id="a route goes whatever distance is said",
    ),
    pytest.param(
        FRR,
        "interface eth0\n ip address 10.0.0.1/24\n",
        ["interface eth0", "ip address 10.0.1.1/24", "exit"],
        "interface eth0\n ip address 10.0.0.1/24\n ip address 10.0.1.1/24\n",
        id="a second address joins",
    ),
    pytest.param(
        RGOS,
        "interface GigabitEthernet 0/1\n switchport access vlan 10\n",
        ["interface GigabitEthernet0/1", "no switchport", "ip address 10.0.0.1 255.255.255.0", "exit"],
        "interface GigabitEthernet 0/1\n no switchport\n ip address 10.0.0.1 255.255.255.0\n",
        id="a routed port forgets its VLAN",
    ),
    pytest.param(
        COMWARE,
        "local-user a class manage\n service-type ssh\n",
        ["local-user a class manage", "service-type terminal", "quit"],
        "local-user a class manage\n service-type ssh terminal\n",
        id="services add up",
    ),
]


@pytest.mark.parametrize(("platform", "held", "told", "holds"), ROWS)
def test_a_device_takes_lines(platform: Platform, held: str, told: list[str], holds: str) -> None:
    assert predict(platform, held, told) == holds


@pytest.mark.parametrize(
    ("platform", "held", "told"),
    [
        pytest.param(
            VRP, "acl number 2001\n rule 5 permit\n", ["acl number 2001", "rule 5 deny"], id="a rule in its place"
        ),
        pytest.param(VRP, "bgp 1\n peer 10.0.0.1 as-number 2\n", ["bgp 1", "peer 10.0.0.1 as-number 3"], id="an AS"),
        pytest.param(VRP, "bgp 1\n router-id 1.1.1.1\n", ["bgp 2"], id="a second BGP process"),
        pytest.param(VRP, "interface GigabitEthernet0/0/0\n", ["undo interface GigabitEthernet0/0/0"], id="hardware"),
        pytest.param(
            VRP,
            "ospf 1\n area 0\n  network 10.0.0.0 0.0.0.3\n",
            ["ospf 1", "area 1", "network 10.0.0.0 0.0.0.3"],
            id="a network in two areas",
        ),
        pytest.param(
            FRR,
            "router ospf\n network 10.0.0.0/24 area 0\n",
            ["router ospf", "network 10.0.0.0/24 area 1"],
            id="a network in another area",
        ),
        pytest.param(COMWARE, "interface Tunnel1 mode gre\n", ["interface Tunnel1 mode ipsec"], id="a tunnel's mode"),
    ],
)
def test_a_device_refuses(platform: Platform, held: str, told: list[str]) -> None:
    device = Device(platform, parse(platform, held))
    with pytest.raises(ModelRefusedError):
        device.run(told)
    with pytest.raises(UnparsableError, match="would refuse"):
        predict(platform, held, told)


def test_the_view_follows_the_session() -> None:
    device = Device(VRP, parse(VRP, "ospf 1\n area 0\n  network 10.0.0.0 0.0.0.3\n"))
    device.run(["ospf 1", "area 0"])
    views = [device.view]
    for word in ("quit", "area 0", "return"):
        device.take(word)
        views.append(device.view)
    assert views == [("§ospf 1", "§area 0.0.0.0"), ("§ospf 1",), ("§ospf 1", "§area 0.0.0.0"), ()]
    assert list(text_of(device.root)) == ["ospf 1", " area 0", "  network 10.0.0.0 0.0.0.3"]
