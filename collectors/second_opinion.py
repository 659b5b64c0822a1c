"""The same walk by pysnmp, and where its rows differ from ours.

Our polls go by a codec of our own. When a device shows something odd, a person must be able to tell whether the device
says so or we read it wrongly; an independent implementation of SNMP, from the first octet to the last, decides that.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from pysnmp.hlapi.v3arch import asyncio as pysnmp
from pysnmp.proto.errind import EmptyResponse, RequestTimedOut

from collectors.by_pysnmp import AUTHS, PRIVS, varbind
from collectors.errors import RefusedError, SilentDeviceError
from collectors.one_shot import numeric
from collectors.snmp import ber
from collectors.snmp.message import Value, Varbind
from collectors.snmp.usm import Auth, Priv, User


class Difference(NamedTuple):
    """A name that the two read differently; None where one has no such row."""

    oid: bytes
    ours: tuple[int, Value] | None
    theirs: tuple[int, Value] | None


async def walk_by_pysnmp(
    address: str,
    port: int,
    credential: bytes | User,
    root: bytes,
    *,
    limit: int,
    timeout_s: float = 2.0,
    retries: int = 2,
) -> list[Varbind]:
    """Everything below ``root``, asked and decoded by pysnmp.

    Args:
        credential: a community (v2c), or a user of SNMPv3.
        limit: rows after which the walk is stopped.

    Raises:
        SilentDeviceError: no reply.
        RefusedError: the device, or pysnmp, said why not.
        OSError: the name does not resolve.
    """
    host = await numeric(address, port)
    kind = pysnmp.Udp6TransportTarget if ":" in host else pysnmp.UdpTransportTarget
    target = await kind.create((host, port), timeout=timeout_s, retries=retries)
    engine = pysnmp.SnmpEngine()
    rows: list[Varbind] = []
    try:
        async for error, status, _, varbinds in pysnmp.bulk_walk_cmd(
            engine, _who(credential), target, pysnmp.ContextData(), 0, 20,
            pysnmp.ObjectType(pysnmp.ObjectIdentity(ber.decode_oid(root))),
            lookupMib=False, lexicographicMode=False,
        ):  # fmt: skip
            if isinstance(error, RequestTimedOut):
                raise SilentDeviceError(f"{address}:{port} did not answer pysnmp.")
            if error is not None and not isinstance(error, EmptyResponse):
                raise RefusedError("said by pysnmp", f"{address}:{port}: {error}")
            if status:
                raise RefusedError(str(status.prettyPrint()), f"{address}:{port} answered pysnmp with an error")
            rows += [varbind(name, value) for name, value in varbinds]
            if len(rows) >= limit:
                return rows[:limit]
    finally:
        engine.close_dispatcher()
    return rows


def differences(before: Iterable[Varbind], theirs: Iterable[Varbind], after: Iterable[Varbind]) -> list[Difference]:
    """Names of which type or value differ, or that only one has, in the order of their numbers.

    Args:
        before, after: our rows, read before and after theirs: what moved meanwhile is compared by type alone.
    """
    first, second, other = ({oid: (tag, value) for oid, tag, value in rows} for rows in (before, after, theirs))
    found = []
    for oid in first.keys() | second.keys() | other.keys():
        ours, later, its = first.get(oid), second.get(oid), other.get(oid)
        if its in (ours, later):
            continue
        if ours is not None and later is not None and its is not None and ours != later and ours[0] == its[0]:
            continue
        if (ours is None) != (later is None):
            continue  # the row came or went while we looked
        found.append(Difference(oid, ours, its))
    return sorted(found, key=lambda each: ber.decode_arcs(each.oid))


def _who(credential: bytes | User) -> Any:
    if isinstance(credential, bytes):
        return pysnmp.CommunityData(credential, mpModel=1)  # noqa: S508 - the caller has the waiver
    words: dict[str, Any] = {"authProtocol": AUTHS[credential.auth], "privProtocol": PRIVS[credential.priv]}
    if credential.auth is not Auth.NONE:
        words["authKey"] = credential.auth_password
    if credential.priv is not Priv.NONE:
        words["privKey"] = credential.priv_password
    return pysnmp.UsmUserData(credential.name, **words)  # noqa: S509 - the user's level is declared
