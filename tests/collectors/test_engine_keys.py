"""Localised keys over restarts: none is derived that was derived before, and none outlives what it was made for."""

import secrets
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from collectors.decode.compile import Catalogue
from collectors.snmp import ber, usm
from collectors.snmp.target import Target
from collectors.snmp.usm import Auth, Keys, Priv, Security, User
from collectors.walking import walk_device
from cuntong.engine_keys import KeyKeeper
from ledger.database import open_ledger, sqlite_url
from ledger.tables import engine_keys

USER = User("watch", Auth.SHA256, "a long password", Priv.AES128, "another password")
KEYS = Keys(b"\x80\x00\x1f\x88engine", b"a" * 32, b"p" * 16)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_ledger(sqlite_url(tmp_path / "ledger.sqlite3"))
    yield engine
    engine.dispose()


def kept(engine: Engine, folder: Path, user: User = USER) -> KeyKeeper:
    keeper = KeyKeeper(engine, folder / "vault.key")
    keeper.keep("tq-here-cpe1", user)(KEYS)
    keeper.flush()
    return KeyKeeper(engine, folder / "vault.key")


def test_what_was_kept_is_known_in_the_next_life(engine: Engine, tmp_path: Path) -> None:
    keeper = kept(engine, tmp_path)
    assert keeper.known("tq-here-cpe1", USER) == KEYS
    assert keeper.known("tq-there-cpe1", USER) is None


@pytest.mark.parametrize(
    "other",
    [
        User("other", Auth.SHA256, "a long password", Priv.AES128, "another password"),
        User("watch", Auth.SHA, "a long password", Priv.AES128, "another password"),
        User("watch", Auth.SHA256, "a long passwort", Priv.AES128, "another password"),
        User("watch", Auth.SHA256, "a long password", Priv.AES256, "another password"),
        User("watch", Auth.SHA256, "a long password", Priv.AES128, "another passwort"),
    ],
    ids=["user", "auth", "password", "priv", "privacy password"],
)
def test_a_changed_credential_has_no_keys(engine: Engine, tmp_path: Path, other: User) -> None:
    assert kept(engine, tmp_path).known("tq-here-cpe1", other) is None


def test_nothing_secret_lies_open_in_the_ledger(engine: Engine, tmp_path: Path) -> None:
    kept(engine, tmp_path)
    with engine.connect() as connection:
        [row] = connection.execute(select(engine_keys))
    for secret in (KEYS.auth, KEYS.priv, USER.fingerprint):
        assert secret not in row.sealed
    assert KEYS.auth.hex() not in repr(KEYS)


def test_keys_that_do_not_open_are_derived_again(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept(engine, tmp_path)
    (tmp_path / "vault.key").unlink()
    assert KeyKeeper(engine, tmp_path / "vault.key").known("tq-here-cpe1", USER) is None
    assert "the keys of 1 devices were sealed with another vault key" in caplog.text


def test_a_row_moved_to_another_device_does_not_open(engine: Engine, tmp_path: Path) -> None:
    kept(engine, tmp_path)
    with engine.begin() as connection:
        connection.execute(engine_keys.update().values(device="tq-there-cpe1"))
    assert KeyKeeper(engine, tmp_path / "vault.key").known("tq-there-cpe1", USER) is None


async def test_a_restarted_collector_derives_no_key_and_a_new_engine_makes_it(
    start_snmpd: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    derived: list[str] = []
    master_key = usm.master_key

    def counted(auth: Auth, password: str) -> bytes:
        derived.append(password)
        return master_key(auth, password)

    monkeypatch.setattr(usm, "master_key", counted)
    configuration = (
        "engineIDType 1\nengineID first\ncreateUser watch SHA-256 'a long password' AES 'another password'\n"
        "rouser watch priv\n"
    )
    learnt: list[Keys] = []

    async def ask(port: int, keys: Keys | None) -> int:
        security = Security(USER, partial(secrets.randbits, 64))
        security.recall(keys, learnt.append)
        monkeypatch.setattr(
            "collectors.walking.ways",
            lambda address, credential, catalogue: [Target(address, b"", Catalogue({}), security=security)],
        )
        return len((await walk_device("127.0.0.1", port, USER, [ber.encode_oid("1.3.6.1.2.1.1")], limit=99)).rows)

    with start_snmpd(tmp_path, configuration) as port:
        assert await ask(port, None) > 3
        assert (len(learnt), len(derived)) == (1, 2)
        assert await ask(port, learnt[0]) > 3
        assert (len(learnt), len(derived)) == (1, 2)  # nothing was derived
        stranger = Keys(b"\x80\x00\x1f\x88\x04another", *learnt[0][1:])
        assert await ask(port, stranger) > 3
        assert (learnt[1], len(derived)) == (learnt[0], 4)
