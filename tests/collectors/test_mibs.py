"""MIB files of an operator: read as they come, and what pysnmp makes of them: names, indexes, values."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.mib_files import Kind, read_mibs
from collectors.mib_names import MibNames
from collectors.naming import WELL_KNOWN, Namebook
from collectors.snmp import ber

MIB = """
ACME-MIB DEFINITIONS ::= BEGIN
IMPORTS enterprises FROM SNMPv2-SMI;
-- acmeOld OBJECT IDENTIFIER ::= { enterprises 1 }
acme MODULE-IDENTITY
    LAST-UPDATED "202601010000Z"
    ORGANIZATION "Acme -- of its kind"
    CONTACT-INFO "nobody"
    DESCRIPTION "A test."
    ::= { enterprises 32473 }
acmeTemperature OBJECT-TYPE
    SYNTAX  AcmeTenths (0..1000)   -- "{ acme 9 }
    UNITS "celsius"
    MAX-ACCESS read-only
    STATUS current
    DESCRIPTION "Says '::= { acme 7 }', which is only a text."
    ::= { acmeSensors 3 }
AcmeTenths ::= TEXTUAL-CONVENTION
    DISPLAY-HINT "d-1"
    STATUS current
    DESCRIPTION ""
    SYNTAX Integer32
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
acmeFaults OBJECT-TYPE SYNTAX BITS { paper(0), toner(1), door(9) } ACCESS read-only STATUS mandatory
    ::= { acmeSensors 6 }
acmeSince OBJECT-TYPE SYNTAX DateAndTime ACCESS read-only STATUS mandatory ::= { acmeSensors 7 }
acmeOwner OBJECT-TYPE SYNTAX DisplayString ACCESS read-only STATUS mandatory ::= { acmeSensors 8 }
acmeLoad OBJECT-TYPE SYNTAX Gauge32 UNITS "percent" ACCESS read-only STATUS mandatory ::= { acmeSensors 9 }
acmeReady OBJECT-TYPE SYNTAX TruthValue ACCESS read-only STATUS mandatory ::= { acmeSensors 10 }
acmeSensors OBJECT IDENTIFIER ::= { acme 1 }
acmeTable OBJECT-TYPE SYNTAX SEQUENCE OF AcmeEntry ACCESS not-accessible STATUS mandatory ::= { acme 2 }
acmeEntry OBJECT-TYPE SYNTAX AcmeEntry ACCESS not-accessible STATUS mandatory
    INDEX { acmePort, acmeKind, acmePeer, IMPLIED acmeLabel } ::= { acmeTable 1 }
AcmeEntry ::= SEQUENCE { acmePort MacAddress, acmeKind INTEGER, acmePeer IpAddress, acmeLabel OCTET STRING }
acmePort OBJECT-TYPE SYNTAX MacAddress ACCESS not-accessible STATUS mandatory ::= { acmeEntry 1 }
acmeKind OBJECT-TYPE SYNTAX INTEGER { copper(1), fibre(2) } ACCESS not-accessible STATUS mandatory ::= { acmeEntry 2 }
acmePeer OBJECT-TYPE SYNTAX IpAddress ACCESS not-accessible STATUS mandatory ::= { acmeEntry 3 }
acmeLabel OBJECT-TYPE SYNTAX OCTET STRING (SIZE (0..32)) ACCESS not-accessible STATUS mandatory ::= { acmeEntry 4 }
acmeState OBJECT-TYPE SYNTAX AcmeMood ACCESS read-only STATUS mandatory ::= { acmeEntry 5 }
acmeMoreTable OBJECT-TYPE SYNTAX SEQUENCE OF AcmeMore ACCESS not-accessible STATUS mandatory ::= { acme 3 }
acmeMoreEntry OBJECT-TYPE SYNTAX AcmeMore ACCESS not-accessible STATUS mandatory
    AUGMENTS { acmeEntry } ::= { acmeMoreTable 1 }
acmeMore OBJECT-TYPE SYNTAX Counter64 ACCESS read-only STATUS mandatory ::= { acmeMoreEntry 1 }
acmeForeignTable OBJECT-TYPE SYNTAX SEQUENCE OF X ACCESS not-accessible STATUS mandatory ::= { acme 4 }
acmeForeignEntry OBJECT-TYPE SYNTAX X ACCESS not-accessible STATUS mandatory
    INDEX { nobodysIndex } ::= { acmeForeignTable 1 }
