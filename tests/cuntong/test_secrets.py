"""Secrets in the vault: set, listed, forgotten, opened before files, and lost with the vault's key alone."""

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cuntong.demo import EXAMPLE
from cuntong.errors import StartError
from cuntong.secret_uses import uses
from cuntong.secrets import Resolver, resolver
from cuntong.settings import Settings
from ledger.database import open_ledger
from ledger.kept_secrets import every_secret, forget_secret, keep_secret
from ledger.vault import open_vault

if TYPE_CHECKING:
    from tests.cuntong.conftest import Command, Said

USER = "user: cuntong\nauth: SHA-256\nauth_password: a long password\npriv: AES-128\npriv_password: another password\n"


class Bench:
    def __init__(self, home: Path, cuntong: "Command", monkeypatch: pytest.MonkeyPatch) -> None:
        self.home, self.call, self._patch = home, cuntong, monkeypatch
        self.files = home / "secrets"
        self.files.mkdir()
        monkeypatch.setenv("CUNTONG_SECRETS", str(self.files))

    def set(self, name: str, text: bytes) -> "Said":
        self._patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
        return self.call("secret", "set", name)

    def file(self, name: str, text: str) -> Path:
        path = self.files / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        path.chmod(0o600)
        return path

    def open(self, name: str) -> str:
        return resolver(Settings()).secret(f"secret://{name}")

    @property
    def key(self) -> Path:
        return self.home / "state" / "cuntong" / "vault.key"


@pytest.fixture
def bench(home: Path, cuntong: "Command", monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(home, cuntong, monkeypatch)


def test_a_secret_goes_in_by_standard_input_and_is_opened_where_it_is_meant(bench: Bench) -> None:
    told = bench.set("snmp/routers", USER.encode())
    assert told.err == ""
    assert told.out == "secret://snmp/routers is sealed in the vault\n"
    user = resolver(Settings()).credential("secret://snmp/routers")
    assert not isinstance(user, bytes)
    assert (user.name, user.priv_password) == ("cuntong", "another password")
    assert not any(b"another password" in path.read_bytes() for path in bench.home.rglob("*") if path.is_file())


def test_the_vault_goes_before_the_file_and_the_file_serves_when_the_vault_forgot(bench: Bench) -> None:
    file = bench.file("snmp/printers", "from the file")
    assert bench.open("snmp/printers") == "from the file"
    said = bench.set("snmp/printers", b"from the vault\n")
    assert f"{file} is not read any more: delete it." in said.out
    assert bench.open("snmp/printers") == "from the vault"
    assert f"{file} is read from now on." in bench.call("secret", "forget", "snmp/printers").out
    assert bench.open("snmp/printers") == "from the file"


def test_a_secret_that_is_set_again_is_the_new_one_and_the_old_one_is_gone(bench: Bench) -> None:
    bench.set("smtp", b"old")
    assert "in place of what it was" in bench.set("smtp", b"new").out
    assert bench.open("smtp") == "new"
    audit = bench.call("doctor", "--no-ask", "--json")
    assert any(one["check"] == "vault" and "1 secrets" in one["said"] for one in json.loads(audit.out))


def test_the_list_shows_names_places_and_uses_and_never_a_secret(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUNTONG_INVENTORY", str(EXAMPLE))
    meant = uses(EXAMPLE)
    name = next(iter(meant))
    bench.set(name, b"the first secret")
    bench.file("leftover", "the second secret")
    rows = {one["name"]: one for one in json.loads(bench.call("secret", "list", "--json").out)}
    assert rows[name]["kept"] == "vault"
    assert rows[name]["days"] == 0
    assert rows[name]["uses"] == meant[name]
    assert rows["leftover"] == {"name": "leftover", "kept": "file", "days": 0, "by": None, "uses": []}
    assert {rows[other]["kept"] for other in meant if other != name} <= {"nowhere"}
    shown = bench.call("secret", "list").out
    assert name in shown
    assert "secret" not in shown.replace(name, "").lower()
    missing = [one for one in json.loads(bench.call("doctor", "--no-ask", "--json").out) if one["check"] == "secrets"]
    assert any("kept nowhere" in one["said"] for one in missing)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("../etc/passwd", b"x", "no name of a secret"),
        ("secret://snmp", b"x", "'snmp' would do"),
        ("snmp", b" \n", "An empty secret is none"),
        ("snmp", b"\xff\xfe", "text in UTF-8"),
        ("snmp", b"a" * 65537, "at most 65,536 bytes"),
        ("snmp", b"user: x\nauth: sha1024\n", "auth is one of"),
    ],
)
def test_what_is_no_secret_is_refused_and_the_vault_is_as_it_was(
    bench: Bench, name: str, text: bytes, said: str
) -> None:
    told = bench.set(name, text)
    assert told.code == 2
    assert said in told.err
    assert all(one["kept"] == "nowhere" for one in json.loads(bench.call("secret", "list", "--json").out))
    with pytest.raises(StartError, match="is not in the vault"):
        bench.open("snmp")


def test_a_secret_is_never_taken_as_an_argument(bench: Bench) -> None:
    assert bench.call("secret", "set", "snmp", "hunter2").code == 2


def test_without_its_key_the_vault_says_so_and_makes_no_other(bench: Bench) -> None:
    bench.set("snmp", b"told to nobody")
    bench.file("snmp", "an older one")
    bench.key.rename(bench.key.with_suffix(".away"))
    with pytest.raises(StartError, match=r"its key .* is not there"):
        bench.open("snmp")
    assert not bench.key.exists()
    open_vault(bench.key)  # another
    with pytest.raises(StartError, match=r"another key, or damaged\. Set it anew: cuntong secret set snmp"):
        bench.open("snmp")
    found = json.loads(bench.call("doctor", "--no-ask", "--json").out)
    assert [one["said"] for one in found if one["check"] == "vault" and one["state"] == "fail"] == [
        "sealed with another key are the secrets snmp"
    ]


def test_what_was_sealed_under_one_name_does_not_open_as_another(ledger_url: str, tmp_path: Path) -> None:
    engine = open_ledger(ledger_url)
    key = tmp_path / "vault.key"
    vault = open_vault(key)
    with engine.begin() as connection:
        assert not keep_secret(connection, vault, "a", "of a", "os:me", 1.0)
        assert keep_secret(connection, vault, "a", "of a, later", "os:me", 2.0)
        keep_secret(connection, vault, "b", "of b", "os:me", 3.0)
        connection.exec_driver_sql(
            "update kept_secrets set sealed = (select sealed from kept_secrets where name = 'a') where name = 'b'"
        )
    opener = Resolver(tmp_path, ledger_url, key)
    assert opener.secret("secret://a") == "of a, later"
    with pytest.raises(StartError, match="does not open"):
        opener.secret("secret://b")
    with engine.begin() as connection:
        assert forget_secret(connection, "b", "os:me", 4.0)
        assert not forget_secret(connection, "b", "os:me", 5.0)
        assert [(one.name, one.at) for one in every_secret(connection)] == [("a", 2.0)]
    engine.dispose()


def test_looking_for_a_secret_makes_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="is not in the vault"):
        Resolver(tmp_path, f"sqlite:///{tmp_path}/ledger", tmp_path / "key").secret("secret://x")
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_that_does_not_answer_is_no_missing_secret(tmp_path: Path) -> None:
    away = f"postgresql+psycopg://nobody@/none?host={tmp_path}"
    with pytest.raises(StartError, match="cannot be looked into for secret://x"):
        Resolver(tmp_path, away, tmp_path / "key").secret("secret://x")
