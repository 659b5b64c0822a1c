"""What the command line itself can refuse."""

from inventory.errors import CuntongError


class UsageError(CuntongError):
    """What the user gave cannot be used: exit code 2."""


class StartError(CuntongError):
    """A program cannot start or did not do what it was started for: exit code 1."""
