"""Ruijie RSR and EG, RGOS."""

import re

from rollout.drivers.driver import Driver

DRIVER = Driver(
    netmiko="ruijie_os",
    # Views of interfaces hold a blank: R1(config-if-GigabitEthernet 0/1)#
    prompt=re.compile(r"(?P<name>[^\s#>()]+)(?:(?P<config>)\(config[^)]*\))?[#>]"),
    # `%LINK-3-UPDOWN: ...` is a log line; refusals have a blank after the per cent sign.
    refused=re.compile(r"^% (?!\s)(?!Warning|Info|Notice).*$", re.MULTILINE),
    after_login=("terminal length 0", "terminal width 256"),
    enable="enable",
    running="show running-config",
    saved=None,  # no command was ever seen on RSR that a change could rely on
    saved_perhaps="show startup-config",
    enter=("configure terminal",),
    leave=("end",),
    save="write",
    saved_ok=re.compile(r"\[OK\]|OK!|success|[Bb]uilding configuration", re.IGNORECASE),
    renames=re.compile(r"\s*hostname (\S+)"),
    ping="ping {target} source {source}",
    ping_plain="ping {target}",
    ping_good=re.compile(r"[Ss]uccess rate is (?:[1-9]\d*) percent"),
    occupied=None,  # `show users` tells who is logged in, not who configures
    default_route=("show ip route 0.0.0.0", re.compile(r"0\.0\.0\.0(?:/0|.*via)")),
)
