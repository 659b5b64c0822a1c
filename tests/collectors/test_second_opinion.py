"""pysnmp walks the same agent: it agrees where we read rightly, and shows where somebody does not."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from collectors.errors import RefusedError, SilentDeviceError
from collectors.second_opinion import Difference, differences, walk_by_pysnmp
from collectors.snmp import ber
from collectors.snmp.message import Varbind
from collectors.snmp.usm import Auth, Priv, User
from collectors.walking import walk_device
from cuntong.commands import app

SYSTEM = ber.encode_oid("1.3.6.1.2.1.1")
WATCH = User("watch", Auth.SHA256, "auth-of-the-village", Priv.AES128, "priv-of-the-village")
CONFIG = f"""
rocommunity secret-of-the-village
sysName township-gateway
extend kiosk-page /bin/echo 正常
createUser watch SHA-256 "{WATCH.auth_password}" AES "{WATCH.priv_password}"
rouser watch priv
"""


@pytest.fixture(scope="module")
def snmpd(tmp_path_factory: pytest.TempPathFactory, start_snmpd: Any) -> Iterator[int]:
    with start_snmpd(tmp_path_factory.mktemp("snmpd"), CONFIG) as port:
        yield port


@pytest.mark.parametrize("who", [b"secret-of-the-village", WATCH], ids=["v2c", "v3"])
async def test_the_two_agree_on_everything_that_a_real_agent_says(snmpd: int, who: bytes | User) -> None:
    async def ours() -> list[Varbind]:
        walked = await walk_device("127.0.0.1", snmpd, who, [ber.encode_oid("1.3.6.1.2.1")], limit=4000, timeout_s=5)
        return walked.rows

    for _ in range(3):  # neighbours of the machine come and go; what the two read differently stays different
        before = await ours()
        theirs = await walk_by_pysnmp("127.0.0.1", snmpd, who, ber.encode_oid("1.3.6.1.2.1"), limit=4000, timeout_s=5)
        found = differences(before, theirs, await ours())
        if not found:
            break
    assert len(theirs) > 100
    assert found == []


async def test_a_silent_address_and_a_wrong_key_are_told_apart(snmpd: int) -> None:
    with pytest.raises(SilentDeviceError):
        await walk_by_pysnmp("127.0.0.1", 9, b"public", SYSTEM, limit=10, timeout_s=0.05, retries=0)
    wrong = User("watch", Auth.SHA256, "another-password", Priv.AES128, "another-password")
    with pytest.raises(RefusedError, match=r"[Ww]rong"):
        await walk_by_pysnmp("127.0.0.1", snmpd, wrong, SYSTEM, limit=10, timeout_s=2, retries=0)


NAME, OTHER = ber.encode_oid("1.3.6.1.2.1.1.5.0"), ber.encode_oid("1.3.6.1.2.1.1.6.0")


def row(value: int | bytes, tag: int = ber.OCTET_STRING, oid: bytes = NAME) -> Varbind:
    return oid, tag, value


@pytest.mark.parametrize(
    ("before", "theirs", "after", "found"),
    [
        ([row(b"a")], [row(b"a")], [row(b"a")], 0),
        ([row(b"a")], [row(b"b")], [row(b"a")], 1),
        pytest.param([row(7, ber.INTEGER)], [row(7, ber.GAUGE32)], [row(7, ber.INTEGER)], 1, id="another type"),
        pytest.param([row(7, ber.INTEGER)], [row(8, ber.INTEGER)], [row(9, ber.INTEGER)], 0, id="it moves"),
        pytest.param([row(7, ber.INTEGER)], [row(8, ber.GAUGE32)], [row(9, ber.INTEGER)], 1, id="moves, other type"),
        pytest.param([row(b"a")], [], [row(b"a")], 1, id="they miss one"),
        pytest.param([], [row(b"a")], [], 1, id="we miss one"),
        pytest.param([row(b"a")], [], [], 0, id="it went meanwhile"),
        pytest.param([], [row(b"a")], [row(b"a")], 0, id="it came meanwhile"),
    ],
)
def test_a_difference(before: list[Varbind], theirs: list[Varbind], after: list[Varbind], found: int) -> None:
    assert len(differences(before, theirs, after)) == found


rows = st.lists(
    st.tuples(st.sampled_from([NAME, OTHER]), st.sampled_from([ber.INTEGER, ber.GAUGE32]), st.integers(0, 3)),
    unique_by=lambda each: each[0],
)


@given(rows, rows)
def test_whoever_reads_what_we_read_before_or_after_agrees(before: list[Varbind], after: list[Varbind]) -> None:
    assert differences(before, before, after) == differences(before, after, after) == []


@given(rows, rows)
def test_of_an_agent_that_stands_still_every_other_row_is_named(ours: list[Varbind], theirs: list[Varbind]) -> None:
    here, there = {row[0]: row[1:] for row in ours}, {row[0]: row[1:] for row in theirs}
    expected = {oid for oid in here | there if here.get(oid) != there.get(oid)}
    found = differences(ours, theirs, ours)
    assert {each.oid for each in found} == expected
    assert all(each == Difference(each.oid, here.get(each.oid), there.get(each.oid)) for each in found)


def test_the_command_says_how_many_rows_agree(snmpd: int) -> None:
    words = ["walk", f"127.0.0.1:{snmpd}", "system", "--community", "secret-of-the-village", "--second-opinion"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert result.stdout.endswith("by pysnmp, 0 differ\n")
    told = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert told["differences"] == []
    assert told["rows"] == told["rows_by_pysnmp"] > 5
