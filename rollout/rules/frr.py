"""Linux with FRRouting, as vtysh prints and takes it."""

import re

from rollout.platform import Platform
from rollout.rules import cisco_like as shared
from rollout.rules.model import Rules, patterns, sections, swaps, table

RULES = Rules(
    platform=Platform.FRR,
    negation="no",
    leave="exit",
    noise=(
        *shared.NOISE,
        *patterns(r"""
            frr version
            [\w.\-]+[>#](?:\s*(?:show|write) .*)?\s*$
            [\w.\-]+\(config[^)]*\)#
            show running-config
            \d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d+)? [A-Z]+: 
        """),
    ),
    foreign=shared.FOREIGN,
    secrets=(
        re.compile(r"^\s*(?:enable )?password (?:8 )?(?P<secret>(?!<secret>)\S+)"),
        re.compile(r"\bneighbor \S+ password (?P<secret>(?!<secret>)\S+)"),
        re.compile(r"\bmessage-digest-key \d+ md5 (?P<secret>(?!<secret>)\S+)"),
        re.compile(r"\bip ospf authentication-key (?P<secret>(?!<secret>)\S+)"),
        re.compile(r"\bip rip authentication string (?P<secret>(?!<secret>)\S+)"),
        re.compile(r"\bkey-string (?P<secret>(?!<secret>)\S+)"),
        re.compile(r"\bisis password (?:clear|md5) (?P<secret>(?!<secret>)\S+)"),
    ),
    secret_words=re.compile(r"\b8 (?=<secret>)"),
    literals=shared.LITERALS,
    swaps=swaps(r"""
        ^(ip(?:v6)? route \S+ \S+(?: tag \d+)?) 1(?!\S) => \1
        ^ip route (\d+\.\d+\.\d+\.\d+) 0\.0\.0\.0 => ip route \1/0
    """),
    sections=(
        *sections(r"""
            vrf       root  (?P<id>vrf \S+)  || leave=exit-vrf
            vty       root  (?P<id>line vty)  || permanent
            bfd       root  (?P<id>(?:bfd|segment-routing|mpls ldp))
            peer      bfd   (?P<id>(?:peer|profile) \S+.*)
            pbr       root  (?P<id>(?:pbr-map|rpki|nexthop-group) \S+.*)
        """),
        *shared.SECTIONS,
    ),
    lines=(
        *table(
            "root",
            r"""
            single key  (?:hostname|domainname|log (?:syslog|file|stdout|timestamp precision|facility)|banner motd
                        + |debug .*)
            single key  (?:ip|ipv6) (?:forwarding) || stored
            single key  (?:password|enable password|service (?:password-encryption|integrated-vtysh-config))
            single key  (?:router-id|ip router-id)
            single line (?P<k>(?:ip|ipv6) prefix-list \S+ seq \d+) .*
            member line (?:ip|ipv6) prefix-list .*
            single line (?P<k>access-list \S+ seq \d+) .*
            member line access-list .*
            single line (?P<k>bgp as-path access-list \S+ seq \d+) .*
            """,
        ),
        *table(
            "root vrf",
            r"""
            member key  (?:ip|ipv6) route \S+ (?:(?!\d+$|tag |vrf |table |track )\S+)
            + (?: (?!vrf|tag|label|table|onlink|nexthop-vrf|bfd)[A-Za-z]\S*)?(?:(?= .*vrf ).* vrf \S+)?
            """,
        ),
        *table(
            "peer",
            r"""
            single key detect-multiplier || default=detect-multiplier 3
            single key receive-interval || default=receive-interval 300
            single key transmit-interval || default=transmit-interval 300
            single key echo (?:receive-interval|transmit-interval)
            single key (?:minimum-ttl|label|profile)
            """,
        ),
        *table(
            "interface",
            r"""
            member line ip address \S+(?: peer \S+)?(?: label \S+)?
            single key  ipv6 nd suppress-ra || stored
            """,
        ),
        *shared.LINES,
    ),
    defaults=(
        (("interface",), re.compile(r"ipv6 nd suppress-ra$")),
        (("peer",), re.compile(r"detect-multiplier 3$|(?:receive|transmit)-interval 300$")),
        (("",), re.compile(r"frr defaults \S+$|ip(?:v6)? forwarding$|service integrated-vtysh-config$|line vty$")),
        (("bgp", "family"), re.compile(r"bgp (?:default ipv4-unicast|ebgp-requires-policy|network import-check)$")),
    ),
    order=patterns(r"""
        hostname|log|frr
        vrf
        (?:ip|ipv6) forwarding
        access-list
        (?:ip|ipv6) prefix-list
        bgp as-path|bgp community
        route-map
        key chain
        interface
        router ospf
        router
        ip route|ipv6 route
        line
    """),
    exits=frozenset({"exit", "end", "quit", "exit-vrf", "exit-address-family"}),
    harmless=re.compile(r"(?:no )?(?:description|hostname|log |banner|domainname|neighbor \S+ description)"),
)
