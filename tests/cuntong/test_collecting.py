"""What `cuntong collect` wires beside polling: keys, notifications of v3, echoes, limits."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from collectors.snmp.target import Target
from collectors.snmp.usm import Auth, Keys, Priv, User
from collectors.traps import Limit
from cuntong.collect import Reach, in_the_simulator, keys_of, lines_to_echo, notifying_user, targets_of
from cuntong.secrets import Resolver
from cuntong.settings import Settings
from inventory.model import Inventory
from inventory.vocabulary import DeviceClass
from ledger.database import open_ledger, sqlite_url

USER = User("cuntong", Auth.SHA256, "a long password", Priv.AES128, "another password")


def field(user: User = USER) -> Reach:
    return Reach(lambda device: (device.address, 161), lambda _: user)


def test_echoes_go_over_each_line_in_the_field_and_nowhere_on_loopback(example: Inventory) -> None:
    targets = targets_of(example, field())
    echoed = lines_to_echo(example, targets, field(), 60.0)
    routers = {device.ordinal for device in example.devices if device.device_class is DeviceClass.ROUTER}
    assert {line.router for line in echoed} == routers
    single = example.devices.find("tq-chengxiang-xuyu-cpe1")
    assert [line.address for line in echoed if line.router == single.ordinal] == [single.address]
    dual = example.devices.find("tq-fagai-cpe1")
    assert [(line.suffix, line.address) for line in echoed if line.router == dual.ordinal] == [
        ("", "10.126.16.2"),
        ("-line2", "10.126.16.6"),
    ], "the management address would answer over either of the two"
    assert lines_to_echo(example, targets, field(), 0.0) == []
    simulated = in_the_simulator(16100)
    assert lines_to_echo(example, targets_of(example, simulated), simulated, 60.0) == []


def test_targets_of_v3_get_the_keys_that_the_ledger_keeps(example: Inventory, tmp_path: Path) -> None:
    engine = open_ledger(sqlite_url(tmp_path / "ledger.sqlite3"))
    keys = Keys(b"\x80\x00\x1f\x88engine", b"a" * 32, b"p" * 16)
    for life in range(2):
        targets = targets_of(example, field())
        keeper = keys_of(example, targets, engine, tmp_path / "vault.key")
        assert keeper is not None
        first, second = (target for target in targets[:2] if isinstance(target, Target))
        assert first.security is not None
        assert second.security is not None
        assert first.security.keys == (keys if life else Keys(b"", b"", b""))
        assert second.security.engine_id == b""
        keeper.keep(example.devices[0].id, USER)(keys)
        keeper.flush()
    engine.dispose()


def test_without_v3_there_is_no_vault(example: Inventory, tmp_path: Path) -> None:
    engine = open_ledger(sqlite_url(tmp_path / "ledger.sqlite3"))
    targets = targets_of(example, in_the_simulator(16100))
    assert keys_of(example, targets, engine, tmp_path / "vault.key") is None
    assert not (tmp_path / "vault.key").exists()
    engine.dispose()


def test_the_user_that_routers_are_given_may_notify_where_its_secrets_are_here(
    example: Inventory, tmp_path: Path
) -> None:
    assert notifying_user(example, Resolver(tmp_path)) is None
    (tmp_path / "snmp").mkdir()
    for name, text in (("auth", "a long password"), ("priv", "another password")):
        path = tmp_path / "snmp" / name
        path.write_text(text, "utf-8")
        path.chmod(0o600)
    assert notifying_user(example, Resolver(tmp_path)) == USER


def test_limits_of_traps_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().trap_limits == (Limit(5, 20), Limit(500, 2000))
    monkeypatch.setenv("CUNTONG_TRAPS_PER_SOURCE_S", "0.5")
    monkeypatch.setenv("CUNTONG_TRAPS_BURST", "3")
    monkeypatch.setenv("CUNTONG_TRAPS_TOTAL_S", "0.1")
    assert Settings().trap_limits == (Limit(0.5, 3), Limit(0.1, 1))
    monkeypatch.setenv("CUNTONG_TRAPS_BURST", "0")
    with pytest.raises(ValidationError):
        Settings()