acmeForeign OBJECT-TYPE SYNTAX NobodysType ACCESS read-only STATUS mandatory ::= { acmeForeignEntry 1 }
acmeFar OBJECT IDENTIFIER ::= { iso org(3) dod(6) 1 4 1 32473 7 }
acmeLost OBJECT IDENTIFIER ::= { nowhere 7 }
END

ACME-OTHER-MIB DEFINITIONS ::= BEGIN
acmeSensors OBJECT IDENTIFIER ::= { acme 99 }
acmeOther OBJECT IDENTIFIER ::= { acmeSensors 1 }
END
"""
HINTED = """
X-MIB DEFINITIONS ::= BEGIN
X ::= TEXTUAL-CONVENTION DISPLAY-HINT "{}" STATUS current SYNTAX OCTET STRING
x OBJECT-TYPE SYNTAX X ACCESS read-only STATUS mandatory ::= {{ enterprises 32473 }}
END
"""
ACME = "1.3.6.1.4.1.32473"
INDEX = "0.17.34.0.0.9.2.192.0.2.7.119.97.110"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ACME-MIB.txt").write_text(MIB, "utf-8")
    (tmp_path / "broken.mib").write_bytes(b"\xff\xfe broken ::= { }")
    (tmp_path / "folder").mkdir()
    return tmp_path


@pytest.fixture
def book(folder: Path) -> Namebook:
    return Namebook({}, MibNames(read_mibs(folder, WELL_KNOWN)))


def _oid(tail: str) -> bytes:
    return ber.encode_oid(f"{ACME}.{tail}")


def test_files_give_their_objects_in_any_order_whatever_else_is_wrong_with_them(folder: Path) -> None:
    found = {(one.module, one.name): (one.oid.removeprefix(ACME), one.kind) for one in read_mibs(folder, WELL_KNOWN)}
    other = {name: found.pop(("ACME-OTHER-MIB", name)) for name in ("acmeSensors", "acmeOther")}
    assert other == {"acmeSensors": (".99", Kind.NODE), "acmeOther": (".99.1", Kind.NODE)}
    assert {name: place for (_, name), (place, _) in found.items() if place.count(".") < 3} == {
        "acme": "", "acmeSensors": ".1", "acmeTemperature": ".1.3", "acmeDoor": ".1.4", "acmeMood": ".1.5",
        "acmeFaults": ".1.6", "acmeSince": ".1.7", "acmeOwner": ".1.8", "acmeLoad": ".1.9", "acmeReady": ".1.10",
        "acmeTable": ".2", "acmeEntry": ".2.1", "acmeMoreTable": ".3", "acmeMoreEntry": ".3.1",
        "acmeForeignTable": ".4", "acmeForeignEntry": ".4.1", "acmeFar": ".7",
    }  # fmt: skip
    kinds = {name: kind for (_, name), (_, kind) in found.items()}
    assert [kinds[name] for name in ("acmeTable", "acmeEntry", "acmeMoreEntry", "acmeState", "acmeDoor", "acme")] == [
        Kind.TABLE, Kind.ROW, Kind.ROW, Kind.COLUMN, Kind.SCALAR, Kind.NODE,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "tail"),
    [
        ("acmeTemperature.0", "1.3.0"),
        ("ACME-MIB::acmeSensors", "1"),
        ("ACME-OTHER-MIB::acmeSensors", "99"),
        ("acmeState", "2.1.5"),
        ("acmeFar", "7"),
    ],
)
def test_a_name_is_an_object_of_its_module(book: Namebook, name: str, tail: str) -> None:
    assert book.oid(name) == _oid(tail)


def test_what_no_file_names_keeps_its_well_known_name(book: Namebook) -> None:
    assert book.name(ber.encode_oid("1.3.6.1.2.1.2.2.1.8.3")) == "ifOperStatus.3"
    assert book.name(ber.encode_oid("1.3.6.1.4.1.2011.5")) == "huawei.5"
    assert book.name(_oid("1.3.0")) == "acmeTemperature.0"


@pytest.mark.parametrize(
    ("tail", "content", "shown"),
    [
        ("1.3.0", 235, "23.5 celsius"),
        ("1.4.0", 2, "shut(2)"),
        ("1.4.0", 9, None),
        ("1.5.0", -2, "sad(-2)"),
        ("1.6.0", b"\x40\x40", "toner(1) door(9)"),
        ("1.6.0", b"\x10", "3"),
        ("1.7.0", bytes((7, 234, 12, 1, 8, 30, 0, 0)), "2026-12-1,8:30:0.0"),
        ("1.8.0", "村委会".encode("gb18030"), None),
        ("1.9.0", 7, "7 percent"),
        ("1.10.0", 1, "true(1)"),
        (f"2.1.5.{INDEX}", 1, "glad(1)"),
        ("4.1.1.7", 1, None),
        ("1.3.0", b"hot", None),  # the device says another type than its MIB
        ("1.7.0", 5, None),
        ("1.3", 5, None),  # the type of an instance, not an instance
    ],
)
def test_a_value_is_written_as_its_mib_says(book: Namebook, tail: str, content: int | bytes, shown: str | None) -> None:
    tag = ber.INTEGER if isinstance(content, int) else ber.OCTET_STRING
    assert book.text(_oid(tail), tag, content) == shown


@pytest.mark.parametrize("column", ["2.1.5", "3.1.1"])
def test_an_index_is_taken_apart_also_by_the_row_that_it_augments(book: Namebook, column: str) -> None:
    assert book.index(_oid(f"{column}.{INDEX}")) == ("00:11:22:00:00:09", "fibre(2)", "192.0.2.7", "wan")


@pytest.mark.parametrize("tail", ["4.1.1.7", "2.1.5.1.2", "1.3.0", "2.1.5", "9.9"])
def test_an_index_that_is_not_known_or_not_whole_says_nothing(book: Namebook, tail: str) -> None:
    assert book.index(_oid(tail)) == ()


@pytest.mark.parametrize("hint", ["0a", "*0d", "9" * 9 + "x", "d-99", "1x:" * 9 + "0d", "", "1"])
def test_a_hint_that_no_value_can_be_written_by_is_left_alone(tmp_path: Path, hint: str) -> None:
    (tmp_path / "X.mib").write_text(HINTED.format(hint), "utf-8")
    (one,) = read_mibs(tmp_path, WELL_KNOWN)
    assert one.syntax is not None
    assert one.syntax.hint == ""
    assert MibNames([one]).text((1, 3, 6, 1, 4, 1, 32473, 0), b"abc") is None


@given(
    hint=st.from_regex(r"(\*?[1-9]\d{0,2}[xdoat][^\d*\"]{0,2}){1,6}", fullmatch=True).filter(str.isascii),
    content=st.binary(max_size=40),
)
def test_any_hint_ends(tmp_path_factory: pytest.TempPathFactory, hint: str, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("hint")
    (folder / "X.mib").write_text(HINTED.format(hint), "utf-8")
    shown = MibNames(read_mibs(folder, WELL_KNOWN)).text((1, 3, 6, 1, 4, 1, 32473, 0), content)
    assert shown is None or isinstance(shown, str)


@given(st.text(st.sampled_from('aB1{}()",;:=-. \n') | st.characters(max_codepoint=0x4FF), max_size=300))
def test_any_text_is_read(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("mib")
    (folder / "X.mib").write_text(f"X-MIB DEFINITIONS ::= BEGIN x OBJECT-TYPE {text} ::= {{ enterprises 1 }}", "utf-8")
    MibNames(read_mibs(folder, WELL_KNOWN))


def test_net_snmps_own_files_are_read_without_the_rfcs_modules_beside_them() -> None:
    folder = Path("/usr/share/snmp/mibs")
    if not (folder / "UCD-SNMP-MIB.txt").exists():
        pytest.skip("net-snmp's MIB files are not installed here (Debian: libsnmp-base)")
    book = Namebook({}, MibNames(read_mibs(folder, WELL_KNOWN)))
    assert book.oid("UCD-SNMP-MIB::laLoad.1") == ber.encode_oid("1.3.6.1.4.1.2021.10.1.3.1")
    line = ber.encode_oid("1.3.6.1.4.1.8072.1.3.2.4.1.2.3.119.101.98.1")
    assert book.name(line) == "nsExtendOutLine.3.119.101.98.1"
    assert book.index(line) == ("web", "1")
    assert book.text(ber.encode_oid("1.3.6.1.4.1.2021.9.1.100.1"), ber.INTEGER, 1) == "error(1)"
    assert book.text(ber.encode_oid("1.3.6.1.4.1.2021.4.5.0"), ber.INTEGER, 2048) == "2048 kB"
