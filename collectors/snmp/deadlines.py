"""When which request expires: a wheel of slots instead of a timer for each of many thousand requests. No clock."""

from typing import Final

SLOT_S: Final = 0.02
"""Deadlines are kept to this; a timeout is a hundred milliseconds at least."""


class Deadlines:
    """Request ids by the slot of time in which they expire.

    Entries are never removed early: whoever asks looks whether the request is still pending with that deadline.
    """

    __slots__ = ("_slots",)

    def __init__(self) -> None:
        self._slots: dict[int, list[tuple[int, float]]] = {}

    def add(self, request_id: int, deadline: float) -> None:
        """Remembers that a request expires at ``deadline`` (seconds of the caller's clock)."""
        slot = int(deadline / SLOT_S) + 1
        entries = self._slots.get(slot)
        if entries is None:
            self._slots[slot] = [(request_id, deadline)]
        else:
            entries.append((request_id, deadline))

    def next_at(self) -> float | None:
        """When to look again; None with nothing to wait for."""
        return min(self._slots) * SLOT_S if self._slots else None

    def due(self, now: float) -> list[tuple[int, float]]:
        """Takes out what expired, oldest first: request ids with the deadlines they were added with."""
        current = int(now / SLOT_S)
        passed = sorted(slot for slot in self._slots if slot <= current)
        return [entry for slot in passed for entry in self._slots.pop(slot)]
