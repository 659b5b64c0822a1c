"""Noise off, secrets masked, the same fingerprint for two readings between which nothing changed."""

import pytest

from rollout.platform import Platform
from rollout.running import fingerprint, normalise, redact, secrets_of

VRP, COMWARE, RGOS, FRR = Platform.VRP, Platform.COMWARE, Platform.RGOS, Platform.FRR


@pytest.mark.parametrize(
    ("platform", "text", "plain"),
    [
        pytest.param(
            VRP,
            "[V200R010C00SPC600]\r\n#\r\n sysname a\r\n dhcp enable\r\n#\r\n"
            "interface G0\r\n mtu 1400\r\n#\r\nreturn\r\n",
            "sysname a\ndhcp enable\ninterface G0\n mtu 1400\n",
            id="banner, blocks, root lines with a space, return",
        ),
        pytest.param(
            VRP,
            "!Software Version V200R010\n2026-11-21 03:04:05.120 +08:00\n#\n sysname a\n"
            "%Nov 21 2026 03:04:05 a %%01IFNET/4/LINK_STATE(l): line down\n#\nreturn\n<a>\n",
            "sysname a\n",
            id="release, date, a log line in the middle, the prompt",
        ),
        pytest.param(
            VRP,
            "#\ninterface Vlanif20\n description lan\nNov 21 2026 10:00:00+08:00 a "
            "%%01IFNET/4/LINK_STATE(l)[0]:The line protocol is UP.\n ip address 10.1.1.1 255.255.255.0\n#\nreturn\n",
            "interface Vlanif20\n description lan\n ip address 10.1.1.1 255.255.255.0\n",
            id="a log line of VRP without a per cent sign before it, in the middle of a section",
        ),
        pytest.param(
            FRR,
            "interface eth0\n2026/11/21 10:00:00 ZEBRA: [TQKA8-0276P] Interface eth1 is up\n mtu 1400\nexit\n",
            "interface eth0\n mtu 1400\nexit\n",
            id="a log line of FRR in the middle of a section",
        ),
        pytest.param(
            VRP,
            '#\n header login information "Do not\n# touch\n return"\n#\nreturn\n',
            'header login information "Do not\n# touch\n return"\n',
            id="inside a banner everything stays",
        ),
        pytest.param(
            VRP,
            "#\naaa\n domain default\n  authentication-scheme default\n#\n ntp-service unicast-server 10.0.0.1\n",
            "aaa\n domain default\n  authentication-scheme default\nntp-service unicast-server 10.0.0.1\n",
            id="what hangs below a section stays below it",
        ),
        pytest.param(
            COMWARE,
            "#\n version 7.1.064, Release 6749P18\n#\nbgp 65001\n peer 10.0.0.1 as-number 1\n #\n"
            " address-family ipv4 unicast\n  peer 10.0.0.1 enable\n#\nreturn\n",
            "bgp 65001\n peer 10.0.0.1 as-number 1\n address-family ipv4 unicast\n  peer 10.0.0.1 enable\n",
            id="the hash inside a section ends nothing",
        ),
        pytest.param(
            RGOS,
            "Building configuration...\nCurrent configuration : 99 bytes\n\nversion 10.4\n!\nhostname a\n\x00\nend\n",
            "hostname a\n",
            id="headings and end",
        ),
        pytest.param(
            FRR,
            "Current configuration:\n!\nfrr version 8.4.4\nhostname a\nhostname a\n!\n"
            "interface eth0\n mtu 1\nexit\nend\n",
            "hostname a\ninterface eth0\n mtu 1\nexit\n",
            id="the hostname is printed twice",
        ),
    ],
)
def test_noise_goes_and_the_rest_stands_at_its_column(platform: Platform, text: str, plain: str) -> None:
    assert normalise(platform, text) == plain
    assert normalise(platform, plain) == plain


@pytest.mark.parametrize(
    ("platform", "line", "shown"),
    [
        (
            VRP,
            "local-user u password irreversible-cipher $1a$ab$cd$",
            "local-user u password irreversible-cipher <secret>",
        ),
        (VRP, "pre-shared-key cipher %^%#x y'z%^%#", "pre-shared-key cipher <secret>"),
        (VRP, "set authentication password cipher %@%@abc%@%@", "set authentication password cipher <secret>"),
        (VRP, "ssh server cipher aes256_ctr aes128_ctr", "ssh server cipher aes256_ctr aes128_ctr"),
        (VRP, "pin verify %^%#abc%^%#", "pin verify <secret>"),
        (VRP, "snmp-agent community read public1", "snmp-agent community read <secret>"),
        (COMWARE, "password hash $h$6$aa$bb", "password hash <secret>"),
        (
            COMWARE,
            "snmp-agent usm-user v3 n g cipher authentication-mode sha $c$3$a privacy-mode aes128 $c$3$b",
            "snmp-agent usm-user v3 n g cipher authentication-mode sha <secret> privacy-mode aes128 <secret>",
        ),
        (RGOS, "username u privilege 15 password 7 0835495d1a", "username u privilege 15 password 7 <secret>"),
        (RGOS, "enable secret 5 $1$Qz$Lf", "enable secret 5 <secret>"),
        (RGOS, "snmp-server community public ro", "snmp-server community <secret> ro"),
        (FRR, "neighbor 10.0.0.1 password hush", "neighbor 10.0.0.1 password <secret>"),
        (FRR, "ip ospf message-digest-key 1 md5 hush", "ip ospf message-digest-key 1 md5 <secret>"),
        (FRR, "neighbor 10.0.0.1 password secret://bgp/a", "neighbor 10.0.0.1 password <secret>"),
    ],
)
def test_a_secret_is_masked_in_its_place_and_nothing_else(platform: Platform, line: str, shown: str) -> None:
    assert redact(platform, line) == f"{shown}\n"


def test_a_ciphertext_that_changes_at_every_display_leaves_the_fingerprint_alone() -> None:
    one = "#\naaa\n local-user u password cipher %^%#one%^%#\n#\nreturn\n"
    assert fingerprint(VRP, one) == fingerprint(VRP, one.replace("one", "two").replace("\n", "\r\n"))
    assert fingerprint(VRP, one) != fingerprint(VRP, one.replace("local-user u", "local-user v"))


def test_a_line_tells_its_secrets_in_order() -> None:
    line = "snmp-agent usm-user v3 n g simple authentication-mode sha secret://a privacy-mode aes128 secret://b"
    assert secrets_of(COMWARE, line) == ("secret://a", "secret://b")
