"""What configuration lines do to a configuration, over four platforms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.platform import Platform
from simulator.routers import ciphers
from simulator.routers.editing import Done, Editor, Place, Refused
from simulator.routers.language import language
from simulator.routers.tree import Tree

EDITORS = {platform: Editor(language(platform)) for platform in Platform}


def type_all(platform: Platform, lines: str, text: str = "") -> tuple[list[str], list[str]]:
    """(lines shown, what the box said) after typing; ``<`` leaves a section."""
    editor = EDITORS[platform]
    tree, place, said = editor.load(text), Place(), list[str]()
    for line in (one.strip() for one in lines.strip().split("\n")):
        if line == "<":
            place = place.up()
            continue
        outcome = editor.enter(tree, place, line)
        if isinstance(outcome, Done):
            place = outcome.place
        said.append(outcome.says or (outcome.fit.verdict.value if isinstance(outcome, Refused) else ""))
    shown = [line for line in editor.show(tree) if line.strip() not in ("#", "!", "exit")]
    return shown, said


TABLE = [
    (Platform.VRP, "a new value replaces the old", "sysname A\nsysname B", "", [" sysname B"]),
    (
        Platform.VRP,
        "one address, and any number of further ones",
        "interface Vlanif10\nip address 10.1.0.1 24\nip address 10.1.1.1 24 sub\nip address 10.1.0.2 24",
        "",
        ["interface Vlanif10", " ip address 10.1.0.2 255.255.255.0", " ip address 10.1.1.1 255.255.255.0 sub"],
    ),
    (
        Platform.VRP,
        "a set grows and shrinks",
        "vlan batch 10 20\nvlan batch 30\nundo vlan batch 20",
        "",
        ["vlan batch 10 30"],
    ),
    (Platform.VRP, "a set shows ranges", "vlan batch 10 to 12 20", "", ["vlan batch 10 to 12 20"]),
    (
        Platform.VRP,
        "the argument of a header changes in place",
        "ospf 1 router-id 10.0.0.2",
        "#\nospf 1 router-id 10.0.0.1\n area 0.0.0.1\n  network 10.0.0.0 0.0.0.3\n#",
        ["ospf 1 router-id 10.0.0.2", " area 0.0.0.1", "  network 10.0.0.0 0.0.0.3"],
    ),
    (
        Platform.VRP,
        "a header without its argument opens the same section",
        "ospf 1\narea 0.0.0.2",
        "#\nospf 1 router-id 10.0.0.1\n#",
        ["ospf 1 router-id 10.0.0.1", " area 0.0.0.2"],
    ),
    (
        Platform.VRP,
        "the preference of a route is no other route",
        "ip route-static 0.0.0.0 0 10.0.0.1 preference 70\nip route-static 0.0.0.0 0.0.0.0 10.0.0.1",
        "",
        ["ip route-static 0.0.0.0 0.0.0.0 10.0.0.1"],
    ),
    (
        Platform.VRP,
        "a negation takes away all that it begins",
        "aaa\nundo local-user ops",
        "#\naaa\n local-user ops password irreversible-cipher Abc12345\n local-user ops service-type ssh\n#",
        ["aaa"],
    ),
    (
        Platform.VRP,
        "rules come in order of their numbers, and get them",
        "acl 2001\nrule permit source 10.2.0.0 0.0.255.255\nrule 5 permit source 10.1.0.0 0.0.255.255\nrule 100 deny",
        "#\nacl number 2001\n rule 20 deny source 10.3.0.0 0.0.0.255\n#",
        [
            "acl number 2001",
            " rule 5 permit source 10.1.0.0 0.0.255.255",
            " rule 20 deny source 10.3.0.0 0.0.0.255",
            " rule 25 permit source 10.2.0.0 0.0.255.255",
            " rule 100 deny",
        ],
    ),
    (
        Platform.VRP,
        "a line of the running configuration that begins with undo stays",
        "interface Vlanif10\nmtu 1400",
        "#\ninterface Vlanif10\n undo shutdown\n#",
        ["interface Vlanif10", " undo shutdown", " mtu 1400"],
    ),
    (
        Platform.COMWARE,
        "masks are shown as this box shows them",
        "ip route-static 10.0.0.0 255.0.0.0 10.9.0.1\ninterface LoopBack0\nip address 10.1.1.1 32",
        "",
        ["interface LoopBack0", " ip address 10.1.1.1 255.255.255.255", " ip route-static 10.0.0.0 8 10.9.0.1"],
    ),
    (
        Platform.RGOS,
        "interfaces are written with a blank, and a line of the root leaves the section",
        "interface gigabitethernet0/1\nip address 10.1.0.1 255.255.255.0\nhostname R",
        "",
        ["hostname R", "interface GigabitEthernet 0/1", " ip address 10.1.0.1 255.255.255.0"],
    ),
    (
        Platform.FRR,
        "a distance is replaced, and a negation takes the route whatever the distance is",
        "ip route 10.0.0.0/8 10.9.0.1 5\nip route 10.0.0.0/8 10.9.0.1 7\nip route 10.1.0.0/16 10.9.0.1 9\n"
        "no ip route 10.1.0.0/16 10.9.0.1 3",
        "",
        ["ip route 10.0.0.0/8 10.9.0.1 7"],
    ),
    (Platform.FRR, "forwarding that is off is shown, on it is not", "no ip forwarding", "", ["no ip forwarding"]),
    (Platform.FRR, "forwarding comes back", "ip forwarding", "no ip forwarding\n!", []),
]


@pytest.mark.parametrize(
    ("platform", "lines", "text", "shown"),
    [(platform, lines, text, shown) for platform, _, lines, text, shown in TABLE],
    ids=[f"{platform}: {name}" for platform, name, *_ in TABLE],
)
def test_a_line_does_what_the_box_would_do(platform: Platform, lines: str, text: str, shown: list[str]) -> None:
    assert type_all(platform, lines, text)[0] == shown


REFUSALS = [
    (Platform.VRP, "acl number 2001\nrule 5 permit\nrule 5 deny", "Error: The rule already exists."),
    (
        Platform.VRP,
        "bgp 65001\npeer 10.0.0.1 as-number 1\npeer 10.0.0.1 as-number 2",
        "Error: The peer already exists in AS 1.",
    ),
    (Platform.VRP, "bgp 65001\nundo peer 10.0.0.9", "Error: The peer session does not exist."),
    (Platform.VRP, "undo sysnam", "unknown"),
    (Platform.VRP, "interface Vlanif10\nip address 10.0.0.1", "incomplete"),
    (Platform.VRP, "interface Vlanif10\nospf 1 cost x\nsysname B", "unknown"),
    (Platform.RGOS, "ip route 0.0.0.0 0.0.0.0", "incomplete"),
    (
        Platform.FRR,
        "router ospf\nnetwork 10.0.0.0/8 area 0\nnetwork 10.0.0.0/8 area 1",
        "There is already same network statement.",
    ),
    (Platform.FRR, "no ip route 10.0.0.0/8 10.9.0.1", "% Refusing to remove a non-existent route"),
]


@pytest.mark.parametrize(("platform", "lines", "said"), REFUSALS, ids=[f"{p}: {said}" for p, _, said in REFUSALS])
def test_a_line_that_cannot_be_is_refused_in_the_boxs_words(platform: Platform, lines: str, said: str) -> None:
    assert type_all(platform, lines)[1][-1] == said


def test_a_port_can_be_emptied_and_not_removed_and_none_invented() -> None:
    editor, ports = EDITORS[Platform.VRP], ("GigabitEthernet0/0/1",)
    tree = editor.load("", ports)
    assert isinstance(editor.enter(tree, Place(), "undo interface GigabitEthernet0/0/1", ports), Refused)
    assert isinstance(editor.enter(tree, Place(), "interface GigabitEthernet0/0/9", ports), Refused)
    assert isinstance(editor.enter(tree, Place(), "interface GigabitEthernet0/0/1.100", ports), Done)


def test_joining_a_vpn_takes_the_address_away_and_says_so() -> None:
    shown, said = type_all(Platform.VRP, "interface Vlanif10\nip address 10.0.0.1 24\nip binding vpn-instance gov")
    assert shown == ["interface Vlanif10", " ip binding vpn-instance gov"]
    assert said[-1].startswith("Info: All IPv4 related configurations")


SECRETS = [
    (Platform.VRP, "aaa\nlocal-user ops password irreversible-cipher {}", r"$1a$"),
    (Platform.VRP, "snmp-agent usm-user v3 nms authentication-mode sha2-256 cipher {}", "%^%#"),
    (Platform.COMWARE, "local-user ops class manage\npassword simple {}", "$h$6$"),
    (
        Platform.COMWARE,
        "snmp-agent usm-user v3 nms G simple authentication-mode sha {} privacy-mode aes128 {}",
        "cipher authentication-mode sha $c$3$",
    ),
    (Platform.RGOS, "username ops privilege 15 password {}", "password 7 "),
    (Platform.RGOS, "enable secret {}", "secret 5 $1$"),
    (Platform.RGOS, "snmp-server user nms G v3 auth sha {} priv aes128 {}", "priv aes128 7 "),
]


@pytest.mark.parametrize(("platform", "lines", "form"), SECRETS, ids=[lines for _, lines, _ in SECRETS])
def test_a_plain_secret_is_shown_as_ciphertext_and_another_each_time(platform: Platform, lines: str, form: str) -> None:
    first, second = ("\n".join(type_all(platform, lines.replace("{}", "Marked@123"))[0]) for _ in range(2))
    assert form in first
    assert "Marked" not in first
    assert first != second
    assert ciphers.plainly(first) == ciphers.plainly(second)


@given(secret=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40))
@pytest.mark.parametrize("form", ["percent", "1a", "c3", "h6", "seven", "five"])
def test_what_is_sealed_can_be_checked(form: str, secret: str) -> None:
    sealed = ciphers.seal(form, secret)
    assert ciphers.opened(sealed) == secret
    assert ciphers.opened(ciphers.again(f"x {sealed} y")[2:-2]) == secret


LINES = st.lists(
    st.sampled_from(
        [
            "sysname A",
            "vlan batch 10 20",
            "vlan batch 30",
            "undo vlan batch 20",
            "ip route-static 10.0.0.0 8 10.9.0.1",
            "undo ip route-static 10.0.0.0 8 10.9.0.1",
            "ntp-service unicast-server 10.0.0.3",
            "undo ntp-service unicast-server 10.0.0.3",
            "stelnet server enable",
            "dhcp enable",
            "interface Vlanif10",
            "acl 2001",
            "aaa",
        ]
    ),
    max_size=20,
)


@given(LINES)
def test_what_is_shown_reads_back_as_the_same(lines: list[str]) -> None:
    editor, tree = EDITORS[Platform.VRP], Tree()
    for line in lines:
        editor.enter(tree, Place(), line)
    shown = "\n".join(editor.show(tree))
    assert "\n".join(editor.show(editor.load(shown))) == shown


def test_vrp_takes_no_ipv6_address_before_ipv6_enable_and_forgets_it_with_that() -> None:
    editor, tree = EDITORS[Platform.VRP], Tree()
    port = editor.enter(tree, Place(), "interface Vlanif10")
    assert isinstance(port, Done)
    refused = editor.enter(tree, port.place, "ipv6 address 2001:DB8:5::1/64")
    assert isinstance(refused, Refused)
    assert refused.says.startswith("Error:")
    for line in ("ipv6 enable", "ipv6 address 2001:DB8:5::1/64", "mtu 1400"):
        assert isinstance(editor.enter(tree, port.place, line), Done)
    assert editor.show(tree)[1:-1] == [
        "interface Vlanif10",
        " ipv6 address 2001:DB8:5::1/64",
        " ipv6 enable",
        " mtu 1400",
    ]
    editor.enter(tree, port.place, "undo ipv6 enable")
    assert editor.show(tree)[1:-1] == ["interface Vlanif10", " mtu 1400"]
