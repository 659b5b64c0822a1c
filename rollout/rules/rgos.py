"""Ruijie RGOS on RSR and EG routers."""

import re

from rollout.platform import Platform
from rollout.rules import cisco_like as shared
from rollout.rules.model import Literal, Rules, patterns, sections, swaps, table

RULES = Rules(
    platform=Platform.RGOS,
    negation="no",
    leave="exit",
    noise=(
        *shared.NOISE,
        *patterns(r"""
            version \S
            System (?:start time|uptime|description)
            \s*#\s*$
            \*?[A-Z][a-z]{2}\s+\d+ \d\d:\d\d:\d\d: %
            %[A-Z_]+-\d-
            [\w.\-]+[>#](?:\s*show .*)?\s*$
            [\w.\-]+\(config[^)]*\)#
            show (?:running-config|run|startup-config)
        """),
    ),
    foreign=shared.FOREIGN,
    secrets=(
        re.compile(
            r"\b(?:password|secret|key|md5|auth-key|key-string)(?: level \d+)? (?:\d{1,2} )?"
            r"(?P<secret>(?!<secret>|chain|\d{1,2} |config|generate|address|encryption|policy)\S+)$"
        ),
        re.compile(r"\b(?:crypto isakmp key|tacacs-server key|radius-server key) (?:\d )?(?P<secret>(?!<secret>)\S+)"),
        re.compile(r"\b(?:tacacs-server|radius-server) host .* key (?:\d )?(?P<secret>(?!<secret>)\S+)"),
        re.compile(r"^username \S+ .*?\b(?:password|secret) (?:\d{1,2} )?(?P<secret>(?!<secret>|\d{1,2} )\S+)"),
        re.compile(r"^snmp-server community (?:\d )?(?P<secret>(?!<secret>)\S+)"),
        re.compile(r"\bauth (?:md5|sha\S*) (?:\d{1,2} )?(?P<secret>(?!<secret>|\d{1,2} )\S+)"),
        re.compile(
            r"\bpriv (?:des56|3des|aes\S*)(?: 128| 192| 256)? (?:\d{1,2} )?"
            r"(?P<secret>(?!<secret>|128|192|256|\d{1,2} )\S+)"
        ),
        re.compile(r"(?P<secret>\$(?:1c|10|1|5|6)\$\S+)"),
    ),
    secret_words=re.compile(r"(?<=\s)\d{1,2} (?=<secret>)|\bencrypted (?=auth )"),
    literals=(
        *shared.LITERALS,
        Literal(re.compile(r"\s*certificate (?:ca )?\S+$"), r"quit\s*$"),
    ),
    swaps=swaps(r"""
        ^(ip route (?:vrf \S+ )?\S+ \S+ (?:[A-Za-z]\S* ?[\d/.]+ )?\d+\.\d+\.\d+\.\d+) 1$ => \1
        ^(ip route (?:vrf \S+ )?\S+ \S+ .*)(?<! track)(?<! tag)(?<! weight) 1$ => \1
        ^(ipv6 route (?:vrf \S+ )?\S+ \S+.*)(?<! track)(?<! tag)(?<! weight) 1$ => \1
        ^((?:\d+ )?(?:permit|deny) (?:\S+ )?)(\d+\.\d+\.\d+\.\d+) 0\.0\.0\.0(?!\S) => \1host \2
        ^(switchport trunk allowed vlan) only => \1
    """),
    sections=(
        *sections(r"""
            nacl      root  (?P<id>ip(?:v6)? access-list (?:standard|extended) \S+)  || ordered
            vty       root  (?P<id>line (?:con|console|aux|vty|tty) \d+(?: \d+)?)  || permanent
            vlan      root  (?P<id>vlan (?!range)\d+)
            pool      root  (?P<id>ip dhcp pool \S+)  || loose=1
            vpn       root  (?P<id>(?:ip vrf|vrf definition) \S+)
            vpnfamily vpn   (?P<id>address-family ipv[46])  || leave=exit-address-family
            rns       root  (?P<id>ip rns \d+)  || loose=1
            isakmp    root  (?P<id>crypto isakmp (?:policy|profile) \S+)  || loose=1
            ipsec     root  (?P<id>crypto ipsec (?:transform-set|profile) \S+)(?: (?P<args>.+))?  || loose=1
            cmap      root  (?P<id>crypto (?:map|dynamic-map) \S+ \d+)(?: (?P<args>.+))?
            classmap  root  (?P<id>class-map(?: match-all| match-any)? \S+)
            policymap root  (?P<id>policy-map \S+)
            class     policymap (?P<id>class \S+)  || loose=1
            other     root  (?P<id>(?:time-range|track|ip sla|rns|aaa group server \S+|dialer-list) \S+.*)
        """),
        *shared.SECTIONS,
    ),
    lines=(
        *table(
            "root",
            r"""
            single key  (?:hostname|clock timezone|enable (?:password|secret)(?: level \d+)?|ip default-gateway)
            single key  banner (?:motd|login|exec|incoming)
            member key  ip route(?: vrf \S+)? \S+ \S+ (?:[A-Za-z][\w-]*? ?[\d/.]+ )?(?:\d+\.\d+\.\d+\.\d+
                        + |[A-Za-z][\w-]*? ?[\d/.]+|null ?0|Null ?0)
            member key  ipv6 route(?: vrf \S+)? \S+(?: [A-Za-z][\w-]*? ?[\d/.]+(?!\S|:))?
                        + (?: [\dA-Fa-f:.]*:[\dA-Fa-f:.]*| [Nn]ull ?0)?
            single key  username \S+ (?:password|secret|privilege|login mode|web-auth) || object=username \S+
            single line (?P<k>username \S+).* || object=username \S+
            member key  ntp server(?: vrf \S+| oob)? \S+
            single key  ntp (?:update-calendar|authenticate|source|master)
            member key  logging (?:server|host)?(?: vrf \S+| oob)? ?\d+\.\d+\.\d+\.\d+
            single key  logging (?:buffered|console|monitor|trap|source(?: interface| ip)?|facility|on|count|file \S+)
            single {k}{level} (?P<k>snmp-server group \S+ (?:v3|v1|v2c))(?P<level> (?:priv|auth|noauth))?
            single {k} (?P<k>snmp-server user \S+ \S+ v\S+).* || object=snmp-server user \S+ \S+ v\S+
            single {k} (?P<k>snmp-server host \S+(?: vrf \S+)?(?: traps| informs)?(?: version (?:3 (?:priv|auth
                        + |noauth)|2c|1))? \S+).*
            single key  snmp-server (?:location|contact|chassis-id|trap-source|packetsize|queue-length)
            member line snmp-server community .*
            member line snmp-server enable traps.*
            single key  password policy \S+
            redo   key  ip rns schedule \d+
            single key  ip ssh (?:version|time-out|authentication-retries)
            single key  enable service (?:ssh-server|telnet-server|web-server.*|snmp-agent) || stored
            single key  (?:ip domain-lookup|ip http server|service dhcp|service password-encryption|lldp enable
                        + |ip source-route) || stored
            single key  (?:ip domain-name|aaa new-model|ip dhcp snooping|snmp-server)
            member key  ip name-server \S+
            member key  ip dhcp excluded-address .*
            member line aaa (?:authentication|authorization|accounting) \S+ \S+.*
            redo   line (?P<k>ip prefix-list \S+ seq \d+) .*
            member line access-list .*
            redo   line (?P<k>ip nat inside source list \S+) .*
            member line ip nat .*
            member key  (?:tacacs-server|radius-server) host \S+
            """,
        ),
        *table(
            "interface",
            r"""
            reset  key  switchport$ || stored || wipes=(?!description|shutdown|no |switchport$).+
            reset  line (?:ip vrf|vrf) forwarding || wipes=ip address|ip ospf|ip helper|ipv6 address|ip nat
            member line ip address \d+\.\d+\.\d+\.\d+ \S+ secondary$
            single line ip address
            single key  (?:switchport mode|switchport access vlan|switchport trunk native vlan
                        + |switchport trunk allowed vlan)
            single key  (?:encapsulation(?: dot1q)?|dot1q|pppoe-client dial-pool-number|dialer pool|dialer-group
                        + |dialer idle-timeout)
            single key  ppp (?:chap hostname|chap password|authentication|pap sent-username)
            single key  tunnel (?:source|destination|mode|key|vrf|protection ipsec profile)
            single key  vrrp \d+ (?:ip(?! \S+ secondary)|priority|preempt|timers advertise|description)
            member key  vrrp \d+ ip \S+ secondary
            single key  ip (?:mtu|tcp adjust-mss|unnumbered|policy route-map|redirects|proxy-arp|nat inside|nat outside)
            redo   line (?P<k>ip access-group) \S+ (?P<k2>in|out)
            redo   line (?P<k>service-policy) (?P<k2>input|output) \S+
            redo   line crypto map
            member key  ip helper-address \S+
            single key  (?:lldp enable|carrier-delay|aggregateport|port-group)
            """,
        ),
        *table(
            "vty",
            r"""
            single line (?P<k>(?:ipv6 )?access-class) \S+ (?P<k2>in|out)
            single key  (?:transport input|exec-timeout|privilege level|login(?: authentication)?|password
                        + |history size|length)
            """,
        ),
        *table(
            "nacl",
            r"""
            redo   {k} (?P<k>\d+) (?:permit|deny)
            member line remark .*
            member line (?:permit|deny) .*
            """,
        ),
        *table("pool", "single key (?:network|default-router|dns-server|lease|domain-name|netbios-name-server)"),
        *table("vpn vpnfamily", "redo line rd\nmember line route-target .*"),
        *table("cmap", "single key (?:set \\S+|match address)"),
        *shared.LINES,
    ),
    defaults=(
        (
            ("interface",),
            re.compile(
                r"mtu 1500$|(?:speed|duplex|negotiation) auto$|"
                r"switchport(?: mode access| access vlan 1)?$"
            ),
        ),
        (("vty",), re.compile(r"login$|exec-timeout 10 0$")),
        (("",), re.compile(r"vlan 1$|cpu-.*$|nfpp$|redundancy$|install .*$|hw-module .*$|sysmac .*$|zone default$")),
    ),
    order=patterns(r"""
        hostname|clock|version
        (?:ip vrf|vrf)
        vlan
        time-range
        ip access-list|access-list
        class-map
        policy-map
        crypto isakmp
        crypto ipsec
        crypto (?:dynamic-)?map
        ip dhcp|service dhcp
        aaa|tacacs|radius
        username|enable
        interface (?!Tunnel|tunnel)
        interface
        ip prefix-list
        route-map
        router ospf
        router
        (?:ip|ipv6) route
        snmp-server (?:view|location|contact)
        snmp-server group
        snmp-server user
        snmp-server
        ntp|logging|lldp
        ip ssh|enable service
        line
    """),
    exits=frozenset({"exit", "end", "exit-address-family"}),
    harmless=re.compile(
        r"(?:no )?(?:description|hostname|logging|ntp|snmp-server|lldp|clock|banner|ip domain|ip name-server|remark)"
    ),
)
