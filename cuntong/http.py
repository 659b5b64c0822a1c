"""Serves an ASGI application on a socket that we bound ourselves, inside a loop that we run ourselves."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any, Final

import uvicorn

from cuntong.errors import StartError

DATAGRAM: Final = socket.SOCK_DGRAM


def bind(host: str, port: int) -> socket.socket:
    """A listening TCP socket.

    Raises:
        StartError: the address is taken or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise StartError(f"Cannot listen on {host}:{port}: {error.strerror}. Choose another with --port.") from None
    return sock


def address_of(sock: socket.socket) -> str:
    """``host:port`` under which others find a socket: this machine's name if it listens everywhere."""
    host, port = sock.getsockname()[:2]
    if ip_address(host).is_unspecified:
        host = socket.gethostname()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def free_port(host: str = "127.0.0.1", kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port that was free a moment ago."""
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind((host, 0))
        return int(sock.getsockname()[1])


def is_free(host: str, port: int) -> bool:
    try:
        bind(host, port).close()
    except StartError:
        return False
    return True


class _Server(uvicorn.Server):
    """Leaves signals to the program that runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


_LEAVE_S: Final = 3
"""How long answers that still run are waited for."""


async def serve(app: Any, sock: socket.socket) -> None:
    """Serve until cancelled; then answers that run come to their end, and streams that have none are told to leave."""
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", server_header=False, timeout_graceful_shutdown=_LEAVE_S
    )
    server = _Server(config)
    serving = asyncio.ensure_future(server.serve(sockets=[sock]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        app.state.leaving = server.should_exit = True
        await serving
        raise
    finally:
        sock.close()
