"""Each command of ``cuntong``: what it says, how it ends, what it says when the input is wrong."""

import hashlib
import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer

from cuntong.commands import app
from cuntong.demo import EXAMPLE
from ledger import claims
from ledger.database import open_ledger, sqlite_url

if TYPE_CHECKING:
    from tests.cuntong.conftest import Command


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """The example with two mistakes."""
    folder = tmp_path / "broken"
    shutil.copytree(EXAMPLE, folder)
    file = folder / "sites" / "chengxiang.yml"
    text = file.read_text("utf-8")
    file.write_text(text.replace("central: true", "centrall: true", 1).replace("vpdn mobile", "vpdm mobile"), "utf-8")
    return folder


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in getattr(group, "commands", {}).items():
        yield (*path, name)
        yield from commands(command, (*path, name))


def every_command() -> list[tuple[str, ...]]:
    return sorted([(), *commands(typer.main.get_command(app))])


@pytest.mark.parametrize("path", every_command(), ids=" ".join)
def test_every_command_explains_itself(cuntong: "Command", path: tuple[str, ...]) -> None:
    said = cuntong(*path, "--help")
    assert said.code == 0
    assert "Usage: cuntong" in said.out
    assert "--help" in said.out


def test_the_commands_of_the_contract_are_there() -> None:
    assert {"init", "check", "show", "poll", "simulate", "up", "demo"} <= {path[0] for path in every_command() if path}


def test_no_command_at_all_gets_the_help(cuntong: "Command") -> None:
    said = cuntong()
    assert "connect every village" in said.out + said.err


def test_the_example_has_nothing_wrong(cuntong: "Command") -> None:
    said = cuntong("check", EXAMPLE)
    assert (said.code, said.err.strip()) == (0, "")
    assert "142 sites: 1 county_center, 35 county_unit, 10 township_center, 96 village_site" in said.out
    assert "375 devices: 143 routers, 126 kiosks, 106 printers" in said.out


def test_a_check_for_programs_is_one_document(cuntong: "Command") -> None:
    document = json.loads(cuntong("check", EXAMPLE, "--json").out)
    assert (document["ok"], document["problems"], document["sites"], document["devices"]) == (True, [], 142, 375)


def test_a_bad_inventory_is_refused_with_every_problem_and_its_mend(cuntong: "Command", broken: Path) -> None:
    said = cuntong("check", broken)
    assert (said.code, said.out) == (2, "")
    lines = said.err.strip().splitlines()
    assert len(lines) == 2
    for line in lines:
        assert re.fullmatch(r"sites/chengxiang\.yml:\d+: \S+: .+[.?] .+[.?]", line), line
    assert "centrall" in said.err
    assert "Did you mean vpdn?" in said.err


def test_a_bad_inventory_for_programs_is_the_same_as_objects(cuntong: "Command", broken: Path) -> None:
    text, said = cuntong("check", broken).err, cuntong("check", broken, "--json")
    document = json.loads(said.out)
    assert (said.code, document["ok"]) == (2, False)
    for problem in document["problems"]:
        assert set(problem) == {"file", "line", "path", "message", "mend"}
        assert "{file}:{line}: {path}: {message} {mend}".format(**problem) in text


@pytest.mark.parametrize("command", [("check",), ("show", "sites"), ("serve",), ("collect",), ("up",)], ids=" ".join)
def test_a_folder_that_is_not_there_is_wrong_input_for_every_command(
    cuntong: "Command", tmp_path: Path, command: tuple[str, ...]
) -> None:
    said = cuntong(*command, tmp_path / "nowhere")
    assert said.code == 2
    assert "there is no such folder" in said.err


@pytest.mark.parametrize(
    ("what", "count", "key"), [("sites", 142, "id"), ("devices", 375, "id"), ("tree", 1, "beneath")]
)
def test_everything_can_be_shown_to_programs(cuntong: "Command", what: str, count: int, key: str) -> None:
    rows = json.loads(cuntong("show", what, EXAMPLE, "--json").out)
    assert len(rows) == count
    assert all(key in row for row in rows)


def test_the_use_of_addresses_is_shown_with_the_connection_of_each_tier(cuntong: "Command") -> None:
    document = json.loads(cuntong("show", "addresses", EXAMPLE, "--json").out)
    assert {row["kind"] for row in document["addresses"]} >= {"pool", "block"}
    assert all(0 <= row["used"] <= row["total"] for row in document["addresses"])
    assert sum(row["sites"] for row in document["connection_modes"]) == 142


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("sites", ["始阳镇: 19 sites", "tq-shiyang", "village_site"]),
        ("devices", ["devices", "tq-shiyang-agg1", "tq-center-core1 tq-center-core2"]),
        ("addresses", ["Connection mode per tier", "始阳镇"]),
        ("tree", ["tq-shiyang", "瓦坪"]),
    ],
)
def test_everything_can_be_shown_to_people_for_one_division(cuntong: "Command", what: str, words: list[str]) -> None:
    said = cuntong("show", what, EXAMPLE, "--division", "511825101")
    assert said.code == 0
    for word in words:
        assert word in said.out


