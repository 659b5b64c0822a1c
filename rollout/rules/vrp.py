"""Huawei VRP on AR routers."""

import re

from rollout.platform import Platform
from rollout.rules import huawei_like as shared
from rollout.rules.model import Rules, patterns, sections, swaps, table

RULES = Rules(
    platform=Platform.VRP,
    negation="undo",
    leave="quit",
    # AR prints its release in brackets first, which looks like a prompt (vendor-cli 9.9).
    noise=(*patterns(r"\[V\d{3}R\d{3}\w*\]\s*$"), *shared.NOISE),
    foreign=re.compile(rf"{shared.FOREIGN}|line vty|local-user \S+ class |acl (?:basic|advanced) "),
    secrets=shared.SECRETS,
    secret_words=shared.SECRET_WORDS,
    literals=shared.LITERALS,
    swaps=(
        *shared.SWAPS,
        *swaps(r"""
            ^acl (?:number )?(\d+)(?!\S)(?! (?:in|out)bound) => acl number \1
            ^(acl name \S+) (?:basic|advance|number )?(\d+)(?!\S) => \1 \2
        """),
    ),
    sections=(
        *sections(r"""
            acl       root  (?P<id>acl(?: ipv6)?(?: number)? \d+)(?: (?P<args>match-order \S+|name \S+))?
            acl       root  (?P<id>acl(?: ipv6)? name \S+)(?: (?P<args>.+))?
            bgp       root  (?P<id>bgp \d+(?:\.\d+)?)
            family    bgp   (?P<id>(?:ipv4|ipv6|vpnv4|l2vpn)-family(?: .+)?)  || permanent
            vpnfamily vpn   (?P<id>ipv[46]-family(?: unicast)?)
            vty       root  (?P<id>user-interface (?:con|aux|vty|tty|console) \d+(?: \d+)?)  || permanent
            aaa       root  (?P<id>aaa)  || permanent
            scheme    aaa   (?P<id>local-aaa-user password policy \S+)  || loose=2
            scheme    aaa   (?P<id>(?:domain|(?:authentication|authorization|accounting|service)-scheme) \S+)
            + || loose=1
            pool      root  (?P<id>ip pool \S+)
            vlan      root  (?P<id>vlan \d+)
            apn       root  (?P<id>apn profile \S+)  || loose=1
            dialer    root  (?P<id>dialer-rule)
            routepolicy root (?P<id>(?:route-policy|policy-based-route) \S+)(?: (?P<args>permit|deny))?
            +  (?P<id2>node \d+)
            + || loose=2
        """),
        *shared.SECTIONS,
    ),
    lines=(
        *table(
            "root",
            r"""
            set    key  (?P<k>vlan batch) (?P<set>.+)
            single key  user-interface maximum-vty
            single key  header (?:login|shell)
            """,
        ),
        *table("interface", "reset key portswitch || stored || wipes=(?!description|shutdown|undo ).+"),
        # Without it an interface has no IPv6 at all, forgets what it had, and takes none.
        *table(
            "interface",
            r"""
            reset  key  ipv6 enable || late || wipes=ipv6[ ]
            member line ipv6 address (?!auto(?!\S))\S+ || needs=ipv6 enable
            member key  ipv6 address auto (?:link-local|global) || needs=ipv6 enable
            """,
        ),
        *table(
            "aaa",
            r"""
            single key  local-user \S+ (?:password|privilege level|service-type|state|idle-timeout|access-limit
                        + |user-group|user-type|ftp-directory|expire-date) || object=local-user \S+
            single line (?P<k>local-user \S+).* || object=local-user \S+
            single key  local-aaa-user wrong-password
            """,
        ),
        *table("dialer", "single key dialer-rule \\d+"),
        *table(
            "hwtacacs radius",
            r"""
            single key  (?:hwtacacs-server|radius-server) (?:shared-key|source-ip|timer \S+|timeout|retransmit
                        + |user-name)
            member line (?:hwtacacs-server|radius-server) (?:authentication|authorization|accounting) .*
            """,
        ),
        *shared.LINES,
    ),
    defaults=(
        (
            ("aaa",),
            re.compile(r"(?:authentication-scheme|authorization-scheme|accounting-scheme|domain) default(?:_admin)?$"),
        ),
        (("acl",), re.compile(r"step 5$")),
        (
            ("interface",),
            re.compile(
                r"mtu 1500$|(?:speed|duplex) auto$|port link-type hybrid$|combo enable auto$|portswitch$|"
                r"ipv6 nd ra halt$|negotiation auto$"
            ),
        ),
        (("",), re.compile(r"user-interface maximum-vty 5$|snmp-agent$|http timeout .*$")),
        (("vty",), re.compile(r"idle-timeout 10(?: 0)?$|screen-length 24$|user privilege level 0$")),
        (("bgp", "family"), re.compile(r"(?:default ipv4-unicast|synchronization|policy vpn-target)$")),
    ),
    order=(
        *patterns(r"""
            sysname|clock|router id|dns
            ip vpn-instance
            dhcp enable
            dhcp snooping
            vlan
            time-range
            acl
            traffic classifier
            traffic behavior
            traffic policy|qos policy
            pki|ssl
            ike proposal
            ike peer
            ipsec proposal
            ipsec policy
            ip pool
            apn|dialer-rule
            hwtacacs|radius
            aaa
        """),
        *shared.ORDER_TAIL,
    ),
    exits=frozenset({"quit", "return"}),
    harmless=shared.HARMLESS,
    blocks=True,
)
