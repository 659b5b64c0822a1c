"""Nothing is sent to routers while those of the time before a restore are not settled."""

from sqlalchemy import Connection, select

from ledger.errors import LedgerError
from ledger.instance_tables import restores
from ledger.tables import runs


class UnsettledError(LedgerError):
    """A timer may still be armed, or a run that was under way has not come to its end."""


def require_settled(connection: Connection, now: float, *, resuming: bool = False) -> None:
    """Refuse to change routers too early after a restore.

    Args:
        resuming: what is asked for settles a run of that time.

    Raises:
        UnsettledError: a timer may still be armed, or such a run has not come to its end.
    """
    last = connection.execute(select(restores).order_by(restores.c.id.desc()).limit(1)).one_or_none()
    if last is None:
        return
    if now < last.hold_until:
        raise UnsettledError(
            f"This ledger was restored from a dump. Routers that the lost server was changing may fall back by "
            f"themselves for another {last.hold_until - now:.0f} s; nothing is sent before. Wait."
        )
    if resuming:
        return
    left = select(runs.c.id).where(runs.c.state != "ended", runs.c.started_at < last.restored_at)
    names = list(connection.scalars(left.order_by(runs.c.started_at)))
    if names:
        raise UnsettledError(
            f"Before this ledger was restored {'these runs were' if len(names) > 1 else 'this run was'} under way: "
            f"{', '.join(names)}. First `cuntong apply --resume {names[0]}`, which looks at each router and ends what "
            f"was begun."
        )
