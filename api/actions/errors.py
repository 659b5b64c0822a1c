"""Who may not do what."""

from inventory.errors import CuntongError


class ActionError(CuntongError):
    """Something that this person may not do, or not like this."""


class ForbiddenError(ActionError):
    """No role of this account allows it here."""


class NotLoggedInError(ActionError):
    """Nobody has logged in, or the session is over."""
