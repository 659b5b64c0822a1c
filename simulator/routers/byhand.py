"""A county whose routers people configured by hand, each platform in the habits of whoever did it.

Four hands: a bureau's engineer on Huawei (CamelCase names, a loopback, VLAN 100, numbered ACLs), an integrator on H3C
(division codes as names, VRFs of his own naming, one network for all lines of a township), a reseller on Ruijie
(lower-case names, no loopback, named ACLs, DHCP on everything) and a volunteer on Linux (the village's name alone).
Nothing of it follows our address plan.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from inventory.model import Inventory
from inventory.slugs import pinyin
from rollout.platform import Platform
from simulator.routers.device import RouterSpec
from simulator.routers.language import platform_of_profile


@dataclass(frozen=True)
class Hand:
    """Whoever sets a router up: what is handed to him.

    Args:
        number: counts the routers; makes addresses.
        township: counts the townships.
    """

    county: str
    place: str
    below: str
    code: str
    number: int
    township: int
    user: str
    password: str
    enable: str


def _vrp(hand: Hand) -> str:
    n = hand.number
    return f"""\
#
 sysname {hand.county.upper()}-{hand.below.capitalize()}-{hand.place.capitalize()}-AR
#
acl number 3010
 description only the bureau
 rule 5 permit tcp source 10.126.12.0 0.0.0.255 destination-port eq 22
 rule 1000 deny ip
#
vlan batch 100
#
dhcp enable
#
ip pool hall
 gateway-list 192.168.{n}.1
 network 192.168.{n}.0 mask 255.255.255.0
 dns-list 114.114.114.114
#
aaa
 local-user {hand.user} password irreversible-cipher {hand.password}
 local-user {hand.user} privilege level 15
 local-user {hand.user} service-type ssh
#
interface Vlanif100
 description service hall
 ip address 192.168.{n}.1 255.255.255.0
 dhcp select global
#
interface GigabitEthernet0/0/0
 description to-{hand.below}
 ip address 172.20.{n}.2 255.255.255.252
#
interface LoopBack0
 ip address 10.60.0.{n} 255.255.255.255
#
snmp-agent
snmp-agent sys-info version v2c
#
stelnet server enable
ssh user {hand.user} authentication-type password
ssh user {hand.user} service-type stelnet
#
ip route-static 0.0.0.0 0.0.0.0 172.20.{n}.1
ip route-static 192.168.250.0 255.255.255.0 172.20.{n}.1
#
user-interface vty 0 4
 authentication-mode aaa
 protocol inbound ssh
#
return
"""


def _comware(hand: Hand) -> str:
    n, t = hand.number, hand.township
    return f"""\
#
 version 7.1.064, Release 6749P21
#
 sysname {hand.code}_H3C
#
ip vpn-instance zhengwu
 route-distinguisher 65001:101
#
 dhcp enable
#
vlan 20
#
dhcp server ip-pool zw
 vpn-instance zhengwu
 gateway-list 10.70.{n}.254
 network 10.70.{n}.0 mask 255.255.255.0
#
interface GigabitEthernet0/0
 port link-mode route
 description WAN-{hand.below}
 ip address 10.71.{t}.{n} 255.255.255.0
#
interface Vlan-interface20
 ip binding vpn-instance zhengwu
 ip address 10.70.{n}.254 255.255.255.0
#
 ip route-static 0.0.0.0 0 10.71.{t}.254
 ip route-static vpn-instance zhengwu 0.0.0.0 0 10.71.{t}.254 public
#
 snmp-agent
 snmp-agent sys-info version v2c
#
acl basic 2010
 rule 0 permit source 10.126.12.0 0.0.0.255
#
local-user {hand.user} class manage
 password simple {hand.password}
 service-type ssh
 authorization-attribute user-role network-admin
#
 ssh server enable
#
line vty 0 63
 authentication-mode scheme
 user-role network-admin
 protocol inbound ssh
#
return
"""


def _rgos(hand: Hand) -> str:
    n = hand.number
    return f"""\
hostname {hand.below}-{hand.place}-rsr
!
service dhcp
!
ip access-list extended guanli
 10 permit tcp 10.126.12.0 0.0.0.255 any eq 22
!
vlan 10
!
ip dhcp pool bangong
 network 172.28.{n}.0 255.255.255.128
 default-router 172.28.{n}.1
!
username {hand.user} privilege 15 password {hand.password}
enable secret {hand.enable}
!
enable service ssh-server
!
interface GigabitEthernet 0/0
 description UPLINK
 ip address 10.72.{n}.6 255.255.255.252
!
interface VLAN 10
 ip address 172.28.{n}.1 255.255.255.128
!
snmp-server location {hand.code}
!
ip route 0.0.0.0 0.0.0.0 10.72.{n}.5
!
line vty 0 4
 login local
 transport input ssh
!
end
"""


def _frr(hand: Hand) -> str:
    n = hand.number
    return f"""\
frr defaults traditional
hostname {hand.below}{hand.place}
ip forwarding
service integrated-vtysh-config
!
interface lo
 ip address 10.73.255.{n}/32
exit
!
interface eth0
 description isp
 ip address 10.73.{n}.10/29
exit
!
interface eth1
 description LAN of {hand.code}
 ip address 192.168.{n}.254/24
exit
!
ip route 0.0.0.0/0 10.73.{n}.9
!
end
"""


HANDS: Final[Mapping[Platform, Callable[[Hand], str]]] = {
    Platform.VRP: _vrp,
    Platform.COMWARE: _comware,
    Platform.RGOS: _rgos,
    Platform.FRR: _frr,
}


def byhand(
    inventory: Inventory,
    password: str,
    enable: str,
    foreign: Sequence[str] = (),
    change: Mapping[str, str] | None = None,
) -> Iterator[RouterSpec]:
    """The routers of a county as people left them; one site has at most one.

    Args:
        inventory: which routers there are, and where; its names and addresses are not used.
        foreign: ids of those whose vendor we do not know.
        change: replacements in the text of every router, for what goes wrong.
    """
    network = inventory.county.network
    user = network.login.user if network is not None else "admin"
    townships: dict[int, int] = {}
    number = 0
    for device in inventory.devices:
        platform = platform_of_profile().get(device.profile, Platform.RGOS if device.id in foreign else None)
        if platform is None:
            continue
        number += 1
        node = int(inventory.sites.nodes[device.site])
        above = inventory.nodes.parents[node] if inventory.nodes.levels[node] == 5 else node
        hand = Hand(
            inventory.county.slug, pinyin(inventory.nodes.names[node]), pinyin(inventory.nodes.names[above]),
            inventory.nodes.codes[node], number, townships.setdefault(above, len(townships) + 1), user, password,
            enable,
        )  # fmt: skip
        text = HANDS[platform](hand)
        for old, new in (change or {}).items():
            text = text.replace(old, new)
        yield RouterSpec(
            device.id, device.ordinal, platform, text, model=device.model, serial=device.serial or "",
            users={user: password, "root": password},
        )  # fmt: skip
