"""One conversation of any kind beside the polls: walks, recordings. The same socket, the same retries."""

import asyncio
from typing import Final, Generic, TypeVar

from collectors.snmp.conversation import Polled
from collectors.snmp.poll import Conversation, Poll
from collectors.snmp.target import Target
from collectors.snmp.transport import SnmpTransport
from health.reading import Readings

T = TypeVar("T")

_ANSWERED: Final = Readings()


class Errand(Generic[T]):
    """What the transport runs instead of a poll; its outcome stays here, for readings only say that there was one."""

    __slots__ = ("machine", "outcome", "target")

    def __init__(self, target: Target, conversation: Conversation[T]) -> None:
        self.target = target
        self.machine = Poll(conversation)
        self.outcome: T | None = None

    def finish(self, outcome: T | None) -> Readings | None:
        self.outcome = outcome
        return None if outcome is None else _ANSWERED


async def run(
    transport: SnmpTransport,
    target: Target,
    conversation: Conversation[T],
    *,
    timeout_s: float,
    retries: int,
    budget_s: float,
) -> T | None:
    """The outcome of a conversation; None where the device was silent.

    Raises:
        RefusedError: the device said why it will not talk.
    """
    errand = Errand(target, conversation)
    done: asyncio.Future[Polled] = asyncio.get_running_loop().create_future()
    transport.run(
        errand, lambda _, polled: done.set_result(polled), timeout_s=timeout_s, retries=retries, budget_s=budget_s
    )
    polled = await done
    if polled.error is not None:
        raise polled.error
    return errand.outcome
