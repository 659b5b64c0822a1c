"""H3C MSR, Comware 7."""

import re

from rollout.drivers.driver import Driver

DRIVER = Driver(
    netmiko="h3c_comware",
    prompt=re.compile(r"(?:RBM_[PS])?(?:<(?P<name>[^<>\[\]\s]+)>|\[(?P<config>)[~*]?(?P<name_in>[^<>\[\]]+)\])"),
    # Comware says many refusals in plain sentences; those are caught by reading back, the marked ones here.
    refused=re.compile(r"^\s*(?:% ?(?:Unrecognized|Too many|Incomplete|Wrong|Ambiguous)|Error\s*:).*$", re.MULTILINE),
    after_login=("screen-length disable", "undo terminal monitor"),
    running="display current-configuration",
    saved="display saved-configuration",
    enter=("system-view",),
    leave=("return",),
    save="save force",
    saved_ok=re.compile(r"success|saved", re.IGNORECASE),
    renames=re.compile(r"\s*sysname (\S+)"),
    ping="ping -c 3 -a {source} {target}",
    ping_plain="ping -c 3 {target}",
    ping_good=re.compile(r"[1-9]\d* packet\(s\) received|bytes from"),
    # Comware shows who is logged in, not who configures; a commit delay of somebody else's is seen when ours is armed.
    occupied=None,
    default_route=("display ip routing-table 0.0.0.0", re.compile(r"^\s*0\.0\.0\.0/0\s", re.MULTILINE)),
)
