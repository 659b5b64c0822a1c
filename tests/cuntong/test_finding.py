"""discover, record and walk as people call them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from collectors.snmp import ber
from cuntong.demo import EXAMPLE
from simulator.walk import RecordedAgent

if TYPE_CHECKING:
    from tests.cuntong.conftest import Command


def test_a_prefix_that_is_not_ours_is_refused_with_one_line(cuntong: "Command") -> None:
    said = cuntong("discover", "10.99.0.0/24", EXAMPLE)
    assert (said.code, said.out) == (2, "")
    [line] = said.err.strip().splitlines()
    assert line.startswith("10.99.0.0/24 is not ours to ask: choose within 10.126.0.0/22, ")


def test_silent_addresses_of_the_inventory_are_told_from_free_ones(cuntong: "Command") -> None:
    said = cuntong(
        "discover", "127.64.0.1/31", EXAMPLE, "--port", "9", "--timeout", "0.05", "--retries", "0", "--json"
    )  # nobody listens there
    document = json.loads(said.out)
    assert (said.code, document["asked"]) == (0, 2)
    assert [(row["device"], row["finding"]) for row in document["rows"]] == [("tq-center-core1", "silent")]


def test_a_recording_is_masked_and_answers_polls_as_the_device_does(
    cuntong: "Command", replayed: str, tmp_path: Path
) -> None:
    file = tmp_path / "copy.snmprec"
    said = cuntong("record", replayed, "-o", file)
    assert said.code == 0
    assert f"10 rows in {file}" in said.out
    text = file.read_text("utf-8")
    assert "village-gate" not in text
    assert "1.3.6.1.2.1.31.1.1.1.6.1|70|123456789012" in text
    agent = RecordedAgent.read(file)
    assert agent._get(ber.encode_oid("1.3.6.1.2.1.1.1.0"))[2] == b"Linux gate 6.1.0 #1 SMP x86_64"


def test_a_walk_is_shown_with_names_and_values_for_people(cuntong: "Command", replayed: str) -> None:
    said = cuntong("walk", replayed, "system")
    assert said.code == 0
    assert said.out.splitlines() == [
        "sysDescr.0 = String: Linux gate 6.1.0 #1 SMP x86_64",
        "sysObjectID.0 = OID: netSnmp.3.2.10",
        "sysUpTime.0 = Timeticks: (360000) 0d 01:00:00.00",
        "sysName.0 = String: village-gate",
    ]
    numbers = cuntong("walk", replayed, "ifHCInOctets", "--numeric").out
    assert numbers.strip() == "1.3.6.1.2.1.31.1.1.1.6.1 = Counter64: 123456789012"
    document = json.loads(cuntong("walk", replayed, "ifDescr", "--json").out)
    assert document["rows"][0]["value"] == "eth0"


def test_a_walk_is_shown_with_what_an_operators_mib_files_say(
    cuntong: "Command", replayed: str, tmp_path: Path
) -> None:
    (tmp_path / "IF-MIB.my").write_text(
        """
        IF-MIB DEFINITIONS ::= BEGIN
        ifXEntry OBJECT-TYPE SYNTAX IfXEntry ACCESS not-accessible STATUS mandatory
            INDEX { linePort } ::= { ifXTable 1 }
        linePort OBJECT-TYPE SYNTAX INTEGER { uplink(1) } ACCESS not-accessible STATUS mandatory ::= { interfaces 9 }
        lineOctets OBJECT-TYPE SYNTAX Counter64 UNITS "octets" ACCESS read-only STATUS mandatory ::= { ifXEntry 6 }
        END
        """,
        "utf-8",
    )
    said = cuntong("walk", replayed, "lineOctets", "--mibs", tmp_path)
    assert (said.code, said.out.strip()) == (0, "lineOctets.1 [uplink(1)] = Counter64: 123456789012 octets")
    row = json.loads(cuntong("walk", replayed, "IF-MIB::lineOctets", "--mibs", tmp_path, "--json").out)["rows"][0]
    assert row["index"] == ["uplink(1)"]


def test_a_folder_without_mib_files_is_told(cuntong: "Command", replayed: str, tmp_path: Path) -> None:
    said = cuntong("walk", replayed, "sysName", "--mibs", tmp_path)
    assert said.out.strip() == "sysName.0 = String: village-gate"
    assert said.err.strip() == f"! {tmp_path} holds no MIB file that names an object"


def test_a_walk_of_an_unknown_name_says_what_to_do(cuntong: "Command") -> None:
    said = cuntong("walk", "127.0.0.1:9", "iftable")
    assert (said.code, said.err.strip()) == (2, "'iftable' is no object that we know. Did you mean ifTable?")


@pytest.mark.parametrize("command", [("record",), ("walk", "system")], ids=["record", "walk"])
def test_a_device_that_is_silent_is_a_failed_run(cuntong: "Command", command: tuple[str, ...]) -> None:
    name, *rest = command
    said = cuntong(name, "127.0.0.1:9", *rest, "--timeout", "0.05", "--retries", "0")
    assert said.code == 1
    assert "127.0.0.1:9 did not answer" in said.err
