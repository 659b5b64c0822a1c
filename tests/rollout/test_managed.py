"""Managed sections: exact, merge and absent, on the platforms' own words."""

import pytest

from rollout.errors import TemplateError
from rollout.managed import whole
from rollout.platform import Platform
from rollout.remediation import remediate

VRP = """\
#
 sysname A
#
acl number 2001
 rule 5 permit source 10.1.0.0 0.0.255.255
 rule 10 permit source 10.7.0.0 0.0.255.255
#
interface GigabitEthernet0/0/2
 description by hand
 qos gts cir 2000
#
ntp-service unicast-server 10.0.0.7
#
ip route-static 0.0.0.0 0.0.0.0 10.9.0.1
#
return
"""
ASKED = "interface GigabitEthernet0/0/2\n description LAN\n#\nntp-service unicast-server 10.0.0.1\n"


def commands(intended: str, platform: Platform = Platform.VRP, running: str = VRP) -> tuple[str, ...]:
    return remediate(platform, running, whole(platform, running, intended)).commands


def test_exact_is_the_rule_and_takes_away_what_the_template_lacks() -> None:
    told = commands(ASKED)
    assert any(line.startswith("undo qos gts") for line in told)
    assert "undo ntp-service unicast-server 10.0.0.7" in told


def test_merge_adds_and_changes_and_takes_nothing_away() -> None:
    assert sorted(commands(f"!! merge\n{ASKED}")) == [
        "description LAN", "interface GigabitEthernet0/0/2", "ntp-service unicast-server 10.0.0.1", "quit",
    ]  # fmt: skip


def test_merge_ends_where_exact_begins() -> None:
    told = commands(f"!! merge\ninterface GigabitEthernet0/0/2\n description LAN\n!! exact\n{ASKED.partition('#')[2]}")
    assert not any("qos gts" in line for line in told)
    assert "undo ntp-service unicast-server 10.0.0.7" in told


def test_absent_owns_only_what_it_names() -> None:
    assert commands("undo ntp-service unicast-server 10.0.0.7\n") == ("undo ntp-service unicast-server 10.0.0.7",)
    assert commands("undo acl number 2001\n") == ("undo acl number 2001",)


def test_merge_into_what_is_not_there_makes_it() -> None:
    assert commands("!! merge\nacl number 2002\n rule 5 permit\n") == ("acl number 2002", "rule 5 permit", "quit")


def test_merge_speaks_every_platform_s_words() -> None:
    running = "hostname A\n!\ninterface eth1\n description by hand\n ip address 10.0.0.1/24\nexit\n!\nend\n"
    told = commands("!! merge\ninterface eth1\n description LAN\n", Platform.FRR, running)
    assert told == ("interface eth1", "description LAN", "exit")


def test_an_unknown_mark_is_refused_with_its_line() -> None:
    with pytest.raises(TemplateError, match=r"line 2 .*'!! merg'"):
        whole(Platform.VRP, VRP, "sysname A\n!! merg\n")
