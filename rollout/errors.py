"""What goes wrong while devices are changed.

    RolloutError
    ├─ PlanRefusedError     stale, expired, unapproved, edited by hand: nothing was sent
    ├─ UnparsableError      a configuration that cannot be read: kept, reported, never applied over
    ├─ TemplateError        the intended configuration cannot be rendered: file and line
    ├─ LockHeldError        another run is changing this device
    └─ SessionError         one device, in the field: recorded, and the other devices go on
       ├─ UnreachableError     no session: silent, refused, cut off
       ├─ LoginError           wrong or missing credentials
       ├─ HostKeyError         the device shows another key than the one we know
       ├─ RefusedLineError     the device refused a line
       └─ UnknownPromptError   the device asked what no table answers

What a session cannot do ends one device; the others end a plan or keep it from beginning.
"""

from inventory.errors import CuntongError


class RolloutError(CuntongError):
    """A change that cannot be made, or not like this."""


class PlanRefusedError(RolloutError):
    """A plan that must not be applied: stale, expired, unapproved, or edited by hand."""


class UnparsableError(RolloutError):
    """A configuration that cannot be read: empty, cut off, another platform's, or no configuration."""


class TemplateError(RolloutError):
    """A template cannot be rendered; its text names file and line."""


class LockHeldError(RolloutError):
    """Another run holds the device; its text names the run and its owner."""


class SessionError(RolloutError):
    """One device's session failed; expected in the field."""


class UnreachableError(SessionError):
    """No session: nothing listens, the line is cut, or it went silent in the middle.

    Attributes:
        let_in: the device had taken our login, so it was there a moment ago.
    """

    def __init__(self, said: str, *, let_in: bool = False) -> None:
        self.let_in = let_in
        super().__init__(said)


class LoginError(SessionError):
    """The device does not let us in with the credential of the inventory."""


class HostKeyError(SessionError):
    """The device shows another host key than the one that was accepted for it."""


class RefusedLineError(SessionError):
    """The device refused a line; carries the line and what the device said."""

    def __init__(self, line: str, said: str) -> None:
        self.line, self.said = line, said
        super().__init__(f"{line!r} was refused: {said}")


class UnknownPromptError(SessionError):
    """The device asked a question that no table answers; it got no answer."""

    def __init__(self, question: str) -> None:
        self.question = question
        super().__init__(f"The device asks {question!r}, and no table of ours answers it.")
