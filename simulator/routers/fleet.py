"""Every router of a county in one process: one socket, an address in 127.64.0.0/10 for each.

One listening socket takes the sessions of all: which router is meant stands in the local address of what was
accepted. So five thousand routers cost what their texts cost, and start at once; keys, trees and servers are made
when somebody knocks.
"""

import asyncio
import contextlib
import hashlib
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import asyncssh
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from rollout.platform import Platform
from simulator.dial import NETWORK, address_of, ordinal_of
from simulator.errors import SimulationError, unknown
from simulator.routers.console import Console
from simulator.routers.device import Options, RouterSpec, SimulatedRouter
from simulator.routers.gate import Gate
from simulator.routers.shell import Shell
from simulator.routers.terminal import HungUpError, Terminal
from simulator.routers.timers import LoopTimers, in_loop

_RESET: Final = struct.pack("ii", 1, 0)
_BACKLOG: Final = 1024
_LOGIN_S: Final = 60


class Fleet(Mapping[str, SimulatedRouter]):
    """The routers by device id.

    Args:
        options: what they have in common.
    """

    def __init__(self, routers: Iterable[RouterSpec], options: Options | None = None) -> None:
        self.options = options or Options()
        self._specs = {spec.device_id: spec for spec in routers}
        self._ids = {spec.ordinal: spec.device_id for spec in self._specs.values()}
        self._routers: dict[str, SimulatedRouter] = {}
        self._servers: dict[str, tuple[int, asyncssh.SSHServerConnectionOptions]] = {}
        self._sessions: set[asyncio.Task[None]] = set()
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.RLock()
        self.outside: Callable[[int], bool] | None = None
        """Whether the network leads to the router with this ordinal; None: always."""
        self.on_change: Callable[[SimulatedRouter], None] | None = None
        """Called in the loop's thread whenever a router's configuration or reachability may have changed."""
        self.port = 0

    def __len__(self) -> int:
        return len(self._specs)

    def __iter__(self) -> Iterator[str]:
        return iter(self._specs)

    def __getitem__(self, device_id: str) -> SimulatedRouter:
        router = self._routers.get(device_id)
        if router is None:
            with self._lock:
                router = self._routers.get(device_id) or self._make(device_id)
        return router

    def router(self, device_id: str) -> SimulatedRouter:
        """The router with this id.

        Raises:
            SimulationError: there is none.
        """
        if device_id not in self._specs:
            raise unknown("router", device_id, self._specs)
        return self[device_id]

    def address(self, device_id: str) -> str:
        """The loopback address that a router answers on."""
        return address_of(self._specs[device_id].ordinal)

    def host_key(self, device_id: str) -> str:
        """Its public host key, ``ssh-ed25519 AAAA...``."""
        router = self[device_id]
        public: str = _host_key(self.options.seed, router).export_public_key().decode().strip()
        return " ".join(public.split()[:2])

    def look(self) -> None:
        """The network around the routers changed: sessions find out."""
        for router in tuple(self._routers.values()):
            router.look()

    async def start(self, port: int) -> int:
        """Listen on the running loop.

        Args:
            port: TCP port of every router; 0 lets the kernel choose.

        Returns:
            The port.

        Raises:
            SimulationError: the port is taken.
        """
        self._loop = asyncio.get_running_loop()
        self._listener = _open(port)
        self.port = self._listener.getsockname()[1]
        self._accepting = asyncio.create_task(self._accept(self._listener))
        return self.port

    async def close(self) -> None:
        """End every session and timer, and listen no more."""
        for router in self._routers.values():
            router.close()
        tasks = [*self._sessions, *([self._accepting] if self._accepting else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._listener is not None:
            self._listener.close()

    def _make(self, device_id: str) -> SimulatedRouter:
        if self._loop is None:
            raise RuntimeError("the fleet has not started")
        router = SimulatedRouter(self._specs[device_id], self.options, LoopTimers(self._loop))
        router.outside = self.outside
        if self.on_change is not None:
            told, loop = self.on_change, self._loop
            router.watch(lambda: in_loop(loop, lambda: told(router)))
        self._routers[device_id] = router
        return router

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                outer, _ = await loop.sock_accept(listener)
            except OSError:  # the client left before we took it, or no descriptor is free
                await asyncio.sleep(0.01)
                continue
            outer.setblocking(False)
            asked = socket.inet_aton(outer.getsockname()[0])
            ordinal = ordinal_of(int.from_bytes(asked, "big")) if asked[0] == 127 else None
            device_id = None if ordinal is None else self._ids.get(ordinal)
            if device_id is None:
                outer.close()
                continue
            task = asyncio.create_task(self._serve(self[device_id], outer))
            self._sessions.add(task)
            task.add_done_callback(self._sessions.discard)

    async def _serve(self, router: SimulatedRouter, outer: socket.socket) -> None:
        """One connection, from accepting it to its end."""
        hang = self.options.when_silent == "hang"
        if not router.takes_sessions and (router.reachable or not hang):
            router.happened("refuses a connection")
            with contextlib.suppress(OSError):
                outer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            outer.close()
            return
        outer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        inner, server = socket.socketpair()
        inner.setblocking(False)
        server.setblocking(False)
        gate = Gate(outer, inner, self.options.rate_bit_s, self.options.delay_s)
        reboots = router.reboots
        loop = asyncio.get_running_loop()

        def look() -> None:
            if router.reboots != reboots:
                gate.reset()
            else:
                gate.silence(not router.reachable)

        stop = router.watch(lambda: in_loop(loop, look))
        look()
        connection = asyncio.create_task(self._talk(router, server, gate))
        try:
            await gate.carry()
        finally:
            stop()
            connection.cancel()
            await asyncio.gather(connection, return_exceptions=True)
            server.close()

    async def _talk(self, router: SimulatedRouter, server: socket.socket, gate: Gate) -> None:
        with contextlib.suppress(OSError, asyncssh.Error, TimeoutError):
            options = self._server_options(router)
            connection = await asyncssh.run_server(
                server, options=options, server_factory=lambda: _Server(router, gate)
            )
            try:
                await connection.wait_closed()
            finally:
                connection.abort()

    def _server_options(self, router: SimulatedRouter) -> asyncssh.SSHServerConnectionOptions:
        device_id = router.spec.device_id
        known = self._servers.get(device_id)
        if known is not None and known[0] == router.key_generation:
            return known[1]
        frr = router.spec.platform is Platform.FRR
        options = asyncssh.SSHServerConnectionOptions(
            server_factory=asyncssh.SSHServer,
            server_host_keys=[_host_key(self.options.seed, router)],
            process_factory=_run,
            line_editor=False,
            encoding="utf-8",
            errors="replace",
            agent_forwarding=False,
            login_timeout=_LOGIN_S,
            sftp_factory=None,
            gss_host=None,
            server_version="Comware-7.1.064"
            if router.spec.platform is Platform.COMWARE
            else "OpenSSH_9.2"
            if frr
            else "-",
        )
        self._servers[device_id] = (router.key_generation, options)
        return options


class _Server(asyncssh.SSHServer):
    """Who is let into one router."""

    def __init__(self, router: SimulatedRouter, gate: Gate) -> None:
        self._router, self._gate = router, gate

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        conn.set_extra_info(router=self._router, gate=self._gate)

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return self._router.accepts(username, password)

    def public_key_auth_supported(self) -> bool:
        return bool(self._router.spec.keys)

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        known = self._router.spec.keys.get(username, "")
        given = key.export_public_key().split()[1].decode()
        return self._router.knows(username) and any(given in line.split() for line in known.splitlines())


async def _run(process: Any) -> None:
    """One channel: a terminal, or a single command."""
    router: SimulatedRouter = process.get_extra_info("router")
    gate: Gate = process.get_extra_info("gate")
    user = process.get_extra_info("username")
    router.logins += 1
    router.happened(f"{user} logs in")
    machine = Shell(router, user) if router.spec.platform is Platform.FRR else Console(router, user)
    try:
        if process.command is None:
            await Terminal(process, router, machine, gate.client_left).run()
            process.exit(0)
            return
        reply = machine.type(process.command)
        process.stdout.write("".join(f"{line}\n" for line in reply.lines))
        process.exit(machine.code if isinstance(machine, Shell) else 0)
    except HungUpError:
        gate.reset()
    except (asyncssh.Error, OSError, asyncio.IncompleteReadError):
        process.close()
    finally:
        router.happened("a session ends")
        router.forget(machine)


def _host_key(seed: str, router: SimulatedRouter) -> asyncssh.SSHKey:
    """The same key for the same box every time; making 5,000 at random would cost nobody any good."""
    raw = hashlib.sha256(f"{seed}/{router.spec.device_id}/{router.key_generation}".encode()).digest()
    private = Ed25519PrivateKey.from_private_bytes(raw)
    return asyncssh.import_private_key(private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))


def _open(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # One address for all cannot be named, so two fences: tied to lo where the kernel lets us, and `_accept`
        # hangs up on whoever asked for an address outside NETWORK.
        with contextlib.suppress(OSError):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0")
        listener.bind(("0.0.0.0", port))  # noqa: S104  # fenced in twice, see above
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise SimulationError(f"TCP port {port} in {NETWORK}: {error.strerror}. Free it or choose another.") from error
    return listener


@contextmanager
def serving(routers: Iterable[RouterSpec], options: Options | None = None, port: int = 0) -> Iterator[Fleet]:
    """A fleet that answers from a thread of its own, for tests that block: ``fleet.port``, ``fleet.address(id)``."""
    fleet = Fleet(routers, options)
    loop = asyncio.new_event_loop()
    started = threading.Event()
    failure: list[BaseException] = []

    async def main() -> None:
        try:
            await fleet.start(port)
        except SimulationError as error:
            failure.append(error)
            return
        finally:
            started.set()
        await end.wait()
        await fleet.close()

    end = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(main()), name="routers", daemon=True)
    thread.start()
    started.wait()
    try:
        if failure:
            raise failure[0]
        yield fleet
    finally:
        if not failure:
            loop.call_soon_threadsafe(end.set)
        thread.join()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
