"""Reading many routers at once: read-only, in parallel, and never many below one uplink."""

import multiprocessing
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Final, TypeVar

from cuntong.changing.reach import Reach
from inventory.devices import Device
from inventory.model import Inventory
from rollout.errors import SessionError
from rollout.router import Router
from rollout.running import fingerprint
from rollout.transaction import read_both, read_running

_THREADS_UP_TO: Final = 8  # routers: fewer are read sooner by threads than processes start

Given = TypeVar("Given")
Found = TypeVar("Found")


@dataclass(frozen=True)
class Read:
    """What a router says; ``text`` is None where it says nothing, and ``said`` why.

    Args:
        saved: whether it has saved what it runs; None where nobody asked or the platform does not show it.
    """

    text: str | None
    said: str
    saved: bool | None = None


def read_one(router: Router) -> Read:
    try:
        return Read(read_running(router), "")
    except SessionError as error:
        return Read(None, str(error))


def read_with_saved(router: Router) -> Read:
    """As `read_one`, and whether what runs is saved."""
    try:
        running, saved = read_both(router)
    except SessionError as error:
        return Read(None, str(error))
    same = None if saved is None else fingerprint(router.platform, saved) == fingerprint(router.platform, running)
    return Read(running, "", same)


def read_each(
    inventory: Inventory,
    devices: Sequence[Device],
    reach: Reach,
    parallel: int,
    per_uplink: int,
    done: Callable[[str], None] = lambda _: None,
    read: Callable[[Router], Read] = read_one,
) -> list[Read]:
    """The running configuration of each device, in order.

    Args:
        done: told of each device's id as it is read.
    """
    routers = [reach.router(device) for device in devices]
    uplinks = [uplink_of(inventory, device) for device in devices]
    return paced(read, routers, uplinks, parallel, per_uplink, lambda number, _: done(devices[number].id))


def uplink_of(inventory: Inventory, device: Device) -> str:
    """The id of the router above; empty at the top."""
    return inventory.devices[device.uplinks[0]].id if device.uplinks else ""


def paced(
    work: Callable[[Given], Found],
    given: Sequence[Given],
    uplinks: Sequence[str],
    parallel: int,
    per_uplink: int,
    done: Callable[[int, Found], None],
) -> list[Found]:
    """``work`` on each, at most ``parallel`` at a time and ``per_uplink`` below one router; results in order.

    Args:
        work: a function of a module, as it may run in another process.
        done: told of each position and result as they come.
    """
    found: dict[int, Found] = {}
    with _executor(len(given), parallel) as executor:
        waiting = list(range(len(given)))
        busy: Counter[str] = Counter()
        running: dict[Future[Found], int] = {}
        while waiting or running:
            started = set(_startable(uplinks, waiting, busy, parallel - len(running), per_uplink))
            waiting = [number for number in waiting if number not in started]
            for number in sorted(started):
                busy[uplinks[number]] += 1
                running[executor.submit(work, given[number])] = number
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                number = running.pop(future)
                busy[uplinks[number]] -= 1
                found[number] = future.result()
                done(number, found[number])
    return [found[number] for number in range(len(given))]


def _startable(
    uplinks: Sequence[str], waiting: Sequence[int], busy: Counter[str], free: int, per_uplink: int
) -> Iterator[int]:
    taken: Counter[str] = Counter()
    for number in waiting:
        if free <= 0:
            return
        uplink = uplinks[number]
        if not uplink or busy[uplink] + taken[uplink] < per_uplink:
            taken[uplink] += 1
            free -= 1
            yield number


def _executor(tasks: int, parallel: int) -> Executor:
    if tasks <= _THREADS_UP_TO:
        return ThreadPoolExecutor(max(1, min(tasks, parallel)))
    # A fork of this process would copy its locks and its threads; the server that forks has only modules.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["rollout.planning", "rollout.transaction"])
    return ProcessPoolExecutor(min(parallel, 4 * (os.cpu_count() or 1)), mp_context=context)
