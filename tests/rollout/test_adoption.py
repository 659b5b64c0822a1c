"""What a router's configuration tells of its line upward."""

import pytest

from cuntong.adopting.proposing import carrier_in
from rollout.adoption import find
from rollout.platform import Platform

VRP = """\
sysname village-1
#
interface {name}
 description {said}
{lines}#
ip route-static 0.0.0.0 0.0.0.0 {exit}
#
return
"""


def vrp(name: str, lines: str = "", said: str = "to the town", exit: str = "") -> str:
    return VRP.format(name=name, said=said, lines=lines, exit=exit or name)


@pytest.mark.parametrize(
    ("text", "link_type"),
    [
        pytest.param(vrp("Cellular0/0/0", " dialer enable-circular\n"), "vpdn", id="a modem"),
        pytest.param(vrp("Dialer1", " link-protocol ppp\n ip address ppp-negotiate\n"), "pon", id="a dialer of PPPoE"),
        pytest.param(vrp("Serial2/0/0", " ip address 10.9.0.2 255.255.255.252\n", exit="10.9.0.1"), "mstp", id="E1"),
        pytest.param(
            vrp("Tunnel0/0/1", " ip address 10.9.0.2 255.255.255.252\n tunnel-protocol gre\n", exit="10.9.0.1"),
            "ipsec_inet",
            id="a tunnel",
        ),
        pytest.param(
            vrp("GigabitEthernet0/0/0", " ip address 10.9.0.2 255.255.255.252\n ipsec policy hub\n", exit="10.9.0.1"),
            "ipsec_inet",
            id="a policy at the port",
        ),
        pytest.param(
            vrp("GigabitEthernet0/0/0", " ip address 10.9.0.2 255.255.255.252\n", exit="10.9.0.1"),
            None,
            id="a port, which may lead anywhere",
        ),
        pytest.param(
            "sysname x\n#\ninterface Serial2/0/0\n ip address 10.9.0.2 255.255.255.252\n#\n", None, id="no way up"
        ),
    ],
)
def test_the_kind_of_line_is_told_by_the_interface_of_the_default_route(text: str, link_type: str | None) -> None:
    assert find(Platform.VRP, text).link_type == link_type


@pytest.mark.parametrize(
    ("said", "carrier"),
    [
        (["To town, 电信 circuit 8812"], "telecom"),
        (["CHINA UNICOM 20M"], "unicom"),
        (["移动或电信"], None),
        (["uplink"], None),
        ([], None),
    ],
)
def test_a_carrier_is_known_only_where_one_alone_is_named(said: list[str], carrier: str | None) -> None:
    carriers = {"telecom": "中国电信", "unicom": "中国联通", "mobile": "中国移动"}
    assert carrier_in(said, carriers) == carrier


def test_what_is_written_at_the_line_is_kept_for_that() -> None:
    assert find(Platform.VRP, vrp("Dialer1", said="电信 8812")).upward == ("电信 8812",)
