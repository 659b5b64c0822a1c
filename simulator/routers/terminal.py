"""A console on an SSH channel: echo, line editing as far as programs need it, paging, and the order of things."""

import asyncio
import re
from collections.abc import Callable
from typing import Any, Protocol

from simulator.routers.console import Reply
from simulator.routers.device import SimulatedRouter

_END_OF_LINE = re.compile(r"\r\n|\r|\n|\x1a")
_ERASE = "\x1b[{0}D" + " " * 40 + "\x1b[40D"


class Machine(Protocol):
    """What a terminal talks to: a vendor's console, or a Linux shell."""

    paged: bool

    @property
    def prompt(self) -> str: ...

    def greet(self) -> Reply: ...

    def type(self, typed: str) -> Reply: ...


class HungUpError(Exception):
    """The client is gone."""


class Terminal:
    """Runs one interactive session.

    Args:
        process: asyncssh's, in text mode without its line editor.
        gone: whether the client has left, though the wire did not carry that yet.
    """

    def __init__(self, process: Any, router: SimulatedRouter, machine: Machine, gone: Callable[[], bool]) -> None:
        self._process, self._router, self._machine, self._gone = process, router, machine, gone
        self._typed = ""
        self._lines = 0

    async def run(self) -> None:
        """Until the client leaves or the box ends the session."""
        reply = self._machine.greet()
        self._write("\r\n")
        hidden = await self._say(reply)
        while not reply.end:
            line = await self._line(echo=not hidden)
            faults = self._router.faults
            self._lines += 1
            if faults.drop_after and self._lines >= faults.drop_after:
                raise HungUpError
            shown = "a secret" if hidden else self._router.editor.sealed(line)
            self._router.happened(f"line {self._router.lines_seen + 1}: {shown}")
            if not self._router.line_arrives(line):
                await self._until_heard()
            if faults.slow_s:
                await asyncio.sleep(faults.slow_s)
            reply = self._machine.type(line)
            self._router.line_done(line)
            hidden = await self._say(reply)

    async def _say(self, reply: Reply) -> bool:
        """Print a reply and what follows it; whether the next line is typed unseen."""
        if reply.long and self._machine.paged and len(reply.lines) >= self._router.options.lines:
            await self._pages(reply.lines)
        else:
            self._write("".join(f"{line}\r\n" for line in reply.lines))
        if reply.end:
            return False
        self._write(reply.ask if reply.ask is not None else self._machine.prompt)
        return reply.hidden

    async def _pages(self, lines: list[str]) -> None:
        screen = self._router.options.lines - 1
        more = self._router.language.more
        at = 0
        while True:
            self._write("".join(f"{line}\r\n" for line in lines[at : at + screen]))
            at += screen
            if at >= len(lines):
                return
            self._write(more)
            key = await self._key()
            self._write(_ERASE.format(len(more)))
            if key in "qQ\x03":
                return
            screen = 1 if key in "\r\n" else self._router.options.lines - 1

    async def _line(self, *, echo: bool) -> str:
        while (found := _END_OF_LINE.search(self._typed)) is None:
            self._typed += await self._read()
        line, self._typed = self._typed[: found.start()], self._typed[found.end() :]
        if found[0] == "\x1a":
            return "\x1a"
        while "\x08" in line or "\x7f" in line:
            line = re.sub(r"[^\x08\x7f]?[\x08\x7f]", "", line, count=1)
        line = line.replace("\x15", "").replace("\x03", "")
        self._write(f"{line if echo else ''}\r\n")
        return line

    async def _until_heard(self) -> None:
        """A line was caught by a cut: TCP brings it when the way is back, unless the client gave up before."""
        heard = asyncio.Event()
        loop = asyncio.get_running_loop()

        def look() -> None:
            loop.call_soon_threadsafe(heard.set)

        stop = self._router.watch(look)
        try:
            while not self._router.reachable:
                heard.clear()
                await heard.wait()
        finally:
            stop()
        if self._gone() or self._process.is_closing():
            raise HungUpError

    async def _key(self) -> str:
        if not self._typed:
            self._typed = await self._read()
        key, self._typed = self._typed[0], self._typed[1:]
        return key

    async def _read(self) -> str:
        data: str = await self._process.stdin.read(4096)
        if not data:
            raise HungUpError
        return data

    def _write(self, text: str) -> None:
        self._process.stdout.write(text)
