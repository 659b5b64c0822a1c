"""What RGOS and FRR share: ``no``, ``!``, ``exit``, and the words of routing."""

import re

from rollout.rules.model import Literal, patterns, sections, table

NOISE = patterns(r"""
    \s*!
    \s*end\s*$
    Building configuration
    Current configuration
    \s*$
""")

FOREIGN = re.compile(r"(?:sysname |undo \S|ip route-static |user-interface |acl (?:number|basic|advanced) )")

LITERALS = (
    Literal(
        re.compile(r"banner (?:motd|login|exec|incoming) (?!line |file |default)(?P<delim>\^[A-Z]|[^\w\s])"),
        "{delim}",
        within_line=True,
    ),
)

SECTIONS = sections(r"""
    interface   root  (?P<id>interface [A-Za-z][\w-]*? ?[\d/.:]+)(?: (?P<args>vrf \S+))?
    interface   root  (?P<id>interface \S+)(?: (?P<args>vrf \S+))?
    ospf        root  (?P<id>router ospf(?: \d+)?(?: vrf \S+)?)
    ospf6       root  (?P<id>router (?:ospf6|isis|rip|ripng|eigrp)(?: \S+)?)
    bgp         root  (?P<id>router bgp \d+(?:\.\d+)?(?: (?:vrf|view) \S+)?)
    family      bgp   (?P<id>address-family .+)  || leave=exit-address-family
    routemap    root  (?P<id>route-map \S+) (?P<args>permit|deny) (?P<id2>\d+)  || loose=2 || whole
    keychain    root  (?P<id>key chain \S+)
    key         keychain (?P<id>key \d+)
""")

LINES = (
    *table("*", "single key description"),
    *table(
        "interface",
        r"""
        single key  (?:shutdown|mtu|bandwidth|speed|duplex|medium-type|flowcontrol|load-interval|link-detect|multicast)
        single key  ip ospf (?:\d+ )?(?:cost|priority|network|authentication|bfd|dead-interval|hello-interval
                    + |retransmit-interval|transmit-delay|mtu-ignore|passive)
        single key  ip ospf (?:authentication-key|message-digest-key \d+)
        redo   line ip ospf (?:\d+ )?area
        member line ipv6 address \S+
        """,
    ),
    *table(
        "ospf ospf6",
        r"""
        single key  (?:ospf router-id|router-id|auto-cost reference-bandwidth|maximum-paths|log-adjacency-changes)
        single key  (?:default-information originate|passive-interface default|timers throttle \S+)
        single line (?:timers \S+|distance ospf|distance)
        redo   line (?P<k>network \S+(?: \d+\.\d+\.\d+\.\d+)?) area \S+
        member key  passive-interface \S+(?: \d+)?
        single key  redistribute (?:connected|static|kernel|rip|bgp(?: \d+)?|ospf(?: \d+)?|isis)
        member key  area \S+ (?:range|filter-list|virtual-link) \S+
        single key  area \S+ (?:stub|nssa|authentication|default-cost)
        member line neighbor \S+
        """,
    ),
    *table(
        "bgp family",
        r"""
        single key  bgp (?:router-id|log-neighbor-changes|graceful-restart|confederation \S+|cluster-id
                    + |timers)
        single line bgp bestpath \S+
        single key  bgp (?:default ipv4-unicast|ebgp-requires-policy|network import-check|default \S+
                    + |suppress-duplicates) || stored
        single key  (?:maximum-paths(?: ibgp)?|timers bgp|distance bgp|synchronization|auto-summary)
        single {obj} (?P<obj>neighbor \S+) (?:remote-as|peer-group$) || object=neighbor \S+
        single line (?P<k>neighbor \S+ peer-group) \S+ || object=neighbor \S+
        single line neighbor \S+ (?:soft-reconfiguration|unsuppress-map)
        single key  neighbor \S+ activate || stored
        single line (?P<k>neighbor \S+ (?:route-map|prefix-list|distribute-list|filter-list)) \S+ (?P<k2>in|out)
        single key  neighbor \S+ (?:timers connect|capability \S+|\S+)
        single key  redistribute (?:connected|static|kernel|rip|ospf(?: \d+)?|isis)
        member key  network \S+(?: mask \S+)?
        member key  aggregate-address \S+
        """,
    ),
    *table(
        "routemap",
        # FRR obeys `no match ip address` without a word and keeps the line: it has to be named whole.
        r"""
        single line (?:match \S+ \S+(?= \S+)|match \S+)
        single line on-match
        single key  (?:set \S+ \S+(?= \S+)|set \S+|call|continue)
        """,
    ),
    *table("key", "single key (?:key-string|accept-lifetime|send-lifetime)"),
)
