"""The wire between a client and a router: it can be slow, and it can fall silent without anybody hanging up.

A silent wire holds what it carries, as TCP would send it again: when the way is back, the session goes on where it
was. A box that booted meanwhile knows nothing of its old sessions and answers them with a reset.
"""

import asyncio
import contextlib
import socket
import struct
from typing import Final

_PIECE: Final = 16 << 10
_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER: on, no waiting; closing then sends RST


class Gate:
    """Carries bytes between two connected sockets until one end closes.

    Args:
        outer: the client's.
        inner: towards the SSH server.
        rate_bit_s: 0 for no limit.
        delay_s: one way.
    """

    def __init__(self, outer: socket.socket, inner: socket.socket, rate_bit_s: float, delay_s: float) -> None:
        self._outer, self._inner = outer, inner
        self._rate, self._delay = rate_bit_s / 8, delay_s
        self._open = asyncio.Event()
        self._open.set()
        self._tasks: list[asyncio.Task[None]] = []

    def silence(self, silent: bool) -> None:
        """Hold everything, or let it go on."""
        if silent:
            self._open.clear()
        else:
            self._open.set()

    def reset(self) -> None:
        """Break the connection as a box that does not know it would."""
        with contextlib.suppress(OSError):
            self._outer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        for task in self._tasks:
            task.cancel()

    def client_left(self) -> bool:
        """Whether the client has closed its end."""
        try:
            return self._outer.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    async def carry(self) -> None:
        """Until either end closes."""
        self._tasks = [
            asyncio.create_task(self._pump(self._outer, self._inner)),
            asyncio.create_task(self._pump(self._inner, self._outer)),
        ]
        try:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            # What the box said last is on its way when it hangs up; a client that left wants nothing more.
            if self._tasks[1].done() and not self._tasks[1].cancelled():
                await self._open.wait()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._outer.close()
            self._inner.close()

    async def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            if not self._rate and not self._delay:
                while piece := await loop.sock_recv(source, _PIECE):
                    if not self._open.is_set():
                        await self._open.wait()
                        if self.client_left():  # it gave up in the silence, and takes with it what it had sent
                            return
                    await loop.sock_sendall(sink, piece)
                await self._open.wait()
                return
            await self._pump_slowly(source, sink)

    async def _pump_slowly(self, source: socket.socket, sink: socket.socket) -> None:
        """Bytes leave at the rate and arrive a delay later; several are under way at once."""
        loop = asyncio.get_running_loop()
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(maxsize=256)

        async def arrive() -> None:
            while True:
                due, piece = await under_way.get()
                await asyncio.sleep(max(0.0, due - loop.time()))
                await self._open.wait()
                if not piece:
                    return
                await loop.sock_sendall(sink, piece)

        arriving = asyncio.create_task(arrive())
        free = loop.time()
        size = min(_PIECE, max(64, int(self._rate / 10))) if self._rate else _PIECE
        try:
            while piece := await loop.sock_recv(source, size):
                free = max(free, loop.time()) + (len(piece) / self._rate if self._rate else 0.0)
                await under_way.put((free + self._delay, piece))
                if self._rate:
                    await asyncio.sleep(max(0.0, free - loop.time()))
            await under_way.put((loop.time() + self._delay, b""))
            await arriving
        finally:
            arriving.cancel()
            await asyncio.gather(arriving, return_exceptions=True)
