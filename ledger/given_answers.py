"""What was answered to a write under the key that its sender chose: asked again, it gets the same and does nothing."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from ledger.access_tables import given_answers

KEPT_S: Final = 86_400.0
_AT_WORK_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Given:
    """``status`` is 0 while the first request is still being worked on."""

    request_sha256: str
    status: int
    body: bytes


def begin(engine: Engine, account: str, key: str, request_sha256: str, now: float) -> Given | None:
    """Reserve a key; None where it is ours now, else what was answered under it."""
    table = given_answers.c
    mine = (table.account == account) & (table.key == key)
    try:
        with engine.begin() as connection:
            # A program that died at its work leaves a key reserved: it may be tried again.
            died = mine & (table.status == 0) & (table.at < now - _AT_WORK_S)
            connection.execute(delete(given_answers).where((table.at < now - KEPT_S) | died))
            connection.execute(
                insert(given_answers).values(
                    account=account, key=key, request_sha256=request_sha256, status=0, body=b"", at=now
                )
            )
    except IntegrityError:
        with engine.connect() as connection:
            row = connection.execute(select(given_answers).where(mine)).one_or_none()
        return None if row is None else Given(row.request_sha256, row.status, row.body)
    return None


def end(engine: Engine, account: str, key: str, status: int, body: bytes) -> None:
    """Keep the answer of a write that was done."""
    mine = (given_answers.c.account == account) & (given_answers.c.key == key)
    with engine.begin() as connection:
        connection.execute(update(given_answers).where(mine).values(status=status, body=body))


def drop(engine: Engine, account: str, key: str) -> None:
    """Free a key whose write was refused or failed: mended, it may be sent again."""
    mine = (given_answers.c.account == account) & (given_answers.c.key == key)
    with engine.begin() as connection:
        connection.execute(delete(given_answers).where(mine))
