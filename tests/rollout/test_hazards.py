"""The lint, line by line: what a way through a configuration would do to the session."""

from ipaddress import IPv4Address
from pathlib import Path

import pytest

from rollout.hazards import Lint, of_lines
from rollout.logins import fits
from rollout.path import Facts
from rollout.platform import Platform
from rollout.tree import parse

DEFAULT = "ip route-static 0.0.0.0 0.0.0.0 10.9.0.1"
BRIDGE = "port link-mode bridge"
ELSEWHERE = "ip address 10.8.0.2 255.255.255.252"

MANAGER = IPv4Address("10.1.2.3")
BASES = Path(__file__).parent / "corpus" / "bases"


def linted(platform: Platform, commands: list[str]) -> dict[str, str]:
    root = parse(platform, (BASES / f"{platform}.txt").read_text("utf-8"))
    lint = Lint(platform, root, Facts(platform, root, MANAGER), frozenset(), frozenset())
    lint.run(commands)
    return {hazard.id: hazard.line for hazard in lint.hazards if hazard.fatal}


@pytest.mark.parametrize(
    ("platform", "commands", "hazard", "line"),
    [
        ("vrp", ["interface GigabitEthernet0/0/0", "shutdown"], "shutdown-of-path", "shutdown"),
        ("vrp", [f"undo {DEFAULT}"], "path-route-gap", f"undo {DEFAULT}"),
        (
            "vrp",
            ["interface GigabitEthernet0/0/0", "ip address 10.8.0.2 255.255.255.252"],
            "path-route-gap",
            "ip address 10.8.0.2 255.255.255.252",
        ),
        ("vrp", ["interface GigabitEthernet0/0/0", "undo ip address"], "path-route-gap", "undo ip address"),
        ("vrp", ["undo stelnet server enable"], "ssh-off", "undo stelnet server enable"),
        ("vrp", ["user-interface vty 0 4", "undo authentication-mode"], "vty-lockout", "undo authentication-mode"),
        ("vrp", ["user-interface vty 0 4", "protocol inbound telnet"], "vty-lockout", "protocol inbound telnet"),
        ("vrp", ["undo acl number 2001"], "vty-lockout", "undo acl number 2001"),
        ("vrp", ["acl number 2001", "undo rule 5"], "acl-denies-manager", "undo rule 5"),
        ("vrp", ["acl number 2001", "rule 1 deny"], "acl-denies-manager", "rule 1 deny"),
        ("vrp", ["aaa", "undo local-user ops"], "aaa-lockout", "undo local-user ops"),
        ("vrp", ["undo ospf 1"], "process-deleted", "undo ospf 1"),
        ("vrp", ["acl number 2001", "rule 5 permit"], "prediction", "rule 5 permit"),
        ("comware", ["undo ssh server enable"], "ssh-off", "undo ssh server enable"),
        ("comware", ["local-user ops class manage", "undo service-type ssh"], "aaa-lockout", "undo service-type ssh"),
        ("comware", ["undo local-user ops class manage"], "aaa-lockout", "undo local-user ops class manage"),
        (
            "comware",
            ["interface GigabitEthernet0/0", "port link-mode bridge"],
            "path-route-gap",
            "port link-mode bridge",
        ),
        ("rgos", ["line vty 0 4", "no transport input"], "vty-lockout", "no transport input"),
        ("rgos", ["line vty 0 4", "access-class 11 in"], "vty-lockout", "access-class 11 in"),
        ("rgos", ["no username ops", "no username clerk"], "aaa-lockout", "no username clerk"),
        ("rgos", ["no enable service ssh-server"], "ssh-off", "no enable service ssh-server"),
        ("frr", ["interface eth0", "no ip address 10.9.0.2/30"], "path-route-gap", "no ip address 10.9.0.2/30"),
        ("frr", ["no router bgp 65001"], "process-deleted", "no router bgp 65001"),
        ("frr", ["ip forwarding"], "negated-negation", "ip forwarding"),
    ],
)
def test_the_line_that_does_harm_is_named(platform: str, commands: list[str], hazard: str, line: str) -> None:
    assert linted(Platform(platform), commands).get(hazard) == line


@pytest.mark.parametrize(
    ("platform", "commands"),
    [
        ("vrp", ["ip route-static 0.0.0.0 0.0.0.0 10.9.0.2", "undo ip route-static 10.50.0.0 255.255.0.0 NULL0"]),
        ("vrp", ["interface GigabitEthernet0/0/1", "undo shutdown", "quit"]),
        ("vrp", ["acl number 2001", "rule 4 permit source 10.1.2.3 0", "undo rule 5", "quit"]),
        ("vrp", ["interface Vlanif10", "shutdown", "quit"]),
        ("rgos", ["interface VLAN 10", "shutdown", "exit"]),
        ("frr", ["interface eth0", "ip address 10.9.0.6/30", "exit", "ip route 0.0.0.0/0 10.9.0.5"]),
    ],
)
def test_what_does_no_harm_is_not_cried_at(platform: str, commands: list[str]) -> None:
    assert linted(Platform(platform), commands) == {}


@pytest.mark.parametrize(
    ("line", "hazard"),
    [
        ("reset saved-configuration", "forbidden-command"),
        ("undo ip route-static all", "forbidden-command"),
        ("reboot", "forbidden-command"),
        ("startup saved-configuration x.cfg", "forbidden-command"),
        ("format flash:", "forbidden-command"),
        ("save", "forbidden-command"),
        ("system-view", "forbidden-command"),
        ("description what?", "dangerous-character"),
        ("description a\x1a", "dangerous-character"),
        ("description a\u202eb", "dangerous-character"),
        ("snmp-agent local-engineid 8000", "engine-id"),
    ],
)
def test_a_line_may_be_dangerous_by_itself(line: str, hazard: str) -> None:
    assert [one.id for one in of_lines(Platform.VRP, [line]) if one.fatal] == [hazard]


@pytest.mark.parametrize(
    "line", ["description restore the line", "enable service ssh-server", "ip route-static 0.0.0.0 0 10.0.0.1", "quit"]
)
def test_ordinary_lines_are_not_dangerous(line: str) -> None:
    assert of_lines(Platform.RGOS, [line]) == []


@pytest.mark.parametrize(
    ("rest", "fitting"),
    [
        ("", True),
        ("source 10.1.0.0 0.0.255.255", True),
        ("source 10.1.2.3 0", True),
        ("source 10.1.2.4 0", False),
        ("source any", True),
        ("ip source 10.2.0.0 0.0.255.255", False),
        ("tcp source 10.1.0.0 0.0.255.255 destination-port eq 22", True),
        ("tcp destination-port eq 23", False),
        ("udp", False),
        ("host 10.1.2.3", True),
        ("10.1.0.0 0.0.255.255", True),
        ("tcp any any eq 22", True),
        ("tcp any any eq 445", False),
        ("source 10.1.0.0 0.0.255.255 time-range night", False),
    ],
)
def test_a_rule_fits_the_manager_or_not(rest: str, fitting: bool) -> None:
    assert fits(rest, MANAGER) is fitting
