"""Opens the SSH channel: netmiko's connection without its waits, host keys that are known or refused, errors of ours.

netmiko's drivers find the end of an output by waiting for silence: 9 s a block of lines, 2 to 5 s a goodbye. Their
preparation also answers questions that nobody asked us about (the VRP driver saves the configuration at login when
the device offers it). So the connection, its terminal and the removal of escape codes are netmiko's, and what is
typed and read is `rollout.session`'s. netmiko's own log, which holds each line sent, is never fed.
"""

import base64
import contextlib
import io
import logging
import socket
import struct
from functools import cache
from itertools import pairwise
from typing import Any

import paramiko
from netmiko import BaseConnection
from netmiko.exceptions import NetmikoAuthenticationException, NetmikoTimeoutException
from netmiko.ssh_dispatcher import CLASS_MAPPER

from rollout.errors import HostKeyError, LoginError, UnreachableError
from rollout.router import Router

# Without a handler, logging prints paramiko's tracebacks of each cut session on the operator's terminal.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


class _Refuse:
    """What paramiko asks about a host whose key it does not know."""

    def __init__(self, device: str) -> None:
        self._device = device

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        raise HostKeyError(
            f"{self._device} shows the host key {key.get_name()} {key.fingerprint}, and none is known for it. Compare "
            "it on the device, then put it into the inventory."
        )


def host_keys(lines: tuple[str, ...]) -> list[paramiko.PKey]:
    """Public keys out of ``type base64`` or whole known_hosts lines; comments, blanks and unknown types are skipped."""
    found = []
    for line in lines:
        if line.lstrip().startswith(("#", "@revoked")):
            continue
        for kind, blob in pairwise(line.split()):
            if kind.startswith(("ssh-", "ecdsa-")):
                with contextlib.suppress(paramiko.SSHException, ValueError):
                    found.append(paramiko.PKey.from_type_string(kind, base64.b64decode(blob)))
                break
    return found


def shown_host_key(router: Router) -> str:
    """The key that a host shows, as ``TYPE BASE64``; nobody logs in. Whether to believe it is the caller's to say.

    Raises:
        UnreachableError: it does not answer, or speaks no SSH.
    """
    name = f"{router.device} at {router.host}:{router.port}"
    try:
        with (
            socket.create_connection((router.host, router.port), timeout=router.connect_s) as plain,
            contextlib.closing(paramiko.Transport(plain)) as transport,
        ):
            transport.start_client(timeout=router.connect_s)
            key = transport.get_remote_server_key()
            return f"{key.get_name()} {key.get_base64()}"
    except (OSError, EOFError, paramiko.SSHException) as error:
        raise UnreachableError(f"{name} shows no host key: {error or 'silence'}.") from None


def _private_key(text: str, device: str) -> paramiko.PKey:
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(text))
        except (paramiko.SSHException, ValueError):
            continue
    raise LoginError(f"{device}: the private key of its credential is none that can be read (OpenSSH, no passphrase).")


@cache
def _quiet(netmiko_name: str) -> type[BaseConnection]:
    """The driver of netmiko for a platform, which only connects: what is typed at login is ours."""

    def nothing(self: BaseConnection, *args: object, **kwargs: object) -> None:
        return None

    def client(self: BaseConnection) -> paramiko.SSHClient:
        made = paramiko.SSHClient()
        name = self.host if self.port == paramiko.config.SSH_PORT else f"[{self.host}]:{self.port}"
        for key in self.known:  # type: ignore[attr-defined]
            made.get_host_keys().add(name, key.get_name(), key)
        made.set_missing_host_key_policy(_Refuse(self.device))  # type: ignore[attr-defined]
        return made

    base = CLASS_MAPPER[netmiko_name]
    overrides: dict[str, Any] = {
        "session_preparation": nothing,
        "special_login_handler": nothing,
        "cleanup": nothing,
        "_build_ssh_client": client,
    }
    return type(f"Quiet{base.__name__}", (base,), overrides)


def dial(router: Router, netmiko_name: str, *, second_path: bool = False) -> BaseConnection:
    """An open terminal on the device; nothing was typed or read yet.

    Raises:
        LoginError: no credential, or the device does not take it.
        HostKeyError: another host key than the known ones, or none is known.
        UnreachableError: silence, a refusal, or no common algorithm.
    """
    device = router.device
    host, port = router.second_path if second_path and router.second_path else (router.host, router.port)
    if router.password is None and router.private_key is None:
        raise LoginError(f"{device} has no credential: the inventory names neither a password nor a key for it.")
    key = _private_key(router.private_key, device) if router.private_key is not None else None
    connection = _quiet(netmiko_name)(
        host=host,
        port=port,
        device_type=netmiko_name,
        username=router.username,
        password=router.password,
        pkey=key,
        conn_timeout=router.connect_s,
        auth_timeout=router.connect_s,
        banner_timeout=router.connect_s,
        blocking_timeout=router.silence_s,
        keepalive=router.keepalive_s,
        auto_connect=False,
    )
    connection.known = host_keys(router.host_keys)  # type: ignore[attr-defined]
    connection.device = device  # type: ignore[attr-defined]
    try:
        connection.establish_connection()
    except NetmikoAuthenticationException:
        connection.disconnect()
        raise LoginError(
            f"{device} does not let {router.username!r} in with the credential of the inventory ({host}:{port})."
        ) from None
    except NetmikoTimeoutException as error:
        connection.disconnect()
        raise _unreachable(error, device, host, port) from None
    except HostKeyError:
        connection.disconnect()
        raise
    except (paramiko.SSHException, OSError, EOFError) as error:  # after authentication: the channel was refused
        connection.disconnect()
        raise UnreachableError(f"{device} at {host}:{port} gives no terminal: {error}.") from None
    # What was not acknowledged when we hang up must not reach the device later, when the line is back: no lingering.
    channel: paramiko.Channel = connection.remote_conn
    channel.get_transport().sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return connection


def _unreachable(error: Exception, device: str, host: str, port: int) -> HostKeyError | UnreachableError:
    cause = error.__context__
    if isinstance(cause, paramiko.BadHostKeyException):
        return HostKeyError(
            f"{device} at {host}:{port} shows another host key ({cause.key.get_name()} {cause.key.fingerprint}) than "
            "the one in the inventory. If the box was replaced, compare the key on the device and update the inventory."
        )
    if isinstance(cause, paramiko.SSHException):
        return UnreachableError(f"{device} at {host}:{port}: no SSH session: {cause}.")
    return UnreachableError(f"{device} does not answer at {host}:{port}: {cause or 'silence'}.")
