"""One conversation with one agent as a machine: an event in, a command out. No sockets, no clock.

    Due ──► Send ──► Answered / TimedOut / OutOfTime ──► Send ... ──► Report

What is asked next is a generator (a *conversation*) that yields `Send` and receives an `Event`; `Poll` wraps it,
refuses misuse and turns its end into a `Report`. Conversations compose with ``yield from``: `ask` fetches known
instances, `walk` reads columns. Both survive what agents do in the field: a missing name under v1, too-big replies,
columns that end at different rows, object identifiers that run in circles, an agent that falls silent half-way.
What came is kept; what failed is named.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final, Generic, TypeVar

from collectors.snmp import ber
from collectors.snmp.message import VERSION_1, ErrorStatus, Names, Pdu, Value, Varbind
from inventory.errors import CuntongError

T = TypeVar("T")

NAMES_PER_GET: Final = 36
"""About 1,200 octets of reply: no fragment on a 1,400-octet tunnel."""
VARIABLES_PER_BULK: Final = 48
ROWS_PER_BULK: Final = 24
ROWS_PER_COLUMN: Final = 20_000
"""A column that is longer is no table of ours, but an agent that never ends."""


class ProtocolMisuseError(CuntongError):
    """Our own fault: an event that cannot come in this state."""


@dataclass(frozen=True, slots=True)
class Due:
    """Begin."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The reply to the last `Send`.

    Args:
        values: of a GET, in the order asked; None where the agent has none.
        varbinds: of a GETNEXT or GETBULK.
        status: error-status; ``index`` then points at the guilty name, counted from 1.
    """

    values: Sequence[Value] = ()
    varbinds: Sequence[Varbind] = ()
    status: int = 0
    index: int = 0


@dataclass(frozen=True, slots=True)
class TimedOut:
    """Every try of the last `Send` went unanswered."""


@dataclass(frozen=True, slots=True)
class OutOfTime:
    """The budget of this poll is used up: report what came."""


Event = Due | Answered | TimedOut | OutOfTime
Reply = Answered | TimedOut | OutOfTime


@dataclass(frozen=True, slots=True)
class Send:
    """Ask this. ``repetitions`` counts rows for a GETBULK; ``steady`` asks the same names in every poll."""

    pdu: Pdu
    names: Names
    repetitions: int = 0
    steady: bool = False


@dataclass(frozen=True, slots=True)
class Report(Generic[T]):
    """The conversation is over; None means that the device never answered."""

    outcome: T | None


Conversation = Generator[Send, Reply, T]


class State(Enum):
    IDLE = auto()
    WAITING = auto()
    OVER = auto()


class SilentError(CuntongError):
    """Ends a conversation whose device never said a word. `Poll` turns it into ``Report(None)``."""


class Poll(Generic[T]):
    """Runs one conversation."""

    __slots__ = ("_conversation", "state")

    def __init__(self, conversation: Conversation[T]) -> None:
        self._conversation = conversation
        self.state = State.IDLE

    def handle(self, event: Event) -> Send | Report[T]:
        """The next thing to do.

        Raises:
            ProtocolMisuseError: `Due` twice, or a reply that nothing was sent for.
        """
        due = isinstance(event, Due)
        if self.state is not (State.IDLE if due else State.WAITING):
            raise ProtocolMisuseError(f"{type(event).__name__} while {self.state.name.lower()}")
        try:
            command = next(self._conversation) if due else self._conversation.send(event)  # type: ignore[arg-type]
        except StopIteration as end:
            self.state = State.OVER
            return Report(end.value)
        except SilentError:
            self.state = State.OVER
            return Report(None)
        self.state = State.WAITING
        return command


@dataclass(slots=True)
class Manners:
    """What one agent was found to bear. Learnt in conversations, remembered per device."""

    version: int
    names_per_get: int = NAMES_PER_GET
    rows_per_bulk: int = ROWS_PER_BULK

    @property
    def bulk(self) -> bool:
        return self.version != VERSION_1 and self.rows_per_bulk > 0


@dataclass(slots=True)
class Findings:
    """Everything that a survey brought, by instance, and by column and index."""

    scalars: dict[bytes, Value] = field(default_factory=dict)
    columns: dict[bytes, dict[bytes, Value]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    failed: set[bytes] = field(default_factory=set)
    """Columns and instances that were asked but not fully read."""
    answered: bool = False
    out_of_time: bool = False

    def note(self, problem: str, *culprits: bytes) -> None:
        self.failed.update(culprits)
        if problem not in self.problems:
            self.problems.append(problem)


def ask(names: Sequence[bytes], manners: Manners, found: Findings) -> Conversation[None]:
    """GETs known instances into ``found.scalars``; what the agent lacks is left out.

    Raises:
        SilentError: no reply at all, ever.
    """
    waiting = [list(names[at : at + manners.names_per_get]) for at in range(0, len(names), manners.names_per_get)]
    while waiting and not found.out_of_time:
        chunk = waiting.pop(0)
        reply = yield Send(Pdu.GET, Names.of(chunk))
        match reply:
            case TimedOut() if not found.answered:
                raise SilentError("no reply")
            case TimedOut() if len(chunk) > 8:
                # Old agents choke on long lists before they admit it.
                manners.names_per_get = max(8, len(chunk) // 2)
                waiting[:0] = _halves(chunk)
            case TimedOut():
                found.note(f"no reply for {len(chunk)} objects from {ber.decode_oid(chunk[0])}", *chunk)
            case OutOfTime():
                _stop(found, (*chunk, *(oid for rest in waiting for oid in rest)))
            case Answered(status=ErrorStatus.NO_ERROR):
                found.answered = True
                found.scalars.update(
                    (oid, value) for oid, value in zip(chunk, reply.values, strict=False) if value is not None
                )
            case Answered(status=ErrorStatus.TOO_BIG) if len(chunk) > 1:
                found.answered = True
                manners.names_per_get = max(1, len(chunk) // 2)
                waiting[:0] = _halves(chunk)
            case Answered():
                # v1 noSuchName, or genErr for a broken object: the others are still wanted.
                found.answered = True
                if 1 <= reply.index <= len(chunk):
                    culprit = chunk.pop(reply.index - 1)
                    if reply.status != ErrorStatus.NO_SUCH_NAME:
                        found.note(f"error-status {reply.status} for {ber.decode_oid(culprit)}", culprit)
                    if chunk:
                        waiting.insert(0, chunk)
                elif len(chunk) > 1:
                    waiting[:0] = _halves(chunk)
                else:
                    found.note(f"error-status {reply.status} for {ber.decode_oid(chunk[0])}", chunk[0])


def _halves(chunk: list[bytes]) -> list[list[bytes]]:
    middle = (len(chunk) + 1) // 2
    return [chunk[:middle], chunk[middle:]]


def _stop(found: Findings, unread: Iterable[bytes]) -> None:
    if not found.answered:
        raise SilentError("no reply")
    found.out_of_time = True
    found.note("the poll's time was used up before everything was read", *unread)


def walk(columns: Iterable[bytes], manners: Manners, found: Findings) -> Conversation[None]:
    """Reads whole columns side by side into ``found.columns``.

    The columns should belong to one table: then one GETBULK carries rows of all of them. A column ends at the first
    name outside it, or at an index that it already gave (an agent that runs in circles).

    Raises:
        SilentError: no reply at all, ever.
    """
    cursors = {column: column for column in columns}
    for column in cursors:
        found.columns.setdefault(column, {})
    most = VARIABLES_PER_BULK
    while cursors and not found.out_of_time:
        asked = list(cursors)[:most]
        if manners.bulk:
            repetitions = max(1, min(manners.rows_per_bulk, most // len(asked)))
            reply = yield Send(Pdu.GET_BULK, Names.of(cursors[c] for c in asked), repetitions)
        else:
            reply = yield Send(Pdu.GET_NEXT, Names.of(cursors[c] for c in asked))
        match reply:
            case TimedOut() if manners.bulk:
                # Weak agents: 24 rows, then 8, then 2, then GETNEXT; remembered for this device.
                if not found.answered and manners.rows_per_bulk < ROWS_PER_BULK // 3:
                    raise SilentError("no reply")
                manners.rows_per_bulk //= 3
            case TimedOut() if len(asked) > 1:
                most = max(1, len(asked) // 4)
            case TimedOut():
                if not found.answered:
                    raise SilentError("no reply")
                column = asked[0]
                found.note(f"no reply inside column {ber.decode_oid(column)}", column)
                del cursors[column]
            case OutOfTime():
                _stop(found, cursors)
            case Answered(status=ErrorStatus.NO_ERROR):
                found.answered = True
                _take_rows(reply.varbinds, asked, cursors, found)
            case Answered(status=ErrorStatus.TOO_BIG) if len(asked) > 1 or manners.rows_per_bulk > 1:
                found.answered = True
                if manners.bulk and manners.rows_per_bulk > 1:
                    manners.rows_per_bulk = max(1, repetitions // 2)
                else:
                    most = max(1, len(asked) // 2)
            case Answered():
                # v1 ends a walk with noSuchName; other errors name a column that this agent cannot read.
                found.answered = True
                if 1 <= reply.index <= len(asked):
                    column = asked[reply.index - 1]
                    if reply.status != ErrorStatus.NO_SUCH_NAME:
                        found.note(f"error-status {reply.status} inside column {ber.decode_oid(column)}", column)
                    del cursors[column]
                elif len(asked) > 1:
                    most = 1  # one by one: the next error then has only one possible cause
                else:
                    found.note(f"error-status {reply.status} inside column {ber.decode_oid(asked[0])}", asked[0])
                    del cursors[asked[0]]


def _take_rows(varbinds: Sequence[Varbind], asked: list[bytes], cursors: dict[bytes, bytes], found: Findings) -> None:
    width = len(asked)
    for column, mine in ((asked[at], varbinds[at::width]) for at in range(width)):
        rows = found.columns[column]
        start = len(column)
        if not mine:
            # A reply cut short before its first row: ask again for fewer, but never for ever.
            if not varbinds:
                del cursors[column]
            continue
        for oid, tag, value in mine:
            if len(oid) <= start or oid[:start] != column or tag in ber.EXCEPTIONS:
                del cursors[column]
                break
            index = oid[start:]
            if index in rows:
                found.note(f"column {ber.decode_oid(column)} runs in circles: its index repeats", column)
                del cursors[column]
                break
            if len(rows) >= ROWS_PER_COLUMN:
                found.note(f"column {ber.decode_oid(column)} has more than {ROWS_PER_COLUMN} rows", column)
                del cursors[column]
                break
            rows[index] = value
            cursors[column] = oid


def fetch(requests: Sequence[Names], manners: Manners) -> Conversation["Fetched"]:
    """The steady poll: GETs instances that a survey found, in few requests, into one row of values.

    Raises:
        SilentError: no reply at all.
    """
    values: list[Value] = []
    failed = 0
    for names in requests:
        reply = yield Send(Pdu.GET, names, steady=True)
        match reply:
            case Answered(status=ErrorStatus.NO_ERROR):
                values.extend(reply.values)
            case Answered():
                # Rare: something vanished under v1, or the reply grew too big. The patient way finds out what.
                found = Findings(answered=True)
                if reply.status == ErrorStatus.TOO_BIG:
                    manners.names_per_get = max(1, len(names.oids) // 2)
                yield from ask(names.oids, manners, found)
                values.extend(found.scalars.get(oid) for oid in names.oids)
                failed += len(found.problems)
            case TimedOut() | OutOfTime():
                if not values:
                    raise SilentError("no reply")
                failed += 1
                values.extend([None] * len(names.oids))
                if isinstance(reply, OutOfTime):
                    break
    return Fetched(values, failed)


@dataclass(frozen=True, slots=True)
class Fetched:
    """Values in the order of the plan's names, cut short where time ran out; ``failed`` counts requests lost."""

    values: list[Value]
    failed: int


Choice = Callable[[Findings], tuple[Sequence[bytes], Sequence[Sequence[bytes]]]]
"""What to ask next, given what came: instances for `ask`, and groups of columns for `walk`. Both empty: enough."""


def survey(choose: Choice, manners: Manners, found: Findings) -> Conversation[Findings]:
    """Asks whatever ``choose`` wants until it wants no more."""
    while not found.out_of_time:
        names, groups = choose(found)
        if not names and not groups:
            break
        yield from ask(names, manners, found)
        for group in groups:
            yield from walk(group, manners, found)
    return found
