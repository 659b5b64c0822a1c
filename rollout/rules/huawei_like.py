"""What VRP and Comware share: both grew from one root and say ``undo``, ``#`` and ``return``."""

import re

from rollout.rules.model import Literal, patterns, sections, swaps, table

# Prompts before and after the text, the echo of the command, log lines that arrive in the middle of the output.
NOISE = patterns(r"""
    \s*#\s*$
    return\s*$
    \s*\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?(?: ?[+-]\d\d:\d\d)?(?: DST)?$
    %(?:@?\d|[A-Z][a-z]{2} |[A-Z]+\W)
    [A-Z][a-z]{2} +\d+ \d{4} \d\d:\d\d:\d\d.* %%\d+\w+/\d/
    <[\w.\-]+>
    \[[~*]?[\w.\-]+\]\s*(?:display|dis|return|quit)?
    (?:display|dis) (?:current-configuration|saved-configuration|cur)
    !
""")

FOREIGN = r"(?:hostname|router (?:ospf|bgp|rip)|ip route) |no \S"

_WORD = r"(?:irreversible-cipher|cipher|simple|plain|hash)"
_CIPHER = r"%\^%#.*?%\^%#|%@%@.*?%@%@|\S+"
SECRETS = (
    # A cipher word and what follows; but `ssh server cipher aes256_ctr` names an algorithm, and holds no secret.
    re.compile(
        rf"^(?!(?:undo )?(?:ssh|ssl|sftp|stelnet|http|https|load-balance)\b)(?:.*?\s)?{_WORD}\s+"
        rf"(?!(?:{_WORD}|<secret>|authentication-mode|privacy-mode)(?!\S))(?P<secret>{_CIPHER})"
    ),
    re.compile(rf"<secret>.*?\s{_WORD}\s+(?!<secret>)(?P<secret>{_CIPHER})"),
    re.compile(r"(?P<secret>%\^%#.*?%\^%#|%@%@.*?%@%@)"),
    re.compile(r"(?P<secret>\$(?:1a|1c|1d|c|h)\$\S+)"),
    re.compile(r"\bpin verify (?P<secret>(?!<secret>).+)$"),
    re.compile(rf"^snmp-agent community (?:read|write) (?!{_WORD}(?!\S)|<secret>)(?P<secret>\S+)"),
    re.compile(
        rf"\b(?:authentication-mode|privacy-mode) (?:md5|sha\S*|3des\S*|des56|aes\S*) (?!{_WORD}(?!\S)|<secret>)"
        r"(?:localized-key )?(?P<secret>(?!privacy-mode|acl|<secret>)\S{6,})"
    ),
    re.compile(
        rf"\bprivacy-mode (?:3des\S*|des56|aes\S*) (?!{_WORD}(?!\S)|<secret>)(?P<secret>(?!acl|<secret>)\S{{6,}})"
    ),
)
SECRET_WORDS = re.compile(rf"\b{_WORD} (?=<secret>|authentication-mode)")

LITERALS = (
    Literal(re.compile(r"header (?:login|shell) information (?P<delim>[^\w\s])"), "{delim}", within_line=True),
    Literal(re.compile(r"header (?:incoming|legal|login|motd|shell) (?P<delim>[^\w\s])"), "{delim}", within_line=True),
    Literal(re.compile(r"(?:(?:rsa|dsa|ecc) peer-public-key|public-key peer) \S+"), r"^\s*peer-public-key end"),
    Literal(re.compile(r"\s*certificate (?:begin|.* begin)$"), r"certificate end"),
)

