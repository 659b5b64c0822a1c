"""Walks a subtree of any agent, for people and for recordings: every name with its type, until it ends or we do.

One cursor and GETBULK; the same patience as the polls' tables: fewer rows after a time-out, GETNEXT at last. Names
that do not increase are taken as long as none comes twice; an agent that runs in circles or never ends is stopped.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from collectors.decode.compile import Catalogue
from collectors.errors import SilentDeviceError
from collectors.one_shot import numeric, ways
from collectors.snmp import ber
from collectors.snmp.errand import run
from collectors.snmp.message import ErrorStatus, Names, Pdu, Varbind
from collectors.snmp.poll import Answered, Conversation, Manners, OutOfTime, Send, SilentError, TimedOut
from collectors.snmp.transport import SnmpTransport
from collectors.snmp.usm import User

_BUDGET_S: Final = 6 * 3600.0  # thin lines and slow agents: the limit of rows ends a walk, not the time


@dataclass(slots=True)
class Walked:
    """Rows in the order in which the agent gave them, and what kept the walk from its end."""

    rows: list[Varbind] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def subtree(
    root: bytes,
    manners: Manners,
    *,
    limit: int,
    skip: Sequence[bytes] = (),
    progress: Callable[[int], None] = lambda _: None,
) -> Conversation[Walked]:
    """Everything below ``root``; the value of ``root`` itself where nothing is below and it is an instance.

    Args:
        limit: rows after which the walk is stopped.
        skip: subtrees that are jumped over.
        progress: called with the number of rows after each reply.

    Raises:
        SilentError: no reply at all, ever.
    """
    walked = Walked()
    answered = yield from _walk(root, root, manners, walked, limit, skip, progress)
    if not walked.rows and not walked.problems:
        # Perhaps it names an instance: nothing is below, and what comes after the name just before it is itself.
        answered = yield from _walk(root, _just_before(root), manners, walked, limit, skip, progress)
    if not answered:
        raise SilentError("no reply")
    return walked


def _walk(
    root: bytes,
    cursor: bytes,
    manners: Manners,
    walked: Walked,
    limit: int,
    skip: Sequence[bytes],
    progress: Callable[[int], None],
) -> Conversation[bool]:
    answered = False
    seen: set[bytes] = set()
    while True:
        if manners.bulk:
            reply = yield Send(Pdu.GET_BULK, Names.of([cursor]), manners.rows_per_bulk)
        else:
            reply = yield Send(Pdu.GET_NEXT, Names.of([cursor]))
        match reply:
            case TimedOut() if manners.bulk:
                manners.rows_per_bulk //= 3
                continue
            case TimedOut() if not answered:
                raise SilentError("no reply")
            case TimedOut():
                walked.problems.append(f"no reply after {ber.decode_oid(cursor)}: the rest is missing")
                return answered
            case OutOfTime():
                walked.problems.append(f"time was used up at {ber.decode_oid(cursor)}: the rest is missing")
                return answered
            case Answered(status=ErrorStatus.TOO_BIG) if manners.bulk and manners.rows_per_bulk > 1:
                answered = True
                manners.rows_per_bulk //= 2
                continue
            case Answered(status=ErrorStatus.NO_ERROR):
                answered = True
            case Answered(status=ErrorStatus.NO_SUCH_NAME):
                return True  # v1 ends so
            case Answered():
                walked.problems.append(f"error-status {reply.status} after {ber.decode_oid(cursor)}")
                return True
        before = cursor
        for varbind in reply.varbinds:
            oid, tag, _ = varbind
            if tag in ber.EXCEPTIONS or not oid.startswith(root):
                return True
            jump = next((one for one in skip if oid.startswith(one)), None)
            if jump is not None:
                cursor = after(jump)
                break
            if oid in seen:
                walked.problems.append(f"the agent runs in circles at {ber.decode_oid(oid)}")
                return True
            if len(walked.rows) >= limit:
                walked.problems.append(f"stopped after {limit} rows, at {ber.decode_oid(oid)}")
                return True
            seen.add(oid)
            walked.rows.append(varbind)
            cursor = oid
        progress(len(walked.rows))
        if cursor == before:
            return True  # an empty reply, or a subtree to jump over to which the agent comes back
        if not cursor.startswith(root):
            return True


def after(oid: bytes) -> bytes:
    """The name that follows a whole subtree."""
    arcs = ber.decode_arcs(oid)
    return b"".join(map(ber.encode_arc, (*arcs[:-1], arcs[-1] + 1)))


def _just_before(oid: bytes) -> bytes:
    """A name whose successor is ``oid`` itself in any agent that holds it."""
    arcs = ber.decode_arcs(oid)
    if arcs[-1] == 0:
        return oid[:-1]
    return b"".join(map(ber.encode_arc, (*arcs[:-1], arcs[-1] - 1, 0x7FFFFFFF)))


async def walk_device(
    address: str,
    port: int,
    credential: bytes | User,
    roots: Sequence[bytes],
    *,
    limit: int,
    skip: Sequence[bytes] = (),
    timeout_s: float = 2.0,
    retries: int = 2,
    progress: Callable[[int], None] = lambda _: None,
) -> Walked:
    """Walks these subtrees one after the other.

    Args:
        credential: a community (v2c is tried first, then v1), or a user of SNMPv3.
        limit: rows of all subtrees together.

    Raises:
        SilentDeviceError: no version was answered.
        RefusedError: the device said why it will not talk.
        OSError: the name does not resolve.
    """
    host = await numeric(address, port)
    transport = SnmpTransport(asyncio.get_running_loop(), max_in_flight=1)
    everything = Walked()
    try:
        for target in ways((host, port), credential, Catalogue({})):
            heard = False
            for root in roots:
                conversation = subtree(
                    root,
                    target.manners,
                    limit=limit - len(everything.rows),
                    skip=skip,
                    progress=lambda rows: progress(len(everything.rows) + rows),
                )
                walked = await run(
                    transport, target, conversation, timeout_s=timeout_s, retries=retries, budget_s=_BUDGET_S
                )
                if walked is None:
                    if heard:
                        everything.problems.append(f"no reply below {ber.decode_oid(root)}")
                        continue
                    break
                heard = True
                everything.rows += walked.rows
                everything.problems += walked.problems
            if heard:
                return everything
    finally:
        transport.close()
    raise SilentDeviceError(f"{address}:{port} did not answer. Check the address and the credential.")
