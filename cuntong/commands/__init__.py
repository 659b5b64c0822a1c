"""Every command of ``cuntong``: its words, and the part that does the work. A module for each kind of work."""

from cuntong.commands import (
    accounts,
    asking,
    changing,
    declared,
    finding,
    keeping,
    kiosking,
    maintaining,
    remediating,
    running,
    simulating,
)
from cuntong.commands.common import app

__all__ = [
    "accounts",
    "app",
    "asking",
    "changing",
    "declared",
    "finding",
    "keeping",
    "kiosking",
    "maintaining",
    "remediating",
    "running",
    "simulating",
]
