"""Names of objects: well-known, of profiles, of an operator's MIB files; and back."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.mib_files import read_mibs
from collectors.naming import WELL_KNOWN, Namebook
from collectors.snmp import ber
from inventory.profiles import load_profiles

BOOK = Namebook(load_profiles())

MIB = """
ACME-MIB DEFINITIONS ::= BEGIN
IMPORTS enterprises FROM SNMPv2-SMI;
-- acmeOld OBJECT IDENTIFIER ::= { enterprises 1 }
acmeTemperature OBJECT-TYPE
    SYNTAX  Integer32 (0..100)   -- { acme 9 }
    MAX-ACCESS read-only
    STATUS current
    DESCRIPTION "Says '::= { acme 7 }', which is only a text."
    ::= { acmeSensors 3 }
AcmeMood ::= TEXTUAL-CONVENTION
    STATUS current
    DESCRIPTION "A mood (1)."
    SYNTAX INTEGER { glad(1), sad(-2) }
acmeDoor OBJECT-TYPE
    SYNTAX INTEGER { open(1), -- not shut(3)
                     shut(2) }
    MAX-ACCESS read-only
    STATUS current
    DESCRIPTION "A door."
    ::= { acmeSensors 4 }
acmeMood OBJECT-TYPE SYNTAX AcmeMood MAX-ACCESS read-only STATUS current DESCRIPTION "" ::= { acmeSensors 5 }
acmeSensors OBJECT IDENTIFIER ::= { acme 1 }
acme MODULE-IDENTITY
    LAST-UPDATED "202601010000Z"
    ORGANIZATION "Acme"
    CONTACT-INFO "nobody"
    DESCRIPTION "A test."
    ::= { enterprises 32473 }
acmeFar OBJECT IDENTIFIER ::= { iso org(3) dod(6) 1 4 1 32473 7 }
acmeLost OBJECT IDENTIFIER ::= { nowhere 7 }
END
"""


@pytest.mark.parametrize(
    ("given_name", "oid"),
    [
        ("ifTable", "1.3.6.1.2.1.2.2"),
        ("sysUpTime.0", "1.3.6.1.2.1.1.3.0"),
        ("IF-MIB::ifDescr.7", "1.3.6.1.2.1.2.2.1.2.7"),
        (".1.3.6.1", "1.3.6.1"),
        ("mib-2", "1.3.6.1.2.1"),
        ("ups-mib:system-identity.sys_name", "1.3.6.1.2.1.1.5.0"),
    ],
)
def test_a_name_is_an_object(given_name: str, oid: str) -> None:
    assert ber.decode_oid(BOOK.oid(given_name)) == oid


@pytest.mark.parametrize("name", ["nonsense", "9.9.9", "", "iftable", "ifTable.x"])
def test_what_is_no_object_is_refused_with_what_to_do(name: str) -> None:
    with pytest.raises(ValueError, match=r"is no object that we know\. (Did you mean ifTable\?|Give its numbers)"):
        BOOK.oid(name)


@pytest.mark.parametrize("name", sorted(WELL_KNOWN))
def test_every_well_known_name_leads_back_to_itself(name: str) -> None:
    assert BOOK.name(BOOK.oid(name)) == name


@given(st.lists(st.integers(0, 2**32 - 1), max_size=8))
def test_a_shown_name_can_be_given_again(tail: list[int]) -> None:
    oid = ber.encode_oid(".".join(map(str, (1, 3, 6, 1, 2, 1, *tail))))
    assert BOOK.oid(BOOK.name(oid)) == oid


def test_mib_files_give_their_names_in_any_order_whatever_else_is_wrong_with_them(tmp_path: Path) -> None:
    (tmp_path / "ACME-MIB.txt").write_text(MIB, "utf-8")
    (tmp_path / "broken.mib").write_bytes(b"\xff\xfe broken ::= { }")
    (tmp_path / "folder").mkdir()
    found = read_mibs(tmp_path, WELL_KNOWN)
    assert found.oids == {
        "acme": "1.3.6.1.4.1.32473",
        "acmeSensors": "1.3.6.1.4.1.32473.1",
        "acmeTemperature": "1.3.6.1.4.1.32473.1.3",
        "acmeDoor": "1.3.6.1.4.1.32473.1.4",
        "acmeMood": "1.3.6.1.4.1.32473.1.5",
        "acmeFar": "1.3.6.1.4.1.32473.7",
    }
    assert found.words == {"acmeDoor": {1: "open", 2: "shut"}, "acmeMood": {1: "glad", -2: "sad"}}
    book = Namebook({}, found)
    assert book.name(ber.encode_oid("1.3.6.1.4.1.32473.1.3.0")) == "acmeTemperature.0"
    assert book.word(ber.encode_oid("1.3.6.1.4.1.32473.1.4.0"), 2) == "shut"
    assert book.word(ber.encode_oid("1.3.6.1.4.1.32473.1.4.0"), 9) is None
    assert book.word(ber.encode_oid("1.3.6.1.2.1.2.2.1.8.3"), 7) == "lowerLayerDown"