SECTIONS = sections(r"""
    interface   root  (?P<id>interface [A-Za-z][\w-]*?\s?[\d/.:]+)(?: (?P<args>mode .+|p2p|p2mp))?  || redo
    interface   root  (?P<id>interface \S+(?: [\d/.:]+)?)
    ospf        root  (?P<id>ospf(?: \d+)?)(?P<args>(?: router-id \S+| vpn-instance \S+)*)
    area        ospf  (?P<id>area \S+)
    vpn         root  (?P<id>ip vpn-instance \S+)
    rip         root  (?P<id>rip(?: \d+)?)(?P<args>(?: vpn-instance \S+)?)
    ike         root  (?P<id>ike (?:proposal|peer|profile|keychain) \S+)(?: (?P<args>.+))?  || loose=1
    ike         root  (?P<id>ikev2 (?:proposal|policy|profile|keychain) \S+)(?: (?P<args>.+))?  || loose=1
    ipsec       root  (?P<id>ipsec (?:proposal|transform-set|profile) \S+)(?: (?P<args>.+))?  || loose=2
    ipsecpolicy root  (?P<id>ipsec (?:policy|policy-template|ipv6-policy) \S+ \d+)(?: (?P<args>.+))?  || loose=1
    classifier  root  (?P<id>traffic classifier \S+)(?: (?P<args>.+))?
    behavior    root  (?P<id>traffic behavior \S+)  || loose=1
    policy      root  (?P<id>(?:traffic|qos) policy \S+)(?: (?P<args>.+))?
    nqa         root  (?P<id>nqa (?:test-instance|entry|template) \S+ \S+)  || loose=1
    pki         root  (?P<id>pki (?:domain|entity|realm) \S+)  || loose=1
    radius      root  (?P<id>radius(?:-server template| scheme) \S+)
    hwtacacs    root  (?P<id>hwtacacs(?:-server template| scheme) \S+)
    zone        root  (?P<id>(?:firewall zone|security-zone name) .+)
    other       root  (?P<id>(?:user-group|role name|cwmp|ssl policy|ssl server-policy)(?: \S+)?)
""")

