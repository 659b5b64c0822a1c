"""The command-line families that are provisioned, and how much of the network a change may touch."""

from enum import StrEnum


class Platform(StrEnum):
    """A family of devices with one configuration language."""

    VRP = "vrp"
    """Huawei AR routers."""
    COMWARE = "comware"
    """H3C MSR routers, Comware 7."""
    RGOS = "rgos"
    """Ruijie RSR and EG routers."""
    FRR = "frr"
    """Linux with FRRouting."""


class PathClass(StrEnum):
    """What a change can cut; from harmless to shared, in this order."""

    NONE = "none"
    """Cannot affect reachability."""
    LOCAL = "local"
    """The site's own LAN."""
    PATH = "path"
    """Anything that our session to this device depends on."""
    SHARED = "shared"
    """The path, and other sites hang below it."""
