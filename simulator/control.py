"""Playing with a running county: JSON lines over a Unix socket that only its owner may open.

    {"do": "inject", "fault": {"fault": "paper_out", "target": "511825101202/prt1"}}   → {"ok": true, "devices": 1}
    {"do": "clear", "fault": {...}}  or  {"do": "clear", "target": "511825101202"}     → {"ok": true, "cleared": [...]}
    {"do": "list"}                                                                     → {"ok": true, "faults": [...]}
    {"do": "ping"}                                                   → {"ok": true, "devices": 375, "port": 16100}

Where the county's routers answer SSH, also, with ``device`` a router's id:

    {"do": "routers"}                                → {"ok": true, "ssh_port": 16122, "routers": {id: address, ...}}
    {"do": "router", "device": ...}                  → {"ok": true, "router": {...}, "running": "...", "startup": "..."}
    {"do": "host_keys"}                              → {"ok": true, "host_keys": {id: "ssh-ed25519 AAAA...", ...}}
    {"do": "break_router", "device": ..., "faults": {"save_fails": true}}    → {"ok": true, "faults": {...}}
    {"do": "mend_router", "device": ...}                                     → {"ok": true, "faults": {}}
    {"do": "reboot_router"} or {"do": "replace_router"}, each with a device  → {"ok": true}

What cannot be done is answered with ``{"ok": false, "error": "..."}``; the connection stays open.
"""

import asyncio
import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from simulator.county import County
from simulator.errors import SimulationError
from simulator.faults import fault_from
from simulator.routers.fleet import Fleet

_LINE: Final = 64 << 10


def perform(county: County, message: object, *, port: int | None = None, fleet: Fleet | None = None) -> dict[str, Any]:
    """Do what a message asks; the answer. Never raises for what a client wrote."""
    if not isinstance(message, Mapping):
        return {"ok": False, "error": 'a message is an object such as {"do": "list"}'}
    try:
        match message.get("do"):
            case "inject":
                return {"ok": True, "devices": len(county.inject(fault_from(_mapping(message.get("fault")))))}
            case "clear":
                target = message.get("target")
                what = str(target) if target else fault_from(_mapping(message.get("fault")))
                return {"ok": True, "cleared": [fault.as_plain() for fault in county.clear(what)]}
            case "list":
                return {"ok": True, "faults": [fault.as_plain() for fault in county.faults]}
            case "ping":
                return {"ok": True, "devices": len(county), "port": port}
            case str(do) if fleet is not None and do in _ROUTER_DEEDS:
                return {"ok": True} | _with_routers(fleet, do, message)
            case other:
                return {"ok": False, "error": f"cannot do {other!r}; only inject, clear, list, ping"}
    except SimulationError as error:
        return {"ok": False, "error": str(error)}


_ROUTER_DEEDS: Final = frozenset(
    ("routers", "router", "host_keys", "break_router", "mend_router", "reboot_router", "replace_router")
)


def _with_routers(fleet: Fleet, do: str, message: Mapping[str, Any]) -> dict[str, Any]:
    if do == "routers":
        return {"ssh_port": fleet.port, "routers": {device: fleet.address(device) for device in fleet}}
    if do == "host_keys":
        return {"host_keys": {device: fleet.host_key(device) for device in fleet}}
    router = fleet.router(str(message.get("device")))
    match do:
        case "router":
            return {"router": router.state(), "running": router.running, "startup": router.startup}
        case "break_router":
            router.inject(**{str(name): value for name, value in _mapping(message.get("faults")).items()})
        case "mend_router":
            router.clear()
        case "reboot_router":
            router.reboot()
        case _:
            router.replace_box()
    return {"faults": router.faults.as_plain()} if do.endswith(("break_router", "mend_router")) else {}


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise SimulationError('"fault" is an object such as {"fault": "silent", "target": "..."}')
    return value


class Channel:
    """The listening end; `open_channel` makes one."""

    def __init__(self, county: County, path: Path, port: int | None, fleet: Fleet | None) -> None:
        self._county = county
        self._fleet = fleet
        self._path = path
        self._port = port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def close(self) -> None:
        """Hang up on every client and remove the socket's file."""
        if self._server is not None:
            self._server.close()
            for writer in self._writers:
                writer.close()
            await self._server.wait_closed()
        self._path.unlink(missing_ok=True)

    async def _start(self) -> None:
        try:
            listener = _bind(self._path)
        except OSError as error:
            raise SimulationError(f"control channel {self._path.name}: {error.strerror or error}") from error
        self._server = await asyncio.start_unix_server(self._serve, sock=listener, limit=_LINE)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while line := await reader.readline():
                try:
                    message = json.loads(line)
                except ValueError:
                    answer: dict[str, Any] = {"ok": False, "error": "not JSON"}
                else:
                    answer = perform(self._county, message, port=self._port, fleet=self._fleet)
                writer.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            pass  # gone, or a line beyond the limit: either way the conversation is over
        finally:
            self._writers.discard(writer)
            writer.close()


async def open_channel(county: County, path: Path, *, port: int | None = None, fleet: Fleet | None = None) -> Channel:
    """Listen on a Unix socket that only its owner may open (mode 0600).

    Raises:
        SimulationError: another program answers there, or the socket cannot be made.
    """
    await _make_room(path)
    channel = Channel(county, path, port, fleet)
    await channel._start()
    return channel


def _bind(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    # The mask makes it 0600 from the first moment; a chmod afterwards would leave a gap.
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(mask)
    return listener


async def request(path: Path, message: Mapping[str, Any], *, timeout_s: float = 5.0) -> dict[str, Any]:
    """Ask a running county.

    Raises:
        SimulationError: nothing listens there, or it does not answer.
    """
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_unix_connection(path, limit=_LINE * 16)
            try:
                writer.write(json.dumps(message, ensure_ascii=False).encode() + b"\n")
                await writer.drain()
                answer = await reader.readline()
            finally:
                writer.close()
    except TimeoutError:
        raise SimulationError(f"the county behind {path.name} does not answer") from None
    except OSError as error:
        raise SimulationError(
            f"no county runs behind {path.name} ({error.strerror or error}). Start one with cuntong demo."
        ) from error
    try:
        found = json.loads(answer)
    except ValueError:
        raise SimulationError(f"the county behind {path.name} gave no answer") from None
    return dict(found)


async def _make_room(path: Path) -> None:
    """Remove the socket that a killed program left; never one that somebody answers on."""
    if not path.exists():
        return
    try:
        _, writer = await asyncio.open_unix_connection(path)
    except OSError:
        if not path.is_socket():
            raise SimulationError(f"control channel {path.name}: there is a file of that name") from None
        path.unlink()
    else:
        writer.close()
        raise SimulationError(
            f"control channel {path.name}: another county runs there; end it, or give this one another XDG_STATE_HOME"
        )
