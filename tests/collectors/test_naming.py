"""Names of objects: well-known, of profiles, of an operator's MIB files; and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.naming import WELL_KNOWN, Namebook
from collectors.snmp import ber
from inventory.profiles import load_profiles

BOOK = Namebook(load_profiles())


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
