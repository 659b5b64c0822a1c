"""Who is asked when. Pure: time comes in as an argument, devices to ask go out.

- Each device has its own moment in the interval, so a county is asked evenly and not all at once. Only the first
  sweep asks everybody as fast as pacing allows.
- *Pacing*: behind one uplink only a few devices are asked at a time; a thin village line is never flooded.
- Doubtful and silent devices wait in a lane of their own: their time-outs never delay the living. It is wider, since
  a question without an answer loads a line with one datagram a second at most.
- A device that stays silent is asked less often; suspicion, an uplink's recovery or a trap asks at once.
"""

from array import array
from collections import deque
from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from typing import Final

_DOUBTFUL: Final = 8  # times per_group

_GOLDEN: Final = 0.6180339887498949  # its multiples fill [0, 1) evenly, however many devices there are

# (failures in a row, how many intervals until the next try): a dead device costs a quarter after an hour or so.
_BACK_OFF: Final = ((40, 4), (10, 2), (0, 1))


class Schedule:
    """When each device is due.

    Args:
        groups: for each device, the uplink that it shares with others, as a small number.
        interval_s: time between two polls of one device.
        per_group: how many living devices of a group may be asked at the same time; eight times as many doubtful ones
            beside.
    """

    def __init__(self, groups: Sequence[int], interval_s: float, per_group: int) -> None:
        self.interval_s = interval_s
        self._limit = (per_group, _DOUBTFUL * per_group)  # of a lane: of the living, of the doubtful
        self._groups = array("l", groups)
        self._due = array("d", bytes(8 * len(groups)))  # 0.0: not scheduled
        self._again = array("d", bytes(8 * len(groups)))  # wanted while the device was being asked
        self._lane = array("l", [-1]) * len(groups)  # the lane in which a device is being asked, or -1
        self._doubtful = bytearray(len(groups))  # 1: its next question waits in the lane of the doubtful
        self._queued = bytearray(len(groups))  # 1: due, and waiting for a place in its lane
        self._heap: list[tuple[float, int]] = []
        lanes = 2 * (max(groups, default=0) + 1)
        self._busy = array("l", bytes(array("l").itemsize * lanes))
        self._waiting: dict[int, deque[int]] = {}
        self._since = array("d", bytes(8 * len(groups)))  # when a device that is due became so
        self._ready: tuple[deque[int], deque[int]] = (deque(), deque())  # of the living, of the doubtful

    def begin(self, now: float, devices: Sequence[int]) -> None:
        """Everybody is due at once: the first sweep."""
        for device in devices:
            self._due[device] = now
        self._heap = [(now, device) for device in devices]
        heapify(self._heap)

    def take(self, now: float, room: int, doubtful_room: int | None = None) -> list[int]:
        """At most ``room`` living devices to ask now, and at most ``doubtful_room`` others (as many if left out).

        Each is then being asked until `finished`. The two never take each other's room: a province that falls silent
        does not stop the polling of the rest.
        """
        rooms = [room, room if doubtful_room is None else doubtful_room]
        taken: list[int] = []
        while True:
            for kind, ready in enumerate(self._ready):
                while ready and rooms[kind] > 0:
                    taken.append(ready.popleft())
                    rooms[kind] -= 1
            if max(rooms) <= 0 or not self._heap or self._heap[0][0] > now:
                return taken
            when, device = heappop(self._heap)
            if self._due[device] == when and self._lane[device] < 0:  # else rescheduled since
                self._due[device] = 0.0
                self._since[device] = when
                self._enter(device)

    def _enter(self, device: int) -> None:
        """Into its lane: ready at once, or waiting until somebody in the lane has finished."""
        lane = self._lane[device] = 2 * self._groups[device] + self._doubtful[device]
        if self._busy[lane] < self._limit[lane % 2]:
            self._busy[lane] += 1
            self._ready[lane % 2].append(device)
        else:
            self._queued[device] = 1
            self._waiting.setdefault(lane, deque()).append(device)

    def finished(self, device: int, now: float, failures: int) -> bool:
        """The poll of this device is over; ``failures`` polls in a row went unanswered.

        Returns:
            Whether it had been asked as a doubtful one.
        """
        lane = self._lane[device]
        if lane < 0 or self._queued[device]:
            raise ValueError(f"device {device} was not being asked")
        self._lane[device] = -1
        self._doubtful[device] = failures > 0
        self._leave(lane)
        rounds = next(rounds for at_least, rounds in _BACK_OFF if failures >= at_least)
        due = self._next_moment(device, now + (rounds - 1) * self.interval_s)
        if self._again[device]:
            due = min(due, max(self._again[device], now))
            self._again[device] = 0.0
            self._doubtful[device] = 1
        self._set(device, due)
        return bool(lane % 2)

    def is_doubtful(self, device: int) -> bool:
        """Whether a device that is being asked was taken as a doubtful one."""
        return bool(self._lane[device] % 2)

    def _leave(self, lane: int) -> None:
        """Hand a place in a lane to the next that waits for it."""
        waiting = self._waiting.get(lane, ())
        while waiting:
            device = waiting.popleft()
            if self._queued[device] and self._lane[device] == lane:  # else it changed lanes meanwhile
                self._queued[device] = 0
                self._ready[lane % 2].append(device)
                return
        self._waiting.pop(lane, None)
        self._busy[lane] -= 1

    def soon(self, device: int, at: float) -> None:
        """Ask no later than ``at``, whatever its turn: somebody doubts that it would answer."""
        if self._queued[device]:
            if not self._doubtful[device]:  # it need not wait behind the living
                self._doubtful[device] = 1
                self._queued[device] = 0
                self._enter(device)
        elif self._lane[device] >= 0:
            if not self._again[device] or at < self._again[device]:
                self._again[device] = at
        else:
            self._doubtful[device] = 1
            if not self._due[device] or at < self._due[device]:
                self._set(device, at)

    def next_due(self, room: int = 1, doubtful_room: int = 1) -> float | None:
        """Since or from when `take` has something to give to who has this room; None if nothing is scheduled."""
        times = [
            self._since[ready[0]]
            for ready, free in zip(self._ready, (room, doubtful_room), strict=True)
            if ready and free > 0
        ]
        if self._heap:
            times.append(self._heap[0][0])
        return min(times, default=None)

    @property
    def waiting(self) -> int:
        """Devices that are due and held back by pacing."""
        return sum(map(len, self._ready)) + sum(self._queued)

    def _next_moment(self, device: int, after: float) -> float:
        phase = device * _GOLDEN % 1.0 * self.interval_s
        return after + self.interval_s - (after - phase) % self.interval_s

    def _set(self, device: int, due: float) -> None:
        self._due[device] = due
        heappush(self._heap, (due, device))
