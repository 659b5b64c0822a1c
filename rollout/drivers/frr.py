"""Linux with FRRouting: a shell, and vtysh inside it.

The change goes through vtysh line by line, in the approved order. ``frr-reload.py`` would compute an order of its
own, and it deletes before it adds; it is what brings the kept configuration back.
"""

import re

from rollout.drivers.driver import Driver

DRIVER = Driver(
    netmiko="linux",
    prompt=re.compile(r"(?P<name>[\w.-]+)(?P<config>\(config[^)]*\))?#|(?P<shell>[^#$]*[#$])"),
    # `% Refusing to remove a non-existent route` comes with return code 0, so the text decides.
    refused=re.compile(r"^(?:% (?!Warning|Info).*|line \d+: .*|.*[Cc]ommand not found.*)$", re.MULTILINE),
    after_login=(),
    running="vtysh -c 'show running-config'",
    saved="cat /etc/frr/frr.conf",
    # Its history would keep every line that we type, secrets too; where there is none to write it keeps nothing.
    enter=("vtysh --histfile={mark}", "configure terminal"),
    leave=("end", "exit"),
    save="vtysh -c 'write memory'",
    saved_ok=re.compile(r"\[OK\]|Configuration saved"),
    renames=re.compile(r"\s*hostname (\S+)"),
    ping="ping -c 3 -i 0.2 -W 2 -I {source} {target}",
    ping_plain="ping -c 3 -i 0.2 -W 2 {target}",
    ping_good=re.compile(r"[1-9]\d* received"),
    # vtysh has no lock that others would see (FRR 8.4.4: no `who`, no `file-lock`); a person's vtysh is a process
    # that neither runs given commands nor reads a file. We ask from the shell, where ours is not running yet: one that
    # carries our mark was left behind by a line that was cut, and hears nobody any more.
    occupied=(
        "ps -ww -C vtysh -o pid=,user=,etime=,args=",
        re.compile(
            r"^\s*(?P<who>\d+ +\S+ +[\d:-]+ +(?:\S*/)?vtysh"
            r"(?:(?! +(?:-\w*[bcfmwC]|--(?:boot|command|inputfile|dryrun|markfile|writeconfig)\b)) +\S+)*)\s*$",
            re.MULTILINE,
        ),
    ),
    mark="/nonexistent/cuntong-{controller}",
    default_route=("vtysh -c 'show ip route 0.0.0.0/0'", re.compile(r"[Rr]outing entry for 0\.0\.0\.0/0")),
)
