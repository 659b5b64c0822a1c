"""Every command of ``cuntong``: its words, and the part that does the work. A module for each kind of work."""

from cuntong.commands import (
    accounts,
    alerting,
    asking,
    changing,
    declared,
    finding,
    importing,
    keeping,
    kiosking,
    maintaining,
    outages,
    remediating,
    reporting,
    running,
    simulating,
    walling,
    working,
)
from cuntong.commands.common import app

__all__ = [
    "accounts",
    "alerting",
    "app",
    "asking",
    "changing",
    "declared",
    "finding",
    "importing",
    "keeping",
    "kiosking",
    "maintaining",
    "outages",
    "remediating",
    "reporting",
    "running",
    "simulating",
    "walling",
    "working",
]
