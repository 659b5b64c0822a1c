"""H3C Comware 7 on MSR routers."""

import re

from rollout.platform import Platform
from rollout.rules import huawei_like as shared
from rollout.rules.model import Rules, patterns, sections, swaps, table

RULES = Rules(
    platform=Platform.COMWARE,
    negation="undo",
    leave="quit",
    noise=(
        *patterns(r"\s*version 7\.\d\S*, .*(?:Release|Feature|ESS|Demo|Test|Customer|Alpha|Beta).*$"),
        *shared.NOISE,
    ),
    foreign=re.compile(rf"{shared.FOREIGN}|aaa$|vlan batch |stelnet server enable"),
    secrets=shared.SECRETS,
    secret_words=shared.SECRET_WORDS,
    literals=shared.LITERALS,
    swaps=(
        *shared.SWAPS,
        *swaps(r"""
            ^acl (?:basic|advanced|number) (\d+)(?!\S) => acl number \1
            ^acl (?:basic|advanced) name (\S+) => acl name \1
        """),
    ),
    sections=(
        *sections(r"""
            acl       root  (?P<id>acl(?: ipv6)? (?:number |basic |advanced |mac )?\d+)(?: (?P<args>.+))?
            acl       root  (?P<id>acl(?: ipv6)?(?: basic| advanced)? name \S+)(?: (?P<args>.+))?
            bgp       root  (?P<id>bgp \d+(?:\.\d+)?(?: instance \S+)?)
            family    bgp,bgpvpn  (?P<id>address-family \S+(?: \S+)?)
            bgpvpn    bgp   (?P<id>ip vpn-instance \S+)
            vpnfamily vpn   (?P<id>address-family ipv[46](?: unicast)?)
            vty       root  (?P<id>line (?:con|aux|vty|tty|console|class \S+) ?(?:\d+(?: \d+)?)?)  || permanent
            vty       root  (?P<id>user-interface (?:con|aux|vty|tty) \d+(?: \d+)?)  || permanent
            user      root  (?P<id>local-user \S+(?: class \S+)?)
            scheme    root  (?P<id>domain (?!default enable)\S+)  || loose=2
            pool      root  (?P<id>dhcp server ip-pool \S+)(?P<args>)
            vlan      root  (?P<id>vlan \d+)
            nqatype   nqa   (?P<id>type \S+)  || permanent || loose=1
            track     root  (?P<id>track \d+)(?: (?P<args>.+))?
            routepolicy root (?P<id>(?:route-policy|policy-based-route) \S+)(?: (?P<args>permit|deny))?
            +  (?P<id2>node \d+)
            + || loose=2 || whole
            scheduler root  (?P<id>scheduler (?:job|schedule) \S+)  || loose=2
            apn       root  (?P<id>(?:apn-profile|controller) .+)  || loose=1
        """),
        *shared.SECTIONS,
    ),
    lines=(
        *table(
            "root",
            r"""
            single key  (?:lldp global enable|ntp-service enable|domain default enable|password-recovery enable)
            single key  header (?:incoming|legal|login|motd|shell)
            single key  dialer-group \d+ rule
            single key  password-control (?:enable|aging|length|login-attempt|history|composition|update-interval
                        + |alert-before-expire|expired-user-login|login idle-time)
            redo   key  nqa schedule \S+ \S+
            """,
        ),
        *table(
            "interface",
            r"""
            reset line port link-mode || stays
            + || wipes=(?!description|shutdown|undo |speed|duplex|combo|port link-mode).+
            """,
        ),
        *table(
            "user",
            r"""
            single key  (?:password|state|access-limit|group|validity-datetime)
            set    key  (?P<k>service-type) (?P<set>.+)
            member line authorization-attribute user-role \S+
            single key  authorization-attribute \S+
            """,
        ),
        *table(
            "hwtacacs radius",
            r"""
            single key  primary (?:authentication|authorization|accounting)
            member line secondary (?:authentication|authorization|accounting) \S+.*
            single key  key (?:authentication|authorization|accounting)
            single key  (?:nas-ip|user-name-format|timer \S+|retry)
            """,
        ),
        *shared.LINES,
    ),
    defaults=(
        (("acl",), re.compile(r"step 5$")),
        (
            ("interface",),
            re.compile(
                r"mtu 1500$|(?:speed|duplex) auto$|combo enable \S+$|port link-type access$|port link-mode route$|"
                r"ipv6 nd ra halt$"
            ),
        ),
        (("vty",), re.compile(r"user-role network-operator$|idle-timeout 10(?: 0)?$|screen-length 24$")),
        (("bgp", "family"), re.compile(r"(?:default ipv4-unicast|synchronization|policy vpn-target)$")),
        (("user",), re.compile(r"authorization-attribute user-role network-operator$|state active$")),
        (
            ("",),
            re.compile(
                r"snmp-agent$|domain (?:system|default enable system)$|vlan 1$|irf .*$|xbar .*$|system-working-mode .*$"
            ),
        ),
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
            ike keychain
            ike profile
            ipsec transform-set
            ipsec policy
            dhcp server
            apn|controller|dialer-group
            hwtacacs|radius
            domain
            local-user|role
        """),
        *shared.ORDER_TAIL,
    ),
    exits=frozenset({"quit", "return"}),
    harmless=shared.HARMLESS,
    # Password control keeps the local users' passwords to itself (H3C's guide on AAA).
    hidden=(("password-control enable", "user", "password"),),
    blocks=True,
)
