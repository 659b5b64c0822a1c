"""One UDP socket that listens for every device of the county, and only on loopback.

Linux accepts datagrams for all of 127.0.0.0/8 on ``lo``. The socket is bound to 0.0.0.0 because no address could
be named for four million, so two fences keep strangers out: it is tied to ``lo`` where the kernel lets us, and
datagrams for any address outside 127.0.0.0/8 are dropped whatever the interface. ``IP_PKTINFO`` tells which
address was asked, and the answer leaves from that one.
"""

import asyncio
import contextlib
import socket
import struct
from typing import Final

from simulator.dial import ordinal_of
from simulator.errors import SimulationError
from simulator.snmp_agent import Agent

IP_PKTINFO: Final = 8
"""<linux/in.h>; the standard library does not name it everywhere."""

_SO_RCVBUFFORCE: Final = 33  # <asm-generic/socket.h>
_PKTINFO: Final = struct.Struct("=I4s4s")  # in_pktinfo: interface, local address, address in the header
_SPACE: Final = socket.CMSG_SPACE(_PKTINFO.size)
_LARGEST: Final = 9000  # octets of a request; more would only make Python shrink larger buffers
_A_WAKE: Final = 256  # datagrams taken before the loop serves others
_BUFFER: Final = 8 << 20


class Listener:
    """Moves datagrams between the socket and the agent, on the running event loop.

    Args:
        port: UDP port; 0 lets the kernel choose (see `port`).

    Raises:
        SimulationError: the port is taken.
    """

    def __init__(self, agent: Agent, port: int) -> None:
        self.agent = agent
        self.outsiders = 0
        """Datagrams dropped because they were meant for no device of the county."""
        self._devices = len(agent.county)
        self._socket = _open(port)
        self.port: int = self._socket.getsockname()[1]
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket.fileno(), self._wake)
        self._late: set[asyncio.TimerHandle] = set()

    def close(self) -> None:
        self._loop.remove_reader(self._socket.fileno())
        for handle in self._late:
            handle.cancel()
        self._socket.close()

    def _wake(self) -> None:
        receive, answer, county = self._socket.recvmsg, self.agent.answer, self.agent.county
        for _ in range(_A_WAKE):
            try:
                datagram, ancillary, _, peer = receive(_LARGEST, _SPACE)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:  # an ICMP error of an earlier answer; nothing to read
                return
            asked = _asked(ancillary)
            ordinal = None if asked is None else ordinal_of(int.from_bytes(asked, "big"))
            if asked is None or ordinal is None or ordinal >= self._devices:
                self.outsiders += 1
                continue
            reply = answer(datagram, ordinal)
            if reply is None:
                continue
            if county.troubled(ordinal) and (delay_s := county.delay_s(ordinal)):
                self._send_late(delay_s, reply, asked, peer)
            else:
                self._send(reply, asked, peer)

    def _send(self, reply: bytes, source: bytes, peer: tuple[str, int]) -> None:
        info = _PKTINFO.pack(0, source, bytes(4))
        # A full send buffer or a peer that has gone loses the answer, as a network would.
        with contextlib.suppress(OSError):
            self._socket.sendmsg((reply,), ((socket.IPPROTO_IP, IP_PKTINFO, info),), 0, peer)

    def _send_late(self, delay_s: float, reply: bytes, source: bytes, peer: tuple[str, int]) -> None:
        def send() -> None:
            self._late.discard(handle)
            self._send(reply, source, peer)

        handle = self._loop.call_later(delay_s, send)
        self._late.add(handle)


def _open(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        # Kernels before 5.7 want a privilege for this; the address fence holds without it.
        with contextlib.suppress(OSError):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0")
        listener.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        with contextlib.suppress(OSError):  # beyond net.core.rmem_max, where we may
            listener.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
        listener.bind(("0.0.0.0", port))  # noqa: S104  # fenced in twice, see above
    except OSError as error:
        listener.close()
        raise SimulationError(f"UDP port {port}: {error.strerror}. Free it or choose another.") from error
    return listener


def _asked(ancillary: list[tuple[int, int, bytes]]) -> bytes | None:
    """The address that the datagram was sent to; None outside 127.0.0.0/8."""
    for level, kind, data in ancillary:
        if level == socket.IPPROTO_IP and kind == IP_PKTINFO and len(data) >= _PKTINFO.size:
            address = data[8:12]
            return address if address[0] == 127 else None
    return None
