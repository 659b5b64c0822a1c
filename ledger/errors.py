"""What can go wrong with the ledger."""

from inventory.errors import CuntongError


class LedgerError(CuntongError):
    """The ledger cannot be opened, is of another version, or refuses a writer whose lease is over."""


class FencedError(LedgerError):
    """Another collector took the county over: this one has to stop writing."""
