"""Names, ids, calendars: the small vocabularies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.calendars import Calendar, minutes_of
from inventory.declared import did_you_mean
from inventory.names import place_of, render, stem_of
from inventory.slugs import LONGEST, initials, pinyin, site_id
from inventory.vocabulary import LINK_TYPES, Claim


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        ("徙榆居委会", "徙榆社区"),
        ("西场社区居民委员会", "西场社区"),
        ("城西社区居委会", "城西社区"),
        ("河北东区居委会", "河北东区社区"),
        ("梅子村委会", "梅子村"),
        ("甲村村民委员会", "甲村"),
        ("图嘎查村委会", "图嘎查"),
        ("居委会", "居委会"),
        ("始阳镇", "始阳镇"),
    ],
)
def test_a_division_is_called_as_people_say_it(listed: str, said: str) -> None:
    assert place_of(listed) == said


def test_templates_fill_in_the_listed_name_or_the_place() -> None:
    assert render("{place}便民服务室", "梅子村委会") == "梅子村便民服务室"
    assert render("{name}便民服务中心", "始阳镇") == "始阳镇便民服务中心"


def test_the_stem_of_a_name_is_never_empty() -> None:
    assert [stem_of(name) for name in ("镇", "村", "居委会", "始阳镇")] == ["镇", "村", "居委会", "始阳"]


@given(st.text(min_size=1, max_size=33), st.text(min_size=1, max_size=33))
def test_ids_are_short_and_plain_whatever_the_names(township: str, village: str) -> None:
    taken: set[str] = set()
    for _ in range(3):
        found = site_id((initials(township), pinyin(township), pinyin(village)), taken)
        assert found not in taken
        assert len(found) <= LONGEST
        assert found.isascii()
        assert all(part.isalnum() and part == part.lower() for part in found.split("-"))
        taken.add(found)


def test_a_rare_or_private_character_still_gives_an_id() -> None:
    assert pinyin("\ue000村委会") == "x"


@pytest.mark.parametrize(
    ("word", "guess"), [("fibre", "fiber_p2p"), ("ponn", "pon"), ("ipsec", "ipsec_inet"), ("zzzzzz", None)]
)
def test_a_misspelt_word_gets_a_guess_only_when_one_is_near(word: str, guess: str | None) -> None:
    assert did_you_mean(word, LINK_TYPES, "no") == (f"Did you mean {guess}?" if guess else "no")


def test_which_claims_say_that_a_line_works() -> None:
    assert [claim for claim in Claim if claim.says_connected] == ["connected", "accepted", "in_service"]


@pytest.mark.parametrize("text", ["9-12", "12:00-09:00", "09:00", "24:00-24:00", "25:00-26:00", "09:60-10:00", ""])
def test_a_span_that_is_no_span_of_a_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no span of a day"):
        minutes_of(text)


def test_a_calendar_spreads_its_days() -> None:
    calendar = Calendar.model_validate({"title": "x", "weekly": {"mon-wed": ["09:00-12:00", "13:00-24:00"]}})
    assert calendar.weekly == {day: ((540, 720), (780, 1440)) for day in ("mon", "tue", "wed")}
    assert Calendar.model_validate(calendar.model_dump(mode="json")) == calendar


def test_overlapping_hours_are_refused() -> None:
    with pytest.raises(ValueError, match="overlap"):
        Calendar.model_validate({"title": "x", "weekly": {"mon": ["09:00-12:00", "11:00-13:00"]}})
