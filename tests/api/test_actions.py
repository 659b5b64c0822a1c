"""Who may do what, and where: the first accounts, roles by division, logins; on a real SQLite file."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from api.actions import accounts as actions
from api.actions.errors import ForbiddenError, NotLoggedInError
from api.actions.grants import Action, require
from inventory.loader import load
from inventory.model import Inventory
from ledger import accounts, audit
from ledger.accounts import Account, AccountError, Grant, Role
from ledger.database import open_ledger

COUNTY = "511825000000"
GOOD = "Long-enough-9"
EXAMPLE = Path(__file__).resolve().parents[2] / "inventory" / "examples" / "tianquan"


@pytest.fixture
def engine(ledger_url: str) -> Iterator[Engine]:
    engine = open_ledger(ledger_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def county() -> Inventory:
    return load(EXAMPLE)


def found(engine: Engine, name: str) -> Account:
    with engine.connect() as connection:
        return accounts.find(connection, name)


def test_the_first_account_makes_itself_sys_admin_and_names_a_sec_admin_who_grants_the_rest(engine: Engine) -> None:
    actions.add_account(engine, None, "root", "", GOOD, 0.0)
    actions.grant_role(engine, None, "root", Role.SYS_ADMIN, COUNTY, 0.0)
    root = found(engine, "root")
    for name in ("sec", "wang"):
        actions.add_account(engine, root, name, "", GOOD, 0.0)
    with pytest.raises(ForbiddenError, match="may not grant roles"):
        actions.grant_role(engine, root, "wang", Role.NETWORK_ENGINEER, COUNTY, 0.0)
    actions.grant_role(engine, root, "sec", Role.SEC_ADMIN, COUNTY, 0.0)
    sec = found(engine, "sec")
    actions.grant_role(engine, sec, "wang", Role.NETWORK_ENGINEER, COUNTY, 0.0)
    assert found(engine, "wang").holds(Role.NETWORK_ENGINEER)
    with pytest.raises(ForbiddenError, match="Nobody grants a role to himself"):
        actions.grant_role(engine, sec, "sec", Role.NETWORK_ENGINEER, COUNTY, 0.0)
    with pytest.raises(ForbiddenError):
        actions.grant_role(engine, root, "root", Role.SEC_ADMIN, COUNTY, 0.0)


def test_a_second_account_needs_somebody_who_is_logged_in_and_may(engine: Engine) -> None:
    actions.add_account(engine, None, "root", "", GOOD, 0.0)
    with pytest.raises(NotLoggedInError):
        actions.add_account(engine, None, "wang", "", GOOD, 0.0)
    with pytest.raises(ForbiddenError):
        actions.add_account(engine, found(engine, "root"), "wang", "", GOOD, 0.0)  # no role yet


def test_logging_in_gives_a_token_that_ends_and_every_attempt_is_in_the_audit(engine: Engine) -> None:
    actions.add_account(engine, None, "wang", "", GOOD, 0.0)
    with pytest.raises(NotLoggedInError, match="The name or the password is wrong"):
        actions.log_in(engine, "wang", "wrong", 1.0, "cli")
    token = actions.log_in(engine, "wang", GOOD, 2.0, "cli")
    assert actions.whoever(engine, token, 3.0).name == "wang"
    with pytest.raises(NotLoggedInError):
        actions.whoever(engine, token, 2.0 + actions.SESSION_S)
    actions.log_out(engine, token, 4.0)
    with pytest.raises(NotLoggedInError):
        actions.whoever(engine, token, 5.0)
    for _ in range(5):
        with pytest.raises(NotLoggedInError):
            actions.log_in(engine, "wang", "wrong", 10.0, "cli")
    with pytest.raises(AccountError, match="locked"):
        actions.log_in(engine, "wang", GOOD, 11.0, "cli")
    with engine.connect() as connection:
        told = [entry.action for entry in audit.entries(connection)]
        assert audit.first_broken(connection) is None
    assert told == [
        "account.add", "login.failed", "login", "logout", *["login.failed"] * 5, "login.refused",
    ]  # fmt: skip


def test_a_token_speaks_for_its_maker_until_it_ends(engine: Engine) -> None:
    actions.add_account(engine, None, "wang", "", GOOD, 0.0)
    token = actions.make_token(engine, found(engine, "wang"), "nightly backup", 10.0, 100.0)
    assert actions.whoever(engine, token, 109.0).name == "wang"
    with pytest.raises(NotLoggedInError):
        actions.whoever(engine, token, 110.0)


@pytest.mark.parametrize(
    ("division", "where", "allowed"),
    [
        (COUNTY, "511825101000", True),
        ("511825101000", "511825101000", True),
        ("511825101000", "511825101202", True),
        ("511825101000", "511825100000", False),
        ("511825101000", COUNTY, False),
        ("110101000000", "511825101000", False),
    ],
)
def test_a_grant_covers_its_division_and_what_is_below_it(
    county: Inventory, division: str, where: str, allowed: bool
) -> None:
    account = Account("wang", "", (Grant(Role.NETWORK_ENGINEER, division),), disabled=False)
    divisions = [county.nodes.find(where)]
    if allowed:
        require(account, Action.AUTHOR_PLAN, county.nodes, divisions)
    else:
        with pytest.raises(ForbiddenError, match="wang may not author plans"):
            require(account, Action.AUTHOR_PLAN, county.nodes, divisions)


@pytest.mark.parametrize("role", list(Role))
def test_only_an_audit_admin_reads_the_audit(role: Role) -> None:
    account = Account("li", "", (Grant(role, COUNTY),), disabled=False)
    if role is Role.AUDIT_ADMIN:
        require(account, Action.READ_AUDIT)
    else:
        with pytest.raises(ForbiddenError):
            require(account, Action.READ_AUDIT)
