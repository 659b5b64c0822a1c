"""Accounts, sessions, the audit chain and the vault, on real databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text, update

from ledger import accounts, audit, sessions
from ledger.accounts import AccountError, Grant, Role
from ledger.database import open_ledger
from ledger.errors import LedgerError
from ledger.sessions import Kind
from ledger.tables import audit as audit_table
from ledger.vault import open_vault

COUNTY = "511825000000"
GOOD = "Long-enough-9"


@pytest.fixture
def engine(ledger_url: str) -> Iterator[Engine]:
    engine = open_ledger(ledger_url)
    yield engine
    engine.dispose()


@pytest.fixture
def wang(engine: Engine) -> Engine:
    with engine.begin() as connection:
        accounts.add(connection, "wang", "王工", GOOD, 1000.0)
        accounts.grant(connection, "wang", Role.NETWORK_ENGINEER, COUNTY, "root", 1000.0)
    return engine


@pytest.mark.parametrize(
    ("password", "why"),
    [("Short-1", "at least 12"), ("alllowercaseletters", "three of"), ("Wang-is-here-99", "its account's name")],
)
def test_a_weak_password_is_refused_with_its_reason(engine: Engine, password: str, why: str) -> None:
    with engine.begin() as connection, pytest.raises(AccountError, match=why):
        accounts.add(connection, "wang", "", password, 0.0)


def test_no_password_and_no_token_stands_in_the_ledger(wang: Engine, tmp_path: Path) -> None:
    with wang.begin() as connection:
        token = sessions.open_session(connection, "wang", Kind.SESSION, "", 1000.0, 60)
    wang.dispose()
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert GOOD.encode() not in kept
    assert token.encode() not in kept


def test_the_right_password_gives_the_account_and_a_wrong_one_nobody(wang: Engine) -> None:
    with wang.begin() as connection:
        known = accounts.check_password(connection, "wang", GOOD, 1000.0)
        assert known is not None
        assert known.grants == (Grant(Role.NETWORK_ENGINEER, COUNTY),)
        assert accounts.check_password(connection, "wang", "wrong", 1000.0) is None
        assert accounts.check_password(connection, "nobody", GOOD, 1000.0) is None


def test_five_wrong_passwords_lock_for_half_an_hour(wang: Engine) -> None:
    for _ in range(5):
        with wang.begin() as connection:
            assert accounts.check_password(connection, "wang", "wrong", 1000.0) is None
    with wang.begin() as connection, pytest.raises(AccountError, match="another 30 minutes"):
        accounts.check_password(connection, "wang", GOOD, 1000.0)
    with wang.begin() as connection:
        assert accounts.check_password(connection, "wang", GOOD, 1000.0 + accounts.LOCKED_S) is not None


def test_one_person_holds_one_of_the_three_admin_roles(wang: Engine) -> None:
    with wang.begin() as connection:
        accounts.grant(connection, "wang", Role.SYS_ADMIN, COUNTY, "root", 0.0)
        with pytest.raises(AccountError, match="another admin role"):
            accounts.grant(connection, "wang", Role.AUDIT_ADMIN, COUNTY, "root", 0.0)


@pytest.mark.parametrize("end", ["over", "closed", "unknown"])
def test_a_token_speaks_for_its_account_until_it_ends(wang: Engine, end: str) -> None:
    with wang.begin() as connection:
        token = sessions.open_session(connection, "wang", Kind.SESSION, "", 1000.0, 60)
        found = sessions.of_token(connection, token, 1059.0)
        assert found is not None
        assert found[1].name == "wang"
        if end == "closed":
            sessions.close_session(connection, token, 1001.0)
        asked = "ct_nothing" if end == "unknown" else token
        assert sessions.of_token(connection, asked, 1060.0 if end == "over" else 1001.0) is None


def test_the_audit_chain_holds_until_an_entry_is_changed(engine: Engine) -> None:
    for n in range(5):
        with engine.begin() as connection:
            audit.record(connection, 1000.0 + n, "wang", "plan.approve", f"plan{n}", {"reason": "可以"})
    with engine.connect() as connection:
        assert audit.first_broken(connection) is None
        assert [entry.object for entry in audit.entries(connection, after=3)] == ["plan3", "plan4"]
    with engine.begin() as connection:
        connection.execute(update(audit_table).where(audit_table.c.id == 3).values(actor="li"))
    with engine.connect() as connection:
        assert audit.first_broken(connection) == 3


def test_an_entry_taken_out_of_the_middle_is_noticed(engine: Engine) -> None:
    for n in range(3):
        with engine.begin() as connection:
            audit.record(connection, float(n), "wang", "login", str(n))
    with engine.begin() as connection:
        connection.execute(text("delete from audit where id = 2"))
    with engine.connect() as connection:
        assert audit.first_broken(connection) == 3


def test_what_is_sealed_opens_with_the_key_and_for_its_own_device_only(tmp_path: Path) -> None:
    vault = open_vault(tmp_path / "keys" / "vault.key")
    sealed = vault.seal("密钥".encode(), "tq-a-cpe1")
    assert open_vault(tmp_path / "keys" / "vault.key").open(sealed, "tq-a-cpe1") == "密钥".encode()
    for other, about in ((vault, "tq-b-cpe1"), (open_vault(tmp_path / "other.key"), "tq-a-cpe1")):
        with pytest.raises(LedgerError, match="does not open"):
            other.open(sealed, about)
    with pytest.raises(LedgerError, match="does not open"):
        vault.open(sealed[:-1], "tq-a-cpe1")


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    key = tmp_path / "vault.key"
    open_vault(key)
    key.chmod(0o644)
    with pytest.raises(LedgerError, match="chmod 600"):
        open_vault(key)
