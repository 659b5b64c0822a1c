"""Runs a program's tasks until one ends, or somebody says stop (SIGINT, SIGTERM)."""

import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from typing import Any


async def until_told(*programs: Coroutine[Any, Any, None]) -> None:
    """Run side by side. The first that ends, or a signal, ends all; an error is passed on.

    Raises:
        Exception: whatever the first failed program raised.
    """
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    tasks = [asyncio.ensure_future(program) for program in programs]
    waiting = asyncio.ensure_future(told.wait())
    await asyncio.wait([*tasks, waiting], return_when=asyncio.FIRST_COMPLETED)
    for task in (*tasks, waiting):
        task.cancel()
    errors = []
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            try:
                await task
            except Exception as error:
                errors.append(error)
    with contextlib.suppress(asyncio.CancelledError):
        await waiting
    if errors:
        raise errors[0]