def test_the_whole_uplink_tree_holds_every_site_once(cuntong: "Command") -> None:
    said = cuntong("show", "tree", EXAMPLE, "--json")
    assert len(re.findall(r'"site": "', said.out)) == 142


def test_a_division_that_is_not_there_is_wrong_input(cuntong: "Command") -> None:
    said = cuntong("show", "sites", EXAMPLE, "--division", "999999")
    assert (said.code, said.err.strip()) == (2, "There is no division '999999' in 天全县电子政务外网.")


@pytest.mark.parametrize(("name", "code"), [("yichuan.csv", "410329"), ("guangyuan.csv", "510824")])
def test_an_inventory_of_any_county_can_be_begun_and_is_good(
    cuntong: "Command", shared: Path, tmp_path: Path, name: str, code: str
) -> None:
    said = cuntong("init", tmp_path / "county", "--divisions", shared / "divisions" / name, "--code", code)
    assert said.code == 0, said.err
    assert "Next: " in said.out
    checked = cuntong("check", tmp_path / "county")
    assert (checked.code, checked.err.strip()) == (0, "")


def test_beginning_where_something_is_already_writes_nothing(cuntong: "Command", tmp_path: Path) -> None:
    arguments = ("--divisions", EXAMPLE / "divisions.csv", "--code", "511825")
    assert cuntong("init", tmp_path / "county", *arguments).code == 0
    before = {path: path.read_bytes() for path in (tmp_path / "county").rglob("*") if path.is_file()}
    said = cuntong("init", tmp_path / "county", *arguments)
    assert said.code == 2
    assert {path: path.read_bytes() for path in (tmp_path / "county").rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("divisions", "code"), [("divisions.csv", "999999"), ("divisions.csv", "x"), ("nowhere.csv", "511825")]
)
def test_beginning_with_wrong_input_writes_nothing(
    cuntong: "Command", tmp_path: Path, divisions: str, code: str
) -> None:
    said = cuntong("init", tmp_path / "county", "--divisions", EXAMPLE / divisions, "--code", code)
    assert said.code == 2
    assert said.err
    assert not (tmp_path / "county").exists() or not list((tmp_path / "county").iterdir())


def test_a_new_site_gets_its_place_when_it_is_asked_for(cuntong: "Command", tmp_path: Path) -> None:
    folder = tmp_path / "county"
    shutil.copytree(EXAMPLE, folder)
    lock = folder / "addresses.lock"
    lines = lock.read_text("utf-8").splitlines(keepends=True)
    lock.write_text("".join(line for line in lines if " 511825100211 " not in line), "utf-8")
    assert cuntong("check", folder).code == 2
    said = cuntong("check", folder, "--allocate", "--json")
    assert said.code == 0
    assert "tq-chengxiang-liangcha" in " ".join(json.loads(said.out)["allocated"])
    assert cuntong("check", folder).code == 0


def test_a_device_is_identified_and_read_once(cuntong: "Command", replayed: str) -> None:
    said = cuntong("poll", replayed, "--community", "public", "--json")
    document = json.loads(said.out)
    assert (said.code, document["uptime_seconds"]) == (0, 3600.0)
    identity = document["identity"]
    assert (identity["sys_name"], identity["os"], identity["serial"]) == ("village-gate", "Linux", None)
    assert set(document) >= {
        "identity", "uptime_seconds", "processors", "memory", "storage", "interfaces", "sensors", "printer", "ups",
        "cellular", "extends", "problems",
    }  # fmt: skip
    assert (document["printer"], document["ups"]) == (None, None)
    (port,) = document["interfaces"]
    assert set(port) == {
        "name", "description", "alias", "if_index", "admin_up", "oper_up", "speed_bps", "in_octets", "out_octets",
        "in_errors", "out_errors", "in_discards", "out_discards",
    }  # fmt: skip
    assert (port["name"], port["in_octets"], port["out_octets"]) == ("eth0", 123456789012, None)


def test_a_device_is_shown_to_people_with_what_is_unknown(cuntong: "Command", replayed: str) -> None:
    said = cuntong("poll", replayed)
    assert said.code == 0
    assert "village-gate" in said.out
    assert "unknown" in said.out
    assert "0 d 1 h" in said.out or "1 h 0 min" in said.out


