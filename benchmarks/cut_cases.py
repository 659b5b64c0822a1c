"""The routers of the cut-the-branch runs and the changes that they get; see `benchmarks.cut_the_branch`."""

from dataclasses import dataclass, replace

from rollout.change import DeadMan
from rollout.platform import Platform

PASSWORD = "Plain@123"  # noqa: S105  of simulated devices

VRP = f"""\
#
 sysname V1
#
aaa
 local-user ops password irreversible-cipher {PASSWORD}
 local-user ops privilege level 15
 local-user ops service-type ssh
#
interface GigabitEthernet0/0/0
 description to-township
 ip address 10.9.0.2 255.255.255.252
#
interface GigabitEthernet0/0/1
 ip address 192.168.10.1 255.255.255.0
#
ospf 1 router-id 10.9.0.2
 area 0.0.0.1
  network 192.168.10.0 0.0.0.255
#
ip route-static 0.0.0.0 0.0.0.0 10.9.0.1
#
stelnet server enable
#
user-interface vty 0 4
 authentication-mode aaa
 protocol inbound ssh
#
return
"""
COMWARE = f"""\
#
 sysname V1
#
ospf 1 router-id 10.9.0.2
 area 0.0.0.1
  network 192.168.10.0 0.0.0.255
#
interface GigabitEthernet0/0
 port link-mode route
 description to-township
 ip address 10.9.0.2 255.255.255.252
#
interface GigabitEthernet0/1
 port link-mode route
 ip address 192.168.10.1 255.255.255.0
#
line vty 0 63
 authentication-mode scheme
 protocol inbound ssh
#
 ip route-static 0.0.0.0 0 10.9.0.1
#
 ssh server enable
#
local-user ops class manage
 password simple {PASSWORD}
 service-type ssh
#
return
"""
RGOS = f"""\
hostname V1
!
username ops privilege 15 password {PASSWORD}
enable secret {PASSWORD}
enable service ssh-server
!
interface GigabitEthernet 0/0
 description to-township
 ip address 10.9.0.2 255.255.255.252
!
interface GigabitEthernet 0/1
 ip address 192.168.10.1 255.255.255.0
!
ip route 0.0.0.0 0.0.0.0 10.9.0.1
!
line vty 0 4
 login local
 transport input ssh
!
end
"""
FRR = """\
frr version 8.4.4
frr defaults traditional
hostname v1
log syslog informational
no ipv6 forwarding
service integrated-vtysh-config
!
ip route 0.0.0.0/0 10.9.0.1
!
interface eth0
 description to-township
 ip address 10.9.0.2/30
exit
!
interface eth1
 ip address 192.168.10.1/24
exit
!
router ospf
 ospf router-id 10.9.0.2
 network 192.168.10.0/24 area 1
exit
!
end
"""

Lines = tuple[str, ...]


@dataclass(frozen=True)
class Case:
    """One platform's router and the changes that it gets.

    Attributes:
        changes: kind to commands and the way back. ``harmless`` touches the interface in use, keeps the path, and
            carries a secret; ``moves`` swaps address and default route of that interface to the neighbour's other
            network, and the path survives; ``cuts`` shuts it.
        lacks: what this release does not have.
    """

    platform: Platform
    text: str
    dead_man: DeadMan
    changes: dict[str, tuple[Lines, Lines]]
    lacks: frozenset[str] = frozenset()


def _in(section: str, leave: str, *lines: str) -> Lines:
    return (section, *(f" {line}" for line in lines), leave)


def _huawei_like(wan: str, lan: str, default: str, community: str) -> dict[str, tuple[Lines, Lines]]:
    ntp, log = "ntp-service unicast-server 10.0.0.1", "info-center loghost 10.0.0.1"
    old, new = "ip address 10.9.0.2 255.255.255.252", "ip address 10.9.0.6 255.255.255.252"
    by_old, by_new = f"ip route-static {default} 10.9.0.1", f"ip route-static {default} 10.9.0.5"
    w, n = f"interface {wan}", f"interface {lan}"
    return {
        "harmless": (
            (*_in(w, "quit", "description to-township-new"), *_in(n, "quit", "description lan"), ntp, community),
            (f"undo {community}", f"undo {ntp}", *_in(n, "quit", "undo description"),
             *_in(w, "quit", "description to-township")),
        ),
        "moves": (
            (by_new, *_in(w, "quit", new), f"undo {by_old}"),
            (by_old, *_in(w, "quit", old), f"undo {by_new}"),
        ),
        "cuts": (
            (ntp, *_in(w, "quit", "shutdown"), log),
            (f"undo {log}", *_in(w, "quit", "undo shutdown"), f"undo {ntp}"),
        ),
    }  # fmt: skip


def _cisco_like(
    wan: str, lan: str, default: str, route: str, swap: Lines, back: Lines, secret: str
) -> dict[str, tuple[Lines, Lines]]:
    by_old, by_new = f"ip route {default} 10.9.0.1", f"ip route {default} 10.9.0.5"
    w, n = f"interface {wan}", f"interface {lan}"
    return {
        "harmless": (
            (*_in(w, "exit", "description to-township-new"), *_in(n, "exit", "description lan"), route, secret),
            (f"no {secret}", f"no {route}", *_in(n, "exit", "no description"),
             *_in(w, "exit", "description to-township")),
        ),
        "moves": (
            (by_new, *_in(w, "exit", *swap), f"no {by_old}"),
            (by_old, *_in(w, "exit", *back), f"no {by_new}"),
        ),
        "cuts": (
            (*_in(n, "exit", "description lan"), *_in(w, "exit", "shutdown"), *_in(n, "exit", "description other")),
            (*_in(w, "exit", "no shutdown"), *_in(n, "exit", "no description")),
        ),
    }  # fmt: skip


_MASK = "255.255.255.252"

CASES: dict[str, Case] = {
    "vrp": Case(
        Platform.VRP, VRP, DeadMan.REBOOT,
        _huawei_like("GigabitEthernet0/0/0", "GigabitEthernet0/0/1", "0.0.0.0 0.0.0.0",
                     "snmp-agent community read cipher secret://v1/community"),
    ),
    "comware": Case(
        Platform.COMWARE, COMWARE, DeadMan.COMMIT_DELAY,
        _huawei_like("GigabitEthernet0/0", "GigabitEthernet0/1", "0.0.0.0 0",
                     "snmp-agent community read simple secret://v1/community"),
    ),
    "frr": Case(
        Platform.FRR, FRR, DeadMan.OS_TIMER,
        _cisco_like("eth0", "eth1", "0.0.0.0/0", "ip route 203.0.113.0/24 192.168.10.9",
                    ("ip address 10.9.0.6/30", "no ip address 10.9.0.2/30"),
                    ("ip address 10.9.0.2/30", "no ip address 10.9.0.6/30"), "password secret://v1/vty"),
    ),
    "rgos": Case(
        Platform.RGOS, RGOS, DeadMan.NONE,
        _cisco_like("GigabitEthernet 0/0", "GigabitEthernet 0/1", "0.0.0.0 0.0.0.0",
                    "ip route 203.0.113.0 255.255.255.0 192.168.10.9", (f"ip address 10.9.0.6 {_MASK}",),
                    (f"ip address 10.9.0.2 {_MASK}",), "snmp-server community secret://v1/community ro"),
    ),
}  # fmt: skip
"""Platforms, by the name that the table prints; ``rgos`` has no dead-man, so only local changes are made there."""
CASES["comware, timed replace"] = replace(CASES["comware"], lacks=frozenset({"commit_delay"}))
