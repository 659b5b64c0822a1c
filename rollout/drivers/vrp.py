"""Huawei AR, VRP 5."""

import re

from rollout.drivers.driver import Driver

DRIVER = Driver(
    netmiko="huawei_vrp",
    prompt=re.compile(r"(?:HRP_[MS])?(?:<(?P<name>[^<>\[\]\s]+)>|\[(?P<config>)[~*]?(?P<name_in>[^<>\[\]]+)\])"),
    # Some ARs open their configuration with [V200R009C00SPC500], which looks like a prompt of the system view.
    not_prompt=re.compile(r"\[V\d{3}R\d{3}C\d+\w*\]"),
    refused=re.compile(
        r"^\s*(?:Error\s*[:\[]|% ?Error\s*[:\[]|% ?(?:Ambiguous|Unrecognized|Incomplete|Wrong)|Error:).*$", re.MULTILINE
    ),
    after_login=("screen-length 0 temporary",),
    running="display current-configuration",
    saved="display saved-configuration",
    enter=("system-view",),
    leave=("return",),
    save="save",
    saved_ok=re.compile(r"successfully", re.IGNORECASE),
    renames=re.compile(r"\s*sysname (\S+)"),
    ping="ping -c 3 -a {source} {target}",
    ping_plain="ping -c 3 {target}",
    ping_good=re.compile(r"[1-9]\d* packet\(s\) received|bytes=\d+ Sequence"),
    # `configuration exclusive` of another session. In the command references of S switches, CE, NE and USG, never seen
    # on an AR (vendor-cli mark K): so it is asked, and nothing rests on it.
    occupied=(
        "display configuration-occupied user",
        re.compile(r"^\s*User Session Name\s*:\s*(?P<who>\S+(?:\s+User Name\s*:\s*[^-\s]\S*)?)", re.MULTILINE),
    ),
    default_route=("display ip routing-table 0.0.0.0", re.compile(r"^\s*0\.0\.0\.0/0\s", re.MULTILINE)),
)