def test_a_silent_device_is_a_failed_run_with_advice(cuntong: "Command") -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        said = cuntong("poll", address, "--timeout", "0.05", "--retries", "0", "--json")
    assert (said.code, said.out) == (1, "")
    assert address in said.err
    assert "Check the address" in said.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("poll", "127.0.0.1:99999"),
        ("poll", "127.0.0.1:x"),
        ("poll", ":161"),
        ("simulate", "walk", EXAMPLE / "county.yml", "--listen", "nonsense"),
        ("simulate", "walk", EXAMPLE / "county.yml", "--listen", "127.0.0.1:0"),
        ("simulate", "walk", EXAMPLE / "nowhere.snmprec"),
        ("simulate", "county", EXAMPLE, "--port", "0", "--scenario", "flood"),
        ("demo", "--scenario", "flood"),
        ("show", "everything", EXAMPLE),
        ("claim", "tq-center", "finished", "--by", "x", "--proof", "y"),
        ("nonsense",),
        ("check", "--nonsense"),
    ],
    ids=lambda arguments: " ".join(str(one).rpartition("/")[2] for one in arguments),
)
def test_wrong_input_ends_with_2_and_says_why(cuntong: "Command", arguments: tuple[object, ...]) -> None:
    said = cuntong(*arguments)
    assert said.code == 2
    assert said.err.strip()
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("name", "value"), [("INTERVAL_S", "soon"), ("INTERVAL_S", "0"), ("RETRIES", "-1"), ("PER_UPLINK", "none")]
)
def test_a_wrong_setting_is_named(cuntong: "Command", monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"CUNTONG_{name}", value)
    said = cuntong("serve", EXAMPLE)
    assert said.code == 2
    assert said.err.startswith(f"CUNTONG_{name}: ")


def test_a_port_that_is_taken_is_a_failed_run(cuntong: "Command") -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said = cuntong("serve", EXAMPLE, "--port", taken.getsockname()[1])
    assert said.code == 1
    assert "Choose another with --port" in said.err


def test_playing_without_a_county_says_how_to_start_one(cuntong: "Command", tmp_path: Path) -> None:
    said = cuntong("simulate", "faults", "--control", tmp_path / "none.sock")
    assert said.code == 1
    assert "cuntong demo" in said.err


@pytest.fixture
def ledger(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    url = sqlite_url(home / "ledger.sqlite3")
    monkeypatch.setenv("CUNTONG_LEDGER", url)
    engine = open_ledger(url)
    yield engine
    engine.dispose()


CLAIM = ("claim", "tq-chengxiang-xuyu", "accepted", "--inventory", EXAMPLE)


def test_a_claim_is_kept_with_the_hash_of_its_proof(cuntong: "Command", ledger: Any, tmp_path: Path) -> None:
    proof = tmp_path / "验收表[1].txt"
    proof.write_text("signed", "utf-8")
    said = cuntong(*CLAIM, "--by", "县大数据局 [/b]", "--proof", proof, "--on", "2026-01-02")
    assert said.code == 0
    expected = "tq-chengxiang-xuyu accepted since 2026-01-02, says 县大数据局 [/b]; proof: 验收表[1].txt"
    assert said.out.startswith(expected)
    with ledger.connect() as connection:
        ((_, kept),) = claims.said_since(connection, 0)
    assert (kept.site, kept.claim, kept.happened_on) == ("tq-chengxiang-xuyu", "accepted", date(2026, 1, 2))
    assert kept.proof_sha256 == hashlib.sha256(b"signed").hexdigest()


def test_a_claim_may_name_a_document_that_is_elsewhere(cuntong: "Command", ledger: Any) -> None:
    assert cuntong(*CLAIM, "--by", "bureau", "--proof", "minutes 12").code == 0
    with ledger.connect() as connection:
        ((_, kept),) = claims.said_since(connection, 0)
    assert (kept.proof, kept.proof_sha256) == ("minutes 12", None)


@pytest.mark.parametrize(
    "more",
    [
        ("--by", "bureau", "--proof", "p", "--on", str(date.today() + timedelta(days=2))),  # noqa: DTZ011
        ("--by", "bureau", "--proof", "p", "--on", "someday"),
        ("--by", " ", "--proof", "p"),
        ("--by", "bureau", "--proof", ""),
    ],
    ids=lambda more: " ".join(more),
)
def test_a_claim_without_substance_is_refused_and_not_kept(
    cuntong: "Command", ledger: Any, more: tuple[str, ...]
) -> None:
    assert cuntong(*CLAIM, *more).code == 2
    with ledger.connect() as connection:
        assert claims.said_since(connection, 0) == []


def test_a_claim_on_a_site_that_is_not_there_is_refused(cuntong: "Command", ledger: Any) -> None:
    said = cuntong("claim", "nowhere", "built", "--by", "b", "--proof", "p", "--inventory", EXAMPLE)
    assert said.code == 2
    assert "cuntong show sites" in said.err


def test_the_module_runs_as_a_program(home: Path, broken: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "cuntong", "check", str(broken)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout, len(ended.stderr.splitlines())) == (2, "", 2)
