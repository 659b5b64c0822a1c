"""Which port of a router leads to a neighbour: by what its description says, as our own templates write it."""

import re
from collections.abc import Collection, Iterable
from typing import Final

from health.reading import Interface

_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def facing(interfaces: Iterable[Interface], names: Collection[str]) -> Interface | None:
    """The port whose alias or description names one of these devices or sites as a whole word; None without any.

    Of several the most telling wins: one that is up although switched on tells less than one that is down, because a
    trunk stays up while the one line inside it fails.
    """
    wanted = {name.lower() for name in names}
    found = [
        interface
        for interface in interfaces
        if interface.admin_up is not False
        and interface.oper_up is not None
        and any(
            word.lower() in wanted
            for text in (interface.alias, interface.description)
            if text
            for word in _WORD.findall(text)
        )
    ]
    return min(found, key=lambda one: bool(one.oper_up), default=None)