LINES = (
    *table("*", "single key description"),
    *table(
        "interface",
        r"""
        single key  shutdown
        member line ip address \d+\.\d+\.\d+\.\d+ \S+ sub$
        single line ip address
        member line ipv6 address (?!auto(?!\S))\S+
        member key  ipv6 address auto (?:link-local|global)
        reset  line ip binding vpn-instance || wipes=(?:ip|ipv6) address|dhcp |arp |ospf |vrrp |nat |ip relay
        single key  mtu
        single key  (?:bandwidth|speed|duplex|keepalive|link-protocol|eth-trunk|apn-profile|combo enable)
        single key  (?:tcp mss|tcp adjust-mss|gre key|tunnel vpn-instance|tunnel vrf|arp timeout)
        single key  dialer (?:user|bundle|bundle-number|number|timer \S+)
        single key  dialer-group
        single key  ppp (?:chap user|chap password|pap local-user|authentication-mode|ipcp dns \S+)
        single line pppoe-client dial-bundle-number
        reset  key  tunnel-protocol || wipes=source|destination|gre |keepalive
        single key  (?:source|destination)
        single line (?P<k>dhcp select) \S+.* || first
        single key  (?:mode|link-aggregation mode)
        redo   line (?P<k>dot1q termination vid) .*
        single key  vlan-type dot1q(?: vid)?
        single key  (?:ipv6 nd ra halt|negotiation auto) || stored
        single key  qos (?:gts|lr)(?: \S+)?
        single line qos car \S+
        single line ospf enable
        single key  ospf (?:cost|dr-priority|network-type|authentication-mode|mtu-enable|bfd|timer \S+)
        reset  key  port link-type || wipes=port (?:default|access|trunk|hybrid)
        single key  port (?:default vlan|access vlan|trunk pvid(?: vlan)?|hybrid pvid(?: vlan)?)
        set    key  (?P<k>port trunk (?:allow-pass|permit) vlan) (?P<set>.+)
        set    key  (?P<k>port hybrid (?:un)?tagged vlan) (?P<set>.+)
        set    key  (?P<k>port hybrid vlan) (?P<set>.+?) (?P<tail>tagged|untagged)$
        redo   line (?P<k>traffic-filter) (?P<k2>inbound|outbound) .*
        redo   line (?P<k>traffic-policy) \S+ (?P<k2>inbound|outbound)
        redo   line (?P<k>packet-filter)(?: name)? \S+ (?P<k2>inbound|outbound)
        redo   line (?P<k>qos apply policy) \S+ (?P<k2>inbound|outbound)
        redo   line ipsec (?:apply )?policy
        member line nat outbound(?: \d+)?
        member line nat (?:server|static) .*
        member key  dhcp relay server-(?:ip|address) \S+
        set    key  (?P<k>dhcp server dns-list) (?P<set>.+)
        member key  vrrp vrid \d+ virtual-ip \S+
        single key  vrrp vrid \d+ \S+
        member key  lldp (?:enable|compliance .*)
        """,
    ),
    *table(
        "root",
        r"""
        single key  sysname
        single key  (?:router id|clock timezone|clock (?:daylight-saving-time|summer-time|protocol))
        single key  dns (?:domain|proxy enable|resolve)
        member key  dns server(?: vpn-instance \S+)? \S+
        member key  ip route-static(?: vpn-instance \S+)? \S+ \S+(?: (?!(?:preference|tag|track|description
                    + |permanent|bfd|inherit-cost)(?!\S))\S+)+
        member key  ipv6 route-static(?: vpn-instance \S+)? [\dA-Fa-f:.]+(?:/| )\d+(?: (?!(?:preference|tag|track
                    + |description|permanent|bfd|inherit-cost)(?!\S))\S+)+
        single line snmp-agent sys-info version
        single key  snmp-agent (?:sys-info (?:contact|location)|trap source|packet max-size|trap (?:queue-size|life))
        single key  snmp-agent local-engineid || readonly
        single {k}{level} (?P<k>snmp-agent group (?:v3|v1|v2c) \S+)(?P<level> (?:privacy|authentication
                    + |noauthentication))?
        member line snmp-agent community .*
        member line snmp-agent trap enable.*
        single key  snmp-agent target-host(?: trap| inform)? address udp-domain \S+.*? securityname (?:cipher )?\S+
        single key  snmp-agent usm-user v3 \S+ (?:group|authentication-mode|privacy-mode
                    + |acl) || object=snmp-agent usm-user v3 \S+
        single line (?P<k>snmp-agent usm-user v3 \S+).* || object=snmp-agent usm-user v3 \S+(?: (?!group |simple
                    + |cipher|authentication-mode|privacy-mode|acl )\S+)?
        member key  ntp-service unicast-(?:server|peer)(?: vpn-instance \S+)? \S+
        member key  ntp-service authentication-keyid \d+ || object=ntp-service authentication-keyid \d+
        member key  ntp-service reliable authentication-keyid \d+
        single key  ntp-service (?:source-interface|authentication enable|refclock-master|enable)
        single key  info-center (?:loghost source|timestamp \S+|enable)
        member key  info-center loghost(?: vpn-instance \S+)? \S+
        member key  info-center source \S+(?: channel \S+)?
        single key  ssh server (?:acl|port|timeout|authentication-retries|rekey-interval|cipher|hmac|key-exchange)
        single key  ssh server ipv6 acl
        single key  ssh server(?: ipv4| ipv6)? enable
        single key  ssh user \S+ (?:authentication-type|service-type|sftp-directory|assign \S+) || object=ssh user \S+
        single line (?P<k>ssh user \S+).* || object=ssh user \S+
        single key  (?:stelnet|telnet|http|ftp|sftp|scp)(?: ipv4| ipv6)? server(?: enable)?
        single key  (?:dhcp|lldp|lldp global) enable
        redo   key  ip (?:ip-prefix|prefix-list) \S+ index \d+
        """,
    ),
    *table(
        "ospf rip",
        r"""
        single key  (?:router-id|bandwidth-reference|preference(?: ase)?|spf-schedule-interval|default cost)
        single key  import-route (?:static|direct|bgp|unr|rip(?: \d+)?|ospf(?: \d+)?|isis(?: \d+)?)
        single key  default-route-advertise
        member key  silent-interface \S+
        member line network .*
        """,
    ),
    *table(
        "area",
        r"""
        member line network .*
        single key  (?:stub|nssa|authentication-mode|default-cost)
        """,
    ),
    *table(
        "bgp family",
        r"""
        single key  (?:router-id|timer keepalive|graceful-restart|maximum load-balancing|preference)
        single key  (?:default ipv4-unicast|synchronization|policy vpn-target) || stored
        single key  import-route (?:static|direct|unr|rip \d+|ospf \d+|isis \d+)
        member line network .*
        redo   {obj} (?P<obj>peer \S+) as-number || object=peer \S+
        single line (?P<k>peer \S+ (?:route-policy|filter-policy|ip-prefix|as-path-acl
                    + |prefix-list)) \S+ (?P<k2>import|export)
        single key  peer \S+ group
        single key  peer \S+ (?:timer |capability-advertise )?\S+
        single key  group \S+
        """,
    ),
    *table(
        "vpn vpnfamily",
        r"""
        redo   line route-distinguisher
        member line vpn-target .*
        single key  (?:import|export) route-policy
        """,
    ),
    *table(
        "ike ipsecpolicy",
        r"""
        member key  pre-shared-key (?:address|hostname|remote-address) \S+
        member line (?:match|if-match) .*
        """,
    ),
    *table("policy", "single key classifier \\S+"),
    *table(
        "acl",
        r"""
        single key  rule \d+ (?:comment|description)
        redo   key  rule \d+
        single key  step
        """,
    ),
    *table(
        "vty",
        r"""
        single key  (?:authentication-mode|protocol inbound|user privilege level|idle-timeout|screen-length|shell)
        single key  (?:set authentication password|history-command max-size|command authorization|command accounting)
        single line (?P<k>acl(?: ipv6)?)(?: name)? \S+ (?P<k2>inbound|outbound)
        member line user-role .*
        """,
    ),
    *table(
        "pool",
        r"""
        reset  line network || late || wipes=gateway-list|static-bind|excluded-ip-address|address range|forbidden-ip
        set    key  (?P<k>gateway-list|dns-list|nbns-list) (?P<set>.+)
        single key  (?:lease|expired|domain-name|netbios-type|vpn-instance|address range)
        member line (?:excluded-ip-address|static-bind|forbidden-ip|option) .*
        """,
    ),
)

SWAPS = swaps(r"""
    ^((?:ip|ipv6) route-static .*?) preference 60(?!\S) => \1
    ^(rule \d+ .*(?:source|destination) \d+\.\d+\.\d+\.\d+) 0\.0\.0\.0(?!\S) => \1 0
    ^(network \d+\.\d+\.\d+\.\d+) 0\.0\.0\.0$ => \1 0
""")

ORDER_TAIL = patterns(r"""
    interface (?!Tunnel)
    interface Tunnel
    ip (?:ip-prefix|prefix-list)
    route-policy
    ospf
    bgp|rip
    track|nqa
    (?:ip|ipv6) route-static
    snmp-agent$|snmp-agent sys-info
    snmp-agent (?:mib-view|acl)
    snmp-agent group
    snmp-agent usm-user
    snmp-agent target-host
    snmp-agent
    ntp-service authentication-keyid
    ntp-service|info-center|lldp
    (?:rsa|dsa|ecc) |public-key
    ssh |stelnet|sftp
    user-interface|line
""")

HARMLESS = re.compile(
    r"(?:undo )?(?:description|sysname|info-center|ntp-service|snmp-agent|lldp|clock|header|dns |"
    r"rule \d+ (?:description|comment))"
)
